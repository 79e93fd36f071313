/* -trace-jit: callouts by block.  Translated code increments one counter for each helper that it calls, as for -d stats, but
 * here each block has its own; a few times a second those that have moved are told. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/trace_int.h"

enum { TALLIES = 1 << 20 }; /* address space; only what is used costs memory */

static void *reserve(size_t n, size_t size)
{
    void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

bool trace_tallies_init(TraceTallies *c)
{
    unsigned n = ir_helper_count();
    c->count = reserve(TALLIES, sizeof *c->count);
    c->told = reserve(TALLIES, sizeof *c->told);
    c->who = reserve(TALLIES, sizeof *c->who);
    c->plain = calloc(n, sizeof *c->plain);
    c->plain_told = calloc(n, sizeof *c->plain_told);
    c->before = calloc(n, sizeof *c->before);
    return c->count && c->told && c->who && c->plain && c->plain_told && c->before;
}

void trace_tallies_free(TraceTallies *c)
{
    if (c->count) munmap(c->count, TALLIES * sizeof *c->count);
    if (c->told) munmap(c->told, TALLIES * sizeof *c->told);
    if (c->who) munmap(c->who, TALLIES * sizeof *c->who);
    free(c->plain);
    free(c->plain_told);
    free(c->before);
}

uint64_t *trace_tally(Trace *t, uint32_t owner, unsigned helper)
{
    TraceTallies *c = &t->tallies;
    if (!owner || c->n == TALLIES) return &c->plain[helper];
    /* The last ones may be this very block's: one counter for all its calls of a helper. */
    for (uint32_t i = c->n; i && c->who[i - 1].owner == owner; i--)
        if (c->who[i - 1].helper == helper) return &c->count[i - 1];
    c->who[c->n] = (struct TraceTally){ owner, (uint16_t)helper };
    c->count[c->n] = c->told[c->n] = 0;
    return &c->count[c->n++];
}

void trace_sum_tallies(const Trace *t, uint64_t *by_helper)
{
    const TraceTallies *c = &t->tallies;
    for (unsigned i = 0; i < ir_helper_count(); i++) by_helper[i] += c->plain[i] + c->before[i];
    for (uint32_t i = 0; i < c->n; i++) by_helper[c->who[i].helper] += c->count[i];
}

/* --- telling ------------------------------------------------------------------------------------------------ */

typedef struct Batch {
    TraceFile *f;
    unsigned n;
} Batch;

static void tell(Batch *b, uint32_t owner, unsigned helper, uint64_t *told, uint64_t now)
{
    enum { PER_RECORD = 256 };
    if (*told == now) return;
    if (!b->n++) trace_begin(b->f, TRACE_CALLOUTS, 0);
    trace_put(b->f, owner);
    trace_put(b->f, helper);
    trace_put(b->f, now - *told);
    *told = now;
    if (b->n < PER_RECORD) return;
    trace_end(b->f);
    b->n = 0;
}

void trace_tallies_tell(Trace *t)
{
    TraceTallies *c = &t->tallies;
    Batch b = { &t->file, 0 };
    for (uint32_t i = 0; i < c->n; i++) tell(&b, c->who[i].owner, c->who[i].helper, &c->told[i], c->count[i]);
    for (unsigned i = 0; i < ir_helper_count(); i++) tell(&b, 0, i, &c->plain_told[i], c->plain[i]);
    if (b.n) trace_end(b.f);
}

void trace_tallies_forget(Trace *t)
{
    TraceTallies *c = &t->tallies;
    trace_tallies_tell(t);
    for (uint32_t i = 0; i < c->n; i++) c->before[c->who[i].helper] += c->count[i];
    c->n = 0;
}
