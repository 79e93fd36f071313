/* Options about translation, and about looking into it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "cli/handlers.h"
#include "cli/keyval.h"
#include "tcg/ir.h"
#include "util/die.h"
#include "util/log.h"
#include "util/nearest.h"
#include "util/number.h"
#include "util/symbols.h"

static void print_passes(void)
{
    puts("Passes, in running order:");
    for (unsigned i = 0; i < ir_pass_count; i++) printf("  %-16s %s\n", ir_passes[i].name, ir_passes[i].what);
}

static void offer_passes(Nearest *near)
{
    for (unsigned i = 0; i < ir_pass_count; i++) nearest_offer(near, ir_passes[i].name);
}

static void set_backend(CliOptions *o, const char *where, const char *value)
{
    if (!backend_find(value)) bad_value(where, value, "x86_64 (on such a host) or interp is");
    o->machine.exec.backend = value;
}

static void set_tb_size(CliOptions *o, const char *where, const char *value)
{
    o->machine.exec.tb_size_mib = (unsigned)number_in(where, value, 1, 2047);
}

static void set_no_pass(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (ir_pass_enable(value, false)) return;
    Nearest near = { .word = value };
    offer_passes(&near);
    die("%s: there is no pass '%s'; the nearest one is '%s'", where, value, near.best ? near.best : "none");
}

static void set_thread(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "single") != 0) bad_value(where, value, "only single is");
}

static void set_window(CliOptions *o, const char *where, const char *value)
{
    o->machine.exec.window_always = !strcmp(value, "always");
    o->machine.exec.no_window = !o->machine.exec.window_always && !on_off(where, value);
}

static const Property accel_properties[] = {
    { "backend", "x86_64: translate to host code; interp: portable, slower", set_backend },
    { "tb-size", "MiB for translated code, 1 to 2047", set_tb_size },
    { "no-pass", "switch an optimisation pass off, by name", set_no_pass },
    { "thread", "single", set_thread },
    { "window", "on, off, always: map the guest's memory into the host's where that pays (x86_64; on)", set_window },
    { 0 },
};
static const Property lockstep_properties[] = {
    { "tb-size", "MiB for translated code, 1 to 2047", set_tb_size },
    { "no-pass", "switch an optimisation pass off, by name", set_no_pass },
    { "thread", "single", set_thread },
    { 0 },
};

void opt_accel(CliOptions *o, const char *where, const char *arg)
{
    const char *rest = arg, *first = next_item(&rest);
    if (strncmp(first, "accel=", 6) == 0) first += 6;
    if (strcmp(first, "help") == 0) {
        puts("tcg        dynamic binary translation (default); its properties:");
        print_properties(accel_properties);
        puts("lockstep   both backends beside each other, block by block, until they differ; its properties:");
        print_properties(lockstep_properties);
        print_passes();
        exit(0);
    }
    o->machine.exec.lockstep = strcmp(first, "lockstep") == 0;
    if (!o->machine.exec.lockstep && strcmp(first, "tcg") != 0)
        bad_value(where, first, "accelerators are tcg and lockstep");
    apply_properties(o, where, rest, o->machine.exec.lockstep ? lockstep_properties : accel_properties);
}

/* --- -d ------------------------------------------------------------------------------------------ */
static void offer_log_items(Nearest *near)
{
#define X(id, name, help) nearest_offer(near, name);
    LOG_ITEMS(X)
#undef X
    nearest_offer(near, "help");
}

static void log_help(void)
{
    log_print_help(stdout);
    puts("  no-PASS       switch an optimisation pass off (an option, not a log)");
    print_passes();
    exit(0);
}

void opt_log(CliOptions *o, const char *where, const char *arg)
{
    for (const char *item; (item = next_item(&arg));) {
        const char *bad;
        if (strcmp(item, "help") == 0) log_help();
        if (strncmp(item, "no-", 3) == 0) {
            set_no_pass(o, where, item + 3);
        } else if (!log_set(item, &bad)) {
            Nearest near = { .word = item };
            offer_log_items(&near);
            die("%s: unknown item '%s'; the nearest one is '%s' (-d help lists all)", where, item, near.best);
        }
    }
    /* The state before each block can only be shown where every block comes by: in the loop. */
    o->machine.exec.no_chain = log_on(LOG_NOCHAIN | LOG_CPU);
}

void opt_log_file(CliOptions *o, const char *where, const char *arg)
{
    (void)o;
    if (!log_open(arg)) die("%s: cannot write '%s': %s", where, arg, strerror(errno));
}

void opt_log_filter(CliOptions *o, const char *where, const char *arg)
{
    o->log_filter = arg; /* names may come with a later -symbols */
    o->log_filter_where = where;
}

void opt_symbols(CliOptions *o, const char *where, const char *arg)
{
    char error[512];
    (void)o;
    if (!symbols_load(where, arg, error, sizeof error)) die("%s", error);
}

void cli_finish_log(const CliOptions *o)
{
    const char *arg = o->log_filter;
    if (!arg || log_set_filter(arg)) return;
    const char *near = *arg && !strchr(arg, ',') && !(arg[0] >= '0' && arg[0] <= '9') ? symbols_nearest(arg) : NULL;
    if (near) die("%s: there is no function '%s' in -symbols; the nearest one is '%s'", o->log_filter_where, arg, near);
    bad_value(o->log_filter_where, arg,
              "ranges are, as in 0x1000..0x1fff or 0x1000+0x200 or 0x1fff-0x200, and with -symbols names of functions, "
              "separated by commas");
}

void opt_max_insns(CliOptions *o, const char *where, const char *arg)
{
    o->machine.exec.max_insns = number_in(where, arg, 1, UINT64_MAX);
}

void opt_perfmap(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->machine.exec.perfmap = true;
}

/* As one would type it, roughly: what the report shows. */
static const char *command_line(const CliOptions *o)
{
    char text[2048];
    size_t n = 0;
    for (int i = 0; i < o->argc && n < sizeof text; i++) {
        bool quote = strpbrk(o->argv[i], " \"'$&|;()<>*?\\") || !o->argv[i][0];
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s%s", i ? " " : "", quote ? "'" : "", o->argv[i],
                              quote ? "'" : "");
    }
    return keep_text("%s", text);
}

static void set_trace_size(CliOptions *o, const char *where, const char *value)
{
    uint64_t bytes;
    if (!parse_size(value, 1 << 20, &bytes) || bytes < EXEC_TRACE_LEAST || bytes > UINT64_C(1) << 40)
        bad_value(where, value, "size= takes MiB, or a number with K, M or G, 256K at least");
    o->machine.exec.trace.limit = bytes;
}

void opt_trace_jit(CliOptions *o, const char *where, const char *arg)
{
    static const Property properties[] = {
        { "size", "bytes that the file may have (128M)", set_trace_size },
        { 0 },
    };
    const char *rest = arg, *path = next_item(&rest);
    if (!*path) bad_value(where, arg, "FILE or FILE,size=256M is");
    o->machine.exec.trace = (ExecTrace){ .path = path, .limit = EXEC_TRACE_DEFAULT, .command = command_line(o) };
    apply_properties(o, where, rest, properties);
}

void opt_jitdump(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->machine.exec.jitdump = arg;
}

void opt_gdbjit(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->machine.exec.gdbjit = true;
}
