#include "block/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct Overlay {
    HostFile file;
    uint8_t *written; /* bit per sector; untouched pages of it cost nothing */
    size_t written_size;
};

/* /tmp may be memory; an overlay may become as large as a disk. */
static int open_temporary(char *error, size_t error_size)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir) dir = "/var/tmp";
    int fd = -1;
#ifdef O_TMPFILE
    fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
#endif
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/calque-XXXXXX", dir);
    if (n > 0 && (size_t)n < sizeof path && (fd = mkstemp(path)) >= 0) {
        unlink(path);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        return fd;
    }
    snprintf(error, error_size, "snapshot: cannot make a temporary file in '%s': %s", dir, strerror(errno));
    return -1;
}

Overlay *overlay_new(uint64_t sectors, char *error, size_t error_size)
{
    Overlay *o = calloc(1, sizeof *o);
    if (!o) {
        snprintf(error, error_size, "snapshot: out of memory");
        return NULL;
    }
    o->file = (HostFile){ .fd = -1, .direct_fd = -1, .bytes = sectors * BLOCK_SECTOR };
    o->written_size = (size_t)((sectors + 7) / 8);
    o->written =
        mmap(NULL, o->written_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (o->written == MAP_FAILED) {
        o->written = NULL;
        snprintf(error, error_size, "snapshot: out of memory");
    } else if ((o->file.fd = open_temporary(error, error_size)) >= 0) {
        if (ftruncate(o->file.fd, (off_t)o->file.bytes) == 0) return o;
        snprintf(error, error_size, "snapshot: temporary file: %s", strerror(errno));
    }
    overlay_free(o);
    return NULL;
}

void overlay_free(Overlay *o)
{
    if (!o) return;
    host_file_close(&o->file);
    if (o->written) munmap(o->written, o->written_size);
    free(o);
}

static bool is_written(const Overlay *o, uint64_t sector)
{
    return o->written[sector / 8] >> sector % 8 & 1;
}

/* How many sectors from here on, up to max, are in the same layer. */
static uint32_t run_length(const Overlay *o, uint64_t sector, uint32_t max)
{
    bool layer = is_written(o, sector);
    uint8_t all = layer ? 0xff : 0;
    uint32_t n = 1;
    while (n < max) {
        uint64_t s = sector + n;
        if (s % 8 == 0 && max - n >= 8 && o->written[s / 8] == all) {
            n += 8;
        } else if (is_written(o, s) == layer) {
            n++;
        } else {
            break;
        }
    }
    return n;
}

int overlay_read(Overlay *o, HostFile *base, uint64_t sector, uint32_t count, void *buf)
{
    for (uint8_t *to = buf; count;) {
        uint32_t n = run_length(o, sector, count);
        int error = host_file_read(is_written(o, sector) ? &o->file : base, sector * BLOCK_SECTOR, to,
                                   (size_t)n * BLOCK_SECTOR);
        if (error) return error;
        to += (size_t)n * BLOCK_SECTOR, sector += n, count -= n;
    }
    return 0;
}

bool overlay_read_now(Overlay *o, HostFile *base, uint64_t sector, uint32_t count, void *buf)
{
    for (uint8_t *to = buf; count;) {
        uint32_t n = run_length(o, sector, count);
        if (!host_file_read_now(is_written(o, sector) ? &o->file : base, sector * BLOCK_SECTOR, to,
                                (size_t)n * BLOCK_SECTOR))
            return false;
        to += (size_t)n * BLOCK_SECTOR, sector += n, count -= n;
    }
    return true;
}

int overlay_write(Overlay *o, uint64_t sector, uint32_t count, const void *buf)
{
    int error = host_file_write(&o->file, sector * BLOCK_SECTOR, buf, (size_t)count * BLOCK_SECTOR);
    if (error) return error;
    for (uint64_t s = sector; s < sector + count;) {
        if (s % 8 == 0 && sector + count - s >= 8) {
            o->written[s / 8] = 0xff;
            s += 8;
        } else {
            o->written[s / 8] |= (uint8_t)(1u << s % 8);
            s++;
        }
    }
    return 0;
}
