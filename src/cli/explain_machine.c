/* The bare machine that explain translates and runs its code on: memory, a processor, nothing else. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/explain.h"
#include "exec/exec.h"
#include "softmmu/window.h"
#include "util/die.h"
#include "util/log.h"
#include "util/symbols.h"

typedef struct Bare {
    const ExplainOptions *o;
    const ExplainCode *code;
    PhysMem *phys;
    IoPorts *io;
    CPUState *cpu;
    Exec *ex;
    uint8_t *ram;
    char why[120]; /* it stopped */
} Bare;

/* --- coming to a stop --------------------------------------------------------------------------------------- */

static CPUState *alarmed; /* for the signal handler */
static volatile sig_atomic_t time_is_up;

static void on_alarm(int sig)
{
    (void)sig;
    time_is_up = 1;
    cpu_request_exit_from_outside(alarmed);
}

static bool on_poll(void *opaque)
{
    Bare *m = opaque;
    if (time_is_up) snprintf(m->why, sizeof m->why, "it was still running after %d seconds", EXPLAIN_SECONDS);
    return !time_is_up;
}

static bool on_halt(void *opaque)
{
    Bare *m = opaque;
    snprintf(m->why, sizeof m->why, "HLT");
    return false;
}

static bool on_shutdown(void *opaque)
{
    Bare *m = opaque;
    snprintf(m->why, sizeof m->why, "the processor shut down");
    return false;
}

static bool on_exception(void *opaque)
{
    static const char *const name[] = { "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "",
                                        "#TS", "#NP", "#SS", "#GP", "#PF", "",    "#MF", "#AC", "#MC", "#XM" };
    Bare *m = opaque;
    const CPUState *cpu = m->cpu;
    unsigned vector = (unsigned)cpu->exc_vector & 0xff;
    uint32_t lin = cpu->seg[SEG_CS].base + cpu->eip;
    if (lin >= m->o->base + m->code->size) {
        snprintf(m->why, sizeof m->why, "the code's end");
        return false;
    }
    int n = snprintf(m->why, sizeof m->why, "exception %u %s", vector,
                     vector < sizeof name / sizeof *name ? name[vector] : "");
    if (cpu->exc_has_error) snprintf(m->why + n, sizeof m->why - (size_t)n, ", error code %#x", cpu->exc_error);
    return false;
}

/* --- the machine -------------------------------------------------------------------------------------------- */

/* SDM 3A 3.4.5: base 0, limit 4 GiB. */
static void flat_segment(CPUState *cpu, unsigned seg, bool user)
{
    SegCache *s = &cpu->seg[seg];
    unsigned type = seg == SEG_CS ? SEG_X | SEG_R : SEG_W;
    *s = (SegCache){ .sel = (uint16_t)((seg == SEG_CS ? 8 : 16) | (user ? 3 : 0)), .limit = 0xffffffff };
    s->attr = (uint16_t)(SEG_P | SEG_S | SEG_A | SEG_G | SEG_DB | type | (user ? SEG_DPL : 0));
    cpu_seg_update_bounds(s, seg == SEG_CS, true);
}

static void set_mode(Bare *m)
{
    CPUState *cpu = m->cpu;
    bool user = m->o->window && !m->o->code16;
    cpu_reset(cpu);
    cpu->cr0 = CR0_ET | CR0_NE | CR0_MP | (m->o->code16 ? 0 : CR0_PE);
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, cpu->cr4, false, true);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        if (m->o->code16)
            cpu_seg_load_real(cpu, i, 0);
        else
            flat_segment(cpu, i, user);
    }
    cpu->cpl = user ? 3 : 0;
    memset(cpu->regs, 0, sizeof cpu->regs);
    cpu->regs[R_ESP] = m->o->code16 ? EXPLAIN_STACK_16 : EXPLAIN_STACK_32;
    for (unsigned i = 0; i < m->o->n_sets; i++) cpu->regs[m->o->set[i].reg] = m->o->set[i].value;
    cpu->idt.limit = 0;  /* INT finds nobody: #GP, and the end */
    cpu->fpu.cw = 0x37f; /* as FNINIT leaves it: after reset, exceptions are not masked (SDM 3A table 9-1) */
    cpu->fpu.tag_valid = 0;
    cpu_set_eflags(cpu, FL_1);
    cpu->eip = m->code->entry;
    cpu_update_mode(cpu);
}

static void open_window(CPUState *cpu)
{
    if (!cpu->mmu.window) die("explain: --window: this backend, or this host, has none");
    window_open_now(&cpu->mmu, cpu_mmu_idx(cpu));
    cpu_update_mode(cpu);
}

static void make(Bare *m)
{
    char error[256];
    const ExplainOptions *o = m->o;
    m->phys = phys_new();
    m->io = ioports_new();
    PhysRegion *ram = m->phys ? phys_add_ram(m->phys, "ram", 0, EXPLAIN_RAM, 0) : NULL;
    if (!ram || !m->io) die("explain: out of memory");
    m->ram = phys_region_host(ram);
    memcpy(m->ram + o->base, m->code->bytes, m->code->size);
    m->cpu = cpu_new(m->phys, m->io, "max", error, sizeof error);
    if (!m->cpu) die("explain: %s", error);
    ExecOptions opt = { .backend = o->backend,
                        .tb_size_mib = 16,
                        .no_chain = o->no_chain,
                        .no_window = !o->window,
                        .code_end = o->base + m->code->size };
    ExecHooks hooks = {
        .poll = on_poll, .wait = on_halt, .shutdown = on_shutdown, .exception = on_exception, .opaque = m
    };
    m->ex = exec_new(m->cpu, &opt, &hooks, error, sizeof error);
    if (!m->ex) die("explain: %s", error);
    set_mode(m);
    if (o->window) open_window(m->cpu);
}

static void unmake(Bare *m)
{
    exec_free(m->ex);
    cpu_free(m->cpu);
    ioports_free(m->io);
    phys_free(m->phys);
}

/* --- what it shows ------------------------------------------------------------------------------------------ */

static void print_head(const Bare *m)
{
    const ExplainOptions *o = m->o;
    const Backend *backend = backend_find(o->backend);
    printf("%u bytes of %d-bit code at %08x; backend %s%s\n", m->code->size, o->code16 ? 16 : 32, o->base,
           backend->name, o->no_chain ? ", blocks not chained" : "");
    printf("guest registers: %s\n\n", backend->registers);
}

/* Every block that the code is known to lead to, in the order in which they are found. */
static void translate_all(Bare *m)
{
    static uint32_t queue[EXPLAIN_CODE_MAX];
    static bool seen[EXPLAIN_CODE_MAX];
    uint32_t n = 0;
    queue[n++] = m->code->entry;
    seen[m->code->entry - m->o->base] = true;
    for (uint32_t i = 0; i < n; i++) {
        ExecBlock block;
        m->cpu->eip = queue[i];
        if (!exec_translate(m->ex, &block)) continue;
        for (unsigned k = 0; k < block.n_next; k++) {
            uint32_t at = block.next[k] - m->o->base;
            if (at >= m->code->size || seen[at]) continue;
            seen[at] = true;
            queue[n++] = block.next[k];
        }
    }
    m->cpu->eip = m->code->entry;
    m->cpu->exc_vector = -1;
}

static void run(Bare *m)
{
    ExplainState before, after;
    struct sigaction sa = { .sa_handler = on_alarm };
    char name[160];
    explain_state_take(&before, m->cpu);
    printf("---- run\n");
    alarmed = m->cpu;
    sigaction(SIGALRM, &sa, NULL);
    alarm(EXPLAIN_SECONDS);
    exec_run(m->ex);
    alarm(0);
    explain_state_take(&after, m->cpu);
    explain_state_print(&before, &after);
    explain_memory_print(m->ram, m->o, m->code);
    symbols_text(name, sizeof name, m->cpu->seg[SEG_CS].base + m->cpu->eip);
    printf("stopped  at %08x%s%s%s: %s\n", m->cpu->eip, *name ? " <" : "", name, *name ? ">" : "", m->why);
}

void explain_show(const ExplainOptions *o, const ExplainCode *code)
{
    Bare m = { .o = o, .code = code };
    make(&m);
    print_head(&m);
    translate_all(&m);
    if (o->run) run(&m);
    unmake(&m);
}
