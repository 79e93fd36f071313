/* Guest bytes -> one decoded instruction.  Table-driven: decode_tables.c has the opcode maps. */
#ifndef CALQUE_FRONTEND_DECODE_H
#define CALQUE_FRONTEND_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum { DECODE_MAX = 15 };

/* Operand kinds. */
typedef enum OpndKind {
    OPND_NONE,
    OPND_REG, /* GPR: reg 0..7; size 1: AL CL DL BL AH CH DH BH */
    OPND_MEM, /* Insn.mem */
    OPND_IMM, /* Insn.imm / imm2, already sign- or zero-extended to 32 bits as the instruction says */
    OPND_SEG, /* segment register 0..5 */
    OPND_CR,
    OPND_DR,
    OPND_XMM,
    OPND_MMX,
    OPND_ST,   /* x87 stack */
    OPND_FAR,  /* ptr16:16/32: imm = offset, imm2 = selector */
    OPND_REL,  /* imm = displacement, sign-extended */
    OPND_MOFFS /* absolute offset in Insn.mem.disp */
} OpndKind;

typedef struct Opnd {
    uint8_t kind; /* OpndKind */
    uint8_t reg;
    uint8_t size; /* bytes: 1 2 4 8 10 16; 6 for far pointers in memory (4 with 16-bit operand size);
                   * 0: more than this can say (FXSAVE, FNSAVE ...).  XMM and MMX registers: always 16 and 8 */
    uint8_t use;  /* 1 read, 2 written, 3 both (also: written in part), 0: only the address is taken */
} Opnd;

typedef struct InsnMem {
    uint8_t seg;        /* effective: override applied, else SS for EBP/ESP bases, else DS */
    int8_t base, index; /* GPR or -1 */
    uint8_t shift;
    uint32_t disp;
} InsnMem;

/* Mnemonics: generated from the tables' own list, MN_MOV, MN_ADD, ... (decode_mnemonics.def) */
typedef enum Mnemonic {
#define MNEMONIC(NAME, text) MN_##NAME,
#include "frontend/decode_mnemonics.def"
#undef MNEMONIC
    MN_COUNT
} Mnemonic;

enum { REP_NONE, REP_REP /* F3 */, REP_REPNE /* F2 */ };

typedef struct Insn {
    uint16_t mn;    /* Mnemonic; MN_INVALID when undefined (#UD) */
    uint8_t len;    /* bytes consumed, 1..15 (also for MN_INVALID: what was looked at) */
    uint8_t opsize; /* 2 or 4: effective operand size */
    uint8_t asize;  /* 2 or 4: effective address size */
    uint8_t lock;   /* LOCK prefix (legality already checked: illegal -> MN_INVALID) */
    uint8_t rep;    /* last F2/F3 prefix; REP_NONE when it is part of the opcode */
    uint8_t cc;     /* Jcc, SETcc, CMOVcc: condition */
    uint8_t map;    /* 0 one-byte, 1 0F, 2 0F38, 3 0F3A */
    uint8_t opcode;
    uint8_t prefix; /* mandatory prefix of an SSE instruction: 0, 66, F3, F2 */
    uint8_t modrm, has_modrm;
    uint8_t n_opnd;
    Opnd opnd[4]; /* destination first (Intel order) */
    InsnMem mem;
    uint32_t imm, imm2;
    uint8_t imm_len;      /* bytes that imm was fetched from, the last of the instruction; 0: none such */
    uint8_t seg_override; /* SEG_* or 0xff */
    uint8_t bytes[DECODE_MAX];
} Insn;

/* What the CPU in force has; absent features decode as MN_INVALID.  From CPUState by the caller. */
typedef struct DecodeFeatures {
    bool mmx, sse, sse2, sse3, ssse3, sse41, sse42, popcnt, cmov, cx8, sep, fpu, fxsr, clfsh, monitor, rdrand, syscall,
        nopl, smap, movbe, i486, tsc, msr, crc32_is_sse42, x86_any; /* x86_any: accept everything known */
} DecodeFeatures;

/* Decodes one instruction from code[0..avail).  Returns its length 1..15 with *in filled (MN_INVALID: raise
 * #UD); 0 when avail bytes are not enough to tell (never with avail >= 15);
 * -1 when it would be longer than 15 bytes (#GP(0)). Reads no byte beyond avail. */
int decode(const uint8_t *code, unsigned avail, bool code32, const DecodeFeatures *feat, Insn *in);
const char *mnemonic_name(unsigned mn);

/* MN_VEC only: does its memory operand have to be a multiple of 16 (else #GP(0))? */
bool decode_vec_aligned(const Insn *in);
/* MN_VEC only: what it does besides its operands.  VEC_WRITES_FLAGS: all six arithmetic flags. */
enum { VEC_WRITES_FLAGS = 1, VEC_READS_EAX_EDX = 2, VEC_WRITES_ECX = 4, VEC_WRITES_XMM0 = 8 };
unsigned decode_vec_effects(const Insn *in);

#endif
