/* util/sampler.h: a thread that computes is sampled where it computes, two samplers at once, and none after they have stopped. */
#include <signal.h>
#include <unistd.h>

#include "../tap.h"
#include "util/host_time.h"
#include "util/sampler.h"

typedef struct Seen {
    volatile unsigned n, here;
} Seen;

static volatile uint64_t work;

static __attribute__((noinline)) void compute(void)
{
    for (unsigned i = 0; i < 1000000; i++) work += i;
}

static void note(void *opaque, const void *pc)
{
    Seen *seen = opaque;
    uintptr_t at = (uintptr_t)pc - (uintptr_t)compute;
    seen->n++;
    if (at < 4096) seen->here++;
}

int main(void)
{
    enum { ENOUGH = 20, SECONDS = 30 };
    static Seen cpu, clock;
    static Sampler by_cpu = { .fn = note, .opaque = &cpu }, by_clock = { .fn = note, .opaque = &clock };
    if (!sampler_start(&by_cpu, CLOCK_THREAD_CPUTIME_ID, 1000000)) {
        printf("1..0 # SKIP no timers of a thread here\n");
        return 0;
    }
    ok(sampler_start(&by_clock, CLOCK_MONOTONIC, 1000000), "a second one");
    uint64_t end = host_ns() + SECONDS * UINT64_C(1000000000);
    while ((cpu.n < ENOUGH || clock.n < ENOUGH) && host_ns() < end) compute();
    ok(cpu.n >= ENOUGH && clock.n >= ENOUGH, "both sample: %u and %u times", cpu.n, clock.n);
#ifdef __x86_64__
    ok(cpu.here > cpu.n / 2, "most where the time goes: %u", cpu.here);
#endif
    sampler_stop(&by_cpu);
    sampler_stop(&by_clock);
    unsigned before = cpu.n + clock.n;
    for (int i = 0; i < 20; i++) compute();
    ok(cpu.n + clock.n == before, "not after they have stopped");
    return tap_done();
}
