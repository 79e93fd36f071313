/* Page walks: 32-bit tables with 4 MiB pages and PSE-36, PAE tables with NX (SDM 3A chapter 4). */
#include "softmmu/walk.h"

/* Address bits 63..36 of a PAE entry, below XD: reserved (MAXPHYADDR = 36). */
#define PAE_RESERVED   (~UINT64_C(0) >> 1 & ~((UINT64_C(1) << PHYS_ADDR_BITS) - 1))
#define PAE_ADDR       (((UINT64_C(1) << PHYS_ADDR_BITS) - 1) & ~(uint64_t)PAGE_MASK)
#define PDPTE_RESERVED (~((UINT64_C(1) << PHYS_ADDR_BITS) - 1) | UINT64_C(0x1e6))

bool mmu_read_pdptes(Mmu *m, uint32_t cr3, uint64_t pdpte[4])
{
    for (unsigned i = 0; i < 4; i++) {
        pdpte[i] = phys_ld(m->phys, mmu_a20(m, (cr3 & ~UINT32_C(0x1f)) + 8 * i), 8);
        if ((pdpte[i] & PTE_P) && (pdpte[i] & PDPTE_RESERVED)) return false;
    }
    return true;
}

static uint64_t read_entry(Mmu *m, WalkPath *p, PhysAddr addr, unsigned size)
{
    addr = mmu_a20(m, addr);
    uint64_t e = phys_ld(m->phys, addr, size);
    p->addr[p->n] = addr;
    p->entry[p->n++] = e;
    p->writable = p->writable && (e & PTE_RW);
    p->user = p->user && (e & PTE_US);
    return e;
}

/* PSE-36: PDE bits 16..13 are address bits 35..32, bits 21..17 are reserved (SDM 3A table 4-4). */
static int path_32(Mmu *m, uint32_t lin, WalkPath *p)
{
    uint64_t pde = read_entry(m, p, (m->cr3 & ~PAGE_MASK) | (lin >> 20 & 0xffc), 4);
    if (!(pde & PTE_P)) return WALK_ABSENT;
    if ((pde & PTE_PS) && (m->cr4 & PG_CR4_PSE)) {
        if (pde & 0x3e0000) return WALK_RESERVED;
        p->shift = 22;
        p->phys = (pde & 0xffc00000) | (pde & 0x1e000) << 19 | (lin & 0x3ff000);
        return WALK_OK;
    }
    uint64_t pte = read_entry(m, p, (pde & ~(uint64_t)PAGE_MASK) | (lin >> 10 & 0xffc), 4);
    if (!(pte & PTE_P)) return WALK_ABSENT;
    p->phys = pte & ~(uint64_t)PAGE_MASK;
    return WALK_OK;
}

static int check_pae(const Mmu *m, WalkPath *p, uint64_t e)
{
    if (!(e & PTE_P)) return WALK_ABSENT;
    if (e & (m->nx ? PAE_RESERVED : PAE_RESERVED | PTE_NX)) return WALK_RESERVED;
    p->nx = p->nx || (e & PTE_NX);
    return WALK_OK;
}

static int path_pae(Mmu *m, uint32_t lin, WalkPath *p)
{
    uint64_t pdpte = m->pdpte[lin >> 30];
    if (!(pdpte & PTE_P)) return WALK_ABSENT;
    uint64_t pde = read_entry(m, p, (pdpte & PAE_ADDR) | (lin >> 18 & 0xff8), 8);
    int bad = check_pae(m, p, pde);
    if (bad) return bad;
    if (pde & PTE_PS) { /* whatever CR4.PSE says */
        if (pde & 0x1fe000) return WALK_RESERVED;
        p->shift = 21;
        p->phys = (pde & PAE_ADDR & ~UINT64_C(0x1fffff)) | (lin & 0x1ff000);
        return WALK_OK;
    }
    uint64_t pte = read_entry(m, p, (pde & PAE_ADDR) | (lin >> 9 & 0xff8), 8);
    bad = check_pae(m, p, pte);
    if (bad) return bad;
    p->phys = pte & PAE_ADDR;
    return WALK_OK;
}

int mmu_walk_path(Mmu *m, uint32_t lin, WalkPath *path)
{
    path->n = 0;
    path->shift = PAGE_SHIFT;
    path->writable = path->user = true;
    path->nx = false;
    return mmu_pae(m) ? path_pae(m, lin, path) : path_32(m, lin, path);
}

/* SDM 3A 4.6. */
static bool may_write(const Mmu *m, const WalkPath *p, unsigned idx)
{
    return p->writable || (idx != MMU_USER && !(m->cr0 & PG_CR0_WP));
}

static bool allowed(const Mmu *m, const WalkPath *p, unsigned access, unsigned idx)
{
    if (idx == MMU_USER && !p->user) return false;
    if (access == MMU_EXEC) {
        bool smep = idx != MMU_USER && p->user && (m->cr4 & PG_CR4_SMEP);
        return !p->nx && !smep;
    }
    if (idx == MMU_SUPER_SMAP && p->user) return false;
    return access != MMU_WRITE || may_write(m, p, idx);
}

static bool walk_fault(const Mmu *m, uint32_t lin, unsigned access, unsigned idx, uint32_t why, MmuFault *fault)
{
    bool tells_fetch = (mmu_pae(m) && m->nx) || (m->cr4 & PG_CR4_SMEP);
    fault->cr2 = lin;
    fault->error = why | (access == MMU_WRITE ? PF_W : 0) | (idx == MMU_USER ? PF_U : 0) |
                   (access == MMU_EXEC && tells_fetch ? PF_I : 0);
    return false;
}

/* A in every entry used, D in the last one for a write (SDM 3A 4.8).  Both are in the low half. */
static void set_accessed(Mmu *m, WalkPath *p, bool dirty)
{
    for (unsigned i = 0; i < p->n; i++) {
        uint32_t old = (uint32_t)p->entry[i];
        uint32_t set = PTE_A | (dirty && i + 1 == p->n ? PTE_D : 0);
        if ((old & set) == set) continue;
        phys_cmpxchg32(m->phys, p->addr[i], old, old | set);
        p->entry[i] |= set;
    }
}

bool mmu_walk(Mmu *m, uint32_t lin, unsigned access, unsigned idx, WalkResult *out, MmuFault *fault)
{
    if (!mmu_paging(m)) {
        *out = (WalkResult){ .page = mmu_a20(m, lin & ~PAGE_MASK), .may_write = true, .shift = PAGE_SHIFT };
        return true;
    }
    WalkPath p;
    int bad = mmu_walk_path(m, lin, &p);
    if (bad) return walk_fault(m, lin, access, idx, bad == WALK_RESERVED ? PF_P | PF_RSVD : 0, fault);
    if (!allowed(m, &p, access, idx)) return walk_fault(m, lin, access, idx, PF_P, fault);
    set_accessed(m, &p, access == MMU_WRITE);
    uint64_t leaf = p.entry[p.n - 1];
    *out = (WalkResult){
        .page = mmu_a20(m, p.phys),
        .may_write = (leaf & PTE_D) && may_write(m, &p, idx),
        .global = (leaf & PTE_G) && (m->cr4 & PG_CR4_PGE),
        .large = p.shift != PAGE_SHIFT,
        .shift = p.shift,
    };
    return true;
}

bool mmu_walk_quietly(Mmu *m, uint32_t page, unsigned idx, WalkResult *out)
{
    WalkPath path;
    MmuFault fault;
    if (mmu_walk_path(m, page, &path) != WALK_OK) return false;
    for (unsigned i = 0; i < path.n; i++)
        if (!(path.entry[i] & PTE_A)) return false;
    return mmu_walk(m, page, MMU_READ, idx, out, &fault);
}

bool mmu_probe(Mmu *m, uint32_t lin, PhysAddr *phys)
{
    WalkPath p;
    if (!mmu_paging(m)) {
        *phys = mmu_a20(m, lin);
        return true;
    }
    if (mmu_walk_path(m, lin, &p) != WALK_OK) return false;
    *phys = mmu_a20(m, p.phys | (lin & PAGE_MASK));
    return true;
}
