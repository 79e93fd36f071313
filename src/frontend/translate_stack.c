/* PUSH and POP in all forms, PUSHA, PUSHF, ENTER, LEAVE.
 *
 * Stores come before ESP moves, so a fault leaves ESP alone; LEA moves it, so flags are left alone too.  With a
 * 16-bit stack (SS.B = 0) addresses are SP's and only SP changes. */
#include "frontend/translate_internal.h"

/* 50-57 68 6A FF/6; 06 0E 16 1E 0F A0 A8.  A selector takes a slot of the operand size, of which today's
 * processors write 16 bits (SDM 2B, PUSH). */
void tr_push(Tr *t, const Insn *in)
{
    if (in->opnd[0].kind != OPND_SEG) {
        IrOpnd v = in->opnd[0].kind == OPND_IMM ? tr_imm(t, in) : tr_read(t, in, 0);
        tr_push_value(t, in->opsize, v);
        return;
    }
    IrOpnd v = tr_selector(t, in->opnd[0].reg);
    tr_store(t, tr_stack(t, 0u - in->opsize, IR_MEM_W), 2, v);
    tr_sp_add(t, 0u - in->opsize);
}

/* Only 16 bits are read, whatever the operand size, as only 16 are written by PUSH. */
static void pop_seg(Tr *t, const Insn *in)
{
    unsigned seg = in->opnd[0].reg;
    IrOpnd v = tr_load(t, tr_stack(t, 0, IR_MEM_R), 2);

    if (seg == SEG_SS)
        tr_call(t, HELPER_mov_ss, v);
    else
        tr_load_seg(t, seg, v);
    tr_sp_add(t, in->opsize);
    if (seg == SEG_SS)
        tr_exit_next(t);
    else
        tr_chkmode(t);
}

/* An address based on ESP sees it already incremented (SDM 2B, POP). */
static void pop_mem(Tr *t, const Insn *in)
{
    IrOpnd v = tr_load(t, tr_stack(t, 0, IR_MEM_R), in->opsize);
    IrMem m = tr_mem(t, in, IR_MEM_W);

    if (m.base == IR_ESP) {
        IrOpnd sp = tr_temp(t);
        tr_move(t, 4, sp, ir_reg(IR_ESP));
        tr_add_reg(t, tr_sp_width(t), sp.reg, in->opsize);
        m.base = sp.reg;
    }
    tr_store(t, m, in->opsize, v);
    tr_sp_add(t, in->opsize);
}

/* 58-5F 8F/0; 07 17 1F 0F A1 A9 */
void tr_pop(Tr *t, const Insn *in)
{
    if (in->opnd[0].kind == OPND_SEG) {
        pop_seg(t, in);
        return;
    }
    if (tr_is_mem(in, 0)) {
        pop_mem(t, in);
        return;
    }
    IrOpnd dst = ir_reg(in->opnd[0].reg);
    if (dst.reg == IR_ESP) { /* the value read wins over the increment */
        IrOpnd v = tr_load(t, tr_stack(t, 0, IR_MEM_R), in->opsize);
        tr_sp_add(t, in->opsize);
        tr_move(t, in->opsize, dst, v);
        return;
    }
    tr_load_to(t, tr_stack(t, 0, IR_MEM_R), in->opsize, dst);
    tr_sp_add(t, in->opsize);
}

/* 60 */
void tr_pusha(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_pusha, ir_imm(in->opsize));
    tr_chkmode(t);
}

/* 61 */
void tr_popa(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_popa, ir_imm(in->opsize));
}

/* 9C */
void tr_pushf(Tr *t, const Insn *in)
{
    IrOpnd v = tr_call_ret(t, HELPER_pushf, ir_imm(in->opsize));
    tr_push_value(t, in->opsize, v);
}

/* 9D */
void tr_popf(Tr *t, const Insn *in)
{
    IrOpnd v = tr_load(t, tr_stack(t, 0, IR_MEM_R), in->opsize);
    tr_call(t, HELPER_popf, v, ir_imm(in->opsize));
    tr_sp_add(t, in->opsize);
    tr_chkmode(t);
}

/* C8 */
void tr_enter(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_enter, ir_imm(in->imm & 0xffff), ir_imm(in->imm2 & 31), ir_imm(in->opsize));
    tr_chkmode(t);
}

/* C9: (E)SP = (E)BP by the stack's size, then POP (E)BP by the operand's */
void tr_leave(Tr *t, const Insn *in)
{
    unsigned sp_width = tr_sp_width(t);
    IrOpnd v = tr_load(t, tr_mem_at(t, SEG_SS, IR_EBP, sp_width, 0, IR_MEM_R), in->opsize);

    tr_address(t, sp_width, ir_reg(IR_ESP), tr_mem_at(t, SEG_SS, IR_EBP, 4, in->opsize, IR_MEM_ADDR));
    tr_move(t, in->opsize, ir_reg(IR_EBP), v);
}
