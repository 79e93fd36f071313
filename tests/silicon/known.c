/* Known differences between silicon and Calque: a table, each row with its reason in the manual or in the processor. */
#include "known.h"

#include <stdio.h>
#include <string.h>

#include "cpu/fpu.h"
#include "cpu/state.h"
#include "tcg/silicon.h"

/* --- how near is near ------------------------------------------------------------------------------------------ */

/* Both are at most 1.5 * 2^-12 from the exact value. */
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

/* Neighbours among 80-bit numbers. */
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

/* --- which instruction ----------------------------------------------------------------------------------------- */

/* The instruction that raised the exception which ended the case. */
static Insn last_insn(const Case *c, const Outcome *n)
{
    static const DecodeFeatures all = { .x86_any = true };
    uint32_t at = n->s.eip + sel_base(n->s.seg[W_CS]) - c->code_at;
    Insn in = c->insn;
    if (!c->single && at < c->len) decode(c->code + at, c->len - at, world_code32(c->world), &all, &in);
    return in;
}

static bool is_approximation(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)n, (void)q;
    return in->mn == MN_VEC && in->map == 1 && (in->opcode == 0x52 || in->opcode == 0x53);
}

static bool is_transcendental(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)n, (void)q;
    uint8_t op = in->modrm;
    if (in->mn != MN_X87 || in->opcode != 0xd9) return false;
    return (op >= 0xf0 && op <= 0xf3) || op == 0xf9 || op == 0xfb || op == 0xfe || op == 0xff;
}

static bool is_faulting_mmx_store(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)q;
    return in->mn == MN_VEC && in->n_opnd && in->opnd[0].kind == OPND_MEM && in->opnd[1].kind == OPND_MMX &&
           n->vector != EXC_BP;
}

static bool is_faulting_m80_store(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)q;
    return in->mn == MN_X87 && in->opnd[0].kind == OPND_MEM && in->opnd[0].size == 10 && n->vector != EXC_BP;
}

static bool is_wrapping_image_load(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)q;
    return (in->mn == MN_FLDENV || in->mn == MN_FRSTOR) && in->asize == 2 &&
           (n->vector == EXC_GP || n->vector == EXC_SS);
}

/* --- the same, on AMD's processors ----------------------------------------------------------------------------- */

static bool is_address_fault(const Outcome *o)
{
    return o->vector == EXC_PF || o->vector == EXC_AC || o->vector == EXC_GP;
}

static bool is_faulting_cmps(const Insn *in, const Outcome *n, const Outcome *q)
{
    return in->mn == MN_CMPS && is_address_fault(n) && is_address_fault(q);
}

static bool is_faulting_rep_compare(const Insn *in, const Outcome *n, const Outcome *q)
{
    return (in->mn == MN_CMPS || in->mn == MN_SCAS) && in->rep != REP_NONE && is_address_fault(n) &&
           is_address_fault(q);
}

static bool is_faulting_maskmov(const Insn *in, const Outcome *n, const Outcome *q)
{
    return (in->mn == MN_MASKMOVQ || in->mn == MN_MASKMOVDQU) && n->vector == EXC_PF && q->vector == EXC_PF;
}

/* Calque, like Intel's, has seen the exception and does not store. */
static bool is_unmasked_x87_store(const Insn *in, const Outcome *n, const Outcome *q)
{
    bool stores = in->mn == MN_X87 && in->opnd[0].kind == OPND_MEM && in->opnd[0].use & 2;
    return stores && is_address_fault(n) && q->s.fx[2] & SW_ES;
}

static bool is_unaligned_16(const Insn *in, const Outcome *n, const Outcome *q)
{
    (void)q;
    if (in->mn != MN_VEC || n->vector != EXC_AC) return false;
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_MEM && in->opnd[i].size == 16) return true;
    return false;
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

enum { PORTABLE = 1, BOTH = 2 };
enum { ANY = 1 << SILICON_INTEL | 1 << SILICON_AMD, AMD = 1 << SILICON_AMD };

typedef struct KnownRow {
    bool (*holds)(const Insn *in, const Outcome *n, const Outcome *q);
    uint8_t backend, makers;
    uint16_t may_differ;
    const char *what, *why;
} KnownRow;

static const KnownRow known[] = {
    { is_approximation, PORTABLE, ANY, MAY_DIFFER_XMM, "RCPPS RCPSS RSQRTPS RSQRTSS",
      "an approximation of relative error up to 1.5 * 2^-12, of which each processor has its own (SDM 2B RCPPS, "
      "RSQRTPS)" },
    { is_transcendental, PORTABLE, ANY, MAY_DIFFER_ST | MAY_DIFFER_C1,
      "F2XM1 FYL2X FYL2XP1 FPTAN FPATAN FSIN FCOS FSINCOS",
      "less than one unit in the last place from the exact value is promised, not a certain one (SDM 1 8.3.10)" },
    { is_faulting_mmx_store, BOTH, ANY, MAY_DIFFER_TOP, "MMX stores that fault",
      "TOP is 0 after an MMX instruction (SDM 3A, MMX state and register aliasing); this silicon has set it before the "
      "store faults" },
    { is_faulting_m80_store, BOTH, ANY, MAY_DIFFER_MEMORY, "FSTP m80 and FBSTP that fault",
      "ten bytes are stored as eight and two (no manual says in what order): when the two fault, this silicon has "
      "stored the eight" },
    { is_wrapping_image_load, BOTH, ANY, MAY_DIFFER_FPU,
      "FLDENV and FRSTOR of an image that wraps around at 64 KiB inside a word",
      "the fault comes when this silicon has loaded the words before; what is loaded then no manual says" },
    { is_faulting_cmps, BOTH, AMD, MAY_DIFFER_FAULT, "CMPS of which both operands fault",
      "no manual says which is read first: AMD's read that of EDI" },
    { is_faulting_rep_compare, BOTH, AMD, MAY_DIFFER_FLAGS, "REP CMPS and REP SCAS that fault",
      "flags are as before the instruction (SDM 2B, REP); AMD's have those of the last turn" },
    { is_faulting_maskmov, BOTH, AMD, MAY_DIFFER_FAULT, "MASKMOVQ and MASKMOVDQU that fault",
      "at the first byte that the mask selects; AMD's at the operand's first byte" },
    { is_unmasked_x87_store, BOTH, AMD, MAY_DIFFER_ALL, "x87 stores that fault and raise an unmasked exception",
      "an exception that keeps from storing is found first (SDM 1 8.7); AMD's look at the address first" },
    { is_unaligned_16, BOTH, AMD, MAY_DIFFER_ALL, "MOVUPS, MOVDQU, LDDQU ... with EFLAGS.AC",
      "whether unaligned operands of 16 bytes raise #AC is left open (SDM 2B, MOVUPS): on AMD's they do" },
};
enum { KNOWN = sizeof known / sizeof *known };

unsigned known_differences(const Case *c, const Guest *g, const Outcome *n, const Outcome *q)
{
    const Insn in = n->vector == EXC_BP ? c->insn : last_insn(c, n);
    bool portable = !strcmp(guest_backend(g), "interp");
    unsigned may = 0;
    for (unsigned i = 0; i < KNOWN; i++)
        if ((known[i].backend == BOTH || portable) && known[i].makers >> silicon()->id & 1 && known[i].holds(&in, n, q))
            may |= known[i].may_differ;
    return may;
}

void known_print(void)
{
    for (unsigned i = 0; i < KNOWN; i++)
        printf("# %s%s%s: %s\n", known[i].what, known[i].backend == BOTH ? "" : " (portable backend)",
               known[i].makers == AMD ? " (AMD)" : "", known[i].why);
}
