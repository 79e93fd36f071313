/* -device and -global: what can be added to the board, and how it can be told apart from the usual. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "util/die.h"
#include "util/nearest.h"

/* --- debug ports ------------------------------------------------------------------------------------------------- */

static void set_exit_iobase(CliOptions *o, const char *where, const char *value)
{
    o->machine.debug_exit.iobase = (uint16_t)number_in(where, value, 0, 0xffff);
}

static void set_exit_iosize(CliOptions *o, const char *where, const char *value)
{
    o->machine.debug_exit.iosize = (uint16_t)number_in(where, value, 1, 8);
}

static void add_debug_exit(CliOptions *o, const char *where)
{
    (void)where;
    o->machine.debug_exit.present = true;
}

static const Property debug_exit_properties[] = {
    { "iobase", "first port (default 0x501)", set_exit_iobase },
    { "iosize", "ports, 1 to 8 (default 2)", set_exit_iosize },
    { 0 },
};

static void set_debugcon_iobase(CliOptions *o, const char *where, const char *value)
{
    o->machine.debugcon.iobase = (uint16_t)number_in(where, value, 0, 0xffff);
}

static void set_debugcon_chardev(CliOptions *o, const char *where, const char *value)
{
    (void)where;
    o->debugcon = keep_text("chardev:%s", value);
}

static void add_debugcon(CliOptions *o, const char *where)
{
    if (!o->debugcon) die("%s: chardev=ID is missing (and -chardev ...,id=ID)", where);
}

static const Property debugcon_properties[] = {
    { "iobase", "port (default 0xe9)", set_debugcon_iobase },
    { "chardev", "id of a -chardev", set_debugcon_chardev },
    { 0 },
};

/* --- serial ports, the display ------------------------------------------------------------------------------------- */
/* Properties land here; -device takes one at a time. */
static const char *serial_chardev;

static void set_serial_chardev(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    serial_chardev = value;
}

static void add_serial(CliOptions *o, const char *where)
{
    if (!serial_chardev) die("%s: chardev=ID is missing (and -chardev ...,id=ID)", where);
    opt_serial(o, where, keep_text("chardev:%s", serial_chardev));
    serial_chardev = NULL;
}

static const Property serial_properties[] = {
    { "chardev", "id of a -chardev", set_serial_chardev },
    { 0 },
};

static void add_vga(CliOptions *o, const char *where)
{
    (void)where;
    o->machine.vga = VGA_STD;
}

static const Property no_properties[] = { { 0 } };

/* --- drives ---------------------------------------------------------------------------------------------------------- */

static CliDriveDevice drive;

static void set_drive(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    drive.drive = value;
}

static void set_drive_bus(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "ide.0") != 0 && strcmp(value, "ide.1") != 0) bad_value(where, value, "ide.0 or ide.1 is");
    drive.channel = value[4] - '0';
}

static void set_drive_unit(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    drive.unit = (int)number_in(where, value, 0, 1);
}

static void set_drive_boot(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    drive.boot_rank = 1 + (uint32_t)number_in(where, value, 0, INT_MAX);
}

static void set_text(const char **to, const char *where, const char *value, size_t longest)
{
    char allowed[60];
    snprintf(allowed, sizeof allowed, "at most %zu characters are", longest);
    if (strlen(value) > longest) bad_value(where, value, allowed);
    *to = value;
}

static void set_drive_serial(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    set_text(&drive.serial, where, value, 20);
}

static void set_drive_model(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    set_text(&drive.model, where, value, 40);
}

static const Property ide_properties[] = {
    { "drive", "id of a -drive with if=none", set_drive },
    { "bus", "ide.0 or ide.1, the channel", set_drive_bus },
    { "unit", "0 or 1 on it", set_drive_unit },
    { "bootindex", "the firmware tries lower ones first", set_drive_boot },
    { "serial", "serial number, up to 20 characters", set_drive_serial },
    { "model", "model, up to 40 characters", set_drive_model },
    { 0 },
};
static const Property floppy_properties[] = {
    { "drive", "id of a -drive with if=none", set_drive },
    { "unit", "0 (A) or 1 (B)", set_drive_unit },
    { "bootindex", "the firmware tries lower ones first", set_drive_boot },
    { 0 },
};

static void add_drive(CliOptions *o, const char *where, DriveBus bus, bool cdrom)
{
    if (o->drive_device_n == DRIVES_MAX) die("%s: there are at most %d drives", where, DRIVES_MAX);
    drive.where = where;
    drive.bus = bus;
    drive.cdrom = cdrom;
    o->drive_device[o->drive_device_n++] = drive;
}

static void add_ide_hd(CliOptions *o, const char *where)
{
    add_drive(o, where, DRIVE_IDE, false);
}
static void add_ide_cd(CliOptions *o, const char *where)
{
    add_drive(o, where, DRIVE_IDE, true);
}
static void add_floppy(CliOptions *o, const char *where)
{
    add_drive(o, where, DRIVE_FLOPPY, false);
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

static const struct DeviceOption {
    const char *name, *help;
    const Property *properties;
    void (*add)(CliOptions *o, const char *where); /* its properties have been set */
} devices[] = {
    { "ide-hd", "an IDE disk", ide_properties, add_ide_hd },
    { "ide-cd", "an IDE CD or DVD drive", ide_properties, add_ide_cd },
    { "floppy", "a floppy drive", floppy_properties, add_floppy },
    { "isa-serial", "the next serial port", serial_properties, add_serial },
    { "VGA", "the display adapter (-vga std)", no_properties, add_vga },
    { "isa-debug-exit", "a written value v ends Calque with status 2v+1", debug_exit_properties, add_debug_exit },
    { "isa-debugcon", "written bytes go to a character device", debugcon_properties, add_debugcon },
};
enum { DEVICE_COUNT = sizeof devices / sizeof devices[0] };

static _Noreturn void device_help(const struct DeviceOption *only)
{
    for (const struct DeviceOption *d = devices; d < devices + DEVICE_COUNT; d++) {
        if (only && d != only) continue;
        printf("%s: %s\n", d->name, d->help);
        print_properties(d->properties);
    }
    exit(0);
}

static const struct DeviceOption *find_device(const char *where, const char *name)
{
    Nearest near = { .word = name };
    for (const struct DeviceOption *d = devices; d < devices + DEVICE_COUNT; d++) {
        if (strcmp(d->name, name) == 0) return d;
        nearest_offer(&near, d->name);
    }
    die("%s: unknown device '%s'; the nearest one is '%s' (-device help lists all)", where, name, near.best);
}

void opt_device(CliOptions *o, const char *where, const char *arg)
{
    const char *rest = arg, *name = next_item(&rest);
    if (strncmp(name, "driver=", 7) == 0) name += 7;
    if (strcmp(name, "help") == 0 || strcmp(name, "?") == 0) device_help(NULL);
    const struct DeviceOption *d = find_device(where, name);
    if (rest && (strcmp(rest, "help") == 0 || strcmp(rest, "?") == 0)) device_help(d);
    const char *full = keep_text("%s %s", where, name);
    drive = (CliDriveDevice){ .channel = -1, .unit = -1 };
    apply_properties(o, full, rest, d->properties);
    d->add(o, full);
}

static const Property global_properties[] = {
    { "isa-debugcon.iobase", "port of -debugcon", set_debugcon_iobase },
    { "isa-debug-exit.iobase", "first port", set_exit_iobase },
    { "isa-debug-exit.iosize", "ports", set_exit_iosize },
    { 0 },
};

void opt_global(CliOptions *o, const char *where, const char *arg)
{
    apply_properties(o, where, arg, global_properties);
}
