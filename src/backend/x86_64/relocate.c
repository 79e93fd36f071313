/* Copies of a block for another EIP.  Programs and libraries are loaded at another address in each process (ASLR), from the
 * same pages of memory; what differs between two translations of such code are a few words.  emit() notes where they are,
 * so that copying the rest saves decoding, the passes and emitting.
 *
 * The notes stand in one table for all blocks, in order of code addresses, and go with the code. */
#include "backend/x86_64/emit.h"

#include <stdlib.h>

typedef struct Reloc {
    uint32_t at; /* offset in the arena */
    uint8_t kind;
} Reloc;

static struct {
    Reloc *r;
    uint32_t n, room;
} notes;

void reloc_forget(uint32_t code)
{
    while (notes.n && notes.r[notes.n - 1].at >= code) notes.n--;
}

static void note(Emit *e, uint32_t at, unsigned kind)
{
    if (notes.n == notes.room) {
        uint32_t room = notes.room ? 2 * notes.room : 4096;
        Reloc *more = realloc(notes.r, room * sizeof *more);
        if (!more) {
            e->movable = false;
            return;
        }
        notes.r = more;
        notes.room = room;
    }
    notes.r[notes.n++] = (Reloc){ at, (uint8_t)kind };
}

void reloc_note(Emit *e, unsigned kind, const uint8_t *word)
{
    if (e->movable) note(e, (uint32_t)(word - e->arena->rw), kind);
}

/* Immediates that move with EIP, where emit has an eye on them. */
static bool expected(const IrInsn *in)
{
    return in->op == IR_ST || in->op == IR_STSTATE || in->op == IR_HELPER;
}

bool reloc_possible(const IrBlock *b, const EmitInfo *info)
{
    if (!info->copies || b->pinned || info->n_pages != 1) return false;
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *in = &b->insn[i];
        bool eip = ir_is_eip(&in->a) || ir_is_eip(&in->b) || ir_is_eip(&in->c) || ir_is_eip(&in->d);
        if (eip && !expected(in)) return false;
        if ((in->op == IR_X87 || in->op == IR_VEC) && in->fp.soft)
            return false; /* has the address of data in its code */
    }
    return true;
}

static void add32(uint8_t *p, uint32_t n)
{
    uint32_t v;
    memcpy(&v, p, 4);
    v += n;
    memcpy(p, &v, 4);
}

static void apply(uint8_t *p, unsigned kind, const BackendCopy *how, uint32_t shift)
{
    uint64_t v;
    switch (kind) {
    case RELOC_EIP: add32(p, how->eip_delta); break;
    case RELOC_AWAY: add32(p, 0u - shift); break;
    case RELOC_OWNER:
        memcpy(&v, p, 8);
        v += (uint64_t)how->owner_delta;
        memcpy(p, &v, 8);
        break;
    case RELOC_PAGE: /* disp32, imm32 */
        add32(p, 4 * (mmu_tlb_index(how->lin) - mmu_tlb_index(how->lin - how->eip_delta)));
        memcpy(p + 4, &how->itlb_word, 4);
        break;
    }
}

/* Sites and stubs are in the writable view, entries in the one that runs. */
static BackendExit moved_exit(const BackendExit *x, const BackendCopy *how, ptrdiff_t shift)
{
    BackendExit y = *x;
    if (!x->owner) return y;
    y.owner = (uint8_t *)x->owner + how->owner_delta;
    y.eip += how->eip_delta;
    if (x->site) y.site = (uint8_t *)x->site + shift;
    if (x->stub) y.stub = (uint8_t *)x->stub + shift;
    if (y.site && y.stub) asm_patch(y.site, y.stub); /* the original may be chained */
    return y;
}

bool reloc_copy(CodeArena *arena, const BackendCode *from, BackendCode *to, const BackendCopy *how)
{
    size_t start = (arena->used + 15) & ~(size_t)15;
    if (!from->n_reloc || start + from->size + 4096 > arena->size) return false;
    const uint8_t *old = (const uint8_t *)from->entry_checked - arena->exec_delta;
    uint8_t *new = arena->rw + start;
    ptrdiff_t shift = new - old;
    const uint8_t *old_run = old + arena->exec_delta;
    uint32_t old_at = (uint32_t)(old - arena->rw);
    Emit e = { .arena = arena, .movable = true };
    reloc_forget((uint32_t)start);
    fault_forget(new + arena->exec_delta);
    if (!fault_copy(old_run, from->size, shift)) return false;
    memcpy(new, old, from->size);
    *to = *from;
    to->reloc = notes.n;
    for (uint32_t i = 0; i < from->n_reloc; i++) {
        Reloc r = notes.r[from->reloc + i];
        uint32_t at = (uint32_t)start + (r.at - old_at);
        apply(arena->rw + at, r.kind, how, (uint32_t)shift);
        note(&e, at, r.kind);
    }
    if (!e.movable) to->n_reloc = 0;
    to->entry = (const uint8_t *)from->entry + shift;
    to->entry_checked = (const uint8_t *)from->entry_checked + shift;
    to->entry_again = (const uint8_t *)from->entry_again + shift;
    for (unsigned i = 0; i < 2; i++) to->exit[i] = moved_exit(&from->exit[i], how, shift);
    arena->used = start + from->size;
    return true;
}

void reloc_begin(Emit *e)
{
    reloc_forget((uint32_t)(e->start - e->arena->rw));
    e->movable = reloc_possible(e->b, e->info);
    e->out->reloc = notes.n;
}

void reloc_end(Emit *e)
{
    e->out->n_reloc = e->movable ? notes.n - e->out->reloc : 0;
}
