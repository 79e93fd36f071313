/* The 16550A UART: a serial port of a PC. */
#ifndef CALQUE_HW_I16550_H
#define CALQUE_HW_I16550_H

#include "hw/chardev.h"
#include "hw/machine.h"

typedef struct I16550 I16550;
/* Eight ports from base.  cd NULL: a port with no cable in it. */
I16550 *i16550_new(Machine *m, uint16_t base, IrqLine irq, CharDev *cd);
void i16550_free(I16550 *u);

#endif
