/* Moves: MOV in all forms but control registers, extensions, exchanges, LEA, far pointer loads, AH and flags. */
#include "frontend/translate_internal.h"

/* 88-8B A0-A3 B0-BF C6 C7; 8C 8E segments; 0F 20-23 control and debug registers */
void tr_mov(Tr *t, const Insn *in)
{
    const Opnd *dst = &in->opnd[0], *src = &in->opnd[1];

    if (dst->kind == OPND_SEG)
        tr_mov_to_seg(t, in);
    else if (src->kind == OPND_SEG)
        tr_mov_from_seg(t, in);
    else if (dst->kind == OPND_CR || dst->kind == OPND_DR || src->kind == OPND_CR || src->kind == OPND_DR)
        tr_mov_cr_dr(t, in);
    else if (tr_is_mem(in, 1))
        tr_load_to(t, tr_mem(t, in, IR_MEM_R), dst->size, tr_gpr(dst->reg, dst->size));
    else
        tr_write(t, in, 0, tr_read(t, in, 1));
}

/* 0F B6 B7 BE BF.  The load form extends as it loads. */
static void extend(Tr *t, const Insn *in, IrOp load, IrOp move)
{
    const Opnd *dst = &in->opnd[0], *src = &in->opnd[1];
    IrOpnd reg = tr_gpr(dst->reg, dst->size);

    if (src->size >= dst->size) { /* 66 0F B7: a plain 16-bit move */
        tr_move(t, dst->size, reg, tr_read(t, in, 1));
        return;
    }
    bool mem = tr_is_mem(in, 1);
    IrInsn *i = tr_op(t, mem ? load : move, dst->size, reg, mem ? (IrOpnd){ 0 } : tr_gpr(src->reg, src->size));
    i->width2 = src->size;
    if (mem) i->mem = tr_mem(t, in, IR_MEM_R);
}

void tr_movzx(Tr *t, const Insn *in)
{
    extend(t, in, IR_LDZX, IR_MOVZX);
}

void tr_movsx(Tr *t, const Insn *in)
{
    extend(t, in, IR_LDSX, IR_MOVSX);
}

/* 8D */
void tr_lea(Tr *t, const Insn *in)
{
    tr_address(t, in->opsize, ir_reg(in->opnd[0].reg), tr_mem(t, in, IR_MEM_ADDR));
}

/* 86 87 90+r.  With memory always locked, and always written. */
void tr_xchg(Tr *t, const Insn *in)
{
    unsigned mem = tr_is_mem(in, 1) ? 1 : 0, reg = 1 - mem, size = in->opnd[0].size;
    IrOpnd r = tr_gpr(in->opnd[reg].reg, size);

    if (!tr_is_mem(in, mem)) {
        tr_op(t, IR_XCHG, size, tr_gpr(in->opnd[mem].reg, size), r);
        return;
    }
    TrRmw m = tr_rmw_begin(t, in, mem);
    IrOpnd old = m.v;
    m.v = r;
    tr_rmw_end(t, &m);
    tr_move(t, size, r, old);
}

/* 0F C8+r.  With operand size 16 SDM calls the result undefined; silicon clears the register's low half. */
void tr_bswap(Tr *t, const Insn *in)
{
    IrOpnd r = ir_reg(in->opnd[0].reg);

    if (in->opsize == 2)
        tr_move(t, 2, r, ir_imm(0));
    else
        tr_op(t, IR_BSWAP, 4, r, (IrOpnd){ 0 });
}

/* Reverses the low `size` bytes of a temporary, without flags. */
static void swap_temp(Tr *t, IrOpnd v, unsigned size)
{
    tr_op(t, IR_BSWAP, 4, v, (IrOpnd){ 0 });
    if (size == 2) tr_calc(t, IR_SHR, v, ir_imm(16));
}

/* 0F 38 F0 F1 */
void tr_movbe(Tr *t, const Insn *in)
{
    IrOpnd v = tr_read_copy(t, in, 1);
    swap_temp(t, v, in->opnd[1].size);
    tr_write(t, in, 0, v);
}

/* 0F 40-4F: the source is read (and may fault) whatever the condition. */
void tr_cmov(Tr *t, const Insn *in)
{
    IrOpnd v = tr_read(t, in, 1);
    tr_op(t, IR_CMOV, in->opsize, ir_reg(in->opnd[0].reg), v)->cc = in->cc;
}

/* 0F 90-9F */
void tr_setcc(Tr *t, const Insn *in)
{
    bool mem = tr_is_mem(in, 0);
    IrOpnd v = mem ? tr_temp(t) : tr_gpr(in->opnd[0].reg, 1);

    tr_op(t, IR_SETCC, 1, v, (IrOpnd){ 0 })->cc = in->cc;
    if (!mem) return;
    tr_write(t, in, 0, v);
    t->b->insn[t->b->n - 1].fl_rd = ir_cc_flags(in->cc); /* a store that faults runs all of it again */
}

/* 98: CBW CWDE */
void tr_cbw(Tr *t, const Insn *in)
{
    tr_op(t, IR_MOVSX, in->opsize, ir_reg(IR_EAX), ir_reg(IR_EAX))->width2 = in->opsize / 2;
}

/* 99: CWD CDQ */
void tr_cwd(Tr *t, const Insn *in)
{
    ir_emit(t->b, IR_CDQ, in->opsize);
}

/* D7: AL = seg:[rBX + AL] */
void tr_xlat(Tr *t, const Insn *in)
{
    IrOpnd al = tr_temp(t);
    tr_op(t, IR_MOVZX, 4, al, ir_reg(IR_EAX))->width2 = 1;
    IrMem m = tr_mem_at(t, tr_data_seg(in), IR_EBX, in->asize, 0, IR_MEM_R);
    m.index = al.reg;
    tr_load_to(t, m, 1, ir_reg(IR_EAX));
}

/* C4 C5 0F B2 B4 B5: LES LDS LSS LFS LGS.  Both halves are read, then the segment loaded, then the register. */
void tr_load_far(Tr *t, const Insn *in)
{
    unsigned seg = in->mn == MN_LES   ? SEG_ES
                   : in->mn == MN_LDS ? SEG_DS
                   : in->mn == MN_LSS ? SEG_SS
                   : in->mn == MN_LFS ? SEG_FS
                                      : SEG_GS;
    IrMem m = tr_mem(t, in, IR_MEM_R);
    IrOpnd offset = tr_load(t, m, in->opsize);
    IrOpnd selector = tr_load(t, tr_mem_plus(m, in->opsize), 2);

    tr_load_seg(t, seg, selector);
    tr_move(t, in->opsize, ir_reg(in->opnd[0].reg), offset);
    tr_chkmode(t);
}

/* 9F: AH = SF ZF 0 AF 0 PF 1 CF */
void tr_lahf(Tr *t, const Insn *in)
{
    (void)in;
    IrOpnd v = tr_temp(t);
    tr_op(t, IR_GETFLAGS, 4, v, (IrOpnd){ 0 })->fl_rd = IR_FL_ALL & ~IR_OF;
    tr_calc(t, IR_OR, v, ir_imm(FL_1));
    tr_move(t, 1, ir_reg_high(IR_EAX), v);
}

/* 9E */
void tr_sahf(Tr *t, const Insn *in)
{
    (void)in;
    IrInsn *i = tr_op(t, IR_SETFLAGS, 1, (IrOpnd){ 0 }, ir_reg_high(IR_EAX));
    i->fl_wr = i->fl_live = IR_FL_ALL & ~IR_OF;
}

/* D6: AL = CF ? FF : 0, as (not CF) - 1 */
void tr_salc(Tr *t, const Insn *in)
{
    (void)in;
    enum { CC_AE = 3 };
    IrOpnd v = tr_temp(t);
    tr_move(t, 4, v, ir_imm(0));
    tr_op(t, IR_SETCC, 1, v, (IrOpnd){ 0 })->cc = CC_AE;
    tr_add_reg(t, 4, v.reg, ~0u);
    tr_move(t, 1, ir_reg(IR_EAX), v);
}

/* 90, 0F 1F, prefetches, PAUSE, fences */
void tr_nop(Tr *t, const Insn *in)
{
    (void)t, (void)in;
}
