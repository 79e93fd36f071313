/* The PIIX4's SMBus host controller.  No device hangs on the bus, so every address goes unanswered, which is what
 * drivers that look for sensors and memory modules need to be told. */
#ifndef CALQUE_HW_SMBUS_H
#define CALQUE_HW_SMBUS_H

#include "hw/machine.h"

typedef struct Smbus Smbus;
Smbus *smbus_new(Machine *m, IrqLine irq);
void smbus_free(Smbus *s);
/* 16 ports at base, or nowhere. */
void smbus_set_base(Smbus *s, uint16_t base, bool enabled);

#endif
