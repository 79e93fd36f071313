/* The machine's buttons. */
#include <stdio.h>
#include <string.h>

#include "monitor/monitor_int.h"
#include "util/log.h"

void cmd_stop(Monitor *mon, const Args *args)
{
    (void)args;
    machine_stop(mon_board(mon)->machine, NULL);
}

void cmd_cont(Monitor *mon, const Args *args)
{
    (void)args;
    machine_cont(mon_board(mon)->machine);
}

void cmd_reset(Monitor *mon, const Args *args)
{
    (void)args;
    machine_request(mon_board(mon)->machine, MACHINE_RESET, 0);
}

void cmd_powerdown(Monitor *mon, const Args *args)
{
    (void)args;
    const MonitorBoard *b = mon_board(mon);
    if (b->power_button) b->power_button(b->machine);
}

void cmd_quit(Monitor *mon, const Args *args)
{
    (void)args;
    machine_request(mon_board(mon)->machine, MACHINE_QUIT, 0);
}

static void print_log_items(Monitor *mon)
{
#define X(id, name, help) mon_printf(mon, "%-15s %s\n", name, help);
    mon_printf(mon, "Log items (comma separated):\n%-15s %s\n", "none", "remove all logs");
    LOG_ITEMS(X)
#undef X
}

void cmd_log(Monitor *mon, const Args *args)
{
    const char *items = args->word[0], *bad = items;
    uint32_t before = log_mask;
    if (strcmp(items, "help") == 0) {
        print_log_items(mon);
        return;
    }
    log_mask = 0;
    if (strcmp(items, "none") == 0 || log_set(items, &bad)) {
        /* Blocks that run hold what was decided when they were made (nochain). */
        if (mon_board(mon)->exec) exec_flush(mon_board(mon)->exec);
        return;
    }
    log_mask = before;
    mon_printf(mon, "unknown log item: '%s'\n", bad);
    print_log_items(mon);
}

void cmd_screendump(Monitor *mon, const Args *args)
{
    const MonitorBoard *b = mon_board(mon);
    char error[512];
    if (!b->display || !b->screendump) {
        mon_printf(mon, "Error: the machine has no display\n");
        return;
    }
    display_refresh(b->display);
    if (!b->screendump(b->display, args->word[0], error, sizeof error)) mon_printf(mon, "Error: %s\n", error);
}
