/* The command line: QEMU's words for what Calque has.  Fills CliOptions or ends the program, with one
 * line and status 1 for what it does not understand, with status 0 after -help and its like. */
#ifndef CALQUE_CLI_OPTIONS_H
#define CALQUE_CLI_OPTIONS_H

#include "hw/config.h"

enum { CLI_CHARDEVS_MAX = 8, CLI_MONITORS_MAX = 4, CLI_AUDIODEVS_MAX = 4 };

/* -chardev: named now, opened when a device asks for it. */
typedef struct CliChardev {
    const char *id, *spec;
    bool used;
} CliChardev;

/* -device ide-hd, ide-cd, floppy: a drive around the medium of a -drive if=none.  They find each other when all has been read. */
typedef struct CliDriveDevice {
    const char *where; /* the option, for messages */
    DriveBus bus;
    bool cdrom;
    const char *drive;  /* a CliMedium's id, or NULL */
    int channel, unit;  /* -1: the first free place */
    uint32_t boot_rank; /* as DriveConfig has it */
    const char *serial, *model;
} CliDriveDevice;
typedef struct CliMedium {
    DriveConfig config; /* without bus and index */
    bool used;
} CliMedium;

/* -audiodev: where the PC speaker, the only thing that makes a sound, may be heard. */
typedef struct CliAudio {
    const char *id;
    bool sdl; /* else nowhere */
} CliAudio;

typedef struct CliOptions {
    MachineConfig machine;
    int argc; /* as the program got them */
    char **argv;

    const char *log_filter, *log_filter_where; /* -dfilter, or NULL */
    bool snapshot;                             /* for all drives */
    CliAudio audio[CLI_AUDIODEVS_MAX];
    unsigned audio_n;
    const char *speaker_audio; /* -machine pcspk-audiodev=, or NULL */
    CliMedium medium[DRIVES_MAX];
    unsigned medium_n;
    CliDriveDevice drive_device[DRIVES_MAX];
    unsigned drive_device_n;
    bool nographic, no_defaults, full_screen;
    bool lesson;                     /* the built-in guest is what to boot */
    bool lesson_unasked;             /* for want of anything else */
    bool boot_set;                   /* there was a -boot */
    bool graphics_set;               /* -machine graphics= has decided machine.no_graphics */
    const struct Frontend *frontend; /* NULL: none; what -display and the surroundings come to */
    bool speaker_on_sdl;
    const char *display; /* -display's word, or NULL */
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
/* A word on what boots, when no error can come any more. */
void cli_say_lesson(const CliOptions *o);
/* When nothing of it is in use any more: its texts go. */
void cli_free(CliOptions *o);

#endif
