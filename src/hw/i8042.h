/* The keyboard controller, ports 60h and 64h, with its keyboard and mouse. */
#ifndef CALQUE_HW_I8042_H
#define CALQUE_HW_I8042_H

#include "hw/input.h"
#include "hw/machine.h"

typedef struct I8042 I8042;
typedef struct I8042Lines {
    IrqLine irq1, irq12;
    IrqLine a20; /* P21 */
} I8042Lines;
I8042 *i8042_new(Machine *m, I8042Lines lines);
void i8042_free(I8042 *k);
/* The user's keyboard and (relative) pointer. */
void i8042_attach_input(I8042 *k, Input *in);
/* The mouse interrupts although it has not moved: the guest's driver then asks the absolute pointer (vmmouse.h). */
void i8042_nudge_mouse(I8042 *k);

#endif
