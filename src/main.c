/* Calque: command line -> machine -> run.
 *
 * With a window or a text screen the front end has the main thread, where window systems want it, and the
 * machine one of its own; with neither the machine runs right here.  doc/threads.txt has the whole picture. */
#include <string.h>

#include "cli/explain.h"
#include "cli/options.h"
#include "cli/report.h"
#include "hw/machine.h"
#include "hw/pc.h"
#include "hw/pc_devices.h"
#include "monitor/monitor.h"
#include "ui/audio.h"
#include "ui/chardev.h"
#include "ui/frontend.h"
#include "ui/screendump.h"
#include "ui/terminal.h"
#include "util/die.h"

typedef struct Run {
    Machine *machine;
    const Frontend *frontend; /* NULL: none */
    Monitor *monitor[CLI_MONITORS_MAX];
    int status;
} Run;

static void quit_machine(void *machine)
{
    machine_request(machine, MACHINE_QUIT, 0);
}

/* On ui's threads: the user asked to leave. */
static void on_quit(void *machine)
{
    machine_post(machine, quit_machine, machine);
}

static void add_monitors(Run *r, const CliOptions *o)
{
    const PcDevices *parts = pc_parts(r->machine);
    MonitorBoard board = { .machine = r->machine,
                           .name = o->machine.name,
                           .exec = pc_exec(r->machine),
                           .input = parts->input,
                           .display = parts->display,
                           .pci = parts->pci,
                           .drives = pc_drives(r->machine),
                           .power_button = pc_power_button,
                           .screendump = screendump };
    for (unsigned i = 0; i < o->monitor_n; i++)
        if (o->monitor_dev[i]) r->monitor[i] = monitor_new(&board, o->monitor_dev[i]);
}

static void open_frontend(Run *r, const CliOptions *o)
{
    const PcDevices *parts = pc_parts(r->machine);
    char error[512];
    FrontendConfig cfg = { .machine = r->machine,
                           .display = parts->display,
                           .input = parts->input,
                           .name = o->machine.name,
                           .full_screen = o->full_screen,
                           .power_button = pc_power_button,
                           .screendump = screendump,
                           .quit = on_quit };
    if (o->frontend && !cfg.display) warn_line("the machine has no display adapter: there is nothing to show");
    r->frontend = cfg.display ? o->frontend : NULL;
    if (r->frontend && !r->frontend->open(&cfg, error, sizeof error)) die("%s", error);
}

static void *run_machine(void *opaque)
{
    Run *r = opaque;
    terminal_handler_stack();
    r->status = machine_run(r->machine);
    if (r->frontend) r->frontend->stop();
    return NULL;
}

static void run(Run *r)
{
    pthread_t thread;
    if (!r->frontend) {
        run_machine(r);
        audio_stop();
        return;
    }
    int why = pthread_create(&thread, NULL, run_machine, r);
    if (why) die("cannot start a thread: %s", strerror(why));
    r->frontend->run(thread);
    pthread_join(thread, NULL);
    audio_stop(); /* SDL ends with the window */
    r->frontend->close();
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "explain")) return explain_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "report")) return report_main(argc - 1, argv + 1);
    CliOptions options;
    cli_parse(argc, argv, &options);
    cli_open_chardevs(&options);
    cli_say_lesson(&options);

    char error[512];
    if (options.speaker_on_sdl && !audio_start(&options.machine.speaker))
        die("cannot start a thread for the PC speaker");
    Run r = { .machine = pc_new(&options.machine, error, sizeof error) };
    if (!r.machine) die("%s", error);
    add_monitors(&r, &options);
    /* First the signals, so that every thread that a front end starts has them blocked. */
    if (!ui_start(on_quit, r.machine)) die("cannot start the input thread: out of resources");
    open_frontend(&r, &options);

    run(&r);
    ui_stop();
    for (int i = 0; i < CLI_MONITORS_MAX; i++) monitor_free(r.monitor[i]);
    machine_free(r.machine);
    ui_close();
    cli_free(&options);
    return r.status;
}
