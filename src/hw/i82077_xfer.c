/* Sector by sector: find it, load it, let the host move its bytes, store it.  What must wait for (the rotation, the
 * image's worker, the host) leaves, and what ends the wait comes back in here. */
#include "hw/i82077_int.h"

#include <string.h>

#include "util/log.h"

static void find(I82077 *f);
static void next_sector(I82077 *f);

static FloppyDrive *drive_of(I82077 *f)
{
    return &f->unit[f->x.unit];
}

static bool is_scan(const Xfer *x)
{
    return x->kind >= XFER_SCAN_EQUAL && x->kind <= XFER_SCAN_HIGH;
}
static bool is_write(const Xfer *x)
{
    return x->kind == XFER_WRITE || x->kind == XFER_FORMAT;
}
static bool to_host(const Xfer *x)
{
    return x->kind == XFER_READ || x->kind == XFER_TRACK;
}

/* --- begin and end ------------------------------------------------------------------------------------------- */

static void host_wait_over(I82077 *f)
{
    i8237_set_dreq(f->dma, FDC_DMA_CHANNEL, false);
    f->data_int = false;
}

static void finish(I82077 *f)
{
    Xfer *x = &f->x;
    host_wait_over(f);
    x->phase = XFER_NONE;
    uint8_t st0 = (uint8_t)(x->st0 | (x->head ? ST0_HEAD : 0) | x->unit);
    memcpy(f->result, (uint8_t[]){ st0, x->st1, x->st2, x->c, x->h, x->r, x->n }, 7);
    fdc_result(f, 7, true);
}

static void fail(I82077 *f, uint8_t st0, uint8_t st1, uint8_t st2)
{
    f->x.st0 |= ST0_ABNORMAL | st0;
    f->x.st1 |= st1;
    f->x.st2 |= st2;
    finish(f);
}

static void wait_for_sector(I82077 *f, uint32_t ns)
{
    f->x.phase = XFER_FIND;
    timer_set(f->timer, clock_now(f->machine) + ns);
}

void fdc_xfer_forget(I82077 *f)
{
    if (f->in_flight) {
        block_drain(drive_image(drive_of(f)->drive));
        f->in_flight = false;
        f->stale++;
    }
    timer_cancel(f->timer);
    host_wait_over(f);
    f->x.phase = XFER_NONE;
}

void fdc_xfer_no_medium(I82077 *f, const FloppyDrive *d)
{
    if (f->x.phase == XFER_NONE || drive_of(f) != d) return;
    fdc_xfer_forget(f);
    wait_for_sector(f, FDC_NO_TRACK_NS); /* and then it is not there */
}

/* command[]: as in table 5-1. */
static void take_parameters(I82077 *f, XferKind kind)
{
    const uint8_t *c = f->command;
    Xfer *x = &f->x;
    *x = (Xfer){ .kind = (uint8_t)kind, .unit = c[1] & 3, .head = c[1] >> 2 & 1 };
    x->mfm = c[0] & CMD_MFM;
    if (kind == XFER_ID) return;
    if (kind == XFER_FORMAT) {
        x->n = c[2];
        x->left = c[3] ? c[3] : 256;
        x->fill = c[5];
        f->sc_eot = c[3];
        return;
    }
    x->mt = c[0] & CMD_MT && kind != XFER_TRACK;
    x->sk = c[0] & CMD_SK && kind != XFER_TRACK;
    x->c = c[2], x->h = c[3], x->r = c[4], x->n = c[5], x->eot = c[6];
    x->deleted = (c[0] & 0x1f) == 0x0c || (c[0] & 0x1f) == 0x09;
    x->counted = kind == XFER_VERIFY && c[1] & 0x80;
    x->left = x->counted ? c[8] ? c[8] : 256 : 0;
    x->step = is_scan(x) && c[8] == 2 ? 2 : 1;
    f->sc_eot = c[6];
}

/* EIS: to the cylinder of the ID first (READ, WRITE, VERIFY, READ TRACK). */
static unsigned implied_seek(I82077 *f)
{
    Xfer *x = &f->x;
    FloppyDrive *d = drive_of(f);
    if (!(f->config & CONFIG_EIS) || x->kind == XFER_ID || x->kind == XFER_FORMAT || x->c == d->pcn) return 0;
    bool in = x->c > d->pcn;
    unsigned n = in ? x->c - d->pcn : d->pcn - x->c;
    floppy_step(d, in, n);
    d->pcn = x->c;
    x->st0 |= ST0_SE;
    return n;
}

void fdc_xfer_start(I82077 *f, XferKind kind)
{
    take_parameters(f, kind);
    unsigned steps = implied_seek(f);
    wait_for_sector(f, steps * FDC_STEP_NS + FDC_SECTOR_NS);
}

/* --- the image ------------------------------------------------------------------------------------------------- */

static void loaded(I82077 *f)
{
    Xfer *x = &f->x;
    if (x->kind == XFER_VERIFY) {
        next_sector(f);
        return;
    }
    x->phase = XFER_MOVE;
    x->pos = 0;
    x->len = BLOCK_SECTOR;
}

static void stored(I82077 *f)
{
    FloppyDrive *d = drive_of(f);
    d->dirty = true;
    floppy_set_deleted(d, f->x.sector, f->x.deleted);
    next_sector(f);
}

/* True: as if nothing had happened. */
static bool host_failed(I82077 *f, bool write, int error)
{
    switch (drive_error_action(drive_of(f)->drive, write, error)) {
    case DRIVE_ERROR_IGNORE: return true;
    case DRIVE_ERROR_STOP:
        f->x.resume = f->x.phase;
        f->x.phase = XFER_STOPPED;
        machine_stop(f->machine, STOP_IO_ERROR);
        timer_set(f->timer, clock_now(f->machine)); /* time stands still: this is when the machine goes on */
        return false;
    default: break;
    }
    if (write)
        fail(f, ST0_EC, 0, 0); /* "a fault signal from the drive" */
    else
        fail(f, 0, ST1_DE, ST2_DD);
    return false;
}

static void on_disk(BlockRequest *r)
{
    I82077 *f = r->opaque;
    if (f->stale) {
        f->stale--; /* completions come in order: this is not the one of now */
        return;
    }
    f->in_flight = false;
    bool write = r->op == BLOCK_WRITE;
    if (r->error && !host_failed(f, write, r->error)) return;
    if (write)
        stored(f);
    else
        loaded(f);
    fdc_ask_host(f);
}

static void submit(I82077 *f, BlockOp op)
{
    f->in_flight = true;
    f->req = (BlockRequest){
        .op = (uint8_t)op, .sector = f->x.sector, .count = 1, .buf = f->buf, .done = on_disk, .opaque = f
    };
    block_submit(drive_image(drive_of(f)->drive), &f->req);
}

static bool in_image(I82077 *f)
{
    return f->x.sector < block_sectors(drive_image(drive_of(f)->drive));
}

static void load(I82077 *f)
{
    Xfer *x = &f->x;
    x->phase = XFER_LOAD;
    if (!in_image(f))
        memset(f->buf, 0, sizeof f->buf);
    else if (!block_read_now(drive_image(drive_of(f)->drive), x->sector, 1, f->buf)) {
        submit(f, BLOCK_READ);
        return;
    }
    loaded(f);
}

static void store(I82077 *f)
{
    f->x.phase = XFER_STORE;
    if (in_image(f))
        submit(f, BLOCK_WRITE);
    else
        fail(f, ST0_EC, 0, 0);
}

/* --- which sector -------------------------------------------------------------------------------------------------- */

/* Table 5-4: the ID after this one.  False: there is none, the end of the cylinder. */
static bool next_id(Xfer *x)
{
    bool end = x->r == x->eot || x->r + x->step - 1 == x->eot;
    if (!end) {
        x->r = (uint8_t)(x->r + x->step);
        return true;
    }
    x->r = 1;
    if (x->mt) {
        x->h ^= 1;
        if (x->head == 0) return true;
    }
    x->c++;
    return false;
}

/* The one that is through was the last that the command wants. */
static bool is_last(Xfer *x)
{
    switch (x->kind) {
    case XFER_FORMAT: return --x->left == 0 || x->tc;
    case XFER_TRACK: return x->index >= x->eot || x->tc;
    default:
        if (is_scan(x) && !(x->st2 & ST2_SN)) return true; /* found */
        return x->tc || x->last || (x->counted && --x->left == 0);
    }
}

/* The host says when it has enough; these end at the end of the cylinder as well. */
static bool ends_by_itself(const Xfer *x)
{
    return is_scan(x) || (x->kind == XFER_VERIFY && !x->counted);
}

static void next_sector(I82077 *f)
{
    Xfer *x = &f->x;
    bool more = true;
    if (x->kind == XFER_TRACK)
        x->index++, x->r++;
    else if (x->kind != XFER_FORMAT)
        more = next_id(x);
    if (is_last(x) || (!more && ends_by_itself(x))) {
        finish(f);
    } else if (!more) {
        fail(f, 0, ST1_EN, 0);
    } else {
        if (x->mt) x->head = x->h & 1;
        wait_for_sector(f, FDC_SECTOR_NS);
    }
}

/* The sector with the ID x->c, h, r, n is under the head; false: it is not on this track, and the command is over. */
static bool match_id(I82077 *f, uint8_t cylinder)
{
    Xfer *x = &f->x;
    const FloppyDrive *d = drive_of(f);
    bool here = x->c == cylinder && x->h == x->head && x->n == 2 && x->r >= 1 && x->r <= d->format->sectors;
    if (x->kind == XFER_TRACK) {
        if (!here) x->st1 |= ST1_ND; /* noted, and read all the same */
        return true;
    }
    if (!here) fail(f, 0, ST1_ND, x->c != cylinder ? ST2_WC : 0);
    return here;
}

/* The sector's address mark is not of the command's kind: true if it is to be skipped. */
static bool wrong_mark(I82077 *f)
{
    Xfer *x = &f->x;
    if (is_write(x) || floppy_is_deleted(drive_of(f), x->sector) == x->deleted) return false;
    if (x->sk) return true;
    x->st2 |= ST2_CM;
    x->last = x->kind != XFER_TRACK;
    return false;
}

static void find_data(I82077 *f, uint8_t cylinder)
{
    Xfer *x = &f->x;
    const FloppyDrive *d = drive_of(f);
    if (!match_id(f, cylinder)) return;
    unsigned r = x->kind == XFER_TRACK ? x->index % d->format->sectors + 1u : x->r;
    x->sector = floppy_sector(d, cylinder, x->head, r);
    if (is_scan(x)) x->st2 = (x->st2 & (uint8_t)~ST2_SN) | ST2_SH;
    if (wrong_mark(f)) {
        x->st2 |= ST2_CM;
        next_sector(f);
    } else if (x->kind == XFER_WRITE) {
        x->phase = XFER_MOVE;
        x->pos = 0;
        x->len = BLOCK_SECTOR;
    } else {
        load(f);
    }
}

/* The ID that comes by next. */
static void read_id(I82077 *f, uint8_t cylinder)
{
    Xfer *x = &f->x;
    unsigned n = drive_of(f)->format->sectors;
    x->c = cylinder;
    x->h = x->head;
    x->r = (uint8_t)(clock_now(f->machine) / FDC_SECTOR_NS % n + 1);
    x->n = 2;
    finish(f);
}

/* The host gives the IDs.  An image has a place only for those of its own format. */
static void format_next(I82077 *f)
{
    f->x.phase = XFER_MOVE;
    f->x.pos = 0;
    f->x.len = 4;
}

static void format_sector(I82077 *f)
{
    Xfer *x = &f->x;
    const FloppyDrive *d = drive_of(f);
    uint8_t cylinder;
    x->c = f->buf[0], x->h = f->buf[1], x->r = f->buf[2], x->n = f->buf[3];
    if (!floppy_track(d, x->head, f->dsr & 3, &cylinder) || x->c != cylinder || x->h != x->head || x->n != 2 ||
        x->r < 1 || x->r > d->format->sectors) {
        fail(f, ST0_EC, 0, 0);
        return;
    }
    x->sector = floppy_sector(d, cylinder, x->head, x->r);
    memset(f->buf, x->fill, sizeof f->buf);
    store(f);
}

/* The next one is under the head: read, or begin to write. */
static void find(I82077 *f)
{
    Xfer *x = &f->x;
    const FloppyDrive *d = drive_of(f);
    uint8_t cylinder;
    if (is_write(x) && floppy_protected(d))
        fail(f, 0, ST1_NW, 0);
    else if (!x->mfm || !floppy_track(d, x->head, f->dsr & 3, &cylinder))
        fail(f, 0, ST1_MA, 0); /* also without a disk, where a real controller waits for ever for the index hole */
    else if (x->kind == XFER_ID)
        read_id(f, cylinder);
    else if (x->kind == XFER_FORMAT)
        format_next(f);
    else
        find_data(f, cylinder);
}

void fdc_xfer_timer(void *fdc)
{
    I82077 *f = fdc;
    Xfer *x = &f->x;
    if (x->phase == XFER_STOPPED) {
        x->phase = x->resume;
        if (x->phase == XFER_LOAD)
            load(f);
        else
            store(f);
    } else if (x->phase == XFER_FIND) {
        find(f);
    }
    fdc_ask_host(f);
}

/* --- the host ---------------------------------------------------------------------------------------------------------- */

/* 5.1: in non-DMA mode the host is interrupted when the FIFO has that many bytes for it, or room for them. */
static uint8_t chunk(const I82077 *f)
{
    return f->config & CONFIG_EFIFO ? 1 : (uint8_t)(FDC_FIFO - (f->config & CONFIG_THRESHOLD));
}

void fdc_ask_host(I82077 *f)
{
    if (f->x.phase != XFER_MOVE) return;
    if (fdc_non_dma(f)) {
        f->chunk_left = chunk(f);
        f->data_int = true;
        fdc_update_irq(f);
    } else {
        i8237_set_dreq(f->dma, FDC_DMA_CHANNEL, f->dor & DOR_DMA);
    }
}

/* All of the sector's bytes are moved, or terminal count says that the host wants no more. */
static void moved(I82077 *f)
{
    Xfer *x = &f->x;
    host_wait_over(f);
    if (x->kind == XFER_FORMAT && x->pos == x->len) {
        format_sector(f);
    } else if (x->kind == XFER_FORMAT) {
        finish(f);
    } else if (x->kind == XFER_WRITE) {
        memset(f->buf + x->pos, 0, sizeof f->buf - x->pos); /* 5.1.3: "the remaining is filled with zeros" */
        store(f);
    } else {
        next_sector(f);
    }
}

/* Each byte must meet the condition; ffh from either side does. */
static void scan_byte(I82077 *f, uint8_t host)
{
    Xfer *x = &f->x;
    uint8_t disk = f->buf[x->pos];
    if (disk == host || disk == 0xff || host == 0xff) return;
    x->st2 &= (uint8_t)~ST2_SH;
    if (x->kind == XFER_SCAN_EQUAL || (disk < host) != (x->kind == XFER_SCAN_LOW)) x->st2 |= ST2_SN;
}

static void move_bytes(I82077 *f, uint8_t *host, uint32_t n)
{
    Xfer *x = &f->x;
    if (to_host(x)) {
        memcpy(host, f->buf + x->pos, n);
        x->pos = (uint16_t)(x->pos + n);
    } else if (is_scan(x)) {
        for (uint32_t i = 0; i < n; i++, x->pos++) scan_byte(f, host[i]);
    } else {
        memcpy(f->buf + x->pos, host, n);
        x->pos = (uint16_t)(x->pos + n);
    }
}

uint32_t fdc_dma_move(void *opaque, uint8_t *buf, uint32_t n, DmaType type, bool tc)
{
    I82077 *f = opaque;
    Xfer *x = &f->x;
    if (x->phase != XFER_MOVE || fdc_non_dma(f)) return 0;
    if (type != DMA_VERIFY && (type == DMA_TO_MEMORY) != to_host(x)) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("floppy: the DMA channel is programmed for the other direction\n");
        return 0;
    }
    uint32_t left = x->len - x->pos;
    if (n > left) n = left, tc = false;
    move_bytes(f, buf, n);
    if (tc) x->tc = true;
    if (tc || x->pos == x->len) moved(f);
    return n;
}

/* --- non-DMA mode ---------------------------------------------------------------------------------------------------------- */

bool fdc_pio_ready(const I82077 *f)
{
    return f->x.phase == XFER_MOVE && fdc_non_dma(f);
}
bool fdc_pio_to_host(const I82077 *f)
{
    return to_host(&f->x);
}

/* The interrupt goes away and, with the next chunk, comes again. */
static void pio_moved(I82077 *f)
{
    Xfer *x = &f->x;
    if (x->pos < x->len && --f->chunk_left) return;
    f->data_int = false;
    fdc_update_irq(f);
    if (x->pos == x->len)
        moved(f);
    else
        fdc_ask_host(f);
}

uint8_t fdc_pio_read(I82077 *f)
{
    uint8_t v;
    move_bytes(f, &v, 1);
    pio_moved(f);
    return v;
}

void fdc_pio_write(I82077 *f, uint8_t v)
{
    move_bytes(f, &v, 1);
    pio_moved(f);
}
