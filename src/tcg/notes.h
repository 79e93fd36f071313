/* What the passes, and then the backend, did to a block and why, for -d op_opt and "calque explain".
 *
 * Only a block that somebody looks at has notes (IrBlock.notes); for all others a note costs the test of that pointer.
 * A note names its operation by the number that it had before the first pass, since operations move up when others
 * are dropped. */
#ifndef CALQUE_TCG_NOTES_H
#define CALQUE_TCG_NOTES_H

#include "tcg/ir.h"

enum { IR_NOTES_MAX = 8192, IR_NOTE_TEXT = 100 };

typedef struct IrNote {
    uint32_t number;
    const char *pass;
    char text[IR_NOTE_TEXT];
} IrNote;

typedef struct IrNotes {
    const char *pass; /* the one that is running */
    IrNote note[IR_NOTES_MAX];
    uint32_t n;
    uint32_t *number; /* by index in the block as it is now: before the passes */
    uint32_t cap;
} IrNotes;

/* Empties notes and makes them b's, which is as translated; at most IR_NOTES_MAX are kept.  False: out of memory, the
 * block then has none. */
bool ir_notes_begin(IrNotes *notes, IrBlock *b);
void ir_notes_end(IrBlock *b); /* b has none any more; what was noted stays readable */
void ir_notes_free(IrNotes *notes);

/* For passes: operation `from` is now at index `to`. */
static inline void ir_notes_moved(const IrBlock *b, uint32_t from, uint32_t to)
{
    if (b->notes) b->notes->number[to] = b->notes->number[from];
}
void ir_note_add(const IrBlock *b, const IrInsn *in, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define ir_note(b, in, ...) ((b)->notes ? ir_note_add((b), (in), __VA_ARGS__) : (void)0)

uint32_t ir_insn_eip(const IrBlock *b, const IrInsn *in); /* of the guest instruction that it is part of */

#endif
