/* The execution loop: deliver what is pending, find or make the block, run it, chain it.
 *
 * Exceptions arrive by longjmp from anywhere below (generated code's callouts, translation, delivery
 * itself); all state that matters across it lives in Exec and CPUState. */
#include "exec/announce.h"
#include "exec/lockstep.h"
#include "exec/trace.h"
#include "softmmu/window.h"
#include "util/log.h"
#include "util/symbols.h"

#include <stdlib.h>
#include <string.h>

static bool choose_backend(Exec *ex, char *error, size_t error_size)
{
    const char *why;
    if (!ex->opt.lockstep) {
        ex->backend = backend_find(ex->opt.backend);
        if (!ex->backend) snprintf(error, error_size, "backend '%s' is not available on this host", ex->opt.backend);
        return ex->backend != NULL;
    }
    ex->opt.no_chain = true;
    ex->lockstep = lockstep_new(ex->cpu, &why);
    if (!ex->lockstep) {
        snprintf(error, error_size, "%s", why);
        return false;
    }
    ex->backend = lockstep_backend(ex->lockstep);
    return true;
}

Exec *exec_new(CPUState *cpu, const ExecOptions *opt, const ExecHooks *hooks, char *error, size_t error_size)
{
    Exec *ex = calloc(1, sizeof *ex);
    if (!ex) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    ex->cpu = cpu;
    ex->opt = *opt;
    ex->hooks = *hooks;
    ex->opt.no_chain |= log_on(LOG_NOCHAIN | LOG_CPU | LOG_EXEC); /* each block must be seen here */
    if (!choose_backend(ex, error, error_size)) {
        exec_free(ex);
        return NULL;
    }
    if (ex->backend->window && !opt->no_window) cpu_enable_windows(cpu);
    cpu->mmu.window_always = opt->window_always;
    ir_block_init(&ex->ir);
    cpu_register_helpers();
    if (!cache_init(ex, error, error_size)) {
        exec_free(ex);
        return NULL;
    }
    smc_attach(ex);
    stats_init(ex);
    if (!announce_open(ex, error, error_size)) {
        exec_free(ex);
        return NULL;
    }
    if ((opt->icount || opt->max_insns) && !count_init(ex)) {
        snprintf(error, error_size, "out of memory");
        exec_free(ex);
        return NULL;
    }
    if (opt->trace.path && !trace_open(ex, error, error_size)) {
        exec_free(ex);
        return NULL;
    }
    if (ex->lockstep) lockstep_attach(ex->lockstep);
    return ex;
}

void exec_free(Exec *ex)
{
    stats_free(ex);
    trace_close(ex);
    profile_free(ex);
    announce_close(ex);
    count_free(ex);
    lockstep_free(ex->lockstep);
    cache_free(ex);
    ir_block_free(&ex->ir);
    if (ex->cpu->exec == ex) ex->cpu->exec = NULL;
    free(ex);
}

/* --- finding the block ------------------------------------------------------------------------------- */

static bool pages_current(const CPUState *cpu, const TB *tb)
{
    const uint32_t *itlb = cpu->mmu.itlb[cpu_cpl(cpu) == 3 ? 0 : 1];
    if (itlb[mmu_itlb_index(tb->lin)] != tb->itlb_word[0]) return false;
    return tb->n_pages == 1 || itlb[mmu_itlb_index(tb->lin + PAGE_SIZE)] == tb->itlb_word[1];
}

/* By way of the page tables.  Raises #PF. */
static TB *find_slow(Exec *ex, uint32_t lin, uint32_t mode_id)
{
    CPUState *cpu = ex->cpu;
    PhysAddr phys, second;
    MmuFault fault;
    if (cpu->eip > cpu->seg[SEG_CS].limit) cpu_raise_err(cpu, EXC_GP, 0); /* before paging has its say */
    if (!mmu_translate(&cpu->mmu, lin, MMU_EXEC, cpu_mmu_idx(cpu), &phys, &fault)) cpu_raise_pf(cpu, &fault);
    TB *tb = cache_find(ex, phys, cpu->eip, mode_id);
    if (tb && tb->n_pages == 2) {
        if (!mmu_translate(&cpu->mmu, (lin & ~PAGE_MASK) + PAGE_SIZE, MMU_EXEC, cpu_mmu_idx(cpu), &second, &fault) ||
            (second & ~(PhysAddr)PAGE_MASK) != tb->page_phys[1]) {
            cache_invalidate(ex, tb, TRACE_WHY_MOVED, NULL); /* its second half is elsewhere now */
            tb = NULL;
        }
    }
    return tb ? tb : build_tb(ex, phys, lin);
}

TB *exec_known_tb(const Exec *ex, uint32_t mode_id)
{
    const CPUState *cpu = ex->cpu;
    unsigned h = cpu_jump_hash(cpu->eip);
    if (cpu->jump_cache[h].eip != cpu->eip || cpu->jump_cache[h].mode_id != mode_id) return NULL;
    TB *tb = ex->jump_tb[h];
    return tb && pages_current(cpu, tb) ? tb : NULL;
}

static TB *find_whole_tb(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    uint32_t lin = cpu->seg[SEG_CS].base + cpu->eip;
    if (ex->retry_single) return build_scratch(ex, lin, NULL);
    uint32_t mode_id = cache_mode_id(ex);
    TB *tb = exec_known_tb(ex, mode_id);
    if (tb) return tb;
    ex->n_lookups++;
    tb = find_slow(ex, lin, mode_id);
    if (tb != &ex->scratch) {
        unsigned h = cpu_jump_hash(tb->eip);
        ex->jump_tb[h] = tb;
        cpu->jump_cache[h] = (struct JumpCacheEntry){ tb->eip, tb->mode_id, tb->code.entry_checked };
    }
    return tb;
}

/* The block to run: a shorter one when the next deadline lies within. */
static TB *find_tb(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    TB *tb = find_whole_tb(ex);
    if (!cpu->counting || (int32_t)tb->n_guest <= cpu->insns_left) return tb;
    return build_scratch(ex, tb->lin, tb);
}

/* --- one turn ---------------------------------------------------------------------------------------------- */

static void log_text(void *opaque, const char *line)
{
    (void)opaque;
    log_printf("%s\n", line);
}

static void log_entry(Exec *ex, const TB *tb)
{
    if (!log_in_range(tb->lin)) return;
    if (log_on(LOG_EXEC)) {
        char name[160];
        symbols_text(name, sizeof name, tb->lin);
        log_printf("exec %08x mode %07x, %u instructions%s%s\n", tb->eip, tb->mode, tb->n_guest, *name ? " " : "",
                   name);
    }
    if (log_on(LOG_CPU)) {
        if (ex->cpu->fpu_sync_out) ex->cpu->fpu_sync_out(ex->cpu);
        cpu_print(ex->cpu, log_text, NULL);
    }
}

static void run_tb(Exec *ex, TB *tb)
{
    CPUState *cpu = ex->cpu;
    uint32_t mode = cpu->mode;
    if (ex->last_exit) cache_chain(ex, ex->last_exit, tb);
    ex->last_exit = NULL;
    trace_entered(ex, tb);
    if (log_on(LOG_EXEC | LOG_CPU)) log_entry(ex, tb);
    cpu->exit_slot = NULL;
    ex->n_runs++;
    ex->backend->run(cpu, tb->code.entry);
    cpu->host_pc = NULL;
    ex->last_exit = cpu->exit_slot;
    if (ex->scratch_active) {
        ex->scratch_active = false;
        ex->retry_single = false;
        ex->last_exit = NULL;
    }
    if (mode & MODE_SINGLE) {
        ex->last_exit = NULL;
        cpu_single_done(cpu, mode);
    }
}

static bool deadline_reached(const CPUState *cpu)
{
    return cpu->counting && cpu->insns_left <= 0;
}

/* False: stop running. */
static bool poll_outside(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    if (!__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE) &&
        !__atomic_load_n(cpu->outside_request, __ATOMIC_ACQUIRE) && !deadline_reached(cpu))
        return true;
    __atomic_store_n(&cpu->exit_request, 0, __ATOMIC_RELAXED);
    __atomic_store_n(cpu->outside_request, 0, __ATOMIC_RELAXED);
    if (cpu->window_bad_pc) {
        cache_add_to(ex, &ex->no_window, cache_tb_at(ex, cpu->window_bad_pc));
        cpu->window_bad_pc = NULL;
    }
    if (ex->trace) trace_poll(ex);
    announce_poll(ex);
    if (cpu->mode & MODE_WINDOW) cpu_update_mode(cpu); /* it may be open no more */
    if (!(cpu->cr0 & CR0_PG)) cpu_sample_window(cpu, false);
    if (!ex->hooks.poll(ex->hooks.opaque)) return false;
    if (cpu->counting) count_grant(ex);
    return true;
}

/* What must happen at a block boundary. False: stop running. */
static bool boundary(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    if (!poll_outside(ex)) return false;
    if (cpu->shutdown && !ex->hooks.shutdown(ex->hooks.opaque)) return false;
    uint32_t eip = cpu->eip;
    if (!exec_pending(cpu) || ex->retry_single) return true;
    if (cpu_has_work(cpu)) hot_sample(ex);
    if (cpu_take_interrupt(cpu)) {
        ex->n_interrupts++;
        trace_interrupt(ex, eip);
    }
    return true;
}

static bool over_budget(const Exec *ex)
{
    return ex->opt.max_insns && cpu_insns(ex->cpu) >= ex->opt.max_insns;
}

/* An exception that raises itself again whenever it is delivered (#AC on a misaligned stack of ring 3, #DB on a
 * watched one) goes on for ever, on silicon too, but must not lock out the user. False: stop running. */
static bool deliver(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    if (ex->hooks.exception && !ex->hooks.exception(ex->hooks.opaque)) return false;
    if (ex->delivering && (over_budget(ex) || !poll_outside(ex))) return false;
    ex->delivering = true;
    ex->n_exceptions++;
    cpu_deliver(cpu);
    ex->delivering = false;
    return true;
}

static void turn(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    if (cpu->exc_vector >= 0) {
        ex->last_exit = NULL;
        ex->retry_single = cpu->exc_vector == EXC_RETRY_SINGLE;
        if (ex->retry_single) {
            cpu->exc_vector = -1;
            ex->n_alone++;
        } else if (!deliver(ex)) {
            ex->running = false;
            return;
        }
    }
    if (!boundary(ex)) {
        ex->running = false;
        return;
    }
    if (cpu->halted && !cpu_has_work(cpu)) {
        trace_waiting(ex, true);
        if (!ex->hooks.wait(ex->hooks.opaque)) ex->running = false;
        trace_waiting(ex, false);
        if (cpu->counting) count_grant(ex);
        return;
    }
    if (deadline_reached(cpu)) return; /* another one */
    if ((cpu->mode & MODE_DEBUG) && !(cpu->mode & MODE_RF)) cpu_check_exec_breakpoint(cpu);
    TB *tb = find_tb(ex);
    run_tb(ex, tb);
    if (!cpu->counting) cpu->insns_granted += tb->n_guest;
    if (over_budget(ex)) ex->running = false;
}

void exec_run(Exec *ex)
{
    jmp_buf env;
    CPUState *cpu = ex->cpu;
    cpu->exc_env = &env;
    ex->running = true;
    profile_start(ex);
    if (ex->trace) trace_start_sampling(ex->trace);
    if (setjmp(env)) {
        trace_jumped_out(ex);
        if (cpu->counting)
            count_after_jump(ex);
        else
            cpu->insns_granted++;
        if (cpu->run_failed) cache_add_to(ex, &ex->no_runs, cache_tb_at(ex, cpu->host_pc));
        ex->backend->after_jump(cpu);
        cpu->run_failed = false;
        cpu->mmu.window_pending = 0; /* the access has ended */
        cpu->host_pc = NULL;
        ex->scratch_active = ex->translating = false;
    }
    while (ex->running) turn(ex);
    profile_stop(ex);
    if (ex->trace) trace_stop_sampling(ex->trace);
    cpu->exc_env = NULL;
}
