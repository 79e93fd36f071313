/* Options about consoles: serial lines, the debug port, what stands at their far ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "ui/chardev.h"
#include "util/die.h"
#include "util/nearest.h"

void opt_nodefaults(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->no_defaults = true;
}

void opt_serial(CliOptions *o, const char *where, const char *arg)
{
    if (o->serial_n == MACHINE_SERIAL_MAX) die("%s: there are at most %d serial ports", where, MACHINE_SERIAL_MAX);
    o->serial[o->serial_n++] = arg;
}

/* --- -chardev ---------------------------------------------------------------------------------- */
/* Properties land here; -chardev takes one at a time. */
static struct {
    const char *id, *path, *host, *port;
    bool to_guest, server, no_wait;
} cd;

static void set_cd_id(CliOptions *o, const char *where, const char *value)
{
    for (unsigned i = 0; i < o->chardev_n; i++) {
        if (strcmp(o->chardev[i].id, value) == 0) bad_value(where, value, "another -chardev has that id");
    }
    cd.id = value;
}

static void set_cd_path(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    cd.path = value;
}

static void set_cd_signal(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    cd.to_guest = !on_off(where, value);
}

static void set_cd_mux(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    cd.to_guest = on_off(where, value);
}

static void set_cd_host(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    cd.host = value;
}
static void set_cd_port(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    cd.port = value;
}
static void set_cd_server(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    cd.server = on_off(where, value);
}
static void set_cd_wait(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    cd.no_wait = !on_off(where, value);
}
static void set_cd_nowait(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    cd.no_wait = on_off(where, value);
}

static const Property chardev_properties[] = {
    { "id", "the name that devices use", set_cd_id },
    { "path", "of a file, or of a socket", set_cd_path },
    { "host", "socket: to connect to, or to listen at", set_cd_host },
    { "port", "socket", set_cd_port },
    { "server", "socket: on listens, off connects (default)", set_cd_server },
    { "wait", "socket: off does not wait for the first to connect", set_cd_wait },
    { "nowait", "socket: wait=off", set_cd_nowait },
    { "signal", "stdio: on lets Ctrl-C interrupt Calque, off sends it to the guest", set_cd_signal },
    { "mux", "stdio: on is signal=off", set_cd_mux },
    { 0 },
};

void opt_chardev(CliOptions *o, const char *where, const char *arg)
{
    static const char allowed[] = "stdio,id=ID or file,id=ID,path=PATH or socket,id=ID,path=PATH or "
                                  "socket,id=ID,host=HOST,port=PORT or null,id=ID is";
    if (o->chardev_n == CLI_CHARDEVS_MAX) die("%s: there are at most %d", where, CLI_CHARDEVS_MAX);
    memset(&cd, 0, sizeof cd);
    const char *rest = arg, *kind = next_item(&rest), *spec = NULL;
    apply_properties(o, where, rest, chardev_properties);
    if (!cd.id) bad_value(where, arg, allowed);
    if (strcmp(kind, "null") == 0) spec = "null";
    if (strcmp(kind, "stdio") == 0) spec = cd.to_guest ? "mon:stdio" : "stdio";
    if (strcmp(kind, "file") == 0 && cd.path) spec = keep_text("file:%s", cd.path);
    const char *how = keep_text("%s%s", cd.server ? ",server" : "", cd.no_wait ? ",nowait" : "");
    if (strcmp(kind, "socket") == 0 && cd.path) spec = keep_text("unix:%s%s", cd.path, how);
    if (strcmp(kind, "socket") == 0 && cd.port) spec = keep_text("tcp:%s:%s%s", cd.host ? cd.host : "", cd.port, how);
    if (!spec) bad_value(where, arg, allowed);
    o->chardev[o->chardev_n++] = (CliChardev){ .id = cd.id, .spec = spec };
}

void opt_debugcon(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->debugcon = arg;
}

/* --- opening ------------------------------------------------------------------------------------ */
const char *cli_chardev_spec(CliOptions *o, const char *where, const char *id)
{
    Nearest near = { .word = id };
    for (unsigned i = 0; i < o->chardev_n; i++) {
        nearest_offer(&near, o->chardev[i].id);
        if (strcmp(o->chardev[i].id, id) != 0) continue;
        if (o->chardev[i].used) die("%s: chardev '%s' is in use already: only one device can have it", where, id);
        o->chardev[i].used = true;
        return o->chardev[i].spec;
    }
    if (!near.best) die("%s: there is no chardev '%s'", where, id);
    die("%s: there is no chardev '%s'; the nearest one is '%s'", where, id, near.best);
}

/* NULL for "none". */
static CharDev *open_spec(CliOptions *o, const char *where, const char *spec, bool monitor)
{
    char error[512];
    if (strncmp(spec, "chardev:", 8) == 0) spec = cli_chardev_spec(o, where, spec + 8);
    if (strcmp(spec, "none") == 0) return NULL;
    CharDev *dev =
        monitor ? ui_chardev_open_monitor(spec, error, sizeof error) : ui_chardev_open(spec, error, sizeof error);
    if (!dev) die("%s: %s", where, error);
    return dev;
}

/* The monitor shares a terminal on which Ctrl-C goes to the guest, unless it was put elsewhere. */
static void open_monitors(CliOptions *o, bool on_terminal)
{
    for (unsigned i = 0; i < o->monitor_n; i++) o->monitor_dev[i] = open_spec(o, "-monitor", o->monitor[i], true);
    if (o->monitor_n) return;
    bool shared = false;
    for (unsigned i = 0; i < o->serial_n; i++) shared |= strcmp(o->serial[i], "mon:stdio") == 0;
    if (shared || (on_terminal && !o->serial_n && !o->no_defaults)) {
        o->monitor_dev[0] = open_spec(o, "-monitor", "mon:stdio", true);
        o->monitor_n = 1;
    }
}

static bool monitor_on_stdio(const CliOptions *o)
{
    for (unsigned i = 0; i < o->monitor_n; i++)
        if (strcmp(o->monitor[i], "stdio") == 0) return true;
    return false;
}

void cli_open_chardevs(CliOptions *o)
{
    MachineConfig *m = &o->machine;
    cli_choose_frontend(o);
    cli_choose_audio(o);
    for (unsigned i = 0; i < o->serial_n; i++) m->serial[i] = open_spec(o, "-serial", o->serial[i], false);

    /* With neither window nor -display none this terminal is the console, for firmware too. */
    bool no_screen = o->nographic || (!o->display && !o->frontend);
    bool debugcon_on_stdio = o->debugcon && strstr(o->debugcon, "stdio");
    bool on_terminal = no_screen && !debugcon_on_stdio && !monitor_on_stdio(o);
    if (no_screen && !o->graphics_set) m->no_graphics = true;
    if (!o->serial_n && !o->no_defaults) {
        m->serial[0] = open_spec(o, "-nographic", on_terminal ? "mon:stdio" : "null", false);
    }
    if (o->debugcon) {
        m->debugcon.chardev = open_spec(o, "-debugcon", o->debugcon, false);
        m->debugcon.present = m->debugcon.chardev != NULL;
    }
    open_monitors(o, on_terminal);
}
