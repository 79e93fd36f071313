/* MMX and SSE reference: packed integer arithmetic, through SIMDe where an MMX operation is the low half
 * of the XMM one, or can be made so. */
#include "cpu/ref_vec.h"

#include <simde/x86/sse4.2.h>
#include <string.h>

static inline simde__m128i load(const XmmReg *r)
{
    return simde_mm_loadu_si128((const simde__m128i *)r);
}
static inline void result(Vec *v, simde__m128i x)
{
    simde_mm_storeu_si128((simde__m128i *)&v->d, x);
}

/* d = f(d, s), element by element: the same for both widths. */
#define BINARY(name, f)                                                                                                \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        result(v, simde_mm_##f(load(&v->d), load(&v->s)));                                                             \
    }
BINARY(pcmpgtb, cmpgt_epi8)
BINARY(pcmpgtw, cmpgt_epi16)
BINARY(pcmpgtd, cmpgt_epi32)
BINARY(pcmpgtq, cmpgt_epi64)
BINARY(pcmpeqb, cmpeq_epi8)
BINARY(pcmpeqw, cmpeq_epi16)
BINARY(pcmpeqd, cmpeq_epi32)
BINARY(pcmpeqq, cmpeq_epi64)
BINARY(pand, and_si128)
BINARY(pandn, andnot_si128)
BINARY(por, or_si128)
BINARY(pxor, xor_si128)
BINARY(paddb, add_epi8)
BINARY(paddw, add_epi16)
BINARY(paddd, add_epi32)
BINARY(paddq, add_epi64)
BINARY(psubb, sub_epi8)
BINARY(psubw, sub_epi16)
BINARY(psubd, sub_epi32)
BINARY(psubq, sub_epi64)
BINARY(paddsb, adds_epi8)
BINARY(paddsw, adds_epi16)
BINARY(paddusb, adds_epu8)
BINARY(paddusw, adds_epu16)
BINARY(psubsb, subs_epi8)
BINARY(psubsw, subs_epi16)
BINARY(psubusb, subs_epu8)
BINARY(psubusw, subs_epu16)
BINARY(pminub, min_epu8)
BINARY(pminsw, min_epi16)
BINARY(pmaxub, max_epu8)
BINARY(pmaxsw, max_epi16)
BINARY(pminsb, min_epi8)
BINARY(pminsd, min_epi32)
BINARY(pminuw, min_epu16)
BINARY(pminud, min_epu32)
BINARY(pmaxsb, max_epi8)
BINARY(pmaxsd, max_epi32)
BINARY(pmaxuw, max_epu16)
BINARY(pmaxud, max_epu32)
BINARY(pavgb, avg_epu8)
BINARY(pavgw, avg_epu16)
BINARY(pmullw, mullo_epi16)
BINARY(pmulhw, mulhi_epi16)
BINARY(pmulhuw, mulhi_epu16)
BINARY(pmulhrsw, mulhrs_epi16)
BINARY(pmulld, mullo_epi32)
BINARY(pmuludq, mul_epu32)
BINARY(pmuldq, mul_epi32)
BINARY(pmaddwd, madd_epi16)
BINARY(pmaddubsw, maddubs_epi16)
BINARY(psadbw, sad_epu8)
BINARY(punpcklbw, unpacklo_epi8)
BINARY(punpcklwd, unpacklo_epi16)
BINARY(punpckldq, unpacklo_epi32)
BINARY(punpcklqdq, unpacklo_epi64)
BINARY(punpckhqdq, unpackhi_epi64)
BINARY(packusdw, packus_epi32)

/* Shifts by the 64-bit count in the source, and signs: plain code, as SIMDe's portable ones take only
 * counts that fit an int, and negate the most negative number. */
#define SHIFT(name, array, type, bits, expr)                                                                           \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        uint64_t count = v->s.q[0];                                                                                    \
        for (unsigned i = 0; i < 128 / (bits); i++) {                                                                  \
            type e = (type)v->d.array[i];                                                                              \
            v->d.array[i] = (expr);                                                                                    \
        }                                                                                                              \
    }
SHIFT(psllw, w, uint16_t, 16, count > 15 ? 0 : (uint16_t)((uint32_t)e << count))
SHIFT(pslld, d, uint32_t, 32, count > 31 ? 0 : e << count)
SHIFT(psllq, q, uint64_t, 64, count > 63 ? 0 : e << count)
SHIFT(psrlw, w, uint16_t, 16, count > 15 ? 0 : (uint16_t)(e >> count))
SHIFT(psrld, d, uint32_t, 32, count > 31 ? 0 : e >> count)
SHIFT(psrlq, q, uint64_t, 64, count > 63 ? 0 : e >> count)
SHIFT(psraw, w, int16_t, 16, (uint16_t)(e >> (count > 15 ? 15 : count)))
SHIFT(psrad, d, int32_t, 32, (uint32_t)(e >> (count > 31 ? 31 : count)))

#define SIGN(name, array, type, bits)                                                                                  \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        for (unsigned i = 0; i < 128 / (bits); i++) {                                                                  \
            type sign = (type)v->s.array[i];                                                                           \
            if (sign < 0) v->d.array[i] = (u##type)(0u - v->d.array[i]);                                               \
            if (sign == 0) v->d.array[i] = 0;                                                                          \
        }                                                                                                              \
    }
SIGN(psignb, b, int8_t, 8)
SIGN(psignw, w, int16_t, 16)
SIGN(psignd, d, int32_t, 32)

/* Unpacking the high half: of an MMX register, it is what unpacking the low half puts on top. */
#define UNPACK_HIGH(name, bits)                                                                                        \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        simde__m128i d = load(&v->d), s = load(&v->s);                                                                 \
        if (v->n == 16)                                                                                                \
            result(v, simde_mm_unpackhi_epi##bits(d, s));                                                              \
        else                                                                                                           \
            result(v, simde_mm_srli_si128(simde_mm_unpacklo_epi##bits(d, s), 8));                                      \
    }
UNPACK_HIGH(punpckhbw, 8)
UNPACK_HIGH(punpckhwd, 16)
UNPACK_HIGH(punpckhdq, 32)

/* Operations that bring both operands together, results of the first below those of the second: MMX
 * operands are put side by side first. */
#define GATHER(name, f)                                                                                                \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        simde__m128i d = load(&v->d), s = load(&v->s);                                                                 \
        if (v->n == 8) d = s = simde_mm_unpacklo_epi64(d, s);                                                          \
        result(v, simde_mm_##f(d, s));                                                                                 \
    }
GATHER(packsswb, packs_epi16)
GATHER(packuswb, packus_epi16)
GATHER(packssdw, packs_epi32)
GATHER(phaddw, hadd_epi16)
GATHER(phaddd, hadd_epi32)
GATHER(phaddsw, hadds_epi16)
GATHER(phsubw, hsub_epi16)
GATHER(phsubd, hsub_epi32)
GATHER(phsubsw, hsubs_epi16)

#define UNARY(name, f)                                                                                                 \
    void vec_##name(Vec *v)                                                                                            \
    {                                                                                                                  \
        result(v, simde_mm_##f(load(&v->s)));                                                                          \
    }
UNARY(pabsb, abs_epi8)
UNARY(pabsw, abs_epi16)
UNARY(pabsd, abs_epi32)
UNARY(pmovsxbw, cvtepi8_epi16)
UNARY(pmovsxbd, cvtepi8_epi32)
UNARY(pmovsxbq, cvtepi8_epi64)
UNARY(pmovsxwd, cvtepi16_epi32)
UNARY(pmovsxwq, cvtepi16_epi64)
UNARY(pmovsxdq, cvtepi32_epi64)
UNARY(pmovzxbw, cvtepu8_epi16)
UNARY(pmovzxbd, cvtepu8_epi32)
UNARY(pmovzxbq, cvtepu8_epi64)
UNARY(pmovzxwd, cvtepu16_epi32)
UNARY(pmovzxwq, cvtepu16_epi64)
UNARY(pmovzxdq, cvtepu32_epi64)
UNARY(phminposuw, minpos_epu16)

void vec_pshufb(Vec *v)
{
    XmmReg d = v->d;
    for (unsigned i = 0; i < v->n; i++) v->d.b[i] = v->s.b[i] & 0x80 ? 0 : d.b[v->s.b[i] & (v->n - 1)];
}

/* --- shifts by an immediate: ModRM.reg is part of the opcode ---------------------------------------- */

static void shift_by(Vec *v, VecFn *right, VecFn *arithmetic, VecFn *left)
{
    VecFn *by_reg[8] = { [2] = right, [4] = arithmetic, [6] = left };
    VecFn *fn = by_reg[v->modrm >> 3 & 7];
    v->s = (XmmReg){ .q = { v->imm } };
    if (fn) fn(v);
}

void vec_shift_imm_w(Vec *v)
{
    shift_by(v, vec_psrlw, vec_psraw, vec_psllw);
}
void vec_shift_imm_d(Vec *v)
{
    shift_by(v, vec_psrld, vec_psrad, vec_pslld);
}

/* 66 0F 73 /3 PSRLDQ and /7 PSLLDQ shift the register by bytes. */
void vec_shift_imm_q(Vec *v)
{
    unsigned reg = v->modrm >> 3 & 7, count = v->imm > 15 ? 16 : v->imm;
    if ((reg & 3) != 3) {
        shift_by(v, vec_psrlq, NULL, vec_psllq);
        return;
    }
    XmmReg d = { .q = { 0, 0 } };
    if (reg == 3)
        memcpy(d.b, v->d.b + count, 16 - count);
    else
        memcpy(d.b + count, v->d.b, 16 - count);
    v->d = d;
}

void vec_mpsadbw(Vec *v)
{
    XmmReg d = v->d;
    unsigned from = v->imm & 4, block = (v->imm & 3) * 4;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;
        for (unsigned k = 0; k < 4; k++) {
            int diff = d.b[from + i + k] - v->s.b[block + k];
            sum += (unsigned)(diff < 0 ? -diff : diff);
        }
        v->d.w[i] = (uint16_t)sum;
    }
}
