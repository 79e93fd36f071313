/* Exact binary floating point in integers: see softfp.h. */
#include "cpu/softfp.h"

#include <math.h>

const SfFormat sf_f32 = { 24, -126, 127 };
const SfFormat sf_f64 = { 53, -1022, 1023 };
const SfFormat sf_f80 = { 64, -16382, 16383 };

enum { WRAP_EXPONENT = 24576 };

static inline int clz64(uint64_t v)
{
    return __builtin_clzll(v);
}

/* --- 128-bit pieces ------------------------------------------------------------------------------ */

Sf128 sf_mul64(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 p = (unsigned __int128)a * b;
    return (Sf128){ (uint64_t)(p >> 64), (uint64_t)p };
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
    uint64_t mid = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;
    return (Sf128){ hh + (lh >> 32) + (hl >> 32) + (mid >> 32), mid << 32 | (uint32_t)ll };
#endif
}

uint64_t sf_div128(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rem)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 n = (unsigned __int128)hi << 64 | lo;
    *rem = (uint64_t)(n % d);
    return (uint64_t)(n / d);
#else
    /* Schoolbook division by two 32-bit digits, Knuth 2 4.3.1 algorithm D. */
    uint64_t dh = d >> 32, dl = (uint32_t)d, q = 0, r = hi;
    for (int i = 0; i < 2; i++) {
        uint64_t digit = i ? (uint32_t)lo : lo >> 32;
        uint64_t qd = r / dh, t = r - qd * dh;
        while (qd >> 32 || qd * dl > (t << 32 | digit)) {
            qd--;
            t += dh;
            if (t >> 32) break;
        }
        r = (r << 32 | digit) - qd * d;
        q = q << 32 | qd;
    }
    *rem = r;
    return q;
#endif
}

/* hi:lo shifted right by n >= 0; what falls out is kept as a sticky lowest bit. */
static Sf128 shift_right_jam(uint64_t hi, uint64_t lo, uint32_t n)
{
    if (n == 0) return (Sf128){ hi, lo };
    if (n < 64) return (Sf128){ hi >> n, hi << (64 - n) | lo >> n | ((lo << (64 - n)) != 0) };
    if (n == 64) return (Sf128){ 0, hi | (lo != 0) };
    if (n < 128) return (Sf128){ 0, hi >> (n - 64) | (((hi << (128 - n)) | lo) != 0) };
    return (Sf128){ 0, (hi | lo) != 0 };
}

/* --- formats ------------------------------------------------------------------------------------- */

static SfNum unpack_ieee(bool sign, uint32_t biased, uint64_t frac, uint32_t exp_ones, int32_t emin)
{
    /* frac is left-aligned below the integer bit. */
    SfNum n = { .sign = sign };
    if (biased == exp_ones) {
        n.mant = SF_INT_BIT | frac;
        n.cls = frac == 0 ? SF_INF : frac & SF_QUIET ? SF_QNAN : SF_SNAN;
    } else if (biased) {
        n.cls = SF_FINITE;
        n.mant = SF_INT_BIT | frac;
        n.exp = (int32_t)biased + emin - 1;
    } else if (frac) {
        int shift = clz64(frac);
        n.cls = SF_FINITE;
        n.denormal = 1;
        n.mant = frac << shift;
        n.exp = emin - shift;
    } else {
        n.cls = SF_ZERO;
    }
    return n;
}

SfNum sf_unpack32(uint32_t v)
{
    return unpack_ieee(v >> 31, v >> 23 & 0xff, (uint64_t)(v & 0x7fffff) << 40, 0xff, sf_f32.emin);
}

SfNum sf_unpack64(uint64_t v)
{
    return unpack_ieee(v >> 63, v >> 52 & 0x7ff, (v & 0xfffffffffffffu) << 11, 0x7ff, sf_f64.emin);
}

SfNum sf_unpack80(Fp80 v)
{
    uint32_t biased = v.se & 0x7fff;
    SfNum n = { .sign = v.se >> 15, .mant = v.mant };
    if (biased == 0) {
        n.cls = SF_ZERO;
        if (v.mant == 0) return n;
        int shift = clz64(v.mant);
        n.cls = SF_FINITE;
        n.denormal = 1;
        n.mant = v.mant << shift;
        n.exp = sf_f80.emin - shift;
    } else if (!(v.mant & SF_INT_BIT)) {
        n.cls = SF_UNSUPPORTED; /* unnormal, pseudo-NaN, pseudo-infinity: SDM 1 8.2.2 */
    } else if (biased == 0x7fff) {
        n.cls = v.mant == SF_INT_BIT ? SF_INF : v.mant & SF_QUIET ? SF_QNAN : SF_SNAN;
    } else {
        n.cls = SF_FINITE;
        n.exp = (int32_t)biased - 16383;
    }
    return n;
}

SfNum sf_from_int(int64_t v)
{
    if (v == 0) return sf_zero(false);
    uint64_t mag = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    int shift = clz64(mag);
    return (SfNum){ .cls = SF_FINITE, .sign = v < 0, .mant = mag << shift, .exp = 63 - shift };
}

/* Biased exponent and significand with the integer bit at 63 (0 there when denormal). */
static uint32_t split(SfNum n, const SfFormat *f, uint32_t exp_ones, uint64_t *mant)
{
    switch (n.cls) {
    case SF_ZERO: *mant = 0; return 0;
    case SF_FINITE:
        if (n.exp < f->emin) {
            uint32_t shift = (uint32_t)(f->emin - n.exp);
            *mant = shift < 64 ? n.mant >> shift : 0;
            return 0;
        }
        *mant = n.mant;
        return (uint32_t)(n.exp - f->emin + 1);
    case SF_INF: *mant = SF_INT_BIT; return exp_ones;
    default: *mant = n.mant; return exp_ones;
    }
}

uint32_t sf_pack32(SfNum n)
{
    uint64_t mant;
    uint32_t biased = split(n, &sf_f32, 0xff, &mant);
    return (uint32_t)n.sign << 31 | biased << 23 | (uint32_t)(mant << 1 >> 41);
}

uint64_t sf_pack64(SfNum n)
{
    uint64_t mant;
    uint64_t biased = split(n, &sf_f64, 0x7ff, &mant);
    return (uint64_t)n.sign << 63 | biased << 52 | mant << 1 >> 12;
}

Fp80 sf_pack80(SfNum n)
{
    Fp80 v;
    uint32_t biased = split(n, &sf_f80, 0x7fff, &v.mant);
    v.se = (uint16_t)(n.sign << 15 | biased);
    return v;
}

/* --- rounding ------------------------------------------------------------------------------------ */

typedef struct Rounded {
    uint64_t mant; /* dropped bits clear */
    bool carry;    /* went up to the next power of two: mant is 2^63 of the next exponent (or, when all
                    * bits were dropped, the unit just above) */
    bool inexact, up;
} Rounded;

/* Cuts drop (>= 0) low bits from hi, with lo below them. */
static Rounded round_at(unsigned rc, bool sign, uint64_t hi, uint64_t lo, uint32_t drop)
{
    uint64_t kept, frac, unit;
    if (drop == 0) {
        kept = hi;
        frac = lo;
        unit = 1;
    } else if (drop < 64) {
        kept = hi >> drop << drop;
        frac = hi << (64 - drop) | (lo != 0);
        unit = (uint64_t)1 << drop;
    } else {
        kept = 0;
        frac = drop == 64 ? hi | (lo != 0) : 1;
        unit = 0; /* incrementing carries */
    }
    Rounded r = { .mant = kept, .inexact = frac != 0 };
    if (!r.inexact) return r;
    switch (rc) {
    case SF_NEAREST: r.up = frac > SF_INT_BIT || (frac == SF_INT_BIT && (kept & unit)); break;
    case SF_DOWN: r.up = sign; break;
    case SF_UP: r.up = !sign; break;
    default: break;
    }
    if (r.up) {
        r.mant = kept + unit;
        if (r.mant == 0) {
            r.carry = true;
            r.mant = SF_INT_BIT;
        }
    }
    return r;
}

static SfNum make_finite(bool sign, int32_t exp, uint64_t mant)
{
    return (SfNum){ .cls = SF_FINITE, .sign = sign, .exp = exp, .mant = mant };
}

static SfNum overflowed(SfEnv *e, const SfFormat *f, bool sign, int32_t exp, uint64_t mant)
{
    e->flags |= SF_OE;
    if (!(e->masked & SF_OE)) {
        if (exp - WRAP_EXPONENT <= f->emax) return make_finite(sign, exp - WRAP_EXPONENT, mant);
        /* Out of reach even of the wrapped exponent, as only FSCALE can be. */
        e->flags |= SF_PE;
        e->up = true;
        return sf_inf(sign);
    }
    e->flags |= SF_PE;
    bool to_inf = e->rc == SF_NEAREST || e->rc == (sign ? SF_DOWN : SF_UP);
    e->up = to_inf;
    if (to_inf) return sf_inf(sign);
    return make_finite(sign, f->emax, ~(uint64_t)0 << (64 - f->prec));
}

static SfNum tiny_result(SfEnv *e, const SfFormat *f, bool sign, int32_t exp, uint64_t hi, uint64_t lo)
{
    uint32_t shift = (uint32_t)(f->emin - exp);
    uint32_t drop = 64 - (uint32_t)f->prec + shift;
    Rounded r = round_at(e->rc, sign, hi, lo, drop > 65 ? 65 : drop);
    e->up = r.up;
    if (r.inexact) e->flags |= SF_PE | SF_UE;
    if (r.mant == 0) return sf_zero(sign);
    if (drop >= 64) return make_finite(sign, f->emin - f->prec + 1, SF_INT_BIT); /* the least denormal */
    SfNum n = make_finite(sign, exp + r.carry, r.mant);
    return n;
}

SfNum sf_round(SfEnv *e, const SfFormat *f, bool sign, int32_t exp, uint64_t hi, uint64_t lo)
{
    Rounded r = round_at(e->rc, sign, hi, lo, 64 - (uint32_t)f->prec);
    int32_t rexp = exp + r.carry;
    if (rexp < f->emin) {
        if (!(e->masked & SF_UE)) {
            e->flags |= SF_UE;
            e->up = r.up;
            if (r.inexact) e->flags |= SF_PE;
            if (rexp + WRAP_EXPONENT >= f->emin) return make_finite(sign, rexp + WRAP_EXPONENT, r.mant);
            e->flags |= SF_PE;
            return sf_zero(sign);
        }
        if (e->ftz) {
            e->flags |= SF_UE | SF_PE;
            return sf_zero(sign);
        }
        return tiny_result(e, f, sign, exp, hi, lo);
    }
    if (exp < f->emin) {
        /* Not tiny, as rounding reached the least normal number; but with the bits that a denormal
         * has, it may round differently. */
        uint8_t before = e->flags & SF_UE;
        SfNum n = tiny_result(e, f, sign, exp, hi, lo);
        e->flags = (uint8_t)((e->flags & ~SF_UE) | before);
        return n;
    }
    e->up = r.up;
    if (r.inexact) e->flags |= SF_PE;
    if (rexp > f->emax) return overflowed(e, f, sign, rexp, r.mant);
    return make_finite(sign, rexp, r.mant);
}

SfNum sf_round_num(SfEnv *e, const SfFormat *f, SfNum n)
{
    return n.cls == SF_FINITE ? sf_round(e, f, n.sign, n.exp, n.mant, 0) : n;
}

SfNum sf_invalid(SfEnv *e)
{
    e->flags |= SF_IE;
    return sf_default_nan();
}

/* --- arithmetic ---------------------------------------------------------------------------------- */

static SfNum add_finite(SfEnv *e, const SfFormat *f, SfNum a, SfNum b)
{
    if (a.exp < b.exp || (a.exp == b.exp && a.mant < b.mant)) {
        SfNum t = a;
        a = b;
        b = t;
    }
    Sf128 s = shift_right_jam(b.mant, 0, (uint32_t)(a.exp - b.exp));
    uint64_t hi, lo = s.lo;
    if (a.sign == b.sign) {
        hi = a.mant + s.hi;
        if (hi >= a.mant) return sf_round(e, f, a.sign, a.exp, hi, lo);
        return sf_round(e, f, a.sign, a.exp + 1, SF_INT_BIT | hi >> 1, hi << 63 | lo >> 1 | (lo & 1));
    }
    lo = 0 - s.lo;
    hi = a.mant - s.hi - (s.lo != 0);
    if ((hi | lo) == 0) return sf_zero(e->rc == SF_DOWN);
    int shift = hi ? clz64(hi) : 64 + clz64(lo);
    if (shift >= 64) {
        hi = lo << (shift - 64);
        lo = 0;
    } else if (shift) {
        hi = hi << shift | lo >> (64 - shift);
        lo <<= shift;
    }
    return sf_round(e, f, a.sign, a.exp - shift, hi, lo);
}

SfNum sf_add(SfEnv *e, const SfFormat *f, SfNum a, SfNum b)
{
    if (a.cls == SF_INF) return b.cls == SF_INF && a.sign != b.sign ? sf_invalid(e) : a;
    if (b.cls == SF_INF) return b;
    if (a.cls == SF_ZERO && b.cls == SF_ZERO) return sf_zero(a.sign == b.sign ? a.sign : e->rc == SF_DOWN);
    if (a.cls == SF_ZERO) return sf_round_num(e, f, b);
    if (b.cls == SF_ZERO) return sf_round_num(e, f, a);
    return add_finite(e, f, a, b);
}

SfNum sf_mul(SfEnv *e, const SfFormat *f, SfNum a, SfNum b)
{
    bool sign = a.sign ^ b.sign;
    if (a.cls == SF_INF || b.cls == SF_INF) return a.cls == SF_ZERO || b.cls == SF_ZERO ? sf_invalid(e) : sf_inf(sign);
    if (a.cls == SF_ZERO || b.cls == SF_ZERO) return sf_zero(sign);
    Sf128 p = sf_mul64(a.mant, b.mant);
    int32_t exp = a.exp + b.exp;
    if (p.hi & SF_INT_BIT) return sf_round(e, f, sign, exp + 1, p.hi, p.lo);
    return sf_round(e, f, sign, exp, p.hi << 1 | p.lo >> 63, p.lo << 1);
}

SfNum sf_div(SfEnv *e, const SfFormat *f, SfNum a, SfNum b)
{
    bool sign = a.sign ^ b.sign;
    if (a.cls == SF_INF) return b.cls == SF_INF ? sf_invalid(e) : sf_inf(sign);
    if (b.cls == SF_INF) return sf_zero(sign);
    if (b.cls == SF_ZERO) {
        if (a.cls == SF_ZERO) return sf_invalid(e);
        e->flags |= SF_ZE;
        return sf_inf(sign);
    }
    if (a.cls == SF_ZERO) return sf_zero(sign);
    uint64_t rem;
    int32_t exp = a.exp - b.exp;
    if (a.mant >= b.mant) {
        uint64_t q = sf_div128(a.mant - b.mant, 0, b.mant, &rem);
        return sf_round(e, f, sign, exp, SF_INT_BIT | q >> 1, q << 63 | (rem != 0));
    }
    uint64_t q = sf_div128(a.mant, 0, b.mant, &rem);
    bool half = rem >= b.mant - rem;
    bool below = half ? rem != b.mant - rem : rem != 0;
    return sf_round(e, f, sign, exp - 1, q, (uint64_t)half << 63 | below);
}

static int cmp128(Sf128 a, Sf128 b)
{
    if (a.hi != b.hi) return a.hi < b.hi ? -1 : 1;
    return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

/* floor(sqrt(n)) for n >= 2^126: the host's estimate, one Newton step in integers, then made exact. */
static uint64_t isqrt128(Sf128 n)
{
    double est = sqrt((double)n.hi) * 4294967296.0;
    uint64_t s = est >= 18446744073709549568.0 ? ~(uint64_t)0 : (uint64_t)est;
    if (s < SF_INT_BIT) s = SF_INT_BIT;
    if (s > n.hi) {
        uint64_t rem, q = sf_div128(n.hi, n.lo, s, &rem);
        s = (s >> 1) + (q >> 1) + (s & q & 1);
    }
    while (cmp128(sf_mul64(s, s), n) > 0) s--;
    while (s != ~(uint64_t)0 && cmp128(sf_mul64(s + 1, s + 1), n) <= 0) s++;
    return s;
}

SfNum sf_sqrt(SfEnv *e, const SfFormat *f, SfNum a)
{
    if (a.cls == SF_ZERO) return a;
    if (a.sign) return sf_invalid(e);
    if (a.cls == SF_INF) return a;
    bool odd = a.exp & 1;
    Sf128 n = odd ? (Sf128){ a.mant, 0 } : (Sf128){ a.mant >> 1, a.mant << 63 };
    uint64_t s = isqrt128(n);
    Sf128 sq = sf_mul64(s, s);
    uint64_t rem_lo = n.lo - sq.lo, rem_hi = n.hi - sq.hi - (n.lo < sq.lo);
    bool half = rem_hi || rem_lo > s; /* (s + 1/2)^2 = s^2 + s + 1/4 is never hit */
    return sf_round(e, f, false, (a.exp - odd) / 2, s, (uint64_t)half << 63 | ((rem_hi | rem_lo) != 0));
}

int sf_cmp(SfNum a, SfNum b)
{
    if (a.cls == SF_ZERO && b.cls == SF_ZERO) return 0;
    if (a.cls == SF_ZERO) return b.sign ? 1 : -1;
    if (b.cls == SF_ZERO) return a.sign ? -1 : 1;
    if (a.sign != b.sign) return a.sign ? -1 : 1;
    int mag;
    if (a.cls == SF_INF || b.cls == SF_INF)
        mag = (a.cls == SF_INF) - (b.cls == SF_INF);
    else if (a.exp != b.exp)
        mag = a.exp < b.exp ? -1 : 1;
    else
        mag = a.mant == b.mant ? 0 : a.mant < b.mant ? -1 : 1;
    return a.sign ? -mag : mag;
}

/* --- integers ------------------------------------------------------------------------------------ */

SfNum sf_rint(SfEnv *e, SfNum a, unsigned rc)
{
    e->up = false;
    if (a.cls != SF_FINITE || a.exp >= 63) return a;
    int32_t drop = 63 - a.exp;
    Rounded r = round_at(rc, a.sign, a.mant, 0, drop > 65 ? 65 : (uint32_t)drop);
    if (r.inexact) e->flags |= SF_PE;
    e->up = r.up;
    if (r.mant == 0) return sf_zero(a.sign);
    if (drop >= 64) return make_finite(a.sign, 0, SF_INT_BIT); /* up to one */
    return make_finite(a.sign, a.exp + r.carry, r.mant);
}

int64_t sf_to_int(SfEnv *e, SfNum a, unsigned rc, unsigned bits)
{
    int64_t indefinite = (int64_t)(~(uint64_t)0 << (bits - 1));
    uint8_t flags = e->flags;
    SfNum n = sf_rint(e, a, rc);
    if (n.cls == SF_ZERO) return 0;
    bool fits = n.cls == SF_FINITE && n.exp < (int)bits - 1;
    if (fits) {
        uint64_t mag = n.mant >> (63 - n.exp);
        return (int64_t)(n.sign ? 0 - mag : mag);
    }
    if (n.cls == SF_FINITE && n.sign && n.exp == (int)bits - 1 && n.mant == SF_INT_BIT) return indefinite;
    e->flags = flags | SF_IE;
    e->up = false;
    return indefinite;
}
