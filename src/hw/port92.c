/* 82371SB data sheet, "P92: Port 92 register". */
#include "hw/port92.h"

#include <stdlib.h>

#include "hw/alloc.h"

enum { FAST_INIT = 1, FAST_A20 = 2 };

struct Port92 {
    Machine *machine;
    IrqLine a20;
    uint8_t value;
};

static uint32_t p92_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    return ((Port92 *)opaque)->value;
}

static void p92_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    Port92 *p = opaque;
    bool rising = (value & FAST_INIT) && !(p->value & FAST_INIT);
    p->value = value & (FAST_INIT | FAST_A20);
    irq_set(&p->a20, p->value & FAST_A20);
    if (rising) machine_request(p->machine, MACHINE_RESET, 0);
}

static void p92_reset(void *dev)
{
    Port92 *p = dev;
    p->value = 0;
    irq_set(&p->a20, false);
}

static const Field p92_fields[] = { FIELD(Port92, value), FIELD_END };
static const DeviceClass p92_class = { .name = "port92", .version = 1, .fields = p92_fields, .reset = p92_reset };

Port92 *port92_new(Machine *m, IrqLine a20)
{
    static const IoPortOps ops = { p92_read, p92_write, 1 };
    Port92 *p = hw_alloc(sizeof *p);
    p->machine = m;
    p->a20 = a20;
    ioports_map(machine_io(m), 0x92, 1, &ops, p);
    machine_add_device(m, &p92_class, p);
    return p;
}

void port92_free(Port92 *p)
{
    free(p);
}
