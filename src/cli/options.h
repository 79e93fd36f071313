/* The command line: QEMU's words for what Calque has.  Fills CliOptions or ends the program, with one
 * line and status 1 for what it does not understand, with status 0 after -help and its like. */
#ifndef CALQUE_CLI_OPTIONS_H
#define CALQUE_CLI_OPTIONS_H

#include "hw/config.h"

enum { CLI_CHARDEVS_MAX = 8, CLI_MONITORS_MAX = 4 };

/* -chardev: named now, opened when a device asks for it. */
typedef struct CliChardev {
    const char *id, *spec;
    bool used;
} CliChardev;

typedef struct CliOptions {
    MachineConfig machine;

    bool snapshot; /* for all drives */
    bool nographic, no_defaults, full_screen;
    bool graphics_set;               /* -machine graphics= has decided machine.no_graphics */
    const struct Frontend *frontend; /* NULL: none; what -display and the surroundings come to */
    const char *display;             /* -display's word, or NULL */
    unsigned serial_n;
    const char *serial[MACHINE_SERIAL_MAX]; /* specs, as -serial had them */
    const char *debugcon;                   /* spec; NULL: no isa-debugcon */
    CliChardev chardev[CLI_CHARDEVS_MAX];
    unsigned chardev_n;
    const char *monitor[CLI_MONITORS_MAX]; /* specs, as -monitor had them */
    unsigned monitor_n;
    CharDev *monitor_dev[CLI_MONITORS_MAX];
} CliOptions;

void cli_parse(int argc, char **argv, CliOptions *o);
/* After parsing: opens what the specs say into o->machine and o->monitor_dev, and chooses the front end. */
void cli_open_chardevs(CliOptions *o);
/* When nothing of it is in use any more: its texts go. */
void cli_free(CliOptions *o);

#endif
