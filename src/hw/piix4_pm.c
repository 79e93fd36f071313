/* 82371AB data sheet (290562), chapter 7.1: power management PCI configuration registers. */
#include "hw/piix4_pm.h"

#include <string.h>

#include "hw/alloc.h"

enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };
enum { PMREGMISC_PMIOSE = 1, SMBHSTCFG_EN = 1 };
enum { DEVACTB_APMC_EN = 1 << 25 };

struct Piix4Pm {
    PciDevice pci;
    AcpiPm *pm;
    Smbus *smbus;
};

static void update(Piix4Pm *p)
{
    const PciDevice *d = &p->pci;
    acpi_pm_set_base(p->pm, (uint16_t)pci_get32(d, PMBA), d->config[PMREGMISC] & PMREGMISC_PMIOSE);
    acpi_pm_set_apmc_smi(p->pm, pci_get32(d, DEVACTB) & DEVACTB_APMC_EN);
    smbus_set_base(p->smbus, (uint16_t)pci_get32(d, SMBBA),
                   (d->config[SMBHSTCFG] & SMBHSTCFG_EN) && (d->config[PCI_COMMAND] & PCI_COMMAND_IO));
}

static void config_written(PciDevice *d, unsigned at, unsigned size)
{
    (void)at, (void)size;
    update((Piix4Pm *)d);
}

static void pm_reset(void *dev)
{
    Piix4Pm *p = dev;
    memset(p->pci.config + 0x40, 0, PCI_CONFIG_SIZE - 0x40);
    pci_put32(&p->pci, PMBA, 1); /* bit 0: a port address */
    pci_put32(&p->pci, SMBBA, 1);
    update(p);
}

void piix4_pm_post(Piix4Pm *p)
{
    PciBus *bus = p->pci.bus;
    pci_config_write(bus, p->pci.devfn, PMBA, ACPI_PM_BASE | 1, 4);
    pci_config_write(bus, p->pci.devfn, PMREGMISC, PMREGMISC_PMIOSE, 1);
    pci_config_write(bus, p->pci.devfn, PCI_INTERRUPT_LINE, ACPI_SCI_IRQ, 1);
}

static const Field pm_fields[] = { FIELD(Piix4Pm, pci.config), FIELD_END };
static const DeviceClass pm_class = { .name = "piix4_pm", .version = 1, .fields = pm_fields, .reset = pm_reset };

static void allow(PciDevice *d, unsigned at, uint32_t mask)
{
    for (unsigned i = 0; i < 4; i++) d->writable[at + i] |= (uint8_t)(mask >> 8 * i);
}

Piix4Pm *piix4_pm_new(Machine *m, PciBus *bus, AcpiPm *pm, Smbus *smbus)
{
    static const PciIdentity id = {
        .vendor = 0x8086, .device = 0x7113, .class_code = 0x068000, .revision = 3, .pin = 1
    };
    Piix4Pm *p = hw_alloc(sizeof *p);
    p->pm = pm;
    p->smbus = smbus;
    pci_add(bus, &p->pci, "piix4_pm", pci_devfn(1, 3), &id);
    p->pci.config_written = config_written;
    allow(&p->pci, PMBA, 0xffc0);
    for (unsigned at = 0x44; at < 0x80; at += 4)
        allow(&p->pci, at, UINT32_MAX); /* counters, device activity, resources */
    allow(&p->pci, PMREGMISC, PMREGMISC_PMIOSE);
    allow(&p->pci, SMBBA, 0xfff0);
    for (unsigned at = SMBHSTCFG; at < SMBHSTCFG + 4; at++) p->pci.writable[at] = 0xff;
    machine_add_device(m, &pm_class, p);
    pm_reset(p);
    return p;
}

void piix4_pm_free(Piix4Pm *p)
{
    free(p);
}
