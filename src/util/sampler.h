/* Where a thread is, looked at again and again: a timer's signal (SIGPROF) interrupts it. */
#ifndef CALQUE_UTIL_SAMPLER_H
#define CALQUE_UTIL_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct Sampler {
    /* Called in the signal handler, so it may do only what handlers may.  pc: what was interrupted; NULL where that is not known
     * how to find out. */
    void (*fn)(void *opaque, const void *pc);
    void *opaque;
    timer_t timer;
    bool running;
} Sampler;

/* Of the thread that calls, every so many nanoseconds of a clock: CLOCK_MONOTONIC, or CLOCK_THREAD_CPUTIME_ID for those that it
 * runs (rounded up to the kernel's tick).  fn and opaque are set.  False: the host has no such timers. */
bool sampler_start(Sampler *s, clockid_t clock, uint64_t interval_ns);
void sampler_stop(Sampler *s);

#endif
