/* Blocks of IR: the builder, and the table of what each operation is, made from ir_ops.def. */
#include "tcg/ir.h"
#include "tcg/silicon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ir_ops.def's column words, by column. */
enum { USE__ = 0, USE_R = IR_USE_R, USE_W = IR_USE_W, USE_RW = IR_USE_RW };
enum { MEM__ = IR_MEM_NONE, MEM_A = IR_MEM_ADDR, MEM_R = IR_MEM_R, MEM_W = IR_MEM_W, MEM_RW = IR_MEM_RW };
enum {
    FL_0 = 0,
    FL_CF = IR_CF,
    FL_CFOF = IR_CF | IR_OF,
    FL_NOTCF = IR_FL_ALL & ~IR_CF,
    FL_ALL = IR_FL_ALL,
    FL_CC = IR_FL_CC,
};
enum { RAISES = IR_RAISES, ENDS = IR_ENDS, SIDE = IR_SIDE };

const IrOpInfo ir_op_info[IR_OP_COUNT] = {
#define IR_OP(NAME, TEXT, D, A, B, MEM, FLRD, FLWR, GRD, GWR, ATTR)                                                    \
    [IR_##NAME] = { TEXT, USE_##D, USE_##A, USE_##B, MEM_##MEM, FL_##FLRD, FL_##FLWR, GRD, GWR, ATTR },
#include "tcg/ir_ops.def"
#undef IR_OP
};

void ir_block_init(IrBlock *b)
{
    memset(b, 0, sizeof *b);
}

void ir_block_reset(IrBlock *b)
{
    IrInsn *insn = b->insn;
    uint32_t cap = b->cap;

    memset(b, 0, sizeof *b);
    b->insn = insn;
    b->cap = cap;
}

void ir_block_free(IrBlock *b)
{
    free(b->insn);
    memset(b, 0, sizeof *b);
}

static void grow(IrBlock *b)
{
    uint32_t cap = b->cap ? b->cap * 2 : 256;
    IrInsn *insn = realloc(b->insn, cap * sizeof *insn);

    if (!insn) {
        fputs("calque: out of memory for translation\n", stderr);
        exit(1);
    }
    b->insn = insn;
    b->cap = cap;
}

IrInsn *ir_emit(IrBlock *b, IrOp op, unsigned width)
{
    const IrOpInfo *info = &ir_op_info[op];

    if (b->n == b->cap) grow(b);
    IrInsn *in = &b->insn[b->n++];
    memset(in, 0, sizeof *in);
    in->op = (uint8_t)op;
    in->width = (uint8_t)width;
    in->fl_rd = info->fl_rd; /* IR_FL_CC stays until cc is known: see ir_resolve_flags() */
    in->fl_wr = in->fl_live = silicon_flags_written(op);
    in->mem.base = in->mem.index = IR_NOREG;
    return in;
}

uint16_t ir_temp(IrBlock *b)
{
    return (uint16_t)(IR_TEMP0 + b->n_temps++);
}

/* SDM 1 appendix B.1: condition codes; odd ones negate. */
uint8_t ir_cc_flags(unsigned cc)
{
    static const uint8_t tests[8] = {
        IR_OF, IR_CF, IR_ZF, IR_CF | IR_ZF, IR_SF, IR_PF, IR_SF | IR_OF, IR_SF | IR_OF | IR_ZF,
    };
    return tests[cc >> 1 & 7];
}

static const uint16_t eflags_bit[6] = { 1, 4, 0x10, 0x40, 0x80, 0x800 };

uint32_t ir_flags_to_eflags(unsigned fl)
{
    uint32_t eflags = 0;

    for (unsigned i = 0; i < 6; i++)
        if (fl >> i & 1) eflags |= eflags_bit[i];
    return eflags;
}

unsigned ir_flags_from_eflags(uint32_t eflags)
{
    unsigned fl = 0;

    for (unsigned i = 0; i < 6; i++)
        if (eflags & eflags_bit[i]) fl |= 1u << i;
    return fl;
}
