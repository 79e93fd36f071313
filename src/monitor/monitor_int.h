/* Internal to the monitor: what commands work with. */
#ifndef CALQUE_MONITOR_MONITOR_INT_H
#define CALQUE_MONITOR_MONITOR_INT_H

#include "monitor/args.h"
#include "monitor/monitor.h"

enum { FMT_BAD = 0 };

struct SendKey;
/* What a command may keep from one line to the next. */
typedef struct MonitorState {
    char fmt_char; /* x and print without a format use the last one */
    unsigned fmt_size;
    unsigned mouse_x, mouse_y; /* absolute pointer, where mouse_move has put it */
    struct SendKey *sendkey;
} MonitorState;

void mon_printf(Monitor *mon, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One line, as the printers of other folders emit it; opaque is the Monitor. */
void mon_line(void *opaque, const char *line);
const MonitorBoard *mon_board(const Monitor *mon);
MonitorState *mon_state(Monitor *mon);
CPUState *mon_cpu(const Monitor *mon);

typedef void MonitorHandler(Monitor *mon, const Args *args);
/* A command, or a subject of `info`. */
typedef struct MonitorCommand {
    const char *name, *alias; /* alias may be NULL */
    const char *spec;         /* arguments, see args.h */
    const char *params;       /* how they are shown */
    const char *help;
    MonitorHandler *run;
} MonitorCommand;
extern const MonitorCommand monitor_commands[], monitor_infos[]; /* both end with a NULL name */

/* NULL: none has that name. */
const MonitorCommand *monitor_find(const MonitorCommand *table, const char *name, size_t len);
void monitor_help_line(Monitor *mon, const char *prefix, const MonitorCommand *c);
void monitor_help_all(Monitor *mon, const char *prefix, const MonitorCommand *table);

/* cmd_*.c */
MonitorHandler cmd_help, cmd_stop, cmd_cont, cmd_reset, cmd_powerdown, cmd_quit, cmd_log, cmd_screendump;
MonitorHandler cmd_x, cmd_xp, cmd_print, cmd_in, cmd_out;
MonitorHandler cmd_sendkey, cmd_mouse_move, cmd_mouse_button;
MonitorHandler cmd_eject, cmd_change;
/* info*.c */
MonitorHandler info_status, info_version, info_name, info_cpus, info_registers, info_jit, info_digest, info_mtree,
    info_block, info_pci, info_mice, info_tlb, info_mem, info_pic, info_irq, info_qtree, info_history;

#endif
