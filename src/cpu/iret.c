/* IRET in all its forms: SDM 2A, IRET/IRETD. */
#include "cpu/debug.h"
#include "cpu/helpers.h"
#include "cpu/stack.h"
#include "cpu/task.h"
#include "softmmu/window.h"

typedef struct Frame {
    Stack st;
    uint32_t eip, eflags;
    uint16_t cs;
} Frame;

static unsigned iopl(const CPUState *cpu)
{
    return cpu->eflags >> 12 & 3;
}

/* In place: a copy of what was written field by field just before stalls the host. */
static void pop_frame(CPUState *cpu, Frame *f, unsigned opsize)
{
    f->st = stack_current(cpu);
    /* From the top down and only 16 bits of CS, as silicon does: it shows in faults. */
    f->eflags = stack_peek(cpu, &f->st, 2 * opsize, opsize);
    f->cs = (uint16_t)stack_peek(cpu, &f->st, opsize, 2);
    f->eip = stack_peek(cpu, &f->st, 0, opsize);
    stack_release(&f->st, 3 * opsize);
}

/* Replaces the flags in mask. */
static void load_flags(CPUState *cpu, uint32_t value, uint32_t mask)
{
    if (mask & FL_RF) cpu_keep(cpu, KEPT_RF);
    cpu_set_eflags(cpu, (cpu_get_eflags(cpu) & ~mask) | (value & mask));
    cpu_update_mode(cpu); /* CS, SS and CPL have changed, too */
}

enum {
    FLAGS_ANY = FL_ARITH | FL_TF | FL_DF | FL_NT,
    FLAGS_32 = FL_RF | FL_AC | FL_ID,
};

/* --- real and v86 mode ---------------------------------------------------------------------------------------- */
static void finish_8086(CPUState *cpu, const Frame *f, uint32_t mask)
{
    cpu->regs[R_ESP] = f->st.esp;
    cpu_seg_load_real(cpu, SEG_CS, f->cs);
    cpu->eip = f->eip;
    load_flags(cpu, f->eflags, mask);
}

static void iret_real(CPUState *cpu, unsigned opsize)
{
    Frame f;
    pop_frame(cpu, &f, opsize);
    if (f.eip > cpu->seg[SEG_CS].limit) cpu_raise_err(cpu, EXC_GP, 0);
    finish_8086(cpu, &f, FLAGS_ANY | FL_IF | FL_IOPL | (opsize == 4 ? FLAGS_32 : 0));
}

/* With VME and IOPL < 3, a 16-bit IRET loads VIF from the image's IF (SDM 3B 20.3). */
static void iret_v86_vme(CPUState *cpu)
{
    Frame f;
    pop_frame(cpu, &f, 2);
    bool wants_if = f.eflags & FL_IF;
    if (f.eip > 0xffff || f.eflags & FL_TF || (wants_if && cpu->eflags & FL_VIP)) cpu_raise_err(cpu, EXC_GP, 0);
    f.eflags = (f.eflags & ~(uint32_t)FL_VIF) | (wants_if ? FL_VIF : 0);
    finish_8086(cpu, &f, FLAGS_ANY | FL_VIF);
}

static void iret_v86(CPUState *cpu, unsigned opsize)
{
    if (iopl(cpu) < 3) {
        if (!(cpu->cr4 & CR4_VME) || opsize != 2) cpu_raise_err(cpu, EXC_GP, 0);
        iret_v86_vme(cpu);
        return;
    }
    Frame f;
    pop_frame(cpu, &f, opsize);
    if (f.eip > 0xffff) cpu_raise_err(cpu, EXC_GP, 0);
    finish_8086(cpu, &f, FLAGS_ANY | FL_IF | (opsize == 4 ? FLAGS_32 : 0));
}

/* --- protected mode -------------------------------------------------------------------------------------------- */
static void return_to_v86(CPUState *cpu, Frame *f)
{
    static const uint8_t order[] = { SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint16_t sels[sizeof order];
    uint32_t esp = stack_pop(cpu, &f->st, 4);
    for (unsigned i = 0; i < sizeof order; i++) sels[i] = (uint16_t)stack_pop(cpu, &f->st, 4);
    if (f->eip > 0xffff) cpu_raise_err(cpu, EXC_GP, 0);
    load_flags(cpu, f->eflags, FLAGS_ANY | FLAGS_32 | FL_IF | FL_IOPL | FL_VM | FL_VIF | FL_VIP);
    cpu_seg_load_real(cpu, SEG_CS, f->cs);
    for (unsigned i = 0; i < sizeof order; i++) cpu_seg_load_real(cpu, order[i], sels[i]);
    cpu->regs[R_ESP] = esp;
    cpu->eip = f->eip;
    cpu_update_mode(cpu);
}

static void check_code(CPUState *cpu, uint16_t sel, SegDesc *d)
{
    unsigned rpl = sel & 3;
    if (sel_is_null(sel)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, sel, d, EXC_GP);
    if (!desc_is_code(d) || rpl < cpu->cpl || (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl))
        cpu_raise_err(cpu, EXC_GP, sel_error(sel));
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_NP, sel_error(sel));
}

static uint32_t flags_mask(const CPUState *cpu, unsigned opsize)
{
    uint32_t mask = FLAGS_ANY | (opsize == 4 ? FLAGS_32 : 0);
    if (cpu->cpl <= iopl(cpu)) mask |= FL_IF;
    if (cpu->cpl == 0) mask |= FL_IOPL | (opsize == 4 ? FL_VIF | FL_VIP : 0);
    return mask;
}

static void return_outer(CPUState *cpu, Frame *f, SegDesc *code, unsigned opsize)
{
    unsigned rpl = f->cs & 3;
    SegDesc ss_desc;
    uint32_t mask = flags_mask(cpu, opsize);
    uint32_t esp = stack_pop(cpu, &f->st, opsize);
    uint16_t ss_sel = (uint16_t)stack_pop(cpu, &f->st, opsize);
    seg_check_ss(cpu, ss_sel, rpl, &ss_desc, EXC_GP);
    if (f->eip > desc_limit(code)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_set_accessed(cpu, code);

    SegCache ss;
    seg_image(&ss, ss_sel, &ss_desc, false);
    cpu->seg[SEG_SS] = ss;
    if (!(ss.attr & SEG_DB)) esp = (cpu->regs[R_ESP] & 0xffff0000u) | (esp & 0xffff);
    cpu->regs[R_ESP] = esp;
    seg_set_cs(cpu, f->cs, code, rpl);
    seg_drop_privileged(cpu);
    cpu->eip = f->eip;
    if (cpu->mmu.window_wanted && rpl == 3) window_serve_wanted(&cpu->mmu);
    load_flags(cpu, f->eflags, mask);
}

static void return_same(CPUState *cpu, Frame *f, SegDesc *code, unsigned opsize)
{
    if (f->eip > desc_limit(code)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_set_accessed(cpu, code);
    cpu->regs[R_ESP] = f->st.esp;
    seg_set_cs(cpu, f->cs, code, cpu->cpl);
    cpu->eip = f->eip;
    load_flags(cpu, f->eflags, flags_mask(cpu, opsize));
}

static void return_from_task(CPUState *cpu, uint32_t next)
{
    uint16_t link = (uint16_t)cpu_sys_ld(cpu, cpu->seg[SEG_TR].base, 2);
    task_switch(cpu, link, TASK_IRET, next);
}

static void iret_protected(CPUState *cpu, unsigned opsize, uint32_t next)
{
    SegDesc code;
    if (cpu->eflags & FL_NT) {
        return_from_task(cpu, next);
        return;
    }
    Frame f;
    pop_frame(cpu, &f, opsize);
    if (opsize == 4 && f.eflags & FL_VM && cpu->cpl == 0) {
        return_to_v86(cpu, &f);
        return;
    }
    check_code(cpu, f.cs, &code);
    if ((f.cs & 3u) > cpu->cpl)
        return_outer(cpu, &f, &code, opsize);
    else
        return_same(cpu, &f, &code, opsize);
}

/* NMIs are unblocked even if the return faults (SDM 3A 6.7.1), and also in SMM (SDM 3C 34.8). */
void helper_iret(CPUState *cpu, uint32_t opsize, uint32_t next)
{
    cpu->nmi_blocked = false;
    if (!cpu_protected(cpu))
        iret_real(cpu, opsize);
    else if (cpu->eflags & FL_VM)
        iret_v86(cpu, opsize);
    else
        iret_protected(cpu, opsize, next);
    if (cpu_has_work(cpu)) cpu_request_exit(cpu);
}
