/* Options about firmware and what it boots: -L, -bios, -boot, -vga. */
#include <string.h>

#include "cli/handlers.h"
#include "cli/keyval.h"

void opt_firmware_dir(CliOptions *o, const char *where, const char *arg)
{
    if (!*arg) bad_value(where, arg, "a directory is");
    o->machine.firmware_dir = arg;
}

void opt_bios(CliOptions *o, const char *where, const char *arg)
{
    if (!*arg) bad_value(where, arg, "an image, or none with -kernel, is");
    o->machine.bios = arg;
}

void opt_vga(CliOptions *o, const char *where, const char *arg)
{
    if (strcmp(arg, "std") == 0)
        o->machine.vga = VGA_STD;
    else if (strcmp(arg, "none") == 0)
        o->machine.vga = VGA_NONE;
    else
        bad_value(where, arg, "std and none are");
}

/* Each letter once: a (and b) floppy, c disk, d CD-ROM, n to p network. */
static const char *drives(const char *where, const char *value)
{
    for (const char *p = value; *p; p++)
        if (!strchr("abcdnop", *p) || strchr(p + 1, *p))
            bad_value(where, value, "letters of a, c, d and n, each once, are");
    if (!*value) bad_value(where, value, "letters of a, c, d and n are");
    return value;
}

static void set_order(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.order = drives(where, value);
}
static void set_once(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.once = drives(where, value);
}

static void set_menu(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.menu = on_off(where, value);
}
static void set_strict(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.strict = on_off(where, value);
}
static void set_menu_wait(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.menu_wait_ms = (uint16_t)number_in(where, value, 0, 0xffff);
}
static void set_reboot_wait(CliOptions *o, const char *where, const char *value)
{
    o->machine.boot.reboot_wait_ms = strcmp(value, "-1") == 0 ? -1 : (int32_t)number_in(where, value, 0, 0xffff);
}

static const Property boot_properties[] = {
    { "order", "drives to try: a floppy, c disk, d CD-ROM, n network (default cad)", set_order },
    { "once", "the same, until the first reset", set_once },
    { "menu", "on: the firmware offers its boot menu (default off)", set_menu },
    { "splash-time", "how long it does so, in ms", set_menu_wait },
    { "reboot-timeout", "restart after so many ms when nothing could be booted; -1 (default): do not",
      set_reboot_wait },
    { "strict", "on: only what is in the order", set_strict },
    { 0 },
};

/* "-boot d" is short for order=d. */
void opt_boot(CliOptions *o, const char *where, const char *arg)
{
    const char *rest = arg;
    const char *first = next_item(&rest);
    o->boot_set = true;
    if (first && !strchr(first, '='))
        set_order(o, where, first);
    else
        rest = arg;
    apply_properties(o, where, rest, boot_properties);
}
