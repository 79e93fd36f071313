/* What the parts of the x87 reference share: one instruction in progress. */
#ifndef CALQUE_CPU_REF_X87_H
#define CALQUE_CPU_REF_X87_H

#include "cpu/fpu.h"
#include "cpu/softfp.h"
#include "tcg/ir.h"

typedef struct X87 {
    CPUState *cpu;
    FpuState *f;
    uint8_t *mem; /* the memory operand: CPUState.bounce */
    SfEnv env;
    unsigned rm; /* ST(i) of register forms */
    uint8_t modrm;
    uint8_t opcode; /* 0xd8..0xdf */
    bool no_store;  /* an unmasked exception forbids the store */
} X87;

typedef void (*X87Fn)(X87 *x);

/* --- stack ------------------------------------------------------------------------------------- */
static inline unsigned x87_phys(const X87 *x, unsigned i)
{
    return ((x->f->sw >> SW_TOP_SHIFT) + i) & 7;
}
static inline bool x87_empty(const X87 *x, unsigned i)
{
    return !(x->f->tag_valid >> x87_phys(x, i) & 1);
}
static inline SfNum x87_get(const X87 *x, unsigned i)
{
    return sf_unpack80(x->f->r[x87_phys(x, i)]);
}
static inline void x87_put_raw(X87 *x, unsigned i, Fp80 v)
{
    x->f->r[x87_phys(x, i)] = v;
    x->f->tag_valid |= (uint8_t)(1u << x87_phys(x, i));
}
static inline void x87_put(X87 *x, unsigned i, SfNum v)
{
    x87_put_raw(x, i, sf_pack80(v));
}
static inline void x87_free(X87 *x, unsigned i)
{
    x->f->tag_valid &= (uint8_t) ~(1u << x87_phys(x, i));
}
void x87_move_top(X87 *x, int by);
void x87_pop(X87 *x);

/* --- exceptions -------------------------------------------------------------------------------- */
/* Stack fault: sets IE SF, C1 = overflow.  True when IE is masked (go on with the indefinite). */
bool x87_stack_fault(X87 *x, bool overflow);
/* Puts env.flags and C1 into the status word.  False: an unmasked IE, DE or ZE forbids any result. */
bool x87_commit(X87 *x);
/* commit, then a result for ST(i). */
bool x87_finish(X87 *x, unsigned i, SfNum v);
void x87_set_cc(X87 *x, unsigned cc); /* C0 C2 C3, others cleared */

/* NaN and unsupported operands, and DE for denormal ones.  True: *r is the result of the operation. */
bool x87_special1(X87 *x, SfNum a, SfNum *r);
bool x87_special2(X87 *x, SfNum a, SfNum b, SfNum *r);
SfFormat x87_format(const X87 *x); /* precision control applied */

/* --- families ---------------------------------------------------------------------------------- */
/* [(opcode & 7) * 8 + ModRM.reg], memory operands: ref_x87_conv.c supplies loads and stores. */
void x87_arith_mem(X87 *x); /* D8 DA DC DE */
void x87_arith_st0(X87 *x); /* D8 */
void x87_arith_sti(X87 *x); /* DC DE */
void x87_fucom(X87 *x);
void x87_fucompp(X87 *x);
void x87_fcompp(X87 *x);
void x87_fcomi(X87 *x); /* FCOMI FUCOMI and with pop */
void x87_ftst(X87 *x);
void x87_fxam(X87 *x);
void x87_fchs(X87 *x);
void x87_fabs(X87 *x);
void x87_fsqrt(X87 *x);
void x87_frndint(X87 *x);
void x87_fscale(X87 *x);
void x87_fprem(X87 *x); /* and FPREM1 */
void x87_fxtract(X87 *x);

void x87_fld_mem(X87 *x);
void x87_fst_mem(X87 *x);
void x87_fild(X87 *x);
void x87_fist(X87 *x); /* FIST FISTP FISTTP */
void x87_fbld(X87 *x);
void x87_fbstp(X87 *x);
void x87_fnstcw(X87 *x);
void x87_fnstsw_mem(X87 *x);
void x87_fnstsw_ax(X87 *x);
void x87_fld_sti(X87 *x);
void x87_fst_sti(X87 *x);
void x87_fxch(X87 *x);
void x87_fcmov(X87 *x);
void x87_fld_const(X87 *x);
void x87_ffree(X87 *x);
void x87_fincdec(X87 *x);
void x87_nop(X87 *x);

void x87_f2xm1(X87 *x);
void x87_fyl2x(X87 *x);
void x87_fyl2xp1(X87 *x);
void x87_fptan(X87 *x);
void x87_fpatan(X87 *x);
void x87_fsincos(X87 *x); /* FSIN FCOS FSINCOS */

#endif
