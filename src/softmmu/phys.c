/* The regions of the guest-physical address space and the page map flattened from them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/phys_int.h"
#include "util/die.h"

PhysMem *phys_new(void)
{
    return calloc(1, sizeof(PhysMem));
}

/* Of host memory: whole pages. */
static size_t region_bytes(const PhysRegion *r)
{
    return ((size_t)r->size + PAGE_MASK) & ~(size_t)PAGE_MASK;
}

static void region_free(PhysRegion *r)
{
    if (r->code) {
        for (uint64_t i = 0; i < (r->size + PAGE_MASK) >> PAGE_SHIFT; i++) free(r->code[i]);
        free(r->code);
    }
    free(r->dirty);
    commit_end(&r->commit);
    if (r->host) munmap(r->host, region_bytes(r));
    if (r->host && r->fd >= 0) close(r->fd);
    free(r->name);
    free(r);
}

void phys_free(PhysMem *pm)
{
    if (!pm) return;
    for (PhysRegion *r = pm->regions, *next; r; r = next) {
        next = r->next;
        region_free(r);
    }
    for (unsigned i = 0; i < PHYS_ROOT_SLOTS; i++) free(pm->root[i].leaf);
    free(pm);
}

/* --- flattening --------------------------------------------------------------------------------- */

static PhysAddr region_end(const PhysRegion *r)
{
    return r->base >= PHYS_LIMIT || r->size > PHYS_LIMIT - r->base ? PHYS_LIMIT : r->base + r->size;
}

/* Data accesses see it. */
static bool is_visible(const PhysRegion *r)
{
    return r->enabled && !r->code_only;
}

static bool region_overlaps(const PhysRegion *r, PhysAddr lo, PhysAddr hi)
{
    return is_visible(r) && r->base < hi && region_end(r) > lo;
}

/* The region's answer at addr, aliases followed. */
static PhysPage region_at(PhysRegion *r, PhysAddr addr)
{
    uint64_t offset = addr - r->base;
    bool read_only = r->read_only;
    if (r->source) return (PhysPage){ .region = r, .offset = offset, .kind = PHYS_SPLIT };
    while (r->kind == REGION_ALIAS) {
        offset += r->offset;
        r = r->target;
        read_only |= r->read_only;
    }
    PhysPage p = { .region = r, .offset = offset };
    if (r->kind == REGION_MMIO)
        p.kind = PHYS_MMIO;
    else
        p.kind = r->kind == REGION_ROM || read_only ? PHYS_ROM : PHYS_RAM;
    return p;
}

PhysPage phys_sub_find(const PhysMem *pm, PhysAddr addr, size_t len, size_t *run)
{
    for (PhysRegion *r = pm->regions; r; r = r->next) {
        if (!is_visible(r)) continue;
        if (region_overlaps(r, addr, addr + 1)) {
            uint64_t left = region_end(r) - addr;
            *run = left < len ? (size_t)left : len;
            return region_at(r, addr);
        }
        /* One that outranks what will be found but starts later ends the run. */
        if (r->base > addr && r->base - addr < len) len = (size_t)(r->base - addr);
    }
    *run = len;
    return (PhysPage){ .kind = PHYS_HOLE };
}

/* The page at addr: the highest region that touches it, if that covers it whole. */
static PhysPage page_at(const PhysMem *pm, PhysAddr addr)
{
    for (PhysRegion *r = pm->regions; r; r = r->next) {
        if (!region_overlaps(r, addr, addr + PAGE_SIZE)) continue;
        if (r->base > addr || region_end(r) < addr + PAGE_SIZE) return (PhysPage){ .kind = PHYS_SUB };
        PhysPage p = region_at(r, addr);
        /* Code is tracked by whole pages of the backing memory. */
        if (p.kind != PHYS_MMIO && (p.offset & PAGE_MASK)) return (PhysPage){ .kind = PHYS_SUB };
        return p;
    }
    return (PhysPage){ .kind = PHYS_HOLE };
}

static bool slot_is_uniform(const PhysMem *pm, PhysAddr lo, PhysPage *page)
{
    PhysAddr hi = lo + PHYS_SLOT_SIZE;
    for (PhysRegion *r = pm->regions; r; r = r->next) {
        if (!region_overlaps(r, lo, hi)) continue;
        if (r->base > lo || region_end(r) < hi) return false;
        *page = page_at(pm, lo);
        return page->kind != PHYS_SUB;
    }
    *page = (PhysPage){ .kind = PHYS_HOLE };
    return true;
}

/* Recomputes the pages of [lo, hi) within one slot.  Out of host memory: the map would be wrong, so
 * there is no going on. */
static void slot_paint(PhysMem *pm, PhysAddr lo, PhysAddr hi)
{
    PhysSlot *slot = &pm->root[lo >> PHYS_SLOT_SHIFT];
    PhysAddr base = lo & ~(PHYS_SLOT_SIZE - 1);
    PhysPage uniform;
    if (slot_is_uniform(pm, base, &uniform)) {
        free(slot->leaf);
        *slot = (PhysSlot){ .uniform = uniform };
        return;
    }
    if (!slot->leaf) {
        slot->leaf = calloc(PHYS_LEAF_PAGES, sizeof(PhysPage));
        if (!slot->leaf) {
            die("out of memory for the physical memory map");
        }
        lo = base;
        hi = base + PHYS_SLOT_SIZE;
    }
    for (PhysAddr a = lo & ~(PhysAddr)PAGE_MASK; a < hi; a += PAGE_SIZE)
        slot->leaf[a >> PAGE_SHIFT & (PHYS_LEAF_PAGES - 1)] = page_at(pm, a);
}

static void map_paint(PhysMem *pm, PhysAddr lo, PhysAddr hi)
{
    while (lo < hi) {
        PhysAddr slot_end = (lo & ~(PHYS_SLOT_SIZE - 1)) + PHYS_SLOT_SIZE;
        PhysAddr end = slot_end < hi ? slot_end : hi;
        slot_paint(pm, lo, end);
        lo = end;
    }
}

static void map_changed(PhysMem *pm)
{
    for (unsigned i = 0; i < pm->n_remap; i++) pm->remap[i].fn(pm->remap[i].opaque);
}

void phys_on_remap(PhysMem *pm, void (*fn)(void *opaque), void *opaque)
{
    if (pm->n_remap == PHYS_REMAP_LISTENERS) {
        die("too many listeners to the physical memory map");
    }
    pm->remap[pm->n_remap].fn = fn;
    pm->remap[pm->n_remap++].opaque = opaque;
}

void phys_off_remap(PhysMem *pm, void (*fn)(void *opaque), void *opaque)
{
    for (unsigned i = 0; i < pm->n_remap; i++) {
        if (pm->remap[i].fn != fn || pm->remap[i].opaque != opaque) continue;
        pm->remap[i] = pm->remap[--pm->n_remap];
        return;
    }
}

/* --- regions ------------------------------------------------------------------------------------ */

static PhysRegion *region_new(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority,
                              RegionKind kind)
{
    if (size == 0 || size > PHYS_LIMIT) return NULL;
    PhysRegion *r = calloc(1, sizeof(*r));
    if (!r) return NULL;
    r->name = strdup(name);
    if (!r->name) {
        free(r);
        return NULL;
    }
    r->pm = pm;
    r->base = base;
    r->size = size;
    r->priority = priority;
    r->kind = kind;
    r->enabled = true;
    return r;
}

static PhysRegion *region_insert(PhysRegion *r)
{
    PhysMem *pm = r->pm;
    PhysRegion **link = &pm->regions;
    while (*link && (*link)->priority > r->priority) link = &(*link)->next;
    phys_code_drop_range(pm, r->base, region_end(r));
    r->next = *link;
    *link = r;
    map_paint(pm, r->base, region_end(r));
    map_changed(pm);
    return r;
}

/* A file without a name, so that its pages can be mapped a second time; where the host has none, memory that cannot. */
static int open_memory(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || !ftruncate(fd, (off_t)size)) return fd;
    close(fd);
    return -1;
}

/* Address space only: see util/commit.h. */
static bool region_alloc(PhysRegion *r)
{
    size_t size = region_bytes(r);
    r->host = commit_reserve(size, 0);
    if (!r->host) return false;
    r->fd = open_memory(r->name, size);
    int flags = MAP_FIXED | MAP_NORESERVE | (r->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    if (mmap(r->host, size, PROT_READ | PROT_WRITE, flags, r->fd, 0) == MAP_FAILED) return false;
    r->code = calloc(size >> PAGE_SHIFT, sizeof(*r->code));
    return r->code && (r->kind != REGION_RAM || commit_init(&r->commit, r->host, size, NULL));
}

bool phys_host_backing(PhysMem *pm, const uint8_t *host, PhysBacking *at)
{
    for (PhysRegion *r = pm->regions; r; r = r->next) {
        if (!r->host || r->fd < 0 || (uintptr_t)host - (uintptr_t)r->host >= r->size) continue;
        *at = (PhysBacking){ r->fd, (uint64_t)(host - r->host) };
        return true;
    }
    return false;
}

static PhysRegion *add_memory(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority,
                              RegionKind kind)
{
    PhysRegion *r = region_new(pm, name, base, size, priority, kind);
    if (!r) return NULL;
    if (!region_alloc(r)) {
        region_free(r);
        return NULL;
    }
    return region_insert(r);
}

PhysRegion *phys_add_ram(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority)
{
    return add_memory(pm, name, base, size, priority, REGION_RAM);
}

PhysRegion *phys_add_rom(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority)
{
    return add_memory(pm, name, base, size, priority, REGION_ROM);
}

PhysRegion *phys_add_mmio(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority, const MmioOps *ops,
                          void *opaque)
{
    PhysRegion *r = region_new(pm, name, base, size, priority, REGION_MMIO);
    if (!r) return NULL;
    r->ops = ops;
    r->opaque = opaque;
    return region_insert(r);
}

PhysRegion *phys_add_alias(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority,
                           PhysRegion *target, uint64_t offset)
{
    if (offset >= target->size) return NULL;
    if (size > target->size - offset) size = target->size - offset;
    PhysRegion *r = region_new(pm, name, base, size, priority, REGION_ALIAS);
    if (!r) return NULL;
    r->target = target;
    r->offset = offset;
    return region_insert(r);
}

void phys_region_set(PhysRegion *r, PhysAddr base, bool enabled, bool read_only)
{
    if (r->base == base && r->enabled == enabled && r->read_only == read_only) return;
    PhysMem *pm = r->pm;
    PhysAddr old_lo = r->base, old_hi = region_end(r);
    bool was_visible = r->enabled;
    if (was_visible) phys_code_drop_range(pm, old_lo, old_hi);
    r->base = base;
    r->enabled = enabled;
    r->read_only = read_only;
    if (enabled) phys_code_drop_range(pm, base, region_end(r));
    if (was_visible) map_paint(pm, old_lo, old_hi);
    if (enabled && (!was_visible || base != old_lo)) map_paint(pm, base, region_end(r));
    /* Aliases show their target's protection. */
    for (PhysRegion *a = pm->regions; a; a = a->next) {
        PhysRegion *t = a;
        while (t->kind == REGION_ALIAS && t != r) t = t->target;
        if (a != r && a->enabled && t == r) {
            phys_code_drop_range(pm, a->base, region_end(a));
            map_paint(pm, a->base, region_end(a));
        }
    }
    map_changed(pm);
}

void phys_alias_set_offset(PhysRegion *r, uint64_t offset)
{
    if (r->offset == offset) return;
    PhysAddr hi = region_end(r);
    if (r->enabled) phys_code_drop_range(r->pm, r->base, hi);
    r->offset = offset;
    if (!r->enabled) return;
    map_paint(r->pm, r->base, hi);
    map_changed(r->pm);
}

void phys_region_set_source(PhysRegion *r, PhysRegion *source, uint64_t offset)
{
    bool fits =
        !source || (source->host && offset <= source->size && r->size <= source->size - offset &&
                    r->kind == REGION_ALIAS && r->target->host && ((offset | r->offset | r->base) & PAGE_MASK) == 0);
    if (!fits || (r->source == source && r->source_offset == offset)) return;
    PhysMem *pm = r->pm;
    if (r->enabled) phys_code_drop_range(pm, r->base, region_end(r));
    r->source = source;
    r->source_offset = offset;
    if (!r->enabled) return;
    map_paint(pm, r->base, region_end(r));
    map_changed(pm);
}

void phys_region_set_code_only(PhysRegion *r, bool code_only)
{
    PhysMem *pm = r->pm;
    if (r->code_only == code_only) return;
    if (r->enabled) phys_code_drop_range(pm, r->base, region_end(r));
    r->code_only = code_only;
    pm->n_code_only += code_only ? 1 : -1u;
    if (!r->enabled) return;
    map_paint(pm, r->base, region_end(r));
    map_changed(pm);
}

const uint8_t *phys_code_only_page(PhysMem *pm, PhysAddr page)
{
    if (!pm->n_code_only) return NULL;
    for (PhysRegion *r = pm->regions; r; r = r->next) {
        if (!r->code_only || !r->enabled || r->base > page || region_end(r) < page + PAGE_SIZE) continue;
        PhysPage p = region_at(r, page);
        return phys_find_host(&p);
    }
    return NULL;
}

void phys_commit(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    if (p.kind == PHYS_RAM) commit_use(&p.region->commit, (size_t)p.offset);
}

uint8_t *phys_region_host(PhysRegion *r)
{
    return r->host;
}

uint8_t *phys_page_host(PhysMem *pm, PhysAddr page, bool *writable)
{
    PhysPage p = phys_find(pm, page);
    *writable = p.kind == PHYS_RAM;
    return phys_find_host(&p);
}

/* --- text --------------------------------------------------------------------------------------- */

static int compare_base(const void *a, const void *b)
{
    const PhysRegion *x = *(PhysRegion *const *)a, *y = *(PhysRegion *const *)b;
    if (x->base != y->base) return x->base < y->base ? -1 : 1;
    return (x->priority < y->priority) - (x->priority > y->priority);
}

static void region_print(const PhysRegion *r, void (*emit)(void *opaque, const char *line), void *opaque)
{
    static const char *const kinds[] = { "ram", "rom", "i/o", "alias" };
    char line[256];
    const char *kind = r->kind == REGION_RAM && r->read_only ? "rom" : kinds[r->kind];
    int n = snprintf(line, sizeof(line), "  %016llx-%016llx (prio %d, %s): %s", (unsigned long long)r->base,
                     (unsigned long long)(r->base + r->size - 1), r->priority, kind, r->name);
    if (r->kind == REGION_ALIAS && n > 0 && (size_t)n < sizeof(line))
        n += snprintf(line + n, sizeof(line) - (size_t)n, " @%s %016llx-%016llx%s", r->target->name,
                      (unsigned long long)r->offset, (unsigned long long)(r->offset + r->size - 1),
                      r->read_only ? " [read-only]" : "");
    if (!r->enabled && n > 0 && (size_t)n < sizeof(line)) snprintf(line + n, sizeof(line) - (size_t)n, " [disabled]");
    emit(opaque, line);
}

void phys_each_memory(PhysMem *pm, void (*fn)(void *opaque, const char *name, const uint8_t *host, uint64_t size),
                      void *opaque)
{
    for (PhysRegion *r = pm->regions; r; r = r->next)
        if (r->kind == REGION_RAM || r->kind == REGION_ROM) fn(opaque, r->name, r->host, r->size);
}

void phys_print(PhysMem *pm, void (*emit)(void *opaque, const char *line), void *opaque)
{
    size_t n = 0;
    for (PhysRegion *r = pm->regions; r; r = r->next) n++;
    PhysRegion **sorted = malloc((n + 1) * sizeof(*sorted));
    if (!sorted) return;
    n = 0;
    for (PhysRegion *r = pm->regions; r; r = r->next) sorted[n++] = r;
    qsort(sorted, n, sizeof(*sorted), compare_base);
    for (size_t i = 0; i < n; i++) region_print(sorted[i], emit, opaque);
    free(sorted);
}
