/* What must agree, field by field. */
#include "silicon.h"

#include <stdio.h>
#include <string.h>

#include "cpu/state.h"

static const char *const reg_name[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
static const char *const seg_name[6] = { "es", "cs", "ss", "ds", "fs", "gs" };

typedef struct Diff {
    bool print;
    unsigned n;
} Diff;

static void differ(Diff *d, const char *what, uint64_t native, uint64_t calque)
{
    if (d->print) printf("#   %-8s silicon %08llx  calque %08llx\n", what, (unsigned long long)native, (unsigned long long)calque);
    d->n++;
}

static void bytes_differ(Diff *d, const char *what, const uint8_t *a, const uint8_t *b, unsigned n)
{
    if (!memcmp(a, b, n)) return;
    d->n++;
    if (!d->print) return;
    printf("#   %-8s silicon ", what);
    for (unsigned i = n; i--;) printf("%02x", a[i]);
    printf("  calque ");
    for (unsigned i = n; i--;) printf("%02x", b[i]);
    putchar('\n');
}

/* Known differences, each with its reason. */

/* RCPPS, RSQRTPS and kin: an approximation with a relative error of at most 1.5 * 2^-12 (SDM 2B), of which each
 * implementation has its own. */
static bool is_approximation(const Case *c, const Guest *g)
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
static bool xmm_nearly(const uint8_t *a, const uint8_t *b)
{
    float x[4], y[4];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    return nearly(x[0], y[0]) && nearly(x[1], y[1]) && nearly(x[2], y[2]) && nearly(x[3], y[3]);
}

/* F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS by the reference helpers: less than one unit in the last place from
 * the exact value, as silicon promises (SDM 1 8.3.10), but not always silicon's. The helpers do the work on the portable
 * backend, and on both while an exception is unmasked. */
static bool is_transcendental(const Case *c, const Guest *g)
{
    uint8_t op = c->insn.modrm;
    bool soft = !strcmp(guest_backend(g), "interp") || (c->in.fx[0] & 0x3f) != 0x3f;
    if (!soft || c->insn.mn != MN_X87 || c->insn.opcode != 0xd9) return false;
    return (op >= 0xf0 && op <= 0xf3) || op == 0xf9 || op == 0xfb || op == 0xfe || op == 0xff;
}
static bool one_ulp(const uint8_t *a, const uint8_t *b)
{
    uint64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    uint32_t ea = a[8] | (uint32_t)a[9] << 8, eb = b[8] | (uint32_t)b[9] << 8;
    if (ea == eb) return x == y || x + 1 == y || y + 1 == x;
    if (ea + 1 == eb) return x == UINT64_MAX && y == (uint64_t)1 << 63;
    return eb + 1 == ea && y == UINT64_MAX && x == (uint64_t)1 << 63;
}

/* An MMX store that faults has already set TOP to 0 on silicon. */
static bool is_faulting_mmx_store(const Case *c, const Outcome *n)
{
    const Insn *in = &c->insn;
    return in->mn == MN_VEC && in->n_opnd && in->opnd[0].kind == OPND_MEM && in->opnd[1].kind == OPND_MMX &&
           n->vector != EXC_BP;
}

/* FSTP m80 and FBSTP store eight bytes and then two: when the latter fault, the former are in memory on silicon. */
static bool is_faulting_m80_store(const Case *c, const Outcome *n)
{
    const Insn *in = &c->insn;
    return in->mn == MN_X87 && in->opnd[0].kind == OPND_MEM && in->opnd[0].size == 10 && n->vector != EXC_BP;
}

/* The registers in their physical order, so that a different TOP alone moves none of them. */
static void physical(const uint8_t *fx, uint8_t out[8][10])
{
    unsigned top = fx[3] >> 3 & 7;
    for (unsigned i = 0; i < 8; i++) memcpy(out[(top + i) & 7], fx + 32 + 16 * i, 10);
}

enum { C1 = 0x200, TOP = 0x3800 };

static void compare_status(Diff *d, const Case *c, Guest *g, const Outcome *n, const Outcome *q)
{
    uint16_t a, b, ignore = 0;
    memcpy(&a, n->s.fx + 2, 2);
    memcpy(&b, q->s.fx + 2, 2);
    if (is_transcendental(c, g)) ignore = C1;
    if (is_faulting_mmx_store(c, n)) ignore = TOP;
    if ((a ^ b) & ~ignore) differ(d, "fsw", a, b);
}

static void compare_fpu(Diff *d, const Case *c, Guest *g, const Outcome *n, const Outcome *q)
{
    static const struct {
        const char *name;
        uint8_t at, len;
    } field[] = {
        { "fcw", 0, 2 }, { "ftw", 4, 1 }, { "fop", 6, 2 }, { "fip", 8, 4 }, { "fdp", 16, 4 }, { "mxcsr", 24, 4 },
    }; /* FCS and FDS: no longer kept by newer processors, CPUID.(7,0):EBX[13] */
    const uint8_t *a = n->s.fx, *b = q->s.fx;
    uint8_t ra[8][10], rb[8][10];
    char name[16];
    for (unsigned i = 0; i < sizeof field / sizeof *field; i++)
        bytes_differ(d, field[i].name, a + field[i].at, b + field[i].at, field[i].len);
    compare_status(d, c, g, n, q);
    physical(a, ra);
    physical(b, rb);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "r%u", i);
        if (!is_transcendental(c, g) || !one_ulp(ra[i], rb[i])) bytes_differ(d, name, ra[i], rb[i], 10);
        snprintf(name, sizeof name, "xmm%u", i);
        const uint8_t *x = a + 160 + 16 * i, *y = b + 160 + 16 * i;
        if (!is_approximation(c, g) || !xmm_nearly(x, y)) bytes_differ(d, name, x, y, 16);
    }
}

static void compare_memory(Diff *d, const Case *c, Guest *g, const Outcome *n, uint32_t base, uint32_t size)
{
    const uint8_t *a = native_mem(base), *b = guest_mem(g, base);
    if (!memcmp(a, b, size) || is_faulting_m80_store(c, n)) return;
    unsigned shown = 0;
    char name[32];
    for (uint32_t i = 0; i < size && shown < 8; i++) {
        if (a[i] == b[i]) continue;
        snprintf(name, sizeof name, "%08x", base + i);
        differ(d, name, a[i], b[i]);
        shown++;
    }
}

static bool has_error(uint32_t vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* The host's return to user mode, on the way to the handler, clears the RPL of null selectors. */
static uint16_t visible(uint16_t sel)
{
    return sel & ~3 ? sel : 0;
}

bool compare(const Case *c, Guest *g, const Outcome *n, const Outcome *q, bool print)
{
    static const uint32_t flags = FL_ARITH | FL_DF | FL_TF | FL_IF | FL_IOPL | FL_NT | FL_AC | FL_ID;
    uint32_t mask = flags;
    Diff d = { .print = print };
    if (n->vector == VECTOR_TIMEOUT) return true;
    if (q->vector == EXC_PF && native_has_at(q->cr2)) return true;
    if (!strcmp(guest_backend(g), "interp")) mask &= ~undefined_flags(c);
    if (n->vector != q->vector) differ(&d, "vector", n->vector, q->vector);
    if (n->vector == q->vector && has_error(n->vector) && n->error != q->error) differ(&d, "error", n->error, q->error);
    if (n->vector == q->vector && n->vector == EXC_PF && n->cr2 != q->cr2) differ(&d, "cr2", n->cr2, q->cr2);
    for (unsigned i = 0; i < 8; i++)
        if (n->s.regs[i] != q->s.regs[i]) differ(&d, reg_name[i], n->s.regs[i], q->s.regs[i]);
    if (n->s.eip != q->s.eip) differ(&d, "eip", n->s.eip, q->s.eip);
    if ((n->s.eflags ^ q->s.eflags) & mask) differ(&d, "eflags", n->s.eflags & mask, q->s.eflags & mask);
    for (unsigned i = 0; i < 6; i++)
        if (visible(n->s.seg[i]) != visible(q->s.seg[i])) differ(&d, seg_name[i], n->s.seg[i], q->s.seg[i]);
    compare_memory(&d, c, g, n, DATA_BASE, DATA_RW);
    compare_memory(&d, c, g, n, STACK_BASE, STACK_SIZE);
    compare_fpu(&d, c, g, n, q);
    return d.n == 0;
}
