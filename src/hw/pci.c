/* PCI Local Bus Specification 2.1, chapters 3 and 6.  Memory windows lie below everything else in the physical
 * map: the host bridge claims RAM and ROM for itself and only forwards the rest. */
#include "hw/pci.h"

#include <string.h>

#include "hw/alloc.h"

enum { DEVFNS = 256, PIRQS = 4, WINDOW_PRIORITY = -1 };
enum { STATUS_INTX = 0x08 };
/* Bits of a base address register that are not address. */
enum { BAR_IO = 1, BAR_PREFETCHABLE = 8, BAR_IO_FLAGS = 3, BAR_MEMORY_FLAGS = 0xf, ROM_ENABLE = 1 };

struct PciBus {
    Machine *machine;
    PciDevice *device[DEVFNS];
    int pirq_count[PIRQS]; /* devices that pull the line */
    void (*pirq_set)(void *opaque, int pirq, bool level);
    void *pirq_opaque;
};

void pci_put16(PciDevice *d, unsigned at, uint32_t v)
{
    put_le16(d->config + at, v);
}

void pci_put32(PciDevice *d, unsigned at, uint32_t v)
{
    put_le32(d->config + at, v);
}

static void set_writable(PciDevice *d, unsigned at, unsigned size, uint32_t mask)
{
    for (unsigned i = 0; i < size; i++) d->writable[at + i] = (uint8_t)(mask >> 8 * i);
}

Machine *pci_machine(const PciBus *bus)
{
    return bus->machine;
}

PciDevice *pci_device(PciBus *bus, unsigned devfn)
{
    return devfn < DEVFNS ? bus->device[devfn] : NULL;
}

/* --- windows -------------------------------------------------------------------------------------------- */

static unsigned bar_at(unsigned n)
{
    return n == PCI_ROM_SLOT ? PCI_ROM_BAR : PCI_BAR0 + 4 * n;
}

/* Where the registers put window n; false: nowhere.  Zero and all ones (a guest that asks for the size) are no
 * addresses. */
static bool window_place(const PciDevice *d, unsigned n, uint32_t *base)
{
    const PciWindow *w = &d->window[n];
    uint32_t bar = pci_get32(d, bar_at(n)), command = d->config[PCI_COMMAND];
    if (!w->size || !(command & (w->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) return false;
    if (n == PCI_ROM_SLOT && !(bar & ROM_ENABLE)) return false;
    *base = bar & ~(w->size - 1);
    if (*base == 0) return false;
    uint32_t last = *base + (w->size - 1);
    return w->io ? last <= 0xffff : last != UINT32_MAX;
}

static void io_map(PciBus *bus, const PciWindow *w, const IoPortOps *ops)
{
    ioports_overlay(machine_io(bus->machine), (uint16_t)w->base, w->size, ops, w->opaque);
}

/* Windows that lay under one which has gone show again. */
static void io_remap_all(PciBus *bus)
{
    for (unsigned i = 0; i < DEVFNS; i++)
        for (unsigned n = 0; bus->device[i] && n < PCI_WINDOWS; n++) {
            const PciWindow *w = &bus->device[i]->window[n];
            if (w->io && w->mapped) io_map(bus, w, w->io_ops);
        }
}

static void window_update(PciDevice *d, unsigned n)
{
    PciWindow *w = &d->window[n];
    uint32_t base = 0;
    bool mapped = window_place(d, n, &base);
    if (mapped == w->mapped && (!mapped || base == w->base)) return;
    bool was_mapped = w->mapped;
    w->mapped = mapped;
    if (!w->io) {
        w->base = base;
        phys_region_set(w->region, base, mapped, n == PCI_ROM_SLOT);
        return;
    }
    if (was_mapped) io_map(d->bus, w, NULL);
    w->base = base;
    io_remap_all(d->bus);
}

static void update_windows(PciDevice *d)
{
    for (unsigned n = 0; n < PCI_WINDOWS; n++)
        if (d->window[n].size) window_update(d, n);
}

static PciWindow *window_init(PciDevice *d, unsigned n, uint32_t size, uint32_t flags)
{
    PciWindow *w = &d->window[n];
    w->size = size;
    w->io = n != PCI_ROM_SLOT && (flags & BAR_IO);
    pci_put32(d, bar_at(n), flags);
    set_writable(d, bar_at(n), 4, ~(size - 1) | (n == PCI_ROM_SLOT ? ROM_ENABLE : 0));
    return w;
}

static uint32_t bar_flags(const PciDevice *d, unsigned n)
{
    if (n == PCI_ROM_SLOT) return 0;
    return d->config[bar_at(n)] & (d->window[n].io ? BAR_IO_FLAGS : BAR_MEMORY_FLAGS);
}

void pci_add_ports(PciDevice *d, unsigned n, uint32_t size, const IoPortOps *ops, void *opaque)
{
    PciWindow *w = window_init(d, n, size, BAR_IO);
    w->io_ops = ops;
    w->opaque = opaque;
}

static PhysRegion *need_region(PhysRegion *r)
{
    if (!r) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    phys_region_set(r, 0, false, false);
    return r;
}

void pci_add_mmio(PciDevice *d, unsigned n, uint32_t size, const MmioOps *ops, void *opaque)
{
    PhysMem *phys = machine_phys(d->bus->machine);
    /* Made outside of what the CPU can reach, then switched off: nothing else is disturbed. */
    window_init(d, n, size, 0)->region =
        need_region(phys_add_mmio(phys, d->name, PHYS_SPARE, size, WINDOW_PRIORITY, ops, opaque));
}

uint8_t *pci_add_ram(PciDevice *d, unsigned n, uint32_t size, bool prefetchable)
{
    PhysMem *phys = machine_phys(d->bus->machine);
    PhysRegion *r = need_region(phys_add_ram(phys, d->name, PHYS_SPARE, size, WINDOW_PRIORITY));
    window_init(d, n, size, prefetchable ? BAR_PREFETCHABLE : 0)->region = r;
    return phys_region_host(r);
}

PhysRegion *pci_window_region(PciDevice *d, unsigned n)
{
    return d->window[n].region;
}

void pci_add_rom(PciDevice *d, const void *data, size_t len)
{
    enum { ROM_MIN = 2048, ROM_MAX = 1 << 24 };
    uint32_t size = PAGE_SIZE;
    if (len > ROM_MAX) len = ROM_MAX;
    while (size < len) size *= 2;
    PhysMem *phys = machine_phys(d->bus->machine);
    PhysRegion *r = need_region(phys_add_rom(phys, "pci-rom", PHYS_SPARE, size, WINDOW_PRIORITY));
    memcpy(phys_region_host(r), data, len);
    window_init(d, PCI_ROM_SLOT, size, 0)->region = r;
}

/* --- interrupts ------------------------------------------------------------------------------------------ */

/* INTA of slot 1 is PIRQA, of slot 2 PIRQB, ...; the other pins follow on in turn. */
static int pirq_of(const PciDevice *d)
{
    unsigned pin = d->config[PCI_INTERRUPT_PIN], slot = d->devfn >> 3;
    return (int)((pin - 1 + slot - 1) & (PIRQS - 1));
}

static void pirq_pull(PciDevice *d, bool on)
{
    PciBus *bus = d->bus;
    int pirq = pirq_of(d), before = bus->pirq_count[pirq];
    bus->pirq_count[pirq] += on ? 1 : -1;
    if ((before != 0) != (bus->pirq_count[pirq] != 0) && bus->pirq_set) bus->pirq_set(bus->pirq_opaque, pirq, on);
}

static bool intx_off(const PciDevice *d)
{
    return pci_get16(d, PCI_COMMAND) & PCI_COMMAND_INTX_OFF;
}

void pci_set_irq(PciDevice *d, bool level)
{
    if (d->irq_level == level || !d->config[PCI_INTERRUPT_PIN]) return;
    d->irq_level = level;
    d->config[PCI_STATUS] = (uint8_t)((d->config[PCI_STATUS] & ~STATUS_INTX) | (level ? STATUS_INTX : 0));
    if (!intx_off(d)) pirq_pull(d, level);
}

static void irq_line_set(void *opaque, int n, bool level)
{
    (void)n;
    pci_set_irq(opaque, level);
}

IrqLine pci_irq(PciDevice *d)
{
    return (IrqLine){ .set = irq_line_set, .opaque = d };
}

void pci_bus_on_pirq(PciBus *bus, void (*set)(void *opaque, int pirq, bool level), void *opaque)
{
    bus->pirq_set = set;
    bus->pirq_opaque = opaque;
}

/* --- configuration space --------------------------------------------------------------------------------- */

uint32_t pci_config_read(PciBus *bus, uint8_t devfn, unsigned at, unsigned size)
{
    const PciDevice *d = bus->device[devfn];
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++) v |= (uint32_t)(d ? d->config[(at + i) & 0xff] : 0xff) << 8 * i;
    return v;
}

static bool touches(unsigned at, unsigned size, unsigned first, unsigned count)
{
    return at < first + count && first < at + size;
}

void pci_config_write(PciBus *bus, uint8_t devfn, unsigned at, uint32_t value, unsigned size)
{
    PciDevice *d = bus->device[devfn];
    if (!d || at + size > PCI_CONFIG_SIZE) return;
    bool was_off = intx_off(d);
    for (unsigned i = 0; i < size; i++) {
        uint8_t v = (uint8_t)(value >> 8 * i), *c = &d->config[at + i], mask = d->writable[at + i];
        *c = (uint8_t)((*c & ~mask) | (v & mask));
        *c &= (uint8_t) ~(v & d->clear_by_1[at + i]);
    }
    if (intx_off(d) != was_off && d->irq_level) pirq_pull(d, was_off);
    if (touches(at, size, PCI_COMMAND, 2) || touches(at, size, PCI_BAR0, 4 * PCI_BARS) ||
        touches(at, size, PCI_ROM_BAR, 4))
        update_windows(d);
    if (d->config_written) d->config_written(d, at, size);
}

/* --- devices ------------------------------------------------------------------------------------------------ */

void pci_add(PciBus *bus, PciDevice *d, const char *name, uint8_t devfn, const PciIdentity *id)
{
    d->bus = bus;
    d->name = name;
    d->devfn = devfn;
    pci_put16(d, PCI_VENDOR_ID, id->vendor);
    pci_put16(d, PCI_DEVICE_ID, id->device);
    d->config[PCI_REVISION] = id->revision;
    d->config[PCI_CLASS_PROG] = (uint8_t)id->class_code;
    pci_put16(d, PCI_CLASS, id->class_code >> 8);
    d->config[PCI_HEADER_TYPE] = id->multi_function ? 0x80 : 0;
    pci_put16(d, PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor ? id->subsystem_vendor : 0x1af4);
    pci_put16(d, PCI_SUBSYSTEM_ID, id->subsystem ? id->subsystem : 0x1100);
    d->config[PCI_INTERRUPT_PIN] = id->pin;
    /* I/O, memory, master, parity response, SERR#, INTx disable. */
    set_writable(d, PCI_COMMAND, 2, 0x0547);
    d->writable[0x0c] = 0xff; /* cache line size */
    d->writable[0x0d] = 0xff; /* latency timer */
    d->writable[PCI_INTERRUPT_LINE] = 0xff;
    d->clear_by_1[PCI_STATUS + 1] = 0xf9;
    bus->device[devfn] = d;
}

/* RST# (chapter 4.3): no decoding, no interrupt.  What a device has beyond its header it resets itself. */
static void device_reset(PciDevice *d)
{
    pci_set_irq(d, false);
    for (unsigned i = PCI_COMMAND; i < PCI_COMMAND + 2; i++) d->config[i] &= (uint8_t)~d->writable[i];
    for (unsigned n = 0; n < PCI_WINDOWS; n++)
        if (d->window[n].size) pci_put32(d, bar_at(n), bar_flags(d, n));
    d->config[0x0c] = d->config[0x0d] = d->config[PCI_INTERRUPT_LINE] = 0;
    update_windows(d);
}

static void bus_reset(void *dev)
{
    PciBus *bus = dev;
    for (unsigned i = 0; i < DEVFNS; i++)
        if (bus->device[i]) device_reset(bus->device[i]);
}

static const Field bus_fields[] = { FIELD_END };
static const DeviceClass bus_class = { .name = "pci", .version = 1, .fields = bus_fields, .reset = bus_reset };

PciBus *pci_bus_new(Machine *m)
{
    PciBus *bus = hw_alloc(sizeof *bus);
    bus->machine = m;
    machine_add_device(m, &bus_class, bus);
    return bus;
}

void pci_bus_free(PciBus *bus)
{
    free(bus);
}
