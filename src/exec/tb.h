/* Translation blocks and the cache that holds them: internal to exec. */
#ifndef CALQUE_EXEC_TB_H
#define CALQUE_EXEC_TB_H

#include <stdio.h>

#include "exec/exec.h"
#include "exec/trace_format.h"
#include "frontend/translate.h"
#include "tcg/notes.h"
#include "util/commit.h"

typedef struct TB TB;
typedef struct Trace Trace;

/* A chained direct exit, in its target's list of incoming links. */
typedef struct TbLink {
    TB *target; /* NULL: not chained */
    struct TbLink *next;
    BackendExit *exit;
} TbLink;

/* How a block is made otherwise because of what was patched in those before it: offsets in its first page. */
typedef struct PatchAdvice {
    uint16_t soft_from, soft_to;
    bool no_look_ahead;
} PatchAdvice;

struct TB {
    PhysAddr phys; /* of the first byte */
    uint32_t eip, lin, mode_id, mode;
    uint32_t size, n_guest;
    uint32_t ir_ops;
    /* Bytes of its first page that it only looked ahead at: which flags are needed there. */
    uint16_t look_from, look_len;
    uint16_t soft[IR_SOFT_MAX]; /* offsets in the first page of immediates that are read when the block runs */
    uint8_t n_soft;
    PatchAdvice advice;
    uint32_t trace_id; /* -trace-jit: its name in the file */
    bool valid;
    bool no_runs, no_window, system_window; /* how it was translated */
    uint8_t n_pages;
    uint8_t *page_host[2]; /* host addresses of its guest pages: what the page lists are keyed on */
    PhysAddr page_phys[2];
    uint32_t itlb_word[2];
    TB *page_next[2], **page_link[2]; /* in its pages' lists; what points to it there */
    TbLink *incoming;
    TbLink link[2];
    BackendLookup lookup;
    BackendCode code;
};
enum { LOOKUPS_TOLD = 64 /* BackendLookup.left at first */ };

enum { BLOCK_SET_BITS = 17, TWIN_BITS = 20, TB_HASH_BITS = 20, PAGE_HASH_BITS = 12, MODE_HASH_BITS = 8 };

/* Blocks that are to be translated in some plainer way, by a hash of their address.  Such a set may say yes too often (the
 * block is then only slower) but never forgets: two blocks must not push each other out and be translated for ever. */
typedef struct BlockSet {
    uint8_t bits[1 << (BLOCK_SET_BITS - 3)];
} BlockSet;

/* A block in the table of all blocks by physical address, EIP and mode.  Apart from the block itself, eight to a cache line, for
 * most searches find nothing. */
typedef struct TbName {
    uint32_t hash;
    uint32_t next; /* its number and 1; 0: none */
} TbName;

/* Blocks by hashes of their addresses: their numbers and 1.  Large, and looked up all over: in huge pages. */
typedef struct TbTables {
    uint32_t hash[1 << TB_HASH_BITS]; /* of physical address, EIP and mode: the first of a chain of names */
    uint32_t twin[1 << TWIN_BITS];    /* of physical address and mode; twin.c's */
} TbTables;

/* Blocks of one guest page. */
typedef struct CodePage {
    uint8_t *host;
    PhysAddr phys; /* one of its addresses: of the last block made, or the last write */
    TB *first;
    unsigned writes; /* to bytes that were code, since a block was last made here */
    struct CodePage *next;
} CodePage;

/* A block whose code keeps being written: which bytes, by offset in its first page. */
typedef struct PatchedCode {
    PhysAddr phys; /* of the block */
    uint16_t from, to;
    uint8_t writes; /* 0: free */
    bool look;      /* bytes that it only looked ahead at are among them */
} PatchedCode;
enum { PATCHED_BITS = 9 };

/* A combination of mode flags, CS base and CS limit, with its number. */
typedef struct ModeEntry {
    uint32_t mode, cs_base, cs_limit, id;
    struct ModeEntry *next;
} ModeEntry;

struct Exec {
    CPUState *cpu;
    const Backend *backend;
    struct Lockstep *lockstep; /* NULL: one backend */
    ExecHooks hooks;
    ExecOptions opt;
    CodeArena arena;
    size_t arena_base;                              /* used after init: where blocks begin */
    CommitArea commit_code, commit_cold, commit_tb; /* the arena's two parts, and the table below */
    TB *tb;                                         /* all blocks, in order of their code addresses */
    uint32_t n_tb, max_tb;
    TbName *tb_name; /* by number, as tb */
    TbTables *tables;
    CodePage *page_hash[1 << PAGE_HASH_BITS];
    PatchedCode patched[1 << PATCHED_BITS]; /* by hash of phys */
    ModeEntry *mode_hash[1 << MODE_HASH_BITS];
    ModeEntry *mode_now;
    uint32_t next_mode_id;
    TB *jump_tb[JUMP_CACHE_SIZE]; /* the block behind each jump-cache entry */
    IrBlock ir;
    TB scratch; /* a block that runs once: retried alone, or from memory that cannot be tracked */
    bool scratch_active, retry_single, running;
    bool delivering;           /* an exception; still set in the next turn when delivery itself raised */
    uint64_t *callouts;        /* -d stats: by helper; else NULL */
    struct Announce *announce; /* -perfmap and the like (announce.h); else NULL */
    Trace *trace;              /* -trace-jit; else NULL */
    BlockSet no_runs;          /* page checks cannot be merged */
    BlockSet hot;              /* pages, see hot.c */
    BlockSet no_window;        /* accesses by the window fault again and again */
    BlockSet ends_block;       /* of instructions, by address: they access devices */
    /* Counting.  By block, and last the scratch block: its instructions' lengths. */
    uint8_t (*insn_len)[TRANSLATE_MAX_INSNS];
    BackendExit *last_exit; /* the unchained exit that the last run left by */
    uint64_t n_translated, n_copied, n_flush, n_invalidated, n_runs, n_guest_bytes, n_host_bytes, n_guest_insns;
    uint64_t n_lookups, n_chained, n_exceptions, n_interrupts, n_alone;
    uint64_t translate_ns, copy_ns;
    bool translating;
    struct Profile *profile; /* -d stats; else NULL */
};

/* loop.c */
TB *exec_known_tb(const Exec *ex, uint32_t mode_id); /* at CS:EIP, if it is found without any side effect; else NULL */
/* Events that wait at the processor's pins. */
static inline bool exec_pending(const CPUState *cpu)
{
    return cpu->intr_line | cpu->nmi_pending | cpu->smi_pending | cpu->init_pending;
}

/* cache.c */
bool cache_init(Exec *ex, char *error, size_t error_size);
void cache_free(Exec *ex);
void cache_commit(Exec *ex); /* before a block is made: has the host provide the memory that it will take */
TB *cache_find(Exec *ex, PhysAddr phys, uint32_t eip, uint32_t mode_id);
void cache_insert(Exec *ex, TB *tb);
void cache_chain(Exec *ex, BackendExit *exit, TB *target);
/* A write that threw blocks away. */
typedef struct TraceWrite {
    PhysAddr addr;
    unsigned len;
} TraceWrite;
/* why, and the write if one is to blame, or NULL: for -trace-jit. */
void cache_invalidate(Exec *ex, TB *tb, enum TraceWhy why, const TraceWrite *write);
TB *cache_tb_at(Exec *ex, const void *host_pc);     /* whose code holds host_pc; NULL: none */
void cache_add_to(Exec *ex, BlockSet *set, TB *tb); /* and translate it again; tb may be NULL */
void cache_set_add(BlockSet *set, PhysAddr phys);
bool cache_in_set(const BlockSet *set, PhysAddr phys);
uint32_t cache_mode_id(Exec *ex); /* for the CPU's mode now */

/* smc.c: code pages and writes to them */
void pages_add(Exec *ex, TB *tb);
void pages_remove(TB *tb);
void pages_free(Exec *ex, bool untrack);
TB *pages_first(Exec *ex, const uint8_t *host);  /* of the page's list, see TB.page_next; NULL: no blocks there */
PatchAdvice smc_advice(Exec *ex, PhysAddr phys); /* what to do otherwise where the block was patched */
void smc_attach(Exec *ex);                       /* code tracking callbacks */

/* build.c */
TB *build_tb(Exec *ex, PhysAddr phys, uint32_t lin); /* translates at CPUState.eip; raises #PF */
/* Not cached.  One instruction, or as many of whole, which has its place in the cache, as may be run. */
TB *build_scratch(Exec *ex, uint32_t lin, const TB *whole);
/* Translates tb, which is dead after this, once more, showing all that -d can; the CPU must be as before it ran.  NULL: it
 * cannot be. */
TB *build_show(Exec *ex, const TB *tb);

/* hot.c: code that uses the system's window */
void hot_sample(Exec *ex);                    /* a hardware interrupt is about to be taken */
bool hot_here(const Exec *ex, PhysAddr phys); /* code at phys, for the CPU's mode, is to use it */

/* count.c */
bool count_init(Exec *ex); /* false: out of memory */
void count_free(Exec *ex);
void count_grant(Exec *ex);
void count_after_jump(Exec *ex); /* after an exception, CPUState.host_pc being still where it came from */
void count_note_block(Exec *ex, const TB *tb);
bool count_is_last(const Exec *ex, PhysAddr insn);

/* dump.c */
/* A block just made.  before: its IR as it went into the passes, with notes on what they did; both NULL when they are not
 * known. */
typedef struct BlockDump {
    const Exec *ex;
    const TB *tb;
    const IrBlock *before, *after;
    const IrNotes *notes;
    const EmitMap *map;
    unsigned map_n;
} BlockDump;
void dump_block(const BlockDump *d); /* to the log */

/* dump_host.c: the host code of one block, for dump.c */
typedef struct HostCount {
    uint32_t hot, cold; /* instructions */
    uint32_t cold_bytes;
    struct HostPurpose {
        const char *name; /* NULL: the guest's instructions themselves */
        uint32_t n;       /* hot instructions */
    } purpose[32];
    unsigned n_purposes;
} HostCount;
/* What serves operations [first, last), in line or not: prints it and adds it up. */
void dump_host(const BlockDump *d, uint32_t first, uint32_t last, bool cold, HostCount *count);
void dump_host_totals(const BlockDump *d, const HostCount *count);
/* The columns of all lines: what the line is, an address, bytes, and text. */
enum DumpColour { DUMP_PLAIN, DUMP_HEAD, DUMP_GUEST, DUMP_IR, DUMP_NOTE, DUMP_HOST, DUMP_COLD };
void dump_line(enum DumpColour colour, const char *tag, const char *addr, const char *bytes, const char *text,
               const char *purpose);
void dump_hex(char *buf, size_t size, const uint8_t *bytes, size_t n);

/* twin.c: the same code at another EIP */
bool twin_allowed(const Exec *ex);
TB *twin_copy(Exec *ex, PhysAddr phys, uint32_t lin); /* NULL: there is none to copy, translate */
void twin_offer(Exec *ex, TB *tb);

/* stats.c */
void stats_init(Exec *ex);
void stats_free(Exec *ex); /* prints, with -d stats */

/* profile.c: with -d stats, else nothing */
typedef struct ProfileShares {
    uint64_t samples;                         /* of the machine thread's processor time */
    double code, callouts, translation, loop; /* percent: generated code, C called by it, ... */
} ProfileShares;
void profile_start(Exec *ex); /* on the machine thread */
void profile_stop(Exec *ex);
bool profile_shares(const Exec *ex, ProfileShares *out); /* false: there are no samples */
void profile_free(Exec *ex);

#endif
