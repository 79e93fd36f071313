#include "tcg/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool ir_notes_begin(IrNotes *notes, IrBlock *b)
{
    b->notes = NULL;
    notes->n = 0;
    notes->pass = "";
    if (b->n > notes->cap) {
        uint32_t *more = realloc(notes->number, b->n * sizeof *more);
        if (!more) return false;
        notes->number = more;
        notes->cap = b->n;
    }
    for (uint32_t i = 0; i < b->n; i++) notes->number[i] = i;
    b->notes = notes;
    return true;
}

void ir_notes_end(IrBlock *b)
{
    b->notes = NULL;
}

void ir_notes_free(IrNotes *notes)
{
    free(notes->number);
    notes->number = NULL;
    notes->cap = notes->n = 0;
}

void ir_note_add(const IrBlock *b, const IrInsn *in, const char *fmt, ...)
{
    IrNotes *notes = b->notes;
    if (notes->n == IR_NOTES_MAX) return;
    IrNote *note = &notes->note[notes->n++];
    note->number = notes->number[in - b->insn];
    note->pass = notes->pass;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(note->text, sizeof note->text, fmt, ap);
    va_end(ap);
}

uint32_t ir_insn_eip(const IrBlock *b, const IrInsn *in)
{
    while (in > b->insn && in->op != IR_MARK) in--;
    return in->op == IR_MARK ? in->target[0] : b->eip;
}
