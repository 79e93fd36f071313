/* Linear to physical: page walker, data TLB, fetch TLB.  Knows paging but not segments, and reports
 * a fault instead of raising it.
 *
 * Generated code reads the tables below directly; src/backend/x86_64/emit_mem.c holds the inline
 * sequence.  A data entry matches a read of n bytes at lin when
 *     entry.tag_rd == ((lin + n - 1) & ~PAGE_MASK)      with entry = tlb[idx][page number % MMU_TLB_SIZE]
 * which also fails for an access that crosses into the next page.  A tag with any of bits 4..11 set never
 * matches: MMIO, ROM (for writes), pages with translated code or a clear D bit (for writes), A20. */
#ifndef CALQUE_SOFTMMU_MMU_H
#define CALQUE_SOFTMMU_MMU_H

#include "softmmu/phys.h"

enum { MMU_TLB_BITS = 12, MMU_TLB_SIZE = 1 << MMU_TLB_BITS, MMU_VICTIMS = 8 };
/* The fetch TLB has no victims, and a large program's code is more than the data it uses at a time. */
enum { MMU_ITLB_BITS = 14, MMU_ITLB_SIZE = 1 << MMU_ITLB_BITS };
/* Which rules apply: CPL 3; CPL < 3; CPL < 3 with SMAP enforced (CR4.SMAP, EFLAGS.AC clear). */
enum { MMU_USER, MMU_SUPER, MMU_SUPER_SMAP, MMU_MODES };
enum { MMU_READ, MMU_WRITE, MMU_EXEC };
enum { MMU_PENDING_USER = 1, MMU_PENDING_GLOBAL = 2 };
enum { MMU_WANTED_PAGE = 1, MMU_WANTED_OPEN = 2 };

typedef struct TlbEntry {
    uint32_t tag_rd, tag_wr; /* linear page address; with any of bits 4..11 set: slow path */
    uintptr_t addend;        /* host address = linear address + addend (valid when either tag matches) */
} TlbEntry;

/* Fetch TLB: one word that is exact for (linear page, physical page):
 * (linear page >> MMU_TLB_BITS) << 24 | physical page number.  Translated blocks compare it with an
 * immediate at their checked entry.  All ones: empty. */
#define MMU_ITLB_EMPTY 0xffffffffu
static inline uint32_t mmu_itlb_word(uint32_t lin, PhysAddr phys)
{
    return (lin >> (PAGE_SHIFT + MMU_TLB_BITS)) << 24 | (uint32_t)(phys >> PAGE_SHIFT);
}
static inline unsigned mmu_tlb_index(uint32_t lin)
{
    return lin >> PAGE_SHIFT & (MMU_TLB_SIZE - 1);
}
static inline unsigned mmu_itlb_index(uint32_t lin)
{
    return lin >> PAGE_SHIFT & (MMU_ITLB_SIZE - 1);
}

typedef struct MmuFault {
    uint32_t cr2;
    uint32_t error; /* #PF error code: P W U RSVD I */
} MmuFault;

typedef struct Mmu {
    TlbEntry tlb[MMU_MODES][MMU_TLB_SIZE];
    uint32_t itlb[2][MMU_ITLB_SIZE]; /* [0] CPL 3, [1] CPL < 3 */
    /* All below is the slow path's own. */
    PhysMem *phys;
    uint32_t cr0, cr3, cr4; /* copies that mmu_set_control() keeps */
    bool nx;                /* EFER.NXE */
    uint32_t a20_mask;      /* 0xffffffff, or bit 20 clear */
    uint64_t pdpte[4];      /* PAE: loaded by mov to CR3/CR0/CR4, SDM 3A 4.4.1 */
    bool window_open;       /* see window.h; the three are for generated code's makers and the slow path */
    bool window_real;       /* real mode uses it, too */
    uint8_t window_pending; /* MMU_PENDING_*: what the access to come touches is to be brought into these windows */
    /* MMU_WANTED_*, to be done back in user mode; with a page: the user's window was to have it, but for a page fault. */
    uint32_t window_wanted;
    bool window_always;          /* windows are used whether they pay or not */
    bool window_hopeless;        /* a window could not be given its page */
    uint8_t window_idx;          /* the TLB that the open window mirrors */
    struct Window *window;       /* NULL: not enabled */
    struct WindowGlobal *global; /* window_global.h; NULL: not enabled */
    /* May be NULL: called before a load or store of the CPU's gets to anything but plain memory.  May jump away: nothing
     * has happened yet. */
    void (*on_device)(void *opaque);
    void *on_device_opaque;
    void (*on_window_moved)(void *opaque); /* may be NULL: window_base() is another */
    void *on_window_moved_opaque;
    struct MmuBook *book; /* what is filled, global, large; physical page of each entry */
    uint64_t n_miss, n_flush;
    /* Loads and stores that found nothing in the TLB, and those of them that were by the bus, across a page's end, or to
     * pages whose stores are watched (they hold translated code, or are displayed). */
    uint64_t n_slow, n_device, n_crossing, n_watched;
} Mmu;

void mmu_init(Mmu *m, PhysMem *phys);
void mmu_free(Mmu *m);
/* After CR0, CR3, CR4 or EFER.NXE changed: keeps copies and flushes what the change demands
 * (SDM 3A 4.10.4).  is_cr3_load: a MOV to CR3 (flushes non-global entries even when the value is the same).
 * False: PAE PDPTE load with reserved bits set -> #GP(0), nothing changed. */
bool mmu_set_control(Mmu *m, uint32_t cr0, uint32_t cr3, uint32_t cr4, bool nx, bool is_cr3_load);
void mmu_set_a20(Mmu *m, bool enabled);
void mmu_flush_all(Mmu *m); /* global ones too */
void mmu_invlpg(Mmu *m, uint32_t lin);
/* Drops write permission from all entries onto a physical page (it now holds translated code). */
void mmu_protect_code(Mmu *m, PhysAddr page);

/* Walks the tables for one access; sets A and D as the access demands.  Fills the TLB for data
 * accesses and the fetch TLB for MMU_EXEC.  False: *fault is set, nothing was changed. */
bool mmu_translate(Mmu *m, uint32_t lin, unsigned access, unsigned idx, PhysAddr *phys, MmuFault *fault);
/* As the monitor sees memory: no side effects, supervisor, no fault.  False: not mapped. */
bool mmu_probe(Mmu *m, uint32_t lin, PhysAddr *phys);

/* Loads and stores of 1, 2, 4 or 8 bytes at any alignment, across pages and onto devices.  A store
 * that crosses a page faults before any byte is written.  rmw: a load that must also be writable.
 * Stores tell the code tracker after the memory has changed. */
bool mmu_ld(Mmu *m, uint32_t lin, unsigned size, unsigned idx, uint64_t *value, MmuFault *fault);
bool mmu_ld_rmw(Mmu *m, uint32_t lin, unsigned size, unsigned idx, uint64_t *value, MmuFault *fault);
bool mmu_st(Mmu *m, uint32_t lin, uint64_t value, unsigned size, unsigned idx, MmuFault *fault);
/* Any length up to 4096 (FXSAVE, XMM bounce): all pages are checked before the first byte moves. */
bool mmu_ld_bytes(Mmu *m, uint32_t lin, void *buf, unsigned len, unsigned idx, MmuFault *fault);
bool mmu_st_bytes(Mmu *m, uint32_t lin, const void *buf, unsigned len, unsigned idx, MmuFault *fault);
/* Host memory for [lin, lin+n) with n bytes to the end of the page at most, for string operations and
 * copies; NULL when the access needs the slow way (device, code page on a write) or faults
 * (*faulted true, *fault set). */
uint8_t *mmu_host(Mmu *m, uint32_t lin, unsigned access, unsigned idx, MmuFault *fault, bool *faulted);

/* Taking back what a stretch of guest code did to the TLBs and the control registers' copies, so that the same code can
 * run again from the same state. */
void mmu_undo_start(Mmu *m); /* from here on */
void mmu_undo_back(Mmu *m);  /* all is as at the start; goes on noting */
void mmu_undo_stop(Mmu *m);  /* all that was filled stays, but the next write to any page takes the slow path */

/* The tables in force, for `info tlb` / `info mem`. */
void mmu_print_tables(Mmu *m, void (*emit)(void *opaque, const char *line), void *opaque);

#endif
