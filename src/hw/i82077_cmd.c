/* The commands (table 5-1). */
#include "hw/i82077_int.h"

#include <string.h>

/* --- heads --------------------------------------------------------------------------------------------------------- */

static FloppyDrive *unit_of(I82077 *f)
{
    return &f->unit[f->command[1] & 3];
}

/* The heads are there at once, but the guest hears of it after a while. */
static void begin_seek(I82077 *f, FloppyDrive *d, uint8_t st0, unsigned steps)
{
    unsigned n = (unsigned)(d - f->unit);
    d->seek_st0 = (uint8_t)(st0 | ST0_SE | (f->command[1] & 7));
    f->seeking |= (uint8_t)(1u << n);
    f->seek_ended &= (uint8_t) ~(1u << n);
    timer_set(d->seek_done, clock_now(f->machine) + (steps + 1) * FDC_STEP_NS);
    fdc_result(f, 0, false);
}

void fdc_seek_ended(void *unit)
{
    FloppyDrive *d = unit;
    I82077 *f = d->fdc;
    uint8_t bit = (uint8_t)(1u << (d - f->unit));
    f->seeking &= (uint8_t)~bit;
    f->seek_ended |= bit;
    fdc_drop_polled(f);
    fdc_update_irq(f);
}

static void seek_to(I82077 *f, uint8_t cylinder)
{
    FloppyDrive *d = unit_of(f);
    bool in = cylinder > d->pcn;
    unsigned n = in ? cylinder - d->pcn : d->pcn - cylinder;
    floppy_step(d, in, n);
    d->pcn = cylinder;
    begin_seek(f, d, 0, n);
}

static void seek(I82077 *f)
{
    seek_to(f, f->command[2]);
}

/* DIR, bit 6: inwards.  The cylinder number wraps. */
static void relative_seek(I82077 *f)
{
    FloppyDrive *d = unit_of(f);
    bool in = f->command[0] & 0x40;
    unsigned n = f->command[2];
    floppy_step(d, in, n);
    d->pcn = (uint8_t)(in ? d->pcn + n : d->pcn - n);
    begin_seek(f, d, 0, n);
}

/* 79 steps at most; the heads may have been farther in. */
static void recalibrate(I82077 *f)
{
    enum { STEPS = 79 };
    FloppyDrive *d = unit_of(f);
    unsigned n = floppy_step(d, false, d->drive && d->cylinder < STEPS ? d->cylinder : STEPS);
    bool there = d->drive && d->cylinder == 0;
    d->pcn = 0;
    begin_seek(f, d, there ? 0 : ST0_ABNORMAL | ST0_EC, n);
}

static void invalid(I82077 *f)
{
    f->result[0] = ST0_INVALID;
    fdc_result(f, 1, false);
}

/* First what the polling after a reset has found: four drives whose "ready" has changed. */
static void sense_interrupt(I82077 *f)
{
    unsigned n = 0;
    if (f->poll_left) {
        n = FDC_UNITS - f->poll_left--;
        f->poll_int = false;
        f->result[0] = (uint8_t)(ST0_POLLED | n);
    } else if (f->seek_ended) {
        while (!(f->seek_ended >> n & 1)) n++;
        f->seek_ended &= (uint8_t) ~(1u << n);
        f->result[0] = f->unit[n].seek_st0;
    } else {
        invalid(f);
        return;
    }
    f->result[1] = f->unit[n].pcn;
    fdc_result(f, 2, false);
}

static void sense_drive(I82077 *f)
{
    const FloppyDrive *d = unit_of(f);
    uint8_t st3 = (f->command[1] & 7) | ST3_READY | ST3_TWO_SIDED;
    if (d->drive && d->cylinder == 0) st3 |= ST3_T0;
    if (floppy_protected(d)) st3 |= ST3_WP;
    f->result[0] = st3;
    fdc_result(f, 1, false);
}

/* --- settings ------------------------------------------------------------------------------------------------------- */

static void specify(I82077 *f)
{
    f->srt_hut = f->command[1];
    f->hlt_nd = f->command[2];
    fdc_result(f, 0, false);
}

static void configure(I82077 *f)
{
    f->config = f->command[2] & 0x7f;
    f->pretrk = f->command[3];
    fdc_result(f, 0, false);
}

/* OW: the drives' bits are to be written too. */
static void perpendicular(I82077 *f)
{
    uint8_t v = f->command[1], keep = v & 0x80 ? 0 : 0x3c;
    f->perpendicular = (f->perpendicular & keep) | (v & 0x3f & (uint8_t)~keep);
    fdc_result(f, 0, false);
}

static void lock(I82077 *f)
{
    f->lock = f->command[0] & 0x80;
    f->result[0] = f->lock ? 0x10 : 0;
    fdc_result(f, 1, false);
}

static void dump_registers(I82077 *f)
{
    for (int i = 0; i < FDC_UNITS; i++) f->result[i] = f->unit[i].pcn;
    f->result[4] = f->srt_hut;
    f->result[5] = f->hlt_nd;
    f->result[6] = f->sc_eot;
    f->result[7] = (uint8_t)((f->lock ? 0x80 : 0) | f->perpendicular);
    f->result[8] = f->config;
    f->result[9] = f->pretrk;
    fdc_result(f, 10, false);
}

static void version(I82077 *f)
{
    f->result[0] = 0x90; /* "enhanced controller" */
    fdc_result(f, 1, false);
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

enum { NO_XFER = 0xff };
typedef struct FdcCommand {
    uint8_t mask, value, length; /* the first byte's fixed bits; bytes in all */
    uint8_t xfer;                /* XferKind, or */
    void (*execute)(I82077 *f);
} FdcCommand;

static const FdcCommand commands[] = {
    { 0x1f, 0x06, 9, XFER_READ, NULL },
    { 0x1f, 0x0c, 9, XFER_READ, NULL }, /* deleted data */
    { 0x3f, 0x05, 9, XFER_WRITE, NULL },
    { 0x3f, 0x09, 9, XFER_WRITE, NULL }, /* deleted data */
    { 0x9f, 0x02, 9, XFER_TRACK, NULL },
    { 0x1f, 0x16, 9, XFER_VERIFY, NULL },
    { 0x1f, 0x11, 9, XFER_SCAN_EQUAL, NULL },
    { 0x1f, 0x19, 9, XFER_SCAN_LOW, NULL },
    { 0x1f, 0x1d, 9, XFER_SCAN_HIGH, NULL },
    { 0xbf, 0x0a, 2, XFER_ID, NULL },
    { 0xbf, 0x0d, 6, XFER_FORMAT, NULL },
    { 0xff, 0x03, 3, NO_XFER, specify },
    { 0xff, 0x04, 2, NO_XFER, sense_drive },
    { 0xff, 0x07, 2, NO_XFER, recalibrate },
    { 0xff, 0x08, 1, NO_XFER, sense_interrupt },
    { 0xff, 0x0e, 1, NO_XFER, dump_registers },
    { 0xff, 0x0f, 3, NO_XFER, seek },
    { 0xbf, 0x8f, 3, NO_XFER, relative_seek },
    { 0xff, 0x10, 1, NO_XFER, version },
    { 0xff, 0x12, 2, NO_XFER, perpendicular },
    { 0xff, 0x13, 4, NO_XFER, configure },
    { 0x7f, 0x14, 1, NO_XFER, lock },
    { 0x00, 0x00, 1, NO_XFER, invalid },
};

static const FdcCommand *find_command(uint8_t first)
{
    const FdcCommand *c = commands;
    while ((first & c->mask) != c->value) c++;
    return c;
}

unsigned fdc_command_length(uint8_t command)
{
    return find_command(command)->length;
}

void fdc_execute(I82077 *f)
{
    const FdcCommand *c = find_command(f->command[0]);
    if (c->execute)
        c->execute(f);
    else
        fdc_xfer_start(f, (XferKind)c->xfer);
}
