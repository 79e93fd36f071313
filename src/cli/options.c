/* The table of options and the loop over argv.  Everything that QEMU's users type and Calque has is a
 * row here; all else is refused by name, with the nearest row. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <config.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "util/die.h"
#include "util/nearest.h"
#include "util/symbols.h"

enum { DEFAULT_MEM_MIB = 128 };

typedef struct Option {
    const char *name;   /* without the dash; NULL: a heading in -help */
    const char *arg;    /* NULL: takes none */
    const char *help;   /* NULL: another name of the row above */
    OptionHandler *set; /* NULL: only values are taken, and change nothing */
    const char *only;   /* the one value allowed when set is NULL */
} Option;

static OptionHandler print_help, print_version;

static const Option options[] = {
    { NULL, NULL, "The machine", NULL, NULL },
    { "m", "SIZE", "memory: MiB, or with a suffix M or G (default 128)", opt_mem, NULL },
    { "cpu", "MODEL", "processor: 'help', or a model and +feature,-feature", opt_cpu, NULL },
    { "smp", "N", "processors: 1", NULL, "1" },
    { "machine", "TYPE", "pc", opt_machine, NULL },
    { "M", "TYPE", NULL, opt_machine, NULL },
    { "rtc", "base=WHEN", "clock at power-on: utc (default), localtime or 2006-06-17T16:01:21", opt_rtc, NULL },
    { "icount", "shift=N",
      "time by instruction count, the same in each run: 'shift=3,sleep=off'; -rtc base= fixes the date", opt_icount,
      NULL },
    { "name", "NAME", "a name for the machine", opt_name, NULL },
    { "nodefaults", NULL, "no serial port unless asked for", opt_nodefaults, NULL },
    { NULL, NULL, "What it boots", NULL, NULL },
    { "kernel", "FILE", "a Linux bzImage or a Multiboot kernel", opt_kernel, NULL },
    { "initrd", "FILE", "initial RAM disk; Multiboot: 'FILE ARGS,FILE ARGS...'", opt_initrd, NULL },
    { "append", "TEXT", "kernel command line", opt_append, NULL },
    { "boot", "order=DRIVES",
      "what the firmware boots: order=, once=, menu=, splash-time=, reboot-timeout=, strict=", opt_boot, NULL },
    { "lesson", NULL, "the guest that Calque carries in itself, as when nothing to boot is named", opt_lesson, NULL },
    { "bios", "FILE", "the firmware's image; none: start -kernel without firmware", opt_bios, NULL },
    { "L", "DIR", "where firmware images are", opt_firmware_dir, NULL },
    { "no-reboot", NULL, "leave instead of rebooting", opt_no_reboot, NULL },
    { "no-shutdown", NULL, "stop instead of leaving at power-off", opt_no_shutdown, NULL },
    { "S", NULL, "do not start the processor", opt_start_stopped, NULL },
    { NULL, NULL, "Disks", NULL, NULL },
    { "hda", "FILE", "disk image (raw file or block device): first IDE disk; also -hdb, -hdc, -hdd", opt_hda, NULL },
    { "hdb", "FILE", NULL, opt_hdb, NULL },
    { "hdc", "FILE", NULL, opt_hdc, NULL },
    { "hdd", "FILE", NULL, opt_hdd, NULL },
    { "cdrom", "FILE", "CD or DVD image in the third IDE place", opt_cdrom, NULL },
    { "fda", "FILE", "floppy image in drive A; also -fdb", opt_fda, NULL },
    { "fdb", "FILE", NULL, opt_fdb, NULL },
    { "drive", "file=FILE", "'help', or a drive with its properties", opt_drive, NULL },
    { "blockdev", "...", "not supported: -drive file=FILE,if=none,id=ID and -device ide-hd,drive=ID say the same",
      opt_blockdev, NULL },
    { "snapshot", NULL, "what the guest writes to its disks is gone at the end", opt_snapshot, NULL },
    { NULL, NULL, "Consoles and devices", NULL, NULL },
    { "nographic", NULL, "no window: first serial port and monitor on this terminal (Ctrl-A h for help)", opt_nographic,
      NULL },
    { "display", "sdl", "sdl (window), curses (text screen in this terminal), none", opt_display, NULL },
    { "curses", NULL, "-display curses", opt_curses, NULL },
    { "audiodev", "sdl,id=ID", "the PC speaker: sdl (the host's sound; default with a window) or none", opt_audiodev,
      NULL },
    { "full-screen", NULL, "start with the window filling the screen", opt_full_screen, NULL },
    { "vga", "std", "display adapter: std (default) or none", opt_vga, NULL },
    { "serial", "DEV",
      "serial port: stdio, mon:stdio, file:PATH, unix:PATH,server,nowait, tcp:HOST:PORT,server,nowait,\n"
      "                       null, none, chardev:ID",
      opt_serial, NULL },
    { "chardev", "DEV,id=ID", "stdio, null, file with path=, socket with path= or host=, port=, for chardev:ID",
      opt_chardev, NULL },
    { "debugcon", "DEV", "port 0xe9 to DEV, as for -serial", opt_debugcon, NULL },
    { "device", "NAME", "add a device: 'help', or a name and its properties", opt_device, NULL },
    { "global", "DEV.PROP=V", "set a property of a device", opt_global, NULL },
    { "monitor", "DEV", "monitor, as for -serial", opt_monitor, NULL },
    { "mon", "chardev=ID", "monitor on a -chardev", opt_mon, NULL },
    { "parallel", "none", "parallel port", NULL, "none" },
    { "nic", "none", "network adapter", NULL, "none" },
    { "net", "none", NULL, NULL, "none" },
    { NULL, NULL, "Translation", NULL, NULL },
    { "accel", "tcg", "'help', tcg with backend=, tb-size=, no-pass=, or lockstep", opt_accel, NULL },
    { "d", "ITEM,...", "log: 'help', or items", opt_log, NULL },
    { "D", "FILE", "where the log goes (default stderr)", opt_log_file, NULL },
    { "dfilter", "RANGE,...", "log only code at these addresses: A..B, A+LEN, A-LEN, or functions by name",
      opt_log_filter, NULL },
    { "trace-jit", "FILE",
      "record what translation does, for 'calque report FILE'; FILE,size=256M bounds the file (128M)", opt_trace_jit,
      NULL },
    { "perfmap", NULL, "name translated code for perf(1), in /tmp/perf-PID.map", opt_perfmap, NULL },
    { "jitdump", "FOLDER", "write translated code for perf inject --jit, to FOLDER/jit-PID.dump", opt_jitdump, NULL },
    { "gdbjit", NULL, "tell gdb the names of translated code, and how to unwind through it", opt_gdbjit, NULL },
    { "symbols", "FILE", "names of guest code, for -dfilter and in logs: System.map, or an ELF file such as vmlinux",
      opt_symbols, NULL },
    { "max-insns", "N", "leave with status 0 after about N guest instructions", opt_max_insns, NULL },
    { NULL, NULL, "Calque", NULL, NULL },
    { "help", NULL, "this text", print_help, NULL },
    { "h", NULL, NULL, print_help, NULL },
    { "version", NULL, "the version", print_version, NULL },
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static void print_help(CliOptions *o, const char *where, const char *arg)
{
    (void)o, (void)where, (void)arg;
    printf("Calque %s: a PC in software\nUsage: calque [OPTION...]\n", PACKAGE_VERSION);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const Option *opt = &options[i];
        char left[40];
        if (!opt->name) {
            printf("\n%s:\n", opt->help);
            continue;
        }
        snprintf(left, sizeof left, "-%s %s", opt->name, opt->arg ? opt->arg : "");
        printf("  %-20s %s\n", left, opt->help ? opt->help : "the same");
    }
    exit(0);
}

static void print_version(CliOptions *o, const char *where, const char *arg)
{
    (void)o, (void)where, (void)arg;
    printf("Calque %s\n", PACKAGE_VERSION);
    exit(0);
}

/* Never returns NULL: an unknown word ends the program. */
static const Option *find_option(const char *word)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    Nearest near = { .word = name };
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!options[i].name) continue;
        if (strcmp(options[i].name, name) == 0) return &options[i];
        nearest_offer(&near, options[i].name);
    }
    die("%s: unknown or unsupported option; the nearest one is -%s (-help lists all)", word, near.best);
}

static void apply_option(CliOptions *o, const Option *opt, const char *word, const char *arg)
{
    if (opt->set) {
        opt->set(o, word, arg);
    } else if (strcmp(arg, opt->only) != 0) {
        char allowed[40];
        snprintf(allowed, sizeof allowed, "only %s is", opt->only);
        bad_value(word, arg, allowed);
    }
}

static void check_together(const CliOptions *o)
{
    const MachineConfig *m = &o->machine;
    if (m->exec.trace.path && m->exec.lockstep)
        die("-trace-jit: not with -accel lockstep, which runs each block twice");
    if (!m->kernel && m->initrd) die("-initrd: needs -kernel");
    if (!m->kernel && m->append[0]) die("-append: needs -kernel");
}

void cli_parse(int argc, char **argv, CliOptions *o)
{
    *o = (CliOptions){ .argc = argc,
                       .argv = argv,
                       .machine = {
                           .mem_bytes = (uint32_t)DEFAULT_MEM_MIB << 20,
                           .append = "",
                           .boot.reboot_wait_ms = -1,
                           .debug_exit = { .iobase = 0x501, .iosize = 2 },
                           .debugcon = { .iobase = 0xe9 },
                       } };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') { /* a disk, as in "calque disk.img" */
            opt_hda(o, word, word);
            continue;
        }
        const Option *opt = find_option(word);
        if (opt->arg && i + 1 == argc) die("%s: its argument is missing: %s %s", word, word, opt->arg);
        apply_option(o, opt, word, opt->arg ? argv[++i] : NULL);
    }
    cli_finish_lesson(o);
    cli_finish_log(o);
    cli_finish_drives(o);
    check_together(o);
}

void cli_free(CliOptions *o)
{
    *o = (CliOptions){ 0 };
    forget_texts();
    symbols_free();
}
