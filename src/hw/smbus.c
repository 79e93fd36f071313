/* 82371AB data sheet, chapter 7.3: SMBus I/O registers. */
#include "hw/smbus.h"

#include <string.h>

#include "hw/alloc.h"

enum { PORTS = 16, HSTSTS = 0, SLVSTS = 1, HSTCNT = 2, REGISTERS = 14, BLKDAT = 7, BLOCK = 32 };
enum { STS_INTR = 2, STS_DEV_ERR = 4, STS_BUS_COLLISION = 8, STS_FAILED = 16 };
enum { STS_CLEARABLE = STS_INTR | STS_DEV_ERR | STS_BUS_COLLISION | STS_FAILED };
enum { CNT_INTREN = 1, CNT_KILL = 2, CNT_START = 0x40 };

struct Smbus {
    Machine *machine;
    IrqLine irq;
    uint8_t reg[PORTS], block[BLOCK], block_index;
    uint16_t base;
    bool mapped;
};

static void update(Smbus *s)
{
    irq_set(&s->irq, (s->reg[HSTCNT] & CNT_INTREN) && (s->reg[HSTSTS] & STS_CLEARABLE));
}

static uint32_t bus_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    Smbus *s = opaque;
    unsigned at = port & (PORTS - 1);
    if (at == HSTCNT) s->block_index = 0; /* reading it resets the block pointer */
    if (at != BLKDAT) return s->reg[at];
    uint8_t v = s->block[s->block_index];
    s->block_index = (uint8_t)((s->block_index + 1) % BLOCK);
    return v;
}

static void start(Smbus *s)
{
    s->reg[HSTSTS] |= STS_DEV_ERR; /* nobody acknowledges the address */
}

static void bus_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    Smbus *s = opaque;
    unsigned at = port & (PORTS - 1);
    uint8_t v = (uint8_t)value;
    switch (at) {
    case HSTSTS: s->reg[at] &= (uint8_t) ~(v & STS_CLEARABLE); break;
    case SLVSTS: s->reg[at] &= (uint8_t)~v; break;
    case HSTCNT:
        s->reg[at] = v & (uint8_t)~CNT_START;
        if (v & CNT_KILL)
            s->reg[HSTSTS] |= STS_FAILED;
        else if (v & CNT_START)
            start(s);
        break;
    case BLKDAT:
        s->block[s->block_index] = v;
        s->block_index = (uint8_t)((s->block_index + 1) % BLOCK);
        break;
    default:
        if (at < REGISTERS) s->reg[at] = v;
    }
    update(s);
}

void smbus_set_base(Smbus *s, uint16_t base, bool enabled)
{
    static const IoPortOps ops = { bus_read, bus_write, 1 };
    IoPorts *io = machine_io(s->machine);
    base &= (uint16_t) ~(PORTS - 1);
    if (!base) enabled = false;
    if (enabled == s->mapped && (!enabled || base == s->base)) return;
    if (s->mapped) ioports_overlay(io, s->base, PORTS, NULL, s);
    if (enabled) ioports_overlay(io, base, PORTS, &ops, s);
    s->mapped = enabled;
    s->base = base;
}

static const Field smbus_fields[] = {
    FIELD(Smbus, reg),  FIELD(Smbus, block),  FIELD(Smbus, block_index),
    FIELD(Smbus, base), FIELD(Smbus, mapped), FIELD_END,
};

static void smbus_reset(void *dev)
{
    Smbus *s = dev;
    memset(s->reg, 0, sizeof s->reg);
    s->block_index = 0;
    update(s);
}

static const DeviceClass smbus_class = { .name = "smbus", .version = 1, .fields = smbus_fields, .reset = smbus_reset };

Smbus *smbus_new(Machine *m, IrqLine irq)
{
    Smbus *s = hw_alloc(sizeof *s);
    s->machine = m;
    s->irq = irq;
    machine_add_device(m, &smbus_class, s);
    return s;
}

void smbus_free(Smbus *s)
{
    free(s);
}
