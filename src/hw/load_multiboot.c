/* Multiboot specification 0.6.96: ELF and a.out-kludge images; modules come from -initrd as
 * "file args,file args" (",," stands for a comma).  In memory, from the first page after the kernel:
 * boot information with its strings and tables, GDT, then the modules, each on a page of its own. */
#include "hw/load.h"
#include "util/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SEARCH = 8192, MAX_MODULES = 64 };
#define HEADER_MAGIC 0x1badb002u
#define BOOT_MAGIC   0x2badb002u
enum { UNKNOWN_NEEDS = 0xfff8, HAS_ADDRESSES = 0x10000 };
enum { INFO_MEMORY = 1, INFO_CMDLINE = 4, INFO_MODS = 8, INFO_MMAP = 0x40, INFO_LOADER_NAME = 0x200 };
enum { INFO_SIZE = 120, MMAP_ENTRY = 24, MODULE_ENTRY = 16 };

typedef struct Module {
    FileData file;
    char *text; /* file name and arguments, as given */
    uint32_t start;
} Module;

typedef struct Load {
    const LoadRequest *rq;
    const FileData *kernel;
    uint32_t header; /* its offset in the file */
    uint32_t entry;
    uint64_t end; /* first address behind all that has been loaded at or above 1 MiB */
    Module module[MAX_MODULES];
    unsigned n_modules;
    char *error;
    size_t error_size;
} Load;

#define FAIL_KERNEL(l, ...) load_fail((l)->error, (l)->error_size, "-kernel", (l)->rq->kernel, __VA_ARGS__)

/* Offset of the header, or -1. */
static long find_header(const FileData *k)
{
    size_t limit = k->size < HEADER_SEARCH ? k->size : HEADER_SEARCH;
    for (size_t at = 0; at + 12 <= limit; at += 4) {
        const uint8_t *h = k->bytes + at;
        if (get_le32(h) == HEADER_MAGIC && get_le32(h) + get_le32(h + 4) + get_le32(h + 8) == 0) return (long)at;
    }
    return -1;
}

bool load_is_multiboot(const FileData *k)
{
    return find_header(k) >= 0;
}

/* --- the kernel --------------------------------------------------------------------------------------- */

/* file_size bytes of the file at `offset` go to addr, zeros up to memory_size. */
static bool put_segment(Load *l, uint64_t offset, uint64_t file_size, uint64_t addr, uint64_t memory_size)
{
    if (offset > l->kernel->size || file_size > l->kernel->size - offset)
        return FAIL_KERNEL(l, "is truncated: a segment ends at %llu, the file at %zu",
                           (unsigned long long)(offset + file_size), l->kernel->size);
    if (file_size > memory_size) return FAIL_KERNEL(l, "has a segment that is larger in the file than in memory");
    if (!load_is_ram(l->rq, addr, memory_size))
        return FAIL_KERNEL(l, "has a segment where there is no memory (%#llx, %llu bytes)", (unsigned long long)addr,
                           (unsigned long long)memory_size);
    phys_load(l->rq->phys, addr, l->kernel->bytes + offset, file_size);
    static const uint8_t zeros[4096];
    for (uint64_t at = file_size, n; at < memory_size; at += n) {
        n = memory_size - at < sizeof zeros ? memory_size - at : sizeof zeros;
        phys_load(l->rq->phys, addr + at, zeros, n);
    }
    if (addr + memory_size > l->end) l->end = addr + memory_size;
    return true;
}

/* The header itself says where everything goes (section 3.1.3). */
static bool load_by_addresses(Load *l)
{
    if (l->kernel->size - l->header < 32) return FAIL_KERNEL(l, "is truncated in its Multiboot header");
    const uint8_t *h = l->kernel->bytes + l->header;
    uint32_t header_addr = get_le32(h + 12), load_addr = get_le32(h + 16), load_end = get_le32(h + 20),
             bss_end = get_le32(h + 24);
    if (load_addr > header_addr || header_addr - load_addr > l->header)
        return FAIL_KERNEL(l, "has a damaged Multiboot header: load address %#x, header at %#x", load_addr,
                           header_addr);
    uint32_t offset = l->header - (header_addr - load_addr);
    uint64_t size = load_end ? (uint64_t)load_end - load_addr : l->kernel->size - offset;
    if (load_end && load_end < load_addr)
        return FAIL_KERNEL(l, "has a damaged Multiboot header: ends before it starts");
    uint64_t memory = size;
    if (bss_end) {
        if (bss_end < load_addr + size)
            return FAIL_KERNEL(l, "has a damaged Multiboot header: BSS ends within the data");
        memory = (uint64_t)bss_end - load_addr;
    }
    l->entry = get_le32(h + 28);
    return put_segment(l, offset, size, load_addr, memory);
}

enum { ELF_HEADER = 52, ELF_PHENT = 32, PT_LOAD = 1, ET_EXEC = 2, EM_386 = 3 };

/* Many kernels are linked at a virtual address: the entry point goes with its segment. */
static void place_entry(Load *l, uint32_t elf_entry, uint32_t vaddr, uint32_t paddr, uint32_t memory_size)
{
    if (elf_entry - vaddr < memory_size) l->entry = elf_entry - vaddr + paddr;
}

static bool load_elf(Load *l)
{
    const uint8_t *e = l->kernel->bytes;
    size_t size = l->kernel->size;
    if (size < ELF_HEADER || memcmp(e, "\177ELF", 4)) return FAIL_KERNEL(l, "is a Multiboot image but no ELF file");
    if (e[4] != 1 || e[5] != 1 || get_le16(e + 18) != EM_386)
        return FAIL_KERNEL(l, "is not an ELF file for 32-bit x86");
    if (get_le16(e + 16) != ET_EXEC) return FAIL_KERNEL(l, "is not an ELF executable");
    uint32_t phoff = get_le32(e + 28), phentsize = get_le16(e + 42), phnum = get_le16(e + 44);
    if (phentsize < ELF_PHENT || phoff > size || (uint64_t)phnum * phentsize > size - phoff)
        return FAIL_KERNEL(l, "is truncated: its program headers are outside of the file");
    uint32_t elf_entry = get_le32(e + 24);
    bool any = false;
    l->entry = elf_entry;
    for (uint32_t i = 0; i < phnum; i++) {
        const uint8_t *p = e + phoff + i * phentsize;
        if (get_le32(p) != PT_LOAD) continue;
        uint32_t memory_size = get_le32(p + 20);
        if (!put_segment(l, get_le32(p + 4), get_le32(p + 16), get_le32(p + 12), memory_size)) return false;
        place_entry(l, elf_entry, get_le32(p + 8), get_le32(p + 12), memory_size);
        any = true;
    }
    return any || FAIL_KERNEL(l, "has nothing to load");
}

static bool load_image(Load *l)
{
    uint32_t flags = get_le32(l->kernel->bytes + l->header + 4);
    if (flags & UNKNOWN_NEEDS)
        return FAIL_KERNEL(l, "needs Multiboot features (%#x) that are unknown", flags & UNKNOWN_NEEDS);
    if (!(flags & HAS_ADDRESSES ? load_by_addresses(l) : load_elf(l))) return false;
    return load_is_ram(l->rq, l->entry, 1) || FAIL_KERNEL(l, "has its entry point (%#x) outside of memory", l->entry);
}

/* --- modules ------------------------------------------------------------------------------------------ */

/* The next item of "file args,file args", unescaped; *rest moves behind it. */
static char *next_item(const char **rest)
{
    char *item = malloc(strlen(*rest) + 1), *out = item;
    const char *p = *rest;
    if (!item) return NULL;
    for (; *p && (*p != ',' || p[1] == ','); p++) {
        if (*p == ',') p++;
        *out++ = *p;
    }
    *out = 0;
    *rest = *p ? p + 1 : NULL;
    return item;
}

static bool read_module(Load *l, const char **rest)
{
    if (l->n_modules == MAX_MODULES)
        return load_fail(l->error, l->error_size, "-initrd", l->rq->initrd, "more than %d modules", MAX_MODULES);
    Module *m = &l->module[l->n_modules];
    m->text = next_item(rest);
    if (!m->text) return load_fail(l->error, l->error_size, "-initrd", l->rq->initrd, "out of memory");
    l->n_modules++; /* from here on free_modules() sees to it */
    char *blank = strchr(m->text, ' ');
    if (blank) *blank = 0;
    bool good = file_load("-initrd", m->text, l->rq->low_ram_end, &m->file, l->error, l->error_size);
    if (blank) *blank = ' ';
    return good;
}

static bool read_modules(Load *l)
{
    for (const char *rest = l->rq->initrd; rest;)
        if (!read_module(l, &rest)) return false;
    return true;
}

static void free_modules(Load *l)
{
    for (unsigned i = 0; i < l->n_modules; i++) {
        file_free(&l->module[i].file);
        free(l->module[i].text);
    }
}

static bool put_modules(Load *l)
{
    for (unsigned i = 0; i < l->n_modules; i++) {
        Module *m = &l->module[i];
        uint64_t at = (l->end + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
        if (!load_is_ram(l->rq, at, m->file.size))
            return load_fail(l->error, l->error_size, "-initrd", m->text, "does not fit into memory: %zu bytes",
                             m->file.size);
        phys_load(l->rq->phys, at, m->file.bytes, m->file.size);
        m->start = (uint32_t)at;
        l->end = at + m->file.size;
    }
    return true;
}

/* --- boot information --------------------------------------------------------------------------------- */

typedef struct Info {
    uint8_t *bytes;
    uint32_t base; /* its guest address */
    size_t used;
} Info;

/* Appends and returns the guest address. */
static uint32_t put_string(Info *in, const char *a, const char *b)
{
    size_t at = in->used;
    in->used += (size_t)sprintf((char *)in->bytes + at, *b ? "%s %s" : "%s%s", a, b) + 1;
    return in->base + (uint32_t)at;
}

static uint32_t put_map(Info *in, const LoadRequest *rq)
{
    size_t at = in->used;
    for (unsigned i = 0; i < rq->map_count; i++) {
        uint8_t *e = in->bytes + at + i * MMAP_ENTRY;
        put_le32(e, MMAP_ENTRY - 4);
        put_le32(e + 4, (uint32_t)rq->map[i].base);
        put_le32(e + 8, (uint32_t)(rq->map[i].base >> 32));
        put_le32(e + 12, (uint32_t)rq->map[i].size);
        put_le32(e + 16, (uint32_t)(rq->map[i].size >> 32));
        put_le32(e + 20, rq->map[i].type);
    }
    in->used += rq->map_count * MMAP_ENTRY;
    return in->base + (uint32_t)at;
}

static uint32_t put_module_list(Info *in, const Load *l)
{
    size_t at = in->used;
    in->used += l->n_modules * MODULE_ENTRY;
    for (unsigned i = 0; i < l->n_modules; i++) {
        uint8_t *e = in->bytes + at + i * MODULE_ENTRY;
        put_le32(e, l->module[i].start);
        put_le32(e + 4, l->module[i].start + (uint32_t)l->module[i].file.size);
        put_le32(e + 8, put_string(in, l->module[i].text, ""));
    }
    return in->base + (uint32_t)at;
}

static size_t info_room(const Load *l)
{
    size_t n = INFO_SIZE + LOAD_MAX_RANGES * MMAP_ENTRY + 32 + 16;
    n += strlen(l->rq->kernel) + strlen(l->rq->append) + 2;
    for (unsigned i = 0; i < l->n_modules; i++) n += MODULE_ENTRY + strlen(l->module[i].text) + 1;
    return n + 64;
}

/* Section 3.3. */
static void fill_info(const Load *l, Info *in)
{
    uint8_t *b = in->bytes;
    in->used = INFO_SIZE;
    put_le32(b, INFO_MEMORY | INFO_CMDLINE | INFO_MODS | INFO_MMAP | INFO_LOADER_NAME);
    put_le32(b + 4, CONVENTIONAL_END / 1024);
    put_le32(b + 8, (l->rq->low_ram_end - HIGH_MEMORY) / 1024);
    put_le32(b + 44, l->rq->map_count * MMAP_ENTRY);
    put_le32(b + 48, put_map(in, l->rq));
    put_le32(b + 20, l->n_modules);
    put_le32(b + 24, put_module_list(in, l));
    put_le32(b + 16, put_string(in, l->rq->kernel, l->rq->append));
    put_le32(b + 64, put_string(in, "calque", ""));
}

static bool put_info(Load *l, BootState *boot)
{
    size_t room = info_room(l);
    uint64_t base = (l->end + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
    if (!load_is_ram(l->rq, base, room + 40)) return FAIL_KERNEL(l, "leaves no memory for the boot information");
    l->end = base + room + 40; /* and the GDT */
    if (!put_modules(l)) return false;
    Info in = { .bytes = calloc(1, room), .base = (uint32_t)base };
    if (!in.bytes) return FAIL_KERNEL(l, "out of memory");
    fill_info(l, &in);
    phys_load(l->rq->phys, base, in.bytes, room);
    free(in.bytes);
    load_put_gdt(l->rq->phys, boot, (uint32_t)(base + ((room + 7) & ~(size_t)7)));
    boot->ebx = (uint32_t)base;
    return true;
}

bool load_multiboot(const LoadRequest *rq, const FileData *kernel, BootState *boot, char *error, size_t error_size)
{
    Load *l = calloc(1, sizeof *l);
    if (!l) return load_fail(error, error_size, "-kernel", rq->kernel, "out of memory");
    *l = (Load){ .rq = rq,
                 .kernel = kernel,
                 .header = (uint32_t)find_header(kernel),
                 .end = HIGH_MEMORY,
                 .error = error,
                 .error_size = error_size };
    bool good = load_image(l) && (!rq->initrd || read_modules(l)) && put_info(l, boot);
    boot->eip = l->entry;
    boot->eax = BOOT_MAGIC;
    boot->esp = CONVENTIONAL_END & ~15u;
    free_modules(l);
    free(l);
    return good;
}
