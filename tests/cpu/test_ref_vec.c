/* The MMX and SSE reference against the host's own units: every operation, register and memory forms,
 * random and edge operands, all rounding modes, FTZ and DAZ, masked and unmasked exceptions. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* REG_RIP in the signal context */
#endif
#include "tap.h"

#ifndef __x86_64__
int main(void)
{
    ok(true, "not an x86-64 host # SKIP");
    return tap_done();
}
#else

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include "native.h"
#include "tcg/ir.h"

enum { REG = 1, MEM = 2, IMM = 4, BOTH = REG | MEM };
typedef struct Row {
    uint8_t map, prefix, first, last;
    char reg, rm; /* x XMM, m MMX, g GPR, 2 4 6: ModRM.reg extension, - none */
    uint8_t mem_size, flags;
} Row;

static const Row rows[] = {
    /* MMX */
    { 0, 0, 0x60, 0x6b, 'm', 'm', 8, BOTH },
    { 0, 0, 0x6e, 0x6e, 'm', 'g', 4, BOTH },
    { 0, 0, 0x6f, 0x6f, 'm', 'm', 8, BOTH },
    { 0, 0, 0x70, 0x70, 'm', 'm', 8, BOTH | IMM },
    { 0, 0, 0x71, 0x72, '2', 'm', 0, REG | IMM },
    { 0, 0, 0x71, 0x72, '4', 'm', 0, REG | IMM },
    { 0, 0, 0x71, 0x73, '6', 'm', 0, REG | IMM },
    { 0, 0, 0x73, 0x73, '2', 'm', 0, REG | IMM },
    { 0, 0, 0x74, 0x76, 'm', 'm', 8, BOTH },
    { 0, 0, 0x77, 0x77, '-', '-', 0, REG },
    { 0, 0, 0x7e, 0x7e, 'm', 'g', 4, BOTH },
    { 0, 0, 0x7f, 0x7f, 'm', 'm', 8, BOTH },
    { 0, 0, 0xc4, 0xc4, 'm', 'g', 2, BOTH | IMM },
    { 0, 0, 0xc5, 0xc5, 'g', 'm', 0, REG | IMM },
    { 0, 0, 0xd1, 0xd5, 'm', 'm', 8, BOTH },
    { 0, 0, 0xd7, 0xd7, 'g', 'm', 0, REG },
    { 0, 0, 0xd8, 0xe5, 'm', 'm', 8, BOTH },
    { 0, 0, 0xe7, 0xe7, 'm', 'm', 8, MEM },
    { 0, 0, 0xe8, 0xef, 'm', 'm', 8, BOTH },
    { 0, 0, 0xf1, 0xf6, 'm', 'm', 8, BOTH },
    { 0, 0, 0xf8, 0xfe, 'm', 'm', 8, BOTH },
    { 1, 0, 0x00, 0x0b, 'm', 'm', 8, BOTH },
    { 1, 0, 0x1c, 0x1e, 'm', 'm', 8, BOTH },
    { 2, 0, 0x0f, 0x0f, 'm', 'm', 8, BOTH | IMM },
    /* XMM integer */
    { 0, 0x66, 0x60, 0x6d, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x6e, 0x6e, 'x', 'g', 4, BOTH },
    { 0, 0x66, 0x6f, 0x6f, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x6f, 0x6f, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x70, 0x70, 'x', 'x', 16, BOTH | IMM },
    { 0, 0xf2, 0x70, 0x70, 'x', 'x', 16, BOTH | IMM },
    { 0, 0xf3, 0x70, 0x70, 'x', 'x', 16, BOTH | IMM },
    { 0, 0x66, 0x71, 0x72, '2', 'x', 0, REG | IMM },
    { 0, 0x66, 0x71, 0x72, '4', 'x', 0, REG | IMM },
    { 0, 0x66, 0x71, 0x73, '6', 'x', 0, REG | IMM },
    { 0, 0x66, 0x73, 0x73, '2', 'x', 0, REG | IMM },
    { 0, 0x66, 0x73, 0x73, '3', 'x', 0, REG | IMM },
    { 0, 0x66, 0x73, 0x73, '7', 'x', 0, REG | IMM },
    { 0, 0x66, 0x74, 0x76, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x7e, 0x7e, 'x', 'g', 4, BOTH },
    { 0, 0xf3, 0x7e, 0x7e, 'x', 'x', 8, BOTH },
    { 0, 0x66, 0x7f, 0x7f, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x7f, 0x7f, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xc4, 0xc4, 'x', 'g', 2, BOTH | IMM },
    { 0, 0x66, 0xc5, 0xc5, 'g', 'x', 0, REG | IMM },
    { 0, 0x66, 0xd1, 0xd5, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xd6, 0xd6, 'x', 'x', 8, BOTH },
    { 0, 0xf3, 0xd6, 0xd6, 'x', 'm', 0, REG },
    { 0, 0xf2, 0xd6, 0xd6, 'm', 'x', 0, REG },
    { 0, 0x66, 0xd7, 0xd7, 'g', 'x', 0, REG },
    { 0, 0x66, 0xd8, 0xe5, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xe7, 0xe7, 'x', 'x', 16, MEM },
    { 0, 0x66, 0xe8, 0xef, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0xf0, 0xf0, 'x', 'x', 16, MEM },
    { 0, 0x66, 0xf1, 0xf6, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xf8, 0xfe, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x00, 0x0b, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x10, 0x10, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x14, 0x15, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x17, 0x17, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x1c, 0x1e, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x20, 0x20, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x21, 0x21, 'x', 'x', 4, BOTH },
    { 1, 0x66, 0x22, 0x22, 'x', 'x', 2, BOTH },
    { 1, 0x66, 0x23, 0x23, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x24, 0x24, 'x', 'x', 4, BOTH },
    { 1, 0x66, 0x25, 0x25, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x28, 0x29, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x2a, 0x2a, 'x', 'x', 16, MEM },
    { 1, 0x66, 0x2b, 0x2b, 'x', 'x', 16, BOTH },
    { 1, 0x66, 0x30, 0x30, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x31, 0x31, 'x', 'x', 4, BOTH },
    { 1, 0x66, 0x32, 0x32, 'x', 'x', 2, BOTH },
    { 1, 0x66, 0x33, 0x33, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x34, 0x34, 'x', 'x', 4, BOTH },
    { 1, 0x66, 0x35, 0x35, 'x', 'x', 8, BOTH },
    { 1, 0x66, 0x37, 0x41, 'x', 'x', 16, BOTH },
    { 2, 0x66, 0x0c, 0x0f, 'x', 'x', 16, BOTH | IMM },
    { 2, 0x66, 0x14, 0x14, 'x', 'g', 1, BOTH | IMM },
    { 2, 0x66, 0x15, 0x15, 'x', 'g', 2, BOTH | IMM },
    { 2, 0x66, 0x16, 0x17, 'x', 'g', 4, BOTH | IMM },
    { 2, 0x66, 0x20, 0x20, 'x', 'g', 1, BOTH | IMM },
    { 2, 0x66, 0x21, 0x21, 'x', 'x', 4, BOTH | IMM },
    { 2, 0x66, 0x22, 0x22, 'x', 'g', 4, BOTH | IMM },
    { 2, 0x66, 0x42, 0x42, 'x', 'x', 16, BOTH | IMM },
    { 2, 0x66, 0x60, 0x63, 'x', 'x', 16, BOTH | IMM },
    /* floating-point moves */
    { 0, 0, 0x10, 0x11, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x10, 0x11, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x10, 0x11, 'x', 'x', 4, BOTH },
    { 0, 0xf2, 0x10, 0x11, 'x', 'x', 8, BOTH },
    { 0, 0, 0x12, 0x12, 'x', 'x', 8, BOTH },
    { 0, 0x66, 0x12, 0x12, 'x', 'x', 8, MEM },
    { 0, 0xf3, 0x12, 0x12, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0x12, 0x12, 'x', 'x', 8, BOTH },
    { 0, 0, 0x13, 0x13, 'x', 'x', 8, MEM },
    { 0, 0x66, 0x13, 0x13, 'x', 'x', 8, MEM },
    { 0, 0, 0x14, 0x15, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x14, 0x15, 'x', 'x', 16, BOTH },
    { 0, 0, 0x16, 0x16, 'x', 'x', 8, BOTH },
    { 0, 0x66, 0x16, 0x16, 'x', 'x', 8, MEM },
    { 0, 0xf3, 0x16, 0x16, 'x', 'x', 16, BOTH },
    { 0, 0, 0x17, 0x17, 'x', 'x', 8, MEM },
    { 0, 0x66, 0x17, 0x17, 'x', 'x', 8, MEM },
    { 0, 0, 0x28, 0x29, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x28, 0x29, 'x', 'x', 16, BOTH },
    { 0, 0, 0x2b, 0x2b, 'x', 'x', 16, MEM },
    { 0, 0, 0x50, 0x50, 'g', 'x', 0, REG },
    { 0, 0x66, 0x50, 0x50, 'g', 'x', 0, REG },
    { 0, 0, 0x54, 0x57, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x54, 0x57, 'x', 'x', 16, BOTH },
    { 0, 0, 0xc6, 0xc6, 'x', 'x', 16, BOTH | IMM },
    { 0, 0x66, 0xc6, 0xc6, 'x', 'x', 16, BOTH | IMM },
    /* floating-point arithmetic */
    { 0, 0, 0x51, 0x53, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x51, 0x53, 'x', 'x', 4, BOTH },
    { 0, 0x66, 0x51, 0x51, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0x51, 0x51, 'x', 'x', 8, BOTH },
    { 0, 0, 0x58, 0x59, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x58, 0x59, 'x', 'x', 4, BOTH },
    { 0, 0x66, 0x58, 0x59, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0x58, 0x59, 'x', 'x', 8, BOTH },
    { 0, 0, 0x5c, 0x5f, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x5c, 0x5f, 'x', 'x', 4, BOTH },
    { 0, 0x66, 0x5c, 0x5f, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0x5c, 0x5f, 'x', 'x', 8, BOTH },
    { 0, 0x66, 0x7c, 0x7d, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0x7c, 0x7d, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xd0, 0xd0, 'x', 'x', 16, BOTH },
    { 0, 0xf2, 0xd0, 0xd0, 'x', 'x', 16, BOTH },
    { 0, 0, 0xc2, 0xc2, 'x', 'x', 16, BOTH | IMM },
    { 0, 0xf3, 0xc2, 0xc2, 'x', 'x', 4, BOTH | IMM },
    { 0, 0x66, 0xc2, 0xc2, 'x', 'x', 16, BOTH | IMM },
    { 0, 0xf2, 0xc2, 0xc2, 'x', 'x', 8, BOTH | IMM },
    { 0, 0, 0x2e, 0x2f, 'x', 'x', 4, BOTH },
    { 0, 0x66, 0x2e, 0x2f, 'x', 'x', 8, BOTH },
    { 2, 0x66, 0x08, 0x09, 'x', 'x', 16, BOTH | IMM },
    { 2, 0x66, 0x0a, 0x0a, 'x', 'x', 4, BOTH | IMM },
    { 2, 0x66, 0x0b, 0x0b, 'x', 'x', 8, BOTH | IMM },
    { 2, 0x66, 0x40, 0x41, 'x', 'x', 16, BOTH | IMM },
    /* conversions */
    { 0, 0, 0x2a, 0x2a, 'x', 'm', 8, BOTH },
    { 0, 0x66, 0x2a, 0x2a, 'x', 'm', 8, BOTH },
    { 0, 0xf3, 0x2a, 0x2a, 'x', 'g', 4, BOTH },
    { 0, 0xf2, 0x2a, 0x2a, 'x', 'g', 4, BOTH },
    { 0, 0, 0x2c, 0x2d, 'm', 'x', 8, BOTH },
    { 0, 0x66, 0x2c, 0x2d, 'm', 'x', 16, BOTH },
    { 0, 0xf3, 0x2c, 0x2d, 'g', 'x', 4, BOTH },
    { 0, 0xf2, 0x2c, 0x2d, 'g', 'x', 8, BOTH },
    { 0, 0, 0x5a, 0x5a, 'x', 'x', 8, BOTH },
    { 0, 0x66, 0x5a, 0x5a, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x5a, 0x5a, 'x', 'x', 4, BOTH },
    { 0, 0xf2, 0x5a, 0x5a, 'x', 'x', 8, BOTH },
    { 0, 0, 0x5b, 0x5b, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0x5b, 0x5b, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0x5b, 0x5b, 'x', 'x', 16, BOTH },
    { 0, 0x66, 0xe6, 0xe6, 'x', 'x', 16, BOTH },
    { 0, 0xf3, 0xe6, 0xe6, 'x', 'x', 8, BOTH },
    { 0, 0xf2, 0xe6, 0xe6, 'x', 'x', 16, BOTH },
};

static CPUState *cpu;
static Native native;
static jmp_buf raised;

static uint32_t random_single(void)
{
    static const uint32_t edges[] = { 0,          0x80000000, 1,          0x80000001, 0x7fffff,
                                      0x800000,   0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001,
                                      0x7fc00001, 0xffc00000, 0x3f800000, 0xbf800000, 0x4f000000,
                                      0xcf000000, 0x4effffff, 0x3f000000, 0x4b000000, 0x00ffffff };
    uint32_t v = (uint32_t)rng();
    switch (rnd(5)) {
    case 0: return edges[rnd(sizeof edges / sizeof *edges)];
    case 1: return (v & 0x807fffff) | (110 + rnd(40)) << 23;
    case 2: return (v & 0x807fffff) | rnd(4) << 23;
    case 3: return (v & 0xff800000) | 0x400000u >> rnd(24);
    default: return v;
    }
}

static uint64_t random_double(void)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      0x000fffffffffffff,
                                      0x0010000000000000,
                                      0x7fefffffffffffff,
                                      0x7ff0000000000000,
                                      0x7ff0000000000001,
                                      0x7ff8000000000001,
                                      0x3ff0000000000000,
                                      0x41e0000000000000,
                                      0x41dfffffffc00000,
                                      0x3fe0000000000000,
                                      0x47efffffe0000000,
                                      0x3810000000000000,
                                      0x36a0000000000000,
                                      0x47effffff0000000,
                                      0x380fffffe0000000 };
    uint64_t v = rng(), sign = (uint64_t)rnd(2) << 63;
    switch (rnd(5)) {
    case 0: return edges[rnd(sizeof edges / sizeof *edges)] | sign;
    case 1: return v >> 12 | sign | (uint64_t)(1000 + rnd(60)) << 52;
    case 2: return v >> 12 | sign | (uint64_t)rnd(4) << 52;
    case 3: return (v >> 12 & 0xfffffff000000) | sign | (uint64_t)(870 + rnd(300)) << 52;
    default: return v;
    }
}

static void random_xmm(XmmReg *x, unsigned how)
{
    for (int i = 0; i < 2; i++) {
        if (how == 0)
            x->d[2 * i] = random_single(), x->d[2 * i + 1] = random_single();
        else if (how == 1)
            x->q[i] = random_double();
        else
            x->q[i] = rng() & rng() & (rnd(2) ? ~(uint64_t)0 : 0x0307030703070307);
    }
    if (how == 2 && rnd(3) == 0) x->q[0] = rnd(70);
}

static void random_state(void)
{
    FpuState *f = &cpu->fpu;
    unsigned how = rnd(3);
    memset(f, 0, sizeof *f);
    for (int i = 0; i < 8; i++) {
        random_xmm(&f->xmm[i], how);
        XmmReg m;
        random_xmm(&m, how);
        f->r[i] = (Fp80){ m.q[0], (uint16_t)rng() };
    }
    f->cw = 0x37f;
    f->sw = (uint16_t)(rng() & 0x7f3f);
    f->tag_valid = (uint8_t)rng();
    f->mxcsr = (rng() & 0xe07f) | (rnd(4) ? 0x1f80 : (uint32_t)rng() & 0x1f80);
    if (rnd(2)) f->mxcsr &= 0x7fbf; /* no FTZ, DAZ */
    XmmReg mem;
    random_xmm(&mem, how);
    memcpy(native.mem, &mem, 16);
    memcpy(cpu->bounce, &mem, 16);
    for (int i = 0; i < 4; i++) native.gpr_in[i] = cpu->regs[i] = rnd(3) ? (uint32_t)rng() : rnd(40) - 20;
    uint32_t fl = (uint32_t)rng() & FL_ARITH;
    native.flags_in = fl | 0x202;
    cpu->cc = cpu_cc_from_flags(fl);
}

static unsigned kind_of(char c)
{
    return c == 'x' ? IR_FP_XMM : c == 'm' ? IR_FP_MMX : c == 'g' ? IR_FP_GPR : IR_FP_NONE;
}

static bool near(uint32_t a, uint32_t b)
{
    float x, y;
    if (a == b) return true;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    return fabsf(x - y) <= fabsf(y) * 7.4e-4f || (fabsf(x) < 1.2e-38f && fabsf(y) < 1.2e-38f);
}

static bool same(const FpuState *a, const FpuState *b, bool approximate)
{
    bool equal = a->sw == b->sw && a->tag_valid == b->tag_valid && a->mxcsr == b->mxcsr;
    for (int i = 0; i < 8; i++) {
        equal &= a->r[i].mant == b->r[i].mant && a->r[i].se == b->r[i].se;
        for (int k = 0; k < 4; k++)
            equal &= approximate ? near(a->xmm[i].d[k], b->xmm[i].d[k]) : a->xmm[i].d[k] == b->xmm[i].d[k];
    }
    return equal;
}

static void show(const char *what, const FpuState *f, const IrFp *fp, const uint8_t *mem, uint32_t gpr, uint32_t fl)
{
    unsigned reg = fp->modrm >> 3 & 7, rm = fp->modrm & 7;
    const XmmReg *x = &f->xmm[reg], *y = &f->xmm[rm];
    diag("  %-9s mxcsr %04x sw %04x tags %02x xmm%u %08x %08x %08x %08x xmm%u %08x %08x %08x %08x", what, f->mxcsr,
         f->sw, f->tag_valid, reg, x->d[3], x->d[2], x->d[1], x->d[0], rm, y->d[3], y->d[2], y->d[1], y->d[0]);
    uint64_t q[2];
    memcpy(q, mem, 16);
    diag("     mem %016llx %016llx mm%u %016llx mm%u %016llx gpr0 %08x fl %03x", (unsigned long long)q[1],
         (unsigned long long)q[0], reg, (unsigned long long)f->r[reg].mant, rm, (unsigned long long)f->r[rm].mant, gpr,
         fl & FL_ARITH);
}

static bool compare_once(const IrFp *fp)
{
    FpuState before, expect;
    uint8_t mem_before[16];
    random_state();
    before = cpu->fpu;
    memcpy(mem_before, native.mem, 16);
    native_pack(native.fx_in, &cpu->fpu);
    bool trap = native_run(&native), raise = false;
    native_unpack(&expect, native.fx_out);
    volatile bool did_raise = false;
    cpu->exc_env = &raised;
    if (setjmp(raised))
        did_raise = true;
    else
        cpu_ref_vec(cpu, fp);
    raise = did_raise;
    bool approximate = fp->map == 0 && (fp->opcode == 0x52 || fp->opcode == 0x53);
    bool good = trap == raise && same(&cpu->fpu, &expect, approximate) && !memcmp(cpu->bounce, native.mem, 16) &&
                !memcmp(cpu->regs, native.gpr_out, 16) && cpu_arith_flags(cpu->cc) == (native.flags_out & FL_ARITH);
    if (good) return true;
    static unsigned last, shown;
    unsigned id = fp->map << 16 | fp->prefix << 8 | fp->opcode;
    if (id != last) shown = 0;
    last = id;
    if (shown++ < 3) {
        diag("map %u prefix %02x opcode %02x modrm %02x imm %02x trap %d raise %d", fp->map, fp->prefix, fp->opcode,
             fp->modrm, fp->imm, trap, raise);
        show("before", &before, fp, mem_before, native.gpr_in[0], (uint32_t)native.flags_in);
        show("silicon", &expect, fp, native.mem, native.gpr_out[0], (uint32_t)native.flags_out);
        show("reference", &cpu->fpu, fp, cpu->bounce, cpu->regs[0], cpu_arith_flags(cpu->cc));
    }
    return false;
}

static unsigned run_form(const Row *row, uint8_t opcode, bool memory, unsigned tries)
{
    unsigned bad = 0;
    for (unsigned round = 0; round < (row->flags & IMM ? 24u : 6u); round++) {
        IrFp fp = { .prefix = row->prefix, .map = row->map, .opcode = opcode };
        unsigned reg = row->reg >= '2' && row->reg <= '7' ? (unsigned)(row->reg - '0') : rnd(row->reg == 'g' ? 4 : 8);
        unsigned rm = memory ? 6 : rnd(row->rm == 'g' ? 4 : 8);
        fp.reg_kind = (uint8_t)kind_of(row->reg);
        fp.rm_kind = memory ? IR_FP_MEM : (uint8_t)kind_of(row->rm);
        fp.mem_size = row->mem_size;
        fp.modrm = (uint8_t)((memory ? 0 : 0xc0) | reg << 3 | rm);
        fp.has_imm = (row->flags & IMM) != 0;
        fp.imm = (uint8_t)(rnd(4) ? rng() & 0x7f : rng());
        if (opcode == 0xc2 || row->map == 2) fp.imm = (uint8_t)rng();
        if (opcode == 0xc2) fp.imm &= 7;
        if (row->map == 2 && opcode >= 0x60) fp.imm &= 0x7f;
        if (row->map == 2 && opcode >= 0x08 && opcode <= 0x0b) fp.imm &= 15;
        if (opcode >= 0x71 && opcode <= 0x73 && rnd(2)) fp.imm &= 15;
        uint8_t insn[8];
        size_t n = 0;
        if (row->prefix) insn[n++] = row->prefix;
        insn[n++] = 0x0f;
        if (row->map) insn[n++] = row->map == 1 ? 0x38 : 0x3a;
        insn[n++] = opcode;
        if (row->reg != '-') insn[n++] = fp.modrm;
        if (fp.has_imm) insn[n++] = fp.imm;
        native_assemble(insn, n);
        for (unsigned i = 0; i < tries; i++) bad += !compare_once(&fp);
    }
    return bad;
}

int main(int argc, char **argv)
{
    unsigned tries = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
    cpu = aligned_alloc(64, (sizeof *cpu + 63) / 64 * 64);
    if (!cpu || !native_init()) return 1;
    memset(cpu, 0, sizeof *cpu);
    cpu->cr0 = CR0_NE;
    cpu->cr4 = CR4_OSXMMEXCPT;
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2")) {
        ok(true, "host without SSE4.2 # SKIP");
        return tap_done();
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned op = rows[i].first; op <= rows[i].last; op++) {
            unsigned bad = 0;
            if (rows[i].flags & REG) bad += run_form(&rows[i], (uint8_t)op, false, tries);
            if (rows[i].flags & MEM) bad += run_form(&rows[i], (uint8_t)op, true, tries);
            static const char *const maps[] = { "0F", "0F 38", "0F 3A" };
            ok(bad == 0, "%02x %s %02x: %u differences", rows[i].prefix, maps[rows[i].map], op, bad);
        }
    }
    free(cpu);
    return tap_done();
}
#endif
