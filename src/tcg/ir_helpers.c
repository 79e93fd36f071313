/* What tcg knows of the callouts: the table that the processor's folder registers at start-up, so
 * that the dependency points downwards. */
#include "tcg/ir.h"

static const IrHelperInfo *helper_table;
static unsigned helper_n;

void ir_set_helper_info(const IrHelperInfo *table, unsigned n)
{
    helper_table = table;
    helper_n = n;
}

const IrHelperInfo *ir_helper_info(unsigned helper)
{
    return helper < helper_n ? &helper_table[helper] : NULL;
}

unsigned ir_helper_count(void)
{
    return helper_n;
}
