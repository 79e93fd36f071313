/* Shifts, rotates, double shifts, bit tests.
 *
 * A count of 0 (after masking to five bits) changes neither result nor flags: with an immediate that is
 * known here, with CL the operation counts as a reader of the flags it may leave alone. */
#include "frontend/translate_internal.h"
#include "tcg/silicon.h"

/* The count operand for op: CL, or an immediate that is not 0. */
static IrOpnd count_operand(const Insn *in, unsigned i)
{
    return in->opnd[i].kind == OPND_IMM ? ir_imm(in->imm & 31) : ir_reg(IR_ECX);
}

static bool no_shift(const IrOpnd *count)
{
    return count->kind == IR_IMM && count->imm == 0;
}

/* CL may be 0.  A rotate by more than 1 leaves OF undefined, and some silicon leaves it as it was (of a
 * register; not of memory, whose value is in a temporary here): tcg/silicon.h. */
static void may_keep_flags(IrInsn *i, const IrOpnd *count)
{
    bool through_carry = i->op == IR_RCL || i->op == IR_RCR; /* all the way round: nothing changes */
    if (count->kind == IR_REG)
        i->fl_rd |= i->fl_wr;
    else if (!silicon()->rotate_keeps_of)
        return;
    else if (through_carry && (count->imm & 31) % (i->width * 8 + 1) == 0)
        i->fl_rd |= i->fl_wr;
    else if ((i->op == IR_ROL || i->op == IR_ROR) && count->imm != 1 && i->dst.reg < IR_TEMP0)
        i->fl_wr = IR_CF;
}

/* C0 C1 D0-D3: ROL ROR RCL RCR SHL SHR SAR.  Memory is checked for writing and written even when unchanged. */
void tr_shift(Tr *t, const Insn *in)
{
    IrOpnd count = count_operand(in, 1);
    TrRmw r = tr_rmw_begin(t, in, 0);

    if (!no_shift(&count)) may_keep_flags(tr_op(t, t->op, r.size, r.v, count), &count);
    tr_rmw_end(t, &r);
}

/* 0F A4 A5 AC AD: SHLD SHRD */
void tr_shld(Tr *t, const Insn *in)
{
    IrOpnd count = count_operand(in, 2);
    TrRmw r = tr_rmw_begin(t, in, 0);

    if (!no_shift(&count)) {
        IrInsn *i = tr_op(t, t->op, r.size, r.v, tr_gpr(in->opnd[1].reg, r.size));
        i->b = count;
        may_keep_flags(i, &count);
    }
    tr_rmw_end(t, &r);
}

/* A register bit offset is signed and reaches beyond the operand: the word that holds the bit is at
 * address + (offset >> log2(bits)) * size.  SDM 2A, BT. */
static IrMem bit_string_word(Tr *t, const Insn *in, unsigned use)
{
    unsigned size = in->opnd[0].size, log2_size = size == 4 ? 2 : 1;
    IrOpnd word = tr_temp(t), offset = tr_gpr(in->opnd[1].reg, size);
    IrMem m = tr_mem(t, in, use);

    if (size == 2)
        tr_op(t, IR_MOVSX, 4, word, offset)->width2 = 2;
    else
        tr_move(t, 4, word, offset);
    tr_calc(t, IR_SAR, word, ir_imm(3 + log2_size));
    if (m.index != IR_NOREG) {
        IrOpnd ea = tr_ea(t, in);
        m.base = ea.reg;
        m.disp = 0;
    }
    m.index = word.reg;
    m.shift = (uint8_t)log2_size;
    return m;
}

/* 0F A3 AB B3 BB BA/4-7: BT BTS BTR BTC */
void tr_bt(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[0].size;
    bool is_imm = in->opnd[1].kind == OPND_IMM;
    IrOpnd bit = is_imm ? ir_imm(in->imm & (size * 8 - 1)) : tr_gpr(in->opnd[1].reg, size);

    if (!tr_is_mem(in, 0)) {
        tr_op(t, t->op, size, tr_gpr(in->opnd[0].reg, size), bit);
        return;
    }
    unsigned use = t->op == IR_BT ? IR_MEM_R : IR_MEM_RW;
    IrMem m = is_imm ? tr_mem(t, in, use) : bit_string_word(t, in, use);
    if (t->op == IR_BT) {
        IrOpnd v = tr_load(t, m, size);
        tr_op(t, IR_BT, size, v, bit);
        return;
    }
    TrRmw r = tr_rmw_begin_at(t, in, m, size);
    tr_op(t, t->op, size, r.v, bit);
    tr_rmw_end(t, &r);
}
