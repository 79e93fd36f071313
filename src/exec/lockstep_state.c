/* Which of CPUState counts, and what may differ.
 *
 * The rules are those of tests/silicon: arithmetic flags that nobody reads any more may hold anything; the x87's
 * transcendental instructions are good to one unit in the last place (SDM 1 8.3.10), and RCPPS and its kin to
 * 1.5 * 2^-12 (SDM 2B).  Such instructions are run in blocks of their own, so that what follows from their results starts
 * out from the same ones. */
#include "exec/lockstep_int.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

typedef enum Shape { NUMBER, BYTES } Shape;

typedef struct Field {
    const char *name;
    uint16_t at;
    uint8_t size;
    uint8_t shape;
    uint8_t always; /* to be printed even when all agree */
} Field;

#define AT(member) offsetof(CPUState, member), sizeof(((CPUState *)0)->member)
#define F(text, member)                                                                                                \
    {                                                                                                                  \
        text, AT(member), NUMBER, 0                                                                                    \
    }
#define SHOW(text, member)                                                                                             \
    {                                                                                                                  \
        text, AT(member), NUMBER, 1                                                                                    \
    }
#define WIDE(text, member)                                                                                             \
    {                                                                                                                  \
        text, AT(member), BYTES, 0                                                                                     \
    }
#define SEG(text, n)                                                                                                   \
    SHOW(text, seg[n].sel), F(text ".base", seg[n].base), F(text ".limit", seg[n].limit),                              \
        F(text ".attr", seg[n].attr), F(text ".rd_bound", seg[n].rd_bound), F(text ".wr_bound", seg[n].wr_bound)
#define X87(text, n) F(text ".mant", fpu.r[n].mant), F(text ".se", fpu.r[n].se)

static const Field fields[] = {
    SHOW("eax", regs[R_EAX]),
    SHOW("ecx", regs[R_ECX]),
    SHOW("edx", regs[R_EDX]),
    SHOW("ebx", regs[R_EBX]),
    SHOW("esp", regs[R_ESP]),
    SHOW("ebp", regs[R_EBP]),
    SHOW("esi", regs[R_ESI]),
    SHOW("edi", regs[R_EDI]),
    SHOW("eip", eip),
    SHOW("system flags", eflags),
    SHOW("direction", df),
    SHOW("mode", mode),
    SEG("es", SEG_ES),
    SEG("cs", SEG_CS),
    SEG("ss", SEG_SS),
    SEG("ds", SEG_DS),
    SEG("fs", SEG_FS),
    SEG("gs", SEG_GS),
    SEG("ldtr", SEG_LDTR),
    SEG("tr", SEG_TR),
    F("fcw", fpu.cw),
    F("fsw", fpu.sw),
    F("tags", fpu.tag_valid),
    F("fop", fpu.fop),
    F("fcs", fpu.fcs),
    F("fds", fpu.fds),
    F("fip", fpu.fip),
    F("fdp", fpu.fdp),
    F("mxcsr", fpu.mxcsr),
    X87("r0", 0),
    X87("r1", 1),
    X87("r2", 2),
    X87("r3", 3),
    X87("r4", 4),
    X87("r5", 5),
    X87("r6", 6),
    X87("r7", 7),
    WIDE("xmm0", fpu.xmm[0]),
    WIDE("xmm1", fpu.xmm[1]),
    WIDE("xmm2", fpu.xmm[2]),
    WIDE("xmm3", fpu.xmm[3]),
    WIDE("xmm4", fpu.xmm[4]),
    WIDE("xmm5", fpu.xmm[5]),
    WIDE("xmm6", fpu.xmm[6]),
    WIDE("xmm7", fpu.xmm[7]),
    SHOW("cr0", cr0),
    SHOW("cr2", cr2),
    SHOW("cr3", cr3),
    SHOW("cr4", cr4),
    F("dr0", dr[0]),
    F("dr1", dr[1]),
    F("dr2", dr[2]),
    F("dr3", dr[3]),
    F("dr6", dr[6]),
    F("dr7", dr[7]),
    F("gdt.base", gdt.base),
    F("gdt.limit", gdt.limit),
    F("idt.base", idt.base),
    F("idt.limit", idt.limit),
    F("a20", a20),
    F("interrupt shadow", shadow),
    F("cpl", cpl),
    F("kept by the instruction", event_kept),
    F("breakpoints hit", dr6_pending),
    F("halted", halted),
    F("in SMM", in_smm),
    F("SMI pending", smi_pending),
    F("NMI pending", nmi_pending),
    F("NMI blocked", nmi_blocked),
    F("INIT pending", init_pending),
    F("INTR", intr_line),
    F("shutdown", shutdown),
    F("nested exception", nest),
    F("smbase", smbase),
    SHOW("exception", exc_vector),
    F("its error code", exc_error),
    F("has error code", exc_has_error),
    F("by software", exc_is_soft),
    F("efer", efer),
    F("pat", pat),
    F("apic_base", apic_base),
    F("misc_enable", misc_enable),
    F("tsc_adjust", tsc_adjust_offset),
    F("tsc_offset", tsc_offset),
    F("sysenter_cs", sysenter_cs),
    F("sysenter_esp", sysenter_esp),
    F("sysenter_eip", sysenter_eip),
    F("star", star),
    F("debugctl", debugctl),
    F("mtrr_def", mtrr_def),
    WIDE("mtrr_fixed", mtrr_fixed),
    WIDE("mtrr_var", mtrr_var),
    F("monitor armed", monitor_armed),
    F("monitor address", monitor_addr),
    WIDE("monitored line", monitor_line),
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* --- what is of limited precision ----------------------------------------------------------------------------- */

/* F2XM1 FYL2X FPTAN FPATAN, FYL2XP1, FSINCOS, FSIN FCOS */
static bool is_transcendental(const IrInsn *in)
{
    unsigned op = in->fp.modrm;
    if (in->op != IR_X87 || in->fp.opcode != 0xd9) return false;
    return (op >= 0xf0 && op <= 0xf3) || op == 0xf9 || op == 0xfb || op == 0xfe || op == 0xff;
}

bool state_is_loose(const IrInsn *in)
{
    /* RSQRTPS, RCPPS and the scalar ones */
    bool approximate = in->op == IR_VEC && in->fp.map == 0 && (in->fp.opcode == 0x52 || in->fp.opcode == 0x53);
    return approximate || is_transcendental(in);
}

static bool one_ulp(const Fp80 *a, const Fp80 *b)
{
    const uint64_t top = UINT64_C(1) << 63;
    if (a->se == b->se) return a->mant - b->mant + 1 <= 2;
    if (a->se + 1 == b->se) return a->mant == UINT64_MAX && b->mant == top;
    return b->se + 1 == a->se && b->mant == UINT64_MAX && a->mant == top;
}

static bool nearly(float a, float b)
{
    if (!memcmp(&a, &b, sizeof a)) return true;
    float d = a > b ? a - b : b - a, m = a < 0 ? -a : a;
    return d <= m * (2 * 1.5f / 4096);
}

static bool loosely_same(const CPUState *a, const CPUState *b, const Field *f)
{
    const uint16_t c1 = 0x200; /* says which way the result was rounded */
    if (f->at == offsetof(CPUState, fpu.sw)) return !((a->fpu.sw ^ b->fpu.sw) & ~c1);
    for (unsigned i = 0; i < 8; i++) {
        if (f->at >= offsetof(CPUState, fpu.r[i]) && f->at < offsetof(CPUState, fpu.r[i + 1]))
            return one_ulp(&a->fpu.r[i], &b->fpu.r[i]);
        if (f->at != offsetof(CPUState, fpu.xmm[i])) continue;
        bool same = true;
        for (unsigned k = 0; k < 4; k++) same = same && nearly(a->fpu.xmm[i].f[k], b->fpu.xmm[i].f[k]);
        return same;
    }
    return false;
}

/* --- flags ------------------------------------------------------------------------------------------------------- */

/* Flags that nobody reads any more once c was left for eip. */
static uint32_t dead_behind(const LockstepCode *c, uint32_t eip)
{
    uint32_t dead = FL_ARITH & ~c->live_out;
    for (unsigned i = 0; i < 2; i++)
        if (c->target[i] == eip) dead |= c->dead_on[i];
    return dead;
}

/* What the blocks of this step before the last one left open.  A later block may know less of what follows than an earlier
 * one that was made after the code there had changed, so its word alone does not count. */
static uint32_t dead_before_last(const Lockstep *ls)
{
    uint32_t dead = 0;
    for (unsigned i = 0; i + 1 < ls->n_path; i++)
        dead = (dead & ~ls->path[i]->written) | dead_behind(ls->path[i], ls->path[i + 1]->tb->eip);
    return dead;
}

/* A block can be left at its end or before any of its instructions; when it jumps to one of its own, both hold. */
static uint32_t flags_that_count(const Lockstep *ls, uint32_t eip, bool raised)
{
    const LockstepCode *c = ls->code;
    uint32_t dead = dead_before_last(ls);
    uint32_t mask = FL_ARITH & ~(raised ? dead : (dead & ~c->written) | dead_behind(c, eip));
    for (uint32_t i = 0; i < c->n_live; i++)
        if (c->live[i].eip == eip) mask &= c->live[i].eflags;
    return mask;
}

static uint32_t differing_flags(const Lockstep *ls)
{
    const CPUState *a = state_of(&ls->after);
    uint32_t diff = cpu_arith_flags(a->cc) ^ cpu_arith_flags(ls->cpu->cc);
    return diff & flags_that_count(ls, a->eip, a->exc_vector >= 0);
}

/* --- comparing ----------------------------------------------------------------------------------------------------- */

static bool field_same(const Lockstep *ls, const Field *f)
{
    const CPUState *a = state_of(&ls->after), *b = ls->cpu;
    if (!memcmp((const char *)a + f->at, (const char *)b + f->at, f->size)) return true;
    return ls->code->loose && loosely_same(a, b, f);
}

/* Quick, and may say no too often. */
static bool same_at_a_glance(const Lockstep *ls)
{
    const char *a = (const char *)ls->after.bytes, *b = (const char *)ls->cpu;
#define RANGE(first, last)                                                                                             \
    (!memcmp(a + offsetof(CPUState, first), b + offsetof(CPUState, first),                                             \
             offsetof(CPUState, last) - offsetof(CPUState, first)))
    return RANGE(regs, exit_request) && RANGE(eflags, mode_id) && RANGE(seg, bounce) && RANGE(fpu, fpu.operand_ea) &&
           !memcmp(a + offsetof(CPUState, cr0), b + offsetof(CPUState, cr0), STATE_SIZE - offsetof(CPUState, cr0));
#undef RANGE
}

bool state_same(const Lockstep *ls)
{
    if (differing_flags(ls)) return false;
    if (same_at_a_glance(ls)) return true;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!field_same(ls, &fields[i])) return false;
    return true;
}

/* --- printing -------------------------------------------------------------------------------------------------------- */

static void value_text(char *buf, size_t size, const void *state, const Field *f)
{
    const uint8_t *p = (const uint8_t *)state + f->at;
    size_t at = 0;
    buf[0] = 0;
    for (unsigned i = f->size; i-- > 0 && at + 3 < size;) at += (size_t)snprintf(buf + at, size - at, "%02x", p[i]);
}

static void print_field(const Lockstep *ls, const Field *f)
{
    char before[64], a[64], b[64];
    value_text(before, sizeof before, &ls->before, f);
    value_text(a, sizeof a, &ls->after, f);
    value_text(b, sizeof b, ls->cpu, f);
    const char *mark = field_same(ls, f) ? "" : "  <--";
    if (f->shape == BYTES)
        log_printf("  %-20s before    %s\n  %-20s %-9s %s\n  %-20s %-9s %s%s\n", f->name, before, "",
                   ls->reference->name, a, "", ls->tested->name, b, mark);
    else
        log_printf("  %-20s %16s  %16s  %16s%s\n", f->name, before, a, b, mark);
}

static void print_flags(const Lockstep *ls)
{
    const CPUState *before = state_of(&ls->before), *a = state_of(&ls->after);
    uint32_t counts = flags_that_count(ls, a->eip, a->exc_vector >= 0);
    log_printf("  %-20s %16x  %16x  %16x%s\n", "arithmetic flags", cpu_arith_flags(before->cc), cpu_arith_flags(a->cc),
               cpu_arith_flags(ls->cpu->cc), differing_flags(ls) ? "  <--" : "");
    if (counts != FL_ARITH) log_printf("  %-20s %16x\n", "of these count", counts);
}

void state_print(const Lockstep *ls)
{
    log_printf("  %-20s %16s  %16s  %16s\n", "", "before", ls->reference->name, ls->tested->name);
    for (unsigned i = 0; i < FIELDS; i++) {
        if (fields[i].always || !field_same(ls, &fields[i])) print_field(ls, &fields[i]);
        if (fields[i].at == offsetof(CPUState, eip)) print_flags(ls);
    }
}
