/* Shifts and rotates (SDM 2: RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD).
 *
 * Counts are masked to 5 bits for every width; a count of 0 changes nothing, flags included.
 * Where the manual leaves OF undefined (counts above 1) it is, as on current processors, what a count of 1 would have
 * made of the old value; AF is 0; 16-bit SHLD and SHRD by more than 16 shift in the destination's own bits, as Intel processors do. */
#include "backend/interp/interp.h"

typedef struct Shifted {
    uint32_t value;
    unsigned cc; /* of those it writes */
} Shifted;

static inline uint32_t sign_extend(uint32_t v, unsigned bits)
{
    return (uint32_t)((int32_t)(v << (32 - bits)) >> (32 - bits));
}

/* OF of d moved left by 1: whether its two highest bits differ. */
static inline unsigned of_left(uint32_t d, unsigned bits)
{
    return ((d >> (bits - 1) ^ d >> (bits - 2)) & 1) * CC_OF;
}

/* OF of d moved right by 1 with `in` coming in at the top. */
static inline unsigned of_right(uint32_t d, unsigned in, unsigned bits)
{
    return ((d >> (bits - 1) ^ in) & 1) * CC_OF;
}

static inline Shifted shl(uint32_t d, unsigned n, unsigned bits)
{
    uint64_t wide = (uint64_t)d << n;
    unsigned cf = wide >> bits & 1;
    return (Shifted){ (uint32_t)wide, cc_szp((uint32_t)wide, bits) | cf * CC_CF | of_left(d, bits) };
}

static inline Shifted shr(uint32_t d, unsigned n, unsigned bits)
{
    uint32_t r = (uint32_t)((uint64_t)d >> n);
    unsigned cf = d >> (n - 1) & 1, of = d >> (bits - 1) & 1;
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of * CC_OF };
}

static inline Shifted sar(uint32_t d, unsigned n, unsigned bits)
{
    uint32_t s = sign_extend(d, bits), r = (uint32_t)((int32_t)s >> n);
    return (Shifted){ r, cc_szp(r, bits) | (uint32_t)((int32_t)s >> (n - 1) & 1) * CC_CF };
}

static inline Shifted rol(uint32_t d, unsigned n, unsigned bits)
{
    n &= bits - 1;
    uint32_t r = n ? d << n | d >> (bits - n) : d;
    return (Shifted){ r, (r & 1) * CC_CF | of_left(d, bits) };
}

static inline Shifted ror(uint32_t d, unsigned n, unsigned bits)
{
    n &= bits - 1;
    uint32_t r = n ? d >> n | d << (bits - n) : d;
    unsigned msb = r >> (bits - 1) & 1;
    return (Shifted){ r, msb * CC_CF | of_right(d, d, bits) };
}

/* Through carry: a rotation of bits + 1 bits; a whole one keeps OF. */
static inline Shifted rcl(uint32_t d, unsigned n, unsigned bits, unsigned cc)
{
    uint64_t w = (uint64_t)(cc >> 8 & 1) << bits | d, mask = ((uint64_t)2 << bits) - 1;
    unsigned of = cc & CC_OF;
    n %= bits + 1;
    if (n) w = (w << n | w >> (bits + 1 - n)) & mask, of = of_left(d, bits);
    return (Shifted){ (uint32_t)w, (w >> bits & 1) * CC_CF | of };
}

static inline Shifted rcr(uint32_t d, unsigned n, unsigned bits, unsigned cc)
{
    uint64_t w = (uint64_t)(cc >> 8 & 1) << bits | d, mask = ((uint64_t)2 << bits) - 1;
    unsigned of = cc & CC_OF;
    n %= bits + 1;
    if (n) w = (w >> n | w << (bits + 1 - n)) & mask, of = of_right(d, cc >> 8, bits);
    return (Shifted){ (uint32_t)w, (w >> bits & 1) * CC_CF | of };
}

static inline Shifted shld(uint32_t d, uint32_t a, unsigned n, unsigned bits)
{
    /* The bits in line, most significant first: d : a (: d for the 16-bit form), 64 of them. */
    uint64_t w = bits == 32 ? (uint64_t)d << 32 | a : (uint64_t)d << 48 | (uint64_t)a << 32 | (uint64_t)d << 16;
    uint32_t r = (uint32_t)((w << n) >> (64 - bits));
    unsigned cf = (unsigned)(w >> (64 - n) & 1);
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of_left(d, bits) };
}

static inline Shifted shrd(uint32_t d, uint32_t a, unsigned n, unsigned bits)
{
    uint64_t w = bits == 32 ? (uint64_t)a << 32 | d : (uint64_t)d << 32 | (uint64_t)a << 16 | d;
    uint32_t r = (uint32_t)(w >> n);
    unsigned cf = (unsigned)(w >> (n - 1) & 1);
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of_right(d, a, bits) };
}

enum { WRITES_ALL = 0, WRITES_CFOF = 0xffff & ~(CC_CF | CC_OF) }; /* flags kept */

/* CALL computes s from d, n (not 0) and bits. */
#define SHIFT_FN(NAME, T, COUNT, CALL, KEEP)                                                                           \
    static const Op *NAME##_##T##_n(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        unsigned n = *(const uint8_t *)(COUNT)&31, bits = 8 * sizeof(T);                                               \
        uint32_t d = *(const T *)op->d;                                                                                \
        if (n) *(T *)op->d = (T)CALL.value;                                                                            \
        NEXT(op);                                                                                                      \
    }                                                                                                                  \
    static const Op *NAME##_##T##_f(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        unsigned n = *(const uint8_t *)(COUNT)&31, bits = 8 * sizeof(T);                                               \
        uint32_t d = *(const T *)op->d;                                                                                \
        if (n) {                                                                                                       \
            Shifted s = CALL;                                                                                          \
            *(T *)op->d = (T)s.value;                                                                                  \
            cpu->cc = (uint16_t)((cpu->cc & KEEP) | s.cc);                                                             \
        }                                                                                                              \
        NEXT(op);                                                                                                      \
    }
#define SHIFT_LIST(T)                                                                                                  \
    SHIFT_FN(rol, T, op->a, rol(d, n, bits), WRITES_CFOF)                                                              \
    SHIFT_FN(ror, T, op->a, ror(d, n, bits), WRITES_CFOF)                                                              \
    SHIFT_FN(rcl, T, op->a, rcl(d, n, bits, cpu->cc), WRITES_CFOF)                                                     \
    SHIFT_FN(rcr, T, op->a, rcr(d, n, bits, cpu->cc), WRITES_CFOF)                                                     \
    SHIFT_FN(shl, T, op->a, shl(d, n, bits), WRITES_ALL)                                                               \
    SHIFT_FN(shr, T, op->a, shr(d, n, bits), WRITES_ALL)                                                               \
    SHIFT_FN(sar, T, op->a, sar(d, n, bits), WRITES_ALL)
SHIFT_LIST(uint8_t)
SHIFT_LIST(uint16_t)
SHIFT_LIST(uint32_t)
SHIFT_FN(shld, uint16_t, op->b, shld(d, *(const uint16_t *)op->a, n, bits), WRITES_ALL)
SHIFT_FN(shld, uint32_t, op->b, shld(d, *(const uint32_t *)op->a, n, bits), WRITES_ALL)
SHIFT_FN(shrd, uint16_t, op->b, shrd(d, *(const uint16_t *)op->a, n, bits), WRITES_ALL)
SHIFT_FN(shrd, uint32_t, op->b, shrd(d, *(const uint32_t *)op->a, n, bits), WRITES_ALL)

#define PAIR(NAME, T)                                                                                                  \
    {                                                                                                                  \
        NAME##_##T##_n, NAME##_##T##_f                                                                                 \
    }
#define ROW(NAME)                                                                                                      \
    {                                                                                                                  \
        PAIR(NAME, uint8_t), PAIR(NAME, uint16_t), PAIR(NAME, uint32_t)                                                \
    }

static Handler *const table[IR_SHRD - IR_ROL + 1][3][2] = {
    [IR_ROL - IR_ROL] = ROW(rol),
    [IR_ROR - IR_ROL] = ROW(ror),
    [IR_RCL - IR_ROL] = ROW(rcl),
    [IR_RCR - IR_ROL] = ROW(rcr),
    [IR_SHL - IR_ROL] = ROW(shl),
    [IR_SHR - IR_ROL] = ROW(shr),
    [IR_SAR - IR_ROL] = ROW(sar),
    [IR_SHLD - IR_ROL] = { { NULL, NULL }, PAIR(shld, uint16_t), PAIR(shld, uint32_t) },
    [IR_SHRD - IR_ROL] = { { NULL, NULL }, PAIR(shrd, uint16_t), PAIR(shrd, uint32_t) },
};

Handler *interp_shift(unsigned ir_op, unsigned width, unsigned variant)
{
    if (ir_op < IR_ROL || ir_op > IR_SHRD || variant > VAR_FLAGS) return NULL;
    return table[ir_op - IR_ROL][width_log2(width)][variant];
}
