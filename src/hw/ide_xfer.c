/* The way of data: disk <-> buffer <-> host.  A command is a loop of phases (IdePhase) that stops where it must wait, for the disk's worker,
 * for the host to read or write the data port, or for the bus master to be started; what ends the wait calls ide_run() again. */
#include "hw/ide_int.h"

#include <string.h>

#include "util/log.h"

/* --- ends ---------------------------------------------------------------------------------------------------- */

static bool is_packet(const IdeDrive *d)
{
    return d->command == ATA_PACKET;
}

/* Ready; disks also say that their heads are where they should be. */
static uint8_t ready(const IdeDrive *d)
{
    return ST_DRDY | (d->cd ? 0 : ST_DSC);
}

static void to_idle(IdeDrive *d, uint8_t status)
{
    if (d->dma) ide_dma_done(d);
    d->phase = IDE_IDLE;
    d->dma = false;
    d->pos = d->block_end = d->filled = 0;
    d->status = status;
}

void ide_finish(IdeDrive *d)
{
    to_idle(d, ready(d));
    if (is_packet(d)) d->tf.nsector = REASON_IO | REASON_CD;
    d->error = 0;
    ide_raise(d);
}

void ide_fail(IdeDrive *d, uint8_t error)
{
    to_idle(d, ready(d) | ST_ERR);
    if (is_packet(d)) d->tf.nsector = REASON_IO | REASON_CD;
    d->error = error;
    ide_raise(d);
}

void ide_forget(IdeDrive *d)
{
    if (d->in_flight) {
        block_drain(drive_image(d->drive));
        d->in_flight = false;
        d->stale++;
    }
    if (d->retry) timer_cancel(d->retry);
    d->phase = IDE_IDLE;
    d->dma = d->awaits_packet = false;
    d->pos = d->block_end = d->filled = 0;
}

/* --- the disk's side ------------------------------------------------------------------------------------------- */

static uint32_t buffer_units(const IdeDrive *d)
{
    uint32_t most = IDE_BUF / (d->unit > CD_SECTOR ? d->unit : d->cd ? CD_SECTOR : BLOCK_SECTOR);
    return d->left < most ? d->left : most;
}

/* The command's data is here. */
static void fetched(IdeDrive *d, uint32_t units)
{
    d->pos = 0;
    d->filled = units * d->unit;
    if (d->cd && d->unit != CD_SECTOR) atapi_make_raw(d, units);
    d->phase = d->verify ? IDE_NEXT : IDE_DELIVER;
}

static void read_failed(IdeDrive *d, uint32_t good_sectors)
{
    d->bad = true;
    uint32_t units = d->cd ? good_sectors / (CD_SECTOR / BLOCK_SECTOR) : good_sectors;
    fetched(d, units);
    if (!units) d->phase = IDE_NEXT;
}

/* The host said no.  True: as if nothing had happened. */
static bool host_failed(IdeDrive *d, bool write, int error)
{
    switch (drive_error_action(d->drive, write, error)) {
    case DRIVE_ERROR_IGNORE: return true;
    case DRIVE_ERROR_STOP:
        d->resume = d->phase;
        d->phase = IDE_STOPPED;
        machine_stop(d->machine, STOP_IO_ERROR);
        timer_set(d->retry, clock_now(d->machine)); /* time stands still: this is when the machine goes on */
        return false;
    default: break;
    }
    if (d->phase == IDE_FETCH) {
        read_failed(d, d->req.good);
    } else {
        if (d->phase == IDE_STORE) ata_set_address(d, d->lba + d->req.good, ata_is_ext(d->command));
        ide_fail(d, ER_ABRT);
        d->status |= ST_DF;
    }
    return false;
}

void ide_retry(void *drive)
{
    IdeDrive *d = drive;
    if (d->phase != IDE_STOPPED) return;
    d->phase = d->resume;
    ide_run(d);
}

static void on_disk(BlockRequest *r)
{
    IdeDrive *d = r->opaque;
    if (d->stale) {
        d->stale--; /* completions come in order: this is not the one of now */
        return;
    }
    d->in_flight = false;
    if (!r->error || host_failed(d, r->op != BLOCK_READ, r->error)) {
        switch (d->phase) {
        case IDE_FETCH: fetched(d, buffer_units(d)); break;
        case IDE_STORE: d->phase = IDE_NEXT; break;
        case IDE_FLUSH: ide_finish(d); break;
        case IDE_TRIM: ata_trim_done(d); break;
        }
    }
    ide_run(d);
}

static void submit(IdeDrive *d, BlockOp op, uint64_t sector, uint32_t count)
{
    d->status = ST_BSY;
    d->in_flight = true;
    d->req.op = (uint8_t)op;
    d->req.fua = d->fua || !d->write_cache;
    d->req.sector = sector;
    d->req.count = count;
    d->req.buf = d->buf;
    d->req.done = on_disk;
    d->req.opaque = d;
    block_submit(drive_image(d->drive), &d->req);
}

/* False: wait. */
static bool fetch(IdeDrive *d, bool now)
{
    BlockImage *img = drive_image(d->drive);
    uint32_t per_unit = d->cd ? CD_SECTOR / BLOCK_SECTOR : 1, count = buffer_units(d) * per_unit;
    uint64_t sector = d->lba * per_unit, there = block_sectors(img) - sector;
    if (count > there) { /* a CD image that ends in the middle of a sector */
        memset(d->buf + there * BLOCK_SECTOR, 0, (count - there) * BLOCK_SECTOR);
        count = (uint32_t)there;
    }
    if (now && block_read_now(img, sector, count, d->buf)) {
        fetched(d, buffer_units(d));
        return true;
    }
    submit(d, BLOCK_READ, sector, count);
    return false;
}

/* --- the host's side ------------------------------------------------------------------------------------------- */

/* The next DRQ block, at the data port. */
static void present(IdeDrive *d, bool interrupt)
{
    uint32_t n = d->filled - d->pos;
    if (n > d->block) n = d->block;
    d->block_end = d->pos + n;
    d->status = ready(d) | ST_DRQ;
    if (is_packet(d)) {
        d->tf.nsector = d->write ? 0 : REASON_IO;
        d->tf.lba[1] = (uint8_t)n;
        d->tf.lba[2] = (uint8_t)(n >> 8);
    }
    if (interrupt) ide_raise(d);
}

static bool move(IdeDrive *d)
{
    if (ide_dma_move(d, !d->write)) return true;
    d->status = ready(d) | ST_DRQ;
    return false;
}

/* A buffer is through: the next one, or the end. */
static void next(IdeDrive *d)
{
    if (!d->disk) {
        if (d->write) ata_own_data_written(d);
        d->left = 0;
    } else {
        uint32_t units = d->filled / d->unit;
        d->lba += units;
        d->left -= units;
    }
    if (d->bad) {
        if (d->cd) {
            atapi_read_failed(d);
        } else {
            ata_set_address(d, d->lba, ata_is_ext(d->command));
            ide_fail(d, ER_UNC);
        }
    } else if (d->left) {
        d->pos = d->filled = 0;
        d->phase = d->write ? IDE_COLLECT : IDE_FETCH;
    } else if (is_packet(d) || d->dma || d->write || d->verify) {
        if (d->disk && !d->cd) ata_set_address(d, d->lba - 1, ata_is_ext(d->command));
        ide_finish(d);
    } else { /* the last block of PIO data has been read: nothing is left to tell */
        if (d->disk) ata_set_address(d, d->lba - 1, ata_is_ext(d->command));
        to_idle(d, ready(d));
    }
}

/* The ranges to be given up have come.  None is taken if one is wrong. */
static void begin_trim(IdeDrive *d)
{
    d->pos = 0;
    d->phase = IDE_TRIM;
    if (!ata_trim_is_in_range(d)) ide_fail(d, ER_IDNF);
}

static void trim(IdeDrive *d)
{
    uint64_t lba;
    uint32_t count;
    if (ata_next_trim(d, &lba, &count))
        submit(d, BLOCK_DISCARD, lba, count);
    else
        ide_finish(d);
}

/* PIO: the first block of a command that writes is asked for without an interrupt. */
static bool collect(IdeDrive *d)
{
    if (d->filled == 0) {
        bool first = d->status & ST_BSY && d->block_end == 0;
        d->filled = d->disk ? buffer_units(d) * d->unit : d->left;
        d->pos = 0;
        if (!d->dma) present(d, !first);
    }
    return d->dma && move(d);
}

void ide_run(IdeDrive *d)
{
    for (unsigned turn = 0; !d->in_flight; turn++) {
        switch (d->phase) {
        case IDE_FETCH:
            if (!fetch(d, turn < 3 * IDE_INLINE_MAX)) return;
            break;
        case IDE_DELIVER:
            if (!d->dma) {
                if (!(d->status & ST_DRQ)) present(d, true);
                return;
            }
            if (!move(d)) return;
            d->phase = IDE_NEXT;
            break;
        case IDE_COLLECT:
            if (!collect(d)) return;
            if (ata_is_trim(d->command))
                begin_trim(d);
            else
                d->phase = d->disk ? IDE_STORE : IDE_NEXT;
            break;
        case IDE_STORE: submit(d, BLOCK_WRITE, d->lba, d->filled / d->unit); return;
        case IDE_FLUSH: submit(d, BLOCK_FLUSH, 0, 0); return;
        case IDE_TRIM: trim(d); break;
        case IDE_NEXT: next(d); break;
        default: return;
        }
    }
}

/* --- starts ------------------------------------------------------------------------------------------------------ */

static void start(IdeDrive *d, IdePhase phase)
{
    d->status = ST_BSY;
    d->pos = d->filled = d->block_end = 0;
    d->bad = false;
    d->phase = (uint8_t)phase;
}

void ide_start_disk(IdeDrive *d, bool write, uint64_t lba, uint32_t units, uint32_t unit)
{
    start(d, write ? IDE_COLLECT : IDE_FETCH);
    d->disk = true;
    d->write = write;
    d->lba = lba;
    d->left = units;
    d->unit = unit;
    ide_run(d);
}

void ide_start_data(IdeDrive *d, bool write, uint32_t n)
{
    start(d, write ? IDE_COLLECT : IDE_DELIVER);
    d->disk = false;
    d->verify = d->fua = false;
    d->write = write;
    d->unit = 1;
    d->left = n;
    if (!write) d->filled = n;
    ide_run(d);
}

void ide_start_flush(IdeDrive *d)
{
    start(d, IDE_FLUSH);
    d->disk = false;
    d->dma = false;
    ide_run(d);
}

/* --- the data port ------------------------------------------------------------------------------------------------- */

static void block_over(IdeDrive *d)
{
    if (d->awaits_packet) {
        d->awaits_packet = false;
        memcpy(d->packet, d->buf, PACKET_SIZE);
        d->phase = IDE_IDLE;
        d->status = ST_BSY;
        d->pos = d->block_end = d->filled = 0;
        atapi_packet(d);
        return;
    }
    if (d->pos < d->filled) {
        present(d, true);
        return;
    }
    d->status = ST_BSY;
    d->phase = d->write && d->disk ? IDE_STORE : IDE_NEXT;
    ide_run(d);
}

static bool at_port(const IdeDrive *d)
{
    return d->status & ST_DRQ && !d->dma && d->pos < d->block_end;
}

uint32_t ide_data_read(IdeDrive *d, unsigned size)
{
    if (!at_port(d) || d->write || d->awaits_packet) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("%s: data port read with no data\n", d->name);
        return 0;
    }
    uint32_t v = 0, n = d->block_end - d->pos;
    if (n > size) n = size;
    memcpy(&v, d->buf + d->pos, n); /* the port is little-endian, as is every host we run on */
    d->pos += n;
    if (d->pos == d->block_end) block_over(d);
    return v;
}

void ide_data_write(IdeDrive *d, uint32_t v, unsigned size)
{
    if (!at_port(d) || !(d->write || d->awaits_packet)) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("%s: data port written with none wanted\n", d->name);
        return;
    }
    uint32_t n = d->block_end - d->pos;
    if (n > size) n = size;
    memcpy(d->buf + d->pos, &v, n);
    d->pos += n;
    if (d->pos == d->block_end) block_over(d);
}
