/* The local APIC's timer, SDM 3A 11.5.4.  As with the 8254 nothing is stepped: what the counter shows is
 * worked out from the time at which it was loaded, and the host is asked to wake the machine only for
 * an interrupt that is not masked. */
#include "cpu/cpuid.h"
#include "hw/lapic_int.h"
#include "hw/timer_heap.h"

/* Shorter periods are served in groups, to bound what a guest can make the host do. */
#define MIN_PERIOD_NS 20000u
_Static_assert(LAPIC_TIMER_HZ == 1000000000u, "one count of the undivided clock is one nanosecond");

static unsigned divide_shift(const Lapic *l)
{
    return ((l->divide & 3) + (l->divide >> 1 & 4) + 1) & 7;
}
static uint64_t now_ns(const Lapic *l)
{
    return clock_now(l->machine);
}
/* Counts since it was loaded.  start may be "before 0": differences are right all the same. */
static uint64_t elapsed(const Lapic *l, uint64_t now)
{
    return (now - l->start) >> divide_shift(l);
}
static uint64_t count_ns(const Lapic *l)
{
    return (uint64_t)l->initial_count << divide_shift(l);
}
static uint64_t tsc_at(const Lapic *l, uint64_t now)
{
    return now * CPU_TSC_PER_NS + l->cpu->tsc_offset;
}
static bool masked(const Lapic *l)
{
    return l->lvt[LVT_TIMER] & LVT_MASKED;
}

static bool tick_waits(const Lapic *l)
{
    return lapic_test(l->irr, l->lvt[LVT_TIMER] & LVT_VECTOR);
}

/* When the host is to wake us. */
static uint64_t wake_time(const Lapic *l, uint64_t now)
{
    if (masked(l)) return TIMER_NEVER;
    switch (lapic_timer_mode(l)) {
    case TIMER_TSC_DEADLINE: {
        uint64_t tsc = tsc_at(l, now);
        if (!l->tsc_deadline) return TIMER_NEVER;
        return l->tsc_deadline > tsc ? now + (l->tsc_deadline - tsc + CPU_TSC_PER_NS - 1) / CPU_TSC_PER_NS : now;
    }
    case TIMER_ONE_SHOT: return l->counting ? l->start + count_ns(l) : TIMER_NEVER;
    case TIMER_PERIODIC: {
        if (!l->counting) return TIMER_NEVER;
        uint64_t period = count_ns(l), when = l->start + period;
        if (l->backlog && !tick_waits(l) && now + period / 4 < when) when = now + period / 4;
        return (int64_t)(when - now) < MIN_PERIOD_NS ? now + MIN_PERIOD_NS : when;
    }
    default: return TIMER_NEVER; /* mode 3 is reserved */
    }
}

void lapic_timer_rearm(Lapic *l)
{
    uint64_t when = wake_time(l, now_ns(l));
    if (when == TIMER_NEVER)
        timer_cancel(l->timer);
    else
        timer_set(l->timer, when);
}

/* Brings the state up to now; how often the counter came to 0 (or the deadline was reached) since. */
static uint64_t settle(Lapic *l, uint64_t now)
{
    uint64_t n = 0;
    switch (lapic_timer_mode(l)) {
    case TIMER_TSC_DEADLINE:
        if (l->tsc_deadline && tsc_at(l, now) >= l->tsc_deadline) {
            l->tsc_deadline = 0;
            n = 1;
        }
        break;
    case TIMER_ONE_SHOT:
        if (l->counting && elapsed(l, now) >= l->initial_count) {
            l->counting = false;
            n = 1;
        }
        break;
    case TIMER_PERIODIC:
        if (l->counting) {
            n = elapsed(l, now) / l->initial_count;
            l->start += n * count_ns(l);
        }
        break;
    }
    return n;
}

static void save_up(Lapic *l, uint64_t lost)
{
    uint64_t room = LAPIC_CATCH_UP_NS / count_ns(l) + 1;
    l->backlog = (uint32_t)(l->backlog + lost < room ? l->backlog + lost : room);
}

/* What has come due by now, whether or not the host has woken us for it. */
static uint64_t take_due(Lapic *l)
{
    bool waits = tick_waits(l);
    uint64_t n = settle(l, now_ns(l));
    if (!n || masked(l)) return n;
    if (lapic_timer_mode(l) == TIMER_PERIODIC) save_up(l, n - 1 + waits);
    lapic_accept(l, l->lvt[LVT_TIMER] & LVT_VECTOR, false);
    return n;
}

void lapic_timer_fired(void *opaque)
{
    Lapic *l = opaque;
    if (!take_due(l) && l->backlog && !tick_waits(l)) {
        l->backlog--;
        lapic_accept(l, l->lvt[LVT_TIMER] & LVT_VECTOR, false);
    }
    lapic_timer_rearm(l);
}

/* "Moving the timer mode to or from TSC-deadline disarms the timer"; between the others it goes on. */
void lapic_timer_set_lvt(Lapic *l, uint32_t lvt)
{
    unsigned before = lapic_timer_mode(l);
    if (!(l->cpu->feat_1_ecx & CPUID_TSC_DEADLINE)) lvt &= ~(2u << LVT_TIMER_MODE_SHIFT);
    take_due(l);
    l->lvt[LVT_TIMER] = lvt;
    if (lapic_timer_mode(l) != before || masked(l)) l->backlog = 0;
    if ((lapic_timer_mode(l) ^ before) & TIMER_TSC_DEADLINE) {
        l->tsc_deadline = 0;
        l->counting = false;
    }
    lapic_timer_rearm(l);
}

void lapic_timer_set_initial(Lapic *l, uint32_t count)
{
    if (lapic_timer_mode(l) & TIMER_TSC_DEADLINE) return;
    l->initial_count = count;
    l->counting = count != 0;
    l->start = now_ns(l);
    l->backlog = 0;
    lapic_timer_rearm(l);
}

/* The count goes on from where it is, at the new rate. */
void lapic_timer_set_divide(Lapic *l, uint32_t divide)
{
    take_due(l);
    uint64_t now = now_ns(l), counts = elapsed(l, now);
    l->divide = divide;
    if (l->counting) l->start = now - (counts << divide_shift(l));
    lapic_timer_rearm(l);
}

uint32_t lapic_timer_current(Lapic *l)
{
    if (lapic_timer_mode(l) & TIMER_TSC_DEADLINE || !l->counting) return 0;
    uint64_t e = elapsed(l, now_ns(l));
    if (lapic_timer_mode(l) == TIMER_PERIODIC) e %= l->initial_count;
    return e < l->initial_count ? l->initial_count - (uint32_t)e : 0;
}

/* In the other modes the MSR reads as 0 and ignores writes. */
uint64_t lapic_timer_deadline(Lapic *l)
{
    return l->tsc_deadline && tsc_at(l, now_ns(l)) < l->tsc_deadline ? l->tsc_deadline : 0;
}

void lapic_timer_set_deadline(Lapic *l, uint64_t tsc)
{
    if (lapic_timer_mode(l) != TIMER_TSC_DEADLINE) return;
    l->tsc_deadline = tsc;
    lapic_timer_rearm(l);
}
