/* Lockstep: two runs of each block agree on programs that use all there is to put back between them; a device sees each
 * access once; and whatever one backend gets wrong is found, at the block that does it. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/lockstep.h"
#include "rig.h"

enum {
    CODE = 0x10000,
    DATA = 0x20000,
    DMA_AT = DATA + 0x10,
    STRAY = 0x30008,
    ROUNDS = 50,
    PORT = 0x60,
    DMA_PORT = 0x64,
    ASKS = 0x500000
};

/* --- a device ---------------------------------------------------------------------------------------------- */

static unsigned reads, writes;
static PhysMem *bus;
static CPUState *processor;

static uint32_t dev_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return ++reads & 0xff;
}

/* DMA_PORT: the device answers by writing to memory at once. */
static void dev_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)opaque, (void)size;
    writes++;
    if (port == DMA_PORT) phys_st(bus, DMA_AT, value * 3, 4);
}
static const IoPortOps device = { dev_read, dev_write, 1 };

static uint64_t ask(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    cpu_request_exit(processor);
    return 0;
}
static const MmioOps asking = { ask, NULL };

/* --- programs -------------------------------------------------------------------------------------------------- */

/* Several blocks to a step: what is wrong in the one at WRONG_AT must not be blamed on another. */
enum { WRONG_AT = CODE + 0x0f, WRONG_ROUND = 7 };
static const uint8_t loop[] = {
    0xb9, ROUNDS, 0,    0,    0,          /* 00 mov ecx, ROUNDS */
    0x40,                                 /* 05 inc eax */
    0xa3, 0x00,   0x00, 0x02, 0x00,       /* 06 mov [DATA], eax */
    0xe4, PORT,                           /* 0b in al, PORT */
    0xeb, 0x00,                           /* 0d jmp 0f */
    0x01, 0xc3,                           /* 0f add ebx, eax */
    0x01, 0x1d,   0x04, 0x00, 0x02, 0x00, /* 11 add [DATA + 4], ebx */
    0xeb, 0x00,                           /* 17 jmp 19 */
    0x0f, 0x94,   0xc2,                   /* 19 setz dl */
    0x66, 0x0f,   0xfe, 0xc1,             /* 1c paddd xmm0, xmm1 */
    0x49,                                 /* 20 dec ecx */
    0x75, 0xe2,                           /* 21 jnz 05 */
    0xe6, PORT,                           /* 23 out PORT, al */
    0xf4,                                 /* 25 hlt */
};

/* The device writes between two accesses of the guest to the same page. */
static const uint8_t dma[] = {
    0xb9, ROUNDS,   0,    0,    0,          /* mov ecx, ROUNDS */
    0x40,                                   /* 05 inc eax */
    0xa3, 0x00,     0x00, 0x02, 0x00,       /* mov [DATA], eax */
    0x8b, 0x35,     0x10, 0x00, 0x02, 0x00, /* mov esi, [DMA_AT]: of the last round */
    0xe6, DMA_PORT,                         /* out DMA_PORT, al */
    0x8b, 0x15,     0x10, 0x00, 0x02, 0x00, /* mov edx, [DMA_AT] */
    0x01, 0xf7,                             /* add edi, esi */
    0x49,                                   /* dec ecx */
    0x75, 0xe7,                             /* jnz 05 */
    0xf4,                                   /* hlt */
};

/* Time, random numbers, string instructions over page ends, x87 (with results that are not exact), code that rewrites
 * itself and the block that runs. */
static const uint8_t mixed[] = {
    0xb9, 0x05, 0,    0,    0,                /* 00 mov ecx, 5 */
    0x51,                                     /* 05 push ecx */
    0x0f, 0x31,                               /* 06 rdtsc */
    0x0f, 0xc7, 0xf3,                         /* 08 rdrand ebx */
    0xbf, 0xf0, 0x8f, 0x02, 0x00,             /* 0b mov edi, 28ff0h */
    0xb9, 0x00, 0x08, 0x00, 0x00,             /* 10 mov ecx, 800h */
    0xf3, 0xab,                               /* 15 rep stosd */
    0xd9, 0xe8,                               /* 17 fld1 */
    0xd9, 0xfe,                               /* 19 fsin */
    0xd9, 0x1d, 0x20, 0x00, 0x02, 0x00,       /* 1b fstp dword [DATA + 20h] */
    0xdb, 0x2d, 0x30, 0x00, 0x02, 0x00,       /* 21 fld m80 [DATA + 30h] */
    0xdb, 0x3d, 0x40, 0x00, 0x02, 0x00,       /* 27 fstp m80 [DATA + 40h] */
    0xc6, 0x05, 0x35, 0x00, 0x01, 0x00, 0x41, /* 2d mov byte [CODE + 35h], 41h */
    0x90,                                     /* 34 nop */
    0x42,                                     /* 35 inc edx, or inc ecx */
    0xfe, 0x05, 0x3e, 0x00, 0x01, 0x00,       /* 36 inc byte [CODE + 3eh] */
    0x68, 0x00, 0x00, 0x00, 0x00,             /* 3c push dword imm */
    0x5a,                                     /* 41 pop edx */
    0x59,                                     /* 42 pop ecx */
    0x49,                                     /* 43 dec ecx */
    0x75, 0xbf,                               /* 44 jnz 05 */
    0xf4,                                     /* 46 hlt */
};

/* Asked to leave by a device, before a string instruction on a page whose writes are tracked: where that is left must not
 * depend on the page being clean, which it is for the first of the two runs only. */
static const uint8_t interrupted[] = {
    0xbf, 0x04, 0x00, 0x02, 0x00, /* mov edi, DATA + 4 */
    0xb9, 0x00, 0x10, 0x00, 0x00, /* mov ecx, 1000h */
    0xa0, 0x00, 0x00, 0x50, 0x00, /* mov al, [ASKS] */
    0xf3, 0xaa,                   /* rep stosb */
    0xf4,                         /* hlt */
};

static void start(Rig *r, const uint8_t *code, size_t n)
{
    static const ExecOptions lockstep = { .lockstep = true };
    rig_init(r, &lockstep);
    bus = r->phys;
    processor = r->cpu;
    reads = writes = 0;
    ioports_map(r->io, PORT, 8, &device, NULL);
    phys_add_mmio(r->phys, "asking", ASKS, PAGE_SIZE, 0, &asking, NULL);
    cpu_reset(r->cpu);
    rig_reset(r);
    r->cpu->cr4 |= CR4_OSFXSR;
    r->cpu->fpu.cw = 0x37f;
    cpu_update_mode(r->cpu);
    memcpy(r->ram + CODE, code, n);
}

/* --- no difference --------------------------------------------------------------------------------------------------- */

static void test_agree(void)
{
    Rig r;
    start(&r, loop, sizeof loop);
    ok(rig_run(&r, CODE), "a loop runs to its end");
    ok(reads == ROUNDS && writes == 1, "the device saw %u reads and %u writes", reads, writes);
    ok(r.cpu->regs[R_EBX] == ROUNDS * (ROUNDS + 1) / 2, "its answers arrived");
    rig_free(&r);
    start(&r, dma, sizeof dma);
    ok(rig_run(&r, CODE), "a loop with DMA runs to its end");
    ok(writes == ROUNDS && r.cpu->regs[R_EDX] == ROUNDS * 3, "the device wrote each time");
    ok(r.cpu->regs[R_EDI] == (ROUNDS - 1) * ROUNDS / 2 * 3, "not too early");
    rig_free(&r);
    start(&r, mixed, sizeof mixed);
    ok(rig_run(&r, CODE), "time, random numbers, strings, x87 and code that changes itself");
    rig_free(&r);
}

static void test_string(void)
{
    Rig r;
    uint8_t flag[RIG_RAM / PAGE_SIZE];
    start(&r, interrupted, sizeof interrupted);
    phys_dirty_track(r.region);
    phys_dirty_take(r.region, 0, sizeof flag, flag);
    ok(rig_run(&r, CODE), "a string instruction that is to be left, on a clean page");
    rig_free(&r);
}

static void test_outside(void)
{
    Rig r;
    start(&r, loop, sizeof loop);
    r.cpu->exit_request = 0;
    rig_run(&r, CODE);
    unsigned usual = r.polls;
    r.cpu->exit_request = 0;
    cpu_request_exit_from_outside(r.cpu);
    ok(rig_run(&r, CODE) && r.polls == usual + 1, "what other threads ask for is heard");
    exec_free(r.ex);
    ok(r.cpu->outside_request == &r.cpu->exit_request && r.cpu->io == r.io, "all is wired as before in the end");
    cpu_free(r.cpu);
    ioports_free(r.io);
    phys_free(r.phys);
}

/* --- differences -------------------------------------------------------------------------------------------------------- */

static void wrong_register(CPUState *cpu)
{
    cpu->regs[R_EAX] ^= 0x400;
}
static void wrong_dead_flag(CPUState *cpu)
{
    cpu->cc ^= 0x400; /* PF */
}
static void wrong_flag(CPUState *cpu)
{
    cpu->cc ^= 0x4000; /* ZF */
}
static void wrong_system_flag(CPUState *cpu)
{
    cpu->eflags ^= FL_ID;
}
static void wrong_direction(CPUState *cpu)
{
    cpu->df = -cpu->df;
}
static void wrong_eip(CPUState *cpu)
{
    cpu->eip++;
}
static void wrong_system(CPUState *cpu)
{
    cpu->seg[SEG_FS].limit--;
}
static void wrong_xmm(CPUState *cpu)
{
    cpu->fpu.xmm[6].b[15] = 1;
}
static void wrong_x87(CPUState *cpu)
{
    cpu->fpu.r[3].mant++;
}
static void wrong_byte(CPUState *cpu)
{
    phys_st(cpu->mmu.phys, DATA + 0x123, 0x77, 1);
}
static void stray_store(CPUState *cpu)
{
    cpu_sys_st(cpu, STRAY, 0x1234, 2);
}
static void one_read_more(CPUState *cpu)
{
    ioports_read(cpu->io, PORT, 1);
}
static void one_write_more(CPUState *cpu)
{
    ioports_write(cpu->io, PORT, 0x99, 1);
}
static void exception(CPUState *cpu)
{
    cpu_raise(cpu, EXC_UD);
}

static void (*make_wrong)(CPUState *cpu);

/* The portable backend with one mistake. */
static void run_wrongly(CPUState *cpu, const void *entry)
{
    bool here = cpu->eip == WRONG_AT && cpu->regs[R_ECX] == WRONG_ROUND;
    backend_interp.run(cpu, entry);
    if (here) make_wrong(cpu);
}

/* What a child process with this mistake prints, and its status. */
static int run_child(void (*wrong)(CPUState *), char *text, size_t size)
{
    int fd[2], status = -1;
    size_t n = 0;
    ssize_t got;
    if (pipe(fd)) return -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        Backend crooked = backend_interp;
        Rig r;
        dup2(fd[1], STDERR_FILENO);
        close(fd[0]);
        close(fd[1]);
        crooked.name = "crooked";
        crooked.run = run_wrongly;
        make_wrong = wrong;
        lockstep_choose(&backend_interp, &crooked);
        start(&r, loop, sizeof loop);
        _exit(rig_run(&r, CODE) ? 0 : 2);
    }
    close(fd[1]);
    while (n + 1 < size && (got = read(fd[0], text + n, size - 1 - n)) > 0) n += (size_t)got;
    text[n] = 0;
    close(fd[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The line of the report's last part that begins with this and is marked. */
static bool marked(const char *text, const char *field)
{
    char start_of_line[64];
    const char *part = strstr(text, "differ after block");
    snprintf(start_of_line, sizeof start_of_line, "\n  %s", field);
    for (const char *at = part; at && (at = strstr(at, start_of_line)); at++) {
        const char *end = strchr(at + 1, '\n'), *mark = strstr(at, "<--");
        if (mark && mark < end) return true;
    }
    return false;
}

static void test_difference(const char *name, void (*wrong)(CPUState *), const char *field, const char *says)
{
    static char text[1 << 16];
    int status = run_child(wrong, text, sizeof text);
    ok(status == 1, "%s: found (status %d)", name, status);
    ok(strstr(text, "differ after block 0001000f") != NULL, "%s: in the block that does it", name);
    if (field) ok(marked(text, field), "%s: %s is marked", name, field);
    if (says) ok(strstr(text, says) != NULL, "%s: \"%s\"", name, says);
    if (field && strcmp(field, "eax") != 0) ok(!marked(text, "eax"), "%s: and EAX is not", name);
    ok(strstr(text, "add ebx, eax") && strstr(text, "add.4") && strstr(text, "[0x20004]"),
       "%s: with the guest's code and the IR", name);
}

static void test_differences(void)
{
    char text[256];
    test_difference("a register", wrong_register, "eax", NULL);
    test_difference("a flag", wrong_flag, "arithmetic flags", NULL);
    test_difference("a flag of the system's", wrong_system_flag, "system flags", NULL);
    test_difference("the direction flag", wrong_direction, "direction", NULL);
    test_difference("EIP", wrong_eip, "eip", NULL);
    test_difference("a segment's limit", wrong_system, "fs.limit", NULL);
    test_difference("an x87 register", wrong_x87, "r3.mant", NULL);
    test_difference("a byte in a page that the block writes", wrong_byte, "ram+00020123", NULL);
    test_difference("a store to another page", stray_store, "ram+00030008", NULL);
    test_difference("one port read too many", one_read_more, NULL, "interp wants nothing, crooked port read 60");
    test_difference("one port write too many", one_write_more, NULL, "crooked port write 60 size 1 value 99");
    test_difference("an exception", exception, NULL, "interp completes, crooked raises an exception");
    static char long_text[1 << 16];
    ok(run_child(wrong_xmm, long_text, sizeof long_text) == 1 && strstr(long_text, "xmm6"), "an XMM register: found");
    ok(run_child(wrong_dead_flag, text, sizeof text) == 0, "a flag that nobody reads: no difference");
}

int main(void)
{

    if (backend_find("x86_64")) {
        test_agree();
        test_string();
        test_outside();
    } else {
        ok(true, "the portable backend and the native one agree # SKIP no native backend on this host");
    }
    test_differences();
    return tap_done();
}
