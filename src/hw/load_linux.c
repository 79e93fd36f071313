/* Linux: bzImage by the boot protocol of Documentation/x86/boot.rst, versions 2.00 to 2.15.
 *
 * With firmware it is entered by the 16-bit protocol, from the option ROM roms/linuxboot.S, and asks the BIOS itself;
 * here only its header is filled in and the places are chosen:
 *
 *   10000h  setup code, stack and heap up to 1f000h
 *   20000h  command line
 *  100000h  protected-mode kernel, and initrd as high as it may be below what firmware keeps for itself
 *
 * Without firmware it is the 32-bit protocol.  The kernel's real-mode part never runs, so what it would have
 * asked the BIOS is filled in here.
 *
 *   90000h  boot_params, the "zero page"
 *   91000h  GDT
 *   91100h  command line, up to the end of conventional memory
 *  100000h  protected-mode kernel, and initrd as high as it may be */
#include "hw/load.h"
#include "util/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/number.h"

enum { BOOT_PARAMS = 0x90000, BOOT_PARAMS_SIZE = 4096, GDT_AT = 0x91000, CMDLINE_AT = 0x91100, STACK_TOP = 0x90000 };
enum { FW_SETUP_AT = 0x10000, FW_SETUP_END = 0x1f000, FW_CMDLINE_AT = 0x20000, FW_KEEPS = 1 << 20 };
enum { SECTOR = 512, HEADER_AT = 0x1f1, HEADER_LIMIT = 0x290 };

/* Offsets in the image's first sectors, the same in boot_params. */
enum {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4,
    VID_MODE = 0x1fa,
    BOOT_FLAG = 0x1fe,
    JUMP_LENGTH = 0x201,
    MAGIC = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    CODE32_START = 0x214,
    HEAP_END_PTR = 0x224,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    KERNEL_ALIGNMENT = 0x230,
    RELOCATABLE = 0x234,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
};
/* Only in boot_params. */
enum { BP_EXT_MEM_K = 0x002, BP_RSDP = 0x070, BP_ALT_MEM_K = 0x1e0, BP_E820_COUNT = 0x1e8, BP_E820 = 0x2d0 };
enum { LOADED_HIGH = 1, CAN_USE_HEAP = 0x80, LOADER_UNKNOWN = 0xff };

typedef struct Image {
    const LoadRequest *rq;
    const FileData *file;
    const uint8_t *h; /* the file's start */
    uint32_t version, payload_at, payload_size;
    uint64_t memory_end; /* first byte the kernel does not claim while it unpacks itself */
    char *error;
    size_t error_size;
} Image;

bool load_is_linux(const FileData *k)
{
    return k->size >= VERSION + 2 && get_le16(k->bytes + BOOT_FLAG) == 0xaa55 && !memcmp(k->bytes + MAGIC, "HdrS", 4);
}

#define FAIL_KERNEL(im, ...) load_fail((im)->error, (im)->error_size, "-kernel", (im)->rq->kernel, __VA_ARGS__)

static bool check_header(Image *im)
{
    im->version = get_le16(im->h + VERSION);
    if (im->version < 0x200)
        return FAIL_KERNEL(im, "boot protocol %x.%02x is too old", im->version >> 8, im->version & 0xff);
    unsigned sectors = im->h[SETUP_SECTS] ? im->h[SETUP_SECTS] : 4;
    im->payload_at = (sectors + 1) * SECTOR;
    if (im->file->size <= im->payload_at || im->file->size < HEADER_LIMIT)
        return FAIL_KERNEL(im, "is truncated: %zu bytes, but its setup code alone has %u", im->file->size,
                           im->payload_at);
    if (!(im->h[LOADFLAGS] & LOADED_HIGH)) return FAIL_KERNEL(im, "is a zImage; only bzImages can be started");
    im->payload_size = (uint32_t)(im->file->size - im->payload_at);
    /* syssize is in paragraphs, rounded up; before 2.04 only 16 bits of it are valid. */
    uint64_t want = (uint64_t)(im->version >= 0x204 ? get_le32(im->h + SYSSIZE) : 0) * 16;
    if (want > (uint64_t)im->payload_size + 15)
        return FAIL_KERNEL(im, "is truncated: %u bytes of kernel, its header says %llu", im->payload_size,
                           (unsigned long long)want);
    return true;
}

/* Where the kernel is put and what it overwrites when it unpacks itself. */
static bool check_placement(Image *im)
{
    uint32_t entry = get_le32(im->h + CODE32_START);
    im->memory_end = (uint64_t)HIGH_MEMORY + im->payload_size;
    if (entry < HIGH_MEMORY || entry >= im->memory_end)
        return FAIL_KERNEL(im, "has its entry point (%#x) outside of itself", entry);
    if (im->version >= 0x20a) {
        uint64_t at = get_le32(im->h + PREF_ADDRESS) | (uint64_t)get_le32(im->h + PREF_ADDRESS + 4) << 32;
        uint32_t align = get_le32(im->h + KERNEL_ALIGNMENT);
        if (im->h[RELOCATABLE]) { /* moves itself to where it is aligned, not below its preferred address */
            if (!align || (align & (align - 1))) return FAIL_KERNEL(im, "has a damaged header: alignment %#x", align);
            if (at < HIGH_MEMORY) at = ((uint64_t)HIGH_MEMORY + align - 1) & ~(uint64_t)(align - 1);
        }
        uint64_t end = at + get_le32(im->h + INIT_SIZE);
        if (end < at) return FAIL_KERNEL(im, "has a damaged header: preferred address %#llx", (unsigned long long)at);
        if (end > im->memory_end) im->memory_end = end;
    }
    if (im->memory_end > im->rq->low_ram_end)
        return FAIL_KERNEL(im, "needs %llu MiB of memory to start; the machine has %u",
                           (unsigned long long)((im->memory_end >> 20) + 1), im->rq->low_ram_end >> 20);
    return true;
}

/* Checks it and notes in the header h that it is at cmdline_at. */
static bool place_command_line(Image *im, uint8_t *h, uint32_t header_at, uint32_t cmdline_at)
{
    const char *text = im->rq->append ? im->rq->append : "";
    size_t limit = 255, room = CONVENTIONAL_END - cmdline_at - 1, len = strlen(text);
    if (im->version >= 0x206 && get_le32(im->h + CMDLINE_SIZE)) limit = get_le32(im->h + CMDLINE_SIZE);
    if (limit > room) limit = room;
    if (len > limit) {
        snprintf(im->error, im->error_size, "-append: %zu characters; this kernel takes at most %zu", len, limit);
        return false;
    }
    if (im->version >= 0x202) {
        put_le32(h + CMD_LINE_PTR, cmdline_at);
    } else {
        put_le16(h + 0x20, 0xa33f); /* the old way: magic, and offset from the header's segment */
        put_le16(h + 0x22, cmdline_at - header_at);
    }
    return true;
}

/* "vga=MODE: this value should be entered into the vid_mode field, as it is used by the kernel before the command
 * line is parsed" (Special Command Line Options).  The last one counts, as for the kernel's other options. */
static bool take_video_mode(Image *im, uint8_t *h)
{
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = { { "normal", 0xffff }, { "ext", 0xfffe }, { "ask", 0xfffd } };
    for (const char *p = im->rq->append ? im->rq->append : ""; *p; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        if (strncmp(p, "vga=", 4) != 0) continue;
        char word[16];
        uint64_t mode = UINT64_MAX;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p + 4, " "), p + 4);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strcmp(word, names[i].name) == 0) mode = names[i].mode;
        if ((mode == UINT64_MAX && !parse_u64(word, &mode)) || mode > 0xffff) {
            snprintf(im->error, im->error_size, "-append: vga=%s: a mode is normal, ext, ask or a number to 65535",
                     word);
            return false;
        }
        put_le16(h + VID_MODE, (uint16_t)mode);
    }
    return true;
}

/* As high as may be below top, or 0 with the error set. */
static uint32_t place_initrd(Image *im, uint8_t *h, size_t size, uint32_t ram_end)
{
    uint64_t top = im->version >= 0x203 ? (uint64_t)get_le32(im->h + INITRD_ADDR_MAX) + 1 : 0x38000000;
    if (top > ram_end) top = ram_end;
    uint64_t base = top > size ? (top - size) & ~(uint64_t)PAGE_MASK : 0;
    if (base < im->memory_end) {
        uint64_t room = top > im->memory_end ? top - im->memory_end : 0;
        load_fail(im->error, im->error_size, "-initrd", im->rq->initrd,
                  "does not fit: %zu bytes, beside the kernel are %llu", size, (unsigned long long)room);
        return 0;
    }
    put_le32(h + RAMDISK_IMAGE, (uint32_t)base);
    put_le32(h + RAMDISK_SIZE, (uint32_t)size);
    return (uint32_t)base;
}

static bool put_initrd(Image *im, uint8_t *bp)
{
    const LoadRequest *rq = im->rq;
    FileData f;
    if (!rq->initrd) return true;
    if (!file_load("-initrd", rq->initrd, rq->low_ram_end, &f, im->error, im->error_size)) return false;
    uint32_t base = place_initrd(im, bp, f.size, rq->low_ram_end);
    if (base) phys_load(rq->phys, base, f.bytes, f.size);
    file_free(&f);
    return base != 0;
}

static void put_memory_map(const LoadRequest *rq, uint8_t *bp)
{
    uint32_t k = (rq->low_ram_end - HIGH_MEMORY) / 1024;
    put_le16(bp + BP_EXT_MEM_K, k > 0xfc00 ? 0xfc00 : k);
    put_le32(bp + BP_ALT_MEM_K, k);
    bp[BP_E820_COUNT] = (uint8_t)rq->map_count;
    for (unsigned i = 0; i < rq->map_count; i++) {
        uint8_t *e = bp + BP_E820 + 20 * i;
        put_le32(e, (uint32_t)rq->map[i].base);
        put_le32(e + 4, (uint32_t)(rq->map[i].base >> 32));
        put_le32(e + 8, (uint32_t)rq->map[i].size);
        put_le32(e + 12, (uint32_t)(rq->map[i].size >> 32));
        put_le32(e + 16, rq->map[i].type);
    }
}

bool load_linux(const LoadRequest *rq, const FileData *kernel, BootState *boot, char *error, size_t error_size)
{
    Image im = { .rq = rq, .file = kernel, .h = kernel->bytes, .error = error, .error_size = error_size };
    if (!check_header(&im) || !check_placement(&im)) return false;

    /* "The setup header is copied from 1f1h up to 202h plus the byte at 201h."  screen_info stays zero:
     * there is no display that the kernel could find in text mode. */
    uint8_t bp[BOOT_PARAMS_SIZE] = { 0 };
    size_t header_end = MAGIC + kernel->bytes[JUMP_LENGTH];
    if (header_end > HEADER_LIMIT) header_end = HEADER_LIMIT;
    memcpy(bp + HEADER_AT, kernel->bytes + HEADER_AT, header_end - HEADER_AT);
    bp[TYPE_OF_LOADER] = LOADER_UNKNOWN;
    if (im.version >= 0x20e) put_le32(bp + BP_RSDP, rq->rsdp);
    if (!place_command_line(&im, bp, BOOT_PARAMS, CMDLINE_AT) || !put_initrd(&im, bp)) return false;
    phys_load(rq->phys, CMDLINE_AT, rq->append ? rq->append : "", strlen(rq->append ? rq->append : "") + 1);
    put_memory_map(rq, bp);

    phys_load(rq->phys, HIGH_MEMORY, kernel->bytes + im.payload_at, im.payload_size);
    phys_load(rq->phys, BOOT_PARAMS, bp, sizeof bp);
    load_put_gdt(rq->phys, boot, GDT_AT);
    boot->eip = get_le32(kernel->bytes + CODE32_START);
    boot->esp = STACK_TOP;
    boot->esi = BOOT_PARAMS;
    return true;
}

bool load_linux_parts(const LoadRequest *rq, FileData *kernel, LinuxParts *out, char *error, size_t error_size)
{
    Image im = { .rq = rq, .file = kernel, .h = kernel->bytes, .error = error, .error_size = error_size };
    if (!check_header(&im) || !check_placement(&im)) return false;
    uint8_t *h = kernel->bytes; /* ours to fill in */
    if (im.payload_at > FW_SETUP_END - FW_SETUP_AT)
        return FAIL_KERNEL(&im, "has a damaged header: %u bytes of setup code", im.payload_at);
    uint32_t cmdline_at = im.version >= 0x202 ? FW_CMDLINE_AT : FW_SETUP_END;
    if (!place_command_line(&im, h, FW_SETUP_AT, cmdline_at) || !take_video_mode(&im, h)) return false;
    h[TYPE_OF_LOADER] = LOADER_UNKNOWN;
    if (im.version >= 0x201) {
        h[LOADFLAGS] |= CAN_USE_HEAP;
        put_le16(h + HEAP_END_PTR, FW_SETUP_END - FW_SETUP_AT - 0x400); /* a stack above, 200h is implied */
    }
    *out = (LinuxParts){ .setup_at = FW_SETUP_AT,
                         .setup_size = im.payload_at,
                         .kernel_at = HIGH_MEMORY,
                         .kernel_size = im.payload_size,
                         .cmdline_at = cmdline_at };
    if (!rq->initrd) return true;
    uint32_t ram_end = rq->low_ram_end - FW_KEEPS;
    if (!file_load("-initrd", rq->initrd, rq->low_ram_end, &out->initrd, error, error_size)) return false;
    out->initrd_at = place_initrd(&im, h, out->initrd.size, ram_end);
    if (!out->initrd_at) file_free(&out->initrd);
    return out->initrd_at != 0;
}
