/* Single instructions: random prefixes, opcode, ModRM and immediates that the decoder accepts; operands.c then gives them
 * registers and memory. */
#include "generate.h"

#include <string.h>

#include "cpu/state.h"

/* --- bytes ---------------------------------------------------------------------------------------------- */

static uint8_t edge_byte(Rng *r)
{
    static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x1f, 0x20, 0xfe };
    return chance(r, 50) ? edges[rng_below(r, sizeof edges)] : (uint8_t)rng64(r);
}

static unsigned put_prefixes(Gen *g, uint8_t *b)
{
    static const uint8_t seg[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    unsigned n = 0;
    Rng *r = g->r;
    if (chance(r, 12)) b[n++] = seg[rng_below(r, 6)];
    if (chance(r, 25)) b[n++] = 0x66;
    if (chance(r, 15)) b[n++] = 0x67;
    if (chance(r, 14)) b[n++] = chance(r, 50) ? 0xf2 : 0xf3;
    if (chance(r, 4)) b[n++] = 0xf0;
    if (chance(r, 2)) b[n++] = seg[rng_below(r, 6)];
    for (unsigned i = 0; i + 1 < n; i++) { /* any order */
        unsigned k = i + rng_below(r, n - i);
        uint8_t t = b[i];
        b[i] = b[k], b[k] = t;
    }
    return n;
}

static unsigned put_opcode(Gen *g, uint8_t *b)
{
    unsigned n = 0, map = rng_below(g->r, 100);
    if (g->f->only_fp && chance(g->r, 40)) {
        b[n++] = (uint8_t)(0xd8 + rng_below(g->r, 8));
        return n;
    }
    if (g->f->only_fp && map < 60) map = 60;
    if (!g->f->only_fp && chance(g->r, 10)) { /* where ModRM.reg chooses among eight: rarer than they should be */
        static const uint8_t groups[] = { 0x80, 0x81, 0x83, 0x8f, 0xc0, 0xc1, 0xd0, 0xd1,
                                          0xd2, 0xd3, 0xf6, 0xf7, 0xf6, 0xf7, 0xfe, 0xff };
        static const uint8_t groups_0f[] = { 0xba, 0xc7, 0xae, 0x00, 0x01, 0xc7, 0xae };
        if (chance(g->r, 60)) {
            b[n++] = groups[rng_below(g->r, sizeof groups)];
        } else {
            b[n++] = 0x0f;
            b[n++] = groups_0f[rng_below(g->r, sizeof groups_0f)];
        }
        return n;
    }
    if (map >= 60) b[n++] = 0x0f;
    if (map >= 90) b[n++] = map >= 96 ? 0x3a : 0x38;
    if (map >= 90 && map < 92) {
        b[n++] = (uint8_t)(0xf0 + rng_below(g->r, 2));
    } else if (map >= 90) {
        b[n++] = (uint8_t)rng_below(g->r, 0x64);
    } else {
        b[n++] = (uint8_t)rng64(g->r);
    }
    return n;
}

static const uint8_t legacy_sse[4] = { 0, 0x66, 0xf3, 0xf2 };

static unsigned escape_bytes(unsigned map, uint8_t *b)
{
    unsigned n = 0;
    if (map > 0) b[n++] = 0x0f;
    if (map > 1) b[n++] = map == 2 ? 0x38 : 0x3a;
    return n;
}

void filter_prepare(Filter *f, const DecodeFeatures *feat)
{
    f->n_form = 0;
    for (unsigned i = 0; i < 4 * 4 * 256 * 16 && f->n_form < MAX_FORMS; i++) {
        Form form = { .prefix = legacy_sse[i & 3], .modrm = (uint8_t)((i >> 12 & 7) << 3 | (i >> 15 & 1) * 0xc0) };
        uint8_t b[DECODE_MAX] = { form.prefix };
        Insn in;
        form.n = (uint8_t)escape_bytes(i >> 2 & 3, form.opcode);
        form.opcode[form.n++] = (uint8_t)(i >> 4);
        unsigned at = form.prefix != 0;
        memcpy(b + at, form.opcode, form.n);
        b[at + form.n] = form.modrm;
        if (decode(b, sizeof b, true, feat, &in) > 0 && in.mn == f->mn) f->form[f->n_form++] = form;
    }
}

static unsigned put_wanted_form(Gen *g, uint8_t *b)
{
    const Form *form = &g->f->form[rng_below(g->r, g->f->n_form)];
    unsigned n = put_prefixes(g, b);
    if (form->prefix) b[n++] = form->prefix;
    memcpy(b + n, form->opcode, form->n);
    n += form->n;
    b[n] = (uint8_t)((form->modrm & 0xf8) | rng_below(g->r, 8));
    if (form->modrm < 0xc0) b[n] |= (uint8_t)(rng_below(g->r, 3) << 6);
    b[n + 1] = (uint8_t)rng64(g->r);
    for (unsigned i = 2; i < 12; i++) b[n + i] = edge_byte(g->r);
    return n + 12;
}

static unsigned put_form(Gen *g, uint8_t *b)
{
    unsigned n = 0;
    if (g->f->n_form) return put_wanted_form(g, b);
    if (g->f->only_fp && chance(g->r, 60)) {
        uint8_t p = legacy_sse[rng_below(g->r, 4)];
        if (p) b[n++] = p;
    } else {
        n = put_prefixes(g, b);
    }
    n += put_opcode(g, b + n);
    b[n] = (uint8_t)rng64(g->r);
    if (chance(g->r, 35)) b[n] |= 0xc0; /* ModRM: more registers */
    b[n + 1] = (uint8_t)rng64(g->r);
    for (unsigned i = 2; i < 12; i++) b[n + i] = edge_byte(g->r);
    return n + 12;
}

unsigned random_form(Rng *r, bool only_fp, uint8_t *b)
{
    const Filter f = { .mn = MN_COUNT, .fp = true, .only_fp = only_fp };
    Gen g = { .r = r, .f = &f };
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
    if (!rules_allow(in, g->c->world, g->f->fp)) return false;
    if (g->f->mn != MN_COUNT && in->mn != g->f->mn) return false;
    return !g->f->only_fp || insn_is_fp(in);
}

static void pick_bytes(Gen *g)
{
    Case *c = g->c;
    for (unsigned tries = 0; tries < 400000; tries++) {
        uint8_t b[40] = { 0 };
        unsigned n;
        if (g->f->n_bytes) {
            n = g->f->n_bytes;
            memcpy(b, g->f->bytes, n);
        } else {
            n = put_form(g, b);
        }
        find_layout(g, b);
        int len = decode(b, n < DECODE_MAX ? n : DECODE_MAX, world_code32(c->world), g->feat, &c->insn);
        if (g->f->n_bytes && len <= 0) len = (int)n;
        if (len <= 0 || (!g->f->n_bytes && !wanted(g, &c->insn))) continue;
        memcpy(c->code, b, (size_t)len);
        c->len = (uint16_t)len;
        return;
    }
    c->code[0] = 0x90;
    c->len = 1;
    decode_again(g);
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

/* In the slot: mostly at a place from which short jumps reach all of it, sometimes over a page's end (but how much of an
 * undefined instruction is fetched is nobody's business). */
static uint32_t place_code(Rng *r, unsigned slot, unsigned len, bool defined)
{
    uint32_t at = slot * SLOT;
    if ((at + SLOT) % 4096 == 0 && defined && chance(r, 70)) return at + SLOT - 1 - rng_below(r, len);
    return at + 34 + rng_below(r, 40);
}

void generate_case(Rng *r, const Filter *f, const DecodeFeatures *feat, unsigned slot, Case *c)
{
    Gen g = { .r = r, .f = f, .feat = feat, .c = c };
    c->world = pick_world(r);
    c->single = true;
    c->n_patch = 0;
    c->slot_at = (uint16_t)(slot * SLOT);
    c->slot_size = SLOT;
    pick_bytes(&g);
    c->fp = f->fp && insn_is_fp(&c->insn);
    c->code_at = CODE_BASE + place_code(r, slot, c->len, c->insn.mn != MN_INVALID);
    if (c->world->sel[W_CS] == LDT_SEL(LDT_CODE32) && c->code_at - CODE_BASE > ldt_entries[LDT_CODE32].limit)
        c->world = &worlds[0]; /* the jump there would be the one to fault */
    set_registers(&g);
    c->in.eip = c->code_at - seg_base(c, W_CS);
    set_stack(&g);
    set_operands(&g);
}
