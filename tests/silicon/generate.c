/* Single instructions: random prefixes, opcode, ModRM and immediates that the decoder accepts; operands.c then gives them
 * registers and memory. */
#include "generate.h"

#include <string.h>

#include "cpu/state.h"
#include "long_mode.h"

/* --- bytes ---------------------------------------------------------------------------------------------- */

static uint8_t edge_byte(Rng *r)
{
    static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0xfe };
    return chance(r, 50) ? edges[rng_below(r, sizeof edges)] : (uint8_t)rng64(r);
}

static const uint8_t seg_prefix[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

static void shuffle(Rng *r, uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i + 1 < n; i++) {
        unsigned k = i + rng_below(r, n - i);
        uint8_t t = b[i];
        b[i] = b[k], b[k] = t;
    }
}

static unsigned put_prefixes(Gen *g, unsigned lock_percent, uint8_t *b)
{
    unsigned n = 0;
    Rng *r = g->r;
    if (chance(r, 12)) b[n++] = seg_prefix[rng_below(r, 6)];
    if (chance(r, 25)) b[n++] = 0x66;
    if (chance(r, 15)) b[n++] = 0x67;
    if (chance(r, 14)) b[n++] = chance(r, 50) ? 0xf2 : 0xf3;
    if (chance(r, lock_percent)) b[n++] = 0xf0;
    if (chance(r, 2)) b[n++] = seg_prefix[rng_below(r, 6)];
    shuffle(r, b, n);
    return n;
}

/* So many that the instruction comes near 15 bytes or is longer: #GP then (SDM 3A 6.15, interrupt 13). */
static unsigned put_many_prefixes(Rng *r, uint8_t *b)
{
    static const uint8_t any[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0x66, 0x67, 0xf2, 0xf3 };
    unsigned n = 6 + rng_below(r, 9);
    for (unsigned i = 0; i < n; i++) b[i] = any[rng_below(r, sizeof any)];
    return n;
}

/* --- a form of the decoder's tables ------------------------------------------------------------------------- */

static bool form_runs(const Filter *f, const Form *form, const DecodeFeatures *feat)
{
    const Insn in = { .mn = form->row->mn };
    if (rules_exclude(in.mn) || (f->mn != MN_COUNT && f->mn != in.mn)) return false;
    if (insn_is_fp(&in) ? !f->fp : f->only_fp) return false;
    return !form->row->feat || ((const bool *)feat)[form->row->feat - 1];
}

void filter_prepare(Filter *f, const DecodeFeatures *feat)
{
    f->n_form = 0;
    for (unsigned i = 0; i < form_count(); i++)
        if (form_runs(f, form_at(i), feat)) f->form[f->n_form++] = (uint16_t)i;
}

static unsigned put_table_form(Gen *g, uint8_t *b)
{
    const Form *form = form_at(g->f->form[rng_below(g->r, g->f->n_form)]);
    bool lockable = form->mod == 0 && form->row->flags & F_LOCK;
    unsigned n = chance(g->r, 2) ? put_many_prefixes(g->r, b) : put_prefixes(g, lockable ? 20 : 2, b);
    return n + form_put(form, (uint8_t)rng64(g->r), b + n);
}

/* --- any bytes: among them the undefined ones ----------------------------------------------------------------- */

static unsigned put_random_opcode(Gen *g, uint8_t *b)
{
    unsigned n = put_prefixes(g, 4, b), map = rng_below(g->r, 100);
    if (map >= 60) b[n++] = 0x0f;
    if (map >= 90) b[n++] = map >= 96 ? 0x3a : 0x38;
    b[n++] = (uint8_t)rng64(g->r);
    b[n] = (uint8_t)rng64(g->r);
    if (chance(g->r, 35)) b[n] |= 0xc0; /* ModRM: more registers */
    return n + 1;
}

static unsigned put_form(Gen *g, uint8_t *b)
{
    unsigned n = chance(g->r, 85) && g->f->n_form ? put_table_form(g, b) : put_random_opcode(g, b);
    b[n++] = (uint8_t)rng64(g->r);
    for (unsigned i = 0; i < 10; i++) b[n++] = edge_byte(g->r);
    return n;
}

unsigned random_form(Rng *r, const Filter *f, uint8_t *b)
{
    Gen g = { .r = r, .f = f };
    return put_form(&g, b);
}

/* Where the opcode is: a random opcode byte may have been a prefix, too. */
static void find_layout(Gen *g, const uint8_t *b)
{
    unsigned n = 0;
    while (n < DECODE_MAX && b[n] && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", b[n])) n++;
    g->n_prefix = n;
    g->op_len = b[n] != 0x0f ? 1 : b[n + 1] == 0x38 || b[n + 1] == 0x3a ? 3 : 2;
}

static bool wanted(Gen *g, const Insn *in)
{
    if (!rules_allow(in, g->f->fp) || (native_long_mode() && long_mode_refuses(in))) return false;
    if (g->f->mn != MN_COUNT && in->mn != g->f->mn) return false;
    return !g->f->only_fp || insn_is_fp(in);
}

static void take(Case *c, const uint8_t *b, unsigned len)
{
    memcpy(c->code, b, len);
    c->len = (uint16_t)len;
}

static void pick_bytes(Gen *g)
{
    Case *c = g->c;
    for (unsigned tries = 0; tries < 400000; tries++) {
        uint8_t b[40] = { 0 };
        unsigned n = put_form(g, b);
        find_layout(g, b);
        int len = decode(b, n < DECODE_MAX ? n : DECODE_MAX, world_code32(c->world), g->feat, &c->insn);
        if (len < 0 && g->f->mn == MN_COUNT && !native_long_mode()) { /* longer than 15 bytes */
            c->insn = (Insn){ .mn = MN_INVALID, .seg_override = 0xff };
            take(c, b, DECODE_MAX);
            return;
        }
        if (len <= 0 || !wanted(g, &c->insn)) continue;
        take(c, b, (unsigned)len);
        return;
    }
    take(c, (const uint8_t *)"\x90", 1);
    decode_again(g);
}

static void take_fixed(Gen *g)
{
    uint8_t b[DECODE_MAX + 1] = { 0 };
    memcpy(b, g->f->bytes, g->f->n_bytes);
    find_layout(g, b);
    int len = decode(b, g->f->n_bytes, world_code32(g->c->world), g->feat, &g->c->insn);
    take(g->c, b, len > 0 ? (unsigned)len : g->f->n_bytes);
}

/* --- the case --------------------------------------------------------------------------------------------------------- */

static const World *pick_world(Rng *r)
{
    uint32_t x = rng_below(r, 100), i = 0;
    while (i + 1 < world_count && x >= worlds[i].weight) x -= worlds[i++].weight;
    return &worlds[i];
}

static void set_registers(Gen *g)
{
    Case *c = g->c;
    Rng *r = g->r;
    for (unsigned i = 0; i < 8; i++) c->in.regs[i] = rng_edge32(r);
    if (chance(r, 30)) c->in.regs[rng_below(r, 8)] = c->in.regs[rng_below(r, 8)];
    c->in.eflags = ((uint32_t)rng64(r) & FL_ARITH) | FL_1 | FL_IF;
    if (chance(r, 20)) c->in.eflags |= FL_DF;
    if (chance(r, 4)) c->in.eflags |= FL_AC;
    if (chance(r, 10)) c->in.eflags |= FL_ID;
    memcpy(c->in.seg, c->world->sel, sizeof c->in.seg);
    rng_fpu(r, c->in.fx, c->fp);
}

/* In the slot: mostly at a place from which short jumps reach all of it, sometimes over a page's end or the code segment's
 * (but how much of an undefined instruction is fetched is nobody's business). */
static uint32_t place_code(Rng *r, const Case *c)
{
    uint32_t at = c->slot_at, limit = sel_limit(c->world->sel[W_CS]);
    bool defined = c->insn.mn != MN_INVALID;
    if (defined && limit - at < SLOT && chance(r, 70)) return limit - rng_below(r, c->len);
    bool page_end = (at + SLOT) % 4096 == 0 && !(native_long_mode() && at + SLOT == CODE_SIZE);
    if (page_end && defined && chance(r, 70)) return at + SLOT - 1 - rng_below(r, c->len);
    return at + 34 + rng_below(r, 40);
}

void generate_case(Rng *r, const Filter *f, const DecodeFeatures *feat, unsigned slot, Case *c)
{
    Gen g = { .r = r, .f = f, .feat = feat, .c = c };
    c->world = pick_world(r);
    if (f->world) c->world = f->world;
    if (native_long_mode()) c->world = &worlds[0];
    c->single = true;
    c->n_patch = 0;
    c->slot_at = (uint16_t)(slot * SLOT);
    c->slot_size = SLOT;
    if (f->n_bytes)
        take_fixed(&g);
    else
        pick_bytes(&g);
    c->fp = f->fp && insn_is_fp(&c->insn);
    c->code_at = CODE_BASE + place_code(r, c);
    if (!world_reaches(c->world, c->code_at)) c->world = &worlds[0];
    set_registers(&g);
    c->in.eip = c->code_at - seg_base(c, W_CS);
    set_stack(&g);
    set_operands(&g);
}
