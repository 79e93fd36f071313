#include "hw/inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "hw/alloc.h"

enum { INBOX_SIZE = 1024 };

struct Inbox {
    Machine *machine;
    CharDev *chardev;
    void (*ready)(void *opaque);
    void *opaque;
    pthread_mutex_t lock; /* all below */
    bool posted;          /* a post is under way and will see what is put in now */
    bool refused;         /* the CharDev keeps bytes back */
    uint8_t events;       /* bit n: CharDevEvent n */
    unsigned head, count;
    uint8_t buf[INBOX_SIZE];
};

static void on_post(void *opaque)
{
    Inbox *in = opaque;
    pthread_mutex_lock(&in->lock);
    in->posted = false;
    pthread_mutex_unlock(&in->lock);
    in->ready(in->opaque);
    if (inbox_get_event(in, CHARDEV_ENDED)) chardev_hang_up(in->chardev);
}

/* Called with the lock held; posting under it keeps the order of lock, then queue. */
static void post_once(Inbox *in)
{
    if (!in->posted) machine_post(in->machine, on_post, in);
    in->posted = true;
}

static size_t on_receive(void *opaque, const uint8_t *buf, size_t n)
{
    Inbox *in = opaque;
    pthread_mutex_lock(&in->lock);
    size_t took = 0;
    for (; took < n && in->count < INBOX_SIZE; took++) in->buf[(in->head + in->count++) % INBOX_SIZE] = buf[took];
    if (took < n) in->refused = true;
    if (took) post_once(in);
    pthread_mutex_unlock(&in->lock);
    return took;
}

static void on_event(void *opaque, CharDevEvent ev)
{
    Inbox *in = opaque;
    pthread_mutex_lock(&in->lock);
    in->events |= (uint8_t)(1u << ev);
    post_once(in);
    pthread_mutex_unlock(&in->lock);
}

Inbox *inbox_new(Machine *m, CharDev *cd, void (*ready)(void *opaque), void *opaque)
{
    Inbox *in = hw_alloc(sizeof *in);
    in->machine = m;
    in->chardev = cd;
    in->ready = ready;
    in->opaque = opaque;
    pthread_mutex_init(&in->lock, NULL);
    chardev_set_receiver(cd, &(CharDevReceiver){ .receive = on_receive, .event = on_event, .opaque = in });
    return in;
}

void inbox_free(Inbox *in)
{
    if (!in) return;
    chardev_set_receiver(in->chardev, &(CharDevReceiver){ 0 });
    pthread_mutex_destroy(&in->lock);
    free(in);
}

bool inbox_get(Inbox *in, uint8_t *byte)
{
    pthread_mutex_lock(&in->lock);
    bool got = in->count > 0;
    if (got) {
        *byte = in->buf[in->head];
        in->head = (in->head + 1) % INBOX_SIZE;
        in->count--;
    }
    bool again = in->refused && in->count == 0;
    if (again) in->refused = false;
    pthread_mutex_unlock(&in->lock);
    if (again) chardev_accept_input(in->chardev);
    return got;
}

bool inbox_get_event(Inbox *in, CharDevEvent ev)
{
    pthread_mutex_lock(&in->lock);
    bool got = in->events >> ev & 1;
    in->events &= (uint8_t) ~(1u << ev);
    pthread_mutex_unlock(&in->lock);
    return got;
}

bool inbox_get_break(Inbox *in)
{
    return inbox_get_event(in, CHARDEV_BREAK);
}
