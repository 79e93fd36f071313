/* Liveness of the six arithmetic flags, backwards from the block's end: fills in fl_live.
 *
 * Operations that may raise, and CHKMODE's way out, are not readers: execution comes back to the same
 * place and overwrites the dead flags there; only an exception frame could show the difference.
 * Operations with no result but flags go when all those are dead. */
#include "tcg/notes.h"
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

enum { FLAGS = 6 };

/* Why the flags in dead are: who writes them next, NULL: code after the block. */
static void note_dead(const IrBlock *b, const IrInsn *in, unsigned dead, const IrInsn *const next[FLAGS])
{
    while (dead) {
        const IrInsn *writer = next[__builtin_ctz(dead)];
        unsigned same = 0;
        char letters[8];
        for (unsigned i = 0; i < FLAGS; i++)
            if (dead >> i & 1 && next[i] == writer) same |= 1u << i;
        ir_flags_text(letters, same);
        if (writer)
            ir_note(b, in, "%s dead: next written by %s at %08x", letters, ir_op_info[writer->op].text,
                    ir_insn_eip(b, writer));
        else
            ir_note(b, in, "%s dead: the code behind the block writes them before it reads them", letters);
        dead &= ~same;
    }
}

static void note_writer(const IrInsn *in, const IrInsn *next[FLAGS])
{
    for (unsigned i = 0; i < FLAGS; i++)
        if (in->fl_wr >> i & 1) next[i] = in;
}

void pass_flags(IrBlock *b)
{
    unsigned live = b->fl_live_out;
    const IrInsn *next[FLAGS] = { NULL }; /* the next writer of each, for notes */

    for (uint32_t i = b->n; i-- > 0;) {
        IrInsn *in = &b->insn[i];

        ir_resolve_flags(in);
        in->fl_live = (uint8_t)(live & in->fl_wr);
        if (b->notes) note_dead(b, in, in->fl_wr & ~live, next);
        if (!in->fl_live && only_flags(in->op)) {
            ir_note(b, in, "removed: it makes nothing but flags");
            ir_make_nop(in);
            continue;
        }
        in->fl_rd = (uint8_t)flags_read(in, live);
        live = (live & ~(unsigned)in->fl_wr) | in->fl_rd;
        if (b->notes) note_writer(in, next);
    }
}
