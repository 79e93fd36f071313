/* Control registers and the instructions around them: MOV CRn, LMSW, SMSW, CLTS, INVLPG, WBINVD, MONITOR, MWAIT
 * (SDM 3A 2.5, SDM 2). */
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/helpers.h"
#include "cpu/mem.h"

enum { CR0_WRITABLE_LOW = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD };
#define CR0_WRITABLE (CR0_WRITABLE_LOW | CR0_PG)

static void need_cpl0(CPUState *cpu)
{
    if (cpu_cpl(cpu)) cpu_raise_err(cpu, EXC_GP, 0);
}

/* CR4 bits by the feature that brings them. */
static uint32_t cr4_writable(const CPUState *cpu)
{
    static const struct {
        uint32_t edx, cr4;
    } by_edx[] = {
        { CPUID_VME, CR4_VME | CR4_PVI }, { CPUID_TSC, CR4_TSD },        { CPUID_DE, CR4_DE },   { CPUID_PSE, CR4_PSE },
        { CPUID_PAE, CR4_PAE },           { CPUID_MCE, CR4_MCE },        { CPUID_PGE, CR4_PGE }, { CPUID_MMX, CR4_PCE },
        { CPUID_FXSR, CR4_OSFXSR },       { CPUID_SSE, CR4_OSXMMEXCPT },
    };
    uint32_t mask = 0;
    for (unsigned i = 0; i < sizeof(by_edx) / sizeof(by_edx[0]); i++)
        if (cpu->feat_1_edx & by_edx[i].edx) mask |= by_edx[i].cr4;
    if (cpu->feat_7_ebx & CPUID_SMEP) mask |= CR4_SMEP;
    if (cpu->feat_7_ebx & CPUID_SMAP) mask |= CR4_SMAP;
    if (cpu->feat_7_ecx & CPUID_UMIP) mask |= CR4_UMIP;
    return mask;
}

static void set_control(CPUState *cpu, uint32_t cr0, uint32_t cr3, uint32_t cr4, bool is_cr3_load)
{
    if (!mmu_set_control(&cpu->mmu, cr0, cr3, cr4, (cpu->efer & EFER_NXE) != 0, is_cr3_load))
        cpu_raise_err(cpu, EXC_GP, 0);
    cpu->cr0 = cr0;
    cpu->cr3 = cr3;
    cpu->cr4 = cr4;
}

/* The hidden parts of the segment registers stay as they are when PE changes, but what they permit
 * does not. */
static void write_cr0(CPUState *cpu, uint32_t value)
{
    value = (value & CR0_WRITABLE) | CR0_ET;
    if (value & CR0_PG && !(value & CR0_PE)) cpu_raise_err(cpu, EXC_GP, 0);
    if (value & CR0_NW && !(value & CR0_CD)) cpu_raise_err(cpu, EXC_GP, 0);
    bool pe_changed = (value ^ cpu->cr0) & CR0_PE;
    set_control(cpu, value, cpu->cr3, cpu->cr4, false);
    if (!pe_changed) return;
    cpu->cpl = 0;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) cpu_seg_update_bounds(&cpu->seg[i], i == SEG_CS, (value & CR0_PE) != 0);
}

static void write_cr4(CPUState *cpu, uint32_t value)
{
    if (value & ~cr4_writable(cpu)) cpu_raise_err(cpu, EXC_GP, 0);
    set_control(cpu, cpu->cr0, cpu->cr3, value, false);
}

static bool cr_exists(const CPUState *cpu, uint32_t n)
{
    return n == 0 || n == 2 || n == 3 || (n == 4 && cr4_writable(cpu));
}

uint32_t helper_read_cr(CPUState *cpu, uint32_t n)
{
    if (!cr_exists(cpu, n)) cpu_raise(cpu, EXC_UD);
    need_cpl0(cpu);
    switch (n) {
    case 0: return cpu->cr0;
    case 2: return cpu->cr2;
    case 3: return cpu->cr3;
    default: return cpu->cr4;
    }
}

void helper_write_cr(CPUState *cpu, uint32_t n, uint32_t value)
{
    if (!cr_exists(cpu, n)) cpu_raise(cpu, EXC_UD);
    need_cpl0(cpu);
    switch (n) {
    case 0: write_cr0(cpu, value); break;
    case 2: cpu->cr2 = value; break;
    case 3: set_control(cpu, cpu->cr0, value, cpu->cr4, true); break;
    default: write_cr4(cpu, value); break;
    }
    cpu_update_mode(cpu);
}

/* LMSW reaches PE MP EM TS, and cannot clear PE. */
void helper_lmsw(CPUState *cpu, uint32_t value)
{
    need_cpl0(cpu);
    uint32_t low = value & (CR0_PE | CR0_MP | CR0_EM | CR0_TS);
    write_cr0(cpu, (cpu->cr0 & ~(uint32_t)(CR0_MP | CR0_EM | CR0_TS)) | low);
    cpu_update_mode(cpu);
}

uint32_t helper_smsw(CPUState *cpu)
{
    if (cpu->cr4 & CR4_UMIP) need_cpl0(cpu);
    return cpu->cr0;
}

void helper_clts(CPUState *cpu)
{
    need_cpl0(cpu);
    cpu->cr0 &= ~(uint32_t)CR0_TS;
    cpu->mmu.cr0 = cpu->cr0;
    cpu_update_mode(cpu);
}

/* The operand is an address, not an access: no limit or right is checked. */
void helper_invlpg(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    need_cpl0(cpu);
    mmu_invlpg(&cpu->mmu, cpu->seg[seg].base + ea);
}

/* The checks of a byte load, but that an execute-only segment will do (SDM 2A, CLFLUSH); nothing is read, which a device would
 * notice. */
void helper_clflush(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    SegCache s = cpu->seg[seg];
    uint32_t lin = s.base + ea;
    PhysAddr phys;
    MmuFault fault;
    if (s.attr & SEG_X) s.attr |= SEG_R;
    if (!cpu_seg_allows(&s, ea, 1, false, cpu_protected(cpu))) cpu_raise_seg(cpu, seg);
    if (cpu->mode & MODE_SLOW_MEM) cpu_access_extras(cpu, lin, 1, false);
    if (!mmu_translate(&cpu->mmu, lin, MMU_READ, cpu_mmu_idx(cpu), &phys, &fault)) cpu_raise_pf(cpu, &fault);
}

/* No cache is modelled that could hold anything back. */
void helper_wbinvd(CPUState *cpu)
{
    need_cpl0(cpu);
}

/* --- MONITOR and MWAIT -------------------------------------------------------------------------- */

enum { MONITOR_LINE = 64 };

static void check_monitor(CPUState *cpu)
{
    bool there = cpu->feat_1_ecx & CPUID_MONITOR && cpu->misc_enable & MISC_MONITOR;
    if (!there || cpu_cpl(cpu)) cpu_raise(cpu, EXC_UD);
    if (cpu->regs[R_ECX]) cpu_raise_err(cpu, EXC_GP, 0); /* no extensions */
}

/* Stores are not watched; the line's contents are kept instead, and MWAIT compares.  All that can change memory
 * while the processor waits is a device, and devices follow up with an interrupt, which ends the wait. */
void helper_monitor(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    check_monitor(cpu);
    (void)cpu_ld(cpu, seg, ea, 1);
    PhysAddr phys;
    MmuFault fault;
    bool ram;
    cpu->monitor_armed = false;
    if (!mmu_translate(&cpu->mmu, cpu->seg[seg].base + ea, MMU_READ, cpu_mmu_idx(cpu), &phys, &fault)) return;
    if (!phys_page_host(cpu->mmu.phys, phys, &ram)) return; /* not write-back memory: never armed */
    cpu->monitor_addr = phys & ~(PhysAddr)(MONITOR_LINE - 1);
    phys_read(cpu->mmu.phys, cpu->monitor_addr, cpu->monitor_line, MONITOR_LINE);
    cpu->monitor_armed = true;
}

void helper_mwait(CPUState *cpu, uint32_t next)
{
    check_monitor(cpu);
    cpu->eip = next;
    uint8_t now[MONITOR_LINE];
    if (!cpu->monitor_armed) return;
    cpu->monitor_armed = false;
    phys_read(cpu->mmu.phys, cpu->monitor_addr, now, MONITOR_LINE);
    if (memcmp(now, cpu->monitor_line, MONITOR_LINE) != 0) return;
    cpu->halted = true;
    cpu_request_exit(cpu);
}

void cpu_set_a20(CPUState *cpu, bool enabled)
{
    cpu->a20 = enabled;
    mmu_set_a20(&cpu->mmu, enabled);
    cpu_request_exit(cpu); /* the window closed */
}
