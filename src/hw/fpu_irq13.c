/* 82371SB data sheet, "Coprocessor error register". */
#include "hw/fpu_irq13.h"

#include <stdlib.h>

#include "hw/alloc.h"

struct FpuIrq13 {
    IrqLine irq13;
    bool ferr, latched;
};

void fpu_irq13_ferr(FpuIrq13 *f, bool level)
{
    if (level && !f->ferr) f->latched = true;
    f->ferr = level;
    irq_set(&f->irq13, f->latched);
}

/* f0h clears the latch; f1h reset the 80287 and does nothing since. */
static void f0_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)value, (void)size;
    FpuIrq13 *f = opaque;
    if (port != 0xf0) return;
    f->latched = false;
    irq_set(&f->irq13, false);
}

static uint32_t f0_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0xff;
}

static void f0_reset(void *dev)
{
    FpuIrq13 *f = dev;
    f->ferr = f->latched = false;
    irq_set(&f->irq13, false);
}

static const Field f0_fields[] = { FIELD(FpuIrq13, ferr), FIELD(FpuIrq13, latched), FIELD_END };
static const DeviceClass f0_class = { .name = "fpu_irq13", .version = 1, .fields = f0_fields, .reset = f0_reset };

FpuIrq13 *fpu_irq13_new(Machine *m, IrqLine irq13)
{
    static const IoPortOps ops = { f0_read, f0_write, 1 };
    FpuIrq13 *f = hw_alloc(sizeof *f);
    f->irq13 = irq13;
    ioports_map(machine_io(m), 0xf0, 2, &ops, f);
    machine_add_device(m, &f0_class, f);
    return f;
}

void fpu_irq13_free(FpuIrq13 *f)
{
    free(f);
}
