/* Copies of a block for another EIP.  Programs and libraries are loaded at another address in each process (ASLR), from the
 * same pages of memory; what differs between two translations of such code are a few words.  emit() notes where they are,
 * so that copying the rest saves decoding, the passes and emitting.
 *
 * The notes stand in one table for all blocks, in order of code addresses, and go with the code. */
#include "backend/x86_64/emit.h"

#include <stdlib.h>

typedef struct Reloc {
    uint32_t block;    /* where it begins: offset in the arena */
    uint32_t at : 27;  /* offset in the part of the block's code ... */
    uint32_t cold : 1; /* ... that is in line, or out of line */
    uint32_t kind : 4;
} Reloc;

static struct {
    Reloc *r;
    uint32_t n, room;
} notes;

void reloc_forget(uint32_t code)
{
    while (notes.n && notes.r[notes.n - 1].block >= code) notes.n--;
}

static void note(Emit *e, Reloc r)
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
    notes.r[notes.n++] = r;
}

void reloc_note(Emit *e, unsigned kind, const uint8_t *word)
{
    bool cold = is_out_of_line(e, word);
    Reloc r = { .block = (uint32_t)(e->start - e->arena->rw),
                .at = (uint32_t)(word - (cold ? e->cold_start : e->start)) & 0x7ffffff,
                .cold = cold,
                .kind = kind & 15 };
    if (e->movable) note(e, r);
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

/* How far the two parts of the block are from where they were. */
typedef struct Shift {
    ptrdiff_t hot, cold;
} Shift;

static void apply(uint8_t *p, Reloc r, const BackendCopy *how, Shift shift)
{
    ptrdiff_t mine = r.cold ? shift.cold : shift.hot, other = r.cold ? shift.hot : shift.cold;
    uint64_t v;
    switch (r.kind) {
    case RELOC_EIP: add32(p, how->eip_delta); break;
    case RELOC_AWAY: add32(p, (uint32_t)-mine); break;
    case RELOC_ACROSS: add32(p, (uint32_t)(other - mine)); break;
    case RELOC_OWNER:
        memcpy(&v, p, 8);
        v += (uint64_t)how->owner_delta;
        memcpy(p, &v, 8);
        break;
    case RELOC_PAGE: /* disp32, imm32 */
        add32(p, 4 * (mmu_itlb_index(how->lin) - mmu_itlb_index(how->lin - how->eip_delta)));
        memcpy(p + 4, &how->itlb_word, 4);
        break;
    }
}

/* Sites and stubs are in the writable view, entries in the one that runs. */
static void *moved(const BackendCode *from, const CodeArena *arena, void *p, Shift shift)
{
    size_t out = (size_t)((uint8_t *)p + arena->exec_delta - (const uint8_t *)from->cold);
    return (uint8_t *)p + (out < from->cold_size ? shift.cold : shift.hot);
}

static BackendExit moved_exit(const BackendCode *from, const CodeArena *arena, const BackendExit *x,
                              const BackendCopy *how, Shift shift)
{
    BackendExit y = *x;
    if (!x->owner) return y;
    y.owner = (uint8_t *)x->owner + how->owner_delta;
    y.eip += how->eip_delta;
    if (x->site) y.site = moved(from, arena, x->site, shift);
    if (x->stub) y.stub = moved(from, arena, x->stub, shift);
    if (y.site && y.stub) asm_patch(y.site, y.stub); /* the original may be chained */
    return y;
}

/* Room for the copy, *cold for what is out of line. */
static uint8_t *make_room(CodeArena *arena, const BackendCode *from, uint8_t **cold)
{
    size_t start = (arena->used + 15) & ~(size_t)15, cold_start = (arena->cold_used + 15) & ~(size_t)15;
    size_t end = start + from->size, cold_end = cold_start + from->cold_size;
    if (end + 4096 > arena->size || cold_end + 4096 > arena->cold_end) return NULL;
    arena->used = end;
    arena->cold_used = cold_end;
    *cold = arena->rw + cold_start;
    return arena->rw + start;
}

bool reloc_copy(CodeArena *arena, const BackendCode *from, BackendCode *to, const BackendCopy *how)
{
    CodeArena before = *arena;
    uint8_t *cold, *new = from->n_reloc ? make_room(arena, from, &cold) : NULL;
    if (!new) return false;
    const uint8_t *old_run = from->entry_checked, *old = old_run - arena->exec_delta;
    const uint8_t *old_cold = (const uint8_t *)from->cold - arena->exec_delta;
    Shift shift = { new - old, cold - old_cold };
    reloc_forget((uint32_t)(new - arena->rw));
    fault_forget(new + arena->exec_delta);
    if (!fault_copy(old_run, from->size, shift.hot, shift.cold)) {
        *arena = before;
        return false;
    }
    memcpy(new, old, from->size);
    memcpy(cold, old_cold, from->cold_size);
    *to = *from; /* with its notes, which stay for as long as the code behind it */
    for (uint32_t i = 0; i < from->n_reloc; i++) {
        Reloc r = notes.r[from->reloc + i];
        apply((r.cold ? cold : new) + r.at, r, how, shift);
    }
    to->entry = (const uint8_t *)from->entry + shift.hot;
    to->entry_checked = (const uint8_t *)from->entry_checked + shift.hot;
    to->entry_again = (const uint8_t *)from->entry_again + shift.hot;
    to->cold = (const uint8_t *)from->cold + shift.cold;
    for (unsigned i = 0; i < 2; i++) to->exit[i] = moved_exit(from, arena, &from->exit[i], how, shift);
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
