/* Options about what the user sees: window, terminal, monitor. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "ui/frontend.h"
#include "util/die.h"
#include "util/log.h"
#include "util/nearest.h"

static const Frontend *const frontends[] = { &sdl_frontend, &curses_frontend };
enum { FRONTENDS = sizeof frontends / sizeof frontends[0] };

static const Frontend *find_frontend(const char *name)
{
    for (int i = 0; i < FRONTENDS; i++)
        if (strcmp(frontends[i]->name, name) == 0) return frontends[i];
    return NULL;
}

static void display_help(void)
{
    for (int i = 0; i < FRONTENDS; i++) printf("%-10s %s\n", frontends[i]->name, frontends[i]->help);
    printf("%-10s %s\n", "none", "nothing is shown; the machine has its display all the same");
    exit(0);
}

static void set_full_screen(CliOptions *o, const char *where, const char *value)
{
    o->full_screen = on_off(where, value);
}

static const Property display_properties[] = {
    { "full-screen", "on: the window fills the screen", set_full_screen },
    { 0 },
};

void opt_display(CliOptions *o, const char *where, const char *arg)
{
    const char *rest = arg, *name = next_item(&rest);
    Nearest near = { .word = name };
    if (strcmp(name, "help") == 0) display_help();
    if (strcmp(name, "none") != 0 && !find_frontend(name)) {
        for (int i = 0; i < FRONTENDS; i++) nearest_offer(&near, frontends[i]->name);
        nearest_offer(&near, "none");
        die("%s: '%s' is unknown; the nearest one is '%s' (-display help lists all)", where, name, near.best);
    }
    apply_properties(o, where, rest, display_properties);
    o->display = name;
}

void opt_curses(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->display = curses_frontend.name;
}

void opt_full_screen(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->full_screen = true;
}

void opt_nographic(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->nographic = true;
}

void opt_monitor(CliOptions *o, const char *where, const char *arg)
{
    if (o->monitor_n == CLI_MONITORS_MAX) die("%s: there are at most %d monitors", where, CLI_MONITORS_MAX);
    o->monitor[o->monitor_n++] = arg;
}

static void set_mon_chardev(CliOptions *o, const char *where, const char *value)
{
    opt_monitor(o, where, keep_text("chardev:%s", value));
}
static void set_mon_mode(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "readline") != 0) bad_value(where, value, "only readline is");
}

static const Property mon_properties[] = {
    { "chardev", "id of a -chardev", set_mon_chardev },
    { "mode", "readline", set_mon_mode },
    { 0 },
};

void opt_mon(CliOptions *o, const char *where, const char *arg)
{
    apply_properties(o, where, arg, mon_properties);
}

/* A terminal that can show a screen, and on which nothing else is to appear. */
static bool terminal_is_free(const CliOptions *o)
{
#ifndef HAVE_CURSES
    return false;
#endif
    const char *term = getenv("TERM");
    if (o->serial_n || o->monitor_n || log_mask) return false;
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* A window where there is somewhere to open one.  Where not, the lesson's guest, which has a text screen to show, shows it if
 * nobody wants the terminal for something else. */
void cli_choose_frontend(CliOptions *o)
{
    const char *name = o->display;
    bool can_open = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
    if (!name && !o->nographic && can_open)
        name = sdl_frontend.name;
    else if (!name && !o->nographic && o->lesson && terminal_is_free(o))
        name = curses_frontend.name;
    o->frontend = name ? find_frontend(name) : NULL;
    if (o->nographic && o->frontend == &curses_frontend) die("-nographic: cannot be used with -display curses");
    if (o->nographic) o->frontend = NULL;
}
