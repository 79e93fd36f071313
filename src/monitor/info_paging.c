/* `info tlb`, `info mem`: the page tables in force. */
#include <inttypes.h>

#include "monitor/monitor_int.h"
#include "softmmu/walk.h"

typedef void MappingFn(void *opaque, uint64_t lin, uint64_t size, const WalkPath *p);

/* The span of an absent entry. */
static uint64_t absent_span(const Mmu *m, const WalkPath *p)
{
    if (mmu_pae(m)) return p->n == 0 ? UINT64_C(1) << 30 : p->n == 1 ? UINT64_C(1) << 21 : PAGE_SIZE;
    return p->n == 1 ? UINT64_C(1) << 22 : PAGE_SIZE;
}

static void each_mapping(Mmu *m, MappingFn *fn, void *opaque)
{
    for (uint64_t lin = 0; lin < UINT64_C(1) << 32;) {
        WalkPath p = { 0 };
        bool mapped = mmu_walk_path(m, (uint32_t)lin, &p) == WALK_OK;
        uint64_t span = mapped ? UINT64_C(1) << p.shift : absent_span(m, &p);
        if (mapped) fn(opaque, lin, span, &p);
        lin += span;
    }
}

static bool paging(Monitor *mon)
{
    if (mmu_paging(&mon_cpu(mon)->mmu)) return true;
    mon_printf(mon, "PG disabled\n");
    return false;
}

static void print_mapping(void *opaque, uint64_t lin, uint64_t size, const WalkPath *p)
{
    uint64_t e = p->entry[p->n - 1];
    mon_printf(opaque, "%016" PRIx64 ": %016" PRIx64 " %c%c%c%c%c%c%c%c%c\n", lin, (uint64_t)p->phys & ~(size - 1),
               e & PTE_NX ? 'X' : '-', e & PTE_G ? 'G' : '-', size > PAGE_SIZE ? 'P' : '-', e & PTE_D ? 'D' : '-',
               e & PTE_A ? 'A' : '-', e & 0x10 ? 'C' : '-', e & 8 ? 'T' : '-', p->user ? 'U' : '-',
               p->writable ? 'W' : '-');
}

void info_tlb(Monitor *mon, const Args *args)
{
    (void)args;
    if (paging(mon)) each_mapping(&mon_cpu(mon)->mmu, print_mapping, mon);
}

/* Neighbours with the same rights are one. */
typedef struct Run {
    Monitor *mon;
    uint64_t first, end;
    bool user, writable;
} Run;

static void end_run(Run *r)
{
    if (r->end > r->first)
        mon_printf(r->mon, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n", r->first, r->end, r->end - r->first,
                   r->user ? 'u' : '-', r->writable ? 'w' : '-');
}

static void join_run(void *opaque, uint64_t lin, uint64_t size, const WalkPath *p)
{
    Run *r = opaque;
    if (r->end != lin || r->end == r->first || r->user != p->user || r->writable != p->writable) {
        end_run(r);
        *r = (Run){ r->mon, lin, lin, p->user, p->writable };
    }
    r->end = lin + size;
}

void info_mem(Monitor *mon, const Args *args)
{
    (void)args;
    Run r = { .mon = mon };
    if (!paging(mon)) return;
    each_mapping(&mon_cpu(mon)->mmu, join_run, &r);
    end_run(&r);
}
