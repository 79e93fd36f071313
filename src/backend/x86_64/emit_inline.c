/* Helpers whose common case is a few host instructions.  The IR says "call the helper"; where the case that hardly ever happens
 * can be told by a look at the operand, the call is cold code and the rest stands in the block.  A case that is inlined here
 * never raises, never changes the mode and needs no C code, so that neither EIP nor the unit's state has to be put back.
 *
 * x87 and MXCSR: while every exception is masked the guest's control words are the host's (see emit_fp.c), and one
 * that leaves all masked can be loaded as it is; SDM 1 8.1.5, 10.2.3. */
#include "backend/x86_64/emit.h"
#include "cpu/fpu.h"
#include "cpu/helpers.h"

/* The helper itself: the value is in r8d. */
static void cold_control(Emit *e, Cold *c)
{
    asm_store(&e->a, state_at(offsetof(CPUState, call_arg)), R8);
    call_helper(e, c->value);
    if (e->uses_x87) emit_x87_check(e);
    emit_jmp_to(e, c->back);
}

/* The value is put into scratch32, and the instruction with opcode /digit loads it from there; without all of mask, or with
 * any of forbidden, it goes to the helper instead. */
static void load_control(Emit *e, const IrInsn *in, uint32_t mask, uint32_t forbidden, unsigned opcode, unsigned digit)
{
    Asm *a = &e->a;
    flags_clobber(e);
    reg_to_r8(e, &in->a);
    Cold *c = cold_new(e, cold_control);
    c->value = in->helper;
    asm_mov(a, R9, R8);
    asm_alu_imm(a, 4, 4, R9, mask | forbidden);
    asm_alu_imm(a, 4, 7, R9, mask);
    cold_site(c, asm_jcc(a, CC_NE));
    asm_store(a, STATE(scratch32), R8);
    asm_rm(a, DIGIT, opcode, digit, STATE(scratch32));
    c->back = a->p;
}

static bool inline_fldcw(Emit *e, const IrInsn *in)
{
    if (e->b->mode & MODE_X87_SOFT) return false;
    load_control(e, in, CW_EXC, 0, 0xd9, 5);
    return true;
}

static bool inline_ldmxcsr(Emit *e, const IrInsn *in)
{
    if (e->b->mode & MODE_SSE_SOFT) return false;
    load_control(e, in, MXCSR_EXC << MXCSR_MASK_SHIFT, ~(uint32_t)MXCSR_MASK, 0x0fae, 2);
    return true;
}

static bool inline_stmxcsr(Emit *e, const IrInsn *in)
{
    asm_rm(&e->a, DIGIT, 0x0fae, 3, STATE(scratch32));
    asm_load(&e->a, reg_write(e, &in->dst, 4), STATE(scratch32));
    return true;
}

static bool (*const inlined[HELPER_COUNT])(Emit *, const IrInsn *) = {
    [HELPER_fldcw] = inline_fldcw,
    [HELPER_ldmxcsr] = inline_ldmxcsr,
    [HELPER_stmxcsr] = inline_stmxcsr,
};

bool emit_inline(Emit *e, const IrInsn *in)
{
    return inlined[in->helper] && inlined[in->helper](e, in);
}

bool inline_uses_x87(const IrBlock *b, const IrInsn *in)
{
    return in->helper == HELPER_fldcw && !(b->mode & MODE_X87_SOFT);
}
