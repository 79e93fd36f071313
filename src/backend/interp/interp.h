/* The portable backend's pre-decoded form.
 *
 * An IR operation becomes one Op, a cache line long: the function that carries it out, for this operation,
 * width and need of flags, and the addresses of its operands, which are always memory: a guest register in
 * CPUState, a temporary, or an immediate in the Op itself.  So no function tests what kind of operand it has.
 *
 * A function ends by calling the next Op's function, which compilers turn into a jump; where they do not (or in
 * builds for debugging) the host stack grows by a frame per Op, but only to the block's end, since exits return
 * to the loop in run().  A function that returns NULL leaves that loop.
 *
 * Arithmetic flags live in CPUState.cc, except where the emitter has seen that only conditions follow
 * which can be had from comparing two numbers: then the operation leaves these in InterpTmp instead. */
#ifndef CALQUE_BACKEND_INTERP_INTERP_H
#define CALQUE_BACKEND_INTERP_INTERP_H

#include "backend/backend.h"

typedef struct Op Op;
typedef const Op *Handler(CPUState *cpu, const Op *op);

struct Op {
    Handler *fn;
    void *d;       /* destination */
    const void *a; /* source */
    const void *b; /* second source; base register of a memory operand; not-taken exit */
    const void *p; /* index register; exit; what else one pointer is needed for */
    uint32_t imm;  /* immediate that a points to; target */
    uint32_t imm2; /* displacement; immediate that b points to */
    uint32_t eip;  /* guest instruction */
    uint32_t desc; /* memory: MEMD_* */
    uint8_t ir_op, width, variant, cc;
    uint8_t shift, seg, mmu_idx, how;
};
_Static_assert(sizeof(void *) != 8 || sizeof(Op) == 64, "an Op is a cache line");

enum { HOW_ADDR16 = 1, HOW_FLAT = 2, HOW_SLOW = 4 }; /* Op.how, of memory operands */

/* How much an operation does about flags. */
enum {
    VAR_NONE,    /* nothing */
    VAR_FLAGS,   /* all it writes, in CPUState.cc */
    VAR_COMPARE, /* as a comparison of InterpTmp.x with .y, both shifted up to 32 bits */
    VAR_COUNT
};

/* What is kept from one Op to a later one of the same block, in CPUState.backend_tmp. */
typedef struct InterpTmp {
    uint32_t x, y;
    uint8_t *rmw_host; /* between LDRMW and STRMW: host address, or NULL: slow path at */
    uint32_t rmw_lin;
    uint16_t cc; /* before an operation that writes only some of its flags */
} InterpTmp;
_Static_assert(sizeof(InterpTmp) <= sizeof((CPUState *)0)->backend_tmp, "InterpTmp fits");
static inline InterpTmp *interp_tmp(CPUState *cpu)
{
    return (InterpTmp *)(void *)cpu->backend_tmp;
}

#define NEXT_AFTER(op, n) return (op)[n].fn(cpu, (op) + (n))
#define NEXT(op)          NEXT_AFTER(op, 1)

/* Widths 1, 2, 4 as 0, 1, 2. */
static inline unsigned width_log2(unsigned width)
{
    return width >> 1;
}

/* Where the low `width` bytes (high: bits 8..15) of a 32-bit word are in host memory. */
static inline void *word_part(void *word, unsigned width, bool high)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (char *)word + 4 - width - high;
#else
    (void)width;
    return (char *)word + high;
#endif
}

/* Flags in CPUState.cc's format. */
enum { CC_OF = 1, CC_CF = 0x100, CC_PF = 0x400, CC_AF = 0x1000, CC_ZF = 0x4000, CC_SF = 0x8000 };
static inline unsigned cc_from_ir(unsigned fl)
{
    return (fl & IR_CF ? CC_CF : 0) | (fl & IR_PF ? CC_PF : 0) | (fl & IR_AF ? CC_AF : 0) | (fl & IR_ZF ? CC_ZF : 0) |
           (fl & IR_SF ? CC_SF : 0) | (fl & IR_OF ? CC_OF : 0);
}
/* SF, ZF and PF of a result, in its low `bits` bits. */
static inline unsigned cc_szp(uint32_t r, unsigned bits)
{
    uint32_t top = r << (32 - bits);
    return (top >> 31) * CC_SF | (unsigned)!top * CC_ZF | (unsigned)!__builtin_parity(r & 0xff) * CC_PF;
}
static inline unsigned cc_add(uint32_t a, uint32_t b, unsigned carry, unsigned bits)
{
    uint64_t wide = (uint64_t)a + b + carry;
    uint32_t r = (uint32_t)wide;
    return cc_szp(r, bits) | (unsigned)(wide >> bits & 1) * CC_CF | ((a ^ b ^ r) & 0x10) << 8 |
           (((a ^ r) & (b ^ r)) >> (bits - 1) & 1) * CC_OF;
}
static inline unsigned cc_sub(uint32_t a, uint32_t b, unsigned borrow, unsigned bits)
{
    uint64_t wide = (uint64_t)a - b - borrow;
    uint32_t r = (uint32_t)wide;
    return cc_szp(r, bits) | (unsigned)(wide >> bits & 1) * CC_CF | ((a ^ b ^ r) & 0x10) << 8 |
           (((a ^ b) & (a ^ r)) >> (bits - 1) & 1) * CC_OF;
}

/* For callers that may raise: exceptions are taken at this guest instruction. */
static inline void interp_may_raise(CPUState *cpu, const Op *op)
{
    cpu->eip = op->eip;
    cpu->host_pc = op;
}

/* The functions, found by what they do; NULL: no such.  width in bytes. */
Handler *interp_alu(unsigned ir_op, unsigned width, unsigned variant);               /* ops_alu.c */
Handler *interp_shift(unsigned ir_op, unsigned width, unsigned variant);             /* ops_shift.c */
Handler *interp_arith(unsigned ir_op, unsigned width, unsigned variant);             /* ops_arith.c: MUL, DIV, bits */
Handler *interp_move(unsigned ir_op, unsigned width, unsigned width2);               /* ops_move.c */
Handler *interp_cond(unsigned ir_op, unsigned width, unsigned cc, unsigned variant); /* ops_cond.c */
Handler *interp_mem(unsigned ir_op, unsigned width, unsigned width2, bool fast);     /* ops_mem.c */
Handler *interp_fp(const IrInsn *in);                                                /* ops_mem.c */
Handler *interp_jz(unsigned ir_op, unsigned width);                                  /* ops_flow.c */
Handler interp_goto, interp_indirect, interp_exit, interp_stub, interp_chkmode, interp_check_page, interp_count,
    interp_tally, interp_tell;
Handler interp_cc_save, interp_cc_merge, interp_getflags, interp_setflags, interp_carry; /* ops_arith.c */
Handler *interp_helper(const IrHelperInfo *info);                                        /* ops_helper.c */
bool interp_helper_init(const char **error);

/* HELPER: the arguments follow in the next Op's place. */
typedef struct HelperArgs {
    const void *arg[4];
    uint32_t imm[4];
} HelperArgs;
_Static_assert(sizeof(HelperArgs) <= sizeof(Op) && sizeof(IrFp) <= sizeof(Op), "fits in an Op's place");

/* At the start of the arena. */
enum { INTERP_TEMPS = 256 };
typedef struct InterpArena {
    CPUState *cpu;
    uint32_t temp[INTERP_TEMPS];
} InterpArena;
extern const InterpArena *interp_arena; /* the one in use */

bool interp_emit(CodeArena *arena, const IrBlock *b, const EmitInfo *info, BackendCode *out, EmitMap *map,
                 unsigned map_cap, unsigned *map_n);
void interp_dump(const BackendCode *code, uint32_t from, uint32_t to, void (*emit_line)(void *opaque, const char *line),
                 void *opaque);

#endif
