/* The host processor as the judge.  32-bit code is entered by a far jump to Linux' own 32-bit code selector
 * (or to a descriptor of ours in the LDT) with all registers loaded, and left by the exception that ends the case:
 * the signal handler copies the registers from its frame and sends the process back to 64-bit code.
 *
 * What needs care: RSP's upper half does not survive, so it is kept aside; loading FS destroys the base that the C
 * library's thread data is found by, so the first thing a handler does is to set it again; guest code may have left
 * AC, DF or NT set, which C code does not expect. */
#include "silicon.h"

#include <string.h>

#include "cpu/state.h"

#if defined(__x86_64__) && defined(__linux__)
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <unistd.h>

/* Used by the assembly below by name. */
__attribute__((used)) uint64_t silicon_host_rsp, silicon_host_fs;
__attribute__((used)) uint32_t silicon_mxcsr = 0x1f80;
__attribute__((used)) struct {
    uint32_t offset;
    uint16_t selector;
} silicon_target;
__attribute__((used)) volatile uint32_t silicon_in_guest;
__attribute__((used)) uint16_t silicon_fs;

void silicon_enter(const State *s);
void silicon_back(void);
void silicon_signal(int sig, siginfo_t *info, void *context);

/* State: fx 0, regs 512, eip 544, eflags 548, seg 552 (ES CS SS DS FS GS). */
_Static_assert(offsetof(State, regs) == 512 && offsetof(State, eflags) == 548 && offsetof(State, seg) == 552, "asm");
__asm__(".text\n"
        "silicon_enter:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rsp, silicon_host_rsp(%rip)\n"
        "  fxrstor (%rdi)\n"
        "  mov 544(%rdi), %eax\n  mov %eax, silicon_target(%rip)\n"
        "  movw 554(%rdi), %ax\n  movw %ax, silicon_target+4(%rip)\n"
        "  movl $1, silicon_in_guest(%rip)\n"
        "  movw 552(%rdi), %ax\n  mov %eax, %es\n"
        "  movw 558(%rdi), %ax\n  mov %eax, %ds\n"
        "  movw 560(%rdi), %ax\n  mov %eax, %fs\n"
        "  movw 562(%rdi), %ax\n  mov %eax, %gs\n"
        "  mov 548(%rdi), %eax\n  push %rax\n  popfq\n" /* from here on no flag changes; AC may be set: all aligned */
        "  movw 556(%rdi), %ax\n  mov %eax, %ss\n"
        "  mov 512(%rdi), %eax\n  mov 516(%rdi), %ecx\n  mov 520(%rdi), %edx\n  mov 524(%rdi), %ebx\n"
        "  mov 528(%rdi), %esp\n  mov 532(%rdi), %ebp\n  mov 536(%rdi), %esi\n  mov 540(%rdi), %edi\n"
        "  ljmp *silicon_target(%rip)\n"
        "silicon_back:\n"
        "  movl $0, silicon_in_guest(%rip)\n"
        "  mov silicon_host_rsp(%rip), %rsp\n"
        "  mov $0x2b, %eax\n  mov %eax, %ss\n"
        "  push $0x202\n  popfq\n"
        "  fninit\n  ldmxcsr silicon_mxcsr(%rip)\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n  ret\n"
        "silicon_signal:\n"
        "  pushfq\n  andq $~0x44500, (%rsp)\n  popfq\n  cld\n"
        "  push %rdi\n  push %rsi\n  push %rdx\n"
        "  mov %fs, %eax\n  movw %ax, silicon_fs(%rip)\n"
        "  mov $158, %eax\n  mov $0x1002, %edi\n  mov silicon_host_fs(%rip), %rsi\n  syscall\n"
        "  pop %rdx\n  pop %rsi\n  pop %rdi\n"
        "  jmp silicon_record\n");

static Outcome *record;
static uint8_t *code_rw;

__attribute__((used)) void silicon_record(int sig, siginfo_t *info, void *context);
void silicon_record(int sig, siginfo_t *info, void *context)
{
    static const uint8_t order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    ucontext_t *uc = context;
    greg_t *r = uc->uc_mcontext.gregs;
    (void)info;
    if (!silicon_in_guest) {
        if (sig == SIGPROF) {
            guest_interrupt();
            return;
        }
        dprintf(STDERR_FILENO, "silicon: signal %d at %llx address %llx in case %lld on backend %s\n", sig,
                (unsigned long long)r[REG_RIP], (unsigned long long)r[REG_CR2], guest_case(), guest_case_backend());
        signal(sig, SIG_DFL); /* a mistake of the program itself: happens again, now for real */
        return;
    }
    for (unsigned i = 0; i < 8; i++) record->s.regs[i] = (uint32_t)r[order[i]];
    record->s.eip = (uint32_t)r[REG_RIP];
    record->s.eflags = (uint32_t)r[REG_EFL];
    memcpy(record->s.fx, uc->uc_mcontext.fpregs, sizeof record->s.fx);
    record->vector = sig == SIGPROF ? (uint32_t)VECTOR_TIMEOUT : (uint32_t)r[REG_TRAPNO];
    record->error = (uint32_t)r[REG_ERR];
    record->cr2 = (uint32_t)r[REG_CR2];
    uint64_t segs = (uint64_t)r[REG_CSGSFS];
    record->s.seg[W_CS] = (uint16_t)segs;
    record->s.seg[W_SS] = (uint16_t)(segs >> 48);
    __asm__("mov %%es, %0" : "=r"(record->s.seg[W_ES]));
    __asm__("mov %%ds, %0" : "=r"(record->s.seg[W_DS]));
    __asm__("mov %%gs, %0" : "=r"(record->s.seg[W_GS]));
    record->s.seg[W_FS] = silicon_fs;
    void (*back)(void) = silicon_back;
    r[REG_RIP] = (greg_t)(uintptr_t)back;
    r[REG_RSP] = (greg_t)silicon_host_rsp;
    r[REG_EFL] = 0x202;
    r[REG_CSGSFS] = (greg_t)((segs & 0x0000ffffffff0000u) | 0x33 | (uint64_t)0x2b << 48);
}

static bool map_fixed(uint32_t at, size_t size, int prot, int flags, int fd)
{
    void *want = (void *)(uintptr_t)at;
    void *got = mmap(want, size, prot, flags | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0);
    if (got == MAP_FAILED) return false;
    if (got != want) { /* a kernel that does not know the flag */
        munmap(got, size);
        return false;
    }
    mlock(got, size);
    return true;
}

static bool map_memory(void)
{
    int fd = memfd_create("silicon-code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, CODE_SIZE)) return false;
    code_rw = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (code_rw == MAP_FAILED) return false;
    memset(code_rw, 0xcc, CODE_SIZE);
    bool good = map_fixed(CODE_BASE, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd) &&
                map_fixed(DATA_BASE, DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1) &&
                map_fixed(STACK_BASE, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    close(fd);
    if (!good) return false;
    memory_template((uint8_t *)(uintptr_t)DATA_BASE, (uint8_t *)(uintptr_t)STACK_BASE);
    return !mprotect((void *)(uintptr_t)(DATA_BASE + DATA_RW), DATA_SIZE - DATA_RW, PROT_READ);
}

static bool set_ldt(void)
{
    for (unsigned i = 0; i < LDT_COUNT; i++) {
        const LdtEntry *e = &ldt_entries[i];
        struct user_desc d = { .entry_number = i,
                               .base_addr = e->base,
                               .limit = e->limit,
                               .seg_32bit = e->big,
                               .contents = e->contents,
                               .read_exec_only = e->protect,
                               .seg_not_present = e->absent };
        if (syscall(SYS_modify_ldt, 1, &d, sizeof d)) return false;
    }
    return true;
}

static void set_handlers(void)
{
    static const int signals[] = { SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS, SIGPROF };
    static uint8_t stack[256 * 1024];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
    sigaltstack(&ss, NULL);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction sa = { .sa_sigaction = silicon_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
        sigfillset(&sa.sa_mask);
        sigaction(signals[i], &sa, NULL);
    }
}

/* Whatever of the program itself lies below 4 GiB (a sanitizer's shadow, say). */
static struct {
    uint64_t lo, hi;
} own[64];
static unsigned n_own;

static void find_own(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    while (f && n_own < sizeof own / sizeof *own && fgets(line, sizeof line, f)) {
        char *end;
        uint64_t lo = strtoull(line, &end, 16), hi = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
        if (lo < 0x100000000u && strncmp(end, " ---p", 5)) own[n_own].lo = lo, own[n_own++].hi = hi;
    }
    if (f) fclose(f);
}

bool native_is_known(void)
{
    return __builtin_cpu_is("intel") || __builtin_cpu_is("amd");
}

bool native_has_at(uint32_t lin)
{
    for (unsigned i = 0; i < n_own; i++)
        if (lin + 64ull >= own[i].lo && lin < own[i].hi + 64) return true;
    return false;
}

static uint8_t *host_at(void *opaque, uint32_t lin)
{
    (void)opaque;
    return (uint8_t *)(uintptr_t)lin;
}

void native_run(const Case *c, Outcome *o)
{
    memory_restore(c, host_at, NULL);
    memset(o, 0, sizeof *o);
    record = o;
    silicon_enter(&c->in);
}

/* Some hypervisors run no 32-bit code: the far jump to it raises #GP.  INT3, of which the code area is full, must come back
 * from where it was run, with the registers as they were. */
static bool runs_32_bit_code(void)
{
    static Case c = { .in = { .fx = { 0x7f, 0x03, [24] = 0x80, 0x1f }, .eflags = 0x202 } };
    static Outcome o;
    for (uint32_t i = 0; i < 8; i++) c.in.regs[i] = STACK_BASE + i;
    for (unsigned i = 0; i < 6; i++) c.in.seg[i] = i == W_CS ? SEL_CODE : SEL_DATA;
    c.in.eip = CODE_BASE;
    native_run(&c, &o);
    return o.vector == EXC_BP && o.s.eip == CODE_BASE + 1 && !memcmp(o.s.regs, c.in.regs, sizeof o.s.regs);
}

bool native_init(const char **why)
{
    if (syscall(SYS_arch_prctl, ARCH_GET_FS, &silicon_host_fs)) {
        *why = "arch_prctl does not work here";
        return false;
    }
    find_own();
    if (!map_memory()) {
        *why = "cannot map memory at the addresses needed";
        return false;
    }
    if (!set_ldt()) {
        *why = "modify_ldt is not available";
        return false;
    }
    set_handlers();
    if (!runs_32_bit_code()) {
        *why = "32-bit code does not run on this host";
        return false;
    }
    return true;
}

uint8_t *native_mem(uint32_t lin)
{
    return host_at(NULL, lin);
}
void native_write_code(uint32_t offset, const uint8_t *p, uint32_t n)
{
    memcpy(code_rw + offset, p, n);
}

#else
bool native_init(const char **why)
{
    *why = "the host is not an x86-64 Linux machine";
    return false;
}
void native_write_code(uint32_t offset, const uint8_t *p, uint32_t n)
{
    (void)offset, (void)p, (void)n;
}
void native_run(const Case *c, Outcome *o)
{
    (void)c;
    memset(o, 0, sizeof *o);
}
uint8_t *native_mem(uint32_t lin)
{
    (void)lin;
    return NULL;
}
bool native_is_known(void)
{
    return false;
}
bool native_has_at(uint32_t lin)
{
    (void)lin;
    return true;
}
#endif
