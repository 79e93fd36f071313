/* Instructions that read or write the system flags: CLI, STI, PUSHF, POPF, STAC, CLAC, with the virtual interrupt
 * flag of CR4.VME and CR4.PVI (SDM 2, SDM 3B 20.3). */
#include "cpu/cpuid.h"
#include "cpu/helpers.h"

static unsigned iopl(const CPUState *cpu)
{
    return cpu->eflags >> 12 & 3;
}
static bool is_v86(const CPUState *cpu)
{
    return (cpu->mode & MODE_VM86) != 0;
}
/* In v86 mode the CPL is 3, so one comparison serves real, protected and v86 mode. */
static bool may_change_if(const CPUState *cpu)
{
    return cpu_cpl(cpu) <= iopl(cpu);
}

/* CLI and STI, without the right to IF, act on VIF: in v86 mode with VME, in protected mode with PVI at
 * CPL 3. */
static bool has_virtual_if(const CPUState *cpu)
{
    return cpu->cr4 & (is_v86(cpu) ? CR4_VME : CR4_PVI) && cpu_cpl(cpu) == 3;
}

static void if_may_be_set(CPUState *cpu)
{
    if (cpu->eflags & FL_IF && cpu->intr_line) cpu_request_exit(cpu);
}

void helper_cli(CPUState *cpu)
{
    if (may_change_if(cpu))
        cpu->eflags &= ~(uint32_t)FL_IF;
    else if (has_virtual_if(cpu))
        cpu->eflags &= ~(uint32_t)FL_VIF;
    else
        cpu_raise_err(cpu, EXC_GP, 0);
}

void helper_sti(CPUState *cpu)
{
    if (may_change_if(cpu)) {
        if (cpu->eflags & FL_IF) return;
        cpu->eflags |= FL_IF;
        cpu->shadow = SHADOW_STI;
        cpu->mode |= MODE_SHADOW;
        if_may_be_set(cpu);
        return;
    }
    if (!has_virtual_if(cpu) || cpu->eflags & FL_VIP) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->eflags |= FL_VIF;
}

/* STI whose next instruction is certain to run in the same block: since interrupts are taken between blocks,
 * that is the shadow. */
void helper_sti_inside(CPUState *cpu)
{
    helper_sti(cpu);
    cpu->shadow = 0;
    cpu->mode &= ~(uint32_t)MODE_SHADOW;
}

uint32_t helper_pushf(CPUState *cpu, uint32_t opsize)
{
    uint32_t image = cpu_get_eflags(cpu) & ~(uint32_t)(FL_VM | FL_RF);
    if (is_v86(cpu) && iopl(cpu) < 3) {
        if (!(cpu->cr4 & CR4_VME) || opsize != 2) cpu_raise_err(cpu, EXC_GP, 0);
        image = (image & ~(uint32_t)FL_IF) | FL_IOPL | (image & FL_VIF ? FL_IF : 0);
    }
    return opsize == 2 ? image & 0xffff : image;
}

/* POPF in v86 mode with VME and IOPL < 3: IF goes to VIF; TF, or IF while an interrupt is pending,
 * is for the monitor. */
static void popf_virtual(CPUState *cpu, uint32_t image)
{
    if (image & FL_TF || (image & FL_IF && cpu->eflags & FL_VIP)) cpu_raise_err(cpu, EXC_GP, 0);
    uint32_t mask = FL_ARITH | FL_DF | FL_NT | FL_TF;
    uint32_t flags = (cpu_get_eflags(cpu) & ~(mask | FL_RF | FL_VIF)) | (image & mask);
    cpu_set_eflags(cpu, flags | (image & FL_IF ? FL_VIF : 0));
}

/* SDM 2B table 4-16: RF is cleared; VM, VIF and VIP never change. */
void helper_popf(CPUState *cpu, uint32_t image, uint32_t opsize)
{
    if (is_v86(cpu) && iopl(cpu) < 3) {
        if (!(cpu->cr4 & CR4_VME) || opsize != 2) cpu_raise_err(cpu, EXC_GP, 0);
        popf_virtual(cpu, image);
        return;
    }
    uint32_t mask = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID;
    if (cpu_cpl(cpu) == 0) mask |= FL_IOPL;
    if (may_change_if(cpu)) mask |= FL_IF;
    if (opsize == 2) mask &= 0xffff;
    cpu_set_eflags(cpu, (cpu_get_eflags(cpu) & ~(mask | FL_RF)) | (image & mask));
}

void helper_stac(CPUState *cpu, uint32_t set)
{
    if (!(cpu->feat_7_ebx & CPUID_SMAP) || cpu_cpl(cpu)) cpu_raise(cpu, EXC_UD);
    if (set)
        cpu->eflags |= FL_AC;
    else
        cpu->eflags &= ~(uint32_t)FL_AC;
    cpu_update_mode(cpu);
}
