/* What tests conditions: JCC, SETCC, CMOV, each for the 16 condition codes (SDM 1 appendix B.1), from CPUState.cc
 * or from a comparison left by an operation of VAR_COMPARE. */
#include "backend/interp/interp.h"

#define SF_NE_OF (((cpu->cc >> 15) ^ cpu->cc) & 1)
#define X        ((const InterpTmp *)tmp)->x
#define Y        ((const InterpTmp *)tmp)->y
#define SX       ((int32_t)X)
#define SY       ((int32_t)Y)
#define OVERFLOW ((((X ^ Y) & (X ^ (X - Y))) >> 31) != 0)

/* code, from flags, from the comparison of x with y (no parity there: the emitter does not ask) */
#define CONDITIONS(C)                                                                                                  \
    C(0, cpu->cc &CC_OF, OVERFLOW)                                                                                     \
    C(1, !(cpu->cc & CC_OF), !OVERFLOW)                                                                                \
    C(2, cpu->cc &CC_CF, X < Y)                                                                                        \
    C(3, !(cpu->cc & CC_CF), X >= Y)                                                                                   \
    C(4, cpu->cc &CC_ZF, X == Y)                                                                                       \
    C(5, !(cpu->cc & CC_ZF), X != Y)                                                                                   \
    C(6, cpu->cc &(CC_CF | CC_ZF), X <= Y)                                                                             \
    C(7, !(cpu->cc & (CC_CF | CC_ZF)), X > Y)                                                                          \
    C(8, cpu->cc &CC_SF, (X - Y) >> 31)                                                                                \
    C(9, !(cpu->cc & CC_SF), !((X - Y) >> 31))                                                                         \
    C(10, cpu->cc &CC_PF, 0)                                                                                           \
    C(11, !(cpu->cc & CC_PF), 0)                                                                                       \
    C(12, SF_NE_OF, SX < SY)                                                                                           \
    C(13, !SF_NE_OF, SX >= SY)                                                                                         \
    C(14, SF_NE_OF || cpu->cc & CC_ZF, SX <= SY)                                                                       \
    C(15, !SF_NE_OF && !(cpu->cc & CC_ZF), SX > SY)

/* Exit through p (to imm) or b (to imm2); see ops_flow.c. */
#define JCC(NAME, TEST)                                                                                                \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        const InterpTmp *tmp = interp_tmp(cpu);                                                                        \
        bool taken = (TEST);                                                                                           \
        (void)tmp;                                                                                                     \
        if (__builtin_expect(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED), 0)) {                              \
            cpu->eip = taken ? op->imm : op->imm2;                                                                     \
            cpu->exit_slot = NULL;                                                                                     \
            return NULL;                                                                                               \
        }                                                                                                              \
        return taken ? op->p : op->b;                                                                                  \
    }
#define SETCC(NAME, TEST)                                                                                              \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        const InterpTmp *tmp = interp_tmp(cpu);                                                                        \
        (void)tmp;                                                                                                     \
        *(uint8_t *)op->d = (TEST) ? 1 : 0;                                                                            \
        NEXT(op);                                                                                                      \
    }
#define CMOV(NAME, TEST, T)                                                                                            \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        const InterpTmp *tmp = interp_tmp(cpu);                                                                        \
        (void)tmp;                                                                                                     \
        *(T *)op->d = (TEST) ? *(const T *)op->a : *(T *)op->d;                                                        \
        NEXT(op);                                                                                                      \
    }
#define DEFINE(CODE, FLAGS, COMPARISON)                                                                                \
    JCC(jcc_f_##CODE, FLAGS)                                                                                           \
    JCC(jcc_k_##CODE, COMPARISON)                                                                                      \
    SETCC(set_f_##CODE, FLAGS)                                                                                         \
    SETCC(set_k_##CODE, COMPARISON)                                                                                    \
    CMOV(cmov2_f_##CODE, FLAGS, uint16_t)                                                                              \
    CMOV(cmov2_k_##CODE, COMPARISON, uint16_t)                                                                         \
    CMOV(cmov4_f_##CODE, FLAGS, uint32_t)                                                                              \
    CMOV(cmov4_k_##CODE, COMPARISON, uint32_t)
CONDITIONS(DEFINE)

#define ROW(CODE, FLAGS, COMPARISON)                                                                                   \
    { { jcc_f_##CODE, jcc_k_##CODE },                                                                                  \
      { set_f_##CODE, set_k_##CODE },                                                                                  \
      { cmov2_f_##CODE, cmov2_k_##CODE },                                                                              \
      { cmov4_f_##CODE, cmov4_k_##CODE } },
static Handler *const table[16][4][2] = { CONDITIONS(ROW) };

Handler *interp_cond(unsigned ir_op, unsigned width, unsigned cc, unsigned variant)
{
    unsigned kind = ir_op == IR_JCC ? 0 : ir_op == IR_SETCC ? 1 : width == 2 ? 2 : 3;
    return table[cc & 15][kind][variant == VAR_COMPARE];
}
