/* See silicon.h. */
#include "tcg/silicon.h"

enum { CFOF = IR_CF | IR_OF };

const Silicon silicon_table[SILICON_COUNT] = {
    { "Intel", SILICON_INTEL, .mul = IR_FL_ALL, .div = 0, .rotate_keeps_of = true, .dot_in_order = false,
      .sine_below = false },
    { "AMD", SILICON_AMD, .mul = CFOF, .div = IR_FL_ALL & ~CFOF, .rotate_keeps_of = false, .dot_in_order = true,
      .sine_below = true },
};

uint8_t silicon_flags_written(IrOp op)
{
    if (op >= IR_IMUL2 && op <= IR_IMUL) return silicon()->mul;
    if (op == IR_DIV || op == IR_IDIV) return silicon()->div;
    return ir_op_info[op].fl_wr;
}
