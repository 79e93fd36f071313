/* Time by instruction count: a processor that only counts, the machine's timers, and what is delivered later. */
#include "fake.h"

#include "hw/alarm.h"
#include "util/host_time.h"

enum { SHIFT = 4, NS = 1 << SHIFT };

static ExecHooks hooks;
static char order[16];
static int n_order;

static void note(void *opaque)
{
    order[n_order++] = *(char *)opaque;
}

static void start(Fake *f, bool sleep)
{
    fake_init(f);
    machine_use_icount(f->m, &(IcountConfig){ .on = true, .shift = SHIFT, .sleep = sleep });
    hooks = machine_hooks(f->m);
    n_order = 0;
}

static void run(Fake *f, uint64_t insns)
{
    f->cpu->insns_granted += insns;
    hooks.poll(hooks.opaque);
}

static uint64_t grant(void)
{
    return hooks.grant(hooks.opaque);
}

static void test_time(void)
{
    static char a = 'a', b = 'b', c = 'c';
    Fake f;
    start(&f, false);
    ok(clock_now(f.m) == 0 && grant() == UINT64_MAX,
       "time begins with the first instruction; without a timer all may run");
    Timer *t = timer_new(f.m, note, &a);
    timer_set(t, 100 * NS + 1);
    ok(grant() == 101, "until a deadline: %llu, rounded up", (unsigned long long)grant());
    run(&f, 60);
    ok(clock_now(f.m) == 60 * NS && grant() == 41 && !n_order, "time is what has been run");
    machine_later(f.m, note, &b);
    run(&f, 41);
    machine_later(f.m, note, &c);
    ok(n_order == 1 && order[0] == 'a', "the timer has fired");
    ok(grant() > 100 && grant() < 10000000, "what is due later is a deadline, too");
    run(&f, grant() - 1);
    ok(n_order == 1, "not an instruction earlier");
    run(&f, 1);
    ok(n_order == 2 && order[1] == 'b' && grant() == 41, "each has its own time");
    run(&f, 41);
    ok(n_order == 3 && order[2] == 'c', "in order");
    timer_free(t);
    fake_free(&f);
}

static void test_idle(bool sleep)
{
    enum { WAIT = 30000000 };
    static char a = 'a', b = 'b';
    Fake f;
    start(&f, sleep);
    Timer *t = timer_new(f.m, note, &a);
    f.cpu->halted = true;
    run(&f, 1000);
    timer_set(t, WAIT);
    uint64_t before = host_ns();
    hooks.wait(hooks.opaque);
    uint64_t took = host_ns() - before;
    ok(n_order == 1 && clock_now(f.m) == WAIT, "sleep=%s: an idle machine comes to its next deadline",
       sleep ? "on" : "off");
    if (sleep) ok(took >= WAIT - 1000 * NS, "in as much of the host's time");
    timer_set(t, 2 * WAIT);
    machine_post(f.m, note, &b);
    hooks.wait(hooks.opaque);
    ok(n_order == 2 && order[1] == 'b' && clock_now(f.m) < 2 * WAIT, "something from outside comes first");
    hooks.wait(hooks.opaque);
    ok(n_order == 3 && clock_now(f.m) == 2 * WAIT, "and does not move the deadline");
    run(&f, 1);
    ok(clock_now(f.m) == 2 * WAIT + NS, "from there time goes on by instructions");
    timer_free(t);
    fake_free(&f);
}

static void test_random(void)
{
    uint32_t first[4], v;
    bool same = true;
    for (int i = 0; i < 2; i++) {
        Fake f;
        start(&f, false);
        for (int k = 0; k < 4; k++) {
            same &= f.cpu->random(f.cpu->random_opaque, i ? &v : &first[k]);
            same &= !i || v == first[k];
        }
        machine_later(f.m, note, NULL); /* still to come when the machine goes */
        fake_free(&f);
    }
    ok(same && first[0] != first[1] && first[1] != first[2], "random numbers are the same in every run");
}

int main(void)
{
    test_time();
    test_idle(false);
    test_idle(true);
    test_random();
    return tap_done();
}
