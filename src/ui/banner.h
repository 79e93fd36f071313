/* A few lines of text over the picture of a window: hints, the list of hot keys, what came of a screenshot. */
#ifndef CALQUE_UI_BANNER_H
#define CALQUE_UI_BANNER_H

#include <SDL.h>

/* Draws text, lines ending in \n, in the upper left corner of the renderer's output, in its own pixels whatever its logical size
 * is.  ASCII; all else is shown as '?'. */
void banner_draw(SDL_Renderer *r, const char *text);

#endif
