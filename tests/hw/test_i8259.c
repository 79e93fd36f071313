/* Interrupt controllers by data sheet. */
#include "hw/i8259.h"
#include "fake.h"

static Fake f;
static I8259 *pic;

static void irq(int n, bool level)
{
    IrqLine l = i8259_irq(pic, n);
    irq_set(&l, level);
}

static void edge(int n)
{
    irq(n, false);
    irq(n, true);
}

static void init(uint8_t icw4_master, uint8_t icw4_slave)
{
    for (int i = 0; i < 16; i++) irq(i, false);
    static const uint8_t icw[2][3] = { { 0x11, 0x20, 0x04 }, { 0x11, 0x28, 0x02 } };
    for (int c = 0; c < 2; c++) {
        uint16_t port = c ? 0xa0 : 0x20;
        out8(&f, port, icw[c][0]);
        out8(&f, port + 1, icw[c][1]);
        out8(&f, port + 1, icw[c][2]);
        out8(&f, port + 1, c ? icw4_slave : icw4_master);
        out8(&f, port, 0x48); /* special mask off */
        out8(&f, port, 0xc7); /* IR7 lowest */
    }
}

static void test_basic(void)
{
    init(1, 1);
    IS(in8(&f, 0x21), 0, "ICW1 clears the mask");
    edge(3);
    ok(f.line[0], "a request raises INT");
    IS(in8(&f, 0x20), 8, "IRR");
    IS(i8259_ack(pic), 0x23, "vector");
    ok(!f.line[0], "INT falls");
    IS(in8(&f, 0x20), 0, "edge request is gone from IRR");
    out8(&f, 0x20, 0x0b);
    IS(in8(&f, 0x20), 8, "ISR");
    edge(5);
    ok(!f.line[0], "a lower request waits");
    edge(1);
    ok(f.line[0], "a higher one does not");
    IS(i8259_ack(pic), 0x21, "nested");
    out8(&f, 0x20, 0x20);
    ok(!f.line[0], "EOI of the inner one: 5 still behind 3");
    out8(&f, 0x20, 0x20);
    IS(i8259_ack(pic), 0x25, "EOI of the outer one lets 5 through");
    out8(&f, 0x20, 0x65);
    IS(in8(&f, 0x20), 0, "specific EOI");
    out8(&f, 0x21, 0x02);
    edge(1);
    ok(!f.line[0], "masked");
    out8(&f, 0x21, 0x00);
    ok(f.line[0], "unmasked later");
    irq(1, false);
    ok(!f.line[0], "request withdrawn");
    IS(i8259_ack(pic), 0x27, "spurious 7");
    IS(in8(&f, 0x20), 0, "sets no ISR bit");
}

static void test_cascade(void)
{
    init(1, 1);
    edge(12);
    edge(8);
    IS(i8259_ack(pic), 0x28, "slave vector by priority");
    ok(!f.line[0], "12 waits");
    out8(&f, 0x20, 0x20);
    ok(!f.line[0], "slave's own order holds after the master's EOI");
    out8(&f, 0xa0, 0x20);
    ok(f.line[0], "slave's EOI lets 12 through");
    IS(i8259_ack(pic), 0x2c, "12");
    edge(9);
    ok(!f.line[0], "a higher slave request waits for the master's level 2");
    out8(&f, 0x20, 0x20);
    IS(i8259_ack(pic), 0x29, "then comes");
    out8(&f, 0x20, 0x20);
    out8(&f, 0xa0, 0x20);
    out8(&f, 0xa0, 0x20);
    edge(14);
    f.line[0] = true;
    irq(14, false);
    edge(14);
    ioports_write(f.io, 0xa1, 0x40, 1);
    ok(!f.line[0], "mask at the slave withdraws the cascade");
    ioports_write(f.io, 0xa1, 0, 1);
    IS(i8259_ack(pic), 0x2e, "and back");
    init(0x11, 1);
    edge(12);
    i8259_ack(pic);
    edge(9);
    ok(f.line[0], "special fully nested: slave's higher request is served");
    IS(i8259_ack(pic), 0x29, "its vector");
    edge(3);
    ok(!f.line[0], "a lower input of the master waits");
    edge(1);
    IS(i8259_ack(pic), 0x21, "a higher one does not");
}

static void test_modes(void)
{
    init(3, 3);
    edge(4);
    i8259_ack(pic);
    out8(&f, 0x20, 0x0b);
    IS(in8(&f, 0x20), 0, "automatic EOI");
    out8(&f, 0x20, 0x80);
    edge(4);
    i8259_ack(pic);
    edge(5);
    edge(3);
    IS(i8259_ack(pic), 0x25, "rotate in automatic EOI: 5 is highest now");
    out8(&f, 0x20, 0x00);

    init(1, 1);
    out8(&f, 0x20, 0xc3); /* set priority: 3 lowest */
    edge(1);
    edge(4);
    IS(i8259_ack(pic), 0x24, "set priority");
    out8(&f, 0x20, 0xa0); /* rotate on non-specific EOI: 4 lowest */
    edge(4);
    IS(i8259_ack(pic), 0x21, "rotate on EOI");
    out8(&f, 0x20, 0x20);
    i8259_ack(pic);
    out8(&f, 0x20, 0x20);

    init(1, 1);
    edge(2 + 1);
    i8259_ack(pic); /* 3 in service */
    out8(&f, 0x21, 0x08);
    out8(&f, 0x20, 0x68); /* special mask */
    edge(6);
    ok(f.line[0], "special mask mode: lower levels while a masked one is in service");
    IS(i8259_ack(pic), 0x26, "6");
    out8(&f, 0x20, 0x20);
    out8(&f, 0x20, 0x0b);
    IS(in8(&f, 0x20), 8, "non-specific EOI leaves the masked one");

    init(1, 1);
    edge(1);
    out8(&f, 0x20, 0x0c);
    IS(in8(&f, 0x20), 0x81, "poll");
    out8(&f, 0x20, 0x0c);
    IS(in8(&f, 0x20), 0, "nothing to poll");
    out8(&f, 0x20, 0x0b);
    IS(in8(&f, 0x20), 2, "poll acknowledged");
}

static void test_level(void)
{
    init(1, 1);
    out8(&f, 0x4d0, 0xff);
    out8(&f, 0x4d1, 0xff);
    IS(in8(&f, 0x4d0), 0xf8, "ELCR1");
    IS(in8(&f, 0x4d1), 0xde, "ELCR2");
    irq(10, true);
    IS(i8259_ack(pic), 0x2a, "level");
    out8(&f, 0xa0, 0x20);
    out8(&f, 0x20, 0x20);
    ok(f.line[0], "again while it is high");
    irq(10, false);
    ok(!f.line[0], "until it falls");
    init(1, 1);
    irq(5, true);
    IS(i8259_ack(pic), 0x25, "ELCR survives ICW1");
    irq(5, false);
    out8(&f, 0x4d0, 0);
    out8(&f, 0x4d1, 0);
    init(1, 1);
    irq(15, true);
    ok(f.line[0], "15");
    irq(15, false);
    machine_reset_now(f.m);
    ok(!f.line[0], "reset");
}

int main(void)
{
    fake_init(&f);
    pic = i8259_new(f.m, fake_line(&f, 0));
    test_basic();
    test_cascade();
    test_modes();
    test_level();
    fake_free(&f);
    i8259_free(pic);
    return tap_done();
}
