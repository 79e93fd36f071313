/* Timers, the input queue, the alarm and the hooks. */
#include "fake.h"

#include <pthread.h>
#include <time.h>

static char order[64];
static int n_order;
static void note(void *opaque)
{
    order[n_order++] = *(char *)opaque;
}

static void test_timers(void)
{
    Fake f;
    fake_init(&f);
    static char names[] = "abcdefgh";
    Timer *t[8];
    static const uint64_t at[8] = { 500, 100, 300, 300, 900, 200, 100, 700 };
    for (int i = 0; i < 8; i++) {
        t[i] = timer_new(f.m, note, &names[i]);
        timer_set(t[i], at[i]);
    }
    timer_cancel(t[7]);
    timer_set(t[0], 250);
    f.now = 1000 + 300;
    machine_poll(f.m);
    order[n_order] = 0;
    ok(!__builtin_strcmp(order, "bgfacd"), "due timers fire by deadline, then by order of setting: %s", order);
    ok(timer_pending(t[4]) && !timer_pending(t[7]), "the others wait, a cancelled one does not");
    f.now = 1000 + 5000;
    machine_poll(f.m);
    ok(n_order == 7 && order[6] == 'e', "a late one fires once");
    for (int i = 0; i < 8; i++) timer_free(t[i]);
    fake_free(&f);
}

static Timer *again;
static Fake *again_fake;
static int again_count;
static void fire_again(void *opaque)
{
    (void)opaque;
    again_count++;
    timer_set(again, 0);
}

static void test_rearm(void)
{
    Fake f;
    fake_init(&f);
    again_fake = &f;
    again = timer_new(f.m, fire_again, NULL);
    timer_set(again, 0);
    machine_poll(f.m);
    IS(again_count, 1, "a timer that sets itself in the past fires once a poll");
    fake_jump(&f, 10);
    IS(again_count, 2, "and at the next");
    timer_free(again);
    fake_free(&f);
}

static void random_timers(void)
{
    enum { N = 200 };
    Fake f;
    fake_init(&f);
    Timer *t[N];
    static char x = 'x';
    uint64_t deadline[N] = { 0 };
    bool good = true;
    srand(1);
    for (int i = 0; i < N; i++) t[i] = timer_new(f.m, note, &x);
    for (int round = 0; round < 20000; round++) {
        int i = rand() % N;
        uint64_t virtual_now = clock_now(f.m);
        if (rand() % 4) {
            deadline[i] = virtual_now + 1 + (uint64_t)(rand() % 1000);
            timer_set(t[i], deadline[i]);
        } else {
            timer_cancel(t[i]);
        }
        if (round % 7) continue;
        n_order = 0;
        fake_jump(&f, (uint64_t)(rand() % 3));
        for (int k = 0; k < N; k++) good &= !timer_pending(t[k]) || deadline[k] > clock_now(f.m);
    }
    ok(good, "random timers: none is pending past its deadline");
    for (int i = 0; i < N; i++) timer_free(t[i]);
    fake_free(&f);
}

static void test_stop(void)
{
    Fake f;
    fake_init(&f);
    f.now += 50;
    machine_stop(f.m, NULL);
    f.now += 1000;
    IS(clock_now(f.m), 50, "virtual time stands still while stopped");
    machine_cont(f.m);
    f.now += 5;
    IS(clock_now(f.m), 55, "and goes on from there");
    fake_free(&f);
}

static void test_requests(void)
{
    Fake f;
    fake_init(&f);
    machine_request(f.m, MACHINE_RESET, 0);
    ok(machine_poll(f.m) && f.resets == 1, "a reset resets and goes on");
    machine_request(f.m, MACHINE_QUIT, 33);
    machine_request(f.m, MACHINE_RESET, 0);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 33, "quit ends the run with its status");
    fake_free(&f);
    fake_init(&f);
    machine_set_policy(f.m, true, false);
    machine_request(f.m, MACHINE_RESET, 0);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 0 && f.resets == 0, "with -no-reboot a reset ends the run");
    fake_free(&f);
    fake_init(&f);
    machine_request(f.m, MACHINE_POWEROFF, 0);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 0, "power-off ends the run with 0");
    fake_free(&f);
}

/* --- with the host's clock and threads ----------------------------------------------------------------- */

static int posts;
static void count_post(void *opaque)
{
    int *n = opaque;
    posts += *n == posts;
}

static void *poster(void *opaque)
{
    static int n[1000];
    for (int i = 0; i < 1000; i++) {
        n[i] = i;
        machine_post(opaque, count_post, &n[i]);
    }
    return NULL;
}

static double seconds(clockid_t c)
{
    struct timespec ts;
    clock_gettime(c, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_threads(void)
{
    CPUState *cpu = calloc(1, sizeof *cpu);
    cpu->outside_request = &cpu->exit_request;
    Machine *m = machine_create(cpu, NULL, NULL, NULL);
    ExecHooks h = machine_hooks(m);
    pthread_t th;
    pthread_create(&th, NULL, poster, m);
    while (posts < 1000) h.wait(h.opaque);
    pthread_join(th, NULL);
    IS(posts, 1000, "posts from another thread run in order and wake the machine");

    static char x = 'x';
    n_order = 0;
    Timer *t = timer_new(m, note, &x);
    double wall = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t due = clock_now(m) + 50000000;
    timer_set(t, due);
    while (!n_order) h.wait(h.opaque);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    used = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
    /* By virtual time: what the host took before may be made up for in here. */
    ok(clock_now(m) >= due && wall >= 0.02, "waiting lasts until the timer is due (%.3f s)", wall);
    ok(used < 0.02, "and costs nothing (%.4f s)", used);

    /* Half a second in which this thread is ready but does not run, as far as the machine can tell. */
    nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
    n_order = 0;
    uint64_t before = clock_now(m);
    wall = seconds(CLOCK_MONOTONIC);
    timer_set(t, before + 200000000);
    while (!n_order) h.wait(h.opaque);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    ok(wall >= 0.099, "what was stolen is made up for gradually (%.3f s)", wall);
    ok((double)(clock_now(m) - before) / 1e9 >= wall + 0.05, "but it is");

    ok(machine_start_alarm(m), "alarm starts");
    cpu->exit_request = 0;
    wall = seconds(CLOCK_MONOTONIC);
    timer_set(t, clock_now(m) + 20000000);
    ok(cpu->exit_request, "an earlier deadline asks for a poll");
    cpu->exit_request = 0;
    machine_poll(m);
    ok(!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE), "after which a future timer does not stop the CPU");
    timer_set(t, clock_now(m) + 3600000000000u);
    ok(!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE), "nor does a later deadline");
    timer_set(t, clock_now(m) + 30000000);
    while (!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) && seconds(CLOCK_MONOTONIC) - wall < 10) {
    }
    ok(seconds(CLOCK_MONOTONIC) - wall >= 0.0199, "the alarm stops it when the timer is due");
    cpu->exit_request = 0;
    timer_set(t, clock_now(m) + 3600000000000u);
    machine_poll(m);
    timer_set(t, clock_now(m) + 1000000);
    cpu->exit_request = 0;
    machine_poll(m);
    wall = seconds(CLOCK_MONOTONIC);
    while (!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) && seconds(CLOCK_MONOTONIC) - wall < 10) {
    }
    ok(seconds(CLOCK_MONOTONIC) - wall < 5, "an earlier deadline replaces a later one");
    machine_poll(m);
    timer_set(t, clock_now(m) + 20000000);
    machine_poll(m);
    cpu->halted = true;
    cpu->exit_request = 0;
    n_order = 0;
    while (!n_order) h.wait(h.opaque);
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    ok(!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE), "no alarm for a machine that waits");
    timer_set(t, clock_now(m) + 2000000);
    cpu->exit_request = 0;
    machine_poll(m);
    uint64_t later = clock_now(m) + 10000000; /* not asleep: time in which this thread does not run is left out */
    while (clock_now(m) < later) {
    }
    ok(!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE), "no alarm for a halted CPU");
    cpu->intr_line = true;
    machine_poll(m);
    ok(!timer_pending(t), "its timers run all the same");
    timer_free(t);
    machine_destroy(m);
    free(cpu);
}

int main(void)
{
    test_timers();
    test_rearm();
    random_timers();
    test_stop();
    test_requests();
    test_threads();
    return tap_done();
}
