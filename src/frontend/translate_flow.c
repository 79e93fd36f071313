/* Control flow: near and far transfers, loops, interrupts.
 *
 * A near transfer beyond the CS limit raises #GP(0) at the transfer itself, before anything has changed (SDM 2A,
 * CALL, JMP, Jcc).  With a flat CS, and for 16-bit targets under a limit of 64 KiB or more, there is nothing to check. */
#include "frontend/translate_internal.h"

/* EIP after a transfer with the instruction's operand size. */
static uint32_t mask_eip(const Insn *in, uint32_t eip)
{
    return in->opsize == 2 ? eip & 0xffff : eip;
}

static uint32_t rel_target(Tr *t, const Insn *in)
{
    t->b->pinned |= in->opsize == 2;
    return mask_eip(in, t->next + in->imm);
}

/* An indirect target, safe against a change of ESP, zero-extended. */
static IrOpnd indirect_target(Tr *t, const Insn *in)
{
    if (in->opsize == 2 || in->opnd[0].reg == IR_ESP) return tr_read_copy(t, in, 0);
    return tr_read(t, in, 0);
}

static void check_target(Tr *t, const Insn *in, IrOpnd target)
{
    if (t->cs_limit == ~0u || (in->opsize == 2 && t->cs_limit >= 0xffff)) return;
    tr_call(t, HELPER_check_jmp, target);
}

/* target where mask is all ones, else 0 (which is always within the limit), and checks that. */
static void check_if(Tr *t, IrOpnd mask, uint32_t target)
{
    tr_calc(t, IR_AND, mask, ir_imm(target));
    tr_call(t, HELPER_check_jmp, mask);
}

/* v = v is not 0 ? all ones : 0, without flags. */
static void nonzero_mask(Tr *t, IrOpnd v)
{
    IrOpnd neg = tr_temp(t);
    tr_move(t, 4, neg, v);
    tr_calc(t, IR_NEG, neg, (IrOpnd){ 0 });
    tr_calc(t, IR_OR, v, neg);
    tr_calc(t, IR_SAR, v, ir_imm(31));
}

/* Ends the block with a test of v (or of flags: op JCC). */
static void branch(Tr *t, IrOp op, unsigned width, IrOpnd v, unsigned cc, uint32_t taken)
{
    IrInsn *i = tr_op(t, op, width, (IrOpnd){ 0 }, v);
    i->cc = (uint8_t)cc;
    i->target[0] = taken;
    i->target[1] = t->next;
    t->ended = true;
}

/* E9 EB FF/4 */
void tr_jmp(Tr *t, const Insn *in)
{
    if (in->opnd[0].kind == OPND_REL) {
        uint32_t target = rel_target(t, in);
        if (target > t->cs_limit)
            tr_gp0(t);
        else
            tr_goto(t, target);
        return;
    }
    IrOpnd v = indirect_target(t, in);
    check_target(t, in, v);
    tr_op(t, IR_JMPR, 4, (IrOpnd){ 0 }, v);
    t->ended = true;
}

/* 70-7F 0F 80-8F */
void tr_jcc(Tr *t, const Insn *in)
{
    uint32_t target = rel_target(t, in);

    if (target <= t->cs_limit) {
        branch(t, IR_JCC, 4, (IrOpnd){ 0 }, in->cc, target);
        return;
    }
    IrOpnd v = tr_temp(t), beyond = tr_temp(t);
    tr_move(t, 4, v, ir_imm(0));
    tr_move(t, 4, beyond, ir_imm(target));
    tr_op(t, IR_CMOV, 4, v, beyond)->cc = in->cc;
    tr_call(t, HELPER_check_jmp, v);
    tr_goto(t, t->next);
}

/* A copy of (E)CX by the address size, plus `add`, zero-extended. */
static IrOpnd count_register(Tr *t, const Insn *in, uint32_t add)
{
    IrOpnd v = tr_temp(t);
    tr_address(t, 4, v, tr_mem_at(t, SEG_DS, IR_ECX, in->asize, add, IR_MEM_ADDR));
    return v;
}

/* E3 */
void tr_jcxz(Tr *t, const Insn *in)
{
    uint32_t target = rel_target(t, in);

    if (target <= t->cs_limit) {
        branch(t, IR_JZ, in->asize, ir_reg(IR_ECX), 0, target);
        return;
    }
    IrOpnd v = count_register(t, in, 0);
    nonzero_mask(t, v);
    tr_op(t, IR_NOT, 4, v, (IrOpnd){ 0 });
    check_if(t, v, target);
    tr_goto(t, t->next);
}

/* LOOP ends when the count gets 0; LOOPE, LOOPNE also when condition stop_cc holds. */
enum { CC_Z = 4, CC_NZ = 5, CC_NEVER = 16 };

static void loop(Tr *t, const Insn *in, unsigned stop_cc)
{
    uint32_t target = rel_target(t, in);

    if (stop_cc == CC_NEVER && target <= t->cs_limit) {
        tr_add_reg(t, in->asize, IR_ECX, ~0u);
        branch(t, IR_JNZ, in->asize, ir_reg(IR_ECX), 0, target);
        return;
    }
    IrOpnd v = count_register(t, in, ~0u);
    if (stop_cc != CC_NEVER) {
        IrOpnd zero = tr_temp(t);
        tr_move(t, 4, zero, ir_imm(0));
        tr_op(t, IR_CMOV, 4, v, zero)->cc = (uint8_t)stop_cc;
    }
    if (target > t->cs_limit) {
        nonzero_mask(t, v);
        check_if(t, v, target);
        tr_add_reg(t, in->asize, IR_ECX, ~0u);
        tr_goto(t, t->next);
        return;
    }
    tr_add_reg(t, in->asize, IR_ECX, ~0u);
    branch(t, IR_JNZ, 4, v, 0, target);
}

/* E2 */
void tr_loop(Tr *t, const Insn *in)
{
    loop(t, in, CC_NEVER);
}

/* E1 */
void tr_loope(Tr *t, const Insn *in)
{
    loop(t, in, CC_NZ);
}

/* E0 */
void tr_loopne(Tr *t, const Insn *in)
{
    loop(t, in, CC_Z);
}

/* E8 FF/2 */
void tr_call_near(Tr *t, const Insn *in)
{
    bool direct = in->opnd[0].kind == OPND_REL;
    uint32_t ret = mask_eip(in, t->next), target = direct ? rel_target(t, in) : 0;
    IrOpnd v = { 0 };

    t->b->pinned |= in->opsize == 2;
    /* The return address is stored before the target is checked; ESP moves last. */
    if (!direct) v = indirect_target(t, in);
    tr_store(t, tr_stack(t, 0u - in->opsize, IR_MEM_W), in->opsize, in->opsize == 4 ? ir_eip(ret) : ir_imm(ret));
    if (target > t->cs_limit) {
        tr_gp0(t);
        return;
    }
    if (!direct) check_target(t, in, v);
    tr_sp_add(t, 0u - in->opsize);
    IrInsn *i = tr_op(t, direct ? IR_CALL : IR_CALLR, 4, (IrOpnd){ 0 }, v);
    i->target[0] = target;
    i->target[1] = ret;
    t->ended = true;
}

/* C2 C3 */
void tr_ret(Tr *t, const Insn *in)
{
    uint32_t release = in->n_opnd ? in->imm & 0xffff : 0;
    IrOpnd v = tr_load(t, tr_stack(t, 0, IR_MEM_R), in->opsize);

    check_target(t, in, v);
    tr_sp_add(t, in->opsize + release);
    tr_op(t, IR_RET, 4, (IrOpnd){ 0 }, v);
    t->ended = true;
}

/* EA 9A, FF/5 FF/3: both words of a far pointer are read before anything else happens. */
static void far_transfer(Tr *t, const Insn *in, HelperId helper)
{
    IrOpnd offset = ir_imm(in->imm), selector = ir_imm(in->imm2 & 0xffff);

    if (in->opnd[0].kind != OPND_FAR) {
        IrMem m = tr_mem(t, in, IR_MEM_R);
        offset = tr_load(t, m, in->opsize);
        selector = tr_load(t, tr_mem_plus(m, in->opsize), 2);
    }
    tr_call(t, helper, selector, offset, ir_imm(in->opsize), ir_eip(t->next));
    tr_exit(t);
}

void tr_jmpf(Tr *t, const Insn *in)
{
    far_transfer(t, in, HELPER_far_jmp);
}

void tr_callf(Tr *t, const Insn *in)
{
    far_transfer(t, in, HELPER_far_call);
}

/* CA CB */
void tr_retf(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_far_ret, ir_imm(in->opsize), ir_imm(in->n_opnd ? in->imm & 0xffff : 0));
    tr_exit(t);
}

/* CF */
void tr_iret(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_iret, ir_imm(in->opsize), ir_eip(t->next));
    tr_exit(t);
}

/* CD */
void tr_int(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_int_soft, ir_imm(in->imm & 0xff), ir_eip(t->next));
    tr_exit(t);
}

/* CC */
void tr_int3(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_int_soft, ir_imm(EXC_BP), ir_eip(t->next));
    tr_exit(t);
}

/* CE: the callout tests OF and sets EIP either way */
void tr_into(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_into, ir_eip(t->next));
    tr_exit(t);
}

/* F1 */
void tr_int1(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_int1, ir_eip(t->next));
    tr_exit(t);
}

static IrOpnd load_signed(Tr *t, IrMem m, unsigned size)
{
    if (size == 4) return tr_load(t, m, 4);
    IrOpnd v = tr_temp(t);
    IrInsn *i = tr_op(t, IR_LDSX, 4, v, (IrOpnd){ 0 });
    i->width2 = (uint8_t)size;
    i->mem = m;
    return v;
}

/* 62 */
void tr_bound(Tr *t, const Insn *in)
{
    IrMem m = tr_mem(t, in, IR_MEM_R);
    IrOpnd index = ir_reg(in->opnd[0].reg);
    IrOpnd lower = load_signed(t, m, in->opsize);

    if (in->opsize == 2) {
        IrOpnd v = tr_temp(t);
        tr_op(t, IR_MOVSX, 4, v, index)->width2 = 2;
        index = v;
    }
    /* Silicon does not read the upper bound when the lower one fails. */
    tr_call(t, HELPER_bound, index, lower, ir_imm(INT32_MAX));
    IrOpnd upper = load_signed(t, tr_mem_plus(m, in->opsize), in->opsize);
    tr_call(t, HELPER_bound, index, lower, upper);
}

/* 0F 34 */
void tr_sysenter(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_sysenter, { 0 });
    tr_exit(t);
}

/* 0F 35 */
void tr_sysexit(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_sysexit, { 0 });
    tr_exit(t);
}

/* 0F 05 */
void tr_syscall(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_syscall, ir_eip(t->next));
    tr_exit(t);
}

/* 0F 07 */
void tr_sysret(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_sysret, { 0 });
    tr_exit(t);
}

/* 0F AA */
void tr_rsm(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_rsm, { 0 });
    tr_exit(t);
}
