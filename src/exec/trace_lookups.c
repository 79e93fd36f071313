/* -trace-jit: where indirect jumps, indirect calls and returns lead.
 *
 * They find their target without the loop.  When a trace is written, each compares its target with its last one and, if
 * that was another, tells (EmitInfo.lookup, CPUState.lookup_seen), until it has told so often that it must be quiet for a
 * while.  A pair of blocks is told once. */
#include <stdlib.h>
#include <string.h>

#include "exec/trace_int.h"

enum { NOTES_MORE = 16 };

static uint64_t *pair_slot(Trace *t, uint64_t pair)
{
    uint64_t i = pair * 0x9e3779b97f4a7c15u >> 40;
    while (t->pair[i % TRACE_PAIRS] && t->pair[i % TRACE_PAIRS] != pair) i++;
    return &t->pair[i % TRACE_PAIRS];
}

static void tell(Trace *t, uint32_t from, uint32_t to)
{
    uint64_t pair = (uint64_t)from << 32 | to, *slot = pair_slot(t, pair);
    if (*slot || t->n_pairs > TRACE_PAIRS / 4 * 3) return;
    *slot = pair;
    t->n_pairs++;
    trace_drain_samples(t);
    trace_begin(&t->file, TRACE_LOOKED_UP, 0);
    trace_put(&t->file, from);
    trace_put(&t->file, to);
    trace_end(&t->file);
}

static void lookup_seen(CPUState *cpu, uint32_t eip)
{
    Exec *ex = cpu->exec;
    Trace *t = ex->trace;
    TB *tb = cache_tb_at(ex, cpu->host_pc);
    if (!t || !tb || tb == &ex->scratch) return;
    tb->lookup.last = eip;
    if (tb->lookup.left <= 0 && t->n_tired < TRACE_TIRED) t->tired[t->n_tired++] = tb;
    const TB *to = ex->jump_tb[cpu_jump_hash(eip)];
    if (to && to->eip == eip && to->mode_id == tb->mode_id && to->valid) {
        tell(t, tb->trace_id, to->trace_id);
    } else {
        t->pending_from = tb->trace_id;
        t->pending_eip = eip;
    }
}

void trace_entered_(Exec *ex, const TB *tb)
{
    Trace *t = ex->trace;
    if (t->pending_from && tb->eip == t->pending_eip && tb != &ex->scratch) tell(t, t->pending_from, tb->trace_id);
    t->pending_from = 0;
}

bool trace_lookups_init(Trace *t)
{
    t->pair = calloc(TRACE_PAIRS, sizeof *t->pair);
    t->tired = calloc(TRACE_TIRED, sizeof *t->tired);
    return t->pair && t->tired;
}

void trace_lookups_attach(CPUState *cpu)
{
    cpu->lookup_seen = lookup_seen;
}

void trace_lookups_refresh(Trace *t)
{
    for (uint32_t i = 0; i < t->n_tired; i++) t->tired[i]->lookup.left = NOTES_MORE;
    t->n_tired = 0;
}
