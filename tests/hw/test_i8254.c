/* The timer by data sheet, and that no tick of IRQ 0 is lost. */
#include "hw/i8254.h"
#include "hw/port61.h"
#include "hw/ticks.h"
#include "fake.h"

static Fake f;
static I8254 *pit;
static Port61 *p61;

static void control(uint8_t v)
{
    out8(&f, 0x43, v);
}
static void count(int ch, uint16_t v)
{
    out8(&f, (uint16_t)(0x40 + ch), (uint8_t)v);
    out8(&f, (uint16_t)(0x40 + ch), (uint8_t)(v >> 8));
}
static unsigned latched(int ch)
{
    control((uint8_t)(ch << 6));
    unsigned lo = in8(&f, (uint16_t)(0x40 + ch));
    return lo | (unsigned)in8(&f, (uint16_t)(0x40 + ch)) << 8;
}
static uint64_t tick(void)
{
    return ticks_from_ns(f.now - 1000, I8254_HZ);
}
static void to_tick(uint64_t t)
{
    f.now = 1000 + ns_from_ticks(t, I8254_HZ);
}
static uint8_t status(int ch)
{
    control((uint8_t)(0xe0 | 2 << ch));
    return in8(&f, (uint16_t)(0x40 + ch));
}
static bool out_pin(int ch)
{
    return status(ch) & 0x80;
}

static void test_counting(void)
{
    uint64_t t;
    to_tick(1000);
    control(0xb0); /* channel 2, mode 0 */
    out8(&f, 0x61, 1);
    IS(status(2), 0x70, "mode 0 after the control word: OUT low, null count");
    t = tick();
    count(2, 100);
    IS(in8(&f, 0x61) & 0x20, 0, "OUT2 low in port 61h");
    to_tick(t + 41);
    IS(latched(2), 60, "counts down");
    ok(!out_pin(2), "OUT low before the end");
    to_tick(t + 100);
    ok(!out_pin(2), "N clocks after the write");
    to_tick(t + 101);
    ok(out_pin(2), "OUT high N + 1 clocks after the write");
    IS(in8(&f, 0x61) & 0x20, 0x20, "OUT2 high in port 61h");
    to_tick(t + 111);
    IS(latched(2), 0xfff6, "goes on from ffffh");

    control(0xb0);
    t = tick();
    count(2, 1000);
    to_tick(t + 101);
    out8(&f, 0x61, 0);
    to_tick(t + 301);
    IS(latched(2), 900, "gate low holds the count");
    out8(&f, 0x61, 1);
    to_tick(t + 401);
    IS(latched(2), 800, "gate high goes on");

    control(0xb1);
    t = tick();
    count(2, 0x0150);
    to_tick(t + 1 + 51);
    IS(latched(2), 0x99, "BCD");
    to_tick(t + 1 + 151);
    IS(latched(2), 0x9999, "BCD wraps to 9999");
}

static void test_modes(void)
{
    uint64_t t;
    out8(&f, 0x61, 0);
    control(0xb2); /* mode 1 */
    count(2, 50);
    ok(out_pin(2), "mode 1: OUT high before the trigger");
    t = tick();
    out8(&f, 0x61, 1);
    to_tick(t + 1);
    ok(!out_pin(2), "low after it");
    to_tick(t + 50);
    ok(!out_pin(2), "low for N clocks");
    to_tick(t + 51);
    ok(out_pin(2), "then high");

    control(0xb4); /* mode 2 */
    t = tick();
    count(2, 10);
    to_tick(t + 1 + 9);
    ok(!out_pin(2), "mode 2: low for the last clock");
    to_tick(t + 1 + 10);
    ok(out_pin(2), "high again");
    IS(latched(2), 10, "reloaded");
    to_tick(t + 1 + 13);
    count(2, 20);
    ok(status(2) & 0x40, "new count waits");
    IS(latched(2), 7, "present period goes on");
    to_tick(t + 1 + 20);
    IS(latched(2), 20, "new count at the end of the period");
    ok(!(status(2) & 0x40), "loaded");
    out8(&f, 0x61, 0);
    ok(out_pin(2), "gate low sets OUT high");
    t = tick();
    out8(&f, 0x61, 1);
    to_tick(t + 1 + 5);
    IS(latched(2), 15, "gate reloads");

    control(0xb6); /* mode 3 */
    t = tick();
    count(2, 5);
    bool want[10] = { 1, 1, 1, 0, 0, 1, 1, 1, 0, 0 }, good = true;
    for (unsigned i = 0; i < 10; i++) {
        to_tick(t + 1 + i);
        good &= out_pin(2) == want[i];
    }
    ok(good, "mode 3, odd count: high (N+1)/2, low (N-1)/2");
    control(0xb6);
    t = tick();
    count(2, 8);
    to_tick(t + 1 + 3);
    IS(latched(2), 2, "counts by two");
    ok(out_pin(2), "first half");
    to_tick(t + 1 + 4);
    IS(latched(2), 8, "second half starts over");
    ok(!out_pin(2), "second half");
    to_tick(t + 1 + 5);
    count(2, 100);
    to_tick(t + 1 + 8);
    ok(out_pin(2), "new count at the end of the half");
    to_tick(t + 1 + 8 + 49);
    ok(out_pin(2), "high for its half");
    to_tick(t + 1 + 8 + 50);
    ok(!out_pin(2), "and low");

    control(0xb8); /* mode 4 */
    t = tick();
    count(2, 6);
    to_tick(t + 1 + 5);
    ok(out_pin(2), "mode 4: high");
    to_tick(t + 1 + 6);
    ok(!out_pin(2), "low for a clock");
    to_tick(t + 1 + 7);
    ok(out_pin(2), "high again");

    out8(&f, 0x61, 0);
    control(0xba); /* mode 5 */
    count(2, 6);
    to_tick(tick() + 50);
    ok(out_pin(2), "mode 5 waits for the trigger");
    t = tick();
    out8(&f, 0x61, 1);
    to_tick(t + 1 + 6);
    ok(!out_pin(2), "strobe");
}

static void test_access(void)
{
    control(0x94); /* LSB only */
    out8(&f, 0x42, 200);
    uint64_t t = tick();
    to_tick(t + 1 + 10);
    IS(in8(&f, 0x42), 190, "LSB only");
    control(0xa4); /* MSB only */
    out8(&f, 0x42, 0x10);
    to_tick(tick() + 1);
    IS(in8(&f, 0x42), 0x10, "MSB only");
    control(0xb4);
    count(2, 0x1234);
    t = tick();
    to_tick(t + 1);
    control(0xd8); /* read back: latch count of channel 2 */
    control(0xe8); /* and its status */
    to_tick(t + 50);
    IS(in8(&f, 0x42) & 0x3f, 0x34, "status first");
    IS(in8(&f, 0x42), 0x34, "then the count latched earlier");
    IS(in8(&f, 0x42), 0x12, "both bytes");
    ok(in8(&f, 0x42) != 0x34, "then the running count");
    in8(&f, 0x42);
    uint8_t a = in8(&f, 0x61) & 0x10;
    f.now += 15086;
    ok((in8(&f, 0x61) & 0x10) != a, "refresh toggles");
    out8(&f, 0x61, 0xff);
    IS(in8(&f, 0x61) & 0xcf, 0x0f, "port 61h writable bits");
}

/* Ticks that a guest sees which acknowledges every so many steps. */
static int ticks_seen(uint64_t ns, uint64_t step, unsigned ack_every)
{
    int seen = 0, acked = f.rises[0];
    unsigned k = 0;
    for (uint64_t end = f.now + ns; f.now < end;) {
        fake_jump(&f, step);
        if (++k % ack_every) continue;
        i8254_irq_acked(pit);
        seen += f.rises[0] != acked;
        acked = f.rises[0];
    }
    return seen;
}

static void test_irq(void)
{
    control(0x34);
    count(0, 1193); /* 1000.15 Hz */
    i8254_irq_acked(pit);
    int n = ticks_seen(1000000000, 50000, 1);
    ok(n >= 999 && n <= 1001, "1000 Hz: %d ticks in a second", n);
    fake_jump(&f, 100000000); /* the host was away for 100 ms */
    i8254_irq_acked(pit);
    n = 1 + ticks_seen(100000000, 50000, 1);
    ok(n >= 199 && n <= 202, "ticks of a pause of 100 ms are made up for: %d", n);
    n = ticks_seen(1000000000, 50000, 1);
    ok(n >= 999 && n <= 1001, "and then the rate is the old one: %d", n);
    fake_jump(&f, 20000000000u);
    i8254_irq_acked(pit);
    n = ticks_seen(1000000000, 50000, 1);
    ok(n >= 1490 && n <= 1510, "but only half a second's: %d", n);
    n = ticks_seen(200000000, 500000, 5);
    ok(n >= 76 && n <= 81, "acknowledges slower than the ticks: %d", n);
    control(0x30);
    count(0, 11932);
    n = ticks_seen(50000000, 100000, 1);
    IS(n, 1, "mode 0: one");
    control(0x38);
    count(0, 11932);
    n = ticks_seen(50000000, 100000, 1);
    ok(n <= 2 && n >= 0, "mode 4: %d edges", n);
    control(0x34);
    count(0, 2);
    n = ticks_seen(1000000, 1000, 1);
    ok(n > 10, "a very fast clock does not hang (%d)", n);
    control(0x34);
}

/* --- the speaker's input ------------------------------------------------------------------------------------------ */

static struct {
    SpeakerWave w;
    int waves, alive;
} heard;
static void on_wave(void *opaque, const SpeakerWave *w)
{
    (void)opaque;
    heard.w = *w;
    heard.waves++;
}
static void on_alive(void *opaque)
{
    (void)opaque;
    heard.alive++;
}
static bool about(uint64_t ns, uint64_t ticks)
{
    uint64_t want = ns_from_ticks(ticks, I8254_HZ);
    return ns + 2000 > want && ns < want + 2000;
}

static void test_speaker(void)
{
    static const SpeakerSink sink = { .wave = on_wave, .alive = on_alive };
    to_tick(5000000);
    out8(&f, 0x61, 0);
    port61_set_speaker(p61, &sink);
    control(0xb6);
    count(2, 2000);
    out8(&f, 0x61, 1);
    to_tick(tick() + 500);
    control(0xb6);
    count(2, 2000);
    IS(heard.waves, 0, "counter 2 as a clock is not heard");
    out8(&f, 0x61, 0);
    out8(&f, 0x61, 3);
    ok(heard.waves == 1 && heard.w.level, "gate and speaker on");
    ok(about(heard.w.first_ns, 1000) && about(heard.w.high_ns, 1000) && about(heard.w.low_ns, 1000), "a square wave");
    to_tick(tick() + 1500);
    count(2, 1001);
    ok(!heard.w.level && about(heard.w.first_ns, 500), "a new count waits for the end of the half period");
    ok(about(heard.w.high_ns, 501) && about(heard.w.low_ns, 500),
       "and then is the period; its high half is the longer");
    IS(heard.alive, 0, "not a twentieth of a second yet");
    fake_run(&f, 500000000, 10000000);
    IS(heard.alive, 10, "signs of life while it sounds");
    int waves = heard.waves;
    out8(&f, 0x61, 1);
    ok(heard.waves == waves + 1 && !heard.w.level && !heard.w.first_ns, "off: a constant low");
    fake_run(&f, 500000000, 10000000);
    IS(heard.alive, 10, "and no more signs");
    out8(&f, 0x61, 3);
    out8(&f, 0x61, 2);
    ok(heard.w.level && !heard.w.first_ns, "without the gate mode 3 stays high");
    out8(&f, 0x61, 3);
    control(0xb0);
    count(2, 60);
    ok(!heard.w.level && about(heard.w.first_ns, 61) && !heard.w.high_ns && !heard.w.low_ns,
       "mode 0: high once, for good");
    control(0xb4);
    count(2, 100);
    ok(heard.w.level && about(heard.w.high_ns, 99) && about(heard.w.low_ns, 1), "mode 2: low for one clock");
    out8(&f, 0x61, 0);
    i8254_on_program(pit, NULL, NULL);
}

int main(void)
{
    fake_init(&f);
    pit = i8254_new(f.m, fake_line(&f, 0));
    p61 = port61_new(f.m, pit);
    test_counting();
    test_modes();
    test_access();
    test_irq();
    test_speaker();
    i8254_free(pit);
    port61_free(p61);
    fake_free(&f);
    return tap_done();
}
