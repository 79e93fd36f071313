/* calque report --json: everything, as one object; doc/trace.txt describes it.  By columns, since there may be a hundred
 * thousand blocks and a million events. */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/report.h"
#include "util/die.h"

static void put_string(FILE *out, const char *s)
{
    putc('"', out);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20 || c >= 0x7f) /* names may hold any byte; JSON wants UTF-8 */
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void key(FILE *out, const char *name)
{
    put_string(out, name);
    putc(':', out);
}

static void put_strings(FILE *out, const char *name, const char *const *text, unsigned n)
{
    key(out, name);
    for (unsigned i = 0; i < n; i++) {
        putc(i ? ',' : '[', out);
        put_string(out, text[i] ? text[i] : "");
    }
    fputs(n ? "],\n" : "[],\n", out);
}

/* A column of a table: a member of its rows, of one of these types. */
enum Type { U32, I32, I64, U64, U8 };
typedef struct Column {
    const char *name;
    size_t offset;
    enum Type type;
} Column;
#define COLUMN(Row, name, member, type)                                                                                \
    {                                                                                                                  \
        name, offsetof(Row, member), type                                                                              \
    }

static int64_t cell(const void *row, const Column *c)
{
    const uint8_t *p = (const uint8_t *)row + c->offset;
    uint32_t u;
    int32_t i;
    int64_t l;
    switch (c->type) {
    case U8: return *p;
    case U32: memcpy(&u, p, 4); return u;
    case I32: memcpy(&i, p, 4); return i;
    default: memcpy(&l, p, 8); return l;
    }
}

static void put_number(FILE *out, int64_t v)
{
    char buf[24], *p = buf + sizeof buf;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) *--p = '-';
    fwrite(p, 1, (size_t)(buf + sizeof buf - p), out);
}

static void put_table(FILE *out, const char *name, const void *rows, size_t row_size, uint32_t n, const Column *c,
                      unsigned columns)
{
    key(out, name);
    putc('{', out);
    for (unsigned k = 0; k < columns; k++) {
        if (k) fputs(",\n ", out);
        key(out, c[k].name);
        putc('[', out);
        for (uint32_t i = 0; i < n; i++) {
            if (i) putc(',', out);
            put_number(out, cell((const uint8_t *)rows + i * row_size, &c[k]));
        }
        putc(']', out);
    }
    fputs("},\n", out);
}

/* --- the parts ------------------------------------------------------------------------------------------------ */

static const char *const kind_name[TRACE_KINDS] = {
    [TRACE_MODE] = "mode",           [TRACE_SYMBOL] = "symbol",       [TRACE_HELPER] = "callout's name",
    [TRACE_MADE] = "made",           [TRACE_COPIED] = "copied",       [TRACE_CHAINED] = "chained",
    [TRACE_UNCHAINED] = "unchained", [TRACE_LOOKED_UP] = "looked up", [TRACE_INVALIDATED] = "invalidated",
    [TRACE_FLUSHED] = "flushed",     [TRACE_CALLOUTS] = "callout",    [TRACE_EXCEPTION] = "exception",
    [TRACE_INTERRUPT] = "interrupt", [TRACE_ALONE] = "run alone",     [TRACE_SAMPLE] = "sample",
    [TRACE_COUNTS] = "counts",       [TRACE_DROPPED] = "dropped",     [TRACE_ENDED] = "ended",
};

static void put_meta(const Report *r, FILE *out)
{
    char date[40] = "";
    time_t when = (time_t)r->started;
    struct tm tm;
    uint64_t dropped = 0;
    if (gmtime_r(&when, &tm)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm);
    for (unsigned i = 0; i < TRACE_KINDS; i++) dropped += r->dropped[i];
    fputs("\"meta\":{\"calque\":", out);
    put_string(out, r->version);
    fputs(",\"backend\":", out);
    put_string(out, r->backend);
    fputs(",\"command\":", out);
    put_string(out, r->command);
    fputs(",\"date\":", out);
    put_string(out, date);
    fprintf(out, ",\n \"duration\":%" PRId64 ",\"complete\":%s,\"recorded\":%" PRIu64 ",\"dropped\":%" PRIu64,
            r->duration, r->complete ? "true" : "false", r->recorded, dropped);
    fputs(",\"dropped_kinds\":{", out);
    for (unsigned i = 0, n = 0; i < TRACE_KINDS; i++) {
        if (!r->dropped[i] || !kind_name[i]) continue;
        if (n++) putc(',', out);
        key(out, kind_name[i]);
        fprintf(out, "%" PRIu64, r->dropped[i]);
    }
    fprintf(out, "},\"first_drop\":%" PRId64 ",\"sample_interval\":%" PRIu64 ",\"file_bytes\":%zu,\"chaining\":%s,",
            r->first_drop, r->interval_us, r->file.size, r->flags & TRACE_FLAG_NO_CHAIN ? "false" : "true");
    fputs("\n \"passes_off\":[", out);
    for (const char *p = r->passes_off, *end; *p; p = *end ? end + 1 : end) {
        char word[40];
        end = p + strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)(end - p < 39 ? end - p : 39), p);
        if (p != r->passes_off) putc(',', out);
        put_string(out, word);
    }
    fputs("]},\n", out);
}

static void put_modes(const Report *r, FILE *out)
{
    fputs("\"modes\":[", out);
    for (uint32_t i = 0; i < r->n_mode; i++) {
        char text[200];
        report_mode_text(text, sizeof text, &r->mode[i]);
        if (i) putc(',', out);
        put_string(out, text);
    }
    fputs("],\n", out);
}

static void put_blocks(const Report *r, FILE *out)
{
    static const Column c[] = {
        COLUMN(ReportBlock, "eip", eip, U32),
        COLUMN(ReportBlock, "lin", lin, U32),
        COLUMN(ReportBlock, "phys", phys, U64),
        COLUMN(ReportBlock, "mode", mode, U32),
        COLUMN(ReportBlock, "symbol", symbol, U32),
        COLUMN(ReportBlock, "offset", offset, U32),
        COLUMN(ReportBlock, "guest_bytes", guest_bytes, U32),
        COLUMN(ReportBlock, "guest_insns", guest_insns, U32),
        COLUMN(ReportBlock, "host_bytes", host_bytes, U32),
        COLUMN(ReportBlock, "host_insns", host_insns, U32),
        COLUMN(ReportBlock, "end", end, U32),
        COLUMN(ReportBlock, "copy_of", copy_of, I32),
        COLUMN(ReportBlock, "made", made, I64),
        COLUMN(ReportBlock, "gone", gone, I64),
        COLUMN(ReportBlock, "why_gone", why_gone, U32),
        COLUMN(ReportBlock, "samples", samples, U32),
        COLUMN(ReportBlock, "callouts", callouts, U64),
    };
    put_table(out, "blocks", r->block, sizeof *r->block, r->n_block, c, sizeof c / sizeof *c);
    put_strings(out, "ends", report_end, TRACE_ENDS);
    put_strings(out, "reasons", report_why, TRACE_WHYS);
}

static void put_edges(const Report *r, FILE *out)
{
    static const Column c[] = {
        COLUMN(ReportEdge, "from", from, I32),   COLUMN(ReportEdge, "to", to, I32),
        COLUMN(ReportEdge, "kind", kind, U32),   COLUMN(ReportEdge, "at", at, I64),
        COLUMN(ReportEdge, "until", until, I64),
    };
    put_table(out, "edges", r->edge, sizeof *r->edge, r->n_edge, c, sizeof c / sizeof *c);
    put_strings(out, "edge_kinds", report_edge_kind, EDGE_KINDS);
}

/* What the numbers a, b and c of an event mean. */
static const char *const event_kind[EVENT_KINDS][4] = {
    [EVENT_MADE] = { "made", "how: 0 translated, 1 copied", "block copied from", "" },
    [EVENT_CHAINED] = { "chained", "to block", "edge", "" },
    [EVENT_UNCHAINED] = { "unchained", "to block", "edge", "" },
    [EVENT_LOOKED_UP] = { "looked up", "to block", "edge", "" },
    [EVENT_INVALIDATED] = { "invalidated", "physical address written", "writing block", "guest EIP of the writer" },
    [EVENT_FLUSHED] = { "flushed", "blocks dropped", "host bytes dropped", "" },
    [EVENT_CALLOUT] = { "callout", "callout", "times since the last look", "" },
    [EVENT_EXCEPTION] = { "exception", "vector", "guest EIP found", "host offset it was found by" },
    [EVENT_INTERRUPT] = { "interrupt", "vector", "guest EIP interrupted", "" },
    [EVENT_ALONE] = { "run alone", "guest EIP of the instruction", "", "host offset" },
    [EVENT_SAMPLE] = { "sample", "place", "host offset", "" },
};

static void put_events(const Report *r, FILE *out)
{
    static const Column c[] = {
        COLUMN(ReportEvent, "t", t, I64),         COLUMN(ReportEvent, "kind", kind, U8),
        COLUMN(ReportEvent, "block", block, I32), COLUMN(ReportEvent, "a", a, I64),
        COLUMN(ReportEvent, "b", b, I64),         COLUMN(ReportEvent, "c", c, I64),
    };
    put_table(out, "events", r->event, sizeof *r->event, r->n_event, c, sizeof c / sizeof *c);
    key(out, "event_kinds");
    for (unsigned i = 0; i < EVENT_KINDS; i++) {
        static const char *const name[] = { "name", "a", "b", "c" };
        putc(i ? ',' : '[', out);
        for (unsigned k = 0; k < 4; k++) {
            putc(k ? ',' : '{', out);
            key(out, name[k]);
            put_string(out, event_kind[i][k]);
        }
        putc('}', out);
    }
    fputs("],\n", out);
    put_strings(out, "places", report_place, TRACE_PLACES);
}

static void put_callouts(const Report *r, FILE *out)
{
    fputs("\"callouts\":[", out);
    for (uint32_t i = 0; i < r->n_helper; i++) {
        if (i) fputs(",\n ", out);
        fputs("{\"name\":", out);
        put_string(out, r->helper[i].name);
        fprintf(out, ",\"count\":%" PRIu64 ",\"kind\":", r->helper[i].count);
        put_string(out, report_helper_kind(r->helper[i].name));
        putc('}', out);
    }
    fputs("],\n\"exceptions\":[", out);
    for (unsigned i = 0; i < 32; i++) {
        if (i) putc(',', out);
        put_string(out, report_exception(i));
    }
    fputs("],\n", out);
}

static void put_counts(const Report *r, FILE *out)
{
    static const Column c[] = {
        COLUMN(ReportCounts, "t", t, I64),
        COLUMN(ReportCounts, "blocks", value[0], U64),
        COLUMN(ReportCounts, "host_bytes", value[1], U64),
        COLUMN(ReportCounts, "tlb_misses", value[2], U64),
        COLUMN(ReportCounts, "slow_accesses", value[3], U64),
        COLUMN(ReportCounts, "tlb_flushes", value[4], U64),
        COLUMN(ReportCounts, "turns", value[5], U64),
    };
    put_table(out, "counts", r->counts, sizeof *r->counts, r->n_counts, c, sizeof c / sizeof *c);
}

/* --- blocks in detail -------------------------------------------------------------------------------------------- */

/* The blocks that get a view, the most interesting first: hot ones, then those that were written to, wrote, or raised
 * exceptions, then the others. */
static uint32_t *by_interest(const Report *r)
{
    uint32_t *heat = report_by_heat(r), *order = calloc(r->n_block + 1, sizeof *order), n = 0;
    uint8_t *special = calloc(r->n_block + 1, 1);
    if (!order || !special) die("report: out of memory");
    for (uint32_t i = 0; i < r->n_event; i++) {
        const ReportEvent *e = &r->event[i];
        if (e->block >= 0 && (e->kind == EVENT_INVALIDATED || e->kind == EVENT_EXCEPTION || e->kind == EVENT_ALONE))
            special[e->block] = 1;
        if (e->kind == EVENT_INVALIDATED && e->b >= 0) special[e->b] = 1;
    }
    for (unsigned pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < r->n_block; i++) {
            const ReportBlock *b = &r->block[heat[i]];
            unsigned rank = b->samples > 1 ? 0 : special[heat[i]] || b->samples || b->callouts ? 1 : 2;
            if (rank == pass) order[n++] = heat[i];
        }
    }
    free(special);
    free(heat);
    return order;
}

/* "host 83 bytes, 20 instructions" in the view's last line but one */
static uint32_t host_insns(const char *view)
{
    const char *total = strstr(view, "\ntotal"), *host = total ? strstr(total, "; host ") : NULL;
    unsigned size, n;
    return host && sscanf(host, "; host %u bytes, %u", &size, &n) == 2 ? n : 0;
}

static void put_view(FILE *out, unsigned n, uint32_t block, char *text)
{
    size_t end = text ? strlen(text) : 0;
    while (end && text[end - 1] == '\n') text[--end] = '\0';
    if (n) fputs(",\n ", out);
    fprintf(out, "\"%u\":", block);
    put_string(out, text ? text : "");
}

static void put_lines(FILE *out, unsigned n, uint32_t block, char *text)
{
    char *rest = NULL;
    unsigned i = 0;
    if (n) fputs(",\n ", out);
    fprintf(out, "\"%u\":[", block);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "guest", 5)) continue;
        for (line += 5; *line == ' ';) line++;
        if (i++) putc(',', out);
        put_string(out, line);
    }
    putc(']', out);
}

/* Views make known how many host instructions a block has, so they come before the table of blocks. */
static void put_details(Report *r, const ReportOptions *o, FILE *out)
{
    uint32_t *order = by_interest(r);
    ReportViewer *v = report_viewer_new(r);
    uint32_t views = o->views < r->n_block ? o->views : r->n_block, n = 0;
    uint32_t guests = o->guests < r->n_block - views ? o->guests : r->n_block - views;
    fputs("\"views\":{", out);
    for (uint32_t i = 0; i < views; i++) {
        char *text = report_view(v, order[i], false);
        if (!text) continue;
        r->block[order[i]].host_insns = host_insns(text);
        put_view(out, n++, order[i], text);
        free(text);
    }
    fputs("},\n\"guest\":{", out);
    n = 0;
    for (uint32_t i = views; i < views + guests; i++) {
        char *text = report_view(v, order[i], true);
        if (!text) continue;
        put_lines(out, n++, order[i], text);
        free(text);
    }
    fputs("},\n", out);
    report_viewer_free(v);
    free(order);
}

void report_json(Report *r, const ReportOptions *o, FILE *out)
{
    fputs("{\"format\":\"calque-report\",\"version\":1,\n", out);
    put_meta(r, out);
    put_modes(r, out);
    put_strings(out, "symbols", (const char *const *)r->symbol, r->n_symbol);
    put_details(r, o, out);
    put_blocks(r, out);
    put_edges(r, out);
    put_events(r, out);
    put_counts(r, out);
    put_callouts(r, out);
    fputs("\"end\":true}\n", out);
}
