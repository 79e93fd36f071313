/* Motorola MC146818A data sheet; the century byte and the use of the RAM are the PC's.  The time of day
 * is not counted but worked out from virtual time; timers run only while an interrupt is enabled that
 * needs them, and the flags of register C are otherwise worked out when it is read. */
#include "hw/mc146818.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "hw/calendar.h"
#include "hw/ticks.h"

enum {
    REG_SEC,
    REG_SEC_ALARM,
    REG_MIN,
    REG_MIN_ALARM,
    REG_HOUR,
    REG_HOUR_ALARM,
    REG_WDAY,
    REG_DAY,
    REG_MONTH,
    REG_YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
};
enum { A_UIP = 0x80, A_DV = 0x70, A_DV_RUN = 0x20, A_RS = 0x0f };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_SQWE = 8, B_DM = 4, B_24H = 2, B_DSE = 1 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { D_VRT = 0x80, HOUR_PM = 0x80, ALARM_ANY = 0xc0 };
enum { CMOS_SIZE = 128, XTAL_HZ = 32768, UIP_NS = 244000, CATCH_UP_STEP_NS = 50000 };

struct Mc146818 {
    Machine *machine;
    IrqLine irq8;
    Timer *second_timer, *periodic_timer;
    uint8_t index; /* port 70h with its NMI mask bit */
    uint8_t ram[CMOS_SIZE];
    uint64_t base_ns;       /* at this virtual time ... */
    uint64_t base_seconds;  /* ... the clock showed this (two's complement) */
    uint8_t weekday_offset; /* the guest's day of the week minus the calendar's */
    uint64_t seen_seconds;  /* updates up to this one are in register C */
    uint64_t seen_periods;  /* same for periods since virtual time 0 */
    uint32_t backlog;       /* periodic interrupts to be made up for */
};

/* --- time -------------------------------------------------------------------------------------------- */

static bool running(const Mc146818 *rtc)
{
    return (rtc->ram[REG_A] & A_DV) == A_DV_RUN && !(rtc->ram[REG_B] & B_SET);
}

static uint64_t seconds_at(const Mc146818 *rtc, uint64_t ns)
{
    return rtc->base_seconds + (ns - rtc->base_ns) / NS_PER_S;
}
static uint64_t second_start(const Mc146818 *rtc, uint64_t second)
{
    return rtc->base_ns + (second - rtc->base_seconds) * NS_PER_S;
}

static uint8_t encode(const Mc146818 *rtc, unsigned v)
{
    return (uint8_t)(rtc->ram[REG_B] & B_DM ? v : v / 10 % 10 << 4 | v % 10);
}
static unsigned decode(const Mc146818 *rtc, uint8_t v)
{
    return rtc->ram[REG_B] & B_DM ? v : (v >> 4) * 10u + (v & 15);
}

static uint8_t encode_hour(const Mc146818 *rtc, unsigned hour)
{
    if (rtc->ram[REG_B] & B_24H) return encode(rtc, hour);
    return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(const Mc146818 *rtc, uint8_t v)
{
    if (rtc->ram[REG_B] & B_24H) return decode(rtc, v);
    return decode(rtc, v & 0x7f) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* Writes the time of day into the registers, as the update cycle does. */
static void show_time(Mc146818 *rtc, uint64_t seconds)
{
    Calendar c = calendar_from_seconds((int64_t)seconds);
    unsigned year = (unsigned)(c.year % 10000 + 10000) % 10000;
    rtc->ram[REG_SEC] = encode(rtc, c.second);
    rtc->ram[REG_MIN] = encode(rtc, c.minute);
    rtc->ram[REG_HOUR] = encode_hour(rtc, c.hour);
    rtc->ram[REG_WDAY] = encode(rtc, (c.weekday + rtc->weekday_offset) % 7u + 1);
    rtc->ram[REG_DAY] = encode(rtc, c.day);
    rtc->ram[REG_MONTH] = encode(rtc, c.month);
    rtc->ram[REG_YEAR] = encode(rtc, year % 100);
    rtc->ram[CMOS_CENTURY] = encode(rtc, year / 100);
}

/* The registers have been set: the clock goes on from what they show. */
static void take_time(Mc146818 *rtc, uint64_t now)
{
    Calendar c = {
        .year = (int32_t)(decode(rtc, rtc->ram[CMOS_CENTURY]) * 100 + decode(rtc, rtc->ram[REG_YEAR])),
        .month = (uint8_t)decode(rtc, rtc->ram[REG_MONTH]),
        .day = (uint8_t)decode(rtc, rtc->ram[REG_DAY]),
        .hour = (uint8_t)decode_hour(rtc, rtc->ram[REG_HOUR]),
        .minute = (uint8_t)decode(rtc, rtc->ram[REG_MIN]),
        .second = (uint8_t)decode(rtc, rtc->ram[REG_SEC]),
    };
    rtc->base_seconds = (uint64_t)calendar_to_seconds(&c);
    rtc->base_ns = now;
    rtc->seen_seconds = rtc->base_seconds;
    unsigned weekday = calendar_from_seconds((int64_t)rtc->base_seconds).weekday;
    rtc->weekday_offset = (uint8_t)((decode(rtc, rtc->ram[REG_WDAY]) + 6 + 7 - weekday) % 7);
}

/* --- interrupts ---------------------------------------------------------------------------------------- */

static void raise(Mc146818 *rtc, uint8_t flags)
{
    rtc->ram[REG_C] |= flags;
    bool irq = rtc->ram[REG_C] & rtc->ram[REG_B] & (B_PIE | B_AIE | B_UIE); /* same bits in both */
    if (irq) rtc->ram[REG_C] |= C_IRQF;
    irq_set(&rtc->irq8, rtc->ram[REG_C] & C_IRQF);
}

/* Clock counts of one period; 0: none selected. */
static uint64_t period_ticks(const Mc146818 *rtc)
{
    unsigned rs = rtc->ram[REG_A] & A_RS;
    if (rs == 0 || (rtc->ram[REG_A] & 0x60) == 0x60) return 0; /* divider held in reset */
    return 1u << ((rs <= 2 ? rs + 7 : rs) - 1);
}

static bool alarm_field(uint8_t alarm, unsigned decoded, unsigned value)
{
    return (alarm & ALARM_ANY) == ALARM_ANY || decoded == value;
}

static bool alarm_matches(const Mc146818 *rtc, uint64_t seconds)
{
    unsigned s = (unsigned)(((int64_t)seconds % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY);
    const uint8_t *r = rtc->ram;
    return alarm_field(r[REG_SEC_ALARM], decode(rtc, r[REG_SEC_ALARM]), s % 60) &&
           alarm_field(r[REG_MIN_ALARM], decode(rtc, r[REG_MIN_ALARM]), s / 60 % 60) &&
           alarm_field(r[REG_HOUR_ALARM], decode_hour(rtc, r[REG_HOUR_ALARM]), s / 3600);
}

/* Register C's UF and AF for the updates since the last time. */
static void catch_up_seconds(Mc146818 *rtc, uint64_t now)
{
    if (!running(rtc)) return;
    uint64_t to = seconds_at(rtc, now), from = rtc->seen_seconds;
    if (to == from) return;
    uint8_t flags = C_UF;
    if (to - from > SECONDS_PER_DAY) from = to - SECONDS_PER_DAY; /* the alarm does not know days */
    for (uint64_t s = from + 1; s != to + 1 && !(flags & C_AF); s++)
        if (alarm_matches(rtc, s)) flags |= C_AF;
    rtc->seen_seconds = to;
    raise(rtc, flags);
}

static void catch_up_periods(Mc146818 *rtc, uint64_t now)
{
    uint64_t period = period_ticks(rtc);
    if (!period) return;
    uint64_t at = ticks_from_ns(now, XTAL_HZ) / period, n = at - rtc->seen_periods;
    if (!n) return;
    rtc->seen_periods = at;
    if (rtc->ram[REG_B] & B_PIE) {
        uint64_t room = (uint64_t)MC146818_CATCH_UP_NS * XTAL_HZ / NS_PER_S / period + 1;
        uint64_t lost = n - 1 + (rtc->ram[REG_C] & C_PF ? 1 : 0);
        rtc->backlog = (uint32_t)(rtc->backlog + lost < room ? rtc->backlog + lost : room);
    }
    raise(rtc, C_PF);
}

static void arm(Mc146818 *rtc, uint64_t now)
{
    if (running(rtc) && (rtc->ram[REG_B] & (B_AIE | B_UIE)))
        timer_set(rtc->second_timer, second_start(rtc, seconds_at(rtc, now) + 1));
    else
        timer_cancel(rtc->second_timer);

    uint64_t period = period_ticks(rtc);
    if (!period || !(rtc->ram[REG_B] & B_PIE)) {
        timer_cancel(rtc->periodic_timer);
        rtc->backlog = 0;
        return;
    }
    uint64_t when = ns_from_ticks((ticks_from_ns(now, XTAL_HZ) / period + 1) * period, XTAL_HZ);
    if (rtc->backlog && !(rtc->ram[REG_C] & C_PF) && now + CATCH_UP_STEP_NS < when) when = now + CATCH_UP_STEP_NS;
    timer_set(rtc->periodic_timer, when);
}

static void on_second(void *opaque)
{
    Mc146818 *rtc = opaque;
    uint64_t now = clock_now(rtc->machine);
    catch_up_seconds(rtc, now);
    arm(rtc, now);
}

static void on_period(void *opaque)
{
    Mc146818 *rtc = opaque;
    uint64_t now = clock_now(rtc->machine), before = rtc->seen_periods;
    catch_up_periods(rtc, now);
    if (rtc->seen_periods == before && rtc->backlog && !(rtc->ram[REG_C] & C_PF)) {
        rtc->backlog--;
        raise(rtc, C_PF);
    }
    arm(rtc, now);
}

/* --- registers ----------------------------------------------------------------------------------------- */

static uint8_t read_c(Mc146818 *rtc, uint64_t now)
{
    catch_up_seconds(rtc, now);
    catch_up_periods(rtc, now);
    uint8_t v = rtc->ram[REG_C];
    rtc->ram[REG_C] = 0;
    irq_set(&rtc->irq8, false);
    if (rtc->backlog) arm(rtc, now);
    return v;
}

static bool is_time(uint8_t i)
{
    return i == CMOS_CENTURY || (i <= REG_YEAR && i != REG_SEC_ALARM && i != REG_MIN_ALARM && i != REG_HOUR_ALARM);
}

static bool updating(const Mc146818 *rtc, uint64_t now)
{
    return running(rtc) && second_start(rtc, seconds_at(rtc, now) + 1) - now <= UIP_NS;
}

static uint8_t cmos_read(Mc146818 *rtc, uint8_t i)
{
    uint64_t now = clock_now(rtc->machine);
    if (i == REG_A) return rtc->ram[REG_A] | (updating(rtc, now) ? A_UIP : 0);
    if (i == REG_C) return read_c(rtc, now);
    if (is_time(i) && running(rtc)) show_time(rtc, seconds_at(rtc, now));
    return rtc->ram[i];
}

static void write_control(Mc146818 *rtc, uint8_t i, uint8_t v, uint64_t now)
{
    /* Flags up to now belong to the old settings. */
    catch_up_seconds(rtc, now);
    catch_up_periods(rtc, now);
    bool ran = running(rtc);
    if (ran) show_time(rtc, seconds_at(rtc, now));
    if (i == REG_A) {
        rtc->ram[REG_A] = v & (uint8_t)~A_UIP;
        if (period_ticks(rtc)) rtc->seen_periods = ticks_from_ns(now, XTAL_HZ) / period_ticks(rtc);
    } else {
        if (v & B_SET) v &= (uint8_t)~B_UIE; /* "a high SET bit clears UIE" */
        rtc->ram[REG_B] = v;
        if (!(v & B_PIE)) rtc->backlog = 0;
    }
    if (!ran && running(rtc)) take_time(rtc, now);
    raise(rtc, 0);
    arm(rtc, now);
}

static void cmos_write(Mc146818 *rtc, uint8_t i, uint8_t v)
{
    uint64_t now = clock_now(rtc->machine);
    switch (i) {
    case REG_A:
    case REG_B: write_control(rtc, i, v, now); return;
    case REG_C:
    case REG_D: return; /* read-only */
    }
    if (is_time(i) && running(rtc)) {
        catch_up_seconds(rtc, now);
        uint64_t into_second = (now - rtc->base_ns) % NS_PER_S;
        show_time(rtc, seconds_at(rtc, now));
        rtc->ram[i] = v;
        take_time(rtc, now - into_second);
        arm(rtc, now);
        return;
    }
    if (i <= REG_YEAR) catch_up_seconds(rtc, now); /* an alarm is moved */
    rtc->ram[i] = v;
}

static uint32_t rtc_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    Mc146818 *rtc = opaque;
    return port & 1 ? cmos_read(rtc, rtc->index & 0x7f) : 0xff; /* port 70h is write-only */
}

static void rtc_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    Mc146818 *rtc = opaque;
    if (port & 1)
        cmos_write(rtc, rtc->index & 0x7f, (uint8_t)value);
    else
        rtc->index = (uint8_t)value;
}

void mc146818_set_cmos(Mc146818 *rtc, uint8_t index, uint8_t value)
{
    if (index > REG_D && index < CMOS_SIZE && index != CMOS_CENTURY) rtc->ram[index] = value;
}

bool mc146818_nmi_masked(const Mc146818 *rtc)
{
    return rtc->index & 0x80;
}

static const Field rtc_fields[] = {
    FIELD(Mc146818, index),
    FIELD(Mc146818, ram),
    FIELD(Mc146818, base_ns),
    FIELD(Mc146818, base_seconds),
    FIELD(Mc146818, weekday_offset),
    FIELD(Mc146818, seen_seconds),
    FIELD(Mc146818, seen_periods),
    FIELD(Mc146818, backlog),
    FIELD_END,
};

/* RESET# does not touch time, date and RAM. */
static void rtc_reset(void *dev)
{
    Mc146818 *rtc = dev;
    rtc->index = 0;
    write_control(rtc, REG_B, rtc->ram[REG_B] & (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE), clock_now(rtc->machine));
    rtc->ram[REG_C] = 0;
    irq_set(&rtc->irq8, false);
}

static const DeviceClass rtc_class = { .name = "mc146818", .version = 1, .fields = rtc_fields, .reset = rtc_reset };

Mc146818 *mc146818_new(Machine *m, IrqLine irq8, int64_t seconds)
{
    static const IoPortOps ops = { rtc_read, rtc_write, 1 };
    Mc146818 *rtc = hw_alloc(sizeof *rtc);
    rtc->machine = m;
    rtc->irq8 = irq8;
    rtc->second_timer = timer_new(m, on_second, rtc);
    rtc->periodic_timer = timer_new(m, on_period, rtc);
    rtc->ram[REG_A] = A_DV_RUN | 6; /* as a BIOS sets it: 1024 Hz, 24 hours, BCD */
    rtc->ram[REG_B] = B_24H;
    rtc->ram[REG_D] = D_VRT;
    rtc->base_ns = clock_now(m);
    rtc->base_seconds = rtc->seen_seconds = (uint64_t)seconds;
    rtc->seen_periods = ticks_from_ns(rtc->base_ns, XTAL_HZ) / period_ticks(rtc);
    show_time(rtc, rtc->base_seconds);
    ioports_map(machine_io(m), 0x70, 2, &ops, rtc);
    machine_add_device(m, &rtc_class, rtc);
    return rtc;
}

void mc146818_free(Mc146818 *rtc)
{
    if (!rtc) return;
    timer_free(rtc->second_timer);
    timer_free(rtc->periodic_timer);
    free(rtc);
}
