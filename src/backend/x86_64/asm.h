/* The assembler: appends x86-64 instructions to a buffer.  Knows encodings (SDM 2, chapter 2), nothing
 * of the guest. */
#ifndef CALQUE_BACKEND_X86_64_ASM_H
#define CALQUE_BACKEND_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    AH,
    CH,
    DH,
    BH, /* with a byte width only, and only without REX */
    NOREG = 0xff
};

/* Condition codes as the low nibble of Jcc/SETcc/CMOVcc. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

typedef struct Asm {
    uint8_t *p;           /* where the next byte goes */
    uint8_t *end;         /* full when p passes this; the buffer has ASM_SLACK bytes more */
    uint8_t *window_insn; /* the last instruction with an AsmMem.window operand */
} Asm;
enum { ASM_SLACK = 32 }; /* no instruction is longer; one is written before the check */

/* An operand that may fault; GS: its sum is taken modulo 4 GiB, relative to GS. */
enum { ASM_WINDOW_NONE, ASM_WINDOW_GS, ASM_WINDOW_PLAIN };

/* [base + index << shift + disp]; NOREG when absent. */
typedef struct AsmMem {
    uint8_t base, index, shift;
    uint8_t window; /* ASM_WINDOW_* */
    int32_t disp;
} AsmMem;
static inline AsmMem asm_mem(unsigned base, int32_t disp)
{
    return (AsmMem){ (uint8_t)base, NOREG, 0, 0, disp };
}
static inline AsmMem asm_mem_index(unsigned base, unsigned index, unsigned shift, int32_t disp)
{
    return (AsmMem){ (uint8_t)base, (uint8_t)index, (uint8_t)shift, 0, disp };
}

static inline void asm8(Asm *a, unsigned v)
{
    *a->p = (uint8_t)v;
    if (a->p < a->end) a->p++;
}
static inline void asm32(Asm *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    if (a->p < a->end) a->p += 4;
}
static inline void asm64(Asm *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    if (a->p < a->end) a->p += 8;
}
static inline bool asm_full(const Asm *a)
{
    return a->p >= a->end;
}

/* Width and prefix flags of an instruction. */
enum {
    W8 = 1,  /* byte registers: SPL..DIL need REX, AH..BH forbid it */
    W16 = 2, /* 66 prefix */
    W32 = 0,
    W64 = 4, /* REX.W */
    P66 = 8,
    PF3 = 0x10,
    PF2 = 0x20,   /* mandatory prefixes */
    DIGIT = 0x40, /* the reg argument is an opcode extension, not a register */
};
static inline unsigned asm_width(unsigned bytes)
{
    return bytes == 1 ? W8 : bytes == 2 ? W16 : bytes == 8 ? W64 : W32;
}

/* opcode: 0xNN, 0x0fNN, 0x0f38NN, 0x0f3aNN.  reg goes to ModRM.reg, rm to ModRM.rm. */
void asm_rr(Asm *a, unsigned flags, unsigned opcode, unsigned reg, unsigned rm);
void asm_rm(Asm *a, unsigned flags, unsigned opcode, unsigned reg, AsmMem m);

/* MOV r32/r64, r and immediates. */
static inline void asm_mov(Asm *a, unsigned dst, unsigned src)
{
    if (dst != src) asm_rr(a, W32, 0x8b, dst, src);
}
static inline void asm_mov64(Asm *a, unsigned dst, unsigned src)
{
    asm_rr(a, W64, 0x8b, dst, src);
}
void asm_mov_imm(Asm *a, unsigned dst, uint32_t v); /* zero-extended; keeps flags */
void asm_mov_imm64(Asm *a, unsigned dst, uint64_t v);
static inline void asm_load(Asm *a, unsigned dst, AsmMem m)
{
    asm_rm(a, W32, 0x8b, dst, m);
}
static inline void asm_store(Asm *a, AsmMem m, unsigned src)
{
    asm_rm(a, W32, 0x89, src, m);
}
void asm_store_imm(Asm *a, unsigned bytes, AsmMem m, uint32_t v);
/* Group 1 (ADD OR ADC SBB AND SUB XOR CMP: n 0..7) with an immediate. */
void asm_alu_imm(Asm *a, unsigned bytes, unsigned n, unsigned rm, uint32_t v);
void asm_alu_mem_imm(Asm *a, unsigned bytes, unsigned n, AsmMem m, uint32_t v);

void asm_rorx(Asm *a, unsigned dst, unsigned src, unsigned count); /* 32-bit, BMI2; keeps flags */

/* Jumps with 32-bit displacements: return the place of the displacement, for asm_patch(). */
uint8_t *asm_jcc(Asm *a, unsigned cc);
uint8_t *asm_jmp(Asm *a);
uint8_t *asm_call(Asm *a);
/* Makes the jump at site (in the buffer) go to target (same view of the buffer). */
static inline void asm_patch(uint8_t *site, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (site + 4));
    memcpy(site, &rel, 4);
}

#endif
