#include "ui/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ui/outqueue.h"
#include "ui/socket.h"
#include "ui/source.h"
#include "ui/stdio.h"
#include "ui/terminal.h"
#include "util/host_time.h"
#include "util/log.h"

enum {
    QUIT_PATIENCE_MS = 5000,
    QUIT_AGAIN_MS = 500, /* timeout(1) signals its child and then the child's group: that is one request, told twice */
    FDS_MAX = 16
};

/* --- files and nothing ------------------------------------------------------------------------- */
typedef struct FileDev {
    CharDev base;
    OutQueue *out; /* NULL: bytes go nowhere */
    struct FileDev *next;
} FileDev;
static FileDev *files;
static StdioDev *console;                   /* what stands on stdio, or NULL */
static bool console_guest, console_monitor; /* which of its faces are taken */
static InputSource *sources;

static void file_write(CharDev *cd, const uint8_t *buf, size_t n)
{
    FileDev *f = (FileDev *)cd;
    if (f->out) outqueue_write(f->out, buf, n);
}

static const CharDevOps file_ops = { .write = file_write };

static CharDev *out_of_memory(char *error, size_t error_size)
{
    snprintf(error, error_size, "out of memory");
    return NULL;
}

static CharDev *open_null(char *error, size_t error_size)
{
    FileDev *f = calloc(1, sizeof *f);
    if (!f) return out_of_memory(error, error_size);
    f->base.ops = &file_ops;
    f->next = files;
    files = f;
    return &f->base;
}

static CharDev *open_file(const char *path, char *error, size_t error_size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        snprintf(error, error_size, "file '%s': %s", path, strerror(errno));
        return NULL;
    }
    FileDev *f = (FileDev *)open_null(error, error_size);
    if (f) f->out = outqueue_new(fd, true);
    if (!f || !f->out) {
        close(fd);
        return out_of_memory(error, error_size);
    }
    return &f->base;
}

/* --- the input thread ----------------------------------------------------------------------------- */
static int wake_fd = -1, signal_fd = -1;
static pthread_t input_thread;
static bool input_running;
static atomic_bool stopping;
static sigset_t our_signals, mask_before;
static void (*quit_fn)(void *opaque);
static void *quit_opaque;
static uint64_t quit_asked_ns;   /* when first; 0: not yet */
static struct pollfd outputs[2]; /* pipes that somebody reads the console and the log from */

void ui_wake_input(void)
{
    uint64_t one = 1;
    if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0) return; /* full: it will wake anyway */
}

/* At the second request the machine evidently does not listen. */
static void request_quit(void)
{
    uint64_t now = host_ns();
    if (!quit_asked_ns) {
        quit_asked_ns = now;
        quit_fn(quit_opaque);
    } else if (now - quit_asked_ns > QUIT_AGAIN_MS * UINT64_C(1000000)) {
        terminal_restore();
        _exit(1);
    }
}

static void watch_outputs(void)
{
    bool log = log_mask && log_file() == stderr;
    outputs[0] = (struct pollfd){ .fd = console ? STDOUT_FILENO : -1 };
    outputs[1] = (struct pollfd){ .fd = log ? STDERR_FILENO : -1 };
}

/* As in "calque ... | head": a reader that has seen enough wants no more, like a terminal that is closed.  poll() says so
 * without being asked. */
static void take_output(unsigned i, short revents)
{
    if (!revents) return;
    outputs[i].fd = -1;
    if (revents & POLLERR && !quit_asked_ns) request_quit();
}

/* True: leave. */
static bool take_signal(void)
{
    struct signalfd_siginfo info;
    if (read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info) return false;
    if (info.ssi_signo != SIGCONT) return true;
    terminal_raw_again();
    return false;
}

void ui_add_source(InputSource *s)
{
    if (wake_fd < 0) wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    s->next = sources;
    sources = s;
}

enum { FDS_OUTPUTS = 2, FDS_SOURCES = 4 };
/* The wake-up and the signals, the outputs, then the sources in their order. */
static unsigned fill_fds(struct pollfd *fds)
{
    unsigned n = 0;
    fds[n++] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
    fds[n++] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
    fds[n++] = outputs[0];
    fds[n++] = outputs[1];
    for (InputSource *s = sources; s && n < FDS_MAX; s = s->next)
        fds[n++] = (struct pollfd){ .fd = s->ops->fd(s), .events = POLLIN };
    return n;
}

static void *input_loop(void *unused)
{
    while (!atomic_load(&stopping)) {
        struct pollfd fds[FDS_MAX];
        unsigned n_fds = fill_fds(fds);
        int n = poll(fds, n_fds, quit_asked_ns ? QUIT_PATIENCE_MS : -1);
        if (n == 0) request_quit();
        if (n <= 0) continue;
        uint64_t count;
        bool woken = fds[0].revents && read(wake_fd, &count, sizeof count) > 0;
        if (fds[1].revents && take_signal()) request_quit();
        for (unsigned i = 0; i < 2; i++) take_output(i, fds[FDS_OUTPUTS + i].revents);
        InputSource *s = sources;
        for (unsigned i = FDS_SOURCES; i < n_fds; i++, s = s->next) {
            if (woken) s->ops->woken(s);
            if (fds[i].revents && s->ops->readable(s) == ESCAPE_QUIT) request_quit();
        }
    }
    return unused;
}

/* --- public --------------------------------------------------------------------------------- */
static StdioDev *stdio_console(bool keep_signals)
{
    if (console) return console;
    console = stdio_new(keep_signals);
    if (console) ui_add_source(stdio_source(console));
    return console;
}

static CharDev *open_stdio(bool keep_signals, char *error, size_t error_size)
{
    if (console_guest || console_monitor) {
        snprintf(error, error_size, "stdio is in use already: only one device can have it");
        return NULL;
    }
    if (!stdio_console(keep_signals)) return out_of_memory(error, error_size);
    console_guest = true;
    return stdio_face(console, false);
}

CharDev *ui_chardev_open(const char *spec, char *error, size_t error_size)
{
    if (strcmp(spec, "null") == 0) return open_null(error, error_size);
    if (strncmp(spec, "file:", 5) == 0 && spec[5]) return open_file(spec + 5, error, error_size);
    if (strcmp(spec, "stdio") == 0) return open_stdio(true, error, error_size);
    if (strcmp(spec, "mon:stdio") == 0) return open_stdio(false, error, error_size);
    if (strncmp(spec, "unix:", 5) == 0 || strncmp(spec, "tcp:", 4) == 0) return socket_open(spec, error, error_size);
    snprintf(error, error_size,
             "'%s' is none of: stdio, mon:stdio, file:PATH, unix:PATH[,server,nowait], tcp:HOST:PORT[,server,nowait], "
             "null, none",
             spec);
    return NULL;
}

CharDev *ui_chardev_open_monitor(const char *spec, char *error, size_t error_size)
{
    bool alone = strcmp(spec, "stdio") == 0;
    if (!alone && strcmp(spec, "mon:stdio") != 0) return ui_chardev_open(spec, error, error_size);
    if (alone && console_guest && stdio_keeps_signals(console)) {
        snprintf(error, error_size, "stdio is in use already: mon:stdio for the serial port shares it");
        return NULL;
    }
    if (!stdio_console(alone)) return out_of_memory(error, error_size);
    if (!console_guest) stdio_turn_to_monitor(console);
    console_monitor = true;
    return stdio_face(console, true);
}

bool ui_start(void (*quit)(void *opaque), void *opaque)
{
    quit_fn = quit;
    quit_opaque = opaque;
    signal(SIGPIPE, SIG_IGN); /* write() says it too */

    /* Blocked everywhere and read as data: no handler ever runs in the middle of guest code. */
    sigemptyset(&our_signals);
    const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCONT };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaddset(&our_signals, signals[i]);
    pthread_sigmask(SIG_BLOCK, &our_signals, &mask_before);
    signal_fd = signalfd(-1, &our_signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (wake_fd < 0) wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (signal_fd < 0 || wake_fd < 0) return false;

    atexit(ui_stop);
    if (console) terminal_raw(stdio_keeps_signals(console));
    watch_outputs();
    quit_asked_ns = 0;
    atomic_store(&stopping, false);
    input_running = pthread_create(&input_thread, NULL, input_loop, NULL) == 0;
    return input_running;
}

static void stop_input(void)
{
    if (!input_running) return;
    input_running = false;
    atomic_store(&stopping, true);
    ui_wake_input();
    pthread_join(input_thread, NULL);
    close(signal_fd);
    signal_fd = -1;
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

void ui_stop(void)
{
    stop_input();
    if (console) stdio_flush(console);
    for (FileDev *f = files; f; f = f->next) {
        if (f->out) outqueue_flush(f->out);
    }
    terminal_restore();
}

void ui_close(void)
{
    ui_stop();
    while (sources) {
        InputSource *s = sources;
        sources = s->next;
        s->ops->close(s);
    }
    console = NULL;
    console_guest = console_monitor = false;
    while (files) {
        FileDev *f = files;
        files = f->next;
        outqueue_free(f->out);
        free(f);
    }
    if (wake_fd >= 0) close(wake_fd);
    wake_fd = -1;
}
