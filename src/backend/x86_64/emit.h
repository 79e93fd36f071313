/* The emitter's own state and the parts it is made of.  doc/backend-x86_64.txt explains the design.
 *
 * Host registers:
 *   rax rcx rdx rbx rsi rdi  guest EAX ECX EDX EBX ESI EDI (so MUL, DIV, CL counts, AH.. need no moves)
 *   r15 r14                  guest ESP EBP;  upper halves of all eight are always zero
 *   rbp                      CPUState
 *   rsp                      the return-address stack (not the C stack), see ras in thunks.c
 *   r10 r12 r13              IR temporaries
 *   r8 r9 r11                scratch inside one IR operation; r8 = address, r9 = TLB index
 *
 * Arithmetic flags: Emit.flags says where the guest's live flags are.  At block boundaries
 * they are in CPUState.cc when live. */
#ifndef CALQUE_BACKEND_X86_64_EMIT_H
#define CALQUE_BACKEND_X86_64_EMIT_H

#include "backend/backend.h"
#include "backend/x86_64/asm.h"

/* FLAGS_SPLIT: CF in CPUState.cc, the others in the host; from an INC or DEC to the conditional jump that follows it. */
enum { FLAGS_STATE, FLAGS_HOST, FLAGS_BOTH, FLAGS_SPLIT };
enum { N_TEMP_REGS = 3, MAX_RUN = 257, SPILL_SLOTS = 64, MAX_COLD = 4096, MAX_SITES = 4 };

#define RUN_MARK 0x8000u

/* Where temporaries are; copied for code that is emitted twice. */
typedef struct AllocState {
    uint16_t reg_temp[N_TEMP_REGS]; /* temporary in each host register, RUN_MARK | run for a run's address, 0 none */
    uint64_t spill_used;
    uint8_t flags; /* FLAGS_* */
} AllocState;

struct Emit;
typedef struct Cold Cold;
/* Out-of-line code for one place in the block, emitted after it. */
struct Cold {
    void (*fn)(struct Emit *e, Cold *c);
    uint8_t *site[MAX_SITES]; /* jumps that lead here */
    uint8_t n_sites;
    uint8_t *seg_site; /* jump taken when the segment bound failed (base not yet added) */
    uint8_t *back;     /* where it returns to */
    uint8_t *fault;    /* window access: the instruction whose host page fault leads here */
    AsmMem window;     /* and the guest's address; window.window 0 for other cold code */
    AllocState alloc;
    uint8_t *loc;         /* snapshot of Emit.loc when RMW code is emitted twice */
    uint32_t first, last; /* IR range */
    uint32_t eip;
    uint32_t desc; /* MEMD_* */
    uint32_t value;
    uint8_t reg;
    uint8_t seg;
};

typedef struct Emit {
    Asm a;
    const IrBlock *b;
    const EmitInfo *info;
    BackendCode *out;
    CodeArena *arena;
    uint8_t *start;
    uint8_t *cold_start; /* NULL until the code out of line begins */
    uint32_t cur;        /* index of the IR operation being emitted */
    uint32_t eip;        /* guest EIP of the current guest instruction */
    AllocState alloc;
    uint8_t *live;      /* flags live after each operation */
    uint32_t *last_use; /* by temporary */
    uint32_t *run_last; /* by run (IrMem.run): its last access */
    uint8_t *loc;       /* by temporary: 0 nowhere, 1..3 host register + 1, 0x80 | slot spilled */
    uint8_t busy;       /* temp registers that the current operation uses: not to be spilled */
    bool movable;       /* so far: see relocate.c */
    uint8_t window;     /* accesses go through the user's window (ASM_WINDOW_GS), the system's (..._PLAIN) or none */
    bool uses_x87;      /* native x87/MMX code in the block: state must be in the host */
    bool uses_xmm;      /* likewise */
    Cold *cold;
    uint32_t n_cold;
    uint8_t *bump, *bump_end; /* memory for snapshots */
    const char *purpose;      /* of the code being emitted, as in EmitMap */
    EmitMap *map;
    unsigned map_cap, map_n;
    bool failed; /* ran out of some table: treated like a full arena */
} Emit;

/* thunks.c: code shared by all blocks, at the start of the arena (rw addresses) */
typedef struct Thunks {
    uint8_t *enter, *exit_slot, *exit_null;
    uint8_t *ld, *st, *st_checked, *ld_fp, *probe_fp, *st_fp, *run_miss;
    uint8_t *helper, *helper_fpu, *ref, *lookup, *lookup_seen;
    uint8_t *load_x87, *load_xmm;
    bool has_bmi2;         /* the host has RORX */
    int32_t system_window; /* its displacement from CPUState; 0: there is none */
} Thunks;
extern Thunks thunks;
void thunks_emit(Asm *a, CPUState *cpu);
unsigned thunks_frame(const uint8_t *code, uint8_t program[BACKEND_FRAME_MAX]);
const char *thunks_name(const uint8_t *code); /* NULL: no thunk begins there */
bool thunks_setup(CPUState *cpu, const char **error);
extern const uint8_t host_of_gpr[8];

/* An address in the block's buffer. */
static inline bool is_out_of_line(const Emit *e, const uint8_t *p)
{
    return e->cold_start && p >= e->cold_start;
}

/* Fields of CPUState through rbp. */
#define STATE(field) asm_mem(RBP, (int32_t)offsetof(CPUState, field))
static inline AsmMem state_at(size_t offset)
{
    return asm_mem(RBP, (int32_t)offset);
}
/* backend_tmp slots */
enum {
    TMP_RAS_BASE,
    TMP_RAS_LIMIT,
    TMP_R10,
    TMP_RSP,
    TMP_MXCSR_HOST,
    TMP_MXCSR_LOADED,
    TMP_X87_LOADED,
    TMP_XMM_LOADED,
    TMP_R8,
    TMP_R9
};
#define STATE_TMP(i) state_at(offsetof(CPUState, backend_tmp) + 8 * (i))

/* emit.c: registers, flags, cold code */
unsigned reg_read(Emit *e, const IrOpnd *o, unsigned width);   /* host register (maybe AH..BH); immediates via r11 */
void reg_to_r8(Emit *e, const IrOpnd *o);                      /* a copy of all 32 bits */
unsigned reg_write(Emit *e, const IrOpnd *o, unsigned width);  /* for a result; partial widths keep the rest */
unsigned reg_update(Emit *e, const IrOpnd *o, unsigned width); /* for an operand that is read and written */
unsigned gpr_host(Emit *e, unsigned reg);                      /* for whole registers in addresses */
void temp_release(Emit *e); /* after an operation: frees temporaries not used again */
/* Live flags also in CPUState.cc; uses r9, keeps host flags, unless they are split: then uses r11, too, and leaves them in
 * CPUState.cc only. */
void flags_save(Emit *e);
void flags_load(Emit *e);                   /* from CPUState.cc to the host; uses r9 */
void flags_need(Emit *e, const IrInsn *in); /* before an operation that reads or passes through flags natively */
void flags_done(Emit *e, const IrInsn *in); /* after it */
bool flags_split(Emit *e);                  /* before an INC or DEC: true when nothing need be done to keep CF */
void flags_clobber(Emit *e);                /* before code that destroys host flags: live ones go to CPUState.cc */
uint8_t flags_live_before(const Emit *e);
Cold *cold_new(Emit *e, void (*fn)(Emit *, Cold *));
void cold_site(Cold *c, uint8_t *site);
void emit_range(Emit *e, uint32_t first, uint32_t last);
/* The jump at site leads to target: asm_patch(), and what a copy of the block must change. */
void emit_patch(Emit *e, uint8_t *site, const uint8_t *target);
void emit_call(Emit *e, const uint8_t *thunk);
void emit_jmp_to(Emit *e, const uint8_t *target);
/* AH..BH cannot stand beside R8-R15: swap the halves around a byte access (keeps flags). */
static inline void swap_high(Emit *e, unsigned high)
{
    asm_rr(&e->a, W8, 0x86, high, high - AH);
}
/* slot = offset of the jump-cache entry for the EIP in target: cpu_jump_hash() in code. */
void emit_jump_slot(Asm *a, unsigned slot, unsigned target);
#define JUMP_CACHE(slot, field)                                                                                        \
    asm_mem_index(RBP, slot, 0, (int32_t)(offsetof(CPUState, jump_cache) + offsetof(struct JumpCacheEntry, field)))
/* relocate.c: words that are others in a copy of the block for another EIP */
enum {
    RELOC_EIP,    /* 32 bits: moves with EIP */
    RELOC_AWAY,   /* 32 bits: relative address of something outside the block */
    RELOC_ACROSS, /* 32 bits: relative address in the block's other part, of code in line or out of line */
    RELOC_OWNER,  /* 64 bits: address in the owner */
    RELOC_PAGE    /* operand and immediate of the check of the block's page */
};
void reloc_begin(Emit *e);
void reloc_end(Emit *e);
void reloc_note(Emit *e, unsigned kind, const uint8_t *word); /* its place in the buffer */
void reloc_forget(uint32_t code);                             /* code from this offset on is gone */
bool reloc_possible(const IrBlock *b, const EmitInfo *info);
bool reloc_copy(CodeArena *arena, const BackendCode *from, BackendCode *to, const BackendCopy *how);
/* After an instruction that ends with a 32-bit immediate from o. */
static inline void reloc_imm(Emit *e, const IrOpnd *o)
{
    if (ir_is_eip(o)) reloc_note(e, RELOC_EIP, e->a.p - 4);
}

static inline void store_eip(Emit *e, uint32_t eip)
{
    asm_store_imm(&e->a, 4, STATE(eip), eip);
    reloc_note(e, RELOC_EIP, e->a.p - 4);
}
/* What the code emitted from here on is for (NULL: the operation itself); returns what it was for until now. */
const char *map_purpose(Emit *e, const char *purpose);
static inline bool is_temp(const IrOpnd *o)
{
    return o->kind == IR_REG && o->reg >= IR_TEMP0;
}

/* Registers a run's host address may take; the run is given up when temporaries need the room. False: none free. */
bool run_take(Emit *e, uint16_t run, unsigned *host);
unsigned run_host(const Emit *e, uint16_t run); /* register with the host address of a run's lowest byte, or NOREG */
void runs_drop(Emit *e);                        /* before callouts */

/* emit_mem.c */
void emit_ld(Emit *e, const IrInsn *in);
void emit_ldx(Emit *e, const IrInsn *in);
void emit_st(Emit *e, const IrInsn *in);
void emit_ldrmw(Emit *e, const IrInsn *in);
void emit_lea(Emit *e, const IrInsn *in);
/* Computes the linear address into r8 and checks it; the cold stub gets the slow sites. size and access as in the IR.
 * Afterwards [r8 + r9] is the host address (hot path). */
void mem_check(Emit *e, const IrMem *m, unsigned size, unsigned mem_use, Cold *c);
/* The checked host operand of an access: by way of its run when it has one (*out then NULL), else after mem_check(). */
AsmMem mem_operand(Emit *e, const IrMem *m, unsigned size, unsigned mem_use, void (*fn)(Emit *, Cold *), Cold **out);
/* After the instructions that used mem_operand()'s result: cold code (may be NULL) comes back here. */
void mem_done(Emit *e, Cold *c);
/* In cold code: what an access through the window, which disturbed nothing so far, needs before its cold function, and
 * what must hold before it goes back. */
void cold_window_enter(Emit *e, Cold *c);
void cold_back(Emit *e, Cold *c);
/* In cold code: sets up r8 (lin), r9 (desc), EIP and calls a slow-path thunk. */
void cold_mem_enter(Emit *e, Cold *c);
void cold_mem_call(Emit *e, Cold *c, const uint8_t *thunk, uint32_t extra_desc);
void cold_seg_entry(Emit *e, Cold *c, const uint8_t *start); /* last thing in cold memory code */
uint32_t mem_desc(const Emit *e, const IrMem *m, unsigned size, unsigned use);
void mem_linear(Emit *e, const IrMem *m); /* linear address to r8, unchecked */
#define MEM_HOST asm_mem_index(R8, R9, 0, 0)

/* fault.c: host page faults in the window */
bool fault_setup(CPUState *cpu, const char **error);
void fault_thread(CPUState *cpu);       /* the calling thread is going to run code that uses the window */
void fault_forget(const uint8_t *code); /* code from this address on (as run) is gone */
/* For a copy of this code, in line, and what it has out of line.  False: no memory. */
bool fault_copy(const uint8_t *code, size_t size, ptrdiff_t shift, ptrdiff_t cold_shift);
bool fault_note(const uint8_t *insn, const uint8_t *cold); /* both as run, in rising order. False: no memory */

/* emit_alu.c */
void emit_mov(Emit *e, const IrInsn *in);
void emit_movx(Emit *e, const IrInsn *in);
void emit_xchg(Emit *e, const IrInsn *in);
void emit_bswap(Emit *e, const IrInsn *in);
void emit_cmov(Emit *e, const IrInsn *in);
void emit_setcc(Emit *e, const IrInsn *in);
void emit_cdq(Emit *e, const IrInsn *in);
void emit_alu(Emit *e, const IrInsn *in);
void emit_unary(Emit *e, const IrInsn *in);
void emit_imul(Emit *e, const IrInsn *in);
void emit_mul(Emit *e, const IrInsn *in);
void emit_div(Emit *e, const IrInsn *in);
void emit_shift(Emit *e, const IrInsn *in);
void emit_shiftd(Emit *e, const IrInsn *in);
void emit_bit(Emit *e, const IrInsn *in);
void emit_scan(Emit *e, const IrInsn *in);
void emit_cmpxchg(Emit *e, const IrInsn *in);
void emit_flagop(Emit *e, const IrInsn *in);
void emit_getflags(Emit *e, const IrInsn *in);
void emit_setflags(Emit *e, const IrInsn *in);
/* Memory-operand forms for fusion: true when in (an ALU operation whose temporary t was just checked at [r8+r9] or
 * [r8]) can be one host instruction on m. */
void alu_fuse_load(Emit *e, const IrInsn *in, uint16_t t, AsmMem m, unsigned cold_reg);
bool alu_can_fuse_load(Emit *e, const IrInsn *in, const IrInsn *ld);
bool alu_can_fuse_rmw(Emit *e, const IrInsn *in, const IrInsn *ld, const IrInsn *st);
void alu_fuse_rmw(Emit *e, const IrInsn *in, AsmMem m);

/* emit_flow.c */
void emit_entry(Emit *e);
void emit_goto(Emit *e, const IrInsn *in);
void emit_jcc(Emit *e, const IrInsn *in);
void emit_jz(Emit *e, const IrInsn *in);
void emit_guest_call(Emit *e, const IrInsn *in);
void emit_ret(Emit *e, const IrInsn *in);
void emit_jmpr(Emit *e, const IrInsn *in);
void emit_exit(Emit *e, const IrInsn *in);
void emit_chkmode(Emit *e, const IrInsn *in);

/* emit_call.c */
void emit_x87_check(Emit *e); /* loads the guest's x87 state into the host when it is not there */
void emit_xmm_check(Emit *e); /* the same for XMM */
void emit_ldstate(Emit *e, const IrInsn *in);
void emit_ldcode(Emit *e, const IrInsn *in);
void emit_ststate(Emit *e, const IrInsn *in);
void emit_helper(Emit *e, const IrInsn *in);
void call_helper(Emit *e, unsigned helper); /* arguments already in CPUState.call_arg */

/* emit_inline.c: the common case of a helper in the block. False: nothing emitted, it must be called. */
bool emit_inline(Emit *e, const IrInsn *in);
bool inline_uses_x87(const IrBlock *b, const IrInsn *in); /* a helper whose inlined case works on the host's x87 */

/* emit_fp.c */
void emit_x87(Emit *e, const IrInsn *in);
void emit_vec(Emit *e, const IrInsn *in);
bool emit_scan_x87(const IrBlock *b);
bool emit_scan_xmm(const IrBlock *b);
void x87_out(CPUState *cpu); /* fpu_sync_out */
void x87_transcendental(FpuState *f, uint8_t modrm);
void x87_in(CPUState *cpu); /* what the load_x87 thunk calls */

#endif
