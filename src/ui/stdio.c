#include "ui/stdio.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/outqueue.h"

enum { FACE_GUEST, FACE_MONITOR, FACES };

typedef struct Face {
    CharDev base;
    StdioDev *stdio;
    CharDevReceiver receiver; /* under the lock */
    bool greeted;             /* has had CHARDEV_OPENED */
    atomic_bool stalled;      /* the receiver took less than offered; accept_input shall wake us */
    size_t pending_n;         /* the input thread's alone */
    uint8_t pending[STDIO_PENDING];
} Face;

struct StdioDev {
    InputSource source; /* first */
    OutQueue *out;
    bool keep_signals, is_tty, at_end;
    Escape escape;
    int focus; /* which face the user speaks to; the input thread's once that runs */
    pthread_mutex_t lock;
    Face face[FACES];
};

/* --- devices' side ----------------------------------------------------------------------------------------- */

static void stdio_write(CharDev *cd, const uint8_t *buf, size_t n)
{
    outqueue_write(((Face *)cd)->stdio->out, buf, n);
}

static void stdio_set_receiver(CharDev *cd, const CharDevReceiver *r)
{
    Face *f = (Face *)cd;
    pthread_mutex_lock(&f->stdio->lock);
    f->receiver = r ? *r : (CharDevReceiver){ 0 };
    pthread_mutex_unlock(&f->stdio->lock);
    ui_wake_input();
}

static void stdio_accept_input(CharDev *cd)
{
    Face *f = (Face *)cd;
    /* A UART calls this for each byte the guest reads: no lock, and no wake-up when nothing waits. */
    if (atomic_load_explicit(&f->stalled, memory_order_relaxed) && atomic_exchange(&f->stalled, false)) ui_wake_input();
}

static const CharDevOps stdio_ops = { stdio_write, stdio_set_receiver, stdio_accept_input, NULL };

CharDev *stdio_face(StdioDev *s, bool monitor)
{
    return &s->face[monitor ? FACE_MONITOR : FACE_GUEST].base;
}
InputSource *stdio_source(StdioDev *s)
{
    return &s->source;
}
void stdio_flush(StdioDev *s)
{
    outqueue_flush(s->out);
}
bool stdio_keeps_signals(const StdioDev *s)
{
    return s->keep_signals;
}
void stdio_turn_to_monitor(StdioDev *s)
{
    s->focus = FACE_MONITOR;
}

/* --- the input thread's side ---------------------------------------------------------------------------------- */

/* With the lock held. */
static void greet(StdioDev *s)
{
    Face *f = &s->face[s->focus];
    if (f->greeted || !f->receiver.receive) return;
    f->greeted = true;
    if (f->receiver.event) f->receiver.event(f->receiver.opaque, CHARDEV_OPENED);
}

static void offer(Face *f)
{
    while (f->pending_n && f->receiver.receive) {
        /* Before the call: the machine may have made room before we hear that there was none. */
        atomic_store(&f->stalled, true);
        size_t taken = f->receiver.receive(f->receiver.opaque, f->pending, f->pending_n);
        if (taken > f->pending_n) taken = f->pending_n;
        f->pending_n -= taken;
        memmove(f->pending, f->pending + taken, f->pending_n);
        if (!taken) break;
    }
    if (!f->pending_n) atomic_store(&f->stalled, false);
}

static void deliver(InputSource *source)
{
    StdioDev *s = (StdioDev *)source;
    pthread_mutex_lock(&s->lock);
    greet(s);
    for (int i = 0; i < FACES; i++) offer(&s->face[i]);
    pthread_mutex_unlock(&s->lock);
}

static void say(StdioDev *s, const char *text)
{
    outqueue_write(s->out, (const uint8_t *)text, strlen(text));
}

static void send_event(StdioDev *s, CharDevEvent ev)
{
    CharDevReceiver *r = &s->face[s->focus].receiver;
    pthread_mutex_lock(&s->lock);
    if (r->event) r->event(r->opaque, ev);
    pthread_mutex_unlock(&s->lock);
}

static void turn(StdioDev *s)
{
    int other = 1 - s->focus;
    pthread_mutex_lock(&s->lock);
    bool there = s->face[other].receiver.receive != NULL, greeted = s->face[other].greeted;
    pthread_mutex_unlock(&s->lock);
    if (!there) {
        say(s, other == FACE_MONITOR ? "\n[no monitor on this terminal: -monitor or mon:stdio]\n" : "");
        return;
    }
    s->focus = other;
    say(s, "\n");
    if (greeted || other == FACE_GUEST) send_event(s, CHARDEV_FOCUS);
}

static EscapeAction handle_byte(StdioDev *s, uint8_t byte)
{
    Face *f = &s->face[s->focus];
    EscapeAction action = escape_feed(&s->escape, byte);
    switch (action) {
    case ESCAPE_PASS:
        if (f->pending_n < STDIO_PENDING) f->pending[f->pending_n++] = byte;
        break;
    case ESCAPE_HELP: say(s, escape_help); break;
    case ESCAPE_MONITOR: turn(s); break;
    case ESCAPE_BREAK: send_event(s, CHARDEV_BREAK); break;
    default: break;
    }
    return action;
}

static int source_fd(InputSource *source)
{
    StdioDev *s = (StdioDev *)source;
    bool room = s->is_tty || s->face[s->focus].pending_n < STDIO_PENDING;
    return !s->at_end && room ? STDIN_FILENO : -1;
}

static EscapeAction readable(InputSource *source)
{
    StdioDev *s = (StdioDev *)source;
    uint8_t buf[4096];
    size_t room = s->is_tty ? sizeof buf : STDIO_PENDING - s->face[s->focus].pending_n;
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
    deliver(source);
    return result;
}

static void close_source(InputSource *source)
{
    StdioDev *s = (StdioDev *)source;
    outqueue_free(s->out);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

StdioDev *stdio_new(bool keep_signals)
{
    static const InputSourceOps ops = { source_fd, readable, deliver, close_source };
    StdioDev *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->out = outqueue_new(STDOUT_FILENO, false);
    if (!s->out) {
        free(s);
        return NULL;
    }
    s->source.ops = &ops;
    s->keep_signals = keep_signals;
    s->is_tty = isatty(STDIN_FILENO);
    pthread_mutex_init(&s->lock, NULL);
    for (int i = 0; i < FACES; i++) {
        s->face[i].base.ops = &stdio_ops;
        s->face[i].stdio = s;
    }
    return s;
}
