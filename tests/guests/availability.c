/* Who may use which unit: every setting of CR0.EM, MP, TS, CR4.OSFXSR and OSXMMEXCPT against every kind of x87, MMX and SSE
 * instruction: SDM 3A table 2-2 (x87 and WAIT), 12.1 table 12-1 (MMX), 13.1.1 to 13.1.4 and table 13-1 (SSE), SDM 2A 2.5
 * (exception classes); and that #UD comes before #NM, and both before anything about the operand. */
#include "guest_c.h"

/* What guards an instruction.  NEW: beyond SSE2, only where CPUID has it. */
enum Kind { X87, WAIT, MMX, SSE, SSE_FAULTING, SSE_NO_STATE, FXSR, MMX_OF_SSE };

typedef struct Instruction {
    const char *name;
    enum Kind kind;
    const void *code;
} Instruction;

#define CODE(label, insn) __asm__(".pushsection .text\n" label ": " insn "\nret\n.popsection")
#define INSN(label, insn)                                                                                              \
    CODE(#label, insn);                                                                                                \
    extern const u8 label[]
INSN(i_fnop, "fnop");
INSN(i_fld1, "fld1; fstp %st(0)");
INSN(i_fninit, "fninit");
INSN(i_fnclex, "fnclex");
INSN(i_fnstsw, "fnstsw %ax");
INSN(i_fnstcw, "fnstcw 0x200000");
INSN(i_fnstenv, "fnstenv 0x200000");
INSN(i_fisttp, "fld1; fisttpl 0x200000");
INSN(i_fcmov, "fcmovb %st(1), %st");
INSN(i_wait, "fwait");
INSN(i_emms, "emms");
INSN(i_movd, "movd %eax, %mm0");
INSN(i_paddb, "paddb %mm0, %mm1");
INSN(i_movq_store, "movq %mm0, 0x200000");
INSN(i_pshufw, "pshufw $1, %mm0, %mm1");
INSN(i_movntq, "movntq %mm0, 0x200000");
INSN(i_paddq, "paddq %mm0, %mm1");
INSN(i_xorps, "xorps %xmm0, %xmm0");
INSN(i_movups, "movups 0x200000, %xmm1");
INSN(i_paddb_x, "paddb %xmm0, %xmm1");
INSN(i_andpd, "andpd %xmm0, %xmm1");
INSN(i_lddqu, "lddqu 0x200000, %xmm1");
INSN(i_movq2dq, "movq2dq %mm0, %xmm0");
INSN(i_cvtpi2pd, "cvtpi2pd %mm0, %xmm0");
INSN(i_cvtpi2pd_m, "cvtpi2pd 0x200000, %xmm0");
INSN(i_ldmxcsr, "ldmxcsr mxcsr");
INSN(i_stmxcsr, "stmxcsr 0x200000");
INSN(i_fxsave, "fxsave 0x200000");
INSN(i_fxrstor, "fxrstor 0x200400");
INSN(i_movnti, "movnti %eax, 0x200000");
INSN(i_prefetch, "prefetcht0 0x200000");
INSN(i_sfence, "sfence");
INSN(i_lfence, "lfence");
INSN(i_mfence, "mfence");
INSN(i_pause, "pause");
INSN(i_clflush, "clflush 0x200000");
INSN(i_divss, "divss zero, %xmm2");
INSN(i_sqrtsd, "sqrtsd minus_one, %xmm2");
INSN(i_cvtps2pi, "cvtps2pi huge, %mm0");
CODE("to_xmm2", "movss one, %xmm2");

/* MXCSR: everything unmasked but precision. */
__asm__(".pushsection .data\n.balign 16\nmxcsr: .long 0x1000\nzero: .float 0\none: .float 1\nhuge: .float 1e30, 1e30\n"
        ".balign 16\nminus_one: .double -1\n.popsection");

static const Instruction instructions[] = {
    { "FNOP", X87, i_fnop },
    { "FLD1", X87, i_fld1 },
    { "FNINIT", X87, i_fninit },
    { "FNCLEX", X87, i_fnclex },
    { "FNSTSW", X87, i_fnstsw },
    { "FNSTCW", X87, i_fnstcw },
    { "FNSTENV", X87, i_fnstenv },
    { "FISTTP", X87, i_fisttp },
    { "FCMOV", X87, i_fcmov },
    { "WAIT", WAIT, i_wait },
    { "EMMS", MMX, i_emms },
    { "MOVD", MMX, i_movd },
    { "PADDB mm", MMX, i_paddb },
    { "MOVQ", MMX, i_movq_store },
    { "PSHUFW", MMX, i_pshufw },
    { "MOVNTQ", MMX, i_movntq },
    { "PADDQ mm", MMX, i_paddq },
    { "XORPS", SSE, i_xorps },
    { "MOVUPS", SSE, i_movups },
    { "PADDB xmm", SSE, i_paddb_x },
    { "ANDPD", SSE, i_andpd },
    { "LDDQU", SSE, i_lddqu },
    { "MOVQ2DQ", SSE, i_movq2dq },
    { "CVTPI2PD mm", SSE, i_cvtpi2pd },
    { "CVTPI2PD m64", SSE, i_cvtpi2pd_m },
    { "LDMXCSR", SSE, i_ldmxcsr },
    { "STMXCSR", SSE, i_stmxcsr },
    { "FXSAVE", FXSR, i_fxsave },
    { "FXRSTOR", FXSR, i_fxrstor },
    { "MOVNTI", SSE_NO_STATE, i_movnti },
    { "PREFETCHT0", SSE_NO_STATE, i_prefetch },
    { "SFENCE", SSE_NO_STATE, i_sfence },
    { "LFENCE", SSE_NO_STATE, i_lfence },
    { "MFENCE", SSE_NO_STATE, i_mfence },
    { "PAUSE", SSE_NO_STATE, i_pause },
    { "CLFLUSH", SSE_NO_STATE, i_clflush },
    { "DIVSS by 0", SSE_FAULTING, i_divss },
    { "SQRTSD of -1", SSE_FAULTING, i_sqrtsd },
    { "CVTPS2PI of 1e30", SSE_FAULTING, i_cvtps2pi },
};

static u32 expected(enum Kind kind, u32 cr0, u32 cr4)
{
    u32 ts = cr0 & CR0_TS, em = cr0 & CR0_EM, mp = cr0 & CR0_MP;
    switch (kind) {
    case X87: return ts || em ? NM : NONE;
    case WAIT: return ts && mp ? NM : NONE;
    case MMX: return em ? UD : ts ? NM : NONE;
    case FXSR: return em ? UD : ts ? NM : NONE; /* SDM 2A; early editions gave #NM for EM, and Bochs does */
    case SSE_NO_STATE: return NONE;
    default:
        if (em || !(cr4 & CR4_OSFXSR)) return UD;
        if (ts) return NM;
        if (kind == SSE) return NONE;
        return cr4 & CR4_OSXMMEXCPT ? XM : UD;
    }
}

static void set_up_unit(u32 cr0, u32 cr4)
{
    extern const u8 to_xmm2[];
    write_cr0(cr0);
    write_cr4(cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT);
    __asm__ volatile("fninit; ldmxcsr mxcsr; fxsave 0x200400");
    attempt(to_xmm2);
}

void guest_main(void)
{
    enum { BITS0 = CR0_EM | CR0_MP | CR0_TS, BITS4 = CR4_OSFXSR | CR4_OSXMMEXCPT };
    u32 cr0 = (read_cr0() & ~(u32)BITS0) | CR0_NE, cr4 = read_cr4() & ~(u32)BITS4;
    for (u32 n = 0; n < 32; n++) {
        u32 set0 = (n & 1 ? CR0_EM : 0) | (n & 2 ? CR0_MP : 0) | (n & 4 ? CR0_TS : 0);
        u32 set4 = (n & 8 ? CR4_OSFXSR : 0) | (n & 16 ? CR4_OSXMMEXCPT : 0);
        for (u32 i = 0; i < sizeof instructions / sizeof instructions[0]; i++) {
            const Instruction *in = &instructions[i];
            set_up_unit(cr0, cr4);
            write_cr0(cr0 | set0);
            write_cr4(cr4 | set4);
            u32 want = expected(in->kind, set0, set4), got = attempt(in->code);
            check_eq(in->name, n << 8 | (want & 0xff), n << 8 | (got & 0xff));
            if (got != (u32)NONE) check_eq("EIP of the instruction", (u32)in->code, fault_eip);
        }
    }
    write_cr0(cr0);
}
