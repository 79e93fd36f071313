/* The words of a report. */
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "cpu/mode.h"
#include "util/die.h"

const char *const report_end[TRACE_ENDS] = {
    [TRACE_END_UNKNOWN] = "",   [TRACE_END_JUMP] = "jump",           [TRACE_END_JCC] = "conditional jump",
    [TRACE_END_CALL] = "call",  [TRACE_END_CALLR] = "indirect call", [TRACE_END_JMPR] = "indirect jump",
    [TRACE_END_RET] = "return", [TRACE_END_LEAVE] = "leave",         [TRACE_END_NEXT] = "next",
};

const char *const report_why[TRACE_WHYS] = {
    [TRACE_WHY_NONE] = "",
    [TRACE_WHY_WRITE] = "write to its code",
    [TRACE_WHY_STALE] = "its page holds data now",
    [TRACE_WHY_HOT] = "much used: made for the window",
    [TRACE_WHY_FLUSH] = "cache flushed",
    [TRACE_WHY_MOVED] = "its second page moved",
    [TRACE_WHY_RUNS] = "page checks could not be shared",
    [TRACE_WHY_WINDOW] = "window of no use",
    [TRACE_WHY_DEVICE] = "must end where it accesses a device",
};

const char *const report_edge_kind[EDGE_KINDS] = {
    [EDGE_NEXT] = "next",
    [EDGE_TAKEN] = "taken",
    [EDGE_NOT_TAKEN] = "not taken",
    [EDGE_CALL] = "call",
    [EDGE_BACK] = "back from the call",
    [EDGE_LOOKUP] = "looked up",
    [EDGE_RETURN] = "return",
};

const char *const report_place[TRACE_PLACES] = {
    [TRACE_PLACE_CODE] = "translated code",
    [TRACE_PLACE_CALLOUT] = "callout or slow path",
    [TRACE_PLACE_LOOP] = "loop and translator",
    [TRACE_PLACE_WAITING] = "waiting",
};

/* SDM 3A table 6-1 */
const char *report_exception(unsigned vector)
{
    static const char *const name[] = {
        "#DE divide error",
        "#DB debug",
        "NMI",
        "#BP breakpoint",
        "#OF overflow",
        "#BR bound",
        "#UD invalid opcode",
        "#NM no math coprocessor",
        "#DF double fault",
        "",
        "#TS invalid TSS",
        "#NP segment not present",
        "#SS stack segment",
        "#GP general protection",
        "#PF page fault",
        "",
        "#MF x87 error",
        "#AC alignment",
        "#MC machine check",
        "#XM SIMD error",
    };
    return vector < sizeof name / sizeof *name ? name[vector] : "";
}

void report_mode_text(char *buf, size_t size, const ReportMode *m)
{
    unsigned bits = m->mode & MODE_CS32 ? 32 : 16;
    const uint32_t all_flat = MODE_FLAT_ES | MODE_FLAT_CS | MODE_FLAT_SS | MODE_FLAT_DS;
    int n;
    if (!(m->mode & MODE_PE))
        n = snprintf(buf, size, "%u-bit real mode", bits);
    else if (m->mode & MODE_VM86)
        n = snprintf(buf, size, "virtual-8086 mode");
    else
        n = snprintf(buf, size, "%u-bit, CPL %u%s", bits, m->mode & MODE_CPL,
                     (m->mode & all_flat) == all_flat ? ", flat" : "");
    static const struct {
        uint32_t bit;
        const char *name;
    } more[] = {
        { MODE_WINDOW, "window" },       { MODE_NM_FPU, "x87 off" },
        { MODE_TF, "single step" },      { MODE_SHADOW, "interrupt shadow" },
        { MODE_DEBUG, "breakpoints" },   { MODE_RF, "RF" },
        { MODE_AC, "alignment checks" }, { MODE_X87_SOFT, "x87 exact" },
        { MODE_SSE_SOFT, "SSE exact" },  { MODE_SMM, "SMM" },
    };
    for (unsigned i = 0; i < sizeof more / sizeof *more && n < (int)size; i++)
        if (m->mode & more[i].bit) n += snprintf(buf + n, size - (size_t)n, ", %s", more[i].name);
    if (m->cs_base && n < (int)size) snprintf(buf + n, size - (size_t)n, ", CS at %x", m->cs_base);
}

/* The groups of cpu/helpers.def. */
const char *report_helper_kind(const char *helper)
{
    static const struct {
        const char *kind, *names;
    } kinds[] = {
        { "exceptions and interrupts", " raise int_soft into int1 iret rsm hlt " },
        { "far transfers", " far_jmp far_call far_ret sysenter sysexit syscall sysret check_jmp " },
        { "segments", " load_seg mov_ss lldt ltr sldt str smsw verr verw lar lsl arpl arpl_mem lgdt lidt sgdt sidt " },
        { "control registers, MSRs and flags", " read_cr write_cr read_dr write_dr lmsw clts invlpg clflush wbinvd "
                                               "rdmsr wrmsr rdtsc rdpmc cpuid monitor mwait "
                                               "rdrand cli sti sti_inside pushf popf stac " },
        { "ports", " in out " },
        { "strings", " string " },
        { "rare integer instructions", " pusha popa enter bound daa das aaa aas aam aad cmpxchg8b div idiv " },
    };
    char word[64];
    snprintf(word, sizeof word, " %s ", helper);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strstr(kinds[i].names, word)) return kinds[i].kind;
    return "x87, MMX and SSE";
}

void report_symbol_text(char *buf, size_t size, const Report *r, const ReportBlock *b)
{
    if (!b->symbol)
        *buf = '\0';
    else if (b->offset)
        snprintf(buf, size, "%s+%#x", r->symbol[b->symbol], b->offset);
    else
        snprintf(buf, size, "%s", r->symbol[b->symbol]);
}

static const Report *compared;
static int hotter(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const ReportBlock *x = &compared->block[i], *y = &compared->block[k];
    if (x->samples != y->samples) return x->samples < y->samples ? 1 : -1;
    if (x->callouts != y->callouts) return x->callouts < y->callouts ? 1 : -1;
    return (i > k) - (i < k);
}

uint32_t *report_by_heat(const Report *r)
{
    uint32_t *order = calloc(r->n_block + 1, sizeof *order);
    if (!order) die("report: out of memory");
    for (uint32_t i = 0; i < r->n_block; i++) order[i] = i;
    compared = r;
    qsort(order, r->n_block, sizeof *order, hotter);
    return order;
}
