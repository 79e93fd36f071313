/* x87 reference: arithmetic, comparison, and what works on ST(0) alone. */
#include "cpu/ref_x87.h"

#include <string.h>

/* --- FADD FMUL FCOM FCOMP FSUB FSUBR FDIV FDIVR, by ModRM.reg -------------------------------------- */

static SfNum compute(X87 *x, unsigned op, SfNum a, SfNum b)
{
    SfNum r;
    SfFormat f = x87_format(x);
    if (x87_special2(x, a, b, &r)) return r;
    switch (op) {
    case 0: return sf_add(&x->env, &f, a, b);
    case 1: return sf_mul(&x->env, &f, a, b);
    case 4: return sf_add(&x->env, &f, a, sf_negate(b));
    case 5: return sf_add(&x->env, &f, b, sf_negate(a));
    case 6: r = sf_div(&x->env, &f, a, b); break;
    default: r = sf_div(&x->env, &f, b, a); break;
    }
    /* Invalid and zero-divide come before the denormal operand: SDM 1 4.9.2. */
    if (x->env.flags & (SF_ZE | SF_IE)) x->env.flags &= (uint8_t)~SF_DE;
    return r;
}

static unsigned compare_cc(int cmp)
{
    return cmp > 0 ? 0 : cmp < 0 ? SW_C0 : SW_C3;
}

/* quiet: only SNaNs are invalid.  Result in C3 C2 C0, also when an exception is unmasked, as silicon does;
 * false when there may be no pop. */
static bool compare(X87 *x, SfNum a, SfNum b, bool quiet)
{
    unsigned cc = SW_CC;
    if (sf_is_nan(a) || sf_is_nan(b) || a.cls == SF_UNSUPPORTED || b.cls == SF_UNSUPPORTED) {
        bool silent =
            quiet && a.cls != SF_SNAN && b.cls != SF_SNAN && a.cls != SF_UNSUPPORTED && b.cls != SF_UNSUPPORTED;
        if (!silent) x->env.flags |= SF_IE;
    } else {
        if (a.denormal || b.denormal) x->env.flags |= SF_DE;
        cc = compare_cc(sf_cmp(a, b));
    }
    x87_set_cc(x, cc);
    return x87_commit(x);
}

static bool compare_fault(X87 *x)
{
    x87_set_cc(x, SW_CC);
    return x87_stack_fault(x, false);
}

void x87_arith_mem(X87 *x)
{
    unsigned op = x->modrm >> 3 & 7;
    SfNum b;
    uint64_t q;
    uint32_t d;
    uint16_t w;
    switch (x->opcode) {
    case 0xd8:
        memcpy(&d, x->mem, 4);
        b = sf_unpack32(d);
        break;
    case 0xdc:
        memcpy(&q, x->mem, 8);
        b = sf_unpack64(q);
        break;
    case 0xda:
        memcpy(&d, x->mem, 4);
        b = sf_from_int((int32_t)d);
        break;
    default:
        memcpy(&w, x->mem, 2);
        b = sf_from_int((int16_t)w);
        break;
    }
    if ((op & 6) == 2) {
        bool done = x87_empty(x, 0) ? compare_fault(x) : compare(x, x87_get(x, 0), b, false);
        if (done && op == 3) x87_pop(x);
        return;
    }
    if (x87_empty(x, 0)) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return;
    }
    x87_finish(x, 0, compute(x, op, x87_get(x, 0), b));
}

/* D8: ST(0) op= ST(i); DC D0 / DE D0 and D8 D0 compare. */
void x87_arith_st0(X87 *x)
{
    unsigned op = x->modrm >> 3 & 7;
    bool empty = x87_empty(x, 0) || x87_empty(x, x->rm);
    if ((op & 6) == 2) {
        bool done = empty ? compare_fault(x) : compare(x, x87_get(x, 0), x87_get(x, x->rm), false);
        if (done && (op == 3 || x->opcode == 0xde)) x87_pop(x);
        return;
    }
    if (empty) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return;
    }
    x87_finish(x, 0, compute(x, op, x87_get(x, 0), x87_get(x, x->rm)));
}

/* DC, DE (pops): ST(i) op= ST(0).  ModRM.reg 4 is ST(0) - ST(i) here as well, which is why the
 * mnemonics FSUB and FSUBR trade places. */
void x87_arith_sti(X87 *x)
{
    bool pop = x->opcode == 0xde, done;
    if (x87_empty(x, 0) || x87_empty(x, x->rm)) {
        done = x87_stack_fault(x, false);
        if (done) x87_put(x, x->rm, sf_default_nan());
    } else {
        done = x87_finish(x, x->rm, compute(x, x->modrm >> 3 & 7, x87_get(x, 0), x87_get(x, x->rm)));
    }
    if (done && pop) x87_pop(x);
}

/* --- comparison ---------------------------------------------------------------------------------- */

void x87_fucom(X87 *x)
{
    bool done =
        x87_empty(x, 0) || x87_empty(x, x->rm) ? compare_fault(x) : compare(x, x87_get(x, 0), x87_get(x, x->rm), true);
    if (done && (x->modrm & 8)) x87_pop(x);
}

static void compare_pop2(X87 *x, bool quiet)
{
    bool done = x87_empty(x, 0) || x87_empty(x, 1) ? compare_fault(x) : compare(x, x87_get(x, 0), x87_get(x, 1), quiet);
    if (!done) return;
    x87_pop(x);
    x87_pop(x);
}

void x87_fucompp(X87 *x)
{
    compare_pop2(x, true);
}
void x87_fcompp(X87 *x)
{
    compare_pop2(x, false);
}

/* DB E8 FUCOMI, DB F0 FCOMI; DF: and pop.  ZF PF CF; OF SF AF are cleared. */
void x87_fcomi(X87 *x)
{
    uint16_t cc = x->f->sw & SW_CC;
    bool quiet = (x->modrm & 0x38) == 0x28;
    bool done =
        x87_empty(x, 0) || x87_empty(x, x->rm) ? compare_fault(x) : compare(x, x87_get(x, 0), x87_get(x, x->rm), quiet);
    unsigned got = x->f->sw & SW_CC;
    uint32_t flags = (got & SW_C0 ? FL_CF : 0u) | (got & SW_C2 ? FL_PF : 0u) | (got & SW_C3 ? FL_ZF : 0u);
    x->cpu->cc = cpu_cc_from_flags(flags);
    x87_set_cc(x, cc);
    if (done && x->opcode == 0xdf) x87_pop(x);
}

void x87_ftst(X87 *x)
{
    if (x87_empty(x, 0))
        compare_fault(x);
    else
        compare(x, x87_get(x, 0), sf_zero(false), false);
}

void x87_fxam(X87 *x)
{
    /* SDM 2 FXAM: C3 C2 C0 by class, C1 the sign, also of an empty register. */
    static const uint16_t class_cc[] = {
        [SF_ZERO] = SW_C3, [SF_FINITE] = SW_C2, [SF_INF] = SW_C2 | SW_C0,
        [SF_QNAN] = SW_C0, [SF_SNAN] = SW_C0,   [SF_UNSUPPORTED] = 0,
    };
    SfNum a = x87_get(x, 0);
    unsigned cc = a.cls == SF_FINITE && a.denormal ? SW_C3 | SW_C2 : class_cc[a.cls];
    if (x87_empty(x, 0)) cc = SW_C3 | SW_C0;
    x87_set_cc(x, cc);
    if (a.sign) x->f->sw |= SW_C1;
}

/* --- ST(0) alone --------------------------------------------------------------------------------- */

/* Empty ST(0): the masked response.  True: handled. */
static bool st0_missing(X87 *x)
{
    if (!x87_empty(x, 0)) return false;
    if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
    return true;
}

static void set_sign(X87 *x, unsigned keep, unsigned flip)
{
    if (st0_missing(x)) return;
    Fp80 *v = &x->f->r[x87_phys(x, 0)];
    v->se = (uint16_t)((v->se & keep) ^ flip);
}

void x87_fchs(X87 *x)
{
    set_sign(x, 0xffff, 0x8000);
}
void x87_fabs(X87 *x)
{
    set_sign(x, 0x7fff, 0);
}

void x87_fsqrt(X87 *x)
{
    if (st0_missing(x)) return;
    SfNum a = x87_get(x, 0), r;
    SfFormat f = x87_format(x);
    if (!x87_special1(x, a, &r)) {
        r = sf_sqrt(&x->env, &f, a);
        if (x->env.flags & SF_IE) x->env.flags &= (uint8_t)~SF_DE;
    }
    x87_finish(x, 0, r);
}

void x87_frndint(X87 *x)
{
    if (st0_missing(x)) return;
    SfNum a = x87_get(x, 0), r;
    if (!x87_special1(x, a, &r)) r = sf_rint(&x->env, a, x->env.rc);
    x87_finish(x, 0, r);
}

static SfNum scale(X87 *x, SfNum a, SfNum b)
{
    SfNum r;
    if (x87_special2(x, a, b, &r)) return r;
    if (b.cls == SF_INF) {
        if (b.sign) return a.cls == SF_INF ? sf_invalid(&x->env) : sf_zero(a.sign);
        return a.cls == SF_ZERO ? sf_invalid(&x->env) : sf_inf(a.sign);
    }
    if (a.cls != SF_FINITE || b.cls == SF_ZERO) {
        return sf_round_num(&x->env, &sf_f80, a);
    }
    /* Anything beyond 2^17 is beyond the range from either end. */
    int32_t by = 0x20000;
    if (b.exp < 17) by = b.exp < 0 ? 0 : (int32_t)(b.mant >> (63 - b.exp));
    return sf_round(&x->env, &sf_f80, a.sign, b.sign ? a.exp - by : a.exp + by, a.mant, 0);
}

void x87_fscale(X87 *x)
{
    if (x87_empty(x, 0) || x87_empty(x, 1)) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return;
    }
    SfNum r = scale(x, x87_get(x, 0), x87_get(x, 1));
    x87_finish(x, 0, r);
}

void x87_fxtract(X87 *x)
{
    bool under = x87_empty(x, 0), over = !x87_empty(x, 7);
    SfNum sig = sf_default_nan(), exp = sig, a = x87_get(x, 0);
    if (under || over) {
        if (!x87_stack_fault(x, !under)) return;
    } else {
        if (x87_special1(x, a, &sig)) {
            exp = sig;
        } else if (a.cls == SF_ZERO) {
            x->env.flags |= SF_ZE;
            sig = a;
            exp = sf_inf(true);
        } else if (a.cls == SF_INF) {
            sig = a;
            exp = sf_inf(false);
        } else {
            sig = a;
            sig.exp = 0;
            exp = sf_from_int(a.exp);
        }
        if (!x87_commit(x)) return;
    }
    x87_put(x, 0, exp);
    x87_move_top(x, -1);
    x87_put(x, 0, sig);
}

/* --- FPREM, FPREM1 ------------------------------------------------------------------------------- */

/* a mod b by n = a.exp - b.exp (0..63) shift-subtract steps; the quotient's bits come out in *quotient. */
static uint64_t modulo(uint64_t a, uint64_t b, unsigned n, uint64_t *quotient)
{
    uint64_t q = 0, rem = a;
    bool carry = false;
    for (unsigned i = 0;; i++) {
        q <<= 1;
        if (carry || rem >= b) {
            rem -= b;
            q |= 1;
        }
        if (i == n) break;
        carry = rem >> 63;
        rem <<= 1;
    }
    *quotient = q;
    return rem;
}

static SfNum normalized(bool sign, int32_t exp, uint64_t mant)
{
    if (mant == 0) return sf_zero(sign);
    int shift = __builtin_clzll(mant);
    return (SfNum){ .cls = SF_FINITE, .sign = sign, .exp = exp - shift, .mant = mant << shift };
}

static SfNum remainder_of(X87 *x, SfNum a, SfNum b, bool nearest, unsigned *cc)
{
    SfNum r;
    *cc = x->f->sw & (SW_C0 | SW_C3); /* kept when there is no quotient */
    if (x87_special2(x, a, b, &r)) return r;
    if (a.cls == SF_INF || b.cls == SF_ZERO) {
        x->env.flags &= (uint8_t)~SF_DE;
        return sf_invalid(&x->env);
    }
    *cc = 0;
    if (a.cls == SF_ZERO || b.cls == SF_INF) return sf_round_num(&x->env, &sf_f80, a);
    int32_t d = a.exp - b.exp;
    uint64_t q = 0, rem = a.mant;
    int32_t exp = a.exp;
    bool sign = a.sign;
    if (d >= 64) {
        /* Partial: reduces the exponent by 32..63, SDM 2 FPREM; which, is the implementation's. */
        unsigned n = ((unsigned)d & 31) | 32;
        *cc = SW_C2;
        rem = modulo(a.mant, b.mant, n, &q);
        r = normalized(sign, b.exp + d - (int32_t)n, rem);
        return sf_round_num(&x->env, &sf_f80, r);
    }
    if (d >= 0) {
        rem = modulo(a.mant, b.mant, (unsigned)d, &q);
        exp = b.exp;
    }
    if (nearest && rem && d >= -1) {
        /* Compare the remainder with half of b; at d = -1 it stands one exponent lower. */
        uint64_t half_cmp = d >= 0 ? b.mant - rem : 0;
        bool more = d >= 0 ? rem > half_cmp : a.mant > b.mant;
        bool tie = d >= 0 ? rem == half_cmp : a.mant == b.mant;
        if (more || (tie && (q & 1))) {
            q++;
            sign = !sign;
            if (d >= 0) {
                rem = half_cmp;
            } else {                          /* b - a with a one exponent below: 2 * b.mant - a.mant at a.exp */
                uint64_t t = b.mant - a.mant; /* modulo 2^64: 2b - a = b + (b - a) */
                rem = b.mant + t;
            }
        }
    }
    if (q & 1) *cc |= SW_C1;
    if (q & 2) *cc |= SW_C3;
    if (q & 4) *cc |= SW_C0;
    r = normalized(sign, exp, rem);
    if (r.cls == SF_ZERO) return sf_zero(a.sign);
    return sf_round_num(&x->env, &sf_f80, r);
}

/* D9 F8 FPREM (quotient truncated), D9 F5 FPREM1 (rounded to nearest). */
void x87_fprem(X87 *x)
{
    unsigned cc;
    x->f->sw &= (uint16_t)~SW_C2;
    if (x87_empty(x, 0) || x87_empty(x, 1)) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return;
    }
    SfNum r = remainder_of(x, x87_get(x, 0), x87_get(x, 1), x->modrm == 0xf5, &cc);
    if (!x87_finish(x, 0, r)) return;
    x87_set_cc(x, cc & SW_CC);
    x->f->sw = (uint16_t)((x->f->sw & ~SW_C1) | (cc & SW_C1));
}
