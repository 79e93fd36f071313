/* The coprocessor error interrupt of the AT: FERR# latched onto IRQ 13, cleared by a write to port f0h. */
#ifndef CALQUE_HW_FPU_IRQ13_H
#define CALQUE_HW_FPU_IRQ13_H

#include "hw/machine.h"

typedef struct FpuIrq13 FpuIrq13;
FpuIrq13 *fpu_irq13_new(Machine *m, IrqLine irq13);
void fpu_irq13_free(FpuIrq13 *f);
void fpu_irq13_ferr(FpuIrq13 *f, bool level); /* FERR# */

#endif
