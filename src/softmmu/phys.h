/* Guest-physical address space: RAM, ROM, device windows and aliases, at 4 KiB granularity or finer
 * for devices.  Also knows which bytes of RAM have been translated to host code, so that a write to
 * them can be told to the translation cache.  Used by the machine thread only. */
#ifndef CALQUE_SOFTMMU_PHYS_H
#define CALQUE_SOFTMMU_PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t PhysAddr; /* 36 bits are decoded (PAE, PSE-36) */
#define PHYS_ADDR_BITS 36
/* No access gets there: a place to make a region that is moved before it is used. */
#define PHYS_SPARE ((PhysAddr)1 << PHYS_ADDR_BITS)
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u
#define PAGE_MASK  0xfffu

/* Device window callbacks: offset from the window's start, size 1, 2, 4 or 8 bytes, naturally
 * limited to the window.  Wider or odd accesses are split by the caller. */
typedef struct MmioOps {
    uint64_t (*read)(void *opaque, PhysAddr offset, unsigned size);
    void (*write)(void *opaque, PhysAddr offset, uint64_t value, unsigned size);
} MmioOps;

typedef struct PhysMem PhysMem;
typedef struct PhysRegion PhysRegion;

PhysMem *phys_new(void);
void phys_free(PhysMem *pm);

/* Regions overlay one another by priority (higher wins; equal: the later one).  ram/rom allocate
 * zeroed, lazily committed host memory.  NULL: host memory exhausted.  A region may be moved,
 * enabled, disabled or made read-only later (PAM, BARs, A20 do not go through here: A20 masks in mmu). */
PhysRegion *phys_add_ram(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority);
PhysRegion *phys_add_rom(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority);
PhysRegion *phys_add_mmio(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority, const MmioOps *ops,
                          void *opaque);
/* A window onto part of another region (which keeps its own place). */
PhysRegion *phys_add_alias(PhysMem *pm, const char *name, PhysAddr base, uint64_t size, int priority,
                           PhysRegion *target, uint64_t offset);
void phys_region_set(PhysRegion *r, PhysAddr base, bool enabled, bool read_only);
/* Where an alias looks in its target: offset + the alias' size stays within the target. */
void phys_alias_set_offset(PhysRegion *r, uint64_t offset);
/* "Read ROM, write RAM", as chipsets offer for copying a BIOS onto itself: what an alias of RAM shows to reads and
 * fetches comes from source (RAM or ROM) at offset; its own target takes the writes.  NULL: an ordinary alias again. */
void phys_region_set_source(PhysRegion *alias, PhysRegion *source, uint64_t offset);
/* Only instruction fetches see the region; data goes to what lies below it, and so does phys_read(). */
void phys_region_set_code_only(PhysRegion *r, bool code_only);
uint8_t *phys_region_host(PhysRegion *r); /* RAM and ROM: host address of its first byte */

/* All RAM and ROM that there is, whether it can be seen or not. */
void phys_each_memory(PhysMem *pm, void (*fn)(void *opaque, const char *name, const uint8_t *host, uint64_t size),
                      void *opaque);

/* The page is about to be used: if it is RAM, the host commits it and what is around it at once. */
void phys_commit(PhysMem *pm, PhysAddr page);
/* Host memory behind one page, or NULL for a device window or a hole.  *writable: RAM, not ROM. */
uint8_t *phys_page_host(PhysMem *pm, PhysAddr page, bool *writable);

/* Host memory of a page that fetches find in a code-only region, or NULL: they find what data accesses find.  Code there
 * cannot be tracked by its address, which is another memory's for writes. */
const uint8_t *phys_code_only_page(PhysMem *pm, PhysAddr page);
/* The file (memfd) behind host memory that phys_page_host() gave, for mapping it a second time.  False: it has none. */
typedef struct PhysBacking {
    int fd;
    uint64_t offset;
} PhysBacking;
bool phys_host_backing(PhysMem *pm, const uint8_t *host, PhysBacking *at);

/* Accesses by physical address, any size and alignment, as the bus sees them (holes read as all
 * ones, writes to ROM and holes are dropped).  Writes tell the code tracker.  For DMA and loaders. */
void phys_read(PhysMem *pm, PhysAddr addr, void *buf, size_t len);
void phys_write(PhysMem *pm, PhysAddr addr, const void *buf, size_t len);
uint64_t phys_ld(PhysMem *pm, PhysAddr addr, unsigned size);
void phys_st(PhysMem *pm, PhysAddr addr, uint64_t value, unsigned size);
bool phys_cmpxchg32(PhysMem *pm, PhysAddr addr, uint32_t old, uint32_t new_value); /* PTE updates */

/* Loaders: writes into ROM as well. */
void phys_load(PhysMem *pm, PhysAddr addr, const void *buf, size_t len);

/* Called when the map changes (a region moved, enabled, ...): the TLBs must forget. */
void phys_on_remap(PhysMem *pm, void (*fn)(void *opaque), void *opaque);
void phys_off_remap(PhysMem *pm, void (*fn)(void *opaque), void *opaque);

/* --- code tracking: bytes of RAM/ROM pages that hold translated code ------------------------------- */
/* The tracker keys on the host RAM page (so aliases of one page agree). */
typedef void PhysCodeWritten(void *opaque, PhysAddr addr, unsigned len);
void phys_on_code_written(PhysMem *pm, PhysCodeWritten *fn, void *opaque);
void phys_code_mark(PhysMem *pm, PhysAddr addr, unsigned len); /* bytes now hold translated code */
/* The code is gone, but may be back soon: until the page is marked again or cleared every write to it is reported. */
void phys_code_idle(PhysMem *pm, PhysAddr page);
/* A write to these bytes of one page that leaves them as they are need not be reported, though some are marked. */
bool phys_code_unchanged(PhysMem *pm, PhysAddr addr, unsigned len);
void phys_code_clear_page(PhysMem *pm, PhysAddr page); /* no translated code left there */
bool phys_page_has_code(PhysMem *pm, PhysAddr page);
bool phys_code_hit(PhysMem *pm, PhysAddr addr, unsigned len);     /* any marked byte touched? */
void phys_code_written(PhysMem *pm, PhysAddr addr, unsigned len); /* calls the callback if phys_code_hit */

/* --- dirty tracking: which pages of a RAM region have been written (display memory) ------------------ */
/* Writes by the CPU (through any alias) and by phys_write() are noticed; those by the region's owner through
 * phys_region_host() are told with phys_dirty_mark(), which tells the code tracker too.  A page costs two slow writes after each taking. */
void phys_dirty_track(PhysRegion *r); /* RAM; all pages start dirty */
void phys_dirty_mark(PhysRegion *r, uint64_t offset, uint64_t len);
/* Pages [first, first + n) of the region: flag[i] = 1 if page first + i has been written since it was last taken.
 * They are clean from here on.  False: none was dirty. */
bool phys_dirty_take(PhysRegion *r, uint64_t first, uint64_t n, uint8_t *flag);
bool phys_page_is_clean(PhysMem *pm, PhysAddr page); /* tracked and not dirty: its next write must be seen */
/* Called when pages become clean: the TLBs must send writes to host memory [lo, hi) the slow way. */
typedef void PhysCleaned(void *opaque, const uint8_t *lo, const uint8_t *hi);
void phys_on_cleaned(PhysMem *pm, PhysCleaned *fn, void *opaque);
void phys_off_cleaned(PhysMem *pm, PhysCleaned *fn, void *opaque);

/* --- a tap: somebody who must see every change of memory, and every device access, as it happens ----------- */
typedef struct PhysTap {
    /* n bytes of RAM or ROM at host, within one page, are about to be written: by the CPU's slow path, the page walker, a
     * device or a loader. */
    void (*before_write)(void *opaque, uint8_t *host, size_t n);
    /* Whether the CPU may write to the page at host unseen from now on. */
    bool (*page_open)(void *opaque, const uint8_t *host);
    /* A region's owner has written through phys_region_host() and told with phys_dirty_mark(). */
    void (*owner_wrote)(void *opaque, uint8_t *host, size_t n);
    /* Instead of the device's own functions, which phys_mmio_read() and phys_mmio_write() call. */
    uint64_t (*mmio_read)(void *opaque, const PhysRegion *r, PhysAddr offset, unsigned size);
    void (*mmio_write)(void *opaque, const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size);
} PhysTap;
/* NULL: none.  The TLBs must be flushed, for they may hold pages that are open. */
void phys_set_tap(PhysMem *pm, const PhysTap *tap, void *opaque);
void phys_before_write(PhysMem *pm, uint8_t *host, size_t n); /* for those who write by host address */
bool phys_page_is_open(PhysMem *pm, const uint8_t *host);
uint64_t phys_mmio_read(const PhysRegion *r, PhysAddr offset, unsigned size);
void phys_mmio_write(const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size);
/* Where a host address lies: the RAM or ROM region's name, and the offset there.  NULL: in none. */
const char *phys_host_name(PhysMem *pm, const uint8_t *host, uint64_t *offset);
const char *phys_region_name(const PhysRegion *r);

/* Text for `info mtree`: one line per region, through emit(). */
void phys_print(PhysMem *pm, void (*emit)(void *opaque, const char *line), void *opaque);

#endif
