/* The command line: QEMU's words for what Calque has.  Fills CliOptions or ends the program, with one
 * line and status 1 for what it does not understand, with status 0 after -help and its like. */
#ifndef CALQUE_CLI_OPTIONS_H
#define CALQUE_CLI_OPTIONS_H

#include "hw/config.h"

enum { CLI_CHARDEVS_MAX = 8 };

/* -chardev: named now, opened when a device asks for it. */
typedef struct CliChardev {
    const char *id, *spec;
    bool used;
} CliChardev;

typedef struct CliOptions {
    MachineConfig machine;

    bool nographic, display_given, no_defaults;
    unsigned serial_n;
    const char *serial[MACHINE_SERIAL_MAX]; /* specs, as -serial had them */
    const char *debugcon;                   /* spec; NULL: no isa-debugcon */
    CliChardev chardev[CLI_CHARDEVS_MAX];
    unsigned chardev_n;
} CliOptions;

void cli_parse(int argc, char **argv, CliOptions *o);
/* After parsing: opens what the specs say into o->machine. */
void cli_open_chardevs(CliOptions *o);

#endif
