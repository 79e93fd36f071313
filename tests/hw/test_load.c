/* The loaders: images that are right, each way of being wrong that we know, and random damage. */
#include <string.h>
#include <unistd.h>

#include "hw/load.h"
#include "fake.h"
#include "util/bytes.h"

static PhysMem *phys;
static char dir[] = "/tmp/calque-load-XXXXXX", kernel_path[64], initrd_path[64];
static char error[512];
static BootState boot;
static const char *append, *initrd;
static uint32_t ram_end = 16u << 20;
static uint8_t image[32768];

static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n) exit(99);
    fclose(f);
}

static bool load(size_t n)
{
    LoadRequest rq = { .phys = phys,
                       .kernel = kernel_path,
                       .initrd = initrd,
                       .append = append,
                       .low_ram_end = ram_end,
                       .rsdp = 0xe0000,
                       .map = { { 0, CONVENTIONAL_END, MEMORY_USABLE },
                                { HIGH_MEMORY, ram_end - HIGH_MEMORY, MEMORY_USABLE } },
                       .map_count = 2 };
    put_file(kernel_path, image, n);
    error[0] = 0;
    return load_kernel(&rq, &boot, error, sizeof error);
}

/* Fails, and says so in one line that has `why` in it. */
static void refuses(size_t n, const char *why)
{
    bool loaded = load(n);
    ok(!loaded && strstr(error, why) && !strchr(error, '\n'), "refused: %s", error);
}

/* --- Linux ------------------------------------------------------------------------------------------------ */

enum { SETUP = 5 * 512, PAYLOAD = 4096, LINUX_SIZE = SETUP + PAYLOAD };

static void make_linux(void)
{
    memset(image, 0, sizeof image);
    for (int i = 0; i < PAYLOAD; i++) image[SETUP + i] = (uint8_t)(i * 13);
    image[0x1f1] = 4;
    put_le32(image + 0x1f4, PAYLOAD / 16);
    put_le16(image + 0x1fe, 0xaa55);
    image[0x200] = 0xeb;
    image[0x201] = 0x68;
    memcpy(image + 0x202, "HdrS", 4);
    put_le16(image + 0x206, 0x20f);
    image[0x211] = 1;
    put_le32(image + 0x214, 0x100000);
    put_le32(image + 0x22c, 0x7fffffff);
    put_le32(image + 0x230, 0x200000);
    image[0x234] = 1;
    put_le32(image + 0x238, 100);
    put_le32(image + 0x258, 0x400000);
    put_le32(image + 0x260, 0x100000);
    append = "console=ttyS0";
    initrd = NULL;
    ram_end = 16u << 20;
}

static void test_linux(void)
{
    char text[64] = { 0 };
    uint8_t b[512];
    make_linux();
    ok(load(LINUX_SIZE), "bzImage %s", error);
    ok(boot.eip == 0x100000 && boot.cs == 0x10 && boot.ds == 0x18 && boot.gdt_limit >= 31, "entry state");
    ok(phys_ld(phys, boot.gdt_base + 16, 8) == 0x00cf9b000000ffff &&
           phys_ld(phys, boot.gdt_base + 24, 8) == 0x00cf93000000ffff,
       "GDT");
    phys_read(phys, 0x100000, b, sizeof b);
    ok(!memcmp(b, image + SETUP, sizeof b), "kernel at 1 MiB");
    phys_read(phys, (uint32_t)phys_ld(phys, boot.esi + 0x228, 4), text, 14);
    ok(!strcmp(text, "console=ttyS0"), "command line");
    IS(phys_ld(phys, boot.esi + 0x1fe, 2), 0xaa55, "setup header copied");
    IS(phys_ld(phys, boot.esi + 0x210, 1), 0xff, "loader type");
    IS(phys_ld(phys, boot.esi + 0x70, 8), 0xe0000, "RSDP");
    IS(phys_ld(phys, boot.esi + 0x1e8, 1), 2, "memory map entries");
    IS(phys_ld(phys, boot.esi + 0x2d0 + 20 + 8, 8), 15u << 20, "memory map size");
    IS(phys_ld(phys, boot.esi + 0x218, 4), 0, "no initrd");

    memset(b, 0x77, sizeof b);
    put_file(initrd_path, b, 300);
    initrd = initrd_path;
    ok(load(LINUX_SIZE), "with initrd %s", error);
    uint32_t at = (uint32_t)phys_ld(phys, boot.esi + 0x218, 4);
    ok(at == ram_end - 4096 && phys_ld(phys, boot.esi + 0x21c, 4) == 300 && phys_ld(phys, at + 299, 1) == 0x77,
       "initrd at the top of memory (%#x)", at);
    put_le32(image + 0x22c, 0x7fffff);
    ok(load(LINUX_SIZE) && phys_ld(phys, boot.esi + 0x218, 4) == 0x7ff000, "initrd below initrd_addr_max");
    put_le32(image + 0x22c, 0x4fffff);
    refuses(LINUX_SIZE, "does not fit");
    put_le16(image + 0x206, 0x201);
    initrd = NULL;
    ok(load(LINUX_SIZE) && phys_ld(phys, boot.esi + 0x20, 2) == 0xa33f, "protocol 2.01: old command line %s", error);
}

/* What is prepared for the option ROM. */
static bool parts(size_t n, FileData *kernel, LinuxParts *p)
{
    LoadRequest rq = {
        .phys = phys, .kernel = kernel_path, .initrd = initrd, .append = append, .low_ram_end = ram_end
    };
    put_file(kernel_path, image, n);
    error[0] = 0;
    if (!file_load("-kernel", kernel_path, ram_end, kernel, error, sizeof error)) return false;
    return load_is_linux(kernel) && load_linux_parts(&rq, kernel, p, error, sizeof error);
}

static void test_linux_parts(void)
{
    FileData k;
    LinuxParts p = { .setup_at = 0 };
    uint8_t b[300];
    make_linux();
    memset(b, 0x77, sizeof b);
    put_file(initrd_path, b, sizeof b);
    initrd = initrd_path;
    ok(parts(LINUX_SIZE, &k, &p), "for firmware %s", error);
    ok(p.setup_at == 0x10000 && p.setup_size == SETUP && p.kernel_at == 0x100000 && p.kernel_size == PAYLOAD,
       "setup code and kernel");
    IS(get_le32(k.bytes + 0x228), p.cmdline_at, "command line");
    ok(k.bytes[0x210] == 0xff && (k.bytes[0x211] & 0x80), "loader type and heap");
    ok(p.setup_at + get_le16(k.bytes + 0x224) + 0x200 < 0x1eff0, "heap below the stack");
    ok(get_le32(k.bytes + 0x218) == p.initrd_at && get_le32(k.bytes + 0x21c) == sizeof b &&
           p.initrd_at + sizeof b <= ram_end - (1 << 20),
       "initrd below what firmware keeps");
    file_free(&p.initrd);
    file_free(&k);
    put_le16(image + 0x206, 0x201);
    initrd = NULL;
    p = (LinuxParts){ .setup_at = 0 };
    ok(parts(LINUX_SIZE, &k, &p) && p.setup_at + get_le16(k.bytes + 0x22) == p.cmdline_at, "old protocol %s", error);
    file_free(&k);
    make_linux();
    initrd = initrd_path;
    ram_end = 6u << 20;
    ok(!parts(LINUX_SIZE, &k, &p) && strstr(error, "does not fit"), "no room: %s", error);
    file_free(&k);
    for (unsigned i = 0, loaded = 0; i < 500; i++) {
        make_linux();
        for (unsigned n = 1 + i % 4; n; n--) image[0x1f1 + (i * 7919 + n * 104729) % 0x80] = (uint8_t)(i * 31 + n * 17);
        p = (LinuxParts){ .setup_at = 0 };
        if (parts(LINUX_SIZE, &k, &p)) loaded += p.setup_size + (size_t)p.kernel_size <= k.size;
        file_free(&p.initrd);
        file_free(&k);
        if (i == 499) ok(loaded > 0, "500 damaged images, %u of them loaded", loaded);
    }
}

/* -append vga= is for the setup code, which takes it from the header; -1: refused. */
static int video_mode(const char *text)
{
    FileData k = { 0 };
    LinuxParts p = { .setup_at = 0 };
    make_linux();
    put_le16(image + 0x1fa, 0xffff);
    append = text;
    bool good = parts(LINUX_SIZE, &k, &p);
    int mode = good ? (int)get_le16(k.bytes + 0x1fa) : -1;
    file_free(&k);
    return mode;
}

static void test_video_mode(void)
{
    IS(video_mode("quiet"), 0xffff, "vid_mode of the image stays");
    IS(video_mode("quiet vga=791 x"), 791, "vga=791");
    IS(video_mode("vga=0x317"), 0x317, "vga=0x317");
    IS(video_mode("vga=ask vga=ext"), 0xfffe, "the last counts");
    IS(video_mode("vga=normal"), 0xffff, "vga=normal");
    IS(video_mode("vga=ask"), 0xfffd, "vga=ask");
    IS(video_mode("nvga=791 video=vga=791"), 0xffff, "only as a word of its own");
    ok(video_mode("vga=big") == -1 && strstr(error, "vga=big") && !strchr(error, '\n'), "refused: %s", error);
    IS(video_mode("vga="), -1, "nothing");
    IS(video_mode("vga=65536"), -1, "17 bits");
    IS(video_mode("vga=791x"), -1, "more than a number");
}

static void test_linux_refusals(void)
{
    char *long_text = calloc(1, 5000);
    memset(long_text, 'x', 4999);
    make_linux();
    refuses(SETUP, "truncated");
    refuses(LINUX_SIZE - 100, "truncated");
    refuses(0x100, "neither");
    refuses(0, "empty");
    append = long_text;
    refuses(LINUX_SIZE, "-append");
    make_linux();
    put_le32(image + 0x214, 0x200000);
    refuses(LINUX_SIZE, "entry point");
    make_linux();
    image[0x211] = 0;
    refuses(LINUX_SIZE, "zImage");
    make_linux();
    put_le16(image + 0x206, 0x105);
    refuses(LINUX_SIZE, "too old");
    make_linux();
    put_le32(image + 0x230, 0x123);
    refuses(LINUX_SIZE, "alignment");
    make_linux();
    put_le32(image + 0x260, 0x7fffffff);
    refuses(LINUX_SIZE, "needs");
    put_le32(image + 0x258, 0xffffffff);
    put_le32(image + 0x25c, 0xffffffff);
    refuses(LINUX_SIZE, "damaged");
    make_linux();
    ram_end = 2u << 20;
    refuses(LINUX_SIZE, "needs");
    make_linux();
    initrd = "/nonexistent/initrd";
    refuses(LINUX_SIZE, "-initrd '/nonexistent/initrd'");
    put_file(initrd_path, "", 0);
    initrd = initrd_path;
    refuses(LINUX_SIZE, "empty");
    initrd = dir;
    refuses(LINUX_SIZE, "directory");
    free(long_text);
}

/* --- Multiboot -------------------------------------------------------------------------------------------- */

static void put_header(uint32_t at, uint32_t flags)
{
    put_le32(image + at, 0x1badb002);
    put_le32(image + at + 4, flags);
    put_le32(image + at + 8, 0u - 0x1badb002 - flags);
}

static void make_kludge(void)
{
    memset(image, 0, sizeof image);
    for (int i = 0; i < 4096; i++) image[i] = (uint8_t)(i * 7);
    put_header(0x40, 0x10003);
    put_le32(image + 0x4c, 0x200040);
    put_le32(image + 0x50, 0x200000);
    put_le32(image + 0x54, 0x201000);
    put_le32(image + 0x58, 0x203000);
    put_le32(image + 0x5c, 0x200060);
    append = "quiet";
    initrd = NULL;
    ram_end = 16u << 20;
}

static void make_elf(void)
{
    make_kludge();
    put_header(0x100, 3);
    memset(image, 0, 0x100);
    memcpy(image, "\177ELF\1\1\1", 7);
    put_le16(image + 16, 2);
    put_le16(image + 18, 3);
    put_le32(image + 24, 0xc0200010); /* entry, virtual */
    put_le32(image + 28, 52);
    put_le16(image + 42, 32);
    put_le16(image + 44, 1);
    put_le32(image + 52, 1);
    put_le32(image + 56, 0x1000);
    put_le32(image + 60, 0xc0200000);
    put_le32(image + 64, 0x200000);
    put_le32(image + 68, 0x800);
    put_le32(image + 72, 0x2000);
}

static void string_at(uint32_t at, char *text, size_t n)
{
    phys_read(phys, at, text, n - 1);
    text[n - 1] = 0;
}

static void test_multiboot(void)
{
    char text[128], want[256];
    uint8_t b[256];
    make_kludge();
    ok(load(8192), "a.out-kludge %s", error);
    ok(boot.eip == 0x200060 && boot.eax == 0x2badb002, "entry and magic");
    phys_read(phys, 0x200000, b, sizeof b);
    ok(!memcmp(b, image, sizeof b), "loaded");
    IS(phys_ld(phys, 0x201000, 4), 0, "BSS is zero");
    make_elf();
    put_file(initrd_path, "module", 6);
    char modules[300];
    snprintf(modules, sizeof modules, "%s one two,%s a,,b", initrd_path, initrd_path);
    initrd = modules;
    ok(load(8192), "ELF %s", error);
    IS(boot.eip, 0x200010, "entry goes to the physical address");
    IS(phys_ld(phys, boot.ebx, 4), 0x24d, "information flags");
    IS(phys_ld(phys, boot.ebx + 4, 4), 639, "lower memory");
    IS(phys_ld(phys, boot.ebx + 8, 4), 15 * 1024, "upper memory");
    string_at((uint32_t)phys_ld(phys, boot.ebx + 16, 4), text, sizeof text);
    snprintf(want, sizeof want, "%s quiet", kernel_path);
    ok(!strcmp(text, want), "command line: %s", text);
    IS(phys_ld(phys, boot.ebx + 20, 4), 2, "two modules");
    uint32_t mods = (uint32_t)phys_ld(phys, boot.ebx + 24, 4);
    IS(phys_ld(phys, mods + 4, 4) - phys_ld(phys, mods, 4), 6, "size of the first");
    IS(phys_ld(phys, mods + 16, 4) & 0xfff, 0, "second is page-aligned");
    IS(phys_ld(phys, phys_ld(phys, mods + 16, 4), 4), 0x75646f6d, "its bytes");
    string_at((uint32_t)phys_ld(phys, mods + 24, 4), text, sizeof text);
    snprintf(want, sizeof want, "%s a,b", initrd_path);
    ok(!strcmp(text, want), "its arguments: %s", text);
    uint32_t map = (uint32_t)phys_ld(phys, boot.ebx + 48, 4);
    ok(phys_ld(phys, boot.ebx + 44, 4) == 48 && phys_ld(phys, map, 4) == 20 && phys_ld(phys, map + 28, 8) == 0x100000,
       "memory map");
    ok(boot.gdt_base > boot.ebx && phys_ld(phys, boot.gdt_base + 16, 8) == 0x00cf9b000000ffff, "GDT");
}

static void test_multiboot_refusals(void)
{
    make_elf();
    refuses(0x1400, "truncated");
    make_elf();
    put_le32(image + 64, 0xb0000);
    refuses(8192, "no memory");
    put_le32(image + 64, 0xfffff000);
    refuses(8192, "no memory");
    make_elf();
    put_le32(image + 68, 0x2001);
    refuses(16384, "larger in the file");
    make_elf();
    put_le16(image + 44, 0xffff);
    refuses(8192, "program headers");
    make_elf();
    put_le32(image + 52, 2);
    refuses(8192, "nothing to load");
    make_elf();
    put_le16(image + 18, 62);
    refuses(8192, "32-bit x86");
    make_elf();
    put_le32(image + 24, 0xfff00000);
    refuses(8192, "entry point");
    make_elf();
    put_header(0x100, 0x20);
    refuses(8192, "features");
    make_elf();
    initrd = "/nonexistent/m a";
    refuses(8192, "/nonexistent/m");
    make_kludge();
    put_le32(image + 0x50, 0x300000);
    refuses(8192, "damaged");
    make_kludge();
    put_le32(image + 0x54, 0x1ff000);
    refuses(8192, "damaged");
    make_kludge();
    put_le32(image + 0x54, 0x280000);
    refuses(8192, "damaged");
    put_le32(image + 0x58, 0);
    refuses(8192, "truncated");
    make_kludge();
    refuses(0x50, "truncated");
}

/* Any outcome is right that the sanitizers accept and that either loads or explains itself. */
static void fuzz(const char *name, void (*make)(void), size_t size, unsigned header)
{
    bool good = true;
    int loaded = 0;
    for (int i = 0; i < 1500; i++) {
        make();
        if (i & 1) initrd = initrd_path;
        for (int k = rand() % 6; k >= 0; k--) {
            unsigned at = (unsigned)rand() % (rand() % 4 ? header : (unsigned)size);
            if (rand() & 1)
                image[at] = (uint8_t)rand();
            else
                put_le32(image + at, (uint32_t)rand() * 2654435761u);
        }
        bool done = load(rand() % 4 ? size : (size_t)rand() % size);
        loaded += done;
        good &= done || (error[0] && !strchr(error, '\n'));
    }
    ok(good, "%s: 1500 damaged images, %d of them loaded", name, loaded);
}

int main(void)
{
    if (!mkdtemp(dir)) return 99;
    snprintf(kernel_path, sizeof kernel_path, "%s/kernel", dir);
    snprintf(initrd_path, sizeof initrd_path, "%s/initrd", dir);
    phys = phys_new();
    phys_add_ram(phys, "ram", 0, 16u << 20, 0);
    test_linux();
    test_linux_parts();
    test_video_mode();
    test_linux_refusals();
    test_multiboot();
    test_multiboot_refusals();
    srand(11);
    put_file(initrd_path, "module", 6);
    fuzz("bzImage", make_linux, LINUX_SIZE, 0x290);
    fuzz("a.out-kludge", make_kludge, 8192, 0x60);
    fuzz("ELF", make_elf, 8192, 0x110);
    phys_free(phys);
    unlink(kernel_path);
    unlink(initrd_path);
    rmdir(dir);
    return tap_done();
}
