/* The window's pages: mapping, forgetting, and the decision whether it pays. */
#include "softmmu/window.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "softmmu/window_pages.h"
#include "util/log.h"

enum {
    /* One mapping is one host VMA at worst; the host allows some 65,000 of them. */
    MAX_PAGES = 16384,
    SAMPLES_MIN = 2,
    SAMPLES_MAX = 256,
    AROUND = 32 << PAGE_SHIFT, /* bytes: what is looked at for pages that come along with one */
    IDENTITY_BYTES = 2 << 20,  /* mapped at once without paging */
    /* Host page faults between two samples that are too many.  Not fewer where they cost more: what has been spent on this window
     * would be spent on the next one, too. */
    FAULTS_MAX = 100,
    /* Pages that the system has made between two samples: memory that is filled for the first time is mostly its work. */
    GROWN_MAX = 64,
    /* What a window saves: a third of the time, with samples taken each 4 ms. */
    SAVED_NS_PER_SAMPLE = 4000000 / 3,
    PAGES_PER_FAULT = 2, /* what a fault costs, besides its page */
    /* Pages that can be looked up in the guest's tables in the time that a sample saves, 50 ns for each; what may be saved up of
     * them; and what a resumed window costs besides. */
    LOOKUPS_PER_SAMPLE = SAVED_NS_PER_SAMPLE / 50,
    LOOKUPS_MAX = 4 * LOOKUPS_PER_SAMPLE,
    LOOKUPS_PER_RESUME = 256,
    SAMPLES_GOOD = 16, /* real mode's window was worth opening when it lasted this long */
};
struct Window {
    WinPages pages;
    /* Pages that one sample pays for: opening maps what the TLB knows, and no window is worth more than the time that it might have
     * saved until now. */
    unsigned pages_paid;
    bool kept;     /* closed, but its pages are still mapped */
    bool identity; /* open without paging: linear addresses are physical ones */
    bool judged;   /* closed before, and resumed */
    uint32_t cr3;  /* whose pages these are */
    uint32_t waiting_cr3;
    unsigned quiet;              /* samples that found it closed since a CR3 load */
    unsigned waited, waited_for; /* all of those with waiting_cr3; those before it was opened */
    unsigned samples;            /* that found it open, from its opening on, resumed or not */
    unsigned samples_needed, faults, grown;
    unsigned lookups; /* that may be spent on resuming it */
    uint64_t spent;   /* mapped pages and faults' worth of them, all before this window opened */
    unsigned real_samples, real_needed, real_faults; /* real mode's: see window_sample() */
    WindowStats stats;
};

bool window_enable(Mmu *m, unsigned page_ns)
{
    if (m->window) return true;
    if (!WINDOW_SIZE) return false;
    Window *w = calloc(1, sizeof *w);
    uint8_t *p = win_space_reserve(0);
    if (!w || !p || !win_pages_init(&w->pages, m->phys, p + WINDOW_GUARD, MAX_PAGES, MAX_PAGES)) {
        if (p) munmap(p, win_space_size(0));
        free(w);
        return false;
    }
    w->samples_needed = w->real_needed = SAMPLES_MIN;
    w->pages_paid = SAVED_NS_PER_SAMPLE / page_ns;
    m->window = w;
    return true;
}

void window_free(Mmu *m)
{
    if (!m->window) return;
    munmap(m->window->pages.base - WINDOW_GUARD, win_space_size(0));
    win_pages_free(&m->window->pages);
    free(m->window);
    m->window = NULL;
    m->window_open = false;
}

uint8_t *window_base(const Mmu *m)
{
    return m->window ? m->window->pages.base : NULL;
}

WindowStats window_stats(const Mmu *m)
{
    if (!m->window) return (WindowStats){ 0 };
    WindowStats s = m->window->stats;
    s.mapped = m->window->pages.mapped;
    return s;
}

/* --- what it costs, in pages ---------------------------------------------------------------------- */

static uint64_t spent(const Window *w)
{
    return w->pages.runs + PAGES_PER_FAULT * w->stats.faults;
}

/* It costs no more than it saves, or might have saved before it was opened. */
static bool is_worth_it(const Window *w)
{
    return (uint64_t)(w->samples + w->waited_for) * w->pages_paid >= spent(w) - w->spent;
}

/* It has saved so many times what it cost. */
static bool has_paid(const Window *w, unsigned times)
{
    return w->samples && (uint64_t)w->samples * w->pages_paid >= times * (spent(w) - w->spent);
}

/* --- pages ---------------------------------------------------------------------------------------- */

/* What is not there yet.  INVLPG knows of large pages by the TLB alone. */
static WinKnown missing_at(Mmu *m, uint32_t page)
{
    WinKnown k = win_known_at(m, page, m->window_idx);
    bool here = win_pages_has(&m->window->pages, page, k.host, k.writable);
    return k.large || here ? (WinKnown){ 0 } : k;
}

static void map_page(Mmu *m, uint32_t page, uintptr_t host, bool writable)
{
    WinPages *pages = &m->window->pages;
    WinKnown at = { .host = host, .writable = writable };
    if (!win_pages_has(pages, page, host, writable)) win_pages_map_around(pages, m, page, at, AROUND, missing_at);
}

/* Without paging what is around a page is as likely wanted, and it needs no table to know where it is. */
static WinKnown plain_at(Mmu *m, uint32_t page)
{
    return win_memory_at(m, mmu_a20(m, page), true);
}

static void map_around(Mmu *m, uint32_t page)
{
    uint32_t lo = page & ~(IDENTITY_BYTES - 1), start = lo;
    WinKnown run = plain_at(m, lo);
    for (uint32_t off = PAGE_SIZE; off <= IDENTITY_BYTES; off += PAGE_SIZE) {
        WinKnown next = off < IDENTITY_BYTES ? plain_at(m, lo + off) : (WinKnown){ 0 };
        uint32_t bytes = lo + off - start;
        if (next.host && next.host == run.host + bytes && next.writable == run.writable) continue;
        if (run.host) win_pages_map(&m->window->pages, start, run.host, bytes >> PAGE_SHIFT, run.writable);
        run = next;
        start = lo + off;
    }
}

static void drop_all(Window *w)
{
    win_pages_drop(&w->pages);
    w->kept = false;
}

/* --- what was kept ---------------------------------------------------------------------------------- */

static bool is_still_good(Mmu *m, const WinPage *e)
{
    WinKnown k = win_known_at(m, e->page & ~PAGE_MASK, m->window_idx);
    return k.host == e->host && !k.large && (k.writable || !(e->page & 1));
}

/* Leaves of the window that was open last what the tables have as it was.  False when that is the lesser part: the space is
 * another's by now or has changed all over, and it is cheaper to begin anew. */
static bool keep_good(Mmu *m)
{
    WinPages *pages = &m->window->pages;
    unsigned bad = 0;
    for (unsigned i = 0; i < pages->n; i++)
        if (!is_still_good(m, &pages->entry[i]) && ++bad > pages->n / 4) {
            drop_all(m->window);
            return false;
        }
    for (unsigned i = pages->n; bad && i-- > 0;) /* the last one takes the place of one that goes */
        if (!is_still_good(m, &pages->entry[i])) win_pages_forget(pages, pages->entry[i].page & ~PAGE_MASK, PAGE_SIZE);
    return true;
}

static bool is_kept(const Mmu *m, unsigned idx)
{
    const Window *w = m->window;
    return w->kept && !w->identity && (m->cr0 & PG_CR0_PG) && idx == m->window_idx;
}

static bool may_resume(const Mmu *m)
{
    const Window *w = m->window;
    return is_kept(m, MMU_USER) && m->cr3 == w->cr3 && w->lookups >= w->pages.n + LOOKUPS_PER_RESUME && is_worth_it(w);
}

static void resume(Mmu *m)
{
    Window *w = m->window;
    w->lookups -= w->pages.n + LOOKUPS_PER_RESUME;
    if (!keep_good(m)) return;
    w->kept = false;
    m->window_open = true;
    w->stats.resumed++;
}

void window_space_loaded(Mmu *m)
{
    m->window->quiet = 0;
    m->window_wanted = may_resume(m) ? MMU_WANTED_OPEN : 0;
}

static bool is_real(const Mmu *m)
{
    return !(m->cr0 & PG_CR0_PE);
}

/* How long the next one has to wait. */
static unsigned judged(unsigned needed, bool was_good)
{
    if (was_good) return SAMPLES_MIN;
    return needed < SAMPLES_MAX ? needed * 2 : needed;
}

static void leave_real(Mmu *m)
{
    Window *w = m->window;
    m->window_real = false;
    w->real_needed = judged(w->real_needed, w->real_samples >= SAMPLES_GOOD);
    w->real_samples = 0;
}

bool window_faulted(Mmu *m)
{
    Window *w = m->window;
    w->faults++;
    w->stats.faults++;
    m->window_pending |= MMU_PENDING_USER;
    bool too_many = m->window_real && is_real(m) && ++w->real_faults > FAULTS_MAX && !m->window_always;
    if (too_many) leave_real(m);
    return !too_many;
}

void window_serve(Mmu *m, const TlbEntry *e, uint32_t page, bool write)
{
    Window *w = m->window;
    if (!m->window_open) return;
    bool readable = e->tag_rd == page, writable = e->tag_wr == page;
    if (readable && (writable || !write)) {
        if (w->identity)
            map_around(m, page);
        else
            map_page(m, page, page + e->addend, writable);
        return;
    }
    w->stats.hopeless++;
    m->window_hopeless = true;
}

/* --- forgetting ------------------------------------------------------------------------------------- */

void window_close(Mmu *m)
{
    Window *w = m->window;
    if (!m->window_open) return;
    m->window_open = false;
    w->kept = true;
    w->waited = w->quiet = 0;
    w->stats.closed++;
    /* Without paging there is nothing to learn from: it closes when paging begins. */
    if (w->identity) return;
    bool good = has_paid(w, 2), bad = !has_paid(w, 1) && !w->judged;
    if (good || bad) w->samples_needed = judged(w->samples_needed, good);
    w->judged = true;
}

/* It costs more than it saves: samples come too late, or find the system at work. */
static void close_early(Mmu *m)
{
    Window *w = m->window;
    w->samples = w->lookups = 0;
    w->judged = false;
    window_close(m);
}

void window_serve_wanted(Mmu *m)
{
    uint32_t wanted = m->window_wanted, page = wanted & ~PAGE_MASK;
    m->window_wanted = 0;
    if (wanted & MMU_WANTED_OPEN && may_resume(m)) resume(m);
    if (!(wanted & MMU_WANTED_PAGE) || !m->window_open || m->window->identity || m->window_idx != MMU_USER ||
        !mmu_paging(m))
        return;
    WinKnown at = missing_at(m, page);
    if (!at.host) return;
    if (++m->window->grown > GROWN_MAX && !m->window_always) {
        close_early(m);
        return;
    }
    map_page(m, page, at.host, at.writable);
}

/* The code that brought this about may run on in a block that uses the window: its accesses must fault from here on. */
void window_drop(Mmu *m)
{
    window_close(m);
    drop_all(m->window);
}

void window_forget(Mmu *m, uint32_t first, uint32_t bytes)
{
    if (m->window_open) win_pages_forget(&m->window->pages, first, bytes);
}

void window_protect(Mmu *m, uintptr_t host_lo, uintptr_t bytes)
{
    if (m->window_open) win_pages_protect(&m->window->pages, host_lo, bytes);
}

/* --- does it pay? ------------------------------------------------------------------------------------- */

static bool is_known(const Mmu *m, unsigned idx, unsigned n)
{
    return (m->book->slot[idx][n].flags & SLOT_VALID) && !(m->tlb[idx][n].tag_rd & PAGE_MASK);
}

/* Whether the TLB has the page behind the entry's as its continuation in the host's memory. */
static bool goes_on(const Mmu *m, unsigned idx, const TlbEntry *e, uint32_t page)
{
    unsigned n = mmu_tlb_index(page);
    const TlbEntry *next = &m->tlb[idx][n];
    return page && is_known(m, idx, n) && next->tag_rd == page && next->addend == e->addend &&
           (next->tag_wr == page) == (e->tag_wr == e->tag_rd);
}

/* Whether the window was open before, and has the page already. */
static bool has_entry(const Mmu *m, const TlbEntry *e)
{
    return win_pages_has(&m->window->pages, e->tag_rd, e->tag_rd + e->addend, e->tag_wr == e->tag_rd);
}

static void map_known(Mmu *m, unsigned idx, const TlbEntry *e)
{
    unsigned pages = 1;
    while (goes_on(m, idx, e, e->tag_rd + (pages << PAGE_SHIFT))) pages++;
    win_pages_map(&m->window->pages, e->tag_rd, e->tag_rd + e->addend, pages, e->tag_wr == e->tag_rd);
}

/* Calls fn for what the TLB idx has of memory and the window has not, by the first entry of each run; how many those were. */
static unsigned each_known_run(Mmu *m, unsigned idx, void (*fn)(Mmu *m, unsigned idx, const TlbEntry *e))
{
    const SlotList *lists[2] = { &m->book->local, &m->book->global };
    unsigned runs = 0;
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < lists[k]->n; i++) {
            unsigned table = lists[k]->id[i] / MMU_TLB_SIZE, n = lists[k]->id[i] % MMU_TLB_SIZE;
            const TlbEntry *e = &m->tlb[idx][n];
            if (table != idx || !is_known(m, idx, n)) continue;
            const TlbEntry *before = &m->tlb[idx][mmu_tlb_index(e->tag_rd - PAGE_SIZE)];
            if (before->tag_rd == e->tag_rd - PAGE_SIZE && goes_on(m, idx, before, e->tag_rd) && !has_entry(m, before))
                continue;
            if (has_entry(m, e)) continue;
            runs++;
            if (fn) fn(m, idx, e);
        }
    return runs;
}

static void open_window(Mmu *m, unsigned idx)
{
    Window *w = m->window;
    if (is_kept(m, idx))
        keep_good(m);
    else
        drop_all(w);
    bool same = w->kept && m->cr3 == w->cr3;
    w->kept = false;
    m->window_open = true;
    m->window_idx = (uint8_t)idx;
    w->identity = !(m->cr0 & PG_CR0_PG);
    w->cr3 = m->cr3;
    w->waited_for = same ? w->waited_for + w->waited : w->waited;
    w->waited = w->faults = w->grown = 0;
    if (!same) {
        w->judged = false;
        w->samples = w->lookups = 0;
        w->spent = spent(w);
    }
    w->stats.opened++;
    if (!w->identity) each_known_run(m, idx, map_known);
    if (log_on(LOG_MMU)) log_printf("mmu window: open with %u pages\n", w->pages.n);
}

static bool may_open(Mmu *m, unsigned idx)
{
    const Window *w = m->window;
    if (m->window_always) return true;
    return w->quiet >= SAMPLES_MIN && w->waited >= w->samples_needed &&
           w->waited >= each_known_run(m, idx, NULL) / w->pages_paid;
}

static void sample_closed(Mmu *m, unsigned idx)
{
    Window *w = m->window;
    if (m->cr3 != w->waiting_cr3) w->waited = 0;
    w->waiting_cr3 = m->cr3;
    w->waited++;
    w->quiet++;
    if (!(m->cr0 & PG_CR0_PG) || may_open(m, idx)) open_window(m, idx);
}

void window_open_now(Mmu *m, unsigned idx)
{
    m->window_real = is_real(m);
    open_window(m, idx);
}

/* Real-mode programs have data beside their code and stores to devices everywhere, which the window is no help with.  So it costs
 * no more than FAULTS_MAX faults between two interrupts, and then has to wait. */
static void sample_real(Mmu *m, bool fair)
{
    Window *w = m->window;
    if (fair) w->real_faults = 0;
    if (m->window_real && !fair) return;
    w->real_samples++;
    if (m->window_real || (w->real_samples < w->real_needed && !m->window_always)) return;
    m->window_real = true;
    w->real_samples = w->real_faults = 0;
}

void window_sample(Mmu *m, unsigned idx, bool fair)
{
    Window *w = m->window;
    if (is_real(m)) sample_real(m, fair);
    if (is_real(m) && !m->window_real) return;
    if (!m->window_open) {
        sample_closed(m, idx);
        return;
    }
    w->samples++;
    w->lookups = w->lookups + LOOKUPS_PER_SAMPLE < LOOKUPS_MAX ? w->lookups + LOOKUPS_PER_SAMPLE : LOOKUPS_MAX;
    if (w->faults > FAULTS_MAX && !m->window_always) {
        if (log_on(LOG_MMU)) log_printf("mmu window: closed, %u faults in one sample\n", w->faults);
        close_early(m);
    }
    w->faults = w->grown = 0;
}
