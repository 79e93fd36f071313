/* What a backend is: IR in, something runnable out. */
#ifndef CALQUE_BACKEND_BACKEND_H
#define CALQUE_BACKEND_BACKEND_H

#include "cpu/cpu.h"
#include "tcg/ir.h"

/* Space for code, mapped twice by exec: write here, run there (the portable backend uses rw only).
 * exec_delta: add to a rw address to get the address that runs.
 * What a block seldom runs is kept out of the way of the host's instruction cache: in a space of its own, which begins at
 * offset size and ends at cold_end.  cold_end 0: there is none (the portable backend needs none). */
typedef struct CodeArena {
    uint8_t *rw;
    size_t size, used;
    size_t cold_end, cold_used; /* offsets, too */
    ptrdiff_t exec_delta;
} CodeArena;

static inline size_t arena_room(const CodeArena *a)
{
    return a->cold_end ? a->cold_end : a->size;
}
static inline size_t arena_used(const CodeArena *a)
{
    return a->used + (a->cold_end ? a->cold_used - a->size : 0);
}
/* All behind offset `used' is free again. */
static inline void arena_rewind(CodeArena *a, size_t used)
{
    a->used = used;
    a->cold_used = a->size;
}

/* One direct exit of a block, inside its owner's translation block.  Generated code names it in
 * CPUState.exit_slot when it leaves through it unlinked. */
typedef struct BackendExit {
    void *owner;  /* exec's translation block */
    uint32_t eip; /* guest target */
    uint8_t used; /* this block has this exit */
    void *site;   /* the backend's: where to patch */
    void *stub;   /* the backend's: where the unlinked exit goes */
} BackendExit;

typedef struct BackendCode {
    const void *entry;         /* as run: for jumps within one guest page */
    const void *entry_checked; /* checks first that its linear page still maps to its physical page */
    const void *entry_again;   /* for a jump from the block's own end: what .entry checks still holds */
    const void *cold;          /* as run: where the code out of line begins */
    uint32_t size, cold_size;  /* bytes of host code: from entry_checked on, and out of line */
    uint32_t reloc, n_reloc;   /* the backend's: what a copy for another EIP must change; none: cannot be copied */
    BackendExit exit[2];
} BackendCode;

/* Offsets in a block count its code in line first, then what is out of line. */
static inline uint32_t code_size(const BackendCode *c)
{
    return c->size + c->cold_size;
}
static inline const uint8_t *code_at(const BackendCode *c, uint32_t offset)
{
    return offset < c->size ? (const uint8_t *)c->entry_checked + offset
                            : (const uint8_t *)c->cold + (offset - c->size);
}
/* pc: in the block, or right behind either part. */
static inline uint32_t code_offset(const BackendCode *c, const void *pc)
{
    size_t out = (size_t)((const uint8_t *)pc - (const uint8_t *)c->cold);
    if (c->cold_size && out <= c->cold_size) return (uint32_t)(c->size + out);
    return (uint32_t)((const uint8_t *)pc - (const uint8_t *)c->entry_checked);
}

/* What an indirect jump, indirect call or return remembers when somebody wants to know where it leads. */
typedef struct BackendLookup {
    uint32_t last; /* the target that it told last */
    int32_t left;  /* times that it may tell another one; then it is quiet */
} BackendLookup;

/* What emit() needs to know besides the IR. */
typedef struct EmitInfo {
    void *owner;      /* for BackendExit.owner */
    uint32_t mode_id; /* CPUState.mode_id of this block */
    /* Pages for the checked entry: index into Mmu.itlb[user ? 0 : 1] and the word expected; second page only when the
     * block spans two (then also checked at .entry). n_pages 0: do not check (uncached block). */
    unsigned n_pages;
    uint32_t page_lin[2], itlb_word[2];
    bool same_page_exit[2]; /* target lies in the first page: may link to .entry */
    bool copies;            /* note what copy() needs */
    const uint8_t *code;    /* host address of the block's first byte, for LDCODE; it stays good as long as the block */
    bool no_chain;
    bool count; /* at entry: leave when exit is requested or CPUState.insns_left is less than the block has, else
                     * take as many from it */
    /* The counter that a call of this helper increments; NULL: they are not counted. */
    uint64_t *(*tally)(void *opaque, unsigned helper);
    void *tally_opaque;
    BackendLookup *lookup; /* within *owner: CPUState.lookup_seen is told of targets; NULL: it is not */
    bool system_window;    /* accesses by the system's window, if the CPU has one (softmmu/window_global.h) */
    bool no_window;        /* MODE_WINDOW notwithstanding, accesses are checked */
    bool no_runs;          /* every access checks for itself (IrMem.run ignored) */
} EmitInfo;

/* One row per range of host code, in order, for -d out_asm: which IR operation it serves, and what for. */
enum { EMIT_MAP_ENTRY = ~0u };
#define EMIT_MAP_DATA "data" /* a purpose: no instructions */
typedef struct EmitMap {
    uint32_t offset;     /* see code_offset(); the range goes on to the next row's, the last one's to the end */
    uint32_t ir_index;   /* index into IrBlock.insn, or EMIT_MAP_ENTRY: what is done once at the block's entry */
    const char *purpose; /* "TLB check", "flag save", "chain slot", ...; NULL: the operation itself */
    bool cold;           /* out of line */
} EmitMap;

/* How a copied block differs.  It starts at the same offset in the same physical page, of another linear page. */
typedef struct BackendCopy {
    uint32_t eip_delta;
    uint32_t lin, itlb_word; /* of the copy */
    ptrdiff_t owner_delta;   /* bytes from the old owner to the new one */
} BackendCopy;

enum { BACKEND_FRAME_MAX = 64 };

typedef struct Backend {
    const char *name;
    const char *registers; /* where the guest's are: a line for people */
    /* Prepares thunks at the start of the arena, which is the only one that a process uses this backend with at a time.
     * False with *error: this host cannot (missing CPU feature). */
    bool (*init)(CPUState *cpu, CodeArena *arena, const char **error);
    /* False: arena full (flush and try again), nothing consumed. map may be NULL; else *map_n rows of at most map_cap. */
    bool (*emit)(CodeArena *arena, const IrBlock *b, const EmitInfo *info, BackendCode *out, EmitMap *map,
                 unsigned map_cap, unsigned *map_n);
    /* A copy of a block for another EIP, into the arena.  False: not this block (n_reloc 0), or the arena is full.
     * NULL: never. */
    bool (*copy)(CodeArena *arena, const BackendCode *from, BackendCode *to, const BackendCopy *how);
    /* Makes exit go straight to a target entry / back to its stub. */
    void (*link)(CodeArena *arena, BackendExit *exit, const void *entry);
    void (*unlink)(CodeArena *arena, BackendExit *exit);
    /* Runs from entry until something leaves: returns with CPUState complete (EIP too), exit_slot set to the
     * BackendExit it came through or NULL.  May also not return: cpu_raise() jumps to exc_env, whose receiver must call
     * after_jump(). */
    void (*run)(CPUState *cpu, const void *entry);
    void (*after_jump)(CPUState *cpu);
    /* True when host code can be disassembled with Capstone's x86-64 mode; else dump() prints it. */
    bool native;
    const char *state_reg; /* native: the host register that points to CPUState, as Capstone writes it */
    bool window;           /* makes use of MODE_WINDOW */
    const char *(*shared_name)(
        const void *code); /* native: what all blocks share at this address, as run; NULL: nothing */
    /* native: DWARF call frame instructions that find the caller of a block, or of what all blocks share, by where it starts
     * (as run).  Returns their number of bytes. */
    unsigned (*frame)(const void *code, uint8_t program[BACKEND_FRAME_MAX]);
    /* Bytes [from, to) of the code, as EmitMap counts them: a line each step. */
    void (*dump)(const BackendCode *code, uint32_t from, uint32_t to, void (*emit_line)(void *opaque, const char *line),
                 void *opaque);
} Backend;

extern const Backend backend_interp;
#ifdef __x86_64__
extern const Backend backend_x86_64;
#endif
const Backend *backend_find(const char *name); /* "x86_64", "interp"; NULL name: the best here. NULL: none such */

#endif
