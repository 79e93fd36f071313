/* All commands and all subjects of `info`, each once. */
#include <string.h>

#include "monitor/monitor_int.h"

const MonitorCommand monitor_commands[] = {
    { "change", NULL, "-fwww?w?", "device [-f] filename [format [read-only-mode]]",
      "change a removable medium; -f: by force", cmd_change },
    { "cont", "c", "", "", "resume emulation", cmd_cont },
    { "eject", NULL, "-fw", "[-f] device", "eject a removable medium (use -f to force it)", cmd_eject },
    { "help", "?", "w?", "[cmd]", "show the help", cmd_help },
    { "i", NULL, "/l", "/fmt addr", "I/O port read", cmd_in },
    { "info", NULL, "", "[subcommand]", "show various information about the system state", NULL },
    { "log", NULL, "w", "item1[,...]", "activate logging of the specified items, 'none' for no logging", cmd_log },
    { "mouse_button", NULL, "l", "state", "change mouse button state (1=L, 2=R, 4=M)", cmd_mouse_button },
    { "mouse_move", NULL, "www?", "dx dy [dz]", "send mouse move events", cmd_mouse_move },
    { "o", NULL, "/ll", "/fmt addr value", "I/O port write", cmd_out },
    { "print", "p", "/l", "/fmt expr", "print expression value (use $reg for CPU register access)", cmd_print },
    { "quit", "q", "", "", "quit the emulator", cmd_quit },
    { "screendump", NULL, "w", "filename", "save screen into the image 'filename', PNG or PPM by its suffix",
      cmd_screendump },
    { "sendkey", NULL, "wl?", "keys [hold_ms]",
      "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)", cmd_sendkey },
    { "stop", "s", "", "", "stop emulation", cmd_stop },
    { "system_powerdown", NULL, "", "", "send system power down event", cmd_powerdown },
    { "system_reset", NULL, "", "", "reset the system", cmd_reset },
    { "x", NULL, "/l", "/fmt addr", "virtual memory dump starting at 'addr'", cmd_x },
    { "xp", NULL, "/l", "/fmt addr", "physical memory dump starting at 'addr'", cmd_xp },
    { 0 },
};

const MonitorCommand monitor_infos[] = {
    { "block", NULL, "w?", "", "show the block devices", info_block },
    { "cpus", NULL, "", "", "show infos for each CPU", info_cpus },
    { "digest", NULL, "", "", "show a digest of the machine's state", info_digest },
    { "history", NULL, "", "", "show the command line history", info_history },
    { "irq", NULL, "", "", "show the interrupts statistics", info_irq },
    { "jit", NULL, "", "", "show dynamic compiler info", info_jit },
    { "mem", NULL, "", "", "show the active virtual memory mappings", info_mem },
    { "mice", NULL, "", "", "show which guest mouse is receiving events", info_mice },
    { "mtree", NULL, "-f", "", "show memory tree", info_mtree },
    { "name", NULL, "", "", "show the current VM name", info_name },
    { "pci", NULL, "", "", "show PCI info", info_pci },
    { "pic", NULL, "", "", "show PIC state", info_pic },
    { "qtree", NULL, "", "", "show all devices with their state", info_qtree },
    { "registers", NULL, "-a", "[-a]", "show the cpu registers", info_registers },
    { "status", NULL, "", "", "show the current VM status (running|paused)", info_status },
    { "tlb", NULL, "", "", "show virtual to physical memory mappings", info_tlb },
    { "version", NULL, "", "", "show the version of Calque", info_version },
    { 0 },
};

void cmd_help(Monitor *mon, const Args *args)
{
    const char *word = args->word[0];
    if (!args->given[0]) {
        monitor_help_all(mon, "", monitor_commands);
    } else if (strcmp(word, "info") == 0) {
        monitor_help_all(mon, "info ", monitor_infos);
    } else {
        const MonitorCommand *c = monitor_find(monitor_commands, word, strlen(word));
        if (c)
            monitor_help_line(mon, "", c);
        else
            mon_printf(mon, "unknown command: '%s'\n", word);
    }
}
