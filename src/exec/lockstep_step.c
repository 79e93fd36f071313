/* One step of lockstep: a few blocks, one after the other, on both backends.
 *
 *   1. The reference (the portable backend) runs them.  Pages are write-protected in the TLBs, so the first store to each
 *      is seen and a copy made; devices are really accessed, and what they answered is written down.
 *   2. Everything is put back: CPUState, TLBs, memory.
 *   3. The tested backend (the native one) runs the same blocks, with its fast paths open to the same pages.  Device
 *      accesses are answered from the record, and must be those on record.
 *   4. CPUState and the pages must be as the reference left them.  The guest goes on from here.
 *
 * A step goes on to the next block for as long as exec would do nothing in between and finds the block without a page
 * walk; comparing after each would cost five times the running.  When a step ends in a difference, its blocks are run
 * again one by one, now both from the record, and the first one that differs is reported.
 *
 * What other threads ask for waits until the step is over, for it would reach the two runs at different places. */
#include "exec/lockstep_int.h"

#include <string.h>

/* --- going on ------------------------------------------------------------------------------------------------- */

static bool same_mode(const CPUState *a, const CPUState *b)
{
    return a->mode == b->mode && a->seg[SEG_CS].base == b->seg[SEG_CS].base &&
           a->seg[SEG_CS].limit == b->seg[SEG_CS].limit;
}

static bool must_end(const Lockstep *ls)
{
    const CPUState *cpu = ls->cpu;
    return ls->n_path == ls->longest || ls->remapped || cpu->mode & MODE_SINGLE || cpu->halted || cpu->shutdown ||
           __atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED) ||
           __atomic_load_n(&cpu->outside_held, __ATOMIC_RELAXED) || exec_pending(cpu) ||
           !same_mode(cpu, state_of(&ls->before));
}

/* The block that follows in this step, or NULL. */
static LockstepCode *next_code(const Lockstep *ls)
{
    CPUState *cpu = ls->cpu;
    if (must_end(ls)) return NULL;
    TB *tb = exec_known_tb(cpu->exec, cpu->mode_id);
    if (!tb || (cpu->counting && (int32_t)tb->n_guest > cpu->insns_left)) return NULL;
    LockstepCode *c = (LockstepCode *)(uintptr_t)tb->code.entry;
    return c->alone || c->outward ? NULL : c;
}

/* As the loop does for the first. */
static void count_block(CPUState *cpu, const LockstepCode *c)
{
    if (!cpu->counting) cpu->insns_granted += c->n_guest;
}

/* --- the two runs ------------------------------------------------------------------------------------------------ */

static void walk_reference(Lockstep *ls)
{
    for (LockstepCode *c = ls->path[0]; c; c = next_code(ls)) {
        if (ls->n_path) count_block(ls->cpu, c);
        ls->path[ls->n_path++] = ls->code = c;
        ls->reference->run(ls->cpu, c->reference.entry);
    }
}

static void walk_tested(Lockstep *ls)
{
    ls->on_path = true;
    for (unsigned i = 0; i < ls->n_path; i++) {
        LockstepCode *c = ls->path[i];
        if (ls->cpu->eip != c->tb->eip) {
            ls->on_path = false;
            return;
        }
        if (i) count_block(ls->cpu, c);
        ls->code = c;
        ls->tested->run(ls->cpu, c->use->entry);
    }
}

/* True: it raised. */
static bool attempt(Lockstep *ls, const Backend *backend, void (*walk)(Lockstep *ls))
{
    CPUState *cpu = ls->cpu;
    jmp_buf env;
    cpu->exc_env = &env;
    bool raised = setjmp(env) != 0;
    if (raised) {
        ls->host_pc = cpu->host_pc;
        backend->after_jump(cpu);
    } else {
        walk(ls);
    }
    cpu->exc_env = state_of(&ls->before)->exc_env;
    return raised;
}

/* The native backend owns backend_tmp and keeps x87 state in host registers; the portable one does not. */
static bool run_reference(Lockstep *ls)
{
    CPUState *cpu = ls->cpu;
    const CPUState *before = state_of(&ls->before);
    ls->phase = RUN_REFERENCE;
    ls->n_path = 0;
    cpu->fpu_sync_out = NULL;
    bool raised = attempt(ls, ls->reference, walk_reference);
    ls->last = ls->code;
    ls->host_pc = ls->code->tested.entry_checked; /* as good as any address in the block */
    cpu->fpu_sync_out = before->fpu_sync_out;
    memcpy(cpu->backend_tmp, before->backend_tmp, sizeof cpu->backend_tmp);
    return raised;
}

/* Everything as before the step; memory is the caller's. */
static void put_back(Lockstep *ls)
{
    CPUState *cpu = ls->cpu;
    bool in_smm = state_of(&ls->before)->in_smm;
    if (cpu->in_smm != in_smm && cpu->smm_change) cpu->smm_change(cpu->smm_opaque, in_smm); /* RSM */
    memcpy(cpu, ls->before.bytes, STATE_SIZE);
    mmu_undo_back(&cpu->mmu);
    ls->at_event = ls->first_event;
    ls->astray[0] = 0;
}

/* A block may turn out to have accesses that cannot share a page check (tcg/pass_runs.c). */
static bool run_tested(Lockstep *ls)
{
    CPUState *cpu = ls->cpu;
    for (;;) {
        ls->phase = RUN_TESTED;
        bool raised = attempt(ls, ls->tested, walk_tested);
        if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
        LockstepCode *c = ls->code;
        if (!raised || !cpu->run_failed || !c->has_careful || c->use == &c->careful) return raised;
        c->use = &c->careful;
        put_back(ls);
        pages_restore(ls);
    }
}

/* --- the step ------------------------------------------------------------------------------------------------------ */

static void begin(Lockstep *ls)
{
    ls->remapped = false;
    ls->first_event = ls->at_event;
    ls->astray[0] = 0;
    pages_forget(ls);
    mmu_undo_start(&ls->cpu->mmu);
    memcpy(ls->before.bytes, ls->cpu, STATE_SIZE);
}

static void end(Lockstep *ls)
{
    ls->phase = IDLE;
    mmu_undo_stop(&ls->cpu->mmu);
}

/* After the reference: the tested run.  False: they differ. */
static bool check(Lockstep *ls, bool reference_raised)
{
    size_t events = ls->again ? ls->at_event : ls->n_events;
    memcpy(ls->after.bytes, ls->cpu, STATE_SIZE);
    ls->reference_raised = reference_raised;
    put_back(ls);
    pages_swap(ls);
    ls->tested_raised = run_tested(ls);
    outside_end(ls, events);
    bool same_end = ls->on_path && ls->code == ls->last && ls->tested_raised == reference_raised;
    ls->code = ls->last;
    return same_end && !ls->astray[0] && state_same(ls) && pages_same(ls);
}

/* Runs the blocks of a step that ended in a difference one by one; reports the first that differs. */
static _Noreturn void narrow_down(Lockstep *ls)
{
    LockstepCode *path[MAX_PATH];
    unsigned n = ls->n_path;
    memcpy(path, ls->path, n * sizeof *path);
    if (n == 1) lockstep_report(ls);
    lockstep_report_step(ls);
    put_back(ls);
    pages_restore(ls);
    end(ls);
    ls->again = true;
    ls->longest = 1;
    for (unsigned i = 0; i < n; i++) {
        ls->path[0] = path[i];
        begin(ls);
        if (!check(ls, run_reference(ls))) break;
        end(ls);
    }
    lockstep_report(ls);
}

void lockstep_step(Lockstep *ls, LockstepCode *c)
{
    CPUState *cpu = ls->cpu;
    outside_forget(ls);
    ls->path[0] = c;
    begin(ls);
    bool raised = run_reference(ls);
    /* A device has moved memory about: what came before that cannot be run again. */
    if (ls->remapped && (ls->n_path > 1 || c->n_guest > 1)) {
        ls->n_unchecked++;
    } else {
        if (!check(ls, raised)) narrow_down(ls);
    }
    ls->n_steps++;
    ls->n_blocks += ls->n_path;
    end(ls);
    cpu->exit_slot = NULL;
    cpu->host_pc = ls->host_pc;
    if (raised) longjmp(*cpu->exc_env, 1);
}
