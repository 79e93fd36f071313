/* /init of the boot test: no C library, so that any compiler with -m32 builds it.  Leans on what a
 * translator gets wrong first (processes, copy-on-write, signals, pipes, x87 and SSE state across task
 * switches, code that writes code), one "GUEST ok" line each, and powers off. */
typedef unsigned u32;
typedef int i32;

enum {
    SYS_exit = 1,
    SYS_fork = 2,
    SYS_read = 3,
    SYS_write = 4,
    SYS_waitpid = 7,
    SYS_getpid = 20,
    SYS_pipe = 42,
    SYS_reboot = 88,
    SYS_munmap = 91,
    SYS_sched_yield = 158,
    SYS_rt_sigaction = 174,
    SYS_mmap2 = 192,
};

static i32 sys(i32 n, u32 a, u32 b, u32 c)
{
    i32 r;
    __asm__ volatile("int $0x80" : "=a"(r) : "0"(n), "b"(a), "c"(b), "d"(c) : "memory", "cc");
    return r;
}

/* Six arguments: the sixth is in EBP, which the compiler may need itself. */
static i32 sys_mmap(u32 size, u32 prot)
{
    i32 r;
    __asm__ volatile("push %%ebp\n\txor %%ebp, %%ebp\n\tint $0x80\n\tpop %%ebp"
                     : "=a"(r)
                     : "0"(SYS_mmap2), "b"(0), "c"(size), "d"(prot), "S"(0x22), "D"(-1)
                     : "memory", "cc");
    return r;
}

static u32 length(const char *s)
{
    u32 n = 0;
    while (s[n]) n++;
    return n;
}

static u32 failures;
static void report(int good, const char *what)
{
    char line[80];
    u32 n = 0;
    const char *head = good ? "GUEST ok - " : "GUEST not ok - ";
    for (u32 i = 0; head[i]; i++) line[n++] = head[i];
    for (u32 i = 0; what[i] && n < sizeof line - 1; i++) line[n++] = what[i];
    line[n++] = '\n';
    sys(SYS_write, 1, (u32)line, n);
    failures += !good;
}

/* A child's exit status from its argument, through memory it shares copy-on-write with its parent. */
static volatile u32 cow[4096];
static int test_fork(void)
{
    int good = 1;
    for (u32 i = 0; i < 4096; i++) cow[i] = i;
    for (u32 child = 1; child <= 20; child++) {
        i32 pid = sys(SYS_fork, 0, 0, 0);
        if (pid == 0) {
            u32 sum = 0;
            for (u32 i = 0; i < 4096; i++) sum += cow[i] += child;
            sys(SYS_exit, (sum == 4095u * 2048 + 4096 * child) ? child : 99, 0, 0);
        }
        i32 status = 0;
        good &= sys(SYS_waitpid, (u32)pid, (u32)&status, 0) == pid && status == (i32)(child << 8);
    }
    for (u32 i = 0; i < 4096; i++) good &= cow[i] == i;
    return good;
}

/* Two processes take turns, each with a sum of its own on the x87 stack and in an XMM register. */
static int fpu_turn(int in, int out, double step, u32 turns)
{
    double x87 = 0;
    float xmm = 0, fstep = (float)step;
    char token = 0;
    __asm__ volatile("fldz\n\txorps %%xmm3, %%xmm3" ::: "xmm3", "st");
    for (u32 i = 0; i < turns; i++) {
        if (sys(SYS_read, (u32)in, (u32)&token, 1) != 1) return 0;
        __asm__ volatile("faddl %0\n\taddss %1, %%xmm3" ::"m"(step), "m"(fstep) : "xmm3");
        sys(SYS_write, (u32)out, (u32)&token, 1);
    }
    __asm__ volatile("fstpl %0\n\tmovss %%xmm3, %1" : "=m"(x87), "=m"(xmm)::"xmm3");
    return x87 == step * turns && xmm == fstep * (float)turns;
}

static int test_fpu_switch(void)
{
    enum { TURNS = 200 };
    i32 a[2], b[2], status = 0;
    char token = 't';
    if (sys(SYS_pipe, (u32)a, 0, 0) || sys(SYS_pipe, (u32)b, 0, 0)) return 0;
    i32 pid = sys(SYS_fork, 0, 0, 0);
    if (pid == 0) sys(SYS_exit, fpu_turn(a[0], b[1], 0.5, TURNS) ? 5 : 6, 0, 0);
    sys(SYS_write, (u32)a[1], (u32)&token, 1);
    int good = fpu_turn(b[0], a[1], 0.25, TURNS);
    sys(SYS_waitpid, (u32)pid, (u32)&status, 0);
    return good && status == 5 << 8;
}

/* mov $imm, %eax; ret, with the immediate written anew each time, and right in front of the call. */
static int test_self_modifying(void)
{
    unsigned char *code = (unsigned char *)sys_mmap(4096, 7);
    if ((u32)code > 0xfffff000u) return 0;
    code[0] = 0xb8;
    code[5] = 0xc3;
    int good = 1;
    for (u32 i = 0; i < 2000; i++) {
        *(u32 __attribute__((may_alias)) *)(code + 1) = i * 2654435761u;
        good &= ((u32(*)(void))code)() == i * 2654435761u;
    }
    return good && sys(SYS_munmap, (u32)code, 4096, 0) == 0;
}

/* Exceptions as signals: which, the address, and the instruction, which the handler steps over. */
static volatile u32 seen_signal, seen_address, seen_eip, skip_bytes;
static void on_signal(i32 signal, u32 *info, u32 *context)
{
    enum { INFO_ADDRESS = 3, CONTEXT_EIP = 5 + 14 };
    seen_signal = (u32)signal;
    seen_address = info[INFO_ADDRESS];
    seen_eip = context[CONTEXT_EIP];
    context[CONTEXT_EIP] += skip_bytes;
}

__asm__("signal_return:\n\tmov $173, %eax\n\tint $0x80\n"); /* rt_sigreturn */
void signal_return(void);

static int catch (u32 signal)
{
    enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_NODEFER = 0x40000000 };
    const u32 action[5] = { (u32)on_signal, SA_SIGINFO | SA_RESTORER | SA_NODEFER, (u32)signal_return, 0, 0 };
    i32 r;
    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "0"(SYS_rt_sigaction), "b"(signal), "c"(action), "d"(0), "S"(8)
                     : "memory", "cc");
    return r == 0;
}

static int test_signals(void)
{
    enum { SIGILL = 4, SIGTRAP = 5, SIGFPE = 8, SIGSEGV = 11 };
    u32 at;
    int good = catch (SIGILL) && catch (SIGTRAP) && catch (SIGFPE) && catch (SIGSEGV);
    for (u32 i = 0; good && i < 50; i++) {
        skip_bytes = 2;
        __asm__ volatile("movl $1f, %0\n1:\tmovl %%eax, (%%ecx)" : "=m"(at) : "c"(0x1230 + 4 * i) : "memory");
        good &= seen_signal == SIGSEGV && seen_address == 0x1230 + 4 * i && seen_eip == at;
        __asm__ volatile("movl $1f, %0\n1:\tdivl %%ecx" : "=m"(at) : "a"(1), "d"(0), "c"(0) : "memory");
        good &= seen_signal == SIGFPE && seen_eip == at;
        __asm__ volatile("movl $1f, %0\n1:\tud2" : "=m"(at)::"memory");
        good &= seen_signal == SIGILL && seen_eip == at;
        skip_bytes = 0;
        __asm__ volatile("movl $1f, %0\n\tint3\n1:" : "=m"(at)::"memory");
        good &= seen_signal == SIGTRAP && seen_eip == at;
    }
    return good;
}

static int test_memory(void)
{
    enum { SIZE = 16 << 20 };
    u32 *p = (u32 *)sys_mmap(SIZE, 3), seed = 1;
    if ((u32)p > 0xfffff000u) return 0;
    for (u32 i = 0; i < SIZE / 4; i++) p[i] = seed = seed * 1664525 + 1013904223;
    seed = 1;
    for (u32 i = 0; i < SIZE / 4; i++) {
        seed = seed * 1664525 + 1013904223;
        if (p[i] != seed) return 0;
    }
    return sys(SYS_munmap, (u32)p, SIZE, 0) == 0;
}

__attribute__((used, noreturn)) static void start(void)
{
    static const char begin[] = "GUEST-BEGIN\n", end[] = "GUEST-END\n";
    sys(SYS_write, 1, (u32)begin, length(begin));
    report(sys(SYS_getpid, 0, 0, 0) == 1, "init is process 1");
    report(test_fork(), "fork, copy-on-write, wait");
    report(test_fpu_switch(), "x87 and SSE state across task switches");
    report(test_self_modifying(), "code that is written and run in turn");
    report(test_memory(), "16 MiB written and read");
    report(test_signals(), "exceptions as signals");
    if (!failures) sys(SYS_write, 1, (u32)end, length(end));
    sys(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc); /* power off */
    for (;;) sys(SYS_sched_yield, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tand $-16, %esp\n\tcall start\n");
