#include "util/host_time.h"

#define NS_PER_S UINT64_C(1000000000)

uint64_t host_clock_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t host_ns(void)
{
    return host_clock_ns(CLOCK_MONOTONIC);
}

struct timespec host_timespec(uint64_t ns)
{
    return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S) };
}
