#include "hw/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/host_time.h"

#ifdef __linux__
/* The thread waits for a timer of the kernel's: moving the time does not wake it, and the slack of ordinary
 * sleeps does not apply. */
#include <sys/timerfd.h>
#include <unistd.h>

struct Alarm {
    pthread_t thread;
    int timer;
    bool armed, quit;
    uint32_t *const *flag;
};

static void *alarm_main(void *arg)
{
    Alarm *a = arg;
    uint64_t expirations;
    while (read(a->timer, &expirations, sizeof expirations) > 0 || errno == EINTR || errno == ECANCELED) {
        if (__atomic_load_n(&a->quit, __ATOMIC_ACQUIRE)) break;
        __atomic_store_n(&a->armed, false, __ATOMIC_RELEASE);
        __atomic_store_n(*a->flag, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

Alarm *alarm_new(uint32_t *const *flag)
{
    Alarm *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->flag = flag;
    a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (a->timer < 0) {
        free(a);
        return NULL;
    }
    int err = pthread_create(&a->thread, NULL, alarm_main, a);
    if (!err) return a;
    close(a->timer);
    free(a);
    errno = err;
    return NULL;
}

void alarm_arm(Alarm *a, uint64_t when)
{
    /* All zero would mean never. */
    struct itimerspec timer = { .it_value = host_timespec(when == UINT64_MAX ? 0 : when ? when : 1) };
    __atomic_store_n(&a->armed, when != UINT64_MAX, __ATOMIC_RELEASE);
    timerfd_settime(a->timer, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* A late report of an earlier time may make this false although a new one is set: then it is set again. */
bool alarm_armed(Alarm *a)
{
    return __atomic_load_n(&a->armed, __ATOMIC_ACQUIRE);
}

void alarm_free(Alarm *a)
{
    if (!a) return;
    __atomic_store_n(&a->quit, true, __ATOMIC_RELEASE);
    alarm_arm(a, 1);
    pthread_join(a->thread, NULL);
    close(a->timer);
    free(a);
}

#else

struct Alarm {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t when;           /* armed for; UINT64_MAX: nothing */
    uint64_t sleeping_until; /* what the thread waits for by itself */
    bool quit;
    uint32_t *const *flag;
};

static void sleep_until(Alarm *a, uint64_t when)
{
    a->sleeping_until = when;
    if (when == UINT64_MAX) {
        pthread_cond_wait(&a->changed, &a->lock);
    } else {
        struct timespec ts = host_timespec(when);
        pthread_cond_timedwait(&a->changed, &a->lock, &ts);
    }
    a->sleeping_until = 0;
}

static void *alarm_main(void *arg)
{
    Alarm *a = arg;
    pthread_mutex_lock(&a->lock);
    while (!a->quit) {
        if (a->when != UINT64_MAX && host_ns() >= a->when) {
            a->when = UINT64_MAX;
            __atomic_store_n(*a->flag, 1, __ATOMIC_RELEASE);
        }
        sleep_until(a, a->when);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

Alarm *alarm_new(uint32_t *const *flag)
{
    Alarm *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->when = UINT64_MAX;
    a->flag = flag;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&a->lock, NULL);
    int err = pthread_create(&a->thread, NULL, alarm_main, a);
    if (err) {
        pthread_mutex_destroy(&a->lock);
        pthread_cond_destroy(&a->changed);
        free(a);
        errno = err;
        return NULL;
    }
    return a;
}

void alarm_free(Alarm *a)
{
    if (!a) return;
    pthread_mutex_lock(&a->lock);
    a->quit = true;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
}

void alarm_arm(Alarm *a, uint64_t when)
{
    pthread_mutex_lock(&a->lock);
    a->when = when;
    /* A thread that will wake up before then finds the new time by itself: no need to disturb it. */
    if (when < a->sleeping_until) pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

bool alarm_armed(Alarm *a)
{
    pthread_mutex_lock(&a->lock);
    bool armed = a->when != UINT64_MAX;
    pthread_mutex_unlock(&a->lock);
    return armed;
}
#endif
