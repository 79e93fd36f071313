/* `info`, what other folders can say about themselves. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <config.h>

#include "hw/digest.h"
#include "monitor/monitor_int.h"

void info_status(Monitor *mon, const Args *args)
{
    (void)args;
    Machine *m = mon_board(mon)->machine;
    const char *why = machine_stop_reason(m);
    mon_printf(mon, "VM status: %s", machine_is_stopped(m) ? "paused" : "running");
    if (why) mon_printf(mon, " (%s)", why);
    mon_printf(mon, "\n");
    uint64_t now = clock_now(m);
    if (machine_uses_icount(m))
        mon_printf(mon, "icount: %" PRIu64 " instructions, virtual time %" PRIu64 ".%09u s\n", cpu_insns(mon_cpu(mon)),
                   now / 1000000000u, (unsigned)(now % 1000000000u));
}

void info_version(Monitor *mon, const Args *args)
{
    (void)args;
    mon_printf(mon, "%s\n", PACKAGE_VERSION);
}

void info_name(Monitor *mon, const Args *args)
{
    (void)args;
    if (mon_board(mon)->name) mon_printf(mon, "%s\n", mon_board(mon)->name);
}

void info_cpus(Monitor *mon, const Args *args)
{
    (void)args;
    long id = 0;
#ifdef SYS_gettid
    id = syscall(SYS_gettid); /* this is the machine thread */
#endif
    mon_printf(mon, "* CPU #0: thread_id=%ld%s", id, mon_cpu(mon)->halted ? " (halted)" : "");
    if (machine_uses_icount(mon_board(mon)->machine)) mon_printf(mon, " icount=%" PRIu64, cpu_insns(mon_cpu(mon)));
    mon_printf(mon, "\n");
}

void info_registers(Monitor *mon, const Args *args)
{
    (void)args;
    mon_printf(mon, "\nCPU#0\n");
    cpu_print(mon_cpu(mon), mon_line, mon);
}

void info_jit(Monitor *mon, const Args *args)
{
    (void)args;
    if (mon_board(mon)->exec) exec_print_jit(mon_board(mon)->exec, mon_line, mon);
}

void info_digest(Monitor *mon, const Args *args)
{
    (void)args;
    machine_digest(mon_board(mon)->machine, mon_line, mon);
}

void info_mtree(Monitor *mon, const Args *args)
{
    (void)args;
    mon_printf(mon, "address-space: memory\n");
    phys_print(machine_phys(mon_board(mon)->machine), mon_line, mon);
}

void info_block(Monitor *mon, const Args *args)
{
    (void)args;
    if (mon_board(mon)->drives) drives_print(mon_board(mon)->drives, mon_line, mon);
}

void info_pci(Monitor *mon, const Args *args)
{
    (void)args;
    if (mon_board(mon)->pci) pci_print(mon_board(mon)->pci, mon_line, mon);
}

void info_mice(Monitor *mon, const Args *args)
{
    (void)args;
    Input *in = mon_board(mon)->input;
    if (!in) return;
    bool absolute = input_is_absolute(in);
    mon_printf(mon, "%c Mouse #0: PS/2 mouse\n%c Mouse #1: vmmouse (absolute)\n", absolute ? ' ' : '*',
               absolute ? '*' : ' ');
}
