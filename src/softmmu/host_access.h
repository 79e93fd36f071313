/* Guest numbers in host memory, 1, 2, 4 or 8 bytes at any alignment.  Each size is a move of its own: a number put together in a
 * 64-bit variable by a shorter one makes the host wait for its store buffer. */
#ifndef CALQUE_SOFTMMU_HOST_ACCESS_H
#define CALQUE_SOFTMMU_HOST_ACCESS_H

#include <stdint.h>
#include <string.h>

static inline uint64_t host_ld(const void *host, unsigned size)
{
    uint8_t b;
    uint16_t w;
    uint32_t d;
    uint64_t q;
    switch (size) {
    case 1: memcpy(&b, host, 1); return b;
    case 2: memcpy(&w, host, 2); return w;
    case 4: memcpy(&d, host, 4); return d;
    default: memcpy(&q, host, 8); return q;
    }
}

static inline void host_st(void *host, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: memcpy(host, &value, 1); break;
    case 2: memcpy(host, &value, 2); break;
    case 4: memcpy(host, &value, 4); break;
    default: memcpy(host, &value, 8); break;
    }
}

#endif
