/* The PCI bus (PCI Local Bus Specification 2.1, one bus, no bridges): configuration space by mechanism 1
 * (ports CF8h, CFCh), base address registers whose windows follow the guest's writes, INTx lines.
 *
 * A device embeds a PciDevice, fills an identity, adds its windows and registers itself with
 * pci_add().  Its own DeviceClass keeps FIELD(Self, pci.config) among its fields. */
#ifndef CALQUE_HW_PCI_H
#define CALQUE_HW_PCI_H

#include "hw/machine.h"
#include "util/bytes.h"

/* Configuration header, type 0 (chapter 6.1). */
enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS_PROG = 0x09,
    PCI_CLASS = 0x0a, /* subclass, then base class */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_BAR = 0x30,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_CONFIG_SIZE = 256,
};
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_OFF = 0x400 };
enum { PCI_BARS = 6, PCI_ROM_SLOT = 6, PCI_WINDOWS = 7 };
static inline uint8_t pci_devfn(unsigned slot, unsigned function)
{
    return (uint8_t)(slot << 3 | function);
}

typedef struct PciBus PciBus;
typedef struct PciDevice PciDevice;

/* One base address register: a port range or a memory region that is moved about. */
typedef struct PciWindow {
    uint32_t size; /* power of two; 0: none */
    bool io, mapped;
    uint32_t base; /* where it is mapped */
    PhysRegion *region;
    const IoPortOps *io_ops;
    void *opaque;
} PciWindow;

typedef struct PciIdentity {
    uint16_t vendor, device, subsystem_vendor, subsystem; /* subsystem 0: 1af4:1100, as QEMU's machines have */
    uint32_t class_code;                                  /* 24 bits: base class, subclass, interface */
    uint8_t revision;
    uint8_t pin;         /* 0: no interrupt; 1..4: INTA..INTD */
    bool multi_function; /* function 0 of several */
} PciIdentity;

struct PciDevice {
    PciBus *bus;
    const char *name; /* for `info pci` */
    uint8_t devfn;
    bool irq_level;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE];   /* bits the guest may change; preset for the standard header */
    uint8_t clear_by_1[PCI_CONFIG_SIZE]; /* status bits that writing 1 clears */
    PciWindow window[PCI_WINDOWS];
    /* After config[at .. at + size) has taken a guest's write; may be NULL. */
    void (*config_written)(PciDevice *d, unsigned at, unsigned size);
};

PciBus *pci_bus_new(Machine *m);
void pci_bus_free(PciBus *bus);
/* Where INTx lines go: pirq 0..3 (A-D) after the board's swizzle by slot. */
void pci_bus_on_pirq(PciBus *bus, void (*set)(void *opaque, int pirq, bool level), void *opaque);
Machine *pci_machine(const PciBus *bus);

/* Puts d on the bus.  d->config_written and windows may be set before or after. */
void pci_add(PciBus *bus, PciDevice *d, const char *name, uint8_t devfn, const PciIdentity *id);

/* Windows: n = 0..5, size a power of two (memory: at least 4096; ports: at least 4, at most 256).
 * Port handlers see the absolute port; its offset in the window is port & (size - 1). */
void pci_add_ports(PciDevice *d, unsigned n, uint32_t size, const IoPortOps *ops, void *opaque);
void pci_add_mmio(PciDevice *d, unsigned n, uint32_t size, const MmioOps *ops, void *opaque);
/* RAM of the device (a frame buffer): host address of its first byte. */
uint8_t *pci_add_ram(PciDevice *d, unsigned n, uint32_t size, bool prefetchable);
PhysRegion *pci_window_region(PciDevice *d, unsigned n);
/* Expansion ROM: a copy of data, as large as the next power of two. */
void pci_add_rom(PciDevice *d, const void *data, size_t len);

/* The device's INTx# pin (from its identity), asserted or not. */
void pci_set_irq(PciDevice *d, bool level);
IrqLine pci_irq(PciDevice *d);
/* Bus mastering is on: the device may do DMA (phys_read, phys_write). */
static inline bool pci_is_master(const PciDevice *d)
{
    return d->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

static inline uint32_t pci_get16(const PciDevice *d, unsigned at)
{
    return get_le16(d->config + at);
}
static inline uint32_t pci_get32(const PciDevice *d, unsigned at)
{
    return get_le32(d->config + at);
}
void pci_put16(PciDevice *d, unsigned at, uint32_t v);
void pci_put32(PciDevice *d, unsigned at, uint32_t v);

/* Configuration cycles, size 1, 2, 4: as the host bridge makes them.  An absent device reads as ones. */
uint32_t pci_config_read(PciBus *bus, uint8_t devfn, unsigned at, unsigned size);
void pci_config_write(PciBus *bus, uint8_t devfn, unsigned at, uint32_t value, unsigned size);
/* The device at devfn or NULL. */
PciDevice *pci_device(PciBus *bus, unsigned devfn);
/* Text for `info pci`. */
void pci_print(PciBus *bus, void (*emit)(void *opaque, const char *line), void *opaque);

#endif
