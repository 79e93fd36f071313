/* Port 61h, the NMI status and control register: speaker, counter 2's gate, refresh toggle. */
#ifndef CALQUE_HW_PORT61_H
#define CALQUE_HW_PORT61_H

#include "hw/i8254.h"

typedef struct Port61 Port61;
Port61 *port61_new(Machine *m, I8254 *pit);
void port61_set_speaker(Port61 *p, const SpeakerSink *sink);
void port61_free(Port61 *p);

#endif
