/* What each option does: internal to cli.  where is the option as typed, for messages. */
#ifndef CALQUE_CLI_HANDLERS_H
#define CALQUE_CLI_HANDLERS_H

#include "cli/options.h"

typedef void OptionHandler(CliOptions *o, const char *where, const char *arg);

/* opt_machine.c */
OptionHandler opt_mem, opt_cpu, opt_machine, opt_rtc, opt_icount, opt_kernel, opt_initrd, opt_append, opt_name;
OptionHandler opt_no_reboot, opt_no_shutdown, opt_start_stopped;
/* opt_boot.c */
OptionHandler opt_firmware_dir, opt_bios, opt_boot, opt_vga;
/* opt_lesson.c */
OptionHandler opt_lesson;
/* After all options, before those that look at drives and symbols: whether the built-in guest is what to boot. */
void cli_finish_lesson(CliOptions *o);
/* opt_accel.c */
OptionHandler opt_accel, opt_log, opt_log_file, opt_log_filter, opt_symbols, opt_max_insns, opt_perfmap, opt_jitdump,
    opt_gdbjit, opt_trace_jit;
/* After all options: -dfilter, which may name what -symbols has. */
void cli_finish_log(const CliOptions *o);
/* opt_console.c */
OptionHandler opt_serial, opt_chardev, opt_debugcon, opt_nodefaults;
/* opt_device.c */
OptionHandler opt_device, opt_global;

/* opt_display.c */
OptionHandler opt_nographic, opt_display, opt_curses, opt_full_screen, opt_monitor, opt_mon;
/* o->frontend from the options and the surroundings. */
void cli_choose_frontend(CliOptions *o);
/* opt_audio.c */
OptionHandler opt_audiodev, opt_speaker_audio;
/* o->speaker_on_sdl, once the front end is known. */
void cli_choose_audio(CliOptions *o);
/* The spec of a -chardev by its id, marked as used. */
const char *cli_chardev_spec(CliOptions *o, const char *where, const char *id);

/* opt_drive.c */
OptionHandler opt_drive, opt_blockdev, opt_hda, opt_hdb, opt_hdc, opt_hdd, opt_cdrom, opt_fda, opt_fdb, opt_snapshot;
/* A floppy in drive A that is no file. */
void cli_add_built_in(CliOptions *o, const char *where, const char *name, const BlockBuiltIn *image);
/* After all options: the drives that a PC has anyway. */
void cli_finish_drives(CliOptions *o);

#endif
