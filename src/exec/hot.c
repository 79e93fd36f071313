/* Which code of the operating system's uses the system's window (softmmu/window_global.h).  Blocks made for it are worth
 * making where much time goes, and hardware interrupts are fair samples of that: where one finds the system in a page of
 * code, the system's blocks in that page are made anew (some 0.2 ms, for 4 ms seen to be spent there).  All others keep their
 * checks. */
#include "exec/trace.h"
#include "util/log.h"

bool hot_here(const Exec *ex, PhysAddr phys)
{
    const CPUState *cpu = ex->cpu;
    if (!cpu->mmu.global || cpu_cpl(cpu) == 3 || cpu_mmu_idx(cpu) != MMU_SUPER) return false;
    if (cpu->mode & (MODE_WINDOW | MODE_SLOW_MEM | MODE_SINGLE)) return false;
    return (cpu->mmu.window_always && cpu->cr0 & CR0_PG) || cache_in_set(&ex->hot, phys & ~(PhysAddr)PAGE_MASK);
}

static void remake(Exec *ex, PhysAddr page)
{
    bool writable;
    const uint8_t *host = phys_page_host(ex->cpu->mmu.phys, page, &writable);
    if (!host) return;
    for (TB *tb = pages_first(ex, host), *next; tb; tb = next) {
        next = tb->page_next[tb->page_host[0] == host ? 0 : 1];
        if (tb->page_host[0] == host && !tb->system_window && (tb->mode & MODE_CPL) != 3)
            cache_invalidate(ex, tb, TRACE_WHY_HOT, NULL);
    }
}

void hot_sample(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    PhysAddr phys;
    if (!cpu->mmu.global || cpu_cpl(cpu) == 3 || cpu->halted || !(cpu->cr0 & CR0_PG)) return;
    if (!mmu_probe(&cpu->mmu, cpu->seg[SEG_CS].base + cpu->eip, &phys)) return;
    phys &= ~(PhysAddr)PAGE_MASK;
    if (cache_in_set(&ex->hot, phys)) return;
    cache_set_add(&ex->hot, phys);
    if (log_on(LOG_PAGE)) log_printf("page %09llx: its code uses the system's window\n", (unsigned long long)phys);
    remake(ex, phys);
}
