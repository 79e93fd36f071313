/* ui/chardev.h: escapes, files, pipes, and a real (pseudo) terminal with its modes put back. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "ui/chardev.h"
#include "ui/escape.h"
#include "ui/outqueue.h"

/* --- escapes ----------------------------------------------------------------------------------- */
static void test_escape(void)
{
    Escape e = { 0 };
    ok(escape_feed(&e, 'x') == ESCAPE_PASS, "x alone is the guest's");
    ok(escape_feed(&e, 1) == ESCAPE_SWALLOW && escape_feed(&e, 'x') == ESCAPE_QUIT, "Ctrl-A x");
    ok(escape_feed(&e, 1) == ESCAPE_SWALLOW && escape_feed(&e, 1) == ESCAPE_PASS, "Ctrl-A Ctrl-A sends one");
    ok(escape_feed(&e, 'x') == ESCAPE_PASS, "and leaves no state");
    ok(escape_feed(&e, 1) == ESCAPE_SWALLOW && escape_feed(&e, 'q') == ESCAPE_SWALLOW, "an unknown one is swallowed");
    ok(escape_feed(&e, 1) == ESCAPE_SWALLOW && escape_feed(&e, 'b') == ESCAPE_BREAK, "Ctrl-A b");
}

/* --- output ------------------------------------------------------------------------------------ */
static void test_outqueue(void)
{
    enum { TOTAL = 3 << 20 };
    int p[2];
    if (pipe(p) != 0) exit(1);
    pid_t pid = fork();
    if (pid == 0) { /* a slow reader that checks the order */
        close(p[1]);
        unsigned char buf[8192];
        uint32_t at = 0;
        ssize_t n;
        while ((n = read(p[0], buf, sizeof buf)) > 0) {
            for (ssize_t i = 0; i < n; i++, at++) {
                if (buf[i] != at % 253) _exit(1);
            }
            if (at % 65536 < 8192) usleep(1000);
        }
        _exit(at == TOTAL ? 0 : 2);
    }
    close(p[0]);
    OutQueue *q = outqueue_new(p[1], true);
    uint8_t buf[1000];
    for (uint32_t at = 0; at < TOTAL;) {
        uint32_t n = at % 7 ? 1 : TOTAL - at < sizeof buf ? TOTAL - at : (uint32_t)sizeof buf;
        for (uint32_t i = 0; i < n; i++) buf[i] = (uint8_t)((at + i) % 253);
        outqueue_write(q, buf, n);
        at += n;
    }
    outqueue_free(q);
    int status;
    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "three MiB through a slow pipe, whole and in order");
}

static void test_broken_pipe(void)
{
    int p[2];
    if (pipe(p) != 0) exit(1);
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    OutQueue *q = outqueue_new(p[1], true);
    uint8_t buf[4096] = { 0 };
    for (int i = 0; i < 1000; i++) outqueue_write(q, buf, sizeof buf);
    outqueue_free(q);
    ok(true, "a pipe without a reader swallows");
}

static void test_file(void)
{
    char path[] = "/tmp/calque-chardev-XXXXXX", spec[64], error[256] = "", text[16] = "";
    int fd = mkstemp(path);
    snprintf(spec, sizeof spec, "file:%s", path);
    CharDev *cd = ui_chardev_open(spec, error, sizeof error);
    ok(cd != NULL, "opens a file");
    chardev_write(cd, "hello", 5);
    chardev_accept_input(cd);
    ui_close();
    ok(read(fd, text, sizeof text - 1) == 5 && strcmp(text, "hello") == 0, "and writes to it");
    ok(!ui_chardev_open("file:/nonexistent-folder/x", error, sizeof error) && strstr(error, "No such"),
       "no such folder");
    ok(!ui_chardev_open("file:", error, sizeof error), "no file name");
    ok(!ui_chardev_open("tty", error, sizeof error) && strstr(error, "mon:stdio"), "an unknown one lists the known");
    chardev_write(NULL, "x", 1);
    ok(true, "writing to nothing");
    close(fd);
    unlink(path);
}

/* --- a terminal -------------------------------------------------------------------------------------- */
static char received[256];
static atomic_size_t received_n;
static size_t room = 3; /* a UART that takes little at a time */
static atomic_int breaks, quits;

static size_t receive(void *opaque, const uint8_t *buf, size_t n)
{
    (void)opaque;
    size_t take = n < room ? n : room, at = received_n;
    if (at + take > sizeof received) take = 0;
    memcpy(received + at, buf, take);
    received_n = at + take;
    return take;
}

static void on_event(void *opaque, CharDevEvent ev)
{
    breaks += ev == CHARDEV_BREAK && !opaque;
}
static void on_quit(void *opaque)
{
    quits += opaque == NULL;
}

static bool wait_for(atomic_int *counter)
{
    for (int i = 0; i < 5000 && !*counter; i++) usleep(1000);
    return *counter != 0;
}

/* The child's side: stdin and stdout are the terminal. */
static int terminal_child(const char *how)
{
    char error[256];
    CharDev *cd = ui_chardev_open("mon:stdio", error, sizeof error);
    if (!cd || ui_chardev_open("stdio", error, sizeof error)) return 10;
    chardev_set_receiver(cd, &(CharDevReceiver){ receive, on_event, NULL });
    if (!ui_start(on_quit, NULL)) return 11;
    chardev_write(cd, "ready\n", 6);
    if (strcmp(how, "abort") == 0) {
        usleep(100000); /* its output is lost otherwise */
        abort();
    }
    if (strcmp(how, "exit") == 0) exit(7);
    if (!wait_for(&quits)) return 12;
    if (strcmp(how, "keys") == 0 && (received_n != 7 || memcmp(received, "abc\x01\x03-!", 7) != 0 || breaks != 1))
        return 13;
    ui_stop();
    chardev_write(cd, "x", 1);
    ui_close();
    return 0;
}

/* Runs terminal_child(how) on a fresh terminal; keys are typed, then sig is sent unless 0.  Its wait
 * status, with *same telling whether the terminal is as before. */
static int on_terminal(const char *how, const char *keys, size_t n, int sig, bool *same)
{
    struct termios before, after;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return -1;
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    tcgetattr(slave, &before);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(slave, 0);
        dup2(slave, 1);
        close(master);
        exit(terminal_child(how));
    }
    char buf[128] = "";
    struct pollfd ready = { .fd = master, .events = POLLIN }; /* "ready": the terminal is raw now */
    ssize_t got = poll(&ready, 1, 2000) > 0 ? read(master, buf, sizeof buf / 2) : 0;
    tcgetattr(slave, &after);
    bool raw = n ? !(after.c_lflag & (ICANON | ECHO)) : true;
    if (got > 0 && n && write(master, keys, n) != (ssize_t)n) diag("short write");
    if (sig) kill(pid, sig);
    int status;
    waitpid(pid, &status, 0);
    tcgetattr(slave, &after);
    *same =
        raw && before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag;
    if (got >= 0 && poll(&ready, 1, 0) > 0 && read(master, buf + got, sizeof buf / 2 - 1) < 0) diag("nothing more");
    *same &= strstr(buf, "\033[?7h") != NULL; /* lines wrap again, whatever the guest has told the terminal */
    close(slave);
    close(master);
    return status;
}

static void test_terminal(void)
{
    bool same = false;
    int st = on_terminal("keys",
                         "abc\x01\x01\x03\x01"
                         "b-!\x01"
                         "x",
                         12, 0, &same);
    ok(st == 0, "keys reach the guest, Ctrl-C too, and Ctrl-A x quits (status %#x)", (unsigned)st);
    ok(same, "the terminal is as before");
    st = on_terminal("term", "", 0, SIGTERM, &same);
    ok(st == 0 && same, "SIGTERM quits in order");
    st = on_terminal("term", "", 0, SIGHUP, &same);
    ok(st == 0 && same, "SIGHUP too");
    st = on_terminal("exit", "", 0, 0, &same);
    ok(WIFEXITED(st) && WEXITSTATUS(st) == 7 && same, "exit() puts the terminal back");
    st = on_terminal("abort", "", 0, 0, &same);
    ok(WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT && same, "abort() puts the terminal back");
    st = on_terminal("term", "", 0, SIGSEGV, &same);
    ok(st != 0 && same, "SIGSEGV puts the terminal back");
}

/* --- stdin at its end, and a receiver that stalls ---------------------------------------------------- */
static int stall_child(void)
{
    char error[256];
    CharDev *cd = ui_chardev_open("mon:stdio", error, sizeof error);
    room = 0;
    chardev_set_receiver(cd, &(CharDevReceiver){ receive, on_event, NULL });
    if (!ui_start(on_quit, NULL)) return 1;
    usleep(50000);
    if (received_n) return 2;
    room = 100;
    chardev_accept_input(cd);
    for (int i = 0; i < 2000 && received_n < 5; i++) usleep(1000);
    clock_t cpu = clock();
    usleep(100000);
    if (clock() - cpu > CLOCKS_PER_SEC / 50) return 3; /* stdin has ended: nothing to do */
    ui_stop();
    ui_close();
    return received_n == 5 ? 0 : 4;
}

static void test_stall(void)
{
    int p[2];
    if (pipe(p) != 0 || write(p[1], "12345", 5) != 5) exit(1);
    close(p[1]);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[0], 0);
        exit(stall_child());
    }
    int status;
    waitpid(pid, &status, 0);
    ok(status == 0, "input waits for a slow guest, and its end is quiet (status %#x)", (unsigned)status);
}

/* --- reasons to quit -------------------------------------------------------------------------------------- */
/* The child's status: 0, it was asked to quit once, and lived to tell. */
static int asked_to_quit(bool reader, unsigned signals)
{
    int p[2], status;
    if (pipe(p) != 0) exit(1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char error[256];
        dup2(p[1], STDOUT_FILENO);
        close(p[1]);
        quits = 0;
        if (!ui_chardev_open("stdio", error, sizeof error) || !ui_start(on_quit, NULL)) _exit(1);
        usleep(20000);
        if (quits) _exit(2);
        if (!reader) close(p[0]);
        for (unsigned i = 0; i < signals; i++) {
            kill(getpid(), SIGTERM);
            usleep(20000);
        }
        if (!wait_for(&quits)) _exit(3);
        usleep(20000);
        clock_t cpu = clock();
        usleep(100000);
        bool quiet = clock() - cpu < CLOCKS_PER_SEC / 50;
        _exit(quits != 1 ? 4 : quiet ? 0 : 5);
    }
    close(p[0]);
    close(p[1]);
    waitpid(pid, &status, 0);
    return status;
}

static void test_quit(void)
{
    int status = asked_to_quit(true, 2);
    ok(status == 0, "SIGTERM twice at once, as from timeout(1), is one request (status %#x)", (unsigned)status);
    status = asked_to_quit(false, 0);
    ok(status == 0, "a console whose reader is gone is a reason to quit (status %#x)", (unsigned)status);
}

static bool have_terminals(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    bool good = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0;
    int slave = good ? open(ptsname(fd), O_RDWR | O_NOCTTY) : -1;
    if (slave >= 0) close(slave);
    if (fd >= 0) close(fd);
    return slave >= 0;
}

int main(void)
{
    test_escape();
    fflush(stdout);
    test_outqueue();
    test_broken_pipe();
    test_file();
    if (have_terminals()) {
        test_terminal();
    } else {
        diag("no pseudo-terminals here (is /dev/pts mounted?): the terminal tests are skipped");
    }
    test_stall();
    test_quit();
    return tap_done();
}
