/* The TLB's journal: random work is taken back exactly.  The tap: who writes is announced, pages stay closed until it
 * says otherwise, devices are reached through it. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/mmu_book.h"
#include "../tap.h"

enum { DIR = 0x100000, TAB = 0x200000, P_RW_US = 7, GLOBAL = 0x100, LARGE = 0x80 };
#define CR0_ON 0x80000001u
enum { CR4_ON = 0x90 /* PSE PGE */, ROUNDS = 300, STEPS = 40 };

static PhysMem *pm;
static Mmu *m;
static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* 64 MiB mapped twice over: by tables, some pages global, and at 40000000h by large pages. */
static void make_tables(void)
{
    for (uint32_t i = 0; i < 16; i++) {
        phys_st(pm, DIR + 4 * i, (TAB + i * PAGE_SIZE) | P_RW_US, 4);
        phys_st(pm, DIR + 4 * (i + 256), i << 22 | P_RW_US | LARGE, 4);
        for (uint32_t k = 0; k < 1024; k++)
            phys_st(pm, TAB + i * PAGE_SIZE + 4 * k, i << 22 | k << 12 | P_RW_US | (k % 5 ? 0 : GLOBAL), 4);
    }
}

/* Pages that share few TLB slots, so that they push each other out. */
static uint32_t any_address(void)
{
    uint32_t page = below(4) * MMU_TLB_SIZE + 0x400 + below(6);
    return (below(4) ? page << PAGE_SHIFT & 0x3ffffff : 0x40000000 | page << PAGE_SHIFT) + below(PAGE_SIZE - 8);
}

static void any_step(void)
{
    uint64_t v;
    MmuFault f;
    PhysAddr phys;
    switch (below(16)) {
    case 0: mmu_invlpg(m, any_address()); break;
    case 1: mmu_set_control(m, CR0_ON, DIR, CR4_ON, false, true); break;
    case 2: mmu_set_a20(m, below(2)); break;
    case 3: mmu_flush_all(m); break;
    case 4: mmu_set_control(m, CR0_ON, DIR, CR4_ON ^ 0x80, below(2), false); break;
    case 5:
    case 6:
    case 7: mmu_translate(m, any_address(), MMU_EXEC, below(2), &phys, &f); break;
    case 8:
    case 9:
    case 10: mmu_st(m, any_address(), state, 4, below(2), &f); break;
    default: mmu_ld(m, any_address(), 4, below(2), &v, &f);
    }
}

typedef struct Copy {
    Mmu mmu;
    MmuBook book;
} Copy;

static void take(Copy *c)
{
    c->mmu = *m;
    c->book = *m->book;
}

static bool same_slots(const Copy *a, const Copy *b)
{
    for (unsigned t = 0; t < BOOK_TABLES; t++)
        for (unsigned i = 0; i < MMU_TLB_SIZE; i++) {
            const Slot *x = &a->book.slot[t][i], *y = &b->book.slot[t][i];
            if ((x->flags ^ y->flags) & ~SLOT_ON_LIST) return false;
            if (x->flags & SLOT_VALID && x->ppage != y->ppage) return false;
        }
    return true;
}

static bool same(const Copy *a, const Copy *b)
{
    return !memcmp(a->mmu.tlb, b->mmu.tlb, sizeof a->mmu.tlb) &&
           !memcmp(a->mmu.itlb, b->mmu.itlb, sizeof a->mmu.itlb) && a->mmu.cr0 == b->mmu.cr0 &&
           a->mmu.cr3 == b->mmu.cr3 && a->mmu.cr4 == b->mmu.cr4 && a->mmu.nx == b->mmu.nx &&
           a->mmu.a20_mask == b->mmu.a20_mask && same_slots(a, b) &&
           !memcmp(a->book.victim, b->book.victim, sizeof a->book.victim);
}

static unsigned filled(void)
{
    unsigned n = 0;
    for (unsigned t = 0; t < MMU_MODES; t++)
        for (unsigned i = 0; i < MMU_TLB_SIZE; i++) n += m->tlb[t][i].tag_rd != 0xffffffff;
    return n;
}

static void test_journal(void)
{
    static Copy before, after;
    unsigned bad = 0, changed = 0, left = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = below(STEPS); i--;) any_step();
        take(&before);
        mmu_undo_start(m);
        for (unsigned i = 1 + below(STEPS); i--;) any_step();
        take(&after);
        changed += !same(&before, &after);
        mmu_undo_back(m);
        take(&after);
        bad += !same(&before, &after);
        mmu_undo_stop(m);
        if (below(4)) continue;
        mmu_flush_all(m); /* finds what has been put back */
        left += filled();
    }
    ok(changed > ROUNDS / 2, "random work changes the TLBs (%u of %u)", changed, ROUNDS);
    ok(bad == 0, "and is taken back (%u were not)", bad);
    ok(left == 0, "a flush finds what was put back (%u entries left)", left);
    uint64_t v;
    MmuFault f;
    mmu_set_control(m, CR0_ON, DIR, CR4_ON, false, true);
    mmu_ld(m, 0x40001000, 4, 0, &v, &f);
    mmu_undo_start(m);
    mmu_invlpg(m, 0x40000000);
    mmu_undo_back(m);
    mmu_undo_stop(m);
    mmu_invlpg(m, 0x40000000);
    ok(m->tlb[0][mmu_tlb_index(0x40001000)].tag_rd != 0x40001000, "INVLPG still drops all of a large page");
}

/* --- the tap ------------------------------------------------------------------------------------------- */

static unsigned announced, reads, writes;
static const uint8_t *open_page;
static bool seen_before;
static uint8_t *ram;

static void before_write(void *opaque, uint8_t *host, size_t n)
{
    (void)opaque, (void)n;
    announced++;
    seen_before = *host != 0x5a;
}
static bool page_open(void *opaque, const uint8_t *host)
{
    (void)opaque;
    return host == open_page;
}
static void owner_wrote(void *opaque, uint8_t *host, size_t n)
{
    (void)opaque, (void)host, (void)n;
}
static uint64_t tap_read(void *opaque, const PhysRegion *r, PhysAddr offset, unsigned size)
{
    (void)opaque;
    reads++;
    return phys_mmio_read(r, offset, size) + 1;
}
static void tap_write(void *opaque, const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)r, (void)offset, (void)value, (void)size;
    writes++;
}
static const PhysTap tap = { before_write, page_open, owner_wrote, tap_read, tap_write };

static uint64_t dev_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)size;
    return 0x10 + offset;
}
static unsigned dev_writes;
static void dev_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
    dev_writes++;
}
static const MmioOps dev = { dev_read, dev_write };

static bool is_fast(uint32_t lin)
{
    return m->tlb[0][mmu_tlb_index(lin)].tag_wr == (lin & ~PAGE_MASK);
}

static void store(uint32_t lin)
{
    MmuFault f;
    mmu_st(m, lin, 0x5a, 1, 0, &f);
}

static void test_tap(void)
{
    uint64_t offset = 0;
    mmu_set_a20(m, true);
    mmu_set_control(m, 1, 0, 0, false, true);
    store(0x5000);
    ok(is_fast(0x5000), "without a tap writes are fast");
    phys_set_tap(pm, &tap, NULL);
    mmu_flush_all(m);
    ram[0x5000] = 0;
    store(0x5000);
    store(0x5000);
    ok(!is_fast(0x5000) && announced == 2, "with one, not to closed pages");
    ok(!seen_before, "the second found the byte written");
    open_page = ram + 0x5000;
    mmu_undo_start(m);
    store(0x5001);
    ok(is_fast(0x5000) && announced == 3 && seen_before, "an open page is written in place after one more");
    store(0x5002);
    ok(announced == 3, "and no more is announced");
    mmu_undo_stop(m);
    ok(!is_fast(0x5000), "until its entries are closed");
    phys_st(pm, 0x6000, 1, 4);
    ok(announced == 4, "DMA is announced");
    ok(phys_ld(pm, 0xfe000000, 4) == 0x11 && reads == 1, "a device is read through the tap");
    phys_st(pm, 0xfe000000, 7, 4);
    ok(writes == 1 && dev_writes == 0, "and written through it");
    ok(!strcmp(phys_host_name(pm, ram + 0x1234, &offset), "ram") && offset == 0x1234, "memory by host address");
    ok(!phys_host_name(pm, (const uint8_t *)&offset, &offset), "and what is none");
    phys_set_tap(pm, NULL, NULL);
    phys_st(pm, 0xfe000000, 7, 4);
    ok(announced == 4 && dev_writes == 1, "a tap can be taken away");
}

int main(void)
{
    pm = phys_new();
    m = malloc(sizeof *m);
    ram = phys_region_host(phys_add_ram(pm, "ram", 0, 64u << 20, 0));
    phys_add_mmio(pm, "dev", 0xfe000000, 0x1000, 0, &dev, NULL);
    mmu_init(m, pm);
    make_tables();
    test_journal();
    test_tap();
    mmu_free(m);
    free(m);
    phys_free(pm);
    return tap_done();
}
