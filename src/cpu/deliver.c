/* Through the interrupt vector table or the interrupt descriptor table: SDM 3A 6.12, 20.1.4 (real mode), 20.3
 * (from v86 mode); pseudocode under INT n in SDM 2A. */
#include "cpu/debug.h"
#include "cpu/interrupt.h"
#include "cpu/stack.h"
#include "cpu/task.h"

static bool in_v86(const CPUState *cpu)
{
    return cpu->cr0 & CR0_PE && cpu->eflags & FL_VM;
}
static unsigned iopl(const CPUState *cpu)
{
    return cpu->eflags >> 12 & 3;
}
/* An error code that names an IDT entry. */
static uint32_t idt_error(unsigned vector)
{
    return vector * 8 + 2;
}

/* SDM 3B 17.3.1.1: faults push RF set, so that an instruction breakpoint does not strike again on return. */
static uint32_t flags_image(const CPUState *cpu, const Event *ev)
{
    const uint32_t not_faults =
        1u << EXC_DB | 1u << EXC_NMI | 1u << EXC_BP | 1u << EXC_OF | 1u << EXC_DF | 1u << EXC_MC;
    uint32_t fl = cpu_get_eflags(cpu);
    if (ev->kind == EVENT_EXCEPTION && !(not_faults >> ev->vector & 1)) fl |= FL_RF;
    return fl;
}

/* #DB clears DR7.GD on entry; other events leave it. */
static void finish(CPUState *cpu, const Event *ev, uint32_t clear)
{
    cpu_keep(cpu, KEPT_STEP);
    cpu->eflags &= ~clear;
    if (ev->vector == EXC_DB && ev->kind != EVENT_SOFT) cpu->dr[7] &= ~(uint32_t)DR7_GD;
    cpu_update_mode(cpu);
}

/* --- real mode --------------------------------------------------------------------------------------------- */
static void deliver_real(CPUState *cpu, const Event *ev)
{
    if (ev->vector * 4u + 3 > cpu->idt.limit) cpu_raise_err(cpu, EXC_GP, idt_error(ev->vector));
    uint32_t entry = (uint32_t)cpu_sys_ld(cpu, cpu->idt.base + ev->vector * 4u, 4);
    Stack st = stack_current(cpu);
    stack_push(cpu, &st, cpu_get_eflags(cpu), 2);
    stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 2);
    stack_push(cpu, &st, ev->ret, 2);
    cpu->regs[R_ESP] = st.esp;
    cpu_seg_load_real(cpu, SEG_CS, (uint16_t)(entry >> 16));
    cpu->eip = entry & 0xffff;
    finish(cpu, ev, FL_IF | FL_TF | FL_AC | FL_RF);
}

/* --- INT n in v86 mode, SDM 3B 20.3.3, table 20-2 -------------------------------------------------------------- */
/* Redirection bitmap: 32 bytes below the I/O bitmap.  Clear: to the 8086 program's own handler. */
static bool redirected_to_8086(CPUState *cpu, unsigned vector)
{
    enum { TSS_IO_BASE = 0x66 };
    const SegCache *tr = &cpu->seg[SEG_TR];
    if (!(tr->attr & SYS_32BIT) || tr->limit < TSS_IO_BASE + 1) return false;
    uint32_t at = (uint32_t)cpu_sys_ld(cpu, tr->base + TSS_IO_BASE, 2);
    if (at < 32) return false;
    at = at - 32 + vector / 8;
    if (at > tr->limit) return false;
    return !(cpu_sys_ld(cpu, tr->base + at, 1) >> (vector & 7) & 1);
}

/* Methods 5 and 6: as in real mode, through the table at linear address 0; with IOPL < 3 VIF stands in for IF. */
static void deliver_8086(CPUState *cpu, const Event *ev)
{
    uint32_t fl = cpu_get_eflags(cpu), clear = FL_TF | FL_RF | FL_NT, mask_bit = FL_IF;
    uint32_t entry = (uint32_t)cpu_lin_ld(cpu, ev->vector * 4u, 4, MMU_USER);
    if (iopl(cpu) < 3) {
        fl = (fl & ~(uint32_t)FL_IF) | FL_IOPL | (fl & FL_VIF ? FL_IF : 0);
        mask_bit = FL_VIF;
    }
    Stack st = stack_current(cpu);
    stack_push(cpu, &st, fl, 2);
    stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 2);
    stack_push(cpu, &st, ev->ret, 2);
    cpu->regs[R_ESP] = st.esp;
    cpu_seg_load_real(cpu, SEG_CS, (uint16_t)(entry >> 16));
    cpu->eip = entry & 0xffff;
    finish(cpu, ev, clear | mask_bit);
}

/* INT 3 and INTO have one-byte forms that neither IOPL nor the bitmap concerns; their last byte tells. */
static bool is_int_n(CPUState *cpu, const Event *ev)
{
    enum { OP_INT3 = 0xcc, OP_INTO = 0xce };
    uint64_t last;
    MmuFault f;
    if (ev->vector != EXC_BP && ev->vector != EXC_OF) return true;
    uint32_t lin = cpu->seg[SEG_CS].base + ((ev->ret - 1) & 0xffff);
    if (!mmu_ld(&cpu->mmu, lin, 1, MMU_USER, &last, &f)) return true;
    return last != (ev->vector == EXC_BP ? OP_INT3 : OP_INTO);
}

/* True: done. */
static bool v86_int_n(CPUState *cpu, const Event *ev)
{
    if (!is_int_n(cpu, ev)) return false;
    if (cpu->cr4 & CR4_VME && redirected_to_8086(cpu, ev->vector)) {
        deliver_8086(cpu, ev);
        return true;
    }
    if (iopl(cpu) < 3) cpu_raise_err(cpu, EXC_GP, 0);
    return false;
}

/* --- protected mode ---------------------------------------------------------------------------------------------- */
static void fetch_gate(CPUState *cpu, const Event *ev, SegDesc *gate)
{
    const uint32_t types =
        1u << SYS_TASK_GATE | 1u << SYS_INT16 | 1u << SYS_TRAP16 | 1u << SYS_INT32 | 1u << SYS_TRAP32;
    uint32_t error = idt_error(ev->vector);
    if (ev->vector * 8u + 7 > cpu->idt.limit) cpu_raise_err(cpu, EXC_GP, error);
    gate->lin = cpu->idt.base + ev->vector * 8u;
    uint64_t v = cpu_sys_ld(cpu, gate->lin, 8);
    gate->lo = (uint32_t)v;
    gate->hi = (uint32_t)(v >> 32);
    if (desc_is_segment(gate) || !(types >> desc_type(gate) & 1)) cpu_raise_err(cpu, EXC_GP, error);
    if (ev->kind == EVENT_SOFT && desc_dpl(gate) < cpu->cpl) cpu_raise_err(cpu, EXC_GP, error);
    if (!desc_present(gate)) cpu_raise_err(cpu, EXC_NP, error);
}

static void push_frame(CPUState *cpu, Stack *st, const Event *ev, unsigned size)
{
    stack_push(cpu, st, flags_image(cpu, ev), size);
    stack_push(cpu, st, cpu->seg[SEG_CS].sel, size);
    stack_push(cpu, st, ev->ret, size);
    if (ev->has_error) stack_push(cpu, st, ev->error, size);
}

static void enter_handler(CPUState *cpu, const Event *ev, const SegDesc *gate, SegDesc *code, unsigned cpl)
{
    bool interrupt_gate = !(desc_type(gate) & 1);
    seg_set_cs(cpu, gate_selector(gate), code, cpl);
    cpu->eip = gate_offset(gate);
    finish(cpu, ev, FL_TF | FL_NT | FL_RF | FL_VM | (interrupt_gate ? FL_IF : 0));
}

static void push_v86_segments(CPUState *cpu, Stack *st, unsigned size)
{
    static const uint8_t order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };
    for (unsigned i = 0; i < sizeof order; i++) stack_push(cpu, st, cpu->seg[order[i]].sel, size);
}

static void deliver_inner(CPUState *cpu, const Event *ev, const SegDesc *gate, SegDesc *code)
{
    unsigned cpl = desc_dpl(code), size = desc_type(gate) & SYS_32BIT ? 4 : 2;
    bool v86 = in_v86(cpu);
    uint16_t ss_sel;
    uint32_t esp;
    SegDesc ss_desc;
    tss_inner_stack(cpu, cpl, &ss_sel, &esp);
    seg_check_ss(cpu, ss_sel, cpl, &ss_desc, EXC_TS);
    SegCache ss;
    seg_image(&ss, ss_sel, &ss_desc, false);
    Stack st = stack_on(cpu, &ss, esp, cpl, sel_error(ss_sel));
    stack_need_room(cpu, &st, ((v86 ? 9 : 5) + ev->has_error) * size);
    if (gate_offset(gate) > desc_limit(code)) cpu_raise_err(cpu, EXC_GP, 0);
    if (v86) push_v86_segments(cpu, &st, size);
    stack_push(cpu, &st, cpu->seg[SEG_SS].sel, size);
    stack_push(cpu, &st, cpu->regs[R_ESP], size);
    push_frame(cpu, &st, ev, size);
    seg_set_accessed(cpu, code);

    if (v86) {
        static const uint8_t data_segs[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
        for (unsigned i = 0; i < sizeof data_segs; i++) seg_load_null(cpu, data_segs[i], 0);
    }
    cpu->seg[SEG_SS] = ss;
    cpu->regs[R_ESP] = st.esp;
    enter_handler(cpu, ev, gate, code, cpl);
}

static void deliver_same(CPUState *cpu, const Event *ev, const SegDesc *gate, SegDesc *code)
{
    unsigned size = desc_type(gate) & SYS_32BIT ? 4 : 2;
    Stack st = stack_current(cpu);
    stack_need_room(cpu, &st, (3u + ev->has_error) * size);
    if (gate_offset(gate) > desc_limit(code)) cpu_raise_err(cpu, EXC_GP, 0);
    push_frame(cpu, &st, ev, size);
    seg_set_accessed(cpu, code);
    cpu->regs[R_ESP] = st.esp;
    enter_handler(cpu, ev, gate, code, cpu->cpl);
}

static void deliver_protected(CPUState *cpu, const Event *ev)
{
    SegDesc gate, code;
    fetch_gate(cpu, ev, &gate);
    if (desc_type(&gate) == SYS_TASK_GATE) {
        task_switch_error(cpu, gate_selector(&gate), ev->ret, ev->has_error, ev->error);
        return;
    }
    uint16_t cs = gate_selector(&gate);
    if (sel_is_null(cs)) cpu_raise_err(cpu, EXC_GP, 0);
    seg_fetch_or_raise(cpu, cs, &code, EXC_GP);
    if (!desc_is_code(&code) || desc_dpl(&code) > cpu->cpl) cpu_raise_err(cpu, EXC_GP, sel_error(cs));
    if (!desc_present(&code)) cpu_raise_err(cpu, EXC_NP, sel_error(cs));
    bool inner = !desc_is_conforming(&code) && desc_dpl(&code) < cpu->cpl;
    if (in_v86(cpu) && (!inner || desc_dpl(&code) != 0)) cpu_raise_err(cpu, EXC_GP, sel_error(cs));
    if (inner)
        deliver_inner(cpu, ev, &gate, &code);
    else
        deliver_same(cpu, ev, &gate, &code);
}

void cpu_deliver_event(CPUState *cpu, const Event *ev)
{
    if (!cpu_protected(cpu))
        deliver_real(cpu, ev);
    else if (!(ev->kind == EVENT_SOFT && in_v86(cpu) && v86_int_n(cpu, ev)))
        deliver_protected(cpu, ev);
}
