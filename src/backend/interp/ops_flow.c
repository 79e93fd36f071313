/* Block ends and checks.  Every way out of a block looks at exit_request: one load, and then no loop of chained
 * blocks can keep the execution loop from its work. */
#include "backend/interp/interp.h"

static inline bool exit_requested(CPUState *cpu)
{
    return __builtin_expect(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED), 0);
}

static const Op *leave(CPUState *cpu, uint32_t eip)
{
    cpu->eip = eip;
    cpu->exit_slot = NULL;
    return NULL;
}

/* Direct exit through p, to guest address imm. */
const Op *interp_goto(CPUState *cpu, const Op *op)
{
    return exit_requested(cpu) ? leave(cpu, op->imm) : op->p;
}

/* Where an exit that is not linked leads.  p: its BackendExit, or NULL when it must stay unlinked. */
const Op *interp_stub(CPUState *cpu, const Op *op)
{
    cpu->eip = op->imm;
    cpu->exit_slot = (void *)(uintptr_t)op->p;
    return NULL;
}

/* JZ, JNZ: taken through p to imm, not taken through b to imm2. */
#define JUMP(NAME, T, TEST)                                                                                            \
    static const Op *NAME(CPUState *cpu, const Op *op)                                                                 \
    {                                                                                                                  \
        bool taken = *(const T *)op->a TEST 0;                                                                         \
        if (exit_requested(cpu)) return leave(cpu, taken ? op->imm : op->imm2);                                        \
        return taken ? op->p : op->b;                                                                                  \
    }
JUMP(jz1, uint8_t, ==)
JUMP(jz2, uint16_t, ==)
JUMP(jz4, uint32_t, ==)
JUMP(jnz1, uint8_t, !=)
JUMP(jnz2, uint16_t, !=)
JUMP(jnz4, uint32_t, !=)

Handler *interp_jz(unsigned ir_op, unsigned width)
{
    static Handler *const jz[3] = { jz1, jz2, jz4 }, *const jnz[3] = { jnz1, jnz2, jnz4 };
    return (ir_op == IR_JZ ? jz : jnz)[width_log2(width)];
}

/* EmitInfo.lookup: the target of the JMPR, CALLR or RET that follows is a. */
const Op *interp_tell(CPUState *cpu, const Op *op)
{
    uint32_t eip = op->width == 2 ? *(const uint16_t *)op->a : *(const uint32_t *)op->a;
    BackendLookup *mine = (BackendLookup *)(uintptr_t)op->p;
    if (mine->last != eip && mine->left > 0) {
        mine->left--;
        cpu->host_pc = op;
        cpu->lookup_seen(cpu, eip);
        cpu->host_pc = NULL;
    }
    NEXT(op);
}

/* JMPR, CALLR, RET: to a, by the jump cache.  imm2: this block's mode_id (0: unchained). */
const Op *interp_indirect(CPUState *cpu, const Op *op)
{
    uint32_t eip = op->width == 2 ? *(const uint16_t *)op->a : *(const uint32_t *)op->a;
    const struct JumpCacheEntry *e = &cpu->jump_cache[cpu_jump_hash(eip)];

    if (exit_requested(cpu) || op->variant || e->eip != eip || e->mode_id != op->imm2 || !e->code)
        return leave(cpu, eip);
    return e->code;
}

/* CPUState.eip is already where to go on. */
const Op *interp_exit(CPUState *cpu, const Op *op)
{
    (void)op;
    cpu->exit_slot = NULL;
    return NULL;
}

/* imm: the mode the block was made for; imm2: the next guest instruction. */
const Op *interp_chkmode(CPUState *cpu, const Op *op)
{
    if (cpu->mode != op->imm || exit_requested(cpu)) return leave(cpu, op->imm2);
    NEXT(op);
}

/* EmitInfo.count.  imm: instructions of this block, which starts at eip. */
const Op *interp_count(CPUState *cpu, const Op *op)
{
    if (exit_requested(cpu) || cpu->insns_left < (int32_t)op->imm) return leave(cpu, op->eip);
    cpu->insns_left -= (int32_t)op->imm;
    NEXT(op);
}

/* EmitInfo.tally */
const Op *interp_tally(CPUState *cpu, const Op *op)
{
    ++*(uint64_t *)(uintptr_t)op->p;
    NEXT(op);
}

/* A fetch TLB word must be as it was when the block was made. */
const Op *interp_check_page(CPUState *cpu, const Op *op)
{
    if (__builtin_expect(*(const uint32_t *)op->p != op->imm, 0)) return leave(cpu, op->eip);
    NEXT(op);
}
