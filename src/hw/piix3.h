/* The ISA bridge, 82371SB (PIIX3): routes PCI interrupts PIRQA-D to ISA interrupt lines. */
#ifndef CALQUE_HW_PIIX3_H
#define CALQUE_HW_PIIX3_H

#include "hw/pci.h"

enum { PIIX3_SLOT = 1 };

typedef struct Piix3 Piix3;
/* isa_irq: 16 lines, each of which PIRQs may share with whatever else drives it. */
Piix3 *piix3_new(Machine *m, PciBus *bus, const IrqLine isa_irq[16]);
void piix3_free(Piix3 *p);

#endif
