/* The trace's file: records put together, buffered, and bounded in size.
 *
 * The process may be killed at any time: what is buffered is handed to the system several times a second, and a reader
 * copes with a record that is cut short.  When there is no more room, events go by class, the chattiest first. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exec/trace_int.h"
#include "util/bytes.h"
#include "util/die.h"
#include "util/host_time.h"

enum { SYNC_US = 200000, TELL_DROPPED_US = 1000000, LAST_WORDS = 1024 /* bytes kept for the end */ };

static const uint8_t class_of[TRACE_KINDS] = {
    [TRACE_MODE] = TRACE_CLASS_BLOCKS,        [TRACE_SYMBOL] = TRACE_CLASS_BLOCKS,
    [TRACE_HELPER] = TRACE_CLASS_BLOCKS,      [TRACE_MADE] = TRACE_CLASS_BLOCKS,
    [TRACE_COPIED] = TRACE_CLASS_BLOCKS,      [TRACE_CHAINED] = TRACE_CLASS_EDGES,
    [TRACE_UNCHAINED] = TRACE_CLASS_EDGES,    [TRACE_LOOKED_UP] = TRACE_CLASS_EDGES,
    [TRACE_INVALIDATED] = TRACE_CLASS_BLOCKS, [TRACE_FLUSHED] = TRACE_CLASS_BLOCKS,
    [TRACE_CALLOUTS] = TRACE_CLASS_CHATTER,   [TRACE_EXCEPTION] = TRACE_CLASS_CHATTER,
    [TRACE_INTERRUPT] = TRACE_CLASS_CHATTER,  [TRACE_ALONE] = TRACE_CLASS_CHATTER,
    [TRACE_SAMPLE] = TRACE_CLASS_CHATTER,     [TRACE_COUNTS] = TRACE_CLASS_CHATTER,
    [TRACE_DROPPED] = TRACE_CLASS_END,        [TRACE_ENDED] = TRACE_CLASS_END,
};

/* Bytes of the file that a class may fill, in 64ths: what is above is for those that matter more. */
static const uint8_t share_of[TRACE_CLASSES] = {
    [TRACE_CLASS_END] = 64, [TRACE_CLASS_BLOCKS] = 63, [TRACE_CLASS_EDGES] = 56, [TRACE_CLASS_CHATTER] = 44
};

uint64_t trace_now_us(const TraceFile *f)
{
    return (host_ns() - f->start_ns) / 1000;
}

bool trace_file_open(TraceFile *f, const char *path, uint64_t limit, char *error, size_t error_size)
{
    f->path = path;
    f->limit = limit;
    f->start_ns = host_ns();
    f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (f->fd < 0) snprintf(error, error_size, "-trace-jit: cannot write '%s': %s", path, strerror(errno));
    return f->fd >= 0;
}

/* Recording ends, the guest goes on. */
static void give_up(TraceFile *f)
{
    warn_line("-trace-jit: cannot write '%s': %s; the recording ends here", f->path, strerror(errno));
    close(f->fd);
    f->fd = -1;
}

/* False: errno says. */
static bool write_buffer(TraceFile *f)
{
    size_t at = 0;
    while (at < f->used) {
        ssize_t n = write(f->fd, f->buffer + at, f->used - at);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return false;
    }
    return true;
}

void trace_file_sync(TraceFile *f)
{
    if (f->fd >= 0 && !write_buffer(f)) give_up(f);
    f->used = 0;
    f->flushed_us = f->last_us;
}

static void append(TraceFile *f, const void *bytes, size_t n)
{
    if (f->used + n > sizeof f->buffer) trace_file_sync(f);
    memcpy(f->buffer + f->used, bytes, n);
    f->used += n;
    f->written += n;
}

static size_t number(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) p[n++] = (uint8_t)(v | 0x80);
    p[n++] = (uint8_t)v;
    return n;
}

/* --- one record --------------------------------------------------------------------------------------- */

bool trace_fits(const TraceFile *f, size_t n)
{
    return f->n + n <= sizeof f->record;
}

void trace_put(TraceFile *f, uint64_t value)
{
    if (trace_fits(f, 10)) f->n += number(f->record + f->n, value);
}

void trace_put_bytes(TraceFile *f, const void *bytes, size_t n)
{
    if (!trace_fits(f, n)) return;
    memcpy(f->record + f->n, bytes, n);
    f->n += n;
}

void trace_put_text(TraceFile *f, const char *text)
{
    size_t n = strnlen(text, 4096);
    trace_put(f, n);
    trace_put_bytes(f, text, n);
}

void trace_begin(TraceFile *f, enum TraceKind kind, uint64_t us)
{
    if (!us) us = trace_now_us(f);
    if (us < f->last_us) us = f->last_us;
    f->kind = (uint8_t)kind;
    f->n = 0;
    trace_put(f, us - f->last_us);
    f->record_us = us;
}

static void tell_dropped(TraceFile *f)
{
    trace_begin(f, TRACE_DROPPED, 0);
    trace_put(f, f->first_drop_us);
    for (unsigned i = 0; i < TRACE_KINDS; i++) {
        if (!f->dropped[i]) continue;
        trace_put(f, i);
        trace_put(f, f->dropped[i]);
    }
    f->told_us = f->record_us;
    f->told_dropped = f->n_dropped;
    trace_end(f);
}

/* The next record tells the time that has passed. */
static bool drop(TraceFile *f)
{
    if (!f->n_dropped++) f->first_drop_us = f->record_us;
    f->dropped[f->kind]++;
    return false;
}

bool trace_end(TraceFile *f)
{
    uint8_t head[11] = { f->kind };
    size_t n = 1 + number(head + 1, f->n);
    enum TraceClass class = class_of[f->kind];
    if (f->fd < 0) return false;
    if (f->written + n + f->n > f->limit / 64 * share_of[class]) return drop(f);
    append(f, head, n);
    append(f, f->record, f->n);
    f->last_us = f->record_us;
    bool tell = f->n_dropped > f->told_dropped && f->last_us - f->told_us > TELL_DROPPED_US;
    if (tell && class != TRACE_CLASS_END && f->written + LAST_WORDS < f->limit) tell_dropped(f);
    if (f->last_us - f->flushed_us > SYNC_US) trace_file_sync(f);
    return true;
}

bool trace_file_header(TraceFile *f, char *error, size_t error_size)
{
    uint8_t head[TRACE_MAGIC_SIZE + 8];
    memcpy(head, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    put_le32(head + TRACE_MAGIC_SIZE, TRACE_VERSION);
    put_le32(head + TRACE_MAGIC_SIZE + 4, (uint32_t)f->n);
    append(f, head, sizeof head);
    append(f, f->record, f->n);
    bool good = write_buffer(f);
    if (!good) {
        snprintf(error, error_size, "-trace-jit: cannot write '%s': %s", f->path, strerror(errno));
        close(f->fd);
    }
    f->used = 0;
    return good;
}

void trace_file_close(TraceFile *f)
{
    if (f->fd < 0) return;
    if (f->n_dropped) tell_dropped(f);
    trace_begin(f, TRACE_ENDED, 0);
    trace_end(f);
    trace_file_sync(f);
    if (f->fd >= 0 && close(f->fd)) give_up(f);
    if (f->n_dropped)
        warn_line(
            "-trace-jit: '%s' became full after %.1f seconds: %llu events were dropped; a larger size= keeps more",
            f->path, (double)f->first_drop_us / 1e6, (unsigned long long)f->n_dropped);
}
