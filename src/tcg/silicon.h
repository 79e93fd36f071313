/* What the manuals leave open, mostly undefined flags, as the processor that Calque runs on has it: the x86-64 backend gets
 * that for nothing, since the host's own instruction does the work; the portable one, the reference helpers (src/cpu/ref_*)
 * and the IR's flag facts follow this table, so that both backends agree to the bit on a host of either maker.  A host
 * that is no x86 is taken for Intel.
 *
 *                                  Intel                              AMD (Zen)
 *   MUL IMUL: SF ZF AF PF          SF, PF of the low half, 0, 0       as they were
 *   DIV IDIV                       all as they were                   CF, OF as they were; AF set; SF, ZF, PF clear
 *   SHL SHR SAR SHLD SHRD: AF      clear                              set
 *   OF, shifted or rotated by      as one step would make it of       as the last step makes it of the result (SHLD: with
 *     more than 1                  the old value                      zeros coming in)
 *   ROL ROR of a register by an    leave OF alone                     (like the others)
 *     immediate above 1
 *   RCL RCR all the way round      leave OF alone                     (like the others)
 *   SHLD SHRD, 16 bits, by more    shift d:a:d, the destination's     shift d:a:a; CF clear
 *     than 16                      own bits following
 *   DPPS DPPD: of several NaNs     one by the element of the         the one of the lowest element
 *                                  result
 *   FSIN FPATAN of the least       that number                       below it: an underflow, unless rounded up
 *     normal number
 *
 * AND OR XOR TEST clear AF, BSF and BSR clear all but ZF and PF (the result's), keep a destination when there is no bit,
 * and BT BTS BTR BTC leave all but CF, on both.  tests/backend/test_undefined.c asks the host. */
#ifndef CALQUE_TCG_SILICON_H
#define CALQUE_TCG_SILICON_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg/ir.h"

enum { SILICON_INTEL, SILICON_AMD, SILICON_COUNT };

typedef struct Silicon {
    const char *name;
    uint8_t id;
    uint8_t mul, div;     /* IR_CF ...: what MUL and IMUL, and what DIV and IDIV write; the rest they leave alone */
    bool rotate_keeps_of; /* in the two cases above */
    bool dot_in_order;    /* DPPS and DPPD add with the lower element first, for each element of the result */
    bool sine_below;      /* sine and arctangent of a tiny number are less than it */
} Silicon;
extern const Silicon silicon_table[SILICON_COUNT];

/* The host's. */
static inline const Silicon *silicon(void)
{
#if defined __x86_64__ || defined __i386__
    return &silicon_table[__builtin_cpu_is("amd") ? SILICON_AMD : SILICON_INTEL];
#else
    return &silicon_table[SILICON_INTEL];
#endif
}

uint8_t silicon_flags_written(IrOp op); /* ir_op_info's, but for those that differ */

#endif
