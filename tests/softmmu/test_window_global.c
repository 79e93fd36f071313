/* The system's window: global pages only, and what makes them go.  The kernel is asked what is mapped: read() and write() on
 * memory that is not accessible fail. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../tap.h"
#include "softmmu/mmu_book.h"
#include "softmmu/window_global.h"

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100, ALL = P | RW | A | D | G };
enum { DIR = 0x1000, TAB = 0x2000, PAGE = 0x100000, RAM = 16 << 20 };
#define LIN   0xc0000000u
#define LARGE 0xd0000000u
#define PG    0x80000001u
#define CR4   (PG_CR4_PSE | PG_CR4_PGE)

static PhysMem *pm;
static Mmu *m;
static void *front;
enum { FRONT = 5000 };
static int zero, pipes[2];

static bool readable(uint32_t lin)
{
    char c;
    if (write(pipes[1], window_global_base(m) + lin, 1) != 1) return false;
    return read(pipes[0], &c, 1) == 1;
}
/* Writes a zero. */
static bool writable(uint32_t lin)
{
    return read(zero, window_global_base(m) + lin, 1) == 1;
}

static void set_pte(unsigned n, uint32_t pte)
{
    phys_st(pm, TAB + 4 * n, pte, 4);
}

/* As an access of generated code that the window did not have.  False: #PF. */
static bool touch(uint32_t lin, bool write, unsigned idx)
{
    MmuFault f;
    uint64_t v;
    if (!window_global_faulted(m, (uintptr_t)window_global_base(m) + lin)) return false;
    return write ? mmu_st(m, lin, 0x11, 1, idx, &f) : mmu_ld(m, lin, 1, idx, &v, &f);
}
static bool in_vain(void)
{
    bool is = m->window_hopeless;
    m->window_hopeless = false;
    return is;
}

static void load_cr3(void)
{
    mmu_set_control(m, PG, DIR, CR4, false, true);
}

static void test_place(void)
{
    uintptr_t base = (uintptr_t)window_global_base(m);
    ok(base - (uintptr_t)front >= FRONT && base - (uintptr_t)front < 1 << 20,
       "it lies right behind its owner's memory");
    ok(window_global_faulted(m, base) && window_global_faulted(m, base - 1) &&
           window_global_faulted(m, base + 0xffffffff),
       "its addresses are known, those of its guards, too");
    ok(!window_global_faulted(m, (uintptr_t)front) && !window_global_faulted(m, 0) &&
           !window_global_faulted(m, base + (2ull << 32)),
       "and no others");
    m->window_pending = 0;
}

static void test_rights(void)
{
    set_pte(0, PAGE | P | RW | G);
    touch(LIN, false, MMU_SUPER);
    ok(readable(LIN) && !writable(LIN), "after a read, with D clear: readable only");
    ok(touch(LIN, true, MMU_SUPER) && writable(LIN), "after a write: writable");
    window_global_base(m)[LIN + 9] = 0x78;
    ok(phys_ld(pm, PAGE + 9, 1) == 0x78, "it is the guest's memory");
    ok(!readable(LIN + PAGE_SIZE) && !readable(PAGE), "nothing else is there");
    set_pte(16, (PAGE + 0x10000) | P | RW | A | D);
    ok(touch(LIN + 0x10000, true, MMU_SUPER) && !readable(LIN + 0x10000) && in_vain(),
       "a page that is not global stays out");
    set_pte(32, (PAGE + 0x20000) | ALL | US);
    ok(touch(LIN + 0x20000, true, MMU_USER) && !readable(LIN + 0x20000), "ring 3 brings nothing in");
    m->window_pending = 0;
    set_pte(48, 0);
    ok(!touch(LIN + 0x30000, false, MMU_SUPER) && !readable(LIN + 0x30000), "nor does a fault");
    m->window_pending = 0;
    set_pte(64, 0x800000 | ALL); /* ROM */
    ok(touch(LIN + 0x40000, false, MMU_SUPER) && readable(LIN + 0x40000) && !writable(LIN + 0x40000),
       "ROM is for reading");
}

/* What is around comes along if the processor might have looked it up by itself. */
static void test_around(void)
{
    enum { FIRST = 256 };
    for (unsigned i = 0; i < 64; i++) set_pte(FIRST + i, (PAGE + 0x100000 + i * PAGE_SIZE) | ALL);
    set_pte(FIRST + 10, (PAGE + 0x100000 + 10 * PAGE_SIZE) | P | RW | G); /* A clear: nobody has been there */
    set_pte(FIRST + 20, (PAGE + 0x100000 + 20 * PAGE_SIZE) | ALL | US);   /* not the system's alone, but global */
    set_pte(FIRST + 30, (PAGE + 0x100000 + 31 * PAGE_SIZE) | ALL);        /* elsewhere */
    set_pte(FIRST + 40, (PAGE + 0x100000 + 40 * PAGE_SIZE) | P | A | G);  /* other rights */
    uint32_t at = LIN + FIRST * PAGE_SIZE;
    touch(at + 15 * PAGE_SIZE, true, MMU_SUPER);
    ok(writable(at + 11 * PAGE_SIZE) && writable(at + 29 * PAGE_SIZE), "neighbours with the same rights come along");
    ok(!readable(at + 10 * PAGE_SIZE) && !readable(at + 9 * PAGE_SIZE), "up to one whose A bit is clear");
    ok(!(phys_ld(pm, TAB + 4 * (FIRST + 10), 4) & A), "which stays clear");
    ok(!readable(at + 30 * PAGE_SIZE), "or one that lies elsewhere");
    touch(at + 35 * PAGE_SIZE, true, MMU_SUPER);
    ok(writable(at + 39 * PAGE_SIZE) && !readable(at + 40 * PAGE_SIZE), "or has other rights");
    touch(at + 63 * PAGE_SIZE, true, MMU_SUPER);
    ok(writable(at + 63 * PAGE_SIZE) && !readable(at + 64 * PAGE_SIZE), "and no further than what is absent");
    phys_st(pm, DIR + 4 * (LARGE >> 22), 0x400000 | ALL | PS, 4);
    touch(LARGE + 0x123456, true, MMU_SUPER);
    ok(writable(LARGE) && writable(LARGE + 0x1ff000) && !readable(LARGE + 0x200000), "a large page comes in pieces");
}

static void test_forgetting(void)
{
    load_cr3();
    ok(writable(LIN) && writable(LARGE + 0x100000), "a CR3 load leaves all there");
    mmu_invlpg(m, LIN);
    ok(!readable(LIN) && writable(LARGE + 0x100000), "INVLPG takes a page out");
    ok(touch(LIN, true, MMU_SUPER) && !readable(LIN) && in_vain(), "and what was taken out once would be again");
    touch(LIN + PAGE_SIZE, true, MMU_SUPER);
    ok(!readable(LIN), "not with its neighbours either");
    mmu_flush_all(m);
    touch(LIN, true, MMU_SUPER);
    touch(LARGE + 0x100000, true, MMU_SUPER);
    ok(writable(LIN), "until all goes");
    mmu_invlpg(m, LARGE + 0x3ff000);
    ok(writable(LIN) && !readable(LARGE + 0x100000), "all of a large page, by any of its addresses");
    touch(LARGE + 0x100000, true, MMU_SUPER);
    ok(writable(LARGE + 0x100000), "which may come back");
    phys_code_mark(pm, PAGE, 16);
    mmu_protect_code(m, PAGE);
    ok(readable(LIN) && !writable(LIN), "no stores past the code tracker");
    touch(LIN, true, MMU_SUPER);
    ok(!writable(LIN) && in_vain(), "as long as there is code");
    phys_code_clear_page(pm, PAGE);
    touch(LIN, true, MMU_SUPER);
    ok(writable(LIN), "and then again");
    mmu_set_control(m, PG, DIR, PG_CR4_PSE, false, false);
    ok(!readable(LIN), "CR4.PGE changed: nothing is left");
    touch(LIN, true, MMU_SUPER);
    ok(!readable(LIN) && in_vain(), "without it no page is global");
    mmu_set_control(m, PG, DIR, CR4, false, false);
    touch(LIN, true, MMU_SUPER);
    mmu_set_control(m, 1, DIR, CR4, false, false);
    ok(!readable(LIN), "nor is anything without paging");
    touch(PAGE, true, MMU_SUPER);
    ok(!readable(PAGE) && in_vain(), "and nothing comes in then");
    mmu_set_control(m, PG, DIR, CR4, false, false);
    touch(LIN, true, MMU_SUPER);
    PhysRegion *over = phys_add_ram(pm, "over", PAGE, PAGE_SIZE, 1);
    ok(over && !readable(LIN), "a change of the memory map leaves nothing");
    touch(LIN, true, MMU_SUPER);
    window_global_base(m)[LIN] = 0x5a;
    ok(phys_region_host(over)[0] == 0x5a, "what is there then is the new memory");
}

static unsigned host_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned n = 0;
    for (int c; f && (c = fgetc(f)) != EOF;) n += c == '\n';
    if (f) fclose(f);
    return n;
}

/* The host has only so many mappings for a process, and a guest may scatter its pages as it likes. */
static void test_scattered(void)
{
    enum { TABLES = 32, FIRST = 0x300000 };
    const uint32_t lin = 0xe0000000u;
    unsigned most = 0;
    mmu_flush_all(m);
    for (unsigned t = 0; t < TABLES; t++) {
        phys_st(pm, DIR + 4 * ((lin >> 22) + t), (FIRST + t * PAGE_SIZE) | P | RW | A, 4);
        for (unsigned i = 0; i < 1024; i++)
            phys_st(pm, FIRST + t * PAGE_SIZE + 4 * i, (0x400000 + (i * 5 & 1023) * PAGE_SIZE) | ALL, 4);
    }
    bool good = true;
    for (unsigned i = 0; i < TABLES * 1024; i++) {
        good &= touch(lin + i * PAGE_SIZE, true, MMU_SUPER) && writable(lin + i * PAGE_SIZE);
        if (i % 4096 == 4095 && host_mappings() > most) most = host_mappings();
    }
    ok(good && most < 30000, "pages all over the place: each comes in, with %u mappings of the host's at most", most);
}

int main(void)
{
    pm = phys_new();
    m = calloc(1, sizeof *m);
    zero = open("/dev/zero", O_RDONLY);
    if (!m || zero < 0 || pipe(pipes)) return 99;
    front = window_global_reserve(FRONT);
    if (!front) {
        puts("1..0 # SKIP no room for the window");
        return 0;
    }
    phys_add_ram(pm, "ram", 0, RAM, 0);
    phys_add_rom(pm, "rom", 0x800000, PAGE_SIZE, 1);
    mmu_init(m, pm);
    phys_st(pm, DIR + 4 * (LIN >> 22), TAB | P | RW | US | A, 4);
    load_cr3();
    ok(window_global_enable(m, front, FRONT), "enabled");
    test_place();
    test_rights();
    test_around();
    test_forgetting();
    test_scattered();
    mmu_free(m);
    window_global_release(front, FRONT);
    phys_free(pm);
    free(m);
    return tap_done();
}
