/* The command line of "calque report". */
#include "cli/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/subcommand.h"
#include "util/die.h"
#include "util/log.h"
#include "util/number.h"
#include "util/symbols.h"

static uint64_t number_up_to(const char *where, const char *arg, uint64_t most)
{
    uint64_t n;
    if (!parse_u64(arg, &n) || n > most) die("report: %s: '%s' is not a number up to %" PRIu64, where, arg, most);
    return n;
}

static void set_output(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    (void)where;
    o->output = arg;
}

static void set_views(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    o->views = strcmp(arg, "all") ? (unsigned)number_up_to(where, arg, UINT32_MAX) : UINT32_MAX;
}

static void set_guests(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    o->guests = strcmp(arg, "all") ? (unsigned)number_up_to(where, arg, UINT32_MAX) : UINT32_MAX;
}

static void set_nodes(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    o->nodes = (unsigned)number_up_to(where, arg, 100000);
    if (!o->nodes) die("report: %s: a graph without nodes shows nothing", where);
}

static void set_by(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    o->functions = !strcmp(arg, "function");
    if (!o->functions && strcmp(arg, "block") != 0) die("report: %s: '%s' is neither block nor function", where, arg);
}

static void set_block(void *options, const char *where, const char *arg)
{
    ReportOptions *o = options;
    o->block = (int64_t)number_up_to(where, arg, UINT32_MAX);
}

static void set_symbols(void *options, const char *where, const char *arg)
{
    char what[64], error[512];
    (void)options;
    snprintf(what, sizeof what, "report: %s", where);
    if (!symbols_load(what, arg, error, sizeof error)) die("%s", error);
}

#define FLAG(FIELD) NULL, offsetof(ReportOptions, FIELD)
static const SubOption options[] = {
    { "o", "FILE", "where to write: a page for a browser (default report.html), or what --json or --dot asks for",
      set_output, 0 },
    { "json", NULL, "all of it, for scripts (doc/trace.txt); to standard output without -o", FLAG(json) },
    { "dot", NULL, "the graph of the hottest blocks, for Graphviz; to standard output without -o", FLAG(dot) },
    { "by", "block|function", "what a node of --dot is (default block)", set_by, 0 },
    { "nodes", "N", "at most so many nodes in --dot (default 100)", set_nodes, 0 },
    { "block", "N", "one block, by its number in the report: guest, IR, host, and its history", set_block, 0 },
    { "views", "N|all", "blocks that are shown in full (default 1000): the hottest and the most eventful", set_views,
      0 },
    { "guest", "N|all", "more blocks of which the guest's code is shown (default 20000)", set_guests, 0 },
    { "symbols", "FILE", "names of guest code: System.map, or an ELF file such as vmlinux", set_symbols, 0 },
};

static void set_input(void *to, const char *word)
{
    ReportOptions *o = to;
    if (o->input) die("report: '%s': one recording at a time", word);
    o->input = word;
}

static const SubCommand report = {
    .name = "report",
    .usage = "Usage: calque report FILE [OPTION...]\n"
             "Shows what calque ... -trace-jit FILE has recorded.\n",
    .option = options,
    .n = sizeof options / sizeof *options,
    .input = set_input,
};

static void parse(int argc, char **argv, ReportOptions *o)
{
    *o = (ReportOptions){ .views = 1000, .guests = 20000, .nodes = 100, .block = REPORT_NONE };
    subcommand_parse(&report, argc, argv, o);
    if (!o->input) die("report: nothing to report: name a file that calque ... -trace-jit FILE has written");
    if (o->json + o->dot + (o->block != REPORT_NONE) > 1) die("report: one of --json, --dot and --block at a time");
}

/* --- output ------------------------------------------------------------------------------------------------- */

static FILE *open_output(const ReportOptions *o)
{
    if (!o->output || !strcmp(o->output, "-")) return stdout;
    FILE *out = fopen(o->output, "we");
    if (!out) die("report: cannot write '%s': %s", o->output, strerror(errno));
    return out;
}

static void close_output(const ReportOptions *o, FILE *out)
{
    bool bad = fflush(out) || ferror(out);
    int why = errno;
    if (out != stdout && fclose(out) && !bad) bad = true, why = errno;
    if (bad) die("report: cannot write '%s': %s", o->output ? o->output : "-", strerror(why));
}

static void write_report(Report *r, const ReportOptions *o)
{
    FILE *out = open_output(o);
    if (o->json)
        report_json(r, o, out);
    else if (o->dot)
        report_dot(r, o, out);
    else if (o->block != REPORT_NONE)
        report_block(r, (uint32_t)o->block, out);
    else
        report_html(r, o, out);
    close_output(o, out);
}

int report_main(int argc, char **argv)
{
    static Report r;
    ReportOptions o;
    parse(argc, argv, &o);
    bool html = !o.json && !o.dot && o.block == REPORT_NONE;
    if (html && !report_html_possible())
        die("report: this Calque was built without npm, and has no page to put the report into; --json, --dot and "
            "--block work");
    if (html && !o.output) o.output = "report.html";
    report_read(&r, o.input);
    if (symbols_count())
        report_rename(&r);
    else
        report_know_symbols(&r);
    write_report(&r, &o);
    int status = r.complete ? 0 : 1;
    report_free(&r);
    symbols_free();
    return status;
}
