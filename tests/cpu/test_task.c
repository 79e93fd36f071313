/* Hardware task switches, SDM 3A 7. */
#include "tests/cpu/machine.h"

/* A task at CPL 0 that starts at 0x5000. */
static void make_task(void)
{
    wr32(TSS2 + 0x20, 0x5000);
    wr32(TSS2 + 0x24, FL_1 | FL_CF);
    for (unsigned i = 0; i < 8; i++) wr32(TSS2 + 0x28 + i * 4, 0x100 + i);
    wr32(TSS2 + 0x28 + 4 * R_ESP, 0x7000);
    static const uint16_t segs[] = { S_DATA0, S_CODE0, S_DATA0, S_DATA0, 0, S_SMALL };
    for (unsigned i = 0; i < 6; i++) wr16(TSS2 + 0x48 + i * 4, segs[i]);
}

static void test_jmp(void)
{
    protected_mode(0);
    make_task();
    cpu->regs[R_EBX] = 0xb0b;
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0x321)) == -1, "JMP to a TSS");
    ok(cpu->eip == 0x5000 && cpu->regs[R_ECX] == 0x101 && cpu->regs[R_ESP] == 0x7000 && cpu->seg[SEG_GS].base == DATA &&
           cpu_get_eflags(cpu) == (FL_1 | FL_CF),
       "new state");
    ok(rd32(TSS + 0x20) == 0x321 && rd32(TSS + 0x34) == 0xb0b && rd16(TSS + 0x4c) == S_CODE0, "old state saved");
    ok(ram[GDT + S_TSS + 5] == 0x89 && ram[GDT + S_TSS2 + 5] == 0x8b && cpu->seg[SEG_TR].sel == S_TSS2, "busy bits");
    ok(cpu->cr0 & CR0_TS, "CR0.TS");
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_GP && cpu->exc_error == S_TSS2, "JMP to a busy TSS: #GP");
}

static void test_call_iret(void)
{
    protected_mode(0);
    make_task();
    ok(CALLS(helper_far_call(cpu, S_TASK_GATE, 0, 4, 0x321)) == -1 && cpu->eip == 0x5000, "CALL through a task gate");
    ok(rd16(TSS2) == S_TSS && cpu->eflags & FL_NT && ram[GDT + S_TSS + 5] == 0x8b, "back link, NT, both busy");
    ok(CALLS(helper_iret(cpu, 4, 0x5010)) == -1 && cpu->eip == 0x321 && cpu->seg[SEG_TR].sel == S_TSS &&
           !(cpu->eflags & FL_NT),
       "IRET returns to the caller's task");
    ok(ram[GDT + S_TSS2 + 5] == 0x89 && rd32(TSS2 + 0x20) == 0x5010 && !(rd32(TSS2 + 0x24) & FL_NT),
       "which it leaves free");
}

static void test_event(void)
{
    protected_mode(0);
    make_task();
    gate(IDT + 8 * 8, S_TSS2, 0, 0x85, 0);
    cpu->eip = 0x42;
    (void)CALLS(cpu_raise_err(cpu, EXC_DF, 0));
    ok(DELIVERS() == -1 && cpu->eip == 0x5000 && cpu->regs[R_ESP] == 0x7000 - 4 && rd32(0x7000 - 4) == 0 &&
           rd32(TSS + 0x20) == 0x42,
       "#DF through a task gate pushes its code on the new stack");
}

static void test_faults(void)
{
    protected_mode(0);
    make_task();
    descriptor(GDT + S_TSS2, TSS2, 0x66, 0x89, 0);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_TS && cpu->exc_error == S_TSS2, "short TSS: #TS");
    descriptor(GDT + S_TSS2, TSS2, 0x67, 0x09, 0);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_NP && cpu->exc_error == S_TSS2, "absent TSS: #NP");
    ok(cpu->seg[SEG_TR].sel == S_TSS && ram[GDT + S_TSS + 5] == 0x8b, "nothing switched");
    descriptor(GDT + S_TSS2, TSS2, 0x67, 0x89, 0);
    wr16(TSS2 + 0x50, S_RO);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_TS && cpu->exc_error == S_RO &&
           cpu->seg[SEG_TR].sel == S_TSS2 && cpu->eip == 0x5000,
       "bad SS: #TS in the new task");
    protected_mode(0);
    make_task();
    wr16(TSS2 + 0x54, S_ABSENT);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_NP && cpu->exc_error == S_ABSENT,
       "absent DS: #NP in the new task");
    protected_mode(0);
    make_task();
    wr16(TSS2 + 0x64, 1);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_DB && cpu->dr[6] & 1 << 15 && cpu->eip == 0x5000,
       "T bit: #DB with BT");
    protected_mode(0);
    make_task();
    cpu->eflags |= FL_NT;
    wr16(TSS, S_TSS2);
    ok(CALLS(helper_iret(cpu, 4, 0)) == EXC_TS && cpu->exc_error == S_TSS2, "IRET to a free task: #TS");
    protected_mode(3);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == EXC_GP && cpu->exc_error == S_TSS2, "TSS DPL");
}

static void test_16(void)
{
    protected_mode(0);
    descriptor(GDT + S_TSS2, TSS2, 0x2b, 0x81, 0);
    wr16(TSS2 + 0x0e, 0x5000);
    wr16(TSS2 + 0x10, FL_1);
    wr16(TSS2 + 0x12 + 2 * R_ESP, 0x7000);
    wr16(TSS2 + 0x22, S_DATA0);
    wr16(TSS2 + 0x24, S_CODE16);
    wr16(TSS2 + 0x26, S_STACK16);
    ok(CALLS(helper_far_call(cpu, S_TSS2, 0, 4, 0x321)) == -1 && cpu->eip == 0x5000 &&
           cpu->seg[SEG_CS].sel == S_CODE16 && (cpu->regs[R_ESP] & 0xffff) == 0x7000 && !(cpu->mode & MODE_CS32),
       "16-bit TSS");
    ok(CALLS(helper_iret(cpu, 2, 0x5002)) == -1 && cpu->eip == 0x321 && rd16(TSS2 + 0x0e) == 0x5002, "and back");
}

static void test_v86_task(void)
{
    protected_mode(0);
    make_task();
    wr32(TSS2 + 0x24, FL_1 | FL_VM);
    ok(CALLS(helper_far_jmp(cpu, S_TSS2, 0, 4, 0)) == -1 && cpu->mode & MODE_VM86 && cpu->cpl == 3 &&
           cpu->seg[SEG_CS].base == S_CODE0 * 16,
       "a v86 task");
}

int main(void)
{
    machine_new();
    test_jmp();
    test_call_iret();
    test_event();
    test_faults();
    test_16();
    test_v86_task();
    return tap_done();
}
