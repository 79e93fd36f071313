#include "monitor/sendkey.h"

#include <stdlib.h>

#include "hw/alloc.h"

typedef struct Stroke {
    Key key;
    bool down;
    uint64_t then_wait; /* ns */
} Stroke;

struct SendKey {
    Machine *machine;
    Input *input;
    Timer *timer;
    unsigned head, count;
    Stroke queue[SENDKEY_QUEUE];
};

static void play(void *opaque)
{
    SendKey *s = opaque;
    if (!s->count) return;
    Stroke k = s->queue[s->head];
    s->head = (s->head + 1) % SENDKEY_QUEUE;
    s->count--;
    input_key(s->input, k.key, k.down);
    timer_set(s->timer, clock_now(s->machine) + k.then_wait);
}

static void put(SendKey *s, Key key, bool down, uint64_t then_wait)
{
    s->queue[(s->head + s->count++) % SENDKEY_QUEUE] = (Stroke){ key, down, then_wait };
}

bool sendkey_chord(SendKey *s, const Key *keys, unsigned n, unsigned hold_ms)
{
    if (s->count + 2 * n > SENDKEY_QUEUE) return false;
    uint64_t wait = hold_ms * UINT64_C(1000000);
    for (unsigned i = 0; i < n; i++) put(s, keys[i], true, wait);
    for (unsigned i = n; i--;) put(s, keys[i], false, wait);
    if (!timer_pending(s->timer)) play(s);
    return true;
}

SendKey *sendkey_new(Machine *m, Input *in)
{
    SendKey *s = hw_alloc(sizeof *s);
    s->machine = m;
    s->input = in;
    s->timer = timer_new(m, play, s);
    return s;
}

void sendkey_free(SendKey *s)
{
    if (!s) return;
    timer_free(s->timer);
    free(s);
}
