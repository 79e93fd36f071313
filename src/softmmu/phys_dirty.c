/* Which pages of a RAM region have been written since somebody last looked.
 *
 * For display memory: comparing or hashing some megabytes of it sixty times a second would cost an idle guest
 * several percent of a host core, and it could not tell which of the pages changed without a second copy.
 * Instead a clean page is kept out of the TLB's fast write path, as pages with translated code are; its first
 * write goes the slow way, makes it dirty and opens the fast path again. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/phys_int.h"
#include "util/die.h"

static uint64_t region_pages(const PhysRegion *r)
{
    return (r->size + PAGE_MASK) >> PAGE_SHIFT;
}

void phys_dirty_track(PhysRegion *r)
{
    if (r->dirty || r->kind != REGION_RAM) return;
    r->dirty = malloc(region_pages(r));
    if (!r->dirty) die("out of memory for dirty tracking");
    memset(r->dirty, 1, region_pages(r));
}

void phys_dirty_mark(PhysRegion *r, uint64_t offset, uint64_t len)
{
    if (!r->dirty || len == 0 || offset >= r->size) return;
    if (len > r->size - offset) len = r->size - offset;
    while (len) {
        uint64_t left = PAGE_SIZE - (offset & PAGE_MASK), n = len < left ? len : left;
        r->dirty[offset >> PAGE_SHIFT] = 1;
        if (r->pm->tap) r->pm->tap->owner_wrote(r->pm->tap_opaque, r->host + offset, n);
        if (r->code[offset >> PAGE_SHIFT]) phys_code_owner_wrote(r, offset, (unsigned)n);
        offset += n;
        len -= n;
    }
}

bool phys_dirty_take(PhysRegion *r, uint64_t first, uint64_t n, uint8_t *flag)
{
    uint64_t pages = region_pages(r), lo, hi;
    memset(flag, 0, n);
    if (!r->dirty || first >= pages) return false;
    if (n > pages - first) n = pages - first;
    memcpy(flag, r->dirty + first, n);
    const uint8_t *begin = memchr(flag, 1, n);
    if (!begin) return false;
    lo = (uint64_t)(begin - flag);
    for (hi = n; !flag[hi - 1]; hi--) continue;
    memset(r->dirty + first + lo, 0, hi - lo);
    const uint8_t *host = r->host + (first << PAGE_SHIFT);
    for (unsigned i = 0; i < r->pm->n_cleaned; i++)
        r->pm->cleaned[i].fn(r->pm->cleaned[i].opaque, host + (lo << PAGE_SHIFT), host + (hi << PAGE_SHIFT));
    return true;
}

bool phys_page_is_clean(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    return p.kind == PHYS_RAM && p.region->dirty && !p.region->dirty[p.offset >> PAGE_SHIFT];
}

void phys_on_cleaned(PhysMem *pm, PhysCleaned *fn, void *opaque)
{
    if (pm->n_cleaned == PHYS_REMAP_LISTENERS) die("too many listeners to dirty tracking");
    pm->cleaned[pm->n_cleaned].fn = fn;
    pm->cleaned[pm->n_cleaned++].opaque = opaque;
}

void phys_off_cleaned(PhysMem *pm, PhysCleaned *fn, void *opaque)
{
    for (unsigned i = 0; i < pm->n_cleaned; i++) {
        if (pm->cleaned[i].fn != fn || pm->cleaned[i].opaque != opaque) continue;
        pm->cleaned[i] = pm->cleaned[--pm->n_cleaned];
        return;
    }
}
