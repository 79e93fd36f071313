/* The 8254 interval timer: three 16-bit counters at 1.193182 MHz.  Channel 0's OUT is IRQ 0, channel 1
 * was the refresh clock, channel 2 is the speaker's (gate and output at port 61h). */
#ifndef CALQUE_HW_I8254_H
#define CALQUE_HW_I8254_H

#include "hw/machine.h"
#include "hw/speaker.h"

#define I8254_HZ 1193182u
/* Ticks of channel 0's periodic modes that the machine could not deliver in time (the host was busy, or
 * the guest had not acknowledged the last one) are made up for later, four times as fast as they would
 * come by themselves; but no more than fit into this time: after a longer gap the guest's clock is
 * behind, as if the machine had been stopped. */
#define I8254_CATCH_UP_NS 500000000u

typedef struct I8254 I8254;
I8254 *i8254_new(Machine *m, IrqLine irq0);
void i8254_free(I8254 *pit);
/* IRQ 0 has been acknowledged: the next undelivered tick may come. */
void i8254_irq_acked(I8254 *pit);
/* Says whether IRQ 0 is masked at the controller; then no ticks are saved up.  NULL: never. */
void i8254_set_masked(I8254 *pit, bool (*masked)(void *opaque), void *opaque);
void i8254_set_gate(I8254 *pit, unsigned channel, bool level);
bool i8254_out(I8254 *pit, unsigned channel); /* OUT now */
/* What OUT of channel 2 does from now on, if nobody programs it. */
SpeakerWave i8254_wave(I8254 *pit);
/* Called when the guest has programmed channel 2; the gate is its caller's own doing. */
void i8254_on_program(I8254 *pit, void (*fn)(void *opaque), void *opaque);

#endif
