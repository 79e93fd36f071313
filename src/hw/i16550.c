/* National Semiconductor PC16550D data sheet.  The line's speed is not modelled: what is written has
 * been sent at once (THRE and TEMT are always set again when the guest looks), and input comes as
 * fast as the guest takes it, held back while the receiver has no room, so there are no overruns
 * except in loopback.  Only the receiver's time-out, which drivers wait for, is timed. */
#include "hw/i16550.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "hw/inbox.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };
enum { IER_RDA = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_THRE = 2, IIR_RDA = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4 };
enum { LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum {
    LSR_DR = 1,
    LSR_OE = 2,
    LSR_PE = 4,
    LSR_FE = 8,
    LSR_BI = 0x10,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40,
    LSR_FIFO_ERROR = 0x80,
    LSR_BYTE_ERRORS = LSR_PE | LSR_FE | LSR_BI,
};
enum { MSR_TERI = 4, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };
enum { FIFO_SIZE = 16 };

struct I16550 {
    Machine *machine;
    CharDev *chardev;
    Inbox *inbox;
    IrqLine irq;
    Timer *timeout;
    uint16_t base;

    uint8_t ier, lcr, mcr, msr, scr, fcr;
    uint16_t divisor;
    uint8_t overrun;   /* LSR_OE until read */
    bool thre_pending; /* THRE interrupt not yet seen */
    bool timeout_pending;
    uint8_t head, count;
    uint8_t fifo[FIFO_SIZE];
    uint8_t errors[FIFO_SIZE]; /* LSR_BYTE_ERRORS that came with each byte */
    uint8_t line_status_seen;  /* the top byte's errors have been read */
};

static bool fifo_on(const I16550 *u)
{
    return u->fcr & FCR_ENABLE;
}
static unsigned room(const I16550 *u)
{
    return (fifo_on(u) ? FIFO_SIZE : 1u) - u->count;
}

static unsigned trigger(const I16550 *u)
{
    static const uint8_t level[4] = { 1, 4, 8, 14 };
    return fifo_on(u) ? level[u->fcr >> 6] : 1;
}

static uint8_t line_errors(const I16550 *u)
{
    return u->overrun | (u->count && !u->line_status_seen ? u->errors[u->head] : 0);
}

/* The identification of the most urgent interrupt (data sheet, table IV). */
static uint8_t interrupt_id(const I16550 *u)
{
    if ((u->ier & IER_LINE) && line_errors(u)) return IIR_LINE;
    if ((u->ier & IER_RDA) && u->count >= trigger(u)) return IIR_RDA;
    if ((u->ier & IER_RDA) && u->timeout_pending) return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending) return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->msr & 15)) return IIR_MODEM;
    return IIR_NONE;
}

/* On the PC, OUT2 connects the interrupt to its line. */
static void update(I16550 *u)
{
    irq_set(&u->irq, interrupt_id(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2);
}

/* Four characters' time: start, data, parity and stop bits at 1.8432 MHz / 16 / divisor. */
static uint64_t four_characters_ns(const I16550 *u)
{
    unsigned bits = 1 + 5 + (u->lcr & 3) + (u->lcr >> 3 & 1) + 1 + (u->lcr >> 2 & 1);
    return 4ull * bits * (u->divisor ? u->divisor : 1) * 16 * 1000000000u / 1843200;
}

/* A byte came or went: the time-out starts anew. */
static void restart_timeout(I16550 *u)
{
    u->timeout_pending = false;
    if (fifo_on(u) && u->count && (u->ier & IER_RDA))
        timer_set(u->timeout, clock_now(u->machine) + four_characters_ns(u));
    else
        timer_cancel(u->timeout);
}

static void on_timeout(void *opaque)
{
    I16550 *u = opaque;
    u->timeout_pending = u->count > 0;
    update(u);
}

static void put_rx(I16550 *u, uint8_t byte, uint8_t errors)
{
    if (!room(u)) {
        u->overrun = LSR_OE;
        if (fifo_on(u)) return; /* the shift register is overwritten, the FIFO is not */
        u->count = 0;
    }
    if (!u->count) u->line_status_seen = false;
    unsigned i = (u->head + u->count++) % FIFO_SIZE;
    u->fifo[i] = byte;
    u->errors[i] = errors;
}

/* What waits outside and has room.  In loopback the line is disconnected. */
static void pull(I16550 *u)
{
    uint8_t byte, before = u->count;
    if (u->mcr & MCR_LOOP) return;
    while (room(u) && inbox_get_break(u->inbox)) put_rx(u, 0, LSR_BI);
    while (room(u) && inbox_get(u->inbox, &byte)) put_rx(u, byte, 0);
    if (u->count != before) restart_timeout(u);
}

static void on_input(void *opaque)
{
    pull(opaque);
    update(opaque);
}

static void set_modem_inputs(I16550 *u)
{
    uint8_t in = u->chardev ? MSR_CTS | MSR_DSR | MSR_DCD : 0, old = u->msr;
    if (u->mcr & MCR_LOOP) {
        in = (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                       (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
    }
    uint8_t delta = (uint8_t)((old ^ in) >> 4);
    if (!(old & MSR_RI) || (in & MSR_RI)) delta &= (uint8_t)~MSR_TERI; /* trailing edge only */
    u->msr = in | (old & 15) | delta;
}

static uint8_t read_data(I16550 *u)
{
    uint8_t v = u->fifo[u->head];
    if (u->count) {
        u->head = (uint8_t)((u->head + 1) % FIFO_SIZE);
        u->count--;
        u->line_status_seen = false;
        restart_timeout(u);
        if (u->count < trigger(u)) update(u); /* a further byte is a further request */
        pull(u);
    }
    return v;
}

static uint8_t read_iir(I16550 *u)
{
    uint8_t id = interrupt_id(u);
    if (id == IIR_THRE) u->thre_pending = false;
    return id | (fifo_on(u) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(I16550 *u)
{
    uint8_t v = LSR_THRE | LSR_TEMT | line_errors(u) | (u->count ? LSR_DR : 0);
    for (unsigned i = 0; fifo_on(u) && i < u->count; i++)
        if (u->errors[(u->head + i) % FIFO_SIZE]) v |= LSR_FIFO_ERROR;
    u->overrun = 0;
    if (u->count) {
        u->errors[u->head] = 0;
        u->line_status_seen = true;
    }
    return v;
}

static uint8_t read_msr(I16550 *u)
{
    uint8_t v = u->msr;
    u->msr &= 0xf0;
    return v;
}

static uint32_t uart_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    I16550 *u = opaque;
    uint8_t v;
    switch (port - u->base) {
    case REG_DATA: v = u->lcr & LCR_DLAB ? (uint8_t)u->divisor : read_data(u); break;
    case REG_IER: v = u->lcr & LCR_DLAB ? (uint8_t)(u->divisor >> 8) : u->ier; break;
    case REG_IIR_FCR: v = read_iir(u); break;
    case REG_LCR: return u->lcr;
    case REG_MCR: return u->mcr;
    case REG_LSR: v = read_lsr(u); break;
    case REG_MSR: v = read_msr(u); break;
    default: return u->scr;
    }
    update(u);
    return v;
}

static void write_data(I16550 *u, uint8_t v)
{
    u->thre_pending = false;
    update(u); /* a gap in the request, so that the edge-triggered controller sees the next one */
    if (u->mcr & MCR_LOOP) {
        put_rx(u, v, 0);
        restart_timeout(u);
    } else {
        chardev_write(u->chardev, &v, 1);
    }
    u->thre_pending = true;
}

static void write_ier(I16550 *u, uint8_t v)
{
    /* Enabling the THRE interrupt while the transmitter is empty requests it. */
    if ((v & IER_THRE) && !(u->ier & IER_THRE)) u->thre_pending = true;
    bool rda_changed = (v ^ u->ier) & IER_RDA;
    u->ier = v & 15;
    if (rda_changed) restart_timeout(u);
}

static void clear_rx(I16550 *u)
{
    u->count = 0;
    u->overrun = 0;
    restart_timeout(u);
}

static void write_fcr(I16550 *u, uint8_t v)
{
    bool changed = (v ^ u->fcr) & FCR_ENABLE;
    u->fcr = v & FCR_ENABLE ? v & (FCR_ENABLE | 0xc8) : 0;
    if (changed || (v & FCR_ENABLE && v & FCR_CLEAR_RX)) clear_rx(u);
    if (changed || (v & FCR_ENABLE && v & FCR_CLEAR_TX)) u->thre_pending = true;
    pull(u);
}

static void write_mcr(I16550 *u, uint8_t v)
{
    u->mcr = v & 0x1f;
    set_modem_inputs(u);
    pull(u);
}

static void uart_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    I16550 *u = opaque;
    uint8_t v = (uint8_t)value;
    bool dlab = u->lcr & LCR_DLAB;
    switch (port - u->base) {
    case REG_DATA:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff00) | v);
        else
            write_data(u, v);
        break;
    case REG_IER:
        if (dlab)
            u->divisor = (uint16_t)(v << 8 | (u->divisor & 0xff));
        else
            write_ier(u, v);
        break;
    case REG_IIR_FCR: write_fcr(u, v); break;
    case REG_LCR: u->lcr = v; break;
    case REG_MCR: write_mcr(u, v); break;
    case REG_SCR: u->scr = v; break;
    default: break; /* LSR and MSR: "not recommended as this is used for factory testing" */
    }
    update(u);
}

static const Field uart_fields[] = {
    FIELD(I16550, ier),
    FIELD(I16550, lcr),
    FIELD(I16550, mcr),
    FIELD(I16550, msr),
    FIELD(I16550, scr),
    FIELD(I16550, fcr),
    FIELD(I16550, divisor),
    FIELD(I16550, overrun),
    FIELD(I16550, thre_pending),
    FIELD(I16550, timeout_pending),
    FIELD(I16550, head),
    FIELD(I16550, count),
    FIELD(I16550, fifo),
    FIELD(I16550, errors),
    FIELD(I16550, line_status_seen),
    FIELD_END,
};

/* Data sheet, table III.  The divisor, scratch register and received data are not affected by reset;
 * the FIFOs are emptied. */
static void uart_reset(void *dev)
{
    I16550 *u = dev;
    u->ier = u->lcr = u->mcr = u->fcr = 0;
    u->thre_pending = false;
    clear_rx(u);
    set_modem_inputs(u);
    u->msr &= 0xf0;
    update(u);
}

static const DeviceClass uart_class = { .name = "i16550", .version = 1, .fields = uart_fields, .reset = uart_reset };

I16550 *i16550_new(Machine *m, uint16_t base, IrqLine irq, CharDev *cd)
{
    static const IoPortOps ops = { uart_read, uart_write, 1 };
    I16550 *u = hw_alloc(sizeof *u);
    u->machine = m;
    u->chardev = cd;
    u->irq = irq;
    u->base = base;
    u->divisor = 12; /* 9600 */
    u->timeout = timer_new(m, on_timeout, u);
    ioports_map(machine_io(m), base, 8, &ops, u);
    uart_reset(u);
    machine_add_device(m, &uart_class, u);
    u->inbox = inbox_new(m, cd, on_input, u); /* last: input may come at once */
    return u;
}

void i16550_free(I16550 *u)
{
    if (!u) return;
    inbox_free(u->inbox);
    timer_free(u->timeout);
    free(u);
}
