/* A journal of the TLBs: what each slot held before it changed.
 *
 * TLB contents are visible to a guest: as stale translations, and because a page that is in the TLB has its A and D
 * bits set already.  Code that is run twice must meet the same ones both times. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/mmu_book.h"
#include "util/die.h"

typedef struct OldSlot {
    unsigned table, n;
    TlbEntry entry; /* data tables */
    uint32_t word;  /* fetch tables */
    Slot slot;
} OldSlot;

struct MmuUndo {
    OldSlot *old;
    size_t n, cap;
    bool has_victims;
    Victim victim[MMU_MODES][MMU_VICTIMS];
    uint8_t next_victim[MMU_MODES];
    uint8_t large[sizeof((MmuBook *)0)->large];
    bool any_large;
    uint32_t cr0, cr3, cr4, a20_mask;
    bool nx;
    uint64_t pdpte[4];
};

void mmu_undo_free(Mmu *m)
{
    if (m->book->undo) free(m->book->undo->old);
    free(m->book->undo);
    m->book->undo = NULL;
}

static void forget(struct MmuUndo *u)
{
    u->n = 0;
    u->has_victims = false;
}

void mmu_undo_start(Mmu *m)
{
    MmuBook *b = m->book;
    if (!b->undo) b->undo = calloc(1, sizeof *b->undo);
    struct MmuUndo *u = b->undo;
    if (!u) die("out of memory for the TLB's journal");
    forget(u);
    u->cr0 = m->cr0;
    u->cr3 = m->cr3;
    u->cr4 = m->cr4;
    u->nx = m->nx;
    u->a20_mask = m->a20_mask;
    memcpy(u->pdpte, m->pdpte, sizeof u->pdpte);
    b->undo_on = true;
}

void mmu_undo_slot(Mmu *m, unsigned table, unsigned n)
{
    struct MmuUndo *u = m->book->undo;
    if (u->n == u->cap) {
        u->cap = u->cap ? 2 * u->cap : 256;
        u->old = realloc(u->old, u->cap * sizeof *u->old);
        if (!u->old) die("out of memory for the TLB's journal");
    }
    OldSlot *o = &u->old[u->n++];
    *o = (OldSlot){ .table = table, .n = n, .slot = m->book->slot[table][n] };
    if (table < BOOK_FETCH)
        o->entry = m->tlb[table][n];
    else
        o->word = *book_fetch_word(m, table, n);
}

void mmu_undo_victims(Mmu *m)
{
    MmuBook *b = m->book;
    struct MmuUndo *u = b->undo;
    if (u->has_victims) return;
    u->has_victims = true;
    memcpy(u->victim, b->victim, sizeof u->victim);
    memcpy(u->next_victim, b->next_victim, sizeof u->next_victim);
    memcpy(u->large, b->large, sizeof u->large);
    u->any_large = b->any_large;
}

/* A slot is on the lists that it is on now, whatever it was on then: flushes rely on it. */
static void put_back(Mmu *m, const OldSlot *o)
{
    Slot *s = &m->book->slot[o->table][o->n];
    uint8_t listed = s->flags & SLOT_ON_LIST;
    *s = o->slot;
    s->flags = (uint8_t)((s->flags & ~SLOT_ON_LIST) | listed);
    if (o->table < BOOK_FETCH)
        m->tlb[o->table][o->n] = o->entry;
    else
        *book_fetch_word(m, o->table, o->n) = o->word;
    if (s->flags & SLOT_VALID) mmu_list_slot(m->book, o->table, o->n);
}

void mmu_undo_back(Mmu *m)
{
    MmuBook *b = m->book;
    struct MmuUndo *u = b->undo;
    for (size_t i = u->n; i-- > 0;) put_back(m, &u->old[i]);
    if (u->has_victims) {
        memcpy(b->victim, u->victim, sizeof u->victim);
        memcpy(b->next_victim, u->next_victim, sizeof u->next_victim);
        memcpy(b->large, u->large, sizeof u->large);
        b->any_large = u->any_large;
    }
    m->cr0 = u->cr0;
    m->cr3 = u->cr3;
    m->cr4 = u->cr4;
    m->nx = u->nx;
    m->a20_mask = u->a20_mask;
    memcpy(m->pdpte, u->pdpte, sizeof u->pdpte);
    forget(u);
}

static void close_entry(TlbEntry *e)
{
    e->tag_wr |= TAG_SLOW;
}

void mmu_undo_stop(Mmu *m)
{
    MmuBook *b = m->book;
    struct MmuUndo *u = b->undo;
    for (size_t i = 0; i < u->n; i++)
        if (u->old[i].table < BOOK_FETCH) close_entry(&m->tlb[u->old[i].table][u->old[i].n]);
    if (u->has_victims)
        for (unsigned idx = 0; idx < MMU_MODES; idx++)
            for (unsigned i = 0; i < MMU_VICTIMS; i++) close_entry(&b->victim[idx][i].entry);
    forget(u);
    b->undo_on = false;
}
