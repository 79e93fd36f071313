/* The IR's register operations defined a second time, from the manual's descriptions and in plain wide
 * arithmetic, to check backends against. */
#ifndef CALQUE_TESTS_IR_REFERENCE_H
#define CALQUE_TESTS_IR_REFERENCE_H

#include "tcg/ir.h"

typedef struct IrRef {
    unsigned width;     /* bytes */
    uint32_t d, a, b;   /* operands in, zero-extended; results out in d, and a where the operation writes it */
    uint32_t eax, edx;  /* implicit registers, in and out */
    unsigned cc;        /* condition code */
    unsigned fl;        /* IR_CF ...: in and out */
    unsigned undefined; /* out: flags the manual leaves undefined */
    bool divide_error;  /* out */
    bool skip;          /* out: the result is undefined */
} IrRef;

bool ir_ref_condition(unsigned cc, unsigned fl);
void ir_ref_run(IrOp op, unsigned width2, IrRef *r);

#endif
