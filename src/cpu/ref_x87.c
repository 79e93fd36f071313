/* x87 reference: one instruction on CPUState.fpu, exactly as silicon does it.  Used by the portable
 * backend for every x87 instruction and by the native one when exceptions are unmasked.
 *
 * Here: dispatch, the register stack and exceptions.  ref_x87_arith.c, ref_x87_conv.c and
 * ref_x87_trans.c have the instructions.  SDM 1 chapter 8; opcode maps SDM 2 appendix A.5. */
#include "cpu/ref_x87.h"

#include <string.h>

/* --- stack --------------------------------------------------------------------------------------- */

void x87_move_top(X87 *x, int by)
{
    unsigned top = ((x->f->sw >> SW_TOP_SHIFT) + (unsigned)by) & 7;
    x->f->sw = (uint16_t)((x->f->sw & ~SW_TOP) | top << SW_TOP_SHIFT);
}

void x87_pop(X87 *x)
{
    x87_free(x, 0);
    x87_move_top(x, 1);
}

/* --- exceptions ---------------------------------------------------------------------------------- */

static void record(X87 *x, unsigned flags)
{
    x->f->sw |= (uint16_t)flags;
    if (!(flags & SW_EXC & ~x->f->cw)) return;
    /* The operand pointer and opcode follow unmasked exceptions only: CPUID.7.EBX[6], SDM 1 8.1.8. */
    x->f->fop = (uint16_t)((x->opcode & 7) << 8 | x->modrm);
    if (x->modrm < 0xc0) x->f->fdp = x->f->operand_ea;
    fpu_update_summary(x->cpu);
}

bool x87_stack_fault(X87 *x, bool overflow)
{
    x->f->sw = (uint16_t)((x->f->sw & ~SW_C1) | (overflow ? SW_C1 : 0));
    record(x, SF_IE | SW_SF);
    return x->f->cw & SF_IE;
}

bool x87_commit(X87 *x)
{
    if (x->env.flags & SF_PRE & ~x->f->cw) {
        record(x, x->env.flags & SF_PRE);
        return false;
    }
    if (x->env.up) x->f->sw |= SW_C1;
    if (x->env.flags) record(x, x->env.flags);
    return true;
}

bool x87_finish(X87 *x, unsigned i, SfNum v)
{
    if (!x87_commit(x)) return false;
    x87_put(x, i, v);
    return true;
}

void x87_set_cc(X87 *x, unsigned cc)
{
    x->f->sw = (uint16_t)((x->f->sw & ~SW_CC) | cc);
}

bool x87_special1(X87 *x, SfNum a, SfNum *r)
{
    if (a.cls == SF_UNSUPPORTED) {
        *r = sf_invalid(&x->env);
        return true;
    }
    if (sf_is_nan(a)) {
        if (a.cls == SF_SNAN) x->env.flags |= SF_IE;
        *r = sf_quiet(a);
        return true;
    }
    if (a.denormal) x->env.flags |= SF_DE;
    return false;
}

/* SDM 1 table 4-7: of two NaNs the QNaN wins over an SNaN, else the larger significand, else plus. */
static SfNum choose_nan(SfNum a, SfNum b)
{
    if (!sf_is_nan(b)) return sf_quiet(a);
    if (!sf_is_nan(a)) return sf_quiet(b);
    if (a.cls != b.cls) return a.cls == SF_QNAN ? a : b;
    if (a.mant != b.mant) return sf_quiet(a.mant > b.mant ? a : b);
    return sf_quiet(a.sign ? b : a);
}

bool x87_special2(X87 *x, SfNum a, SfNum b, SfNum *r)
{
    if (a.cls == SF_UNSUPPORTED || b.cls == SF_UNSUPPORTED) {
        *r = sf_invalid(&x->env);
        return true;
    }
    if (sf_is_nan(a) || sf_is_nan(b)) {
        if (a.cls == SF_SNAN || b.cls == SF_SNAN) x->env.flags |= SF_IE;
        *r = choose_nan(a, b);
        return true;
    }
    if (a.denormal || b.denormal) x->env.flags |= SF_DE;
    return false;
}

SfFormat x87_format(const X87 *x)
{
    static const uint8_t precision[4] = { 24, 64, 53, 64 };
    SfFormat f = sf_f80;
    f.prec = precision[x->f->cw >> CW_PC_SHIFT & 3];
    return f;
}

/* --- dispatch ------------------------------------------------------------------------------------ */

static const X87Fn mem_table[64] = {
    /* D8 */ x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    /* D9 */ x87_fld_mem,
    NULL,
    x87_fst_mem,
    x87_fst_mem,
    NULL,
    NULL,
    NULL,
    x87_fnstcw,
    /* DA */ x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    /* DB */ x87_fild,
    x87_fist,
    x87_fist,
    x87_fist,
    NULL,
    x87_fld_mem,
    NULL,
    x87_fst_mem,
    /* DC */ x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    /* DD */ x87_fld_mem,
    x87_fist,
    x87_fst_mem,
    x87_fst_mem,
    NULL,
    NULL,
    NULL,
    x87_fnstsw_mem,
    /* DE */ x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    x87_arith_mem,
    /* DF */ x87_fild,
    x87_fist,
    x87_fist,
    x87_fist,
    x87_fbld,
    x87_fild,
    x87_fbstp,
    x87_fist,
};

/* D9 E0..FF: no operand, one function per byte. */
static const X87Fn d9_table[32] = {
    x87_fchs,      x87_fabs,      NULL,          NULL,          x87_ftst,      x87_fxam,      NULL,
    NULL,          x87_fld_const, x87_fld_const, x87_fld_const, x87_fld_const, x87_fld_const, x87_fld_const,
    x87_fld_const, NULL,          x87_f2xm1,     x87_fyl2x,     x87_fptan,     x87_fpatan,    x87_fxtract,
    x87_fprem,     x87_fincdec,   x87_fincdec,   x87_fprem,     x87_fyl2xp1,   x87_fsqrt,     x87_fsincos,
    x87_frndint,   x87_fscale,    x87_fsincos,   x87_fsincos,
};
static void d9_group(X87 *x)
{
    X87Fn fn = d9_table[x->modrm & 31];
    if (fn) fn(x);
}

/* The aliases that hardware accepts are here too: DC D0 FCOM, DC D8 FCOMP, DD C8 and DF C8 FXCH, DE D0
 * FCOMP, DF D0 and DF D8 FSTP, D9 D8 FSTP, DF C0 FFREEP.  FNINIT and FNCLEX are callouts. */
static const X87Fn reg_table[64] = {
    /* D8 */ x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_st0,
    /* D9 */ x87_fld_sti,
    x87_fxch,
    x87_nop,
    x87_fst_sti,
    d9_group,
    d9_group,
    d9_group,
    d9_group,
    /* DA */ x87_fcmov,
    x87_fcmov,
    x87_fcmov,
    x87_fcmov,
    NULL,
    x87_fucompp,
    NULL,
    NULL,
    /* DB */ x87_fcmov,
    x87_fcmov,
    x87_fcmov,
    x87_fcmov,
    x87_nop,
    x87_fcomi,
    x87_fcomi,
    NULL,
    /* DC */ x87_arith_sti,
    x87_arith_sti,
    x87_arith_st0,
    x87_arith_st0,
    x87_arith_sti,
    x87_arith_sti,
    x87_arith_sti,
    x87_arith_sti,
    /* DD */ x87_ffree,
    x87_fxch,
    x87_fst_sti,
    x87_fst_sti,
    x87_fucom,
    x87_fucom,
    NULL,
    NULL,
    /* DE */ x87_arith_sti,
    x87_arith_sti,
    x87_arith_st0,
    x87_fcompp,
    x87_arith_sti,
    x87_arith_sti,
    x87_arith_sti,
    x87_arith_sti,
    /* DF */ x87_ffree,
    x87_fxch,
    x87_fst_sti,
    x87_fst_sti,
    x87_fnstsw_ax,
    x87_fcomi,
    x87_fcomi,
    NULL,
};

/* FNSTCW, FNSTSW, and FENI FDISI FSETPM, which are nothing since the 287. */
static bool is_control(const X87 *x, X87Fn fn)
{
    return fn == x87_fnstcw || fn == x87_fnstsw_mem || fn == x87_fnstsw_ax || (fn == x87_nop && x->opcode == 0xdb);
}

static bool keeps_c1(X87Fn fn)
{
    return fn == x87_nop || fn == x87_fcmov || fn == x87_fcomi;
}

/* F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS */
static bool is_transcendental(const X87 *x)
{
    if (x->opcode != 0xd9) return false;
    return (x->modrm >= 0xf0 && x->modrm <= 0xf3) || x->modrm == 0xf9 || x->modrm == 0xfb || x->modrm >= 0xfe;
}

/* Their last bit differs from one x87 to another, so that of the host does the work where the backend's other blocks use it too. */
static void host_transcendental(X87 *x)
{
    enum { RAISED = SW_EXC | SW_SF, CHANGED = SW_TOP | SW_CC | SW_C1 };
    FpuState f = *x->f;
    f.sw &= (uint16_t) ~(RAISED | SW_ES | SW_B);
    x->cpu->x87_transcendental(&f, x->modrm);
    memcpy(x->f->r, f.r, sizeof f.r);
    x->f->tag_valid = f.tag_valid;
    x->f->sw = (uint16_t)((x->f->sw & ~CHANGED) | (f.sw & CHANGED));
    record(x, f.sw & RAISED);
}

bool fpu_run_x87(CPUState *cpu, uint8_t opcode, uint8_t modrm)
{
    unsigned row = (opcode & 7u) << 3 | (modrm >> 3 & 7);
    X87Fn fn = (modrm < 0xc0 ? mem_table : reg_table)[row];
    if (!fn) return true; /* the frontend lets no such opcode through */
    X87 x = { .cpu = cpu, .f = &cpu->fpu, .mem = cpu->bounce, .rm = modrm & 7u, .modrm = modrm, .opcode = opcode };
    if (is_control(&x, fn)) {
        fn(&x);
        return true;
    }
    if (cpu->fpu.sw & SW_ES) fpu_check_pending(cpu);
    x.env.rc = cpu->fpu.cw >> CW_RC_SHIFT & 3;
    x.env.masked = cpu->fpu.cw & CW_EXC;
    if (!keeps_c1(fn)) cpu->fpu.sw &= (uint16_t)~SW_C1;
    if (cpu->x87_transcendental && is_transcendental(&x))
        host_transcendental(&x);
    else
        fn(&x);
    return !x.no_store;
}

void cpu_ref_x87(CPUState *cpu, const struct IrFp *fp)
{
    fpu_run_x87(cpu, fp->opcode, fp->modrm);
}
