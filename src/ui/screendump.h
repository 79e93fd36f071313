/* The screen as a picture file: PNG when the name ends in .png, otherwise PPM (binary, P6). */
#ifndef CALQUE_UI_SCREENDUMP_H
#define CALQUE_UI_SCREENDUMP_H

#include "hw/display.h"

/* Brings the display up to date and writes it.  Machine thread.  False: error is one line that names the file. */
bool screendump(Display *d, const char *path, char *error, size_t error_size);
/* Any thread that owns the surface. */
bool screendump_surface(const DisplaySurface *s, const char *path, char *error, size_t error_size);

#endif
