/* A trace (exec/trace_format.h) read into tables.  Nothing in the file is trusted: numbers that lead nowhere, or more of
 * anything than the file has bytes for, end the program with one line.  Only a record cut short at the very end is
 * expected, when the process that wrote it was killed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "softmmu/mmu.h"
#include "util/bytes.h"
#include "util/die.h"
#include "util/symbols.h"

/* Part of the file being read.  bad: it had not what was asked for. */
typedef struct Bytes {
    const uint8_t *p, *end;
    bool bad;
} Bytes;

typedef struct Reader {
    Report *r;
    Bytes b; /* of the record */
    int64_t t;
    uint64_t at;         /* offset of the record, for messages */
    uint32_t first_live; /* blocks below are gone */
    uint32_t mode_room, symbol_room, helper_room, block_room, edge_room, event_room, counts_room;
} Reader;

static _Noreturn void corrupt(const Reader *rd, const char *what)
{
    die("report: '%s' is damaged at byte %" PRIu64 ": %s", rd->r->path, rd->at, what);
}

static uint64_t number(Bytes *b)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (b->p == b->end) break;
        uint8_t byte = *b->p++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return v;
    }
    b->bad = true;
    return 0;
}

static uint32_t number32(Bytes *b)
{
    uint64_t v = number(b);
    if (v > UINT32_MAX) b->bad = true;
    return (uint32_t)v;
}

static const uint8_t *bytes(Bytes *b, uint64_t n)
{
    const uint8_t *p = b->p;
    if (n > (uint64_t)(b->end - b->p)) {
        b->bad = true;
        return NULL;
    }
    b->p += n;
    return p;
}

/* To be freed. */
static char *text(Bytes *b)
{
    uint64_t n = number(b);
    const uint8_t *p = bytes(b, n);
    char *copy = p ? strndup((const char *)p, n) : NULL;
    return copy ? copy : strdup("");
}

/* Room for one more row. */
static void *grow(void *table, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room) return table;
    if (*room > UINT32_MAX / 4) die("report: there is too much in this file");
    *room = *room ? 2 * *room : 256;
    table = realloc(table, *room * size);
    if (!table) die("report: out of memory");
    return table;
}
#define ADD(rd, name)                                                                                                  \
    ((rd)->r->name = grow((rd)->r->name, (rd)->r->n_##name, &(rd)->name##_room, sizeof *(rd)->r->name),                \
     memset(&(rd)->r->name[(rd)->r->n_##name], 0, sizeof *(rd)->r->name), &(rd)->r->name[(rd)->r->n_##name++])

/* By its id, which need not be known: its record may have been dropped. */
static int32_t block_index(const Report *r, uint64_t id)
{
    uint32_t lo = 0, hi = r->n_block;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->block[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return id && lo < r->n_block && r->block[lo].id == id ? (int32_t)lo : REPORT_NONE;
}

static int32_t block(Reader *rd)
{
    return block_index(rd->r, number(&rd->b));
}

static ReportEvent *event(Reader *rd, enum ReportEventKind kind, int32_t of)
{
    ReportEvent *e = ADD(rd, event);
    *e = (ReportEvent){
        .t = rd->t, .kind = (uint8_t)kind, .block = of, .a = REPORT_NONE, .b = REPORT_NONE, .c = REPORT_NONE
    };
    return e;
}

/* --- records ------------------------------------------------------------------------------------------------ */

static void read_mode(Reader *rd)
{
    if (number(&rd->b) != rd->r->n_mode) corrupt(rd, "a mode out of order");
    ReportMode *m = ADD(rd, mode);
    m->mode = number32(&rd->b);
    m->cs_base = number32(&rd->b);
    m->cs_limit = number32(&rd->b);
}

static void read_symbol(Reader *rd)
{
    if (number(&rd->b) != rd->r->n_symbol) corrupt(rd, "a symbol out of order");
    *ADD(rd, symbol) = text(&rd->b);
}

static void read_helper(Reader *rd)
{
    if (number(&rd->b) != rd->r->n_helper) corrupt(rd, "a callout's name out of order");
    ADD(rd, helper)->name = text(&rd->b);
}

/* Ids grow, so that they can be found again. */
static ReportBlock *new_block(Reader *rd)
{
    Report *r = rd->r;
    uint64_t id = number(&rd->b);
    if (id == 0 || id > TRACE_BLOCKS_MAX || (r->n_block && id <= r->block[r->n_block - 1].id))
        corrupt(rd, "a block out of order");
    ReportBlock *b = ADD(rd, block);
    *b = (ReportBlock){ .id = (uint32_t)id, .copy_of = REPORT_NONE, .made = rd->t, .gone = REPORT_NONE };
    b->open_edge[0] = b->open_edge[1] = REPORT_NONE;
    b->eip = number32(&rd->b);
    return b;
}

static void read_place(Reader *rd, ReportBlock *b)
{
    b->symbol = number32(&rd->b);
    b->offset = number32(&rd->b);
    if (b->symbol >= rd->r->n_symbol) corrupt(rd, "a symbol that has no name");
    b->lin = b->eip + (b->mode < rd->r->n_mode ? rd->r->mode[b->mode].cs_base : 0);
    event(rd, EVENT_MADE, (int32_t)rd->r->n_block - 1)->a = b->copy_of != REPORT_NONE;
    rd->r->event[rd->r->n_event - 1].b = b->copy_of;
}

static void read_made(Reader *rd)
{
    ReportBlock *b = new_block(rd);
    b->phys = number(&rd->b);
    b->mode = number32(&rd->b);
    b->guest_bytes = number32(&rd->b);
    b->guest_insns = number32(&rd->b);
    b->host_bytes = number32(&rd->b);
    b->how = number32(&rd->b);
    b->soft_from = number32(&rd->b);
    b->soft_to = number32(&rd->b);
    b->end = number32(&rd->b);
    if (b->mode >= rd->r->n_mode) corrupt(rd, "a block in a mode that was not told");
    if (b->end >= TRACE_ENDS || b->phys >> 52) corrupt(rd, "a block that cannot be");
    read_place(rd, b);
    b->code = bytes(&rd->b, b->guest_bytes);
    b->look_from = number32(&rd->b);
    b->look_len = number32(&rd->b);
    b->look = bytes(&rd->b, b->look_len);
    if (b->soft_from > PAGE_SIZE || b->soft_to > PAGE_SIZE || b->guest_bytes > PAGE_SIZE || b->look_from >= PAGE_SIZE ||
        b->look_len > PAGE_SIZE - b->look_from)
        corrupt(rd, "a block that is larger than a page");
}

static void read_copied(Reader *rd)
{
    ReportBlock *b = new_block(rd);
    int32_t from = block(rd);
    ReportBlock mine = *b;
    if (from == REPORT_NONE || from == (int32_t)rd->r->n_block - 1) {
        rd->r->n_block--; /* what it is a copy of had no room */
        return;
    }
    *b = rd->r->block[from];
    b->id = mine.id;
    b->eip = mine.eip;
    b->copy_of = from;
    b->made = rd->t;
    b->gone = REPORT_NONE;
    b->why_gone = b->samples = 0;
    b->callouts = 0;
    b->open_edge[0] = b->open_edge[1] = REPORT_NONE;
    b->host_bytes = number32(&rd->b);
    read_place(rd, b);
}

static unsigned direct_kind(const ReportBlock *b, unsigned exit)
{
    switch (b->end) {
    case TRACE_END_JCC: return exit ? EDGE_NOT_TAKEN : EDGE_TAKEN;
    case TRACE_END_CALL: return exit ? EDGE_BACK : EDGE_CALL;
    case TRACE_END_CALLR: return EDGE_BACK;
    default: return EDGE_NEXT;
    }
}

static int32_t new_edge(Reader *rd, int32_t from, int32_t to, unsigned kind)
{
    ReportEdge *e = ADD(rd, edge);
    *e = (ReportEdge){ .from = from, .to = to, .kind = kind, .at = rd->t, .until = REPORT_NONE };
    return (int32_t)rd->r->n_edge - 1;
}

static void edge_event(Reader *rd, enum ReportEventKind kind, int32_t from, int32_t to, int32_t edge)
{
    ReportEvent *e = event(rd, kind, from);
    e->a = to;
    e->b = edge;
}

static void read_chained(Reader *rd)
{
    int32_t from = block(rd), to = block(rd);
    uint64_t exit = number(&rd->b);
    if (exit > 1) corrupt(rd, "a block with more than two exits");
    if (from < 0 || to < 0) return;
    ReportBlock *b = &rd->r->block[from];
    b->open_edge[exit] = new_edge(rd, from, to, direct_kind(b, (unsigned)exit));
    edge_event(rd, EVENT_CHAINED, from, to, b->open_edge[exit]);
}

static void read_unchained(Reader *rd)
{
    int32_t from = block(rd), to = block(rd);
    uint64_t exit = number(&rd->b);
    if (exit > 1) corrupt(rd, "a block with more than two exits");
    if (from < 0 || to < 0) return;
    int32_t *open = &rd->r->block[from].open_edge[exit];
    if (*open >= 0) rd->r->edge[*open].until = rd->t;
    edge_event(rd, EVENT_UNCHAINED, from, to, *open);
    *open = REPORT_NONE;
}

static void read_looked_up(Reader *rd)
{
    int32_t from = block(rd), to = block(rd);
    if (from < 0 || to < 0) return;
    unsigned kind = rd->r->block[from].end == TRACE_END_RET ? EDGE_RETURN : EDGE_LOOKUP;
    edge_event(rd, EVENT_LOOKED_UP, from, to, new_edge(rd, from, to, kind));
}

static void read_invalidated(Reader *rd)
{
    int32_t of = block(rd);
    uint64_t why = number(&rd->b);
    if (why >= TRACE_WHYS) why = TRACE_WHY_NONE;
    ReportEvent e = { .a = REPORT_NONE, .b = REPORT_NONE, .c = REPORT_NONE };
    if (why == TRACE_WHY_WRITE || why == TRACE_WHY_STALE) {
        e.a = (int64_t)(number(&rd->b) & INT64_MAX);
        number(&rd->b);
        uint64_t writer = number(&rd->b), eip = number(&rd->b);
        e.b = block_index(rd->r, writer);
        if (writer) e.c = (int64_t)(eip & UINT32_MAX);
    }
    if (of < 0) return;
    rd->r->block[of].gone = rd->t;
    rd->r->block[of].why_gone = (uint32_t)why;
    ReportEvent *out = event(rd, EVENT_INVALIDATED, of);
    out->a = e.a;
    out->b = e.b;
    out->c = e.c;
}

static void read_flushed(Reader *rd)
{
    Report *r = rd->r;
    ReportEvent *e = event(rd, EVENT_FLUSHED, REPORT_NONE);
    e->a = (int64_t)(number(&rd->b) & INT64_MAX);
    e->b = (int64_t)(number(&rd->b) & INT64_MAX);
    for (; rd->first_live < r->n_block; rd->first_live++) {
        ReportBlock *b = &r->block[rd->first_live];
        for (unsigned i = 0; i < 2; i++)
            if (b->open_edge[i] >= 0) r->edge[b->open_edge[i]].until = rd->t;
        if (b->gone != REPORT_NONE) continue;
        b->gone = rd->t;
        b->why_gone = TRACE_WHY_FLUSH;
    }
}

static void read_callouts(Reader *rd)
{
    while (rd->b.p < rd->b.end && !rd->b.bad) {
        int32_t of = block(rd);
        uint64_t helper = number(&rd->b), times = number(&rd->b) & INT64_MAX;
        if (helper >= rd->r->n_helper) corrupt(rd, "a callout that has no name");
        rd->r->helper[helper].count += times;
        if (of >= 0) rd->r->block[of].callouts += times;
        ReportEvent *e = event(rd, EVENT_CALLOUT, of);
        e->a = (int64_t)helper;
        e->b = (int64_t)times;
    }
}

static void read_exception(Reader *rd)
{
    uint32_t vector = number32(&rd->b), eip = number32(&rd->b);
    int32_t of = block(rd);
    uint32_t offset = number32(&rd->b);
    ReportEvent *e = event(rd, EVENT_EXCEPTION, of);
    e->a = vector;
    e->b = eip;
    if (of >= 0) e->c = offset;
}

static void read_interrupt(Reader *rd)
{
    ReportEvent *e = event(rd, EVENT_INTERRUPT, REPORT_NONE);
    e->a = number32(&rd->b);
    e->b = number32(&rd->b);
}

static void read_alone(Reader *rd)
{
    uint32_t eip = number32(&rd->b);
    int32_t of = block(rd);
    ReportEvent *e = event(rd, EVENT_ALONE, of);
    e->a = eip;
    e->c = number32(&rd->b);
}

static void read_sample(Reader *rd)
{
    uint64_t place = number(&rd->b);
    int32_t of = block(rd);
    if (place >= TRACE_PLACES) corrupt(rd, "a sample from nowhere");
    if (of >= 0) rd->r->block[of].samples++;
    ReportEvent *e = event(rd, EVENT_SAMPLE, of);
    e->a = (int64_t)place;
    e->b = number32(&rd->b);
}

static void read_counts(Reader *rd)
{
    ReportCounts *c = ADD(rd, counts);
    c->t = rd->t;
    for (unsigned i = 0; i < REPORT_COUNTS; i++) c->value[i] = number(&rd->b);
}

/* Each such record has all that was dropped so far. */
static void read_dropped(Reader *rd)
{
    rd->r->first_drop = (int64_t)(number(&rd->b) & INT64_MAX);
    while (rd->b.p < rd->b.end && !rd->b.bad) {
        uint64_t kind = number(&rd->b), n = number(&rd->b);
        if (kind < TRACE_KINDS) rd->r->dropped[kind] = n;
    }
}

static void read_ended(Reader *rd)
{
    rd->r->complete = true;
}

static void (*const readers[TRACE_KINDS])(Reader *) = {
    [TRACE_MODE] = read_mode,           [TRACE_SYMBOL] = read_symbol,       [TRACE_HELPER] = read_helper,
    [TRACE_MADE] = read_made,           [TRACE_COPIED] = read_copied,       [TRACE_CHAINED] = read_chained,
    [TRACE_UNCHAINED] = read_unchained, [TRACE_LOOKED_UP] = read_looked_up, [TRACE_INVALIDATED] = read_invalidated,
    [TRACE_FLUSHED] = read_flushed,     [TRACE_CALLOUTS] = read_callouts,   [TRACE_EXCEPTION] = read_exception,
    [TRACE_INTERRUPT] = read_interrupt, [TRACE_ALONE] = read_alone,         [TRACE_SAMPLE] = read_sample,
    [TRACE_COUNTS] = read_counts,       [TRACE_DROPPED] = read_dropped,     [TRACE_ENDED] = read_ended,
};

/* False: the file ends within it. */
static bool read_record(Reader *rd, Bytes *f)
{
    Bytes head = *f;
    uint8_t kind = *head.p++;
    uint64_t size = number(&head);
    if (head.bad && head.p < head.end) corrupt(rd, "a record without a length");
    if (head.bad || size > (uint64_t)(head.end - head.p)) {
        if (size > TRACE_RECORD_MAX) corrupt(rd, "a record that is too long");
        return false;
    }
    rd->b = (Bytes){ head.p, head.p + size, false };
    f->p = head.p + size;
    uint64_t dt = number(&rd->b);
    if (dt > INT64_MAX / 4 || rd->t > INT64_MAX / 4) corrupt(rd, "a time that cannot be");
    rd->t += (int64_t)dt;
    if (kind < TRACE_KINDS && readers[kind]) readers[kind](rd);
    if (rd->b.bad) corrupt(rd, "a record that is too short");
    rd->r->recorded++;
    return true;
}

static void read_records(Reader *rd, Bytes *f)
{
    Report *r = rd->r;
    *ADD(rd, symbol) = strdup("");
    while (f->p < f->end) {
        rd->at = (uint64_t)(f->p - r->file.bytes);
        if (!read_record(rd, f)) break;
    }
    r->duration = rd->t;
    if (!r->complete)
        warn_line("report: '%s' is cut off: the recording did not end in order; what follows goes to %.3f seconds",
                  r->path, (double)r->duration / 1e6);
}

/* --- the file -------------------------------------------------------------------------------------------------- */

static void read_header(Reader *rd, Bytes b)
{
    Report *r = rd->r;
    r->flags = number(&b);
    r->interval_us = number(&b);
    r->started = number(&b) & INT64_MAX;
    for (unsigned i = 0; i < TRACE_FEATURES; i++) r->feature[i] = number32(&b);
    r->version = text(&b);
    r->backend = text(&b);
    r->command = text(&b);
    r->passes_off = text(&b);
    if (b.bad) corrupt(rd, "its header is not what it should be");
}

void report_parse(Report *r)
{
    enum { FIRST = TRACE_MAGIC_SIZE + 8 };
    const uint8_t *p = r->file.bytes;
    size_t size = r->file.size;
    if (memcmp(p, TRACE_MAGIC, size < TRACE_MAGIC_SIZE ? size : TRACE_MAGIC_SIZE) != 0)
        die("report: '%s' is not a recording: calque ... -trace-jit FILE makes one", r->path);
    if (size < FIRST) die("report: '%s' is cut off within its header: there is nothing in it", r->path);
    uint32_t version = get_le32(p + TRACE_MAGIC_SIZE), n = get_le32(p + FIRST - 4);
    if (version != TRACE_VERSION)
        die("report: '%s' is of version %u, and this Calque reads version %d: use the Calque that recorded it", r->path,
            version, TRACE_VERSION);
    if (n > size - FIRST) die("report: '%s' is cut off within its header: there is nothing in it", r->path);
    Reader rd = { .r = r, .at = TRACE_MAGIC_SIZE };
    read_header(&rd, (Bytes){ p + FIRST, p + FIRST + n, false });
    Bytes rest = { p + FIRST + n, p + size, false };
    read_records(&rd, &rest);
}

void report_read(Report *r, const char *path)
{
    char error[512];
    *r = (Report){ .path = path, .first_drop = REPORT_NONE };
    if (!file_load("report:", path, SIZE_MAX / 2, &r->file, error, sizeof error)) die("%s", error);
    report_parse(r);
}

void report_free(Report *r)
{
    for (uint32_t i = 0; i < r->n_symbol; i++) free(r->symbol[i]);
    for (uint32_t i = 0; i < r->n_helper; i++) free((void *)(uintptr_t)r->helper[i].name);
    free((void *)(uintptr_t)r->version);
    free((void *)(uintptr_t)r->backend);
    free((void *)(uintptr_t)r->command);
    free((void *)(uintptr_t)r->passes_off);
    free(r->symbol);
    free(r->helper);
    free(r->mode);
    free(r->block);
    free(r->edge);
    free(r->event);
    free(r->counts);
    file_free(&r->file);
    *r = (Report){ 0 };
}

void report_know_symbols(const Report *r)
{
    SymbolRange *range = calloc(r->n_symbol, sizeof *range);
    if (!range) die("report: out of memory");
    for (uint32_t i = 0; i < r->n_symbol; i++) range[i].name = r->symbol[i];
    for (uint32_t i = 0; i < r->n_block; i++) {
        const ReportBlock *b = &r->block[i];
        SymbolRange *s = &range[b->symbol];
        s->addr = b->lin - b->offset;
        if (b->offset + b->guest_bytes > s->size) s->size = b->offset + b->guest_bytes;
    }
    if (!symbols_add_ranges(range, r->n_symbol)) die("report: out of memory");
    free(range);
}

void report_rename(Report *r)
{
    uint32_t *index = calloc(symbols_count() + 1, sizeof *index);
    if (!index) die("report: out of memory");
    for (uint32_t i = 1; i < r->n_symbol; i++) free(r->symbol[i]);
    r->symbol = realloc(r->symbol, (symbols_count() + 2) * sizeof *r->symbol);
    if (!r->symbol) die("report: out of memory");
    r->n_symbol = 1;
    for (uint32_t i = 0; i < r->n_block; i++) {
        ReportBlock *b = &r->block[i];
        size_t s = symbols_number(b->lin);
        b->symbol = b->offset = 0;
        if (s == symbols_count()) continue;
        const char *name = symbols_at(b->lin, &b->offset);
        if (!index[s]) {
            r->symbol[r->n_symbol] = strdup(name);
            index[s] = r->n_symbol++;
        }
        b->symbol = index[s];
    }
    free(index);
}
