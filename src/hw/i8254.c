/* Intel 8254 data sheet (231164).  A counter is not stepped: what it shows is worked out from the clock
 * count at which it was loaded, so a counter nobody looks at costs nothing.  Only channel 0's rising
 * edges need a timer.  The low phases of its OUT in modes 2 and 3 are not put on the IRQ 0 line, which
 * stays high between edges: a tick is then pending until it is acknowledged. */
#include "hw/i8254.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "hw/ticks.h"
#include "hw/timer_heap.h"

/* Periods shorter than this are served in groups, to bound what a guest can make the host do. */
#define MIN_INTERVAL_NS 20000u

enum { RW_LSB = 1, RW_MSB = 2, RW_BOTH = 3 };

typedef struct Channel {
    uint8_t mode; /* 0..5 */
    uint8_t rw;   /* RW_* */
    bool bcd, gate;
    bool running;   /* counting element loaded since the control word (modes 1, 5: triggered) */
    bool paused;    /* modes 0, 4 (gate low, or half a count written), 2, 3 (gate low) */
    bool has_count; /* a full count has been written since the control word */
    bool unloaded;  /* "null count": the count register is ahead of the counting element */
    bool second_write, second_read;
    uint8_t first_byte; /* LSB waiting for its MSB */
    uint8_t latched;    /* bytes of the count latch still to be read: RW_* bits */
    bool status_latched;
    uint8_t status;
    uint16_t latch;
    uint32_t cr;        /* count register, 1..65536 */
    uint32_t count;     /* what the running count started from */
    uint64_t start;     /* clock count at which the counting element held .count */
    uint64_t elapsed;   /* while paused */
    uint64_t reload_at; /* modes 2, 3: when cr takes over; 0: it has */
} Channel;

struct I8254 {
    Machine *machine;
    IrqLine irq0;
    Timer *timer;
    bool (*masked)(void *opaque);
    void *masked_opaque;
    void (*programmed)(void *opaque);
    void *programmed_opaque;
    Channel ch[3];
    uint64_t handled;  /* channel 0: rising edges up to this clock count have been seen */
    uint32_t backlog;  /* ticks to be made up for */
    bool tick_waiting; /* the last edge has not been acknowledged */
};

static uint64_t clocks(I8254 *pit)
{
    return ticks_from_ns(clock_now(pit->machine), I8254_HZ);
}

static bool is_periodic(const Channel *c)
{
    return c->mode == 2 || c->mode == 3;
}
static uint32_t modulus(const Channel *c)
{
    return c->bcd ? 10000 : 65536;
}
static uint32_t high_part(uint32_t count)
{
    return (count + 1) / 2;
} /* mode 3 */

static uint64_t elapsed(const Channel *c, uint64_t now)
{
    if (c->paused) return c->elapsed;
    return now > c->start ? now - c->start : 0;
}

/* A count written in mode 2 or 3 takes over when the period (mode 3: half period) is up. */
static void sync(Channel *c, uint64_t now)
{
    if (now >= c->start && c->running && c->count == c->cr) c->unloaded = false;
    if (!c->reload_at || now < c->reload_at || c->paused) return;
    bool low_half = c->mode == 3 && (c->reload_at - c->start) % c->count != 0;
    /* A phase that starts with the low half is one whose high half has been. */
    c->start = c->reload_at - (low_half ? high_part(c->cr) : 0);
    c->count = c->cr;
    c->reload_at = 0;
    c->unloaded = false;
}

static uint64_t reload_time(const Channel *c, uint64_t now)
{
    uint64_t e = elapsed(c, now), period = c->start + e / c->count * c->count;
    if (c->mode == 3 && e % c->count < high_part(c->count)) return period + high_part(c->count);
    return period + c->count;
}

static bool out(const Channel *c, uint64_t now)
{
    uint64_t e = elapsed(c, now);
    switch (c->mode) {
    case 0: return c->running && e >= c->count;
    case 1: return !(c->running && e < c->count);
    case 2: return !c->running || c->paused || e % c->count != c->count - 1;
    case 3: return !c->running || c->paused || e % c->count < high_part(c->count);
    default: return !(c->running && e == c->count); /* 4, 5: one clock low */
    }
}

static uint16_t to_bcd(uint32_t v)
{
    return (uint16_t)(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

/* What reading the counting element gives. */
static uint16_t counter_value(const Channel *c, uint64_t now)
{
    uint32_t m = modulus(c), v = c->count;
    uint64_t e = elapsed(c, now);
    if (c->running) {
        if (c->mode == 2) {
            v = c->count - (uint32_t)(e % c->count);
        } else if (c->mode == 3) {
            uint32_t phase = (uint32_t)(e % c->count), high = high_part(c->count);
            v = (c->count & ~1u) - 2 * (phase < high ? phase : phase - high);
        } else {
            v = (uint32_t)((c->count + m - e % m) % m);
        }
    }
    v %= m;
    return c->bcd ? to_bcd(v) : (uint16_t)v;
}

/* --- channel 0 and IRQ 0 --------------------------------------------------------------------------- */

/* Clock count of the first rising edge of OUT after `after`, TIMER_NEVER if there is none to come. */
static uint64_t next_edge(const Channel *c, uint64_t after)
{
    if (!c->running || c->paused) return TIMER_NEVER;
    if (is_periodic(c)) {
        if (after < c->start) return c->start + c->count;
        return c->start + ((after - c->start) / c->count + 1) * c->count;
    }
    uint64_t at = c->start + c->count + (c->mode >= 4);
    return at > after ? at : TIMER_NEVER;
}

/* How many rising edges there were since the last time. */
static uint64_t count_edges(I8254 *pit, uint64_t now)
{
    Channel *c = &pit->ch[0];
    uint64_t n = 0;
    for (int leg = 0; leg < 2; leg++) { /* before and after a new count takes over */
        uint64_t end = c->reload_at && c->reload_at <= now ? c->reload_at : now;
        uint64_t first = next_edge(c, pit->handled);
        if (first <= end) n += is_periodic(c) ? (end - first) / c->count + 1 : 1;
        pit->handled = end > pit->handled ? end : pit->handled;
        if (end == now) break;
        sync(c, now);
    }
    sync(c, now);
    pit->handled = now > pit->handled ? now : pit->handled;
    return n;
}

static void pulse(I8254 *pit)
{
    irq_set(&pit->irq0, false);
    irq_set(&pit->irq0, true);
    pit->tick_waiting = true;
}

static void arm(I8254 *pit)
{
    Channel *c = &pit->ch[0];
    uint64_t edge = next_edge(c, pit->handled), now = clock_now(pit->machine), when = TIMER_NEVER;
    if (edge != TIMER_NEVER) when = ns_from_ticks(edge, I8254_HZ);
    if (pit->backlog && !pit->tick_waiting) {
        uint64_t soon = now + ns_from_ticks(c->count, I8254_HZ) / 4;
        if (soon < when) when = soon;
    }
    if (when == TIMER_NEVER)
        timer_cancel(pit->timer);
    else
        timer_set(pit->timer, when > now + MIN_INTERVAL_NS ? when : now + MIN_INTERVAL_NS);
}

static void save_up(I8254 *pit, uint64_t n)
{
    uint64_t period = ns_from_ticks(pit->ch[0].count, I8254_HZ), room = I8254_CATCH_UP_NS / period + 1;
    if (!is_periodic(&pit->ch[0]) || (pit->masked && pit->masked(pit->masked_opaque)))
        pit->backlog = 0;
    else
        pit->backlog = (uint32_t)(pit->backlog + n < room ? pit->backlog + n : room);
}

static void service(I8254 *pit)
{
    uint64_t n = count_edges(pit, clocks(pit));
    if (n) {
        save_up(pit, n - 1 + pit->tick_waiting);
        pulse(pit);
    } else if (pit->backlog && !pit->tick_waiting) {
        pit->backlog--;
        pulse(pit);
    }
    arm(pit);
}

static void on_timer(void *opaque)
{
    service(opaque);
}

void i8254_irq_acked(I8254 *pit)
{
    if (!pit->tick_waiting) return;
    pit->tick_waiting = false;
    if (pit->backlog) arm(pit);
}

void i8254_set_masked(I8254 *pit, bool (*masked)(void *opaque), void *opaque)
{
    pit->masked = masked;
    pit->masked_opaque = opaque;
}

/* Channel 0 has been programmed: what was saved up belongs to the old rate. */
static void restart_irq(I8254 *pit, uint64_t now)
{
    pit->backlog = 0;
    pit->handled = now;
    bool level = out(&pit->ch[0], now);
    if (!level) pit->tick_waiting = false;
    irq_set(&pit->irq0, level);
    arm(pit);
}

/* --- programming ------------------------------------------------------------------------------------ */

static void load(Channel *c, uint64_t now)
{
    c->count = c->cr;
    c->start = now + 1; /* transferred on the next clock pulse */
    c->elapsed = 0;
    c->reload_at = 0;
    c->running = true;
    c->paused = !c->gate && (c->mode == 0 || c->mode == 4 || is_periodic(c));
}

static void write_count(Channel *c, uint16_t v, uint64_t now)
{
    uint32_t n = v;
    if (c->bcd) n = (v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15);
    c->cr = n ? n : modulus(c);
    c->has_count = c->unloaded = true;
    if (c->mode == 1 || c->mode == 5) return; /* at the next trigger */
    if (is_periodic(c) && c->running) {
        if (!c->paused) c->reload_at = reload_time(c, now);
    } else {
        load(c, now);
    }
}

static void write_counter(I8254 *pit, unsigned i, uint8_t v)
{
    Channel *c = &pit->ch[i];
    uint64_t now = clocks(pit);
    if (i == 0) count_edges(pit, now);
    sync(c, now);
    if (c->rw == RW_BOTH && !c->second_write) {
        c->first_byte = v;
        c->second_write = true;
        if (c->mode == 0 && c->running) { /* the first byte stops the count, OUT goes low */
            c->running = false;
            if (i == 0) restart_irq(pit, now);
        }
        return;
    }
    c->second_write = false;
    write_count(c, c->rw == RW_BOTH ? (uint16_t)(v << 8 | c->first_byte) : (uint16_t)(c->rw == RW_MSB ? v << 8 : v),
                now);
    if (i == 0) restart_irq(pit, now);
}

static void latch_count(Channel *c, uint64_t now)
{
    if (c->latched) return; /* "ignored until the latch has been read" */
    c->latch = counter_value(c, now);
    c->latched = c->rw;
}

static void latch_status(Channel *c, uint64_t now)
{
    if (c->status_latched) return;
    c->status = (uint8_t)(out(c, now) << 7 | (c->unloaded || !c->has_count) << 6 | c->rw << 4 | c->mode << 1 | c->bcd);
    c->status_latched = true;
}

static void write_control(I8254 *pit, uint8_t v)
{
    uint64_t now = clocks(pit);
    unsigned i = v >> 6, rw = v >> 4 & 3;
    count_edges(pit, now);
    if (i == 3) { /* read-back command */
        for (unsigned k = 0; k < 3; k++) {
            if (!(v >> (k + 1) & 1)) continue;
            sync(&pit->ch[k], now);
            if (!(v & 0x20)) latch_count(&pit->ch[k], now);
            if (!(v & 0x10)) latch_status(&pit->ch[k], now);
        }
        return;
    }
    Channel *c = &pit->ch[i];
    sync(c, now);
    if (rw == 0) {
        latch_count(c, now);
        return;
    }
    uint8_t mode = v >> 1 & 7;
    *c = (Channel){ .mode = mode > 5 ? mode - 4 : mode,
                    .rw = (uint8_t)rw,
                    .bcd = v & 1,
                    .gate = c->gate,
                    .unloaded = true,
                    .cr = c->cr,
                    .count = c->count };
    if (i == 0) restart_irq(pit, now);
}

static void pit_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    I8254 *pit = opaque;
    unsigned channel = (port & 3) == 3 ? value >> 6 & 3 : port & 3;
    if ((port & 3) == 3)
        write_control(pit, (uint8_t)value);
    else
        write_counter(pit, channel, (uint8_t)value);
    if (channel == 2 && pit->programmed) pit->programmed(pit->programmed_opaque);
}

static uint8_t read_half(Channel *c, uint16_t v)
{
    bool msb = c->rw == RW_MSB || (c->rw == RW_BOTH && c->second_read);
    if (c->rw == RW_BOTH) c->second_read = !c->second_read;
    return (uint8_t)(msb ? v >> 8 : v);
}

static uint32_t pit_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    I8254 *pit = opaque;
    if ((port & 3) == 3) return 0xff; /* the control word cannot be read: floating bus */
    Channel *c = &pit->ch[port & 3];
    uint64_t now = clocks(pit);
    if (c == &pit->ch[0] && c->reload_at) count_edges(pit, now);
    sync(c, now);
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (!c->latched) return read_half(c, counter_value(c, now));
    bool msb = c->rw == RW_MSB || (c->rw == RW_BOTH && c->second_read);
    c->latched &= (uint8_t) ~(msb ? RW_MSB : RW_LSB);
    return read_half(c, c->latch);
}

/* Data sheet, "Gate Pin Operations Summary". */
void i8254_set_gate(I8254 *pit, unsigned channel, bool level)
{
    Channel *c = &pit->ch[channel];
    uint64_t now = clocks(pit);
    if (c->gate == level) return;
    sync(c, now);
    if (!level && c->running && c->mode != 1 && c->mode != 5) {
        c->elapsed = elapsed(c, now);
        c->paused = true;
    }
    c->gate = level;
    if (!level) return;
    if (is_periodic(c) || c->mode == 1 || c->mode == 5) {
        if (c->has_count) load(c, now); /* a rising edge initiates counting */
    } else if (c->paused) {
        c->start = now - (c->elapsed < now ? c->elapsed : now);
        c->paused = false;
    }
}

bool i8254_out(I8254 *pit, unsigned channel)
{
    uint64_t now = clocks(pit);
    if (channel) sync(&pit->ch[channel], now);
    return out(&pit->ch[channel], now);
}

/* --- the speaker's channel ------------------------------------------------------------------------------------------ */

void i8254_on_program(I8254 *pit, void (*fn)(void *opaque), void *opaque)
{
    pit->programmed = fn;
    pit->programmed_opaque = opaque;
}

/* Clocks until OUT changes; 0: it does not. */
static uint64_t until_change(const Channel *c, uint64_t now)
{
    uint64_t e = elapsed(c, now), low_at, phase;
    if (!c->running || c->paused || c->mode >= 4) return 0; /* a strobe of one clock cannot be heard */
    if (!is_periodic(c)) return e < c->count ? c->count - e : 0;
    low_at = c->mode == 3 ? high_part(c->count) : c->count - 1;
    phase = e % c->count;
    return phase < low_at ? low_at - phase : c->count - phase;
}

SpeakerWave i8254_wave(I8254 *pit)
{
    Channel *c = &pit->ch[2];
    uint64_t now = clocks(pit);
    sync(c, now);
    SpeakerWave w = { .level = out(c, now), .first_ns = ns_from_ticks(until_change(c, now), I8254_HZ) };
    if (!w.first_ns || !is_periodic(c)) return w;
    uint32_t count = c->reload_at ? c->cr : c->count, high = c->mode == 3 ? high_part(count) : count - 1;
    w.high_ns = ns_from_ticks(high, I8254_HZ);
    w.low_ns = ns_from_ticks(count, I8254_HZ) - w.high_ns;
    return w;
}

#define CHANNEL_FIELDS(n)                                                                                              \
    FIELD(I8254, ch[n].mode), FIELD(I8254, ch[n].rw), FIELD(I8254, ch[n].bcd), FIELD(I8254, ch[n].gate),               \
        FIELD(I8254, ch[n].running), FIELD(I8254, ch[n].paused), FIELD(I8254, ch[n].has_count),                        \
        FIELD(I8254, ch[n].unloaded), FIELD(I8254, ch[n].second_write), FIELD(I8254, ch[n].second_read),               \
        FIELD(I8254, ch[n].first_byte), FIELD(I8254, ch[n].latched), FIELD(I8254, ch[n].status_latched),               \
        FIELD(I8254, ch[n].status), FIELD(I8254, ch[n].latch), FIELD(I8254, ch[n].cr), FIELD(I8254, ch[n].count),      \
        FIELD(I8254, ch[n].start), FIELD(I8254, ch[n].elapsed), FIELD(I8254, ch[n].reload_at)
static const Field i8254_fields[] = {
    CHANNEL_FIELDS(0),     CHANNEL_FIELDS(1),          CHANNEL_FIELDS(2), FIELD(I8254, handled),
    FIELD(I8254, backlog), FIELD(I8254, tick_waiting), FIELD_END,
};

static void i8254_reset(void *dev)
{
    I8254 *pit = dev;
    for (unsigned i = 0; i < 3; i++)
        pit->ch[i] = (Channel){ .gate = i != 2, .rw = RW_BOTH, .cr = 65536, .count = 65536, .unloaded = true };
    pit->tick_waiting = false;
    restart_irq(pit, clocks(pit));
}

static const DeviceClass i8254_class = { .name = "i8254", .version = 1, .fields = i8254_fields, .reset = i8254_reset };

I8254 *i8254_new(Machine *m, IrqLine irq0)
{
    static const IoPortOps ops = { pit_read, pit_write, 1 };
    I8254 *pit = hw_alloc(sizeof *pit);
    pit->machine = m;
    pit->irq0 = irq0;
    pit->timer = timer_new(m, on_timer, pit);
    ioports_map(machine_io(m), 0x40, 4, &ops, pit);
    i8254_reset(pit);
    machine_add_device(m, &i8254_class, pit);
    return pit;
}

void i8254_free(I8254 *pit)
{
    if (!pit) return;
    timer_free(pit->timer);
    free(pit);
}
