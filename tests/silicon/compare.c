/* What must agree, field by field. */
#include "known.h"

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
    if (d->print)
        printf("#   %-8s silicon %08llx  calque %08llx\n", what, (unsigned long long)native,
               (unsigned long long)calque);
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

/* The registers in their physical order, so that a different TOP alone moves none of them. */
static void physical(const uint8_t *fx, uint8_t out[8][10])
{
    unsigned top = fx[3] >> 3 & 7;
    for (unsigned i = 0; i < 8; i++) memcpy(out[(top + i) & 7], fx + 32 + 16 * i, 10);
}

enum { C1 = 0x200, TOP = 0x3800 };

static void compare_status(Diff *d, unsigned may, const Outcome *n, const Outcome *q)
{
    uint16_t a, b, ignore = 0;
    memcpy(&a, n->s.fx + 2, 2);
    memcpy(&b, q->s.fx + 2, 2);
    if (may & MAY_DIFFER_C1) ignore |= C1;
    if (may & MAY_DIFFER_TOP) ignore |= TOP;
    if ((a ^ b) & ~ignore) differ(d, "fsw", a, b);
}

static void compare_fpu(Diff *d, unsigned may, const Outcome *n, const Outcome *q)
{
    static const struct {
        const char *name;
        uint8_t at, len, needs;
    } field[] = {
        { "fcw", 0, 2, 0 },
        { "ftw", 4, 1, 0 },
        { "fop", 6, 2, KNOWS_OPERAND },
        { "fip", 8, 4, KNOWS_FIP },
        { "fdp", 16, 4, KNOWS_OPERAND },
    }; /* FCS and FDS: no longer kept by newer processors, CPUID.(7,0):EBX[13] */
    const uint8_t *a = n->s.fx, *b = q->s.fx;
    uint8_t ra[8][10], rb[8][10];
    char name[16] = "";
    bytes_differ(d, "mxcsr", a + 24, b + 24, 4);
    for (unsigned i = 0; i < 8; i++) {
        const uint8_t *x = a + 160 + 16 * i, *y = b + 160 + 16 * i;
        if (d->print) snprintf(name, sizeof name, "xmm%u", i);
        if (!(may & MAY_DIFFER_XMM) || !xmm_nearly(x, y)) bytes_differ(d, name, x, y, 16);
    }
    if (may & MAY_DIFFER_FPU) return;
    for (unsigned i = 0; i < sizeof field / sizeof *field; i++)
        if (!(field[i].needs & ~n->pointers))
            bytes_differ(d, field[i].name, a + field[i].at, b + field[i].at, field[i].len);
    compare_status(d, may, n, q);
    physical(a, ra);
    physical(b, rb);
    for (unsigned i = 0; i < 8; i++) {
        if (d->print) snprintf(name, sizeof name, "r%u", i);
        if (!(may & MAY_DIFFER_ST) || !one_ulp(ra[i], rb[i])) bytes_differ(d, name, ra[i], rb[i], 10);
    }
}

static void compare_memory(Diff *d, Guest *g, uint32_t base, uint32_t size)
{
    const uint8_t *a = native_mem(base), *b = guest_mem(g, base);
    if (!memcmp(a, b, size)) return;
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

/* Arithmetic flags that the faulting instruction would have overwritten unread need not be right in an exception's frame, if
 * another instruction ran before it (a single one may have jumped into another case). */
static bool flags_may_be_dead(const Case *c, const Outcome *n)
{
    return n->vector != EXC_BP && n->vector != EXC_DB && !(c->single && n->s.eip == c->in.eip);
}

/* A jump through what happened to be in memory may end among the code of another case, to which that one's known differences
 * would apply, not this one's.  (Up to SLOT_LEAD bytes of a slot belong to the one before.) */
static bool ended_elsewhere(const Case *c, const Outcome *n)
{
    uint32_t at = n->s.eip + sel_base(n->s.seg[W_CS]) - CODE_BASE;
    return at < CODE_SIZE && at - c->slot_at > (uint32_t)c->slot_size + SLOT_LEAD;
}

static void compare_fault(Diff *d, const Outcome *n, const Outcome *q)
{
    if (n->vector != q->vector) differ(d, "vector", n->vector, q->vector);
    if (n->vector == q->vector && has_error(n->vector) && n->error != q->error) differ(d, "error", n->error, q->error);
    if (n->vector == q->vector && n->vector == EXC_PF && n->cr2 != q->cr2) differ(d, "cr2", n->cr2, q->cr2);
}

bool compare(const Case *c, Guest *g, const Outcome *n, const Outcome *q, bool print)
{
    static const uint32_t flags = FL_ARITH | FL_DF | FL_TF | FL_IF | FL_IOPL | FL_NT | FL_AC | FL_ID;
    uint32_t mask = flags;
    Diff d = { .print = print };
    if (n->vector == VECTOR_TIMEOUT || n->vector == VECTOR_UNJUDGED || ended_elsewhere(c, n)) return true;
    if (q->vector == EXC_PF && (native_has_at(q->cr2) || guest_has_at(q->cr2))) return true;
    if (!strcmp(guest_backend(g), "interp") && !native_is_known()) mask &= ~undefined_flags(c);
    if (flags_may_be_dead(c, n)) mask &= ~(uint32_t)FL_ARITH;
    unsigned may = known_differences(c, g, n, q);
    if (may & MAY_DIFFER_ALL) return true;
    if (may & MAY_DIFFER_FLAGS) mask &= ~(uint32_t)FL_ARITH;
    if (!(may & MAY_DIFFER_FAULT)) compare_fault(&d, n, q);
    for (unsigned i = 0; i < 8; i++)
        if (n->s.regs[i] != q->s.regs[i]) differ(&d, reg_name[i], n->s.regs[i], q->s.regs[i]);
    if (n->s.eip != q->s.eip) differ(&d, "eip", n->s.eip, q->s.eip);
    if ((n->s.eflags ^ q->s.eflags) & mask) differ(&d, "eflags", n->s.eflags & mask, q->s.eflags & mask);
    for (unsigned i = 0; i < 6; i++)
        if (visible(n->s.seg[i]) != visible(q->s.seg[i])) differ(&d, seg_name[i], n->s.seg[i], q->s.seg[i]);
    if (!(may & MAY_DIFFER_MEMORY)) {
        compare_memory(&d, g, DATA_BASE, DATA_RW);
        compare_memory(&d, g, STACK_BASE, STACK_SIZE);
    }
    compare_fpu(&d, may, n, q);
    return d.n == 0;
}
