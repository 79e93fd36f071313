/* The file that -trace-jit writes and "calque report" reads: doc/trace.txt has it in words.
 *
 *     header    TRACE_MAGIC, 32-bit version, 32-bit length of the rest of the header; in that, numbers and texts
 *     records   kind (1 byte), length (number), then so many bytes: microseconds since the record before, and
 *               what the kind has, in the order given below
 *
 * "number": LEB128, 7 bits a byte, the lowest first, bit 7: more follow.  "text": its length, and its bytes.  Readers
 * skip kinds that they do not know, and what a record has beyond what they know. */
#ifndef CALQUE_EXEC_TRACE_FORMAT_H
#define CALQUE_EXEC_TRACE_FORMAT_H

/* As PNG's: a name, and what a transfer as text would spoil. */
#define TRACE_MAGIC                                                                                                    \
    "\x93"                                                                                                             \
    "CQT\r\n\x1a\n"
enum {
    TRACE_MAGIC_SIZE = 8,
    TRACE_VERSION = 1,
    TRACE_HEADER_MAX = 1 << 20,
    TRACE_RECORD_MAX = 1 << 16,
    TRACE_BLOCKS_MAX = 1 << 28,
    TRACE_FEATURES = 6, /* words of CPUID features, in the order of FEAT_* (cpu/cpuid.h) */
};

/* The header's contents: number TRACE_FLAG_*; number of microseconds between samples (0: there are none); number of
 * seconds since 1970 at the start; TRACE_FEATURES numbers; texts: Calque's version, the backend, the command line, the
 * passes that are switched off, separated by commas. */
enum { TRACE_FLAG_COUNTING = 1 /* instructions are counted */, TRACE_FLAG_NO_CHAIN = 2 };

/* Blocks are named by ids 1, 2, ..., in the order in which they were made; 0: none, or not known. */
enum TraceKind {
    TRACE_MODE = 1, /* index, mode (cpu/mode.h), CS base, CS limit; indexes 0, 1, ... in order */
    TRACE_SYMBOL,   /* index, text; indexes 1, 2, ... in order */
    TRACE_HELPER,   /* index, text: name of a callout */
    /* id, EIP, physical address, mode, guest bytes, guest instructions, host bytes, TRACE_HOW_*, offsets in its first page from
     * and to which immediates are read when it runs (0, 0: nowhere), TRACE_END_*, symbol, offset from it; the guest's bytes; then
     * for what it looked ahead at: offset in its first page, length, bytes */
    TRACE_MADE,
    TRACE_COPIED,      /* id, EIP, id of the block copied, host bytes, symbol, offset from it */
    TRACE_CHAINED,     /* from, to, exit (0 or 1) */
    TRACE_UNCHAINED,   /* from, to, exit */
    TRACE_LOOKED_UP,   /* from, to: seen for the first time */
    TRACE_INVALIDATED, /* id, TRACE_WHY_*; a write: physical address, length, id of the writer, EIP of the writer */
    TRACE_FLUSHED,     /* blocks, host bytes */
    TRACE_CALLOUTS,    /* any number of: id, index of the helper, times since the last such record */
    TRACE_EXCEPTION,   /* vector, EIP, id of the block or 0, offset in its host code, error code, CR2 */
    TRACE_INTERRUPT,   /* vector, EIP interrupted */
    TRACE_ALONE,       /* EIP of an instruction that runs again by itself, id, offset in its host code */
    TRACE_SAMPLE,      /* TRACE_PLACE_*, id, offset in its host code */
    /* blocks and bytes in the cache; since the start: TLB misses, slow accesses, TLB flushes, turns of the loop */
    TRACE_COUNTS,
    TRACE_DROPPED, /* so far, for want of room: microseconds since the start of the first, then any number of: kind, events */
    TRACE_ENDED, /* nothing: the recording was ended in order */
    TRACE_KINDS
};

enum { TRACE_HOW_NO_RUNS = 1, TRACE_HOW_NO_WINDOW = 2, TRACE_HOW_NO_LOOK = 4, TRACE_HOW_SYSTEM_WINDOW = 8 };
enum TraceEnd {
    TRACE_END_UNKNOWN,
    TRACE_END_JUMP,
    TRACE_END_JCC,
    TRACE_END_CALL,
    TRACE_END_CALLR,
    TRACE_END_JMPR,
    TRACE_END_RET,
    TRACE_END_LEAVE,
    TRACE_END_NEXT, /* goes on behind its last instruction */
    TRACE_ENDS
};
enum TraceWhy {
    TRACE_WHY_NONE,
    TRACE_WHY_WRITE,
    TRACE_WHY_FLUSH,
    TRACE_WHY_MOVED,
    TRACE_WHY_RUNS,
    TRACE_WHY_WINDOW,
    TRACE_WHY_DEVICE,
    TRACE_WHY_STALE,
    TRACE_WHY_HOT,
    TRACE_WHYS
};
enum TracePlace { TRACE_PLACE_CODE, TRACE_PLACE_CALLOUT, TRACE_PLACE_LOOP, TRACE_PLACE_WAITING, TRACE_PLACES };

#endif
