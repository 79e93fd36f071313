/* Options about disks, CDs and floppies.  Each becomes a row of the machine's drives, in the order of the command line: a
 * drive without an index takes the first free place of its bus. */
#include <stdlib.h>
#include <string.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "util/die.h"
#include "util/nearest.h"

enum { IDE_PLACES = 4, FLOPPY_PLACES = 2, DEFAULT_CD = 2 };

static const unsigned places[DRIVE_BUSES] = { [DRIVE_IDE] = IDE_PLACES, [DRIVE_FLOPPY] = FLOPPY_PLACES };

static const DriveConfig *find_place(const CliOptions *o, DriveBus bus, unsigned index)
{
    for (unsigned i = 0; i < o->machine.n_drives; i++) {
        const DriveConfig *c = &o->machine.drive[i];
        if (c->bus == bus && c->index == index) return c;
    }
    return NULL;
}

static unsigned free_place(const CliOptions *o, const char *where, DriveBus bus)
{
    for (unsigned i = 0; i < places[bus]; i++)
        if (!find_place(o, bus, i)) return i;
    die("%s: there is no place left: all %u %s drives are taken", where, places[bus],
        bus == DRIVE_IDE ? "IDE" : "floppy");
}

static void add(CliOptions *o, const char *where, const DriveConfig *c)
{
    MachineConfig *m = &o->machine;
    if (find_place(o, c->bus, c->index)) {
        die("%s: there are two drives for %s index %u (-hda is IDE 0, -hdb 1, -hdc and -cdrom 2, -hdd 3)", where,
            c->bus == DRIVE_IDE ? "IDE" : "floppy", c->index);
    }
    m->drive[m->n_drives++] = *c; /* there are as many rows as places */
}

static DriveConfig plain(DriveBus bus, unsigned index)
{
    return (DriveConfig){ .bus = bus, .index = (uint8_t)index, .on_write_error = DRIVE_ERROR_ENOSPC };
}

static void add_plain(CliOptions *o, const char *where, const char *file, DriveBus bus, unsigned index, bool cdrom)
{
    DriveConfig c = plain(bus, index);
    if (!*file) bad_value(where, file, "a file name is");
    c.cdrom = cdrom;
    c.image.file = file;
    add(o, where, &c);
}

void cli_add_built_in(CliOptions *o, const char *where, const char *name, const BlockBuiltIn *image)
{
    DriveConfig c = plain(DRIVE_FLOPPY, 0);
    c.image = (BlockOptions){ .file = name, .built_in = image };
    add(o, where, &c);
}

void opt_hda(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_IDE, 0, false);
}
void opt_hdb(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_IDE, 1, false);
}
void opt_hdc(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_IDE, 2, false);
}
void opt_hdd(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_IDE, 3, false);
}
void opt_cdrom(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_IDE, DEFAULT_CD, true);
}
void opt_fda(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_FLOPPY, 0, false);
}
void opt_fdb(CliOptions *o, const char *where, const char *arg)
{
    add_plain(o, where, arg, DRIVE_FLOPPY, 1, false);
}

void opt_snapshot(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->snapshot = true;
}

/* --- -drive --------------------------------------------------------------------------------------------------------- */
/* Properties land here; -drive takes one at a time. */
static struct {
    DriveConfig c;
    int index, bus, unit; /* -1: not given */
    bool loose;           /* if=none: a medium for a -device */
} dr;

static unsigned choose(const char *where, const char *value, const char *const *words, const char *allowed)
{
    for (unsigned i = 0; words[i]; i++)
        if (strcmp(value, words[i]) == 0) return i;
    bad_value(where, value, allowed);
}

static void set_file(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)where;
    dr.c.image.file = value;
}

static void set_if(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "ide", "floppy", "none", NULL };
    unsigned kind = choose(where, value, words, "ide, floppy or none (for a -device) is");
    dr.loose = kind == 2;
    dr.c.bus = kind == 1 ? DRIVE_FLOPPY : DRIVE_IDE;
}

static void set_media(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "disk", "cdrom", NULL };
    dr.c.cdrom = choose(where, value, words, "disk or cdrom is");
}

static void set_format(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "raw", NULL };
    choose(where, value, words, "only raw is; qemu-img convert -O raw makes one");
    dr.c.image.raw_format = true;
}

static void set_index(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.index = (int)number_in(where, value, 0, IDE_PLACES - 1);
}
static void set_bus(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.bus = (int)number_in(where, value, 0, 1);
}
static void set_unit(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.unit = (int)number_in(where, value, 0, 1);
}

static void set_read_only(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.c.image.read_only = on_off(where, value);
}
static void set_snapshot(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.c.image.snapshot = on_off(where, value);
}

static void set_cache(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "writeback", "none", "writethrough", "directsync", "unsafe", NULL };
    dr.c.image.cache =
        (BlockCache)choose(where, value, words, "writeback, none, writethrough, directsync or unsafe is");
}

/* "enospc" only makes sense for writes. */
static const char *const error_words[] = { "report", "stop", "enospc", "ignore", NULL };
static void set_write_error(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    dr.c.on_write_error = (DriveOnError)choose(where, value, error_words, "report, stop, enospc or ignore is");
}
static void set_read_error(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    unsigned rule = choose(where, value, error_words, "report, stop or ignore is");
    if (rule == DRIVE_ERROR_ENOSPC) bad_value(where, value, "report, stop or ignore is");
    dr.c.on_read_error = (DriveOnError)rule;
}

static bool has_id(const DriveConfig *c, const char *id)
{
    return c->id && strcmp(c->id, id) == 0;
}

static void set_id(CliOptions *o, const char *where, const char *value)
{
    const char *taken = "another -drive has that id";
    for (unsigned i = 0; i < o->machine.n_drives; i++)
        if (has_id(&o->machine.drive[i], value)) bad_value(where, value, taken);
    for (unsigned i = 0; i < o->medium_n; i++)
        if (has_id(&o->medium[i].config, value)) bad_value(where, value, taken);
    if (strlen(value) > 31) bad_value(where, value, "at most 31 characters are");
    dr.c.id = value;
}

static void set_aio(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "threads", "native", "io_uring", NULL };
    choose(where, value, words, "threads is, and native and io_uring are taken for it,");
}

static void set_discard(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    static const char *const words[] = { "ignore", "off", "unmap", "on", NULL };
    dr.c.image.unmap = choose(where, value, words, "ignore (or off) and unmap (or on) are") >= 2;
}

static void set_detect_zeroes(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "off") != 0) bad_value(where, value, "only off is");
}

static const Property drive_properties[] = {
    { "file", "the image: a raw file or a block device", set_file },
    { "if", "ide (default), floppy, or none: for a -device with drive=ID", set_if },
    { "media", "disk (default) or cdrom", set_media },
    { "format", "raw", set_format },
    { "index", "0 to 3 (IDE), 0 or 1 (floppy)", set_index },
    { "bus", "IDE: 0 or 1, with unit= instead of index=", set_bus },
    { "unit", "0 or 1", set_unit },
    { "readonly", "on: the guest cannot write", set_read_only },
    { "read-only", "the same", set_read_only },
    { "snapshot", "on: what the guest writes is gone at the end", set_snapshot },
    { "cache", "writeback (default), none, writethrough, directsync, unsafe", set_cache },
    { "werror", "when the host cannot write: enospc (default), report, stop, ignore", set_write_error },
    { "rerror", "when the host cannot read: report (default), stop, ignore", set_read_error },
    { "discard", "unmap: what the guest trims goes back to the host; ignore (default)", set_discard },
    { "detect-zeroes", "off", set_detect_zeroes },
    { "id", "a name, for the monitor and -device", set_id },
    { "aio", "threads: requests run on threads of their own (native, io_uring: the same)", set_aio },
    { 0 },
};

static unsigned chosen_place(const CliOptions *o, const char *where)
{
    DriveBus bus = dr.c.bus;
    if (dr.index >= 0 && (dr.bus >= 0 || dr.unit >= 0)) die("%s: index= and bus=,unit= exclude each other", where);
    if (dr.bus >= 0 || dr.unit >= 0) {
        dr.index = (dr.bus > 0 ? dr.bus : 0) * 2;
        dr.index += dr.unit >= 0 ? dr.unit : find_place(o, bus, (unsigned)dr.index) ? 1 : 0;
    }
    if (dr.index < 0) return free_place(o, where, bus);
    if ((unsigned)dr.index >= places[bus]) die("%s: index %d: a floppy drive is 0 or 1", where, dr.index);
    return (unsigned)dr.index;
}

static void add_medium(CliOptions *o, const char *where)
{
    if (!dr.c.id) die("%s: if=none: id= is missing, by which a -device can name it", where);
    if (dr.index >= 0 || dr.bus >= 0 || dr.unit >= 0)
        die("%s: if=none: index=, bus= and unit= are for the -device to say", where);
    if (o->medium_n == DRIVES_MAX) die("%s: there are at most %d with if=none", where, DRIVES_MAX);
    o->medium[o->medium_n++] = (CliMedium){ .config = dr.c };
}

void opt_blockdev(CliOptions *o, const char *where, const char *arg)
{
    (void)o, (void)arg;
    die("%s: not supported: use -drive file=FILE,if=none,id=ID with -device ide-hd,drive=ID", where);
}

void opt_drive(CliOptions *o, const char *where, const char *arg)
{
    if (strcmp(arg, "help") == 0) {
        print_properties(drive_properties);
        exit(0);
    }
    dr.c = plain(DRIVE_IDE, 0);
    dr.index = dr.bus = dr.unit = -1;
    dr.loose = false;
    apply_properties(o, where, arg, drive_properties);
    if (dr.loose) {
        add_medium(o, where);
        return;
    }
    if (dr.c.bus == DRIVE_FLOPPY && dr.c.cdrom) die("%s: a floppy drive takes no CD (media=cdrom)", where);
    if (!dr.c.image.file && dr.c.bus == DRIVE_IDE && !dr.c.cdrom)
        die("%s: file= is missing; only CD and floppy drives can be empty", where);
    dr.c.index = (uint8_t)chosen_place(o, where);
    add(o, where, &dr.c);
}

/* --- -device ide-hd, ide-cd, floppy ---------------------------------------------------------------------------------- */

static CliMedium *find_medium(CliOptions *o, const CliDriveDevice *d)
{
    Nearest near = { .word = d->drive };
    for (unsigned i = 0; i < o->medium_n; i++) {
        if (has_id(&o->medium[i].config, d->drive)) return &o->medium[i];
        nearest_offer(&near, o->medium[i].config.id);
    }
    for (unsigned i = 0; i < o->machine.n_drives; i++)
        if (has_id(&o->machine.drive[i], d->drive))
            die("%s: drive '%s' has its place already; its -drive needs if=none", d->where, d->drive);
    if (!near.best) die("%s: there is no -drive if=none,id=%s", d->where, d->drive);
    die("%s: there is no -drive with id=%s; the nearest one is '%s'", d->where, d->drive, near.best);
}

static unsigned device_place(const CliOptions *o, const CliDriveDevice *d)
{
    if (d->bus == DRIVE_FLOPPY) return d->unit >= 0 ? (unsigned)d->unit : free_place(o, d->where, d->bus);
    if (d->channel < 0 && d->unit < 0) return free_place(o, d->where, d->bus);
    unsigned first = 2 * (unsigned)(d->channel > 0 ? d->channel : 0);
    if (d->unit >= 0) return first + (unsigned)d->unit;
    return find_place(o, d->bus, first) ? first + 1 : first;
}

static void check_rank(const CliOptions *o, const CliDriveDevice *d)
{
    for (const CliDriveDevice *other = o->drive_device; d->boot_rank && other < d; other++)
        if (other->boot_rank == d->boot_rank) die("%s: bootindex=%u is another device's", d->where, d->boot_rank - 1);
}

static void add_device(CliOptions *o, const CliDriveDevice *d)
{
    check_rank(o, d);
    DriveConfig c = plain(d->bus, 0);
    if (d->drive) {
        CliMedium *m = find_medium(o, d);
        if (m->used) die("%s: drive '%s' is another -device's", d->where, d->drive);
        m->used = true;
        c = m->config;
    }
    if (!c.image.file && d->bus == DRIVE_IDE && !d->cdrom)
        die("%s: drive=ID is missing: a disk needs a -drive file=FILE,if=none,id=ID", d->where);
    if (c.cdrom && !d->cdrom) die("%s: drive '%s' has media=cdrom, which is for an ide-cd", d->where, d->drive);
    c.bus = d->bus;
    c.cdrom = d->cdrom;
    c.serial = d->serial;
    c.model = d->model;
    c.boot_rank = d->boot_rank;
    c.index = (uint8_t)device_place(o, d);
    add(o, d->where, &c);
}

static bool has_device(const CliOptions *o, DriveBus bus)
{
    for (unsigned i = 0; i < o->drive_device_n; i++)
        if (o->drive_device[i].bus == bus) return true;
    return false;
}

/* A PC has a CD drive and a floppy drive, with or without something in them; who puts drives together by -device has
 * said which there are. */
void cli_finish_drives(CliOptions *o)
{
    MachineConfig *m = &o->machine;
    for (unsigned i = 0; i < o->drive_device_n; i++) add_device(o, &o->drive_device[i]);
    for (unsigned i = 0; i < o->medium_n; i++)
        if (!o->medium[i].used) warn_line("-drive: '%s' is in no drive: no -device names it", o->medium[i].config.id);
    if (o->snapshot)
        for (unsigned i = 0; i < m->n_drives; i++) m->drive[i].image.snapshot = !m->drive[i].cdrom;
    if (o->no_defaults) return;
    DriveConfig cd = plain(DRIVE_IDE, DEFAULT_CD), floppy = plain(DRIVE_FLOPPY, 0);
    cd.cdrom = true;
    if (!has_device(o, DRIVE_IDE) && !find_place(o, DRIVE_IDE, DEFAULT_CD)) add(o, "-cdrom", &cd);
    if (!has_device(o, DRIVE_FLOPPY) && !find_place(o, DRIVE_FLOPPY, 0)) add(o, "-fda", &floppy);
}
