/* Control transfers between segments: JMP, CALL and RET far, and the fast system calls.  Pseudocode in SDM
 * 2A (CALL, JMP, RET) gives the order of the checks, which is kept here. */
#include "cpu/helpers.h"
#include "cpu/stack.h"
#include "cpu/task.h"
#include "softmmu/window.h"

static uint32_t sized(uint32_t v, unsigned opsize)
{
    return opsize == 2 ? v & 0xffff : v;
}

static void set_esp(CPUState *cpu, const Stack *st)
{
    cpu->regs[R_ESP] = st->esp;
}

static void check_eip(CPUState *cpu, uint32_t eip, uint32_t limit)
{
    if (eip > limit) cpu_raise_err(cpu, EXC_GP, 0);
}

static _Noreturn void raise_gp(CPUState *cpu, uint16_t sel)
{
    cpu_raise_err(cpu, EXC_GP, sel_error(sel));
}

static void check_present(CPUState *cpu, uint16_t sel, const SegDesc *d)
{
    if (!desc_present(d)) cpu_raise_err(cpu, EXC_NP, sel_error(sel));
}

/* --- real and v86 mode ------------------------------------------------------------------------------ */
static void real_jump(CPUState *cpu, uint16_t sel, uint32_t eip)
{
    cpu_seg_load_real(cpu, SEG_CS, sel);
    cpu->eip = eip;
    cpu_update_mode(cpu);
}

static uint32_t real_cs_limit(const CPUState *cpu)
{
    return cpu->eflags & FL_VM && cpu_protected(cpu) ? 0xffff : cpu->seg[SEG_CS].limit;
}

/* --- gates ------------------------------------------------------------------------------------------- */
static void check_gate_privilege(CPUState *cpu, uint16_t sel, const SegDesc *d)
{
    if (desc_dpl(d) < cpu->cpl || desc_dpl(d) < (sel & 3u)) raise_gp(cpu, sel);
}

static void jump_to_task(CPUState *cpu, uint16_t sel, const SegDesc *d, TaskSwitch kind, uint32_t next)
{
    check_gate_privilege(cpu, sel, d);
    if (desc_type(d) == SYS_TASK_GATE) {
        check_present(cpu, sel, d);
        sel = gate_selector(d);
    }
    task_switch(cpu, sel, kind, next);
    cpu_update_mode(cpu);
}

/* The code segment a call gate names. */
static uint16_t gate_target(CPUState *cpu, const SegDesc *gate, SegDesc *d)
{
    uint16_t sel = gate_selector(gate);
    if (sel_is_null(sel)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, sel, d, EXC_GP);
    if (!desc_is_code(d) || desc_dpl(d) > cpu->cpl) raise_gp(cpu, sel);
    return sel;
}

/* --- JMP ---------------------------------------------------------------------------------------------- */
static void check_direct_code(CPUState *cpu, uint16_t sel, const SegDesc *d)
{
    if (desc_is_conforming(d)) {
        if (desc_dpl(d) > cpu->cpl) raise_gp(cpu, sel);
    } else if ((sel & 3u) > cpu->cpl || desc_dpl(d) != cpu->cpl) {
        raise_gp(cpu, sel);
    }
    check_present(cpu, sel, d);
}

static void enter_code(CPUState *cpu, uint16_t sel, SegDesc *d, uint32_t eip, unsigned cpl)
{
    seg_set_accessed(cpu, d);
    seg_set_cs(cpu, sel, d, cpl);
    cpu->eip = eip;
    cpu_update_mode(cpu);
}

static void jmp_call_gate(CPUState *cpu, uint16_t sel, const SegDesc *gate)
{
    SegDesc d;
    check_gate_privilege(cpu, sel, gate);
    check_present(cpu, sel, gate);
    uint16_t cs = gate_target(cpu, gate, &d);
    if (!desc_is_conforming(&d) && desc_dpl(&d) != cpu->cpl) raise_gp(cpu, cs);
    check_present(cpu, cs, &d);
    check_eip(cpu, gate_offset(gate), desc_limit(&d));
    enter_code(cpu, cs, &d, gate_offset(gate), cpu->cpl);
}

void helper_far_jmp(CPUState *cpu, uint32_t selector, uint32_t offset, uint32_t opsize, uint32_t next)
{
    uint16_t sel = (uint16_t)selector;
    uint32_t eip = sized(offset, opsize);
    SegDesc d;
    if (!cpu_uses_descriptors(cpu)) {
        check_eip(cpu, eip, real_cs_limit(cpu));
        real_jump(cpu, sel, eip);
        return;
    }
    if (sel_is_null(sel)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, sel, &d, EXC_GP);
    if (desc_is_segment(&d)) {
        if (!desc_is_code(&d)) raise_gp(cpu, sel);
        check_direct_code(cpu, sel, &d);
        check_eip(cpu, eip, desc_limit(&d));
        enter_code(cpu, sel, &d, eip, cpu->cpl);
        return;
    }
    switch (desc_type(&d)) {
    case SYS_CALL16:
    case SYS_CALL32: jmp_call_gate(cpu, sel, &d); break;
    case SYS_TASK_GATE:
    case SYS_TSS16:
    case SYS_TSS32: jump_to_task(cpu, sel, &d, TASK_JMP, next); break;
    default: raise_gp(cpu, sel);
    }
}

/* --- CALL --------------------------------------------------------------------------------------------- */
static void push_return(CPUState *cpu, Stack *st, unsigned size, uint32_t next)
{
    stack_push(cpu, st, cpu->seg[SEG_CS].sel, size);
    stack_push(cpu, st, next, size);
}

/* SDM 3A 5.8.5: a new stack from the TSS, the old one's address and parameters copied to it. */
static void call_inner(CPUState *cpu, const SegDesc *gate, uint16_t cs, SegDesc *code, uint32_t next)
{
    unsigned cpl = desc_dpl(code), size = desc_type(gate) & SYS_32BIT ? 4 : 2, params = gate->hi & 31;
    uint16_t ss_sel;
    uint32_t esp;
    SegDesc ss_desc;
    tss_inner_stack(cpu, cpl, &ss_sel, &esp);
    seg_check_ss(cpu, ss_sel, cpl, &ss_desc, EXC_TS);
    SegCache ss;
    seg_image(&ss, ss_sel, &ss_desc, false);
    Stack old = stack_current(cpu), st = stack_on(cpu, &ss, esp, cpl, sel_error(ss_sel));
    stack_need_room(cpu, &st, (4 + params) * size);
    check_eip(cpu, gate_offset(gate), desc_limit(code));
    stack_push(cpu, &st, cpu->seg[SEG_SS].sel, size);
    stack_push(cpu, &st, cpu->regs[R_ESP], size);
    for (unsigned i = params; i--;) stack_push(cpu, &st, stack_peek(cpu, &old, i * size, size), size);
    push_return(cpu, &st, size, next);
    seg_set_accessed(cpu, code);
    cpu->seg[SEG_SS] = ss;
    set_esp(cpu, &st);
    enter_code(cpu, cs, code, gate_offset(gate), cpl);
}

static void call_gate(CPUState *cpu, uint16_t sel, const SegDesc *gate, uint32_t next)
{
    SegDesc d;
    check_gate_privilege(cpu, sel, gate);
    check_present(cpu, sel, gate);
    uint16_t cs = gate_target(cpu, gate, &d);
    check_present(cpu, cs, &d);
    if (!desc_is_conforming(&d) && desc_dpl(&d) < cpu->cpl) {
        call_inner(cpu, gate, cs, &d, next);
        return;
    }
    Stack st = stack_current(cpu);
    unsigned size = desc_type(gate) & SYS_32BIT ? 4 : 2;
    stack_need_room(cpu, &st, 2 * size);
    check_eip(cpu, gate_offset(gate), desc_limit(&d));
    push_return(cpu, &st, size, next);
    seg_set_accessed(cpu, &d);
    set_esp(cpu, &st);
    enter_code(cpu, cs, &d, gate_offset(gate), cpu->cpl);
}

static void call_direct(CPUState *cpu, uint16_t sel, SegDesc *d, uint32_t eip, unsigned opsize, uint32_t next)
{
    Stack st = stack_current(cpu);
    if (!desc_is_code(d)) raise_gp(cpu, sel);
    check_direct_code(cpu, sel, d);
    /* As on silicon: CS is stored even if there is no room for EIP, both before EIP is checked; ESP moves last. */
    push_return(cpu, &st, opsize, next);
    check_eip(cpu, eip, desc_limit(d));
    seg_set_accessed(cpu, d);
    set_esp(cpu, &st);
    enter_code(cpu, sel, d, eip, cpu->cpl);
}

void helper_far_call(CPUState *cpu, uint32_t selector, uint32_t offset, uint32_t opsize, uint32_t next)
{
    uint16_t sel = (uint16_t)selector;
    uint32_t eip = sized(offset, opsize);
    SegDesc d;
    if (!cpu_uses_descriptors(cpu)) {
        Stack st = stack_current(cpu);
        check_eip(cpu, eip, real_cs_limit(cpu));
        push_return(cpu, &st, opsize, next);
        set_esp(cpu, &st);
        real_jump(cpu, sel, eip);
        return;
    }
    if (sel_is_null(sel)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, sel, &d, EXC_GP);
    if (desc_is_segment(&d)) {
        call_direct(cpu, sel, &d, eip, opsize, next);
        return;
    }
    switch (desc_type(&d)) {
    case SYS_CALL16:
    case SYS_CALL32: call_gate(cpu, sel, &d, next); break;
    case SYS_TASK_GATE:
    case SYS_TSS16:
    case SYS_TSS32: jump_to_task(cpu, sel, &d, TASK_CALL, next); break;
    default: raise_gp(cpu, sel);
    }
}

/* --- RET ----------------------------------------------------------------------------------------------- */
static void check_return_code(CPUState *cpu, uint16_t sel, SegDesc *d)
{
    if (sel_is_null(sel)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, sel, d, EXC_GP);
    unsigned rpl = sel & 3;
    if (!desc_is_code(d) || rpl < cpu->cpl) raise_gp(cpu, sel);
    if (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl) raise_gp(cpu, sel);
    check_present(cpu, sel, d);
}

static void return_outer(CPUState *cpu, Stack *st, uint16_t cs, SegDesc *code, uint32_t eip, unsigned opsize,
                         uint32_t release)
{
    unsigned rpl = cs & 3;
    SegDesc ss_desc;
    stack_release(st, release);
    uint32_t esp = stack_pop(cpu, st, opsize);
    uint16_t ss_sel = (uint16_t)stack_pop(cpu, st, opsize);
    seg_check_ss(cpu, ss_sel, rpl, &ss_desc, EXC_GP);
    check_eip(cpu, eip, desc_limit(code));
    SegCache ss;
    seg_image(&ss, ss_sel, &ss_desc, false);
    seg_set_accessed(cpu, code);

    Stack outer = stack_on(cpu, &ss, cpu->regs[R_ESP], rpl, 0);
    outer.esp = (outer.mask == 0xffff ? cpu->regs[R_ESP] & 0xffff0000u : 0) | (esp & outer.mask);
    stack_release(&outer, release);
    cpu->seg[SEG_SS] = ss;
    set_esp(cpu, &outer);
    seg_set_cs(cpu, cs, code, rpl);
    seg_drop_privileged(cpu);
    cpu->eip = eip;
    cpu_update_mode(cpu);
}

void helper_far_ret(CPUState *cpu, uint32_t opsize, uint32_t release)
{
    Stack st = stack_current(cpu);
    /* CS is read first, and only 16 bits of it, as silicon does: it shows in faults. */
    uint16_t cs = (uint16_t)stack_peek(cpu, &st, opsize, 2);
    uint32_t eip = stack_peek(cpu, &st, 0, opsize);
    SegDesc d;
    stack_release(&st, 2 * opsize);
    if (!cpu_uses_descriptors(cpu)) {
        check_eip(cpu, eip, real_cs_limit(cpu));
        stack_release(&st, release);
        set_esp(cpu, &st);
        real_jump(cpu, cs, eip);
        return;
    }
    check_return_code(cpu, cs, &d);
    if ((cs & 3u) > cpu->cpl) {
        return_outer(cpu, &st, cs, &d, eip, opsize, release);
        return;
    }
    check_eip(cpu, eip, desc_limit(&d));
    stack_release(&st, release);
    seg_set_accessed(cpu, &d);
    set_esp(cpu, &st);
    enter_code(cpu, cs, &d, eip, cpu->cpl);
}

/* --- SYSENTER, SYSEXIT, SYSCALL, SYSRET ------------------------------------------------------------------ */
static void flat_transfer(CPUState *cpu, uint16_t cs, uint16_t ss, unsigned cpl, uint32_t eip)
{
    seg_flat(&cpu->seg[SEG_CS], (uint16_t)((cs & ~3u) | cpl), true, cpl);
    seg_flat(&cpu->seg[SEG_SS], (uint16_t)((ss & ~3u) | cpl), false, cpl);
    cpu->cpl = (uint8_t)cpl;
    cpu->eip = eip;
    if (cpu->mmu.window_wanted && cpl == 3) window_serve_wanted(&cpu->mmu);
    cpu_update_mode(cpu);
}

void helper_sysenter(CPUState *cpu)
{
    uint16_t cs = cpu->sysenter_cs & 0xfffc;
    if (!cpu_protected(cpu) || cs == 0) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->eflags &= ~(uint32_t)(FL_VM | FL_IF | FL_RF);
    cpu->regs[R_ESP] = cpu->sysenter_esp;
    flat_transfer(cpu, cs, (uint16_t)(cs + 8), 0, cpu->sysenter_eip);
}

void helper_sysexit(CPUState *cpu)
{
    uint16_t cs = cpu->sysenter_cs & 0xfffc;
    if (!cpu_protected(cpu) || cs == 0 || cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->regs[R_ESP] = cpu->regs[R_ECX];
    flat_transfer(cpu, (uint16_t)(cs + 16), (uint16_t)(cs + 24), 3, cpu->regs[R_EDX]);
}

enum { EFER_SCE = 1 };

/* Legacy-mode SYSCALL and SYSRET: APM volume 3. */
void helper_syscall(CPUState *cpu, uint32_t next)
{
    uint16_t cs = (uint16_t)(cpu->star >> 32);
    if (!cpu_protected(cpu) || !(cpu->efer & EFER_SCE)) cpu_raise(cpu, EXC_UD);
    cpu->regs[R_ECX] = next;
    cpu->eflags &= ~(uint32_t)(FL_VM | FL_IF | FL_RF);
    flat_transfer(cpu, cs, (uint16_t)((cs & ~3u) + 8), 0, (uint32_t)cpu->star);
}

void helper_sysret(CPUState *cpu)
{
    uint16_t cs = (uint16_t)(cpu->star >> 48);
    if (!cpu_protected(cpu) || !(cpu->efer & EFER_SCE)) cpu_raise(cpu, EXC_UD);
    if (cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->eflags |= FL_IF;
    flat_transfer(cpu, cs, (uint16_t)((cs & ~3u) + 8), 3, cpu->regs[R_ECX]);
    if (cpu->intr_line) cpu_request_exit(cpu);
}
