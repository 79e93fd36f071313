/* x87 instructions: identity operations for all that works on the register stack, callouts for control
 * and for images in memory.  FXSAVE and FXRSTOR are here as well.
 *
 * The instruction pointer (FIP) of a non-control instruction is stored behind it: when the instruction
 * raises, the one before is still the last.  In soft mode (an exception is unmasked) stores are callouts
 * too, as they happen only when no unmasked exception is found. */
#include "frontend/translate_internal.h"

/* Undefined forms never come here (#UD from the decoder), so #NM is next.  True: raised. */
static bool no_fpu(Tr *t)
{
    if (!(t->mode & MODE_NM_FPU)) return false;
    tr_raise(t, EXC_NM, 0);
    return true;
}

/* DB E8..F7 FUCOMI FCOMI, DF E8..F7 with pop */
static bool writes_flags(const Insn *in)
{
    return (in->opcode == 0xdb || in->opcode == 0xdf) && in->modrm >= 0xe8 && in->modrm < 0xf8;
}

/* DA C0..DF, DB C0..DF: FCMOVcc tests CF, ZF, CF or ZF, PF. */
static uint8_t flags_read(const Insn *in)
{
    static const uint8_t tested[4] = { IR_CF, IR_ZF, IR_CF | IR_ZF, IR_PF };
    bool fcmov = (in->opcode == 0xda || in->opcode == 0xdb) && in->modrm >= 0xc0 && in->modrm < 0xe0;
    return fcmov ? tested[in->modrm >> 3 & 3] : 0;
}

static void emit_x87(Tr *t, const Insn *in)
{
    bool mem = in->modrm < 0xc0;
    uint8_t use = mem && in->opnd[0].use == IR_USE_W ? IR_MEM_W : IR_MEM_R;
    IrMem m = mem ? tr_mem(t, in, use) : (IrMem){ .base = IR_NOREG, .index = IR_NOREG };
    IrInsn *i = ir_emit(t->b, IR_X87, 4);
    i->fp = (IrFp){ .opcode = in->opcode, .modrm = in->modrm, .soft = (t->mode & MODE_X87_SOFT) != 0 };
    i->mem = m;
    if (mem) {
        i->fp.rm_kind = IR_FP_MEM;
        i->fp.mem_size = in->opnd[0].size;
        i->fp.mem_use = use;
    }
    i->fl_rd = flags_read(in);
    i->fl_wr = writes_flags(in) ? IR_FL_ALL : 0;
}

static void store_fip(Tr *t)
{
    tr_ststate(t, offsetof(CPUState, fpu.fip), 4, ir_eip(t->eip));
}

/* An 80-bit operand with a 16-bit address may wrap around at 64 KiB between its quadword and its word. */
static bool may_wrap(const Insn *in)
{
    return in->modrm < 0xc0 && in->opnd[0].size == 10 && in->asize == 2;
}

/* Memory operands in soft mode: their offset becomes FDP if an unmasked exception occurs. */
static void helper_memory(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_ea(t, in);
    IrOpnd code = ir_imm((uint32_t)may_wrap(in) << 16 | (uint32_t)in->opcode << 8 | in->modrm);
    if (t->mode & MODE_X87_SOFT) tr_call(t, HELPER_fwait, { 0 }); /* #MF comes before the operand's faults */
    if (in->opnd[0].use == IR_USE_W) {
        tr_call(t, HELPER_x87_store, code, ir_imm(in->mem.seg), ea);
    } else if (may_wrap(in)) {
        tr_call(t, HELPER_x87_load80, code, ir_imm(in->mem.seg), ea);
    } else {
        tr_ststate(t, offsetof(CPUState, fpu.operand_ea), 4, ea);
        emit_x87(t, in);
    }
    store_fip(t);
    if (t->mode & MODE_X87_SOFT) tr_chkmode(t);
}

/* D8..DF, all but what follows */
void tr_x87(Tr *t, const Insn *in)
{
    if (no_fpu(t)) return;
    if (in->opcode == 0xdb && (in->modrm & 0xf8) == 0xe0) return; /* FENI FDISI FSETPM: nothing since the 387 */
    if ((t->mode & MODE_X87_SOFT && in->modrm < 0xc0) || may_wrap(in)) {
        helper_memory(t, in);
        return;
    }
    emit_x87(t, in);
    store_fip(t);
}

/* --- control words ------------------------------------------------------------------------------- */

/* D9 /7, DD /7, DF E0: no wait, no exception, not an instruction that FIP remembers */
static void control_store(Tr *t, const Insn *in)
{
    if (!no_fpu(t)) emit_x87(t, in);
}
void tr_fnstcw(Tr *t, const Insn *in)
{
    control_store(t, in);
}
void tr_fnstsw(Tr *t, const Insn *in)
{
    control_store(t, in);
}

/* DB E3 */
void tr_fninit(Tr *t, const Insn *in)
{
    (void)in;
    if (no_fpu(t)) return;
    tr_call(t, HELPER_fninit, { 0 });
    tr_chkmode(t);
}

/* DB E2 */
void tr_fnclex(Tr *t, const Insn *in)
{
    (void)in;
    if (no_fpu(t)) return;
    tr_call(t, HELPER_fnclex, { 0 });
    tr_chkmode(t);
}

/* D9 /5 */
void tr_fldcw(Tr *t, const Insn *in)
{
    if (no_fpu(t)) return;
    if (t->mode & MODE_X87_SOFT) tr_call(t, HELPER_fwait, { 0 });
    tr_call(t, HELPER_fldcw, tr_load(t, tr_mem(t, in, IR_MEM_R), 2));
    tr_chkmode(t);
}

/* 9B: with every exception masked there is never one to wait for */
void tr_fwait(Tr *t, const Insn *in)
{
    (void)in;
    if (t->mode & MODE_NM_WAIT) {
        tr_raise(t, EXC_NM, 0);
        return;
    }
    if (!(t->mode & MODE_X87_SOFT)) return;
    tr_call(t, HELPER_fwait, { 0 });
    tr_chkmode(t);
}

/* --- images in memory ---------------------------------------------------------------------------- */

static void image(Tr *t, const Insn *in, HelperId helper)
{
    if (no_fpu(t)) return;
    uint32_t size = in->opsize | (in->asize == 2 ? 0x10u : 0); /* may wrap at 64 KiB */
    tr_call(t, helper, ir_imm(in->mem.seg), tr_ea(t, in), ir_imm(size));
    tr_chkmode(t);
}
/* D9 /6, D9 /4, DD /6, DD /4 */
void tr_fnstenv(Tr *t, const Insn *in)
{
    image(t, in, HELPER_fnstenv);
}
void tr_fldenv(Tr *t, const Insn *in)
{
    image(t, in, HELPER_fldenv);
}
void tr_fnsave(Tr *t, const Insn *in)
{
    image(t, in, HELPER_fnsave);
}
void tr_frstor(Tr *t, const Insn *in)
{
    image(t, in, HELPER_frstor);
}

/* 0F AE /0, /1: #UD with CR0.EM, #NM with CR0.TS */
static void fx_image(Tr *t, const Insn *in, HelperId helper)
{
    if (t->mode & (MODE_UD_MMX | MODE_NM_VEC)) {
        tr_raise(t, t->mode & MODE_UD_MMX ? EXC_UD : EXC_NM, 0);
        return;
    }
    tr_call(t, helper, ir_imm(in->mem.seg), tr_ea(t, in), ir_imm(in->asize == 2 ? 0x10u : 0));
    tr_chkmode(t);
}
void tr_fxsave(Tr *t, const Insn *in)
{
    fx_image(t, in, HELPER_fxsave);
}
void tr_fxrstor(Tr *t, const Insn *in)
{
    fx_image(t, in, HELPER_fxrstor);
}
