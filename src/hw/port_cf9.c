/* 82371SB data sheet, "RC: Reset control register". */
#include "hw/port_cf9.h"

#include <stdlib.h>

#include "hw/alloc.h"

enum { SYSTEM_RESET = 2, RESET_CPU = 4 };

struct PortCf9 {
    Machine *machine;
    uint8_t value;
};

static uint32_t cf9_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    return ((PortCf9 *)opaque)->value;
}

static void cf9_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    PortCf9 *p = opaque;
    bool rising = (value & RESET_CPU) && !(p->value & RESET_CPU);
    p->value = value & (SYSTEM_RESET | RESET_CPU);
    if (rising) machine_request(p->machine, MACHINE_RESET, 0); /* a soft reset resets all as well */
}

static void cf9_reset(void *dev)
{
    ((PortCf9 *)dev)->value = 0;
}

static const Field cf9_fields[] = { FIELD(PortCf9, value), FIELD_END };
static const DeviceClass cf9_class = { .name = "port_cf9", .version = 1, .fields = cf9_fields, .reset = cf9_reset };

PortCf9 *port_cf9_new(Machine *m)
{
    static const IoPortOps ops = { cf9_read, cf9_write, 1 };
    PortCf9 *p = hw_alloc(sizeof *p);
    p->machine = m;
    ioports_map(machine_io(m), PORT_CF9, 1, &ops, p);
    machine_add_device(m, &cf9_class, p);
    return p;
}

void port_cf9_free(PortCf9 *p)
{
    free(p);
}
