/* MMX and SSE reference: moves, shuffles, blends, inserts and extracts. */
#include "cpu/ref_vec.h"

#include <string.h>

void vec_mov(Vec *v)
{
    v->d = v->s;
}

/* Between registers a scalar move keeps the rest; from memory it clears it (the fetch has). */
void vec_movss(Vec *v)
{
    if (v->mem)
        v->d = v->s;
    else
        v->d.d[0] = v->s.d[0];
}

void vec_movsd(Vec *v)
{
    if (v->mem)
        v->d = v->s;
    else
        v->d.q[0] = v->s.q[0];
}

void vec_movq(Vec *v)
{
    v->d.q[0] = v->s.q[0];
    v->d.q[1] = 0;
}

void vec_movd(Vec *v)
{
    v->d.q[0] = v->s.d[0];
    v->d.q[1] = 0;
}

/* MOVLPS/MOVLPD from memory, MOVHLPS between registers. */
void vec_movlps(Vec *v)
{
    v->d.q[0] = v->s.q[v->mem ? 0 : 1];
}
/* MOVHPS/MOVHPD from memory, MOVLHPS between registers. */
void vec_movhps(Vec *v)
{
    v->d.q[1] = v->s.q[0];
}
void vec_movhps_store(Vec *v)
{
    v->d.q[0] = v->s.q[1];
}

void vec_movsldup(Vec *v)
{
    for (int i = 0; i < 4; i++) v->d.d[i] = v->s.d[i & 2];
}
void vec_movshdup(Vec *v)
{
    for (int i = 0; i < 4; i++) v->d.d[i] = v->s.d[i | 1];
}
void vec_movddup(Vec *v)
{
    v->d.q[0] = v->d.q[1] = v->s.q[0];
}

void vec_movmsk(Vec *v)
{
    uint32_t mask = 0;
    if (v->prefix == VEC_NP)
        for (int i = 0; i < 4; i++) mask |= v->s.d[i] >> 31 << i;
    else
        for (int i = 0; i < 2; i++) mask |= (uint32_t)(v->s.q[i] >> 63) << i;
    v->d.d[0] = mask;
}

void vec_pmovmskb(Vec *v)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < v->n; i++) mask |= (uint32_t)(v->s.b[i] >> 7) << i;
    v->d.d[0] = mask;
}

static void shuffle_words(Vec *v, unsigned from)
{
    XmmReg s = v->s;
    v->d = s;
    for (unsigned i = 0; i < 4; i++) v->d.w[from + i] = s.w[from + (v->imm >> 2 * i & 3)];
}
void vec_pshufw(Vec *v)
{
    shuffle_words(v, 0);
}
void vec_pshuflw(Vec *v)
{
    shuffle_words(v, 0);
}
void vec_pshufhw(Vec *v)
{
    shuffle_words(v, 4);
}

void vec_pshufd(Vec *v)
{
    for (unsigned i = 0; i < 4; i++) v->d.d[i] = v->s.d[v->imm >> 2 * i & 3];
}

void vec_shufps(Vec *v)
{
    XmmReg d = v->d;
    for (unsigned i = 0; i < 4; i++) v->d.d[i] = (i < 2 ? &d : &v->s)->d[v->imm >> 2 * i & 3];
}

void vec_shufpd(Vec *v)
{
    v->d.q[0] = v->d.q[v->imm & 1];
    v->d.q[1] = v->s.q[v->imm >> 1 & 1];
}

void vec_emms(Vec *v)
{
    fpu_check_pending(v->cpu);
    v->cpu->fpu.tag_valid = 0;
    v->cpu->fpu.sw &= (uint16_t)~SW_TOP;
}

/* --- blends -------------------------------------------------------------------------------------- */

/* Each element of size bytes whose bit in mask is set comes from the source. */
static void blend(Vec *v, unsigned size, unsigned mask)
{
    for (unsigned i = 0; i < 16; i++)
        if (mask >> i / size & 1) v->d.b[i] = v->s.b[i];
}

static void blend_by_sign(Vec *v, unsigned size)
{
    const XmmReg *sel = &v->cpu->fpu.xmm[0];
    unsigned mask = 0;
    for (unsigned i = 0; i < 16 / size; i++) mask |= (unsigned)(sel->b[i * size + size - 1] >> 7) << i;
    blend(v, size, mask);
}

void vec_pblendvb(Vec *v)
{
    blend_by_sign(v, 1);
}
void vec_blendvps(Vec *v)
{
    blend_by_sign(v, 4);
}
void vec_blendvpd(Vec *v)
{
    blend_by_sign(v, 8);
}
void vec_blendps(Vec *v)
{
    blend(v, 4, v->imm & 15);
}
void vec_blendpd(Vec *v)
{
    blend(v, 8, v->imm & 3);
}
void vec_pblendw(Vec *v)
{
    blend(v, 2, v->imm);
}

void vec_ptest(Vec *v)
{
    bool z = !((v->d.q[0] & v->s.q[0]) | (v->d.q[1] & v->s.q[1]));
    bool c = !((~v->d.q[0] & v->s.q[0]) | (~v->d.q[1] & v->s.q[1]));
    v->sets_flags = true;
    v->eflags = (z ? FL_ZF : 0u) | (c ? FL_CF : 0u);
}

/* --- one element --------------------------------------------------------------------------------- */

void vec_palignr(Vec *v)
{
    uint8_t both[64] = { 0 };
    memcpy(both, v->s.b, v->n);
    memcpy(both + v->n, v->d.b, v->n);
    unsigned from = v->imm < 2 * v->n ? v->imm : 2 * v->n;
    memcpy(v->d.b, both + from, v->n);
}

void vec_pinsrw(Vec *v)
{
    v->d.w[v->imm & (v->n / 2 - 1)] = v->s.w[0];
}
void vec_pinsrb(Vec *v)
{
    v->d.b[v->imm & 15] = v->s.b[0];
}
void vec_pinsrd(Vec *v)
{
    v->d.d[v->imm & 3] = v->s.d[0];
}

static void extracted(Vec *v, uint32_t value)
{
    v->d = (XmmReg){ .d = { value } };
}
void vec_pextrw(Vec *v)
{
    extracted(v, v->s.w[v->imm & (v->n / 2 - 1)]);
}
void vec_pextrb(Vec *v)
{
    extracted(v, v->s.b[v->imm & 15]);
}
void vec_pextrd(Vec *v)
{
    extracted(v, v->s.d[v->imm & 3]);
}

void vec_insertps(Vec *v)
{
    uint32_t element = v->s.d[v->mem ? 0 : v->imm >> 6];
    v->d.d[v->imm >> 4 & 3] = element;
    for (unsigned i = 0; i < 4; i++)
        if (v->imm >> i & 1) v->d.d[i] = 0;
}
