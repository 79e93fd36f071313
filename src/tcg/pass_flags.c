/* Liveness of the six arithmetic flags, backwards from the block's end: fills in fl_live.
 *
 * Operations that may raise, and CHKMODE's way out, are not readers: execution comes back to the same
 * place and overwrites the dead flags there; only an exception frame could show the difference.
 * Operations with no result but flags go when all those are dead. */
#include "tcg/pass.h"

static bool only_flags(unsigned op)
{
    switch (op) {
    case IR_CMP:
    case IR_TEST:
    case IR_BT:
    case IR_CLC:
    case IR_STC:
    case IR_CMC:
    case IR_SETFLAGS: return true;
    default: return false;
    }
}

/* A shift by CL reads the flags it writes because the count may be zero: those that are dead, it need not. */
static unsigned flags_read(const IrInsn *in, unsigned live)
{
    if (in->op < IR_ROL || in->op > IR_SHRD) return in->fl_rd;
    return in->fl_rd & (ir_op_info[in->op].fl_rd | live);
}

void pass_flags(IrBlock *b)
{
    unsigned live = b->fl_live_out;

    for (uint32_t i = b->n; i-- > 0;) {
        IrInsn *in = &b->insn[i];

        ir_resolve_flags(in);
        in->fl_live = (uint8_t)(live & in->fl_wr);
        if (!in->fl_live && only_flags(in->op)) {
            ir_make_nop(in);
            continue;
        }
        in->fl_rd = (uint8_t)flags_read(in, live);
        live = (live & ~(unsigned)in->fl_wr) | in->fl_rd;
    }
}
