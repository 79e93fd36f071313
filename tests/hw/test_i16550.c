/* The UART by data sheet. */
#include "hw/i16550.h"
#include "fake.h"
#include "fake_chardev.h"

static Fake f;
static FakeChardev line = { .cd = { &fcd_ops } };
enum { BASE = 0x3f8, DATA = BASE, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static void fresh(uint8_t fcr, uint8_t ier)
{
    out8(&f, MCR, 0x0b);
    out8(&f, LCR, 3);
    out8(&f, IIR, 0);
    out8(&f, IIR, fcr);
    out8(&f, IER, ier);
    in8(&f, LSR), in8(&f, MSR), in8(&f, IIR);
}

static void test_registers(void)
{
    out8(&f, SCR, 0x5a);
    IS(in8(&f, SCR), 0x5a, "scratch");
    out8(&f, LCR, 0x83);
    out8(&f, DATA, 0x34);
    out8(&f, IER, 0x12);
    IS(in8(&f, DATA) | in8(&f, IER) << 8, 0x1234, "divisor latch");
    out8(&f, DATA, 1);
    out8(&f, IER, 0);
    out8(&f, LCR, 0x03);
    IS(in8(&f, LCR), 3, "LCR");
    out8(&f, IER, 0xff);
    IS(in8(&f, IER), 0x0f, "IER has four bits");
    out8(&f, IER, 0);
    IS(in8(&f, LSR), 0x60, "transmitter empty");
    IS(in8(&f, MSR) & 0xf0, 0xb0, "a cable is connected: CTS DSR DCD");
    IS(in8(&f, IIR), 1, "no interrupt, no FIFO");
    out8(&f, IIR, 0xc1);
    IS(in8(&f, IIR), 0xc1, "FIFOs enabled");
}

static void test_transmit(void)
{
    fresh(0x01, 0);
    line.n_out = 0;
    for (const char *p = "hello"; *p; p++) out8(&f, DATA, (uint8_t)*p);
    ok(line.n_out == 5 && !memcmp(line.out, "hello", 5), "bytes go out");
    ok(!f.line[4], "no interrupt wanted");
    out8(&f, IER, 2);
    ok(f.line[4], "enabling THRE while empty requests it");
    IS(in8(&f, IIR) & 15, 2, "THRE");
    ok(!f.line[4], "reading IIR clears it");
    int before = f.rises[4];
    out8(&f, DATA, 'x');
    IS(f.rises[4] - before, 1, "writing requests it again");
    out8(&f, DATA, 'y');
    IS(f.rises[4] - before, 2, "with an edge for each byte");
    out8(&f, MCR, 3);
    ok(!f.line[4], "OUT2 gates the interrupt");
}

static void test_receive(void)
{
    uint8_t big[3000];
    fresh(0x00, 1);
    fcd_send(&line, "ab", 2);
    IS(in8(&f, LSR) & 1, 0, "nothing before the machine takes it");
    machine_poll(f.m);
    ok(f.line[4], "received data");
    IS(in8(&f, IIR), 4, "RDA");
    IS(in8(&f, DATA), 'a', "first");
    IS(in8(&f, DATA), 'b', "second, held back until there was room");
    IS(in8(&f, LSR), 0x60, "no overrun");
    ok(!f.line[4], "quiet");

    fresh(0x81, 1); /* trigger level 8 */
    fcd_send(&line, "1234567", 7);
    machine_poll(f.m);
    ok(!f.line[4], "below the trigger level");
    fake_jump(&f, 340000);
    ok(!f.line[4], "not yet four characters' time");
    fake_jump(&f, 10000);
    ok(f.line[4], "time-out at 115200 baud");
    IS(in8(&f, IIR), 0xcc, "its identification");
    IS(in8(&f, DATA), '1', "reading");
    ok(!f.line[4], "clears it");
    fcd_send(&line, "89", 2);
    machine_poll(f.m);
    IS(in8(&f, IIR), 0xc4, "trigger level reached");
    for (int i = 0; i < 8; i++) in8(&f, DATA);
    ok(!(in8(&f, LSR) & 1), "drained");

    for (size_t i = 0; i < sizeof big; i++) big[i] = (uint8_t)(i * 31 >> 3);
    fcd_send(&line, big, sizeof big);
    machine_poll(f.m);
    bool good = true;
    size_t n = 0;
    for (; in8(&f, LSR) & 1; n++) {
        good &= n < sizeof big && in8(&f, DATA) == big[n];
        machine_poll(f.m);
    }
    ok(good && n == sizeof big, "3000 bytes at once arrive in order (%zu)", n);

    fresh(0x01, 4);
    line.r.event(line.r.opaque, CHARDEV_BREAK);
    machine_poll(f.m);
    IS(in8(&f, IIR) & 15, 6, "break: line status interrupt");
    IS(in8(&f, LSR), 0xf1, "BI, FIFO error, data ready");
    IS(in8(&f, LSR), 0x61, "cleared by reading");
    IS(in8(&f, DATA), 0, "its null character");
    out8(&f, IIR, 7);
}

static void test_loopback(void)
{
    fresh(0x01, 9);
    out8(&f, MCR, 0x1a); /* loop, OUT2, RTS */
    IS(in8(&f, MSR) >> 4, 0x9, "RTS and OUT2 come back as CTS and DCD");
    out8(&f, MCR, 0x1f);
    IS(in8(&f, MSR) & 0xf2, 0xf2, "DTR and OUT1 too");
    out8(&f, MCR, 0x18);
    IS(in8(&f, MSR) & 0x0f, 7, "RI's trailing edge and changes");
    line.n_out = 0;
    out8(&f, DATA, 0x77);
    ok(line.n_out == 0, "nothing goes out");
    IS(in8(&f, DATA), 0x77, "it comes back");
    for (int i = 0; i < 17; i++) out8(&f, DATA, (uint8_t)i);
    IS(in8(&f, LSR) & 3, 3, "overrun");
    IS(in8(&f, LSR) & 3, 1, "once");
    IS(in8(&f, DATA), 0, "FIFO kept");
    out8(&f, IIR, 3);
    IS(in8(&f, LSR) & 1, 0, "FIFO cleared");
    out8(&f, MCR, 0x0b);
    in8(&f, MSR);
}

int main(void)
{
    fake_init(&f);
    I16550 *u = i16550_new(f.m, BASE, fake_line(&f, 4), &line.cd);
    test_registers();
    test_transmit();
    test_receive();
    test_loopback();
    i16550_free(u);
    ok(!line.r.receive, "freed: disconnected");
    u = i16550_new(f.m, 0x2f8, fake_line(&f, 3), NULL);
    IS(in8(&f, 0x2fe), 0, "no cable, no modem lines");
    i16550_free(u);
    fake_free(&f);
    return tap_done();
}
