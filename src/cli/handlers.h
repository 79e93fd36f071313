/* What each option does: internal to cli.  where is the option as typed, for messages. */
#ifndef CALQUE_CLI_HANDLERS_H
#define CALQUE_CLI_HANDLERS_H

#include "cli/options.h"

typedef void OptionHandler(CliOptions *o, const char *where, const char *arg);

/* opt_machine.c */
OptionHandler opt_mem, opt_cpu, opt_machine, opt_rtc, opt_kernel, opt_initrd, opt_append, opt_name;
OptionHandler opt_no_reboot, opt_no_shutdown, opt_start_stopped;
/* opt_accel.c */
OptionHandler opt_accel, opt_log, opt_log_file, opt_log_filter, opt_max_insns;
/* opt_console.c */
OptionHandler opt_nographic, opt_display, opt_serial, opt_chardev, opt_debugcon, opt_device, opt_global, opt_nodefaults;

#endif
