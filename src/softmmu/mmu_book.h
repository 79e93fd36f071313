/* What the TLB's owner knows of each entry beyond the words that generated code reads. */
#ifndef CALQUE_SOFTMMU_MMU_BOOK_H
#define CALQUE_SOFTMMU_MMU_BOOK_H

#include "softmmu/walk.h"

/* Tables 0..2 are the data TLBs by MMU index, 3 and 4 the fetch TLBs (CPL 3, CPL < 3). */
enum { BOOK_FETCH = MMU_MODES, BOOK_TABLES = MMU_MODES + 2 };

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

typedef struct MmuBook {
    Slot slot[BOOK_TABLES][MMU_TLB_SIZE];
    SlotList local, global;
    Victim victim[MMU_MODES][MMU_VICTIMS];
    uint8_t next_victim[MMU_MODES];
    /* By 2 MiB of linear space: pieces of a large page may be in the TLB (1: 2 MiB, 2: 4 MiB page).
     * INVLPG must drop all of them. */
    uint8_t large[2048];
    bool any_large;
} MmuBook;

/* The data entry for lin that allows the access, from the TLB, a victim or a walk; filled when it
 * was not there.  NULL: *fault is set. */
const TlbEntry *mmu_entry(Mmu *m, uint32_t lin, unsigned access, unsigned idx, const Slot **slot, MmuFault *fault);

#endif
