#include "hw/port80.h"

#include <stdlib.h>

#include "hw/alloc.h"

struct Port80 {
    uint8_t latch[16];
};

static uint32_t p80_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return ((Port80 *)opaque)->latch[port & 15];
}

static void p80_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    ((Port80 *)opaque)->latch[port & 15] = (uint8_t)value;
}

static void p80_reset(void *dev)
{
    *(Port80 *)dev = (Port80){ 0 };
}

uint8_t port80_code(const Port80 *p)
{
    return p->latch[0];
}

static const Field p80_fields[] = { FIELD(Port80, latch), FIELD_END };
static const DeviceClass p80_class = { .name = "port80", .version = 1, .fields = p80_fields, .reset = p80_reset };

Port80 *port80_new(Machine *m)
{
    static const IoPortOps ops = { p80_read, p80_write, 1 };
    static const struct {
        uint8_t base, count;
    } at[] = { { 0x80, 1 }, { 0x84, 3 }, { 0x88, 1 }, { 0x8c, 3 } };
    Port80 *p = hw_alloc(sizeof *p);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) ioports_map(machine_io(m), at[i].base, at[i].count, &ops, p);
    machine_add_device(m, &p80_class, p);
    return p;
}

void port80_free(Port80 *p)
{
    free(p);
}
