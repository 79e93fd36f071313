/* The order of the machine.  One thread owns all guest state; the mutex below guards the input queue
 * and nothing else, since that is the only thing other threads may touch.  Timers are run by the
 * machine thread between blocks: the alarm thread only asks it to come out of guest code. */
#include "hw/machine_board.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "hw/alarm.h"
#include "hw/alloc.h"
#include "hw/icount.h"
#include "hw/timer_heap.h"
#include "util/host_time.h"

struct Timer {
    TimerNode node; /* first: the heap knows timers by it */
    Machine *machine;
    void (*fn)(void *opaque);
    void *opaque;
};

typedef struct Post {
    struct Post *next;
    void (*fn)(void *opaque);
    void *opaque;
} Post;

typedef struct Registered {
    const DeviceClass *cls;
    void *dev;
} Registered;

struct Machine {
    CPUState *cpu;
    PhysMem *phys;
    IoPorts *io;
    const BoardOps *board_ops;
    void *board;
    bool no_reboot, no_shutdown;

    ClockSource clock;
    uint64_t clock_offset;   /* virtual = source - offset */
    uint64_t seen, seen_cpu; /* host clock when last read; this thread's CPU time when last compared with it ... */
    uint64_t compared;       /* ... and the host clock then */
    uint64_t stolen;         /* left out of virtual time, to be made up for when the guest is idle */
    Icount *icount;          /* NULL: virtual time is the host's */
    bool stopped;
    uint64_t stopped_at; /* virtual time that stands still */
    const char *stop_reason;

    TimerHeap timers;
    Alarm *alarm;
    uint64_t alarm_at; /* virtual time it is armed for, TIMER_NEVER: not */
    bool running_timers;
    uint64_t running_now; /* a timer set while timers run fires after this at the earliest */

    Registered *device;
    size_t n_devices;

    int request, request_status;
    bool ended;
    int exit_status;

    pthread_mutex_t lock; /* the queue */
    pthread_cond_t arrived;
    Post *first, **last;
};

/* --- virtual time ------------------------------------------------------------------------------ */

static uint64_t host_now(void *opaque)
{
    (void)opaque;
    return host_ns();
}

/* Time that the host gave to others while guest code was ready to run is left out of virtual time: otherwise a busy
 * host makes delay loops end before the ticks they wait for were delivered, and systems conclude that
 * their timer is broken.  A read of the clock that comes late says that it may have happened. */
enum { LATE_NS = 2000000 };

static uint64_t thread_cpu_ns(void)
{
    return host_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void compare_clocks(Machine *m, uint64_t host)
{
    m->seen = m->compared = host;
    m->seen_cpu = thread_cpu_ns();
}

static void leave_out_stolen(Machine *m, uint64_t host)
{
    uint64_t late = host - m->seen, elapsed = host - m->compared, used = thread_cpu_ns() - m->seen_cpu;
    uint64_t lost = elapsed > used ? elapsed - used : 0;
    if (lost > late) lost = late; /* virtual time never goes back */
    m->clock_offset += lost;
    m->stolen += lost;
    compare_clocks(m, host);
}

uint64_t clock_now(Machine *m)
{
    if (m->stopped) return m->stopped_at;
    uint64_t host = m->clock.now(m->clock.opaque);
    if (m->clock.now == host_now) {
        if (host - m->seen > LATE_NS) leave_out_stolen(m, host);
        m->seen = host;
    }
    return host - m->clock_offset;
}

/* After the machine thread slept: what is missing is made up for by letting virtual time pass twice as fast, and not
 * in one leap, by which the guest would see its disk take longer than it waits for one. */
static void make_up_stolen(Machine *m, uint64_t slept)
{
    uint64_t made_up = slept < m->stolen ? slept : m->stolen;
    m->clock_offset -= made_up;
    m->stolen -= made_up;
}

/* How long to sleep until virtual time, when it makes up for what was stolen meanwhile. */
static uint64_t time_to_sleep(const Machine *m, uint64_t wait)
{
    return m->stolen < wait / 2 ? wait - m->stolen : wait - wait / 2;
}

void machine_stop(Machine *m, const char *why)
{
    m->stop_reason = why;
    if (m->stopped) return;
    m->stopped_at = clock_now(m);
    m->stopped = true;
    cpu_request_exit(m->cpu);
}

/* A halted processor needs no alarm: the machine thread itself sleeps until the first deadline. */
static bool is_waiting(const Machine *m)
{
    const CPUState *cpu = m->cpu;
    return cpu->halted && !(cpu->intr_line | cpu->nmi_pending | cpu->smi_pending | cpu->init_pending);
}

/* Before guest code runs on.  The alarm is only ever set to an earlier time: one that comes too early costs less
 * than moving it at every change, and guests move their timers all the time. */
static void arm(Machine *m)
{
    TimerNode *n = timer_heap_first(&m->timers);
    uint64_t now = clock_now(m);
    if (m->alarm && !alarm_armed(m->alarm)) m->alarm_at = TIMER_NEVER; /* it has gone off */
    if (!n) return;
    if (n->deadline <= now) {
        cpu_request_exit(m->cpu);
    } else if (m->alarm && n->deadline < m->alarm_at && n->deadline <= UINT64_MAX / 4 && !is_waiting(m)) {
        /* A deadline so far away that it does not fit the host's clock is as good as none. */
        m->alarm_at = n->deadline;
        alarm_arm(m->alarm, n->deadline + m->clock_offset);
    }
}

void machine_cont(Machine *m)
{
    if (!m->stopped) return;
    m->clock_offset = m->clock.now(m->clock.opaque) - m->stopped_at;
    m->stolen = 0;
    if (m->clock.now == host_now) compare_clocks(m, host_now(NULL));
    m->stopped = false;
    m->alarm_at = TIMER_NEVER; /* virtual and host time have moved apart */
    arm(m);
}

bool machine_is_stopped(const Machine *m)
{
    return m->stopped;
}

const char *machine_stop_reason(const Machine *m)
{
    return m->stopped ? m->stop_reason : NULL;
}

Timer *timer_new(Machine *m, void (*fn)(void *opaque), void *opaque)
{
    Timer *t = hw_alloc(sizeof *t);
    *t = (Timer){ .node = { .place = TIMER_UNUSED }, .machine = m, .fn = fn, .opaque = opaque };
    return t;
}

void timer_free(Timer *t)
{
    if (!t) return;
    timer_cancel(t);
    free(t);
}

void timer_set(Timer *t, uint64_t deadline_ns)
{
    Machine *m = t->machine;
    if (m->running_timers && deadline_ns <= m->running_now) deadline_ns = m->running_now + 1;
    if (timer_pending(t) && t->node.deadline == deadline_ns) return;
    timer_heap_set(&m->timers, &t->node, deadline_ns);
    /* The next poll arms the alarm; a later deadline can wait until the alarm has gone off. */
    if (t->node.place == 0 && !m->running_timers && deadline_ns < m->alarm_at) cpu_request_exit(m->cpu);
}

void timer_cancel(Timer *t)
{
    timer_heap_remove(&t->machine->timers, &t->node);
}

bool timer_pending(const Timer *t)
{
    return t->node.place != TIMER_UNUSED;
}

/* Those due at one instant, so that a timer whose handler takes longer than its period cannot keep the
 * machine here for ever. */
static void run_timers(Machine *m)
{
    TimerNode *n;
    m->running_now = clock_now(m);
    m->running_timers = true;
    while ((n = timer_heap_first(&m->timers)) && n->deadline <= m->running_now) {
        Timer *t = (Timer *)n;
        timer_heap_remove(&m->timers, n);
        t->fn(t->opaque);
    }
    m->running_timers = false;
    arm(m);
}

/* --- the one door ------------------------------------------------------------------------------ */

void machine_post(Machine *m, void (*fn)(void *opaque), void *opaque)
{
    Post *p = hw_alloc(sizeof *p);
    *p = (Post){ .fn = fn, .opaque = opaque };
    pthread_mutex_lock(&m->lock);
    *m->last = p;
    m->last = &p->next;
    cpu_request_exit_from_outside(m->cpu);
    pthread_cond_signal(&m->arrived);
    pthread_mutex_unlock(&m->lock);
}

static void run_posts(Machine *m)
{
    pthread_mutex_lock(&m->lock);
    Post *p = m->first;
    m->first = NULL;
    m->last = &m->first;
    pthread_mutex_unlock(&m->lock);
    while (p) {
        Post *next = p->next;
        p->fn(p->opaque);
        free(p);
        p = next;
    }
}

/* With the lock held: until something arrives or the host's clock says so. */
static void wait_on_host(Machine *m, uint64_t until)
{
    struct timespec ts = host_timespec(until);
    if (until == TIMER_NEVER)
        pthread_cond_wait(&m->arrived, &m->lock);
    else
        pthread_cond_timedwait(&m->arrived, &m->lock, &ts);
}

/* Until something is posted or the given virtual time comes. */
static void sleep_for_work(Machine *m, uint64_t deadline)
{
    pthread_mutex_lock(&m->lock);
    while (!m->first) {
        uint64_t now = clock_now(m), host = now + m->clock_offset;
        if (deadline == TIMER_NEVER) {
            wait_on_host(m, TIMER_NEVER);
        } else if (now >= deadline) {
            break;
        } else {
            wait_on_host(m, host + time_to_sleep(m, deadline - now));
        }
        if (m->stopped || m->clock.now != host_now) continue;
        compare_clocks(m, host_now(NULL));
        make_up_stolen(m, m->seen - host);
    }
    pthread_mutex_unlock(&m->lock);
}

/* Time by instruction count stands still while the processor is halted: it leaps to the deadline, at once or when the
 * host's clock has gone as far.  What is posted meanwhile comes when the host's clock says. */
static void leap(Machine *m, uint64_t deadline)
{
    bool never = deadline == TIMER_NEVER, sleeps = icount_sleeps(m->icount);
    uint64_t start = host_ns(), now = clock_now(m), gap = never || deadline > now ? deadline - now : 0;
    pthread_mutex_lock(&m->lock);
    while (!m->first && (never || (sleeps && host_ns() - start < gap)))
        wait_on_host(m, never ? TIMER_NEVER : start + gap);
    bool posted = m->first;
    pthread_mutex_unlock(&m->lock);
    uint64_t slept = host_ns() - start;
    if (posted && slept < gap) gap = sleeps ? slept : 0;
    icount_skip(m->icount, gap);
}

/* --- devices and events -------------------------------------------------------------------------- */

void machine_add_device(Machine *m, const DeviceClass *cls, void *dev)
{
    Registered *list = realloc(m->device, (m->n_devices + 1) * sizeof *list);
    if (!list) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    list[m->n_devices++] = (Registered){ cls, dev };
    m->device = list;
}

const DeviceClass *machine_device(Machine *m, size_t i, void **dev)
{
    if (i >= m->n_devices) return NULL;
    if (dev) *dev = m->device[i].dev;
    return m->device[i].cls;
}

CPUState *machine_cpu(Machine *m)
{
    return m->cpu;
}
PhysMem *machine_phys(Machine *m)
{
    return m->phys;
}
IoPorts *machine_io(Machine *m)
{
    return m->io;
}
void *machine_board(Machine *m)
{
    return m->board;
}
int machine_exit_status(const Machine *m)
{
    return m->exit_status;
}

void machine_request(Machine *m, int event, int exit_status)
{
    /* What ends the run is not undone by a reset asked for in the same block. */
    if (!m->request || event > m->request) {
        m->request = event;
        m->request_status = exit_status;
    }
    cpu_request_exit(m->cpu);
}

void machine_reset_now(Machine *m)
{
    for (size_t i = 0; i < m->n_devices; i++)
        if (m->device[i].cls->reset) m->device[i].cls->reset(m->device[i].dev);
    if (m->board_ops && m->board_ops->reset) m->board_ops->reset(m->board);
}

static void end_run(Machine *m, int status)
{
    m->ended = true;
    m->exit_status = status;
}

static void handle_request(Machine *m)
{
    int event = m->request;
    m->request = 0;
    switch (event) {
    case MACHINE_RESET:
        if (m->no_reboot)
            end_run(m, 0);
        else
            machine_reset_now(m);
        break;
    case MACHINE_POWEROFF:
        if (m->no_shutdown)
            machine_stop(m, STOP_SHUTDOWN);
        else
            end_run(m, 0);
        break;
    case MACHINE_QUIT:
    case MACHINE_PANIC: end_run(m, m->request_status); break;
    }
}

/* --- hooks ---------------------------------------------------------------------------------------- */

bool machine_poll(Machine *m)
{
    run_posts(m);
    if (!m->stopped) run_timers(m);
    while (m->request && !m->ended) handle_request(m);
    while (m->stopped && !m->ended) {
        sleep_for_work(m, TIMER_NEVER);
        run_posts(m);
        while (m->request && !m->ended) handle_request(m);
    }
    return !m->ended;
}

static bool hook_poll(void *opaque)
{
    return machine_poll(opaque);
}

static bool hook_wait(void *opaque)
{
    Machine *m = opaque;
    TimerNode *n = timer_heap_first(&m->timers);
    uint64_t deadline = n && n->deadline <= UINT64_MAX / 4 ? n->deadline : TIMER_NEVER;
    /* This thread wakes up by itself: the alarm's need not, with every tick of an idle guest. */
    if (m->alarm && alarm_armed(m->alarm)) alarm_arm(m->alarm, UINT64_MAX);
    if (!m->stopped && !m->request) m->icount ? leap(m, deadline) : sleep_for_work(m, deadline);
    return machine_poll(m);
}

static uint64_t hook_grant(void *opaque)
{
    Machine *m = opaque;
    TimerNode *n = timer_heap_first(&m->timers);
    return m->icount && n ? icount_until(m->icount, n->deadline) : UINT64_MAX;
}

static bool hook_shutdown(void *opaque)
{
    Machine *m = opaque;
    if (m->board_ops && m->board_ops->shut_down) m->board_ops->shut_down(m->board, m->no_reboot);
    if (m->no_reboot)
        end_run(m, 1); /* unlike a reboot that was asked for, this is rarely what the user wanted */
    else
        machine_reset_now(m);
    while (m->request && !m->ended) handle_request(m);
    return !m->ended;
}

ExecHooks machine_hooks(Machine *m)
{
    return (
        ExecHooks){ .poll = hook_poll, .wait = hook_wait, .grant = hook_grant, .shutdown = hook_shutdown, .opaque = m };
}

/* --- life ------------------------------------------------------------------------------------------ */

Machine *machine_create(CPUState *cpu, PhysMem *phys, IoPorts *io, const ClockSource *clock)
{
    Machine *m = hw_alloc(sizeof *m);
    m->cpu = cpu;
    m->phys = phys;
    m->io = io;
    m->clock = clock ? *clock : (ClockSource){ .now = host_now };
    m->clock_offset = m->clock.now(m->clock.opaque);
    compare_clocks(m, m->clock_offset);
    m->last = &m->first;
    m->alarm_at = TIMER_NEVER;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->arrived, &attr);
    pthread_condattr_destroy(&attr);
    return m;
}

void machine_use_icount(Machine *m, const IcountConfig *cfg)
{
    m->icount = icount_new(m, cfg);
    m->clock = (ClockSource){ .now = icount_now, .opaque = m->icount };
    m->clock_offset = icount_now(m->icount);
}

bool machine_uses_icount(const Machine *m)
{
    return m->icount;
}

void machine_later(Machine *m, void (*fn)(void *opaque), void *opaque)
{
    icount_later(m->icount, fn, opaque);
}

void machine_set_board(Machine *m, const BoardOps *ops, void *board)
{
    m->board_ops = ops;
    m->board = board;
}

void machine_set_policy(Machine *m, bool no_reboot, bool no_shutdown)
{
    m->no_reboot = no_reboot;
    m->no_shutdown = no_shutdown;
}

bool machine_start_alarm(Machine *m)
{
    if (m->icount) return true; /* the count itself ends guest code at a deadline */
    m->alarm = alarm_new(&m->cpu->outside_request);
    if (!m->alarm) return false;
    m->alarm_at = TIMER_NEVER;
    if (!m->stopped) arm(m);
    return true;
}

void machine_stop_alarm(Machine *m)
{
    alarm_free(m->alarm);
    m->alarm = NULL;
}

void machine_destroy(Machine *m)
{
    if (!m) return;
    machine_stop_alarm(m);
    if (m->board_ops && m->board_ops->free) m->board_ops->free(m->board);
    while (m->first) { /* work posted too late: its senders are gone, nobody waits for it */
        Post *p = m->first;
        m->first = p->next;
        free(p);
    }
    icount_free(m->icount);
    timer_heap_free(&m->timers);
    free(m->device);
    pthread_cond_destroy(&m->arrived);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
