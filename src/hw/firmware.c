#include "hw/firmware.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#ifndef FIRMWARE_DIR
#define FIRMWARE_DIR "/usr/share/seabios"
#endif

enum { BIOS_MAX = 16 << 20, BIOS_UNIT = 64 << 10, LOW_COPY_MAX = 128 << 10 };

static bool is_path(const char *name)
{
    return strchr(name, '/') || access(name, F_OK) == 0;
}

/* The first directory that has it. */
static bool find(const MachineConfig *cfg, const char *name, char *path, size_t size)
{
    const char *const dirs[] = { cfg->firmware_dir, FIRMWARE_DIR, "/usr/share/seabios", "/usr/share/qemu" };
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (!dirs[i]) continue;
        int n = snprintf(path, size, "%s/%s", dirs[i], name);
        if (n > 0 && (size_t)n < size && access(path, F_OK) == 0) return true;
    }
    return false;
}

bool firmware_load(const MachineConfig *cfg, const char *what, const char *name, FileData *out, char *error,
                   size_t error_size)
{
    char path[4096];
    if (is_path(name)) return file_load(what, name, BIOS_MAX, out, error, error_size);
    if (find(cfg, name, path, sizeof path)) return file_load(what, path, BIOS_MAX, out, error, error_size);
    snprintf(error, error_size,
             "%s '%s': not found in %s%s%s; Debian's package seabios has it, -L DIR says where it is otherwise", what,
             name, cfg->firmware_dir ? cfg->firmware_dir : "", cfg->firmware_dir ? " or " : "", FIRMWARE_DIR);
    return false;
}

bool firmware_map_bios(PhysMem *phys, PhysRegion *rom, const FileData *bios, char *error, size_t error_size)
{
    if (bios->size % BIOS_UNIT) {
        snprintf(error, error_size, "-bios: an image of %zu bytes is not a multiple of 64 KiB", bios->size);
        return false;
    }
    PhysRegion *r = phys_add_rom(phys, "bios", 0x100000000u - bios->size, bios->size, 0);
    if (!r) {
        snprintf(error, error_size, "-bios: cannot get memory for it from the host");
        return false;
    }
    memcpy(phys_region_host(r), bios->bytes, bios->size);
    size_t low = bios->size < LOW_COPY_MAX ? bios->size : LOW_COPY_MAX;
    uint8_t *window = phys_region_host(rom);
    memset(window, 0xff, BIOS_ROM_SIZE - low);
    memcpy(window + BIOS_ROM_SIZE - low, bios->bytes + bios->size - low, low);
    return true;
}
