/* Random numbers and operands near the edges: carries, sign limits, powers of two; for x87 and SSE zeros, denormals,
 * infinities, NaNs of both kinds, unsupported encodings, halves between integers. */
#include "silicon.h"

#include <string.h>

#include "cpu/fpu.h"

uint64_t rng64(Rng *r)
{
    uint64_t z = r->s += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
Rng rng_for(uint64_t seed, uint64_t number)
{
    Rng r = { seed * 0xd1342543de82ef95u + 0x2545f4914f6cdd1du };
    r.s = rng64(&r) ^ number * 0xa0761d6478bd642fu;
    rng64(&r);
    return r;
}
uint32_t rng_below(Rng *r, uint32_t n)
{
    return (uint32_t)((rng64(r) >> 32) * n >> 32);
}

uint32_t rng_edge32(Rng *r)
{
    static const uint32_t edges[] = {
        0,          1,          2,          3,          7,          8,          0x0f,       0x1f,
        0x20,       0x7f,       0x80,       0xff,       0x100,      0x7fff,     0x8000,     0xffff,
        0x10000,    0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0xffff8000, 0xffffff80,
        0x00ff00ff, 0x80008000, 0x99,       0x9a,       0x0a,
    };
    uint32_t x = (uint32_t)rng64(r);
    switch (rng_below(r, 8)) {
    case 0:
    case 1: return edges[rng_below(r, sizeof edges / sizeof *edges)];
    case 2: return 1u << (x & 31);
    case 3: return (1u << (x & 31)) - 1;
    case 4: return x & 0xff;
    case 5: return (uint32_t) - (int32_t)(x & 0xff);
    default: return x;
    }
}

void rng_edge_bytes(Rng *r, uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i += 4) {
        uint32_t x = rng_edge32(r);
        memcpy(p + i, &x, n - i < 4 ? n - i : 4);
    }
}

/* --- floating point ------------------------------------------------------------------------------------- */

/* sign, exponent and fraction in a format of ebits and fbits (fbits without the leading one) */
static uint64_t ieee(Rng *r, unsigned ebits, unsigned fbits)
{
    uint64_t emax = (1u << ebits) - 1, bias = emax >> 1, fmask = ((uint64_t)1 << fbits) - 1;
    uint64_t e, f = rng64(r) & fmask, sign = rng64(r) & 1;
    switch (rng_below(r, 16)) {
    case 0: e = 0, f = 0; break; /* zero */
    case 1: e = 0; break;        /* denormal */
    case 2: e = 0, f = chance(r, 50) ? 1 : fmask; break;
    case 3: e = emax, f = 0; break;                                       /* infinity */
    case 4: e = emax, f |= (uint64_t)1 << (fbits - 1); break;             /* quiet NaN */
    case 5: e = emax, f = (f & (fmask >> 1)) | 1; break;                  /* signalling NaN */
    case 6: e = emax - 1, f = chance(r, 50) ? fmask : f; break;           /* largest */
    case 7: e = 1 + rng_below(r, 2), f = chance(r, 50) ? 0 : f; break;    /* smallest normal */
    case 8: e = bias, f = 0; break;                                       /* one */
    case 9: e = bias + rng_below(r, 4), f &= fmask << (fbits - 3); break; /* small, with few bits */
    case 10: e = bias + rng_below(r, 70), f &= ~(uint64_t)0xf; break;     /* integers and their limits */
    case 11: e = bias + 14 + rng_below(r, 3) + 16 * rng_below(r, 4), f = chance(r, 50) ? 0 : fmask; break;
    case 12: e = bias - 1, f = chance(r, 50) ? 0 : f; break; /* halves */
    default: e = rng64(r) % (emax + 1); break;
    }
    if (e > emax) e = emax - 1;
    return sign << (ebits + fbits) | e << fbits | (f & fmask);
}

static void extended(Rng *r, uint8_t *p)
{
    uint64_t mant = (uint64_t)1 << 63 | rng64(r);
    uint32_t se = rng_below(r, 0x8000);
    switch (rng_below(r, 20)) {
    case 0: se = 0, mant = 0; break;
    case 1: se = 0x3fff, mant = (uint64_t)1 << 63; break;
    case 2: se = 0x7fff, mant = (uint64_t)1 << 63; break;                /* infinity */
    case 3: se = 0x7fff, mant |= (uint64_t)1 << 62; break;               /* quiet NaN */
    case 4: se = 0x7fff, mant &= ~((uint64_t)1 << 62), mant |= 1; break; /* signalling NaN */
    case 5: se = 0, mant &= ~((uint64_t)1 << 63); break;                 /* denormal */
    case 6: se = 0; break;                                               /* pseudo-denormal */
    case 7: mant &= ~((uint64_t)1 << 63); break;                         /* unnormal: invalid */
    case 8: se = 0x7fff, mant = chance(r, 50) ? 0 : mant >> 2; break;    /* pseudo-infinity, pseudo-NaN: invalid */
    case 9: se = 0x7ffe, mant = ~(uint64_t)0; break;
    case 10: se = 1, mant = chance(r, 50) ? (uint64_t)1 << 63 : mant; break;
    case 11: se = 0x3fff + rng_below(r, 66), mant &= ~(uint64_t)0 << rng_below(r, 64); break;
    case 12: se = 0x3ffe + rng_below(r, 3), mant &= ~(uint64_t)0 << 61; break;
    case 13: se = 0x3fff + 128 * (rng_below(r, 3) - 1) + rng_below(r, 3) - 1; break;  /* limits of single */
    case 14: se = 0x3fff + 1024 * (rng_below(r, 3) - 1) + rng_below(r, 3) - 1; break; /* limits of double */
    case 15: se = 0x3fff + rng_below(r, 8), mant = 0xc90fdaa22168c235u; break;        /* multiples of pi */
    case 16: se = 0x3fff - rng_below(r, 40); break;
    case 17: se = 0x3fff + rng_below(r, 40); break;
    default: break;
    }
    se = (se & 0x7fff) | (rng64(r) & 1) << 15;
    memcpy(p, &mant, 8);
    memcpy(p + 8, &se, 2);
}

void rng_fp_operand(Rng *r, uint8_t *p, unsigned n)
{
    if (n == 10) {
        if (chance(r, 25)) { /* packed decimal for FBLD */
            for (unsigned i = 0; i < 9; i++) p[i] = (uint8_t)(rng_below(r, 10) | rng_below(r, 10) << 4);
            p[9] = (uint8_t)(rng64(r) & 0x80);
        } else {
            extended(r, p);
        }
        return;
    }
    unsigned kind = rng_below(r, 4);
    if (n < 4 || kind == 0) {
        rng_edge_bytes(r, p, n);
    } else if (n == 4 || kind == 1) {
        for (unsigned i = 0; i + 4 <= n; i += 4) {
            uint32_t x = (uint32_t)ieee(r, 8, 23);
            memcpy(p + i, &x, 4);
        }
    } else {
        for (unsigned i = 0; i + 8 <= n; i += 8) {
            uint64_t x = ieee(r, 11, 52);
            memcpy(p + i, &x, 8);
        }
    }
}

static void control_words(Rng *r, bool wild, uint16_t *cw, uint16_t *sw, uint32_t *mxcsr)
{
    static const uint8_t precision[8] = { 3, 3, 3, 2, 2, 0, 0, 1 };
    *cw = (uint16_t)(CW_ALWAYS | precision[rng_below(r, 8)] << CW_PC_SHIFT | rng_below(r, 4) << CW_RC_SHIFT);
    *cw |= wild && chance(r, 25) ? (uint16_t)rng_below(r, 64) : CW_EXC;
    *sw = (uint16_t)(rng_below(r, 8) << SW_TOP_SHIFT | (chance(r, 50) ? rng64(r) & SW_CC : 0));
    if (chance(r, 25)) *sw |= (uint16_t)(rng64(r) & (SW_EXC | SW_SF | SW_C1));
    if (!(wild && chance(r, 20))) *sw &= (uint16_t)(~SW_EXC | (*cw & CW_EXC)); /* mostly nothing pending */
    if (*sw & ~*cw & SW_EXC) *sw |= SW_ES | SW_B;
    *mxcsr = MXCSR_RESET | rng_below(r, 4) << MXCSR_RC_SHIFT;
    if (chance(r, 25)) *mxcsr |= (uint32_t)rng64(r) & (MXCSR_FTZ | MXCSR_DAZ);
    if (chance(r, 25)) *mxcsr |= rng_below(r, 64);
    if (wild && chance(r, 20)) *mxcsr &= ~(rng_below(r, 64) << MXCSR_MASK_SHIFT);
}

void rng_fpu(Rng *r, uint8_t *fx, bool wild)
{
    uint16_t cw, sw, fop = (uint16_t)rng_below(r, 0x800);
    uint32_t mxcsr, fip = rng_edge32(r), fdp = rng_edge32(r), mask = MXCSR_MASK;
    control_words(r, wild, &cw, &sw, &mxcsr);
    memset(fx, 0, 512);
    memcpy(fx, &cw, 2);
    memcpy(fx + 2, &sw, 2);
    fx[4] = chance(r, 40) ? 0xff : (uint8_t)rng64(r);
    memcpy(fx + 6, &fop, 2);
    memcpy(fx + 8, &fip, 4);
    memcpy(fx + 16, &fdp, 4);
    memcpy(fx + 24, &mxcsr, 4);
    memcpy(fx + 28, &mask, 4);
    for (unsigned i = 0; i < 8; i++) {
        if (chance(r, 20)) { /* as an MMX instruction leaves it */
            rng_edge_bytes(r, fx + 32 + 16 * i, 8);
            memset(fx + 40 + 16 * i, 0xff, 2);
        } else {
            extended(r, fx + 32 + 16 * i);
        }
        rng_fp_operand(r, fx + 160 + 16 * i, 16);
    }
}
