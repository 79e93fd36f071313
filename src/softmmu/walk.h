/* The page walker: tables in guest memory to one translation.  Keeps nothing. */
#ifndef CALQUE_SOFTMMU_WALK_H
#define CALQUE_SOFTMMU_WALK_H

#include "softmmu/mmu.h"

/* The bits of CR0, CR4 and of table entries that paging looks at (SDM 3A 4.1, 4.3, 4.4). */
enum { PG_CR0_PE = 1, PG_CR0_WP = 1 << 16, PG_CR0_NW = 1 << 29, PG_CR0_CD = 1 << 30 };
#define PG_CR0_PG (UINT32_C(1) << 31)
enum {
    PG_CR4_PSE = 1 << 4,
    PG_CR4_PAE = 1 << 5,
    PG_CR4_PGE = 1 << 7,
    PG_CR4_SMEP = 1 << 20,
    PG_CR4_SMAP = 1 << 21,
};
enum { PTE_P = 1, PTE_RW = 2, PTE_US = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100 };
#define PTE_NX (UINT64_C(1) << 63)
/* #PF error code */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

/* The entries that map one linear address. */
typedef struct WalkPath {
    PhysAddr addr[2]; /* of each entry, top level first (PDPTEs are registers, not memory) */
    uint64_t entry[2];
    unsigned n;     /* entries read */
    unsigned shift; /* page size: 12, 21 or 22 */
    bool writable, user, nx;
    PhysAddr phys; /* of the 4 KiB page that lin is in */
} WalkPath;

typedef struct WalkResult {
    PhysAddr page;  /* A20 applied */
    bool may_write; /* a write by the same kind of access needs no new walk: allowed, and D is set */
    bool global, large;
    unsigned shift;
} WalkResult;

/* Reads the entries, no rights checked.  0, or 1 not present, or PF_P | PF_RSVD. */
enum { WALK_OK, WALK_ABSENT, WALK_RESERVED };
int mmu_walk_path(Mmu *m, uint32_t lin, WalkPath *path);
/* One access: rights checked, A and D set.  False: *fault is set, nothing was changed. */
bool mmu_walk(Mmu *m, uint32_t lin, unsigned access, unsigned idx, WalkResult *out, MmuFault *fault);
/* A read at page that the processor might have looked up by itself: nothing in the tables would change.  False: it would, or it
 * would fault. */
bool mmu_walk_quietly(Mmu *m, uint32_t page, unsigned idx, WalkResult *out);
/* PAE: reads the four page-directory-pointer entries.  False: reserved bits set in a present one. */
bool mmu_read_pdptes(Mmu *m, uint32_t cr3, uint64_t pdpte[4]);

static inline bool mmu_paging(const Mmu *m)
{
    return (m->cr0 & PG_CR0_PG) != 0;
}
static inline bool mmu_pae(const Mmu *m)
{
    return (m->cr4 & PG_CR4_PAE) != 0;
}
static inline PhysAddr mmu_a20(const Mmu *m, PhysAddr addr)
{
    return addr & ~(PhysAddr)(uint32_t)~m->a20_mask;
}

#endif
