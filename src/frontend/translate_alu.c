/* Arithmetic and logic, multiplication and division, compare-and-exchange, decimal adjustment, bit scans. */
#include "frontend/translate_internal.h"

/* 00-3D, 80-83: ADD OR ADC SBB AND SUB XOR */
void tr_alu(Tr *t, const Insn *in)
{
    IrOpnd src = tr_read(t, in, 1);
    TrRmw r = tr_rmw_begin(t, in, 0);
    tr_op(t, t->op, r.size, r.v, src);
    tr_rmw_end(t, &r);
}

/* CMP, TEST: nothing is written */
void tr_cmp(Tr *t, const Insn *in)
{
    IrOpnd dst = tr_read(t, in, 0), src = tr_read(t, in, 1);
    tr_op(t, t->op, in->opnd[0].size, dst, src);
}

/* 40-4F, F6/F7/FE/FF: NOT NEG INC DEC */
void tr_unary(Tr *t, const Insn *in)
{
    TrRmw r = tr_rmw_begin(t, in, 0);
    tr_op(t, t->op, r.size, r.v, (IrOpnd){ 0 });
    tr_rmw_end(t, &r);
}

/* F6/F7 /4 */
void tr_mul(Tr *t, const Insn *in)
{
    IrOpnd v = tr_read(t, in, 0);
    tr_op(t, IR_MUL, in->opnd[0].size, (IrOpnd){ 0 }, v);
}

/* F6/F7 /5, 0F AF, 69 6B */
void tr_imul(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[0].size;

    if (in->n_opnd == 1) {
        IrOpnd v = tr_read(t, in, 0);
        tr_op(t, IR_IMUL, size, (IrOpnd){ 0 }, v);
        return;
    }
    IrOpnd dst = tr_gpr(in->opnd[0].reg, size), src = tr_read(t, in, 1);
    if (in->n_opnd == 2)
        tr_op(t, IR_IMUL2, size, dst, src);
    else
        tr_op(t, IR_IMUL3, size, dst, src)->b = ir_imm(in->imm);
}

/* F6/F7 /6 /7 */
void tr_div(Tr *t, const Insn *in)
{
    IrOpnd v = tr_read(t, in, 0);
    tr_op(t, t->op, in->opnd[0].size, (IrOpnd){ 0 }, v);
}

/* 0F B0 B1.  Memory is written in either case (SDM 2A), and EAX before that: an address that uses EAX is
 * worked out first. */
void tr_cmpxchg(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[0].size;
    IrOpnd src = tr_gpr(in->opnd[1].reg, size);
    TrRmw r;

    if (tr_is_mem(in, 0) && (in->mem.base == IR_EAX || in->mem.index == IR_EAX)) {
        IrOpnd ea = tr_ea(t, in);
        r = tr_rmw_begin_at(t, in, tr_mem_at(t, in->mem.seg, ea.reg, 4, 0, IR_MEM_RW), size);
    } else {
        r = tr_rmw_begin(t, in, 0);
    }
    tr_op(t, IR_CMPXCHG, size, r.v, src)->lock = in->lock;
    tr_rmw_end(t, &r);
}

/* 0F C0 C1.  With memory the register changes last, for the address may use it. */
void tr_xadd(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[0].size;
    IrOpnd reg = tr_gpr(in->opnd[1].reg, size);
    TrRmw r = tr_rmw_begin(t, in, 0);

    if (!r.is_mem) {
        tr_op(t, IR_XADD, size, r.v, reg);
        return;
    }
    IrOpnd v = tr_read_copy(t, in, 1);
    tr_op(t, IR_XADD, size, r.v, v)->lock = in->lock;
    tr_rmw_end(t, &r);
    tr_move(t, size, reg, v);
}

/* 0F C7 /1 */
void tr_cmpxchg8b(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_ea(t, in);
    tr_call(t, HELPER_cmpxchg8b, ir_imm(in->mem.seg), ea);
    tr_chkmode(t);
}

/* 27 2F 37 3F: DAA DAS AAA AAS */
void tr_adjust(Tr *t, const Insn *in)
{
    HelperId helper = in->mn == MN_DAA   ? HELPER_daa
                      : in->mn == MN_DAS ? HELPER_das
                      : in->mn == MN_AAA ? HELPER_aaa
                                         : HELPER_aas;
    tr_call(t, helper, { 0 });
}

/* D4 D5 */
void tr_aam_aad(Tr *t, const Insn *in)
{
    tr_call(t, in->mn == MN_AAM ? HELPER_aam : HELPER_aad, ir_imm(in->imm & 0xff));
}

/* 0F BC BD: a zero source leaves the destination alone */
void tr_bsf(Tr *t, const Insn *in)
{
    IrOpnd src = tr_read(t, in, 1);
    tr_op(t, t->op, in->opsize, ir_reg(in->opnd[0].reg), src);
}

/* F3 0F B8 */
void tr_popcnt(Tr *t, const Insn *in)
{
    IrOpnd src = tr_read(t, in, 1);
    tr_op(t, IR_POPCNT, in->opsize, ir_reg(in->opnd[0].reg), src);
}

/* F2 0F 38 F0 F1: width is the source's, the sum always 32 bits */
void tr_crc32(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[1].size;
    IrOpnd src = tr_read(t, in, 1);
    tr_op(t, IR_CRC32, size, ir_reg(in->opnd[0].reg), src)->width2 = (uint8_t)size;
}

/* 0F C7 /6 */
void tr_rdrand(Tr *t, const Insn *in)
{
    IrOpnd v = tr_call_ret(t, HELPER_rdrand, ir_imm(in->opsize));
    tr_move(t, in->opsize, ir_reg(in->opnd[0].reg), v);
}
