/* A window's pages: mapping, protecting, forgetting. */
#include "softmmu/window_pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/commit.h"

size_t win_space_size(size_t front)
{
    return front + WINDOW_SIZE + 2 * WINDOW_GUARD;
}

uint8_t *win_space_reserve(size_t front)
{
    return commit_reserve(win_space_size(front), front + WINDOW_GUARD);
}

bool win_pages_init(WinPages *w, PhysMem *phys, uint8_t *base, uint32_t max, uint32_t max_changes)
{
    *w = (WinPages){ .phys = phys, .base = base, .max = max, .max_changes = max_changes };
    w->entry = malloc(max * sizeof *w->entry);
    return w->entry != NULL;
}

void win_pages_free(WinPages *w)
{
    free(w->entry);
    w->entry = NULL;
}

/* --- the book ------------------------------------------------------------------------------------- */

static unsigned hash(uintptr_t address)
{
    return (uint32_t)(address >> PAGE_SHIFT) * 0x9e3779b1u >> (32 - WIN_HASH_BITS);
}

static uint32_t *head(WinPages *w, const WinPage *e)
{
    return &w->hash[hash(e->page)];
}
static uint32_t *head_host(WinPages *w, const WinPage *e)
{
    return &w->hash_host[hash(e->host)];
}

static WinPage *find(const WinPages *w, uint32_t page)
{
    for (uint32_t i = w->hash[hash(page)]; i; i = w->entry[i - 1].next)
        if ((w->entry[i - 1].page & ~PAGE_MASK) == page) return &w->entry[i - 1];
    return NULL;
}

static void replace_link(WinPages *w, uint32_t *link, uint32_t id, uint32_t by)
{
    while (*link != id) link = &w->entry[*link - 1].next;
    *link = by;
}
static void replace_link_host(WinPages *w, uint32_t *link, uint32_t id, uint32_t by)
{
    while (*link != id) link = &w->entry[*link - 1].next_host;
    *link = by;
}

/* The last entry takes the place of the one that goes. */
static void entry_remove(WinPages *w, WinPage *gone)
{
    uint32_t id = (uint32_t)(gone - w->entry) + 1, last = w->n;
    replace_link(w, head(w, gone), id, gone->next);
    replace_link_host(w, head_host(w, gone), id, gone->next_host);
    if (id != last) {
        WinPage *e = &w->entry[last - 1];
        replace_link(w, head(w, e), last, id);
        replace_link_host(w, head_host(w, e), last, id);
        *gone = *e;
    }
    w->n--;
}

static bool forget_entry(WinPages *w, uint32_t page)
{
    WinPage *e = find(w, page);
    if (e) entry_remove(w, e);
    return e != NULL;
}

static void enter(WinPages *w, uint32_t page, uintptr_t host, bool writable)
{
    forget_entry(w, page);
    WinPage *e = &w->entry[w->n++];
    *e = (WinPage){ .page = page | writable, .host = host };
    e->next = *head(w, e);
    *head(w, e) = w->n;
    e->next_host = *head_host(w, e);
    *head_host(w, e) = w->n;
}

/* --- the host's mappings ------------------------------------------------------------------------------ */

static void unmap(WinPages *w, uint32_t page, size_t bytes)
{
    /* In place of an munmap(), which would let somebody else's mapping in. */
    void *p = mmap(w->base + page, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (p == MAP_FAILED) abort(); /* a stale mapping must not stay */
}

static bool may_not_change(WinPages *w)
{
    return w->changes++ >= w->max_changes;
}

static void drop_mapped(WinPages *w)
{
    unmap(w, 0, WINDOW_SIZE);
    w->n = w->changes = 0;
    memset(w->hash, 0, sizeof w->hash);
    memset(w->hash_host, 0, sizeof w->hash_host);
}

void win_pages_drop(WinPages *w)
{
    if (w->n || w->changes) drop_mapped(w);
}

bool win_pages_has(const WinPages *w, uint32_t page, uintptr_t host, bool writable)
{
    const WinPage *e = find(w, page);
    return e && e->page == (page | writable) && e->host == host;
}

void win_pages_map(WinPages *w, uint32_t page, uintptr_t host, unsigned n, bool writable)
{
    PhysBacking at;
    if (n > w->max || !phys_host_backing(w->phys, (const uint8_t *)host, &at)) return;
    if (w->n + n > w->max || may_not_change(w)) win_pages_drop(w);
    size_t bytes = (size_t)n << PAGE_SHIFT;
    int prot = PROT_READ | (writable ? PROT_WRITE : 0);
    void *p = mmap(w->base + page, bytes, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE, at.fd, (off_t)at.offset);
    if (p == MAP_FAILED) { /* what was there may be gone or not (POSIX mmap(), MAP_FIXED) */
        for (unsigned i = 0; i < n; i++) forget_entry(w, page + (i << PAGE_SHIFT));
        unmap(w, page, bytes);
        return;
    }
    for (unsigned i = 0; i < n; i++) enter(w, page + (i << PAGE_SHIFT), host + ((uintptr_t)i << PAGE_SHIFT), writable);
    w->mapped += n;
    w->runs++;
}

/* --- neighbours ------------------------------------------------------------------------------------- */

WinKnown win_memory_at(Mmu *m, PhysAddr phys, bool may_write)
{
    bool ram;
    uint8_t *host = phys_page_host(m->phys, phys, &ram);
    if (host && ram) phys_commit(m->phys, phys);
    return (WinKnown){ .host = (uintptr_t)host,
                       .writable = host && ram && may_write && mmu_plain_stores(m, phys, host) };
}

WinKnown win_known_at(Mmu *m, uint32_t page, unsigned idx)
{
    WalkResult w;
    if (!mmu_walk_quietly(m, page, idx, &w)) return (WinKnown){ 0 };
    WinKnown k = win_memory_at(m, w.page, w.may_write);
    k.global = w.global;
    k.large = w.large;
    return k;
}

void win_pages_map_around(WinPages *w, Mmu *m, uint32_t page, WinKnown at, uint32_t around,
                          WinKnown (*known_at)(Mmu *m, uint32_t page))
{
    uint32_t first = page, end = page + PAGE_SIZE, offset = page & (around - 1);
    for (; page - first < offset; first -= PAGE_SIZE) {
        WinKnown k = known_at(m, first - PAGE_SIZE);
        if (k.host != at.host - (page - first) - PAGE_SIZE || k.writable != at.writable) break;
    }
    for (; offset + (end - page) < around; end += PAGE_SIZE) {
        WinKnown k = known_at(m, end);
        if (k.host != at.host + (end - page) || k.writable != at.writable) break;
    }
    win_pages_map(w, first, at.host - (page - first), (end - first) >> PAGE_SHIFT, at.writable);
}

/* --- forgetting ------------------------------------------------------------------------------------- */

bool win_pages_forget(WinPages *w, uint32_t first, uint32_t bytes)
{
    bool any = false;
    for (uint32_t off = 0; off < bytes; off += PAGE_SIZE) {
        if (!forget_entry(w, first + off)) continue;
        any = true;
        if (may_not_change(w))
            drop_mapped(w);
        else
            unmap(w, first + off, PAGE_SIZE);
    }
    return any;
}

/* The host splits its mapping around the page, and it has only so many: then all go. */
static bool protect_page(WinPages *w, uintptr_t host)
{
    for (uint32_t i = w->hash_host[hash(host)]; i; i = w->entry[i - 1].next_host) {
        WinPage *e = &w->entry[i - 1];
        if (e->host != host || !(e->page & 1)) continue;
        e->page &= ~1u;
        if (may_not_change(w) || mprotect(w->base + e->page, PAGE_SIZE, PROT_READ)) return false;
    }
    return true;
}

void win_pages_protect(WinPages *w, uintptr_t host, uintptr_t bytes)
{
    for (uintptr_t off = 0; off < bytes; off += PAGE_SIZE)
        if (!protect_page(w, host + off)) {
            win_pages_drop(w);
            return;
        }
}
