/* The x87 reference against the host's own x87: every opcode, random and edge operands, all rounding
 * modes and precisions, masked and unmasked exceptions, empty registers. */
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

#include <stdlib.h>

#include "native.h"
#include "tcg/ir.h"

typedef struct Case {
    const char *name;
    uint8_t opcode, first, last; /* second byte; memory forms: ModRM with rm = 6 */
    uint8_t transcendental;      /* compare results within one ulp */
} Case;

static const Case cases[] = {
    { "FADD..FDIVR m32", 0xd8, 0x06, 0x3e, 0 },
    { "FADD..FDIVR m64", 0xdc, 0x06, 0x3e, 0 },
    { "FIADD.. m32", 0xda, 0x06, 0x3e, 0 },
    { "FIADD.. m16", 0xde, 0x06, 0x3e, 0 },
    { "FLD m32", 0xd9, 0x06, 0x06, 0 },
    { "FST FSTP m32", 0xd9, 0x16, 0x1e, 0 },
    { "FNSTCW", 0xd9, 0x3e, 0x3e, 0 },
    { "FILD FISTTP FIST FISTP m32", 0xdb, 0x06, 0x1e, 0 },
    { "FLD m80", 0xdb, 0x2e, 0x2e, 0 },
    { "FSTP m80", 0xdb, 0x3e, 0x3e, 0 },
    { "FLD FISTTP FST FSTP m64", 0xdd, 0x06, 0x1e, 0 },
    { "FNSTSW m16", 0xdd, 0x3e, 0x3e, 0 },
    { "DF memory", 0xdf, 0x06, 0x3e, 0 },
    { "D8 registers", 0xd8, 0xc0, 0xff, 0 },
    { "FLD FXCH", 0xd9, 0xc0, 0xcf, 0 },
    { "FNOP", 0xd9, 0xd0, 0xd0, 0 },
    { "FSTP D9", 0xd9, 0xd8, 0xdf, 0 },
    { "FCHS FABS", 0xd9, 0xe0, 0xe1, 0 },
    { "FTST FXAM", 0xd9, 0xe4, 0xe5, 0 },
    { "constants", 0xd9, 0xe8, 0xee, 0 },
    { "FXTRACT FPREM1 FDECSTP FINCSTP FPREM", 0xd9, 0xf4, 0xf8, 0 },
    { "FSQRT", 0xd9, 0xfa, 0xfa, 0 },
    { "FRNDINT FSCALE", 0xd9, 0xfc, 0xfd, 0 },
    { "FCMOVcc", 0xda, 0xc0, 0xdf, 0 },
    { "FUCOMPP", 0xda, 0xe9, 0xe9, 0 },
    { "FCMOVNcc", 0xdb, 0xc0, 0xdf, 0 },
    { "FUCOMI FCOMI", 0xdb, 0xe8, 0xf7, 0 },
    { "DC registers", 0xdc, 0xc0, 0xff, 0 },
    { "DD registers", 0xdd, 0xc0, 0xef, 0 },
    { "DE to FCOMP", 0xde, 0xc0, 0xd7, 0 },
    { "FCOMPP", 0xde, 0xd9, 0xd9, 0 },
    { "FSUBP..", 0xde, 0xe0, 0xff, 0 },
    { "DF registers", 0xdf, 0xc0, 0xe0, 0 },
    { "FUCOMIP FCOMIP", 0xdf, 0xe8, 0xf7, 0 },
    { "F2XM1", 0xd9, 0xf0, 0xf0, 1 },
    { "FYL2X", 0xd9, 0xf1, 0xf1, 1 },
    { "FPTAN", 0xd9, 0xf2, 0xf2, 1 },
    { "FPATAN", 0xd9, 0xf3, 0xf3, 1 },
    { "FYL2XP1", 0xd9, 0xf9, 0xf9, 1 },
    { "FSINCOS", 0xd9, 0xfb, 0xfb, 1 },
    { "FSIN FCOS", 0xd9, 0xfe, 0xff, 1 },
};

static CPUState *cpu;
static Native native;

static Fp80 random_fp80(void)
{
    static const Fp80 edges[] = {
        { 0, 0 },
        { 0, 0x8000 },
        { 1, 0 },
        { 0x8000000000000000u, 0 },
        { 0x8000000000000000u, 1 },
        { ~(uint64_t)0, 0 },
        { ~(uint64_t)0, 0x7ffe },
        { 0x8000000000000000u, 0x7fff },
        { 0x8000000000000000u, 0xffff },
        { 0xc000000000000000u, 0xffff },
        { 0xa000000000000000u, 0x7fff },
        { 0xc000000000000001u, 0x7fff },
        { 0, 0x7fff },
        { 1, 0x4000 },
        { 0x8000000000000000u, 0x3fff },
        { 0x8000000000000000u, 0xbfff },
        { 0xffffff8000000000u, 0x407e },
        { 0xfffffffffffffc00u, 0x43fe },
        { 0x8000000000000000u, 0x403e },
        { 0x8000000000000000u, 0xc03e },
        { 0x8000000000000000u, 0x3f80 },
        { 0xde0b6b3a763fffffu, 0x403a },
        { 0xc90fdaa22168c235u, 0x3fff },
        { 0x8000000000000000u, 0x3ffe },
    };
    Fp80 v = { rng(), (uint16_t)rng() };
    switch (rnd(9)) {
    case 0: return edges[rnd(sizeof edges / sizeof *edges)];
    case 1:
        v.mant |= (uint64_t)1 << 63;
        v.se = (uint16_t)(0x3fff + rnd(70) - 3 + (rnd(2) << 15));
        break;
    case 2:
        v.mant |= (uint64_t)1 << 63;
        v.se = (uint16_t)(0x3fff + rnd(4) - 2 + (rnd(2) << 15));
        break;
    case 3:
        v.se = (uint16_t)(rnd(3) + (rnd(2) << 15));
        v.mant = rng() | (uint64_t)rnd(2) << 63;
        break;
    case 4:
        v.mant = rng() << rnd(64) | (uint64_t)1 << 63;
        v.se = (uint16_t)(0x3fff + rnd(80) - 40 + (rnd(2) << 15));
        break;
    case 5:
        v.mant = (uint64_t)1 << 63 | rng() << rnd(64);
        v.se = (uint16_t)(0x3fff + rnd(300) - 150 + (rnd(2) << 15));
        break;
    case 6:
        v.mant = (uint64_t)1 << 63 | rng() << rnd(64);
        v.se = (uint16_t)(0x3fff + rnd(2200) - 1100 + (rnd(2) << 15));
        break;
    case 7:
        v.mant |= (uint64_t)1 << 63;
        v.se = (uint16_t)(0x7ffe - rnd(70) + (rnd(2) << 15));
        break;
    default: v.mant |= (uint64_t)(rnd(8) != 0) << 63; break;
    }
    return v;
}

static void random_memory(void)
{
    Fp80 v = random_fp80();
    uint64_t q = rng();
    for (int i = 0; i < 16; i++) native.mem[i] = (uint8_t)rng();
    switch (rnd(6)) {
    case 0:
        memcpy(native.mem, &v.mant, 8);
        memcpy(native.mem + 8, &v.se, 2);
        break;
    case 1:
        q = q << 12 >> 12 | (uint64_t)rnd(2) << 63 | (uint64_t)(rnd(2) ? 0x7ff : 0) << 52;
        memcpy(native.mem, &q, 8);
        break;
    case 2:
        q = (q & 0x7fffff) | (uint64_t)rnd(2) << 31 | (uint64_t)(rnd(2) ? 0xff : 0) << 23;
        memcpy(native.mem, &q, 8);
        break;
    case 3:
        q = (uint64_t)(int64_t)(rnd(5) - 2) << 63 >> rnd(64);
        memcpy(native.mem, &q, 8);
        break;
    case 4:
        for (int i = 0; i < 9; i++) native.mem[i] = (uint8_t)(rnd(10) << 4 | rnd(10));
        break;
    default: break;
    }
}

static void random_state(unsigned i)
{
    FpuState *f = &cpu->fpu;
    memset(f, 0, sizeof *f);
    for (int r = 0; r < 8; r++) f->r[r] = random_fp80();
    f->mxcsr = MXCSR_RESET;
    f->cw = (uint16_t)(0x40 | rnd(4) << 10 | "\0\2\3\3\3"[rnd(5)] << 8);
    f->cw |= rnd(4) ? 0x3f : (uint16_t)(rng() & 0x3f);
    f->sw = (uint16_t)(rng() & (0x7f00 | (rnd(2) ? 0x7f & f->cw : 0)));
    f->tag_valid = i % 4 ? (uint8_t) ~(1u << (((f->sw >> 11) + 7) & 7)) : (uint8_t)rng();
    if (i % 16 == 1) f->tag_valid = 0xff;
    random_memory();
    memcpy(cpu->bounce, native.mem, sizeof cpu->bounce);
    for (int r = 0; r < 4; r++) native.gpr_in[r] = cpu->regs[r] = (uint32_t)rng();
    uint32_t fl = (uint32_t)rng() & FL_ARITH;
    native.flags_in = fl | 0x202;
    cpu->cc = cpu_cc_from_flags(fl);
}

static int64_t ulps(Fp80 a, Fp80 b)
{
    if (a.se == b.se) return (int64_t)(a.mant - b.mant);
    if ((a.se ^ b.se) & 0x8000) return INT64_MAX;
    /* neighbours across a power of two */
    if (a.se + 1 == b.se) return a.mant == ~(uint64_t)0 ? 1 + (int64_t)(b.mant << 1) : INT64_MAX;
    if (b.se + 1 == a.se) return b.mant == ~(uint64_t)0 ? 1 + (int64_t)(a.mant << 1) : INT64_MAX;
    return INT64_MAX;
}

static bool same(const FpuState *a, const FpuState *b, bool approximate)
{
    /* C1; and at the least normal number, one ulp decides about an underflow. */
    uint16_t mask = approximate ? (a->cw & 0x10 ? 0xfdef : 0x7d6f) : 0xffff;
    if (a->cw != b->cw || ((a->sw ^ b->sw) & mask) || a->tag_valid != b->tag_valid) return false;
    for (int i = 0; i < 8; i++) {
        if (a->r[i].mant == b->r[i].mant && a->r[i].se == b->r[i].se) continue;
        int64_t d = ulps(a->r[i], b->r[i]);
        if (!approximate || d > 1 || d < -1) return false;
    }
    return true;
}

static void show(const FpuState *before, const FpuState *silicon, const FpuState *reference)
{
    const FpuState *s[3] = { before, silicon, reference };
    static const char *const names[3] = { "before", "silicon", "reference" };
    for (int n = 0; n < 3; n++) diag("  %-9s cw %04x sw %04x tags %02x", names[n], s[n]->cw, s[n]->sw, s[n]->tag_valid);
    for (int i = 0; i < 8; i++) {
        bool top = ((before->sw >> 11) & 7) == i, top1 = (((before->sw >> 11) + 1) & 7) == (unsigned)i;
        if (!top && !top1 && !memcmp(&silicon->r[i], &reference->r[i], 10)) continue;
        diag("  R%d %04x %016llx | %04x %016llx | %04x %016llx", i, before->r[i].se,
             (unsigned long long)before->r[i].mant, silicon->r[i].se, (unsigned long long)silicon->r[i].mant,
             reference->r[i].se, (unsigned long long)reference->r[i].mant);
    }
}

/* Where the instruction is undefined, anything goes. */
static bool undefined(const Case *c, unsigned modrm)
{
    FpuState *f = &cpu->fpu;
    Fp80 a = f->r[f->sw >> 11 & 7];
    unsigned exp = a.se & 0x7fff;
    if (c->opcode == 0xd9 && modrm == 0xf0) return exp >= 0x3fff && exp != 0x7fff;
    if (c->opcode == 0xd9 && modrm == 0xf9) return exp >= 0x3ffd && exp != 0x7fff;
    if (c->opcode == 0xdf && modrm == 0x26) /* FBLD of digits above nine */
        for (int i = 0; i < 9; i++)
            if ((native.mem[i] & 15) > 9 || native.mem[i] >> 4 > 9) return true;
    return false;
}

static unsigned run_one(const Case *c, unsigned modrm, unsigned tries)
{
    uint8_t insn[2] = { c->opcode, (uint8_t)modrm };
    unsigned bad = 0;
    native_assemble(insn, 2);
    for (unsigned i = 0; i < tries; i++) {
        FpuState before, expect;
        random_state(i);
        if (undefined(c, modrm)) continue;
        before = cpu->fpu;
        uint8_t mem_before[16];
        memcpy(mem_before, native.mem, 16);
        native_pack(native.fx_in, &cpu->fpu);
        native_run(&native);
        native_unpack(&expect, native.fx_out);
        bool stored = fpu_run_x87(cpu, c->opcode, (uint8_t)modrm);
        bool good = same(&cpu->fpu, &expect, c->transcendental) &&
                    !memcmp(stored ? cpu->bounce : mem_before, native.mem, 16) &&
                    cpu_arith_flags(cpu->cc) == (native.flags_out & FL_ARITH) && cpu->regs[0] == native.gpr_out[0];
        if (good) continue;
        if (bad++ < 3) {
            diag("%s %02x %02x, memory %016llx %02x%02x", c->name, c->opcode, modrm,
                 (unsigned long long)*(uint64_t *)mem_before, mem_before[9], mem_before[8]);
            show(&before, &expect, &cpu->fpu);
            if (memcmp(stored ? cpu->bounce : mem_before, native.mem, 16))
                diag("memory: silicon %016llx reference %016llx", (unsigned long long)*(uint64_t *)native.mem,
                     (unsigned long long)*(uint64_t *)cpu->bounce);
        }
    }
    return bad;
}

int main(int argc, char **argv)
{
    unsigned tries = argc > 1 ? (unsigned)atoi(argv[1]) : 3000;
    cpu = aligned_alloc(64, (sizeof *cpu + 63) / 64 * 64);
    if (!cpu || !native_init()) return 1;
    memset(cpu, 0, sizeof *cpu);
    cpu->cr0 = CR0_NE;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const Case *c = &cases[n];
        unsigned bad = 0, step = c->first < 0xc0 ? 8 : 1;
        for (unsigned m = c->first; m <= c->last; m += step)
            bad += run_one(c, m, c->transcendental ? tries : step == 8 ? tries : tries / 8 + 200);
        ok(bad == 0, "%s: %u differences", c->name, bad);
    }
    free(cpu);
    return tap_done();
}
#endif
