/* The decoder's own tables: what a row is and how rows are written.  An opcode map is 256 rows; a row is an instruction
 * or says by what the next row is chosen (ModRM.reg, ModRM.mod, ModRM.rm, the mandatory prefix), as SDM 2D appendix A
 * does with its opcode maps and groups.  A row left out is undefined. */
#ifndef CALQUE_FRONTEND_DECODE_TABLES_H
#define CALQUE_FRONTEND_DECODE_TABLES_H

#include <stddef.h>

#include "frontend/decode.h"

/* Operand specifications: the letters of SDM 2D A.2, and some for operands whose size in a register and in memory
 * differ (EvMw: Ev in a register, 2 bytes in memory).  From S_MODRM on they need a ModRM byte. */
enum OperandSpec {
    S_NONE,
    Zb, /* register in the opcode's low bits */
    Zv,
    Sop, /* segment register in opcode bits 3..5 */
    rAL,
    rAX,
    rAXw, /* AX whatever the operand size */
    rCL,
    rDX,
    One,
    Ib, /* zero-extended */
    sIb,
    Iw,
    Iz,
    Ib2, /* second immediate */
    Jb,
    Jz,
    Ap,
    Ob,
    Ov,
    Xb, /* seg:[rSI] */
    Xv,
    Yb, /* ES:[rDI] */
    Yv,
    XLb, /* seg:[rBX] */
    Dq,  /* seg:[rDI] */
    Ddq,
    X0, /* XMM0 */
    S_MODRM,
    Eb = S_MODRM,
    Ew,
    Ev,
    Ed,
    EvMw,
    EdMb,
    EdMw,
    Gb,
    Gw,
    Gv,
    Gd,
    Rd,
    Rv,
    Mnone, /* the address alone */
    Mb,
    Md,
    Mw,
    Mv,
    Mq,
    Mt,
    Mdq,
    Mbig, /* more than Opnd.size can say */
    Mp,
    Ma,
    Ms,
    Sw,
    SwLoad, /* not CS */
    Cd,
    Dd,
    Pq,
    Qq,
    Qd,
    Nq,
    Vdq,
    Wdq,
    Wq,
    Wd,
    Ww,
    Udq,
    S_COUNT
};

/* Use of up to three operands, two bits each: R read, W written, M both, X address only. */
enum UsePattern {
    X_ = 0,
    R_ = 1,
    W_ = 2,
    M_ = 3,
    R_R = R_ | 1 << 2,
    W_R = W_ | 1 << 2,
    M_R = M_ | 1 << 2,
    M_M = M_ | 3 << 2,
    R_R_R = R_R | 1 << 4,
    W_R_R = W_R | 1 << 4,
    M_R_R = M_R | 1 << 4,
    R_R_W = R_R | 2 << 4,
};

enum RowKind {
    K_INSN,
    K_REG, /* sub[ModRM.reg] */
    K_MOD, /* sub[0] memory, sub[1] register */
    K_RM,  /* sub[ModRM.rm] */
    K_PFX, /* sub[NP, P66, PF3, PF2]: F3 and F2 outrank 66 (SDM 2A 2.1.2) */
    K_MAP, /* sub[next byte]: another opcode map */
};
enum { NP, P66, PF3, PF2 };

enum RowFlags {
    F_LOCK = 1, /* LOCK allowed with a memory destination */
    F_MODRM = 2,
    F_REGONLY = 4 /* ModRM.mod is ignored, rm is a register (MOV to and from CR, DR) */
};

typedef struct OpRow {
    uint8_t mn;
    uint8_t kind;
    uint8_t spec[3];
    uint8_t use;
    uint8_t flags;
    uint8_t feat; /* offset in DecodeFeatures plus 1; 0: always there */
    const struct OpRow *sub;
} OpRow;

#define FEAT(name)     (offsetof(DecodeFeatures, name) + 1)
#define MODRM_IF(a, b) ((a) >= S_MODRM || (b) >= S_MODRM ? F_MODRM : 0)
#define ROW(m, fl, ft, pattern, a, b, c)                                                                               \
    {                                                                                                                  \
        .mn = MN_##m, .spec = { a, b, c }, .use = pattern, .flags = (fl) | MODRM_IF(a, b), .feat = ft                  \
    }
/* Plain rows with 0..3 operands; L: LOCK is legal; FI: only with a feature. */
#define I0(m)                       ROW(m, 0, 0, X_, 0, 0, 0)
#define I1(m, pattern, a)           ROW(m, 0, 0, pattern, a, 0, 0)
#define I2(m, pattern, a, b)        ROW(m, 0, 0, pattern, a, b, 0)
#define I3(m, pattern, a, b, c)     ROW(m, 0, 0, pattern, a, b, c)
#define L1(m, pattern, a)           ROW(m, F_LOCK, 0, pattern, a, 0, 0)
#define L2(m, pattern, a, b)        ROW(m, F_LOCK, 0, pattern, a, b, 0)
#define FI0(f, m)                   ROW(m, 0, FEAT(f), X_, 0, 0, 0)
#define FI1(f, m, pattern, a)       ROW(m, 0, FEAT(f), pattern, a, 0, 0)
#define FI2(f, m, pattern, a, b)    ROW(m, 0, FEAT(f), pattern, a, b, 0)
#define FI3(f, m, pattern, a, b, c) ROW(m, 0, FEAT(f), pattern, a, b, c)
#define FL1(f, m, pattern, a)       ROW(m, F_LOCK, FEAT(f), pattern, a, 0, 0)
#define FL2(f, m, pattern, a, b)    ROW(m, F_LOCK, FEAT(f), pattern, a, b, 0)
#define V2(f, pattern, a, b)        FI2(f, VEC, pattern, a, b)
#define V3(f, pattern, a, b, c)     FI3(f, VEC, pattern, a, b, c)

/* Rows that choose. */
#define BY(k, n, ...)                                                                                                  \
    {                                                                                                                  \
        .kind = k, .sub = (const OpRow[n])                                                                             \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define BY_REG(...) BY(K_REG, 8, __VA_ARGS__)
#define BY_RM(...)  BY(K_RM, 8, __VA_ARGS__)
#define BY_MOD(...) BY(K_MOD, 2, __VA_ARGS__)
#define BY_PFX(...) BY(K_PFX, 4, __VA_ARGS__)

/* Eight and sixteen rows in a line of the map. */
#define ROWS8(first, ...)                                                                                              \
    [first] = __VA_ARGS__, [(first) + 1] = __VA_ARGS__, [(first) + 2] = __VA_ARGS__, [(first) + 3] = __VA_ARGS__,      \
    [(first) + 4] = __VA_ARGS__, [(first) + 5] = __VA_ARGS__, [(first) + 6] = __VA_ARGS__, [(first) + 7] = __VA_ARGS__
#define ROWS16(first, ...) ROWS8(first, __VA_ARGS__), ROWS8((first) + 8, __VA_ARGS__)

extern const OpRow decode_map_1[256], decode_map_0f[256], decode_map_0f38[256], decode_map_0f3a[256];
extern const OpRow decode_x87[8][2]; /* D8..DF: memory and register forms */

#endif
