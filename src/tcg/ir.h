/* The intermediate representation: x86 semantics with the encoding, the address modes of memory
 * operands and the operand fetch taken apart.  doc/ir.txt describes it for readers.
 *
 * A block is a straight list of IrInsn that ends in exactly one operation with IR_ENDS.  The eight
 * guest GPRs are registers 0..7; registers from IR_TEMP0 up are 32-bit temporaries, local to the
 * block.  There are no labels inside a block.
 *
 * Precise exceptions: when an operation raises, every guest register, flag and memory byte must be
 * as before the guest instruction.  So within one guest instruction (between two MARKs) whatever may raise
 * comes before the first write to a guest register, flag or memory (RMW uses LDRMW/STRMW for that;
 * STRMW never raises).  Writes into temporaries are free. */
#ifndef CALQUE_TCG_IR_H
#define CALQUE_TCG_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IR_EAX, IR_ECX, IR_EDX, IR_EBX, IR_ESP, IR_EBP, IR_ESI, IR_EDI, IR_TEMP0 };

/* Arithmetic flags as the IR counts them (ir_flags_to_eflags() converts). */
enum { IR_CF = 1, IR_PF = 2, IR_AF = 4, IR_ZF = 8, IR_SF = 16, IR_OF = 32, IR_FL_ALL = 63 };

typedef enum IrOp {
#define IR_OP(NAME, ...) IR_##NAME,
#include "tcg/ir_ops.def"
#undef IR_OP
    IR_OP_COUNT
} IrOp;

enum { IR_USE_R = 1, IR_USE_W = 2, IR_USE_RW = 3 };
enum { IR_MEM_NONE, IR_MEM_ADDR, IR_MEM_R, IR_MEM_W, IR_MEM_RW };
enum { IR_RAISES = 1, IR_ENDS = 2, IR_SIDE = 4 };
enum { IR_FL_CC = 0x80 }; /* in IrOpInfo.fl_rd: the flags that IrInsn.cc tests */

typedef struct IrOpInfo {
    const char *text;
    uint8_t dst, a, b; /* IR_USE_* */
    uint8_t mem;       /* IR_MEM_* */
    uint8_t fl_rd, fl_wr;
    uint8_t gpr_rd, gpr_wr;
    uint8_t attr; /* IR_RAISES ... */
} IrOpInfo;
extern const IrOpInfo ir_op_info[IR_OP_COUNT];

enum { IR_NONE, IR_REG, IR_IMM };
typedef struct IrOpnd {
    uint8_t kind; /* IR_NONE, IR_REG, IR_IMM */
    uint8_t high; /* with width 1: bits 8..15 of the register (AH CH DH BH), GPR 0..3 only */
    uint16_t reg;
    uint32_t imm; /* truncated to the operation's width; reg is 1 when it moves with the block's EIP (ir_eip()) */
} IrOpnd;

enum { IR_SEG_ES, IR_SEG_CS, IR_SEG_SS, IR_SEG_DS, IR_SEG_FS, IR_SEG_GS };
#define IR_NOREG 0xffff

/* seg:[base + index << shift + disp]; the sum is taken modulo 2^32 (asize 4) or 2^16 (asize 2).
 * base and index may be temporaries. */
typedef struct IrMem {
    uint8_t seg;
    uint8_t flat;         /* segment known to be base 0, limit 4 GiB, right type for this access: no check */
    uint8_t asize;        /* 2 or 4 */
    uint8_t shift;        /* 0..3 */
    uint16_t base, index; /* IR_NOREG when absent */
    uint32_t disp;
    uint8_t run_first;         /* the access that checks for its run */
    uint16_t run;              /* pass "runs": accesses that one page check can serve share a number; 0 none */
    uint16_t run_off, run_len; /* offset of this access from the run's lowest byte; bytes the run spans */
    uint8_t align;             /* > 1: #GP(0) when the linear address is not a multiple (16 for MOVAPS ...) */
} IrMem;

/* An x87, MMX or SSE instruction, to be re-encoded or interpreted by table. */
enum { IR_FP_NONE, IR_FP_XMM, IR_FP_MMX, IR_FP_GPR, IR_FP_MEM };
typedef struct IrFp {
    uint8_t prefix; /* VEC: 0, 0x66, 0xf3, 0xf2 */
    uint8_t map;    /* VEC: 0 = 0F, 1 = 0F 38, 2 = 0F 3A.  X87: unused */
    uint8_t opcode; /* VEC: the opcode byte.  X87: 0xd8..0xdf */
    uint8_t modrm;  /* the whole byte, as in the guest (X87 register forms: the second opcode byte) */
    uint8_t imm;
    uint8_t has_imm;
    uint8_t reg_kind, rm_kind; /* IR_FP_*: what ModRM.reg and ModRM.rm name */
    uint8_t reg_use, rm_use;   /* IR_USE_* for register operands */
    uint8_t mem_size;          /* bytes, with rm_kind == IR_FP_MEM: 1 2 4 8 10 16 */
    uint8_t mem_use;           /* IR_MEM_R or IR_MEM_W */
    uint8_t soft;              /* exceptions are unmasked: use the reference helper, which can raise #MF / #XM */
} IrFp;

typedef struct IrInsn {
    uint8_t op;            /* IrOp */
    uint8_t width, width2; /* bytes */
    uint8_t cc;            /* x86 condition code 0..15 */
    uint8_t fl_rd, fl_wr;  /* IR_CF ...: read and written (or undefined) by this one */
    uint8_t fl_live;       /* of fl_wr: those somebody reads later (set by the liveness pass) */
    uint8_t lock;          /* LOCK prefix was present */
    IrOpnd dst, a, b, c, d;
    IrMem mem;
    IrFp fp;
    uint16_t helper;    /* HELPER: number from cpu/helpers.def */
    uint32_t target[2]; /* direct exits: guest EIP.  MARK: [0] = EIP of the guest instruction, [1] = its length */
} IrInsn;

enum { IR_SOFT_MAX = 4, IR_SOFT_BYTES = 4 }; /* words that LDCODE reads: at most in a block, bytes of one */

/* What the translation depended on, for passes and backends. */
typedef struct IrBlock {
    IrInsn *insn;
    uint32_t n, cap;
    uint16_t n_temps; /* temporaries in use: IR_TEMP0 .. IR_TEMP0 + n_temps - 1 */
    uint32_t eip;     /* of the first instruction */
    uint32_t cs_base;
    uint32_t mode;         /* mode flags, cpu/mode.h */
    bool pinned;           /* depends on its EIP in more than what ir_eip() and target[] say */
    uint32_t size;         /* guest bytes */
    uint32_t n_guest;      /* guest instructions */
    uint8_t mmu_idx;       /* which TLB the block's accesses use, softmmu/mmu.h */
    uint8_t fl_live_out;   /* arithmetic flags live at the block's end (look-ahead; ALL when unknown) */
    uint8_t fl_dead_on[2]; /* of these, the ones that nobody needs on the way to target[0], target[1] */
    struct IrNotes *notes; /* tcg/notes.h: where passes say what they do; NULL: nobody asks */
    /* Guest EIPs [lo, hi), in the first page, whose bytes fl_live_out and fl_dead_on rely on: a write there outdates the block
     * like one to its own code.  Equal: none. */
    uint32_t look_lo, look_hi;
    /* Offsets from the start, rising, of words that LDCODE reads: a write there outdates nothing. */
    uint16_t soft[IR_SOFT_MAX];
    uint8_t n_soft;
} IrBlock;

void ir_block_init(IrBlock *b);
void ir_block_reset(IrBlock *b); /* empties it, keeps the memory */
void ir_block_free(IrBlock *b);

/* Appends an operation with fl_rd, fl_wr from the table (cc first set by the caller's argument);
 * the pointer is valid until the next ir_emit. */
IrInsn *ir_emit(IrBlock *b, IrOp op, unsigned width);
uint16_t ir_temp(IrBlock *b);     /* a new temporary's register number */
uint8_t ir_cc_flags(unsigned cc); /* flags that condition cc (0..15) tests */

static inline IrOpnd ir_reg(unsigned reg)
{
    return (IrOpnd){ .kind = IR_REG, .reg = (uint16_t)reg };
}
static inline IrOpnd ir_reg_high(unsigned reg)
{
    return (IrOpnd){ .kind = IR_REG, .high = 1, .reg = (uint16_t)reg };
}
static inline IrOpnd ir_imm(uint32_t v)
{
    return (IrOpnd){ .kind = IR_IMM, .imm = v };
}
static inline IrOpnd ir_eip(uint32_t v)
{
    return (IrOpnd){ .kind = IR_IMM, .reg = 1, .imm = v };
}
static inline bool ir_is_eip(const IrOpnd *o)
{
    return o->kind == IR_IMM && o->reg;
}

uint32_t ir_flags_to_eflags(unsigned fl); /* IR_* mask -> EFLAGS bit mask */
unsigned ir_flags_from_eflags(uint32_t eflags);

/* Every register an operation reads / writes, temporaries included, through a callback-free walk:
 * fills regs[] (at most 8) with register numbers and returns how many.  HELPER's implicit GPR sets
 * come from the helper table that ir_set_helper_info() registered. */
unsigned ir_reads(const IrInsn *in, uint16_t regs[12]);
unsigned ir_writes(const IrInsn *in, uint16_t regs[12]);

/* Effects of helpers, given once by cpu at start-up, so that tcg need not know them. */
typedef struct IrHelperInfo {
    const char *name;
    void *fn;               /* uint32_t (*)(CPUState *, uint32_t, ...) or void (*)(...) */
    uint8_t nargs;          /* 0..4, each uint32_t, after the CPUState pointer */
    uint8_t has_ret;        /* returns uint32_t */
    uint8_t gpr_rd, gpr_wr; /* guest GPRs it reads / may write in CPUState */
    uint8_t fl_rd, fl_wr;   /* arithmetic flags it reads from / writes to CPUState.cc (CPUState's flags are valid
                             * before it; after it, all flags named in fl_wr are in CPUState.cc) */
    uint8_t attr;           /* IR_RAISES: may raise (EIP, all GPRs and live flags are in CPUState before the call) */
    uint8_t effects;        /* IR_HELPER_* */
} IrHelperInfo;
enum {
    IR_HELPER_FPU = 1, /* touches CPUState.fpu: a backend that keeps x87/SSE state in host registers
                        * must have it in CPUState before, and read it back after */
};
void ir_set_helper_info(const IrHelperInfo *table, unsigned n);
const IrHelperInfo *ir_helper_info(unsigned helper);
unsigned ir_helper_count(void);

/* Text of one operation, or of a block, as -d op shows it. */
int ir_print_insn(char *buf, size_t size, const IrInsn *in);
const char *ir_reg_text(char buf[8], unsigned reg);    /* "eax", "t3"; returns buf */
const char *ir_sum_text(char buf[48], const IrMem *m); /* "ebx+esi*4+0x8" */
const char *ir_flags_text(char buf[8], unsigned fl);   /* "CPAZSO" */

/* Passes: each a function from IR to IR in a file of its own, tcg/pass_*.c, in running order. */
typedef struct IrPass {
    const char *name; /* as given to -d no-NAME / -accel tcg,no-pass=NAME */
    const char *what; /* one line */
    void (*run)(IrBlock *b);
} IrPass;
extern const IrPass ir_passes[];
extern const unsigned ir_pass_count;
bool ir_pass_enable(const char *name, bool on); /* false: no such pass */
bool ir_pass_enabled(unsigned i);               /* ir_passes[i] */
void ir_run_passes(IrBlock *b);                 /* those enabled; flag liveness facts are always made valid */

#endif
