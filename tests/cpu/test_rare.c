/* PUSHA and its like, decimal adjustment, division. */
#include "tests/cpu/machine.h"

static void test_stack(void)
{
    protected_mode(0);
    uint32_t esp = cpu->regs[R_ESP];
    for (unsigned i = 0; i < 8; i++)
        if (i != R_ESP) cpu->regs[i] = 0x1110 + i;
    ok(CALLS(helper_pusha(cpu, 4)) == -1 && cpu->regs[R_ESP] == esp - 32 && rd32(esp - 4) == 0x1110 &&
           rd32(esp - 20) == esp && rd32(esp - 32) == 0x1117,
       "PUSHAD");
    wr32(esp - 8, 0xcccc);
    ok(CALLS(helper_popa(cpu, 4)) == -1 && cpu->regs[R_ESP] == esp && cpu->regs[R_ECX] == 0xcccc, "POPAD skips ESP");
    helper_load_seg(cpu, SEG_SS, S_SMALL);
    cpu->regs[R_ESP] = 30;
    memset(ram + DATA, 0, 64);
    ok(CALLS(helper_pusha(cpu, 4)) == EXC_SS && cpu->regs[R_ESP] == 30 && rd32(DATA + 26) == 0x1110,
       "PUSHAD without room: #SS, ESP untouched, the places that there are written as on silicon");
    protected_mode(0);
    esp = cpu->regs[R_ESP];
    cpu->regs[R_EBP] = 0x6000;
    wr32(0x6000 - 4, 0xf1);
    ok(CALLS(helper_enter(cpu, 0x20, 0, 4)) == -1 && cpu->regs[R_EBP] == esp - 4 &&
           cpu->regs[R_ESP] == esp - 4 - 0x20 && rd32(esp - 4) == 0x6000,
       "ENTER n, 0");
    cpu->regs[R_ESP] = esp;
    cpu->regs[R_EBP] = 0x6000;
    ok(CALLS(helper_enter(cpu, 0x10, 2, 4)) == -1 && rd32(esp - 4) == 0x6000 && rd32(esp - 8) == 0xf1 &&
           rd32(esp - 12) == esp - 4 && cpu->regs[R_EBP] == esp - 4 && cpu->regs[R_ESP] == esp - 12 - 0x10,
       "ENTER n, 2");
    ok(CALLS(helper_bound(cpu, 5, (uint32_t)-1, 5)) == -1 &&
           CALLS(helper_bound(cpu, (uint32_t)-2, (uint32_t)-1, 5)) == EXC_BR,
       "BOUND");
}

static void test_decimal(void)
{
    protected_mode(0);
    cpu->regs[R_EAX] = 0x79 + 0x35;
    cpu_set_eflags(cpu, 2);
    helper_daa(cpu);
    ok((cpu->regs[R_EAX] & 0xff) == 0x14 && cpu_get_eflags(cpu) & FL_CF, "DAA 79 + 35 = 114");
    cpu->regs[R_EAX] = (0x35 - 0x47) & 0xff;
    cpu_set_eflags(cpu, 2 | FL_CF | FL_AF);
    helper_das(cpu);
    ok((cpu->regs[R_EAX] & 0xff) == 0x88 && cpu_get_eflags(cpu) & FL_CF, "DAS 35 - 47 = 88 borrow");
    cpu->regs[R_EAX] = 0x000f;
    cpu_set_eflags(cpu, 2);
    helper_aaa(cpu);
    ok(cpu->regs[R_EAX] == 0x0105, "AAA");
    cpu->regs[R_EAX] = 63;
    helper_aam(cpu, 10);
    ok(cpu->regs[R_EAX] == 0x0603, "AAM");
    helper_aad(cpu, 10);
    ok(cpu->regs[R_EAX] == 63, "AAD");
    ok(CALLS(helper_aam(cpu, 0)) == EXC_DE, "AAM 0: #DE");
}

static int divide(unsigned width, uint32_t d, uint32_t a, uint32_t by, bool is_signed)
{
    cpu->regs[R_EDX] = d;
    cpu->regs[R_EAX] = a;
    return is_signed ? CALLS(helper_idiv(cpu, by, width)) : CALLS(helper_div(cpu, by, width));
}

static void test_division(void)
{
    protected_mode(0);
    ok(divide(4, 1, 0, 2, false) == -1 && cpu->regs[R_EAX] == 0x80000000 && cpu->regs[R_EDX] == 0, "DIV 32");
    ok(divide(4, 2, 0, 2, false) == EXC_DE && cpu->regs[R_EDX] == 2, "DIV overflow");
    ok(divide(4, 0, 1, 0, false) == EXC_DE, "DIV by 0");
    ok(divide(1, 0, 0xffff02ff, 3, false) == -1 && cpu->regs[R_EAX] == 0xffff02ff, "DIV 8: 767 / 3 = 255 rest 2");
    ok(divide(1, 0, 0x0300, 3, false) == EXC_DE, "DIV 8 overflow");
    ok(divide(2, 0xaaaa0001, 0xbbbb0000, 0x8000, false) == -1 && cpu->regs[R_EAX] == 0xbbbb0002 &&
           cpu->regs[R_EDX] == 0xaaaa0000,
       "DIV 16");
    ok(divide(4, 0xffffffff, (uint32_t)-7, 2, true) == -1 && cpu->regs[R_EAX] == (uint32_t)-3 &&
           cpu->regs[R_EDX] == 0xffffffff,
       "IDIV truncates");
    ok(divide(4, 0xffffffff, 0x80000000, 0xffffffff, true) == EXC_DE, "IDIV -2^31 / -1: #DE");
    ok(divide(4, 0x80000000, 0, 0xffffffff, true) == EXC_DE, "IDIV -2^63 / -1: #DE");
    ok(divide(4, 0xffffffff, 0x80000000, 1, true) == -1 && cpu->regs[R_EAX] == 0x80000000, "IDIV -2^31 / 1");
    ok(divide(1, 0, 0xff80, 1, true) == -1 && (cpu->regs[R_EAX] & 0xffff) == 0x0080, "IDIV 8: -128 / 1");
    ok(divide(1, 0, 0x0080, 1, true) == EXC_DE, "IDIV 8: 128 / 1: #DE");
}

static void test_cmpxchg8b(void)
{
    protected_mode(0);
    wr32(DATA, 1);
    wr32(DATA + 4, 2);
    cpu->regs[R_EAX] = 1;
    cpu->regs[R_EDX] = 2;
    cpu->regs[R_EBX] = 3;
    cpu->regs[R_ECX] = 4;
    ok(CALLS(helper_cmpxchg8b(cpu, SEG_DS, DATA)) == -1 && rd32(DATA) == 3 && rd32(DATA + 4) == 4 &&
           cpu_get_eflags(cpu) & FL_ZF,
       "CMPXCHG8B equal");
    ok(CALLS(helper_cmpxchg8b(cpu, SEG_DS, DATA)) == -1 && cpu->regs[R_EAX] == 3 && cpu->regs[R_EDX] == 4 &&
           !(cpu_get_eflags(cpu) & FL_ZF),
       "CMPXCHG8B different");
}

static void test_alignment(void)
{
    protected_mode(3);
    cpu->cr0 |= CR0_AM;
    cpu_set_eflags(cpu, FL_1 | FL_AC);
    ok(cpu->mode & MODE_AC && CALLS(cpu_ld(cpu, SEG_DS, DATA + 1, 4)) == EXC_AC && cpu->exc_has_error, "#AC(0)");
    ok(CALLS(cpu_ld(cpu, SEG_DS, DATA + 4, 4)) == -1 && CALLS(cpu_ld(cpu, SEG_DS, DATA + 1, 1)) == -1, "aligned");
    ok(CALLS(cpu_mem_ld_fp(cpu, DATA + 8, 16 | MEMD_FLAT | MEMD_ALIGN)) == EXC_GP, "MOVAPS operand: #GP(0)");
}

static PhysAddr written;
static void on_write(CPUState *c, PhysAddr addr, unsigned len)
{
    (void)len;
    if (!written) {
        written = addr;
        cpu_retry_single(c);
    }
}

static void test_code_write(void)
{
    protected_mode(0);
    phys_code_mark(phys, DATA, 64);
    mmu_protect_code(&cpu->mmu, DATA);
    cpu->code_write_check = on_write;
    ok(CALLS(cpu_st(cpu, SEG_DS, DATA + 5, 0x77, 1)) == EXC_RETRY_SINGLE && written == DATA + 5 && ram[DATA + 5] == 0,
       "a store onto code asks first");
    ok(CALLS(cpu_st(cpu, SEG_DS, DATA + 5, 0x77, 1)) == -1 && ram[DATA + 5] == 0x77, "then happens");
    written = 0;
    ok(CALLS(cpu_mem_ld(cpu, DATA + 8, 4 | MEMD_FLAT | MEMD_RMW | MMU_SUPER << MEMD_IDX_SHIFT)) == EXC_RETRY_SINGLE,
       "so does a read-modify-write");
    cpu->code_write_check = NULL;
}

int main(void)
{
    machine_new();
    test_stack();
    test_decimal();
    test_division();
    test_cmpxchg8b();
    test_alignment();
    test_code_write();
    return tap_done();
}
