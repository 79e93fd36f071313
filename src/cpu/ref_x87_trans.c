/* x87 reference: transcendental instructions, through GNU MPFR.
 *
 * Silicon promises less than one unit in the last place (SDM 1 8.3.10), not a certain result, so the
 * exactly rounded one serves.  Trigonometric arguments are reduced by the 66-bit pi that the processor uses
 * (SDM 1 8.3.8), which far from zero matters in every digit. */
#include "cpu/ref_x87.h"
#include "tcg/silicon.h"

#include <mpfr.h>

/* Enough for an exact 64-bit argument reduced modulo a 66-bit pi/2 from 2^63 down to the last bit. */
enum { WORK_BITS = 224 };

static void to_mpfr(mpfr_t out, SfNum a)
{
    mpfr_init2(out, WORK_BITS);
    if (a.cls == SF_ZERO) {
        mpfr_set_zero(out, a.sign ? -1 : 1);
        return;
    }
    mpfr_set_uj_2exp(out, a.mant, a.exp - 63, MPFR_RNDN);
    if (a.sign) mpfr_neg(out, out, MPFR_RNDN);
}

/* Rounds to the 80-bit format. */
static SfNum from_mpfr(X87 *x, mpfr_t v)
{
    bool sign = mpfr_signbit(v);
    if (mpfr_zero_p(v)) return sf_zero(sign);
    if (mpfr_inf_p(v)) {
        x->env.flags |= SF_OE | SF_PE;
        return sf_inf(sign);
    }
    mpfr_exp_t exp = mpfr_get_exp(v) - 1; /* v = m * 2^exp, 1 <= |m| < 2 */
    mpfr_t t;
    mpfr_init2(t, WORK_BITS);
    mpfr_abs(t, v, MPFR_RNDN);
    mpfr_mul_2si(t, t, 63 - (long)exp, MPFR_RNDN);
    uint64_t hi = mpfr_get_uj(t, MPFR_RNDZ);
    mpfr_frac(t, t, MPFR_RNDN);
    mpfr_mul_2ui(t, t, 63, MPFR_RNDN);
    uint64_t lo = mpfr_get_uj(t, MPFR_RNDZ) << 1;
    lo |= 1; /* always inexact, as silicon reports it */
    mpfr_clear(t);
    if (exp < -40000) exp = -40000; /* far below the least denormal either way */
    if (exp > 40000) exp = 40000;
    return sf_round(&x->env, &sf_f80, sign, (int32_t)exp, hi, lo);
}

/* A result of ST(0) = f(ST(0)): the unary instructions' frame.  True: *a is finite and not zero. */
static bool unary_operand(X87 *x, SfNum *a)
{
    SfNum r;
    if (x87_empty(x, 0)) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return false;
    }
    *a = x87_get(x, 0);
    if (x87_special1(x, *a, &r)) {
        x87_finish(x, 0, r);
        return false;
    }
    return true;
}

/* 2^x - 1 for -1 <= x <= 1; beyond that the result is undefined. */
void x87_f2xm1(X87 *x)
{
    SfNum a, r;
    if (!unary_operand(x, &a)) return;
    if (a.cls == SF_ZERO) {
        r = a;
    } else if (a.cls == SF_INF) {
        r = a.sign ? (SfNum){ .cls = SF_FINITE, .sign = 1, .mant = SF_INT_BIT } : a;
    } else if (a.exp > 0 || (a.exp == 0 && a.mant != SF_INT_BIT)) {
        r = a;
        x->env.flags |= SF_PE;
    } else if (a.exp == 0) {
        x->env.flags |= SF_PE; /* silicon says so of exact results, too */
        r = (SfNum){ .cls = SF_FINITE, .sign = a.sign, .exp = a.sign ? -1 : 0, .mant = SF_INT_BIT };
    } else {
        /* exp(x ln 2) - 1 keeps tiny arguments exact where 2^x - 1 would cancel. */
        mpfr_t v, ln2;
        to_mpfr(v, a);
        mpfr_init2(ln2, WORK_BITS);
        mpfr_const_log2(ln2, MPFR_RNDN);
        mpfr_mul(v, v, ln2, MPFR_RNDN);
        mpfr_expm1(v, v, MPFR_RNDN);
        r = from_mpfr(x, v);
        mpfr_clear(ln2);
        mpfr_clear(v);
    }
    x87_finish(x, 0, r);
}

/* --- two operands: result in ST(1), pop ---------------------------------------------------------- */

typedef SfNum (*BinaryFn)(X87 *x, SfNum st0, SfNum st1);

static void binary(X87 *x, BinaryFn fn)
{
    if (x87_empty(x, 0) || x87_empty(x, 1)) {
        if (!x87_stack_fault(x, false)) return;
        x87_put(x, 1, sf_default_nan());
    } else {
        SfNum a = x87_get(x, 0), b = x87_get(x, 1), r;
        if (!x87_special2(x, a, b, &r)) r = fn(x, a, b);
        if (!x87_finish(x, 1, r)) return;
    }
    x87_pop(x);
}

static SfNum invalid(X87 *x)
{
    x->env.flags &= (uint8_t)~SF_DE;
    return sf_invalid(&x->env);
}

static bool is_one(SfNum a)
{
    return a.cls == SF_FINITE && a.exp == 0 && a.mant == SF_INT_BIT;
}

/* SDM 2 table FYL2X: ST(1) * log2(ST(0)). */
static SfNum yl2x(X87 *x, SfNum a, SfNum y)
{
    if (a.sign && a.cls != SF_ZERO) return invalid(x);
    if (a.cls == SF_ZERO) {
        if (y.cls == SF_ZERO) return invalid(x);
        if (y.cls == SF_INF) return sf_inf(!y.sign);
        x->env.flags = (uint8_t)((x->env.flags & ~SF_DE) | SF_ZE);
        return sf_inf(!y.sign);
    }
    if (a.cls == SF_INF) return y.cls == SF_ZERO ? invalid(x) : sf_inf(y.sign);
    bool below = a.exp < 0;
    if (y.cls == SF_INF) return is_one(a) ? invalid(x) : sf_inf(y.sign ^ below);
    if (y.cls == SF_ZERO || is_one(a)) return sf_zero(y.sign ^ below);
    mpfr_t v, w;
    to_mpfr(v, a);
    to_mpfr(w, y);
    mpfr_log2(v, v, MPFR_RNDN);
    mpfr_mul(v, v, w, MPFR_RNDN);
    SfNum r = from_mpfr(x, v);
    mpfr_clear(v);
    mpfr_clear(w);
    return r;
}

/* ST(1) * log2(ST(0) + 1), defined for |ST(0)| <= 1 - sqrt(1/2). */
static SfNum yl2xp1(X87 *x, SfNum a, SfNum y)
{
    if (a.cls == SF_INF) {
        if (a.sign || y.cls == SF_ZERO) return invalid(x);
        return sf_inf(y.sign);
    }
    if (a.cls == SF_ZERO) return y.cls == SF_INF ? invalid(x) : sf_zero(a.sign ^ y.sign);
    if (y.cls == SF_ZERO) return sf_zero(a.sign ^ y.sign);
    if (y.cls == SF_INF) return sf_inf(a.sign ^ y.sign);
    if (a.sign && a.exp >= 0) { /* undefined: silicon gives ST(0) back */
        x->env.flags |= SF_PE;
        return a;
    }
    mpfr_t v, w;
    to_mpfr(v, a);
    to_mpfr(w, y);
    mpfr_log1p(v, v, MPFR_RNDN);
    mpfr_mul(v, v, w, MPFR_RNDN);
    mpfr_const_log2(w, MPFR_RNDN);
    mpfr_div(v, v, w, MPFR_RNDN);
    SfNum r = from_mpfr(x, v);
    mpfr_clear(v);
    mpfr_clear(w);
    return r;
}

/* Sine and arctangent of a tiny number are just below it.  At the least normal number that shows: one maker's processors
 * take it for an underflow where they do not round up, another's for the number itself (tcg/silicon.h). */
static mpfr_rnd_t below(void)
{
    return silicon()->sine_below ? MPFR_RNDZ : MPFR_RNDN;
}

/* The angle of (x = ST(0), y = ST(1)), SDM 2 table FPATAN. */
static SfNum patan(X87 *x, SfNum a, SfNum y)
{
    if (y.cls == SF_ZERO && !a.sign) return y;
    if (y.cls != SF_INF && a.cls == SF_INF && !a.sign) return sf_zero(y.sign);
    mpfr_t v, w;
    if (a.cls == SF_INF || y.cls == SF_INF) {
        to_mpfr(v, sf_zero(false));
        to_mpfr(w, sf_zero(false));
        if (a.cls == SF_INF) mpfr_set_inf(v, a.sign ? -1 : 1);
        if (y.cls == SF_INF) mpfr_set_inf(w, y.sign ? -1 : 1);
        if (y.cls != SF_INF && y.sign) mpfr_neg(w, w, MPFR_RNDN);
    } else {
        to_mpfr(v, a);
        to_mpfr(w, y);
    }
    mpfr_atan2(v, w, v, below());
    SfNum r = from_mpfr(x, v);
    mpfr_clear(v);
    mpfr_clear(w);
    return r;
}

void x87_fyl2x(X87 *x)
{
    binary(x, yl2x);
}
void x87_fyl2xp1(X87 *x)
{
    binary(x, yl2xp1);
}
void x87_fpatan(X87 *x)
{
    binary(x, patan);
}

/* --- trigonometry -------------------------------------------------------------------------------- */

/* v modulo pi/2 into [-pi/4, pi/4], by the processor's pi; returns the quadrant 0..3. */
static unsigned reduce(mpfr_t v)
{
    mpfr_t half_pi;
    long q = 0;
    mpfr_init2(half_pi, 80);
    mpfr_set_uj_2exp(half_pi, 0xc90fdaa22168c234u, -63, MPFR_RNDN);
    mpfr_t low;
    mpfr_init2(low, 80);
    mpfr_set_ui_2exp(low, 3, -65, MPFR_RNDN); /* the last two bits of ...C234C */
    mpfr_add(half_pi, half_pi, low, MPFR_RNDN);
    mpfr_remquo(v, &q, v, half_pi, MPFR_RNDN);
    mpfr_clear(low);
    mpfr_clear(half_pi);
    return (unsigned)q & 3;
}

enum { SINE, COSINE };

static SfNum sin_or_cos(X87 *x, mpfr_t reduced, unsigned quadrant, int which)
{
    mpfr_rnd_t towards = below();
    mpfr_t t;
    mpfr_init2(t, WORK_BITS);
    if ((quadrant + (unsigned)which) & 1)
        mpfr_cos(t, reduced, towards);
    else
        mpfr_sin(t, reduced, towards);
    if ((quadrant + (unsigned)which) & 2) mpfr_neg(t, t, MPFR_RNDN);
    SfNum r = from_mpfr(x, t);
    mpfr_clear(t);
    return r;
}

static bool out_of_range(X87 *x, SfNum a)
{
    if (a.cls != SF_FINITE || a.exp < 63) return false;
    x->f->sw |= SW_C2;
    return true;
}

static SfNum one(void)
{
    return (SfNum){ .cls = SF_FINITE, .mant = SF_INT_BIT };
}

/* D9 FB FSINCOS and D9 F2 FPTAN push a second result. */
static void pair(X87 *x, bool tangent)
{
    SfNum a = x87_get(x, 0), first = sf_default_nan(), second = first;
    bool under = x87_empty(x, 0), over = !x87_empty(x, 7);
    x->f->sw &= (uint16_t)~SW_C2;
    if (under || over) {
        if (!x87_stack_fault(x, !under)) return;
    } else {
        if (x87_special1(x, a, &first)) {
            second = first;
        } else if (a.cls == SF_INF) {
            first = second = sf_invalid(&x->env);
        } else if (a.cls == SF_ZERO) {
            first = a;
            second = one();
        } else {
            if (out_of_range(x, a)) {
                x->env.flags = 0;
                return;
            }
            mpfr_t v;
            to_mpfr(v, a);
            unsigned quadrant = reduce(v);
            if (tangent) {
                mpfr_tan(v, v, MPFR_RNDN);
                if (quadrant & 1) {
                    mpfr_ui_div(v, 1, v, MPFR_RNDN);
                    mpfr_neg(v, v, MPFR_RNDN);
                }
                first = from_mpfr(x, v);
                second = one();
            } else {
                second = sin_or_cos(x, v, quadrant, COSINE);
                first = sin_or_cos(x, v, quadrant, SINE);
            }
            mpfr_clear(v);
        }
        if (!x87_commit(x)) return;
    }
    x87_put(x, 0, first);
    x87_move_top(x, -1);
    x87_put(x, 0, second);
}

void x87_fptan(X87 *x)
{
    pair(x, true);
}

/* D9 FE FSIN, D9 FF FCOS, D9 FB FSINCOS */
void x87_fsincos(X87 *x)
{
    if (x->modrm == 0xfb) {
        pair(x, false);
        return;
    }
    SfNum a, r;
    int which = x->modrm == 0xff ? COSINE : SINE;
    x->f->sw &= (uint16_t)~SW_C2;
    if (!unary_operand(x, &a)) return;
    if (a.cls == SF_INF) {
        r = sf_invalid(&x->env);
    } else if (a.cls == SF_ZERO) {
        r = which == SINE ? a : one();
    } else {
        if (out_of_range(x, a)) return;
        mpfr_t v;
        to_mpfr(v, a);
        unsigned quadrant = reduce(v);
        r = sin_or_cos(x, v, quadrant, which);
        mpfr_clear(v);
    }
    x87_finish(x, 0, r);
}
