/* A 64-bit digest of what it is fed, in order: the same on any host, good for telling states apart (not against an
 * adversary). */
#ifndef CALQUE_UTIL_HASH_H
#define CALQUE_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The finaliser of MurmurHash3 (public domain) spreads each word over all bits. */
static inline uint64_t hash_u64(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 29;
}

static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;
    h = hash_u64(h, n);
    for (; n >= 8; n -= 8, p += 8) h = hash_u64(h, get_le64(p));
    for (; n; n--, p++) h = hash_u64(h, *p);
    return h;
}

#endif
