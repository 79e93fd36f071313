/* The character devices on stdin and stdout: internal to ui.  There are two, the guest's and the monitor's; the
 * user turns from one to the other with Ctrl-A c.  Both always write. */
#ifndef CALQUE_UI_STDIO_H
#define CALQUE_UI_STDIO_H

#include "hw/chardev.h"
#include "ui/source.h"

/* Input waiting for a guest that does not read; more than this is dropped from a terminal (so that
 * Ctrl-A x is still heard) and left in the pipe otherwise. */
enum { STDIO_PENDING = 16 * 1024 };

typedef struct StdioDev StdioDev;
StdioDev *stdio_new(bool keep_signals);
CharDev *stdio_face(StdioDev *s, bool monitor);
InputSource *stdio_source(StdioDev *s);
void stdio_flush(StdioDev *s);
bool stdio_keeps_signals(const StdioDev *s);
/* What the user types goes to the monitor from the start. */
void stdio_turn_to_monitor(StdioDev *s);

#endif
