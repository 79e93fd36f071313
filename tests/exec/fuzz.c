/* Guests of random bytes on the whole board: whatever they do, the process must neither crash nor hang.
 *
 *      fuzz [-b BACKEND] [-n GUESTS] [-s SEED] [-v]
 *
 * Guest number i is made from SEED + i alone: 64 KiB of code that is part noise and part instructions that
 * reach deep (system instructions, string operations, stores to code, loads of segment registers), started
 * in real mode, protected mode with random descriptors, or paging with random tables, with an IDT whose
 * gates lead back into the noise.  Half of them run a bounded number of instructions, one block at a time;
 * the others run chained until a clock stops them.  Guests run in child processes by the batch, so that a
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

#include "hw/pc.h"
#include "tap.h"

enum {
    MIB = 4,
    CODE_SIZE = 0x10000,
    CODE_AT = 0x10000,
    TABLES_AT = 0x30000,
    IDT_AT = 0x8000,
    GDT_AT = 0x9000,
    KERNEL_AT = 0x100000
};
enum { MAX_INSNS = 20000, RUN_MS = 15, HANG_SECONDS = 20, BATCH = 50 };

typedef struct Shared {
    volatile uint64_t seed, insns;
    volatile unsigned done;
} Shared;
static Shared *shared;
static char kernel_path[] = "/tmp/calque-fuzz-XXXXXX";
static bool verbose;

static uint64_t state;
static uint32_t rnd(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(z >> 32);
}
static uint32_t below(uint32_t n)
{
    return rnd() % n;
}
static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

/* --- code ------------------------------------------------------------------------------------------------- */

/* Openings of instructions worth more than their share of noise; operands stay noise. */
static const char *const openings[] = {
    "\x0f\x00",     "\x0f\x01",     "\x0f\x20",
    "\x0f\x22",     "\x0f\x21",     "\x0f\x23",
    "\x0f\x30",     "\x0f\x32",     "\x0f\xa2",
    "\x0f\xc7",     "\x0f\xb1",     "\x0f\xc1",
    "\x0f\xae",     "\x0f\x06",     "\x0f\x34",
    "\x0f\x35",     "\x0f\x05",     "\x0f\xaa",
    "\x0f\xb2",     "\x0f\xa1",     "\x0f\xa9",
    "\x0f\xba",     "\x0f\xab",     "\x0f\xa4",
    "\x0f\xf7",     "\x66\x0f\x3a", "\x66\x0f\x38",
    "\xf2\x0f",     "\xf3\x0f",     "\x66\x0f",
    "\xf0\x0f",     "\xf3\xa4",     "\xf3\xa5",
    "\xf3\xaa",     "\xf3\xab",     "\xf3\x6c",
    "\xf3\x6e",     "\xf3\xa6",     "\xf2\xae",
    "\xf3\xac",     "\x66\xf3\xa5", "\x67\xf3\xa4",
    "\x8e",         "\x8e",         "\x8c",
    "\x9a",         "\xea",         "\xcb",
    "\xca",         "\xcf",         "\xcd",
    "\xcc",         "\xce",         "\xf1",
    "\xff",         "\xff",         "\xfa",
    "\xfb",         "\xf4",         "\x9c",
    "\x9d",         "\xe8",         "\xc3",
    "\xc2",         "\xe2",         "\xe3",
    "\x60",         "\x61",         "\xc8",
    "\xc9",         "\x62",         "\x63",
    "\xc4",         "\xc5",         "\xd8",
    "\xd9",         "\xda",         "\xdb",
    "\xdc",         "\xdd",         "\xde",
    "\xdf",         "\x9b",         "\xe4",
    "\xe6",         "\xec",         "\xee",
    "\xef",         "\xed",         "\x6c",
    "\x6e",         "\x2e\xc7\x06", "\xc7\x05",
    "\x2e\xff",     "\x67\x66\x8b", "\xf0\x01",
    "\x36\x89",     "\x65\x88",     "\x17",
    "\x07",         "\x1f",         "\x0f\x0b",
    "\x0f\x09",     "\x0f\x01\xc8", "\x0f\x01\xc9",
    "\x0f\x01\xca", "\x0f\x01\xcb", "\xd7",
    "\x0f\xc3",     "\x0f\xe7",     "\x66\x66\x66\x66",
    "\xb9\xff\xff",
};

static void fill_code(uint8_t *code)
{
    uint32_t noise = 1 + below(12);
    for (size_t i = 0; i < CODE_SIZE;) {
        if (!one_in(noise)) {
            code[i++] = (uint8_t)rnd();
            continue;
        }
        const char *o = openings[below(sizeof openings / sizeof *openings)];
        do code[i++] = (uint8_t)*o++;
        while (*o && i < CODE_SIZE);
    }
    /* Short backward jumps make loops; plain one-byte instructions between them make blocks. */
    for (unsigned n = below(2000); n--;) {
        size_t at = below(CODE_SIZE - 2);
        code[at] = one_in(2) ? 0xeb : (uint8_t)(0x70 + below(16));
        code[at + 1] = (uint8_t)(0x80 + below(128));
    }
    for (unsigned n = below(4000); n--;) code[below(CODE_SIZE)] = (uint8_t)(0x40 + below(32));
}

/* --- tables ------------------------------------------------------------------------------------------------ */

static uint64_t random_descriptor(void)
{
    static const uint8_t rights[] = { 0x92, 0x93, 0x9a, 0x9b, 0xf2, 0xf3, 0xfa, 0xfb, 0x96, 0x97, 0xf6, 0x9e,
                                      0x9f, 0xfe, 0x90, 0x98, 0x82, 0x89, 0x8b, 0x81, 0x83, 0x84, 0x8c, 0x85,
                                      0xec, 0xe4, 0xe5, 0xe9, 0x12, 0xb2, 0xba, 0xd2, 0xda, 0x80, 0x8e, 0x8f };
    uint8_t kind = one_in(8) ? (uint8_t)rnd() : rights[below(sizeof rights)];
    uint32_t base = one_in(3) ? rnd() : one_in(2) ? 0 : CODE_AT + below(CODE_SIZE), limit = rnd() & 0xfffff;
    unsigned type = kind & 0x1f;
    if (type == 4 || type == 5 || type == 6 || type == 7 || type == 12 || type == 14 || type == 15)
        return (uint64_t)below(CODE_SIZE) | (uint64_t)(below(64) * 8 + below(4)) << 16 |
               (uint64_t)(one_in(2) ? below(32) : 0) << 32 | (uint64_t)kind << 40;
    if (one_in(2)) limit = one_in(2) ? 0xfffff : 0xffff;
    uint8_t flags = one_in(3) ? (uint8_t)below(16) : 0xc;
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)kind << 40 | (uint64_t)(limit >> 16) << 48 |
           (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static uint64_t flat(uint8_t rights)
{
    return UINT64_C(0x00cf00000000ffff) | (uint64_t)rights << 40;
}

static void put_tables(PhysMem *pm)
{
    uint64_t gdt[64], idt[256];
    for (unsigned i = 0; i < 64; i++) gdt[i] = random_descriptor();
    gdt[1] = flat(0x9a);
    gdt[2] = flat(0x92);
    gdt[3] = flat(0xfa);
    gdt[4] = flat(0xf2);
    gdt[5] = 0x67 | (uint64_t)(TABLES_AT + 0x8000) << 16 | UINT64_C(0x89) << 40;
    phys_load(pm, GDT_AT, gdt, sizeof gdt);
    for (unsigned i = 0; i < 256; i++) {
        uint64_t sel = one_in(6) ? below(64) * 8 : 8, kind = one_in(8) ? 0x80 + below(0x80) : 0xee + below(2);
        idt[i] = (uint64_t)below(CODE_SIZE) | sel << 16 | kind << 40 | (uint64_t)(CODE_AT >> 16) << 48;
    }
    phys_load(pm, IDT_AT, idt, sizeof idt);
    uint32_t tss[26];
    for (unsigned i = 0; i < 26; i++) tss[i] = one_in(2) ? below(64) * 8 : below(0x40000);
    tss[1] = 0x7000, tss[2] = 0x10;
    phys_load(pm, TABLES_AT + 0x8000, tss, sizeof tss);
}

/* A page table entry that mostly leads to memory there is. */
static uint64_t random_entry(bool identity, uint32_t page, bool directory)
{
    uint64_t e = one_in(16) ? rnd() & 0xfff : 7 | (rnd() & 0x160);
    uint64_t to = identity && !one_in(8) ? page : below(MIB << 8);
    if (directory) to = (TABLES_AT >> 12) + 1 + below(4), e &= ~UINT64_C(0x80);
    if (directory && one_in(8)) e |= 0x80;
    if (one_in(64)) to = rnd();
    return e | to << 12;
}

static void put_pages(PhysMem *pm, bool pae)
{
    uint8_t page[PAGE_SIZE];
    for (unsigned t = 0; t < 5; t++) {
        for (unsigned i = 0; i < PAGE_SIZE / (pae ? 8 : 4); i++) {
            uint64_t e = random_entry(true, i, t == 0 && !pae);
            if (t == 0 && pae) e = i < 4 ? ((uint64_t)TABLES_AT + 0x1000 * (1 + below(2))) | 1 : random_entry(0, i, 0);
            if (pae && t > 0 && t < 3 && i < 8) e = random_entry(true, i, true);
            if (!pae && t == 0 && i == 0) e = (TABLES_AT + 0x1000) | 7;
            if (pae && one_in(32)) e |= UINT64_C(1) << 63;
            if (pae)
                memcpy(page + i * 8, &e, 8);
            else
                memcpy(page + i * 4, &e, 4);
        }
        phys_load(pm, TABLES_AT + t * PAGE_SIZE, page, sizeof page);
    }
}

/* --- the processor ------------------------------------------------------------------------------------------- */

static void set_segment(SegCache *s, uint16_t sel, uint32_t base, uint32_t limit, uint16_t attr, bool cs, bool pe)
{
    *s = (SegCache){ .sel = sel, .base = base, .limit = limit, .attr = attr };
    cpu_seg_update_bounds(s, cs, pe);
}

static uint32_t random_value(void)
{
    switch (below(6)) {
    case 0: return rnd();
    case 1: return below(0x100);
    case 2: return CODE_AT + below(CODE_SIZE);
    case 3: return below(0x10000);
    case 4: return 0u - below(0x100);
    default: return below(MIB << 20);
    }
}

static void start_real(CPUState *cpu)
{
    uint8_t ivt[1024];
    for (unsigned i = 0; i < 256; i++) {
        uint32_t to = below(CODE_SIZE) | (CODE_AT >> 4) << 16;
        memcpy(ivt + i * 4, &to, 4);
    }
    phys_load(cpu->mmu.phys, 0, ivt, sizeof ivt);
    cpu_reset(cpu);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) cpu_seg_load_real(cpu, i, (uint16_t)(one_in(3) ? rnd() : CODE_AT >> 4));
    cpu_seg_load_real(cpu, SEG_CS, CODE_AT >> 4);
    cpu->eip = below(CODE_SIZE);
    cpu_update_mode(cpu);
}

static void start_protected(CPUState *cpu)
{
    PhysMem *pm = cpu->mmu.phys;
    cpu_reset(cpu);
    bool user = one_in(3), paging = one_in(2), pae = paging && one_in(2);
    uint16_t dpl = user ? 3 : 0, rights = (uint16_t)(SEG_P | SEG_S | dpl << 5 | SEG_G | SEG_DB | SEG_A);
    if (paging) put_pages(pm, pae);
    cpu->cr4 = (rnd() & (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP)) | CR4_OSFXSR |
               CR4_OSXMMEXCPT | (pae ? CR4_PAE : 0);
    cpu->cr0 =
        CR0_PE | CR0_ET | (paging ? CR0_PG : 0) | (rnd() & (CR0_WP | CR0_AM | CR0_NE)) | (one_in(8) ? CR0_TS : 0);
    cpu->cr3 = TABLES_AT;
    if (!mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true)) {
        cpu->cr0 &= ~(uint32_t)CR0_PG;
        mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, false, true);
    }
    cpu->gdt.base = GDT_AT, cpu->gdt.limit = 64 * 8 - 1;
    cpu->idt.base = IDT_AT, cpu->idt.limit = 256 * 8 - 1;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        set_segment(&cpu->seg[i], (uint16_t)((user ? 0x20 : 0x10) | dpl), 0, 0xffffffff, rights | SEG_W, false, true);
    uint32_t base = one_in(3) ? CODE_AT : 0, limit = base ? CODE_SIZE - 1 : 0xffffffff;
    if (one_in(4)) rights &= (uint16_t)~SEG_DB;
    set_segment(&cpu->seg[SEG_CS], (uint16_t)((user ? 0x18 : 0x08) | dpl), base, limit, rights | SEG_X | SEG_R, true,
                true);
    set_segment(&cpu->seg[SEG_TR], 0x28, TABLES_AT + 0x8000, 0x67, SEG_P | 0xb, false, true);
    cpu->cpl = (uint8_t)dpl;
    cpu->eip = (base ? 0 : CODE_AT) + below(CODE_SIZE);
    cpu_set_eflags(cpu, FL_1 | (rnd() & (FL_IOPL | FL_IF | FL_AC | FL_DF)) | (one_in(16) ? FL_TF | FL_NT : 0));
    cpu_update_mode(cpu);
}

static void start_guest(CPUState *cpu)
{
    static uint8_t code[CODE_SIZE];
    fill_code(code);
    phys_load(cpu->mmu.phys, CODE_AT, code, sizeof code);
    put_tables(cpu->mmu.phys);
    if (one_in(2))
        start_real(cpu);
    else
        start_protected(cpu);
    for (unsigned i = 0; i < 8; i++) cpu->regs[i] = random_value();
    cpu->regs[R_ESP] = one_in(4) ? random_value() : 0x7000 + below(0x1000);
}

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
    state = seed * UINT64_C(0xd1342543de82ef95);
    MachineConfig cfg = { .mem_bytes = MIB << 20,
                          .kernel = kernel_path,
                          .bios = "none",
                          .append = "",
                          .cpu = "max",
                          .debug_exit = { true, 0x501, 2 },
                          .exec = { .backend = backend, .tb_size_mib = 1 + below(8) } };
    if (one_in(2)) cfg.exec.max_insns = MAX_INSNS;
    Machine *m = pc_new(&cfg, error, sizeof error);
    if (!m) {
        fprintf(stderr, "fuzz: %s\n", error);
        exit(2);
    }
    CPUState *cpu = machine_cpu(m);
    start_guest(cpu);
    run(m);
    shared->insns += cpu->n_insns_retired;
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
        diag("fails: fuzz -b %s -n 1 -s %llu", backend, (unsigned long long)shared->seed);
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
        0x05, 0x00, 0x00, 0x01, 0x00,                               /* add $CODE_AT, %eax */
        0xff, 0xe0,                                                 /* jmp *%eax */
        0xba, 0x01, 0x05, 0x00, 0x00,                               /* mov $501h, %edx */
        0xee, 0xf4,                                                 /* out %al, %dx; hlt */
    };
    static const uint8_t pointers[16] = { 0xff, 0x07, 0x00, 0x80, 0, 0, 0, 0,   /* IDT_AT */
                                          0xff, 0x01, 0x00, 0x90, 0, 0, 0, 0 }; /* GDT_AT */
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
