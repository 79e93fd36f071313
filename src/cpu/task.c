/* Hardware task switching, SDM 3A 7.3.
 *
 * Everything that can fail in the old task (descriptor checks, both TSSs mapped) is done first.  After the
 * commit point the new task's registers are in place and remaining mistakes are faults of the new task. */
#include <string.h>

#include "cpu/debug.h"
#include "cpu/stack.h"
#include "cpu/task.h"

/* Where a TSS keeps things; SDM 3A figures 7-2 and 7-8. */
typedef struct TssLayout {
    unsigned word; /* bytes of a register */
    unsigned min_limit;
    unsigned eip, flags, regs, segs, n_segs, ldt;
    unsigned size; /* bytes read in a switch */
    unsigned stacks, stack_step;
} TssLayout;
static const TssLayout tss16 = { 2, 0x2b, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a, 0x2c, 2, 4 };
static const TssLayout tss32 = { 4, 0x67, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x68, 4, 8 };
enum { TSS_LINK = 0, TSS32_CR3 = 0x1c, TSS32_TRAP = 0x64 };

static const TssLayout *layout_of(unsigned type)
{
    return type & SYS_32BIT ? &tss32 : &tss16;
}

/* What a TSS holds, widened. */
typedef struct TaskImage {
    uint32_t cr3, eip, eflags, regs[8];
    uint16_t segs[6], ldt;
    bool trap, has_cr3;
} TaskImage;

void tss_inner_stack(CPUState *cpu, unsigned cpl, uint16_t *ss, uint32_t *esp)
{
    const SegCache *tr = &cpu->seg[SEG_TR];
    const TssLayout *t = layout_of(tr->attr & 0xf);
    uint32_t at = t->stacks + cpl * t->stack_step;
    if (!(tr->attr & SEG_P) || at + t->word + 1 > tr->limit) cpu_raise_err(cpu, EXC_TS, sel_error(tr->sel));
    *esp = (uint32_t)cpu_sys_ld(cpu, tr->base + at, t->word);
    *ss = (uint16_t)cpu_sys_ld(cpu, tr->base + at + t->word, 2);
}

static TaskImage read_task(CPUState *cpu, uint32_t base, const TssLayout *t)
{
    TaskImage im = { .has_cr3 = t == &tss32 };
    im.eip = (uint32_t)cpu_sys_ld(cpu, base + t->eip, t->word);
    im.eflags = (uint32_t)cpu_sys_ld(cpu, base + t->flags, t->word);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t v = (uint32_t)cpu_sys_ld(cpu, base + t->regs + i * t->word, t->word);
        im.regs[i] = t->word == 2 ? v | 0xffff0000u : v; /* as silicon leaves the upper halves */
    }
    for (unsigned i = 0; i < t->n_segs; i++) im.segs[i] = (uint16_t)cpu_sys_ld(cpu, base + t->segs + i * t->word, 2);
    im.ldt = (uint16_t)cpu_sys_ld(cpu, base + t->ldt, 2);
    if (im.has_cr3) {
        im.cr3 = (uint32_t)cpu_sys_ld(cpu, base + TSS32_CR3, 4);
        im.trap = cpu_sys_ld(cpu, base + TSS32_TRAP, 2) & 1;
    }
    return im;
}

static void save_task(CPUState *cpu, uint32_t base, const TssLayout *t, uint32_t eip, uint32_t eflags)
{
    cpu_sys_st(cpu, base + t->eip, eip, t->word);
    cpu_sys_st(cpu, base + t->flags, eflags, t->word);
    for (unsigned i = 0; i < 8; i++) cpu_sys_st(cpu, base + t->regs + i * t->word, cpu->regs[i], t->word);
    for (unsigned i = 0; i < t->n_segs; i++) cpu_sys_st(cpu, base + t->segs + i * t->word, cpu->seg[i].sel, 2);
}

static void set_busy(CPUState *cpu, uint16_t sel, bool busy)
{
    uint32_t lin = cpu->gdt.base + (sel & ~7u) + 5;
    uint32_t type = (uint32_t)cpu_sys_ld(cpu, lin, 1);
    cpu_sys_st(cpu, lin, busy ? type | SYS_BUSY : type & ~(uint32_t)SYS_BUSY, 1);
}

/* The new TSS's descriptor.  SDM 2A: a wrong type is #GP in JMP, CALL and gates, #TS in IRET. */
static void check_new_tss(CPUState *cpu, uint16_t sel, TaskSwitch kind, SegDesc *d)
{
    bool iret = kind == TASK_IRET;
    int vector = iret ? EXC_TS : EXC_GP;
    if (sel & 4 || !seg_fetch(cpu, sel, d) || desc_is_segment(d)) cpu_raise_err(cpu, vector, sel_error(sel));
    unsigned type = desc_type(d), wanted = iret ? SYS_TSS16_BUSY : SYS_TSS16;
    if ((type & ~(unsigned)SYS_32BIT) != wanted) cpu_raise_err(cpu, vector, sel_error(sel));
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_NP, sel_error(sel));
    if (desc_limit(d) < layout_of(type)->min_limit) cpu_raise_err(cpu, EXC_TS, sel_error(sel));
}

/* --- after the commit point --------------------------------------------------------------------------- */
static _Noreturn void raise_ts(CPUState *cpu, uint16_t sel)
{
    cpu_update_mode(cpu);
    cpu_raise_err(cpu, EXC_TS, sel_error(sel));
}

static _Noreturn void raise_absent(CPUState *cpu, uint16_t sel, int vector)
{
    cpu_update_mode(cpu);
    cpu_raise_err(cpu, vector, sel_error(sel));
}

static void load_ldt(CPUState *cpu, uint16_t sel)
{
    SegDesc d;
    if (sel_is_null(sel)) return;
    if (sel & 4 || !seg_fetch(cpu, sel, &d) || desc_is_segment(&d) || desc_type(&d) != SYS_LDT || !desc_present(&d))
        raise_ts(cpu, sel);
    seg_image(&cpu->seg[SEG_LDTR], sel, &d, false);
}

static void load_code(CPUState *cpu, uint16_t sel)
{
    SegDesc d;
    unsigned rpl = sel & 3;
    if (sel_is_null(sel) || !seg_fetch(cpu, sel, &d) || !desc_is_code(&d)) raise_ts(cpu, sel);
    if (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl) raise_ts(cpu, sel);
    if (!desc_present(&d)) raise_absent(cpu, sel, EXC_NP);
    seg_set_accessed(cpu, &d);
    seg_set_cs(cpu, sel, &d, rpl);
}

static void load_stack(CPUState *cpu, uint16_t sel)
{
    SegDesc d;
    if (sel_is_null(sel) || !seg_fetch(cpu, sel, &d) || !desc_is_writable_data(&d)) raise_ts(cpu, sel);
    if (desc_dpl(&d) != cpu->cpl || (sel & 3) != cpu->cpl) raise_ts(cpu, sel);
    if (!desc_present(&d)) raise_absent(cpu, sel, EXC_SS);
    seg_set_accessed(cpu, &d);
    seg_image(&cpu->seg[SEG_SS], sel, &d, false);
}

static void load_data(CPUState *cpu, unsigned seg, uint16_t sel)
{
    SegDesc d;
    if (sel_is_null(sel)) return;
    if (!seg_fetch(cpu, sel, &d) || !desc_is_segment(&d)) raise_ts(cpu, sel);
    bool code = desc_is_code(&d);
    if (code && !(d.hi & SEG_R << 8)) raise_ts(cpu, sel);
    if (!(code && desc_is_conforming(&d)) && ((sel & 3u) > desc_dpl(&d) || cpu->cpl > desc_dpl(&d))) raise_ts(cpu, sel);
    if (!desc_present(&d)) raise_absent(cpu, sel, EXC_NP);
    seg_set_accessed(cpu, &d);
    seg_image(&cpu->seg[seg], sel, &d, false);
}

/* Descriptors of the new task, in the order of the checks in SDM 3A table 7-1. */
static void load_segments(CPUState *cpu, const TaskImage *im)
{
    static const uint8_t data_segs[] = { SEG_DS, SEG_ES, SEG_FS, SEG_GS };
    load_ldt(cpu, im->ldt);
    if (cpu->eflags & FL_VM) {
        for (unsigned i = SEG_ES; i <= SEG_GS; i++) cpu_seg_load_real(cpu, i, im->segs[i]);
        return;
    }
    load_code(cpu, im->segs[SEG_CS]);
    load_stack(cpu, im->segs[SEG_SS]);
    for (unsigned i = 0; i < sizeof data_segs; i++) load_data(cpu, data_segs[i], im->segs[data_segs[i]]);
}

static void load_cr3(CPUState *cpu, const TaskImage *im)
{
    enum { EFER_NXE = 1 << 11 };
    if (!im->has_cr3 || !(cpu->cr0 & CR0_PG)) return;
    if (!mmu_set_control(&cpu->mmu, cpu->cr0, im->cr3, cpu->cr4, cpu->efer & EFER_NXE, true))
        cpu_raise_err(cpu, EXC_TS, sel_error(cpu->seg[SEG_TR].sel));
    cpu->cr3 = im->cr3;
}

static void commit(CPUState *cpu, const TaskImage *im, bool nested)
{
    cpu->cr0 |= CR0_TS;
    cpu->dr[7] &= ~(uint32_t)DR7_LOCAL;
    load_cr3(cpu, im);
    cpu_keep(cpu, KEPT_STEP | KEPT_RF);
    cpu_set_eflags(cpu, im->eflags | (nested ? FL_NT : 0));
    memcpy(cpu->regs, im->regs, sizeof cpu->regs);
    cpu->eip = im->eip;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) seg_load_null(cpu, i, im->segs[i]);
    seg_load_null(cpu, SEG_LDTR, im->ldt);
    cpu->cpl = cpu->eflags & FL_VM ? 3 : im->segs[SEG_CS] & 3;
    load_segments(cpu, im);
    cpu_update_mode(cpu);
    if (cpu->eip > cpu->seg[SEG_CS].limit) cpu_raise_err(cpu, EXC_GP, 0);
}

static bool do_switch(CPUState *cpu, uint16_t sel, TaskSwitch kind, uint32_t next)
{
    SegDesc d;
    bool leaves = kind == TASK_JMP || kind == TASK_IRET, nested = kind == TASK_CALL || kind == TASK_EVENT;
    check_new_tss(cpu, sel, kind, &d);
    const SegCache old = cpu->seg[SEG_TR];
    const TssLayout *to = layout_of(old.attr & 0xf), *tn = layout_of(desc_type(&d));
    uint32_t base = desc_base(&d), eflags = cpu_get_eflags(cpu);
    unsigned idx = cpu_sys_idx(cpu);
    if (old.limit < to->min_limit) cpu_raise_err(cpu, EXC_TS, sel_error(old.sel));
    TaskImage im = read_task(cpu, base, tn);
    cpu_lin_probe(cpu, old.base, to->size, MMU_WRITE, idx);
    if (nested) cpu_lin_probe(cpu, base, 2, MMU_WRITE, idx);

    if (kind == TASK_IRET) eflags &= ~(uint32_t)FL_NT;
    save_task(cpu, old.base, to, next, eflags);
    if (leaves) set_busy(cpu, old.sel, false);
    if (kind != TASK_IRET) set_busy(cpu, sel, true);
    if (nested) cpu_sys_st(cpu, base + TSS_LINK, old.sel, 2);
    d.hi |= SYS_BUSY << 8;
    seg_image(&cpu->seg[SEG_TR], sel, &d, false);
    commit(cpu, &im, nested);
    return im.trap;
}

static void trap_if(CPUState *cpu, bool trap)
{
    if (!trap) return;
    cpu->dr[6] |= DR6_BT;
    cpu->nest = 0;
    cpu_raise(cpu, EXC_DB);
}

void task_switch(CPUState *cpu, uint16_t sel, TaskSwitch kind, uint32_t next)
{
    trap_if(cpu, do_switch(cpu, sel, kind, next));
}

void task_switch_error(CPUState *cpu, uint16_t sel, uint32_t next, bool has_error, uint32_t error)
{
    bool trap = do_switch(cpu, sel, TASK_EVENT, next);
    if (has_error) {
        Stack st = stack_current(cpu);
        stack_push(cpu, &st, error, cpu->seg[SEG_TR].attr & SYS_32BIT ? 4 : 2);
        cpu->regs[R_ESP] = st.esp;
    }
    trap_if(cpu, trap);
}
