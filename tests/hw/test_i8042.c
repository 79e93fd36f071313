/* The keyboard controller, as systems probe it. */
#include "hw/i8042.h"
#include "fake.h"

static Fake f;

/* The next byte, with time for it to come over the wire; -1: there is none. */
static int get(void)
{
    for (int i = 0; i < 4 && !(in8(&f, 0x64) & 1); i++) fake_jump(&f, 250000);
    return in8(&f, 0x64) & 1 ? in8(&f, 0x60) : -1;
}
static void command(uint8_t v)
{
    out8(&f, 0x64, v);
}
static void to_mouse(uint8_t v)
{
    command(0xd4);
    out8(&f, 0x60, v);
}

static void test_controller(void)
{
    IS(in8(&f, 0x64), 0x14, "status after reset");
    command(0x20);
    IS(get(), 0x65, "command byte");
    command(0xaa);
    IS(get(), 0x55, "self-test");
    command(0xab);
    IS(get(), 0, "keyboard interface test");
    command(0xa9);
    IS(get(), 0, "mouse interface test");
    command(0x60);
    out8(&f, 0x60, 0x74);
    command(0x20);
    IS(get(), 0x74, "command byte written");
    command(0x25);
    IS(get(), 0, "controller RAM");
    command(0xa8);
    command(0x20);
    IS(get(), 0x54, "A8 enables the mouse");
    command(0xa7);
    command(0x20);
    IS(get(), 0x74, "A7 disables it");
    command(0xd3);
    out8(&f, 0x60, 0x5a);
    IS(in8(&f, 0x64) & 0x21, 0x21, "mouse buffer loopback: status");
    IS(get(), 0x5a, "and byte");
    command(0xd2);
    out8(&f, 0x60, 0xa5);
    IS(in8(&f, 0x64) & 0x21, 0x01, "keyboard buffer loopback: status");
    IS(get(), 0xa5, "and byte");
    IS(get(), -1, "empty");
}

static void test_devices(void)
{
    command(0x60);
    out8(&f, 0x60, 0x47); /* both interrupts, translation */
    out8(&f, 0x60, 0xff);
    ok(f.line[1], "IRQ 1");
    IS(get(), 0xfa, "keyboard reset: ACK");
    ok(!f.line[1], "quiet while the next byte is on the wire");
    IS(in8(&f, 0x60), 0xfa, "the buffer keeps what was read");
    fake_jump(&f, 1000000);
    ok(f.line[1], "IRQ 1 again for the next byte");
    IS(get(), 0xaa, "self-test passed");
    ok(!f.line[1], "quiet");
    out8(&f, 0x60, 0xf2);
    IS(get(), 0xfa, "identify");
    IS(get(), 0xab, "MF2 keyboard");
    IS(get(), 0x41, "translated");
    command(0x60);
    out8(&f, 0x60, 0x07);
    out8(&f, 0x60, 0xf2);
    get(), get();
    IS(get(), 0x83, "not translated");
    out8(&f, 0x60, 0xed);
    IS(get(), 0xfa, "LEDs");
    out8(&f, 0x60, 0x02);
    IS(get(), 0xfa, "their value");
    out8(&f, 0x60, 0xf0);
    get();
    out8(&f, 0x60, 0);
    IS(get(), 0xfa, "scan set?");
    IS(get(), 2, "2");
    out8(&f, 0x60, 0xee);
    IS(get(), 0xee, "echo");
    out8(&f, 0x60, 0x10);
    IS(get(), 0xfe, "unknown: resend");
    to_mouse(0xff);
    fake_jump(&f, 1000000);
    ok(f.line[12] && !f.line[1], "IRQ 12");
    IS(get(), 0xfa, "mouse reset");
    IS(get(), 0xaa, "passed");
    IS(get(), 0, "ID");
    to_mouse(0xf3);
    IS(get(), 0xfa, "sample rate");
    to_mouse(40);
    IS(get(), 0xfa, "40");
    to_mouse(0xe9);
    get();
    IS(get(), 0, "status");
    IS(get(), 2, "resolution");
    IS(get(), 40, "rate");
    to_mouse(0xe1);
    IS(get(), 0xfe, "unknown: resend");
    IS(get(), -1, "empty");
}

static void test_lines(void)
{
    command(0xd0);
    IS(get() & 3, 3, "output port: A20 on, not in reset");
    command(0xd1);
    out8(&f, 0x60, 0xdd);
    ok(!f.line[20], "A20 off");
    command(0xdf);
    ok(f.line[20], "A20 on");
    command(0xdd);
    ok(!f.line[20], "off again");
    int before = f.resets;
    command(0xfe);
    machine_poll(f.m);
    IS(f.resets - before, 1, "FE resets");
    command(0xd1);
    out8(&f, 0x60, 0x02);
    machine_poll(f.m);
    IS(f.resets - before, 2, "so does output port bit 0");
    command(0xff);
    machine_poll(f.m);
    IS(f.resets - before, 2, "FF pulses nothing");
}

int main(void)
{
    fake_init(&f);
    I8042 *k = i8042_new(f.m, (I8042Lines){ fake_line(&f, 1), fake_line(&f, 12), fake_line(&f, 20) });
    test_controller();
    test_devices();
    test_lines();
    i8042_free(k);
    fake_free(&f);
    return tap_done();
}
