/* The physical map: overlays, aliases, odd edges, devices, code tracking. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "softmmu/phys.h"
#include "util/commit.h"
#include "../tap.h"

static struct {
    PhysAddr offset;
    uint64_t value;
    unsigned size, count;
} last;

static uint64_t dev_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque;
    last.offset = offset;
    last.size = size;
    last.count++;
    return 0x8877665544332211u + offset;
}

static void dev_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque;
    last.offset = offset;
    last.size = size;
    last.value = value;
    last.count++;
}

static const MmioOps dev_ops = { dev_read, dev_write };

static struct {
    unsigned n;
    PhysAddr addr[16];
    unsigned len[16];
} hits;

static void code_written(void *opaque, PhysAddr addr, unsigned len)
{
    (void)opaque;
    if (hits.n < 16) {
        hits.addr[hits.n] = addr;
        hits.len[hits.n] = len;
    }
    hits.n++;
}

static unsigned remaps;
static void remapped(void *opaque)
{
    (void)opaque;
    remaps++;
}

/* Pages from p on that the host has committed, of n. */
static unsigned resident(uint8_t *p, unsigned n)
{
    unsigned char in[256];
    unsigned count = 0;
    if (n > sizeof in || mincore(p, (size_t)n * PAGE_SIZE, in)) return 0;
    for (unsigned i = 0; i < n; i++) count += in[i] & 1;
    return count;
}

static void test_commit(void)
{
    enum { PIECE = 1 << COMMIT_SHIFT, N = PIECE / PAGE_SIZE };
    PhysMem *pm = phys_new();
    uint8_t *host = phys_region_host(phys_add_ram(pm, "ram", 0, 8 * PIECE + 5 * PAGE_SIZE, 0)), byte = 1;
    ok(!resident(host, N), "RAM costs the host nothing at first");
    phys_write(pm, 2 * PIECE + 5 * PAGE_SIZE, &byte, 1);
    ok(resident(host + 2 * PIECE, N) >= 1 && !resident(host + PIECE, N) && !resident(host + 3 * PIECE, N),
       "what is written is committed, and nothing far from it");
    uint8_t probe[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    bool can = !madvise(probe, PAGE_SIZE, 23 /* MADV_POPULATE_WRITE */) || errno != EINVAL;
    if (!can) {
        for (unsigned i = 0; i < 2; i++) puts("# the host is too old to commit pieces");
    } else {
        ok(resident(host + 2 * PIECE, N) == N, "with all of its piece at once");
        phys_commit(pm, 8 * PIECE);
        ok(resident(host + 8 * PIECE, 5) == 5, "the last piece is a short one");
    }
    phys_free(pm);
}

static void test_overlay(void)
{
    PhysMem *pm = phys_new();
    bool writable;
    PhysRegion *ram = phys_add_ram(pm, "ram", 0, 64u << 20, 0);
    PhysRegion *rom = phys_add_rom(pm, "bios", 0xf0000, 0x10000, 1);
    phys_add_alias(pm, "high bios", 0xffff0000, 0x10000, 1, rom, 0);
    phys_add_mmio(pm, "vga", 0xa0000, 0x20000, 1, &dev_ops, NULL);
    phys_on_remap(pm, remapped, NULL);

    phys_st(pm, 0x1234, 0x11223344, 4);
    ok(phys_ld(pm, 0x1234, 4) == 0x11223344, "RAM keeps what is written");
    ok(phys_region_host(ram)[0x1234] == 0x44, "... in host memory");
    phys_st(pm, 0xf0000, 0xab, 1);
    ok(phys_ld(pm, 0xf0000, 1) == 0, "ROM ignores writes");
    phys_load(pm, 0xffffe, "abcd", 4);
    ok(phys_ld(pm, 0xffffe, 2) == 0x6261 && phys_ld(pm, 0x100000, 2) == 0x6463, "loaders write ROM and go on in RAM");
    ok(phys_ld(pm, 0xfffffffe, 2) == 0x6261, "alias shows the same bytes");
    ok(!phys_page_host(pm, 0xa0000, &writable) && !writable, "device window has no host memory");
    ok(phys_page_host(pm, 0xf0000, &writable) && !writable, "ROM page is not writable");
    ok(phys_page_host(pm, 0x100000, &writable) && writable, "RAM page is writable");
    ok(phys_ld(pm, 0x80000000, 4) == 0xffffffff, "hole reads as ones");
    ok(phys_ld(pm, UINT64_C(0xfffffffffffffff8), 8) == ~UINT64_C(0), "address beyond 36 bits is a hole");

    PhysRegion *shadow = phys_add_alias(pm, "shadow", 0xf0000, 0x10000, 2, ram, 0xf0000);
    ok(remaps == 1, "listeners hear of a new region");
    phys_st(pm, 0xf0010, 0x55, 1);
    ok(phys_ld(pm, 0xf0010, 1) == 0x55, "shadow RAM over ROM");
    phys_region_set(shadow, 0xf0000, true, true);
    phys_st(pm, 0xf0010, 0x66, 1);
    ok(phys_ld(pm, 0xf0010, 1) == 0x55, "read-only shadow keeps its bytes");
    phys_region_set(shadow, 0xf0000, false, true);
    ok(phys_ld(pm, 0xf0010, 1) == 0 && phys_ld(pm, 0xffffe, 2) == 0x6261, "shadow off: ROM again");
    phys_region_set(shadow, 0x5000000, true, false);
    ok(phys_ld(pm, 0x5000010, 1) == 0x55, "a moved alias answers at its new place");
    ok(phys_ld(pm, 0x4000000, 1) == 0xff, "RAM ends where it ends");
    unsigned before = remaps;
    phys_region_set(shadow, 0x5000000, true, false);
    ok(remaps == before, "no change, no news");
    phys_free(pm);
}

static void test_device(void)
{
    PhysMem *pm = phys_new();
    phys_add_ram(pm, "ram", 0, 1u << 20, 0);
    phys_add_mmio(pm, "dev", 0x1100, 0x40, 1, &dev_ops, NULL); /* in the middle of a RAM page */
    bool writable;
    ok(!phys_page_host(pm, 0x1000, &writable), "page shared with a device is slow");
    phys_st(pm, 0x10fc, 0x0807060504030201, 8);
    ok(phys_ld(pm, 0x10fc, 4) == 0x04030201, "bytes before the device go to RAM");
    ok(last.offset == 0 && last.size == 4 && last.value == 0x08070605, "the rest to the device");
    last.count = 0;
    phys_st(pm, 0x1103, 0xddccbbaa, 4);
    ok(last.count == 3 && last.offset == 6 && last.size == 1 && last.value == 0xdd, "odd access is split: 1, 2, 1");
    ok(phys_ld(pm, 0x1108, 8) == 0x8877665544332219u, "eight bytes at once");
    phys_st(pm, 0x1140, 0x99, 1);
    ok(phys_ld(pm, 0x1140, 1) == 0x99, "RAM goes on behind it");
    uint8_t buf[0x80];
    phys_read(pm, 0x10f0, buf, sizeof(buf));
    ok(buf[0x0c] == 1 && buf[0x10] == 0x11 && buf[0x50] == 0x99, "one read across RAM, device, RAM");
    phys_free(pm);
}

static void test_code(void)
{
    PhysMem *pm = phys_new();
    PhysRegion *ram = phys_add_ram(pm, "ram", 0, 32u << 20, 0);
    PhysRegion *alias = phys_add_alias(pm, "alias", 0x10000000, 0x10000, 0, ram, 0x4000);
    phys_on_code_written(pm, code_written, NULL);
    phys_code_mark(pm, 0x4ff0, 0x20);
    ok(phys_page_has_code(pm, 0x4000) && phys_page_has_code(pm, 0x5000), "marks cross a page");
    ok(phys_page_has_code(pm, 0x10000000), "alias page has code too");
    ok(!phys_code_hit(pm, 0x4f00, 0xf0) && phys_code_hit(pm, 0x4f00, 0xf1), "to the byte: before");
    ok(phys_code_hit(pm, 0x500f, 0x100) && !phys_code_hit(pm, 0x5010, 0x100), "and behind");
    phys_write(pm, 0x4000, "x", 1);
    ok(hits.n == 0, "data beside code: nothing");
    phys_write(pm, 0x4fff, "xy", 2);
    ok(hits.n == 2 && hits.addr[0] == 0x4fff && hits.len[0] == 1 && hits.addr[1] == 0x5000, "reported by page");
    hits.n = 0;
    phys_write(pm, 0x10000ff8, "x", 1);
    ok(hits.n == 1 && hits.addr[0] == 0x4ff8, "a write through an alias is reported where the code was found");
    hits.n = 0;
    phys_code_mark(pm, 0x10000ff0, 4);
    phys_st(pm, 0x4ff0, 0, 4);
    ok(hits.n == 2, "both addresses are told");
    phys_code_clear_page(pm, 0x4000);
    ok(phys_page_has_code(pm, 0x4000), "still known by its alias");
    phys_code_clear_page(pm, 0x10000000);
    ok(!phys_page_has_code(pm, 0x4000), "then no more");
    hits.n = 0;
    phys_code_mark(pm, 0x10001000, 4);
    phys_region_set(alias, 0x20000000, true, false);
    ok(hits.n == 1 && hits.addr[0] == 0x10001000 && hits.len[0] == PAGE_SIZE, "moving a region ends its code");
    for (unsigned i = 0; i < 6; i++) { /* more aliases than are remembered */
        phys_region_set(alias, 0x20000000 + i * 0x100000, true, false);
        phys_code_mark(pm, 0x20002000 + i * 0x100000, 4);
    }
    ok(phys_page_has_code(pm, 0x6000), "many addresses for one page");
    phys_free(pm);
}

static unsigned lines;
static void count_line(void *opaque, const char *line)
{
    (void)opaque;
    lines += strlen(line) > 0;
}

int main(void)
{
    test_commit();
    test_overlay();
    test_device();
    test_code();
    PhysMem *pm = phys_new();
    PhysRegion *ram = phys_add_ram(pm, "big", 0, UINT64_C(3) << 30, 0);
    ok(ram != NULL, "3 GiB of RAM are only address space");
    phys_st(pm, (UINT64_C(3) << 30) - 8, 1, 8);
    ok(phys_ld(pm, (UINT64_C(3) << 30) - 8, 8) == 1, "its last bytes work");
    ok(!phys_add_ram(pm, "none", 0, 0, 0), "size 0 is refused");
    ok(!phys_add_alias(pm, "far", 0, 1, 0, ram, UINT64_C(3) << 30), "alias beyond its target is refused");
    phys_print(pm, count_line, NULL);
    ok(lines == 1, "one line a region");
    phys_free(pm);
    return tap_done();
}
