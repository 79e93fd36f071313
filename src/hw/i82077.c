#include "hw/i82077_int.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"
#include "util/log.h"

enum { REG_DOR = 2, REG_TDR, REG_MSR_DSR, REG_FIFO, REG_DIR_CCR = 7 };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NON_DMA = 0x20, MSR_BUSY = 0x10 };
enum { DSR_RESET = 0x80 };

/* --- interrupts ------------------------------------------------------------------------------------------------ */

/* DMAGATE# lets INT and DRQ through. */
void fdc_update_irq(I82077 *f)
{
    bool wanted = f->result_int || f->data_int || f->poll_int || f->seek_ended;
    irq_set(&f->irq6, wanted && f->dor & DOR_DMA && f->dor & DOR_RESET);
}

void fdc_drop_polled(I82077 *f)
{
    f->poll_left = 0;
    f->poll_int = false;
}

/* --- command and result phases ------------------------------------------------------------------------------------ */

void fdc_result(I82077 *f, unsigned n, bool interrupt)
{
    f->n_command = f->n_wanted = 0;
    f->n_result = (uint8_t)n;
    f->result_at = 0;
    f->result_int = interrupt;
    if (interrupt) fdc_drop_polled(f);
    fdc_update_irq(f);
}

static uint8_t main_status(const I82077 *f)
{
    if (!(f->dor & DOR_RESET)) return 0;
    uint8_t v = f->seeking;
    if (f->n_result) return v | MSR_RQM | MSR_DIO | MSR_BUSY;
    if (f->x.phase == XFER_NONE) return v | MSR_RQM | (f->n_wanted ? MSR_BUSY : 0);
    v |= MSR_BUSY;
    if (fdc_non_dma(f)) v |= MSR_NON_DMA;
    if (fdc_pio_ready(f)) v |= MSR_RQM | (fdc_pio_to_host(f) ? MSR_DIO : 0);
    return v;
}

static uint8_t read_fifo(I82077 *f)
{
    if (fdc_pio_ready(f) && fdc_pio_to_host(f)) return fdc_pio_read(f);
    if (!f->n_result) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("floppy: there is nothing to read from the FIFO\n");
        return 0;
    }
    uint8_t v = f->result[f->result_at++];
    if (f->result_at == f->n_result) f->n_result = 0;
    f->result_int = false;
    fdc_update_irq(f);
    return v;
}

static void write_fifo(I82077 *f, uint8_t v)
{
    if (!(f->dor & DOR_RESET)) return;
    if (fdc_pio_ready(f) && !fdc_pio_to_host(f)) {
        fdc_pio_write(f, v);
    } else if (f->n_result || f->x.phase != XFER_NONE) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("floppy: %02x is written to the FIFO at the wrong time\n", v);
    } else {
        if (!f->n_wanted) f->n_wanted = (uint8_t)fdc_command_length(v);
        f->command[f->n_command++] = v;
        if (f->n_command == f->n_wanted) fdc_execute(f);
    }
}

/* --- resets ------------------------------------------------------------------------------------------------------- */

/* By DOR or DSR (8.2, 8.3): what is under way ends, and what CONFIGURE has set is lost unless it is locked.  SPECIFY,
 * the data rate and PERPENDICULAR's drive bits stay. */
static void stop(I82077 *f)
{
    fdc_xfer_forget(f);
    for (int i = 0; i < FDC_UNITS; i++) timer_cancel(f->unit[i].seek_done);
    f->seeking = f->seek_ended = 0;
    fdc_drop_polled(f);
    fdc_result(f, 0, false);
    if (!f->lock) {
        f->config = CONFIG_EFIFO;
        f->pretrk = 0;
    }
    f->config &= CONFIG_EFIFO | CONFIG_THRESHOLD;
    f->perpendicular &= 0x3c;
    fdc_update_irq(f);
}

/* The polling finds that all drives have become ready. */
static void come_up(I82077 *f)
{
    f->poll_left = FDC_UNITS;
    f->poll_int = true;
    fdc_update_irq(f);
}

static void write_dor(I82077 *f, uint8_t v)
{
    uint8_t old = f->dor;
    f->dor = v;
    for (unsigned i = 0; i < FDC_DRIVES; i++)
        if (old & ~v & 0x10u << i) floppy_motor_off(&f->unit[i]);
    if (old & ~v & DOR_RESET) stop(f);
    if (v & ~old & DOR_RESET) come_up(f);
    fdc_update_irq(f);
    fdc_ask_host(f);
}

static void write_dsr(I82077 *f, uint8_t v)
{
    f->dsr = v & (uint8_t)~DSR_RESET;
    if (!(v & DSR_RESET) || !(f->dor & DOR_RESET)) return;
    stop(f);
    come_up(f);
}

/* --- registers ------------------------------------------------------------------------------------------------------- */

/* In AT mode only bit 7 is driven here, for the drive that DOR selects. */
static uint8_t digital_input(const I82077 *f)
{
    const FloppyDrive *d = &f->unit[f->dor & 3];
    return d->drive && d->changed ? 0x80 : 0;
}

/* The status registers A and B are not there in AT mode. */
static uint32_t fdc_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    I82077 *f = opaque;
    switch (port & 7) {
    case REG_DOR: return f->dor;
    case REG_TDR: return f->tdr;
    case REG_MSR_DSR: return main_status(f);
    case REG_FIFO: return read_fifo(f);
    case REG_DIR_CCR: return digital_input(f);
    default: return 0xff;
    }
}

static void fdc_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    I82077 *f = opaque;
    uint8_t v = (uint8_t)value;
    switch (port & 7) {
    case REG_DOR: write_dor(f, v); break;
    case REG_TDR: f->tdr = v & 3; break;
    case REG_MSR_DSR: write_dsr(f, v); break;
    case REG_FIFO: write_fifo(f, v); break;
    case REG_DIR_CCR: f->dsr = (f->dsr & (uint8_t)~3) | (v & 3); break;
    default: break;
    }
}

/* --- state --------------------------------------------------------------------------------------------------------------- */

/* The RESET pin: in reset until the guest writes DOR.  The drives stay as they are. */
static void fdc_reset(void *dev)
{
    I82077 *f = dev;
    f->dor = f->tdr = 0;
    f->lock = false;
    stop(f);
    f->dsr = RATE_250K;
    f->srt_hut = f->hlt_nd = f->perpendicular = f->sc_eot = 0;
    for (int i = 0; i < FDC_UNITS; i++) f->unit[i].pcn = 0;
}

/* clang-format off */
#define UNIT_FIELDS(n)                                                                                              \
    FIELD(I82077, unit[n].type), FIELD(I82077, unit[n].cylinder), FIELD(I82077, unit[n].changed),                     \
    FIELD(I82077, unit[n].dirty), FIELD(I82077, unit[n].deleted), FIELD(I82077, unit[n].pcn),                         \
    FIELD(I82077, unit[n].seek_st0)
static const Field fdc_fields[] = {
    FIELD(I82077, dor), FIELD(I82077, tdr), FIELD(I82077, dsr), FIELD(I82077, srt_hut), FIELD(I82077, hlt_nd),
    FIELD(I82077, config), FIELD(I82077, pretrk), FIELD(I82077, lock), FIELD(I82077, perpendicular),
    FIELD(I82077, sc_eot), FIELD(I82077, command), FIELD(I82077, n_command), FIELD(I82077, n_wanted),
    FIELD(I82077, result), FIELD(I82077, n_result), FIELD(I82077, result_at), FIELD(I82077, result_int),
    FIELD(I82077, data_int), FIELD(I82077, poll_int), FIELD(I82077, poll_left), FIELD(I82077, seek_ended),
    FIELD(I82077, seeking), FIELD(I82077, chunk_left),
    FIELD(I82077, x.kind), FIELD(I82077, x.phase), FIELD(I82077, x.resume), FIELD(I82077, x.unit),
    FIELD(I82077, x.head), FIELD(I82077, x.mt), FIELD(I82077, x.mfm), FIELD(I82077, x.sk), FIELD(I82077, x.deleted),
    FIELD(I82077, x.last), FIELD(I82077, x.tc), FIELD(I82077, x.counted), FIELD(I82077, x.c), FIELD(I82077, x.h),
    FIELD(I82077, x.r), FIELD(I82077, x.n), FIELD(I82077, x.eot), FIELD(I82077, x.step), FIELD(I82077, x.fill),
    FIELD(I82077, x.left), FIELD(I82077, x.index), FIELD(I82077, x.st0), FIELD(I82077, x.st1), FIELD(I82077, x.st2),
    FIELD(I82077, x.pos), FIELD(I82077, x.len), FIELD(I82077, x.sector),
    UNIT_FIELDS(0), UNIT_FIELDS(1), UNIT_FIELDS(2), UNIT_FIELDS(3), FIELD(I82077, buf), FIELD_END,
};
/* clang-format on */
static const DeviceClass fdc_class = { .name = "i82077", .version = 1, .fields = fdc_fields, .reset = fdc_reset };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

I82077 *i82077_new(Machine *m, IrqLine irq6, I8237 *dma, DriveSet *drives)
{
    static const IoPortOps ops = { fdc_read, fdc_write, 1 };
    I82077 *f = hw_alloc(sizeof *f);
    f->machine = m;
    f->irq6 = irq6;
    f->dma = dma;
    f->timer = timer_new(m, fdc_xfer_timer, f);
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        FloppyDrive *d = &f->unit[i];
        d->fdc = f;
        d->seek_done = timer_new(m, fdc_seek_ended, d);
        Drive *drive = drives && i < FDC_DRIVES ? drives_at(drives, DRIVE_FLOPPY, i) : NULL;
        if (drive) floppy_connect(d, drive);
    }
    i8237_connect(dma, FDC_DMA_CHANNEL, fdc_dma_move, f);
    ioports_map(machine_io(m), 0x3f0, 6, &ops, f);
    ioports_map(machine_io(m), 0x3f7, 1, &ops, f);
    machine_add_device(m, &fdc_class, f);
    fdc_reset(f);
    return f;
}

void i82077_free(I82077 *f)
{
    if (!f) return;
    fdc_xfer_forget(f);
    timer_free(f->timer);
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        floppy_disconnect(&f->unit[i]);
        timer_free(f->unit[i].seek_done);
    }
    i8237_connect(f->dma, FDC_DMA_CHANNEL, NULL, NULL);
    free(f);
}

void i82077_post(I82077 *f)
{
    write_dor(f, DOR_RESET | DOR_DMA);
    fdc_drop_polled(f);
    f->dsr = RATE_500K;
    f->srt_hut = 0xaf; /* as in the usual diskette parameter table */
    f->hlt_nd = 0x02;
    fdc_update_irq(f);
}

void i82077_set_cmos(const I82077 *f, Mc146818 *rtc)
{
    mc146818_set_cmos(rtc, 0x10, (uint8_t)(f->unit[0].type << 4 | f->unit[1].type));
}

uint8_t i82077_equipment(const I82077 *f)
{
    unsigned n = 0;
    for (int i = 0; i < FDC_DRIVES; i++)
        if (f->unit[i].drive) n++;
    return (uint8_t)(n ? (n - 1) << 6 | 1 : 0);
}
