/* The host's time in nanoseconds, which fit 64 bits for 584 years. */
#ifndef CALQUE_UTIL_HOST_TIME_H
#define CALQUE_UTIL_HOST_TIME_H

#include <stdint.h>
#include <time.h>

uint64_t host_ns(void);                  /* of CLOCK_MONOTONIC: since the host's start, never back */
uint64_t host_clock_ns(clockid_t clock); /* of another clock; 0: there is none such */
struct timespec host_timespec(uint64_t ns);

#endif
