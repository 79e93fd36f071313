/* Virtual nanoseconds and the counts of a clock of f Hz, without overflow for f up to 10^9. */
#ifndef CALQUE_HW_TICKS_H
#define CALQUE_HW_TICKS_H

#include <stdint.h>

#define NS_PER_S 1000000000u

static inline uint64_t ticks_from_ns(uint64_t ns, uint32_t f)
{
    return ns / NS_PER_S * f + ns % NS_PER_S * f / NS_PER_S;
}
/* The first nanosecond at which ticks_from_ns() gives t. */
static inline uint64_t ns_from_ticks(uint64_t t, uint32_t f)
{
    return t / f * NS_PER_S + (t % f * NS_PER_S + f - 1) / f;
}

#endif
