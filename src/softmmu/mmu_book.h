/* What the TLB's owner knows of each entry beyond the words that generated code reads. */
#ifndef CALQUE_SOFTMMU_MMU_BOOK_H
#define CALQUE_SOFTMMU_MMU_BOOK_H

#include "softmmu/walk.h"

/* In a tag: makes the inline compare fail; the page part stays good.  Not one of the low four bits: code that wants an
 * aligned operand compares those of the address along with its page. */
enum { TAG_SLOW = 0x800 };

/* Tables 0..2 are the data TLBs by MMU index, then come the fetch TLBs (CPL 3, CPL < 3), each in pieces of the same size. */
enum {
    BOOK_FETCH = MMU_MODES,
    BOOK_FETCH_PIECES = MMU_ITLB_SIZE / MMU_TLB_SIZE,
    BOOK_TABLES = BOOK_FETCH + 2 * BOOK_FETCH_PIECES,
};

enum {
    SLOT_VALID = 1,
    SLOT_GLOBAL = 2,
    SLOT_WRITE = 4,     /* the tables allow writes and D is set */
    SLOT_HOST = 8,      /* addend is good: RAM or ROM */
    SLOT_RAM = 0x10,    /* host memory may be written */
    SLOT_LISTED = 0x20, /* on the list of non-global slots */
    SLOT_LISTED_G = 0x40,
    SLOT_ON_LIST = SLOT_LISTED | SLOT_LISTED_G,
};

typedef struct Slot {
    uint32_t ppage; /* physical page number */
    uint8_t flags;
} Slot;

typedef struct Victim {
    TlbEntry entry;
    Slot slot;
} Victim;

/* Slots that may be filled, as table * MMU_TLB_SIZE + index.  A slot stays on its list until that list
 * is flushed, even if it was emptied or changed hands in between, so each list holds a slot once. */
typedef struct SlotList {
    unsigned n;
    uint16_t id[BOOK_TABLES * MMU_TLB_SIZE];
} SlotList;
_Static_assert(BOOK_TABLES *MMU_TLB_SIZE <= 1 << 16, "a slot's number is in 16 bits");

typedef struct MmuBook {
    Slot slot[BOOK_TABLES][MMU_TLB_SIZE];
    SlotList local, global;
    Victim victim[MMU_MODES][MMU_VICTIMS];
    uint8_t next_victim[MMU_MODES];
    /* By 2 MiB of linear space: pieces of a large page may be in the TLB (1: 2 MiB, 2: 4 MiB page).
     * INVLPG must drop all of them. */
    uint8_t large[2048];
    bool any_large;
    struct MmuUndo *undo; /* NULL: nothing is to be taken back */
    bool undo_on;
} MmuBook;

/* The table with lin's fetch entry, at mmu_tlb_index(lin), and such an entry's word. */
static inline unsigned book_fetch_table(uint32_t lin, bool user)
{
    return BOOK_FETCH + (user ? 0 : BOOK_FETCH_PIECES) + mmu_itlb_index(lin) / MMU_TLB_SIZE;
}
static inline uint32_t *book_fetch_word(Mmu *m, unsigned table, unsigned n)
{
    unsigned piece = table - BOOK_FETCH;
    return &m->itlb[piece / BOOK_FETCH_PIECES][piece % BOOK_FETCH_PIECES * MMU_TLB_SIZE + n];
}

void mmu_list_slot(MmuBook *b, unsigned table, unsigned n); /* a slot that has been filled */

/* mmu_undo.c: before a slot, or the victims and large[], change. */
void mmu_undo_slot(Mmu *m, unsigned table, unsigned n);
void mmu_undo_victims(Mmu *m);
void mmu_undo_free(Mmu *m);
/* Whether stores to this page of RAM need nobody's attention: it holds no translated code, and nobody waits for writes. */
bool mmu_plain_stores(const Mmu *m, PhysAddr page, const uint8_t *host);
static inline void mmu_undo_note(Mmu *m, unsigned table, unsigned n)
{
    if (__builtin_expect(m->book->undo_on, 0)) mmu_undo_slot(m, table, n);
}
static inline void mmu_undo_note_victims(Mmu *m)
{
    if (__builtin_expect(m->book->undo_on, 0)) mmu_undo_victims(m);
}

/* The data entry for lin that allows the access, from the TLB, a victim or a walk; filled when it
 * was not there.  NULL: *fault is set. */
const TlbEntry *mmu_entry(Mmu *m, uint32_t lin, unsigned access, unsigned idx, const Slot **slot, MmuFault *fault);

#endif
