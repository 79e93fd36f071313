/* Known differences between silicon and Calque, each with its reason: what compare.c does not hold against anyone. */
#include "known.h"

#include <string.h>

#include "cpu/state.h"

/* RCPPS, RSQRTPS and kin: an approximation with a relative error of at most 1.5 * 2^-12 (SDM 2B), of which each
 * implementation has its own. */
bool is_approximation(const Case *c, const Guest *g)
{
    const Insn *in = &c->insn;
    return !strcmp(guest_backend(g), "interp") && in->mn == MN_VEC && in->map == 1 &&
           (in->opcode == 0x52 || in->opcode == 0x53);
}
static bool nearly(float a, float b)
{
    if (!memcmp(&a, &b, sizeof a)) return true;
    float d = a > b ? a - b : b - a, m = a < 0 ? -a : a;
    return d <= m * (2 * 1.5f / 4096);
}
bool xmm_nearly(const uint8_t *a, const uint8_t *b)
{
    float x[4], y[4];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    return nearly(x[0], y[0]) && nearly(x[1], y[1]) && nearly(x[2], y[2]) && nearly(x[3], y[3]);
}

/* F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS by the reference helpers: less than one unit in the last place from
 * the exact value, as silicon promises (SDM 1 8.3.10), but not always silicon's. The helpers do the work on the portable
 * backend, and on both while an exception is unmasked. */
bool is_transcendental(const Case *c, const Guest *g)
{
    uint8_t op = c->insn.modrm;
    bool soft = !strcmp(guest_backend(g), "interp") || (c->in.fx[0] & 0x3f) != 0x3f;
    if (!soft || c->insn.mn != MN_X87 || c->insn.opcode != 0xd9) return false;
    return (op >= 0xf0 && op <= 0xf3) || op == 0xf9 || op == 0xfb || op == 0xfe || op == 0xff;
}
bool one_ulp(const uint8_t *a, const uint8_t *b)
{
    uint64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    uint32_t ea = a[8] | (uint32_t)a[9] << 8, eb = b[8] | (uint32_t)b[9] << 8;
    if (ea == eb) return x == y || x + 1 == y || y + 1 == x;
    if (ea + 1 == eb) return x == UINT64_MAX && y == (uint64_t)1 << 63;
    return eb + 1 == ea && y == UINT64_MAX && x == (uint64_t)1 << 63;
}

/* The instruction that raised the exception which ended the case. */
static Insn last_insn(const Case *c, const Outcome *n)
{
    static const DecodeFeatures all = { .x86_any = true };
    uint32_t at = n->s.eip + sel_base(n->s.seg[W_CS]) - c->code_at;
    Insn in = c->insn;
    if (!c->single && at < c->len) decode(c->code + at, c->len - at, world_code32(c->world), &all, &in);
    return in;
}

/* An MMX store that faults has already set TOP to 0 on silicon. */
bool is_faulting_mmx_store(const Case *c, const Outcome *n)
{
    const Insn in = last_insn(c, n);
    return in.mn == MN_VEC && in.n_opnd && in.opnd[0].kind == OPND_MEM && in.opnd[1].kind == OPND_MMX &&
           n->vector != EXC_BP;
}

/* FSTP m80 and FBSTP store eight bytes and then two: when the latter fault, the former are in memory on silicon. */
bool is_faulting_m80_store(const Case *c, const Outcome *n)
{
    const Insn in = last_insn(c, n);
    return in.mn == MN_X87 && in.opnd[0].kind == OPND_MEM && in.opnd[0].size == 10 && n->vector != EXC_BP;
}
