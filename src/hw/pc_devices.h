/* The devices on the board and the wires between them; pc.c adds CPU and memory.  Apart so that tests can
 * drive the whole set without a processor. */
#ifndef CALQUE_HW_PC_DEVICES_H
#define CALQUE_HW_PC_DEVICES_H

#include "hw/acpi_pm.h"
#include "hw/acpi_tables.h"
#include "hw/config.h"
#include "hw/fpu_irq13.h"
#include "hw/fw_cfg.h"
#include "hw/hpet.h"
#include "hw/i16550.h"
#include "hw/i440fx.h"
#include "hw/i8042.h"
#include "hw/i82077.h"
#include "hw/i8237.h"
#include "hw/ide.h"
#include "hw/i8254.h"
#include "hw/i8259.h"
#include "hw/ioapic.h"
#include "hw/irq_or.h"
#include "hw/isa_irq.h"
#include "hw/lapic.h"
#include "hw/mc146818.h"
#include "hw/piix3.h"
#include "hw/piix4_pm.h"
#include "hw/port61.h"
#include "hw/port80.h"
#include "hw/port92.h"
#include "hw/port_cf9.h"
#include "hw/vga.h"
#include "hw/vmmouse.h"
#include "util/file.h"

typedef struct PcDevices {
    Lapic *lapic; /* NULL: the processor has none */
    Ioapic *ioapic;
    I8259 *pic;
    IrqLine pic_intr[2]; /* where the 8259s' INTR goes: LINT0 or the processor, the I/O APIC */
    IsaIrqs irqs;
    Hpet *hpet;
    I8254 *pit;
    Port61 *port61;
    I8237 *dma;
    I82077 *fdc;
    Mc146818 *rtc;
    Input *input;
    I8042 *kbc;
    VmMouse *vmmouse;
    Port92 *port92;
    Port80 *port80;
    PortCf9 *cf9;
    FpuIrq13 *fpu;
    PciBus *pci;
    I440fx *host_bridge;
    Piix3 *isa_bridge;
    AcpiPm *pm;
    Smbus *smbus;
    Piix4Pm *piix4_pm;
    FwCfg *fw_cfg;
    AcpiTables *acpi;
    Display *display; /* with vga: NULL, no display adapter */
    Vga *vga;
    DriveSet *drives; /* the board's */
    Ide *ide;
    I16550 *serial[MACHINE_SERIAL_MAX];
    IrqOr a20;
    IrqOr isa[16]; /* sources of each ISA interrupt: ISA_FROM_* */
} PcDevices;

/* What the devices are wired to. */
typedef struct PcWires {
    IrqLine intr, smi; /* the processor's INTR and SMI# pins */
    IrqLine a20;       /* A20M#, high means that A20 passes */
    I440fxMemory memory;
    DriveSet *drives;
    FileData vga_rom; /* bytes NULL: no display adapter */
} PcWires;

/* d must stay where it is. */
void pc_devices_add(PcDevices *d, Machine *m, const MachineConfig *cfg, const PcWires *wires);
void pc_devices_free(PcDevices *d);
/* The processor's interrupt acknowledge: a vector, or -1. */
int pc_devices_intr_ack(PcDevices *d);
/* What a BIOS's POST programs before it starts a system: PIC vectors and masks, PIT channels 0 and 1, shadow RAM, where
 * the power management registers are. */
void pc_devices_post(PcDevices *d, Machine *m);
/* The order of boot devices ("cad"), where BIOSes look for it. */
void pc_devices_set_boot_order(PcDevices *d, const char *order);

/* RAM above this goes to 4 GiB and up: the PCI hole. */
#define PC_LOW_RAM_MAX 0xe0000000u
static inline uint32_t pc_low_ram(const MachineConfig *cfg)
{
    return cfg->mem_bytes < PC_LOW_RAM_MAX ? cfg->mem_bytes : PC_LOW_RAM_MAX;
}

#endif
