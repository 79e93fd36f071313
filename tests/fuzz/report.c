/* Recordings of -trace-jit, read by "calque report" and written in each of its forms. */
#include <string.h>

#include "cli/report.h"
#include "fuzz/parse.h"
#include "util/bytes.h"

static Report r;

static void read_it(void *opaque)
{
    (void)opaque;
    report_parse(&r);
}

/* What readers of the tables rely on. */
static void check(void)
{
    for (uint32_t i = 0; i < r.n_block; i++) {
        const ReportBlock *b = &r.block[i];
        FUZZ_CHECK(b->mode < r.n_mode && b->symbol < r.n_symbol && b->end < TRACE_ENDS && b->why_gone < TRACE_WHYS);
        FUZZ_CHECK(b->copy_of < (int32_t)i);
    }
    for (uint32_t i = 0; i < r.n_edge; i++)
        FUZZ_CHECK((uint32_t)r.edge[i].from < r.n_block && (uint32_t)r.edge[i].to < r.n_block &&
                   r.edge[i].kind < EDGE_KINDS);
    for (uint32_t i = 0; i < r.n_event; i++) {
        const ReportEvent *e = &r.event[i];
        FUZZ_CHECK(e->kind < EVENT_KINDS && e->block < (int32_t)r.n_block && (!i || e[-1].t <= e->t));
    }
}

static void write_it(void *opaque)
{
    FILE *out = opaque;
    ReportOptions o = { .views = 3, .guests = 3, .nodes = 5 };
    report_json(&r, &o, out);
    report_dot(&r, &o, out);
    o.functions = true;
    report_dot(&r, &o, out);
    if (r.n_block) report_block(&r, r.n_block - 1, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *out;
    if (!out) out = fopen("/dev/null", "w");
    uint8_t *copy = malloc(size + 1);
    FUZZ_CHECK(out && copy);
    if (!size) {
        free(copy);
        return 0; /* file_load() refuses it */
    }
    memcpy(copy, data, size);
    copy[size] = 0;
    r = (Report){ .path = "trace", .file = { copy, size }, .first_drop = REPORT_NONE };
    if (contained(read_it, NULL)) {
        check();
        FUZZ_CHECK(contained(write_it, out));
    }
    report_free(&r);
    return 0;
}

/* --- seeds ------------------------------------------------------------------------------------------------------ */

static uint8_t file[4096];
static size_t n;

static void put(uint64_t v)
{
    for (; v >= 0x80; v >>= 7) file[n++] = (uint8_t)(v | 0x80);
    file[n++] = (uint8_t)v;
}

static void put_text(const char *text)
{
    put(strlen(text));
    memcpy(file + n, text, strlen(text));
    n += strlen(text);
}

/* Numbers and, behind them, bytes as they are. */
static void record(unsigned kind, const uint64_t *field, unsigned fields, const void *bytes, size_t size)
{
    size_t at = n;
    put(1); /* microsecond */
    for (unsigned i = 0; i < fields; i++) put(field[i]);
    if (size) memcpy(file + n, bytes, size);
    n += size;
    size_t length = n - at;
    FUZZ_CHECK(length < 0x80);
    memmove(file + at + 2, file + at, length);
    file[at] = (uint8_t)kind;
    file[at + 1] = (uint8_t)length;
    n += 2;
}
#define RECORD(kind, bytes, ...)                                                                                       \
    record(kind, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t),      \
           bytes, sizeof bytes - 1)

static void header(const char *backend, unsigned flags)
{
    n = TRACE_MAGIC_SIZE + 8;
    put(flags);
    put(1000);
    put(1700000000);
    for (unsigned i = 0; i < TRACE_FEATURES; i++) put(UINT32_MAX);
    put_text("0.1");
    put_text(backend);
    put_text("calque -kernel linux");
    put_text("flags,dce");
    memcpy(file, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    put_le32(file + TRACE_MAGIC_SIZE, TRACE_VERSION);
    put_le32(file + TRACE_MAGIC_SIZE + 4, (uint32_t)n - TRACE_MAGIC_SIZE - 8);
}

static void seed(FuzzGive *give, const char *backend, unsigned flags, uint32_t mode)
{
    header(backend, flags);
    RECORD(TRACE_HELPER, "\3cli", 0);
    RECORD(TRACE_MODE, "", 0, mode, 0, 0xffffffff);
    RECORD(TRACE_SYMBOL, "\5start", 1);
    /* xor ecx, ecx; dec ecx; jnz */
    RECORD(TRACE_MADE, "\x31\xc9\x49\x75\xfd\0\0", 1, 0x100ffe, 0x100ffe, 0, 5, 3, 100, 0, 0, 0, TRACE_END_JCC, 1, 0);
    RECORD(TRACE_MADE, "\xc3\x10\1\x90", 2, 0x101003, 0x101003, 0, 1, 1, 60, 7, 3, 8, TRACE_END_RET, 1, 5);
    RECORD(TRACE_COPIED, "", 3, 0x201003, 2, 60, 0, 0);
    RECORD(TRACE_CHAINED, "", 1, 2, 1);
    RECORD(TRACE_LOOKED_UP, "", 2, 3);
    RECORD(TRACE_CALLOUTS, "", 1, 0, 7, 2, 0, 1);
    RECORD(TRACE_EXCEPTION, "", 14, 0x100ffe, 1, 20, 2, 0x1234);
    RECORD(TRACE_INTERRUPT, "", 32, 0x100ffe);
    RECORD(TRACE_ALONE, "", 0x100ffe, 1, 20);
    RECORD(TRACE_SAMPLE, "", TRACE_PLACE_CODE, 1, 30);
    RECORD(TRACE_UNCHAINED, "", 1, 2, 1);
    RECORD(TRACE_INVALIDATED, "", 2, TRACE_WHY_WRITE, 0x101003, 4, 1, 0x100ffe);
    RECORD(TRACE_COUNTS, "", 3, 220, 1, 2, 3, 4);
    RECORD(TRACE_FLUSHED, "", 3, 220);
    RECORD(TRACE_DROPPED, "", 17, TRACE_SAMPLE, 5);
    RECORD(TRACE_ENDED, "", 0);
    give(file, n);
}

static void seeds(FuzzGive *give)
{
    enum { FLAT = 0x1f80, PROTECTED_32 = 0x1c, RING_3 = 3 };
    seed(give, "x86_64", 0, FLAT | PROTECTED_32);
    seed(give, "interp", TRACE_FLAG_NO_CHAIN, FLAT | PROTECTED_32 | RING_3);
    seed(give, "", TRACE_FLAG_COUNTING, 0); /* real mode */
}

const FuzzTarget fuzz_target = { .name = "report", .slice = 10000, .max_size = 4096, .seeds = seeds };
