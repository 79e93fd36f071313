/* 82371SB data sheet, NMISC register. */
#include "hw/port61.h"

#include <stdlib.h>

#include "hw/alloc.h"

enum {
    GATE2 = 1,
    SPEAKER = 2,
    SERR_DISABLE = 4,
    IOCHK_DISABLE = 8,
    REFRESH = 0x10,
    OUT2 = 0x20,
    WRITABLE = GATE2 | SPEAKER | SERR_DISABLE | IOCHK_DISABLE,
};
/* DRAM refresh: one request every 18 counts of the 1.19 MHz clock; guests time short delays by its toggle. */
#define REFRESH_NS 15086u

struct Port61 {
    Machine *machine;
    I8254 *pit;
    uint8_t control;
};

static uint32_t p61_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    Port61 *p = opaque;
    uint32_t v = p->control;
    if (clock_now(p->machine) / REFRESH_NS & 1) v |= REFRESH;
    if (i8254_out(p->pit, 2)) v |= OUT2;
    return v;
}

static void p61_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    Port61 *p = opaque;
    p->control = value & WRITABLE;
    i8254_set_gate(p->pit, 2, value & GATE2);
}

static void p61_reset(void *dev)
{
    p61_write(dev, 0x61, 0, 1);
}

static const Field p61_fields[] = { FIELD(Port61, control), FIELD_END };
static const DeviceClass p61_class = { .name = "port61", .version = 1, .fields = p61_fields, .reset = p61_reset };

Port61 *port61_new(Machine *m, I8254 *pit)
{
    static const IoPortOps ops = { p61_read, p61_write, 1 };
    Port61 *p = hw_alloc(sizeof *p);
    p->machine = m;
    p->pit = pit;
    ioports_map(machine_io(m), 0x61, 1, &ops, p);
    machine_add_device(m, &p61_class, p);
    return p;
}

void port61_free(Port61 *p)
{
    free(p);
}
