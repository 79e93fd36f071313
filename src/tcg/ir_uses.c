/* Which registers an operation reads and writes.  A write of part of a register keeps the rest, so
 * it counts as a read too; passes and register allocators then need to know nothing of widths. */
#include "tcg/ir.h"
#include "tcg/pass.h"

enum { MAX_REGS = 12, EAX_BIT = 1, ECX_BIT = 2, EDX_BIT = 4 };

typedef struct RegList {
    uint16_t *reg;
    unsigned n;
} RegList;

static void add(RegList *l, unsigned reg)
{
    if (reg == IR_NOREG) return;
    for (unsigned i = 0; i < l->n; i++)
        if (l->reg[i] == reg) return;
    if (l->n < MAX_REGS) l->reg[l->n++] = (uint16_t)reg;
}

static void add_mask(RegList *l, unsigned gprs)
{
    for (unsigned r = 0; gprs; r++, gprs >>= 1)
        if (gprs & 1) add(l, r);
}

/* True when the write of an operand of this operation leaves some of the register's bits alone. */
static bool keeps_bits(const IrInsn *in)
{
    /* LDSTATE extends to 32 bits, CRC32 always accumulates in 32. */
    return in->width < 4 && in->op != IR_LDSTATE && in->op != IR_CRC32;
}

/* Implicit GPRs: the table's, less EDX for the byte forms of MUL and DIV, which live in AX. */
static void implicit(const IrInsn *in, unsigned *rd, unsigned *wr)
{
    const IrOpInfo *info = &ir_op_info[in->op];

    *rd = info->gpr_rd;
    *wr = info->gpr_wr;
    switch (in->op) {
    case IR_MUL:
    case IR_IMUL:
    case IR_DIV:
    case IR_IDIV:
        if (in->width == 1)
            *rd &= EAX_BIT, *wr &= EAX_BIT;
        else if (in->width == 2)
            *rd |= EDX_BIT;
        break;
    case IR_CDQ:
        if (in->width == 2) *rd |= EDX_BIT;
        break;
    case IR_X87: /* FNSTSW AX */
        if (in->fp.opcode == 0xdf && in->fp.modrm == 0xe0) *rd |= EAX_BIT, *wr |= EAX_BIT;
        break;
    case IR_VEC: /* PCMPESTRx take lengths in EAX and EDX, PCMPxSTRI put the index into ECX */
        if (in->fp.map != 2 || in->fp.opcode < 0x60 || in->fp.opcode > 0x63) break;
        if (in->fp.opcode <= 0x61) *rd |= EAX_BIT | EDX_BIT;
        if (in->fp.opcode & 1) *wr |= ECX_BIT;
        break;
    case IR_HELPER: {
        const IrHelperInfo *h = ir_helper_info(in->helper);
        *rd |= h ? h->gpr_rd : 0xff;
        *wr |= h ? h->gpr_wr : 0xff;
        break;
    }
    default: break;
    }
}

static void fp_regs(RegList *l, const IrFp *fp, unsigned use)
{
    if (fp->reg_kind == IR_FP_GPR && fp->reg_use & use) add(l, fp->modrm >> 3 & 7);
    if (fp->rm_kind == IR_FP_GPR && fp->rm_use & use) add(l, fp->modrm & 7);
}

static void read_operand(RegList *l, const IrInsn *in, const IrOpnd *o, unsigned use)
{
    if (o->kind != IR_REG) return;
    if (use & IR_USE_R || (use & IR_USE_W && keeps_bits(in))) add(l, o->reg);
}

static bool has_mem(const IrInsn *in)
{
    if (in->op == IR_X87 || in->op == IR_VEC) return in->fp.rm_kind == IR_FP_MEM;
    return ir_op_info[in->op].mem != IR_MEM_NONE;
}

/* Most operations use no register but those that their operands name.  Passes ask several times about each, so it pays to know
 * these apart. */
static bool is_plain(const IrInsn *in, const IrOpInfo *info)
{
    return !(info->gpr_rd | info->gpr_wr) && in->op != IR_HELPER && in->op != IR_X87 && in->op != IR_VEC;
}

unsigned ir_reads(const IrInsn *in, uint16_t regs[12])
{
    const IrOpInfo *info = &ir_op_info[in->op];
    RegList l = { regs, 0 };
    unsigned rd, wr;

    read_operand(&l, in, &in->dst, info->dst);
    read_operand(&l, in, &in->a, info->a);
    read_operand(&l, in, &in->b, info->b);
    if (in->op == IR_HELPER) {
        read_operand(&l, in, &in->c, IR_USE_R);
        read_operand(&l, in, &in->d, IR_USE_R);
    }
    if (has_mem(in)) {
        add(&l, in->mem.base);
        add(&l, in->mem.index);
    }
    if (is_plain(in, info)) return l.n;
    if (in->op == IR_VEC || in->op == IR_X87) fp_regs(&l, &in->fp, IR_USE_R);
    implicit(in, &rd, &wr);
    add_mask(&l, rd);
    return l.n;
}

unsigned ir_writes(const IrInsn *in, uint16_t regs[12])
{
    const IrOpInfo *info = &ir_op_info[in->op];
    RegList l = { regs, 0 };
    unsigned rd, wr;

    if (info->dst & IR_USE_W && in->dst.kind == IR_REG) add(&l, in->dst.reg);
    if (info->a & IR_USE_W && in->a.kind == IR_REG) add(&l, in->a.reg);
    if (is_plain(in, info)) return l.n;
    if (in->op == IR_VEC || in->op == IR_X87) fp_regs(&l, &in->fp, IR_USE_W);
    implicit(in, &rd, &wr);
    add_mask(&l, wr);
    return l.n;
}

void ir_resolve_flags(IrInsn *in)
{
    if (in->fl_rd & IR_FL_CC) in->fl_rd = (uint8_t)((in->fl_rd & IR_FL_ALL) | ir_cc_flags(in->cc));
    if (in->op == IR_HELPER) {
        const IrHelperInfo *h = ir_helper_info(in->helper);
        in->fl_rd |= h ? h->fl_rd : IR_FL_ALL;
        in->fl_wr |= h ? h->fl_wr : 0;
    }
}
