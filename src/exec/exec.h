/* The translation cache and the execution loop. */
#ifndef CALQUE_EXEC_EXEC_H
#define CALQUE_EXEC_EXEC_H

#include "backend/backend.h"
#include "cpu/cpu.h"

/* -trace-jit: what translation does, into a file (exec/trace_format.h) for "calque report". */
typedef struct ExecTrace {
    const char *path;    /* NULL: none */
    bool as_recorded;    /* translate as when there is one */
    uint64_t limit;      /* bytes of the file, at least EXEC_TRACE_LEAST */
    const char *command; /* the command line, for the reader; may be NULL */
} ExecTrace;
#define EXEC_TRACE_LEAST   (UINT64_C(1) << 18)
#define EXEC_TRACE_DEFAULT (UINT64_C(128) << 20)

typedef struct ExecOptions {
    const char *backend;  /* NULL: best */
    unsigned tb_size_mib; /* code arena, 1..2047 (0: a share of the host's memory) */
    bool no_chain;
    bool perfmap;        /* names of translated code for perf(1) */
    const char *jitdump; /* the code too, in a file in this folder; NULL: no */
    bool gdbjit;         /* for gdb */
    bool window_always;  /* or used wherever they can be, whether that pays or not */
    bool no_window;      /* all memory accesses are checked, see softmmu/window.h and window_global.h */
    bool icount;         /* count instructions, for ExecHooks.grant */
    bool lockstep;       /* two backends beside each other (exec/lockstep.h); backend is ignored */
    ExecTrace trace;     /* not with lockstep */
    uint32_t code_end;   /* linear address where code ends: running on to there raises #GP; 0: nowhere */
    uint64_t max_insns;  /* stop after so many guest instructions (0: never); for tests */
} ExecOptions;

/* What the loop needs from the machine, so that exec knows no devices. */
typedef struct ExecHooks {
    /* Takes what is due: input queue, timers.  Called whenever exit_request was seen (already cleared). False: stop running. */
    bool (*poll)(void *opaque);
    /* The CPU is halted with nothing pending: sleep until a device may have something. False: stop running. */
    bool (*wait)(void *opaque);
    /* With ExecOptions.icount, after each poll and wait: instructions until the next poll must come; 0: at once. */
    uint64_t (*grant)(void *opaque);
    /* An exception is about to be delivered (CPUState.exc_vector ...). False: stop running instead.  May be NULL. */
    bool (*exception)(void *opaque);
    /* Triple fault / shutdown state reached. False: stop running, true: it has been reset. */
    bool (*shutdown)(void *opaque);
    void *opaque;
} ExecHooks;

/* What exec_translate() made. */
typedef struct ExecBlock {
    uint32_t size;    /* guest bytes */
    uint32_t next[2]; /* where it is known to go on: EIPs */
    unsigned n_next;
} ExecBlock;

/* A block to be made as it was before (-trace-jit); what its bytes are, memory says. */
typedef struct ExecShow {
    PhysAddr phys;
    uint32_t insns;                                        /* at most */
    bool no_runs, no_window, no_look_ahead, system_window; /* how it was made */
    uint16_t soft_from, soft_to;                           /* the same: offsets in its first page */
    uint32_t items;                                        /* LOG_IN_ASM ...: what is shown */
} ExecShow;

typedef struct Exec Exec;
Exec *exec_new(CPUState *cpu, const ExecOptions *opt, const ExecHooks *hooks, char *error, size_t error_size);
void exec_free(Exec *ex);
void exec_run(Exec *ex); /* until a hook says stop */
/* Makes the block at CPUState.eip without running it (and with -d, logs it).  False: fetching it raises an exception,
 * which is in CPUState. */
bool exec_translate(Exec *ex, ExecBlock *out);
/* Makes the block at CPUState.eip in CPUState.mode and shows it in the log.  Returns the size of its host code; 0: it cannot be
 * made. */
uint32_t exec_show(Exec *ex, const ExecShow *how);
void exec_flush(Exec *ex);                                                                 /* forget all translations */
void exec_print_jit(Exec *ex, void (*emit)(void *opaque, const char *line), void *opaque); /* info jit */

#endif
