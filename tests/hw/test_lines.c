/* What lies between devices: edge/level registers, several sources on one line, the HPET in the PIT's and RTC's place, timers in
 * order, the alarm. */
#include "hw/alarm.h"
#include "hw/i8259.h"
#include "hw/irq_or.h"
#include "hw/isa_irq.h"
#include "hw/timer_heap.h"
#include "util/host_time.h"
#include "fake.h"

#include <time.h>

static Fake f;
static I8259 *pic;

static void program_pics(void)
{
    static const uint8_t icw[2][4] = { { 0x11, 0x20, 0x04, 0x01 }, { 0x11, 0x28, 0x02, 0x01 } };
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 4; i++) out8(&f, (uint16_t)((c ? 0xa0 : 0x20) + (i > 0)), icw[c][i]);
}

static void begin(void)
{
    fake_init(&f);
    pic = i8259_new(f.m, fake_line(&f, 0));
    program_pics();
}

static void end(void)
{
    i8259_free(pic);
    fake_free(&f);
}

static void eoi(bool slave)
{
    if (slave) out8(&f, 0xa0, 0x20);
    out8(&f, 0x20, 0x20);
}

/* 82371SB data sheet, 2.5.5: ELCR1 and ELCR2. */
static void test_elcr(void)
{
    begin();
    out8(&f, 0x4d0, 0xff);
    out8(&f, 0x4d1, 0xff);
    IS(in8(&f, 0x4d0), 0xf8, "IRQ 0, 1 and 2 stay edge-triggered");
    IS(in8(&f, 0x4d1), 0xde, "and 8 and 13");
    out8(&f, 0x4d0, 0x20);
    out8(&f, 0x4d1, 0x08);
    IrqLine level = i8259_irq(pic, 5), edge = i8259_irq(pic, 6), slave = i8259_irq(pic, 11);
    irq_set(&level, true);
    ok(f.line[0] && i8259_ack(pic) == 0x25, "a level");
    eoi(false);
    ok(f.line[0] && i8259_ack(pic) == 0x25, "asks again while it stays");
    irq_set(&level, false);
    eoi(false);
    ok(!f.line[0], "and no more when it falls");
    irq_set(&level, true);
    irq_set(&level, false);
    ok(!f.line[0], "a level that is gone before it was seen leaves nothing");
    irq_set(&edge, true);
    IS(i8259_ack(pic), 0x26, "an edge");
    eoi(false);
    ok(!f.line[0], "asks once");
    irq_set(&slave, true);
    IS(i8259_ack(pic), 0x2b, "a level at the slave");
    eoi(true);
    IS(i8259_ack(pic), 0x2b, "again");
    irq_set(&slave, false);
    eoi(true);
    ok(!f.line[0], "until it falls");
    irq_set(&edge, false);
    irq_set(&edge, true);
    i8259_ack(pic);
    eoi(false);
    out8(&f, 0x4d0, 0x40);
    ok(f.line[0] && i8259_ack(pic) == 0x26, "an input that is high when it becomes level-triggered asks");
    machine_reset_now(f.m);
    ok(in8(&f, 0x4d0) == 0 && in8(&f, 0x4d1) == 0, "all edges after a reset");
    end();
}

static void test_or(void)
{
    fake_init(&f);
    IrqOr o = { .out = fake_line(&f, 3) };
    IrqLine a = irq_or_input(&o, 0), b = irq_or_input(&o, 31);
    irq_set(&a, true);
    irq_set(&b, true);
    irq_set(&a, false);
    ok(f.line[3], "high while any is");
    irq_set(&b, false);
    ok(!f.line[3] && f.rises[3] == 1, "low when none is; one edge");
    fake_free(&f);
}

/* IA-PC HPET specification, 2.3.5: LegacyReplacement. */
static void test_legacy_replacement(void)
{
    static IsaIrqs irqs;
    begin();
    isa_irqs_init(&irqs, pic, NULL);
    IrqLine pit = isa_irq(&irqs, 0), rtc = isa_irq(&irqs, 8), hpet0 = isa_irq_hpet(&irqs, 0),
            hpet1 = isa_irq_hpet(&irqs, 1), mode = isa_irq_legacy_replacement(&irqs);
    irq_set(&hpet0, true);
    ok(!f.line[0], "the HPET's timer 0 is on no line");
    irq_set(&hpet0, false);
    irq_set(&pit, true);
    IS(i8259_ack(pic), 0x20, "IRQ 0 is the PIT's");
    irq_set(&pit, false);
    eoi(false);
    irq_set(&mode, true);
    irq_set(&pit, true);
    ok(!f.line[0], "replaced: the PIT is not heard");
    irq_set(&hpet0, true);
    IS(i8259_ack(pic), 0x20, "timer 0 is IRQ 0");
    eoi(false);
    irq_set(&rtc, true);
    ok(!f.line[0], "nor is the RTC");
    irq_set(&hpet1, true);
    IS(i8259_ack(pic), 0x28, "timer 1 is IRQ 8");
    end();
}

/* Against the plainest model: a search through all. */
static void test_heap(void)
{
    enum { NODES = 200 };
    static TimerNode node[NODES];
    uint64_t when[NODES], order[NODES], n_set = 0;
    TimerHeap h = { 0 };
    bool good = true;
    srand(3);
    for (int i = 0; i < NODES; i++) node[i].place = TIMER_UNUSED, when[i] = TIMER_NEVER;
    for (int step = 0; step < 20000; step++) {
        int i = rand() % NODES;
        if (rand() % 4) {
            when[i] = (uint64_t)rand() % 50; /* many equal ones */
            order[i] = n_set++;
            timer_heap_set(&h, &node[i], when[i]);
        } else {
            when[i] = TIMER_NEVER;
            timer_heap_remove(&h, &node[i]);
        }
        int first = -1;
        for (int k = 0; k < NODES; k++) {
            if (when[k] == TIMER_NEVER) continue;
            if (first < 0 || when[k] < when[first] || (when[k] == when[first] && order[k] < order[first])) first = k;
        }
        good &= timer_heap_first(&h) == (first < 0 ? NULL : &node[first]);
        good &= (node[i].place == TIMER_UNUSED) == (when[i] == TIMER_NEVER);
    }
    ok(good, "timers: the earliest is first, equal ones as they were set");
    timer_heap_free(&h);
}

static void test_alarm(void)
{
    uint32_t flag = 0, *where = &flag;
    Alarm *a = alarm_new(&where);
    if (!ok(a != NULL, "an alarm")) return;
    alarm_arm(a, host_ns() + 3600 * UINT64_C(1000000000));
    ok(alarm_armed(a), "armed");
    uint64_t due = host_ns() + 20000000;
    alarm_arm(a, due);
    for (int i = 0; i < 5000 && !__atomic_load_n(&flag, __ATOMIC_ACQUIRE); i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    ok(flag && host_ns() >= due, "goes off, and not before its time");
    ok(!alarm_armed(a), "once");
    flag = 0;
    alarm_arm(a, host_ns() + 20000000);
    alarm_arm(a, UINT64_MAX);
    nanosleep(&(struct timespec){ .tv_nsec = 60000000 }, NULL);
    ok(!__atomic_load_n(&flag, __ATOMIC_ACQUIRE), "never, when it is taken back");
    alarm_free(a);
}

int main(void)
{
    test_elcr();
    test_or();
    test_legacy_replacement();
    test_heap();
    test_alarm();
    return tap_done();
}
