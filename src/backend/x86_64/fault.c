/* Host page faults of generated code.  An access through the window (softmmu/window.h) that the window does not have
 * mapped faults; the handler sends it to the access's cold code, where it takes the slow way.  That is
 * all the handler does: which instruction may fault, and where its cold code is, stands in a table that
 * grows with the code cache, in order of addresses. */
#include "backend/x86_64/emit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <asm/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "softmmu/window_global.h"

typedef struct FaultSite {
    const uint8_t *insn, *cold;
    unsigned in_vain; /* times that the page could not be mapped afterwards (device, code) */
} FaultSite;
enum { IN_VAIN_MAX = 3 }; /* one costs as much as a thousand checks */

static struct {
    FaultSite *site;
    size_t n, room;
    CPUState *cpu; /* whose code it is */
    struct sigaction before[2];
} faults;
static const int signals[2] = { SIGSEGV, SIGBUS };

/* Of the thread that runs generated code.  The handler must not look here: it may interrupt code whose FS is its own. */
static _Thread_local struct {
    uint8_t *gs;
    void *stack;
} here;

/* Index of the first site at this address or behind it. */
static size_t first_site(const uint8_t *insn)
{
    size_t lo = 0, hi = faults.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (faults.site[mid].insn < insn)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static FaultSite *find_site(const uint8_t *insn)
{
    size_t i = first_site(insn);
    return i < faults.n && faults.site[i].insn == insn ? &faults.site[i] : NULL;
}

/* Not ours: whoever was there before, or what would have happened without us. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
    const struct sigaction *old = &faults.before[sig == SIGBUS];
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(sig, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(sig);
    } else {
        signal(sig, SIG_DFL); /* the instruction runs again and brings it about */
    }
}

/* The last fault of a site did not get it its page: when that goes on, its block is better off with checks. */
static void note_in_vain(CPUState *cpu, FaultSite *site)
{
    if (!cpu->mmu.window_hopeless) return;
    cpu->mmu.window_hopeless = false;
    if (++site->in_vain % IN_VAIN_MAX) return; /* again, when the last request was lost to another site's */
    cpu->window_bad_pc = site->insn;
    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_RELAXED);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    FaultSite *site = find_site((const uint8_t *)uc->uc_mcontext.gregs[REG_RIP]);
    if (!site) {
        pass_on(sig, info, context);
        return;
    }
    note_in_vain(faults.cpu, site);
    Mmu *m = &faults.cpu->mmu;
    if (!window_global_faulted(m, (uintptr_t)info->si_addr) && !window_faulted(m))
        __atomic_store_n(&faults.cpu->exit_request, 1, __ATOMIC_RELAXED);
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)site->cold;
}

static void point_gs(void *opaque)
{
    const CPUState *cpu = opaque;
    uint8_t *base = window_base(&cpu->mmu);
    if (here.gs == base) return;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, base)) abort();
    here.gs = base;
}

bool fault_setup(CPUState *cpu, const char **error)
{
    static bool done;
    cpu->mmu.on_window_moved = point_gs;
    cpu->mmu.on_window_moved_opaque = cpu;
    if (done) return true;
    done = true;
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&sa.sa_mask);
    for (unsigned i = 0; i < 2; i++)
        if (sigaction(signals[i], &sa, &faults.before[i])) {
            *error = "no handler for page faults";
            return false;
        }
    return true;
}

void fault_thread(CPUState *cpu)
{
    faults.cpu = cpu;
    if (__builtin_expect(here.stack && here.gs == window_base(&cpu->mmu), 1)) return;
    if (!here.stack) { /* generated code runs on the return-address stack, which is no place for signal frames */
        enum { STACK = 64 << 10 };
        here.stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        stack_t ss = { .ss_sp = here.stack, .ss_size = STACK };
        if (here.stack == MAP_FAILED || sigaltstack(&ss, NULL)) abort();
    }
    point_gs(cpu);
}

void fault_forget(const uint8_t *code)
{
    while (faults.n && faults.site[faults.n - 1].insn >= code) faults.n--;
}

bool fault_note(const uint8_t *insn, const uint8_t *cold)
{
    if (faults.n == faults.room) {
        size_t room = faults.room ? 2 * faults.room : 4096;
        FaultSite *more = realloc(faults.site, room * sizeof *more);
        if (!more) return false;
        faults.site = more;
        faults.room = room;
    }
    faults.site[faults.n++] = (FaultSite){ insn, cold, 0 };
    return true;
}

bool fault_copy(const uint8_t *code, size_t size, ptrdiff_t shift, ptrdiff_t cold_shift)
{
    for (size_t i = first_site(code); i < faults.n && faults.site[i].insn < code + size; i++)
        if (!fault_note(faults.site[i].insn + shift, faults.site[i].cold + cold_shift)) return false;
    return true;
}
