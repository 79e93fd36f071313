/* The board: a PC with CPU, memory and the devices of pc_devices.h.
 *
 *   0          640 KiB of RAM
 *   a0000h     the display's windows, or SMRAM
 *   c0000h     ROM or RAM as the host bridge's PAM registers say: VGA BIOS, option ROMs, and the BIOS
 *              from e0000h; ACPI tables there when a kernel is started without firmware
 *   100000h    RAM to min(memory, 3.5 GiB)
 *   ...        the PCI hole; I/O APIC, HPET and local APIC from fec00000h
 *   fffc0000h  the BIOS (as large as its image)
 *   100000000h the rest of RAM */
#ifndef CALQUE_HW_PC_H
#define CALQUE_HW_PC_H

#include "hw/config.h"
#include "hw/machine.h"

/* A machine that is ready to run.  NULL: error says why, in one line.  cfg is borrowed for its life. */
Machine *pc_new(const MachineConfig *cfg, char *error, size_t error_size);
/* Runs on the calling thread, which becomes the machine thread, until the guest or a posted request ends
 * it; the exit status. */
int machine_run(Machine *m);
/* No other thread may still post to it. */
void machine_free(Machine *m);

/* Asks the guest to shut down (ACPI power button).  Machine thread. */
void pc_power_button(Machine *m);
Exec *pc_exec(Machine *m);
/* What is on the board, for monitor and user interface. */
struct PcDevices *pc_parts(Machine *m);
DriveSet *pc_drives(Machine *m);

#endif
