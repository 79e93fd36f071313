/* Media put in and taken out. */
#include <string.h>

#include "monitor/monitor_int.h"

static bool has_drives(Monitor *mon)
{
    if (mon_board(mon)->drives) return true;
    mon_printf(mon, "Error: the machine has no drives\n");
    return false;
}

void cmd_eject(Monitor *mon, const Args *args)
{
    char error[512];
    if (!has_drives(mon)) return;
    if (!drive_eject(mon_board(mon)->drives, args->word[0], args->flag, error, sizeof error))
        mon_printf(mon, "Error: %s\n", error);
}

static bool read_only_mode(const char *word, int *mode)
{
    static const struct {
        const char *name;
        int mode;
    } modes[] = { { "retain", -1 }, { "read-only", 1 }, { "read-write", 0 } };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, word) != 0) continue;
        *mode = modes[i].mode;
        return true;
    }
    return false;
}

/* The flag may also stand behind the device, as QEMU's help shows it. */
void cmd_change(Monitor *mon, const Args *args)
{
    char error[512];
    unsigned skip = args->given[1] && strcmp(args->word[1], "-f") == 0 ? 1 : 0;
    const char *file = args->word[1 + skip], *format = args->given[2 + skip] ? args->word[2 + skip] : NULL;
    const char *mode_word = 3 + skip < ARGS_MAX && args->given[3 + skip] ? args->word[3 + skip] : NULL;
    bool force = args->flag || skip;
    int mode = -1;
    if (!has_drives(mon)) return;
    DriveSet *set = mon_board(mon)->drives;
    if (!file) {
        mon_printf(mon, "Error: filename expected\n");
    } else if (format && strcmp(format, "raw") != 0) {
        mon_printf(mon, "Error: format '%s' is not supported: raw is\n", format);
    } else if (mode_word && !read_only_mode(mode_word, &mode)) {
        mon_printf(mon, "Error: '%s' is none of: retain, read-only, read-write\n", mode_word);
    } else if ((force && !drive_eject(set, args->word[0], true, error, sizeof error)) ||
               !drive_change(set, args->word[0], file, mode, error, sizeof error)) {
        mon_printf(mon, "Error: %s\n", error);
    }
}
