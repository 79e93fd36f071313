#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <config.h>

#include "hw/alloc.h"
#include "hw/inbox.h"
#include "monitor/line_edit.h"
#include "monitor/monitor_int.h"
#include "monitor/sendkey.h"
#include "util/nearest.h"

static const char prompt[] = "(calque) ";

struct Monitor {
    MonitorBoard board;
    CharDev *cd;
    Inbox *inbox;
    LineEdit *editor;
    MonitorState state;
};

/* --- output ---------------------------------------------------------------------------------------------------- */

static void write_text(void *opaque, const char *text, size_t n)
{
    chardev_write(((Monitor *)opaque)->cd, text, n);
}

/* Lines end in CR LF: a raw terminal needs it and a program that reads a socket does not mind. */
static void write_lines(Monitor *mon, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        write_text(mon, text, n);
        text += n;
        if (*text == '\n') {
            write_text(mon, "\r\n", 2);
            text++;
        }
    }
}

void mon_printf(Monitor *mon, const char *fmt, ...)
{
    char buf[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    write_lines(mon, buf);
}

void mon_line(void *opaque, const char *line)
{
    write_lines(opaque, line);
    write_text(opaque, "\r\n", 2);
}

const MonitorBoard *mon_board(const Monitor *mon)
{
    return &mon->board;
}
MonitorState *mon_state(Monitor *mon)
{
    return &mon->state;
}
CPUState *mon_cpu(const Monitor *mon)
{
    return machine_cpu(mon->board.machine);
}

/* --- commands by name ------------------------------------------------------------------------------------------ */

static bool is_name(const char *name, const char *text, size_t len)
{
    return name && strlen(name) == len && memcmp(name, text, len) == 0;
}

const MonitorCommand *monitor_find(const MonitorCommand *table, const char *name, size_t len)
{
    for (; table->name; table++)
        if (is_name(table->name, name, len) || is_name(table->alias, name, len)) return table;
    return NULL;
}

void monitor_help_line(Monitor *mon, const char *prefix, const MonitorCommand *c)
{
    mon_printf(mon, "%s%s%s%s%s%s -- %s\n", prefix, c->name, c->alias ? "|" : "", c->alias ? c->alias : "",
               *c->params ? " " : "", c->params, c->help);
}

void monitor_help_all(Monitor *mon, const char *prefix, const MonitorCommand *table)
{
    for (; table->name; table++) monitor_help_line(mon, prefix, table);
}

static void unknown(Monitor *mon, const char *prefix, const MonitorCommand *table, const char *word)
{
    Nearest near = { .word = word };
    for (; table->name; table++) nearest_offer(&near, table->name);
    mon_printf(mon, "unknown command: '%s%s'", prefix, word);
    if (near.best && near.distance <= 2 && 2 * near.distance < strlen(word))
        mon_printf(mon, "; the nearest one is '%s%s'", prefix, near.best);
    mon_printf(mon, "\n");
}

static void run_in(Monitor *mon, const char *prefix, const MonitorCommand *table, const char *line)
{
    char error[160];
    Args args;
    /* "x/4i", "print/x": the format may touch the name. */
    size_t len = strcspn(line, " \t/");
    const MonitorCommand *c = monitor_find(table, line, len);
    if (!c || (line[len] == '/' && c->spec[0] != '/')) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " \t"), line);
        unknown(mon, prefix, table, word);
    } else if (!c->run) { /* info */
        while (line[len] == ' ' || line[len] == '\t') len++;
        if (line[len])
            run_in(mon, "info ", monitor_infos, line + len);
        else
            monitor_help_all(mon, "info ", monitor_infos);
    } else if (args_parse(&args, c->spec, line + len, mon_cpu(mon), error, sizeof error)) {
        c->run(mon, &args);
    } else {
        mon_printf(mon, "%s\nTry \"help %.*s\" for more information\n", error, (int)len, *prefix ? "info" : line);
    }
}

static void run_line(Monitor *mon, const char *line)
{
    while (*line == ' ' || *line == '\t') line++;
    if (*line && *line != '#') run_in(mon, "", monitor_commands, line);
}

/* --- completion ------------------------------------------------------------------------------------------------- */

static const char *nth_match(const MonitorCommand *table, const char *word, size_t len, unsigned i)
{
    for (; table->name; table++)
        if (strncmp(table->name, word, len) == 0 && i-- == 0) return table->name;
    return NULL;
}

static const char *nth_key(const char *word, size_t len, unsigned i)
{
    for (int k = 0; k < KEY_COUNT; k++)
        if (strncmp(key_info[k].name, word, len) == 0 && i-- == 0) return key_info[k].name;
    return NULL;
}

static const char *complete(void *opaque, const char *line, size_t n, unsigned i, size_t *start)
{
    (void)opaque;
    size_t at = n;
    while (at && line[at - 1] != ' ' && line[at - 1] != '-') at--;
    *start = at;
    size_t first = strcspn(line, " ");
    if (at == 0) return nth_match(monitor_commands, line, n, i);
    if (first == 4 && memcmp(line, "info", 4) == 0) return nth_match(monitor_infos, line + at, n - at, i);
    if (first == 4 && memcmp(line, "help", 4) == 0) return nth_match(monitor_commands, line + at, n - at, i);
    if (first == 7 && memcmp(line, "sendkey", 7) == 0) return nth_key(line + at, n - at, i);
    return NULL;
}

/* --- life -------------------------------------------------------------------------------------------------------- */

static void greet(Monitor *mon)
{
    mon_printf(mon, "Calque %s monitor - type 'help' for more information\n", PACKAGE_VERSION);
    line_edit_prompt(mon->editor);
}

static void on_input(void *opaque)
{
    Monitor *mon = opaque;
    uint8_t byte;
    if (inbox_get_event(mon->inbox, CHARDEV_OPENED)) greet(mon);
    if (inbox_get_event(mon->inbox, CHARDEV_FOCUS)) {
        mon_printf(mon, "\n");
        line_edit_prompt(mon->editor);
    }
    while (inbox_get(mon->inbox, &byte)) {
        const char *line = line_edit_feed(mon->editor, byte);
        if (!line) continue;
        run_line(mon, line);
        line_edit_prompt(mon->editor);
    }
}

void info_history(Monitor *mon, const Args *args)
{
    (void)args;
    const char *line;
    for (unsigned i = 0; (line = line_edit_history(mon->editor, i)); i++) mon_printf(mon, "%u: '%s'\n", i, line);
}

Monitor *monitor_new(const MonitorBoard *board, CharDev *cd)
{
    Monitor *mon = hw_alloc(sizeof *mon);
    mon->board = *board;
    mon->cd = cd;
    mon->state =
        (MonitorState){ .fmt_char = 'x', .fmt_size = 4, .mouse_x = INPUT_ABS_MAX / 2, .mouse_y = INPUT_ABS_MAX / 2 };
    mon->state.sendkey = board->input ? sendkey_new(board->machine, board->input) : NULL;
    mon->editor = line_edit_new(&(LineEditOps){ .write = write_text, .complete = complete, .opaque = mon }, prompt);
    if (!mon->editor) abort();
    mon->inbox = inbox_new(board->machine, cd, on_input, mon);
    return mon;
}

void monitor_free(Monitor *mon)
{
    if (!mon) return;
    inbox_free(mon->inbox);
    sendkey_free(mon->state.sendkey);
    line_edit_free(mon->editor);
    free(mon);
}
