/* IA-PC HPET specification 1.0a.  Neither the counter nor the comparators are stepped: a comparator's next
 * match is worked out when something changes, and the host's timer runs only for one that may interrupt.
 *
 * A match is an equality, so that a comparator written too late would have to wait until the counter comes
 * around.  Here the guest may stand still for milliseconds between its reading of the counter and its
 * writing of the comparator, which hardware never does: a value that was right not long ago counts as
 * just reached. */
#include "hw/hpet.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "hw/ticks.h"
#include "hw/timer_heap.h"
#include "util/log.h"

enum { REG_CAPABILITIES = 0, REG_CONFIG = 0x10, REG_STATUS = 0x20, REG_COUNTER = 0xf0, REG_TIMERS = 0x100 };
enum { TIMER_STRIDE = 0x20, TIMER_CONFIG = 0, TIMER_COMPARATOR = 8 };
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
enum {
    TN_LEVEL = 1 << 1,
    TN_INT_ENABLE = 1 << 2,
    TN_PERIODIC = 1 << 3,
    TN_PERIODIC_CAP = 1 << 4,
    TN_64BIT_CAP = 1 << 5,
    TN_SET_VALUE = 1 << 6,
    TN_32BIT = 1 << 8,
    TN_ROUTE_SHIFT = 9, /* 5 bits */
    TN_ROUTE = 0x1f << TN_ROUTE_SHIFT,
    TN_WRITABLE = TN_LEVEL | TN_INT_ENABLE | TN_PERIODIC | TN_SET_VALUE | TN_32BIT,
};
#define FEMTOSECONDS_PER_TICK (1000000000000000ull / HPET_HZ)
#define LATE_TICKS            (HPET_HZ / 100) /* 10 ms */
#define FAR_TICKS             (UINT64_C(1) << 56)
/* Shorter periods are served in groups, to bound what a guest can make the host do. */
#define MIN_PERIOD_NS 20000u

typedef struct Comparator {
    struct Hpet *hpet;
    Timer *timer;
    uint32_t config; /* without the capabilities */
    uint64_t value, period;
    uint64_t next; /* counter value of the next match, TIMER_NEVER: none to come */
    bool asserted; /* its interrupt line */
} Comparator;

struct Hpet {
    Machine *machine;
    HpetLines lines;
    uint32_t config, status;
    uint64_t base; /* of the counter: its value while halted, else what to add to the clock's ticks */
    Comparator t[HPET_TIMERS];
};

static bool enabled(const Hpet *h)
{
    return h->config & CONFIG_ENABLE;
}
static uint64_t clock_ticks(const Hpet *h)
{
    return ticks_from_ns(clock_now(h->machine), HPET_HZ);
}
static uint64_t counter(const Hpet *h)
{
    return enabled(h) ? h->base + clock_ticks(h) : h->base;
}
static bool is_periodic(const Comparator *t)
{
    return (t->config & TN_PERIODIC) && t->period;
}
static unsigned index_of(const Comparator *t)
{
    return (unsigned)(t - t->hpet->t);
}

/* --- interrupt lines --------------------------------------------------------------------------------------- */

static bool has_legacy_route(const Hpet *h, unsigned n)
{
    return (h->config & CONFIG_LEGACY) && n < 2;
}

/* PCI's interrupt lines are active low. */
static void show_lines(Hpet *h)
{
    unsigned pins = 0;
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        unsigned pin = ((h->t[n].config & TN_ROUTE) >> TN_ROUTE_SHIFT) - (unsigned)HPET_FIRST_PIN;
        if (n < 2) irq_set(&h->lines.legacy[n], has_legacy_route(h, n) && h->t[n].asserted);
        if (h->t[n].asserted && !has_legacy_route(h, n) && pin < HPET_PINS) pins |= 1u << pin;
    }
    for (unsigned p = 0; p < HPET_PINS; p++) irq_set(&h->lines.pin[p], !(pins >> p & 1));
}

/* Level: as the status bit says.  Edge: the line stays up until the next pulse, so that a controller that
 * takes a request back when its line falls sees it. */
static void update_line(Comparator *t)
{
    Hpet *h = t->hpet;
    bool may = enabled(h) && (t->config & TN_INT_ENABLE);
    t->asserted = may && (t->config & TN_LEVEL ? (h->status >> index_of(t) & 1) : t->asserted);
    show_lines(h);
}

static void matched(Comparator *t)
{
    Hpet *h = t->hpet;
    if (t->config & TN_LEVEL) {
        h->status |= 1u << index_of(t);
    } else if (t->config & TN_INT_ENABLE) {
        t->asserted = false;
        show_lines(h);
        t->asserted = true;
    }
    update_line(t);
}

/* --- matches ----------------------------------------------------------------------------------------------- */

/* When the counter, which is at c, will equal the comparator.  late: how far it may be past it. */
static void plan(Comparator *t, uint64_t c, uint64_t late)
{
    uint64_t mask = t->config & TN_32BIT ? UINT32_MAX : UINT64_MAX;
    uint64_t ahead = (t->value - c) & mask, behind = (c - t->value) & mask;
    if (behind && behind < late) ahead = 0;
    t->next = c + ahead >= c ? c + ahead : TIMER_NEVER;
}

/* Takes note of the matches up to now. */
static void settle(Comparator *t)
{
    uint64_t c = counter(t->hpet);
    if (!enabled(t->hpet) || t->next == TIMER_NEVER || c < t->next) return;
    if (is_periodic(t)) {
        uint64_t n = (c - t->next) / t->period + 1;
        t->value += n * t->period;
        t->next += n * t->period;
    } else {
        t->next = t->config & TN_32BIT ? t->next + ((c - t->next) / (1ull << 32) + 1) * (1ull << 32) : TIMER_NEVER;
    }
    matched(t);
}

static void arm(Comparator *t)
{
    Hpet *h = t->hpet;
    uint64_t now = clock_now(h->machine), c = counter(h);
    bool waits = enabled(h) && (t->config & TN_INT_ENABLE) && t->next != TIMER_NEVER &&
                 (t->next <= c || t->next - c < FAR_TICKS);
    if (!waits) {
        timer_cancel(t->timer);
        return;
    }
    uint64_t when = t->next <= c ? now : ns_from_ticks(t->next - h->base, HPET_HZ);
    if (is_periodic(t) && when < now + MIN_PERIOD_NS) when = now + MIN_PERIOD_NS;
    timer_set(t->timer, when);
}

static void on_timer(void *opaque)
{
    settle(opaque);
    arm(opaque);
}

/* --- registers --------------------------------------------------------------------------------------------- */

static void write_config(Hpet *h, uint32_t v)
{
    bool was = enabled(h);
    uint64_t c = counter(h);
    for (unsigned n = 0; n < HPET_TIMERS; n++) settle(&h->t[n]);
    h->config = v & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (was != enabled(h)) h->base = was ? c : c - clock_ticks(h);
    irq_set(&h->lines.replacement, h->config & CONFIG_LEGACY);
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        if (!was) plan(&h->t[n], counter(h), 0);
        update_line(&h->t[n]);
        arm(&h->t[n]);
    }
}

static void write_counter(Hpet *h, uint64_t v)
{
    if (enabled(h) && log_on(LOG_GUEST_ERRORS)) log_printf("hpet: the counter is written while it runs\n");
    h->base = enabled(h) ? v - clock_ticks(h) : v;
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        plan(&h->t[n], counter(h), 0);
        arm(&h->t[n]);
    }
}

static void write_status(Hpet *h, uint32_t v)
{
    h->status &= ~v;
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        if (v >> n & 1) update_line(&h->t[n]);
}

static void write_timer_config(Comparator *t, uint32_t v)
{
    uint32_t route = (v & TN_ROUTE) >> TN_ROUTE_SHIFT, before = t->config;
    settle(t);
    t->config = (v & TN_WRITABLE) | (before & TN_ROUTE);
    if (route == 0 || route - (unsigned)HPET_FIRST_PIN < HPET_PINS)
        t->config = (t->config & ~(uint32_t)TN_ROUTE) | (v & TN_ROUTE);
    if (t->config & TN_32BIT) {
        t->value &= UINT32_MAX;
        t->period &= UINT32_MAX;
    }
    if (!(t->config & TN_LEVEL)) t->hpet->status &= ~(1u << index_of(t));
    if ((before ^ t->config) & TN_LEVEL) t->asserted = false;
    if ((before ^ t->config) & TN_32BIT) plan(t, counter(t->hpet), 0);
    update_line(t);
    arm(t);
}

static uint64_t merge(uint64_t old, uint64_t v, uint64_t written)
{
    return (old & ~written) | (v & written);
}

/* 2.3.9.2.2: for a periodic timer the write sets the period, and the comparator too when it is announced. */
static void write_comparator(Comparator *t, uint64_t v, uint64_t written)
{
    settle(t);
    if (t->config & TN_32BIT) written &= UINT32_MAX;
    bool sets_value = !(t->config & TN_PERIODIC) || (t->config & TN_SET_VALUE);
    if (t->config & TN_PERIODIC) t->period = merge(t->period, v, written);
    t->config &= ~(uint32_t)TN_SET_VALUE;
    if (sets_value) {
        t->value = merge(t->value, v, written);
        plan(t, counter(t->hpet), enabled(t->hpet) ? LATE_TICKS : 0);
    }
    arm(t);
}

/* The comparator shows the next match of a periodic timer. */
static uint64_t comparator_value(Comparator *t)
{
    settle(t);
    return t->config & TN_32BIT ? t->value & UINT32_MAX : t->value;
}

static uint64_t route_capabilities(void)
{
    return ((UINT64_C(1) << HPET_PINS) - 1) << HPET_FIRST_PIN << 32;
}

static uint64_t read_timer(Comparator *t, unsigned reg)
{
    switch (reg) {
    case TIMER_CONFIG: return t->config | TN_PERIODIC_CAP | TN_64BIT_CAP | route_capabilities();
    case TIMER_COMPARATOR: return comparator_value(t);
    default: return 0; /* no FSB interrupts */
    }
}

static uint64_t read_register(Hpet *h, unsigned reg)
{
    unsigned n = (reg - (unsigned)REG_TIMERS) / TIMER_STRIDE;
    switch (reg) {
    case REG_CAPABILITIES: return HPET_ID | FEMTOSECONDS_PER_TICK << 32;
    case REG_CONFIG: return h->config;
    case REG_STATUS:
        for (unsigned i = 0; i < HPET_TIMERS; i++) settle(&h->t[i]);
        return h->status;
    case REG_COUNTER: return counter(h);
    }
    return reg >= REG_TIMERS && n < HPET_TIMERS ? read_timer(&h->t[n], reg % TIMER_STRIDE) : 0;
}

static uint64_t hpet_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)size;
    return read_register(opaque, (unsigned)offset & ~7u) >> 8 * (offset & 7);
}

static void write_register(Hpet *h, unsigned reg, uint64_t v, uint64_t written)
{
    unsigned n = (reg - (unsigned)REG_TIMERS) / TIMER_STRIDE;
    bool low = written & UINT32_MAX;
    switch (reg) {
    case REG_CONFIG:
        if (low) write_config(h, (uint32_t)v);
        return;
    case REG_STATUS:
        if (low) write_status(h, (uint32_t)v);
        return;
    case REG_COUNTER: write_counter(h, merge(counter(h), v, written)); return;
    }
    if (reg < REG_TIMERS || n >= HPET_TIMERS) return;
    if (reg % TIMER_STRIDE == TIMER_CONFIG && low) write_timer_config(&h->t[n], (uint32_t)v);
    if (reg % TIMER_STRIDE == TIMER_COMPARATOR) write_comparator(&h->t[n], v, written);
}

/* Only 32- and 64-bit accesses are allowed (2.3.2). */
static void hpet_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    unsigned shift = 8 * (unsigned)(offset & 7);
    if (size < 4) {
        if (log_on(LOG_GUEST_ERRORS)) log_printf("hpet: %u-byte write at %03x is lost\n", size, (unsigned)offset);
        return;
    }
    write_register(opaque, (unsigned)offset & ~7u, value << shift,
                   size == 8 ? UINT64_MAX : (uint64_t)UINT32_MAX << shift);
}

#define TIMER_FIELDS(n)                                                                                                \
    FIELD(Hpet, t[n].config), FIELD(Hpet, t[n].value), FIELD(Hpet, t[n].period), FIELD(Hpet, t[n].next),               \
        FIELD(Hpet, t[n].asserted)
static const Field hpet_fields[] = {
    FIELD(Hpet, config), FIELD(Hpet, status), FIELD(Hpet, base), TIMER_FIELDS(0),
    TIMER_FIELDS(1),     TIMER_FIELDS(2),     FIELD_END,
};

static void hpet_reset(void *dev)
{
    Hpet *h = dev;
    h->config = h->status = 0;
    h->base = 0;
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        Comparator *t = &h->t[n];
        t->config = 0;
        t->value = UINT64_MAX;
        t->period = 0;
        t->next = TIMER_NEVER;
        t->asserted = false;
        timer_cancel(t->timer);
    }
    irq_set(&h->lines.replacement, false);
    show_lines(h);
}

static const DeviceClass hpet_class = { .name = "hpet", .version = 1, .fields = hpet_fields, .reset = hpet_reset };

Hpet *hpet_new(Machine *m, HpetLines lines)
{
    static const MmioOps ops = { hpet_read, hpet_write };
    Hpet *h = hw_alloc(sizeof *h);
    h->machine = m;
    h->lines = lines;
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        h->t[n].hpet = h;
        h->t[n].timer = timer_new(m, on_timer, &h->t[n]);
    }
    if (!phys_add_mmio(machine_phys(m), "hpet", HPET_BASE, HPET_SIZE, 2, &ops, h)) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    hpet_reset(h);
    machine_add_device(m, &hpet_class, h);
    return h;
}

void hpet_free(Hpet *h)
{
    if (!h) return;
    for (unsigned n = 0; n < HPET_TIMERS; n++) timer_free(h->t[n].timer);
    free(h);
}
