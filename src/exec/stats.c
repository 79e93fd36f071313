/* What translation has done so far: `info jit`, and -d stats at the end. */
#include "exec/lockstep.h"
#include "exec/trace.h"
#include "softmmu/window_global.h"
#include "util/lines.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static void print_code(const Exec *ex, const Lines *out)
{
    lines_put(out, "Translation cache: %zu of %zu KiB used, backend %s", arena_used(&ex->arena) >> 10,
              arena_room(&ex->arena) >> 10, ex->backend->name);
    lines_put(
        out, "Blocks: %u now, %" PRIu64 " translated, %" PRIu64 " copied, %" PRIu64 " invalidated, %" PRIu64 " flushes",
        ex->n_tb, ex->n_translated, ex->n_copied, ex->n_invalidated, ex->n_flush);
    lines_put(
        out, "Guest code: %" PRIu64 " instructions in %" PRIu64 " bytes -> %" PRIu64 " bytes of host code (%.1f times)",
        ex->n_guest_insns, ex->n_guest_bytes, ex->n_host_bytes, ratio(ex->n_host_bytes, ex->n_guest_bytes));
    lines_put(out,
              "Translation: %" PRIu64 " ms, %.0f ns per guest instruction; copying: %" PRIu64 " ms, %.0f ns per block",
              ex->translate_ns / 1000000, ratio(ex->translate_ns, ex->n_guest_insns), ex->copy_ns / 1000000,
              ratio(ex->copy_ns, ex->n_copied));
}

static void print_loop(const Exec *ex, const Lines *out)
{
    ProfileShares share;
    lines_put(out,
              "Loop: %" PRIu64 " turns, %" PRIu64 " blocks not in the jump cache, %" PRIu64 " exits chained, %" PRIu64
              " instructions run alone",
              ex->n_runs, ex->n_lookups, ex->n_chained, ex->n_alone);
    lines_put(out, "Delivered: %" PRIu64 " exceptions, %" PRIu64 " interrupts", ex->n_exceptions, ex->n_interrupts);
    if (!profile_shares(ex, &share)) return;
    lines_put(
        out,
        "Time: %.1f%% in translated code, %.1f%% in callouts and slow accesses, %.1f%% translating, %.1f%% in the "
        "loop and "
        "devices",
        share.code, share.callouts, share.translation, share.loop);
    lines_put(out, "      (%" PRIu64 " samples of the machine thread's processor time)", share.samples);
}

static void print_memory(const Exec *ex, const Lines *out)
{
    const Mmu *m = &ex->cpu->mmu;
    WindowStats w = window_stats(m);
    lines_put(out, "TLB: %" PRIu64 " walks, %" PRIu64 " flushes", m->n_miss, m->n_flush);
    lines_put(out,
              "Slow accesses: %" PRIu64 ", of them %" PRIu64 " by the bus, %" PRIu64 " across pages, %" PRIu64
              " in watched pages, others after a TLB miss",
              m->n_slow, m->n_device, m->n_crossing, m->n_watched);
    lines_put(out,
              "Window: opened %" PRIu64 " times, resumed %" PRIu64 ", closed %" PRIu64 "; %" PRIu64
              " pages mapped, %" PRIu64 " faults, %" PRIu64 " in vain",
              w.opened, w.resumed, w.closed, w.mapped, w.faults, w.hopeless);
    WindowStats g = window_global_stats(m);
    lines_put(out,
              "System's window: %" PRIu64 " pages mapped, dropped %" PRIu64 " times; %" PRIu64 " faults, %" PRIu64
              " in vain",
              g.mapped, g.closed, g.faults, g.hopeless);
}

static const uint64_t *by_count;
static int more_first(const void *a, const void *b)
{
    uint64_t x = by_count[*(const unsigned *)a], y = by_count[*(const unsigned *)b];
    return (x < y) - (x > y);
}

/* Counted with -d stats only. */
static void print_callouts(const Exec *ex, const Lines *out)
{
    unsigned order[256], n = 0;
    if (!ex->callouts) return;
    if (ex->trace) {
        memset(ex->callouts, 0, ir_helper_count() * sizeof *ex->callouts);
        trace_sum_tallies(ex->trace, ex->callouts);
    }
    for (unsigned i = 0; i < ir_helper_count() && n < 256; i++)
        if (ex->callouts[i]) order[n++] = i;
    by_count = ex->callouts;
    qsort(order, n, sizeof *order, more_first);
    for (unsigned i = 0; i < n; i++)
        lines_put(out, "Callout %-20s %12" PRIu64, ir_helper_info(order[i])->name, ex->callouts[order[i]]);
}

void exec_print_jit(Exec *ex, void (*emit)(void *opaque, const char *line), void *opaque)
{
    Lines out = { emit, opaque };
    print_code(ex, &out);
    print_loop(ex, &out);
    print_memory(ex, &out);
    if (ex->lockstep) lockstep_print(ex->lockstep, emit, opaque);
    print_callouts(ex, &out);
}

static void log_text(void *opaque, const char *text)
{
    (void)opaque;
    log_printf("%s\n", text);
}

void stats_init(Exec *ex)
{
    if (log_on(LOG_STATS)) ex->callouts = calloc(ir_helper_count(), sizeof *ex->callouts);
}

void stats_free(Exec *ex)
{
    if (log_on(LOG_STATS)) exec_print_jit(ex, log_text, NULL);
    free(ex->callouts);
}
