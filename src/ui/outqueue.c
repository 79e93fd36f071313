#include "ui/outqueue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/host_time.h"
#include "util/thread.h"

enum {
    RING_SIZE = 1 << 20,
    CHUNK = 32 * 1024,
    STUCK_MS = 2000,       /* no progress for so long: nobody reads */
    GATHER_NS = 500 * 1000 /* bytes of one line come microseconds apart: write them together */
};

struct OutQueue {
    pthread_mutex_t lock;
    pthread_cond_t more, less; /* bytes came; bytes left */
    pthread_t thread;
    bool started, idle, closing, broken, writing;
    bool stuck; /* waited in vain: not again before something has left */
    int fd;
    bool close_fd;
    size_t head, used; /* ring[head] is the oldest of used bytes */
    uint64_t written;  /* ever, to see progress */
    uint8_t ring[RING_SIZE];
};

OutQueue *outqueue_new(int fd, bool close_fd)
{
    OutQueue *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->more, &attr);
    pthread_cond_init(&q->less, &attr);
    pthread_condattr_destroy(&attr);
    q->fd = fd;
    q->close_fd = close_fd;
    return q;
}

/* False: the other end does not exist any more. */
static bool write_all(int fd, const uint8_t *buf, size_t n)
{
    while (n) {
        ssize_t done = write(fd, buf, n);
        if (done > 0) {
            buf += done;
            n -= (size_t)done;
        } else if (done < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
        } else if (done < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

static size_t take_chunk(OutQueue *q, uint8_t chunk[CHUNK])
{
    size_t n = q->used < CHUNK ? q->used : CHUNK;
    if (n > RING_SIZE - q->head) n = RING_SIZE - q->head;
    memcpy(chunk, q->ring + q->head, n);
    q->head = (q->head + n) % RING_SIZE;
    q->used -= n;
    return n;
}

static void *writer(void *opaque)
{
    OutQueue *q = opaque;
    uint8_t chunk[CHUNK];
    pthread_mutex_lock(&q->lock);
    for (;;) {
        while (!q->used && !q->closing) {
            q->idle = true;
            pthread_cond_wait(&q->more, &q->lock);
            q->idle = false;
            if (q->closing) break;
            pthread_mutex_unlock(&q->lock);
            nanosleep(&(struct timespec){ .tv_nsec = GATHER_NS }, NULL);
            pthread_mutex_lock(&q->lock);
        }
        if (!q->used) break;
        size_t n = take_chunk(q, chunk);
        bool broken = q->broken;
        q->writing = true;
        pthread_mutex_unlock(&q->lock);
        if (!broken) broken = !write_all(q->fd, chunk, n);
        pthread_mutex_lock(&q->lock);
        q->writing = false;
        q->broken = broken;
        q->written += n;
        q->stuck = false;
        pthread_cond_broadcast(&q->less);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* On the first byte, so that a line never used costs no thread. */
static void start(OutQueue *q)
{
    q->started = thread_start(&q->thread, writer, q);
    if (!q->started) q->broken = true;
}

/* With the lock held: until bytes have left, at most ms.  False: time is up. */
static bool wait_progress(OutQueue *q, unsigned ms)
{
    struct timespec t = host_timespec(host_ns() + (uint64_t)ms * 1000000);
    uint64_t before = q->written;
    while (q->written == before) {
        if (pthread_cond_timedwait(&q->less, &q->lock, &t) == ETIMEDOUT) return q->written != before;
    }
    return true;
}

static void drop_oldest(OutQueue *q, size_t n)
{
    q->head = (q->head + n) % RING_SIZE;
    q->used -= n;
}

static void put(OutQueue *q, const uint8_t *buf, size_t n)
{
    size_t tail = (q->head + q->used) % RING_SIZE;
    size_t first = n < RING_SIZE - tail ? n : RING_SIZE - tail;
    memcpy(q->ring + tail, buf, first);
    memcpy(q->ring, buf + first, n - first);
    q->used += n;
}

void outqueue_write(OutQueue *q, const uint8_t *buf, size_t n)
{
    pthread_mutex_lock(&q->lock);
    if (!q->started && !q->broken) start(q);
    while (n && !q->broken) {
        size_t part = n < CHUNK ? n : CHUNK;
        while (RING_SIZE - q->used < part && !q->stuck && !q->broken) q->stuck = !wait_progress(q, STUCK_MS);
        if (RING_SIZE - q->used < part) drop_oldest(q, part - (RING_SIZE - q->used));
        put(q, buf, part);
        buf += part;
        n -= part;
        if (q->idle) pthread_cond_signal(&q->more);
    }
    pthread_mutex_unlock(&q->lock);
}

void outqueue_flush(OutQueue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->started && (q->used || q->writing)) {
        if (!wait_progress(q, STUCK_MS)) break;
    }
    pthread_mutex_unlock(&q->lock);
}

void outqueue_free(OutQueue *q)
{
    if (!q) return;
    outqueue_flush(q);
    pthread_mutex_lock(&q->lock);
    bool stuck = q->writing, started = q->started;
    q->closing = true;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
    if (stuck) return; /* its thread still sits in write() and uses q: leave both to the process's end */
    if (started) pthread_join(q->thread, NULL);
    if (q->close_fd) close(q->fd);
    pthread_cond_destroy(&q->more);
    pthread_cond_destroy(&q->less);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
