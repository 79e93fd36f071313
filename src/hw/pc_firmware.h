/* What the board tells its firmware, through fw_cfg and CMOS: memory, processors, ACPI and SMBIOS tables, the order of boot
 * devices, and the kernel that it shall start. */
#ifndef CALQUE_HW_PC_FIRMWARE_H
#define CALQUE_HW_PC_FIRMWARE_H

#include "hw/load.h"
#include "hw/pc_devices.h"

/* Files that fw_cfg lends to the guest; they live as long as the machine. */
typedef struct PcFirmware {
    FileData kernel;
    LinuxParts parts;
} PcFirmware;

void pc_firmware_describe(PcDevices *d, const MachineConfig *cfg, const LoadRequest *memory);
/* Starts a bzImage by way of an option ROM.  False: error says why. */
bool pc_firmware_add_kernel(PcFirmware *fw, PcDevices *d, const LoadRequest *rq, FileData *kernel, char *error,
                            size_t error_size);
void pc_firmware_free(PcFirmware *fw);

#endif
