/* Paging against the manual's rules written out a second time, and what the TLBs may and may not
 * remember. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/mmu.h"
#include "../tap.h"

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX   (UINT64_C(1) << 63)
#define PG   0x80000000u
#define WP   0x10000u
#define PSE  0x10u
#define PAE  0x20u
#define PGE  0x80u
#define SMEP 0x100000u
#define SMAP 0x200000u
enum { DIR = 0x100000, TAB = 0x101000, PDPT = 0x102000, PAGE_A = 0x400000, PAGE_B = 0x401000 };
enum { LIN = 0x00800000 }; /* directory entry 2 (4 MiB) or 4 (2 MiB), table entry 0 */

static PhysMem *pm;
static Mmu *m;
static MmuFault fault;
static unsigned code_hits, mmio_writes;
static uint64_t mmio_value;

static uint64_t mmio_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque;
    (void)size;
    return 0xc0 + offset;
}
static void mmio_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque;
    (void)offset;
    mmio_writes += size;
    mmio_value = value;
}
static const MmioOps mmio_ops = { mmio_read, mmio_write };
static void code_written(void *opaque, PhysAddr addr, unsigned len)
{
    (void)opaque;
    (void)addr;
    code_hits += len;
}

static void set_entries(bool pae, uint64_t pde, uint64_t pte)
{
    if (pae) {
        phys_st(pm, PDPT, DIR | P, 8);
        phys_st(pm, DIR + 8 * (LIN >> 21), pde, 8);
        phys_st(pm, TAB, pte, 8);
    } else {
        phys_st(pm, DIR + 4 * (LIN >> 22), pde, 4);
        phys_st(pm, TAB, pte, 4);
    }
}

static void control(uint32_t cr0, uint32_t cr4, bool nx)
{
    mmu_set_control(m, cr0, cr4 & PAE ? PDPT : DIR, cr4, nx, true);
    mmu_flush_all(m);
}

/* SDM 3A 4.6.1, as the text has it. */
static bool may(unsigned access, unsigned idx, bool user_page, bool writable, bool nx, uint32_t cr0, uint32_t cr4)
{
    if (idx != MMU_USER) {
        if (access == MMU_READ) return !(user_page && idx == MMU_SUPER_SMAP);
        if (access == MMU_WRITE) {
            if (user_page && idx == MMU_SUPER_SMAP) return false;
            return cr0 & WP ? writable : true;
        }
        if (user_page && cr4 & SMEP) return false;
        return !nx;
    }
    if (!user_page) return false;
    if (access == MMU_READ) return true;
    return access == MMU_WRITE ? writable : !nx;
}

typedef struct Case {
    bool pae, large, nxe;
    uint32_t cr0, cr4;
    unsigned pde_bits, pte_bits; /* P RW US, NX as bit 3 */
} Case;

static uint64_t entry(uint64_t base, unsigned bits)
{
    return base | (bits & 7) | (bits & 8 ? NX : 0);
}

static unsigned check_case(const Case *c)
{
    unsigned bad = 0;
    for (unsigned access = 0; access < 3; access++)
        for (unsigned idx = 0; idx < MMU_MODES; idx++) {
            uint64_t pde = c->large ? entry(PAGE_A | PS, c->pde_bits) : entry(TAB, c->pde_bits);
            uint64_t pte = entry(PAGE_A, c->pte_bits);
            set_entries(c->pae, pde, pte);
            mmu_flush_all(m);
            unsigned both = c->large ? c->pde_bits : c->pde_bits & c->pte_bits;
            bool nx = (c->large ? c->pde_bits : c->pde_bits | c->pte_bits) & 8;
            uint32_t error = 0;
            bool rsvd = c->pae && !c->nxe;
            if (!(c->pde_bits & P))
                error = 0x100;
            else if (rsvd && c->pde_bits & 8)
                error = 0x109;
            else if (!c->large && !(c->pte_bits & P))
                error = 0x100;
            else if (!c->large && rsvd && c->pte_bits & 8)
                error = 0x109;
            else if (!may(access, idx, both & US, both & RW, nx, c->cr0, c->cr4))
                error = 0x101;
            if (error) {
                error &= 0xff;
                error |= access == MMU_WRITE ? 2 : 0;
                error |= idx == MMU_USER ? 4 : 0;
                error |= access == MMU_EXEC && ((c->pae && c->nxe) || c->cr4 & SMEP) ? 16 : 0;
                error |= 0x100;
            }
            PhysAddr phys = 0;
            uint32_t lin = LIN + 0x123;
            bool good = mmu_translate(m, lin, access, idx, &phys, &fault);
            bool again = mmu_translate(m, lin, access, idx, &phys, &fault); /* from the TLB */
            if (good != again || good != !error)
                bad++;
            else if (good && phys != PAGE_A + 0x123)
                bad++;
            else if (!good && (fault.error != (error & 0xff) || fault.cr2 != lin))
                bad++;
            uint64_t pde_after = phys_ld(pm, DIR + (c->pae ? 8 * (LIN >> 21) : 4 * (LIN >> 22)), c->pae ? 8 : 4);
            uint64_t pte_after = phys_ld(pm, TAB, c->pae ? 8 : 4);
            unsigned ad = good ? A | (access == MMU_WRITE ? D : 0) : 0;
            if (pde_after != (pde | (c->large ? ad : ad & A))) bad++;
            if (pte_after != (c->large ? pte : pte | ad)) bad++;
        }
    return bad;
}

static void test_rights(void)
{
    for (unsigned layout = 0; layout < 4; layout++) {
        Case c = { .pae = layout & 1, .large = layout & 2 };
        unsigned bad = 0, cases = 0, n_bits = c.pae ? 16 : 8;
        for (unsigned ctl = 0; ctl < 16; ctl++) {
            c.nxe = ctl & 1 && c.pae;
            if ((ctl & 1) && !c.pae) continue;
            c.cr0 = PG | 1 | (ctl & 2 ? WP : 0);
            c.cr4 = PSE | (c.pae ? PAE : 0) | (ctl & 4 ? SMEP : 0) | (ctl & 8 ? SMAP : 0);
            set_entries(c.pae, 0, 0);
            control(c.cr0, c.cr4, c.nxe);
            for (c.pde_bits = 0; c.pde_bits < n_bits; c.pde_bits++)
                for (c.pte_bits = 0; c.pte_bits < n_bits; c.pte_bits++) {
                    bad += check_case(&c);
                    cases++;
                }
        }
        ok(bad == 0, "rights, %s%s: %u combinations, %u wrong", c.pae ? "PAE" : "32-bit",
           c.large ? ", large pages" : "", cases * 9, bad);
    }
}

static bool reserved(uint64_t pde, uint64_t pte, bool pae)
{
    PhysAddr phys;
    set_entries(pae, pde, pte);
    mmu_flush_all(m);
    return !mmu_translate(m, LIN, MMU_READ, MMU_SUPER, &phys, &fault) && fault.error == 9;
}

static void test_reserved(void)
{
    PhysAddr phys;
    control(PG | 1, PSE, false);
    ok(reserved(PAGE_A | P | PS | 1 << 17, 0, false), "PSE-36: bit 17 is reserved");
    set_entries(false, (PAGE_A | P | PS) | 0x1e000, 0);
    mmu_flush_all(m);
    ok(mmu_translate(m, LIN, MMU_READ, MMU_SUPER, &phys, &fault) && phys == UINT64_C(0xf00400000),
       "PSE-36: bits 13-16 are address bits 32-35");
    control(PG | 1, 0, false);
    set_entries(false, TAB | P | PS, PAGE_A | P);
    ok(mmu_translate(m, LIN, MMU_READ, MMU_SUPER, &phys, &fault) && phys == PAGE_A,
       "without PSE the bit means nothing");
    control(PG | 1, PAE, true);
    ok(reserved(TAB | P, PAGE_A | P | UINT64_C(1) << 36, true), "PAE: address bit 36 in a PTE");
    ok(reserved(TAB | P | UINT64_C(1) << 62, PAGE_A | P, true), "PAE: bit 62 in a PDE");
    ok(reserved(PAGE_A | P | PS | 1 << 13, 0, true), "PAE: bit 13 of a 2 MiB page");
    phys_st(pm, PDPT + 8, P | 2, 8);
    ok(!mmu_set_control(m, PG | 1, PDPT, PAE, true, true), "PDPTE with reserved bits: refused");
    phys_st(pm, PDPT + 8, 0x1fe, 8);
    ok(mmu_set_control(m, PG | 1, PDPT, PAE, true, true), "an absent PDPTE may hold anything");
    ok(!mmu_translate(m, 0x40000000, MMU_WRITE, MMU_USER, &phys, &fault) && fault.error == 6, "absent PDPTE faults");
    phys_st(pm, PDPT, 0, 8);
    mmu_flush_all(m);
    ok(mmu_translate(m, LIN, MMU_READ, MMU_SUPER, &phys, &fault) || fault.error == 9, "PDPTEs are registers");
    phys_st(pm, PDPT + 8, 0, 8);
}

static uint64_t ld(uint32_t lin, unsigned size)
{
    uint64_t v = 0xdead;
    return mmu_ld(m, lin, size, MMU_SUPER, &v, &fault) ? v : 0xdead;
}

static void test_forgetting(void)
{
    for (int large = 0; large < 2; large++) {
        control(PG | 1 | WP, PSE | PGE, false);
        phys_st(pm, PAGE_A, 0xaaaa, 4);
        phys_st(pm, PAGE_B, 0xbbbb, 4);
        phys_st(pm, 0x800000, 0xcccc, 4);
        phys_st(pm, 0x801000, 0xdddd, 4);
        uint32_t first = large ? PAGE_A | P | RW | PS | G : TAB | P | RW,
                 second = large ? 0x800000 | P | RW | PS | G : first;
        set_entries(false, first, PAGE_A | P | RW | G);
        phys_st(pm, TAB + 4, PAGE_B | P | RW | G, 4);
        ok(ld(LIN, 4) == 0xaaaa && ld(LIN + 0x1000, 4) == 0xbbbb, "mapped");
        set_entries(false, second, 0x800000 | P | RW | G);
        ok(ld(LIN, 4) == 0xaaaa, "the TLB remembers");
        mmu_set_control(m, PG | 1 | WP, DIR, PSE | PGE, false, true);
        ok(ld(LIN, 4) == 0xaaaa, "global pages outlive a CR3 load");
        mmu_invlpg(m, LIN + 0xfff);
        ok(ld(LIN, 4) == 0xcccc, "INVLPG: new mapping");
        ok(ld(LIN + 0x1000, 4) == (large ? 0xdddd : 0xbbbb), "INVLPG drops a large page whole, a small one alone");
    }
    set_entries(false, TAB | P | RW, PAGE_A | P | RW);
    control(PG | 1 | WP, PSE, false);
    ok(ld(LIN, 4) == 0xaaaa, "mapped locally");
    set_entries(false, TAB | P | RW, PAGE_B | P | RW);
    mmu_set_control(m, PG | 1 | WP, DIR, PSE, false, true);
    ok(ld(LIN, 4) == 0xbbbb, "a CR3 load forgets it");
    set_entries(false, TAB | P | RW, PAGE_A | P | RW);
    mmu_set_control(m, PG | 1, DIR, PSE, false, false);
    ok(ld(LIN, 4) == 0xaaaa, "so does a change of WP");
    mmu_set_control(m, 1, DIR, PSE, false, false);
    phys_st(pm, LIN, 0x1111, 4);
    ok(ld(LIN, 4) == 0x1111, "paging off: identity");
}

static void test_conflicts(void)
{
    /* Lines that share a slot: 16 MiB apart. */
    control(PG | 1, PSE, false);
    for (uint32_t i = 0; i < 16; i++) {
        phys_st(pm, DIR + 4 * (i * 4), (i * 0x400000) | P | RW | PS, 4);
        phys_st(pm, i * 0x400000 + 0x300000, i, 4);
    }
    unsigned bad = 0;
    for (unsigned round = 0; round < 4; round++)
        for (uint32_t i = 0; i < 16; i++) bad += ld(i * 0x1000000 + 0x300000, 4) != i;
    ok(bad == 0, "pages that share a slot do not mix");
    uint64_t before = m->n_miss;
    for (unsigned round = 0; round < 100; round++)
        for (uint32_t i = 0; i < 4; i++) bad += ld(i * 0x1000000 + 0x300000, 4) != i;
    ok(bad == 0 && m->n_miss - before <= 4, "four of them live in the victim cache");
    phys_st(pm, DIR + 4 * 4, 0, 4);
    mmu_invlpg(m, 0x1000000);
    ok(ld(0x1300000, 4) == 0xdead, "INVLPG reaches victims");
    for (uint32_t i = 0; i < 16; i++) phys_st(pm, DIR + 16 * i, 0, 4);
}

static void test_access(void)
{
    uint64_t v;
    control(PG | 1 | WP, PSE, false);
    set_entries(false, TAB | P | RW | US, PAGE_A | P | RW | US);
    phys_st(pm, TAB + 4, 0xc00000 | P | RW | US, 4); /* not next to PAGE_A */
    phys_st(pm, TAB + 8, 0, 4);
    ok(mmu_st(m, LIN + 0xffd, 0x8877665544332211, 8, MMU_USER, &fault), "store across a page");
    ok(phys_ld(pm, PAGE_A + 0xffd, 3) == 0x332211 && phys_ld(pm, 0xc00000, 4) == 0x77665544, "both halves in place");
    ok(mmu_ld(m, LIN + 0xffd, 8, MMU_USER, &v, &fault) && v == 0x8877665544332211, "and loads again");
    phys_st(pm, 0xc00ffe, 0, 2);
    ok(!mmu_st(m, LIN + 0x1ffe, 0xffffffff, 4, MMU_USER, &fault) && fault.cr2 == LIN + 0x2000 && fault.error == 6,
       "second page absent: fault there");
    ok(phys_ld(pm, 0xc00ffe, 2) == 0, "and nothing was stored");
    phys_st(pm, TAB + 4, 0xc00000 | P | US, 4);
    mmu_flush_all(m);
    ok(mmu_ld(m, LIN + 0x1000, 4, MMU_USER, &v, &fault) && !mmu_ld_rmw(m, LIN + 0x1000, 4, MMU_USER, &v, &fault) &&
           fault.error == 7,
       "a load for RMW needs write permission");
    uint8_t buf[4096];
    memset(buf, 0x5a, sizeof(buf));
    ok(!mmu_st_bytes(m, LIN + 0x800, buf, 4096, MMU_USER, &fault) && fault.cr2 == LIN + 0x1000,
       "4096 bytes: checked first");
    ok(phys_ld(pm, PAGE_A + 0x800, 1) != 0x5a, "then moved");
    phys_st(pm, TAB + 4, 0xfe000000 | P | RW | US, 4);
    mmu_flush_all(m);
    mmio_writes = 0;
    ok(mmu_st(m, LIN + 0xffe, 0x44332211, 4, MMU_USER, &fault) && mmio_writes == 2 && mmio_value == 0x4433,
       "store from RAM onto a device");
    ok(mmu_ld(m, LIN + 0xffe, 4, MMU_USER, &v, &fault) && v == 0x00c02211, "load likewise");
    bool faulted;
    ok(!mmu_host(m, LIN + 0x1000, MMU_READ, MMU_USER, &fault, &faulted) && !faulted, "no host memory behind a device");
    ok(!mmu_host(m, LIN + 0x2000, MMU_READ, MMU_USER, &fault, &faulted) && faulted, "a fault is told apart");
    uint8_t *host = mmu_host(m, LIN + 5, MMU_WRITE, MMU_USER, &fault, &faulted);
    bool writable;
    ok(host == phys_page_host(pm, PAGE_A, &writable) + 5, "host memory of RAM");
    PhysAddr phys;
    ok(mmu_probe(m, LIN + 7, &phys) && phys == PAGE_A + 7 && !mmu_probe(m, LIN + 0x2000, &phys), "probe");
    mmu_set_control(m, 1, 0, 0, false, true);
    phys_st(pm, 0, 0x1234, 2);
    ok(mmu_ld(m, 0xffffffff, 2, MMU_SUPER, &v, &fault) && v == 0x34ff, "an access wraps at 4 GiB");
}

static void test_code(void)
{
    bool faulted;
    control(PG | 1 | WP, PSE, false);
    set_entries(false, TAB | P | RW, PAGE_A | P | RW);
    phys_st(pm, TAB + 4, PAGE_A | P | RW, 4); /* a second linear address */
    mmu_st(m, LIN, 1, 4, MMU_SUPER, &fault);
    mmu_st(m, LIN + 0x1000, 1, 4, MMU_SUPER, &fault);
    ok(mmu_host(m, LIN, MMU_WRITE, MMU_SUPER, &fault, &faulted), "plain RAM");
    phys_code_mark(pm, PAGE_A + 0x100, 16);
    mmu_protect_code(m, PAGE_A);
    code_hits = 0;
    mmu_st(m, LIN + 0x80, 1, 4, MMU_SUPER, &fault);
    ok(code_hits == 0, "store beside code");
    mmu_st(m, LIN + 0x104, 1, 4, MMU_SUPER, &fault);
    mmu_st(m, LIN + 0x1104, 2, 4, MMU_SUPER, &fault);
    ok(code_hits == 8, "stores to code through both addresses");
    mmu_st(m, LIN + 0x104, 2, 4, MMU_SUPER, &fault);
    ok(code_hits == 8, "nor is a store of what is there already a change");
    ok(!mmu_host(m, LIN, MMU_WRITE, MMU_SUPER, &fault, &faulted) && !faulted, "no direct writes");
    ok(mmu_host(m, LIN, MMU_READ, MMU_SUPER, &fault, &faulted) != NULL, "reads are direct");
    mmu_flush_all(m);
    mmu_st(m, LIN + 0x104, 1, 4, MMU_SUPER, &fault);
    ok(code_hits == 12, "a fresh entry knows of the code");
    phys_code_clear_page(pm, PAGE_A);
    mmu_st(m, LIN + 0x104, 1, 4, MMU_SUPER, &fault);
    ok(code_hits == 12 && mmu_host(m, LIN, MMU_WRITE, MMU_SUPER, &fault, &faulted), "code gone: fast again");
    /* D clear: reads must not open the way for writes */
    set_entries(false, TAB | P | RW, PAGE_A | P | RW);
    mmu_flush_all(m);
    ld(LIN, 4);
    ok(!(phys_ld(pm, TAB, 4) & D), "read leaves D clear");
    mmu_st(m, LIN, 1, 4, MMU_SUPER, &fault);
    ok(phys_ld(pm, TAB, 4) & D, "the first write sets it");
}

static void test_fetch_and_a20(void)
{
    PhysAddr phys;
    control(PG | 1, PSE, false);
    set_entries(false, TAB | P | US, PAGE_A | P | US);
    ok(mmu_translate(m, LIN, MMU_EXEC, MMU_USER, &phys, &fault) &&
           m->itlb[0][mmu_itlb_index(LIN)] == mmu_itlb_word(LIN, PAGE_A),
       "fetch TLB word");
    ok(m->itlb[1][mmu_itlb_index(LIN)] == MMU_ITLB_EMPTY, "supervisor has its own");
    mmu_set_control(m, PG | 1, DIR, PSE, false, true);
    ok(m->itlb[0][mmu_itlb_index(LIN)] == MMU_ITLB_EMPTY, "a CR3 load empties it");
    mmu_set_control(m, 1, 0, 0, false, true);
    phys_st(pm, 0x10, 0x77, 1);
    phys_st(pm, 0x100010, 0x88, 1);
    ok(ld(0x100010, 1) == 0x88, "A20 on");
    mmu_set_a20(m, false);
    ok(ld(0x100010, 1) == 0x77, "A20 off: wraps");
    mmu_set_a20(m, true);
    ok(ld(0x100010, 1) == 0x88, "on again");
}

static void test_remap(void)
{
    mmu_set_control(m, 1, 0, 0, false, true);
    PhysRegion *r = phys_add_ram(pm, "over", 0x712000, 0x1000, 5);
    phys_st(pm, 0x712000, 0x42, 1);
    ok(ld(0x712000, 1) == 0x42, "overlay");
    phys_region_set(r, 0x712000, false, false);
    ok(ld(0x712000, 1) == 0, "a remap reaches the TLB");
}

static unsigned lines;
static void count_line(void *opaque, const char *line)
{
    (void)opaque;
    lines += line[0] != 0;
}

int main(void)
{
    pm = phys_new();
    m = malloc(sizeof(*m));
    phys_add_ram(pm, "ram", 0, 64u << 20, 0);
    phys_add_mmio(pm, "dev", 0xfe000000, 0x1000, 0, &mmio_ops, NULL);
    phys_on_code_written(pm, code_written, NULL);
    mmu_init(m, pm);
    test_rights();
    test_reserved();
    test_forgetting();
    test_conflicts();
    test_access();
    test_code();
    test_fetch_and_a20();
    test_remap();
    control(PG | 1, PSE, false);
    mmu_print_tables(m, count_line, NULL);
    ok(lines > 0, "info mem prints runs");
    mmu_free(m);
    free(m);
    phys_free(pm);
    return tap_done();
}
