/* Exact counting of guest instructions, with chained blocks: what -icount and -max-insns stand on.
 *
 * The loop grants a number of instructions, up to the next deadline.  Each block takes as many as it has from
 * CPUState.insns_left at its entry, and does not start when there are too few: then the loop runs what is left as a
 * shorter block.  That alone would be exact between blocks only; inside them it becomes so in three ways:
 *  - an exception, which leaves a block early, gives back what has not been run;
 *  - an instruction that may read the time, or after which the block may be left, is the last of its block
 *    (frontend/translate.c);
 *  - one that is found to access a device, which may do both, is run again alone, and ends its block from then on.
 *
 * An instruction that raises an exception counts like any other, and so does an exception on the way to a handler: else
 * time would stand still for a guest that faults for ever.  One that is run again because it could not be
 * run in its block counts once. */
#include "exec/tb.h"

#include <stdlib.h>
#include <string.h>

/* Blocks that are not in the table, made to run once or to be shown, share the last row. */
static uint8_t *lengths(const Exec *ex, const TB *tb)
{
    bool in_table = tb >= ex->tb && tb < ex->tb + ex->max_tb;
    return ex->insn_len[in_table ? (size_t)(tb - ex->tb) : ex->max_tb];
}

void count_note_block(Exec *ex, const TB *tb)
{
    uint8_t *len = lengths(ex, tb);
    for (uint32_t i = 0; i < ex->ir.n; i++)
        if (ex->ir.insn[i].op == IR_MARK) *len++ = (uint8_t)ex->ir.insn[i].target[1];
}

/* Instructions of the block behind the one at eip.  Another EIP belongs to a transfer, which is the last. */
static uint32_t behind(const Exec *ex, const TB *tb, uint32_t eip)
{
    const uint8_t *len = lengths(ex, tb);
    uint32_t at = tb->eip;
    for (uint32_t i = 0; i < tb->n_guest; at += len[i++])
        if (at == eip) return tb->n_guest - 1 - i;
    return 0;
}

void count_grant(Exec *ex)
{
    enum { MOST = 1 << 30 };
    CPUState *cpu = ex->cpu;
    uint64_t count = cpu_insns(cpu), n = ex->opt.icount ? ex->hooks.grant(ex->hooks.opaque) : MOST;
    if (ex->opt.max_insns) {
        uint64_t room = ex->opt.max_insns > count ? ex->opt.max_insns - count : 0;
        if (n > room) n = room;
    }
    if (n > MOST) n = MOST;
    cpu->insns_left = (int32_t)n;
    cpu->insns_granted = count + n;
}

void count_after_jump(Exec *ex)
{
    CPUState *cpu = ex->cpu;
    const TB *tb = cache_tb_at(ex, cpu->host_pc);
    bool again = cpu->exc_vector == EXC_RETRY_SINGLE;
    if (tb)
        cpu->insns_left += (int32_t)behind(ex, tb, cpu->eip) + again;
    else if (!again)
        cpu->insns_left--;
}

/* --- instructions that access devices ------------------------------------------------------------------ */

bool count_is_last(const Exec *ex, PhysAddr insn)
{
    return cache_in_set(&ex->ends_block, insn);
}

static void on_device(void *opaque)
{
    Exec *ex = opaque;
    CPUState *cpu = ex->cpu;
    TB *tb = cache_tb_at(ex, cpu->host_pc);
    if (!tb || !behind(ex, tb, cpu->eip)) return;
    cache_set_add(&ex->ends_block,
                  tb->phys + (cpu->eip - tb->eip)); /* only the last instruction leaves the first page */
    if (tb != &ex->scratch) cache_invalidate(ex, tb, TRACE_WHY_DEVICE, NULL);
    cpu_retry_single(cpu);
}

bool count_init(Exec *ex)
{
    ex->insn_len = calloc((size_t)ex->max_tb + 1, sizeof *ex->insn_len);
    if (!ex->insn_len) return false;
    ex->cpu->counting = true;
    ex->cpu->mmu.on_device = on_device;
    ex->cpu->mmu.on_device_opaque = ex;
    return true;
}

void count_free(Exec *ex)
{
    if (!ex->insn_len) return;
    ex->cpu->counting = false;
    ex->cpu->mmu.on_device = NULL;
    free(ex->insn_len);
}
