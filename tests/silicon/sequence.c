/* Random blocks of 2 to 40 instructions with branches, for what no single instruction shows: flags that live across
 * instructions and blocks, values the passes propagate, fused memory operands, chained exits, call and return, x87 and
 * SSE state that is loaded late and written back later.
 *
 * Some registers are kept as pointers (no instruction that writes one is taken), so that most operands are mapped. */
#include "sequence.h"

#include <string.h>

#include "cpu/state.h"

Item *seq_item(Seq *s)
{
    Item *it = &s->item[s->n++];
    *it = (Item){ .len = 0 };
    return it;
}

void item_add(Item *it, const void *bytes, unsigned n)
{
    memcpy(it->bytes + it->len, bytes, n);
    it->len = (uint8_t)(it->len + n);
}
void item_add8(Item *it, unsigned b)
{
    it->bytes[it->len++] = (uint8_t)b;
}

/* --- the block ------------------------------------------------------------------------------------------------------ */

/* About `count' instructions and what ends them; no branch leaves them but by that or by a call. */
static int add_part(Seq *s, unsigned count, const void *end, unsigned end_len)
{
    unsigned begin = s->n, first_table = s->c->n_table;
    for (unsigned i = 0; i < count && s->n < MAX_ITEMS - 20; i++) {
        if (chance(s->r, 27))
            seq_add_flow(s, begin);
        else
            seq_add_plain(s);
    }
    unsigned last = s->n;
    item_add(seq_item(s), end, end_len);
    for (unsigned i = begin; i < last; i++)
        if (s->item[i].target > (int)last) s->item[i].target = (int8_t)last;
    for (unsigned t = first_table; t < s->c->n_table; t++)
        for (unsigned i = 0; i < 4; i++)
            if (s->table[t][i] > (int)last) s->table[t][i] = (int8_t)last;
    return (int)begin;
}

/* Main part, subroutine, and a leaf that the subroutine may call. */
static unsigned build(Seq *s)
{
    unsigned at = 0;
    s->n = s->c->n_counter = s->c->n_table = 0;
    s->in_sub = s->in_leaf = false;
    add_part(s, 2 + rng_below(s->r, 39), "\xcc", 1);
    s->in_sub = true;
    s->sub = add_part(s, 1 + rng_below(s->r, 5), "\xc3", 1);
    s->in_leaf = true;
    s->leaf = add_part(s, rng_below(s->r, 3), s->code32 ? "\xc2\x04" : "\xc2\x02", 3);
    for (unsigned i = 0; i < s->n; i++) {
        s->item[i].at = (uint16_t)at;
        at += s->item[i].len;
    }
    return at;
}

static uint16_t place_of(const Seq *s, int target)
{
    return s->item[target == TO_SUB ? s->sub : target == TO_LEAF ? s->leaf : target].at;
}

static void write_bytes(Seq *s)
{
    Case *c = s->c;
    uint32_t eip = c->code_at - sel_base(c->world->sel[W_CS]);
    for (unsigned i = 0; i < s->n; i++) {
        const Item *it = &s->item[i];
        memcpy(c->code + it->at, it->bytes, it->len);
        if (it->fix == FIX_NONE) continue;
        uint32_t to = place_of(s, it->target);
        uint32_t v = it->fix == FIX_ABSOLUTE ? eip + to : to - (it->at + it->fix_at + it->fix_size);
        if (it->fix_size == 1 && (int32_t)v != (int8_t)v) v = 0; /* too far for a short jump */
        memcpy(c->code + it->at + it->fix_at, &v, it->fix_size);
    }
    for (unsigned t = 0; t < c->n_table; t++)
        for (unsigned i = 0; i < 4; i++) c->table[t][i] = place_of(s, s->table[t][i]);
}

static void pick_protected(Seq *s)
{
    s->protect = 1u << R_ESP | 1u << R_EBX;
    if (!s->code32 || chance(s->r, 60)) s->protect |= 1u << R_ESI | 1u << R_EDI;
    if (!s->code32 || chance(s->r, 50)) s->protect |= 1u << R_EBP;
}

static void pick_kind(Seq *s)
{
    static const uint8_t percent[] = { 0, 15, 40, 85 };
    s->kind = (uint8_t)(s->fp ? KIND_FP + rng_below(s->r, 3) : (unsigned)KIND_INTEGER);
    s->kind_percent = s->fp ? percent[rng_below(s->r, 4)] : 0;
}

/* Operands all over the data area, but many close together; sometimes across its pages' border. */
static uint32_t pick_anchor(Rng *r)
{
    return chance(r, 20) ? 0x1000 - 24 : 0x200 + rng_below(r, 0x1300);
}

static const World *pick_sequence_world(Rng *r)
{
    static const uint8_t percent[] = {
        52, 8, 18, 5, 7, 4, 4, 0, 2
    }; /* as worlds[] is ordered; its rest fits no block */
    unsigned world = 0, x = rng_below(r, 100);
    while (world + 1 < sizeof percent && x >= percent[world]) x -= percent[world++];
    return &worlds[world];
}

static void start(Seq *s, const World *w)
{
    Case *c = s->c;
    c->world = w;
    s->code32 = world_code32(w);
    s->data = DATA_BASE - sel_base(w->sel[W_DS]);
    s->stack = STACK_BASE - sel_base(w->sel[W_SS]);
    s->anchor = c->anchor = pick_anchor(s->r);
    pick_protected(s);
    pick_kind(s);
}

void generate_sequence(Rng *r, const DecodeFeatures *feat, bool fp, unsigned slot, Case *c)
{
    static Seq s;
    unsigned len;
    s = (Seq){ .r = r, .feat = feat, .c = c, .fp = fp };
    c->single = false;
    c->fp = fp;
    c->slot_at = (uint16_t)(slot * SEQ_SLOT + SEQ_SHIFT);
    c->slot_size = SEQ_SLOT;
    start(&s, native_long_mode() ? &worlds[0] : pick_sequence_world(r));
    for (;;) {
        while ((len = build(&s)) > SEQ_SLOT - 64) {
        }
        c->len = (uint16_t)len;
        c->code_at = CODE_BASE + c->slot_at + rng_below(r, SEQ_SLOT - 40 - len);
        if (world_reaches(c->world, c->code_at)) break;
        start(&s, &worlds[0]);
    }
    memset(&c->insn, 0, sizeof c->insn);
    write_bytes(&s);
}

/* --- its inputs ---------------------------------------------------------------------------------------------------- */

static void set_pointers(Rng *r, Case *c)
{
    uint32_t ds = DATA_BASE - sel_base(c->world->sel[W_DS]), es = DATA_BASE - sel_base(c->world->sel[W_ES]);
    uint32_t ss = STACK_BASE - sel_base(c->world->sel[W_SS]), near = c->anchor > 0x700 ? 0x700 : c->anchor;
    uint32_t *regs = c->in.regs, mask = ds ? ~0u : 0x7ff;
    regs[R_EBX] = ds + (chance(r, 40) ? near : 0x100 + rng_below(r, 0x800));
    regs[R_ESI] = ds + (chance(r, 40) ? near : 0x200 + (rng_below(r, 0x1000) & mask));
    regs[R_EDI] = es + (chance(r, 40) ? near : 0x200 + (rng_below(r, 0x1000) & mask));
    regs[R_EBP] =
        ds == DATA_BASE && ss == STACK_BASE && chance(r, 50) ? ds + 0x1000 : ss + 0x1000 + rng_below(r, 0x800);
    regs[R_ESP] = ss + 0x1400 + (rng_below(r, 0x100) & ~3u);
    if (chance(r, 60)) regs[R_EDX] &= 0x3f;
}

static void add_patch(Case *c, uint32_t at, const void *bytes, unsigned n)
{
    Patch *p = &c->patch[c->n_patch++];
    *p = (Patch){ .at = at, .len = (uint8_t)n };
    memcpy(p->bytes, bytes, n);
}

static void set_memory_words(Rng *r, Case *c)
{
    unsigned size = world_code32(c->world) ? 4 : 2;
    uint32_t eip = c->code_at - sel_base(c->world->sel[W_CS]);
    uint8_t fx[512];
    c->n_patch = 0;
    rng_fpu(r, fx, chance(r, 20));
    add_patch(c, SEQ_FCW, fx, 2);
    add_patch(c, SEQ_MXCSR, fx + 24, 4);
    for (unsigned i = 0; i < c->n_counter; i++) {
        uint32_t times = 1 + rng_below(r, 3);
        add_patch(c, seq_counter_at(i), &times, 4);
    }
    for (unsigned t = 0; t < c->n_table; t++) {
        uint8_t image[16];
        for (unsigned i = 0; i < 4; i++) {
            uint32_t to = eip + c->table[t][rng_below(r, 4)];
            memcpy(image + i * size, &to, size);
        }
        add_patch(c, seq_table_at(t), image, 4 * size);
    }
}

void generate_sequence_input(Rng *r, Case *c)
{
    memset(&c->in, 0, sizeof c->in);
    for (unsigned i = 0; i < 8; i++) c->in.regs[i] = rng_edge32(r);
    set_pointers(r, c);
    c->in.eflags = ((uint32_t)rng64(r) & FL_ARITH) | FL_1 | FL_IF | (chance(r, 20) ? FL_DF : 0);
    memcpy(c->in.seg, c->world->sel, sizeof c->in.seg);
    c->in.eip = c->code_at - sel_base(c->world->sel[W_CS]);
    rng_fpu(r, c->in.fx, chance(r, 20));
    set_memory_words(r, c);
}
