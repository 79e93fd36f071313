/* Deadlines in order: a binary heap whose elements know their place, so that a timer can be moved or
 * taken out in O(log n).  Knows neither clocks nor threads. */
#ifndef CALQUE_HW_TIMER_HEAP_H
#define CALQUE_HW_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER  UINT64_MAX
#define TIMER_UNUSED SIZE_MAX

typedef struct TimerNode {
    uint64_t deadline; /* ns */
    uint64_t seq;      /* equal deadlines fire in the order in which they were set */
    size_t place;      /* index in the heap; TIMER_UNUSED: not in it */
} TimerNode;

typedef struct TimerHeap {
    TimerNode **node;
    size_t count, room;
    uint64_t seq;
} TimerHeap;

void timer_heap_set(TimerHeap *h, TimerNode *n, uint64_t deadline);
void timer_heap_remove(TimerHeap *h, TimerNode *n);
/* The earliest, or NULL. */
static inline TimerNode *timer_heap_first(const TimerHeap *h)
{
    return h->count ? h->node[0] : NULL;
}
void timer_heap_free(TimerHeap *h);

#endif
