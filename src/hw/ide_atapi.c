/* Packet commands of a CD-ROM drive (ATA/ATAPI-6, 9.8; SFF-8020i; MMC-3): how a packet comes and its answer goes, what the drive knows
 * of its medium, and reading it. */
#include "hw/ide_int.h"

#include <string.h>

#include "hw/cd_sector.h"
#include "util/log.h"

enum { MEDIUM = 1, QUIET = 2 }; /* needs a medium; is answered even when there is news of the medium */
enum {
    ASC_READ_ERROR = 0x11,
    ASC_OPCODE = 0x20,
    ASC_LBA = 0x21,
    ASC_FIELD = 0x24,
    ASC_CHANGED = 0x28,
    ASC_NO_MEDIUM = 0x3a,
    ASC_REMOVAL = 0x53,
    ASC_MODE = 0x64
};
enum { NO_MEDIUM_TRAY_CLOSED = 1, NO_MEDIUM_TRAY_OPEN = 2 };

/* --- the medium ------------------------------------------------------------------------------------------------------------- */

uint32_t atapi_units(const IdeDrive *d)
{
    BlockImage *img = drive_image(d->drive);
    if (!img || d->tray_open) return 0;
    uint64_t n = (block_sectors(img) + CD_SECTOR / BLOCK_SECTOR - 1) / (CD_SECTOR / BLOCK_SECTOR);
    return n < 0xffffffff ? (uint32_t)n : 0xffffffff;
}

bool atapi_has_medium(const IdeDrive *d)
{
    return drive_image(d->drive) && !d->tray_open;
}

static void set_sense(IdeDrive *d, uint8_t key, uint8_t asc, uint8_t ascq)
{
    d->sense_key = key;
    d->asc = asc;
    d->ascq = ascq;
}

static void medium_closing(void *opaque)
{
    IdeDrive *d = opaque;
    bool busy = d->phase != IDE_IDLE && d->disk;
    if (!busy && !d->in_flight) return;
    ide_forget(d);
    atapi_error(d, SENSE_NOT_READY, ASC_NO_MEDIUM, NO_MEDIUM_TRAY_OPEN);
}

static void medium_changed(void *opaque)
{
    IdeDrive *d = opaque;
    d->tray_open = !drive_image(d->drive);
    d->changed = !d->tray_open;
    d->new_media = !d->tray_open;
    d->eject_wanted = false;
    if (d->tray_open) d->locked = false;
}

static bool is_locked(void *opaque)
{
    return ((IdeDrive *)opaque)->locked;
}
static bool is_tray_open(void *opaque)
{
    return ((IdeDrive *)opaque)->tray_open;
}
static void eject_wanted(void *opaque)
{
    ((IdeDrive *)opaque)->eject_wanted = true;
}

const DriveClient atapi_client = {
    .closing = medium_closing,
    .changed = medium_changed,
    .locked = is_locked,
    .tray_open = is_tray_open,
    .eject_wanted = eject_wanted,
};

void atapi_reset(IdeDrive *d)
{
    d->locked = false;
    set_sense(d, SENSE_NONE, 0, 0);
}

/* --- packets ------------------------------------------------------------------------------------------------------------------ */

void atapi_packet_command(IdeDrive *d)
{
    if (d->tf.feature & 2) { /* overlapped */
        ide_fail(d, ER_ABRT);
        return;
    }
    d->dma = false;
    d->awaits_packet = true;
    d->write = true;
    d->pos = 0;
    d->filled = d->block_end = PACKET_SIZE;
    d->tf.nsector = REASON_CD;
    d->status = ST_DRDY | ST_DRQ;
}

static void end_good(IdeDrive *d)
{
    set_sense(d, SENSE_NONE, 0, 0);
    ide_finish(d);
}

void atapi_error(IdeDrive *d, uint8_t key, uint8_t asc, uint8_t ascq)
{
    set_sense(d, key, asc, ascq);
    ide_fail(d, (uint8_t)(key << 4 | (key == SENSE_ILLEGAL ? ER_ABRT : 0)));
}

static void bad_field(IdeDrive *d)
{
    atapi_error(d, SENSE_ILLEGAL, ASC_FIELD, 0);
}

/* 8.23.4: an odd limit is only good for the last block; 0 is none at all. */
static bool set_block(IdeDrive *d)
{
    uint32_t limit = d->tf.lba[1] | (uint32_t)d->tf.lba[2] << 8;
    d->block = limit == 0xffff ? 0xfffe : limit & 1 ? limit - 1 : limit;
    d->dma = d->tf.feature & 1;
    if (d->dma || limit >= 2) return true;
    ide_fail(d, ER_ABRT);
    return false;
}

void atapi_reply(IdeDrive *d, uint32_t n, uint32_t allotted)
{
    if (n > allotted) n = allotted;
    if (!n) {
        end_good(d);
    } else if (set_block(d)) {
        ide_start_data(d, false, n);
    }
}

/* --- reading ------------------------------------------------------------------------------------------------------------------- */

static void read_units(IdeDrive *d, uint32_t lba, uint32_t count, uint32_t unit)
{
    uint32_t there = atapi_units(d);
    if (lba >= there || count > there - lba) {
        atapi_error(d, SENSE_ILLEGAL, ASC_LBA, 0);
    } else if (!count || !unit) {
        end_good(d);
    } else if (set_block(d)) {
        d->verify = d->fua = false;
        set_sense(d, SENSE_NONE, 0, 0);
        ide_start_disk(d, false, lba, count, unit);
    }
}

void atapi_read_failed(IdeDrive *d)
{
    atapi_error(d, SENSE_MEDIUM_ERROR, ASC_READ_ERROR, 0);
}

static void read_10(IdeDrive *d, const uint8_t *p)
{
    read_units(d, get_be32(p + 2), get_be16(p + 7), CD_SECTOR);
}
static void read_12(IdeDrive *d, const uint8_t *p)
{
    read_units(d, get_be32(p + 2), get_be32(p + 6), CD_SECTOR);
}

static void start_read_cd(IdeDrive *d, const uint8_t *p, uint32_t lba, uint32_t count)
{
    uint8_t type = p[1] >> 2 & 7;
    /* Any type, mode 1 or mode 2 form 1: only the first two fit a data disc; no sub-channel, no error flags. */
    if (p[10] & 7 || p[9] & 6) {
        bad_field(d);
    } else if (type > 2 || type == 1) {
        atapi_error(d, SENSE_ILLEGAL, ASC_MODE, 0); /* illegal mode for this track */
    } else {
        d->raw_parts = p[9] & 0xf8;
        read_units(d, lba, count, cd_parts_size(d->raw_parts));
    }
}

static void read_cd(IdeDrive *d, const uint8_t *p)
{
    start_read_cd(d, p, get_be32(p + 2), (uint32_t)p[6] << 16 | get_be16(p + 7));
}

static void read_cd_msf(IdeDrive *d, const uint8_t *p)
{
    uint32_t from = cd_msf_to_lba(p[3], p[4], p[5]), to = cd_msf_to_lba(p[6], p[7], p[8]);
    if (to < from)
        bad_field(d);
    else
        start_read_cd(d, p, from, to - from);
}

/* In place: towards the end if sectors grow, towards the start if they shrink. */
void atapi_make_raw(IdeDrive *d, uint32_t units)
{
    bool grows = d->unit > CD_SECTOR;
    for (uint32_t k = 0; k < units; k++) {
        uint32_t i = grows ? units - 1 - k : k;
        uint8_t raw[CD_RAW];
        cd_make_sector(raw, (uint32_t)d->lba + i, d->buf + (size_t)i * CD_SECTOR);
        cd_take_parts(d->buf + (size_t)i * d->unit, raw, d->raw_parts);
    }
}

static void seek(IdeDrive *d, const uint8_t *p)
{
    if (get_be32(p + 2) < atapi_units(d))
        end_good(d);
    else
        atapi_error(d, SENSE_ILLEGAL, ASC_LBA, 0);
}

/* --- control --------------------------------------------------------------------------------------------------------------------- */

static void no_data(IdeDrive *d, const uint8_t *p)
{
    (void)p;
    end_good(d);
}

static void prevent_removal(IdeDrive *d, const uint8_t *p)
{
    d->locked = p[4] & 1;
    end_good(d);
}

static void start_stop(IdeDrive *d, const uint8_t *p)
{
    bool load_eject = p[4] & 2, start = p[4] & 1;
    if (p[4] & 0xf0 || !load_eject) { /* power conditions; spinning up and down */
        end_good(d);
        return;
    }
    if (!start && d->locked && !d->tray_open) {
        atapi_error(d, SENSE_ILLEGAL, ASC_REMOVAL, 2); /* medium removal prevented */
        return;
    }
    if (start && d->tray_open && drive_image(d->drive)) {
        d->changed = true;
        d->new_media = true;
    }
    d->tray_open = !start;
    d->eject_wanted = false;
    end_good(d);
}

/* --- the table --------------------------------------------------------------------------------------------------------------------- */

typedef struct PacketCommand {
    AtapiHandler *run;
    uint8_t flags;
} PacketCommand;
/* clang-format off */
static const PacketCommand packets[256] = {
    [0x00] = { no_data, MEDIUM },                   /* TEST UNIT READY */
    [0x03] = { mmc_request_sense, QUIET },
    [0x12] = { mmc_inquiry, QUIET },
    [0x1a] = { mmc_mode_sense_6, 0 },
    [0x1b] = { start_stop, 0 },
    [0x1e] = { prevent_removal, 0 },
    [0x25] = { mmc_read_capacity, MEDIUM },
    [0x28] = { read_10, MEDIUM },
    [0x2b] = { seek, MEDIUM },
    [0x2f] = { no_data, MEDIUM },                   /* VERIFY */
    [0x35] = { no_data, 0 },                        /* SYNCHRONIZE CACHE */
    [0x43] = { mmc_read_toc, MEDIUM },
    [0x46] = { mmc_get_configuration, QUIET },
    [0x4a] = { mmc_get_event_status, QUIET },
    [0x51] = { mmc_read_disc_information, MEDIUM },
    [0x5a] = { mmc_mode_sense_10, 0 },
    [0xa8] = { read_12, MEDIUM },
    [0xad] = { mmc_read_dvd_structure, MEDIUM },
    [0xb9] = { read_cd_msf, MEDIUM },
    [0xbb] = { no_data, 0 },                        /* SET CD SPEED */
    [0xbd] = { mmc_mechanism_status, 0 },
    [0xbe] = { read_cd, MEDIUM },
};
/* clang-format on */

/* True: the command has been answered with the news of another medium, once (SPC-2, 5.6.5). */
static bool tell_news(IdeDrive *d)
{
    if (!d->changed || !atapi_has_medium(d)) return false;
    d->changed = false;
    atapi_error(d, SENSE_ATTENTION, ASC_CHANGED, 0);
    return true;
}

void atapi_packet(IdeDrive *d)
{
    const PacketCommand *c = &packets[d->packet[0]];
    if (log_on(LOG_GUEST_ERRORS) && !c->run) log_printf("%s: packet %02x is not known\n", d->name, d->packet[0]);
    d->power = 0xff;
    if (!c->run) {
        atapi_error(d, SENSE_ILLEGAL, ASC_OPCODE, 0);
    } else if (!(c->flags & QUIET) && tell_news(d)) {
        return;
    } else if (c->flags & MEDIUM && !atapi_has_medium(d)) {
        atapi_error(d, SENSE_NOT_READY, ASC_NO_MEDIUM, d->tray_open ? NO_MEDIUM_TRAY_OPEN : NO_MEDIUM_TRAY_CLOSED);
    } else {
        c->run(d, d->packet);
    }
}
