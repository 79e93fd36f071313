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
enum { NO_VERDICT, BAD, FAIR, GOOD };

/* An address space, or all of memory without paging, with a window of its own. */
typedef struct Space {
    WinPages pages;
    bool kept;       /* closed, but its pages are still mapped */
    bool identity;   /* without paging: linear addresses are physical ones */
    uint8_t verdict; /* whether it was worth it, when it closed */
    uint32_t cr3;
    uint32_t mark; /* where its stack was first seen, and what was mapped there: the next space may have the same CR3 */
    uintptr_t marked;
    unsigned waited, waited_for; /* samples that found it closed; those before it was opened */
    unsigned samples;            /* that found it open, from its opening on, resumed or not */
    unsigned lookups;            /* that may be spent on resuming it */
    uint64_t faults, spent;      /* all of them; mapped pages and faults' worth of them before it was opened */
    uint64_t seen;               /* the last sample, by number */
} Space;

enum { SPACES = 4 };
struct Window {
    Space space[SPACES], *now; /* now: the one that is open, or was last */
    unsigned n;                /* that the host has room for */
    /* Pages that one sample pays for: opening maps what the TLB knows, and no window is worth more than the time that it might have
     * saved until now. */
    unsigned pages_paid;
    unsigned samples_needed, faults, grown;          /* the last two since a sample */
    unsigned real_samples, real_needed, real_faults; /* real mode's: see window_sample() */
    uint64_t n_samples;
    WindowStats stats;
};

static bool space_init(Space *s, PhysMem *phys)
{
    uint8_t *p = win_space_reserve(0);
    if (p && win_pages_init(&s->pages, phys, p + WINDOW_GUARD, MAX_PAGES, MAX_PAGES)) return true;
    if (p) munmap(p, win_space_size(0));
    return false;
}

bool window_enable(Mmu *m, unsigned page_ns)
{
    if (m->window) return true;
    if (!WINDOW_SIZE) return false;
    Window *w = calloc(1, sizeof *w);
    while (w && w->n < SPACES && space_init(&w->space[w->n], m->phys)) w->n++;
    if (!w || !w->n) {
        free(w);
        return false;
    }
    w->now = w->space;
    w->samples_needed = w->real_needed = SAMPLES_MIN;
    w->pages_paid = SAVED_NS_PER_SAMPLE / page_ns;
    m->window = w;
    return true;
}

void window_free(Mmu *m)
{
    Window *w = m->window;
    if (!w) return;
    for (unsigned i = 0; i < w->n; i++) {
        munmap(w->space[i].pages.base - WINDOW_GUARD, win_space_size(0));
        win_pages_free(&w->space[i].pages);
    }
    free(w);
    m->window = NULL;
    m->window_open = false;
}

uint8_t *window_base(const Mmu *m)
{
    return m->window ? m->window->now->pages.base : NULL;
}

WindowStats window_stats(const Mmu *m)
{
    const Window *w = m->window;
    if (!w) return (WindowStats){ 0 };
    WindowStats s = w->stats;
    for (unsigned i = 0; i < w->n; i++) s.mapped += w->space[i].pages.mapped;
    return s;
}

/* --- what it costs, in pages ---------------------------------------------------------------------- */

static uint64_t spent(const Space *s)
{
    return s->pages.runs + PAGES_PER_FAULT * s->faults;
}

/* It costs no more than it saves, or might have saved before it was opened. */
static bool is_worth_it(const Window *w, const Space *s)
{
    return (uint64_t)(s->samples + s->waited_for) * w->pages_paid >= spent(s) - s->spent;
}

/* It has saved so many times what it cost. */
static bool has_paid(const Window *w, const Space *s, unsigned times)
{
    return s->samples && (uint64_t)s->samples * w->pages_paid >= times * (spent(s) - s->spent);
}

/* --- spaces --------------------------------------------------------------------------------------- */

static void drop_pages(Space *s)
{
    win_pages_drop(&s->pages);
    s->kept = false;
}

/* The host's mappings are for all of them: others' go before they get scarce. */
static void make_room(Window *w)
{
    uint32_t used = 0;
    for (unsigned i = 0; i < w->n; i++) used += w->space[i].pages.n + w->space[i].pages.changes;
    for (unsigned i = 0; used > 2 * MAX_PAGES && i < w->n; i++)
        if (&w->space[i] != w->now) drop_pages(&w->space[i]);
}

static Space *find_space(const Mmu *m)
{
    Window *w = m->window;
    bool identity = !(m->cr0 & PG_CR0_PG);
    for (unsigned i = 0; i < w->n; i++) {
        Space *s = &w->space[i];
        if (s->seen && s->identity == identity && (identity || s->cr3 == m->cr3)) return s;
    }
    return NULL;
}

static Space *seen_longest_ago(Window *w)
{
    Space *s = w->space;
    for (unsigned i = 1; i < w->n; i++)
        if (w->space[i].seen < s->seen) s = &w->space[i];
    return s;
}

static uintptr_t mapped_at(Mmu *m, uint32_t lin)
{
    return win_known_at(m, lin & ~PAGE_MASK, MMU_USER).host;
}

static bool is_another(Mmu *m, const Space *s)
{
    return s->marked && s->marked != mapped_at(m, s->mark);
}

/* The space that is current, which is closed; found by a sample, with its stack there. */
static Space *space_here(Mmu *m, uint32_t stack)
{
    Window *w = m->window;
    Space *s = find_space(m);
    bool fresh = !s || is_another(m, s);
    if (!s) s = seen_longest_ago(w);
    if (fresh) {
        s->cr3 = m->cr3;
        s->identity = !(m->cr0 & PG_CR0_PG);
        s->marked = 0;
        s->waited = 0;
    }
    if (!s->marked && !s->identity) {
        s->mark = stack;
        s->marked = mapped_at(m, stack);
    }
    s->seen = ++w->n_samples;
    return s;
}

/* --- pages ---------------------------------------------------------------------------------------- */

/* What is not there yet.  INVLPG knows of large pages by the TLB alone. */
static WinKnown missing_at(Mmu *m, uint32_t page)
{
    WinKnown k = win_known_at(m, page, m->window_idx);
    bool here = win_pages_has(&m->window->now->pages, page, k.host, k.writable);
    return k.large || here ? (WinKnown){ 0 } : k;
}

static void map_page(Mmu *m, uint32_t page, uintptr_t host, bool writable)
{
    WinPages *pages = &m->window->now->pages;
    WinKnown at = { .host = host, .writable = writable };
    if (win_pages_has(pages, page, host, writable)) return;
    make_room(m->window);
    win_pages_map_around(pages, m, page, at, AROUND, missing_at);
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
    make_room(m->window);
    for (uint32_t off = PAGE_SIZE; off <= IDENTITY_BYTES; off += PAGE_SIZE) {
        WinKnown next = off < IDENTITY_BYTES ? plain_at(m, lo + off) : (WinKnown){ 0 };
        uint32_t bytes = lo + off - start;
        if (next.host && next.host == run.host + bytes && next.writable == run.writable) continue;
        if (run.host) win_pages_map(&m->window->now->pages, start, run.host, bytes >> PAGE_SHIFT, run.writable);
        run = next;
        start = lo + off;
    }
}

/* --- what was kept ---------------------------------------------------------------------------------- */

static bool is_still_good(Mmu *m, const WinPage *e)
{
    WinKnown k = win_known_at(m, e->page & ~PAGE_MASK, MMU_USER);
    return k.host == e->host && !k.large && (k.writable || !(e->page & 1));
}

/* Leaves of its pages what the tables have as it was.  False when that is the lesser part: the space is another by now or has
 * changed all over, and it is cheaper to begin anew. */
static bool keep_good(Mmu *m, Space *s)
{
    WinPages *pages = &s->pages;
    unsigned bad = 0;
    for (unsigned i = 0; i < pages->n; i++)
        if (!is_still_good(m, &pages->entry[i]) && ++bad > pages->n / 4) {
            drop_pages(s);
            return false;
        }
    for (unsigned i = pages->n; bad && i-- > 0;) /* the last one takes the place of one that goes */
        if (!is_still_good(m, &pages->entry[i])) win_pages_forget(pages, pages->entry[i].page & ~PAGE_MASK, PAGE_SIZE);
    return true;
}

/* From here on generated code uses this one's pages. */
static void make_current(Mmu *m, Space *s, unsigned idx)
{
    Window *w = m->window;
    bool moved = w->now != s;
    s->kept = false;
    w->now = s;
    w->faults = w->grown = 0;
    m->window_open = true;
    m->window_idx = (uint8_t)idx;
    if (moved && m->on_window_moved) m->on_window_moved(m->on_window_moved_opaque);
    make_room(w);
}

static bool is_kept(const Mmu *m, const Space *s)
{
    return s && s->kept && !s->identity && (m->cr0 & PG_CR0_PG);
}

static bool may_resume(const Mmu *m, const Space *s)
{
    return is_kept(m, s) && s->lookups >= s->pages.n + LOOKUPS_PER_RESUME && is_worth_it(m->window, s);
}

static void resume(Mmu *m, Space *s)
{
    s->lookups -= s->pages.n + LOOKUPS_PER_RESUME;
    if (!keep_good(m, s)) return;
    make_current(m, s, MMU_USER);
    m->window->stats.resumed++;
}

void window_space_loaded(Mmu *m)
{
    m->window_wanted = may_resume(m, find_space(m)) ? MMU_WANTED_OPEN : 0;
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
    w->now->faults++;
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
        if (w->now->identity)
            map_around(m, page);
        else
            map_page(m, page, page + e->addend, writable);
        return;
    }
    w->stats.hopeless++;
    m->window_hopeless = true;
}

/* --- forgetting ------------------------------------------------------------------------------------- */

/* How long a space has to wait before it gets a window: longer than those lived whose windows were not worth it. */
static void learn(Window *w, Space *s)
{
    bool was_judged = s->verdict != NO_VERDICT;
    uint8_t verdict = has_paid(w, s, 2) ? GOOD : !was_judged && !has_paid(w, s, 1) ? BAD : FAIR;
    if (verdict != s->verdict && verdict == GOOD) w->samples_needed = (w->samples_needed + SAMPLES_MIN) / 2;
    unsigned lived = s->waited_for + s->samples + 1;
    if (verdict == BAD && lived > w->samples_needed) w->samples_needed = (w->samples_needed + lived + 1) / 2;
    if (w->samples_needed > SAMPLES_MAX) w->samples_needed = SAMPLES_MAX;
    if (verdict != FAIR || !was_judged) s->verdict = verdict;
}

void window_close(Mmu *m)
{
    Window *w = m->window;
    Space *s = w->now;
    if (!m->window_open) return;
    m->window_open = false;
    s->kept = true;
    s->waited = 0;
    w->stats.closed++;
    /* Without paging there is nothing to learn from: it closes when paging begins. */
    if (s->identity) return;
    learn(w, s);
}

/* It costs more than it saves: samples come too late, or find the system at work. */
static void close_early(Mmu *m)
{
    Space *s = m->window->now;
    s->samples = s->lookups = 0;
    s->verdict = NO_VERDICT;
    window_close(m);
}

void window_serve_wanted(Mmu *m)
{
    uint32_t wanted = m->window_wanted, page = wanted & ~PAGE_MASK;
    m->window_wanted = 0;
    Space *s = wanted & MMU_WANTED_OPEN && !m->window_open ? find_space(m) : NULL;
    if (may_resume(m, s)) resume(m, s);
    if (!(wanted & MMU_WANTED_PAGE) || !m->window_open || m->window->now->identity || m->window_idx != MMU_USER ||
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
    Window *w = m->window;
    window_close(m);
    for (unsigned i = 0; i < w->n; i++) drop_pages(&w->space[i]);
}

void window_forget(Mmu *m, uint32_t first, uint32_t bytes)
{
    if (m->window_open) win_pages_forget(&m->window->now->pages, first, bytes);
}

void window_protect(Mmu *m, uintptr_t host_lo, uintptr_t bytes)
{
    if (m->window_open) win_pages_protect(&m->window->now->pages, host_lo, bytes);
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
static bool has_entry(const Space *s, const TlbEntry *e)
{
    return win_pages_has(&s->pages, e->tag_rd, e->tag_rd + e->addend, e->tag_wr == e->tag_rd);
}

static void map_known(Mmu *m, Space *s, unsigned idx, const TlbEntry *e)
{
    unsigned pages = 1;
    while (goes_on(m, idx, e, e->tag_rd + (pages << PAGE_SHIFT))) pages++;
    win_pages_map(&s->pages, e->tag_rd, e->tag_rd + e->addend, pages, e->tag_wr == e->tag_rd);
}

/* Calls fn for what the TLB idx has of memory and the window has not, by the first entry of each run; how many those were. */
static unsigned each_known_run(Mmu *m, Space *s, unsigned idx,
                               void (*fn)(Mmu *m, Space *s, unsigned idx, const TlbEntry *e))
{
    const SlotList *lists[2] = { &m->book->local, &m->book->global };
    unsigned runs = 0;
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < lists[k]->n; i++) {
            unsigned table = lists[k]->id[i] / MMU_TLB_SIZE, n = lists[k]->id[i] % MMU_TLB_SIZE;
            const TlbEntry *e = &m->tlb[idx][n];
            if (table != idx || !is_known(m, idx, n)) continue;
            const TlbEntry *before = &m->tlb[idx][mmu_tlb_index(e->tag_rd - PAGE_SIZE)];
            if (before->tag_rd == e->tag_rd - PAGE_SIZE && goes_on(m, idx, before, e->tag_rd) && !has_entry(s, before))
                continue;
            if (has_entry(s, e)) continue;
            runs++;
            if (fn) fn(m, s, idx, e);
        }
    return runs;
}

/* So many samples pay for lookups. */
static void credit(Space *s, unsigned samples)
{
    uint64_t lookups = s->lookups + (uint64_t)samples * LOOKUPS_PER_SAMPLE;
    s->lookups = lookups < LOOKUPS_MAX ? (unsigned)lookups : LOOKUPS_MAX;
}

static void open_window(Mmu *m, Space *s, unsigned idx)
{
    Window *w = m->window;
    if (!is_kept(m, s) || !keep_good(m, s)) drop_pages(s);
    bool same = s->kept;
    if (!same) s->samples = s->lookups = 0;
    credit(s, s->waited);
    s->waited_for = same ? s->waited_for + s->waited : s->waited;
    s->waited = 0;
    if (!same) {
        s->verdict = NO_VERDICT;
        s->spent = spent(s);
    }
    make_current(m, s, idx);
    w->stats.opened++;
    if (!s->identity) each_known_run(m, s, idx, map_known);
    if (log_on(LOG_MMU)) log_printf("mmu window: open with %u pages\n", s->pages.n);
}

static bool may_open(Mmu *m, Space *s, unsigned idx)
{
    const Window *w = m->window;
    if (m->window_always) return true;
    return s->waited >= w->samples_needed && s->waited >= each_known_run(m, s, idx, NULL) / w->pages_paid;
}

static void sample_closed(Mmu *m, unsigned idx, uint32_t stack)
{
    Space *s = space_here(m, stack);
    s->waited++;
    if (s->identity || may_open(m, s, idx)) open_window(m, s, idx);
}

void window_open_now(Mmu *m, unsigned idx)
{
    m->window_real = is_real(m);
    open_window(m, space_here(m, 0), idx);
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

void window_sample(Mmu *m, unsigned idx, uint32_t stack, bool fair)
{
    Window *w = m->window;
    if (is_real(m)) sample_real(m, fair);
    if (is_real(m) && !m->window_real) return;
    if (!m->window_open) {
        sample_closed(m, idx, stack);
        return;
    }
    Space *s = w->now;
    s->seen = ++w->n_samples;
    s->samples++;
    credit(s, 1);
    if (w->faults > FAULTS_MAX && !m->window_always) {
        if (log_on(LOG_MMU)) log_printf("mmu window: closed, %u faults in one sample\n", w->faults);
        close_early(m);
    }
    w->faults = w->grown = 0;
}
