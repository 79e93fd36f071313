/* Emission helpers under all visitors: operands, memory addresses, callouts and block ends. */
#include "frontend/translate_internal.h"

/* --- operations --------------------------------------------------------------------------------- */

IrInsn *tr_op(Tr *t, IrOp op, unsigned width, IrOpnd dst, IrOpnd a)
{
    IrInsn *i = ir_emit(t->b, op, width);
    i->dst = dst;
    i->a = a;
    return i;
}

void tr_calc(Tr *t, IrOp op, IrOpnd dst, IrOpnd a)
{
    IrInsn *i = tr_op(t, op, 4, dst, a);
    i->fl_rd = i->fl_wr = i->fl_live = 0;
}

void tr_move(Tr *t, unsigned width, IrOpnd dst, IrOpnd a)
{
    tr_op(t, IR_MOV, width, dst, a);
}

void tr_address(Tr *t, unsigned width, IrOpnd dst, IrMem m)
{
    tr_op(t, IR_LEA, width, dst, (IrOpnd){ 0 })->mem = m;
}

void tr_add_reg(Tr *t, unsigned width, unsigned reg, uint32_t bytes)
{
    if (bytes) tr_address(t, width, ir_reg(reg), tr_mem_at(t, SEG_DS, reg, 4, bytes, IR_MEM_ADDR));
}

IrOpnd tr_ldstate(Tr *t, size_t offset, unsigned width)
{
    IrOpnd v = tr_temp(t);
    tr_op(t, IR_LDSTATE, width, v, (IrOpnd){ 0 })->b = ir_imm((uint32_t)offset);
    return v;
}

void tr_ststate(Tr *t, size_t offset, unsigned width, IrOpnd v)
{
    tr_op(t, IR_STSTATE, width, (IrOpnd){ 0 }, v)->b = ir_imm((uint32_t)offset);
}

void tr_call_args(Tr *t, HelperId helper, IrOpnd dst, const IrOpnd arg[4])
{
    IrInsn *i = tr_op(t, IR_HELPER, 4, dst, arg[0]);
    i->helper = (uint16_t)helper;
    i->b = arg[1];
    i->c = arg[2];
    i->d = arg[3];
}

IrOpnd tr_call_ret_args(Tr *t, HelperId helper, const IrOpnd arg[4])
{
    IrOpnd v = tr_temp(t);
    tr_call_args(t, helper, v, arg);
    return v;
}

/* --- addresses ------------------------------------------------------------------------------------ */

IrOpnd tr_temp(Tr *t)
{
    return ir_reg(ir_temp(t->b));
}

IrOpnd tr_gpr(unsigned reg, unsigned size)
{
    return size == 1 && reg >= 4 ? ir_reg_high(reg - 4) : ir_reg(reg);
}

/* MODE_FLAT_CS promises a readable segment, never a writable one. */
static uint8_t is_flat(const Tr *t, unsigned seg, unsigned use)
{
    if (use == IR_MEM_ADDR) return 1;
    if (seg == SEG_CS && use != IR_MEM_R) return 0;
    return (t->mode >> MODE_FLAT_SHIFT >> seg & 1) != 0;
}

IrMem tr_mem(Tr *t, const Insn *in, unsigned use)
{
    const InsnMem *m = &in->mem;
    return (IrMem){
        .seg = m->seg,
        .flat = is_flat(t, m->seg, use),
        .asize = in->asize,
        .shift = m->index < 0 ? 0 : m->shift,
        .base = m->base < 0 ? IR_NOREG : (uint16_t)m->base,
        .index = m->index < 0 ? IR_NOREG : (uint16_t)m->index,
        .disp = m->disp,
    };
}

IrMem tr_mem_plus(IrMem m, uint32_t bytes)
{
    m.disp += bytes;
    return m;
}

IrMem tr_mem_at(Tr *t, unsigned seg, unsigned reg, unsigned asize, uint32_t disp, unsigned use)
{
    return (IrMem){
        .seg = (uint8_t)seg,
        .flat = is_flat(t, seg, use),
        .asize = (uint8_t)asize,
        .base = (uint16_t)reg,
        .index = IR_NOREG,
        .disp = disp,
    };
}

IrOpnd tr_ea(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_temp(t);
    tr_address(t, 4, ea, tr_mem(t, in, IR_MEM_ADDR));
    return ea;
}

unsigned tr_data_seg(const Insn *in)
{
    return in->seg_override == 0xff ? SEG_DS : in->seg_override;
}

/* --- loads, stores, operands ---------------------------------------------------------------------- */

IrOpnd tr_load(Tr *t, IrMem m, unsigned size)
{
    IrOpnd v = tr_temp(t);
    IrInsn *i = tr_op(t, size < 4 ? IR_LDZX : IR_LD, 4, v, (IrOpnd){ 0 });
    i->width2 = (uint8_t)size;
    i->mem = m;
    return v;
}

void tr_load_to(Tr *t, IrMem m, unsigned size, IrOpnd dst)
{
    tr_op(t, IR_LD, size, dst, (IrOpnd){ 0 })->mem = m;
}

void tr_store(Tr *t, IrMem m, unsigned size, IrOpnd v)
{
    tr_op(t, IR_ST, size, (IrOpnd){ 0 }, v)->mem = m;
}

/* Instruction bytes are counted in the block's size already. */
IrOpnd tr_imm(Tr *t, const Insn *in)
{
    IrBlock *b = t->b;
    uint32_t at = b->size - in->imm_len;
    if (in->imm_len != IR_SOFT_BYTES || at < t->soft_from || b->size > t->soft_to || b->n_soft == IR_SOFT_MAX)
        return ir_imm(in->imm);
    IrOpnd v = tr_temp(t);
    tr_op(t, IR_LDCODE, 4, v, (IrOpnd){ 0 })->b = ir_imm(at);
    if (!b->n_soft || b->soft[b->n_soft - 1] != at) b->soft[b->n_soft++] = (uint16_t)at;
    return v;
}

IrOpnd tr_read(Tr *t, const Insn *in, unsigned i)
{
    const Opnd *o = &in->opnd[i];

    if (o->kind == OPND_IMM) return tr_imm(t, in);
    if (o->kind == OPND_REG) return tr_gpr(o->reg, o->size);
    return tr_load(t, tr_mem(t, in, IR_MEM_R), o->size);
}

IrOpnd tr_read_copy(Tr *t, const Insn *in, unsigned i)
{
    unsigned size = in->opnd[i].size;
    IrOpnd v = tr_read(t, in, i);

    if (v.kind == IR_REG && v.reg >= IR_TEMP0) return v;
    IrOpnd copy = tr_temp(t);
    if (size < 4)
        tr_op(t, IR_MOVZX, 4, copy, v)->width2 = (uint8_t)size;
    else
        tr_move(t, 4, copy, v);
    return copy;
}

void tr_write(Tr *t, const Insn *in, unsigned i, IrOpnd v)
{
    const Opnd *o = &in->opnd[i];

    if (tr_is_mem(in, i))
        tr_store(t, tr_mem(t, in, IR_MEM_W), o->size, v);
    else
        tr_move(t, o->size, tr_gpr(o->reg, o->size), v);
}

TrRmw tr_rmw_begin_at(Tr *t, const Insn *in, IrMem m, unsigned size)
{
    TrRmw r = { .mem = m, .v = tr_temp(t), .size = (uint8_t)size, .is_mem = 1, .lock = in->lock };
    IrInsn *ld = tr_op(t, IR_LDRMW, size, r.v, (IrOpnd){ 0 });
    ld->mem = m;
    ld->lock = in->lock;
    return r;
}

TrRmw tr_rmw_begin(Tr *t, const Insn *in, unsigned i)
{
    const Opnd *o = &in->opnd[i];

    if (tr_is_mem(in, i)) return tr_rmw_begin_at(t, in, tr_mem(t, in, IR_MEM_RW), o->size);
    return (TrRmw){ .v = tr_gpr(o->reg, o->size), .size = o->size };
}

void tr_rmw_end(Tr *t, const TrRmw *r)
{
    if (!r->is_mem) return;
    IrInsn *st = tr_op(t, IR_STRMW, r->size, (IrOpnd){ 0 }, r->v);
    st->mem = r->mem;
    st->lock = r->lock;
}

/* --- block ends ------------------------------------------------------------------------------------ */

void tr_exit(Tr *t)
{
    ir_emit(t->b, IR_EXIT, 4);
    t->ended = true;
}

void tr_exit_next(Tr *t)
{
    tr_ststate(t, offsetof(CPUState, eip), 4, ir_eip(t->next));
    tr_exit(t);
}

void tr_goto(Tr *t, uint32_t eip)
{
    ir_emit(t->b, IR_GOTO, 4)->target[0] = eip;
    t->ended = true;
}

void tr_raise(Tr *t, unsigned vector, uint32_t error)
{
    tr_call(t, HELPER_raise, ir_imm(vector), ir_imm(error));
    tr_exit(t);
}

void tr_ud(Tr *t)
{
    tr_raise(t, EXC_UD, 0);
}

void tr_gp0(Tr *t)
{
    tr_raise(t, EXC_GP, 0);
}

/* A block counts its instructions when it is entered, so the count is exact in its last one. */
void tr_reads_time(Tr *t)
{
    t->last |= t->cpu->counting;
}

void tr_chkmode(Tr *t)
{
    t->last |= t->cpu->counting; /* left here, a longer block would have counted too many */
    ir_emit(t->b, IR_CHKMODE, 4)->target[0] = t->next;
}

bool tr_privileged(Tr *t)
{
    if (!(t->mode & MODE_CPL)) return false;
    tr_gp0(t);
    return true;
}

/* --- stack ------------------------------------------------------------------------------------------- */

IrMem tr_stack(Tr *t, uint32_t disp, unsigned use)
{
    return tr_mem_at(t, SEG_SS, IR_ESP, tr_sp_width(t), disp, use);
}

void tr_sp_add(Tr *t, uint32_t bytes)
{
    tr_add_reg(t, tr_sp_width(t), IR_ESP, bytes);
}

void tr_push_value(Tr *t, unsigned size, IrOpnd v)
{
    tr_store(t, tr_stack(t, 0u - size, IR_MEM_W), size, v);
    tr_sp_add(t, 0u - size);
}
