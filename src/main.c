/* Calque: command line -> machine -> run. */
#include "cli/options.h"
#include "hw/machine.h"
#include "hw/pc.h"
#include "ui/chardev.h"
#include "util/die.h"

static void quit_machine(void *machine)
{
    machine_request(machine, MACHINE_QUIT, 0);
}

/* On ui's thread: the user asked to leave. */
static void on_quit(void *machine)
{
    machine_post(machine, quit_machine, machine);
}

int main(int argc, char **argv)
{
    CliOptions options;
    cli_parse(argc, argv, &options);
    cli_open_chardevs(&options);

    char error[512];
    Machine *m = pc_new(&options.machine, error, sizeof error);
    if (!m) die("%s", error);
    if (!ui_start(on_quit, m)) die("cannot start the input thread: out of resources");

    int status = machine_run(m);
    ui_stop();
    machine_free(m);
    ui_close();
    return status;
}
