/* The HPET by its specification. */
#include "hw/hpet.h"
#include "fake.h"

static Fake f;
static Hpet *hpet;
enum { LEGACY0, LEGACY1, REPLACEMENT, PIN20 };

static uint64_t rd(uint32_t reg)
{
    return phys_ld(f.phys, HPET_BASE + reg, 8);
}
static void wr(uint32_t reg, uint64_t v)
{
    phys_st(f.phys, HPET_BASE + reg, v, 8);
}
static void wr32(uint32_t reg, uint32_t v)
{
    phys_st(f.phys, HPET_BASE + reg, v, 4);
}
static uint32_t timer(int n, uint32_t reg)
{
    return 0x100 + 0x20 * (uint32_t)n + reg;
}
enum { CONFIG = 0, COMPARATOR = 8 };
static void ticks(uint64_t n)
{
    fake_jump(&f, n * 10);
}

static void set_up(void)
{
    fake_init(&f);
    HpetLines lines = { .legacy = { fake_line(&f, LEGACY0), fake_line(&f, LEGACY1) },
                        .replacement = fake_line(&f, REPLACEMENT) };
    for (int i = 0; i < HPET_PINS; i++) lines.pin[i] = fake_line(&f, PIN20 + i);
    hpet = hpet_new(f.m, lines);
}

static void take_down(void)
{
    hpet_free(hpet);
    fake_free(&f);
}

static void test_counter(void)
{
    set_up();
    IS(rd(0), 0x009896808086a201, "capabilities: 10 ns, three timers, 64 bits, legacy replacement");
    IS(rd(timer(0, CONFIG)), 0x00f0000000000030, "timer capabilities: periodic, 64 bits, pins 20-23");
    ticks(100);
    IS(rd(0xf0), 0, "halted");
    wr(0xf0, 5000);
    wr(0x10, 1);
    ticks(100);
    IS(rd(0xf0), 5100, "counts");
    IS(phys_ld(f.phys, HPET_BASE + 0xf0, 4), 5100, "by 32 bits");
    wr(0x10, 0);
    ticks(100);
    IS(rd(0xf0), 5100, "stands still");
    wr32(0xf4, 1);
    IS(rd(0xf0), 0x1000013ecull, "upper half");
    wr(0x10, 3);
    ok(f.line[REPLACEMENT], "legacy replacement");
    ok(f.line[PIN20] && f.line[PIN20 + 3], "idle pins are high");
    machine_reset_now(f.m);
    ok(!f.line[REPLACEMENT] && rd(0x10) == 0 && rd(0xf0) == 0, "reset");
    IS(rd(timer(2, COMPARATOR)), UINT64_MAX, "comparators after reset");
    take_down();
}

static void test_one_shot(void)
{
    set_up();
    wr(0x10, 3);
    wr(timer(0, CONFIG), 0x104); /* 32 bits, enabled */
    wr(timer(0, COMPARATOR), rd(0xf0) + 1000);
    ticks(999);
    ok(!f.line[LEGACY0], "not yet");
    ticks(1);
    ok(f.line[LEGACY0] && f.rises[LEGACY0] == 1, "match");
    ticks(100000);
    IS(f.rises[LEGACY0], 1, "once");
    wr(timer(0, COMPARATOR), rd(0xf0) + 500);
    ticks(500);
    IS(f.rises[LEGACY0], 2, "again: a new edge");
    ticks(1ull << 32);
    IS(f.rises[LEGACY0], 3, "32 bits: the counter comes around");
    wr(timer(0, COMPARATOR), rd(0xf0) - 50);
    ticks(0);
    f.now += 1;
    machine_poll(f.m);
    IS(f.rises[LEGACY0], 4, "written a little too late");
    wr(timer(0, COMPARATOR), rd(0xf0) - 100000000);
    ticks(1000000);
    IS(f.rises[LEGACY0], 4, "far behind the counter: waits for the turn");
    wr(timer(1, CONFIG), 4);
    wr(timer(1, COMPARATOR), rd(0xf0) + 10);
    ticks(10);
    ok(f.line[LEGACY1], "timer 1 is IRQ 8");
    wr(0x10, 1);
    ok(!f.line[LEGACY0] && !f.line[LEGACY1], "no legacy replacement, no legacy lines");
    take_down();
}

static void test_periodic(void)
{
    set_up();
    wr(timer(0, CONFIG), 0x4c); /* periodic, value to be set, enabled */
    wr(timer(0, COMPARATOR), 300000);
    wr(timer(0, COMPARATOR), 100000);
    wr(0x10, 3);
    ticks(299999);
    IS(f.rises[LEGACY0], 0, "the first match is where the value was set");
    ticks(1);
    IS(f.rises[LEGACY0], 1, "first");
    IS(rd(timer(0, COMPARATOR)), 400000, "the comparator moves on");
    for (int i = 0; i < 20; i++) ticks(50000);
    IS(f.rises[LEGACY0], 11, "and on");
    ticks(1000000);
    IS(rd(timer(0, COMPARATOR)), 2400000, "also when the machine was away");
    wr(timer(0, COMPARATOR), 1);
    for (int i = 0; i < 1000; i++) ticks(1);
    ok(true, "a period of 10 ns does not hang the machine");
    wr(timer(0, COMPARATOR), 0);
    ticks(1000);
    ok(true, "nor does none");
    take_down();
}

static void test_level(void)
{
    set_up();
    wr(0x10, 1);
    wr(timer(2, CONFIG), 0x06 | 21 << 9);
    IS(rd(timer(2, CONFIG)) & 0x3fff, 0x36 | 21 << 9, "route");
    wr(timer(2, COMPARATOR), 1000);
    ticks(1000);
    ok(!f.line[PIN20 + 1], "level: pin 21 goes low");
    IS(rd(0x20), 4, "status");
    wr(0x20, 4);
    ok(f.line[PIN20 + 1] && rd(0x20) == 0, "until the status is cleared");
    wr(timer(2, CONFIG), 0x06 | 5 << 9);
    IS(rd(timer(2, CONFIG)) >> 9 & 31, 21, "a route that is not there is not taken");
    wr(timer(2, CONFIG), 0x02 | 21 << 9);
    wr(timer(2, COMPARATOR), rd(0xf0) + 10);
    ticks(20);
    ok(f.line[PIN20 + 1] && rd(0x20) == 4, "not enabled: status, no interrupt");
    wr(timer(2, CONFIG), 0x06 | 21 << 9);
    ok(!f.line[PIN20 + 1], "enabled: interrupt");
    wr(0x10, 0);
    ok(f.line[PIN20 + 1], "the whole thing off");
    take_down();
}

int main(void)
{
    test_counter();
    test_one_shot();
    test_periodic();
    test_level();
    return tap_done();
}
