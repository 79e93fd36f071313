/* The passes in running order, and switching them off by name.  Liveness comes first because the others may
 * fold an operation only when nobody reads its flags; each of them keeps the facts true (flags may be
 * called live that no longer are, never the other way round), so it need not run again. */
#include "tcg/notes.h"
#include "tcg/pass.h"

#include <string.h>

const IrPass ir_passes[] = {
    { "flags", "arithmetic flags nobody reads are not computed", pass_flags },
    { "constprop", "known values and copies take the place of registers", pass_constprop },
    { "addr", "address arithmetic moves into memory operands", pass_addr },
    { "dce", "operations without effect are dropped", pass_dce },
    { "runs", "one page check serves neighbouring memory accesses", pass_runs },
};
const unsigned ir_pass_count = sizeof ir_passes / sizeof *ir_passes;

static unsigned disabled; /* bit i: ir_passes[i] */

bool ir_pass_enable(const char *name, bool on)
{
    for (unsigned i = 0; i < ir_pass_count; i++) {
        if (strcmp(ir_passes[i].name, name)) continue;
        disabled = on ? disabled & ~(1u << i) : disabled | 1u << i;
        return true;
    }
    return false;
}

bool ir_pass_enabled(unsigned i)
{
    return !(disabled >> i & 1);
}

/* Without the liveness pass: every flag written is taken to be read. */
static void all_flags_live(IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        ir_resolve_flags(&b->insn[i]);
        b->insn[i].fl_live = b->insn[i].fl_wr;
    }
}

void ir_run_passes(IrBlock *b)
{
    for (unsigned i = 0; i < ir_pass_count; i++) {
        if (b->notes) b->notes->pass = ir_passes[i].name;
        if (!(disabled >> i & 1))
            ir_passes[i].run(b);
        else if (ir_passes[i].run == pass_flags)
            all_flags_live(b);
    }
}
