/* What is on the screen, between the device that makes it and those who show it.
 *
 * The adapter (the producer) and everything in this file live on the machine thread.  A consumer's callbacks run
 * there too and must only copy: the window, the terminal and the like keep a DisplayMirror (display_mirror.h),
 * which carries the pixels to their own thread.  While nobody listens the adapter draws nothing; screendump
 * asks for a single update. */
#ifndef CALQUE_HW_DISPLAY_H
#define CALQUE_HW_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine.h"

enum { DISPLAY_MAX_WIDTH = 16384, DISPLAY_MAX_HEIGHT = 12000, DISPLAY_TEXT_CELLS_MAX = 16384 };

/* Pixels are 0x00rrggbb in host order, row after row without gaps. */
typedef struct DisplaySurface {
    int width, height;
    uint32_t *pixels;
} DisplaySurface;

typedef struct DisplayRect {
    int x, y, w, h; /* w or h 0: empty */
} DisplayRect;

/* A text screen, for terminals. */
typedef struct DisplayText {
    int columns, rows;
    bool cursor; /* shown at cursor_x, cursor_y */
    int cursor_x, cursor_y;
    bool blink;          /* attribute bit 7 is blink, not bright background */
    uint32_t colors[16]; /* 0x00rrggbb */
    /* Row after row: character in bits 0-7 (code page 437 with the BIOS's font), attribute in 8-15. */
    uint16_t cells[DISPLAY_TEXT_CELLS_MAX];
} DisplayText;

typedef struct Display Display;

/* --- the adapter's side --------------------------------------------------------------------------- */
typedef struct DisplaySource {
    /* Brings the surface up to date: display_resize() first if the mode changed, then draw, then display_dirty().
     * full: the surface's contents are lost, draw everything. */
    void (*update)(void *opaque, bool full);
    /* False: graphics. */
    bool (*text)(void *opaque, DisplayText *text);
} DisplaySource;

/* Starts as 640x480, black. */
Display *display_new(Machine *m);
void display_free(Display *d);
void display_set_source(Display *d, const DisplaySource *source, void *opaque);
/* The surface to draw on; its address and size change with display_resize() only. */
DisplaySurface *display_surface(Display *d);
/* Contents become black.  1..DISPLAY_MAX_*.  When the host has no memory for it the surface stays as it is. */
void display_resize(Display *d, int width, int height);
/* Clipped to the surface. */
void display_dirty(Display *d, int x, int y, int w, int h);

/* --- the consumers' side (machine thread) ------------------------------------------------------------ */
typedef struct DisplayListener {
    void (*resized)(void *opaque, int width, int height);                            /* then all of it is dirty */
    void (*drawn)(void *opaque, const DisplaySurface *surface, DisplayRect changed); /* once per refresh, if any */
    void (*refreshed)(void *opaque); /* after each refresh; may be NULL */
} DisplayListener;

/* The first refresh tells a new listener everything.  While there are listeners the display is refreshed
 * every interval_ms of virtual time (the least of all listeners; 0: the usual 16, about 60 Hz). */
void display_listen(Display *d, const DisplayListener *listener, void *opaque, unsigned interval_ms);
void display_unlisten(Display *d, const DisplayListener *listener, void *opaque);

/* Now, as if the refresh timer had fired; also while the machine stands still.  For screendump. */
void display_refresh(Display *d);
/* Text as of now.  False: the screen shows graphics. */
bool display_text(Display *d, DisplayText *text);

#endif
