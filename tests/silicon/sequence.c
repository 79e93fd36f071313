/* Random blocks of 2 to 40 instructions with branches, for what no single instruction shows: flags that live across
 * instructions and blocks, values the passes propagate, fused memory operands, chained exits, call and return.
 *
 * Some registers are kept as pointers (no instruction that writes one is taken), so that most operands are mapped; branches
 * go forward, or back under a counter in memory that nothing else writes, so that every block ends. */
#include "silicon.h"

#include <string.h>

#include "cpu/state.h"

enum { MAX_ITEMS = 80, MAX_COUNTERS = 6, NO_TARGET = -1 };

/* One instruction, or a few that belong together. */
typedef struct Item {
    uint8_t bytes[32];
    uint8_t len;
    int8_t target; /* item a branch at the end of the bytes goes to */
    uint8_t rel;   /* bytes of its displacement; 0: none */
    uint16_t at;
} Item;

typedef struct Seq {
    Rng *r;
    const DecodeFeatures *feat;
    Case *c;
    bool fp, code32, in_sub;
    Item item[MAX_ITEMS];
    unsigned n, n_counter;
    unsigned protect; /* registers: mask */
    int sub;          /* item that begins the subroutine */
} Seq;

static Item *new_item(Seq *s)
{
    Item *it = &s->item[s->n++];
    *it = (Item){ .target = NO_TARGET };
    return it;
}

static void add(Item *it, const void *bytes, unsigned n)
{
    memcpy(it->bytes + it->len, bytes, n);
    it->len = (uint8_t)(it->len + n);
}
static void add8(Item *it, unsigned b)
{
    it->bytes[it->len++] = (uint8_t)b;
}

/* --- plain instructions ------------------------------------------------------------------------------------ */

static bool writes_protected(const Seq *s, const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++) {
        const Opnd *o = &in->opnd[i];
        unsigned reg = o->size == 1 ? o->reg & 3u : o->reg;
        if (o->kind == OPND_REG && o->use & 2 && s->protect >> reg & 1) return true;
    }
    return false;
}

/* Results that the two backends need not have in common: approximations and transcendental functions. */
static bool is_inexact(const Insn *in)
{
    if (in->mn == MN_VEC) return in->map == 1 && (in->opcode == 0x52 || in->opcode == 0x53);
    if (in->mn != MN_X87 || in->opcode != 0xd9) return false;
    return (in->modrm >= 0xf0 && in->modrm <= 0xf3) || in->modrm == 0xf9 || in->modrm == 0xfb || in->modrm >= 0xfe;
}

/* Those that would end the block, move a pointer far, or load what only few values suit. */
static bool suits(const Seq *s, const Insn *in)
{
    if (!rules_allow(in, s->c->world, s->fp) || is_inexact(in)) return false;
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_SEG && i == 0 && in->mn != MN_PUSH) return false;
    switch (in->mn) {
    case MN_INVALID:
    case MN_POPA:
    case MN_POPF:
    case MN_ENTER:
    case MN_LEAVE:
    case MN_LES:
    case MN_LDS:
    case MN_LSS:
    case MN_LFS:
    case MN_LGS:
    case MN_BOUND:
    case MN_CLI:
    case MN_STI:
    case MN_CLAC:
    case MN_STAC:
    case MN_IN:
    case MN_OUT:
    case MN_INS:
    case MN_OUTS:
    case MN_FLDCW:
    case MN_FLDENV:
    case MN_FRSTOR:
    case MN_FXRSTOR:
    case MN_LDMXCSR: return false;
    case MN_PUSH:
    case MN_POP:
    case MN_PUSHA:
    case MN_PUSHF: return !s->in_sub;
    case MN_DIV:
    case MN_IDIV: return chance(s->r, 20);
    case MN_BT:
    case MN_BTS:
    case MN_BTR:
    case MN_BTC: return in->opnd[0].kind == OPND_REG || in->opnd[1].kind == OPND_IMM;
    default: break;
    }
    if (in->mn >= MN_JCC && in->mn <= MN_SYSRET) return false;
    return in->mn < MN_HLT || in->mn >= MN_CLFLUSH;
}

static bool has_memory(const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS) return true;
    return false;
}

static uint32_t data_offset(Seq *s, bool aligned)
{
    uint32_t at = 0x200 + rng_below(s->r, 0x1400);
    return (s->code32 ? DATA_BASE : 0u) + (aligned ? at & ~15u : at);
}

/* ModRM, SIB and displacement in the place of the old ones. */
static void put_address32(Seq *s, Item *it, unsigned reg, bool aligned)
{
    static const uint8_t pointers[4] = { R_EBX, R_ESI, R_EDI, R_EBP };
    unsigned base = pointers[rng_below(s->r, 4)], kind = rng_below(s->r, 10);
    uint32_t disp = data_offset(s, aligned);
    if (aligned || !(s->protect >> base & 1) || kind < 3) { /* [disp32] */
        add8(it, reg << 3 | 5);
        add(it, &disp, 4);
    } else if (kind < 8) { /* [base + disp8] */
        add8(it, 0x40 | reg << 3 | base);
        add8(it, (unsigned)rng64(s->r) & 0xff);
    } else { /* [base + disp8 + AL's register << n]: mostly wild */
        add8(it, 0x44 | reg << 3);
        add8(it, (rng_below(s->r, 4) << 6) | R_EDX << 3 | base);
        add8(it, (unsigned)rng64(s->r) & 0xff);
    }
}

static void put_address16(Seq *s, Item *it, unsigned reg, bool aligned)
{
    uint32_t disp = data_offset(s, aligned);
    if (aligned || chance(s->r, 30)) {
        add8(it, reg << 3 | 6);
        add(it, &disp, 2);
    } else {
        add8(it, 0x40 | reg << 3 | rng_below(s->r, 8));
        add8(it, (unsigned)rng64(s->r) & 0x7f);
    }
}

/* Rebuilds an instruction with a memory operand on one of our addresses.  False: does not fit. */
static bool with_address(Seq *s, Item *it, const Insn *in)
{
    unsigned at = 0;
    const uint8_t *b = in->bytes;
    while (at < in->len && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", b[at]) && b[at]) at++;
    if (in->asize != (s->code32 ? 4 : 2)) return false;
    if (!in->has_modrm) return false;
    at += in->map == 0 ? 1 : in->map == 1 ? 2 : 3;
    add(it, b, at);
    bool aligned = in->lock || in->mn == MN_XCHG || (in->mn == MN_VEC && chance(s->r, 93)) || in->mn == MN_FXSAVE;
    if (s->code32)
        put_address32(s, it, in->modrm >> 3 & 7, aligned);
    else
        put_address16(s, it, in->modrm >> 3 & 7, aligned);
    rng_edge_bytes(s->r, it->bytes + it->len, 4); /* immediate, if any */
    Insn again;
    int len = decode(it->bytes, DECODE_MAX, s->code32, s->feat, &again);
    if (len <= 0 || again.mn != in->mn) return false;
    it->len = (uint8_t)len;
    return true;
}

static bool is_string(const Insn *in)
{
    return in->mn >= MN_MOVS && in->mn <= MN_SCAS;
}

static bool take_string(Seq *s, Item *it, const Insn *in)
{
    if (in->asize != (s->code32 ? 4 : 2)) return false;
    if ((s->protect & (1 << R_ESI | 1 << R_EDI)) != (1 << R_ESI | 1 << R_EDI)) return false;
    if (in->rep != REP_NONE) add(it, "\x83\xe1\x07", 3); /* and ecx, 7 */
    add(it, in->bytes, in->len);
    return true;
}

static bool try_plain(Seq *s, Item *it)
{
    uint8_t b[40] = { 0 };
    Insn in;
    unsigned n = random_form(s->r, s->fp && chance(s->r, 40), b);
    if (decode(b, n < DECODE_MAX ? n : DECODE_MAX, s->code32, s->feat, &in) <= 0) return false;
    if (!suits(s, &in) || writes_protected(s, &in)) return false;
    it->len = 0;
    if (is_string(&in)) return take_string(s, it, &in);
    if (has_memory(&in) && in.has_modrm) return with_address(s, it, &in);
    if (has_memory(&in)) return false;
    add(it, in.bytes, in.len);
    return true;
}

static void add_plain(Seq *s)
{
    Item *it = new_item(s);
    for (unsigned tries = 0; tries < 1000; tries++)
        if (try_plain(s, it)) return;
    it->len = 0;
    add8(it, 0x90);
}

/* --- branches --------------------------------------------------------------------------------------------------- */

static unsigned rel_size(const Seq *s)
{
    return s->code32 ? 4 : 2;
}

/* To one of the next few items; the layout gives the displacement. */
static void add_forward(Seq *s)
{
    Item *it = new_item(s);
    unsigned kind = rng_below(s->r, 10);
    it->target = (int8_t)(s->n + rng_below(s->r, 4));
    it->rel = 1;
    if (kind < 4) {
        add8(it, 0x70 | rng_below(s->r, 16));
    } else if (kind < 7) {
        add8(it, 0x0f);
        add8(it, 0x80 | rng_below(s->r, 16));
        it->rel = (uint8_t)rel_size(s);
    } else if (kind < 8) {
        add8(it, 0xe0 | rng_below(s->r, 4)); /* LOOPNE LOOPE LOOP JCXZ */
    } else if (kind < 9) {
        add8(it, 0xeb);
    } else {
        add8(it, 0xe9);
        it->rel = (uint8_t)rel_size(s);
    }
}

static uint32_t counter_at(unsigned i)
{
    return STACK_BASE + 0x40 + 0x20 * i;
}

/* dec dword ss:[counter]; jg back */
static void add_back(Seq *s, unsigned to)
{
    Item *it = new_item(s);
    uint32_t at = counter_at(s->n_counter++) - (s->code32 ? 0 : STACK_BASE);
    add8(it, 0x36);
    if (!s->code32) add8(it, 0x66);
    add8(it, 0xff);
    add8(it, s->code32 ? 0x0d : 0x0e);
    add(it, &at, rel_size(s));
    add8(it, 0x7f); /* not taken below 0: the loop may be entered again */
    it->target = (int8_t)to;
    it->rel = 1;
}

static void add_call(Seq *s)
{
    Item *it = new_item(s);
    add8(it, 0xe8);
    it->target = -2; /* the subroutine */
    it->rel = (uint8_t)rel_size(s);
}

/* push r; something; pop r */
static void add_push_pop(Seq *s)
{
    static const uint8_t free_regs[3] = { R_EAX, R_ECX, R_EDX };
    add8(new_item(s), 0x50 | rng_below(s->r, 8));
    add_plain(s);
    add8(new_item(s), 0x58 | free_regs[rng_below(s->r, 3)]);
}

static void add_pushf_popf(Seq *s)
{
    add(new_item(s), "\x9c\x9d", 2);
}

/* --- the block ------------------------------------------------------------------------------------------------------ */

static void add_body(Seq *s, unsigned count)
{
    unsigned begin = s->n;
    for (unsigned i = 0; i < count && s->n < MAX_ITEMS - 8; i++) {
        unsigned kind = rng_below(s->r, 100);
        if (kind < 12)
            add_forward(s);
        else if (kind < 16 && s->n_counter < MAX_COUNTERS && s->n > begin) {
            unsigned back = 1 + rng_below(s->r, s->n - begin < 6 ? s->n - begin : 6);
            add_back(s, s->n - back);
        } else if (kind < 20 && !s->in_sub)
            add_call(s);
        else if (kind < 23 && !s->in_sub)
            add_push_pop(s);
        else if (kind < 24)
            add_pushf_popf(s);
        else
            add_plain(s);
    }
}

/* Places, then displacements. */
static void lay_out(Seq *s)
{
    Case *c = s->c;
    unsigned at = 0;
    for (unsigned i = 0; i < s->n; i++) {
        s->item[i].at = (uint16_t)at;
        at += s->item[i].len + s->item[i].rel;
    }
    c->len = (uint16_t)at;
    for (unsigned i = 0; i < s->n; i++) {
        Item *it = &s->item[i];
        memcpy(c->code + it->at, it->bytes, it->len);
        if (!it->rel) continue;
        unsigned to = it->target == -2 ? (unsigned)s->sub : (unsigned)it->target;
        uint32_t next = it->at + it->len + it->rel;
        uint32_t rel = (to < s->n ? s->item[to].at : at) - next;
        if (it->rel == 1 && (int32_t)rel != (int8_t)rel) rel = 0; /* too far for a short jump */
        memcpy(c->code + it->at + it->len, &rel, it->rel);
    }
}

static void build(Seq *s)
{
    s->n = s->n_counter = 0;
    s->in_sub = false;
    add_body(s, 2 + rng_below(s->r, 39));
    unsigned end = s->n;
    add8(new_item(s), 0xcc);
    s->in_sub = true;
    s->sub = (int)s->n;
    add_body(s, 1 + rng_below(s->r, 4));
    unsigned tail = s->n;
    add8(new_item(s), 0xc3);
    for (unsigned i = 0; i < s->n; i++) { /* no jump from the main part into the subroutine */
        Item *it = &s->item[i];
        if (it->target < 0) continue;
        unsigned limit = i < end ? end : tail;
        if ((unsigned)it->target > limit) it->target = (int8_t)limit;
    }
    lay_out(s);
}

void generate_sequence(Rng *r, const DecodeFeatures *feat, bool fp, unsigned slot, Case *c)
{
    static Seq s;
    s = (Seq){ .r = r, .feat = feat, .c = c, .fp = fp };
    c->world = &worlds[chance(r, 80) ? 0 : 2];
    c->single = false;
    c->fp = fp;
    s.code32 = world_code32(c->world);
    s.protect = 1u << R_ESP | 1u << R_EBX;
    if (!s.code32 || chance(r, 60)) s.protect |= 1u << R_ESI | 1u << R_EDI;
    if (!s.code32 || chance(r, 50)) s.protect |= 1u << R_EBP;
    do build(&s);
    while (c->len > SEQ_SLOT - 64);
    uint32_t at = slot * SEQ_SLOT + rng_below(r, SEQ_SLOT - 40 - c->len);
    c->slot_at = (uint16_t)(slot * SEQ_SLOT);
    c->slot_size = SEQ_SLOT;
    c->code_at = CODE_BASE + at;
    memset(&c->insn, 0, sizeof c->insn);
    c->n_counter = (uint8_t)s.n_counter;
}

static void set_pointers(Rng *r, Case *c)
{
    uint32_t data = world_code32(c->world) ? DATA_BASE : 0, stack = world_code32(c->world) ? STACK_BASE : 0;
    uint32_t *regs = c->in.regs;
    regs[R_EBX] = data + 0x100 + rng_below(r, 0x800);
    regs[R_ESI] = data + 0x200 + (rng_below(r, 0x1000) & (data ? ~0u : 0x7ff));
    regs[R_EDI] = data + 0x200 + (rng_below(r, 0x1000) & (data ? ~0u : 0x7ff));
    regs[R_EBP] = chance(r, 50) && data ? data + 0x1000 : stack + 0x1800;
    regs[R_ESP] = stack + 0x1400 + (rng_below(r, 0x100) & ~3u);
    if (chance(r, 60)) regs[R_EDX] &= 0x3f;
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
    c->n_patch = c->n_counter;
    for (unsigned i = 0; i < c->n_counter; i++) {
        uint32_t times = 1 + rng_below(r, 3);
        c->patch[i] = (Patch){ .at = counter_at(i), .len = 4 };
        memcpy(c->patch[i].bytes, &times, 4);
    }
}
