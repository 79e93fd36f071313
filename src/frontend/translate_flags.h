/* The flag look-ahead's view of code: some bytes in a row, usually a page. */
#ifndef CALQUE_FRONTEND_TRANSLATE_FLAGS_H
#define CALQUE_FRONTEND_TRANSLATE_FLAGS_H

#include "frontend/translate_internal.h"

typedef struct Window {
    const uint8_t *code;
    uint32_t size;
    uint32_t eip0; /* of code[0] */
    bool code32;
    uint32_t lo, hi; /* offsets [lo, hi) that have been relied on; start with lo = size, hi = 0 */
} Window;

/* Flags needed by the code at offset `at` (IR_FL_ALL outside the window). */
uint8_t tr_flags_needed(Window *w, const DecodeFeatures *feat, uint32_t at);

#endif
