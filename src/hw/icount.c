#include "hw/icount.h"

#include <stdlib.h>

#include "hw/alloc.h"

/* What a disk takes for a request, whatever the host's takes: about what a solid-state disk does. */
enum { LATER_NS = 100000 };

typedef struct Later {
    struct Later *next;
    uint64_t at;
    void (*fn)(void *opaque);
    void *opaque;
} Later;

struct Icount {
    Machine *machine;
    CPUState *cpu;
    IcountConfig cfg;
    uint64_t skipped; /* ns */
    uint64_t random;
    Timer *timer; /* for the first of: */
    Later *first, **last;
};

uint64_t icount_now(void *icount)
{
    const Icount *ic = icount;
    return (cpu_insns(ic->cpu) << ic->cfg.shift) + ic->skipped;
}

uint64_t icount_until(const Icount *ic, uint64_t deadline)
{
    uint64_t now = clock_now(ic->machine), ns = deadline > now ? deadline - now : 0, whole = ns >> ic->cfg.shift;
    return whole + ((whole << ic->cfg.shift) != ns);
}

bool icount_sleeps(const Icount *ic)
{
    return ic->cfg.sleep;
}

void icount_skip(Icount *ic, uint64_t ns)
{
    ic->skipped += ns;
}

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static bool random_bits(void *opaque, uint32_t *value)
{
    Icount *ic = opaque;
    uint64_t z = ic->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    *value = (uint32_t)((z ^ z >> 31) >> 32);
    return true;
}

static void arm(Icount *ic)
{
    if (ic->first) timer_set(ic->timer, ic->first->at);
}

static void on_timer(void *opaque)
{
    Icount *ic = opaque;
    uint64_t now = clock_now(ic->machine);
    for (Later *l; (l = ic->first) && l->at <= now;) {
        ic->first = l->next;
        if (!ic->first) ic->last = &ic->first;
        l->fn(l->opaque);
        free(l);
    }
    arm(ic);
}

void icount_later(Icount *ic, void (*fn)(void *opaque), void *opaque)
{
    Later *l = hw_alloc(sizeof *l);
    *l = (Later){ .at = clock_now(ic->machine) + LATER_NS, .fn = fn, .opaque = opaque };
    *ic->last = l;
    ic->last = &l->next;
    arm(ic);
}

Icount *icount_new(Machine *m, const IcountConfig *cfg)
{
    Icount *ic = hw_alloc(sizeof *ic);
    *ic = (Icount){ .machine = m, .cpu = machine_cpu(m), .cfg = *cfg };
    ic->last = &ic->first;
    ic->timer = timer_new(m, on_timer, ic);
    ic->cpu->random = random_bits;
    ic->cpu->random_opaque = ic;
    return ic;
}

void icount_free(Icount *ic)
{
    if (!ic) return;
    timer_free(ic->timer);
    for (Later *l; (l = ic->first);) {
        ic->first = l->next;
        free(l);
    }
    free(ic);
}
