/* Walks the decoder's tables as decode.c does, but down every branch. */
#include "forms.h"

#include <stdio.h>
#include <string.h>

enum { FORM_MAX = 4096 };

static Form form[FORM_MAX];
static unsigned n_form;
static struct {
    uint16_t first, n;
} by_opcode[4][256]; /* forms of one opcode stand together */

static const uint8_t prefix_byte[4] = { [NP] = 0, [P66] = 0x66, [PF3] = 0xf3, [PF2] = 0xf2 };

unsigned form_put(const Form *f, uint8_t free_bits, uint8_t *b)
{
    unsigned n = 0;
    if (f->pfx != FORM_ANY && prefix_byte[f->pfx]) b[n++] = prefix_byte[f->pfx];
    if (f->map > 0) b[n++] = 0x0f;
    if (f->map > 1) b[n++] = f->map == 2 ? 0x38 : 0x3a;
    b[n++] = f->opcode;
    if (!(f->row->flags & F_MODRM) && f->mod == FORM_ANY && f->reg == FORM_ANY && f->rm == FORM_ANY) return n;
    uint8_t modrm = free_bits;
    if (f->mod == 1) modrm |= 0xc0;
    if (f->mod == 0 && modrm >= 0xc0) modrm &= 0xbf;
    if (f->reg != FORM_ANY) modrm = (uint8_t)((modrm & ~0x38) | f->reg << 3);
    if (f->rm != FORM_ANY) modrm = (uint8_t)((modrm & ~7) | f->rm);
    b[n++] = modrm;
    return n;
}

static bool is_defined(const Form *f)
{
    static const DecodeFeatures all = { .x86_any = true };
    for (unsigned i = 0; i < 8; i++) { /* some operands take only some register numbers */
        uint8_t b[DECODE_MAX] = { 0 };
        Insn in;
        form_put(f, (uint8_t)(i << 3), b);
        if (decode(b, sizeof b, true, &all, &in) > 0 && in.mn != MN_INVALID) return true;
    }
    return false;
}

static void add_form(Form f)
{
    if (n_form == FORM_MAX || !is_defined(&f)) return;
    if (!by_opcode[f.map][f.opcode].n++) by_opcode[f.map][f.opcode].first = (uint16_t)n_form;
    form[n_form++] = f;
}

static void add_row(Form f)
{
    if (f.row->mn == MN_INVALID) return;
    if (!(f.row->flags & F_MODRM) || f.row->flags & F_REGONLY || f.mod != FORM_ANY) {
        add_form(f);
        return;
    }
    for (uint8_t mod = 0; mod < 2; mod++) {
        f.mod = mod;
        add_form(f);
    }
}

static void walk(const OpRow *row, Form f)
{
    static const uint16_t width[] = { [K_REG] = 8, [K_MOD] = 2, [K_RM] = 8, [K_PFX] = 4, [K_MAP] = 256 };
    if (row->kind == K_INSN) {
        f.row = row;
        add_row(f);
        return;
    }
    for (unsigned i = 0; i < width[row->kind]; i++) {
        Form g = f;
        switch (row->kind) {
        case K_REG: g.reg = (uint8_t)i; break;
        case K_MOD: g.mod = (uint8_t)i; break;
        case K_RM: g.rm = (uint8_t)i; break;
        case K_PFX: g.pfx = (uint8_t)i; break;
        default:
            g.map = row->sub == decode_map_0f ? 1 : row->sub == decode_map_0f38 ? 2 : 3;
            g.opcode = (uint8_t)i;
            break;
        }
        walk(&row->sub[i], g);
    }
}

unsigned form_count(void)
{
    if (n_form) return n_form;
    for (unsigned i = 0; i < 256; i++)
        walk(&decode_map_1[i], (Form){ NULL, 0, (uint8_t)i, FORM_ANY, FORM_ANY, FORM_ANY, FORM_ANY });
    return n_form;
}

const Form *form_at(unsigned i)
{
    return &form[i];
}

int form_of(const Insn *in)
{
    if (in->mn == MN_INVALID || !form_count()) return FORM_NONE;
    unsigned first = by_opcode[in->map][in->opcode].first, n = by_opcode[in->map][in->opcode].n;
    for (unsigned i = first; i < first + n; i++) {
        const Form *f = &form[i];
        if (f->pfx != FORM_ANY && prefix_byte[f->pfx] != in->prefix) continue;
        if (f->mod != FORM_ANY && f->mod != (in->modrm >= 0xc0)) continue;
        if (f->reg != FORM_ANY && f->reg != (in->modrm >> 3 & 7)) continue;
        if (f->rm != FORM_ANY && f->rm != (in->modrm & 7)) continue;
        return (int)i;
    }
    return FORM_NONE;
}

void form_name(const Form *f, char *out, size_t size)
{
    static const char *const escape[4] = { "", "0f ", "0f 38 ", "0f 3a " };
    char reg[8] = "", rm[8] = "";
    if (f->reg != FORM_ANY) snprintf(reg, sizeof reg, " /%u", f->reg);
    if (f->rm != FORM_ANY) snprintf(rm, sizeof rm, " rm%u", f->rm);
    snprintf(out, size, "%s%s%02x%s%s%s %s",
             f->pfx == FORM_ANY || f->pfx == NP ? ""
             : f->pfx == P66                    ? "66 "
             : f->pfx == PF3                    ? "f3 "
                                                : "f2 ",
             escape[f->map], f->opcode, reg, rm,
             f->mod == FORM_ANY ? ""
             : f->mod           ? " reg"
                                : " mem",
             mnemonic_name(f->row->mn));
}
