/* Whole blocks: guest code through translator, passes and backends, and then run, on each backend.  Input: how it runs
 * (RUN_*), a byte whose bits switch passes off, a number of two bytes from which tables and registers come (guest.c), and
 * the code. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "exec/tb.h"
#include "fuzz/fuzz.h"
#include "fuzz/guest.h"
#include "softmmu/window.h"

/* Free: bounded by the clock and not by counting, which makes other code; on x86-64 then with the window (doc/window.txt). */
enum { RUN_CHAINED = 1, RUN_INTERRUPTED = 2, RUN_BASIC_CPU = 4, RUN_FREE = 8, RUN_WINDOW = 16 };
enum { MAX_INSNS = 500, RUN_US = 300, COUNTED_US = 20000, MAX_POLLS = 2, INTERRUPTS = 20 };

/* A processor with memory and the translation cache. */
typedef struct Rig {
    PhysMem *phys;
    IoPorts *io;
    CPUState *cpu;
    Exec *ex;
    uint8_t *ram;
    unsigned polls, interrupts;
} Rig;

static CPUState *volatile running;

/* The clock's tick: what keeps an endless loop of chained blocks from being one. */
static void tick(int sig)
{
    (void)sig;
    if (running) cpu_request_exit(running);
}

/* Generated code has a stack of its own, which is no place for signal frames: libFuzzer's clock, too, gets the other one. */
static void off_our_stack(int sig)
{
    struct sigaction sa;
    sigaction(sig, NULL, &sa);
    sa.sa_flags |= SA_ONSTACK;
    sigaction(sig, &sa, NULL);
}

/* Wall time: the clocks of CPU time are too coarse. */
static void set_clock(long us)
{
    static timer_t timer;
    static bool made;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM };
    struct itimerspec t = { { 0, us * 1000 }, { 0, us * 1000 } };
    if (!made) {
        signal(SIGVTALRM, tick);
        off_our_stack(SIGVTALRM);
        off_our_stack(SIGALRM);
        FUZZ_CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    }
    made = true;
    timer_settime(timer, 0, &t, NULL);
}

static bool poll_rig(void *opaque)
{
    return ++((Rig *)opaque)->polls < MAX_POLLS;
}

/* Halted: an interrupt, or the end. */
static bool wait_rig(void *opaque)
{
    Rig *r = opaque;
    cpu_set_intr(r->cpu, r->interrupts > 0);
    return cpu_has_work(r->cpu);
}

static bool end_rig(void *opaque)
{
    (void)opaque;
    return false;
}

static int acknowledge(void *opaque)
{
    Rig *r = opaque;
    if (r->interrupts) r->interrupts--;
    cpu_set_intr(r->cpu, r->interrupts > 0);
    return 0x20 + (int)guest_below(16);
}

static Rig *make_rig(const char *backend, const char *model, unsigned how)
{
    char error[256];
    Rig *r = calloc(1, sizeof *r);
    FUZZ_CHECK(r);
    r->phys = phys_new();
    r->io = ioports_new();
    r->ram = phys_region_host(phys_add_ram(r->phys, "ram", 0, GUEST_RAM, 0));
    r->cpu = cpu_new(r->phys, r->io, model, error, sizeof error);
    FUZZ_CHECK(r->cpu);
    r->cpu->intr_ack = acknowledge;
    r->cpu->intr_opaque = r;
    ExecHooks hooks = { .poll = poll_rig, .wait = wait_rig, .shutdown = end_rig, .opaque = r };
    ExecOptions opt = { .backend = backend,
                        .tb_size_mib = 2,
                        .max_insns = how & RUN_FREE ? 0 : MAX_INSNS,
                        .no_window = !(how & RUN_FREE) || how & RUN_BASIC_CPU };
    r->ex = exec_new(r->cpu, &opt, &hooks, error, sizeof error);
    FUZZ_CHECK(r->ex);
    return r;
}

static void free_rig(Rig *r)
{
    exec_free(r->ex);
    cpu_free(r->cpu);
    ioports_free(r->io);
    phys_free(r->phys);
    free(r);
}

/* The state as guest_start() leaves it, and nothing of the run before. */
static void prepare(Rig *r, unsigned how, unsigned number, const uint8_t *code, uint32_t size)
{
    CPUState *cpu = r->cpu;
    exec_flush(r->ex);
    memset(r->ram, 0, GUEST_RAM);
    guest_seed(number);
    guest_start(cpu, code, size, GUEST_RAM, false);
    cpu_set_a20(cpu, true);
    while (how & RUN_WINDOW && cpu->mmu.window && !cpu->mmu.window_open) window_sample(&cpu->mmu, MMU_USER, 0, true);
    cpu_update_mode(cpu);
    cpu->exc_vector = -1;
    cpu->exit_request = 0;
    cpu_set_intr(cpu, how & RUN_INTERRUPTED);
    r->polls = 0;
    r->interrupts = INTERRUPTS;
    r->ex->opt.no_chain = !(how & RUN_CHAINED);
    if (r->ex->opt.max_insns) r->ex->opt.max_insns = cpu_insns(cpu) + MAX_INSNS;
}

static void run(Rig *r, unsigned how)
{
    running = r->cpu;
    set_clock(how & RUN_FREE ? RUN_US : COUNTED_US);
    exec_run(r->ex);
    set_clock(0);
    running = NULL;
    FUZZ_CHECK(!r->cpu->exc_env);
}

/* The rig on which to run, made anew when it has to be another one: a process has one native translation cache. */
static Rig *choose_rig(unsigned backend, unsigned how)
{
    static Rig *rig[2];
    static unsigned made[2];
    static const char *const names[] = { "x86_64", "interp" };
    if (!backend_find(names[backend])) return NULL;
    Rig **r = &rig[backend];
    how &= RUN_BASIC_CPU | RUN_FREE;
    if (*r && made[backend] == how) return *r;
    if (*r) free_rig(*r);
    made[backend] = how;
    return *r = make_rig(names[backend], how & RUN_BASIC_CPU ? "pentium" : "max", how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5) return 0;
    unsigned how = data[0], number = data[2] | (unsigned)data[3] << 8;
    for (unsigned i = 0; i < ir_pass_count; i++) ir_pass_enable(ir_passes[i].name, !(data[1] >> i & 1));
    for (unsigned i = 0; i < 2; i++) {
        Rig *r = choose_rig(i, how);
        if (!r) continue;
        prepare(r, how, number, data + 4, (uint32_t)size - 4);
        run(r, how);
    }
    return 0;
}

static void seeds(FuzzGive *give)
{
    uint8_t in[4 + 1024];
    for (unsigned i = 0; i < 256; i++) {
        uint32_t size = 16u << i % 7;
        guest_seed(i);
        guest_make_code(in + 4, size);
        in[0] = (uint8_t)(i & 31);
        in[1] = i & 32 ? (uint8_t)guest_random() : 0;
        in[2] = (uint8_t)i, in[3] = (uint8_t)(i >> 4);
        give(in, 4 + size);
    }
}

static const char *const words[] = {
    "\x0f\x01", "\x0f\x20", "\x0f\x22",     "\x0f\xae",     "\x0f\xc7",     "\x0f\x0b",     "\xf3\xa4", "\xf3\xab",
    "\xf2\xae", "\x66\x0f", "\xf3\x0f\x11", "\x66\x0f\x3a", "\xd9\xee",     "\xdb\x7c\x24", "\xdd\x34", "\x9c\x58",
    "\x9d",     "\xcf",     "\xe2\xfe",     "\xeb\xfe",     "\xc8\x08\x20", "\xcd\x80",     "\x8e\xd0", "\xf0\x0f",
    "\x64\x67", NULL
};
const FuzzTarget fuzz_target = { .name = "block", .slice = 1500, .max_size = 4096, .seeds = seeds, .words = words };
