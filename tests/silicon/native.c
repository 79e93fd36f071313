/* The host processor as the judge: in 32-bit mode, or in 64-bit mode where the host has no other.
 *
 * 32-bit code is entered by a far jump to Linux' own 32-bit code selector
 * (or to a descriptor of ours in the LDT) with all registers loaded, and left by the exception that ends the case:
 * the signal handler copies the registers from its frame and sends the process back to 64-bit code.  64-bit code
 * (long_mode.h) is entered by a near jump; there, where the guest's code would be, is INT3, so that a jump to an address that
 * was computed ends in the handler, which sends the process on to the instruction of that address.
 *
 * What needs care: RSP's upper half does not survive, so it is kept aside; loading FS destroys the base that the C
 * library's thread data is found by, so the first thing a handler does is to set it again; guest code may have left
 * AC, DF or NT set, which C code does not expect. */
#include "silicon.h"

#include <string.h>

#include "cpu/state.h"
#include "long_mode.h"

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
__attribute__((used)) uint64_t silicon_first;   /* what to jump to with all registers loaded */
__attribute__((used)) uint32_t silicon_resumes; /* the handler goes back to the case */

void silicon_far(void);
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
        "  jmp *silicon_first(%rip)\n"
        "silicon_far:\n"
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
        "  sub $8, %rsp\n  call silicon_record\n  add $8, %rsp\n"
        "  cmpl $0, silicon_resumes(%rip)\n  je 1f\n"
        "  mov $0x2b, %eax\n  mov %eax, %fs\n" /* base 0 again */
        "1: ret\n");

static Outcome *record;
static const Case *current;
static uint8_t *code_rw, *long_rw;
static bool long_mode;

bool native_long_mode(void)
{
    return long_mode;
}

/* --- 64-bit mode ---------------------------------------------------------------------------------------------- */

/* What ends otherwise: the case is not compared. */
enum { BEYOND_4G, INTO_OTHER_CODE, MISALIGNED_MASK, UNJUDGED };
static uint64_t unjudged[UNJUDGED];
static const char *const unjudged_why[UNJUDGED] = {
    [BEYOND_4G] = "an operand beyond the last address: a segment limit violation in 32-bit mode, another page here",
    [MISALIGNED_MASK] = "MXCSR.MM, which AMD's processors have (APM 1 4.2.2) and Calque's does not",
    [INTO_OTHER_CODE] = "a jump into an instruction, or into another case",
};

static void do_not_judge(unsigned why)
{
    unjudged[why]++;
    record->vector = VECTOR_UNJUDGED;
}

/* The INT3 of which the code area is full. */
static void breakpoint(greg_t *r)
{
    record->vector = EXC_BP;
    r[REG_TRAPNO] = EXC_BP;
    r[REG_RIP]++;
    r[REG_EFL] &= ~(greg_t)FL_RF;
}

/* The guest's code is there to be read, not to be run: true, the case goes on with its equal. */
static bool jumped_to_guest_code(greg_t *r)
{
    enum { FETCH = 1 << 4 };
    uint64_t offset = (uint64_t)r[REG_RIP] - CODE_BASE, inside = (uint64_t)r[REG_RIP] - current->code_at;
    if (r[REG_TRAPNO] != EXC_PF || !(r[REG_ERR] & FETCH) || offset >= CODE_SIZE) return false;
    uint32_t entry = inside < current->len ? long_mode_entry(current, (uint32_t)r[REG_RIP]) : 0;
    if (entry)
        r[REG_RIP] = entry;
    else if (code_rw[offset] == 0xcc)
        breakpoint(r);
    else
        do_not_judge(INTO_OTHER_CODE);
    return entry != 0;
}

/* FNSTENV knows the instruction pointer even where the frame does not. */
static uint32_t last_x87(const greg_t *r)
{
    uint32_t fip;
    if (current->fp && r[REG_TRAPNO] == EXC_BP && (uint64_t)r[REG_RIP] - LONG_BASE < LONG_SIZE) {
        memcpy(&fip, (const uint8_t *)(uintptr_t)LONG_X87 + 12, 4); /* SDM 1 figure 8-9 */
        if (fip) record->pointers |= KNOWS_FIP;
    } else {
        memcpy(&fip, record->s.fx + 8, 4);
    }
    return fip;
}

static void record_long_pointers(const greg_t *r)
{
    uint32_t fip = long_mode_eip(current, last_x87(r));
    uint16_t fop;
    memcpy(record->s.fx + 8, &fip, 4);
    memcpy(&fop, record->s.fx + 6, 2);
    fop = long_mode_fop(current, fip, fop);
    memcpy(record->s.fx + 6, &fop, 2);
}

/* In the guest's terms. */
static void record_long(const greg_t *r)
{
    uint64_t upper = 0;
    for (int i = REG_RDI; i <= REG_RIP; i++) upper |= (uint64_t)r[i] >> 32;
    record_long_pointers(r);
    record->s.eip = long_mode_eip(current, record->s.eip);
    if (record->s.seg[W_CS] == 0x33) record->s.seg[W_CS] = SEL_CODE;
    if (record->vector == EXC_PF && (uint64_t)r[REG_CR2] >= 0xfffff000u)
        do_not_judge(BEYOND_4G);
    else if (upper && record->vector < VECTOR_TIMEOUT)
        record->vector = VECTOR_WIDE;
}

void native_print_unjudged(void)
{
    for (unsigned i = 0; i < UNJUDGED; i++)
        if (unjudged[i]) printf("# %llu runs not compared: %s\n", (unsigned long long)unjudged[i], unjudged_why[i]);
}

/* --- the way back ---------------------------------------------------------------------------------------------- */

/* AMD's FXSAVE and XSAVE store x87's pointers only while an exception is pending (APM 2 11.4.4), so that they are 0 when another
 * process has run since; and each instruction sets all three, where Intel's set FOP and FDP with unmasked exceptions only. */
static uint8_t known_pointers(void)
{
    uint32_t fip;
    memcpy(&fip, record->s.fx + 8, 4);
    if (!__builtin_cpu_is("amd")) return KNOWS_FIP | KNOWS_OPERAND;
    if (!(record->s.fx[2] & 0x80) || !fip) return 0;
    return current->single ? KNOWS_FIP | KNOWS_OPERAND : KNOWS_FIP;
}

static void record_state(const ucontext_t *uc)
{
    static const uint8_t order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    const greg_t *r = uc->uc_mcontext.gregs;
    uint64_t segs = (uint64_t)r[REG_CSGSFS];
    for (unsigned i = 0; i < 8; i++) record->s.regs[i] = (uint32_t)r[order[i]];
    record->s.eip = (uint32_t)r[REG_RIP];
    record->s.eflags = (uint32_t)r[REG_EFL];
    memcpy(record->s.fx, uc->uc_mcontext.fpregs, sizeof record->s.fx);
    record->pointers = known_pointers();
    record->error = (uint32_t)r[REG_ERR];
    record->cr2 = (uint32_t)r[REG_CR2];
    record->s.seg[W_CS] = (uint16_t)segs;
    record->s.seg[W_SS] = (uint16_t)(segs >> 48);
    __asm__("mov %%es, %0" : "=r"(record->s.seg[W_ES]));
    __asm__("mov %%ds, %0" : "=r"(record->s.seg[W_DS]));
    __asm__("mov %%gs, %0" : "=r"(record->s.seg[W_GS]));
    record->s.seg[W_FS] = silicon_fs;
}

static void leave_guest(greg_t *r)
{
    void (*back)(void) = silicon_back;
    r[REG_RIP] = (greg_t)(uintptr_t)back;
    r[REG_RSP] = (greg_t)silicon_host_rsp;
    r[REG_EFL] = 0x202;
    r[REG_CSGSFS] = (greg_t)(((uint64_t)r[REG_CSGSFS] & 0x0000ffffffff0000u) | 0x33 | (uint64_t)0x2b << 48);
}

static void signal_outside(int sig, const greg_t *r)
{
    if (sig == SIGPROF) {
        guest_interrupt();
        return;
    }
    dprintf(STDERR_FILENO, "silicon: signal %d at %llx address %llx in case %lld on backend %s\n", sig,
            (unsigned long long)r[REG_RIP], (unsigned long long)r[REG_CR2], guest_case(), guest_case_backend());
    signal(sig, SIG_DFL); /* a mistake of the program itself: happens again, now for real */
}

__attribute__((used)) void silicon_record(int sig, siginfo_t *info, void *context);
void silicon_record(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *r = uc->uc_mcontext.gregs;
    (void)info;
    silicon_resumes = 0;
    if (!silicon_in_guest) {
        signal_outside(sig, r);
        return;
    }
    record->vector = sig == SIGPROF ? (uint32_t)VECTOR_TIMEOUT : (uint32_t)r[REG_TRAPNO];
    if (long_mode && sig != SIGPROF && jumped_to_guest_code(r)) {
        silicon_resumes = 1;
        return;
    }
    record_state(uc);
    if (long_mode) record_long(r);
    if (record->s.fx[26] & 2) do_not_judge(MISALIGNED_MASK);
    leave_guest(r);
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

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

static bool map_data(uint32_t at, size_t size)
{
    return map_fixed(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* To run at `at'; what is returned is to write to. */
static uint8_t *map_code(uint32_t at, size_t size)
{
    int fd = memfd_create("silicon-code", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size)) return NULL;
    uint8_t *rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (rw == MAP_FAILED) return NULL;
    memset(rw, 0xcc, size);
    bool good = map_fixed(at, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    close(fd);
    return good ? rw : NULL;
}

static bool map_memory(void)
{
    code_rw = map_code(CODE_BASE, CODE_SIZE);
    if (!code_rw || !map_data(DATA_BASE, DATA_SIZE) || !map_data(STACK_BASE, STACK_SIZE)) return false;
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
    while (f && n_own + 1 < sizeof own / sizeof *own && fgets(line, sizeof line, f)) {
        char *end;
        uint64_t lo = strtoull(line, &end, 16), hi = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
        if (lo < 0x100000000u && strncmp(end, " ---p", 5)) own[n_own].lo = lo, own[n_own++].hi = hi;
    }
    if (f) fclose(f);
}

static bool map_long_memory(void)
{
    own[n_own].lo = LONG_BASE, own[n_own++].hi = LONG_STACK + LONG_STACK_SIZE;
    long_rw = map_code(LONG_BASE, LONG_SIZE);
    if (!long_rw || !map_data(LONG_STACK, LONG_STACK_SIZE)) return false;
    return !mprotect((void *)(uintptr_t)CODE_BASE, CODE_SIZE, PROT_READ);
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
    void (*far)(void) = silicon_far;
    memory_restore(c, host_at, NULL);
    memset(o, 0, sizeof *o);
    record = o;
    current = c;
    silicon_first = long_mode ? long_mode_entry(c, c->in.eip) : (uint64_t)(uintptr_t)far;
    silicon_enter(&c->in);
}

/* Some hypervisors run no 32-bit code: the far jump to it raises #GP.  INT3, of which the code area is full, must come back
 * from where it was run, with the registers as they were. */
static bool runs_code(void)
{
    static Case c = { .code_at = CODE_BASE, .in = { .fx = { 0x7f, 0x03, [24] = 0x80, 0x1f }, .eflags = 0x202 } };
    static Outcome o;
    for (uint32_t i = 0; i < 8; i++) c.in.regs[i] = STACK_BASE + i;
    for (unsigned i = 0; i < 6; i++) c.in.seg[i] = i == W_CS ? SEL_CODE : SEL_DATA;
    c.in.eip = CODE_BASE;
    if (long_mode) long_mode_lay_out(&c, 1, long_rw);
    native_run(&c, &o);
    return o.vector == EXC_BP && o.s.eip == CODE_BASE + 1 && !memcmp(o.s.regs, c.in.regs, sizeof o.s.regs);
}

bool native_init(bool want_long_mode, const char **why)
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
    if (!want_long_mode && runs_code()) return true;
    long_mode = true;
    if (!map_long_memory() || !runs_code()) {
        *why = "neither 32-bit code nor its equal in 64-bit mode runs on this host";
        return false;
    }
    return true;
}

uint8_t *native_mem(uint32_t lin)
{
    return host_at(NULL, lin);
}
void native_write_code(const uint8_t *code, const Case *cases, unsigned n)
{
    memcpy(code_rw, code, CODE_SIZE);
    if (long_mode) long_mode_lay_out(cases, n, long_rw);
}

#else
bool native_init(bool want_long_mode, const char **why)
{
    (void)want_long_mode;
    *why = "the host is not an x86-64 Linux machine";
    return false;
}
bool native_long_mode(void)
{
    return false;
}
void native_write_code(const uint8_t *code, const Case *cases, unsigned n)
{
    (void)code, (void)cases, (void)n;
}
void native_print_unjudged(void) {}
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
