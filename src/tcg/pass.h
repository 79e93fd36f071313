/* What the passes share. */
#ifndef CALQUE_TCG_PASS_H
#define CALQUE_TCG_PASS_H

#include "tcg/ir.h"

void pass_flags(IrBlock *b);
void pass_constprop(IrBlock *b);
void pass_addr(IrBlock *b);
void pass_dce(IrBlock *b);
void pass_runs(IrBlock *b);

/* Registers a pass keeps facts on; those of higher number (a block would have to be huge) are left alone. */
enum { PASS_MAX_REGS = 512 };

/* Replaces IR_FL_CC in fl_rd by the flags that cc tests, and adds a helper's flags from its table entry. */
void ir_resolve_flags(IrInsn *in);

/* Makes an operation disappear; pass_dce takes NOPs out. */
static inline void ir_make_nop(IrInsn *in)
{
    in->op = IR_NOP;
    in->fl_rd = in->fl_wr = in->fl_live = 0;
    in->dst.kind = in->a.kind = in->b.kind = in->c.kind = in->d.kind = IR_NONE;
}

#endif
