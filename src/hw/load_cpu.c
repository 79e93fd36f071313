/* Apart from the loaders, which need nothing of the CPU but this. */
#include "cpu/cpu.h"
#include "hw/load.h"

static void set_flat(SegCache *s, uint16_t sel, unsigned type, bool is_cs)
{
    s->sel = sel;
    s->base = 0;
    s->limit = 0xffffffff;
    s->attr = (uint16_t)(SEG_P | SEG_S | SEG_DB | SEG_G | type);
    cpu_seg_update_bounds(s, is_cs, true);
}

void load_set_cpu(CPUState *cpu, const BootState *boot)
{
    cpu->regs[R_EAX] = boot->eax;
    cpu->regs[R_EBX] = boot->ebx;
    cpu->regs[R_ECX] = cpu->regs[R_EDX] = cpu->regs[R_EBP] = cpu->regs[R_EDI] = 0;
    cpu->regs[R_ESI] = boot->esi;
    cpu->regs[R_ESP] = boot->esp;
    cpu->eip = boot->eip;
    cpu_set_eflags(cpu, FL_1);

    cpu->cr0 = CR0_PE | CR0_ET;
    mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true);
    cpu->gdt.base = boot->gdt_base;
    cpu->gdt.limit = boot->gdt_limit;
    set_flat(&cpu->seg[SEG_CS], boot->cs, SEG_A | SEG_R | SEG_X, true);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        if (i != SEG_CS) set_flat(&cpu->seg[i], boot->ds, SEG_A | SEG_W, false);
    cpu_update_mode(cpu);
}
