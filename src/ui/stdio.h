/* The character device on stdin and stdout: internal to ui. */
#ifndef CALQUE_UI_STDIO_H
#define CALQUE_UI_STDIO_H

#include "hw/chardev.h"
#include "ui/escape.h"

/* Input waiting for a guest that does not read; more than this is dropped from a terminal (so that
 * Ctrl-A x is still heard) and left in the pipe otherwise. */
enum { STDIO_PENDING = 16 * 1024 };

/* wake(): makes the input thread call stdio_deliver() soon; from any thread. */
CharDev *stdio_new(bool keep_signals, void (*wake)(void));
void stdio_free(CharDev *cd);
void stdio_flush(CharDev *cd);
bool stdio_keeps_signals(const CharDev *cd);

/* The input thread only. */
bool stdio_wants_input(const CharDev *cd); /* stdin is open and there is room */
/* Reads what is there; returns ESCAPE_QUIT when the user asks to leave, else ESCAPE_SWALLOW. */
EscapeAction stdio_input(CharDev *cd);
void stdio_deliver(CharDev *cd); /* offers what waits to the receiver */

#endif
