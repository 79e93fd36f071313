/* SMART (ATA/ATAPI-6, 8.54) and TRIM (ACS-2, 7.10).  The disk is a file, so what the drive says of itself is what can be said of
 * one: no error has been corrected and no sector moved; how long it has run is the machine's own time. */
#include "hw/ide_int.h"

#include <string.h>

enum { KEY_MID = 0x4f, KEY_HIGH = 0xc2 };
enum { ATTRIBUTE_SIZE = 12, ATTRIBUTES_AT = 2, REVISION = 0x10 };
enum { PREFAILURE = 1, ONLINE = 2 };
enum { LOG_DIRECTORY = 0, LOG_ERRORS = 1, LOG_SELF_TESTS = 6, SELF_TEST_SIZE = 24, SELF_TEST_INDEX = 508 };
#define NS_PER_HOUR UINT64_C(3600000000000)

typedef struct Attribute {
    uint8_t id, flags, threshold;
} Attribute;
/* As smartctl and its like know them; each stands at 100 of 100. */
enum { POWER_ON_HOURS = 9, POWER_CYCLES = 12 };
static const Attribute attributes[] = {
    { 1, PREFAILURE | ONLINE, 6 },  /* read errors */
    { 5, PREFAILURE | ONLINE, 36 }, /* sectors that were moved */
    { POWER_ON_HOURS, ONLINE, 0 },
    { POWER_CYCLES, ONLINE, 0 },
    { 197, ONLINE, 0 }, /* sectors that may have to be moved */
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

static uint32_t hours(const IdeDrive *d)
{
    return (uint32_t)(clock_now(d->machine) / NS_PER_HOUR);
}

/* All bytes of the sector add up to 0. */
static void seal(uint8_t *sector)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < BLOCK_SECTOR - 1; i++) sum += sector[i];
    sector[BLOCK_SECTOR - 1] = (uint8_t)-sum;
}

static void answer(IdeDrive *d)
{
    d->dma = false;
    d->block = BLOCK_SECTOR;
    ide_start_data(d, false, BLOCK_SECTOR);
}

static void read_data(IdeDrive *d)
{
    uint8_t *out = d->buf;
    memset(out, 0, BLOCK_SECTOR);
    put_le16(out, REVISION);
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        uint8_t *p = out + ATTRIBUTES_AT + ATTRIBUTE_SIZE * i;
        p[0] = attributes[i].id;
        put_le16(p + 1, attributes[i].flags);
        p[3] = p[4] = 100; /* now, and at worst */
        put_le32(p + 5, p[0] == POWER_ON_HOURS ? hours(d) : p[0] == POWER_CYCLES ? 1 : 0);
    }
    out[362] = 0x02;                /* off-line data collection: completed */
    out[363] = 0;                   /* self-test: completed, none is under way */
    out[367] = 1 << 4 | 1 << 3 | 1; /* can: execute off-line immediate, off-line surface scan, self-tests */
    put_le16(out + 368, 3);         /* saves its data before power saving, and by itself */
    out[370] = 1;                   /* has error logs */
    out[372] = out[373] = 1;        /* minutes for a short, and an extended self-test */
    seal(out);
    answer(d);
}

static void read_thresholds(IdeDrive *d)
{
    memset(d->buf, 0, BLOCK_SECTOR);
    put_le16(d->buf, REVISION);
    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        uint8_t *p = d->buf + ATTRIBUTES_AT + ATTRIBUTE_SIZE * i;
        p[0] = attributes[i].id;
        p[1] = attributes[i].threshold;
    }
    seal(d->buf);
    answer(d);
}

static void autosave(IdeDrive *d)
{
    uint8_t n = d->tf.nsector;
    if (n != 0 && n != 0xf1) {
        ide_fail(d, ER_ABRT);
        return;
    }
    d->smart_autosave = n;
    ide_finish(d);
}

static void save(IdeDrive *d)
{
    ide_finish(d);
}

/* Self-tests, in the foreground or not, have found nothing when they have begun. */
static void off_line_immediate(IdeDrive *d)
{
    enum { COLLECT = 0, SHORT = 1, EXTENDED = 2, ABORT = 0x7f, FOREGROUND = 0x80 };
    uint8_t test = d->tf.lba[0], kind = test & (uint8_t)~FOREGROUND;
    if (test != COLLECT && test != ABORT && kind != SHORT && kind != EXTENDED) {
        ide_fail(d, ER_ABRT);
        return;
    }
    if (test != COLLECT && test != ABORT) {
        unsigned i = d->smart_tests % SMART_TESTS;
        d->smart_test[i] = test;
        d->smart_hours[i] = (uint16_t)hours(d);
        d->smart_tests = (uint8_t)(i + 1);
    }
    ide_finish(d);
}

static void read_log(IdeDrive *d)
{
    uint8_t *out = d->buf;
    if (d->tf.nsector != 1) {
        ide_fail(d, d->tf.nsector ? ER_IDNF : ER_ABRT);
        return;
    }
    memset(out, 0, BLOCK_SECTOR);
    out[0] = 1; /* version */
    switch (d->tf.lba[0]) {
    case LOG_DIRECTORY:
        out[2 * LOG_ERRORS] = 1; /* sectors */
        out[2 * LOG_SELF_TESTS] = 1;
        answer(d);
        return;
    case LOG_ERRORS: break; /* none has been seen */
    case LOG_SELF_TESTS:
        for (unsigned i = 0; i < SMART_TESTS; i++) {
            uint8_t *p = out + 2 + SELF_TEST_SIZE * i;
            if (!d->smart_test[i]) continue;
            p[0] = d->smart_test[i];
            put_le16(p + 2, d->smart_hours[i]);
        }
        out[SELF_TEST_INDEX] = d->smart_tests;
        break;
    default: ide_fail(d, ER_IDNF); return;
    }
    seal(out);
    answer(d);
}

static void enable(IdeDrive *d)
{
    d->smart_enabled = true;
    ide_finish(d);
}

static void disable(IdeDrive *d)
{
    d->smart_enabled = false;
    ide_finish(d);
}

/* The key comes back as it was from a drive that is in order. */
static void return_status(IdeDrive *d)
{
    ide_finish(d);
}

enum { FIRST = 0xd0, ENABLE = 0xd8, LAST = 0xda };
static void (*const operations[LAST - FIRST + 1])(IdeDrive *d) = {
    [0xd0 - FIRST] = read_data,          [0xd1 - FIRST] = read_thresholds,
    [0xd2 - FIRST] = autosave,           [0xd3 - FIRST] = save,
    [0xd4 - FIRST] = off_line_immediate, [0xd5 - FIRST] = read_log,
    [ENABLE - FIRST] = enable,           [0xd9 - FIRST] = disable,
    [0xda - FIRST] = return_status,
};

void ata_smart(IdeDrive *d, unsigned flags)
{
    (void)flags;
    uint8_t op = d->tf.feature;
    bool known = op >= FIRST && op <= LAST && operations[op - FIRST];
    bool key = d->tf.lba[1] == KEY_MID && d->tf.lba[2] == KEY_HIGH;
    if (!known || !key || (!d->smart_enabled && op != ENABLE))
        ide_fail(d, ER_ABRT);
    else
        operations[op - FIRST](d);
}

/* --- DATA SET MANAGEMENT -------------------------------------------------------------------------------------------- */

/* One range: 48 bits of address, 16 of length. */
enum { RANGE_SIZE = 8 };

static uint64_t range_lba(const uint8_t *p)
{
    return get_le64(p) & UINT64_C(0xffffffffffff);
}
static uint32_t range_count(const uint8_t *p)
{
    return get_le16(p + 6);
}

void ata_data_set_management(IdeDrive *d, unsigned flags)
{
    enum { TRIM = 1 };
    uint32_t blocks = d->tf.nsector | (uint32_t)d->tf.hob_nsector << 8;
    (void)flags;
    if (!(d->tf.feature & TRIM) || !blocks || blocks > IDE_TRIM_BLOCKS || block_is_read_only(drive_image(d->drive))) {
        ide_fail(d, ER_ABRT);
        return;
    }
    d->power = 0xff;
    d->dma = true;
    ide_start_data(d, true, blocks * BLOCK_SECTOR);
}

bool ata_trim_is_in_range(const IdeDrive *d)
{
    for (uint32_t at = 0; at < d->filled; at += RANGE_SIZE) {
        const uint8_t *p = d->buf + at;
        uint64_t lba = range_lba(p);
        if (range_count(p) && (lba >= ide_sectors(d) || range_count(p) > ide_sectors(d) - lba)) return false;
    }
    return true;
}

bool ata_next_trim(IdeDrive *d, uint64_t *lba, uint32_t *count)
{
    for (; d->pos < d->filled; d->pos += RANGE_SIZE) {
        *lba = range_lba(d->buf + d->pos);
        *count = range_count(d->buf + d->pos);
        if (*count) return true;
    }
    return false;
}

void ata_trim_done(IdeDrive *d)
{
    d->pos += RANGE_SIZE;
}
