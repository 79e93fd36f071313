/* Memory in bulk. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

/* The C library's block functions: 4 MiB at a time, and pieces of all sizes. */
static uint32_t copy(uint32_t times)
{
    enum { BYTES = 4 << 20 };
    uint8_t *from = need_memory(BYTES), *to = need_memory(BYTES);
    uint32_t state = 7, sum = 0;
    for (uint32_t i = 0; i < BYTES; i++) from[i] = (uint8_t)(i * 7);
    while (times--) {
        memcpy(to, from, BYTES);
        memmove(from + 64, from, BYTES / 2);
        memset(from, (int)times, BYTES / 4);
        for (int piece = 0; piece < 1000; piece++) {
            uint32_t r = next_random(&state);
            memcpy(to + (r & 0xfffff), from + (r >> 11), r >> 20);
        }
        sum = sum * 31 + to[next_random(&state) % BYTES];
    }
    free(from);
    free(to);
    return sum;
}

const Workload memory_workloads[] = { { "copy", "memory", copy, 60 }, { 0 } };
