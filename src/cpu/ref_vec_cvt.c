/* MMX and SSE reference: conversions between integers, single and double precision. */
#include "cpu/ref_vec_fp.h"

/* --- from integers ------------------------------------------------------------------------------- */

static uint32_t int_to_single(Vec *v, uint32_t bits)
{
    return sf_pack32(sf_round_num(&v->env, &sf_f32, sf_from_int((int32_t)bits)));
}
static uint64_t int_to_double(uint32_t bits)
{
    return sf_pack64(sf_from_int((int32_t)bits));
}

void vec_cvtpi2ps(Vec *v)
{
    for (int i = 0; i < 2; i++) v->d.d[i] = int_to_single(v, v->s.d[i]);
}
void vec_cvtdq2ps(Vec *v)
{
    for (int i = 0; i < 4; i++) v->d.d[i] = int_to_single(v, v->s.d[i]);
}
void vec_cvtdq2pd(Vec *v)
{
    for (int i = 0; i < 2; i++) v->d.q[i] = int_to_double(v->s.d[i]);
}
void vec_cvtsi2ss(Vec *v)
{
    v->d.d[0] = int_to_single(v, v->s.d[0]);
}
void vec_cvtsi2sd(Vec *v)
{
    v->d.q[0] = int_to_double(v->s.d[0]);
}

/* --- to integers: those with an extra T chop ------------------------------------------------------ */

static bool truncates(const Vec *v)
{
    return v->opcode == 0x2c || (v->opcode == 0x5b && v->prefix == VEC_F3) ||
           (v->opcode == 0xe6 && v->prefix == VEC_66);
}

static uint32_t to_int(Vec *v, SfNum n)
{
    return (uint32_t)sf_to_int(&v->env, n, truncates(v) ? SF_CHOP : v->env.rc, 32);
}

void vec_cvtps2pi(Vec *v)
{
    XmmReg r = { .q = { 0, 0 } };
    for (int i = 0; i < 2; i++) r.d[i] = to_int(v, vec_single(v, v->s.d[i]));
    v->d = r;
}
void vec_cvtps2dq(Vec *v)
{
    for (int i = 0; i < 4; i++) v->d.d[i] = to_int(v, vec_single(v, v->s.d[i]));
}
void vec_cvtpd2dq(Vec *v)
{
    XmmReg r = { .q = { 0, 0 } };
    for (int i = 0; i < 2; i++) r.d[i] = to_int(v, vec_double(v, v->s.q[i]));
    v->d = r;
}
void vec_cvtss2si(Vec *v)
{
    v->d.d[0] = to_int(v, vec_single(v, v->s.d[0]));
}
void vec_cvtsd2si(Vec *v)
{
    v->d.d[0] = to_int(v, vec_double(v, v->s.q[0]));
}

/* --- between precisions --------------------------------------------------------------------------- */

static SfNum convert(Vec *v, const SfFormat *f, SfNum n)
{
    if (sf_is_nan(n)) {
        if (n.cls == SF_SNAN) v->env.flags |= SF_IE;
        return sf_quiet(n);
    }
    if (n.denormal) v->env.flags |= SF_DE;
    return sf_round_num(&v->env, f, n);
}

static uint64_t widen(Vec *v, uint32_t bits)
{
    return sf_pack64(convert(v, &sf_f64, vec_single(v, bits)));
}
static uint32_t narrow(Vec *v, uint64_t bits)
{
    return sf_pack32(convert(v, &sf_f32, vec_double(v, bits)));
}

void vec_cvtps2pd(Vec *v)
{
    for (int i = 0; i < 2; i++) v->d.q[i] = widen(v, v->s.d[i]);
}
void vec_cvtpd2ps(Vec *v)
{
    XmmReg r = { .q = { 0, 0 } };
    for (int i = 0; i < 2; i++) r.d[i] = narrow(v, v->s.q[i]);
    v->d = r;
}
void vec_cvtss2sd(Vec *v)
{
    v->d.q[0] = widen(v, v->s.d[0]);
}
void vec_cvtsd2ss(Vec *v)
{
    v->d.d[0] = narrow(v, v->s.q[0]);
}
