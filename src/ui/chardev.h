/* What stands behind hw/chardev.h: the terminal (or whatever stdin and stdout are), files, nothing;
 * and the one thread through which the user's bytes and signals come in. */
#ifndef CALQUE_UI_CHARDEV_H
#define CALQUE_UI_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>

#include "hw/chardev.h"

/* spec: "null", "file:PATH", a socket (socket.h), "stdio" (Ctrl-C interrupts Calque) or "mon:stdio" (Ctrl-C goes
 * to the guest); in both of the last, Ctrl-A is the escape key.  NULL with error set: unknown spec (the
 * error lists those known), file not writable, or stdio opened a second time. */
CharDev *ui_chardev_open(const char *spec, char *error, size_t error_size);

/* For a monitor: the same specs.  "stdio" is Calque's own terminal; with a device on "mon:stdio" the two share it, and
 * Ctrl-A c turns from one to the other. */
CharDev *ui_chardev_open_monitor(const char *spec, char *error, size_t error_size);

/* Machine made, about to run: raw terminal, input flows, SIGINT, SIGTERM and SIGHUP and Ctrl-A x call
 * quit (from another thread).  If the program is still there five seconds later, or at a second
 * request, it is ended at once with status 1.  False: no resources for it. */
bool ui_start(void (*quit)(void *opaque), void *opaque);

/* Machine at its end: no more calls to receivers and quit, output written out, terminal as it was.
 * Character devices may still be written to. */
void ui_stop(void);
/* Machine freed: closes and frees every CharDev. */
void ui_close(void);

#endif
