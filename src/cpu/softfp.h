/* Exact binary floating point in integers, for the x87 and SSE reference helpers.
 *
 * Hosts differ in NaN propagation, in when tininess is detected (x86: after rounding), in how they
 * flush denormals, and few have a 64-bit significand; so nothing here touches the host's FPU.
 * A number is taken apart once (SfNum), worked on with 128 bits of significand, and rounded once to
 * the precision and exponent range of the destination; packing afterwards is exact.
 * Exception bits and rounding modes have the values that both the x87 words and MXCSR use. */
#ifndef CALQUE_CPU_SOFTFP_H
#define CALQUE_CPU_SOFTFP_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/state.h"

enum { SF_IE = 1, SF_DE = 2, SF_ZE = 4, SF_OE = 8, SF_UE = 16, SF_PE = 32, SF_ALL = 63 };
enum { SF_PRE = SF_IE | SF_DE | SF_ZE }; /* found before computing: unmasked, no result */
enum { SF_NEAREST, SF_DOWN, SF_UP, SF_CHOP };

typedef enum SfClass { SF_ZERO, SF_FINITE, SF_INF, SF_QNAN, SF_SNAN, SF_UNSUPPORTED } SfClass;

/* FINITE: (-1)^sign * mant * 2^(exp - 63), bit 63 of mant set.  NaN: mant as in the 80-bit format. */
typedef struct SfNum {
    uint64_t mant;
    int32_t exp;
    uint8_t cls; /* SfClass */
    uint8_t sign;
    uint8_t denormal; /* the operand was encoded with the smallest exponent (pseudo-denormals too) */
} SfNum;

typedef struct SfEnv {
    uint8_t rc;     /* SF_NEAREST ... */
    uint8_t flags;  /* exceptions found, SF_IE ... */
    uint8_t masked; /* exceptions that are masked */
    bool ftz, daz;
    bool up; /* the last rounding increased the magnitude (C1) */
} SfEnv;

typedef struct SfFormat {
    int16_t prec; /* significand bits, the integer bit included */
    int16_t emin, emax;
} SfFormat;
extern const SfFormat sf_f32, sf_f64, sf_f80;

#define SF_QUIET   0x4000000000000000u
#define SF_INT_BIT 0x8000000000000000u

SfNum sf_unpack32(uint32_t v);
SfNum sf_unpack64(uint64_t v);
SfNum sf_unpack80(Fp80 v);
SfNum sf_from_int(int64_t v);
/* Exact: the number must have been rounded to the format (NaNs: payload cut off at the right). */
uint32_t sf_pack32(SfNum n);
uint64_t sf_pack64(SfNum n);
Fp80 sf_pack80(SfNum n);

static inline bool sf_is_nan(SfNum n)
{
    return n.cls == SF_QNAN || n.cls == SF_SNAN;
}
static inline SfNum sf_zero(bool sign)
{
    return (SfNum){ .cls = SF_ZERO, .sign = sign };
}
static inline SfNum sf_inf(bool sign)
{
    return (SfNum){ .cls = SF_INF, .sign = sign, .mant = SF_INT_BIT };
}
static inline SfNum sf_default_nan(void)
{
    return (SfNum){ .cls = SF_QNAN, .sign = 1, .mant = SF_INT_BIT | SF_QUIET };
}
static inline SfNum sf_quiet(SfNum n)
{
    n.cls = SF_QNAN;
    n.mant |= SF_QUIET;
    return n;
}
static inline SfNum sf_negate(SfNum n)
{
    n.sign ^= 1;
    return n;
}
/* The invalid-operation response: IE and the default NaN. */
SfNum sf_invalid(SfEnv *e);

/* Rounds (-1)^sign * (hi + lo / 2^64) * 2^(exp - 63) to the format, bit 63 of hi set; lo may be any value
 * whose non-zeroness and comparison with one half are right.  Sets OE UE PE and up.  An unmasked overflow or
 * underflow delivers the result with its exponent moved by 24576, as x87 registers get it (SDM 1 8.5.4);
 * for other destinations there is then no result. */
SfNum sf_round(SfEnv *e, const SfFormat *f, bool sign, int32_t exp, uint64_t hi, uint64_t lo);
SfNum sf_round_num(SfEnv *e, const SfFormat *f, SfNum n); /* also takes zeros and infinities */

/* Operands: no NaNs, nothing unsupported.  DE is the caller's business.  Invalid combinations give IE. */
SfNum sf_add(SfEnv *e, const SfFormat *f, SfNum a, SfNum b);
SfNum sf_mul(SfEnv *e, const SfFormat *f, SfNum a, SfNum b);
SfNum sf_div(SfEnv *e, const SfFormat *f, SfNum a, SfNum b); /* x/0: ZE */
SfNum sf_sqrt(SfEnv *e, const SfFormat *f, SfNum a);
int sf_cmp(SfNum a, SfNum b); /* -1 0 1 */

/* To an integral value, in rounding mode rc; PE and up. */
SfNum sf_rint(SfEnv *e, SfNum a, unsigned rc);
/* To a signed integer of the given bits (16, 32, 64); NaN and out of range: IE and the integer
 * indefinite (most negative value). */
int64_t sf_to_int(SfEnv *e, SfNum a, unsigned rc, unsigned bits);

/* 128-bit pieces, also for 32-bit hosts. */
typedef struct Sf128 {
    uint64_t hi, lo;
} Sf128;
Sf128 sf_mul64(uint64_t a, uint64_t b);
uint64_t sf_div128(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rem); /* hi < d, d has bit 63 set */

#endif
