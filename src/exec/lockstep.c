/* Two backends that are one to exec: the code of a block is that of both, and running it is a step (lockstep_step.c). */
#include "exec/lockstep_int.h"

#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/log.h"

static Lockstep *the_one; /* backends have no place for it, nor does a process have two */
static const Backend *chosen_reference, *chosen_tested;

void lockstep_choose(const Backend *reference, const Backend *tested)
{
    chosen_reference = reference;
    chosen_tested = tested;
}

void *lockstep_grow(void *array, size_t n, size_t *cap, size_t item)
{
    if (n < *cap) return array;
    size_t more = *cap ? 2 * *cap : 64;
    while (more <= n) more *= 2;
    array = realloc(array, more * item);
    if (!array) die("lockstep: out of memory");
    *cap = more;
    return array;
}

/* --- code ---------------------------------------------------------------------------------------------------- */

static size_t aligned(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

static uint32_t count_marks(const IrBlock *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->n; i++) n += b->insn[i].op == IR_MARK;
    return n;
}

/* Which flags somebody reads from each instruction on; the others may hold anything (tcg/pass_flags.c). */
static void note_live_flags(LockstepCode *c, const IrBlock *b)
{
    unsigned live = b->fl_live_out;
    uint32_t at = c->n_live;
    c->live_out = ir_flags_to_eflags(live);
    for (unsigned i = 0; i < 2; i++) {
        c->target[i] = b->insn[b->n - 1].target[i];
        c->dead_on[i] = ir_flags_to_eflags(b->fl_dead_on[i]);
    }
    unsigned written = 0;
    for (uint32_t i = b->n; i-- > 0;) {
        const IrInsn *in = &b->insn[i];
        written |= in->fl_wr & ~(unsigned)in->fl_rd; /* a shift by CL reads what it may keep */
        live = (live & ~(unsigned)in->fl_wr) | in->fl_rd;
        if (in->op == IR_MARK) c->live[--at] = (LiveFlags){ in->target[0], ir_flags_to_eflags(live) };
    }
    c->written = ir_flags_to_eflags(written);
}

static bool has_runs(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (b->insn[i].mem.run) return true;
    return false;
}

static bool is_loose(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (state_is_loose(&b->insn[i])) return true;
    return false;
}

/* May change more than memory and registers: the map of memory, say. */
static bool is_outward(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *in = &b->insn[i];
        if (in->op == IR_HELPER &&
            (in->helper == HELPER_out || in->helper == HELPER_string || in->helper == HELPER_wrmsr))
            return true;
    }
    return false;
}

static bool emit_all(LockstepCode *c, CodeArena *arena, const IrBlock *b, const EmitInfo *info, EmitMap *map,
                     unsigned map_cap, unsigned *map_n)
{
    if (!the_one->tested->emit(arena, b, info, &c->tested, map, map_cap, map_n)) return false;
    c->has_careful = !info->no_runs && has_runs(b);
    if (c->has_careful) {
        EmitInfo careful = *info;
        careful.no_runs = true;
        if (!the_one->tested->emit(arena, b, &careful, &c->careful, NULL, 0, NULL)) return false;
    }
    arena->used = aligned(arena->used);
    if (arena->used >= arena->size) return false;
    return the_one->reference->emit(arena, b, info, &c->reference, NULL, 0, NULL);
}

static bool emit(CodeArena *arena, const IrBlock *b, const EmitInfo *info, BackendCode *out, EmitMap *map,
                 unsigned map_cap, unsigned *map_n)
{
    CodeArena before = *arena;
    size_t at = aligned(arena->used), marks = count_marks(b);
    size_t bytes = sizeof(LockstepCode) + marks * sizeof(LiveFlags);
    if (at + bytes + 4096 > arena->size) return false;
    LockstepCode *c = (LockstepCode *)(void *)(arena->rw + at);
    *c = (LockstepCode){ .tb = info->owner, .n_guest = b->n_guest, .n_live = (uint32_t)marks };
    note_live_flags(c, b);
    c->loose = is_loose(b);
    c->alone = c->loose && c->n_guest > 1;
    c->outward = is_outward(b);
    c->use = &c->tested;
    arena->used = at + bytes;
    if (!emit_all(c, arena, b, info, map, map_cap, map_n)) {
        *arena = before;
        return false;
    }
    *out = c->tested; /* for the log, and to find the block by an address in it */
    out->entry = c;
    return true;
}

static void run(CPUState *cpu, const void *entry)
{
    LockstepCode *c = (LockstepCode *)(uintptr_t)entry;
    if (c->alone) cpu_retry_single(cpu);
    lockstep_step(the_one, c);
}

static void after_jump(CPUState *cpu)
{
    cpu->host_pc = NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static bool init(CPUState *cpu, CodeArena *arena, const char **error)
{
    return the_one->reference->init(cpu, arena, error) && the_one->tested->init(cpu, arena, error);
}

/* Blocks are not chained in lockstep. */
static void link_exit(CodeArena *arena, BackendExit *exit, const void *entry)
{
    (void)arena, (void)exit, (void)entry;
}
static void unlink_exit(CodeArena *arena, BackendExit *exit)
{
    (void)arena, (void)exit;
}

/* Shown as the tested one. */
static Backend both(const Backend *tested)
{
    return (Backend){ .name = "lockstep",
                      .init = init,
                      .emit = emit,
                      .link = link_exit,
                      .unlink = unlink_exit,
                      .run = run,
                      .after_jump = after_jump,
                      .native = tested->native,
                      .dump = tested->dump };
}

Lockstep *lockstep_new(CPUState *cpu, const char **error)
{
    const Backend *reference = chosen_reference ? chosen_reference : &backend_interp;
    const Backend *tested = chosen_tested ? chosen_tested : backend_find(NULL);
    if (reference == tested) {
        *error = "lockstep compares two backends; this host has only the portable one";
        return NULL;
    }
    Lockstep *ls = aligned_alloc(64, aligned(sizeof *ls));
    if (!ls) {
        *error = "out of memory";
        return NULL;
    }
    memset(ls, 0, sizeof *ls);
    ls->cpu = cpu;
    ls->reference = reference;
    ls->tested = tested;
    ls->both = both(tested);
    /* Each block must come by the loop then. */
    ls->longest = log_on(LOG_EXEC | LOG_CPU) ? 1 : MAX_PATH;
    the_one = ls;
    return ls;
}

const Backend *lockstep_backend(const Lockstep *ls)
{
    return &ls->both;
}

void lockstep_attach(Lockstep *ls)
{
    ls->cpu->outside_request = &ls->cpu->outside_held;
    pages_attach(ls);
    outside_attach(ls);
    mmu_flush_all(&ls->cpu->mmu); /* whose pages are all open */
}

void lockstep_free(Lockstep *ls)
{
    if (!ls) return;
    if (ls->own_io) {
        outside_detach(ls);
        pages_detach(ls);
        ls->cpu->outside_request = &ls->cpu->exit_request;
    }
    if (the_one == ls) the_one = NULL;
    free(ls);
}

void lockstep_print(const Lockstep *ls, void (*emit_line)(void *opaque, const char *line), void *opaque)
{
    char line[160];
    snprintf(line, sizeof line, "Lockstep: %llu blocks in %llu steps on %s and %s; %llu steps not compared",
             (unsigned long long)ls->n_blocks, (unsigned long long)ls->n_steps, ls->reference->name, ls->tested->name,
             (unsigned long long)ls->n_unchecked);
    emit_line(opaque, line);
}
