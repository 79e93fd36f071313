/* The workloads of `make bench`, in C for a 32-bit Linux: each stresses one thing that an emulator may be bad at. */
#ifndef CALQUE_TESTS_BENCH_WORKLOAD_H
#define CALQUE_TESTS_BENCH_WORKLOAD_H

#include <stdint.h>

typedef struct Workload {
    const char *name, *group;
    uint32_t (*run)(uint32_t times); /* a checksum: the same wherever it runs */
    uint32_t times;                  /* a tenth of a second or so of a host processor */
} Workload;

/* Each group's file; the last has no name. */
extern const Workload integer_workloads[], memory_workloads[], float_workloads[], system_workloads[],
    rewriting_workloads[];

/* The same sequence in each run. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Keeps the compiler from knowing a value, and so from doing the work itself. */
#define HIDE(x) __asm__ volatile("" : "+r"(x))

_Noreturn void give_up(const char *what); /* errno says why */
void *need_memory(uint32_t bytes);        /* in whole pages; to be freed by free() */

#endif
