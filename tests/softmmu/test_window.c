/* The window: what may be seen through it, and when it must go.  The kernel is asked what is mapped: read() and write() on
 * memory that is not accessible fail. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tap.h"
#include "softmmu/window.h"
#include "softmmu/window_cost.h"

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, CR4_PGE = 0x80 };
enum { DIR = 0x1000, TAB = 0x2000, DIR2 = 0x4000, LIN = 0x40000000, PAGE = 0x5000 };
#define PG 0x80000001u

static PhysMem *pm;
static Mmu *m;
static int zero, pipes[2];

static uint64_t mmio_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0x55;
}
static void mmio_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

static bool readable(uint32_t lin)
{
    char c;
    if (write(pipes[1], window_base(m) + lin, 1) != 1) return false;
    return read(pipes[0], &c, 1) == 1;
}
/* Writes a zero. */
static bool writable(uint32_t lin)
{
    return read(zero, window_base(m) + lin, 1) == 1;
}

static void set_pte(unsigned n, uint32_t pte)
{
    phys_st(pm, TAB + 4 * n, pte, 4);
}

/* As an access of generated code that the window did not have. */
static bool touch(uint32_t lin, bool write)
{
    MmuFault f;
    uint64_t v;
    window_faulted(m);
    return write ? mmu_st(m, lin, 0x11, 1, MMU_USER, &f) : mmu_ld(m, lin, 1, MMU_USER, &v, &f);
}

static void open_it(void)
{
    for (unsigned i = 0; i < 1000 && !m->window_open; i++) window_sample(m, MMU_USER, 0, true);
}

static void test_mapping(void)
{
    ok(!m->window_open && !readable(LIN), "closed at first");
    open_it();
    ok(m->window_open, "user time opens it");
    set_pte(0, PAGE | P | RW | US);
    touch(LIN, false);
    ok(readable(LIN) && !writable(LIN), "after a read, with D clear: readable only");
    ok(touch(LIN, true) && writable(LIN), "after a write: writable");
    phys_st(pm, PAGE + 8, 0x77, 1);
    window_base(m)[LIN + 9] = 0x78;
    ok(window_base(m)[LIN + 8] == 0x77 && phys_ld(pm, PAGE + 9, 1) == 0x78, "it is the guest's memory");
    ok(!readable(LIN + PAGE_SIZE) && !readable(PAGE), "nothing else is there");

    set_pte(1, (PAGE + PAGE_SIZE) | P | US | A | D);
    touch(LIN + PAGE_SIZE, false);
    ok(readable(LIN + PAGE_SIZE) && !writable(LIN + PAGE_SIZE), "a read-only page is");
    ok(!touch(LIN + PAGE_SIZE, true), "a write to it faults");
    set_pte(2, (PAGE + 2 * PAGE_SIZE) | P | RW);
    ok(!touch(LIN + 2 * PAGE_SIZE, false) && !readable(LIN + 2 * PAGE_SIZE), "a supervisor page stays out");
    set_pte(3, 0x200000 | P | RW | US);
    ok(touch(LIN + 3 * PAGE_SIZE, false) && !readable(LIN + 3 * PAGE_SIZE) && m->window_hopeless, "so does a device");
    m->window_hopeless = false;
}

/* What is beside a page in the tables and in memory comes along with it; nothing that silicon would have to ask the system for. */
static void test_around(void)
{
    enum { FIRST = 40, HERE = 0x40000 };
    const uint32_t lin = LIN + FIRST * PAGE_SIZE;
    const uint32_t all = P | RW | US | A | D;
    for (unsigned i = 0; i < 8; i++) set_pte(FIRST + i, (HERE + i * PAGE_SIZE) | all);
    set_pte(FIRST, (HERE - PAGE_SIZE) | all);
    set_pte(FIRST + 4, (HERE + 4 * PAGE_SIZE) | (all & ~D));
    set_pte(FIRST + 6, (HERE + 6 * PAGE_SIZE) | (all & ~A));
    touch(lin + 2 * PAGE_SIZE, true);
    ok(writable(lin + PAGE_SIZE) && writable(lin + 2 * PAGE_SIZE) && writable(lin + 3 * PAGE_SIZE),
       "neighbours come along");
    ok(!readable(lin), "not one that lies elsewhere");
    ok(!readable(lin + 4 * PAGE_SIZE) && !readable(lin + 5 * PAGE_SIZE), "none with other rights, and none behind it");
    touch(lin + 5 * PAGE_SIZE, true);
    ok(writable(lin + 5 * PAGE_SIZE) && !readable(lin + 6 * PAGE_SIZE), "none that has not been accessed");
    ok(!(phys_ld(pm, TAB + 4 * (FIRST + 6), 4) & A), "its A bit stays clear");
    mmu_invlpg(m, lin + 3 * PAGE_SIZE);
    ok(!readable(lin + 3 * PAGE_SIZE) && readable(lin + 2 * PAGE_SIZE), "INVLPG knows those, too");
    mmu_protect_code(m, HERE + PAGE_SIZE);
    ok(readable(lin + PAGE_SIZE) && !writable(lin + PAGE_SIZE), "code that comes into one");
    set_pte(1023, 0x50000 | all);
    phys_st(pm, DIR + 4 * 1023, TAB | P | RW | US, 4);
    touch(0xfffff000, true);
    ok(writable(0xfffff000), "the last page of all");
    phys_st(pm, DIR + 4 * 1023, 0, 4);
    for (unsigned i = 0; i < 8; i++) set_pte(FIRST + i, 0), mmu_invlpg(m, lin + i * PAGE_SIZE);
}

/* An access that has nothing to do with a fault before it says nothing about the window. */
static void test_others(void)
{
    MmuFault f;
    uint64_t v;
    touch(LIN, false);
    m->window_hopeless = false;
    mmu_ld(m, LIN + 3 * PAGE_SIZE, 4, MMU_USER, &v, &f);
    ok(!m->window_hopeless, "a device, later");
    touch(LIN + 2 * PAGE_SIZE, false); /* #PF */
    mmu_ld(m, LIN + 3 * PAGE_SIZE, 4, MMU_USER, &v, &f);
    ok(!m->window_hopeless, "or after a page fault");
}

static void test_crossing(void)
{
    MmuFault f;
    uint64_t v;
    set_pte(4, (PAGE + 4 * PAGE_SIZE) | P | RW | US | A | D);
    set_pte(5, (PAGE + 9 * PAGE_SIZE) | P | RW | US | A | D);
    window_faulted(m);
    mmu_ld(m, LIN + 5 * PAGE_SIZE - 2, 4, MMU_USER, &v, &f);
    ok(readable(LIN + 4 * PAGE_SIZE) && readable(LIN + 5 * PAGE_SIZE), "an access across pages brings both");
}

static void test_forgetting(void)
{
    touch(LIN, true);
    mmu_invlpg(m, LIN);
    ok(!readable(LIN) && readable(LIN + PAGE_SIZE), "INVLPG takes one page out");
    touch(LIN, true);
    ok(writable(LIN), "back again");
    phys_code_mark(pm, PAGE, 16);
    mmu_protect_code(m, PAGE);
    ok(readable(LIN) && !writable(LIN), "no stores past the code tracker");
    touch(LIN, true);
    ok(!writable(LIN) && m->window_hopeless, "as long as there is code");
    m->window_hopeless = false;
    phys_code_clear_page(pm, PAGE);
    touch(LIN, true);
    ok(writable(LIN), "and then again");

    mmu_set_control(m, PG, DIR, 0, false, true);
    ok(!m->window_open, "a CR3 load closes it");
    set_pte(0, 0);
    open_it();
    ok(m->window_open && !readable(LIN), "open again, nothing that the tables have not is there");
    set_pte(0, PAGE | P | RW | US | A | D);
    mmu_st(m, LIN, 1, 1, MMU_USER, &(MmuFault){ 0 });
    mmu_set_control(m, PG, DIR, 0, false, true);
    mmu_st(m, LIN, 1, 1, MMU_USER, &(MmuFault){ 0 });
    open_it();
    ok(writable(LIN), "what the TLB has is there from the start");
}

static void grow(void)
{
    enum { N = 101 };
    set_pte(N, 0);
    mmu_invlpg(m, LIN + N * PAGE_SIZE);
    touch(LIN + N * PAGE_SIZE, true);
    set_pte(N, PAGE | P | RW | US | A | D);
    window_serve_wanted(m);
}

/* Another space for a moment, and back. */
static void switch_spaces(void)
{
    mmu_set_control(m, PG, DIR2, 0, false, true);
    mmu_set_control(m, PG, DIR, 0, false, true);
    if (m->window_wanted) window_serve_wanted(m);
}

/* A window that is worth it, with pages FIRST to FIRST + KEPT - 1, all like others in the tables. */
enum { FIRST = 200, KEPT = 32, KEPT_AT = LIN + FIRST * PAGE_SIZE };
static void kept_window(void)
{
    mmu_set_control(m, PG, DIR2, 0, false, true);
    mmu_set_control(m, PG, DIR, 0, false, true);
    window_drop(m);
    for (unsigned i = 0; i < KEPT; i++) set_pte(FIRST + i, (0x60000 + i * PAGE_SIZE) | P | RW | US | A | D);
    open_it();
    for (unsigned i = 0; i < KEPT; i++) touch(KEPT_AT + i * PAGE_SIZE, true);
    for (unsigned i = 0; i < 3; i++) window_sample(m, MMU_USER, 0, true);
}

static bool all_writable(void)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (!writable(KEPT_AT + i * PAGE_SIZE)) return false;
    return true;
}

/* Its space goes and comes back: what is still good is kept, without a call to the host. */
static void test_resuming(void)
{
    kept_window();
    WindowStats before = window_stats(m);
    switch_spaces();
    WindowStats after = window_stats(m);
    ok(m->window_open && after.resumed == before.resumed + 1, "open again as soon as its space is back");
    ok(all_writable() && after.mapped == before.mapped, "with the pages that it had");

    mmu_set_control(m, PG, DIR2, 0, false, true);
    ok(!m->window_open && !m->window_wanted, "another space does not have it");
    set_pte(FIRST, 0);
    set_pte(FIRST + 1, 0x50000 | P | RW | US | A | D);
    set_pte(FIRST + 2, 0x62000 | P | RW | US | D);
    set_pte(FIRST + 3, 0x63000 | P | RW | US | A);
    phys_code_mark(pm, 0x65000, 16);
    mmu_protect_code(m, 0x65000);
    mmu_set_control(m, PG, DIR, 0, false, true);
    ok(m->window_wanted && !m->window_open, "nor is it open before the system has returned to the user");
    set_pte(FIRST + 4, 0x64000 | P | RW | A | D);
    window_serve_wanted(m);
    ok(m->window_open && !readable(KEPT_AT), "a page that is gone since is not there");
    ok(!readable(KEPT_AT + PAGE_SIZE), "one that is another page now");
    ok(!readable(KEPT_AT + 2 * PAGE_SIZE), "one whose A bit was cleared");
    ok(!writable(KEPT_AT + 3 * PAGE_SIZE), "no stores where D was");
    ok(!readable(KEPT_AT + 4 * PAGE_SIZE), "nothing of the system's");
    ok(!writable(KEPT_AT + 5 * PAGE_SIZE), "no stores past the code tracker");
    ok(writable(KEPT_AT + 6 * PAGE_SIZE) && writable(KEPT_AT + (KEPT - 1) * PAGE_SIZE), "the others are");
    phys_code_clear_page(pm, 0x65000);

    kept_window();
    mmu_set_control(m, PG, DIR, CR4_PGE, false, false);
    if (m->window_wanted) window_serve_wanted(m);
    ok(m->window_open && all_writable(), "a flush by CR4 leaves it its pages, too");
    mmu_set_control(m, PG, DIR, 0, false, false);
}

/* Looking all pages up again has its price: without samples that find the space at work it is not paid for ever. */
static void test_resuming_pays(void)
{
    unsigned n = 0, limit = 100000;
    kept_window();
    for (switch_spaces(); n < limit && m->window_open; n++) switch_spaces();
    ok(n > 10 && n < limit, "resumed %u times, not for ever", n);
    open_it();
    window_sample(m, MMU_USER, 0, true);
    switch_spaces();
    ok(m->window_open, "a sample pays for more");
    for (unsigned i = 0; i < 2000; i++) grow();
    switch_spaces();
    ok(!m->window_open, "what was closed early is not resumed");

    for (unsigned i = 0; i < KEPT; i++) set_pte(FIRST + i, 0);
}

static unsigned moves;
static void moved(void *opaque)
{
    moves += opaque == m;
}

static void load_space(uint32_t directory)
{
    mmu_set_control(m, PG, directory, 0, false, true);
    if (m->window_wanted) window_serve_wanted(m);
}

/* Each of four spaces has a window of its own. */
static void test_spaces(void)
{
    m->on_window_moved = moved;
    m->on_window_moved_opaque = m;
    kept_window();
    const uint8_t *first = window_base(m);
    load_space(DIR2);
    unsigned before = moves;
    open_it();
    ok(!readable(KEPT_AT), "another space begins with nothing of it");
    ok(window_base(m) != first && moves == before + 1, "in a window of its own, and that is told");
    load_space(DIR);
    ok(m->window_open && window_base(m) == first && moves == before + 2, "the first gets its own back");
    ok(all_writable(), "with all that it had");
    for (unsigned i = 0; i < 4; i++) {
        load_space(DIR2 + (i + 1) * PAGE_SIZE);
        open_it();
    }
    load_space(DIR);
    ok(!m->window_open, "which goes when four others were at work since");
    for (unsigned i = 0; i < KEPT; i++) set_pte(FIRST + i, 0);
    m->on_window_moved = NULL;
    window_drop(m);
}

static void test_paying(void)
{
    WindowStats before = window_stats(m);
    open_it();
    for (unsigned i = 0; i < 100000 && m->window_open; i++) {
        touch(LIN, false);
        if (i % 1000 == 999) window_sample(m, MMU_USER, 0, true);
    }
    ok(!m->window_open && window_stats(m).closed == before.closed + 1, "too many faults between two samples close it");
    unsigned samples = 0;
    while (!m->window_open && samples < 10000) window_sample(m, MMU_USER, 0, true), samples++;
    ok(m->window_open && samples > 2, "and it takes longer to open: %u samples", samples);
}

/* Windows that were worth it, closed: the next one may open as soon as any. */
static void good_window(void)
{
    for (unsigned k = 0; k < 10; k++) {
        window_drop(m);
        open_it();
        for (unsigned i = 0; i < 20; i++) window_sample(m, MMU_USER, 0, true);
        mmu_set_control(m, PG, DIR, 0, false, true);
    }
}

/* Opening maps what the TLB knows, and that much must be worth it. */
static void test_cost(void)
{
    enum { MANY = 1000, IN_A_ROW = 240, TAB2 = 0x3000, LIN2 = LIN + (1 << 22) };
    MmuFault f;
    uint64_t v;
    unsigned few = 0, samples = 0;
    good_window();
    while (!m->window_open && few < 1000) window_sample(m, MMU_USER, 0, true), few++;
    good_window();
    phys_st(pm, DIR + 4 * (LIN2 >> 22), TAB2 | P | RW | US, 4);
    for (unsigned i = 0; i < MANY; i++) {
        phys_st(pm, TAB2 + 4 * i, PAGE | P | RW | US | A | D, 4);
        mmu_ld(m, LIN2 + i * PAGE_SIZE, 1, MMU_USER, &v, &f);
    }
    while (!m->window_open && samples < 1000) window_sample(m, MMU_USER, 0, true), samples++;
    ok(m->window_open && samples > few, "%u pages to be mapped take longer to be worth it: %u samples, not %u", MANY,
       samples, few);
    ok(writable(LIN2) && writable(LIN2 + (MANY - 1) * PAGE_SIZE), "and all are there");
    good_window();
    phys_st(pm, DIR + 4 * (LIN2 >> 22), TAB2 | P | RW | US, 4);
    for (unsigned i = 0; i < IN_A_ROW; i++) {
        phys_st(pm, TAB2 + 4 * i, (PAGE + i * PAGE_SIZE) | P | RW | US | A | D, 4);
        mmu_ld(m, LIN2 + i * PAGE_SIZE, 1, MMU_USER, &v, &f);
        mmu_st(m, LIN2 + i * PAGE_SIZE, 0, 1, MMU_USER, &f);
    }
    phys_st(pm, TAB2 + 4 * IN_A_ROW, 0, 4);
    for (samples = 0; !m->window_open && samples < 1000; samples++) window_sample(m, MMU_USER, 0, true);
    ok(samples == few && writable(LIN2) && writable(LIN2 + (IN_A_ROW - 1) * PAGE_SIZE) &&
           !readable(LIN2 + IN_A_ROW * PAGE_SIZE),
       "%u in a row cost little: %u samples", IN_A_ROW, samples);
    mmu_set_control(m, PG, DIR, 0, false, true);
}

/* The same pages on a host that takes longer over each. */
static void test_slow_host(void)
{
    enum { PAGES = 100, TAB2 = 0x3000, LIN2 = LIN + (1 << 22) };
    static const unsigned page_ns[2] = { 1000, 100000 };
    unsigned samples[2] = { 0 };
    for (unsigned i = 0; i < 2; i++) {
        MmuFault f;
        uint64_t v;
        Mmu *other = calloc(1, sizeof *other);
        mmu_init(other, pm);
        phys_st(pm, DIR + 4 * (LIN2 >> 22), TAB2 | P | RW | US, 4);
        mmu_set_control(other, PG, DIR, 0, false, true);
        window_enable(other, page_ns[i]);
        for (unsigned n = 0; n < PAGES; n++) {
            phys_st(pm, TAB2 + 4 * n, PAGE | P | RW | US | A | D, 4);
            mmu_ld(other, LIN2 + n * PAGE_SIZE, 1, MMU_USER, &v, &f);
        }
        for (; !other->window_open && samples[i] < 1000; samples[i]++) window_sample(other, MMU_USER, 0, true);
        mmu_free(other);
        free(other);
    }
    ok(samples[1] > samples[0] && samples[1] < 1000, "where a page costs more, it takes longer: %u samples, not %u",
       samples[1], samples[0]);
    unsigned ns = window_page_ns();
    ok(ns >= 500 && ns <= 100000, "here it costs %u ns", ns);
}

/* While paging is off CPL 0 has it, and what is around a page comes with it. */
static void test_no_paging(void)
{
    MmuFault f;
    uint64_t v;
    mmu_set_control(m, 1, 0, 0, false, false);
    ok(!m->window_open, "CR0.PG cleared closes it");
    while (!m->window_open) window_sample(m, MMU_SUPER, 0, true);
    ok(!readable(PAGE), "open without paging: empty");
    phys_code_mark(pm, 0x10000, 16);
    mmu_ld(m, PAGE, 4, MMU_SUPER, &v, &f); /* the TLB has it now */
    window_faulted(m);
    mmu_ld(m, PAGE, 4, MMU_SUPER, &v, &f);
    ok(writable(PAGE) && writable(0x80000) && writable(0xff000), "what is around a page is there, too");
    ok(readable(0x10000) && !writable(0x10000) && writable(0x11000), "but code is for reading");
    ok(!readable(0x200000) && !readable(LIN), "no device, and nothing far away");
    mmu_protect_code(m, 0x30000);
    ok(readable(0x30000) && !writable(0x30000) && writable(0x31000), "a page that comes to hold code");
    mmu_set_a20(m, false);
    ok(!m->window_open && !readable(PAGE), "A20 closes it and leaves nothing behind");
    mmu_set_a20(m, true);
    mmu_set_control(m, PG, DIR, 0, false, true);
}

static unsigned samples_until_real(bool fair)
{
    unsigned n = 0;
    while (!m->window_real && n < 1000) window_sample(m, MMU_SUPER, 0, fair), n++;
    return n;
}

/* Real mode joins in when it has been seen at work, and leaves at once when it meets too much that is not there. */
static void test_real(void)
{
    mmu_set_control(m, 0, 0, 0, false, false);
    unsigned first = samples_until_real(false), faults = 0;
    ok(m->window_open && first >= 2, "polls find real mode: open after %u of them", first);
    for (unsigned i = 0; i < 50; i++) window_faulted(m);
    window_sample(m, MMU_SUPER, 0, false);
    while (faults < 1000 && window_faulted(m)) faults++;
    ok(!m->window_real && faults < 100, "a poll does not excuse faults: left after %u more", faults);
    unsigned second = samples_until_real(false);
    ok(second > first, "and it takes longer to be back: %u samples", second);
    for (unsigned i = 0; i < 50; i++) window_faulted(m);
    window_sample(m, MMU_SUPER, 0, true);
    for (faults = 0; faults < 1000 && window_faulted(m); faults++) {
    }
    ok(faults >= 99, "an interrupt does: %u more", faults);
    samples_until_real(true);
    mmu_set_control(m, 1, 0, 0, false, false);
    for (unsigned i = 0; i < 1000; i++) window_faulted(m);
    ok(m->window_real, "faults of protected mode are not real mode's");
    m->window_pending = 0;
    mmu_set_control(m, PG, DIR, 0, false, true);
}

/* A page that is absent, and there when its fault has been handled. */
static void test_wanted(void)
{
    enum { N = 100 };
    uint32_t at = LIN + N * PAGE_SIZE, phys = PAGE + 0x20000;
    m->window_wanted = 0;
    set_pte(N, 0);
    open_it();
    ok(!touch(at, true) && m->window_wanted == (at | 1), "a page fault is kept in mind");
    set_pte(N, phys | P | RW | US);
    window_serve_wanted(m);
    ok(!m->window_wanted && !readable(at), "a page that the processor would have to mark stays out");
    set_pte(N, 0);
    touch(at, true);
    set_pte(N, phys | P | RW | US | A);
    window_serve_wanted(m);
    ok(readable(at) && !writable(at), "a clean one is for reading");
    mmu_invlpg(m, at);
    set_pte(N, 0);
    touch(at, true);
    set_pte(N, phys | P | RW | US | A | D);
    window_serve_wanted(m);
    ok(writable(at), "any other is mapped before it is touched");
    mmu_invlpg(m, at);
    ok(!readable(at), "until it goes");
    set_pte(N, 0);
    touch(at, false);
    set_pte(N, phys | P | RW | A | D);
    window_serve_wanted(m);
    ok(!readable(at), "the system's own is not");
    set_pte(N, 0);
    touch(at, false);
    set_pte(N, phys | P | RW | US | A | D);
    mmu_set_control(m, PG, DIR, 0, false, true);
    window_serve_wanted(m);
    ok(!readable(at) && !m->window_wanted, "nor is anything when the window has closed");
    set_pte(N, 0);
}

/* Memory that is filled for the first time: the window is in the way, and no sample will say so in time. */
static void test_growth(void)
{
    unsigned n = 0;
    open_it();
    for (; n < 200 && m->window_open; n++) {
        grow();
    }
    ok(!m->window_open && n > 50, "closed after %u new pages between two samples", n);
    open_it();
    for (n = 0; n < 200 && m->window_open; n++) {
        if (n % 40 == 0) window_sample(m, MMU_USER, 0, true);
        grow();
    }
    ok(m->window_open, "not after as many in a longer time");
    mmu_set_control(m, PG, DIR, 0, false, true);
}

static void close_for_good(void)
{
    mmu_set_control(m, PG, DIR, 0, false, true);
    window_drop(m);
}

static unsigned samples_until_open(void)
{
    unsigned n = 0;
    for (; !m->window_open && n < 1000; n++) window_sample(m, MMU_USER, 0, true);
    return n;
}

/* How long a window waits after one that met so many faults and lasted for so many samples. */
static unsigned wait_after(unsigned faults, unsigned samples)
{
    open_it();
    for (unsigned i = 0; i < faults; i++) touch(LIN, true);
    for (unsigned i = 0; i < samples; i++) window_sample(m, MMU_USER, 0, true);
    close_for_good();
    return samples_until_open();
}

/* Being closed too early makes it wait longer, unless it had paid.  A sample is worth 266 pages on this host (5 us each), a fault
 * costs two of them. */
static void test_paid(void)
{
    enum { EVEN = 90 };
    set_pte(0, PAGE | P | RW | US | A | D);
    good_window();
    unsigned first = wait_after(1, 1);
    ok(first == 2, "a window that cost a page and lasted a sample was good");
    unsigned second = wait_after(1, 0);
    ok(second > first, "one that lasted none was not: %u samples, not %u", second, first);
    unsigned third = wait_after(EVEN, 1);
    ok(third == second, "one that was worth no more than it cost says nothing: %u samples", third);
    third = wait_after(EVEN, 2);
    ok(third < second, "one that was worth it twice was good: %u samples", third);
    close_for_good();
}

/* What counts is how long a space was found at work altogether; and the next one with its CR3 is not the same. */
static void test_who_waits(void)
{
    enum { STACK = 300, STACK_AT = LIN + STACK * PAGE_SIZE };
    good_window();
    window_drop(m);
    set_pte(STACK, 0x50000 | P | RW | US | A | D);
    window_sample(m, MMU_USER, STACK_AT, true);
    load_space(DIR2);
    window_sample(m, MMU_USER, 0, true);
    load_space(DIR);
    ok(!m->window_open, "one sample is not enough");
    window_sample(m, MMU_USER, STACK_AT, true);
    ok(m->window_open, "two samples open it, with others' between them");
    good_window();
    window_drop(m);
    window_sample(m, MMU_USER, STACK_AT, true);
    set_pte(STACK, 0x51000 | P | RW | US | A | D);
    window_sample(m, MMU_USER, STACK_AT, true);
    ok(!m->window_open, "another stack: the CR3 is a new space's");
    window_sample(m, MMU_USER, STACK_AT, true);
    ok(m->window_open, "which has to be found at work as often");
    set_pte(STACK, 0);
    close_for_good();
}

int main(void)
{
    static const MmioOps ops = { mmio_read, mmio_write };
    pm = phys_new();
    m = calloc(1, sizeof *m);
    zero = open("/dev/zero", O_RDONLY);
    if (!m || zero < 0 || pipe(pipes)) return 99;
    phys_add_ram(pm, "ram", 0, 0x100000, 0);
    phys_add_mmio(pm, "device", 0x200000, PAGE_SIZE, 0, &ops, NULL);
    mmu_init(m, pm);
    phys_st(pm, DIR + 4 * (LIN >> 22), TAB | P | RW | US, 4);
    mmu_set_control(m, PG, DIR, 0, false, true);
    if (!window_enable(m, 5000)) {
        puts("1..0 # SKIP no room for the window");
        return 0;
    }
    test_mapping();
    test_around();
    test_others();
    test_crossing();
    test_forgetting();
    test_resuming();
    test_resuming_pays();
    test_spaces();
    test_paying();
    test_cost();
    test_slow_host();
    test_wanted();
    test_growth();
    test_paid();
    test_who_waits();
    test_no_paging();
    test_real();
    mmu_free(m);
    phys_free(pm);
    free(m);
    return tap_done();
}
