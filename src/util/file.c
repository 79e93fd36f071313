#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_CHUNK = 64 * 1024 };

/* To the end of fd, or one byte more than max, which is enough to know that it is too large.
 * 0 or an errno.  Pipes have no size to ask for, so the buffer grows as bytes come. */
static int read_all(int fd, size_t expected, size_t max, FileData *f)
{
    size_t cap = expected < FIRST_CHUNK ? FIRST_CHUNK : expected + 2;
    f->bytes = malloc(cap);
    if (!f->bytes) return ENOMEM;
    for (;;) {
        if (f->size + 1 >= cap) {
            uint8_t *more = realloc(f->bytes, cap * 2);
            if (!more) return ENOMEM;
            f->bytes = more;
            cap *= 2;
        }
        ssize_t n = read(fd, f->bytes + f->size, cap - f->size - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        f->size += (size_t)n;
        if (n == 0 || f->size > max) break;
    }
    f->bytes[f->size] = 0;
    return 0;
}

static bool fail(const char *what, const char *path, const char *why, FileData *f, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s '%s': %s", what, path, why);
    file_free(f);
    return false;
}

bool file_load(const char *what, const char *path, size_t max, FileData *out, char *error, size_t error_size)
{
    *out = (FileData){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(what, path, strerror(errno), out, error, error_size);

    struct stat st = { 0 };
    int err = fstat(fd, &st) == 0 ? 0 : errno;
    if (!err && S_ISDIR(st.st_mode)) err = EISDIR;
    size_t expected = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
    if (!err) err = read_all(fd, expected > max ? max : expected, max, out);
    close(fd);

    if (err) return fail(what, path, strerror(err), out, error, error_size);
    if (out->size == 0) return fail(what, path, "is empty", out, error, error_size);
    if (out->size > max) {
        char why[64];
        snprintf(why, sizeof why, "is too large: at most %zu bytes fit", max);
        return fail(what, path, why, out, error, error_size);
    }
    return true;
}

void file_free(FileData *f)
{
    free(f->bytes);
    *f = (FileData){ 0 };
}
