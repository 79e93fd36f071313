/* Code page 437, the characters of a PC's text screen, in Unicode. */
#ifndef CALQUE_UI_CP437_H
#define CALQUE_UI_CP437_H

#include <stdint.h>

extern const uint16_t cp437_unicode[256];

#endif
