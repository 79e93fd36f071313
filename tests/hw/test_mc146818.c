/* The real-time clock by data sheet. */
#include "hw/calendar.h"
#include "hw/mc146818.h"
#include "fake.h"

#include <time.h>

static Fake f;
static Mc146818 *rtc;

static uint8_t get(uint8_t i)
{
    out8(&f, 0x70, i);
    return in8(&f, 0x71);
}
static void set(uint8_t i, uint8_t v)
{
    out8(&f, 0x70, i);
    out8(&f, 0x71, v);
}

static void test_calendar(void)
{
    bool good = true;
    srand(3);
    for (int i = 0; i < 20000; i++) {
        int64_t s = (int64_t)((uint64_t)rand() << 31 ^ (uint64_t)rand()) % 253402300800; /* to the year 9999 */
        time_t t = (time_t)s;
        struct tm tm;
        gmtime_r(&t, &tm);
        Calendar c = calendar_from_seconds(s);
        good &= c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday &&
                c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec && c.weekday == tm.tm_wday &&
                calendar_to_seconds(&c) == s;
    }
    ok(good, "calendar agrees with the C library's");
    Calendar old = calendar_from_seconds(-1);
    ok(old.year == 1969 && old.month == 12 && old.day == 31 && old.second == 59, "before 1970");
}

static void test_time(void)
{
    IS(get(0), 0x56, "seconds");
    IS(get(2), 0x34, "minutes");
    IS(get(4), 0x12, "hours");
    IS(get(6), 0x05, "day of the week: Thursday");
    IS(get(7), 0x29, "day");
    IS(get(8), 0x02, "month");
    IS(get(9), 0x24, "year");
    IS(get(0x32), 0x20, "century");
    IS(get(13), 0x80, "valid RAM and time");
    f.now += 4000000000u;
    IS(get(0), 0x00, "seconds go on");
    IS(get(2), 0x35, "minutes carry");
    set(11, 6); /* binary, 24 hours */
    IS(get(2), 35, "binary");
    set(11, 4);
    IS(get(4), 0x8c, "12-hour mode: noon is 12 PM");
    set(11, 0x86);
    set(4, 23);
    set(0, 59);
    set(2, 59);
    f.now += 5000000000u;
    IS(get(0), 59, "SET stops the clock");
    set(11, 0x06);
    f.now += 1000000000u;
    IS(get(4), 0, "23:59:59 and a second is midnight");
    IS(get(7), 1, "of the first");
    IS(get(8), 3, "of March (2024 is a leap year)");
    IS(get(6), 6, "a Friday");
    set(7, 15);
    IS(get(7), 15, "a running clock can be set");
    f.now += 86400ull * 1000000000u;
    IS(get(7), 16, "and goes on");
    set(11, 2);
}

static void test_uip(void)
{
    unsigned high = 0;
    for (int i = 0; i < 10000; i++) {
        f.now += 100000;
        high += get(10) >> 7;
    }
    ok(high == 2 || high == 3, "UIP is high for 244 us a second (%u of 10000 samples)", high);
}

static void test_interrupts(void)
{
    get(12);
    set(11, 0x12); /* UIE */
    int before = f.rises[0];
    for (int i = 0; i < 50; i++) {
        fake_jump(&f, 100000000);
        if (f.line[0]) IS(get(12) & 0xb0, 0x90, "update ended");
    }
    IS(f.rises[0] - before, 5, "five update interrupts in five seconds");

    set(11, 2);
    set(11, 0x82);
    set(0, 0x10);
    set(2, 0);
    set(4, 0);
    set(1, 0x15);
    set(3, 0xff);
    set(5, 0xc0);
    set(11, 0x22); /* AIE */
    get(12);
    fake_jump(&f, 4500000000u);
    ok(!f.line[0], "alarm not yet");
    fake_jump(&f, 1000000000u);
    ok(f.line[0], "alarm");
    IS(get(12) & 0xa0, 0xa0, "AF, IRQF");
    ok(!f.line[0], "reading C clears it");
    fake_jump(&f, 59000000000u);
    ok(!f.line[0], "not in the next minute's first 14 s");
    fake_jump(&f, 1000000000u);
    ok(f.line[0], "but each minute, as \"don't care\" says");
    get(12);

    set(11, 0x42); /* PIE at 1024 Hz */
    get(12);
    before = f.rises[0];
    for (int i = 0; i < 10000; i++) {
        fake_jump(&f, 100000);
        if (f.line[0]) get(12);
    }
    ok(abs(f.rises[0] - before - 1024) <= 2, "1024 Hz: %d in a second", f.rises[0] - before);
    before = f.rises[0];
    fake_jump(&f, 200000000);
    get(12);
    for (int i = 0; i < 8000; i++) {
        fake_jump(&f, 100000);
        if (f.line[0]) get(12);
    }
    ok(abs(f.rises[0] - before - 1024) <= 4, "none is lost in a pause: %d", f.rises[0] - before);
    set(11, 2);
    fake_jump(&f, 10000000000u);
    get(12);
    fake_jump(&f, 2000000);
    IS(get(12) & 0x40, 0x40, "PF without PIE");
    set(10, 0x20);
    get(12);
    fake_jump(&f, 2000000000u);
    IS(get(12) & 0x50, 0x10, "rate 0: no periodic flag, update flag comes");
}

static void test_ram(void)
{
    bool good = true;
    for (int i = 0x0e; i < 128; i++)
        if (i != 0x32) set((uint8_t)i, (uint8_t)(i * 7));
    for (int i = 0x0e; i < 128; i++)
        if (i != 0x32) good &= get((uint8_t)i) == (uint8_t)(i * 7);
    ok(good, "CMOS RAM");
    out8(&f, 0x70, 0x8f);
    ok(mc146818_nmi_masked(rtc), "NMI mask");
    set(11, 0x72);
    machine_reset_now(f.m);
    IS(get(11), 2, "reset clears the interrupt enables");
    IS(get(0x20), (uint8_t)(0x20 * 7), "and not the RAM");
    srand(9);
    for (int i = 0; i < 300000; i++) {
        if (rand() % 3)
            set((uint8_t)(rand() % 14 == 13 ? 0x32 : rand() % 14), (uint8_t)rand());
        else
            get((uint8_t)rand());
        fake_jump(&f, (uint64_t)rand() % 5 ? 1000 : (uint64_t)rand());
    }
    ok(true, "random dates and settings");
}

int main(void)
{
    fake_init(&f);
    rtc = mc146818_new(f.m, fake_line(&f, 0), 1709210096); /* 2024-02-29 12:34:56 */
    test_calendar();
    test_time();
    test_uip();
    test_interrupts();
    test_ram();
    mc146818_free(rtc);
    fake_free(&f);
    return tap_done();
}
