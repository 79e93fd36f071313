/* The devices on the board and the wires between them; pc.c adds CPU and memory.  Apart so that tests can
 * drive the whole set without a processor. */
#ifndef CALQUE_HW_PC_DEVICES_H
#define CALQUE_HW_PC_DEVICES_H

#include "hw/acpi_pm.h"
#include "hw/config.h"
#include "hw/fpu_irq13.h"
#include "hw/i16550.h"
#include "hw/i8042.h"
#include "hw/i8254.h"
#include "hw/i8259.h"
#include "hw/irq_or.h"
#include "hw/mc146818.h"
#include "hw/port61.h"
#include "hw/port80.h"
#include "hw/port92.h"
#include "hw/port_cf9.h"
#include "hw/vmmouse.h"

typedef struct PcDevices {
    I8259 *pic;
    I8254 *pit;
    Port61 *port61;
    Mc146818 *rtc;
    Input *input;
    I8042 *kbc;
    VmMouse *vmmouse;
    Port92 *port92;
    Port80 *port80;
    PortCf9 *cf9;
    FpuIrq13 *fpu;
    AcpiPm *pm;
    I16550 *serial[MACHINE_SERIAL_MAX];
    IrqOr a20, com_irq[2]; /* COM1 and COM3 share IRQ 4, COM2 and COM4 IRQ 3 */
} PcDevices;

/* intr: INTR pin; a20: A20M#, high means that A20 passes.  d must stay where it is. */
void pc_devices_add(PcDevices *d, Machine *m, const MachineConfig *cfg, IrqLine intr, IrqLine a20);
void pc_devices_free(PcDevices *d);
/* What a BIOS's POST programs before it starts a system: PIC vectors and masks, PIT channels 0 and 1. */
void pc_devices_post(Machine *m);

/* RAM above this goes to 4 GiB and up: the PCI hole. */
#define PC_LOW_RAM_MAX 0xe0000000u
static inline uint32_t pc_low_ram(const MachineConfig *cfg)
{
    return cfg->mem_bytes < PC_LOW_RAM_MAX ? cfg->mem_bytes : PC_LOW_RAM_MAX;
}

#endif
