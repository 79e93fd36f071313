/* The ISA interrupt lines: each goes to an input of the 8259s and to a pin of the I/O APIC, the same number
 * but for IRQ 0, which is on pin 2 (the MADT says so; pin 0 has the 8259s' INTR).  In the HPET's legacy
 * replacement mode its timers 0 and 1 take the places of the PIT on IRQ 0 and of the RTC on IRQ 8. */
#ifndef CALQUE_HW_ISA_IRQ_H
#define CALQUE_HW_ISA_IRQ_H

#include "hw/i8259.h"
#include "hw/ioapic.h"

enum { ISA_IRQS = 16, ISA_IRQ0_PIN = 2 };

typedef struct IsaIrqs {
    IrqLine pic[ISA_IRQS], ioapic[ISA_IRQS];
    bool legacy_replacement;
    bool device[ISA_IRQS]; /* levels as the devices drive them ... */
    bool hpet[2];          /* ... and the HPET's timers 0 and 1 */
} IsaIrqs;

/* irqs must stay where it is.  ioapic may be NULL. */
void isa_irqs_init(IsaIrqs *irqs, I8259 *pic, Ioapic *ioapic);
/* The line that a device drives, 0..15. */
IrqLine isa_irq(IsaIrqs *irqs, int n);
/* The HPET's lines in its legacy replacement mode: n 0 for IRQ 0, 1 for IRQ 8; and the mode itself. */
IrqLine isa_irq_hpet(IsaIrqs *irqs, int n);
IrqLine isa_irq_legacy_replacement(IsaIrqs *irqs);

#endif
