/* Intel 82093AA data sheet (290566), with the EOI register that later I/O APICs of version 20h have. */
#include "hw/ioapic.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "util/log.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40, WINDOW = 0x1000 };
enum { REG_ID, REG_VERSION, REG_ARBITRATION, REG_REDIRECTION = 0x10 };
enum { VERSION = 0x20 | (IOAPIC_PINS - 1) << 16 };

/* Redirection table entry, low half; the high half has the destination in its upper byte. */
enum {
    RTE_VECTOR = 0xff,
    RTE_MODE_SHIFT = 8,
    RTE_LOGICAL = 1 << 11,
    RTE_ACTIVE_LOW = 1 << 13,
    RTE_REMOTE_IRR = 1 << 14,
    RTE_LEVEL = 1 << 15,
    RTE_MASKED = 1 << 16,
    RTE_WRITABLE = 0x1afff,
};

struct Ioapic {
    Lapic *lapic;
    uint8_t select, id, arbitration;
    uint32_t low[IOAPIC_PINS], high[IOAPIC_PINS];
    uint32_t level;                  /* bit n: the wire of pin n is high */
    uint64_t irq_count[IOAPIC_PINS]; /* messages that were taken, for `info irq` */
};

static unsigned mode(uint32_t rte)
{
    return rte >> RTE_MODE_SHIFT & 7;
}
static bool active(const Ioapic *io, unsigned n)
{
    return (io->level >> n & 1) != ((io->low[n] & RTE_ACTIVE_LOW) != 0);
}

/* SMI, NMI, INIT and ExtINT are edges whatever the trigger mode bit says. */
static bool is_level(uint32_t rte)
{
    return (rte & RTE_LEVEL) && mode(rte) <= APIC_LOWEST_PRIORITY;
}

static bool send(Ioapic *io, unsigned n)
{
    uint32_t rte = io->low[n];
    ApicMessage msg = { .destination = (uint8_t)(io->high[n] >> 24),
                        .logical = rte & RTE_LOGICAL,
                        .mode = (uint8_t)mode(rte),
                        .vector = rte & RTE_VECTOR,
                        .level = is_level(rte) };
    if (io->lapic && lapic_receive(io->lapic, &msg)) {
        io->irq_count[n]++;
        return true;
    }
    if (log_on(LOG_GUEST_ERRORS)) log_printf("ioapic: nobody takes pin %u's %08x %08x\n", n, io->high[n], rte);
    return false;
}

/* A level-triggered pin: one message, and the next after its EOI. */
static void service_level(Ioapic *io, unsigned n)
{
    uint32_t rte = io->low[n];
    if (!is_level(rte) || (rte & (RTE_MASKED | RTE_REMOTE_IRR)) || !active(io, n)) return;
    io->low[n] |= RTE_REMOTE_IRR; /* first: taking it may change the pin */
    if (!send(io, n)) io->low[n] &= ~(uint32_t)RTE_REMOTE_IRR;
}

/* Edges while masked are lost ("it is the software's responsibility", 3.2.4). */
static void pin_set(void *opaque, int pin, bool level)
{
    Ioapic *io = opaque;
    unsigned n = (unsigned)pin;
    if ((io->level >> n & 1) == level) return;
    io->level ^= 1u << n;
    if (is_level(io->low[n]))
        service_level(io, n);
    else if (active(io, n) && !(io->low[n] & RTE_MASKED))
        send(io, n);
}

IrqLine ioapic_pin(Ioapic *io, int pin)
{
    if (pin < 0 || pin >= IOAPIC_PINS) return (IrqLine){ 0 };
    return (IrqLine){ .set = pin_set, .opaque = io, .n = pin };
}

int ioapic_pin_vector(const Ioapic *io, int pin)
{
    uint32_t rte = io->low[pin];
    return rte & RTE_MASKED ? -1 : (int)(rte & RTE_VECTOR);
}

void ioapic_eoi(Ioapic *io, uint8_t vector)
{
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        if ((io->low[n] & RTE_VECTOR) != vector || !(io->low[n] & RTE_REMOTE_IRR)) continue;
        io->low[n] &= ~(uint32_t)RTE_REMOTE_IRR;
        service_level(io, n);
    }
}

/* --- registers ------------------------------------------------------------------------------------------- */

static uint32_t read_register(const Ioapic *io)
{
    unsigned n = (io->select - (unsigned)REG_REDIRECTION) / 2;
    switch (io->select) {
    case REG_ID: return (uint32_t)io->id << 24;
    case REG_VERSION: return VERSION;
    case REG_ARBITRATION: return (uint32_t)io->arbitration << 24;
    }
    if (io->select < REG_REDIRECTION || n >= IOAPIC_PINS) return 0;
    return io->select & 1 ? io->high[n] : io->low[n];
}

static void write_redirection(Ioapic *io, unsigned n, uint32_t v)
{
    uint32_t remote_irr = io->low[n] & RTE_REMOTE_IRR;
    io->low[n] = v & RTE_WRITABLE;
    /* Going to edge and back is how systems clear a Remote IRR whose EOI got lost. */
    if (is_level(v)) io->low[n] |= remote_irr;
    service_level(io, n);
}

static void write_register(Ioapic *io, uint32_t v)
{
    unsigned n = (io->select - (unsigned)REG_REDIRECTION) / 2;
    if (io->select == REG_ID) {
        io->id = io->arbitration = v >> 24 & 0xf;
    } else if (io->select >= REG_REDIRECTION && n < IOAPIC_PINS) {
        if (io->select & 1)
            io->high[n] = v & 0xff000000;
        else
            write_redirection(io, n, v);
    }
}

static uint64_t ioapic_read(void *opaque, PhysAddr offset, unsigned size)
{
    Ioapic *io = opaque;
    if (offset == IOREGSEL) return io->select;
    return offset == IOWIN && size >= 4 ? read_register(io) : 0;
}

static void ioapic_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    Ioapic *io = opaque;
    if (offset == IOREGSEL)
        io->select = (uint8_t)value;
    else if (offset == IOWIN && size >= 4)
        write_register(io, (uint32_t)value);
    else if (offset == IOEOI)
        ioapic_eoi(io, (uint8_t)value);
}

static const Field ioapic_fields[] = {
    FIELD(Ioapic, select), FIELD(Ioapic, id),    FIELD(Ioapic, arbitration), FIELD(Ioapic, low),
    FIELD(Ioapic, high),   FIELD(Ioapic, level), FIELD(Ioapic, irq_count),   FIELD_END,
};

/* The wires keep the levels that their devices drive. */
static void ioapic_reset(void *dev)
{
    Ioapic *io = dev;
    io->select = 0;
    io->id = io->arbitration = IOAPIC_ID;
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        io->low[n] = RTE_MASKED;
        io->high[n] = 0;
    }
}

static const DeviceClass ioapic_class = {
    .name = "ioapic", .version = 1, .fields = ioapic_fields, .reset = ioapic_reset
};

Ioapic *ioapic_new(Machine *m, Lapic *lapic)
{
    static const MmioOps ops = { ioapic_read, ioapic_write };
    Ioapic *io = hw_alloc(sizeof *io);
    io->lapic = lapic;
    if (!phys_add_mmio(machine_phys(m), "ioapic", IOAPIC_BASE, WINDOW, 2, &ops, io)) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    ioapic_reset(io);
    machine_add_device(m, &ioapic_class, io);
    return io;
}

void ioapic_free(Ioapic *io)
{
    free(io);
}
