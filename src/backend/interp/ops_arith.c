/* Multiplication, division, bit operations, compare-and-exchange, and moving the flags themselves.
 *
 * Flags that the manual leaves undefined are as tcg/silicon.h has them; where that differs by maker, so do the functions. */
#include "backend/interp/interp.h"
#include "tcg/silicon.h"

static uint32_t *gpr(CPUState *cpu, unsigned r)
{
    return &cpu->regs[r];
}

static inline void set_low(uint32_t *word, unsigned bits, uint32_t v)
{
    uint32_t mask = bits == 32 ? 0xffffffffu : (1u << bits) - 1;
    *word = (*word & ~mask) | (v & mask);
}

static inline uint64_t sign_extend(uint64_t v, unsigned bits)
{
    return (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
}

/* Here and below, s is SILICON_INTEL or SILICON_AMD, a constant in each function that is made of these. */
static inline void mul_flags(CPUState *cpu, uint32_t low, bool overflow, unsigned bits, unsigned s)
{
    unsigned rest = s == SILICON_AMD ? cpu->cc & ~(unsigned)(CC_CF | CC_OF) : cc_szp(low, bits) & ~(unsigned)CC_ZF;
    cpu->cc = (uint16_t)(rest | (overflow ? CC_CF | CC_OF : 0));
}

static inline void div_flags(CPUState *cpu, unsigned s)
{
    if (s == SILICON_AMD) cpu->cc = (uint16_t)((cpu->cc & (CC_CF | CC_OF)) | CC_AF);
}

/* eDX:eAX, or AX for bytes. */
static inline void put_wide(CPUState *cpu, uint64_t wide, unsigned bits)
{
    if (bits == 8) {
        set_low(gpr(cpu, R_EAX), 16, (uint32_t)wide);
        return;
    }
    set_low(gpr(cpu, R_EAX), bits, (uint32_t)wide);
    set_low(gpr(cpu, R_EDX), bits, (uint32_t)(wide >> bits));
}

static inline uint64_t get_wide(CPUState *cpu, unsigned bits)
{
    uint32_t eax = cpu->regs[R_EAX], edx = cpu->regs[R_EDX];

    if (bits == 8) return eax & 0xffff;
    if (bits == 16) return (edx & 0xffff) << 16 | (eax & 0xffff);
    return (uint64_t)edx << 32 | eax;
}

static inline void put_quotient(CPUState *cpu, uint64_t q, uint64_t r, unsigned bits)
{
    if (bits == 8)
        put_wide(cpu, (r & 0xff) << 8 | (q & 0xff), 8);
    else
        put_wide(cpu, (r << bits) | (q & ((1ull << bits) - 1)), bits);
}

static inline void mul(CPUState *cpu, uint32_t a, unsigned bits, unsigned s)
{
    uint64_t mask = (1ull << bits) - 1, wide = (cpu->regs[R_EAX] & mask) * a;
    put_wide(cpu, wide, bits);
    mul_flags(cpu, (uint32_t)wide, wide >> bits != 0, bits, s);
}

static inline void imul(CPUState *cpu, uint32_t a, unsigned bits, unsigned s)
{
    uint64_t wide = sign_extend(cpu->regs[R_EAX], bits) * sign_extend(a, bits);
    put_wide(cpu, wide, bits);
    mul_flags(cpu, (uint32_t)wide, sign_extend(wide, bits) != wide, bits, s);
}

static inline uint32_t imul_low(CPUState *cpu, uint32_t a, uint32_t b, unsigned bits, unsigned s)
{
    uint64_t wide = sign_extend(a, bits) * sign_extend(b, bits);
    mul_flags(cpu, (uint32_t)wide, sign_extend(wide, bits) != wide, bits, s);
    return (uint32_t)wide;
}

static inline void div_unsigned(CPUState *cpu, const Op *op, uint32_t a, unsigned bits, unsigned s)
{
    uint64_t n = get_wide(cpu, bits);

    if (!a || (n / a) >> bits) {
        interp_may_raise(cpu, op);
        cpu_raise(cpu, EXC_DE);
    }
    put_quotient(cpu, n / a, n % a, bits);
    div_flags(cpu, s);
}

/* By magnitudes, so that nothing overflows on the way. */
static inline void div_signed(CPUState *cpu, const Op *op, uint32_t a, unsigned bits, unsigned s)
{
    unsigned wide_bits = bits * 2;
    uint64_t n = sign_extend(get_wide(cpu, bits), wide_bits), d = sign_extend(a, bits);
    bool neg_n = n >> 63, neg_d = d >> 63;
    uint64_t mag_n = neg_n ? 0 - n : n, mag_d = neg_d ? 0 - d : d, half = 1ull << (bits - 1);

    if (!mag_d || mag_n / mag_d > (neg_n != neg_d ? half : half - 1)) {
        interp_may_raise(cpu, op);
        cpu_raise(cpu, EXC_DE);
    }
    uint64_t q = mag_n / mag_d, r = mag_n % mag_d;
    put_quotient(cpu, neg_n != neg_d ? 0 - q : q, neg_n ? 0 - r : r, bits);
    div_flags(cpu, s);
}

/* Body is a statement with bits, a (value) and D (the destination as an lvalue). */
#define FN(NAME, T, BODY)                                                                                              \
    static const Op *NAME##_##T(CPUState *cpu, const Op *op)                                                           \
    {                                                                                                                  \
        const unsigned bits = 8 * sizeof(T);                                                                           \
        uint32_t a = *(const T *)op->a;                                                                                \
        (void)bits, (void)a;                                                                                           \
        BODY;                                                                                                          \
        NEXT(op);                                                                                                      \
    }
#define D(T)      (*(T *)op->d)
#define SET_CF(v) cpu->cc = (uint16_t)((cpu->cc & ~CC_CF) | ((v)&1) * CC_CF)
#define ALL_WIDTHS(NAME, BODY8, BODY16, BODY32)                                                                        \
    FN(NAME, uint8_t, BODY8) FN(NAME, uint16_t, BODY16) FN(NAME, uint32_t, BODY32)
#define SAME(NAME, BODY) ALL_WIDTHS(NAME, BODY, BODY, BODY)

#define IMUL2(T, S) D(T) = (T)imul_low(cpu, D(T), a, bits, S)
#define IMUL3(T, S) D(T) = (T)imul_low(cpu, a, *(const T *)op->b, bits, S)
#define MUL_DIV(MAKER, S)                                                                                              \
    SAME(mul_##MAKER, mul(cpu, a, bits, S))                                                                            \
    SAME(imul_##MAKER, imul(cpu, a, bits, S))                                                                          \
    SAME(div_##MAKER, div_unsigned(cpu, op, a, bits, S))                                                               \
    SAME(idiv_##MAKER, div_signed(cpu, op, a, bits, S))                                                                \
    ALL_WIDTHS(imul2_##MAKER, IMUL2(uint8_t, S), IMUL2(uint16_t, S), IMUL2(uint32_t, S))                               \
    ALL_WIDTHS(imul3_##MAKER, IMUL3(uint8_t, S), IMUL3(uint16_t, S), IMUL3(uint32_t, S))
MUL_DIV(intel, SILICON_INTEL)
MUL_DIV(amd, SILICON_AMD)

/* The register form takes the bit number modulo the width. */
#define BIT(T, CHANGE)                                                                                                 \
    do {                                                                                                               \
        uint32_t d = D(T), mask = 1u << (a & (bits - 1));                                                              \
        SET_CF((d & mask) != 0);                                                                                       \
        CHANGE;                                                                                                        \
    } while (0)
#define BIT_FNS(T)                                                                                                     \
    FN(bt, T, BIT(T, (void)0))                                                                                         \
    FN(bts, T, BIT(T, D(T) = (T)(d | mask)))                                                                           \
    FN(btr, T, BIT(T, D(T) = (T)(d & ~mask)))                                                                          \
    FN(btc, T, BIT(T, D(T) = (T)(d ^ mask)))
BIT_FNS(uint8_t)
BIT_FNS(uint16_t)
BIT_FNS(uint32_t)

/* PF, undefined by the manual, is the result's, or set when there is none; the others are 0. */
#define SCAN(T, FOUND)                                                                                                 \
    do {                                                                                                               \
        unsigned found = a ? (unsigned)(FOUND) : 0;                                                                    \
        if (a) D(T) = (T)found;                                                                                        \
        cpu->cc = (uint16_t)((a ? 0 : CC_ZF) | (unsigned)!__builtin_parity(found) * CC_PF);                            \
    } while (0)
#define POPCNT(T)                                                                                                      \
    do {                                                                                                               \
        cpu->cc = a ? 0 : CC_ZF;                                                                                       \
        D(T) = (T)__builtin_popcount(a);                                                                               \
    } while (0)
/* eAX compared with the destination. */
#define CMPXCHG(T)                                                                                                     \
    do {                                                                                                               \
        uint32_t d = D(T), acc = (T)cpu->regs[R_EAX];                                                                  \
        if (acc == d)                                                                                                  \
            D(T) = (T)a;                                                                                               \
        else                                                                                                           \
            set_low(gpr(cpu, R_EAX), bits, d);                                                                         \
        cpu->cc = (uint16_t)cc_sub(acc, d, 0, bits);                                                                   \
    } while (0)
#define XADD(T)                                                                                                        \
    do {                                                                                                               \
        uint32_t d = D(T);                                                                                             \
        *(T *)(uintptr_t)op->a = (T)d;                                                                                 \
        D(T) = (T)(d + a);                                                                                             \
        cpu->cc = (uint16_t)cc_add(d, a, 0, bits);                                                                     \
    } while (0)
#define SCAN_FNS(T)                                                                                                    \
    FN(bsf, T, SCAN(T, __builtin_ctz(a)))                                                                              \
    FN(bsr, T, SCAN(T, 31 - __builtin_clz(a)))                                                                         \
    FN(popcnt, T, POPCNT(T))                                                                                           \
    FN(cmpxchg, T, CMPXCHG(T))                                                                                         \
    FN(xadd, T, XADD(T))
SCAN_FNS(uint8_t)
SCAN_FNS(uint16_t)
SCAN_FNS(uint32_t)

/* CRC32 (SSE4.2): polynomial 11EDC6F41h, bits reflected; the accumulator is 32 bits in every form. */
static uint32_t crc32c(uint32_t crc, uint32_t v, unsigned bits)
{
    crc ^= v;
    for (unsigned i = 0; i < bits; i++) crc = crc >> 1 ^ ((0u - (crc & 1)) & 0x82f63b78u);
    return crc;
}
SAME(crc32, D(uint32_t) = crc32c(D(uint32_t), a, bits))

static const Op *cdq_uint16_t(CPUState *cpu, const Op *op)
{
    set_low(gpr(cpu, R_EDX), 16, 0u - (cpu->regs[R_EAX] >> 15 & 1));
    NEXT(op);
}

static const Op *cdq_uint32_t(CPUState *cpu, const Op *op)
{
    cpu->regs[R_EDX] = 0u - (cpu->regs[R_EAX] >> 31);
    NEXT(op);
}

/* --- the flags themselves --- */
const Op *interp_cc_save(CPUState *cpu, const Op *op)
{
    interp_tmp(cpu)->cc = cpu->cc;
    NEXT(op);
}

/* imm: the flags that the operation just done was to write. */
const Op *interp_cc_merge(CPUState *cpu, const Op *op)
{
    cpu->cc = (uint16_t)((interp_tmp(cpu)->cc & ~op->imm) | (cpu->cc & op->imm));
    NEXT(op);
}

static void store(void *d, unsigned width, uint32_t v)
{
    if (width == 1)
        *(uint8_t *)d = (uint8_t)v;
    else if (width == 2)
        *(uint16_t *)d = (uint16_t)v;
    else
        *(uint32_t *)d = v;
}

static uint32_t load(const void *a, unsigned width)
{
    return width == 1 ? *(const uint8_t *)a : width == 2 ? *(const uint16_t *)a : *(const uint32_t *)a;
}

const Op *interp_getflags(CPUState *cpu, const Op *op)
{
    store(op->d, op->width, cpu_arith_flags(cpu->cc));
    NEXT(op);
}

/* imm2: which, in cc's format. */
const Op *interp_setflags(CPUState *cpu, const Op *op)
{
    unsigned cc = cpu_cc_from_flags(load(op->a, op->width));
    cpu->cc = (uint16_t)((cpu->cc & ~op->imm2) | (cc & op->imm2));
    NEXT(op);
}

/* CLC, STC, CMC: CF = (CF & imm) ^ imm2. */
const Op *interp_carry(CPUState *cpu, const Op *op)
{
    SET_CF(((cpu->cc >> 8) & op->imm) ^ op->imm2);
    NEXT(op);
}

#define ROW(NAME)                                                                                                      \
    {                                                                                                                  \
        NAME##_uint8_t, NAME##_uint16_t, NAME##_uint32_t                                                               \
    }
static Handler *const table[IR_OP_COUNT][3] = {
    [IR_CDQ] = { NULL, cdq_uint16_t, cdq_uint32_t },
    [IR_BT] = ROW(bt),
    [IR_BTS] = ROW(bts),
    [IR_BTR] = ROW(btr),
    [IR_BTC] = ROW(btc),
    [IR_BSF] = ROW(bsf),
    [IR_BSR] = ROW(bsr),
    [IR_POPCNT] = ROW(popcnt),
    [IR_CRC32] = ROW(crc32),
    [IR_CMPXCHG] = ROW(cmpxchg),
    [IR_XADD] = ROW(xadd),
};
#define MUL_DIV_ROWS(MAKER)                                                                                            \
    {                                                                                                                  \
        [IR_IMUL2 - IR_IMUL2] = ROW(imul2_##MAKER), [IR_IMUL3 - IR_IMUL2] = ROW(imul3_##MAKER),                        \
                    [IR_MUL - IR_IMUL2] = ROW(mul_##MAKER), [IR_IMUL - IR_IMUL2] = ROW(imul_##MAKER),                  \
                    [IR_DIV - IR_IMUL2] = ROW(div_##MAKER), [IR_IDIV - IR_IMUL2] = ROW(idiv_##MAKER),                  \
    }
static Handler *const mul_div[SILICON_COUNT][IR_IDIV - IR_IMUL2 + 1][3] = {
    [SILICON_INTEL] = MUL_DIV_ROWS(intel),
    [SILICON_AMD] = MUL_DIV_ROWS(amd),
};

/* These are rare or slow enough to compute their flags in any case; see emit.c for how they keep
 * flags that they were not to write. */
Handler *interp_arith(unsigned ir_op, unsigned width, unsigned variant)
{
    (void)variant;
    if (ir_op >= IR_IMUL2 && ir_op <= IR_IDIV) return mul_div[silicon()->id][ir_op - IR_IMUL2][width_log2(width)];
    return table[ir_op][width_log2(width)];
}
