#include "hw/timer_heap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static bool before(const TimerNode *a, const TimerNode *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->seq < b->seq;
}

static void put(TimerHeap *h, size_t i, TimerNode *n)
{
    h->node[i] = n;
    n->place = i;
}

static void sift_up(TimerHeap *h, size_t i)
{
    TimerNode *n = h->node[i];
    for (; i > 0 && before(n, h->node[(i - 1) / 2]); i = (i - 1) / 2) put(h, i, h->node[(i - 1) / 2]);
    put(h, i, n);
}

static void sift_down(TimerHeap *h, size_t i)
{
    TimerNode *n = h->node[i];
    for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && before(h->node[child + 1], h->node[child])) child++;
        if (!before(h->node[child], n)) break;
        put(h, i, h->node[child]);
    }
    put(h, i, n);
}

static void grow(TimerHeap *h)
{
    size_t room = h->room ? 2 * h->room : 16;
    TimerNode **node = realloc(h->node, room * sizeof *node);
    if (!node) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    h->node = node;
    h->room = room;
}

void timer_heap_set(TimerHeap *h, TimerNode *n, uint64_t deadline)
{
    n->deadline = deadline;
    n->seq = h->seq++;
    if (n->place == TIMER_UNUSED) {
        if (h->count == h->room) grow(h);
        put(h, h->count++, n);
    }
    sift_up(h, n->place);
    sift_down(h, n->place);
}

void timer_heap_remove(TimerHeap *h, TimerNode *n)
{
    size_t i = n->place;
    if (i == TIMER_UNUSED) return;
    n->place = TIMER_UNUSED;
    TimerNode *last = h->node[--h->count];
    if (last == n) return;
    put(h, i, last);
    sift_up(h, i);
    sift_down(h, last->place);
}

void timer_heap_free(TimerHeap *h)
{
    free(h->node);
    *h = (TimerHeap){ 0 };
}
