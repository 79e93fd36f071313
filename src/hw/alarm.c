#include "hw/alarm.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct Alarm {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t when;           /* armed for; UINT64_MAX: nothing */
    uint64_t sleeping_until; /* what the thread waits for by itself */
    bool quit;
    uint32_t *flag;
};

uint64_t alarm_host_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void sleep_until(Alarm *a, uint64_t when)
{
    a->sleeping_until = when;
    if (when == UINT64_MAX) {
        pthread_cond_wait(&a->changed, &a->lock);
    } else {
        struct timespec ts = { .tv_sec = (time_t)(when / 1000000000u), .tv_nsec = (long)(when % 1000000000u) };
        pthread_cond_timedwait(&a->changed, &a->lock, &ts);
    }
    a->sleeping_until = 0;
}

static void *alarm_main(void *arg)
{
    Alarm *a = arg;
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1000ul, 0, 0, 0); /* the default slack of 50 us is a 20th of a 1 kHz tick */
#endif
    pthread_mutex_lock(&a->lock);
    while (!a->quit) {
        if (a->when != UINT64_MAX && alarm_host_now() >= a->when) {
            a->when = UINT64_MAX;
            __atomic_store_n(a->flag, 1, __ATOMIC_RELEASE);
        }
        sleep_until(a, a->when);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

Alarm *alarm_new(uint32_t *flag)
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

void alarm_arm(Alarm *a, uint64_t host_ns)
{
    pthread_mutex_lock(&a->lock);
    a->when = host_ns;
    /* A thread that will wake up before then finds the new time by itself: no need to disturb it. */
    if (host_ns < a->sleeping_until) pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}
