/* Several sources on one line: high while any is. */
#ifndef CALQUE_HW_IRQ_OR_H
#define CALQUE_HW_IRQ_OR_H

#include "hw/machine.h"

typedef struct IrqOr {
    IrqLine out;
    uint32_t levels; /* bit n: source n */
} IrqOr;

static inline void irq_or_set(void *opaque, int n, bool level)
{
    IrqOr *o = opaque;
    o->levels = level ? o->levels | 1u << n : o->levels & ~(1u << n);
    irq_set(&o->out, o->levels != 0);
}
/* n: 0..31 */
static inline IrqLine irq_or_input(IrqOr *o, int n)
{
    return (IrqLine){ .set = irq_or_set, .opaque = o, .n = n };
}

#endif
