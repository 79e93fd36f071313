/* The IR as text, for -d op and -d op_opt: one line per operation, as
 *     add.4    eax, t3  [wr CPAZSO live Z]
 *     st.4     ss:[esp-0x4], ebx */
#include "tcg/ir.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct Text {
    char *buf;
    size_t size;
    int n;
    bool operand; /* one has been printed: a comma goes before the next */
} Text;

__attribute__((format(printf, 2, 3))) static void put(Text *t, const char *fmt, ...)
{
    size_t used = (size_t)t->n < t->size ? (size_t)t->n : t->size;
    va_list ap;

    va_start(ap, fmt);
    t->n += vsnprintf(t->size ? t->buf + used : NULL, t->size - used, fmt, ap);
    va_end(ap);
}

static void separate(Text *t)
{
    if (t->operand) put(t, ", ");
    t->operand = true;
}

static void put_reg(Text *t, unsigned reg, unsigned width, bool high)
{
    static const char name[8][3] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };

    if (reg >= IR_TEMP0)
        put(t, "t%u", reg - IR_TEMP0);
    else if (width == 1 && reg < 4)
        put(t, "%c%c", name[reg][0], high ? 'h' : 'l');
    else if (width == 2)
        put(t, "%s", name[reg]);
    else
        put(t, "e%s", name[reg]);
}

static void put_operand(Text *t, const IrOpnd *o, unsigned width)
{
    if (o->kind == IR_NONE) return;
    separate(t);
    if (o->kind == IR_REG)
        put_reg(t, o->reg, width, o->high);
    else
        put(t, "%#x", o->imm);
}

static void put_sum(Text *t, const IrMem *m)
{
    unsigned width = m->asize == 2 ? 2 : 4;
    const char *plus = "";

    if (m->base != IR_NOREG) put_reg(t, m->base, width, false), plus = "+";
    if (m->index != IR_NOREG) {
        put(t, "%s", plus);
        put_reg(t, m->index, width, false);
        if (m->shift) put(t, "*%u", 1u << m->shift);
        plus = "+";
    }
    if (*plus && m->disp >> (width * 8 - 1))
        put(t, "-%#x", (width == 2 ? 0x10000u : 0) - m->disp);
    else if (m->disp || !*plus)
        put(t, "%s%#x", plus, m->disp);
}

static void put_mem(Text *t, const IrMem *m)
{
    static const char seg[8][3] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };

    separate(t);
    put(t, "%s%s:[", seg[m->seg & 7], m->flat ? "" : "!");
    put_sum(t, m);
    put(t, "]");
    if (m->align > 1) put(t, " align %u", m->align);
}

const char *ir_flags_text(char buf[8], unsigned fl)
{
    static const char letter[] = "CPAZSO";
    char *p = buf;

    for (unsigned i = 0; i < 6; i++)
        if (fl >> i & 1) *p++ = letter[i];
    *p = '\0';
    return buf;
}

static void put_flags(Text *t, const char *what, unsigned fl)
{
    char letters[8];

    if (fl) put(t, " %s %s", what, ir_flags_text(letters, fl));
}

static void put_fp(Text *t, const IrInsn *in)
{
    const IrFp *fp = &in->fp;

    if (in->op == IR_X87) {
        put(t, "%02x %02x", fp->opcode, fp->modrm);
    } else {
        static const char *const map[3] = { "0f", "0f 38", "0f 3a" };
        if (fp->prefix) put(t, "%02x ", fp->prefix);
        put(t, "%s %02x /%02x", fp->map < 3 ? map[fp->map] : "?", fp->opcode, fp->modrm);
    }
    if (fp->has_imm) put(t, " imm %#x", fp->imm);
    t->operand = true;
    if (fp->rm_kind == IR_FP_MEM) {
        put_mem(t, &in->mem);
        put(t, " %s %u", fp->mem_use == IR_MEM_W ? "store" : "load", fp->mem_size);
    }
    if (fp->soft) put(t, " soft");
}

static void put_name(Text *t, const IrInsn *in)
{
    static const char cc[16][3] = { "o", "no", "b", "ae", "e", "ne", "be", "a",
                                    "s", "ns", "p", "np", "l", "ge", "le", "g" };

    put(t, "%s", ir_op_info[in->op].text);
    if (ir_op_info[in->op].fl_rd & IR_FL_CC) put(t, ".%s", cc[in->cc & 15]);
    if (in->width) put(t, ".%u", in->width);
    if (in->width2) put(t, ".%u", in->width2);
    while (t->n < 9) put(t, " ");
    put(t, " ");
}

static void put_operands(Text *t, const IrInsn *in)
{
    const IrOpInfo *info = &ir_op_info[in->op];
    unsigned width = in->width, src = in->width2 ? in->width2 : width;

    if (in->op == IR_LDSTATE || in->op == IR_CRC32) width = 4;
    if (info->mem == IR_MEM_W) put_mem(t, &in->mem);
    if (info->dst) put_operand(t, &in->dst, width);
    if (info->mem != IR_MEM_NONE && info->mem != IR_MEM_W) put_mem(t, &in->mem);
    if (info->a) put_operand(t, &in->a, src);
    if (info->b) put_operand(t, &in->b, src);
    if (in->op == IR_HELPER) {
        put_operand(t, &in->c, 4);
        put_operand(t, &in->d, 4);
    }
}

const char *ir_reg_text(char buf[8], unsigned reg)
{
    Text t = { buf, 8, 0, false };

    put_reg(&t, reg, 4, false);
    return buf;
}

const char *ir_sum_text(char buf[48], const IrMem *m)
{
    Text t = { buf, 48, 0, false };

    put_sum(&t, m);
    return buf;
}

int ir_print_insn(char *buf, size_t size, const IrInsn *in)
{
    Text t = { buf, size, 0, false };

    if (size) buf[0] = 0;
    if (in->op == IR_MARK) {
        put(&t, "---- %08x (%u bytes)", in->target[0], in->target[1]);
        return t.n;
    }
    put_name(&t, in);
    if (in->op == IR_HELPER) {
        const IrHelperInfo *h = ir_helper_info(in->helper);
        separate(&t);
        if (h)
            put(&t, "%s", h->name);
        else
            put(&t, "#%u", in->helper);
    }
    if (in->op == IR_X87 || in->op == IR_VEC) put_fp(&t, in);
    put_operands(&t, in);
    if (in->op == IR_GOTO || in->op == IR_CALL || in->op == IR_CHKMODE) separate(&t), put(&t, "%08x", in->target[0]);
    if (in->op == IR_JCC || in->op == IR_JZ || in->op == IR_JNZ)
        separate(&t), put(&t, "%08x else %08x", in->target[0], in->target[1]);
    if (in->op == IR_CALL || in->op == IR_CALLR) put(&t, " back to %08x", in->target[1]);
    if (in->lock) put(&t, " lock");
    if (in->fl_rd | in->fl_wr) {
        put(&t, "  [");
        put_flags(&t, "rd", in->fl_rd & IR_FL_ALL);
        put_flags(&t, "wr", in->fl_wr);
        put_flags(&t, "live", in->fl_live & in->fl_wr);
        put(&t, " ]");
    }
    return t.n;
}
