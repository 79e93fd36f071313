/* calque report --block N: one block as "calque explain" shows it, and all that happened to it. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/report.h"
#include "util/die.h"

static void block_name(char *buf, size_t size, const Report *r, int64_t block)
{
    char symbol[160];
    if (block < 0 || block >= r->n_block) {
        snprintf(buf, size, "no block known");
        return;
    }
    const ReportBlock *b = &r->block[block];
    report_symbol_text(symbol, sizeof symbol, r, b);
    snprintf(buf, size, "block %" PRId64 " (%08x%s%s)", block, b->eip, *symbol ? " " : "", symbol);
}

/* What happened, in words; false: not worth a line. */
static bool event_text(char *buf, size_t size, const Report *r, const ReportEvent *e)
{
    char other[220], at[60] = "";
    switch (e->kind) {
    case EVENT_MADE:
        block_name(other, sizeof other, r, e->b);
        snprintf(buf, size, e->b < 0 ? "made" : "made, as a copy of %s", other);
        return true;
    case EVENT_CHAINED:
    case EVENT_UNCHAINED:
    case EVENT_LOOKED_UP:
        block_name(other, sizeof other, r, e->a);
        snprintf(buf, size, "%s %s (%s)",
                 e->kind == EVENT_CHAINED     ? "chained to"
                 : e->kind == EVENT_UNCHAINED ? "unchained from"
                                              : "looked up",
                 other, e->b >= 0 ? report_edge_kind[r->edge[e->b].kind] : "");
        return true;
    case EVENT_INVALIDATED:
        block_name(other, sizeof other, r, e->b);
        if (e->c >= 0) snprintf(at, sizeof at, " with the instruction at %08" PRIx64, (uint64_t)e->c);
        if (e->a < 0)
            snprintf(buf, size, "thrown away: %s", report_why[r->block[e->block].why_gone]);
        else
            snprintf(buf, size, "thrown away: %s wrote to physical %09" PRIx64 "%s",
                     e->b < 0 && e->c < 0 ? "a device" : other, (uint64_t)e->a, at);
        return true;
    case EVENT_EXCEPTION:
        snprintf(buf, size, "exception %" PRId64 " %s at %08" PRIx64 ", found by host code +%03" PRIx64, e->a,
                 report_exception((unsigned)e->a), (uint64_t)e->b, (uint64_t)e->c);
        return true;
    case EVENT_ALONE:
        snprintf(buf, size, "the instruction at %08" PRIx64 " ran once more, alone; left at host code +%03" PRIx64,
                 (uint64_t)e->a, (uint64_t)e->c);
        return true;
    case EVENT_CALLOUT: snprintf(buf, size, "%" PRId64 " times callout %s", e->b, r->helper[e->a].name); return true;
    default: return false;
    }
}

static void put_event(const Report *r, const ReportEvent *e, FILE *out)
{
    char text[512];
    if (event_text(text, sizeof text, r, e)) fprintf(out, "history %12.6f  %s\n", (double)e->t / 1e6, text);
}

/* Of others that lead here. */
static void put_incoming(const Report *r, const ReportEvent *e, FILE *out)
{
    char from[220];
    block_name(from, sizeof from, r, e->block);
    fprintf(out, "history %12.6f  %s %s\n", (double)e->t / 1e6, from,
            e->kind == EVENT_CHAINED     ? "chained to it"
            : e->kind == EVENT_UNCHAINED ? "unchained from it"
                                         : "looked it up");
}

void report_block(const Report *r, uint32_t block, FILE *out)
{
    if (block >= r->n_block) die("report: --block %u: there are %u blocks, from 0 on", block, r->n_block);
    const ReportBlock *b = &r->block[block];
    char mode[200];
    ReportViewer *v = report_viewer_new(r);
    char *text = report_view(v, block, false);
    report_viewer_free(v);
    report_mode_text(mode, sizeof mode, &r->mode[b->mode]);
    fprintf(out, "%s", text ? text : "----    its guest code was not recorded\n");
    fprintf(out, "history block %u: %s; %u samples, %" PRIu64 " callouts\n", block, mode, b->samples, b->callouts);
    free(text);
    for (uint32_t i = 0; i < r->n_event; i++) {
        const ReportEvent *e = &r->event[i];
        bool leads = e->kind == EVENT_CHAINED || e->kind == EVENT_UNCHAINED || e->kind == EVENT_LOOKED_UP;
        if (e->block == (int32_t)block)
            put_event(r, e, out);
        else if (leads && e->a == block)
            put_incoming(r, e, out);
    }
}
