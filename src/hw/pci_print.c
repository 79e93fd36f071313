/* `info pci`, in the shape users know from other PC emulators. */
#include <stdio.h>

#include "hw/pci.h"

typedef struct Printer {
    void (*emit)(void *opaque, const char *line);
    void *opaque;
} Printer;

static const char *class_name(unsigned class_code)
{
    static const struct {
        uint16_t code;
        const char *name;
    } names[] = {
        { 0x0100, "SCSI controller" }, { 0x0101, "IDE controller" },   { 0x0200, "Ethernet controller" },
        { 0x0300, "VGA controller" },  { 0x0600, "Host bridge" },      { 0x0601, "ISA bridge" },
        { 0x0680, "Bridge" },          { 0x0401, "Audio controller" }, { 0x0c03, "USB controller" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].code == class_code) return names[i].name;
    return NULL;
}

static void print_window(const PciDevice *d, unsigned n, const Printer *p)
{
    const PciWindow *w = &d->window[n];
    char line[128];
    if (!w->size) return;
    uint32_t bar = pci_get32(d, n == PCI_ROM_SLOT ? PCI_ROM_BAR : PCI_BAR0 + 4 * n);
    uint32_t base = w->mapped ? w->base : UINT32_MAX;
    uint32_t last = w->mapped ? w->base + w->size - 1 : w->size - 2; /* as all ones plus the size comes out */
    if (w->io)
        snprintf(line, sizeof line, "      BAR%u: I/O at 0x%04x [0x%04x].", n, base & 0xffff, last & 0xffff);
    else
        snprintf(line, sizeof line, "      BAR%u: 32 bit%s memory at 0x%08x [0x%08x].", n,
                 n != PCI_ROM_SLOT && (bar & 8) ? " prefetchable" : "", base, last);
    p->emit(p->opaque, line);
}

static void print_device(const PciDevice *d, const Printer *p)
{
    char line[128];
    unsigned class_code = pci_get16(d, PCI_CLASS);
    const char *name = class_name(class_code);
    snprintf(line, sizeof line, "  Bus  0, device %3u, function %u:", d->devfn >> 3, d->devfn & 7u);
    p->emit(p->opaque, line);
    char class_text[32];
    snprintf(class_text, sizeof class_text, "Class %04x", class_code);
    snprintf(line, sizeof line, "    %s: PCI device %04x:%04x", name ? name : class_text, pci_get16(d, PCI_VENDOR_ID),
             pci_get16(d, PCI_DEVICE_ID));
    p->emit(p->opaque, line);
    snprintf(line, sizeof line, "      PCI subsystem %04x:%04x", pci_get16(d, PCI_SUBSYSTEM_VENDOR_ID),
             pci_get16(d, PCI_SUBSYSTEM_ID));
    p->emit(p->opaque, line);
    if (d->config[PCI_INTERRUPT_PIN]) {
        snprintf(line, sizeof line, "      IRQ %u, pin %c", d->config[PCI_INTERRUPT_LINE],
                 'A' + d->config[PCI_INTERRUPT_PIN] - 1);
        p->emit(p->opaque, line);
    }
    for (unsigned n = 0; n < PCI_WINDOWS; n++) print_window(d, n, p);
    snprintf(line, sizeof line, "      id \"%s\"", "");
    p->emit(p->opaque, line);
}

void pci_print(PciBus *bus, void (*emit)(void *opaque, const char *line), void *opaque)
{
    Printer p = { emit, opaque };
    for (unsigned i = 0; i < 256; i++) {
        const PciDevice *d = pci_device(bus, i);
        if (d) print_device(d, &p);
    }
}
