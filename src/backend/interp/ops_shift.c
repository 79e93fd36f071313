/* Shifts and rotates (SDM 2: RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD).
 *
 * Counts are masked to 5 bits for every width; a count of 0 changes nothing, flags included.
 * What the manual leaves undefined (OF for counts above 1, AF, 16-bit SHLD and SHRD by more than 16) is as tcg/silicon.h
 * has it, in two sets of functions. */
#include "backend/interp/interp.h"
#include "tcg/silicon.h"

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

/* Undefined flags: here and below, s is SILICON_INTEL or SILICON_AMD, a constant in each function that is made of these.
 * OF of d moved left by any number; what became of it is in wide, the carry at bit `bits`. */
static inline unsigned of_lefts(uint32_t d, uint64_t wide, unsigned bits, unsigned s)
{
    return s == SILICON_AMD ? (unsigned)((wide >> bits ^ wide >> (bits - 1)) & 1) * CC_OF : of_left(d, bits);
}

/* OF of d moved right by any number, with `in` the first to come in; r is the result. */
static inline unsigned of_rights(uint32_t d, unsigned in, uint32_t r, unsigned bits, unsigned s)
{
    return s == SILICON_AMD ? of_left(r, bits) : of_right(d, in, bits);
}

static inline unsigned af(unsigned s)
{
    return s == SILICON_AMD ? CC_AF : 0;
}

static inline Shifted shl(uint32_t d, unsigned n, unsigned bits, unsigned s)
{
    uint64_t wide = (uint64_t)d << n;
    unsigned cf = wide >> bits & 1;
    return (Shifted){ (uint32_t)wide, cc_szp((uint32_t)wide, bits) | cf * CC_CF | of_lefts(d, wide, bits, s) | af(s) };
}

static inline Shifted shr(uint32_t d, unsigned n, unsigned bits, unsigned s)
{
    uint32_t r = (uint32_t)((uint64_t)d >> n);
    unsigned cf = d >> (n - 1) & 1;
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of_rights(d, 0, r, bits, s) | af(s) };
}

static inline Shifted sar(uint32_t d, unsigned n, unsigned bits, unsigned s)
{
    uint32_t x = sign_extend(d, bits), r = (uint32_t)((int32_t)x >> n);
    return (Shifted){ r, cc_szp(r, bits) | (uint32_t)((int32_t)x >> (n - 1) & 1) * CC_CF | af(s) };
}

static inline Shifted rol(uint32_t d, unsigned n, unsigned bits, unsigned s)
{
    n &= bits - 1;
    uint32_t r = n ? d << n | d >> (bits - n) : d;
    uint64_t wide = (uint64_t)(r & 1) << bits | (r & (uint32_t)((1ull << bits) - 1));
    return (Shifted){ r, (r & 1) * CC_CF | of_lefts(d, wide, bits, s) };
}

static inline Shifted ror(uint32_t d, unsigned n, unsigned bits, unsigned s)
{
    n &= bits - 1;
    uint32_t r = n ? d >> n | d << (bits - n) : d;
    unsigned msb = r >> (bits - 1) & 1;
    return (Shifted){ r, msb * CC_CF | of_rights(d, d, r, bits, s) };
}

/* Through carry: a rotation of bits + 1 bits. */
static inline Shifted rcl(uint32_t d, unsigned n, unsigned bits, unsigned cc, unsigned s)
{
    uint64_t w = (uint64_t)(cc >> 8 & 1) << bits | d, mask = ((uint64_t)2 << bits) - 1;
    n %= bits + 1;
    if (n) w = (w << n | w >> (bits + 1 - n)) & mask;
    unsigned of = n || s == SILICON_AMD ? of_lefts(d, w, bits, s) : cc & CC_OF;
    return (Shifted){ (uint32_t)w, (w >> bits & 1) * CC_CF | of };
}

static inline Shifted rcr(uint32_t d, unsigned n, unsigned bits, unsigned cc, unsigned s)
{
    uint64_t w = (uint64_t)(cc >> 8 & 1) << bits | d, mask = ((uint64_t)2 << bits) - 1;
    n %= bits + 1;
    if (n) w = (w >> n | w << (bits + 1 - n)) & mask;
    unsigned of = n || s == SILICON_AMD ? of_rights(d, cc >> 8, (uint32_t)w, bits, s) : cc & CC_OF;
    return (Shifted){ (uint32_t)w, (w >> bits & 1) * CC_CF | of };
}

/* What follows d and a in the 16-bit forms. */
static inline uint32_t third(uint32_t d, uint32_t a, unsigned s)
{
    return s == SILICON_AMD ? a : d;
}

static inline Shifted shld(uint32_t d, uint32_t a, unsigned n, unsigned bits, unsigned s)
{
    /* The bits in line, most significant first: d : a (: another 16 for the 16-bit form), 64 of them. */
    uint64_t w =
        bits == 32 ? (uint64_t)d << 32 | a : (uint64_t)d << 48 | (uint64_t)a << 32 | (uint64_t)third(d, a, s) << 16;
    uint64_t alone = (uint64_t)d << n; /* as SHL has it */
    uint32_t r = (uint32_t)((w << n) >> (64 - bits));
    unsigned cf = (unsigned)(s == SILICON_AMD ? alone >> bits & 1 : w >> (64 - n) & 1);
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of_lefts(d, alone, bits, s) | af(s) };
}

static inline Shifted shrd(uint32_t d, uint32_t a, unsigned n, unsigned bits, unsigned s)
{
    uint64_t w = bits == 32 ? (uint64_t)a << 32 | d : (uint64_t)third(d, a, s) << 32 | (uint64_t)a << 16 | d;
    uint32_t r = (uint32_t)(w >> n);
    unsigned cf = (unsigned)((s == SILICON_AMD ? d : w) >> (n - 1) & 1);
    return (Shifted){ r, cc_szp(r, bits) | cf * CC_CF | of_rights(d, a, r, bits, s) | af(s) };
}

enum { WRITES_ALL = 0, WRITES_CFOF = 0xffff & ~(CC_CF | CC_OF) }; /* flags kept */

/* CALL computes the Shifted from d, n (not 0), bits and s. */
#define SHIFT_FN(NAME, T, S, COUNT, CALL, KEEP)                                                                        \
    static const Op *NAME##_##T##_n(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        const unsigned n = *(const uint8_t *)(COUNT)&31, bits = 8 * sizeof(T), s = S;                                  \
        uint32_t d = *(const T *)op->d;                                                                                \
        if (n) *(T *)op->d = (T)CALL.value;                                                                            \
        NEXT(op);                                                                                                      \
    }                                                                                                                  \
    static const Op *NAME##_##T##_f(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        const unsigned n = *(const uint8_t *)(COUNT)&31, bits = 8 * sizeof(T), s = S;                                  \
        uint32_t d = *(const T *)op->d;                                                                                \
        if (n) {                                                                                                       \
            Shifted r = CALL;                                                                                          \
            *(T *)op->d = (T)r.value;                                                                                  \
            cpu->cc = (uint16_t)((cpu->cc & KEEP) | r.cc);                                                             \
        }                                                                                                              \
        NEXT(op);                                                                                                      \
    }
#define SHIFT_LIST(MAKER, T, S)                                                                                        \
    SHIFT_FN(rol_##MAKER, T, S, op->a, rol(d, n, bits, s), WRITES_CFOF)                                                \
    SHIFT_FN(ror_##MAKER, T, S, op->a, ror(d, n, bits, s), WRITES_CFOF)                                                \
    SHIFT_FN(rcl_##MAKER, T, S, op->a, rcl(d, n, bits, cpu->cc, s), WRITES_CFOF)                                       \
    SHIFT_FN(rcr_##MAKER, T, S, op->a, rcr(d, n, bits, cpu->cc, s), WRITES_CFOF)                                       \
    SHIFT_FN(shl_##MAKER, T, S, op->a, shl(d, n, bits, s), WRITES_ALL)                                                 \
    SHIFT_FN(shr_##MAKER, T, S, op->a, shr(d, n, bits, s), WRITES_ALL)                                                 \
    SHIFT_FN(sar_##MAKER, T, S, op->a, sar(d, n, bits, s), WRITES_ALL)
#define DOUBLE_LIST(MAKER, T, S)                                                                                       \
    SHIFT_FN(shld_##MAKER, T, S, op->b, shld(d, *(const T *)op->a, n, bits, s), WRITES_ALL)                            \
    SHIFT_FN(shrd_##MAKER, T, S, op->b, shrd(d, *(const T *)op->a, n, bits, s), WRITES_ALL)
#define MAKER_LIST(MAKER, S)                                                                                           \
    SHIFT_LIST(MAKER, uint8_t, S)                                                                                      \
    SHIFT_LIST(MAKER, uint16_t, S)                                                                                     \
    SHIFT_LIST(MAKER, uint32_t, S)                                                                                     \
    DOUBLE_LIST(MAKER, uint16_t, S)                                                                                    \
    DOUBLE_LIST(MAKER, uint32_t, S)
MAKER_LIST(intel, SILICON_INTEL)
MAKER_LIST(amd, SILICON_AMD)

#define PAIR(NAME, T)                                                                                                  \
    {                                                                                                                  \
        NAME##_##T##_n, NAME##_##T##_f                                                                                 \
    }
#define ROW(NAME)                                                                                                      \
    {                                                                                                                  \
        PAIR(NAME, uint8_t), PAIR(NAME, uint16_t), PAIR(NAME, uint32_t)                                                \
    }
#define DOUBLE_ROW(NAME)                                                                                               \
    {                                                                                                                  \
        { NULL, NULL }, PAIR(NAME, uint16_t), PAIR(NAME, uint32_t)                                                     \
    }
/* In the IR's order: ROL ROR RCL RCR SHL SHR SAR SHLD SHRD. */
#define ROWS(MAKER)                                                                                                    \
    {                                                                                                                  \
        ROW(rol_##MAKER), ROW(ror_##MAKER), ROW(rcl_##MAKER), ROW(rcr_##MAKER), ROW(shl_##MAKER), ROW(shr_##MAKER),    \
            ROW(sar_##MAKER), DOUBLE_ROW(shld_##MAKER), DOUBLE_ROW(shrd_##MAKER)                                       \
    }

static Handler *const table[SILICON_COUNT][IR_SHRD - IR_ROL + 1][3][2] = {
    [SILICON_INTEL] = ROWS(intel),
    [SILICON_AMD] = ROWS(amd),
};

Handler *interp_shift(unsigned ir_op, unsigned width, unsigned variant)
{
    if (ir_op < IR_ROL || ir_op > IR_SHRD || variant > VAR_FLAGS) return NULL;
    return table[silicon()->id][ir_op - IR_ROL][width_log2(width)][variant];
}
