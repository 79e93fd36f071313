/* What the files of lockstep share. */
#ifndef CALQUE_EXEC_LOCKSTEP_INT_H
#define CALQUE_EXEC_LOCKSTEP_INT_H

#include "exec/lockstep.h"
#include "exec/tb.h"

/* The part of CPUState that a run can change, except the TLBs, which have a journal of their own. */
enum { STATE_SIZE = offsetof(CPUState, mmu) };
typedef union StateCopy {
    _Alignas(64) uint8_t bytes[STATE_SIZE];
    uint32_t words[STATE_SIZE / 4];
} StateCopy;
static inline const CPUState *state_of(const StateCopy *copy)
{
    return (const CPUState *)(const void *)copy; /* up to, not including, mmu */
}

/* Arithmetic flags that count when a block is left at eip. */
typedef struct LiveFlags {
    uint32_t eip;
    uint32_t eflags;
} LiveFlags;

/* A block's code on both sides; in the arena, before the code itself. */
typedef struct LockstepCode {
    const TB *tb;
    BackendCode reference, tested;
    BackendCode careful; /* tested, each access checking for itself; used when has_careful */
    bool has_careful;
    const BackendCode *use; /* one of these two */
    bool alone;             /* must be run one instruction at a time */
    bool outward;           /* may change the memory map: the first of its step */
    bool loose;             /* x87 and vector results of limited precision */
    uint32_t n_guest;
    uint32_t live_out;   /* EFLAGS bits that count at the block's end ... */
    uint32_t dead_on[2]; /* ... except these on the way to target[] of its last operation */
    uint32_t target[2];
    uint32_t written; /* EFLAGS bits that it surely writes when it runs to its end */
    uint32_t n_live;
    LiveFlags live[]; /* by instruction, in ascending order */
} LockstepCode;

/* One dealing with the world outside the processor. */
typedef enum EventKind {
    EV_PORT_READ,
    EV_PORT_WRITE,
    EV_MMIO_READ,
    EV_MMIO_WRITE,
    EV_CLOCK,
    EV_RANDOM,
    EV_APIC_BASE,
    EV_APIC_INIT,
    EV_APIC_DEADLINE,
    EV_APIC_SET_DEADLINE,
    EV_APIC_TSC_MOVED,
    EV_FERR,
} EventKind;

/* The processor's pins, as devices leave them. */
typedef struct Pins {
    uint32_t exit_request;
    bool intr_line, nmi_pending, smi_pending, init_pending, a20;
} Pins;

typedef struct Event {
    uint8_t kind, size;
    bool good;         /* EV_RANDOM: there was a number */
    bool new_regs;     /* the device changed the registers (port 5658h) */
    const void *where; /* MMIO: the region */
    uint64_t addr;
    uint64_t value; /* read or written */
    Pins pins;
    uint32_t regs[8];
    size_t dma_end; /* its DMA is dma[previous event's dma_end .. dma_end) */
} Event;

/* Bytes that a device wrote to memory. */
typedef struct Dma {
    uint8_t *host;
    size_t n, data; /* data: offset in dma_bytes */
} Dma;

/* A page that has been written in this step.  Reference run: shadow is what it was; afterwards: what it must become. */
typedef struct Page {
    uint8_t *host, *shadow;
    int32_t next; /* in its hash chain */
} Page;

enum { MAX_PATH = 128 /* blocks in a step */ };

enum { CHUNK = 64, PAGE_CHAINS = 1024 };
/* What a chunk held before the step, where the reference changed it. */
typedef struct OldChunk {
    uint8_t *host;
    uint8_t bytes[CHUNK];
} OldChunk;

typedef enum Phase { IDLE, RUN_REFERENCE, RUN_TESTED } Phase;

struct Lockstep {
    CPUState *cpu;
    Backend both; /* to exec */
    const Backend *reference, *tested;
    Phase phase;
    uint64_t n_blocks, n_steps, n_unchecked;

    /* The outside as the board wired it; ours stands in its place. */
    IoPorts *io, *own_io;
    const CpuApicOps *apic_ops;
    void *apic;
    bool (*random)(void *opaque, uint32_t *value);
    void *random_opaque;
    uint64_t (*clock_ns)(void *opaque);
    void *clock_opaque;
    void (*ferr)(void *opaque, bool level);
    void *ferr_opaque;
    void (*code_write_check)(CPUState *, PhysAddr addr, unsigned len);
    void (*on_device)(void *opaque);
    void *on_device_opaque;

    /* lockstep_outside.c */
    Event *event;
    size_t n_events, cap_events, at_event, first_event;
    Dma *dma;
    size_t n_dma, cap_dma;
    uint8_t *dma_bytes;
    size_t n_dma_bytes, cap_dma_bytes;
    bool in_device;   /* a device is at work for the reference */
    bool remapped;    /* and it has changed the memory map */
    char astray[256]; /* how the tested run's dealings differ; "": they do not */

    /* lockstep_memory.c */
    Page *page;
    size_t n_pages, cap_pages;
    int32_t chain[PAGE_CHAINS];
    OldChunk *old;
    size_t n_old, cap_old;

    /* lockstep_step.c */
    LockstepCode *path[MAX_PATH]; /* the blocks of the step */
    unsigned n_path, longest;
    LockstepCode *code, *last; /* that runs; that was last for the reference */
    const void *host_pc;       /* where the last run raised */
    bool on_path;              /* the tested run went the same way */
    bool again;                /* the reference answers from the record, too */
    bool reference_raised, tested_raised;
    StateCopy before, after; /* after: the reference's result */
};

/* Grows *array, of *cap items, to hold one more than n. */
void *lockstep_grow(void *array, size_t n, size_t *cap, size_t item);

/* lockstep_step.c */
void lockstep_step(Lockstep *ls, LockstepCode *first); /* may raise */

/* lockstep_outside.c */
void outside_attach(Lockstep *ls);
void outside_detach(Lockstep *ls);
void outside_forget(Lockstep *ls); /* a new record */
void outside_dma(Lockstep *ls, uint8_t *host, size_t n);
uint64_t outside_mmio_read(Lockstep *ls, const PhysRegion *r, PhysAddr offset, unsigned size);
void outside_mmio_write(Lockstep *ls, const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size);
void outside_end(Lockstep *ls, size_t events); /* the tested run is over: it must have done so many, as the reference */

/* lockstep_memory.c */
void pages_attach(Lockstep *ls);
void pages_detach(Lockstep *ls);
void pages_forget(Lockstep *ls);  /* a new step */
void pages_swap(Lockstep *ls);    /* after the reference: memory as before, shadows as it must become */
void pages_restore(Lockstep *ls); /* after a tested run that does not count: memory as before */
bool pages_same(const Lockstep *ls);
void pages_print(const Lockstep *ls); /* to the log: what differs */

/* lockstep_state.c.  The tested result is in the CPU, the reference's in ls->after. */
bool state_same(const Lockstep *ls);
void state_print(const Lockstep *ls);  /* to the log: all fields of interest, those that differ marked */
bool state_is_loose(const IrInsn *in); /* its result is not exactly defined */

/* lockstep_report.c */
void lockstep_report_step(const Lockstep *ls);      /* a step of several blocks ended in a difference */
_Noreturn void lockstep_report(const Lockstep *ls); /* this block did: says all there is to say; ends with status 1 */

#endif
