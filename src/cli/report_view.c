/* Blocks of a trace translated once more, to be shown: the recorded bytes in two pages of memory, a processor in the recorded
 * mode, and exec's own translator. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "cli/report.h"
#include "exec/exec.h"
#include "tcg/ir.h"
#include "util/die.h"
#include "util/log.h"

struct ReportViewer {
    const Report *r;
    PhysMem *phys;
    IoPorts *io;
    CPUState *cpu;
    Exec *ex;
    PhysRegion *page[2];
};

static bool never(void *opaque)
{
    (void)opaque;
    return false;
}

static void set_features(CPUState *cpu, const uint32_t f[TRACE_FEATURES])
{
    cpu->feat_1_edx = f[0];
    cpu->feat_1_ecx = f[1];
    cpu->feat_7_ebx = f[2];
    cpu->feat_7_ecx = f[3];
    cpu->feat_ext_edx = f[4];
    cpu->feat_ext_ecx = f[5];
}

static void switch_passes_off(const char *names)
{
    char word[40];
    for (const char *p = names, *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)(end - p < 39 ? end - p : 39), p);
        ir_pass_enable(word, false);
    }
}

ReportViewer *report_viewer_new(const Report *r)
{
    char error[256];
    ReportViewer *v = calloc(1, sizeof *v);
    if (!v || !(v->phys = phys_new()) || !(v->io = ioports_new())) die("report: out of memory");
    for (unsigned i = 0; i < 2; i++) {
        v->page[i] = phys_add_ram(v->phys, "page", (PhysAddr)i << PAGE_SHIFT, PAGE_SIZE, (int)i);
        if (!v->page[i]) die("report: out of memory");
    }
    v->r = r;
    v->cpu = cpu_new(v->phys, v->io, "max", error, sizeof error);
    if (!v->cpu) die("report: %s", error);
    set_features(v->cpu, r->feature);
    switch_passes_off(r->passes_off);
    ExecOptions opt = { .backend = backend_find(r->backend) ? r->backend : NULL,
                        .tb_size_mib = 16,
                        .no_chain = r->flags & TRACE_FLAG_NO_CHAIN,
                        .icount = r->flags & TRACE_FLAG_COUNTING,
                        .trace = { .as_recorded = true } };
    ExecHooks hooks = { .poll = never, .wait = never, .shutdown = never, .exception = never };
    v->ex = exec_new(v->cpu, &opt, &hooks, error, sizeof error);
    if (!v->ex) die("report: %s", error);
    v->cpu->counting = opt.icount;
    return v;
}

void report_viewer_free(ReportViewer *v)
{
    exec_free(v->ex);
    cpu_free(v->cpu);
    ioports_free(v->io);
    phys_free(v->phys);
    free(v);
}

/* Bytes at an offset of the first page, perhaps on into the second. */
static void place(const ReportViewer *v, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, offset++) {
        if (offset >= 2 * PAGE_SIZE) return;
        phys_region_host(v->page[offset >> PAGE_SHIFT])[offset & PAGE_MASK] = bytes[i];
    }
}

/* What fills the pages else: where the flags needed behind the block were not found out, and nothing was recorded of what
 * comes there, the look at it finds again that all are. */
enum { PUSHF = 0x9c };

/* The second page is found by way of the MMU, which does not page here: it must lie at its linear address.  Where the first one
 * lies, exec is told; returns it. */
static PhysAddr place_pages(const ReportViewer *v, const ReportBlock *b)
{
    PhysAddr second = (b->lin & ~(uint32_t)PAGE_MASK) + PAGE_SIZE, first = b->phys & ~(PhysAddr)PAGE_MASK;
    second &= UINT32_MAX;
    if (first == second) first = b->lin & ~(uint32_t)PAGE_MASK;
    for (unsigned i = 0; i < 2; i++) memset(phys_region_host(v->page[i]), PUSHF, PAGE_SIZE);
    phys_region_set(v->page[0], first, true, false);
    phys_region_set(v->page[1], second, true, false);
    place(v, b->look_from, b->look, b->look_len);
    place(v, (uint32_t)(b->phys & PAGE_MASK), b->code, b->guest_bytes);
    return first | (b->phys & PAGE_MASK);
}

static void set_mode(CPUState *cpu, const ReportMode *m, uint32_t eip)
{
    cpu->mode = m->mode;
    cpu->cpl = m->mode & MODE_CPL;
    cpu->cr0 = CR0_ET | (m->mode & MODE_PE ? CR0_PE : 0);
    cpu->eflags = FL_1 | (m->mode & MODE_VM86 ? FL_VM : 0);
    cpu->seg[SEG_CS].base = m->cs_base;
    cpu->seg[SEG_CS].limit = m->cs_limit;
    cpu->eip = eip;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
}

char *report_view(ReportViewer *v, uint32_t block, bool guest_only)
{
    const ReportBlock *b = &v->r->block[block];
    char *text = NULL;
    size_t size;
    if (!b->code || !b->guest_insns) return NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out) die("report: out of memory");
    uint32_t all = LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM;
    set_mode(v->cpu, &v->r->mode[b->mode], b->eip);
    ExecShow how = { .phys = place_pages(v, b),
                     .insns = b->guest_insns,
                     .no_runs = b->how & TRACE_HOW_NO_RUNS,
                     .no_window = b->how & TRACE_HOW_NO_WINDOW,
                     .system_window = b->how & TRACE_HOW_SYSTEM_WINDOW,
                     .no_look_ahead = b->how & TRACE_HOW_NO_LOOK,
                     .soft_from = (uint16_t)b->soft_from,
                     .soft_to = (uint16_t)b->soft_to,
                     .items = guest_only ? LOG_IN_ASM : all };
    log_to(out);
    uint32_t host_bytes = exec_show(v->ex, &how);
    log_to(NULL);
    if (host_bytes && host_bytes != b->host_bytes && !guest_only)
        fprintf(out, "note    translated again, it has %u bytes of host code; when it was recorded it had %u\n",
                host_bytes, b->host_bytes);
    fclose(out);
    if (host_bytes) return text;
    free(text);
    return NULL;
}
