/* The mode flags and EFLAGS as a whole.
 *
 * cpu_mode() runs after every callout that may have changed something a translation depends on, so it
 * is a straight line of tests over CPUState. */
#include "cpu/debug.h"
#include "cpu/fpu.h"
#include "softmmu/window.h"

enum { FL_SYSTEM = FL_TF | FL_IF | FL_IOPL | FL_NT | FL_RF | FL_VM | FL_AC | FL_VIF | FL_VIP | FL_ID };

static inline uint32_t flat_bit(const CPUState *cpu, unsigned i)
{
    const SegCache *s = &cpu->seg[i];
    uint32_t usable = i == SEG_CS ? s->rd_bound : s->wr_bound;
    return (uint32_t)(((s->base | ~s->limit) == 0) & (usable != 0)) << (MODE_FLAT_SHIFT + i);
}

static uint32_t flat_bits(const CPUState *cpu)
{
    return flat_bit(cpu, SEG_ES) | flat_bit(cpu, SEG_CS) | flat_bit(cpu, SEG_SS) | flat_bit(cpu, SEG_DS) |
           flat_bit(cpu, SEG_FS) | flat_bit(cpu, SEG_GS);
}

/* EFLAGS bits that are mode bits as they stand. */
static uint32_t flag_bits(const CPUState *cpu)
{
    uint32_t fl = cpu->eflags, m = 0;
    if (fl & FL_TF) m |= MODE_TF;
    if (fl & FL_RF) m |= MODE_RF;
    if (cpu->shadow) m |= MODE_SHADOW;
    if (cpu->dr[7] & DR7_ENABLES) m |= MODE_DEBUG;
    if (cpu->in_smm) m |= MODE_SMM;
    return m;
}

/* SDM 3A tables 9-3 and 13-1. */
static uint32_t unit_bits(const CPUState *cpu)
{
    uint32_t cr0 = cpu->cr0, m = fpu_mode_bits(cpu);
    if (cr0 & (CR0_EM | CR0_TS)) m |= MODE_NM_FPU;
    if ((cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) m |= MODE_NM_WAIT;
    if (cr0 & CR0_TS) m |= MODE_NM_VEC;
    if (cr0 & CR0_EM) m |= MODE_UD_MMX;
    if (cr0 & CR0_EM || !(cpu->cr4 & CR4_OSFXSR)) m |= MODE_UD_SSE;
    return m;
}

static uint32_t window_bit(const CPUState *cpu, uint32_t m)
{
    bool open = cpu->mmu.window_open && cpu->mmu.window_idx == mode_mmu_idx(m);
    return open && !(m & (MODE_SLOW_MEM | MODE_SINGLE)) ? MODE_WINDOW : 0;
}

uint32_t cpu_mode(const CPUState *cpu)
{
    uint32_t m = flat_bits(cpu) | flag_bits(cpu) | unit_bits(cpu);
    if (cpu->seg[SEG_CS].attr & SEG_DB) m |= MODE_CS32;
    if (cpu->seg[SEG_SS].attr & SEG_DB) m |= MODE_SS32;
    if (!(cpu->cr0 & CR0_PE)) return cpu->mmu.window_real ? m | window_bit(cpu, m) : m;

    m |= MODE_PE;
    unsigned cpl = cpu->cpl;
    if (cpu->eflags & FL_VM) {
        m |= MODE_VM86;
        cpl = 3;
    }
    m |= cpl;
    if (cpl == 3) {
        if (cpu->cr0 & CR0_AM && cpu->eflags & FL_AC) m |= MODE_AC;
    } else if (cpu->cr4 & CR4_SMAP && !(cpu->eflags & FL_AC)) {
        m |= MODE_SMAP;
    }
    return m | window_bit(cpu, m);
}

void cpu_sample_window(CPUState *cpu, bool fair)
{
    bool paging = cpu->cr0 & CR0_PG;
    if (!cpu->mmu.window || (paging && cpu_cpl(cpu) != 3)) return;
    window_sample(&cpu->mmu, cpu_mmu_idx(cpu), cpu->seg[SEG_SS].base + cpu->regs[R_ESP], fair);
    cpu_update_mode(cpu);
}

void cpu_update_mode(CPUState *cpu)
{
    cpu->mode = cpu_mode(cpu);
}

void cpu_update_mode_data_seg(CPUState *cpu, unsigned seg)
{
    cpu->mode = (cpu->mode & ~(1u << (MODE_FLAT_SHIFT + seg))) | flat_bit(cpu, seg);
}

uint32_t cpu_get_eflags(const CPUState *cpu)
{
    return cpu->eflags | cpu_arith_flags(cpu->cc) | (cpu->df < 0 ? FL_DF : 0);
}

void cpu_set_eflags(CPUState *cpu, uint32_t value)
{
    cpu->cc = cpu_cc_from_flags(value);
    cpu->df = value & FL_DF ? -1 : 1;
    uint32_t changed = cpu->eflags ^ value;
    cpu->eflags = (value & FL_SYSTEM) | FL_1;
    if (changed & (FL_TF | FL_RF | FL_VM | FL_AC)) cpu_update_mode(cpu);
    if (cpu->eflags & FL_IF && cpu->intr_line) cpu_request_exit(cpu);
}
