/* What the parts of the MMX/SSE reference share: one instruction in progress. */
#ifndef CALQUE_CPU_REF_VEC_H
#define CALQUE_CPU_REF_VEC_H

#include "cpu/fpu.h"
#include "cpu/softfp.h"
#include "tcg/ir.h"

enum { VEC_NP, VEC_66, VEC_F3, VEC_F2 };
enum {
    VEC_TO_RM = 1,  /* the destination is ModRM.rm */
    VEC_FP = 2,     /* may find floating-point exceptions, uses MXCSR */
    VEC_NO_DST = 4, /* flags or implicit registers only */
};

typedef struct Vec {
    CPUState *cpu;
    XmmReg d;       /* destination: the old value, then the result; GPRs in d[0] */
    XmmReg s;       /* source */
    unsigned n;     /* operand bytes: 8 MMX, 16 XMM */
    uint8_t prefix; /* VEC_NP ... */
    uint8_t opcode, modrm, imm;
    bool mem;        /* ModRM.rm is memory */
    bool sets_flags; /* eflags is the result's ZF PF CF ... */
    uint32_t eflags;
    SfEnv env;
    bool by_stages; /* env.flags is final: see vec_dpps() */
} Vec;

typedef void VecFn(Vec *v);

typedef struct VecOp {
    VecFn *fn;
    uint8_t flags;
} VecOp;

#define VEC(map, prefix, opcode, fn, flags) VecFn vec_##fn;
#include "cpu/ref_vec_ops.def"
#undef VEC

#endif
