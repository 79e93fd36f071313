/* Random blocks of 2 to 40 instructions with branches: the branches, and groups of instructions that belong together.
 *
 * Every block must end, so branches go forward, or back under a counter in memory that nothing else writes. */
#include "sequence.h"

#include <string.h>

#include "cpu/state.h"

unsigned seq_rel_size(const Seq *s)
{
    return s->code32 ? 4 : 2;
}
uint32_t seq_counter_at(unsigned i)
{
    return STACK_BASE + 0x40 + 0x20 * i;
}
uint32_t seq_table_at(unsigned i)
{
    return STACK_BASE + 0x140 + 0x20 * i;
}

/* Room for the target. */
static void fix(Item *it, unsigned kind, unsigned size, int target)
{
    it->fix = (uint8_t)kind;
    it->fix_size = (uint8_t)size;
    it->fix_at = it->len;
    it->target = (int8_t)target;
    it->len = (uint8_t)(it->len + size);
}

/* One of the next few items. */
static int ahead(Seq *s)
{
    return (int)(s->n + rng_below(s->r, 4));
}

static unsigned free_register(Seq *s)
{
    static const uint8_t regs[3] = { R_EAX, R_ECX, R_EDX };
    return regs[rng_below(s->r, 3)];
}

/* ModRM (register field `reg') and displacement for a word of the stack area. */
static void put_stack_word(Seq *s, Item *it, unsigned reg, uint32_t lin)
{
    uint32_t disp = lin - STACK_BASE + s->stack;
    item_add8(it, reg << 3 | (s->code32 ? 5 : 6));
    item_add(it, &disp, seq_rel_size(s));
}

/* --- direct branches ------------------------------------------------------------------------------------------ */

static void add_forward(Seq *s)
{
    Item *it = seq_item(s);
    unsigned kind = rng_below(s->r, 10), size = 1;
    if (kind < 4) {
        item_add8(it, 0x70 | rng_below(s->r, 16));
    } else if (kind < 7) {
        item_add8(it, 0x0f);
        item_add8(it, 0x80 | rng_below(s->r, 16));
        size = seq_rel_size(s);
    } else if (kind < 8) {
        if (chance(s->r, 20) && !native_long_mode()) item_add8(it, 0x67);
        item_add8(it, 0xe0 | rng_below(s->r, 4)); /* LOOPNE LOOPE LOOP JCXZ */
    } else if (kind < 9) {
        item_add8(it, 0xeb);
    } else {
        item_add8(it, 0xe9);
        size = seq_rel_size(s);
    }
    fix(it, FIX_RELATIVE, size, ahead(s));
}

/* cmp or test, register with register; jcc: what a backend fuses */
static void add_compare_branch(Seq *s)
{
    static const uint8_t ops[] = { 0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85, 0x29, 0x21, 0x01 };
    Item *it = seq_item(s);
    if (chance(s->r, 20)) item_add8(it, 0x66);
    item_add8(it, ops[rng_below(s->r, sizeof ops)]);
    item_add8(it, 0xc0 | rng_below(s->r, 8) << 3 | free_register(s));
    item_add8(it, 0x70 | rng_below(s->r, 16));
    fix(it, FIX_RELATIVE, 1, ahead(s));
}

/* dec dword ss:[counter]; jg back */
static void add_back(Seq *s, unsigned begin)
{
    unsigned reach = s->n - begin < 6 ? s->n - begin : 6;
    if (s->c->n_counter == MAX_COUNTERS) return;
    unsigned to = s->n - rng_below(s->r, reach + 1); /* at most this very item: a block that jumps to itself */
    Item *it = seq_item(s);
    item_add8(it, 0x36);
    if (!s->code32) item_add8(it, 0x66);
    item_add8(it, 0xff);
    put_stack_word(s, it, 1, seq_counter_at(s->c->n_counter++));
    item_add8(it, 0x7f); /* not taken below 0: the loop may be entered again */
    fix(it, FIX_RELATIVE, 1, (int)to);
}

/* --- indirect branches, calls, returns ---------------------------------------------------------------------- */

/* A table of four places ahead; which ones stand there is chosen for each run. */
static int new_table(Seq *s, bool call)
{
    if (s->c->n_table == MAX_TABLES) return -1;
    int t = s->c->n_table++;
    for (unsigned i = 0; i < 4; i++) s->table[t][i] = (int8_t)(call ? TO_SUB : (int)s->n + 1 + (int)rng_below(s->r, 4));
    return t;
}

/* jmp ss:[table], or: and ecx, 3; jmp ss:[table + ecx * 4] */
static void add_indirect_jump(Seq *s)
{
    int t = new_table(s, false);
    if (t < 0) return;
    Item *it = seq_item(s);
    if (s->code32 && chance(s->r, 50)) {
        uint32_t disp = seq_table_at((unsigned)t) - STACK_BASE + s->stack;
        item_add(it, "\x83\xe1\x03\x36\xff\x24\x8d", 7);
        item_add(it, &disp, 4);
        return;
    }
    item_add(it, "\x36\xff", 2);
    put_stack_word(s, it, 4, seq_table_at((unsigned)t));
}

/* mov eax, place; jmp eax */
static void add_register_jump(Seq *s)
{
    Item *it = seq_item(s);
    unsigned reg = free_register(s);
    item_add8(it, 0xb8 | reg);
    fix(it, FIX_ABSOLUTE, seq_rel_size(s), ahead(s));
    item_add8(it, 0xff);
    item_add8(it, 0xe0 | reg);
}

/* push place; ret: a return that no call belongs to */
static void add_push_ret(Seq *s)
{
    Item *it = seq_item(s);
    item_add8(it, 0x68);
    fix(it, FIX_ABSOLUTE, seq_rel_size(s), ahead(s));
    item_add8(it, 0xc3);
}

/* call to the next instruction; pop: a call without return */
static void add_call_pop(Seq *s)
{
    Item *it = seq_item(s);
    item_add8(it, 0xe8);
    item_add(it, "\0\0\0\0", seq_rel_size(s));
    item_add8(it, 0x58 | free_register(s));
}

static void add_call(Seq *s)
{
    Item *it;
    int t = chance(s->r, 25) && !s->in_sub ? new_table(s, true) : -1;
    bool leaf = s->in_sub || chance(s->r, 30);
    it = seq_item(s);
    if (t >= 0) {
        item_add(it, "\x36\xff", 2);
        put_stack_word(s, it, 2, seq_table_at((unsigned)t));
        return;
    }
    if (leaf) item_add8(it, 0x50 | rng_below(s->r, 8)); /* what its RET n takes away */
    item_add8(it, 0xe8);
    fix(it, FIX_RELATIVE, seq_rel_size(s), leaf ? TO_LEAF : TO_SUB);
}

/* push r; something; pop r */
static void add_push_pop(Seq *s)
{
    item_add8(seq_item(s), 0x50 | rng_below(s->r, 8));
    seq_add_plain(s);
    item_add8(seq_item(s), 0x58 | free_register(s));
}

static void add_pushf_popf(Seq *s)
{
    if (native_long_mode())
        item_add(seq_item(s), "\x66\x9c\x66\x9d", 4); /* long_mode.c: POPF */
    else
        item_add(seq_item(s), "\x9c\x9d", 2);
}

/* --- a store and a load of some of the same bytes ------------------------------------------------------------- */

typedef struct Access {
    uint8_t n, bytes[3];
    int8_t reg; /* fixed register field, -1: any of AL CL DL, EAX ECX EDX, the MMX and XMM registers */
    bool fp;
} Access;

static const Access stores[] = {
    { 1, { 0x88 }, -1, false },
    { 1, { 0x89 }, -1, false },
    { 2, { 0x66, 0x89 }, -1, false },
    { 1, { 0x01 }, -1, false },
    { 1, { 0x28 }, -1, false },
    { 1, { 0x31 }, -1, false },
    { 2, { 0x0f, 0x7f }, -1, true },
    { 2, { 0x0f, 0x11 }, -1, true },
    { 3, { 0xf2, 0x0f, 0x11 }, -1, true },
    { 3, { 0x66, 0x0f, 0xd6 }, -1, true },
    { 1, { 0xdd }, 2, true },
    { 1, { 0xd9 }, 3, true },
};
static const Access loads[] = {
    { 1, { 0x8a }, -1, false },       { 1, { 0x8b }, -1, false },
    { 2, { 0x66, 0x8b }, -1, false }, { 2, { 0x0f, 0xb6 }, -1, false },
    { 2, { 0x0f, 0xbf }, -1, false }, { 1, { 0x03 }, -1, false },
    { 1, { 0x3b }, -1, false },       { 2, { 0x0f, 0x6f }, -1, true },
    { 2, { 0x0f, 0x10 }, -1, true },  { 3, { 0xf3, 0x0f, 0x7e }, -1, true },
    { 1, { 0xdd }, 0, true },         { 1, { 0xdb }, 0, true },
};
enum { ACCESSES = 12 };

static void add_access(Seq *s, const Access *table, bool based, uint32_t at)
{
    const Access *a;
    do a = &table[rng_below(s->r, ACCESSES)];
    while (a->fp && !s->fp);
    Item *it = seq_item(s);
    unsigned reg = a->reg >= 0 ? (unsigned)a->reg : a->fp ? rng_below(s->r, 8) : free_register(s);
    item_add(it, a->bytes, a->n);
    if (based) { /* [ebx + disp8], [bx + disp8] */
        item_add8(it, 0x40 | reg << 3 | (s->code32 ? R_EBX : 7));
        item_add8(it, at & 0x7f);
    } else {
        item_add8(it, reg << 3 | (s->code32 ? 5 : 6));
        item_add(it, &at, seq_rel_size(s));
    }
}

static void add_store_load(Seq *s)
{
    bool based = chance(s->r, 50);
    uint32_t at = based ? 8 + rng_below(s->r, 0x60) : seq_data_offset(s, chance(s->r, 40));
    add_access(s, stores, based, at);
    if (chance(s->r, 40)) seq_add_plain(s);
    add_access(s, loads, based, at + (chance(s->r, 50) ? 0 : rng_below(s->r, 9) - 4));
}

/* --- loads of control words, and of whole states just stored ------------------------------------------------------- */

typedef struct StateOp {
    uint8_t n, store[2], store_reg, load[2], load_reg;
} StateOp;

/* FLDCW and LDMXCSR find a word that every input chooses anew. */
static void add_control_word(Seq *s)
{
    Item *it = seq_item(s);
    bool mxcsr = chance(s->r, 50);
    item_add8(it, 0x36);
    item_add(it, mxcsr ? "\x0f\xae" : "\xd9", mxcsr ? 2 : 1);
    put_stack_word(s, it, mxcsr ? 2 : 5, mxcsr ? SEQ_MXCSR : SEQ_FCW);
}

static void add_state(Seq *s)
{
    static const StateOp ops[] = {
        { 2, { 0x0f, 0xae }, 0, { 0x0f, 0xae }, 1 }, /* FXSAVE, FXRSTOR */
        { 1, { 0xdd }, 6, { 0xdd }, 4 },             /* FNSAVE, FRSTOR */
        { 1, { 0xd9 }, 6, { 0xd9 }, 4 },             /* FNSTENV, FLDENV */
    };
    const StateOp *op = &ops[rng_below(s->r, 3)];
    Item *it = seq_item(s);
    item_add8(it, 0x36);
    item_add(it, op->store, op->n);
    put_stack_word(s, it, op->store_reg, SEQ_STATE);
    for (unsigned i = rng_below(s->r, 3); i > 0; i--) seq_add_plain(s);
    it = seq_item(s);
    item_add8(it, 0x36);
    item_add(it, op->load, op->n);
    put_stack_word(s, it, op->load_reg, SEQ_STATE);
}

static void add_fpu_group(Seq *s)
{
    if (!s->fp)
        seq_add_plain(s);
    else if (chance(s->r, 60) || native_long_mode()) /* the images hold the host's address of an instruction */
        add_control_word(s);
    else
        add_state(s);
}

/* --- */

void seq_add_flow(Seq *s, unsigned body_begin)
{
    unsigned kind = rng_below(s->r, 100);
    bool moves_esp = s->in_sub; /* a subroutine's ESP must be where its RET expects it */
    if (kind < 22)
        add_forward(s);
    else if (kind < 27)
        add_fpu_group(s);
    else if (kind < 40)
        add_compare_branch(s);
    else if (kind < 52)
        add_back(s, body_begin);
    else if (kind < 68)
        add_store_load(s);
    else if (kind < 78)
        add_indirect_jump(s);
    else if (kind < 81)
        add_register_jump(s);
    else if (kind < 91 && !s->in_leaf)
        add_call(s);
    else if (moves_esp)
        seq_add_plain(s);
    else if (kind < 93)
        add_push_ret(s);
    else if (kind < 95)
        add_call_pop(s);
    else if (kind < 98)
        add_push_pop(s);
    else
        add_pushf_popf(s);
}
