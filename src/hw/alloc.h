/* Allocation for what is made once, at start: a machine that cannot be built has no way to go on. */
#ifndef CALQUE_HW_ALLOC_H
#define CALQUE_HW_ALLOC_H

#include <stdio.h>
#include <stdlib.h>

/* Zeroed; never NULL. */
static inline void *hw_alloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

#endif
