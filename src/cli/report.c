/* The command line of "calque report". */
#include "cli/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/log.h"
#include "util/nearest.h"
#include "util/number.h"
#include "util/symbols.h"

typedef void SetOption(ReportOptions *o, const char *where, const char *arg);

static uint64_t number_up_to(const char *where, const char *arg, uint64_t most)
{
    uint64_t n;
    if (!parse_u64(arg, &n) || n > most) die("report: %s: '%s' is not a number up to %" PRIu64, where, arg, most);
    return n;
}

static void set_output(ReportOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->output = arg;
}

static void set_json(ReportOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->json = true;
}

static void set_dot(ReportOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->dot = true;
}

static void set_views(ReportOptions *o, const char *where, const char *arg)
{
    o->views = strcmp(arg, "all") ? (unsigned)number_up_to(where, arg, UINT32_MAX) : UINT32_MAX;
}

static void set_guests(ReportOptions *o, const char *where, const char *arg)
{
    o->guests = strcmp(arg, "all") ? (unsigned)number_up_to(where, arg, UINT32_MAX) : UINT32_MAX;
}

static void set_nodes(ReportOptions *o, const char *where, const char *arg)
{
    o->nodes = (unsigned)number_up_to(where, arg, 100000);
    if (!o->nodes) die("report: %s: a graph without nodes shows nothing", where);
}

static void set_by(ReportOptions *o, const char *where, const char *arg)
{
    o->functions = !strcmp(arg, "function");
    if (!o->functions && strcmp(arg, "block") != 0) die("report: %s: '%s' is neither block nor function", where, arg);
}

static void set_block(ReportOptions *o, const char *where, const char *arg)
{
    o->block = (int64_t)number_up_to(where, arg, UINT32_MAX);
}

static void set_symbols(ReportOptions *o, const char *where, const char *arg)
{
    char what[64], error[512];
    (void)o;
    snprintf(what, sizeof what, "report: %s", where);
    if (!symbols_load(what, arg, error, sizeof error)) die("%s", error);
}

static const struct {
    const char *name, *arg, *help;
    SetOption *set;
} options[] = {
    { "o", "FILE", "where to write: a page for a browser (default report.html), or what --json or --dot asks for",
      set_output },
    { "json", NULL, "all of it, for scripts (doc/trace.txt); to standard output without -o", set_json },
    { "dot", NULL, "the graph of the hottest blocks, for Graphviz; to standard output without -o", set_dot },
    { "by", "block|function", "what a node of --dot is (default block)", set_by },
    { "nodes", "N", "at most so many nodes in --dot (default 100)", set_nodes },
    { "block", "N", "one block, by its number in the report: guest, IR, host, and its history", set_block },
    { "views", "N|all", "blocks that are shown in full (default 1000): the hottest and the most eventful", set_views },
    { "guest", "N|all", "more blocks of which the guest's code is shown (default 20000)", set_guests },
    { "symbols", "FILE", "names of guest code: System.map, or an ELF file such as vmlinux", set_symbols },
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static _Noreturn void usage(void)
{
    puts("Usage: calque report FILE [OPTION...]\n"
         "Shows what calque ... -trace-jit FILE has recorded.\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s %s", i ? "--" : "-", options[i].name, options[i].arg ? options[i].arg : "");
        printf("  %-22s %s\n", left, options[i].help);
    }
    exit(0);
}

/* The row's number; an unknown word ends the program. */
static int find_option(const char *word)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    Nearest near = { .word = name };
    if (!strcmp(name, "help") || !strcmp(name, "h")) usage();
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!strcmp(options[i].name, name)) return i;
        nearest_offer(&near, options[i].name);
    }
    die("report: %s: unknown option; the nearest one is %s%s (calque report --help lists all)", word,
        strlen(near.best) > 1 ? "--" : "-", near.best);
}

static void parse(int argc, char **argv, ReportOptions *o)
{
    *o = (ReportOptions){ .views = 1000, .guests = 20000, .nodes = 100, .block = REPORT_NONE };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            if (o->input) die("report: '%s': one recording at a time", word);
            o->input = word;
            continue;
        }
        int n = find_option(word);
        if (options[n].arg && i + 1 == argc)
            die("report: %s: its argument is missing: %s %s", word, word, options[n].arg);
        options[n].set(o, word, options[n].arg ? argv[++i] : NULL);
    }
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
    if (symbols_count()) report_rename(&r);
    write_report(&r, &o);
    int status = r.complete ? 0 : 1;
    report_free(&r);
    symbols_free();
    return status;
}
