/* 82371FB/82371SB data sheet (290550), chapter 2.2: PCI to ISA bridge registers. */
#include "hw/piix3.h"

#include <string.h>

#include "hw/alloc.h"

enum { PIRQRC = 0x60, PIRQ_COUNT = 4, ROUTE_OFF = 0x80, ROUTE_IRQ = 0x0f };

struct Piix3 {
    PciDevice pci;
    IrqLine isa_irq[16];
    bool pirq[PIRQ_COUNT];
    uint16_t driven; /* ISA lines that are high because of a PIRQ */
};

/* IRQ 0-2, 8 and 13 cannot be had (PIRQRC register description). */
static bool routable(unsigned irq)
{
    return irq >= 3 && irq != 8 && irq != 13;
}

static void update(Piix3 *p)
{
    uint16_t want = 0;
    for (unsigned i = 0; i < PIRQ_COUNT; i++) {
        uint8_t r = p->pci.config[PIRQRC + i];
        if (p->pirq[i] && !(r & ROUTE_OFF) && routable(r & ROUTE_IRQ)) want |= (uint16_t)(1u << (r & ROUTE_IRQ));
    }
    uint16_t changed = want ^ p->driven;
    p->driven = want;
    for (unsigned irq = 0; irq < 16; irq++)
        if (changed >> irq & 1) irq_set(&p->isa_irq[irq], want >> irq & 1);
}

static void pirq_set(void *opaque, int pirq, bool level)
{
    Piix3 *p = opaque;
    p->pirq[pirq] = level;
    update(p);
}

static void config_written(PciDevice *d, unsigned at, unsigned size)
{
    if (at < PIRQRC + PIRQ_COUNT && at + size > PIRQRC) update((Piix3 *)d);
}

/* Registers with a default other than 0, as the data sheet lists them. */
static void piix3_reset(void *dev)
{
    static const struct {
        uint8_t at, value;
    } defaults[] = {
        { PCI_COMMAND, 0x07 }, { PCI_STATUS + 1, 0x02 }, { 0x4c, 0x4d }, { 0x4e, 0x03 }, { 0x60, 0x80 },
        { 0x61, 0x80 },        { 0x62, 0x80 },           { 0x63, 0x80 }, { 0x69, 0x02 }, { 0x70, 0x80 },
        { 0x76, 0x0c },        { 0x77, 0x0c },           { 0x78, 0x02 }, { 0xa0, 0x08 }, { 0xa8, 0x0f },
    };
    Piix3 *p = dev;
    memset(p->pci.config + 0x40, 0, PCI_CONFIG_SIZE - 0x40);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) p->pci.config[defaults[i].at] = defaults[i].value;
    update(p);
}

static const Field piix3_fields[] = {
    FIELD(Piix3, pci.config),
    FIELD(Piix3, pirq),
    FIELD(Piix3, driven),
    FIELD_END,
};
static const DeviceClass piix3_class = { .name = "piix3", .version = 1, .fields = piix3_fields, .reset = piix3_reset };

Piix3 *piix3_new(Machine *m, PciBus *bus, const IrqLine isa_irq[16])
{
    static const PciIdentity id = {
        .vendor = 0x8086, .device = 0x7000, .class_code = 0x060100, .multi_function = true
    };
    /* What software may write: chip select, I/O recovery, PIRQ routes, memory top, SMI and clock registers. */
    static const uint8_t writable[] = { 0x4c, 0x4e, 0x4f, 0x60, 0x61, 0x62, 0x63, 0x69, 0x6a, 0x70, 0x76, 0x77,
                                        0x78, 0x79, 0x80, 0x82, 0xa0, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8 };
    Piix3 *p = hw_alloc(sizeof *p);
    memcpy(p->isa_irq, isa_irq, sizeof p->isa_irq);
    pci_add(bus, &p->pci, "piix3", pci_devfn(PIIX3_SLOT, 0), &id);
    p->pci.config_written = config_written;
    for (size_t i = 0; i < sizeof writable; i++) p->pci.writable[writable[i]] = 0xff;
    for (unsigned i = 0; i < PIRQ_COUNT; i++) p->pci.writable[PIRQRC + i] = ROUTE_OFF | ROUTE_IRQ;
    pci_bus_on_pirq(bus, pirq_set, p);
    machine_add_device(m, &piix3_class, p);
    piix3_reset(p);
    return p;
}

void piix3_free(Piix3 *p)
{
    free(p);
}
