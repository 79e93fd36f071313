/* `info tlb` / `info mem`: the mappings in force, neighbours with the same rights in one line. */
#include <stdio.h>

#include "softmmu/walk.h"

typedef struct Run {
    uint32_t first;
    uint64_t bytes; /* 0: none */
    PhysAddr phys;
    uint32_t rights;
    unsigned shift;
} Run;

enum { RIGHT_X = 1 << 16 };

static void run_print(const Run *r, void (*emit)(void *opaque, const char *line), void *opaque)
{
    char line[96];
    if (!r->bytes) return;
    snprintf(line, sizeof(line), "%08x-%08x -> %09llx %s %c%c%c %c%c%c", r->first, (uint32_t)(r->first + r->bytes - 1),
             (unsigned long long)r->phys,
             r->shift == 22   ? "4M"
             : r->shift == 21 ? "2M"
                              : "4K",
             r->rights & PTE_US ? 'u' : '-', r->rights & PTE_RW ? 'w' : 'r', r->rights & RIGHT_X ? 'x' : '-',
             r->rights & PTE_G ? 'G' : '-', r->rights & PTE_A ? 'A' : '-', r->rights & PTE_D ? 'D' : '-');
    emit(opaque, line);
}

static uint32_t path_rights(const WalkPath *p)
{
    return (p->writable ? PTE_RW : 0) | (p->user ? PTE_US : 0) | (p->nx ? 0 : RIGHT_X) |
           (p->entry[p->n - 1] & (PTE_G | PTE_A | PTE_D));
}

/* What an unmapped address says about its neighbours: the whole span of an absent directory entry. */
static uint64_t absent_span(const Mmu *m, const WalkPath *p)
{
    if (mmu_pae(m)) return p->n == 0 ? UINT64_C(1) << 30 : p->n == 1 ? UINT64_C(1) << 21 : PAGE_SIZE;
    return p->n == 1 ? UINT64_C(1) << 22 : PAGE_SIZE;
}

void mmu_print_tables(Mmu *m, void (*emit)(void *opaque, const char *line), void *opaque)
{
    if (!mmu_paging(m)) {
        emit(opaque, "paging is off");
        return;
    }
    Run run = { 0 };
    for (uint64_t lin = 0; lin < UINT64_C(1) << 32;) {
        WalkPath p;
        if (mmu_walk_path(m, (uint32_t)lin, &p) != WALK_OK) {
            lin += absent_span(m, &p);
            continue;
        }
        uint64_t bytes = UINT64_C(1) << p.shift;
        uint32_t rights = path_rights(&p);
        if (run.bytes && run.first + run.bytes == lin && run.phys + run.bytes == p.phys && run.rights == rights &&
            run.shift == p.shift) {
            run.bytes += bytes;
        } else {
            run_print(&run, emit, opaque);
            run = (Run){ (uint32_t)lin, bytes, p.phys, rights, p.shift };
        }
        lin += bytes;
    }
    run_print(&run, emit, opaque);
}
