/* INTO: the one software interrupt with a condition (SDM 2A, INT n/INTO/INT3/INT1). */
#include "cpu/helpers.h"

void helper_into(CPUState *cpu, uint32_t next)
{
    if (cpu_arith_flags(cpu->cc) & FL_OF)
        helper_int_soft(cpu, EXC_OF, next);
    else
        cpu->eip = next;
}
