/* A sample is the time that the speaker's input is high within the sample's own interval, worked out exactly: a square wave of
 * any frequency comes out without the false tones that looking at its level at a sample's instant would
 * give, and programs that play sound by the width of pulses are heard as they are on a PC. */
#include "ui/tone.h"

#include <stddef.h>

#define NS_PER_S 1000000000u
enum { AMPLITUDE = 10000 };
/* A loudspeaker hears no constant level: a high pass, about 35 Hz at 44.1 kHz. */
#define HIGH_PASS 0.995

bool tone_put(Tone *t, uint64_t at, const SpeakerWave *w)
{
    unsigned put = atomic_load_explicit(&t->put, memory_order_relaxed);
    if (put - atomic_load_explicit(&t->taken, memory_order_acquire) == TONE_RING) return false;
    t->ring[put % TONE_RING] = (ToneEvent){ at, *w };
    atomic_store_explicit(&t->put, put + 1, memory_order_release);
    return true;
}

void tone_alive(Tone *t, uint64_t until)
{
    atomic_store_explicit(&t->alive_until, until, memory_order_relaxed);
}

bool tone_is_empty(const Tone *t)
{
    return atomic_load_explicit(&t->put, memory_order_acquire) == atomic_load_explicit(&t->taken, memory_order_acquire);
}

/* The next wave, if it is there; it stays in the ring. */
static const ToneEvent *peek(const Tone *t)
{
    unsigned taken = atomic_load_explicit(&t->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&t->put, memory_order_acquire)) return NULL;
    return &t->ring[taken % TONE_RING];
}

static void take(Tone *t)
{
    unsigned taken = atomic_load_explicit(&t->taken, memory_order_relaxed);
    t->now = t->ring[taken % TONE_RING];
    atomic_store_explicit(&t->taken, taken + 1, memory_order_release);
}

/* How long it is high in the first ns of the wave. */
static uint64_t high_time(const SpeakerWave *w, uint64_t ns)
{
    uint64_t period = w->high_ns + w->low_ns, high = 0;
    if (!w->first_ns || ns <= w->first_ns) return w->level ? ns : 0;
    if (w->level) high = w->first_ns;
    ns -= w->first_ns;
    if (!period) return high + (w->level ? 0 : ns);
    high += ns / period * w->high_ns;
    ns %= period;
    /* The part that comes first is the one that is not the wave's own level. */
    if (w->level) return high + (ns > w->low_ns ? ns - w->low_ns : 0);
    return high + (ns < w->high_ns ? ns : w->high_ns);
}

static uint64_t high_between(const ToneEvent *e, uint64_t from, uint64_t to)
{
    if (from < e->at) from = e->at;
    if (to <= from) return 0;
    return high_time(&e->wave, to - e->at) - high_time(&e->wave, from - e->at);
}

static uint64_t high_in(Tone *t, uint64_t from, uint64_t to)
{
    uint64_t high = 0, until = atomic_load_explicit(&t->alive_until, memory_order_relaxed);
    for (const ToneEvent *next; (next = peek(t)) && next->at < to;) {
        if (next->at > from) {
            high += high_between(&t->now, from, next->at < until ? next->at : until);
            from = next->at;
        }
        take(t);
    }
    return high + high_between(&t->now, from, to < until ? to : until);
}

bool tone_render(Tone *t, uint64_t from, unsigned rate, int16_t *out, unsigned n)
{
    bool any = !tone_is_empty(t);
    for (unsigned i = 0; i < n; i++) {
        uint64_t a = from + (uint64_t)i * NS_PER_S / rate, b = from + (uint64_t)(i + 1) * NS_PER_S / rate;
        double in = (double)high_in(t, a, b) / (double)(b - a);
        t->last_out = in - t->last_in + HIGH_PASS * t->last_out;
        t->last_in = in;
        out[i] = (int16_t)(t->last_out * AMPLITUDE);
        any |= out[i] != 0;
    }
    return any;
}
