#include "coverage.h"

#include <stdio.h>
#include <string.h>

#include "cpu/state.h"
#include "forms.h"
#include "long_mode.h"

enum { G_OP16, G_OP32, G_ADDR16, G_ADDR32, G_CODE16, G_LOCK, G_REP, G_SEG, GUISES };
static const char *const guise_name[GUISES] = { "op16", "op32", "addr16", "addr32", "code16", "lock", "rep", "seg" };

typedef struct ExpectedFault {
    uint8_t vector, in_long_mode; /* BOUND, absent segments and stack limits are not there */
    const char *name;
} ExpectedFault;
/* What user mode can raise (SDM 3A table 6-1). */
static const ExpectedFault expected[] = {
    { EXC_DE, 1, "#DE" }, { EXC_DB, 1, "#DB" }, { EXC_BP, 1, "#BP" }, { EXC_OF, 1, "#OF" }, { EXC_BR, 0, "#BR" },
    { EXC_UD, 1, "#UD" }, { EXC_NP, 0, "#NP" }, { EXC_SS, 0, "#SS" }, { EXC_GP, 1, "#GP" }, { EXC_PF, 1, "#PF" },
    { EXC_MF, 1, "#MF" }, { EXC_AC, 1, "#AC" }, { EXC_XM, 1, "#XM" },
};
enum { FAULT_PF = 9 /* in that table */, FAULTS = sizeof expected / sizeof *expected, MAX_ROWS = 4096 };

typedef struct Count {
    uint64_t cases, guise[GUISES], fault[FAULTS];
} Count;
static Count counts[MAX_ROWS], undefined, sequences;

static void count_fault(Count *n, const Outcome *native)
{
    n->cases++;
    for (unsigned i = 0; i < FAULTS; i++) n->fault[i] += expected[i].vector == native->vector;
}

static void count_guises(Count *n, const Case *c)
{
    const Insn *in = &c->insn;
    bool guise[GUISES] = {
        [G_OP16] = in->opsize == 2,    [G_OP32] = in->opsize == 4,           [G_ADDR16] = in->asize == 2,
        [G_ADDR32] = in->asize == 4,   [G_CODE16] = !world_code32(c->world), [G_LOCK] = in->lock,
        [G_REP] = in->rep != REP_NONE, [G_SEG] = in->seg_override != 0xff,
    };
    for (unsigned i = 0; i < GUISES; i++) n->guise[i] += guise[i];
}

void coverage_count(const Case *c, const Outcome *native)
{
    int form = form_of(&c->insn);
    Count *n = form == FORM_NONE ? &undefined : &counts[form];
    count_guises(n, c);
    count_fault(n, native);
}
void coverage_count_sequence(const Outcome *native)
{
    count_fault(&sequences, native);
}

static void print_count(const char *name, const Count *n)
{
    printf("# %-28s %8llu ", name, (unsigned long long)n->cases);
    for (unsigned i = 0; i < GUISES; i++)
        if (n->guise[i]) printf(" %s %llu", guise_name[i], (unsigned long long)n->guise[i]);
    printf(" |");
    for (unsigned i = 0; i < FAULTS; i++)
        if (n->fault[i]) printf(" %s %llu", expected[i].name, (unsigned long long)n->fault[i]);
    putchar('\n');
}

/* Why none of a form's instructions with or without a 66 prefix can be judged; NULL: some can. */
static const char *not_judged(const Form *f, bool word)
{
    static const DecodeFeatures all = { .x86_any = true };
    const char *why = NULL;
    if (!native_long_mode()) return NULL;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t b[DECODE_MAX + 1] = { 0x66 };
        Insn in;
        form_put(f, (uint8_t)(i << 3), b + word);
        if (decode(b, DECODE_MAX, true, &all, &in) <= 0 || in.mn != f->row->mn) continue;
        why = long_mode_refuses(&in);
        if (!why) return NULL;
    }
    return why;
}

static const char *never_judged(const Form *f)
{
    const char *why = not_judged(f, false);
    return why && f->pfx == FORM_ANY && !not_judged(f, true) ? NULL : why;
}

static bool on_this_model(const Form *f, const DecodeFeatures *feat)
{
    return !f->row->feat || ((const bool *)feat)[f->row->feat - 1];
}

FormsJudged coverage_judged(const DecodeFeatures *feat)
{
    FormsJudged n = { 0, 0 };
    for (unsigned i = 0; i < form_count(); i++) {
        const Form *f = form_at(i);
        if (rules_exclude(f->row->mn) || !on_this_model(f, feat)) continue;
        n.of++;
        n.judged += !never_judged(f);
    }
    return n;
}

void coverage_print(void)
{
    char name[64];
    for (unsigned i = 0; i < form_count(); i++) {
        form_name(form_at(i), name, sizeof name);
        const char *why = rules_exclude(form_at(i)->row->mn);
        if (!why) why = never_judged(form_at(i));
        if (why)
            printf("# %-28s not run: %s\n", name, why);
        else
            print_count(name, &counts[i]);
    }
    print_count("undefined", &undefined);
    print_count("sequences", &sequences);
}

/* --- what must be there ------------------------------------------------------------------------------------ */

static unsigned needed_guises(const Form *f)
{
    unsigned need = 1 << G_CODE16 | 1 << G_SEG;
    if (f->pfx == FORM_ANY) need |= 1 << G_OP16 | 1 << G_OP32 | 1 << G_REP;
    if (f->mod == 0) need |= 1 << G_ADDR16 | 1 << G_ADDR32;
    if (f->mod == 0 && f->row->flags & F_LOCK) need |= 1 << G_LOCK;
    if (f->row->mn == MN_BSF || f->row->mn == MN_BSR) need &= ~(1u << G_REP); /* F3: another instruction by now */
    if (native_long_mode()) need &= ~(1u << G_CODE16 | 1u << G_ADDR16);
    if (not_judged(f, false)) need &= ~(1u << G_OP32);
    if (not_judged(f, true)) need &= ~(1u << G_OP16);
    return need;
}

/* Every memory operand is tried where it cannot be accessed, but these do not access it, or are refused before. */
static bool needs_page_fault(const Form *f)
{
    static const uint8_t never[] = { MN_NOP, MN_LEA, MN_LLDT, MN_LTR, MN_LGDT, MN_LIDT, MN_LMSW, MN_INVLPG };
    return f->mod == 0 && !memchr(never, f->row->mn, sizeof never);
}

static bool form_complete(unsigned i)
{
    const Form *f = form_at(i);
    const Count *n = &counts[i];
    char name[64];
    bool complete = n->cases != 0;
    form_name(f, name, sizeof name);
    if (!n->cases) printf("# not tried: %s\n", name);
    if (n->cases && needs_page_fault(f) && !n->fault[FAULT_PF]) {
        printf("# tried %llu times, but never raised #PF: %s\n", (unsigned long long)n->cases, name);
        complete = false;
    }
    for (unsigned g = 0; g < GUISES && n->cases; g++) {
        if (!(needed_guises(f) >> g & 1) || n->guise[g]) continue;
        printf("# tried %llu times, but never with %s: %s\n", (unsigned long long)n->cases, guise_name[g], name);
        complete = false;
    }
    return complete;
}

static bool all_raised(void)
{
    bool complete = true;
    for (unsigned v = 0; v < FAULTS; v++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < form_count(); i++) n += counts[i].fault[v];
        if (n || (native_long_mode() && !expected[v].in_long_mode)) continue;
        printf("# never raised: %s\n", expected[v].name);
        complete = false;
    }
    return complete;
}

bool coverage_complete(const DecodeFeatures *feat)
{
    bool complete = all_raised();
    for (unsigned i = 0; i < form_count(); i++) {
        const Form *f = form_at(i);
        if (rules_exclude(f->row->mn) || !on_this_model(f, feat) || never_judged(f)) continue;
        complete &= form_complete(i);
    }
    return complete;
}
