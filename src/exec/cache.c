/* The translation cache: code arena, block table, chaining, invalidation.  Which blocks a write concerns: smc.c.
 *
 * Blocks are only ever appended; an invalidated block keeps its code until the next flush, since a
 * return address on the backend's return stack may still lead into it: its own exits stay
 * chained and registered, so they remain right. */
#include "exec/announce.h"
#include "exec/trace.h"
#include "util/commit.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES_PER_TB = 256 /* arena bytes that one table entry is provided for */ };

/* A cache that is too small is emptied again and again: a C compiler's run makes 60 MiB of code.  Only what is used costs
 * memory. */
static unsigned default_size_mib(void)
{
    enum { LEAST = 64, MOST = 512, SHARE = 16 };
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t share = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / SHARE >> 20 : 0;
    return share < LEAST ? LEAST : share > MOST ? MOST : (unsigned)share;
}

/* Two views of one memory file: never a page that is both writable and executable. */
static bool map_arena(Exec *ex, size_t size, char *error, size_t error_size)
{
    int fd = memfd_create("calque-code", MFD_CLOEXEC);
    void *rw = NULL, *rx = NULL;
    bool good = false;
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0) {
        const int flags = MAP_SHARED | MAP_NORESERVE | MAP_FIXED;
        rw = commit_reserve(size, 0);
        rx = commit_reserve(size, 0);
        good = rw && rx && mmap(rw, size, PROT_READ | PROT_WRITE, flags, fd, 0) != MAP_FAILED &&
               mmap(rx, size, PROT_READ | PROT_EXEC, flags, fd, 0) != MAP_FAILED;
    }
    int err = errno;
    if (fd >= 0) close(fd);
    if (!good) {
        snprintf(error, error_size, "code cache: cannot map %zu MiB: %s; choose a smaller tb-size", size >> 20,
                 strerror(err));
        return false;
    }
    ex->arena = (CodeArena){ .rw = rw, .size = size, .exec_delta = (uint8_t *)rx - (uint8_t *)rw };
    if (ex->backend->native) { /* about as much of a block is out of line as is in line */
        ex->arena.size = size / 2;
        ex->arena.cold_end = size;
        ex->arena.cold_used = size / 2;
    }
    return true;
}

static size_t table_size(const Exec *ex)
{
    return ex->max_tb * sizeof *ex->tb;
}

static bool commit_arena(Exec *ex)
{
    uint8_t *cold = ex->arena.rw + ex->arena.size;
    ptrdiff_t run = ex->arena.exec_delta;
    size_t cold_size = arena_room(&ex->arena) - ex->arena.size;
    return commit_init(&ex->commit_code, ex->arena.rw, ex->arena.size, ex->arena.rw + run) &&
           (!cold_size || commit_init(&ex->commit_cold, cold, cold_size, cold + run));
}

bool cache_init(Exec *ex, char *error, size_t error_size)
{
    size_t size = (size_t)(ex->opt.tb_size_mib ? ex->opt.tb_size_mib : default_size_mib()) << 20;
    if (!map_arena(ex, size, error, error_size)) return false;
    ex->max_tb = (uint32_t)(size / BYTES_PER_TB);
    ex->tb = commit_zeroed(table_size(ex));
    ex->tb_name = commit_zeroed(ex->max_tb * sizeof *ex->tb_name);
    ex->tables = commit_zeroed(sizeof *ex->tables);
    if (!ex->tb || !ex->tb_name || !ex->tables || !commit_arena(ex) ||
        !commit_init(&ex->commit_tb, (uint8_t *)ex->tb, table_size(ex), NULL)) {
        snprintf(error, error_size, "code cache: no memory for %u blocks", ex->max_tb);
        return false;
    }
    const char *why = "the backend refused the code cache";
    if (!ex->backend->init(ex->cpu, &ex->arena, &why)) {
        snprintf(error, error_size, "backend %s: %s", ex->backend->name, why);
        return false;
    }
    ex->arena_base = ex->arena.used;
    ex->next_mode_id = 1;
    return true;
}

static void free_modes(Exec *ex)
{
    for (unsigned i = 0; i < 1u << MODE_HASH_BITS; i++)
        for (ModeEntry *m = ex->mode_hash[i], *next; m; m = next) next = m->next, free(m);
    memset(ex->mode_hash, 0, sizeof ex->mode_hash);
    ex->mode_now = NULL;
}

static void commit_next(CommitArea *a, size_t used, size_t next)
{
    commit_use(a, next < a->size - used ? used + next : a->size - 1);
}

/* What the next block needs, nearly always. */
void cache_commit(Exec *ex)
{
    enum { NEXT = 64 << 10 };
    commit_next(&ex->commit_code, ex->arena.used, NEXT);
    if (ex->arena.cold_end) commit_next(&ex->commit_cold, ex->arena.cold_used - ex->arena.size, NEXT);
    commit_next(&ex->commit_tb, ex->n_tb * sizeof *ex->tb, sizeof *ex->tb);
}

void cache_free(Exec *ex)
{
    pages_free(ex, false);
    free_modes(ex);
    commit_end(&ex->commit_code);
    commit_end(&ex->commit_cold);
    commit_end(&ex->commit_tb);
    if (ex->arena.rw) {
        munmap(ex->arena.rw + ex->arena.exec_delta, arena_room(&ex->arena));
        munmap(ex->arena.rw, arena_room(&ex->arena));
    }
    commit_zeroed_free(ex->tb, table_size(ex));
    commit_zeroed_free(ex->tb_name, ex->max_tb * sizeof *ex->tb_name);
    commit_zeroed_free(ex->tables, sizeof *ex->tables);
}

void exec_flush(Exec *ex)
{
    trace_flushed(ex);
    memset(ex->tables->hash, 0, sizeof ex->tables->hash);
    memset(ex->jump_tb, 0, sizeof ex->jump_tb);
    memset(&ex->no_runs, 0, sizeof ex->no_runs);
    memset(&ex->no_window, 0, sizeof ex->no_window);
    memset(&ex->ends_block, 0, sizeof ex->ends_block);
    memset(ex->cpu->jump_cache, 0, sizeof ex->cpu->jump_cache);
    pages_free(ex, true);
    free_modes(ex);
    ex->next_mode_id = 1;
    ex->n_tb = 0;
    arena_rewind(&ex->arena, ex->arena_base);
    ex->last_exit = NULL;
    ex->scratch_active = false;
    ex->n_flush++;
    announce_flush(ex);
}

/* --- modes --------------------------------------------------------------------------------------- */

uint32_t cache_mode_id(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    const SegCache *cs = &cpu->seg[SEG_CS];
    ModeEntry *m = ex->mode_now;
    if (m && m->mode == cpu->mode && m->cs_base == cs->base && m->cs_limit == cs->limit) return m->id;
    uint32_t h = (cpu->mode * 0x9e3779b1u ^ cs->base * 0x85ebca6bu ^ cs->limit) >> (32 - MODE_HASH_BITS);
    for (m = ex->mode_hash[h]; m; m = m->next)
        if (m->mode == cpu->mode && m->cs_base == cs->base && m->cs_limit == cs->limit) break;
    if (!m) {
        if (ex->next_mode_id == UINT32_MAX) exec_flush(ex);
        m = malloc(sizeof *m);
        if (!m) abort();
        *m = (ModeEntry){ cpu->mode, cs->base, cs->limit, ex->next_mode_id++, ex->mode_hash[h] };
        ex->mode_hash[h] = m;
    }
    ex->mode_now = m;
    cpu->mode_id = m->id;
    return m->id;
}

/* --- the block table --------------------------------------------------------------------------------- */

static uint32_t tb_hash(PhysAddr phys, uint32_t eip, uint32_t mode_id)
{
    uint32_t x = (uint32_t)phys ^ (uint32_t)(phys >> 32) * 0x27d4eb2fu ^ eip * 0x9e3779b1u ^ mode_id * 0x85ebca6bu;
    return x * 0xc2b2ae35u;
}

static uint32_t *chain(Exec *ex, uint32_t hash)
{
    return &ex->tables->hash[hash >> (32 - TB_HASH_BITS)];
}

TB *cache_find(Exec *ex, PhysAddr phys, uint32_t eip, uint32_t mode_id)
{
    uint32_t h = tb_hash(phys, eip, mode_id);
    for (uint32_t i = *chain(ex, h); i; i = ex->tb_name[i - 1].next) {
        TB *tb = &ex->tb[i - 1];
        if (ex->tb_name[i - 1].hash == h && tb->phys == phys && tb->eip == eip && tb->mode_id == mode_id) return tb;
    }
    return NULL;
}

void cache_insert(Exec *ex, TB *tb)
{
    uint32_t h = tb_hash(tb->phys, tb->eip, tb->mode_id), i = (uint32_t)(tb - ex->tb);
    tb->valid = true;
    ex->tb_name[i] = (TbName){ h, *chain(ex, h) };
    *chain(ex, h) = i + 1;
    pages_add(ex, tb);
}

/* In line, or out of line. */
static bool has_code_at(const TB *tb, const uint8_t *pc)
{
    const uint8_t *hot = tb->code.entry_checked, *cold = tb->code.cold;
    return (pc >= hot && pc <= hot + tb->code.size) ||
           (tb->code.cold_size && pc >= cold && pc <= cold + tb->code.cold_size);
}

TB *cache_tb_at(Exec *ex, const void *host_pc)
{
    if (!host_pc) return NULL;
    const uint8_t *pc = host_pc, *cold = ex->arena.rw + ex->arena.exec_delta + ex->arena.size;
    if (ex->scratch_active && has_code_at(&ex->scratch, pc)) return &ex->scratch;
    bool in_cold = ex->arena.cold_end && pc >= cold;
    uint32_t lo = 0, hi = ex->n_tb;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        const BackendCode *c = &ex->tb[mid].code;
        if ((const uint8_t *)(in_cold ? c->cold : c->entry_checked) <= pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo && has_code_at(&ex->tb[lo - 1], pc) ? &ex->tb[lo - 1] : NULL;
}

/* --- chaining ------------------------------------------------------------------------------------------ */

void cache_chain(Exec *ex, BackendExit *exit, TB *target)
{
    TB *from = exit->owner;
    if (ex->opt.no_chain || !exit->used || exit->eip != target->eip || from->mode_id != target->mode_id ||
        !target->valid)
        return;
    TbLink *link = &from->link[exit == &from->code.exit[1]];
    if (link->target) return;
    bool same_page = !((from->lin ^ target->lin) & ~PAGE_MASK) && from->page_host[0] == target->page_host[0];
    const BackendCode *code = &target->code;
    ex->backend->link(&ex->arena, exit,
                      target == from ? code->entry_again
                      : same_page    ? code->entry
                                     : code->entry_checked);
    *link = (TbLink){ target, target->incoming, exit };
    target->incoming = link;
    ex->n_chained++;
    trace_chained(ex, from, target, exit == &from->code.exit[1]);
}

static void hash_remove(Exec *ex, TB *tb)
{
    uint32_t i = (uint32_t)(tb - ex->tb), *p = chain(ex, ex->tb_name[i].hash);
    while (*p && *p != i + 1) p = &ex->tb_name[*p - 1].next;
    if (*p) *p = ex->tb_name[i].next;
}

void cache_invalidate(Exec *ex, TB *tb, enum TraceWhy why, const TraceWrite *write)
{
    if (!tb->valid) return;
    tb->valid = false;
    trace_invalidated(ex, tb, why, write);
    hash_remove(ex, tb);
    pages_remove(tb);
    for (TbLink *l = tb->incoming; l; l = l->next) {
        ex->backend->unlink(&ex->arena, l->exit);
        const TB *from = l->exit->owner;
        trace_unchained(ex, from, tb, l->exit == &from->code.exit[1]);
        l->target = NULL;
    }
    tb->incoming = NULL;
    unsigned h = cpu_jump_hash(tb->eip);
    if (ex->jump_tb[h] == tb) {
        ex->jump_tb[h] = NULL;
        memset(&ex->cpu->jump_cache[h], 0, sizeof ex->cpu->jump_cache[h]);
    }
    ex->n_invalidated++;
}

static uint32_t set_bit(PhysAddr phys)
{
    return (uint32_t)phys * 0x9e3779b1u >> (32 - BLOCK_SET_BITS);
}

bool cache_in_set(const BlockSet *set, PhysAddr phys)
{
    uint32_t bit = set_bit(phys);
    return set->bits[bit >> 3] >> (bit & 7) & 1;
}

void cache_set_add(BlockSet *set, PhysAddr phys)
{
    uint32_t bit = set_bit(phys);
    set->bits[bit >> 3] |= (uint8_t)(1u << (bit & 7));
}

void cache_add_to(Exec *ex, BlockSet *set, TB *tb)
{
    if (!tb || tb == &ex->scratch) return;
    cache_set_add(set, tb->phys);
    cache_invalidate(ex, tb, set == &ex->no_runs ? TRACE_WHY_RUNS : TRACE_WHY_WINDOW, NULL);
}
