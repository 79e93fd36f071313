/* Which bytes of memory have been translated to host code.
 *
 * Kept per page of backing memory, not per guest-physical address: one page may be visible at several
 * addresses (firmware aliases, PAM), and a write through any of them must reach the blocks that were
 * translated through any other.  The translation cache finds its blocks by guest-physical address, so
 * each page also remembers the few addresses it was marked through, and a write is reported at
 * each of those.  To the byte, because real-mode programs keep data among their code; a word of granules of 64 bytes, so
 * that a write elsewhere in the page is known by one test. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/phys_int.h"
#include "util/die.h"

void phys_on_code_written(PhysMem *pm, PhysCodeWritten *fn, void *opaque)
{
    pm->code_written = fn;
    pm->code_opaque = opaque;
}

/* Bits first..last of a word. */
static uint64_t bits(unsigned first, unsigned last)
{
    return ~UINT64_C(0) << first & ~UINT64_C(0) >> (63 - last);
}

/* Granules touched by n bytes (at least 1) at offset in a page. */
static uint64_t granules(unsigned offset, unsigned n)
{
    return bits(offset >> 6, (offset + n - 1) >> 6);
}

/* Of those n bytes, the ones in granule g. */
static uint64_t bytes_in(unsigned g, unsigned offset, unsigned n)
{
    unsigned first = offset >> 6 == g ? offset & 63 : 0, last = offset + n - 1;
    return bits(first, last >> 6 == g ? last & 63 : 63);
}

static bool touches(const CodePage *c, unsigned offset, unsigned n)
{
    if (c->idle) return true;
    for (uint64_t left = c->granules & granules(offset, n); left; left &= left - 1) {
        unsigned g = (unsigned)__builtin_ctzll(left);
        if (c->bytes[g] & bytes_in(g, offset, n)) return true;
    }
    return false;
}

static void mark_bytes(CodePage *c, unsigned offset, unsigned n)
{
    for (uint64_t left = granules(offset, n); left; left &= left - 1) {
        unsigned g = (unsigned)__builtin_ctzll(left);
        if (!(c->granules >> g & 1)) c->bytes[g] = 0;
        c->bytes[g] |= bytes_in(g, offset, n);
    }
    c->granules |= granules(offset, n);
}

static unsigned left_in_page(PhysAddr addr, unsigned len)
{
    unsigned n = PAGE_SIZE - (unsigned)(addr & PAGE_MASK);
    return n < len ? n : len;
}

static void tell(PhysMem *pm, PhysAddr addr, unsigned len)
{
    if (pm->code_written) pm->code_written(pm->code_opaque, addr, len);
}

static void forget_alias(PhysMem *pm, CodePage *c, uint32_t page)
{
    for (unsigned i = 0; i < c->n_pages; i++) {
        if (c->page[i] != page) continue;
        c->page[i] = c->page[--c->n_pages];
        break;
    }
    if (c->n_pages == 0) c->idle = false;
    if (c->n_pages == 0 && c->granules) {
        c->granules = 0;
        pm->n_code_pages--;
    }
}

static bool has_alias(const CodePage *c, uint32_t page)
{
    for (unsigned i = 0; i < c->n_pages; i++)
        if (c->page[i] == page) return true;
    return false;
}

/* Makes sure that page is among the addresses c is known by; when there are too many, the oldest loses
 * its blocks. */
static void remember_alias(PhysMem *pm, CodePage *c, uint32_t page)
{
    if (has_alias(c, page)) return;
    if (c->n_pages == CODE_ALIASES) {
        uint32_t oldest = c->page[0];
        tell(pm, (PhysAddr)oldest << PAGE_SHIFT, PAGE_SIZE);
        forget_alias(pm, c, oldest);
    }
    c->page[c->n_pages++] = page;
}

static void mark_page(PhysMem *pm, PhysAddr addr, unsigned n)
{
    PhysPage p = phys_read_side(phys_find(pm, addr));
    if (!phys_find_host(&p)) return;
    CodePage **slot = &p.region->code[p.offset >> PAGE_SHIFT];
    if (!*slot) {
        *slot = calloc(1, sizeof(CodePage));
        if (!*slot) die("out of memory for code tracking"); /* a write to this code would go unnoticed */
    }
    CodePage *c = *slot;
    remember_alias(pm, c, (uint32_t)(addr >> PAGE_SHIFT));
    c->idle = false;
    if (!c->granules) pm->n_code_pages++;
    mark_bytes(c, addr & PAGE_MASK, n);
}

void phys_code_mark(PhysMem *pm, PhysAddr addr, unsigned len)
{
    while (len) {
        unsigned n = left_in_page(addr, len);
        mark_page(pm, addr, n);
        addr += n;
        len -= n;
    }
}

void phys_code_clear_page(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    CodePage *c = phys_code_of(&p);
    if (c) forget_alias(pm, c, (uint32_t)(page >> PAGE_SHIFT));
}

void phys_code_idle(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    CodePage *c = phys_code_of(&p);
    if (c) c->idle = true;
}

bool phys_code_unchanged(PhysMem *pm, PhysAddr addr, unsigned len)
{
    PhysPage p = phys_find(pm, addr);
    const CodePage *c = phys_code_of(&p);
    return c && !c->idle && touches(c, addr & PAGE_MASK, len);
}

bool phys_page_has_code(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    const CodePage *c = phys_code_of(&p);
    return c && c->granules;
}

bool phys_code_hit(PhysMem *pm, PhysAddr addr, unsigned len)
{
    while (len) {
        unsigned n = left_in_page(addr, len);
        PhysPage p = phys_find(pm, addr);
        const CodePage *c = phys_code_of(&p);
        if (c && touches(c, addr & PAGE_MASK, n)) return true;
        addr += n;
        len -= n;
    }
    return false;
}

/* The callback may clear the page, so the list of addresses is copied first. */
static void tell_all(PhysMem *pm, const CodePage *c, unsigned offset, unsigned n)
{
    if (!c || !touches(c, offset, n)) return;
    CodePage copy = *c;
    for (unsigned i = 0; i < copy.n_pages; i++) tell(pm, (PhysAddr)copy.page[i] << PAGE_SHIFT | offset, n);
}

static void written_page(PhysMem *pm, PhysAddr addr, unsigned n)
{
    PhysPage p = phys_find(pm, addr);
    if (p.kind == PHYS_RAM) phys_dirty_note(&p, 1);
    tell_all(pm, phys_code_of(&p), addr & PAGE_MASK, n);
}

void phys_code_owner_wrote(PhysRegion *r, uint64_t offset, unsigned n)
{
    tell_all(r->pm, r->code[offset >> PAGE_SHIFT], offset & PAGE_MASK, n);
}

void phys_code_written(PhysMem *pm, PhysAddr addr, unsigned len)
{
    while (len) {
        unsigned n = left_in_page(addr, len);
        written_page(pm, addr, n);
        addr += n;
        len -= n;
    }
}

void phys_code_drop_range(PhysMem *pm, PhysAddr lo, PhysAddr hi)
{
    if (hi > PHYS_LIMIT) hi = PHYS_LIMIT;
    for (PhysAddr a = lo & ~(PhysAddr)PAGE_MASK; a < hi && pm->n_code_pages; a += PAGE_SIZE) {
        PhysPage p = phys_find(pm, a);
        CodePage *c = phys_code_of(&p);
        uint32_t page = (uint32_t)(a >> PAGE_SHIFT);
        if (!c || !has_alias(c, page)) continue;
        tell(pm, a, PAGE_SIZE);
        forget_alias(pm, c, page);
    }
}
