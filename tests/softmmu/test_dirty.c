/* Dirty tracking of a RAM region: every way to write is noticed, exactly once per page. */
#include <string.h>

#include "softmmu/mmu.h"
#include "../tap.h"

enum { PAGES = 8, AT = 0x100000, ALIAS = 0x400000 };

static PhysMem *pm;
static PhysRegion *region;
static Mmu mmu;

static unsigned take(void)
{
    uint8_t flag[PAGES];
    unsigned bits = 0;
    phys_dirty_take(region, 0, PAGES, flag);
    for (unsigned i = 0; i < PAGES; i++) bits |= (unsigned)flag[i] << i;
    return bits;
}

static void store(uint32_t lin, unsigned size)
{
    MmuFault fault;
    mmu_st(&mmu, lin, 0x55, size, MMU_SUPER, &fault);
}

static bool is_fast(uint32_t lin)
{
    return mmu.tlb[MMU_SUPER][mmu_tlb_index(lin)].tag_wr == (lin & ~PAGE_MASK);
}

static unsigned told;
static void on_code(void *opaque, PhysAddr addr, unsigned len)
{
    (void)opaque, (void)len;
    told += addr == AT + 2 * PAGE_SIZE + 64;
}

int main(void)
{
    uint8_t some[PAGE_SIZE] = { 0 };
    pm = phys_new();
    phys_add_ram(pm, "ram", 0, AT, 0);
    region = phys_add_ram(pm, "display", AT, PAGES * PAGE_SIZE, 0);
    phys_add_alias(pm, "window", ALIAS, 2 * PAGE_SIZE, 0, region, 4 * PAGE_SIZE);
    mmu_init(&mmu, pm);
    store(AT, 4);
    ok(is_fast(AT), "without tracking writes are fast");
    phys_dirty_track(region);
    ok(take() == 0xff, "at first all pages are dirty");
    ok(take() == 0, "then none");
    ok(!is_fast(AT), "the TLB has been told");
    store(AT + 5, 1);
    ok(take() == 1, "a store makes its page dirty");
    store(AT + 5, 1);
    store(AT + 6, 1);
    ok(is_fast(AT), "and further ones are fast again");
    ok(take() == 1 && !is_fast(AT), "until it is taken");
    store(AT + 3 * PAGE_SIZE - 2, 4);
    ok(take() == 0x0c, "a store across pages");
    phys_write(pm, AT + PAGE_SIZE - 1, some, PAGE_SIZE);
    ok(take() == 3, "DMA");
    store(ALIAS + PAGE_SIZE, 4);
    ok(take() == 0x20, "through an alias");
    store(ALIAS + PAGE_SIZE, 4);
    store(ALIAS + PAGE_SIZE, 4);
    ok(is_fast(ALIAS + PAGE_SIZE), "which is fast after that");
    phys_dirty_take(region, 4, 2, some);
    ok(some[0] == 0 && some[1] == 1 && !is_fast(ALIAS + PAGE_SIZE), "and protected by host address");
    phys_dirty_mark(region, 7 * PAGE_SIZE, 1u << 20);
    ok(take() == 0x80, "the owner's own writes, cut to the region");
    phys_on_code_written(pm, on_code, NULL);
    phys_code_mark(pm, AT + 2 * PAGE_SIZE + 64, 10);
    phys_dirty_mark(region, 2 * PAGE_SIZE + 64, 4);
    ok(told == 1, "reach the code tracker");
    ok(take() == 4, "as well");
    ok(!phys_dirty_take(region, PAGES, 4, some) && !some[0], "beyond the region there is nothing");
    mmu_free(&mmu);
    phys_free(pm);
    return tap_done();
}
