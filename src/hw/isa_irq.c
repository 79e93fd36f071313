#include "hw/isa_irq.h"

/* Who drives IRQ n now. */
static bool level_of(const IsaIrqs *irqs, int n)
{
    if (irqs->legacy_replacement && (n == 0 || n == 8)) return irqs->hpet[n / 8];
    return irqs->device[n];
}

static void show(IsaIrqs *irqs, int n)
{
    bool level = level_of(irqs, n);
    irq_set(&irqs->pic[n], level);
    irq_set(&irqs->ioapic[n], level);
}

static void device_set(void *opaque, int n, bool level)
{
    IsaIrqs *irqs = opaque;
    irqs->device[n] = level;
    show(irqs, n);
}

static void hpet_set(void *opaque, int n, bool level)
{
    IsaIrqs *irqs = opaque;
    irqs->hpet[n] = level;
    if (irqs->legacy_replacement) show(irqs, n * 8);
}

static void replacement_set(void *opaque, int n, bool level)
{
    (void)n;
    IsaIrqs *irqs = opaque;
    irqs->legacy_replacement = level;
    show(irqs, 0);
    show(irqs, 8);
}

IrqLine isa_irq(IsaIrqs *irqs, int n)
{
    return (IrqLine){ .set = device_set, .opaque = irqs, .n = n & (ISA_IRQS - 1) };
}

IrqLine isa_irq_hpet(IsaIrqs *irqs, int n)
{
    return (IrqLine){ .set = hpet_set, .opaque = irqs, .n = n & 1 };
}

IrqLine isa_irq_legacy_replacement(IsaIrqs *irqs)
{
    return (IrqLine){ .set = replacement_set, .opaque = irqs };
}

void isa_irqs_init(IsaIrqs *irqs, I8259 *pic, Ioapic *ioapic)
{
    enum { CASCADE = 2 };
    *irqs = (IsaIrqs){ 0 };
    for (int n = 0; n < ISA_IRQS; n++) {
        if (n == CASCADE) continue;
        irqs->pic[n] = i8259_irq(pic, n);
        if (ioapic) irqs->ioapic[n] = ioapic_pin(ioapic, n ? n : ISA_IRQ0_PIN);
    }
}
