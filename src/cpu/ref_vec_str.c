/* MMX and SSE reference: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 2 4.1). */
#include "cpu/ref_vec.h"

#include <string.h>

enum { IMM_WORDS = 1, IMM_SIGNED = 2, IMM_NEGATE = 0x10, IMM_MASKED = 0x20, IMM_LAST_OR_MASK = 0x40 };
enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

typedef struct Strings {
    int32_t a[16], b[16]; /* elements, extended as the immediate says */
    unsigned n;           /* elements in a register */
    unsigned len_a, len_b;
} Strings;

static void expand(int32_t out[16], const XmmReg *r, unsigned imm)
{
    for (unsigned i = 0; i < (imm & IMM_WORDS ? 8u : 16u); i++) {
        if (imm & IMM_WORDS)
            out[i] = imm & IMM_SIGNED ? (int16_t)r->w[i] : r->w[i];
        else
            out[i] = imm & IMM_SIGNED ? (int8_t)r->b[i] : r->b[i];
    }
}

static unsigned explicit_length(uint32_t reg, unsigned n)
{
    uint32_t mag = reg >> 31 ? 0u - reg : reg;
    return mag > n ? n : mag;
}

static unsigned implicit_length(const int32_t e[16], unsigned n)
{
    unsigned len = 0;
    while (len < n && e[len]) len++;
    return len;
}

/* IntRes1: one bit for each element of b. */
static unsigned compare(const Strings *s, unsigned how)
{
    unsigned res = 0;
    for (unsigned j = 0; j < s->n; j++) {
        bool hit = false, in_b = j < s->len_b;
        switch (how) {
        case EQUAL_ANY:
            for (unsigned i = 0; in_b && i < s->len_a; i++) hit |= s->a[i] == s->b[j];
            break;
        case RANGES:
            for (unsigned i = 0; in_b && i + 1 < s->len_a; i += 2) hit |= s->b[j] >= s->a[i] && s->b[j] <= s->a[i + 1];
            break;
        case EQUAL_EACH: hit = in_b && j < s->len_a ? s->a[j] == s->b[j] : !in_b && j >= s->len_a; break;
        default:
            /* a as a needle at position j; what runs past the register's end counts as found. */
            hit = true;
            for (unsigned i = 0; hit && i < s->len_a && i + j < s->n; i++)
                hit = i + j < s->len_b && s->a[i] == s->b[i + j];
            break;
        }
        res |= (unsigned)hit << j;
    }
    return res;
}

static void string_op(Vec *v, bool explicit_len, bool index)
{
    CPUState *cpu = v->cpu;
    Strings s = { .n = v->imm & IMM_WORDS ? 8 : 16 };
    expand(s.a, &v->d, v->imm);
    expand(s.b, &v->s, v->imm);
    s.len_a = explicit_len ? explicit_length(cpu->regs[R_EAX], s.n) : implicit_length(s.a, s.n);
    s.len_b = explicit_len ? explicit_length(cpu->regs[R_EDX], s.n) : implicit_length(s.b, s.n);
    unsigned all = s.n == 16 ? 0xffff : 0xff, res = compare(&s, v->imm >> 2 & 3);
    if (v->imm & IMM_NEGATE) res ^= v->imm & IMM_MASKED ? all & ((1u << s.len_b) - 1) : all;
    v->sets_flags = true;
    v->eflags =
        (res ? FL_CF : 0u) | (s.len_b < s.n ? FL_ZF : 0u) | (s.len_a < s.n ? FL_SF : 0u) | (res & 1 ? FL_OF : 0u);
    if (index) {
        unsigned at = s.n;
        for (unsigned i = 0; i < s.n; i++)
            if (res >> i & 1 && (at == s.n || v->imm & IMM_LAST_OR_MASK)) at = i;
        cpu->regs[R_ECX] = at;
        return;
    }
    XmmReg *out = &cpu->fpu.xmm[0];
    *out = (XmmReg){ .q = { res, 0 } };
    if (!(v->imm & IMM_LAST_OR_MASK)) return;
    for (unsigned i = 0; i < 16; i++) out->b[i] = res >> (v->imm & IMM_WORDS ? i / 2 : i) & 1 ? 0xff : 0;
}

void vec_pcmpestrm(Vec *v)
{
    string_op(v, true, false);
}
void vec_pcmpestri(Vec *v)
{
    string_op(v, true, true);
}
void vec_pcmpistrm(Vec *v)
{
    string_op(v, false, false);
}
void vec_pcmpistri(Vec *v)
{
    string_op(v, false, true);
}
