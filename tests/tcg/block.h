/* Builds small blocks and compares what a pass leaves of them with text, one line per operation. */
#ifndef CALQUE_TESTS_TCG_BLOCK_H
#define CALQUE_TESTS_TCG_BLOCK_H

#include "../tap.h"
#include "tcg/ir.h"
#include "tcg/pass.h"

#include <string.h>

static IrBlock block;

__attribute__((unused)) static IrInsn *op2(IrOp op, unsigned width, IrOpnd dst, IrOpnd a)
{
    IrInsn *in = ir_emit(&block, op, width);
    in->dst = dst;
    in->a = a;
    return in;
}

__attribute__((unused)) static IrMem at(unsigned base, uint32_t disp)
{
    return (IrMem){ .seg = IR_SEG_DS, .flat = 1, .asize = 4, .base = (uint16_t)base, .index = IR_NOREG, .disp = disp };
}

__attribute__((unused)) static IrInsn *mem_op(IrOp op, unsigned width, IrOpnd reg, IrMem mem)
{
    IrInsn *in = ir_emit(&block, op, width);
    if (op == IR_ST || op == IR_STRMW)
        in->a = reg;
    else
        in->dst = reg;
    in->mem = mem;
    return in;
}

__attribute__((unused)) static void begin(unsigned temps)
{
    ir_block_reset(&block);
    block.n_temps = (uint16_t)temps;
    block.fl_live_out = IR_FL_ALL;
}

/* NOPs are not printed; runs of blanks in an operation's text count as one. */
static void squeeze(char *s)
{
    char *to = s;
    for (char *p = s; *p; p++)
        if (*p != ' ' || (to > s && to[-1] != ' ')) *to++ = *p;
    while (to > s && to[-1] == ' ') to--;
    *to = 0;
}

__attribute__((unused)) static void expect(const char *what, const char *text)
{
    char line[256], all[4096] = "";

    for (uint32_t i = 0; i < block.n; i++) {
        if (block.insn[i].op == IR_NOP) continue;
        ir_print_insn(line, sizeof line, &block.insn[i]);
        squeeze(line);
        strncat(all, line, sizeof all - strlen(all) - 2);
        strcat(all, "\n");
    }
    if (!ok(!strcmp(all, text), "%s", what)) {
        for (char *l = strtok(all, "\n"); l; l = strtok(NULL, "\n")) diag("got: %s", l);
    }
}

#endif
