/* Keys typed by the monitor: pressed one after the other, held, let go in reverse, on the machine's clock. */
#ifndef CALQUE_MONITOR_SENDKEY_H
#define CALQUE_MONITOR_SENDKEY_H

#include "hw/input.h"

enum { SENDKEY_CHORD_MAX = 16, SENDKEY_QUEUE = 1024, SENDKEY_HOLD_MS = 100 };

typedef struct SendKey SendKey;
SendKey *sendkey_new(Machine *m, Input *in);
void sendkey_free(SendKey *s);
/* Queues behind what is being typed.  False: too much waits already. */
bool sendkey_chord(SendKey *s, const Key *keys, unsigned n, unsigned hold_ms);

#endif
