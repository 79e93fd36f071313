/* A copy of the screen for another thread: the machine thread writes changes into it, the window's thread takes
 * them out.  The lock is held for copying only; a slow consumer finds several changes merged into one rectangle,
 * the machine never waits for it to draw. */
#ifndef CALQUE_HW_DISPLAY_MIRROR_H
#define CALQUE_HW_DISPLAY_MIRROR_H

#include "hw/display.h"

typedef struct DisplayMirror DisplayMirror;

/* wake (may be NULL) is called on the machine thread when there is something to take and there was not before; it
 * must not block: push an event, write to a pipe. */
DisplayMirror *display_mirror_new(void (*wake)(void *opaque), void *opaque);
/* Detach first. */
void display_mirror_free(DisplayMirror *dm);

/* Machine thread.  with_text: text screens are copied too. */
void display_mirror_attach(DisplayMirror *dm, Display *d, bool with_text, unsigned interval_ms);
void display_mirror_detach(DisplayMirror *dm);

/* Any thread.  What has changed since the last time, passed to fn() with the lock held: surface is the whole
 * screen, changed the part to look at.  resized: the size may differ from before.  False: nothing new. */
bool display_mirror_take(DisplayMirror *dm,
                         void (*fn)(void *opaque, const DisplaySurface *surface, DisplayRect changed, bool resized),
                         void *opaque);
/* Any thread.  The text screen as last copied; false: graphics, or not attached with text. */
bool display_mirror_text(DisplayMirror *dm, DisplayText *text);

#endif
