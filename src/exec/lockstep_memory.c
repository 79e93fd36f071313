/* The guest's memory in a step: which pages are written, what they held, what they must hold.
 *
 * Pages rather than bytes, because then the tested backend's stores can take the path they always take, and a stray one
 * still shows.  Outside a step no page is open, so the first store to each comes by here. */
#include "exec/lockstep_int.h"

#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/log.h"

enum {
    SHOWN = 32 /* differing bytes to print */,
    SPAN = 512 /* looked at as one first: most of a page is not written */
};

static uint8_t *page_of(const uint8_t *host)
{
    return (uint8_t *)((uintptr_t)host & ~(uintptr_t)PAGE_MASK);
}

static int32_t *chain_of(Lockstep *ls, const uint8_t *page)
{
    return &ls->chain[(uintptr_t)page >> PAGE_SHIFT & (PAGE_CHAINS - 1)];
}

static bool is_open(Lockstep *ls, const uint8_t *page)
{
    for (int32_t i = *chain_of(ls, page); i >= 0; i = ls->page[i].next)
        if (ls->page[i].host == page) return true;
    return false;
}

/* Shadows are kept for the next step's pages. */
static void add_page(Lockstep *ls)
{
    size_t had = ls->cap_pages;
    ls->page = lockstep_grow(ls->page, ls->n_pages, &ls->cap_pages, sizeof *ls->page);
    for (size_t i = had; i < ls->cap_pages; i++) ls->page[i].shadow = NULL;
    Page *p = &ls->page[ls->n_pages];
    if (!p->shadow) p->shadow = aligned_alloc(CHUNK, PAGE_SIZE);
    if (!p->shadow) die("lockstep: out of memory");
}

static void open_page(Lockstep *ls, uint8_t *page)
{
    if (is_open(ls, page)) return;
    add_page(ls);
    Page *p = &ls->page[ls->n_pages];
    int32_t *chain = chain_of(ls, page);
    p->host = page;
    memcpy(p->shadow, page, PAGE_SIZE);
    p->next = *chain;
    *chain = (int32_t)ls->n_pages++;
}

void pages_forget(Lockstep *ls)
{
    for (size_t i = 0; i < ls->n_pages; i++) *chain_of(ls, ls->page[i].host) = -1;
    ls->n_pages = ls->n_old = 0;
}

/* --- after a run --------------------------------------------------------------------------------------------- */

static void swap_chunk(Lockstep *ls, uint8_t *host, uint8_t *shadow)
{
    ls->old = lockstep_grow(ls->old, ls->n_old, &ls->cap_old, sizeof *ls->old);
    OldChunk *o = &ls->old[ls->n_old++];
    o->host = host;
    memcpy(o->bytes, shadow, CHUNK);
    memcpy(shadow, host, CHUNK);
    memcpy(host, o->bytes, CHUNK);
}

static void swap_span(Lockstep *ls, uint8_t *host, uint8_t *shadow)
{
    for (unsigned at = 0; at < SPAN; at += CHUNK)
        if (memcmp(host + at, shadow + at, CHUNK) != 0) swap_chunk(ls, host + at, shadow + at);
}

void pages_swap(Lockstep *ls)
{
    for (size_t i = 0; i < ls->n_pages; i++) {
        const Page *p = &ls->page[i];
        for (unsigned at = 0; at < PAGE_SIZE; at += SPAN)
            if (memcmp(p->host + at, p->shadow + at, SPAN) != 0) swap_span(ls, p->host + at, p->shadow + at);
    }
}

void pages_restore(Lockstep *ls)
{
    for (size_t i = 0; i < ls->n_pages; i++) memcpy(ls->page[i].host, ls->page[i].shadow, PAGE_SIZE);
    for (size_t i = 0; i < ls->n_old; i++) memcpy(ls->old[i].host, ls->old[i].bytes, CHUNK);
}

bool pages_same(const Lockstep *ls)
{
    for (size_t i = 0; i < ls->n_pages; i++)
        if (memcmp(ls->page[i].host, ls->page[i].shadow, PAGE_SIZE) != 0) return false;
    return true;
}

static uint8_t byte_before(const Lockstep *ls, const Page *p, unsigned at)
{
    for (size_t i = 0; i < ls->n_old; i++)
        if (ls->old[i].host == p->host + (at & ~(unsigned)(CHUNK - 1))) return ls->old[i].bytes[at % CHUNK];
    return p->shadow[at];
}

void pages_print(const Lockstep *ls)
{
    unsigned n = 0;
    for (size_t i = 0; i < ls->n_pages; i++) {
        const Page *p = &ls->page[i];
        uint64_t offset = 0;
        const char *name = phys_host_name(ls->cpu->mmu.phys, p->host, &offset);
        for (unsigned at = 0; at < PAGE_SIZE; at++) {
            if (p->host[at] == p->shadow[at] || n++ >= SHOWN) continue;
            log_printf("  %s+%08llx  %02x  %02x  %02x  <--\n", name ? name : "memory",
                       (unsigned long long)(offset + at), byte_before(ls, p, at), p->shadow[at], p->host[at]);
        }
    }
    if (n > SHOWN) log_printf("  and %u more bytes\n", n - SHOWN);
}

/* --- the tap --------------------------------------------------------------------------------------------------- */

static void before_write(void *opaque, uint8_t *host, size_t n)
{
    Lockstep *ls = opaque;
    if (ls->phase == IDLE) return;
    open_page(ls, page_of(host));
    if (ls->in_device) outside_dma(ls, host, n);
}

static bool page_open(void *opaque, const uint8_t *host)
{
    Lockstep *ls = opaque;
    return ls->phase != IDLE && is_open(ls, page_of(host));
}

/* Too late for a copy, so the two runs both find the new contents there from the start, unless the page was open. */
static void owner_wrote(void *opaque, uint8_t *host, size_t n)
{
    Lockstep *ls = opaque;
    if (ls->in_device && is_open(ls, page_of(host))) outside_dma(ls, host, n);
}

static uint64_t mmio_read(void *opaque, const PhysRegion *r, PhysAddr offset, unsigned size)
{
    return outside_mmio_read(opaque, r, offset, size);
}
static void mmio_write(void *opaque, const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size)
{
    outside_mmio_write(opaque, r, offset, value, size);
}

static void remapped(void *opaque)
{
    Lockstep *ls = opaque;
    if (ls->in_device) ls->remapped = true;
}

void pages_attach(Lockstep *ls)
{
    static const PhysTap tap = { .before_write = before_write,
                                 .page_open = page_open,
                                 .owner_wrote = owner_wrote,
                                 .mmio_read = mmio_read,
                                 .mmio_write = mmio_write };
    for (unsigned i = 0; i < PAGE_CHAINS; i++) ls->chain[i] = -1;
    phys_set_tap(ls->cpu->mmu.phys, &tap, ls);
    phys_on_remap(ls->cpu->mmu.phys, remapped, ls);
}

void pages_detach(Lockstep *ls)
{
    phys_set_tap(ls->cpu->mmu.phys, NULL, NULL);
    phys_off_remap(ls->cpu->mmu.phys, remapped, ls);
    for (size_t i = 0; i < ls->cap_pages; i++) free(ls->page[i].shadow);
    free(ls->page);
    free(ls->old);
}
