/* From guest code to an entry in the cache: fetch, translate, optimise, emit, insert. */
#include "exec/announce.h"
#include "exec/trace.h"
#include "util/host_time.h"
#include "util/log.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MAP = 8192 };

/* The page after the first, when an instruction runs into it. */
typedef struct NextPage {
    Exec *ex;
    uint32_t lin;
    PhysAddr phys, first; /* its address and that of the page before */
    uint8_t *host;
    bool used, faulted;
    MmuFault fault;
    uint8_t copy[PAGE_SIZE]; /* code in a device window is read byte by byte */
} NextPage;

static const uint8_t *page_bytes(Exec *ex, PhysAddr page, uint8_t *copy, uint8_t **host)
{
    bool writable;
    const uint8_t *code_only = phys_code_only_page(ex->cpu->mmu.phys, page);
    *host = NULL; /* nobody will tell us of writes to it */
    if (code_only) return code_only;
    *host = phys_page_host(ex->cpu->mmu.phys, page, &writable);
    if (*host) return *host;
    phys_read(ex->cpu->mmu.phys, page, copy, PAGE_SIZE);
    return copy;
}

static const uint8_t *next_page(void *opaque)
{
    NextPage *np = opaque;
    CPUState *cpu = np->ex->cpu;
    PhysAddr phys;
    if (!mmu_translate(&cpu->mmu, np->lin, MMU_EXEC, cpu_mmu_idx(cpu), &phys, &np->fault)) {
        np->faulted = true;
        return NULL;
    }
    np->used = true;
    np->phys = phys & ~(PhysAddr)PAGE_MASK;
    return page_bytes(np->ex, np->phys, np->copy, &np->host);
}

static bool is_last(void *opaque, uint32_t offset)
{
    const NextPage *np = opaque;
    return count_is_last(np->ex, np->first + offset);
}

static bool showing; /* whatever the filter says */

static bool wanted(const TB *tb)
{
    return showing || (log_on(LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM) && log_in_range(tb->lin));
}

/* For the log only: the IR before the passes, and what they say about it. */
static const IrBlock *keep_before(IrBlock *b, IrNotes *notes)
{
    static IrBlock before;
    static IrInsn insn[1 << 14];
    if (b->n > sizeof insn / sizeof *insn || !ir_notes_begin(notes, b)) return NULL;
    before = *b;
    before.insn = insn;
    memcpy(insn, b->insn, b->n * sizeof *insn);
    return &before;
}

/* Where calls are counted. */
typedef struct Tally {
    Exec *ex;
    uint32_t id; /* -trace-jit's */
} Tally;

static uint64_t *tally(void *opaque, unsigned helper)
{
    static uint64_t nobodys;
    const Tally *of = opaque;
    if (of->ex->trace) return trace_tally(of->ex->trace, of->id, helper);
    return of->ex->callouts ? &of->ex->callouts[helper] : &nobodys;
}

static bool emit(Exec *ex, TB *tb, bool cached)
{
    static EmitMap map[MAX_MAP];
    static IrNotes notes;
    unsigned map_n = 0;
    bool log = wanted(tb);
    const IrBlock *before = log ? keep_before(&ex->ir, &notes) : NULL;
    ir_run_passes(&ex->ir);
    if (ex->ir.notes) ex->ir.notes->pass = ex->backend->name;
    EmitInfo info = { .owner = tb, .mode_id = tb->mode_id, .no_chain = ex->opt.no_chain || !cached };
    info.count = ex->cpu->counting;
    if (tb->page_host[0]) info.code = tb->page_host[0] + (tb->phys & PAGE_MASK);
    bool traced = ex->trace || ex->opt.trace.as_recorded;
    info.tally = traced || ex->callouts ? tally : NULL;
    info.tally_opaque = &(Tally){ ex, ex->trace && cached ? trace_next_id(ex->trace) : 0 };
    info.lookup = traced && cached ? &tb->lookup : NULL;
    info.copies = cached && twin_allowed(ex);
    info.no_runs = tb->no_runs = !cached || cache_in_set(&ex->no_runs, tb->phys);
    info.no_window = tb->no_window = !cached || cache_in_set(&ex->no_window, tb->phys);
    info.system_window = tb->system_window = !tb->no_window && hot_here(ex, tb->phys);
    info.n_pages = cached ? tb->n_pages : 0;
    for (unsigned i = 0; i < tb->n_pages; i++) {
        info.page_lin[i] = (tb->lin & ~PAGE_MASK) + i * PAGE_SIZE;
        info.itlb_word[i] = tb->itlb_word[i];
    }
    bool good = ex->backend->emit(&ex->arena, &ex->ir, &info, &tb->code, log ? map : NULL, MAX_MAP, &map_n);
    ir_notes_end(&ex->ir);
    if (!good) return false;
    tb->ir_ops = ex->ir.n;
    if (log)
        dump_block(&(BlockDump){ .ex = ex,
                                 .tb = tb,
                                 .before = before,
                                 .after = &ex->ir,
                                 .notes = before ? &notes : NULL,
                                 .map = map,
                                 .map_n = map_n });
    return true;
}

/* What its translation says of the block. */
static void describe(TB *tb, const IrBlock *b, const NextPage *np)
{
    if (b->look_hi > b->look_lo) { /* within the first page */
        tb->look_from = (uint16_t)((b->cs_base + b->look_lo) & PAGE_MASK);
        tb->look_len = (uint16_t)(b->look_hi - b->look_lo);
    }
    for (unsigned i = 0; i < b->n_soft; i++) tb->soft[i] = (uint16_t)((tb->phys & PAGE_MASK) + b->soft[i]);
    tb->n_soft = b->n_soft;
    tb->size = b->size;
    tb->n_guest = b->n_guest;
    tb->n_pages = (tb->lin & PAGE_MASK) + tb->size > PAGE_SIZE ? 2 : 1;
    tb->page_phys[0] = np->first;
    tb->itlb_word[0] = mmu_itlb_word(tb->lin, tb->phys);
    if (tb->n_pages == 2) {
        tb->page_phys[1] = np->phys;
        tb->page_host[1] = np->host;
        tb->itlb_word[1] = mmu_itlb_word(np->lin, np->phys);
    }
}

typedef struct How {
    bool cached;
    unsigned max; /* instructions */
    PatchAdvice advice;
} How;

/* Fills tb from the CPU's EIP. False: code cache full. Raises #PF. */
static bool fill(Exec *ex, TB *tb, PhysAddr phys, uint32_t lin, How how, bool *trackable)
{
    CPUState *cpu = ex->cpu;
    static uint8_t copy[PAGE_SIZE];
    static NextPage np;
    memset(&np, 0, offsetof(NextPage, copy));
    np.ex = ex;
    np.lin = (lin & ~PAGE_MASK) + PAGE_SIZE;
    np.first = phys & ~(PhysAddr)PAGE_MASK;

    memset(tb, 0, sizeof *tb);
    *tb = (TB){ .phys = phys,
                .eip = cpu->eip,
                .lin = lin,
                .mode_id = cpu->mode_id,
                .mode = cpu->mode,
                .lookup = { .left = LOOKUPS_TOLD } };
    CodeSource src = { .next_page = next_page, .is_last = is_last, .opaque = &np };
    if (ex->opt.code_end && lin >= ex->opt.code_end) cpu_raise_err(cpu, EXC_GP, 0);
    uint32_t to_end = ex->opt.code_end - (lin & ~PAGE_MASK);
    if (ex->opt.code_end && to_end <= PAGE_SIZE) src.end = to_end;
    src.page0 = page_bytes(ex, np.first, copy, &tb->page_host[0]);
    if (tb->page_host[0]) {
        tb->advice = how.advice;
        src.soft_from = how.advice.soft_from;
        src.soft_to = how.advice.soft_to;
        src.no_look_ahead = how.advice.no_look_ahead;
    }
    if ((cpu->mode & MODE_SINGLE) || !tb->page_host[0]) how.max = 1;
    if (translate_block(&ex->ir, cpu, &src, how.max) == TRANSLATE_FAULT_NEXT_PAGE) cpu_raise_pf(cpu, &np.fault);

    describe(tb, &ex->ir, &np);
    if (cpu->counting && !showing) count_note_block(ex, tb); /* one that is only shown is in no table */
    *trackable = tb->page_host[0] && (tb->n_pages == 1 || tb->page_host[1]);
    return emit(ex, tb, how.cached && *trackable);
}

/* The entry counts only once it is complete: a #PF on the way leaves nothing behind. */
static TB *try_build(Exec *ex, PhysAddr phys, uint32_t lin)
{
    if (ex->n_tb == ex->max_tb) return NULL;
    TB *tb = &ex->tb[ex->n_tb];
    bool trackable;
    cache_mode_id(ex);
    TB *copy = twin_copy(ex, phys, lin);
    if (copy) return copy;
    How how = { true, TRANSLATE_MAX_INSNS, smc_advice(ex, phys) };
    if (!fill(ex, tb, phys, lin, how, &trackable)) return NULL;
    if (!trackable) return build_scratch(ex, lin, NULL);
    ex->n_tb++;
    cache_insert(ex, tb);
    announce_block(ex, tb);
    trace_made(ex, tb);
    twin_offer(ex, tb);
    ex->n_translated++;
    ex->n_guest_bytes += tb->size;
    ex->n_guest_insns += tb->n_guest;
    ex->n_host_bytes += code_size(&tb->code);
    return tb;
}

static _Noreturn void does_not_fit(Exec *ex)
{
    fprintf(stderr, "calque: a block at %08x does not fit an empty code cache of %zu MiB\n", ex->cpu->eip,
            arena_room(&ex->arena) >> 20);
    exit(1);
}

TB *build_tb(Exec *ex, PhysAddr phys, uint32_t lin)
{
    uint64_t t0 = host_ns(), copied = ex->n_copied;
    ex->translating = true;
    cache_commit(ex);
    TB *tb = try_build(ex, phys, lin);
    if (!tb) {
        exec_flush(ex);
        tb = try_build(ex, phys, lin);
    }
    if (!tb) does_not_fit(ex);
    ex->translating = false;
    *(ex->n_copied != copied ? &ex->copy_ns : &ex->translate_ns) += host_ns() - t0;
    return tb;
}

TB *build_scratch(Exec *ex, uint32_t lin, const TB *whole)
{
    CPUState *cpu = ex->cpu;
    How alone = { .max = 1 }, how = alone;
    if (whole) how = (How){ .max = (unsigned)cpu->insns_left, .advice = whole->advice };
    PhysAddr phys;
    MmuFault fault;
    bool trackable;
    if (!mmu_translate(&cpu->mmu, lin, MMU_EXEC, cpu_mmu_idx(cpu), &phys, &fault)) cpu_raise_pf(cpu, &fault);
    cache_mode_id(ex);
    CodeArena mark = ex->arena;
    if (!fill(ex, &ex->scratch, phys, lin, how, &trackable)) {
        exec_flush(ex);
        cache_mode_id(ex);
        mark = ex->arena;
        if (!fill(ex, &ex->scratch, phys, lin, alone, &trackable)) does_not_fit(ex); /* its code is no longer tracked */
    }
    ex->arena = mark; /* runs once: the next translation may overwrite it */
    ex->scratch_active = true;
    return &ex->scratch;
}

TB *build_show(Exec *ex, const TB *tb)
{
    static TB again;
    bool trackable;
    How how = { tb != &ex->scratch, tb->n_guest, tb->advice };
    PhysAddr phys = tb->phys;
    uint32_t lin = tb->lin, mask = log_mask;
    arena_rewind(&ex->arena, ex->arena_base);
    log_mask |= LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM;
    showing = true;
    bool good = fill(ex, &again, phys, lin, how, &trackable);
    showing = false;
    log_mask = mask;
    return good ? &again : NULL;
}

static void set_only(BlockSet *set, bool in, PhysAddr phys)
{
    memset(set, 0, sizeof *set);
    if (in) cache_set_add(set, phys);
}

uint32_t exec_show(Exec *ex, const ExecShow *how)
{
    static TB tb;
    CPUState *cpu = ex->cpu;
    jmp_buf env;
    uint32_t mask = log_mask;
    bool trackable;
    volatile bool good = false;
    cpu->exc_env = &env;
    cache_mode_id(ex);
    set_only(&ex->no_runs, how->no_runs, how->phys);
    set_only(&ex->no_window, how->no_window, how->phys);
    set_only(&ex->hot, how->system_window, how->phys & ~(PhysAddr)PAGE_MASK);
    How as = { true, how->insns, { how->soft_from, how->soft_to, how->no_look_ahead } };
    arena_rewind(&ex->arena, ex->arena_base);
    log_mask |= how->items;
    showing = true;
    if (!setjmp(env)) good = fill(ex, &tb, how->phys, cpu->seg[SEG_CS].base + cpu->eip, as, &trackable);
    showing = false;
    log_mask = mask;
    cpu->exc_env = NULL;
    return good ? code_size(&tb.code) : 0;
}

/* The successors that the block's last operation, still in ex->ir, names. */
static void successors(const Exec *ex, const TB *tb, ExecBlock *out)
{
    const IrInsn *last = &ex->ir.insn[ex->ir.n - 1];
    switch (last->op) {
    case IR_GOTO: out->next[out->n_next++] = last->target[0]; break;
    case IR_CALL:
    case IR_JCC:
    case IR_JZ:
    case IR_JNZ: out->next[out->n_next++] = last->target[0]; /* fall through */
    case IR_CALLR: out->next[out->n_next++] = last->target[1]; break;
    case IR_EXIT: out->next[out->n_next++] = tb->eip + tb->size; break; /* most callouts come back */
    default: break;
    }
}

bool exec_translate(Exec *ex, ExecBlock *out)
{
    CPUState *cpu = ex->cpu;
    jmp_buf env;
    PhysAddr phys;
    MmuFault fault;
    uint32_t lin = cpu->seg[SEG_CS].base + cpu->eip;
    *out = (ExecBlock){ 0 };
    cpu->exc_env = &env;
    if (setjmp(env)) {
        cpu->exc_env = NULL;
        return false;
    }
    if (!mmu_translate(&cpu->mmu, lin, MMU_EXEC, cpu_mmu_idx(cpu), &phys, &fault)) cpu_raise_pf(cpu, &fault);
    const TB *tb = build_tb(ex, phys, lin);
    ex->scratch_active = false;
    cpu->exc_env = NULL;
    out->size = tb->size;
    successors(ex, tb, out);
    return true;
}
