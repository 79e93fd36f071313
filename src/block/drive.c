#include "block/drive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/nearest.h"

struct Drive {
    char name[32];
    char *file; /* of a medium put in by drive_change(); else the configuration's */
    DriveConfig cfg;
    const BlockPoster *poster;
    BlockImage *image;
    const DriveClient *client;
    void *opaque;
    int said; /* the errno that the last message was about */
};

struct DriveSet {
    BlockPoster poster;
    unsigned n;
    Drive *drive[DRIVES_MAX];
};

/* --- life ------------------------------------------------------------------------------------------------- */

static void name_drive(Drive *d)
{
    const DriveConfig *c = &d->cfg;
    if (c->id)
        snprintf(d->name, sizeof d->name, "%s", c->id);
    else if (c->bus == DRIVE_FLOPPY)
        snprintf(d->name, sizeof d->name, "floppy%u", c->index);
    else
        snprintf(d->name, sizeof d->name, "ide%u-%s%u", c->index / 2u, c->cdrom ? "cd" : "hd", c->index % 2u);
}

static BlockImage *open_medium(const Drive *d, const char *file, int read_only, char *error, size_t error_size)
{
    BlockOptions opt = d->cfg.image;
    if (file != opt.file) opt.built_in = NULL; /* another medium */
    opt.file = file;
    if (read_only >= 0) opt.read_only = read_only;
    if (d->cfg.cdrom) opt.read_only = opt.cd = true;
    opt.removable = drive_is_removable(d);
    return block_open(&opt, d->poster, error, error_size);
}

static bool add_drive(DriveSet *set, const DriveConfig *cfg, char *error, size_t error_size)
{
    if (set->n == DRIVES_MAX || drives_at(set, cfg->bus, cfg->index)) {
        snprintf(error, error_size, "two drives at the same place (%s index %u)",
                 cfg->bus == DRIVE_IDE ? "IDE" : "floppy", cfg->index);
        return false;
    }
    Drive *d = calloc(1, sizeof *d);
    if (!d) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    d->cfg = *cfg;
    d->poster = &set->poster;
    set->drive[set->n++] = d;
    name_drive(d);
    if (!cfg->image.file) {
        if (drive_is_removable(d)) return true;
        snprintf(error, error_size, "%s: a disk needs an image", d->name);
        return false;
    }
    d->image = open_medium(d, cfg->image.file, -1, error, error_size);
    return d->image != NULL;
}

DriveSet *drives_open(const DriveConfig *cfg, unsigned n, const BlockPoster *poster, char *error, size_t error_size)
{
    DriveSet *set = calloc(1, sizeof *set);
    if (!set) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    set->poster = *poster;
    for (unsigned i = 0; i < n; i++) {
        if (add_drive(set, &cfg[i], error, error_size)) continue;
        drives_close(set);
        return NULL;
    }
    return set;
}

void drives_close(DriveSet *set)
{
    if (!set) return;
    for (unsigned i = 0; i < set->n; i++) {
        block_close(set->drive[i]->image);
        free(set->drive[i]->file);
        free(set->drive[i]);
    }
    free(set);
}

Drive *drives_at(DriveSet *set, DriveBus bus, unsigned index)
{
    for (unsigned i = 0; i < set->n; i++) {
        Drive *d = set->drive[i];
        if (d->cfg.bus == bus && d->cfg.index == index) return d;
    }
    return NULL;
}

Drive *drives_find(DriveSet *set, const char *name)
{
    for (unsigned i = 0; i < set->n; i++)
        if (strcmp(set->drive[i]->name, name) == 0) return set->drive[i];
    return NULL;
}

/* --- for devices -------------------------------------------------------------------------------------------- */

void drive_attach(Drive *d, const DriveClient *client, void *opaque)
{
    d->client = client;
    d->opaque = opaque;
}
BlockImage *drive_image(Drive *d)
{
    return d->image;
}
const char *drive_name(const Drive *d)
{
    return d->name;
}
const DriveConfig *drive_config(const Drive *d)
{
    return &d->cfg;
}
bool drive_is_cdrom(const Drive *d)
{
    return d->cfg.cdrom;
}
bool drive_is_removable(const Drive *d)
{
    return d->cfg.cdrom || d->cfg.bus == DRIVE_FLOPPY;
}

static bool is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

DriveOnError drive_error_action(Drive *d, bool write, int error)
{
    DriveOnError rule = write ? d->cfg.on_write_error : d->cfg.on_read_error;
    if (rule == DRIVE_ERROR_ENOSPC) rule = is_full(error) ? DRIVE_ERROR_STOP : DRIVE_ERROR_REPORT;
    /* A guest may try again for ever; the user needs to read it once. */
    if (error != d->said || rule == DRIVE_ERROR_STOP) {
        warn_line("%s: %s of '%s' failed on the host: %s%s", d->name, write ? "a write" : "a read",
                  d->image ? block_file(d->image) : "", strerror(error),
                  rule == DRIVE_ERROR_STOP ? "; the machine is stopped until the monitor's 'cont' tries again" : "");
    }
    d->said = error;
    return rule;
}

/* --- for the monitor ----------------------------------------------------------------------------------------- */

static Drive *find_removable(DriveSet *set, const char *name, char *error, size_t error_size)
{
    Drive *d = drives_find(set, name);
    if (d && drive_is_removable(d)) return d;
    if (d) {
        snprintf(error, error_size, "Device '%s' is not removable", name);
        return NULL;
    }
    Nearest near = { .word = name };
    for (unsigned i = 0; i < set->n; i++) nearest_offer(&near, set->drive[i]->name);
    if (near.best)
        snprintf(error, error_size, "Device '%s' not found; the nearest one is '%s'", name, near.best);
    else
        snprintf(error, error_size, "Device '%s' not found", name);
    return NULL;
}

static bool ask(bool (*question)(void *opaque), void *opaque)
{
    return question && question(opaque);
}

/* False: the guest holds the medium, and has been told that somebody wants it. */
static bool release(Drive *d, bool force, char *error, size_t error_size)
{
    if (!d->client || ask(d->client->tray_open, d->opaque) || !ask(d->client->locked, d->opaque)) return true;
    if (d->client->eject_wanted) d->client->eject_wanted(d->opaque);
    if (force) return true;
    snprintf(error, error_size,
             "Device '%s' is locked and force was not specified, wait for tray to open and try again", d->name);
    return false;
}

static void take_out(Drive *d)
{
    if (!d->image) return;
    if (d->client && d->client->closing) d->client->closing(d->opaque);
    block_close(d->image);
    d->image = NULL;
}

static void tell_changed(Drive *d)
{
    d->said = 0;
    if (d->client && d->client->changed) d->client->changed(d->opaque);
}

bool drive_eject(DriveSet *set, const char *name, bool force, char *error, size_t error_size)
{
    Drive *d = find_removable(set, name, error, error_size);
    if (!d || !release(d, force, error, error_size)) return false;
    take_out(d);
    tell_changed(d);
    return true;
}

bool drive_change(DriveSet *set, const char *name, const char *file, int read_only, char *error, size_t error_size)
{
    Drive *d = find_removable(set, name, error, error_size);
    if (!d || !release(d, false, error, error_size)) return false;
    char *copy = strdup(file);
    if (!copy) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    /* The old one stays if the new one cannot be had, unless they are the same, which is locked. */
    if (d->image && strcmp(block_file(d->image), file) == 0) take_out(d);
    BlockImage *image = open_medium(d, copy, read_only, error, error_size);
    if (image) {
        take_out(d);
        free(d->file);
        d->file = copy;
        d->image = image;
    } else {
        free(copy);
    }
    if (image || !d->image) tell_changed(d);
    return image != NULL;
}

typedef struct Lines {
    void (*emit)(void *opaque, const char *line);
    void *opaque;
} Lines;

static void print_place(const Drive *d, const Lines *to)
{
    char line[80];
    const DriveConfig *c = &d->cfg;
    if (c->bus == DRIVE_FLOPPY)
        snprintf(line, sizeof line, "    Attached to:      floppy drive %c", 'A' + c->index);
    else
        snprintf(line, sizeof line, "    Attached to:      ide.%u, unit %u", c->index / 2u, c->index % 2u);
    to->emit(to->opaque, line);
}

static void print_removable(const Drive *d, const Lines *to)
{
    char line[80];
    snprintf(line, sizeof line, "    Removable device: %slocked, tray %s",
             d->client && ask(d->client->locked, d->opaque) ? "" : "not ",
             d->client && ask(d->client->tray_open, d->opaque) ? "open" : "closed");
    to->emit(to->opaque, line);
}

static void print_drive(const Drive *d, const Lines *to)
{
    char line[512];
    if (!d->image) {
        snprintf(line, sizeof line, "%s: [not inserted]", d->name);
        to->emit(to->opaque, line);
        print_place(d, to);
        print_removable(d, to);
        return;
    }
    const BlockOptions *opt = block_options(d->image);
    snprintf(line, sizeof line, "%s: %s (raw%s)", d->name, block_file(d->image),
             block_is_read_only(d->image) ? ", read-only" : "");
    to->emit(to->opaque, line);
    print_place(d, to);
    if (drive_is_removable(d)) print_removable(d, to);
    snprintf(line, sizeof line, "    Cache mode:       %s%s", block_cache_name(opt->cache),
             opt->snapshot && !opt->read_only ? ", writes go to a temporary overlay" : "");
    to->emit(to->opaque, line);
}

void drives_print(DriveSet *set, void (*emit)(void *opaque, const char *line), void *opaque)
{
    Lines to = { emit, opaque };
    for (unsigned i = 0; i < set->n; i++) {
        if (i) emit(opaque, "");
        print_drive(set->drive[i], &to);
    }
}

void drives_drain(DriveSet *set)
{
    for (unsigned i = 0; i < set->n; i++)
        if (set->drive[i]->image) block_drain(set->drive[i]->image);
}

int drives_flush(DriveSet *set)
{
    int first = 0;
    for (unsigned i = 0; i < set->n; i++) {
        int error = set->drive[i]->image ? block_sync(set->drive[i]->image) : 0;
        if (!first) first = error;
    }
    return first;
}
