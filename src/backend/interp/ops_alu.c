/* Two-operand arithmetic and logic, and INC, DEC, NEG, NOT: each in three widths and up to three variants. */
#include "backend/interp/interp.h"

#define GET(T, where)    ((uint32_t) * (const T *)(where))
#define PUT(T, where, v) (*(T *)(where) = (T)(v))

/* Comparison operands for VAR_COMPARE, moved up so that one 32-bit comparison serves all widths. */
#define COMPARE(T, a, b)                                                                                               \
    do {                                                                                                               \
        InterpTmp *tmp = interp_tmp(cpu);                                                                              \
        tmp->x = (uint32_t)(a) << (32 - 8 * sizeof(T));                                                                \
        tmp->y = (uint32_t)(b) << (32 - 8 * sizeof(T));                                                                \
    } while (0)

/* One function: r from d and a; STORE says whether r is written; FLAGS is a statement. */
#define FN(NAME, T, R, STORE, FLAGS)                                                                                   \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        uint32_t d = GET(T, op->d), a = GET(T, op->a), r = (R);                                                        \
        (void)a, (void)d;                                                                                              \
        if (STORE) PUT(T, op->d, r);                                                                                   \
        FLAGS;                                                                                                         \
        NEXT(op);                                                                                                      \
    }
#define BITS(T) (8 * (unsigned)sizeof(T))
#define SET(v)  cpu->cc = (uint16_t)(v)
#define CARRY   (cpu->cc >> 8 & 1)
#define KEEP_CF (cpu->cc & CC_CF)
#define NOTHING (void)0

/* name, result, stores, flags (T the type), comparison operands x and y */
#define BINARY_T(NAME, T, R, STORE, CC, X, Y)                                                                          \
    FN(NAME##_##T##_n, T, R, STORE, NOTHING)                                                                           \
    FN(NAME##_##T##_f, T, R, STORE, SET(CC))                                                                           \
    FN(NAME##_##T##_k, T, R, STORE, COMPARE(T, X, Y))

#define ALU_LIST(X, T)                                                                                                 \
    X(add, T, d + a, 1, cc_add(d, a, 0, BITS(T)), r, 0)                                                                \
    X(or, T, d | a, 1, cc_szp(r, BITS(T)), r, 0)                                                                       \
    X(and, T, d &a, 1, cc_szp(r, BITS(T)), r, 0)                                                                       \
    X(sub, T, d - a, 1, cc_sub(d, a, 0, BITS(T)), d, a)                                                                \
    X(xor, T, d ^ a, 1, cc_szp(r, BITS(T)), r, 0)                                                                      \
    X(cmp, T, d - a, 0, cc_sub(d, a, 0, BITS(T)), d, a)                                                                \
    X(test, T, d &a, 0, cc_szp(r, BITS(T)), r, 0)                                                                      \
    X(inc, T, d + 1, 1, (cc_add(d, 1, 0, BITS(T)) & ~(unsigned)CC_CF) | KEEP_CF, r, 0)                                 \
    X(dec, T, d - 1, 1, (cc_sub(d, 1, 0, BITS(T)) & ~(unsigned)CC_CF) | KEEP_CF, r, 0)                                 \
    X(neg, T, 0u - d, 1, cc_sub(0, d, 0, BITS(T)), 0, d)

ALU_LIST(BINARY_T, uint8_t)
ALU_LIST(BINARY_T, uint16_t)
ALU_LIST(BINARY_T, uint32_t)

/* The carry goes in: it must be taken before the flags are set. */
#define CARRY_FN(NAME, T, R, CC)                                                                                       \
    static const Op *NAME##_##T##_n(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        uint32_t d = GET(T, op->d), a = GET(T, op->a), c = CARRY;                                                      \
        PUT(T, op->d, R);                                                                                              \
        NEXT(op);                                                                                                      \
    }                                                                                                                  \
    static const Op *NAME##_##T##_f(CPUState *cpu, const Op *op)                                                       \
    {                                                                                                                  \
        uint32_t d = GET(T, op->d), a = GET(T, op->a), c = CARRY;                                                      \
        PUT(T, op->d, R);                                                                                              \
        SET(CC);                                                                                                       \
        NEXT(op);                                                                                                      \
    }
#define CARRY_LIST(T)                                                                                                  \
    CARRY_FN(adc, T, d + a + c, cc_add(d, a, c, BITS(T)))                                                              \
    CARRY_FN(sbb, T, d - a - c, cc_sub(d, a, c, BITS(T)))                                                              \
    FN(not_##T##_n, T, ~d, 1, NOTHING)
CARRY_LIST(uint8_t)
CARRY_LIST(uint16_t)
CARRY_LIST(uint32_t)

#define ROW(NAME)                                                                                                      \
    {                                                                                                                  \
        { NAME##_uint8_t_n, NAME##_uint8_t_f, NAME##_uint8_t_k },                                                      \
            { NAME##_uint16_t_n, NAME##_uint16_t_f, NAME##_uint16_t_k },                                               \
            { NAME##_uint32_t_n, NAME##_uint32_t_f, NAME##_uint32_t_k },                                               \
    }
#define ROW_CARRY(NAME)                                                                                                \
    {                                                                                                                  \
        { NAME##_uint8_t_n, NAME##_uint8_t_f, NULL }, { NAME##_uint16_t_n, NAME##_uint16_t_f, NULL },                  \
            { NAME##_uint32_t_n, NAME##_uint32_t_f, NULL },                                                            \
    }

static Handler *const table[IR_NOT - IR_ADD + 1][3][VAR_COUNT] = {
    [IR_ADD - IR_ADD] = ROW(add),
    [IR_OR - IR_ADD] = ROW(or),
    [IR_ADC - IR_ADD] = ROW_CARRY(adc),
    [IR_SBB - IR_ADD] = ROW_CARRY(sbb),
    [IR_AND - IR_ADD] = ROW(and),
    [IR_SUB - IR_ADD] = ROW(sub),
    [IR_XOR - IR_ADD] = ROW(xor),
    [IR_CMP - IR_ADD] = ROW(cmp),
    [IR_TEST - IR_ADD] = ROW(test),
    [IR_INC - IR_ADD] = ROW(inc),
    [IR_DEC - IR_ADD] = ROW(dec),
    [IR_NEG - IR_ADD] = ROW(neg),
    [IR_NOT - IR_ADD] = { { not_uint8_t_n }, { not_uint16_t_n }, { not_uint32_t_n } },
};

Handler *interp_alu(unsigned ir_op, unsigned width, unsigned variant)
{
    if (ir_op < IR_ADD || ir_op > IR_NOT) return NULL;
    return table[ir_op - IR_ADD][width_log2(width)][variant];
}
