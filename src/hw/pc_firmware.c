#include "hw/pc_firmware.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hw/smbios.h"
#include "roms/linuxboot_bin.h"
#include "util/bytes.h"

#define KERNEL_ROM "genroms/linuxboot.bin"

/* Base, size and type, as INT 15h function E820h will give them. */
static void add_memory_map(FwCfg *fw, const LoadRequest *memory)
{
    enum { ENTRY = 20 };
    uint8_t map[LOAD_MAX_RANGES * ENTRY];
    unsigned n = 0;
    for (unsigned i = 0; i < memory->map_count; i++) {
        const MemoryRange *r = &memory->map[i];
        if (r->type != MEMORY_USABLE) continue;
        uint8_t *e = map + ENTRY * n++;
        put_le32(e, (uint32_t)r->base);
        put_le32(e + 4, (uint32_t)(r->base >> 32));
        put_le32(e + 8, (uint32_t)r->size);
        put_le32(e + 12, (uint32_t)(r->size >> 32));
        put_le32(e + 16, r->type);
    }
    fw_cfg_add_file(fw, "etc/e820", map, n * ENTRY);
}

static void add_boot_options(FwCfg *fw, const BootConfig *boot)
{
    fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, boot->menu);
    if (boot->menu && boot->menu_wait_ms) {
        uint8_t ms[2] = { (uint8_t)boot->menu_wait_ms, (uint8_t)(boot->menu_wait_ms >> 8) };
        fw_cfg_add_file(fw, "etc/boot-menu-wait", ms, sizeof ms);
    }
    uint8_t wait[4];
    put_le32(wait, (uint32_t)boot->reboot_wait_ms);
    fw_cfg_add_file(fw, "etc/boot-fail-wait", wait, sizeof wait);
}

/* --- the order of boot devices ------------------------------------------------------------------------------------ */

#define KERNEL_ROM_PATH "/rom@" KERNEL_ROM

typedef struct Order {
    char text[1024];
    size_t len;
} Order;

static void add_line(Order *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_line(Order *o, const char *fmt, ...)
{
    va_list ap;
    if (o->len) o->text[o->len++] = '\n';
    va_start(ap, fmt);
    o->len += (size_t)vsnprintf(o->text + o->len, sizeof o->text - o->len, fmt, ap);
    va_end(ap);
}

/* Firmware's names for the drives, which are Open Firmware's paths. */
static void add_drive(Order *o, const Drive *d)
{
    const DriveConfig *c = drive_config(d);
    if (c->bus == DRIVE_FLOPPY)
        add_line(o, "/pci@i0cf8/isa@1/fdc@03f0/floppy@%u", c->index);
    else
        add_line(o, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u", c->index / 2u, c->index % 2u);
}

static void add_drives(Order *o, DriveSet *drives, char letter)
{
    for (unsigned i = 0; i < 4; i++) {
        Drive *d = drives_at(drives, DRIVE_IDE, i);
        if (d && (letter == 'c' ? !drive_is_cdrom(d) : letter == 'd' && drive_is_cdrom(d))) add_drive(o, d);
    }
    for (unsigned i = 0; i < 2; i++)
        if (letter == "ab"[i] && drives_at(drives, DRIVE_FLOPPY, i)) add_drive(o, drives_at(drives, DRIVE_FLOPPY, i));
}

/* Those with a bootindex, the lowest first. */
static void add_ranked(Order *o, DriveSet *drives)
{
    for (uint32_t rank = 0;;) {
        const Drive *next = NULL;
        for (unsigned i = 0; i < DRIVES_MAX; i++) {
            const Drive *d = i < 4 ? drives_at(drives, DRIVE_IDE, i) : drives_at(drives, DRIVE_FLOPPY, i - 4);
            if (d && drive_config(d)->boot_rank > rank &&
                (!next || drive_config(d)->boot_rank < drive_config(next)->boot_rank))
                next = d;
        }
        if (!next) return;
        rank = drive_config(next)->boot_rank;
        add_drive(o, next);
    }
}

/* The usual order is in CMOS, by kinds of drives; this file is for what goes before it, or excludes all else. */
static void add_boot_order(FwCfg *fw, const BootConfig *boot, bool kernel, DriveSet *drives)
{
    Order o = { .len = 0 };
    if (kernel) add_line(&o, "%s", KERNEL_ROM_PATH);
    add_ranked(&o, drives);
    if (boot->strict) {
        for (const char *p = boot->order ? boot->order : ""; *p; p++) add_drives(&o, drives, *p);
        add_line(&o, "HALT");
    }
    if (o.len) fw_cfg_add_file(fw, "bootorder", o.text, o.len + 1);
}

void pc_firmware_describe(PcDevices *d, const MachineConfig *cfg, const LoadRequest *memory)
{
    FwCfg *fw = d->fw_cfg;
    uint8_t ram[8] = { 0 };
    put_le32(ram, cfg->mem_bytes);
    fw_cfg_add(fw, FW_CFG_RAM_SIZE, ram, sizeof ram);
    fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 1);
    fw_cfg_add_u16(fw, FW_CFG_MAX_CPUS, 1);
    fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, cfg->no_graphics);
    fw_cfg_add_u32(fw, FW_CFG_IRQ0_OVERRIDE, 1); /* IRQ 0 is on pin 2 of the I/O APIC */
    add_memory_map(fw, memory);
    add_boot_options(fw, &cfg->boot);
    add_boot_order(fw, &cfg->boot, cfg->kernel != NULL, d->drives);
    acpi_tables_offer(d->acpi, fw);
    smbios_offer(fw, cfg->mem_bytes, pc_low_ram(cfg));
}

/* --- a kernel ---------------------------------------------------------------------------------------------------- */

static void seal(uint8_t *p, size_t len, size_t checksum_at)
{
    uint8_t sum = 0;
    p[checksum_at] = 0;
    for (size_t i = 0; i < len; i++) sum += p[i];
    p[checksum_at] = (uint8_t)-sum;
}

/* Firmware wants both sums right: of the PnP header, and of the ROM. */
static void add_option_rom(FwCfg *fw)
{
    enum { PNP_POINTER = 0x1a, PNP_LENGTH = 5, PNP_CHECKSUM = 9 };
    uint8_t rom[sizeof linuxboot_bin];
    memcpy(rom, linuxboot_bin, sizeof rom);
    uint8_t *pnp = rom + get_le16(rom + PNP_POINTER);
    seal(pnp, pnp[PNP_LENGTH] * 16u, PNP_CHECKSUM);
    seal(rom, sizeof rom, sizeof rom - 1);
    fw_cfg_add_file(fw, KERNEL_ROM, rom, sizeof rom);
}

bool pc_firmware_add_kernel(PcFirmware *pf, PcDevices *d, const LoadRequest *rq, FileData *kernel, char *error,
                            size_t error_size)
{
    LinuxParts *p = &pf->parts;
    FwCfg *fw = d->fw_cfg;
    if (!load_linux_parts(rq, kernel, p, error, error_size)) return false;
    pf->kernel = *kernel;
    *kernel = (FileData){ 0 };
    const char *text = rq->append ? rq->append : "";
    fw_cfg_add_u32(fw, FW_CFG_SETUP_ADDR, p->setup_at);
    fw_cfg_add_u32(fw, FW_CFG_SETUP_SIZE, p->setup_size);
    fw_cfg_lend(fw, FW_CFG_SETUP_DATA, pf->kernel.bytes, p->setup_size);
    fw_cfg_add_u32(fw, FW_CFG_KERNEL_ADDR, p->kernel_at);
    fw_cfg_add_u32(fw, FW_CFG_KERNEL_SIZE, p->kernel_size);
    fw_cfg_lend(fw, FW_CFG_KERNEL_DATA, pf->kernel.bytes + p->setup_size, p->kernel_size);
    fw_cfg_add_u32(fw, FW_CFG_CMDLINE_ADDR, p->cmdline_at);
    fw_cfg_add_u32(fw, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(text) + 1);
    fw_cfg_add(fw, FW_CFG_CMDLINE_DATA, text, strlen(text) + 1);
    fw_cfg_add_u32(fw, FW_CFG_INITRD_ADDR, p->initrd_at);
    fw_cfg_add_u32(fw, FW_CFG_INITRD_SIZE, (uint32_t)p->initrd.size);
    if (p->initrd.bytes) fw_cfg_lend(fw, FW_CFG_INITRD_DATA, p->initrd.bytes, p->initrd.size);
    add_option_rom(fw);
    return true;
}

void pc_firmware_free(PcFirmware *fw)
{
    file_free(&fw->kernel);
    file_free(&fw->parts.initrd);
}
