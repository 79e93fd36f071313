/* Guests of random bytes on the whole board: whatever they do, the process must neither crash nor hang.
 *
 *      guests [-b BACKEND] [-n GUESTS] [-s SEED] [-v]
 *
 * Guest number i is made from SEED + i alone (guest.c), with 64 KiB of code.  Half of them run a bounded number of
 * instructions, one block at a time; the others run chained until a clock stops them.  Guests run in child processes by the batch, so that a
 * crash is one failed test with the seed to repeat it.
 *
 * make fuzz FUZZ_GUESTS=100000 FUZZ_SEED=1 runs for long. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/guest.h"
#include "hw/pc.h"
#include "tap.h"

enum { MIB = 4, KERNEL_AT = 0x100000 };
enum { MAX_INSNS = 20000, RUN_MS = 15, HANG_SECONDS = 20, BATCH = 50 };

typedef struct Shared {
    volatile uint64_t seed, insns;
    volatile unsigned done;
} Shared;
static Shared *shared;
static char kernel_path[] = "/tmp/calque-fuzz-XXXXXX";
static bool verbose;

/* --- running ---------------------------------------------------------------------------------------------------- */

typedef struct Watch {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    Machine *m;
    bool done;
} Watch;

static void quit(void *machine)
{
    machine_request(machine, MACHINE_QUIT, 0);
}

static bool wait_until_done(Watch *w, long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    while (!w->done && pthread_cond_timedwait(&w->done_cond, &w->lock, &t) == 0) {
    }
    return w->done;
}

/* Ends the run after RUN_MS; a process that does not heed that within HANG_SECONDS hangs. */
static void *watch(void *opaque)
{
    Watch *w = opaque;
    pthread_mutex_lock(&w->lock);
    if (!wait_until_done(w, RUN_MS)) {
        machine_post(w->m, quit, w->m);
        if (!wait_until_done(w, HANG_SECONDS * 1000)) abort();
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void run(Machine *m)
{
    Watch w = { .lock = PTHREAD_MUTEX_INITIALIZER, .done_cond = PTHREAD_COND_INITIALIZER, .m = m };
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, &w) != 0) abort();
    machine_run(m);
    pthread_mutex_lock(&w.lock);
    w.done = true;
    pthread_cond_signal(&w.done_cond);
    pthread_mutex_unlock(&w.lock);
    pthread_join(thread, NULL);
}

static void run_guest(const char *backend, uint64_t seed)
{
    char error[512];
    static uint8_t code[GUEST_CODE_MAX];
    guest_seed(seed);
    MachineConfig cfg = { .mem_bytes = MIB << 20,
                          .kernel = kernel_path,
                          .bios = "none",
                          .append = "",
                          .cpu = "max",
                          .debug_exit = { true, 0x501, 2 },
                          .exec = { .backend = backend, .tb_size_mib = 1 + guest_below(8) } };
    if (guest_one_in(2)) cfg.exec.max_insns = MAX_INSNS;
    Machine *m = pc_new(&cfg, error, sizeof error);
    if (!m) {
        fprintf(stderr, "guests: %s\n", error);
        exit(2);
    }
    CPUState *cpu = machine_cpu(m);
    guest_make_code(code, sizeof code);
    guest_start(cpu, code, sizeof code, MIB << 20, true);
    run(m);
    shared->insns += cpu_insns(cpu);
    machine_free(m);
}

static bool run_batch(const char *backend, uint64_t seed, unsigned n)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (unsigned i = 0; i < n; i++) {
            shared->seed = seed + i;
            if (verbose) fprintf(stderr, "seed %llu\n", (unsigned long long)(seed + i));
            run_guest(backend, seed + i);
            shared->done++;
        }
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void fuzz(const char *backend, uint64_t seed, unsigned guests)
{
    unsigned bad = 0;
    shared->done = 0;
    shared->insns = 0;
    for (unsigned i = 0; i < guests;) {
        unsigned n = guests - i < BATCH ? guests - i : BATCH;
        if (run_batch(backend, seed + i, n)) {
            i += n;
            continue;
        }
        diag("fails: guests -b %s -n 1 -s %llu", backend, (unsigned long long)shared->seed);
        bad++;
        i = (unsigned)(shared->seed - seed) + 1;
    }
    ok(bad == 0, "%s: %u guests from seed %llu, %llu million instructions", backend, guests, (unsigned long long)seed,
       (unsigned long long)(shared->insns / 1000000));
}

/* After a reset, which is where most triple faults lead, the guest is this: a Multiboot kernel that goes back into
 * the noise at another place, with the tables as they are now, and ends the run after the sixteenth time. */
static void make_kernel(void)
{
    static const uint32_t header[] = { 0x1badb002, 0x10000,         0u - 0x1badb002u - 0x10000, KERNEL_AT, KERNEL_AT, 0,
                                       0,          KERNEL_AT + 0x20 };
    static const uint8_t code[] = {
        0x0f, 0x01, 0x1d, 0x60, 0x00, 0x10, 0x00,                   /* lidt 100060h */
        0x0f, 0x01, 0x15, 0x68, 0x00, 0x10, 0x00,                   /* lgdt 100068h */
        0xbc, 0x00, 0x7f, 0x00, 0x00,                               /* mov $7f00h, %esp */
        0xff, 0x05, 0x00, 0x05, 0x00, 0x00,                         /* incl 500h */
        0x83, 0x3d, 0x00, 0x05, 0x00, 0x00, 0x10,                   /* cmpl $16, 500h */
        0x77, 0x14,                                                 /* ja the end */
        0x69, 0x05, 0x00, 0x05, 0x00, 0x00, 0xb1, 0x79, 0x37, 0x9e, /* imul $9e3779b1h, 500h, %eax */
        0xc1, 0xe8, 0x10,                                           /* shr $16, %eax */
        0x05, 0x00, 0x00, 0x01, 0x00,                               /* add $GUEST_CODE_AT, %eax */
        0xff, 0xe0,                                                 /* jmp *%eax */
        0xba, 0x01, 0x05, 0x00, 0x00,                               /* mov $501h, %edx */
        0xee, 0xf4,                                                 /* out %al, %dx; hlt */
    };
    static const uint8_t pointers[16] = { 0xff, 0x07, 0x00, 0x80, 0, 0, 0, 0,   /* GUEST_IDT_AT */
                                          0xff, 0x01, 0x00, 0x90, 0, 0, 0, 0 }; /* GUEST_GDT_AT */
    uint8_t image[0x70] = { 0 };
    memcpy(image, header, sizeof header);
    memcpy(image + 0x20, code, sizeof code);
    memcpy(image + 0x60, pointers, sizeof pointers);
    int fd = mkstemp(kernel_path);
    if (fd < 0 || write(fd, image, sizeof image) != (ssize_t)sizeof image) {
        perror(kernel_path);
        exit(2);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    const char *backend = NULL;
    unsigned guests = 200;
    uint64_t seed = 1;
    for (int c; (c = getopt(argc, argv, "b:n:s:v")) != -1;) {
        if (c == 'b') backend = optarg;
        if (c == 'n') guests = (unsigned)strtoul(optarg, NULL, 0);
        if (c == 's') seed = strtoull(optarg, NULL, 0);
        if (c == 'v') verbose = true;
        if (c == '?') return 2;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 2;
    make_kernel();
    if (backend) {
        fuzz(backend, seed, guests);
    } else {
        if (backend_find("x86_64")) fuzz("x86_64", seed, guests);
        fuzz("interp", seed, guests);
    }
    unlink(kernel_path);
    return tap_done();
}
