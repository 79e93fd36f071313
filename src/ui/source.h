/* Internal to ui: what the one input thread (chardev.c) polls. */
#ifndef CALQUE_UI_SOURCE_H
#define CALQUE_UI_SOURCE_H

#include <stdbool.h>

#include "hw/chardev.h"
#include "ui/escape.h"

typedef struct InputSource InputSource;
/* All on the input thread. */
typedef struct InputSourceOps {
    int (*fd)(InputSource *s);                /* to poll for reading now; -1: none */
    EscapeAction (*readable)(InputSource *s); /* ESCAPE_QUIT: the user asks to leave */
    void (*woken)(InputSource *s);            /* wake_input() was called */
    void (*close)(InputSource *s);            /* frees it; the thread has ended */
} InputSourceOps;
/* The head of an implementation's struct. */
struct InputSource {
    const InputSourceOps *ops;
    InputSource *next;
};

void ui_add_source(InputSource *s); /* before ui_start() */
/* Makes the input thread call woken() of all soon; from any thread. */
void ui_wake_input(void);

#endif
