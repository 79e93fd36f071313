/* The two 8259A interrupt controllers of a PC, cascaded on IR2, with the PIIX's edge/level registers. */
#ifndef CALQUE_HW_I8259_H
#define CALQUE_HW_I8259_H

#include "hw/machine.h"

typedef struct I8259 I8259;
/* intr: the master's INT output.  Ports 20h, 21h, a0h, a1h, 4d0h, 4d1h. */
I8259 *i8259_new(Machine *m, IrqLine intr);
void i8259_free(I8259 *pic);
/* Input n (0..15; 2 is the cascade and goes nowhere). */
IrqLine i8259_irq(I8259 *pic, int n);
/* The interrupt acknowledge cycles: the vector.  A request that is gone gives vector 7 or 15 of its
 * chip (spurious). */
int i8259_ack(I8259 *pic);
/* True when the guest has masked input n, at its own chip or the cascade. */
bool i8259_masked(const I8259 *pic, int n);
/* fn(opaque, n) after input n has been acknowledged. */
void i8259_on_ack(I8259 *pic, void (*fn)(void *opaque, int n), void *opaque);

#endif
