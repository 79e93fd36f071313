#include "ui/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ui/outqueue.h"
#include "ui/source.h"

enum { PENDING = 4096, PORT_TEXT = 8, HOST_TEXT = 256 };

typedef struct SocketDev {
    CharDev base;       /* first */
    InputSource source; /* see of_source() */
    int listen_fd;      /* -1: a client, or gone */
    char *path;         /* of a listening Unix socket, to be removed */
    bool tcp;

    pthread_mutex_t lock; /* connection and receiver */
    int fd;               /* -1: nobody there */
    OutQueue *out;
    CharDevReceiver receiver;
    bool announced; /* the receiver knows of this connection */
    atomic_bool stalled;
    atomic_bool hang_up; /* the device has answered all that the other end said before it fell silent */

    uint8_t pending[PENDING]; /* the input thread's alone */
    size_t pending_n;
    enum { TALKING, ENDING, ENDED } input; /* the same; ENDED: the receiver knows */
} SocketDev;

static SocketDev *of_source(InputSource *s)
{
    return (SocketDev *)((char *)s - offsetof(SocketDev, source));
}

/* --- the device's side ------------------------------------------------------------------------------------------ */

static void sock_write(CharDev *cd, const uint8_t *buf, size_t n)
{
    SocketDev *s = (SocketDev *)cd;
    pthread_mutex_lock(&s->lock);
    if (s->out) outqueue_write(s->out, buf, n);
    pthread_mutex_unlock(&s->lock);
}

static void sock_set_receiver(CharDev *cd, const CharDevReceiver *r)
{
    SocketDev *s = (SocketDev *)cd;
    pthread_mutex_lock(&s->lock);
    s->receiver = r ? *r : (CharDevReceiver){ 0 };
    s->announced = false;
    pthread_mutex_unlock(&s->lock);
    ui_wake_input();
}

static void sock_accept_input(CharDev *cd)
{
    SocketDev *s = (SocketDev *)cd;
    if (atomic_load_explicit(&s->stalled, memory_order_relaxed) && atomic_exchange(&s->stalled, false)) ui_wake_input();
}

static void sock_hang_up(CharDev *cd)
{
    SocketDev *s = (SocketDev *)cd;
    atomic_store(&s->hang_up, true);
    ui_wake_input();
}

static const CharDevOps socket_ops = { sock_write, sock_set_receiver, sock_accept_input, sock_hang_up };

/* --- connections ------------------------------------------------------------------------------------------------ */

static bool connected(SocketDev *s, int fd)
{
    int one = 1;
    if (s->tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    OutQueue *out = outqueue_new(fd, false);
    if (!out) {
        close(fd);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    s->fd = fd;
    s->out = out;
    s->announced = false;
    pthread_mutex_unlock(&s->lock);
    s->pending_n = 0;
    s->input = TALKING;
    atomic_store(&s->hang_up, false);
    return true;
}

static void disconnect(SocketDev *s)
{
    pthread_mutex_lock(&s->lock);
    OutQueue *out = s->out;
    int fd = s->fd;
    s->out = NULL;
    s->fd = -1;
    pthread_mutex_unlock(&s->lock);
    if (out) outqueue_free(out);
    if (fd >= 0) close(fd);
}

static int accept_one(SocketDev *s)
{
    int fd;
    do fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* --- the input thread's side ------------------------------------------------------------------------------------- */

static void deliver(SocketDev *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->fd >= 0 && !s->announced && s->receiver.receive) {
        s->announced = true;
        if (s->receiver.event) s->receiver.event(s->receiver.opaque, CHARDEV_OPENED);
    }
    while (s->pending_n && s->receiver.receive) {
        atomic_store(&s->stalled, true); /* before the call: see stdio.c */
        size_t taken = s->receiver.receive(s->receiver.opaque, s->pending, s->pending_n);
        if (taken > s->pending_n) taken = s->pending_n;
        s->pending_n -= taken;
        memmove(s->pending, s->pending + taken, s->pending_n);
        if (!taken) break;
    }
    if (!s->pending_n) atomic_store(&s->stalled, false);
    if (s->input == ENDING && !s->pending_n && s->receiver.event) {
        s->input = ENDED;
        s->receiver.event(s->receiver.opaque, CHARDEV_ENDED);
    }
    pthread_mutex_unlock(&s->lock);
}

static int source_fd(InputSource *source)
{
    SocketDev *s = of_source(source);
    if (s->fd < 0) return s->listen_fd;
    return s->input == TALKING && s->pending_n < PENDING ? s->fd : -1;
}

/* The other end sends no more; but it may be "echo info status | nc -N ...", which waits for the answer. */
static void input_ended(SocketDev *s)
{
    s->input = ENDING;
    deliver(s);
    if (s->input == ENDING && !s->receiver.event) disconnect(s);
}

static EscapeAction source_readable(InputSource *source)
{
    SocketDev *s = of_source(source);
    if (s->fd < 0) {
        int fd = accept_one(s);
        if (fd >= 0) connected(s, fd);
    } else {
        ssize_t n = read(s->fd, s->pending + s->pending_n, PENDING - s->pending_n);
        if (n > 0)
            s->pending_n += (size_t)n;
        else if (n == 0)
            input_ended(s);
        else if (errno != EINTR && errno != EAGAIN)
            disconnect(s);
    }
    deliver(s);
    return ESCAPE_SWALLOW;
}

static void source_woken(InputSource *source)
{
    SocketDev *s = of_source(source);
    deliver(s);
    if (s->fd >= 0 && s->input == ENDED && atomic_exchange(&s->hang_up, false)) disconnect(s);
}

static void source_close(InputSource *source)
{
    SocketDev *s = of_source(source);
    disconnect(s);
    if (s->listen_fd >= 0) close(s->listen_fd);
    if (s->path) unlink(s->path);
    free(s->path);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static const InputSourceOps source_ops = { source_fd, source_readable, source_woken, source_close };

/* --- opening ------------------------------------------------------------------------------------------------------ */

typedef struct Spec {
    bool tcp, server, wait;
    char host[HOST_TEXT], port[PORT_TEXT];
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
} Spec;

static bool fail(char *error, size_t error_size, const char *spec, const char *why)
{
    snprintf(error, error_size, "'%s': %s", spec, why);
    return false;
}

static bool take_option(Spec *sp, const char *option, size_t n)
{
    static const struct {
        const char *text;
        int server, wait; /* -1: unchanged */
    } options[] = {
        { "server", 1, -1 },  { "server=on", 1, -1 }, { "server=off", 0, -1 },
        { "nowait", -1, 0 },  { "wait", -1, 1 },      { "wait=off", -1, 0 },
        { "wait=on", -1, 1 }, { "nodelay", -1, -1 },  { "nodelay=on", -1, -1 },
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strlen(options[i].text) != n || memcmp(options[i].text, option, n) != 0) continue;
        if (options[i].server >= 0) sp->server = options[i].server;
        if (options[i].wait >= 0) sp->wait = options[i].wait;
        return true;
    }
    return false;
}

static bool parse_address(Spec *sp, const char *text, size_t n, char *error, size_t error_size, const char *spec)
{
    if (!sp->tcp) {
        if (!n || n >= sizeof sp->path) return fail(error, error_size, spec, "the path is missing or too long");
        memcpy(sp->path, text, n);
        return true;
    }
    const char *colon = memrchr(text, ':', n);
    size_t host = colon ? (size_t)(colon - text) : 0, port = colon ? n - host - 1 : 0;
    if (!port || port >= PORT_TEXT || host >= HOST_TEXT)
        return fail(error, error_size, spec, "HOST:PORT is expected, as in tcp:localhost:4444");
    memcpy(sp->host, text, host);
    memcpy(sp->port, colon + 1, port);
    return true;
}

static bool parse_spec(Spec *sp, const char *spec, char *error, size_t error_size)
{
    *sp = (Spec){ .tcp = strncmp(spec, "tcp:", 4) == 0, .wait = true };
    const char *p = strchr(spec, ':') + 1;
    size_t n = strcspn(p, ",");
    if (!parse_address(sp, p, n, error, error_size, spec)) return false;
    for (p += n; *p == ','; p += n) {
        p++;
        n = strcspn(p, ",");
        if (!take_option(sp, p, n))
            return fail(error, error_size, spec, "options are server[=on|off], nowait, wait=on|off, nodelay");
    }
    return true;
}

static int unix_socket(const Spec *sp)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    memcpy(a.sun_path, sp->path, sizeof a.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct stat st;
    /* What an earlier run left; never anything but a socket. */
    if (sp->server && stat(sp->path, &st) == 0 && S_ISSOCK(st.st_mode)) unlink(sp->path);
    int r = sp->server ? bind(fd, (struct sockaddr *)&a, sizeof a) : connect(fd, (struct sockaddr *)&a, sizeof a);
    if (r == 0 && (!sp->server || listen(fd, 1) == 0)) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int tcp_socket(const Spec *sp, const char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = sp->server ? AI_PASSIVE : 0 }, *list;
    int r = getaddrinfo(sp->host[0] ? sp->host : NULL, sp->port, &hints, &list), fd = -1, one = 1;
    if (r != 0) {
        *why = gai_strerror(r);
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        r = sp->server ? bind(fd, a->ai_addr, a->ai_addrlen) : connect(fd, a->ai_addr, a->ai_addrlen);
        if (r == 0 && (!sp->server || listen(fd, 1) == 0)) break;
        *why = strerror(errno);
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

CharDev *socket_open(const char *spec, char *error, size_t error_size)
{
    Spec sp;
    const char *why = NULL;
    if (!parse_spec(&sp, spec, error, error_size)) return NULL;
    int fd = sp.tcp ? tcp_socket(&sp, &why) : unix_socket(&sp);
    if (fd < 0) {
        fail(error, error_size, spec, why ? why : strerror(errno));
        return NULL;
    }
    SocketDev *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        fail(error, error_size, spec, "out of memory");
        return NULL;
    }
    s->base.ops = &socket_ops;
    s->source.ops = &source_ops;
    s->tcp = sp.tcp;
    s->fd = -1;
    s->listen_fd = sp.server ? fd : -1;
    s->path = sp.server && !sp.tcp ? strdup(sp.path) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    if (sp.server && sp.wait) {
        fprintf(stderr, "calque: waiting for a connection on %s\n", spec);
        fd = accept_one(s);
    }
    if ((!sp.server || sp.wait) && fd >= 0) connected(s, fd);
    ui_add_source(&s->source);
    return &s->base;
}
