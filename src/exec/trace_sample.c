/* -trace-jit: where the guest is, looked at a thousand times a second.
 *
 * On a host for which blocks are native code the interrupted address says it; with the portable backend that says nothing,
 * and the guest is asked to come to its next poll, where EIP is known. */
#include "exec/trace_int.h"

static bool in_blocks(const Exec *ex, const void *pc)
{
    const uint8_t *base = ex->arena.rw + ex->arena.exec_delta, *p = pc;
    return p >= base + ex->arena_base && p < base + arena_room(&ex->arena);
}

/* In a signal handler. */
static void on_sample(void *opaque, const void *pc)
{
    Trace *t = opaque;
    TraceSampler *s = &t->sampler;
    const Exec *ex = t->ex;
    struct TraceSample *at = &s->ring[s->head % SAMPLE_RING];
    if (s->head - __atomic_load_n(&s->tail, __ATOMIC_RELAXED) == SAMPLE_RING)
        return; /* the guest has not polled for long */
    *at = (struct TraceSample){ trace_now_us(&t->file), pc, TRACE_PLACE_CODE };
    if (!ex->backend->native || !in_blocks(ex, pc)) {
        at->pc = ex->cpu->host_pc;
        at->place = at->pc ? TRACE_PLACE_CALLOUT : s->waiting ? TRACE_PLACE_WAITING : TRACE_PLACE_LOOP;
    }
    if (!ex->backend->native && at->place == TRACE_PLACE_LOOP) {
        s->at_poll = true;
        cpu_request_exit_from_outside(ex->cpu);
        return;
    }
    __atomic_store_n(&s->head, s->head + 1, __ATOMIC_RELEASE);
}

void trace_start_sampling(Trace *t)
{
    t->sampler.sampler.fn = on_sample;
    t->sampler.sampler.opaque = t;
    sampler_start(&t->sampler.sampler, CLOCK_MONOTONIC, SAMPLE_INTERVAL_US * UINT64_C(1000));
}

void trace_stop_sampling(Trace *t)
{
    sampler_stop(&t->sampler.sampler);
}

static void put_sample(Trace *t, uint64_t us, unsigned place, const TB *tb, uint64_t offset)
{
    trace_begin(&t->file, TRACE_SAMPLE, us);
    trace_put(&t->file, place);
    trace_put(&t->file, tb ? tb->trace_id : 0);
    trace_put(&t->file, tb ? offset : 0);
    trace_end(&t->file);
}

void trace_drain_samples(Trace *t)
{
    TraceSampler *s = &t->sampler;
    uint32_t head = __atomic_load_n(&s->head, __ATOMIC_ACQUIRE);
    while (s->tail != head) {
        const struct TraceSample *at = &s->ring[s->tail % SAMPLE_RING];
        const TB *tb = cache_tb_at(t->ex, at->pc);
        uint64_t offset = tb ? code_offset(&tb->code, at->pc) : 0;
        put_sample(t, at->us, at->place, tb, offset);
        __atomic_store_n(&s->tail, s->tail + 1, __ATOMIC_RELEASE);
    }
}

void trace_sample_poll(Trace *t)
{
    if (!t->sampler.at_poll) return;
    t->sampler.at_poll = false;
    put_sample(t, 0, TRACE_PLACE_CODE, exec_known_tb(t->ex, t->ex->cpu->mode_id), 0);
}

void trace_waiting_(Trace *t, bool waiting)
{
    t->sampler.waiting = waiting;
}
