/* The window's pages: mapping, forgetting, and the decision whether it pays. */
#include "softmmu/window.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "softmmu/mmu_book.h"
#include "util/log.h"

enum {
    /* One mapping is one host VMA at worst; the host allows some 65,000 of them. */
    MAX_PAGES = 16384,
    SAMPLES_MIN = 2,
    SAMPLES_MAX = 256,
    /* Host page faults between two samples that eat up what the window saves (a fault and a mapping: about 10 us). */
    FAULTS_MAX = 100,
    IDENTITY_BYTES = 1 << 20, /* mapped at once without paging */
    /* Opening maps what the TLB knows, some 5 us a page, and no window is worth more than the time that it might have saved
     * until now: a third of it, with samples taken each 4 ms. */
    PAGES_PER_SAMPLE = 256,
    SAMPLES_GOOD = 16, /* a window that lasted this long was worth opening */
};
#define WINDOW_SIZE  ((size_t)1 << 32)
#define WINDOW_GUARD ((size_t)64 << 10) /* an access at the very end must not leave the window */

typedef struct WinPage {
    uint32_t page; /* linear page address; writable in bit 0 */
    uint32_t next; /* in its hash chain, index + 1 */
    uintptr_t host;
} WinPage;

enum { WIN_HASH = 4096 };

struct Window {
    uint8_t *base;
    WinPage *entry;
    uint32_t n, hash[WIN_HASH];
    bool stale; /* closed, but its pages are still mapped */
    uint8_t pending;
    bool identity; /* open without paging: linear addresses are physical ones */
    unsigned samples, samples_needed, faults;
    WindowStats stats;
};

bool window_enable(Mmu *m)
{
    if (m->window) return true;
    Window *w = calloc(1, sizeof *w);
    WinPage *entry = malloc(MAX_PAGES * sizeof *entry);
    void *p = mmap(NULL, WINDOW_SIZE + 2 * WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!w || !entry || p == MAP_FAILED) {
        if (p != MAP_FAILED) munmap(p, WINDOW_SIZE + 2 * WINDOW_GUARD);
        free(entry);
        free(w);
        return false;
    }
    w->base = (uint8_t *)p + WINDOW_GUARD;
    w->entry = entry;
    w->samples_needed = SAMPLES_MIN;
    m->window = w;
    return true;
}

void window_free(Mmu *m)
{
    if (!m->window) return;
    munmap(m->window->base - WINDOW_GUARD, WINDOW_SIZE + 2 * WINDOW_GUARD);
    free(m->window->entry);
    free(m->window);
    m->window = NULL;
    m->window_open = m->window_pending = false;
}

uint8_t *window_base(const Mmu *m)
{
    return m->window ? m->window->base : NULL;
}

WindowStats window_stats(const Mmu *m)
{
    return m->window ? m->window->stats : (WindowStats){ 0 };
}

/* --- pages ---------------------------------------------------------------------------------------- */

static unsigned win_hash(uint32_t page)
{
    return page >> PAGE_SHIFT & (WIN_HASH - 1);
}

static WinPage *find(Window *w, uint32_t page)
{
    for (uint32_t i = w->hash[win_hash(page)]; i; i = w->entry[i - 1].next)
        if ((w->entry[i - 1].page & ~PAGE_MASK) == page) return &w->entry[i - 1];
    return NULL;
}

static void unmap(Window *w, uint32_t page, size_t bytes)
{
    /* In place of an munmap(), which would let somebody else's mapping in. */
    void *p = mmap(w->base + page, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (p == MAP_FAILED) abort(); /* a stale mapping must not stay */
}

static void drop_all(Window *w)
{
    if (w->n) unmap(w, 0, WINDOW_SIZE);
    w->n = 0;
    memset(w->hash, 0, sizeof w->hash);
    w->stale = false;
}

/* The last entry takes the place of the one that goes. */
static void entry_remove(Window *w, WinPage *gone)
{
    uint32_t id = (uint32_t)(gone - w->entry) + 1, last = w->n;
    uint32_t *link = &w->hash[win_hash(gone->page)];
    while (*link != id) link = &w->entry[*link - 1].next;
    *link = gone->next;
    if (id != last) {
        link = &w->hash[win_hash(w->entry[last - 1].page)];
        while (*link != last) link = &w->entry[*link - 1].next;
        *link = id;
        *gone = w->entry[last - 1];
    }
    w->n--;
}

static bool forget_entry(Window *w, uint32_t page)
{
    WinPage *e = find(w, page);
    if (e) entry_remove(w, e);
    return e != NULL;
}

static void enter(Window *w, uint32_t page, uintptr_t host, bool writable)
{
    WinPage *e = find(w, page);
    if (!e) {
        e = &w->entry[w->n++];
        e->next = w->hash[win_hash(page)];
        w->hash[win_hash(page)] = w->n;
    }
    e->page = page | writable;
    e->host = host;
}

/* n pages at most MAX_PAGES, one behind the other in both. */
static void map_run(Mmu *m, uint32_t page, uintptr_t host, unsigned n, bool writable, int flags)
{
    Window *w = m->window;
    PhysBacking at;
    if (!phys_host_backing(m->phys, (const uint8_t *)host, &at)) return;
    if (w->n + n > MAX_PAGES) drop_all(w);
    size_t bytes = (size_t)n << PAGE_SHIFT;
    int prot = PROT_READ | (writable ? PROT_WRITE : 0);
    void *p = mmap(w->base + page, bytes, prot, MAP_SHARED | MAP_FIXED | flags, at.fd, (off_t)at.offset);
    if (p == MAP_FAILED) { /* what was there may be gone or not (POSIX mmap(), MAP_FIXED) */
        for (unsigned i = 0; i < n; i++) forget_entry(w, page + (i << PAGE_SHIFT));
        unmap(w, page, bytes);
        return;
    }
    for (unsigned i = 0; i < n; i++) enter(w, page + (i << PAGE_SHIFT), host + ((uintptr_t)i << PAGE_SHIFT), writable);
    w->stats.mapped += n;
}

static void map_page(Mmu *m, uint32_t page, uintptr_t host, bool writable)
{
    const WinPage *e = find(m->window, page);
    if (e && e->page == (page | writable) && e->host == host) return;
    map_run(m, page, host, 1, writable, MAP_POPULATE);
}

/* --- without paging ----------------------------------------------------------------------------------- */
/* What is around a page is as likely wanted, and it needs no table to know where it is. */

typedef struct Plain {
    uintptr_t host; /* 0: not memory */
    bool writable;
} Plain;

static Plain plain_at(Mmu *m, uint32_t page)
{
    bool ram;
    PhysAddr phys = page & m->a20_mask;
    uint8_t *host = phys_page_host(m->phys, phys, &ram);
    return (Plain){ (uintptr_t)host, host && ram && mmu_plain_stores(m, phys, host) };
}

static void map_around(Mmu *m, uint32_t page)
{
    uint32_t lo = page & ~(IDENTITY_BYTES - 1), start = lo;
    Plain run = plain_at(m, lo);
    for (uint32_t off = PAGE_SIZE; off <= IDENTITY_BYTES; off += PAGE_SIZE) {
        Plain next = off < IDENTITY_BYTES ? plain_at(m, lo + off) : (Plain){ 0, false };
        uint32_t bytes = lo + off - start;
        if (next.host && next.host == run.host + bytes && next.writable == run.writable) continue;
        if (run.host) map_run(m, start, run.host, bytes >> PAGE_SHIFT, run.writable, 0);
        run = next;
        start = lo + off;
    }
}

void window_faulted(Mmu *m)
{
    Window *w = m->window;
    w->faults++;
    w->stats.faults++;
    m->window_pending = true;
    w->pending = 2; /* an access may touch two pages */
}

void window_serve(Mmu *m, const TlbEntry *e, uint32_t page, bool write)
{
    Window *w = m->window;
    if (!--w->pending) m->window_pending = false;
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

/* How long the next one has to wait.  Without paging there is nothing to learn from: it closes when paging begins. */
static void judge(Window *w)
{
    if (w->samples >= SAMPLES_GOOD)
        w->samples_needed = SAMPLES_MIN;
    else if (w->samples_needed < SAMPLES_MAX)
        w->samples_needed *= 2;
}

void window_close(Mmu *m)
{
    Window *w = m->window;
    if (!m->window_open) {
        w->samples = 0;
        return;
    }
    m->window_open = false;
    w->stale = true;
    w->stats.closed++;
    if (!w->identity) judge(w);
    w->samples = 0;
}

/* The code that brought this about may run on in a block that uses the window: its accesses must fault from here on. */
void window_drop(Mmu *m)
{
    window_close(m);
    if (m->window->n) drop_all(m->window);
}

void window_forget(Mmu *m, uint32_t first, uint32_t bytes)
{
    Window *w = m->window;
    if (!m->window_open) return;
    for (uint32_t off = 0; off < bytes; off += PAGE_SIZE)
        if (forget_entry(w, first + off)) unmap(w, first + off, PAGE_SIZE);
}

void window_protect(Mmu *m, uintptr_t host_lo, uintptr_t bytes)
{
    Window *w = m->window;
    if (!m->window_open) return;
    for (uint32_t i = 0; i < w->n; i++) {
        WinPage *e = &w->entry[i];
        if (!(e->page & 1) || e->host - host_lo >= bytes) continue;
        e->page &= ~1u;
        if (mprotect(w->base + e->page, PAGE_SIZE, PROT_READ)) abort();
    }
}

/* --- does it pay? ------------------------------------------------------------------------------------- */

/* Calls fn for what the TLB idx has of memory; how many that were. */
static unsigned each_known(Mmu *m, unsigned idx, void (*fn)(Mmu *m, const TlbEntry *e))
{
    const SlotList *lists[2] = { &m->book->local, &m->book->global };
    unsigned known = 0;
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < lists[k]->n; i++) {
            unsigned table = lists[k]->id[i] / MMU_TLB_SIZE, n = lists[k]->id[i] % MMU_TLB_SIZE;
            const TlbEntry *e = &m->tlb[idx][n];
            if (table != idx || !(m->book->slot[table][n].flags & SLOT_VALID) || (e->tag_rd & PAGE_MASK)) continue;
            known++;
            if (fn) fn(m, e);
        }
    return known;
}

static void map_known(Mmu *m, const TlbEntry *e)
{
    map_page(m, e->tag_rd, e->tag_rd + e->addend, e->tag_wr == e->tag_rd);
}

static void open_window(Mmu *m, unsigned idx)
{
    Window *w = m->window;
    if (w->stale) drop_all(w);
    m->window_open = true;
    m->window_idx = (uint8_t)idx;
    w->identity = !(m->cr0 & PG_CR0_PG);
    w->samples = w->faults = 0;
    w->stats.opened++;
    if (!w->identity) each_known(m, idx, map_known);
    if (log_on(LOG_MMU)) log_printf("mmu window: open with %u pages\n", w->n);
}

static bool is_worth_it(Mmu *m, unsigned idx)
{
    const Window *w = m->window;
    return w->samples >= w->samples_needed && w->samples >= each_known(m, idx, NULL) / PAGES_PER_SAMPLE;
}

void window_open_now(Mmu *m, unsigned idx)
{
    open_window(m, idx);
}

void window_sample(Mmu *m, unsigned idx)
{
    Window *w = m->window;
    w->samples++;
    if (!m->window_open) {
        if (!(m->cr0 & PG_CR0_PG) || is_worth_it(m, idx)) open_window(m, idx);
        return;
    }
    if (w->faults > FAULTS_MAX) {
        if (log_on(LOG_MMU)) log_printf("mmu window: closed, %u faults in one sample\n", w->faults);
        w->samples = 0;
        window_close(m);
    }
    w->faults = 0;
}
