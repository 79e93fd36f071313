/* -trace-jit: the events.  What a reader needs to translate a block again stands in its record: the guest's bytes with
 * those that it looked ahead at, its mode and how it was made. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <config.h>

#include "exec/trace_int.h"
#include "util/symbols.h"

/* --- opening ------------------------------------------------------------------------------------------- */

static void put_passes_off(TraceFile *f)
{
    char text[256] = "";
    size_t n = 0;
    for (unsigned i = 0; i < ir_pass_count; i++) {
        if (ir_pass_enabled(i) || n >= sizeof text) continue;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? "," : "", ir_passes[i].name);
    }
    trace_put_text(f, text);
}

static void put_header(Trace *t)
{
    const Exec *ex = t->ex;
    const CPUState *cpu = ex->cpu;
    const uint32_t feature[TRACE_FEATURES] = { cpu->feat_1_edx, cpu->feat_1_ecx,   cpu->feat_7_ebx,
                                               cpu->feat_7_ecx, cpu->feat_ext_edx, cpu->feat_ext_ecx };
    TraceFile *f = &t->file;
    f->n = 0;
    trace_put(f, (cpu->counting ? TRACE_FLAG_COUNTING : 0) | (ex->opt.no_chain ? TRACE_FLAG_NO_CHAIN : 0));
    trace_put(f, SAMPLE_INTERVAL_US);
    trace_put(f, (uint64_t)time(NULL));
    for (unsigned i = 0; i < TRACE_FEATURES; i++) trace_put(f, feature[i]);
    trace_put_text(f, PACKAGE_VERSION);
    trace_put_text(f, ex->backend->name);
    trace_put_text(f, ex->opt.trace.command ? ex->opt.trace.command : "");
    put_passes_off(f);
}

static void put_helpers(Trace *t)
{
    for (unsigned i = 0; i < ir_helper_count(); i++) {
        trace_begin(&t->file, TRACE_HELPER, 0);
        trace_put(&t->file, i);
        trace_put_text(&t->file, ir_helper_info(i)->name);
        trace_end(&t->file);
    }
}

static void trace_free(Trace *t)
{
    trace_tallies_free(&t->tallies);
    free(t->mode_index);
    free(t->symbol);
    free(t->pair);
    free(t->tired);
    free(t);
}

bool trace_open(Exec *ex, char *error, size_t error_size)
{
    Trace *t = calloc(1, sizeof *t);
    if (!t || !trace_tallies_init(&t->tallies) || !trace_lookups_init(t)) {
        if (t) trace_free(t);
        snprintf(error, error_size, "-trace-jit: out of memory");
        return false;
    }
    t->ex = ex;
    t->next_id = 1;
    t->symbol = symbols_count() ? calloc(symbols_count(), sizeof *t->symbol) : NULL;
    bool good = trace_file_open(&t->file, ex->opt.trace.path, ex->opt.trace.limit, error, error_size);
    if (good) {
        put_header(t);
        good = trace_file_header(&t->file, error, error_size);
    }
    if (!good) {
        trace_free(t);
        return false;
    }
    put_helpers(t);
    trace_lookups_attach(ex->cpu);
    ex->trace = t;
    return true;
}

void trace_close(Exec *ex)
{
    Trace *t = ex->trace;
    if (!t) return;
    ex->cpu->lookup_seen = NULL;
    trace_stop_sampling(t);
    trace_drain_samples(t);
    trace_tallies_tell(t);
    trace_file_close(&t->file);
    ex->trace = NULL;
    trace_free(t);
}

/* --- events ---------------------------------------------------------------------------------------------- */

/* What was sampled before comes first. */
static TraceFile *event(Trace *t, enum TraceKind kind)
{
    trace_drain_samples(t);
    trace_begin(&t->file, kind, 0);
    return &t->file;
}

/* The index of a mode, told if it is new.  Mode ids begin again after a flush. */
static uint32_t mode_index(Trace *t, uint32_t mode_id)
{
    const CPUState *cpu = t->ex->cpu;
    if (mode_id >= t->mode_room) {
        uint32_t room = mode_id + 256, *more = realloc(t->mode_index, room * sizeof *more);
        if (!more) return 0;
        memset(more + t->mode_room, 0, (room - t->mode_room) * sizeof *more);
        t->mode_index = more;
        t->mode_room = room;
    }
    if (t->mode_index[mode_id]) return t->mode_index[mode_id] - 1;
    TraceFile *f = event(t, TRACE_MODE);
    trace_put(f, t->n_modes);
    trace_put(f, cpu->mode);
    trace_put(f, cpu->seg[SEG_CS].base);
    trace_put(f, cpu->seg[SEG_CS].limit);
    if (!trace_end(f)) return t->n_modes;
    t->mode_index[mode_id] = ++t->n_modes;
    return t->n_modes - 1;
}

/* The index of the symbol that lin belongs to, told if it is new; 0: there is none. */
static uint32_t symbol_index(Trace *t, uint32_t lin, uint32_t *offset)
{
    size_t i = symbols_number(lin);
    const char *name = t->symbol ? symbols_at(lin, offset) : NULL;
    if (!name) {
        *offset = 0;
        return 0;
    }
    if (t->symbol[i]) return t->symbol[i];
    TraceFile *f = event(t, TRACE_SYMBOL);
    trace_put(f, t->n_symbols + 1);
    trace_put_text(f, name);
    return trace_end(f) ? t->symbol[i] = ++t->n_symbols : 0;
}

uint32_t trace_next_id(const Trace *t)
{
    return t->next_id;
}

static enum TraceEnd end_of(const IrBlock *b, const TB *tb)
{
    static const uint8_t end[IR_OP_COUNT] = {
        [IR_GOTO] = TRACE_END_JUMP, [IR_JCC] = TRACE_END_JCC,   [IR_JZ] = TRACE_END_JCC,
        [IR_JNZ] = TRACE_END_JCC,   [IR_CALL] = TRACE_END_CALL, [IR_CALLR] = TRACE_END_CALLR,
        [IR_JMPR] = TRACE_END_JMPR, [IR_RET] = TRACE_END_RET,   [IR_EXIT] = TRACE_END_LEAVE,
    };
    const IrInsn *last = b->n ? &b->insn[b->n - 1] : NULL;
    if (!last) return TRACE_END_UNKNOWN;
    bool next = last->op == IR_GOTO && last->target[0] == tb->eip + tb->size;
    return next ? TRACE_END_NEXT : end[last->op];
}

/* n bytes from offset in a block's first page on, perhaps into its second. */
static void put_guest_bytes(TraceFile *f, const TB *tb, unsigned offset, unsigned n)
{
    unsigned first = PAGE_SIZE - offset < n ? PAGE_SIZE - offset : n;
    trace_put_bytes(f, tb->page_host[0] + offset, first);
    if (n > first && tb->page_host[1]) trace_put_bytes(f, tb->page_host[1], n - first);
}

static unsigned how_made(const TB *tb)
{
    return (tb->no_runs ? TRACE_HOW_NO_RUNS : 0) | (tb->no_window ? TRACE_HOW_NO_WINDOW : 0) |
           (tb->advice.no_look_ahead ? TRACE_HOW_NO_LOOK : 0) | (tb->system_window ? TRACE_HOW_SYSTEM_WINDOW : 0);
}

void trace_made_(Exec *ex, TB *tb)
{
    Trace *t = ex->trace;
    uint32_t offset, symbol = symbol_index(t, tb->lin, &offset), mode = mode_index(t, tb->mode_id);
    TraceFile *f = event(t, TRACE_MADE);
    const uint64_t field[] = { t->next_id,
                               tb->eip,
                               tb->phys,
                               mode,
                               tb->size,
                               tb->n_guest,
                               code_size(&tb->code),
                               how_made(tb),
                               tb->advice.soft_from,
                               tb->advice.soft_to,
                               end_of(&ex->ir, tb),
                               symbol,
                               offset };
    for (unsigned i = 0; i < sizeof field / sizeof *field; i++) trace_put(f, field[i]);
    put_guest_bytes(f, tb, (unsigned)(tb->phys & PAGE_MASK), tb->size);
    trace_put(f, tb->look_from);
    trace_put(f, tb->look_len);
    put_guest_bytes(f, tb, tb->look_from, tb->look_len);
    trace_end(f);
    tb->trace_id = t->next_id++;
}

void trace_copied_(Exec *ex, TB *tb, const TB *from)
{
    Trace *t = ex->trace;
    uint32_t offset, symbol = symbol_index(t, tb->lin, &offset);
    TraceFile *f = event(t, TRACE_COPIED);
    const uint64_t field[] = { t->next_id, tb->eip, from->trace_id, code_size(&tb->code), symbol, offset };
    for (unsigned i = 0; i < sizeof field / sizeof *field; i++) trace_put(f, field[i]);
    trace_end(f);
    tb->trace_id = t->next_id++;
    tb->lookup = (BackendLookup){ .left = LOOKUPS_TOLD };
}

void trace_chain_(Exec *ex, bool made, const TB *from, const TB *to, unsigned exit)
{
    TraceFile *f = event(ex->trace, made ? TRACE_CHAINED : TRACE_UNCHAINED);
    trace_put(f, from->trace_id);
    trace_put(f, to->trace_id);
    trace_put(f, exit);
    trace_end(f);
}

/* Of the block whose code runs now; 0: a device is at work, or code that is in no block of the recording.  An instruction
 * that runs alone does so for the block that it was taken from. */
static uint32_t running_id(Exec *ex)
{
    const TB *tb = cache_tb_at(ex, ex->cpu->host_pc);
    if (tb == &ex->scratch) return ex->retry_single ? ex->trace->retried : 0;
    return tb ? tb->trace_id : 0;
}

void trace_invalidated_(Exec *ex, const TB *tb, enum TraceWhy why, const TraceWrite *write)
{
    const CPUState *cpu = ex->cpu;
    TraceFile *f = event(ex->trace, TRACE_INVALIDATED);
    trace_put(f, tb->trace_id);
    trace_put(f, why);
    if (write) {
        uint32_t writer = running_id(ex);
        trace_put(f, write->addr);
        trace_put(f, write->len);
        trace_put(f, writer);
        trace_put(f, writer ? cpu->eip : 0);
    }
    trace_end(f);
}

void trace_flushed_(Exec *ex)
{
    Trace *t = ex->trace;
    TraceFile *f = event(t, TRACE_FLUSHED);
    trace_put(f, ex->n_tb);
    trace_put(f, arena_used(&ex->arena) - ex->arena_base);
    trace_end(f);
    trace_tallies_forget(t);
    if (t->mode_index) memset(t->mode_index, 0, t->mode_room * sizeof *t->mode_index);
    t->n_tired = 0;
    t->pending_from = 0;
}

static void put_place(Exec *ex, TraceFile *f)
{
    const uint8_t *pc = ex->cpu->host_pc;
    const TB *tb = cache_tb_at(ex, pc);
    trace_put(f, tb ? tb->trace_id : 0);
    trace_put(f, tb ? code_offset(&tb->code, pc) : 0);
}

void trace_jumped_out_(Exec *ex)
{
    Trace *t = ex->trace;
    const CPUState *cpu = ex->cpu;
    bool alone = cpu->exc_vector == EXC_RETRY_SINGLE;
    TraceFile *f = event(t, alone ? TRACE_ALONE : TRACE_EXCEPTION);
    if (!alone) trace_put(f, (uint64_t)cpu->exc_vector);
    trace_put(f, cpu->eip);
    put_place(ex, f);
    if (!alone) {
        trace_put(f, cpu->exc_has_error ? cpu->exc_error : 0);
        trace_put(f, cpu->exc_vector == EXC_PF ? cpu->cr2 : 0);
    }
    trace_end(f);
    const TB *tb = cache_tb_at(ex, cpu->host_pc);
    t->retried = tb ? tb->trace_id : 0;
}

void trace_interrupt_(Exec *ex, uint32_t eip)
{
    TraceFile *f = event(ex->trace, TRACE_INTERRUPT);
    trace_put(f, ex->cpu->intr_vector);
    trace_put(f, eip);
    trace_end(f);
}

/* --- now and then ------------------------------------------------------------------------------------------ */

static void put_counts(Exec *ex)
{
    const Mmu *m = &ex->cpu->mmu;
    TraceFile *f = event(ex->trace, TRACE_COUNTS);
    const uint64_t field[] = { ex->n_tb,  arena_used(&ex->arena) - ex->arena_base, m->n_miss, m->n_slow, m->n_flush,
                               ex->n_runs };
    for (unsigned i = 0; i < sizeof field / sizeof *field; i++) trace_put(f, field[i]);
    trace_end(f);
}

void trace_poll(Exec *ex)
{
    Trace *t = ex->trace;
    trace_sample_poll(t);
    trace_drain_samples(t);
    uint64_t us = trace_now_us(&t->file);
    if (us - t->counts_us < TRACE_COUNTS_US) return;
    t->counts_us = us;
    put_counts(ex);
    trace_tallies_tell(t);
    trace_lookups_refresh(t);
}
