#include "ui/stdio.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/outqueue.h"

typedef struct StdioDev {
    CharDev base;
    OutQueue *out;
    bool keep_signals, is_tty, at_end;
    void (*wake)(void);
    Escape escape;

    pthread_mutex_t lock; /* receiver */
    CharDevReceiver receiver;
    atomic_bool stalled; /* the receiver took less than offered; accept_input shall wake us */

    uint8_t pending[STDIO_PENDING]; /* the input thread's alone */
    size_t pending_n;
} StdioDev;

static void stdio_write(CharDev *cd, const uint8_t *buf, size_t n)
{
    outqueue_write(((StdioDev *)cd)->out, buf, n);
}

static void stdio_set_receiver(CharDev *cd, const CharDevReceiver *r)
{
    StdioDev *s = (StdioDev *)cd;
    pthread_mutex_lock(&s->lock);
    s->receiver = r ? *r : (CharDevReceiver){ 0 };
    pthread_mutex_unlock(&s->lock);
    s->wake();
}

static void stdio_accept_input(CharDev *cd)
{
    StdioDev *s = (StdioDev *)cd;
    /* A UART calls this for each byte the guest reads: no lock, and no wake-up when nothing waits. */
    if (atomic_load_explicit(&s->stalled, memory_order_relaxed) && atomic_exchange(&s->stalled, false)) s->wake();
}

static const CharDevOps stdio_ops = { stdio_write, stdio_set_receiver, stdio_accept_input };

CharDev *stdio_new(bool keep_signals, void (*wake)(void))
{
    StdioDev *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->out = outqueue_new(STDOUT_FILENO, false);
    if (!s->out) {
        free(s);
        return NULL;
    }
    s->base.ops = &stdio_ops;
    s->keep_signals = keep_signals;
    s->is_tty = isatty(STDIN_FILENO);
    s->wake = wake;
    pthread_mutex_init(&s->lock, NULL);
    return &s->base;
}

void stdio_free(CharDev *cd)
{
    StdioDev *s = (StdioDev *)cd;
    outqueue_free(s->out);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void stdio_flush(CharDev *cd)
{
    outqueue_flush(((StdioDev *)cd)->out);
}
bool stdio_keeps_signals(const CharDev *cd)
{
    return ((const StdioDev *)cd)->keep_signals;
}

bool stdio_wants_input(const CharDev *cd)
{
    const StdioDev *s = (const StdioDev *)cd;
    return !s->at_end && (s->is_tty || s->pending_n < STDIO_PENDING);
}

static void send_event(StdioDev *s, CharDevEvent ev)
{
    pthread_mutex_lock(&s->lock);
    if (s->receiver.event) s->receiver.event(s->receiver.opaque, ev);
    pthread_mutex_unlock(&s->lock);
}

static void say(StdioDev *s, const char *text)
{
    outqueue_write(s->out, (const uint8_t *)text, strlen(text));
}

static EscapeAction handle_byte(StdioDev *s, uint8_t byte)
{
    EscapeAction action = escape_feed(&s->escape, byte);
    switch (action) {
    case ESCAPE_PASS:
        if (s->pending_n < STDIO_PENDING) s->pending[s->pending_n++] = byte;
        break;
    case ESCAPE_HELP: say(s, escape_help); break;
    case ESCAPE_MONITOR: say(s, "\n[there is no monitor yet: Ctrl-A h for help]\n"); break;
    case ESCAPE_BREAK: send_event(s, CHARDEV_BREAK); break;
    default: break;
    }
    return action;
}

EscapeAction stdio_input(CharDev *cd)
{
    StdioDev *s = (StdioDev *)cd;
    uint8_t buf[4096];
    size_t room = s->is_tty ? sizeof buf : STDIO_PENDING - s->pending_n;
    ssize_t n = read(STDIN_FILENO, buf, room < sizeof buf ? room : sizeof buf);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return ESCAPE_SWALLOW;
    if (n <= 0) {
        /* The guest goes on without input; a terminal that hung up also sends SIGHUP. */
        s->at_end = true;
        return ESCAPE_SWALLOW;
    }
    EscapeAction result = ESCAPE_SWALLOW;
    for (ssize_t i = 0; i < n; i++) {
        if (handle_byte(s, buf[i]) == ESCAPE_QUIT) result = ESCAPE_QUIT;
    }
    stdio_deliver(cd);
    return result;
}

void stdio_deliver(CharDev *cd)
{
    StdioDev *s = (StdioDev *)cd;
    pthread_mutex_lock(&s->lock);
    while (s->pending_n && s->receiver.receive) {
        /* Before the call: the machine may have made room before we hear that there was none. */
        atomic_store(&s->stalled, true);
        size_t taken = s->receiver.receive(s->receiver.opaque, s->pending, s->pending_n);
        if (taken > s->pending_n) taken = s->pending_n;
        s->pending_n -= taken;
        memmove(s->pending, s->pending + taken, s->pending_n);
        if (!taken) break;
    }
    if (!s->pending_n) atomic_store(&s->stalled, false);
    pthread_mutex_unlock(&s->lock);
}
