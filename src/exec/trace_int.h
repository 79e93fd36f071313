/* For trace*.c. */
#ifndef CALQUE_EXEC_TRACE_INT_H
#define CALQUE_EXEC_TRACE_INT_H

#include "exec/trace.h"
#include "util/sampler.h"

/* Events by how gladly they are given up when the file becomes full. */
enum TraceClass {
    TRACE_CLASS_END,     /* what says how it ended */
    TRACE_CLASS_BLOCKS,  /* blocks made and gone: the rest hangs on them */
    TRACE_CLASS_EDGES,   /* chains and lookups */
    TRACE_CLASS_CHATTER, /* all else */
    TRACE_CLASSES
};

/* trace_file.c: the file */
typedef struct TraceFile {
    int fd; /* -1: given up */
    const char *path;
    uint64_t limit, written;               /* bytes; written: with what is in the buffer */
    uint64_t start_ns, last_us, record_us; /* last_us: of the last record kept */
    uint64_t flushed_us;
    uint64_t dropped[TRACE_KINDS], n_dropped, told_dropped, first_drop_us, told_us;
    size_t used;
    uint8_t buffer[1 << 18];
    uint8_t kind; /* of the record being put together */
    size_t n;
    uint8_t record[TRACE_RECORD_MAX];
} TraceFile;
bool trace_file_open(TraceFile *f, const char *path, uint64_t limit, char *error, size_t error_size);
void trace_file_close(TraceFile *f);
uint64_t trace_now_us(const TraceFile *f);
/* A record: begin (at a time, 0: now), put, end. */
void trace_begin(TraceFile *f, enum TraceKind kind, uint64_t us);
void trace_put(TraceFile *f, uint64_t value);
void trace_put_bytes(TraceFile *f, const void *bytes, size_t n); /* without their number */
void trace_put_text(TraceFile *f, const char *text);
bool trace_end(TraceFile *f); /* false: dropped, there is no room */
/* False with a line in error: nothing can be written; the file is closed. */
bool trace_file_header(TraceFile *f, char *error, size_t error_size);
void trace_file_sync(TraceFile *f); /* hands to the system what is there */
/* Has at least so much room been left in the record? */
bool trace_fits(const TraceFile *f, size_t n);

/* trace_sample.c */
enum { SAMPLE_RING = 1 << 13, SAMPLE_INTERVAL_US = 1000 };
typedef struct TraceSampler {
    struct TraceSample {
        uint64_t us;
        const void *pc;
        uint8_t place;
    } ring[SAMPLE_RING];
    uint32_t head, tail; /* the signal handler writes at head */
    Sampler sampler;
    volatile bool waiting; /* the guest has nothing to do */
    volatile bool at_poll; /* no host address tells: the next poll shall say where the guest is */
} TraceSampler;

/* trace_callouts.c: counters that translated code increments */
typedef struct TraceTallies {
    uint64_t *count, *told;
    struct TraceTally {
        uint32_t owner;
        uint16_t helper;
    } * who;
    uint32_t n;
    uint64_t *plain, *plain_told, *before; /* by helper: of blocks that run once; of blocks that are gone */
} TraceTallies;
bool trace_tallies_init(TraceTallies *c);
void trace_tallies_free(TraceTallies *c);
void trace_tallies_tell(Trace *t);
void trace_tallies_forget(Trace *t); /* all blocks are gone */

struct Trace {
    Exec *ex;
    TraceFile file;
    TraceSampler sampler;
    TraceTallies tallies;
    uint32_t next_id;
    uint32_t n_modes, n_symbols;
    uint32_t *mode_index; /* by CPUState.mode_id: 1 + index, 0: not told yet */
    uint32_t mode_room;
    uint32_t *symbol;                   /* index told, by symbols_number(); 0: not told yet */
    uint32_t retried;                   /* id of the block one of whose instructions runs alone now */
    uint32_t pending_from, pending_eip; /* a lookup whose target the cache did not have */
    uint64_t *pair;                     /* lookups told: from << 32 | to */
    uint32_t n_pairs;
    struct TB **tired; /* sites that have used up their notes */
    uint32_t n_tired;
    uint64_t counts_us; /* when they were told last */
};
enum { TRACE_PAIRS = 1 << 20, TRACE_TIRED = 1 << 14, TRACE_COUNTS_US = 50000 };

void trace_sample_poll(Trace *t); /* on behalf of a sampler without host addresses */
void trace_drain_samples(Trace *t);

/* trace_lookups.c */
bool trace_lookups_init(Trace *t);
void trace_lookups_attach(CPUState *cpu);
void trace_lookups_refresh(Trace *t);

#endif
