/* The callout table as the intermediate representation wants it. */
#include "cpu/helpers.h"
#include "tcg/ir.h"

#define A      0xff
#define NONE   0
#define AF_    IR_FL_ALL
#define RAISES IR_RAISES
#define FPU    IR_HELPER_FPU
#define HELPER(hname, ret, args, grd, gwr, frd, fwr, attrs, effect)                                                    \
    { .name = #hname,                                                                                                  \
      .fn = (void *)helper_##hname,                                                                                    \
      .nargs = args,                                                                                                   \
      .has_ret = ret,                                                                                                  \
      .gpr_rd = grd,                                                                                                   \
      .gpr_wr = gwr,                                                                                                   \
      .fl_rd = frd,                                                                                                    \
      .fl_wr = fwr,                                                                                                    \
      .attr = attrs,                                                                                                   \
      .effects = effect },
static const IrHelperInfo table[HELPER_COUNT] = {
#include "cpu/helpers.def"
};
#undef HELPER

void cpu_register_helpers(void)
{
    ir_set_helper_info(table, HELPER_COUNT);
}
