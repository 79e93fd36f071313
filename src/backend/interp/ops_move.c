/* Moves between registers, address computation, CPUState fields. */
#include "backend/interp/interp.h"
#include "util/bytes.h"

#define MOVE(NAME, DT, ST)                                                                                             \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        *(DT *)op->d = (DT) * (const ST *)op->a;                                                                       \
        NEXT(op);                                                                                                      \
    }
MOVE(mov1, uint8_t, uint8_t)
MOVE(mov2, uint16_t, uint16_t)
MOVE(mov4, uint32_t, uint32_t)
MOVE(movzx21, uint16_t, uint8_t)
MOVE(movzx41, uint32_t, uint8_t)
MOVE(movzx42, uint32_t, uint16_t)
MOVE(movsx21, uint16_t, int8_t)
MOVE(movsx41, uint32_t, int8_t)
MOVE(movsx42, uint32_t, int16_t)

#define XCHG(NAME, T)                                                                                                  \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        T *d = op->d, *a = (T *)(uintptr_t)op->a, v = *d;                                                              \
        *d = *a;                                                                                                       \
        *a = v;                                                                                                        \
        NEXT(op);                                                                                                      \
    }
XCHG(xchg1, uint8_t)
XCHG(xchg2, uint16_t)
XCHG(xchg4, uint32_t)

static const Op *bswap4(CPUState *cpu, const Op *op)
{
    *(uint32_t *)op->d = __builtin_bswap32(*(uint32_t *)op->d);
    NEXT(op);
}

/* Undefined in the manual; processors make it zero. */
static const Op *bswap2(CPUState *cpu, const Op *op)
{
    *(uint16_t *)op->d = 0;
    NEXT(op);
}

static inline uint32_t address(const Op *op)
{
    return *(const uint32_t *)op->b + (*(const uint32_t *)op->p << op->shift) + op->imm2;
}

static const Op *lea4(CPUState *cpu, const Op *op)
{
    *(uint32_t *)op->d = address(op);
    NEXT(op);
}

static const Op *lea4_addr16(CPUState *cpu, const Op *op)
{
    *(uint32_t *)op->d = address(op) & 0xffff;
    NEXT(op);
}

static const Op *lea2(CPUState *cpu, const Op *op)
{
    *(uint16_t *)op->d = (uint16_t)address(op);
    NEXT(op);
}

/* CPUState fields, at offset imm2, in the host's own layout. */
#define STATE(SUFFIX, T)                                                                                               \
    static const Op *ldstate##SUFFIX(CPUState *cpu, const Op *op)                                                      \
    {                                                                                                                  \
        *(uint32_t *)op->d = *(const T *)((const char *)cpu + op->imm2);                                               \
        NEXT(op);                                                                                                      \
    }                                                                                                                  \
    static const Op *ststate##SUFFIX(CPUState *cpu, const Op *op)                                                      \
    {                                                                                                                  \
        *(T *)((char *)cpu + op->imm2) = *(const T *)op->a;                                                            \
        NEXT(op);                                                                                                      \
    }
STATE(1, uint8_t)
STATE(2, uint16_t)
STATE(4, uint32_t)

static const Op *ldcode(CPUState *cpu, const Op *op)
{
    *(uint32_t *)op->d = get_le32(op->p);
    NEXT(op);
}

Handler *interp_move(unsigned ir_op, unsigned width, unsigned width2)
{
    static Handler *const mov[3] = { mov1, mov2, mov4 }, *const xchg[3] = { xchg1, xchg2, xchg4 };
    static Handler *const movzx[2][2] = { { movzx21, NULL }, { movzx41, movzx42 } };
    static Handler *const movsx[2][2] = { { movsx21, NULL }, { movsx41, movsx42 } };
    static Handler *const ldstate[3] = { ldstate1, ldstate2, ldstate4 };
    static Handler *const ststate[3] = { ststate1, ststate2, ststate4 };
    unsigned w = width_log2(width), w2 = width_log2(width2);

    switch (ir_op) {
    case IR_MOV: return mov[w];
    case IR_MOVZX:
    case IR_MOVSX:
        if (width == width2) return mov[w];
        return w < 1 || w2 > 1 ? NULL : (ir_op == IR_MOVZX ? movzx : movsx)[w - 1][w2];
    case IR_LEA: /* width2: the address size */ return width == 2 ? lea2 : width2 == 2 ? lea4_addr16 : lea4;
    case IR_XCHG: return xchg[w];
    case IR_BSWAP: return width == 2 ? bswap2 : bswap4;
    case IR_LDSTATE: return ldstate[w];
    case IR_STSTATE: return ststate[w];
    case IR_LDCODE: return ldcode;
    default: return NULL;
    }
}
