/* Intel 8259A data sheet (231468) and 82371SB (PIIX3) data sheet.  As in the PIIX, ICW1.LTIM and the
 * MCS-80 modes have no effect; ELCR says which inputs are level-triggered. */
#include "hw/i8259.h"

#include <stdlib.h>

#include "hw/alloc.h"

enum { ICW1_IC4 = 1, ICW1_SNGL = 2, ICW1_SELECT = 0x10, ICW4_AEOI = 2, ICW4_SFNM = 0x10, OCW_IS_3 = 8 };
enum { CASCADE = 2, SPURIOUS = 7 };
enum { WANT_NONE, WANT_ICW2, WANT_ICW3, WANT_ICW4 };

typedef struct Chip {
    uint8_t irr, imr, isr;
    uint8_t line;        /* input levels */
    uint8_t elcr;        /* 1: level-triggered */
    uint8_t vector_base; /* ICW2 */
    uint8_t highest;     /* input that has priority 0 */
    uint8_t want;        /* which ICW the next write to A0=1 is */
    bool icw4_follows, single;
    bool aeoi, rotate_on_aeoi, sfnm, special_mask;
    bool read_isr, poll;
} Chip;

struct I8259 {
    Chip chip[2];           /* master, slave */
    uint64_t irq_count[16]; /* acknowledged, for `info irq` */
    IrqLine intr;
    void (*acked)(void *opaque, int n);
    void *acked_opaque;
    struct PicPort {
        I8259 *pic;
        int n;
    } port[2];
};

/* Priority of the best request in the mask, 0 highest, 8 none. */
static unsigned best_priority(const Chip *c, uint8_t mask)
{
    unsigned p = 0;
    if (!mask) return 8;
    while (!(mask >> ((c->highest + p) & 7) & 1)) p++;
    return p;
}

/* The input that INT is asserted for, or -1. */
static int pending_input(const I8259 *pic, int n)
{
    const Chip *c = &pic->chip[n];
    uint8_t serving = c->isr;
    if (c->special_mask) serving &= (uint8_t)~c->imr;
    unsigned p = best_priority(c, c->irr & (uint8_t)~c->imr);
    int input = (int)((c->highest + p) & 7);
    /* Special fully nested: a slave in service does not hold back higher requests of its own; those of
     * lower inputs of the master it does. */
    if (c->sfnm && n == 0 && input == CASCADE) serving &= (uint8_t) ~(1 << CASCADE);
    return p < best_priority(c, serving) ? input : -1;
}

static void set_input(Chip *c, int n, bool level)
{
    uint8_t bit = (uint8_t)(1 << n);
    if (!level) {
        /* "If the IR input goes low before this time a DEFAULT IR7 will occur": in both modes the
         * request goes with its line. */
        c->irr &= (uint8_t)~bit;
        c->line &= (uint8_t)~bit;
        return;
    }
    if ((c->elcr & bit) || !(c->line & bit)) c->irr |= bit;
    c->line |= bit;
}

static void update(I8259 *pic)
{
    if (!pic->chip[0].single) set_input(&pic->chip[0], CASCADE, pending_input(pic, 1) >= 0);
    irq_set(&pic->intr, pending_input(pic, 0) >= 0);
}

static void pic_set(void *opaque, int n, bool level)
{
    I8259 *pic = opaque;
    Chip *c = &pic->chip[n >> 3 & 1];
    if (n == CASCADE || (c->line >> (n & 7) & 1) == level) return;
    set_input(c, n & 7, level);
    update(pic);
}

IrqLine i8259_irq(I8259 *pic, int n)
{
    return (IrqLine){ .set = pic_set, .opaque = pic, .n = n & 15 };
}

bool i8259_masked(const I8259 *pic, int n)
{
    if (n >= 8 && (pic->chip[0].imr >> CASCADE & 1)) return true;
    return pic->chip[n >> 3 & 1].imr >> (n & 7) & 1;
}

void i8259_on_ack(I8259 *pic, void (*fn)(void *opaque, int n), void *opaque)
{
    pic->acked = fn;
    pic->acked_opaque = opaque;
}

/* One chip's part of the acknowledge: its input, or -1 when the request is gone. */
static int take(I8259 *pic, int n)
{
    Chip *c = &pic->chip[n];
    int input = pending_input(pic, n);
    if (input < 0) return -1;
    uint8_t bit = (uint8_t)(1 << input);
    if (!(c->elcr & bit)) c->irr &= (uint8_t)~bit;
    if (!c->aeoi)
        c->isr |= bit;
    else if (c->rotate_on_aeoi)
        c->highest = (uint8_t)((input + 1) & 7);
    return input;
}

static int take_slave(I8259 *pic)
{
    int input = take(pic, 1);
    /* INT goes low in the acknowledge; a further request makes a new edge at the master. */
    set_input(&pic->chip[0], CASCADE, false);
    return input;
}

int i8259_ack(I8259 *pic)
{
    int vector, irq = take(pic, 0);
    if (irq == CASCADE && !pic->chip[0].single) {
        int input = take_slave(pic);
        irq = input < 0 ? -1 : 8 + input;
        vector = pic->chip[1].vector_base + (input < 0 ? SPURIOUS : input);
    } else {
        vector = pic->chip[0].vector_base + (irq < 0 ? SPURIOUS : irq);
    }
    update(pic);
    if (irq >= 0) pic->irq_count[irq]++;
    if (irq >= 0 && pic->acked) pic->acked(pic->acked_opaque, irq);
    return vector;
}

/* --- command and data ports ------------------------------------------------------------------------ */

static void write_icw1(Chip *c, uint8_t v)
{
    c->irr &= c->elcr & c->line; /* the edge sense circuit is cleared */
    c->imr = c->isr = 0;
    c->highest = 0;
    c->special_mask = c->read_isr = c->poll = c->rotate_on_aeoi = false;
    c->icw4_follows = v & ICW1_IC4;
    c->single = v & ICW1_SNGL;
    if (!c->icw4_follows) c->aeoi = c->sfnm = false;
    c->want = WANT_ICW2;
}

/* OCW2: rotate, specific, end of interrupt; level in the low bits. */
static void write_ocw2(Chip *c, uint8_t v)
{
    bool rotate = v & 0x80, specific = v & 0x40, eoi = v & 0x20;
    unsigned level = v & 7;
    if (!eoi) {
        if (!specific)
            c->rotate_on_aeoi = rotate;
        else if (rotate)
            c->highest = (uint8_t)((level + 1) & 7); /* set priority */
        return;
    }
    if (!specific) {
        /* In special mask mode a masked level is not cleared by a non-specific EOI. */
        unsigned p = best_priority(c, c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr);
        if (p == 8) return;
        level = (c->highest + p) & 7;
    }
    c->isr &= (uint8_t) ~(1 << level);
    if (rotate) c->highest = (uint8_t)((level + 1) & 7);
}

static void write_ocw3(Chip *c, uint8_t v)
{
    if (v & 0x40) c->special_mask = v & 0x20;
    c->poll = v & 4;
    if (v & 2) c->read_isr = v & 1;
}

static void write_icw(Chip *c, uint8_t v)
{
    switch (c->want) {
    case WANT_ICW2:
        c->vector_base = v & 0xf8;
        c->want = !c->single ? WANT_ICW3 : c->icw4_follows ? WANT_ICW4 : WANT_NONE;
        break;
    case WANT_ICW3: /* the cascade's wiring is fixed */ c->want = c->icw4_follows ? WANT_ICW4 : WANT_NONE; break;
    case WANT_ICW4:
        c->aeoi = v & ICW4_AEOI;
        c->sfnm = v & ICW4_SFNM;
        c->want = WANT_NONE;
        break;
    default: c->imr = v; /* OCW1 */
    }
}

static void pic_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    struct PicPort *pp = opaque;
    Chip *c = &pp->pic->chip[pp->n];
    uint8_t v = (uint8_t)value;
    if (port & 1)
        write_icw(c, v);
    else if (v & ICW1_SELECT)
        write_icw1(c, v);
    else if (v & OCW_IS_3)
        write_ocw3(c, v);
    else
        write_ocw2(c, v);
    update(pp->pic);
}

/* Poll command: the read is the acknowledge. */
static uint32_t poll_read(I8259 *pic, int n)
{
    pic->chip[n].poll = false;
    int input = n ? take_slave(pic) : take(pic, 0);
    update(pic);
    if (input >= 0 && pic->acked) pic->acked(pic->acked_opaque, n * 8 + input);
    return input < 0 ? 0 : 0x80u | (uint32_t)input;
}

static uint32_t pic_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    struct PicPort *pp = opaque;
    Chip *c = &pp->pic->chip[pp->n];
    if (c->poll) return poll_read(pp->pic, pp->n);
    if (port & 1) return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

/* Inputs 0, 1, 2, 8 and 13 are edge-triggered in every PC. */
static const uint8_t elcr_writable[2] = { 0xf8, 0xde };

static uint32_t elcr_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    I8259 *pic = opaque;
    return pic->chip[port & 1].elcr;
}

static void elcr_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    I8259 *pic = opaque;
    Chip *c = &pic->chip[port & 1];
    c->elcr = (uint8_t)value & elcr_writable[port & 1];
    c->irr |= c->elcr & c->line;
    update(pic);
}

#define CHIP_FIELDS(n)                                                                                                 \
    FIELD(I8259, chip[n].irr), FIELD(I8259, chip[n].imr), FIELD(I8259, chip[n].isr), FIELD(I8259, chip[n].line),       \
        FIELD(I8259, chip[n].elcr), FIELD(I8259, chip[n].vector_base), FIELD(I8259, chip[n].highest),                  \
        FIELD(I8259, chip[n].want), FIELD(I8259, chip[n].icw4_follows), FIELD(I8259, chip[n].single),                  \
        FIELD(I8259, chip[n].aeoi), FIELD(I8259, chip[n].rotate_on_aeoi), FIELD(I8259, chip[n].sfnm),                  \
        FIELD(I8259, chip[n].special_mask), FIELD(I8259, chip[n].read_isr), FIELD(I8259, chip[n].poll)
static const Field i8259_fields[] = { CHIP_FIELDS(0), CHIP_FIELDS(1), FIELD(I8259, irq_count), FIELD_END };

/* A chip that nobody has programmed yet asks for nothing. */
static void i8259_reset(void *dev)
{
    I8259 *pic = dev;
    for (int n = 0; n < 2; n++) pic->chip[n] = (Chip){ .imr = 0xff, .line = pic->chip[n].line };
    pic->chip[0].line &= (uint8_t) ~(1 << CASCADE);
    update(pic);
}

static const DeviceClass i8259_class = { .name = "i8259", .version = 1, .fields = i8259_fields, .reset = i8259_reset };

I8259 *i8259_new(Machine *m, IrqLine intr)
{
    static const IoPortOps ops = { pic_read, pic_write, 1 }, elcr_ops = { elcr_read, elcr_write, 1 };
    I8259 *pic = hw_alloc(sizeof *pic);
    pic->intr = intr;
    for (int n = 0; n < 2; n++) {
        pic->port[n] = (struct PicPort){ pic, n };
        ioports_map(machine_io(m), n ? 0xa0 : 0x20, 2, &ops, &pic->port[n]);
    }
    ioports_map(machine_io(m), 0x4d0, 2, &elcr_ops, pic);
    i8259_reset(pic);
    machine_add_device(m, &i8259_class, pic);
    return pic;
}

void i8259_free(I8259 *pic)
{
    free(pic);
}
