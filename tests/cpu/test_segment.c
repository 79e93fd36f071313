/* Segment loads and far transfers against SDM 3A 5. */
#include "tests/cpu/machine.h"

static void test_load(void)
{
    protected_mode(0);
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_SMALL)) == -1 && cpu->seg[SEG_DS].base == DATA &&
           cpu->seg[SEG_DS].limit == 0xff && cpu->seg[SEG_DS].sel == S_SMALL,
       "DS loads");
    ok(ram[GDT + S_SMALL + 5] == 0x93, "accessed bit set in memory");
    ok(!(cpu->mode & MODE_FLAT_DS) && cpu->mode & MODE_FLAT_ES, "flat bits follow");
    ok(CALLS(cpu_ld(cpu, SEG_DS, 0xfc, 4)) == -1, "dword at the limit");
    ok(CALLS(cpu_ld(cpu, SEG_DS, 0xfd, 4)) == EXC_GP && cpu->exc_error == 0, "dword over the limit: #GP(0)");
    ok(CALLS(cpu_st(cpu, SEG_DS, 0xfffffffe, 0, 4)) == EXC_GP, "an access that wraps: #GP(0)");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, 0)) == -1 && CALLS(cpu_ld(cpu, SEG_DS, 0, 1)) == EXC_GP,
       "null DS loads, its use is #GP(0)");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, 0x100)) == EXC_GP && cpu->exc_error == 0x100, "beyond the GDT: #GP(sel)");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_XO)) == EXC_GP && cpu->exc_error == S_XO, "execute-only: #GP(sel)");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_TSS)) == EXC_GP, "system descriptor: #GP");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_ABSENT)) == EXC_NP && cpu->exc_error == S_ABSENT, "absent: #NP(sel)");
    ok(CALLS(helper_load_seg(cpu, SEG_ES, S_RO)) == -1 && CALLS(cpu_st(cpu, SEG_ES, 0, 1, 1)) == EXC_GP,
       "read-only segment refuses a store");
    ok(CALLS(helper_load_seg(cpu, SEG_ES, S_DOWN)) == -1 && CALLS(cpu_ld(cpu, SEG_ES, 0xfff, 1)) == EXC_GP &&
           CALLS(cpu_ld(cpu, SEG_ES, 0x1000, 4)) == -1,
       "expand-down: valid above the limit");
    ok(CALLS(helper_mov_ss(cpu, 0)) == EXC_GP && cpu->exc_error == 0, "null SS: #GP(0)");
    ok(CALLS(helper_mov_ss(cpu, S_DATA3)) == EXC_GP && cpu->exc_error == (S_DATA3 & ~3), "SS of another level: #GP");
    ok(CALLS(helper_mov_ss(cpu, S_RO)) == EXC_GP, "read-only SS: #GP");
    ok(CALLS(helper_mov_ss(cpu, S_STACK16)) == -1 && cpu->mode & MODE_SHADOW && !(cpu->mode & MODE_SS32),
       "SS loads, with a shadow");
    uint32_t before = cpu->mode;
    ok(CALLS(cpu_single_done(cpu, before)) == -1 && !(cpu->mode & MODE_SHADOW), "the shadow lasts one instruction");
    protected_mode(3);
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_DATA0)) == EXC_GP && cpu->exc_error == S_DATA0, "DPL 0 from CPL 3: #GP");
    ok(CALLS(helper_load_seg(cpu, SEG_DS, S_CONF)) == -1, "conforming readable code from CPL 3");
}

static void test_tables(void)
{
    protected_mode(0);
    descriptor(LDT + 8, DATA, 0xf, 0x92, 0x4);
    ok(CALLS(helper_load_seg(cpu, SEG_FS, 0xc)) == EXC_GP, "no LDT: #GP");
    ok(CALLS(helper_lldt(cpu, S_LDT)) == -1 && CALLS(helper_load_seg(cpu, SEG_FS, 0xc)) == -1 &&
           cpu->seg[SEG_FS].base == DATA,
       "LLDT, then a segment from it");
    ok(CALLS(helper_load_seg(cpu, SEG_FS, 0x24)) == EXC_GP && cpu->exc_error == 0x24, "beyond the LDT");
    ok(CALLS(helper_lldt(cpu, S_TSS)) == EXC_GP && cpu->exc_error == S_TSS, "LLDT of a TSS: #GP(sel)");
    ok(CALLS(helper_ltr(cpu, S_TSS)) == EXC_GP, "LTR of a busy TSS: #GP");
    ok(CALLS(helper_ltr(cpu, S_TSS2)) == -1 && ram[GDT + S_TSS2 + 5] == 0x8b, "LTR sets busy");
    ok(helper_str(cpu) == S_TSS2 && helper_sldt(cpu) == S_LDT, "STR, SLDT");
    ok(CALLS(helper_sgdt(cpu, SEG_DS, DATA)) == -1 && rd16(DATA) == 0xff && rd32(DATA + 2) == GDT, "SGDT");
    protected_mode(3);
    ok(CALLS(helper_lgdt(cpu, 0, 0)) == EXC_GP && CALLS(helper_lldt(cpu, 0)) == EXC_GP, "LGDT, LLDT at CPL 3: #GP(0)");
    cpu->cr4 = CR4_UMIP;
    ok(CALLS(helper_sidt(cpu, SEG_DS, DATA)) == EXC_GP && CALLS(helper_sldt(cpu)) == EXC_GP, "UMIP");
    real_mode();
    ok(CALLS(helper_str(cpu)) == EXC_UD && CALLS(helper_lldt(cpu, 0)) == EXC_UD, "#UD in real mode");
}

static bool zf(void)
{
    return cpu_get_eflags(cpu) & FL_ZF;
}

static void test_queries(void)
{
    protected_mode(3);
    ok(CALLS(helper_verr(cpu, S_DATA3)) == -1 && zf(), "VERR own data");
    helper_verr(cpu, S_DATA0);
    ok(!zf(), "VERR DPL 0 at CPL 3");
    helper_verw(cpu, S_RO);
    ok(!zf(), "VERW read-only");
    helper_verr(cpu, S_XO);
    ok(!zf(), "VERR execute-only");
    ok(helper_lar(cpu, S_DATA3, 7) == 0x00cff200 && zf(), "LAR");
    ok(helper_lsl(cpu, S_RO | 3, 7) == 0xfff && zf(), "LSL");
    ok(helper_lsl(cpu, S_GATE, 7) == 7 && !zf(), "LSL of a gate");
    ok(helper_lar(cpu, S_GATE, 7) == 0x0001ec00 && zf(), "LAR of a gate");
    ok(helper_arpl(cpu, 0x50, 3) == 0x53 && zf() && helper_arpl(cpu, 0x53, 1) == 0x53 && !zf(), "ARPL");
}

static void test_far_same(void)
{
    protected_mode(0);
    ok(CALLS(helper_far_jmp(cpu, S_CODE16, 0x1234, 4, 0)) == -1 && cpu->eip == 0x1234 &&
           cpu->seg[SEG_CS].base == 0x10000 && !(cpu->mode & MODE_CS32),
       "JMP far to 16-bit code");
    ok(CALLS(helper_far_jmp(cpu, S_CODE16, 0x10000, 4, 0)) == EXC_GP && cpu->exc_error == 0,
       "beyond the limit: #GP(0)");
    ok(CALLS(helper_far_jmp(cpu, 0, 0, 4, 0)) == EXC_GP && cpu->exc_error == 0, "null: #GP(0)");
    ok(CALLS(helper_far_jmp(cpu, S_DATA0, 0, 4, 0)) == EXC_GP && cpu->exc_error == S_DATA0, "data: #GP(sel)");
    ok(CALLS(helper_far_jmp(cpu, S_CODE3, 0, 4, 0)) == EXC_GP, "code of another level: #GP");
    protected_mode(0);
    uint32_t esp = cpu->regs[R_ESP];
    ok(CALLS(helper_far_call(cpu, S_CODE16, 0x10, 4, 0x777)) == -1 && cpu->regs[R_ESP] == esp - 8 &&
           rd32(esp - 8) == 0x777 && rd32(esp - 4) == S_CODE0,
       "CALL far pushes CS:EIP");
    ok(CALLS(helper_far_ret(cpu, 4, 4)) == -1 && cpu->eip == 0x777 && cpu->regs[R_ESP] == esp + 4 &&
           cpu->seg[SEG_CS].sel == S_CODE0,
       "RET far n");
    cpu->regs[R_ESP] = 0x100;
    helper_load_seg(cpu, SEG_SS, S_SMALL);
    cpu->regs[R_ESP] = 6;
    ok(CALLS(helper_far_call(cpu, S_CODE0, 0x10, 4, 0x777)) == EXC_SS && cpu->exc_error == 0 && cpu->regs[R_ESP] == 6 &&
           cpu->seg[SEG_CS].sel == S_CODE0,
       "no room: #SS(0), nothing changed");
}

static void test_gates(void)
{
    protected_mode(3);
    wr32(STACK3, 0x11111111);
    wr32(STACK3 + 4, 0x22222222);
    ok(CALLS(helper_far_call(cpu, S_GATE, 0, 4, 0x5555)) == -1, "CALL through a gate");
    ok(cpu->cpl == 0 && (cpu->mode & MODE_CPL) == 0 && cpu->eip == 0x12345 && cpu->seg[SEG_CS].sel == S_CODE0 &&
           cpu->seg[SEG_SS].sel == S_DATA0,
       "inner level");
    ok(cpu->regs[R_ESP] == STACK0 - 24 && rd32(STACK0 - 4) == S_DATA3 && rd32(STACK0 - 8) == STACK3 &&
           rd32(STACK0 - 12) == 0x22222222 && rd32(STACK0 - 16) == 0x11111111 && rd32(STACK0 - 20) == S_CODE3 &&
           rd32(STACK0 - 24) == 0x5555,
       "frame with parameters");
    helper_load_seg(cpu, SEG_GS, S_DATA0);
    ok(CALLS(helper_far_ret(cpu, 4, 8)) == -1 && cpu->cpl == 3 && cpu->eip == 0x5555 &&
           cpu->regs[R_ESP] == STACK3 + 8 && cpu->seg[SEG_SS].sel == S_DATA3,
       "RET to the outer level");
    ok(cpu->seg[SEG_GS].sel == 0 && cpu->seg[SEG_DS].sel == S_DATA3, "privileged data segments become null");
    ok(CALLS(helper_far_jmp(cpu, S_GATE, 0, 4, 0)) == EXC_GP && cpu->exc_error == S_CODE0, "JMP may not go inward");
    gate(GDT + S_GATE, S_CODE0, 0, 0x8c, 0);
    ok(CALLS(helper_far_call(cpu, S_GATE, 0, 4, 0)) == EXC_GP && cpu->exc_error == S_GATE, "gate DPL");
    gate(GDT + S_GATE, S_CODE0, 0, 0x6c, 0);
    ok(CALLS(helper_far_call(cpu, S_GATE, 0, 4, 0)) == EXC_NP && cpu->exc_error == S_GATE, "gate absent");
    gate(GDT + S_GATE, S_CODE0, 0, 0xec, 0);
    wr16(TSS + 8, S_DATA3);
    ok(CALLS(helper_far_call(cpu, S_GATE, 0, 4, 0)) == EXC_TS && cpu->exc_error == (S_DATA3 & ~3),
       "bad SS in the TSS: #TS");
    cpu->seg[SEG_TR].limit = 8;
    ok(CALLS(helper_far_call(cpu, S_GATE, 0, 4, 0)) == EXC_TS && cpu->exc_error == S_TSS, "TSS too short: #TS(TR)");
}

static void test_fast_calls(void)
{
    protected_mode(3);
    ok(CALLS(helper_sysenter(cpu)) == EXC_GP, "SYSENTER without CS: #GP(0)");
    cpu->sysenter_cs = S_CODE0;
    cpu->sysenter_esp = 0x7000;
    cpu->sysenter_eip = 0x6000;
    cpu->eflags |= FL_IF;
    ok(CALLS(helper_sysenter(cpu)) == -1 && cpu->cpl == 0 && cpu->eip == 0x6000 && cpu->regs[R_ESP] == 0x7000 &&
           !(cpu->eflags & FL_IF) && cpu->mode & MODE_FLAT_SS,
       "SYSENTER");
    cpu->regs[R_ECX] = STACK3;
    cpu->regs[R_EDX] = 0x1111;
    ok(CALLS(helper_sysexit(cpu)) == -1 && cpu->cpl == 3 && cpu->eip == 0x1111 && cpu->seg[SEG_CS].sel == S_CODE3 &&
           cpu->seg[SEG_SS].sel == S_DATA3,
       "SYSEXIT");
    ok(CALLS(helper_sysexit(cpu)) == EXC_GP, "SYSEXIT at CPL 3: #GP(0)");
}

static void test_real(void)
{
    real_mode();
    ok(CALLS(helper_far_jmp(cpu, 0x1234, 0x10, 2, 0)) == -1 && cpu->seg[SEG_CS].base == 0x12340 && cpu->eip == 0x10,
       "real-mode JMP far");
    ok(CALLS(helper_far_call(cpu, 0x2000, 5, 2, 0x20)) == -1 && cpu->regs[R_ESP] == 0xffc &&
           rd16(0x8000 + 0xffc) == 0x20 && rd16(0x8000 + 0xffe) == 0x1234,
       "real-mode CALL far");
    ok(CALLS(helper_far_ret(cpu, 2, 0)) == -1 && cpu->eip == 0x20 && cpu->seg[SEG_CS].sel == 0x1234,
       "real-mode RET far");
    ok(CALLS(cpu_ld(cpu, SEG_DS, 0xffff, 2)) == EXC_GP && CALLS(cpu_ld(cpu, SEG_SS, 0xffff, 2)) == EXC_SS,
       "word at FFFF: #GP, on the stack #SS");
    cpu->seg[SEG_DS].limit = 0xffffffff;
    helper_load_seg(cpu, SEG_DS, 0x10);
    ok(cpu->seg[SEG_DS].limit == 0xffffffff && CALLS(cpu_ld(cpu, SEG_DS, 0x20000, 4)) == -1,
       "unreal mode keeps the limit");
}

int main(void)
{
    machine_new();
    test_load();
    test_tables();
    test_queries();
    test_far_same();
    test_gates();
    test_fast_calls();
    test_real();
    return tap_done();
}
