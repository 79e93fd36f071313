/* Pre-decoded Ops as text, for -d out_asm. */
#include "backend/interp/interp.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct Text {
    char buf[200];
    int n;
} Text;

__attribute__((format(printf, 2, 3))) static void put(Text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->n += vsnprintf(t->buf + t->n, sizeof t->buf - (size_t)t->n, fmt, ap);
    va_end(ap);
    if (t->n >= (int)sizeof t->buf) t->n = (int)sizeof t->buf - 1;
}

static const char *what(const Op *op)
{
    static const struct {
        Handler *fn;
        const char *text;
    } named[] = {
        { interp_check_page, "check-page" }, { interp_count, "count" },
        { interp_tally, "tally" },           { interp_tell, "tell" },
        { interp_stub, "leave-unlinked" },   { interp_cc_save, "save-flags" },
        { interp_cc_merge, "merge-flags" },
    };

    for (unsigned i = 0; i < sizeof named / sizeof *named; i++)
        if (op->fn == named[i].fn) return named[i].text;
    return ir_op_info[op->ir_op < IR_OP_COUNT ? op->ir_op : IR_NOP].text;
}

static bool inside(const void *p, const void *start, size_t size)
{
    return (uintptr_t)p - (uintptr_t)start < size;
}

static size_t word_at(const void *p, const void *start)
{
    return ((uintptr_t)p - (uintptr_t)start) / 4;
}

/* Where an operand is; nothing for one that the Op does not have. */
static void put_place(Text *t, const char *name, const Op *op, const void *p)
{
    char reg[8];
    if (!p) return;
    if (inside(p, interp_arena->cpu->regs, sizeof interp_arena->cpu->regs))
        put(t, " %s=%s", name, ir_reg_text(reg, (unsigned)word_at(p, interp_arena->cpu->regs)));
    else if (inside(p, interp_arena->temp, sizeof interp_arena->temp))
        put(t, " %s=%s", name, ir_reg_text(reg, IR_TEMP0 + (unsigned)word_at(p, interp_arena->temp)));
    else if (inside(p, &op->imm, 4))
        put(t, " %s=imm", name);
    else if (inside(p, &op->imm2, 4))
        put(t, " %s=imm2", name);
}

static void describe(Text *t, const Op *op)
{
    static const char *const variant[VAR_COUNT] = { "", " (flags)", " (compare)" };

    put(t, "%s.%u%s", what(op), op->width, op->variant < VAR_COUNT ? variant[op->variant] : "");
    put_place(t, "d", op, op->d);
    put_place(t, "a", op, op->a);
    put_place(t, "b", op, op->b);
    put_place(t, "p", op, op->p);
    if (op->imm) put(t, " imm=%#x", op->imm);
    if (op->imm2) put(t, " imm2=%#x", op->imm2);
}

/* Operations with data in the next Op's place. */
static bool takes_two(const Op *op)
{
    return op->ir_op == IR_HELPER || op->ir_op == IR_X87 || op->ir_op == IR_VEC;
}

void interp_dump(const BackendCode *code, uint32_t from, uint32_t to, void (*emit_line)(void *opaque, const char *line),
                 void *opaque)
{
    const Op *start = code->entry_checked, *op = start + from / sizeof *op, *end = start + to / sizeof *op;

    while (op < end) {
        Text t = { .n = 0 };
        describe(&t, op);
        emit_line(opaque, t.buf);
        op += takes_two(op) ? 2 : 1;
    }
}
