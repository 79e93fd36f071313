/* -trace-jit: what the translator does while the guest runs, into a file (trace_format.h).  Internal to exec.
 *
 * Each trace_*() below is one event, is told when it happens, and does nothing when ex->trace is NULL; the inline part is
 * all that it costs then. */
#ifndef CALQUE_EXEC_TRACE_H
#define CALQUE_EXEC_TRACE_H

#include "exec/tb.h"

bool trace_open(Exec *ex, char *error, size_t error_size);
void trace_close(Exec *ex);

/* On the thread that runs the guest, before it does: sampling begins. */
void trace_start_sampling(Trace *t);
void trace_stop_sampling(Trace *t);
/* At the boundary of a block where the outside is looked at. */
void trace_poll(Exec *ex);
/* The id that the next block will have. */
uint32_t trace_next_id(const Trace *t);
/* Where a block counts its calls of a helper; owner: an id, 0 for blocks that run once. */
uint64_t *trace_tally(Trace *t, uint32_t owner, unsigned helper);
/* Adds all such counts up, by helper. */
void trace_sum_tallies(const Trace *t, uint64_t *by_helper);

void trace_made_(Exec *ex, TB *tb);
void trace_copied_(Exec *ex, TB *tb, const TB *from);
void trace_chain_(Exec *ex, bool made, const TB *from, const TB *to, unsigned exit);
void trace_invalidated_(Exec *ex, const TB *tb, enum TraceWhy why, const TraceWrite *write);
void trace_flushed_(Exec *ex);
void trace_jumped_out_(Exec *ex);
void trace_interrupt_(Exec *ex, uint32_t eip);
void trace_entered_(Exec *ex, const TB *tb);
void trace_waiting_(Trace *t, bool waiting);

/* tb has been made, ex->ir being still its code. */
static inline void trace_made(Exec *ex, TB *tb)
{
    if (ex->trace) trace_made_(ex, tb);
}
static inline void trace_copied(Exec *ex, TB *tb, const TB *from)
{
    if (ex->trace) trace_copied_(ex, tb, from);
}
static inline void trace_chained(Exec *ex, const TB *from, const TB *to, unsigned exit)
{
    if (ex->trace) trace_chain_(ex, true, from, to, exit);
}
static inline void trace_unchained(Exec *ex, const TB *from, const TB *to, unsigned exit)
{
    if (ex->trace) trace_chain_(ex, false, from, to, exit);
}
/* write: NULL when none is to blame. */
static inline void trace_invalidated(Exec *ex, const TB *tb, enum TraceWhy why, const TraceWrite *write)
{
    if (ex->trace) trace_invalidated_(ex, tb, why, write);
}
/* The cache is about to be emptied. */
static inline void trace_flushed(Exec *ex)
{
    if (ex->trace) trace_flushed_(ex);
}
/* An exception, or an instruction that is to be run alone, came by longjmp; CPUState.host_pc is where from. */
static inline void trace_jumped_out(Exec *ex)
{
    if (ex->trace) trace_jumped_out_(ex);
}
/* The processor has taken one, at eip. */
static inline void trace_interrupt(Exec *ex, uint32_t eip)
{
    if (ex->trace) trace_interrupt_(ex, eip);
}
/* The loop is about to run tb. */
static inline void trace_entered(Exec *ex, const TB *tb)
{
    if (ex->trace) trace_entered_(ex, tb);
}
static inline void trace_waiting(Exec *ex, bool waiting)
{
    if (ex->trace) trace_waiting_(ex->trace, waiting);
}

#endif
