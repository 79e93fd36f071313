/* util/file.h: every way a file can fail to be what a user meant. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tap.h"
#include "util/file.h"

static char dir[] = "/tmp/calque-test-XXXXXX";
static char path[64];

static void make(size_t size)
{
    FILE *f = fopen(path, "w");
    for (size_t i = 0; i < size; i++) fputc((int)(i % 251), f);
    fclose(f);
}

static bool refused(const char *name, size_t max, const char *reason)
{
    char error[256] = "";
    FileData f;
    bool loaded = file_load("-kernel", name, max, &f, error, sizeof error);
    file_free(&f);
    if (loaded || !strstr(error, reason)) diag("%s", error);
    return !loaded && strstr(error, "-kernel '") == error && strstr(error, name) && strstr(error, reason) &&
           !strchr(error, '\n');
}

static bool loads(size_t size, size_t max)
{
    char error[256];
    FileData f;
    make(size);
    bool good = file_load("-kernel", path, max, &f, error, sizeof error) && f.size == size && f.bytes[size] == 0;
    for (size_t i = 0; good && i < size; i++) good = f.bytes[i] == i % 251;
    file_free(&f);
    return good && !f.bytes;
}

static bool pipe_loads(void)
{
    int p[2];
    char name[32], error[256], text[1000];
    FileData f;
    memset(text, 'p', sizeof text);
    if (pipe(p) != 0 || write(p[1], text, sizeof text) != (ssize_t)sizeof text) return false;
    close(p[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", p[0]);
    bool good = file_load("x", name, 4096, &f, error, sizeof error) && f.size == sizeof text && f.bytes[999] == 'p';
    file_free(&f);
    close(p[0]);
    return good;
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    ok(refused(path, 100, "No such file"), "missing");
    ok(refused(dir, 100, "irectory"), "a directory");
    make(0);
    ok(refused(path, 100, "is empty"), "empty");
    make(101);
    ok(refused(path, 100, "too large"), "one byte too large");
    ok(loads(100, 100), "exactly as large as allowed");
    ok(loads(1, 100), "one byte");
    ok(loads(300000, 1 << 20), "larger than the first buffer");
    ok(refused("/dev/zero", 100000, "too large"), "endless");
    ok(pipe_loads(), "a pipe");
    if (geteuid() != 0) {
        chmod(path, 0);
        ok(refused(path, 1 << 20, "denied"), "unreadable");
    }
    unlink(path);
    rmdir(dir);
    return tap_done();
}
