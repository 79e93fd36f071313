/* Events through IVT and IDT and back, SDM 3A 6 and 3B 17, 20. */
#include "tests/cpu/machine.h"

/* Raises and delivers, nested exceptions too; -1 when a handler was reached or the processor shut down. */
static int deliver(int vector, uint32_t error)
{
    int v = CALLS(cpu_raise_err(cpu, vector, error));
    while (v >= 0) v = DELIVERS();
    return v;
}

static void test_real(void)
{
    real_mode();
    wr32(0x21 * 4, 0x30000100);
    cpu->eip = 0x50;
    cpu_set_eflags(cpu, FL_1 | FL_IF | FL_TF | FL_CF);
    ok(CALLS(helper_int_soft(cpu, 0x21, 0x52)) == -1 && cpu->seg[SEG_CS].base == 0x30000 && cpu->eip == 0x100,
       "INT 21h");
    ok(rd16(0x8ffa) == 0x52 && rd16(0x8ffe) == 0x303 && !(cpu->eflags & (FL_IF | FL_TF)), "frame; IF, TF clear");
    ok(CALLS(helper_iret(cpu, 2, 0)) == -1 && cpu->eip == 0x52 && cpu_get_eflags(cpu) == 0x303 &&
           cpu->regs[R_ESP] == 0x1000,
       "IRET");
    cpu->idt.limit = 0x10;
    ok(CALLS(helper_int_soft(cpu, 0x21, 0x52)) == EXC_GP, "beyond the IVT's limit");
    ok(deliver(EXC_GP, 0) == -1 && cpu->shutdown, "and without #DF's entry either: shutdown");
}

static void test_same_level(void)
{
    protected_mode(0);
    gate(IDT + 14 * 8, S_CODE0, 0xabcd0, 0x8e, 0);
    cpu->eip = 0x999;
    cpu->eflags |= FL_IF | FL_NT;
    uint32_t esp = cpu->regs[R_ESP];
    MmuFault f = { 0xdead0000, 2 };
    ok(CALLS(cpu_raise_pf(cpu, &f)) == EXC_PF && cpu->cr2 == 0xdead0000, "#PF recorded, CR2 set");
    ok(DELIVERS() == -1 && cpu->eip == 0xabcd0 && cpu->regs[R_ESP] == esp - 16, "delivered at the same level");
    ok(rd32(esp - 16) == 2 && rd32(esp - 12) == 0x999 && rd32(esp - 8) == S_CODE0 &&
           rd32(esp - 4) == (FL_1 | FL_IF | FL_NT | FL_RF),
       "frame with error code, RF set in the image");
    ok(!(cpu->eflags & (FL_IF | FL_NT | FL_RF)), "interrupt gate clears IF and NT");
    cpu->regs[R_ESP] += 4;
    wr32(esp - 4, FL_1 | FL_IF);
    ok(CALLS(helper_iret(cpu, 4, 0)) == -1 && cpu->eip == 0x999 && cpu->eflags & FL_IF && cpu->regs[R_ESP] == esp,
       "IRETD");
    gate(IDT + 3 * 8, S_CODE0, 0x100, 0x8f, 0);
    ok(CALLS(helper_int_soft(cpu, 3, 0x99a)) == -1 && cpu->eflags & FL_IF && rd32(cpu->regs[R_ESP]) == 0x99a,
       "trap gate keeps IF; INT3 pushes the next EIP");
}

static void test_inner(void)
{
    protected_mode(3);
    gate(IDT + 0x80 * 8, S_CODE0, 0x4000, 0xee, 0);
    gate(IDT + 0x81 * 8, S_CODE0, 0x4000, 0x8e, 0);
    ok(CALLS(helper_int_soft(cpu, 0x80, 0x22)) == -1 && cpu->cpl == 0 && cpu->regs[R_ESP] == STACK0 - 20 &&
           rd32(STACK0 - 4) == S_DATA3 && rd32(STACK0 - 8) == STACK3 && rd32(STACK0 - 16) == S_CODE3 &&
           rd32(STACK0 - 20) == 0x22,
       "INT 80h switches stacks");
    wr32(STACK0 - 12, FL_1 | FL_IF | FL_IOPL);
    ok(CALLS(helper_iret(cpu, 4, 0)) == -1 && cpu->cpl == 3 && cpu->regs[R_ESP] == STACK3 &&
           (cpu->eflags & (FL_IF | FL_IOPL)) == (FL_IF | FL_IOPL),
       "IRETD to CPL 3 loads IF and IOPL");
    cpu->eflags &= ~(uint32_t)FL_IOPL;
    ok(CALLS(helper_int_soft(cpu, 0x81, 0x22)) == EXC_GP && cpu->exc_error == 0x81 * 8 + 2, "gate DPL: #GP(IDT)");
    ok(CALLS(helper_int_soft(cpu, 0x82, 0x22)) == EXC_GP && cpu->exc_error == 0x82 * 8 + 2, "empty entry: #GP(IDT)");
    gate(IDT + 0x80 * 8, S_CODE0, 0x4000, 0x6e, 0);
    ok(CALLS(helper_int_soft(cpu, 0x80, 0x22)) == EXC_NP && cpu->exc_error == 0x80 * 8 + 2, "absent gate: #NP(IDT)");
    cpu->idt.limit = 0x7f;
    ok(CALLS(helper_int_soft(cpu, 0x80, 0x22)) == EXC_GP, "beyond the IDT: #GP");
    wr32(STACK3, 0x10);
    wr32(STACK3 + 4, S_CODE0);
    wr32(STACK3 + 8, 2);
    ok(CALLS(helper_iret(cpu, 4, 0)) == EXC_GP && cpu->exc_error == S_CODE0, "IRET inward: #GP(sel)");
}

static void test_nested(void)
{
    protected_mode(0);
    gate(IDT + 8 * 8, S_CODE0, 0x800, 0x8e, 0);
    uint32_t esp = cpu->regs[R_ESP];
    ok(deliver(EXC_NP, 0x50) == -1 && cpu->eip == 0x800 && rd32(esp - 16) == 0, "#NP without a handler: #DF(0)");
    gate(IDT + 13 * 8, S_CODE0, 0xd00, 0x8e, 0);
    protected_mode(0);
    gate(IDT + 13 * 8, S_CODE0, 0xd00, 0x8e, 0);
    esp = cpu->regs[R_ESP];
    ok(deliver(EXC_UD, 0) == -1 && cpu->eip == 0xd00 && rd32(esp - 16) == 6 * 8 + 2 + 1,
       "#UD without one: #GP with IDT and EXT");
    protected_mode(0);
    ok(deliver(EXC_GP, 0) == -1 && cpu->shutdown, "triple fault");
}

static int ack(void *opaque)
{
    return *(int *)opaque;
}

static void test_pins(void)
{
    static int vector = 0x40;
    protected_mode(0);
    gate(IDT + 0x40 * 8, S_CODE0, 0x4040, 0x8e, 0);
    gate(IDT + 2 * 8, S_CODE0, 0x2020, 0x8e, 0);
    cpu->intr_ack = ack;
    cpu->intr_opaque = &vector;
    cpu_set_intr(cpu, true);
    ok(!cpu_take_interrupt(cpu) && !cpu_has_work(cpu) && !cpu->exit_request, "IF clear: INTR waits");
    cpu_set_eflags(cpu, FL_1 | FL_IF);
    ok(cpu->exit_request && cpu_has_work(cpu), "IF set: exit requested");
    cpu->shadow = SHADOW_STI;
    ok(!cpu_take_interrupt(cpu), "STI shadow holds INTR");
    cpu_pulse_nmi(cpu);
    cpu->shadow = SHADOW_MOVSS;
    ok(!cpu_take_interrupt(cpu), "MOV SS shadow holds NMI");
    cpu->shadow = 0;
    cpu->halted = true;
    ok(cpu_take_interrupt(cpu) && cpu->eip == 0x2020 && cpu->nmi_blocked && !cpu->halted, "NMI before INTR; wakes");
    cpu_pulse_nmi(cpu);
    ok(!cpu_take_interrupt(cpu), "NMI blocked until IRET");
    wr32(cpu->regs[R_ESP] + 8, FL_1 | FL_IF);
    ok(CALLS(helper_iret(cpu, 4, 0)) == -1 && cpu_take_interrupt(cpu) && cpu->eip == 0x2020, "then taken");
    cpu->nmi_blocked = false;
    cpu->eflags |= FL_IF;
    ok(cpu_take_interrupt(cpu) && cpu->eip == 0x4040 && !(cpu->eflags & FL_IF), "INTR");
}

static void to_v86(unsigned iopl)
{
    protected_mode(0);
    uint32_t esp = cpu->regs[R_ESP] -= 36;
    static const uint32_t frame[] = { 0x10, 0x2000, 0, 0xf00, 0x2100, 0x2200, 0x2300, 0x2400, 0x2500 };
    for (unsigned i = 0; i < 9; i++) wr32(esp + i * 4, frame[i]);
    wr32(esp + 8, FL_1 | FL_VM | FL_IF | iopl << 12);
    ok(CALLS(helper_iret(cpu, 4, 0)) == -1 && cpu->mode & MODE_VM86 && cpu->cpl == 3 &&
           cpu->seg[SEG_CS].base == 0x20000 && cpu->seg[SEG_SS].base == 0x21000 && cpu->seg[SEG_GS].base == 0x25000 &&
           cpu->regs[R_ESP] == 0xf00,
       "IRETD to v86");
}

static void test_v86(void)
{
    to_v86(0);
    gate(IDT + 0x21 * 8, S_CODE0, 0x4000, 0xee, 0);
    gate(IDT + 13 * 8, S_CODE0, 0xd00, 0x8e, 0);
    cpu->eip = 0x10;
    ok(CALLS(helper_int_soft(cpu, 0x21, 0x12)) == EXC_GP && cpu->exc_error == 0, "INT n with IOPL 0: #GP(0)");
    ok(DELIVERS() == -1 && cpu->cpl == 0 && !(cpu->mode & MODE_VM86) && cpu->regs[R_ESP] == STACK0 - 40 &&
           rd32(STACK0 - 4) == 0x2500 && rd32(STACK0 - 16) == 0x2200 && rd32(STACK0 - 20) == 0x2100 &&
           rd32(STACK0 - 40) == 0 && cpu->seg[SEG_DS].sel == 0 && cpu->seg[SEG_GS].sel == 0,
       "leaves v86 with a long frame");
    to_v86(3);
    gate(IDT + 0x21 * 8, S_CODE0, 0x4000, 0xee, 0);
    ok(CALLS(helper_int_soft(cpu, 0x21, 0x12)) == -1 && cpu->eip == 0x4000, "INT n with IOPL 3 uses the IDT");
    to_v86(0);
    cpu->cr4 = CR4_VME;
    cpu->seg[SEG_TR].limit = 0xff;
    wr16(TSS + 0x66, 0x68 + 32);
    wr32(0x21 * 4, 0x50000123);
    cpu->eflags |= FL_VIF;
    ok(CALLS(helper_int_soft(cpu, 0x21, 0x12)) == -1 && cpu->mode & MODE_VM86 && cpu->seg[SEG_CS].base == 0x50000 &&
           cpu->eip == 0x123 && rd16(0x21000 + 0xefe) == (FL_1 | FL_IF | FL_IOPL) && !(cpu->eflags & FL_VIF) &&
           cpu->eflags & FL_IF,
       "VME: redirected, VIF for IF");
    ok(CALLS(helper_iret(cpu, 2, 0)) == -1 && cpu->eip == 0x12 && cpu->eflags & FL_VIF && cpu->mode & MODE_VM86,
       "VME: IRET");
}

static void test_debug(void)
{
    protected_mode(0);
    cpu_set_eflags(cpu, FL_1 | FL_TF);
    uint32_t mode = cpu->mode;
    ok(CALLS(cpu_single_done(cpu, mode)) == EXC_DB && cpu->dr[6] & 1 << 14, "single step: BS");
    protected_mode(0);
    gate(IDT + 0x80 * 8, S_CODE0, 0x4000, 0xee, 0);
    cpu_set_eflags(cpu, FL_1 | FL_TF);
    mode = cpu->mode;
    helper_int_soft(cpu, 0x80, 2);
    ok(CALLS(cpu_single_done(cpu, mode)) == -1, "INT n is not stepped into");
    protected_mode(0);
    helper_write_dr(cpu, 0, DATA);
    helper_write_dr(cpu, 7, 0x000d0001);
    ok(cpu->mode & MODE_DEBUG && cpu->dr[7] == 0x000d0401, "DR7");
    cpu_ld(cpu, SEG_DS, DATA, 4);
    ok(CALLS(cpu_single_done(cpu, cpu->mode)) == -1, "a read does not hit a write breakpoint");
    cpu_st(cpu, SEG_DS, DATA + 3, 1, 1);
    ok(CALLS(cpu_single_done(cpu, cpu->mode)) == EXC_DB && (cpu->dr[6] & 15) == 1, "a write inside it does");
    helper_write_dr(cpu, 7, 1);
    cpu->eip = DATA;
    ok(CALLS(cpu_check_exec_breakpoint(cpu)) == EXC_DB, "code breakpoint");
    cpu->eflags |= FL_RF;
    ok(CALLS(cpu_check_exec_breakpoint(cpu)) == -1, "RF suppresses it");
    helper_write_dr(cpu, 7, 1 << 13);
    ok(CALLS(helper_read_dr(cpu, 0)) == EXC_DB && cpu->dr[6] & 1 << 13, "GD");
    cpu->dr[7] = 0x400;
    ok(helper_read_dr(cpu, 4) == cpu->dr[6], "DR4 is DR6");
    cpu->cr4 = CR4_DE;
    ok(CALLS(helper_read_dr(cpu, 5)) == EXC_UD, "unless CR4.DE");
}

static void test_smm(void)
{
    protected_mode(0);
    cpu->smbase = 0x30000;
    cpu->eip = 0x1234;
    cpu->regs[R_EBX] = 0x55aa;
    cpu->halted = true;
    cpu_pulse_smi(cpu);
    uint32_t esp = cpu->regs[R_ESP];
    ok(cpu_take_interrupt(cpu) && cpu->in_smm && cpu->eip == 0x8000 && cpu->seg[SEG_CS].base == 0x30000 &&
           !(cpu->cr0 & CR0_PE) && !cpu->halted,
       "SMI");
    ok(rd32(0x3fff0) == 0x1234 && rd32(0x3ffdc) == 0x55aa && rd16(0x3ff02) == 1, "save map");
    wr32(0x3fef8, 0x40000);
    wr16(0x3ff02, 0);
    ok(CALLS(helper_rsm(cpu)) == -1 && !cpu->in_smm && cpu->eip == 0x1234 && cpu->smbase == 0x40000 &&
           cpu->cr0 & CR0_PE && cpu->regs[R_ESP] == esp && cpu->mode & MODE_FLAT_DS && !cpu->halted,
       "RSM, relocated");
    ok(CALLS(helper_rsm(cpu)) == EXC_UD, "RSM outside SMM: #UD");
}

int main(void)
{
    machine_new();
    test_real();
    test_same_level();
    test_inner();
    test_nested();
    test_pins();
    test_v86();
    test_debug();
    test_smm();
    return tap_done();
}
