/* "calque report": what -trace-jit recorded, as a page, as a graph, or as data. */
#ifndef CALQUE_CLI_REPORT_H
#define CALQUE_CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "exec/trace_format.h"
#include "util/file.h"

/* argv[0] is "report".  Returns the exit status, or ends the program with one line and status 1. */
int report_main(int argc, char **argv);

/* --- for report*.c ------------------------------------------------------------------------------------- */

enum { REPORT_NONE = -1 }; /* no such block, time, address */

typedef struct ReportMode {
    uint32_t mode, cs_base, cs_limit;
} ReportMode;

typedef struct ReportBlock {
    uint32_t id, eip, lin, mode, guest_bytes, guest_insns, host_bytes, how, soft_from, soft_to, end, symbol, offset;
    uint64_t phys;
    const uint8_t *code; /* the guest's bytes; NULL: not known */
    const uint8_t *look; /* what it looked ahead at */
    uint32_t look_from, look_len;
    int32_t copy_of;
    int64_t made, gone;
    uint32_t why_gone, samples, host_insns;
    uint64_t callouts;
    int32_t open_edge[2]; /* chained now; while reading */
} ReportBlock;

enum ReportEdgeKind {
    EDGE_NEXT,
    EDGE_TAKEN,
    EDGE_NOT_TAKEN,
    EDGE_CALL,
    EDGE_BACK,
    EDGE_LOOKUP,
    EDGE_RETURN,
    EDGE_KINDS
};
typedef struct ReportEdge {
    int32_t from, to;
    uint32_t kind;
    int64_t at, until;
} ReportEdge;

enum ReportEventKind {
    EVENT_MADE,
    EVENT_CHAINED,
    EVENT_UNCHAINED,
    EVENT_LOOKED_UP,
    EVENT_INVALIDATED,
    EVENT_FLUSHED,
    EVENT_CALLOUT,
    EVENT_EXCEPTION,
    EVENT_INTERRUPT,
    EVENT_ALONE,
    EVENT_SAMPLE,
    EVENT_KINDS
};
typedef struct ReportEvent {
    int64_t t, a, b, c;
    int32_t block;
    uint8_t kind;
} ReportEvent;

enum { REPORT_COUNTS = 6 };
typedef struct ReportCounts {
    int64_t t;
    uint64_t value[REPORT_COUNTS]; /* as TRACE_COUNTS has them */
} ReportCounts;

typedef struct ReportHelper {
    const char *name;
    uint64_t count;
} ReportHelper;

typedef struct Report {
    const char *path;
    FileData file;
    bool complete; /* the recording was ended in order */
    uint64_t flags, interval_us, started;
    uint32_t feature[TRACE_FEATURES];
    const char *version, *backend, *command, *passes_off;
    ReportMode *mode;
    char **symbol; /* [0]: "" */
    ReportHelper *helper;
    ReportBlock *block;
    ReportEdge *edge;
    ReportEvent *event;
    ReportCounts *counts;
    uint32_t n_mode, n_symbol, n_helper, n_block, n_edge, n_event, n_counts;
    int64_t duration;
    uint64_t recorded, dropped[TRACE_KINDS];
    int64_t first_drop;
} Report;

/* report_read.c: ends the program when it cannot. */
void report_read(Report *r, const char *path);
/* The same of what is in r->file already, all else being zero. */
void report_parse(Report *r);
void report_free(Report *r);
/* Gives the names that were recorded to util/symbols.h, for blocks that are shown: each as far as it was seen to reach. */
void report_know_symbols(const Report *r);
/* Another list of names, in place of what was recorded: util/symbols.h has it. */
void report_rename(Report *r);

typedef struct ReportOptions {
    const char *input, *output;
    unsigned views, guests, nodes;
    bool json, dot, functions;
    int64_t block; /* --block; REPORT_NONE: none */
} ReportOptions;

/* report_json.c */
void report_json(Report *r, const ReportOptions *o, FILE *out);
/* report_dot.c */
void report_dot(const Report *r, const ReportOptions *o, FILE *out);
/* report_block.c: one block in full, with its history.  Ends the program when there is none such. */
void report_block(const Report *r, uint32_t block, FILE *out);
/* report_html.c: false with *why when this Calque has no page built in. */
bool report_html_possible(void);
void report_html(Report *r, const ReportOptions *o, FILE *out);

/* report_view.c: blocks translated again from what was recorded. */
typedef struct ReportViewer ReportViewer;
ReportViewer *report_viewer_new(const Report *r);
void report_viewer_free(ReportViewer *v);
/* The aligned text of a block, or just the guest's instructions; to be freed.  NULL: it cannot be translated. */
char *report_view(ReportViewer *v, uint32_t block, bool guest_only);

/* report_text.c: words */
extern const char *const report_end[TRACE_ENDS], *const report_why[TRACE_WHYS], *const report_edge_kind[EDGE_KINDS],
                                                                                    *const report_place[TRACE_PLACES];
const char *report_exception(unsigned vector);
void report_mode_text(char *buf, size_t size, const ReportMode *m);
const char *report_helper_kind(const char *helper);
/* "do_fork+0x10" or "" */
void report_symbol_text(char *buf, size_t size, const Report *r, const ReportBlock *b);
/* Blocks from the hottest to the coldest: indices, to be freed. */
uint32_t *report_by_heat(const Report *r);

#endif
