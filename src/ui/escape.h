/* Ctrl-A and a letter: what the user says to Calque rather than to the guest. */
#ifndef CALQUE_UI_ESCAPE_H
#define CALQUE_UI_ESCAPE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum EscapeAction {
    ESCAPE_PASS,    /* the byte is for the guest */
    ESCAPE_SWALLOW, /* nothing to do */
    ESCAPE_QUIT,
    ESCAPE_HELP,
    ESCAPE_BREAK,
    ESCAPE_MONITOR,
} EscapeAction;

typedef struct Escape {
    bool armed; /* Ctrl-A was the last byte */
} Escape;

EscapeAction escape_feed(Escape *e, uint8_t byte);
extern const char escape_help[];

#endif
