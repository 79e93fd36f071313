/* A block in the making: shared by sequence.c (the block, its places, its inputs), sequence_plain.c (instructions one by
 * one) and sequence_flow.c (branches, calls, loops, and what belongs together). */
#ifndef CALQUE_TESTS_SEQUENCE_H
#define CALQUE_TESTS_SEQUENCE_H

#include "silicon.h"

enum { MAX_ITEMS = 96 };

/* Where a branch goes: an item's number, or one of these. */
enum { TO_SUB = -2, TO_LEAF = -3 };
enum { FIX_NONE, FIX_RELATIVE, FIX_ABSOLUTE };

/* One instruction, or a few that belong together. */
typedef struct Item {
    uint8_t bytes[40];
    uint8_t len;
    uint8_t fix, fix_at, fix_size; /* the target's place in the bytes */
    int8_t target;
    uint16_t at;
} Item;

/* What a block is mostly made of. */
enum { KIND_INTEGER, KIND_FP, KIND_X87, KIND_VEC, KINDS };

typedef struct Seq {
    Rng *r;
    const DecodeFeatures *feat;
    Case *c;
    bool fp, code32, in_sub, in_leaf;
    uint8_t kind, kind_percent; /* of the plain instructions */
    uint32_t anchor;            /* most memory operands are near this offset in the data area */
    uint32_t data, stack;       /* offsets of the areas in DS and SS */
    Item item[MAX_ITEMS];
    unsigned n;
    unsigned protect; /* registers that no instruction may write: mask */
    int sub, leaf;    /* items that begin the subroutines */
    int8_t table[MAX_TABLES][4];
} Seq;

Item *seq_item(Seq *s);
void item_add(Item *it, const void *bytes, unsigned n);
void item_add8(Item *it, unsigned b);

/* Words and an area that hold what FLDCW, LDMXCSR, FRSTOR ... accept. */
enum { SEQ_FCW = STACK_BASE + 0x1e0, SEQ_MXCSR = STACK_BASE + 0x1e8, SEQ_STATE = STACK_BASE + 0x200 };

/* A random instruction that does not leave the block. */
void seq_add_plain(Seq *s);
/* An offset in the data area. */
uint32_t seq_data_offset(Seq *s, bool aligned);
/* A branch, call, loop or group. */
void seq_add_flow(Seq *s, unsigned body_begin);
unsigned seq_rel_size(const Seq *s);
/* Linear addresses, in the stack area's first quarter. */
uint32_t seq_counter_at(unsigned i);
uint32_t seq_table_at(unsigned i);

#endif
