/* The signal carries the Sampler's address, so that several can run.  Generated code has a stack of its own: the handler runs
 * on the thread's alternate one where it has set one up. */
#include "util/sampler.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "util/host_time.h"

#ifdef __linux__

static const void *interrupted_at(const void *context)
{
#ifdef __x86_64__
    const ucontext_t *uc = context;
    return (const void *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
#else
    (void)context;
    return NULL;
#endif
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    if (info->si_code != SI_TIMER) return;
    const Sampler *s = info->si_value.sival_ptr;
    if (s->running) s->fn(s->opaque, interrupted_at(context));
}

bool sampler_start(Sampler *s, clockid_t clock, uint64_t interval_ns)
{
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
    struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF, .sigev_value.sival_ptr = s };
    const struct itimerspec every = { host_timespec(interval_ns), host_timespec(interval_ns) };
    sigset_t set;
    ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigemptyset(&sa.sa_mask);
    sigemptyset(&set);
    sigaddset(&set, SIGPROF);
    if (sigaction(SIGPROF, &sa, NULL) || timer_create(clock, &ev, &s->timer)) return false;
    s->running = true;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    timer_settime(s->timer, 0, &every, NULL);
    return true;
}

/* A signal that is under way finds the Sampler, which must still be there, not running. */
void sampler_stop(Sampler *s)
{
    if (!s->running) return;
    s->running = false;
    timer_delete(s->timer);
}

#else

bool sampler_start(Sampler *s, clockid_t clock, uint64_t interval_ns)
{
    (void)s, (void)clock, (void)interval_ns;
    return false;
}

void sampler_stop(Sampler *s)
{
    (void)s;
}

#endif
