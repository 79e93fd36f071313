/* MMX and SSE reference: floating-point arithmetic and comparison. */
#include "cpu/ref_vec_fp.h"
#include "tcg/silicon.h"

/* --- elements ------------------------------------------------------------------------------------ */

static bool is_double(const Vec *v)
{
    return v->prefix == VEC_66 || v->prefix == VEC_F2;
}
static bool is_scalar(const Vec *v)
{
    return v->prefix >= VEC_F3;
}

SfNum vec_single(Vec *v, uint32_t bits)
{
    return vec_daz(v, sf_unpack32(bits));
}
SfNum vec_double(Vec *v, uint64_t bits)
{
    return vec_daz(v, sf_unpack64(bits));
}

SfNum vec_daz(Vec *v, SfNum n)
{
    return v->env.daz && n.denormal ? sf_zero(n.sign) : n;
}

static SfNum element(Vec *v, const XmmReg *r, bool dbl, unsigned i)
{
    return dbl ? vec_double(v, r->q[i]) : vec_single(v, r->d[i]);
}

static void set_element(XmmReg *r, bool dbl, unsigned i, SfNum n)
{
    if (dbl)
        r->q[i] = sf_pack64(n);
    else
        r->d[i] = sf_pack32(n);
}

/* SDM 1 table 4-7, SSE column: the first operand, when it is a NaN. */
static bool nan_result(Vec *v, SfNum a, SfNum b, SfNum *r)
{
    if (a.cls == SF_SNAN || b.cls == SF_SNAN) v->env.flags |= SF_IE;
    if (!sf_is_nan(a) && !sf_is_nan(b)) return false;
    *r = sf_quiet(sf_is_nan(a) ? a : b);
    return true;
}

typedef SfNum BinaryOp(SfEnv *e, const SfFormat *f, SfNum a, SfNum b);

static SfNum sub(SfEnv *e, const SfFormat *f, SfNum a, SfNum b)
{
    return sf_add(e, f, a, sf_negate(b));
}

static SfNum binary(Vec *v, BinaryOp *op, bool dbl, SfNum a, SfNum b)
{
    SfNum r;
    if (nan_result(v, a, b, &r)) return r;
    uint8_t before = v->env.flags;
    v->env.flags = 0;
    r = op(&v->env, dbl ? &sf_f64 : &sf_f32, a, b);
    /* Invalid and zero-divide rank above the denormal operand: SDM 1 4.9.2. */
    if ((a.denormal || b.denormal) && !(v->env.flags & (SF_IE | SF_ZE))) v->env.flags |= SF_DE;
    v->env.flags |= before;
    return r;
}

static void each(Vec *v, BinaryOp *op)
{
    bool dbl = is_double(v);
    unsigned lanes = is_scalar(v) ? 1 : dbl ? 2 : 4;
    for (unsigned i = 0; i < lanes; i++)
        set_element(&v->d, dbl, i, binary(v, op, dbl, element(v, &v->d, dbl, i), element(v, &v->s, dbl, i)));
}

void vec_add(Vec *v)
{
    each(v, sf_add);
}
void vec_sub(Vec *v)
{
    each(v, sub);
}
void vec_mul(Vec *v)
{
    each(v, sf_mul);
}
void vec_div(Vec *v)
{
    each(v, sf_div);
}

void vec_sqrt(Vec *v)
{
    bool dbl = is_double(v);
    unsigned lanes = is_scalar(v) ? 1 : dbl ? 2 : 4;
    for (unsigned i = 0; i < lanes; i++) {
        SfNum a = element(v, &v->s, dbl, i), r;
        if (!nan_result(v, a, a, &r)) {
            if (a.denormal && !a.sign) v->env.flags |= SF_DE;
            r = sf_sqrt(&v->env, dbl ? &sf_f64 : &sf_f32, a);
        }
        set_element(&v->d, dbl, i, r);
    }
}

/* --- minimum, maximum ---------------------------------------------------------------------------- */

/* The second operand whenever there is a NaN or both are zeros. */
static void min_max(Vec *v, int wanted)
{
    bool dbl = is_double(v);
    unsigned lanes = is_scalar(v) ? 1 : dbl ? 2 : 4;
    for (unsigned i = 0; i < lanes; i++) {
        SfNum a = element(v, &v->d, dbl, i), b = element(v, &v->s, dbl, i);
        bool first = false;
        if (sf_is_nan(a) || sf_is_nan(b)) {
            v->env.flags |= SF_IE;
        } else {
            if (a.denormal || b.denormal) v->env.flags |= SF_DE;
            first = sf_cmp(a, b) == wanted;
        }
        set_element(&v->d, dbl, i, first ? a : b);
    }
}

void vec_min(Vec *v)
{
    min_max(v, -1);
}
void vec_max(Vec *v)
{
    min_max(v, 1);
}

/* --- comparison ---------------------------------------------------------------------------------- */

/* -1 0 1, or 2 unordered.  IE for SNaNs, with signaling for any NaN. */
static int compare(Vec *v, SfNum a, SfNum b, bool signaling)
{
    if (sf_is_nan(a) || sf_is_nan(b)) {
        if (signaling || a.cls == SF_SNAN || b.cls == SF_SNAN) v->env.flags |= SF_IE;
        return 2;
    }
    if (a.denormal || b.denormal) v->env.flags |= SF_DE;
    return sf_cmp(a, b);
}

void vec_cmp(Vec *v)
{
    bool dbl = is_double(v);
    unsigned lanes = is_scalar(v) ? 1 : dbl ? 2 : 4, predicate = v->imm & 7;
    bool signaling = (predicate & 3) == 1 || (predicate & 3) == 2; /* LT LE NLT NLE */
    for (unsigned i = 0; i < lanes; i++) {
        int c = compare(v, element(v, &v->d, dbl, i), element(v, &v->s, dbl, i), signaling);
        bool is[4] = { c == 0, c == -1, c == -1 || c == 0, c == 2 };
        bool yes = is[predicate & 3] != (predicate >= 4);
        if (dbl)
            v->d.q[i] = yes ? ~(uint64_t)0 : 0;
        else
            v->d.d[i] = yes ? ~(uint32_t)0 : 0;
    }
}

/* 2E UCOMISS UCOMISD, 2F COMISS COMISD. */
void vec_comis(Vec *v)
{
    bool dbl = is_double(v);
    int c = compare(v, element(v, &v->d, dbl, 0), element(v, &v->s, dbl, 0), v->opcode == 0x2f);
    v->sets_flags = true;
    v->eflags = c == 2 ? FL_ZF | FL_PF | FL_CF : c == 0 ? FL_ZF : c < 0 ? FL_CF : 0;
}

/* --- horizontal ---------------------------------------------------------------------------------- */

/* 7C HADDPS HADDPD, 7D HSUBPS HSUBPD. */
void vec_hadd(Vec *v)
{
    bool dbl = v->prefix == VEC_66;
    BinaryOp *op = v->opcode == 0x7c ? sf_add : sub;
    XmmReg d = v->d, s = v->s;
    unsigned half = dbl ? 1 : 2;
    for (unsigned i = 0; i < 2 * half; i++) {
        const XmmReg *from = i < half ? &d : &s;
        unsigned k = 2 * (i % half);
        set_element(&v->d, dbl, i, binary(v, op, dbl, element(v, from, dbl, k), element(v, from, dbl, k + 1)));
    }
}

void vec_addsub(Vec *v)
{
    bool dbl = v->prefix == VEC_66;
    for (unsigned i = 0; i < (dbl ? 2u : 4u); i++)
        set_element(&v->d, dbl, i,
                    binary(v, i & 1 ? sf_add : sub, dbl, element(v, &v->d, dbl, i), element(v, &v->s, dbl, i)));
}

/* A dot product rounds and finds exceptions in stages, each over all its elements; a stage with an unmasked
 * exception keeps the later ones from running.  True: go on. */
static bool end_stage(Vec *v, uint8_t *found)
{
    uint8_t flags = v->env.flags;
    if (flags & SF_PRE & (unsigned)~v->env.masked) flags &= SF_PRE;
    v->by_stages = true;
    v->env.flags = *found |= flags;
    bool go_on = !(*found & (unsigned)~v->env.masked);
    if (go_on) v->env.flags = 0;
    return go_on;
}

static SfNum product(Vec *v, bool dbl, unsigned i)
{
    if (!(v->imm >> (4 + i) & 1)) return sf_zero(false);
    return binary(v, sf_mul, dbl, element(v, &v->d, dbl, i), element(v, &v->s, dbl, i));
}

/* What an earlier stage left, as an operand again. */
static SfNum again(Vec *v, bool dbl, SfNum n)
{
    return dbl ? vec_double(v, sf_pack64(n)) : vec_single(v, sf_pack32(n));
}

/* The order of the operands in an element's sums shows in which NaN comes out, and is the maker's (tcg/silicon.h). */
static SfNum dot_sum(Vec *v, bool dbl, SfNum lower, SfNum higher, bool intel_swaps)
{
    bool swap = intel_swaps && !silicon()->dot_in_order;
    return swap ? binary(v, sf_add, dbl, higher, lower) : binary(v, sf_add, dbl, lower, higher);
}

void vec_dpps(Vec *v)
{
    SfNum t[4], low[2], high[2];
    uint8_t found = 0;
    for (unsigned i = 0; i < 4; i++) t[i] = product(v, false, i);
    if (!end_stage(v, &found)) return;
    for (unsigned i = 0; i < 4; i++) t[i] = again(v, false, t[i]);
    for (unsigned i = 0; i < 2; i++) {
        low[i] = dot_sum(v, false, t[0], t[1], i == 0);
        high[i] = dot_sum(v, false, t[2], t[3], i == 0);
    }
    if (!end_stage(v, &found)) return;
    for (unsigned i = 0; i < 4; i++) {
        SfNum a = again(v, false, low[i & 1]), b = again(v, false, high[i & 1]);
        SfNum sum = dot_sum(v, false, a, b, i >= 2);
        set_element(&v->d, false, i, v->imm >> i & 1 ? sum : sf_zero(false));
    }
    end_stage(v, &found);
    v->env.flags = found;
}

void vec_dppd(Vec *v)
{
    SfNum t[2];
    uint8_t found = 0;
    for (unsigned i = 0; i < 2; i++) t[i] = product(v, true, i);
    if (!end_stage(v, &found)) return;
    for (unsigned i = 0; i < 2; i++) t[i] = again(v, true, t[i]);
    for (unsigned i = 0; i < 2; i++) {
        SfNum sum = dot_sum(v, true, t[0], t[1], i == 1);
        set_element(&v->d, true, i, v->imm >> i & 1 ? sum : sf_zero(false));
    }
    end_stage(v, &found);
    v->env.flags = found;
}

/* --- rounding to integers ------------------------------------------------------------------------- */

/* 08 ROUNDPS, 09 ROUNDPD, 0A ROUNDSS, 0B ROUNDSD.  imm: 0-1 mode, 2 use MXCSR's, 3 no precision exception. */
void vec_roundp(Vec *v)
{
    bool dbl = v->opcode & 1;
    unsigned lanes = v->opcode & 2 ? 1 : dbl ? 2 : 4;
    unsigned rc = v->imm & 4 ? v->env.rc : v->imm & 3;
    for (unsigned i = 0; i < lanes; i++) {
        SfNum a = element(v, &v->s, dbl, i), r;
        if (!nan_result(v, a, a, &r)) r = sf_rint(&v->env, a, rc);
        set_element(&v->d, dbl, i, r);
    }
    if (v->imm & 8) v->env.flags &= (uint8_t)~SF_PE;
}

/* --- approximations ------------------------------------------------------------------------------- */

/* RCPPS and RSQRTPS promise a relative error of at most 1.5 * 2^-12 and raise nothing; denormals count as
 * zeros, denormal results become zeros. */
static uint32_t approximate(uint32_t bits, bool root)
{
    SfEnv e = { .masked = SF_ALL, .ftz = true };
    SfFormat f = { 13, -126, 127 };
    SfNum a = sf_unpack32(bits);
    if (sf_is_nan(a)) return sf_pack32(sf_quiet(a));
    if (a.cls == SF_ZERO || a.denormal) return sf_pack32(sf_inf(a.sign));
    if (root && a.sign) return sf_pack32(sf_default_nan());
    if (a.cls == SF_INF) return sf_pack32(sf_zero(a.sign));
    SfNum one = sf_from_int(1);
    if (root) a = sf_sqrt(&e, &sf_f32, a);
    return sf_pack32(sf_div(&e, &f, one, a));
}

static void approximate_each(Vec *v, bool root)
{
    for (unsigned i = 0; i < (v->prefix == VEC_F3 ? 1u : 4u); i++) v->d.d[i] = approximate(v->s.d[i], root);
}

void vec_rcp(Vec *v)
{
    approximate_each(v, false);
}
void vec_rsqrt(Vec *v)
{
    approximate_each(v, true);
}
