/* Twins: user code that is translated already, at another EIP.  Each process has its own addresses for a library (ASLR), whose
 * pages they share: a block of such a page is copied from its twin (Backend.copy) and not translated.
 *
 * The twin must be valid, so that the bytes are still those it was made from, and in the same mode.  Only flat code,
 * within one page, far from both ends of the address space, so that nothing but the addresses differs. */
#include "exec/announce.h"
#include "exec/trace.h"
#include "util/log.h"

#include <string.h>

enum { FAR_FROM_ENDS = 1 << 20 };

/* A block's number and 1.  What it says is only taken if the block itself agrees, so that a flush leaves it as it is. */
static uint32_t *slot(Exec *ex, PhysAddr phys, uint32_t mode_id)
{
    uint32_t h = ((uint32_t)phys ^ (uint32_t)(phys >> 32) * 0x27d4eb2fu ^ mode_id * 0x85ebca6bu) * 0x9e3779b1u;
    return &ex->tables->twin[h >> (32 - TWIN_BITS)];
}

static const TB *twin_of(Exec *ex, PhysAddr phys, uint32_t mode_id)
{
    uint32_t i = *slot(ex, phys, mode_id);
    if (!i || i > ex->n_tb) return NULL;
    const TB *twin = &ex->tb[i - 1];
    return twin->valid && twin->code.n_reloc && twin->phys == phys && twin->mode_id == mode_id ? twin : NULL;
}

bool twin_allowed(const Exec *ex)
{
    const CPUState *cpu = ex->cpu;
    return ex->backend->copy && !ex->lockstep && !cpu->counting &&
           !log_on(LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM) && (cpu->mode & MODE_CPL) == 3 &&
           (cpu->mode & (MODE_FLAT_CS | MODE_CS32 | MODE_VM86)) == (MODE_FLAT_CS | MODE_CS32) &&
           !(cpu->mode & MODE_SINGLE) && cpu->eip - FAR_FROM_ENDS < 0u - 2 * FAR_FROM_ENDS;
}

void twin_offer(Exec *ex, TB *tb)
{
    if (tb->code.n_reloc) *slot(ex, tb->phys, tb->mode_id) = (uint32_t)(tb - ex->tb) + 1;
}

/* The copy's own list entries and links are made when it is inserted. */
static void fill_copy(Exec *ex, TB *tb, const TB *twin, uint32_t lin)
{
    *tb = *twin;
    tb->eip = ex->cpu->eip;
    tb->lin = lin;
    tb->itlb_word[0] = mmu_itlb_word(lin, tb->phys);
    tb->valid = false;
    tb->page_next[0] = NULL;
    tb->page_link[0] = NULL;
    tb->incoming = NULL;
    memset(tb->link, 0, sizeof tb->link);
}

TB *twin_copy(Exec *ex, PhysAddr phys, uint32_t lin)
{
    if (!twin_allowed(ex)) return NULL;
    const TB *twin = twin_of(ex, phys, ex->cpu->mode_id);
    if (!twin || twin->no_runs != cache_in_set(&ex->no_runs, phys) ||
        twin->no_window != cache_in_set(&ex->no_window, phys) ||
        twin->system_window != (!twin->no_window && hot_here(ex, phys)))
        return NULL;
    TB *tb = &ex->tb[ex->n_tb];
    BackendCopy how = { ex->cpu->eip - twin->eip, lin, mmu_itlb_word(lin, phys),
                        (uint8_t *)tb - (const uint8_t *)twin };
    fill_copy(ex, tb, twin, lin);
    if (!ex->backend->copy(&ex->arena, &twin->code, &tb->code, &how)) return NULL;
    ex->n_tb++;
    cache_insert(ex, tb);
    announce_block(ex, tb);
    trace_copied(ex, tb, twin);
    twin_offer(ex, tb);
    ex->n_copied++;
    return tb;
}
