/* What the files of the physical map share.  Not for other folders.
 *
 * The map is two levels over the 36-bit space: a root of 4096 slots of 16 MiB, each of which is either
 * uniform (one region or nothing covers all of it: no table needed, the usual case for RAM) or has a
 * leaf of 4096 page descriptors.  Finding a page is one or two loads, and a change repaints just
 * the pages it touches: firmware flips PAM registers and SMRAM often. */
#ifndef CALQUE_SOFTMMU_PHYS_INT_H
#define CALQUE_SOFTMMU_PHYS_INT_H

#include "softmmu/phys.h"
#include "util/commit.h"

enum { PHYS_LEAF_BITS = 12, PHYS_LEAF_PAGES = 1 << PHYS_LEAF_BITS };
enum { PHYS_ROOT_BITS = PHYS_ADDR_BITS - PAGE_SHIFT - PHYS_LEAF_BITS, PHYS_ROOT_SLOTS = 1 << PHYS_ROOT_BITS };
enum { PHYS_SLOT_SHIFT = PAGE_SHIFT + PHYS_LEAF_BITS };
#define PHYS_LIMIT     ((PhysAddr)1 << PHYS_ADDR_BITS)
#define PHYS_SLOT_SIZE ((PhysAddr)1 << PHYS_SLOT_SHIFT)

typedef enum PhysKind {
    PHYS_HOLE,
    PHYS_RAM,
    PHYS_ROM, /* also RAM seen through a read-only region */
    PHYS_MMIO,
    PHYS_SPLIT, /* reads from one memory, writes to another: region is the alias, see phys_read_side() */
    PHYS_SUB,   /* page with a region boundary inside: resolved by address, see phys_sub_find() */
} PhysKind;

/* Translated code in one page of RAM or ROM, and the guest-physical pages it was reached through. */
enum { CODE_ALIASES = 4 };
typedef struct CodePage {
    uint64_t granules;  /* bit per 64 bytes that hold code */
    uint64_t bytes[64]; /* which of them: valid where the granule's bit is set */
    bool idle;          /* phys_code_idle() */
    unsigned n_pages;
    uint32_t page[CODE_ALIASES]; /* page numbers */
} CodePage;

typedef enum RegionKind { REGION_RAM, REGION_ROM, REGION_MMIO, REGION_ALIAS } RegionKind;

struct PhysRegion {
    PhysMem *pm;
    PhysRegion *next; /* in order of precedence, highest first */
    char *name;
    PhysAddr base;
    uint64_t size;
    int priority;
    RegionKind kind;
    bool enabled, read_only, code_only;
    PhysRegion *target; /* alias */
    uint64_t offset;    /* alias: of our first byte in the target */
    PhysRegion *source; /* alias: where reads come from, or NULL */
    uint64_t source_offset;
    uint8_t *host;     /* RAM, ROM */
    int fd;            /* behind host; -1: anonymous */
    CommitArea commit; /* RAM */
    CodePage **code;   /* RAM, ROM: by page of the region */
    uint8_t *dirty;    /* RAM whose writes are tracked: by page, see phys_dirty.c */
    const MmioOps *ops;
    void *opaque;
};

/* A page (or, from phys_sub_find, a byte): what answers there, aliases resolved. */
typedef struct PhysPage {
    PhysRegion *region; /* NULL in holes and PHYS_SUB */
    uint64_t offset;    /* of the first byte in the region */
    PhysKind kind;
} PhysPage;

typedef struct PhysSlot {
    PhysPage *leaf;   /* NULL: uniform */
    PhysPage uniform; /* of the slot's first page */
} PhysSlot;

enum { PHYS_REMAP_LISTENERS = 8 };

struct PhysMem {
    PhysSlot root[PHYS_ROOT_SLOTS];
    PhysRegion *regions;
    struct {
        void (*fn)(void *opaque);
        void *opaque;
    } remap[PHYS_REMAP_LISTENERS];
    unsigned n_remap;
    struct {
        PhysCleaned *fn;
        void *opaque;
    } cleaned[PHYS_REMAP_LISTENERS];
    unsigned n_cleaned;
    PhysCodeWritten *code_written;
    void *code_opaque;
    unsigned n_code_only; /* regions of that kind */
    size_t n_code_pages;  /* pages with any granule marked */
    const PhysTap *tap;
    void *tap_opaque;
};

/* The page of an address.  Anything above 36 bits is a hole. */
static inline PhysPage phys_find(const PhysMem *pm, PhysAddr addr)
{
    if (addr >= PHYS_LIMIT) return (PhysPage){ .kind = PHYS_HOLE };
    const PhysSlot *slot = &pm->root[addr >> PHYS_SLOT_SHIFT];
    if (slot->leaf) return slot->leaf[addr >> PAGE_SHIFT & (PHYS_LEAF_PAGES - 1)];
    PhysPage p = slot->uniform;
    p.offset += addr & (PHYS_SLOT_SIZE - 1) & ~(PhysAddr)PAGE_MASK;
    return p;
}

/* What a read, or a write, at p meets. */
static inline PhysPage phys_read_side(PhysPage p)
{
    if (p.kind != PHYS_SPLIT) return p;
    return (PhysPage){ p.region->source, p.region->source_offset + p.offset, PHYS_ROM };
}
static inline PhysPage phys_write_side(PhysPage p)
{
    if (p.kind != PHYS_SPLIT) return p;
    return (PhysPage){ p.region->target, p.region->offset + p.offset, PHYS_RAM };
}

/* Memory that can be read there, or NULL. */
static inline uint8_t *phys_find_host(const PhysPage *p)
{
    PhysPage r = phys_read_side(*p);
    return r.kind == PHYS_RAM || r.kind == PHYS_ROM ? r.region->host + r.offset : NULL;
}

/* What answers at exactly addr, and for how many bytes from there (at least 1, at most len). */
PhysPage phys_sub_find(const PhysMem *pm, PhysAddr addr, size_t len, size_t *run);

static inline CodePage *phys_code_of(const PhysPage *p)
{
    PhysPage r = phys_read_side(*p);
    return r.kind == PHYS_RAM || r.kind == PHYS_ROM ? r.region->code[r.offset >> PAGE_SHIFT] : NULL;
}
/* After a write to p's memory: p.offset is that of the first byte, len at least 1. */
static inline void phys_dirty_note(const PhysPage *p, size_t len)
{
    uint8_t *dirty = p->region->dirty;
    if (!dirty) return;
    dirty[p->offset >> PAGE_SHIFT] = 1;
    dirty[(p->offset + len - 1) >> PAGE_SHIFT] = 1;
}
/* The owner of a RAM region has written n bytes (1 or more, within one page) of it. */
void phys_code_owner_wrote(PhysRegion *r, uint64_t offset, unsigned n);
/* The map is about to change for [lo, hi): translations reached through these addresses are told off. */
void phys_code_drop_range(PhysMem *pm, PhysAddr lo, PhysAddr hi);

#endif
