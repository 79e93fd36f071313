/* Drives and disks.  An image has the sectors of its disk in order: cylinder, head, sector; its size tells the format. */
#include "hw/i82077_int.h"

#include <string.h>

#include "util/die.h"

/* clang-format off */
static const FloppyFormat formats[] = {
    /* What DOS formats ... */
    { 40, 1, 8, DENSITY_LOW, false }, { 40, 1, 9, DENSITY_LOW, false }, { 40, 2, 8, DENSITY_LOW, false },
    { 40, 2, 9, DENSITY_LOW, false }, { 80, 2, 9, DENSITY_LOW, true }, { 80, 2, 15, DENSITY_HIGH, false },
    { 80, 2, 18, DENSITY_HIGH, true }, { 80, 2, 36, DENSITY_EXTRA, true },
    /* ... and what other tools get on a disk. */
    { 41, 2, 10, DENSITY_LOW, false }, { 80, 1, 9, DENSITY_LOW, true },
    { 80, 2, 10, DENSITY_LOW, true }, { 82, 2, 10, DENSITY_LOW, true }, { 83, 2, 10, DENSITY_LOW, true },
    { 80, 2, 20, DENSITY_HIGH, true }, { 80, 2, 21, DENSITY_HIGH, true }, { 82, 2, 21, DENSITY_HIGH, true },
    { 83, 2, 21, DENSITY_HIGH, true }, { 80, 2, 22, DENSITY_HIGH, true }, { 83, 2, 22, DENSITY_HIGH, true },
    { 80, 2, 23, DENSITY_HIGH, true }, { 80, 2, 24, DENSITY_HIGH, true },
    { 80, 2, 39, DENSITY_EXTRA, true }, { 80, 2, 40, DENSITY_EXTRA, true }, { 80, 2, 44, DENSITY_EXTRA, true },
    { 80, 2, 48, DENSITY_EXTRA, true },
};
/* clang-format on */

static unsigned sectors_of(const FloppyFormat *fm)
{
    return (unsigned)fm->cylinders * fm->heads * fm->sectors;
}

/* An image of another size is the beginning of a disk; what is missing reads as zeros. */
static const FloppyFormat *format_of(const Drive *drive, BlockImage *img)
{
    static const FloppyFormat *const hd = &formats[6], *const ed = &formats[7];
    uint64_t n = block_sectors(img);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (sectors_of(&formats[i]) == n) return &formats[i];
    const FloppyFormat *fm = n <= sectors_of(hd) ? hd : ed;
    warn_line("%s: '%s' has %llu sectors, which is no floppy disk's size; it is taken for a disk of %u KiB",
              drive_name(drive), block_file(img), (unsigned long long)n, sectors_of(fm) / 2);
    return fm;
}

static FloppyType type_for(const FloppyFormat *fm)
{
    if (!fm) return FLOPPY_2880K;
    if (!fm->small) return fm->density == DENSITY_LOW ? FLOPPY_360K : FLOPPY_1200K;
    return fm->density == DENSITY_EXTRA ? FLOPPY_2880K : FLOPPY_1440K;
}

static bool can_read(FloppyType type, const FloppyFormat *fm)
{
    static const struct {
        bool small;
        uint8_t density; /* up to this one */
    } able[] = {
        [FLOPPY_360K] = { false, DENSITY_LOW },   [FLOPPY_1200K] = { false, DENSITY_HIGH },
        [FLOPPY_720K] = { true, DENSITY_LOW },    [FLOPPY_1440K] = { true, DENSITY_HIGH },
        [FLOPPY_2880K] = { true, DENSITY_EXTRA },
    };
    return fm->small == able[type].small && fm->density <= able[type].density;
}

/* --- media ---------------------------------------------------------------------------------------------------------- */

static void take_medium(FloppyDrive *d)
{
    BlockImage *img = drive_image(d->drive);
    const FloppyFormat *fm = img ? format_of(d->drive, img) : NULL;
    if (d->type == FLOPPY_NONE) d->type = (uint8_t)type_for(fm);
    if (fm && !can_read((FloppyType)d->type, fm)) {
        warn_line("%s: this kind of drive cannot read the disk '%s'", drive_name(d->drive), block_file(img));
        fm = NULL;
    }
    d->format = fm;
    d->changed = true;
    d->dirty = false;
    memset(d->deleted, 0, sizeof d->deleted);
}

static void closing(void *opaque)
{
    FloppyDrive *d = opaque;
    d->format = NULL;
    fdc_xfer_no_medium(d->fdc, d);
}

static void changed(void *opaque)
{
    take_medium(opaque);
}

static void on_flushed(BlockRequest *r)
{
    FloppyDrive *d = r->opaque;
    d->flushing = false;
    if (r->error) drive_error_action(d->drive, true, r->error);
}

void floppy_motor_off(FloppyDrive *d)
{
    if (!d->dirty || d->flushing || !drive_image(d->drive)) return;
    d->dirty = false;
    d->flushing = true;
    d->flush = (BlockRequest){ .op = BLOCK_FLUSH, .done = on_flushed, .opaque = d };
    block_submit(drive_image(d->drive), &d->flush);
}

void floppy_connect(FloppyDrive *d, Drive *drive)
{
    static const DriveClient client = { .closing = closing, .changed = changed };
    d->drive = drive;
    drive_attach(drive, &client, d);
    take_medium(d);
}

void floppy_disconnect(FloppyDrive *d)
{
    if (!d->drive) return;
    if (d->flushing && drive_image(d->drive)) block_drain(drive_image(d->drive));
    drive_attach(d->drive, NULL, NULL);
}

/* --- mechanics ------------------------------------------------------------------------------------------------------- */

/* The change line goes down with the first step over a disk.  An absent drive never says that it is at track 0. */
unsigned floppy_step(FloppyDrive *d, bool in, unsigned n)
{
    unsigned end = d->type == FLOPPY_360K ? 41 : 83;
    unsigned room = in ? end - d->cylinder : d->cylinder;
    if (!d->drive) return n;
    if (n && drive_image(d->drive)) d->changed = false;
    if (n > room) n = room;
    d->cylinder = (uint8_t)(in ? d->cylinder + n : d->cylinder - n);
    return n;
}

bool floppy_protected(const FloppyDrive *d)
{
    BlockImage *img = d->drive ? drive_image(d->drive) : NULL;
    return img && block_is_read_only(img);
}

/* 5.25" drives turn at 300 or 360 rpm, so that 40-track disks are read at 250 or 300 Kb/s; drives with more tracks
 * find theirs on every second one. */
bool floppy_track(const FloppyDrive *d, unsigned head, unsigned rate, uint8_t *cylinder)
{
    static const uint8_t rates[] = {
        [DENSITY_LOW] = 1 << RATE_250K, [DENSITY_HIGH] = 1 << RATE_500K, [DENSITY_EXTRA] = 1 << RATE_1M
    };
    const FloppyFormat *fm = d->format;
    if (!fm || head >= fm->heads) return false;
    unsigned good = rates[fm->density];
    if (!fm->small && fm->density == DENSITY_LOW) good |= 1 << RATE_300K;
    bool wide = d->type == FLOPPY_1200K && fm->cylinders <= 42;
    *cylinder = (uint8_t)(wide ? d->cylinder / 2 : d->cylinder);
    return good >> rate & 1 && *cylinder < fm->cylinders && !(wide && d->cylinder & 1);
}

uint16_t floppy_sector(const FloppyDrive *d, unsigned cylinder, unsigned head, unsigned r)
{
    return (uint16_t)((cylinder * d->format->heads + head) * d->format->sectors + r - 1);
}

bool floppy_is_deleted(const FloppyDrive *d, uint16_t sector)
{
    return d->deleted[sector / 8] >> sector % 8 & 1;
}

void floppy_set_deleted(FloppyDrive *d, uint16_t sector, bool deleted)
{
    uint8_t bit = (uint8_t)(1 << sector % 8);
    d->deleted[sector / 8] = deleted ? d->deleted[sector / 8] | bit : d->deleted[sector / 8] & (uint8_t)~bit;
}
