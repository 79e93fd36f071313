/* The firmware images: where they are found, and how much of them the machine sees. */
#ifndef CALQUE_HW_FIRMWARE_H
#define CALQUE_HW_FIRMWARE_H

#include "hw/config.h"
#include "hw/machine.h"
#include "util/file.h"

#define FIRMWARE_BIOS    "bios-256k.bin"
#define FIRMWARE_VGABIOS "vgabios-stdvga.bin"
enum { BIOS_ROM_AT = 0xc0000, BIOS_ROM_SIZE = 0x40000 };

/* Finds name in -L's directory, else in those known when Calque was built, and reads it; `what` is for the message
 * ("-bios").  A name with a slash, or that of a file that is there, is taken as it is. */
bool firmware_load(const MachineConfig *cfg, const char *what, const char *name, FileData *out, char *error,
                   size_t error_size);
/* The BIOS image at the top of 4 GiB, its last 128 KiB also in rom (the 256 KiB of C0000h-FFFFFh as the bus shows
 * them, elsewhere all ones). */
bool firmware_map_bios(PhysMem *phys, PhysRegion *rom, const FileData *bios, char *error, size_t error_size);

#endif
