/* Time by instruction count (-icount): virtual time is the number of guest instructions run, times 2^shift ns, plus what
 * the machine leapt over while the processor was halted.  So nothing in it depends on the host, and two runs with the same
 * input are the same to the last instruction (doc/icount.txt).  Machine thread only. */
#ifndef CALQUE_HW_ICOUNT_H
#define CALQUE_HW_ICOUNT_H

#include "hw/config.h"
#include "hw/machine.h"

typedef struct Icount Icount;
Icount *icount_new(Machine *m, const IcountConfig *cfg); /* gives the CPU its random numbers, too */
void icount_free(Icount *ic);                            /* what icount_later() still holds is forgotten */

uint64_t icount_now(void *icount); /* ns, for a ClockSource */
/* Instructions that may run before virtual time reaches the deadline. */
uint64_t icount_until(const Icount *ic, uint64_t deadline);
/* The host is to be waited for while the processor is halted. */
bool icount_sleeps(const Icount *ic);
void icount_skip(Icount *ic, uint64_t ns);

/* fn(opaque) runs on the machine thread a fixed virtual time from now, in order of calling. */
void icount_later(Icount *ic, void (*fn)(void *opaque), void *opaque);

#endif
