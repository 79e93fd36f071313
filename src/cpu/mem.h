/* Memory accesses inside src/cpu: by linear address with a chosen privilege, and segment checks that do
 * not raise. */
#ifndef CALQUE_CPU_MEM_H
#define CALQUE_CPU_MEM_H

#include "cpu/cpu.h"

/* Whether [ea, ea + len) may be read or written through this segment: type and limit, no paging.
 * protected_mode: also type and presence count.  len is at least 1. */
bool cpu_seg_allows(const SegCache *s, uint32_t ea, uint32_t len, bool write, bool protected_mode);
/* #SS(0) for SS, else #GP(0). */
_Noreturn void cpu_raise_seg(CPUState *cpu, unsigned seg);

/* By linear address under mmu rules idx (MMU_USER ...); raise #PF.  size 1, 2, 4 or 8. */
uint64_t cpu_lin_ld(CPUState *cpu, uint32_t lin, unsigned size, unsigned idx);
uint64_t cpu_lin_ld_rmw(CPUState *cpu, uint32_t lin, unsigned size, unsigned idx);
void cpu_lin_st(CPUState *cpu, uint32_t lin, uint64_t value, unsigned size, unsigned idx);
/* Raises #PF unless all of [lin, lin + len) could be accessed; len at most 4096. */
void cpu_lin_probe(CPUState *cpu, uint32_t lin, unsigned len, unsigned access, unsigned idx);

/* MODE_AC and MODE_DEBUG: alignment check, data breakpoints. */
void cpu_access_extras(CPUState *cpu, uint32_t lin, unsigned size, bool write);

/* Implicit supervisor accesses respect SMAP whatever EFLAGS.AC says (SDM 3A 4.6.1). */
static inline unsigned cpu_sys_idx(const CPUState *cpu)
{
    return cpu->cr4 & CR4_SMAP ? MMU_SUPER_SMAP : MMU_SUPER;
}
static inline unsigned cpu_idx_for_cpl(const CPUState *cpu, unsigned cpl)
{
    return cpl == 3 ? MMU_USER : cpu_sys_idx(cpu);
}
/* Type and presence of segments count: protected mode, v86 mode included (its caches are always usable). */
static inline bool cpu_protected(const CPUState *cpu)
{
    return cpu->cr0 & CR0_PE;
}
/* Protected mode proper, where selectors name descriptors. */
static inline bool cpu_uses_descriptors(const CPUState *cpu)
{
    return cpu->cr0 & CR0_PE && !(cpu->eflags & FL_VM);
}

#endif
