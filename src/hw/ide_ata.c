/* The commands (ATA/ATAPI-6, chapter 8): one table row each. */
#include "hw/ide_int.h"

#include <string.h>

#include "util/log.h"

enum { DISK = 1, CD = 2, BOTH = DISK | CD, EXT = 4, DMA = 8, MULT = 16, FUA = 32 };
enum { POWER_STANDBY = 0x00, POWER_IDLE = 0x80, POWER_ACTIVE = 0xff };

typedef struct Command {
    void (*run)(IdeDrive *d, unsigned flags);
    uint8_t flags;
} Command;
static const Command commands[256];

bool ata_is_ext(uint8_t command)
{
    return commands[command].flags & EXT;
}
bool ata_is_trim(uint8_t command)
{
    return commands[command].run == ata_data_set_management;
}

/* --- addresses ----------------------------------------------------------------------------------------------------------- */

uint64_t ide_sectors(const IdeDrive *d)
{
    BlockImage *img = drive_image(d->drive);
    uint64_t n = img ? block_sectors(img) : 0;
    return n < UINT64_C(1) << 48 ? n : (UINT64_C(1) << 48) - 1;
}

static bool get_address(const IdeDrive *d, bool ext, uint64_t *lba)
{
    const TaskFile *t = &d->tf;
    uint8_t select = d->ch->select;
    uint32_t low = t->lba[0] | (uint32_t)t->lba[1] << 8 | (uint32_t)t->lba[2] << 16;
    if (ext) {
        uint32_t high = t->hob_lba[0] | (uint32_t)t->hob_lba[1] << 8 | (uint32_t)t->hob_lba[2] << 16;
        *lba = (uint64_t)high << 24 | low;
    } else if (select & SEL_LBA) {
        *lba = low | (uint32_t)(select & SEL_HEAD) << 24;
    } else {
        uint32_t cylinder = low >> 8, head = select & SEL_HEAD, sector = t->lba[0];
        if (head >= d->cur_heads || !sector || sector > d->cur_spt || cylinder >= d->cur_cylinders) return false;
        *lba = ((uint64_t)cylinder * d->cur_heads + head) * d->cur_spt + sector - 1;
    }
    return true;
}

void ata_set_address(IdeDrive *d, uint64_t lba, bool ext)
{
    TaskFile *t = &d->tf;
    uint8_t *select = &d->ch->select;
    if (!ext && !(*select & SEL_LBA)) {
        uint32_t track = (uint32_t)(lba / d->cur_spt), cylinder = track / d->cur_heads;
        *select = (uint8_t)((*select & ~SEL_HEAD) | track % d->cur_heads);
        t->lba[0] = (uint8_t)(lba % d->cur_spt + 1);
        t->lba[1] = (uint8_t)cylinder;
        t->lba[2] = (uint8_t)(cylinder >> 8);
        return;
    }
    for (int i = 0; i < 3; i++) {
        t->lba[i] = (uint8_t)(lba >> 8 * i);
        if (ext) t->hob_lba[i] = (uint8_t)(lba >> (24 + 8 * i));
    }
    if (!ext) *select = (uint8_t)((*select & ~SEL_HEAD) | (lba >> 24 & SEL_HEAD));
}

/* Where and how much; false: the command has been failed. */
static bool get_range(IdeDrive *d, bool ext, uint64_t *lba, uint32_t *count)
{
    uint32_t n = d->tf.nsector;
    if (ext) {
        n |= (uint32_t)d->tf.hob_nsector << 8;
        if (!n) n = 65536;
    } else if (!n) {
        n = 256;
    }
    *count = n;
    if (get_address(d, ext, lba) && *lba < ide_sectors(d) && n <= ide_sectors(d) - *lba) return true;
    ide_fail(d, ER_IDNF);
    return false;
}

/* --- data of the disk ------------------------------------------------------------------------------------------------------ */

/* False: the command has been failed. */
static bool prepare(IdeDrive *d, unsigned flags, uint64_t *lba, uint32_t *count)
{
    if (flags & MULT && !d->mult) {
        ide_fail(d, ER_ABRT);
        return false;
    }
    if (!get_range(d, flags & EXT, lba, count)) return false;
    d->power = POWER_ACTIVE;
    d->dma = flags & DMA;
    d->fua = flags & FUA;
    d->verify = false;
    d->block = BLOCK_SECTOR * (flags & MULT ? d->mult : 1);
    return true;
}

static void read_sectors(IdeDrive *d, unsigned flags)
{
    uint64_t lba;
    uint32_t count;
    if (prepare(d, flags, &lba, &count)) ide_start_disk(d, false, lba, count, BLOCK_SECTOR);
}

static void verify_sectors(IdeDrive *d, unsigned flags)
{
    uint64_t lba;
    uint32_t count;
    if (!prepare(d, flags, &lba, &count)) return;
    d->verify = true;
    ide_start_disk(d, false, lba, count, BLOCK_SECTOR);
}

static void write_sectors(IdeDrive *d, unsigned flags)
{
    uint64_t lba;
    uint32_t count;
    if (block_is_read_only(drive_image(d->drive))) {
        ide_fail(d, ER_ABRT);
    } else if (prepare(d, flags, &lba, &count)) {
        ide_start_disk(d, true, lba, count, BLOCK_SECTOR);
    }
}

static void flush(IdeDrive *d, unsigned flags)
{
    (void)flags;
    if (d->cd)
        ide_finish(d);
    else
        ide_start_flush(d);
}

static void seek(IdeDrive *d, unsigned flags)
{
    (void)flags;
    uint64_t lba;
    if (get_address(d, false, &lba) && lba < ide_sectors(d))
        ide_finish(d);
    else
        ide_fail(d, ER_IDNF);
}

static void read_native_max(IdeDrive *d, unsigned flags)
{
    uint64_t last = ide_sectors(d) - 1;
    if (!(flags & EXT) && last > 0x0fffffff) last = 0x0fffffff;
    ata_set_address(d, last, flags & EXT);
    ide_finish(d);
}

/* --- data of the drive -------------------------------------------------------------------------------------------------------- */

static void start_own(IdeDrive *d, bool write)
{
    d->dma = false;
    d->block = BLOCK_SECTOR;
    ide_start_data(d, write, BLOCK_SECTOR);
}

static void identify(IdeDrive *d, unsigned flags)
{
    (void)flags;
    if (d->cd) { /* a packet device says with its signature what it is */
        ide_signature(d);
        ide_fail(d, ER_ABRT);
        return;
    }
    ata_identify(d, d->buf);
    start_own(d, false);
}

static void identify_packet(IdeDrive *d, unsigned flags)
{
    (void)flags;
    atapi_identify(d, d->buf);
    start_own(d, false);
}

static void read_buffer(IdeDrive *d, unsigned flags)
{
    (void)flags;
    memcpy(d->buf, d->sector_buf, BLOCK_SECTOR);
    start_own(d, false);
}

static void write_buffer(IdeDrive *d, unsigned flags)
{
    (void)flags;
    start_own(d, true);
}

void ata_own_data_written(IdeDrive *d)
{
    memcpy(d->sector_buf, d->buf, BLOCK_SECTOR);
}

/* --- settings ------------------------------------------------------------------------------------------------------------------ */

static void abort_command(IdeDrive *d, unsigned flags)
{
    (void)flags;
    ide_fail(d, ER_ABRT);
}

static void succeed(IdeDrive *d, unsigned flags)
{
    (void)flags;
    ide_finish(d);
}

static void end(IdeDrive *d, bool good)
{
    if (good)
        ide_finish(d);
    else
        ide_fail(d, ER_ABRT);
}

static void read_as_signature(IdeDrive *d, unsigned flags)
{
    (void)flags;
    ide_signature(d);
    ide_fail(d, ER_ABRT);
}

static void set_parameters(IdeDrive *d, unsigned flags)
{
    (void)flags;
    uint32_t spt = d->tf.nsector, heads = (d->ch->select & SEL_HEAD) + 1u;
    if (spt) {
        uint64_t cylinders = ide_sectors(d) / (heads * spt);
        d->cur_cylinders = (uint16_t)(cylinders < 65535 ? cylinders : 65535);
        d->cur_heads = (uint16_t)heads;
        d->cur_spt = (uint16_t)spt;
    }
    end(d, spt);
}

static void set_multiple(IdeDrive *d, unsigned flags)
{
    (void)flags;
    uint8_t n = d->tf.nsector;
    bool good = n <= IDE_MULT_MAX && !(n & (n - 1));
    if (good) d->mult = n;
    end(d, good);
}

/* 8.46.3: the transfer mode, in the sector count. */
static bool set_mode(IdeDrive *d, uint8_t mode)
{
    switch (mode >> 3) {
    case 0: return (mode & 7) <= 1; /* PIO as it is */
    case 1: return (mode & 7) <= 4; /* with flow control: nothing to set */
    case 2:                         /* single word: gone since ATA-3, but drivers ask */
    case 4:
        if ((mode & 7) > 2) return false;
        break;
    case 8:
        if ((mode & 7) > 5) return false;
        break;
    default: return false;
    }
    d->dma_mode = mode;
    return true;
}

static void set_features(IdeDrive *d, unsigned flags)
{
    (void)flags;
    bool good = true;
    switch (d->tf.feature) {
    case 0x02: d->write_cache = true; break;
    case 0x82: /* what the cache has goes to the disk first */
        d->write_cache = false;
        if (d->cd) break;
        ide_start_flush(d);
        return;
    case 0x03: good = set_mode(d, d->tf.nsector); break;
    case 0x55: d->look_ahead = false; break;
    case 0xaa: d->look_ahead = true; break;
    case 0x33: /* retries, ECC bytes, defaults at reset: a file has none of them */
    case 0x44:
    case 0x66:
    case 0x77:
    case 0xbb:
    case 0xcc: break;
    default: good = false; break;
    }
    end(d, good);
}

static void power_active(IdeDrive *d, unsigned flags)
{
    (void)flags;
    d->power = POWER_IDLE;
    ide_finish(d);
}

/* What is in the cache must not wait for the drive to wake up. */
static void power_standby(IdeDrive *d, unsigned flags)
{
    (void)flags;
    d->power = POWER_STANDBY;
    flush(d, 0);
}

static void power_check(IdeDrive *d, unsigned flags)
{
    (void)flags;
    d->tf.nsector = d->power;
    ide_finish(d);
}

static void power_sleep(IdeDrive *d, unsigned flags)
{
    (void)flags;
    d->power = POWER_STANDBY;
    d->asleep = true;
    flush(d, 0);
}

static void device_reset(IdeDrive *d, unsigned flags)
{
    (void)flags;
    ide_drive_reset(d);
    ide_update_irq(d->ch);
}

static void packet(IdeDrive *d, unsigned flags)
{
    (void)flags;
    atapi_packet_command(d);
}

/* --- the table --------------------------------------------------------------------------------------------------------------------- */

#define ROWS_16(first, row)                                                                                            \
    [first] = row, [first + 1] = row, [first + 2] = row, [first + 3] = row, [first + 4] = row, [first + 5] = row,      \
    [first + 6] = row, [first + 7] = row, [first + 8] = row, [first + 9] = row, [first + 10] = row,                    \
    [first + 11] = row, [first + 12] = row, [first + 13] = row, [first + 14] = row, [first + 15] = row
/* clang-format off */
#define RECALIBRATE { succeed, DISK }
#define SEEK        { seek, DISK }
static const Command commands[256] = {
    [0x00] = { abort_command, BOTH },               /* NOP: "always fails with abort" */
    [0x06] = { ata_data_set_management, DISK | EXT | DMA },
    [0x08] = { device_reset, CD },
    ROWS_16(0x10, RECALIBRATE),
    [0x20] = { read_sectors, DISK },                [0x21] = { read_sectors, DISK },
    [0x24] = { read_sectors, DISK | EXT },          [0x25] = { read_sectors, DISK | EXT | DMA },
    [0x27] = { read_native_max, DISK | EXT },       [0x29] = { read_sectors, DISK | EXT | MULT },
    [0x30] = { write_sectors, DISK },               [0x31] = { write_sectors, DISK },
    [0x34] = { write_sectors, DISK | EXT },         [0x35] = { write_sectors, DISK | EXT | DMA },
    [0x39] = { write_sectors, DISK | EXT | MULT },  [0x3d] = { write_sectors, DISK | EXT | DMA | FUA },
    [0x40] = { verify_sectors, DISK },              [0x41] = { verify_sectors, DISK },
    [0x42] = { verify_sectors, DISK | EXT },
    ROWS_16(0x70, SEEK),
    [0x91] = { set_parameters, DISK },
    [0x94] = { power_standby, BOTH },               [0xe0] = { power_standby, BOTH },
    [0x95] = { power_active, BOTH },                [0xe1] = { power_active, BOTH },
    [0x96] = { power_standby, BOTH },               [0xe2] = { power_standby, BOTH },
    [0x97] = { power_active, BOTH },                [0xe3] = { power_active, BOTH },
    [0x98] = { power_check, BOTH },                 [0xe5] = { power_check, BOTH },
    [0x99] = { power_sleep, BOTH },                 [0xe6] = { power_sleep, BOTH },
    [0xa0] = { packet, CD },                        [0xa1] = { identify_packet, CD },
    [0xb0] = { ata_smart, DISK },
    [0xc4] = { read_sectors, DISK | MULT },         [0xc5] = { write_sectors, DISK | MULT },
    [0xc6] = { set_multiple, DISK },
    [0xc8] = { read_sectors, DISK | DMA },          [0xc9] = { read_sectors, DISK | DMA },
    [0xca] = { write_sectors, DISK | DMA },         [0xcb] = { write_sectors, DISK | DMA },
    [0xce] = { write_sectors, DISK | EXT | MULT | FUA },
    [0xe4] = { read_buffer, DISK },                 [0xe8] = { write_buffer, DISK },
    [0xe7] = { flush, BOTH },                       [0xea] = { flush, DISK | EXT },
    [0xec] = { identify, BOTH },                    [0xef] = { set_features, BOTH },
    [0xf8] = { read_native_max, DISK },
};
/* clang-format on */

void ide_command(IdeDrive *d, uint8_t command)
{
    const Command *c = &commands[command];
    bool reset = command == 0x08 && d->cd; /* the one that is taken at any time */
    if (!reset && (d->status & (ST_BSY | ST_DRQ) || d->asleep)) return;
    d->command = command;
    d->dma = false;
    d->error = 0;
    if (d->cd && command == 0x20) {
        read_as_signature(d, 0);
    } else if (c->run && c->flags & (d->cd ? CD : DISK)) {
        c->run(d, c->flags);
    } else {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("%s: command %02x is not known\n", d->name, command);
        ide_fail(d, ER_ABRT);
    }
}
