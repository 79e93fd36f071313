/* Pre-decoded Ops as text, for -d out_asm. */
#include "backend/interp/interp.h"

#include <stdio.h>

static const char *purpose(const Op *op)
{
    static const struct {
        Handler *fn;
        const char *text;
    } named[] = {
        { interp_check_page, "check page" },
        { interp_stub, "leave, exit unlinked" },
        { interp_cc_save, "save flags" },
        { interp_cc_merge, "merge flags" },
    };

    for (unsigned i = 0; i < sizeof named / sizeof *named; i++)
        if (op->fn == named[i].fn) return named[i].text;
    return ir_op_info[op->ir_op < IR_OP_COUNT ? op->ir_op : IR_NOP].text;
}

static int describe(char *buf, size_t size, const Op *op)
{
    static const char *const variant[VAR_COUNT] = { "", " flags", " compare" };

    return snprintf(buf, size, "%p  %s.%u%s  d=%p a=%p b=%p p=%p imm=%#x imm2=%#x eip=%08x", (const void *)op,
                    purpose(op), op->width, op->variant < VAR_COUNT ? variant[op->variant] : "", op->d, op->a, op->b,
                    op->p, op->imm, op->imm2, op->eip);
}

/* Operations with data in the next Op's place. */
static bool takes_two(const Op *op)
{
    return op->ir_op == IR_HELPER || op->ir_op == IR_X87 || op->ir_op == IR_VEC;
}

void interp_dump(const BackendCode *code, void (*emit_line)(void *opaque, const char *line), void *opaque)
{
    const Op *op = code->entry_checked, *end = op + code->size / sizeof *op;
    char line[256];

    while (op < end) {
        describe(line, sizeof line, op);
        emit_line(opaque, line);
        op += takes_two(op) ? 2 : 1;
    }
}
