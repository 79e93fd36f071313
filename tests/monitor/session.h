/* A Calque under test: its process, its monitor's socket, what its guest heard of the keyboard (guest.h). */
#ifndef CALQUE_TESTS_MONITOR_SESSION_H
#define CALQUE_TESTS_MONITOR_SESSION_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../tap.h"
#include "guest.h"

static const char prompt[] = "(calque) ";
static char folder[] = "/tmp/calque-monitor-XXXXXX";
static char guest[64], keys[64], sock[64], exe[PATH_MAX + 8];
static pid_t child;
static int fd = -1;
static char answer[1 << 17];

static bool connect_to(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    for (int i = 0; i < 500; i++) {
        if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return true;
        usleep(10000);
    }
    return false;
}

/* Reads to the next prompt.  False: none within ten seconds. */
static bool hear(void)
{
    size_t n = 0;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, 10000) != 1) break;
        ssize_t got = read(fd, answer + n, sizeof answer - 1 - n);
        if (got <= 0) break;
        n += (size_t)got;
        answer[n] = 0;
        if (n >= sizeof prompt - 1 && strcmp(answer + n - (sizeof prompt - 1), prompt) == 0) return true;
    }
    answer[n] = 0;
    diag("no prompt after: %s", answer);
    return false;
}

static bool tell(const char *line)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s\n", line);
    return write(fd, text, (size_t)n) == n && hear();
}

static int exit_status(void)
{
    int status;
    for (int i = 0; i < 1000; i++) {
        if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        usleep(10000);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}

__attribute__((unused)) static bool keys_are(const char *want, size_t n)
{
    uint8_t got[256];
    size_t have = 0;
    for (int i = 0; i < 500 && have < n; i++) {
        FILE *f = fopen(keys, "rb");
        have = f ? fread(got, 1, sizeof got, f) : 0;
        if (f) fclose(f);
        if (have < n) usleep(10000);
    }
    for (size_t i = 0; i < have; i++) diag("key byte %02x", got[i]);
    return have == n && memcmp(got, want, n) == 0;
}

static bool session_begin(void)
{
    const char *build = getenv("top_builddir");
    char path[PATH_MAX];
    if (!realpath(build ? build : ".", path)) return false;
    snprintf(exe, sizeof exe, "%s/calque", path);
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(folder)) return false;
    snprintf(guest, sizeof guest, "%s/guest", folder);
    snprintf(keys, sizeof keys, "%s/keys", folder);
    snprintf(sock, sizeof sock, "%s/socket", folder);
    return write_key_guest(guest);
}

static void session_end(void)
{
    unlink(guest);
    unlink(keys);
    unlink(sock);
    rmdir(folder);
}

#endif
