/* Random blocks of 2 to 40 instructions with branches: the instructions one by one. */
#include "generate.h"
#include "sequence.h"

#include <string.h>

#include "cpu/state.h"
#include "long_mode.h"

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

/* Those that end the block, move a pointer far, or load what only few values suit. */
static bool suits(const Seq *s, const Insn *in)
{
    static const uint8_t never[] = {
        MN_INVALID, MN_POPA, MN_POPF,  MN_ENTER, MN_LEAVE,  MN_LES,    MN_LDS,     MN_LSS,
        MN_LFS,     MN_LGS,  MN_BOUND, MN_CLI,   MN_STI,    MN_CLAC,   MN_STAC,    MN_IN,
        MN_OUT,     MN_INS,  MN_OUTS,  MN_FLDCW, MN_FLDENV, MN_FRSTOR, MN_FXRSTOR, MN_LDMXCSR,
    };
    static const uint8_t not_in_sub[] = { MN_PUSH, MN_POP, MN_PUSHA, MN_PUSHF };
    static const uint8_t bit_string[] = { MN_BT, MN_BTS, MN_BTR, MN_BTC };
    if (!rules_allow(in, s->fp) || is_inexact(in)) return false;
    if (in->n_opnd && in->opnd[0].kind == OPND_SEG && in->mn != MN_PUSH) return false;
    if (memchr(never, in->mn, sizeof never)) return false;
    if (memchr(not_in_sub, in->mn, sizeof not_in_sub) && s->in_sub) return false;
    if (memchr(bit_string, in->mn, sizeof bit_string))
        return in->opnd[0].kind == OPND_REG || in->opnd[1].kind == OPND_IMM;
    if (in->mn == MN_DIV || in->mn == MN_IDIV) return chance(s->r, 20);
    if (in->mn >= MN_JCC && in->mn <= MN_SYSRET) return false;
    return in->mn < MN_HLT || in->mn >= MN_CLFLUSH;
}

static bool has_memory(const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS) return true;
    return false;
}

uint32_t seq_data_offset(Seq *s, bool aligned)
{
    uint32_t at = chance(s->r, 60) ? s->anchor + rng_below(s->r, 48) : 0x200 + rng_below(s->r, 0x1400);
    return s->data + (aligned ? at & ~15u : at);
}

/* ModRM, SIB and displacement in the place of the old ones. */
static void put_address32(Seq *s, Item *it, unsigned reg, bool aligned)
{
    static const uint8_t pointers[4] = { R_EBX, R_ESI, R_EDI, R_EBP };
    unsigned base = pointers[rng_below(s->r, 4)], kind = rng_below(s->r, 10);
    uint32_t disp = seq_data_offset(s, aligned);
    if (aligned || !(s->protect >> base & 1) || kind < 3) { /* [disp32] */
        item_add8(it, reg << 3 | 5);
        item_add(it, &disp, 4);
    } else if (kind < 8) { /* [base + disp8] */
        item_add8(it, 0x40 | reg << 3 | base);
        item_add8(it, (unsigned)rng64(s->r) & 0xff);
    } else { /* [base + disp8 + AL's register << n]: mostly wild */
        item_add8(it, 0x44 | reg << 3);
        item_add8(it, (rng_below(s->r, 4) << 6) | R_EDX << 3 | base);
        item_add8(it, (unsigned)rng64(s->r) & 0xff);
    }
}

static void put_address16(Seq *s, Item *it, unsigned reg, bool aligned)
{
    uint32_t disp = seq_data_offset(s, aligned);
    if (aligned || chance(s->r, 30)) {
        item_add8(it, reg << 3 | 6);
        item_add(it, &disp, 2);
    } else {
        item_add8(it, 0x40 | reg << 3 | rng_below(s->r, 8));
        item_add8(it, (unsigned)rng64(s->r) & 0x7f);
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
    item_add(it, b, at);
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
    if (in->rep != REP_NONE) item_add(it, "\x83\xe1\x07", 3); /* and ecx, 7 */
    item_add(it, in->bytes, in->len);
    return true;
}

/* The generator's filters for each kind of block. */
static const Filter *filter_of(const Seq *s, unsigned kind)
{
    static Filter filters[KINDS];
    Filter *f = &filters[kind];
    if (f->n_form) return f;
    f->mn = MN_COUNT;
    f->fp = f->only_fp = kind != KIND_INTEGER;
    filter_prepare(f, s->feat);
    unsigned n = 0;
    for (unsigned i = 0; i < f->n_form; i++) {
        bool vec = form_at(f->form[i])->row->mn >= MN_VEC;
        if ((kind == KIND_X87 && vec) || (kind == KIND_VEC && !vec)) continue;
        f->form[n++] = f->form[i];
    }
    f->n_form = n;
    return f;
}

static bool try_plain(Seq *s, Item *it)
{
    uint8_t b[40] = { 0 };
    Insn in;
    unsigned kind = chance(s->r, s->kind_percent) ? s->kind : (unsigned)KIND_INTEGER;
    unsigned n = random_form(s->r, filter_of(s, kind), b);
    if (decode(b, n < DECODE_MAX ? n : DECODE_MAX, s->code32, s->feat, &in) <= 0) return false;
    if (!suits(s, &in) || writes_protected(s, &in)) return false;
    it->len = 0;
    if (is_string(&in)) return take_string(s, it, &in);
    if (has_memory(&in) && in.has_modrm) return with_address(s, it, &in);
    if (has_memory(&in)) return false;
    item_add(it, in.bytes, in.len);
    return true;
}

/* In 64-bit mode the pointer to the last x87 instruction is the host's, which an image in memory would show. */
static bool judged(const Seq *s, const Item *it)
{
    Insn in;
    if (!native_long_mode()) return true;
    for (unsigned at = 0; at < it->len; at += in.len) {
        decode(it->bytes + at, it->len - at, s->code32, s->feat, &in);
        if (in.mn == MN_FNSTENV || in.mn == MN_FNSAVE || long_mode_refuses(&in)) return false;
    }
    return true;
}

void seq_add_plain(Seq *s)
{
    Item *it = seq_item(s);
    for (unsigned tries = 0; tries < 1000; tries++)
        if (try_plain(s, it) && judged(s, it)) return;
    it->len = 0;
    item_add8(it, 0x90);
}
