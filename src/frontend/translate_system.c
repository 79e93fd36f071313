/* System instructions: flags, ports, segment, control and debug registers, descriptor tables, MSRs.
 *
 * Privilege is checked by the callouts; where an instruction reads a memory operand first, it is checked
 * here, because #GP(0) for the privilege level comes before any fault of the operand. */
#include "frontend/translate_internal.h"

/* F5 F8 F9: CMC CLC STC */
void tr_flag(Tr *t, const Insn *in)
{
    (void)in;
    ir_emit(t->b, t->op, 4);
}

/* FC */
void tr_cld(Tr *t, const Insn *in)
{
    (void)in;
    tr_ststate(t, offsetof(CPUState, df), 4, ir_imm(1));
}

/* FD */
void tr_std(Tr *t, const Insn *in)
{
    (void)in;
    tr_ststate(t, offsetof(CPUState, df), 4, ir_imm(~0u));
}

/* FA */
void tr_cli(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_cli, { 0 });
    tr_chkmode(t);
}

/* FB: the interrupt shadow is in the mode, so CHKMODE leaves */
void tr_sti(Tr *t, const Insn *in)
{
    (void)in;
    if (t->more) {
        tr_call(t, HELPER_sti_inside, { 0 });
        /* In the shadow of another STI it does not cast one of its own. */
        if (t->poll_after != t->b->n_guest) t->poll_after = t->b->n_guest + 1;
        return;
    }
    tr_call(t, HELPER_sti, { 0 });
    tr_chkmode(t);
}

/* 0F 01 CB */
void tr_stac(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_stac, ir_imm(1));
    tr_chkmode(t);
}

/* 0F 01 CA */
void tr_clac(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_stac, ir_imm(0));
    tr_chkmode(t);
}

/* F4 */
void tr_hlt(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_hlt, ir_eip(t->next));
    tr_exit(t);
}

/* --- ports: a device may request an exit (interrupt, SMI, A20, reset) ------------------------------- */

static IrOpnd port_number(Tr *t, const Insn *in, unsigned i)
{
    return in->opnd[i].kind == OPND_IMM ? ir_imm(in->imm & 0xff) : tr_read_copy(t, in, i);
}

/* E4 E5 EC ED */
void tr_in(Tr *t, const Insn *in)
{
    unsigned size = in->opnd[0].size;
    IrOpnd port = port_number(t, in, 1);
    IrOpnd v = tr_call_ret(t, HELPER_in, port, ir_imm(size));
    tr_move(t, size, ir_reg(IR_EAX), v);
    tr_chkmode(t);
}

/* E6 E7 EE EF */
void tr_out(Tr *t, const Insn *in)
{
    IrOpnd port = port_number(t, in, 0), v = tr_read_copy(t, in, 1);
    tr_call(t, HELPER_out, port, v, ir_imm(in->opnd[1].size));
    tr_chkmode(t);
}

/* --- segment registers -------------------------------------------------------------------------------- */

IrOpnd tr_selector(Tr *t, unsigned seg)
{
    return tr_ldstate(t, offsetof(CPUState, seg) + seg * sizeof(SegCache) + offsetof(SegCache, sel), 2);
}

void tr_load_seg(Tr *t, unsigned seg, IrOpnd selector)
{
    tr_call(t, HELPER_load_seg, ir_imm(seg), selector);
}

IrOpnd tr_read_selector(Tr *t, const Insn *in, unsigned i)
{
    if (tr_is_mem(in, i)) return tr_load(t, tr_mem(t, in, IR_MEM_R), 2);
    IrOpnd v = tr_temp(t);
    tr_op(t, IR_MOVZX, 4, v, ir_reg(in->opnd[i].reg))->width2 = 2;
    return v;
}

/* 16 bits to memory; a register gets them zero-extended to the operand size. */
static void write_selector(Tr *t, const Insn *in, unsigned i, IrOpnd v)
{
    if (tr_is_mem(in, i))
        tr_store(t, tr_mem(t, in, IR_MEM_W), 2, v);
    else
        tr_move(t, in->opsize, ir_reg(in->opnd[i].reg), v);
}

/* 8E.  After SS no interrupt is taken for one instruction: the execution loop sees to it. */
void tr_mov_to_seg(Tr *t, const Insn *in)
{
    unsigned seg = in->opnd[0].reg;
    IrOpnd v = tr_read_selector(t, in, 1);

    if (seg == SEG_SS) {
        tr_call(t, HELPER_mov_ss, v);
        tr_exit_next(t);
        return;
    }
    tr_load_seg(t, seg, v);
    tr_chkmode(t);
}

/* 8C */
void tr_mov_from_seg(Tr *t, const Insn *in)
{
    write_selector(t, in, 0, tr_selector(t, in->opnd[1].reg));
}

/* --- control and debug registers --------------------------------------------------------------------- */

/* 0F 20-23 */
void tr_mov_cr_dr(Tr *t, const Insn *in)
{
    const Opnd *dst = &in->opnd[0], *src = &in->opnd[1];

    if (dst->kind == OPND_REG) {
        IrOpnd v = tr_call_ret(t, src->kind == OPND_CR ? HELPER_read_cr : HELPER_read_dr, ir_imm(src->reg));
        tr_move(t, 4, ir_reg(dst->reg), v);
        return;
    }
    tr_call(t, dst->kind == OPND_CR ? HELPER_write_cr : HELPER_write_dr, ir_imm(dst->reg), ir_reg(src->reg));
    tr_exit_next(t);
}

/* 0F 01 /4 */
void tr_smsw(Tr *t, const Insn *in)
{
    IrOpnd v = tr_call_ret(t, HELPER_smsw, { 0 });
    write_selector(t, in, 0, v);
}

/* 0F 01 /6 */
void tr_lmsw(Tr *t, const Insn *in)
{
    if (tr_privileged(t)) return;
    IrOpnd v = tr_read_selector(t, in, 0);
    tr_call(t, HELPER_lmsw, v);
    tr_exit_next(t);
}

/* 0F 06 */
void tr_clts(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_clts, { 0 });
    tr_chkmode(t);
}

/* 0F 01 /7 */
void tr_invlpg(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_ea(t, in);
    tr_call(t, HELPER_invlpg, ir_imm(in->mem.seg), ea);
    tr_exit_next(t);
}

/* 0F AE /7 */
void tr_clflush(Tr *t, const Insn *in)
{
    tr_call(t, HELPER_clflush, ir_imm(in->mem.seg), tr_ea(t, in));
}

/* --- descriptor tables ------------------------------------------------------------------------------------ */

/* Limit, then base, of which a 16-bit operand size takes 24 bits (SDM 2A, LGDT). */
static void load_table(Tr *t, const Insn *in, HelperId helper)
{
    if (tr_privileged(t)) return;
    IrMem m = tr_mem(t, in, IR_MEM_R);
    IrOpnd limit = tr_load(t, m, 2), base = tr_load(t, tr_mem_plus(m, 2), 4);

    if (in->opsize == 2) tr_calc(t, IR_AND, base, ir_imm(0xffffff));
    tr_call(t, helper, base, limit);
}

/* 0F 01 /2 */
void tr_lgdt(Tr *t, const Insn *in)
{
    load_table(t, in, HELPER_lgdt);
}

/* 0F 01 /3 */
void tr_lidt(Tr *t, const Insn *in)
{
    load_table(t, in, HELPER_lidt);
}

/* 0F 01 /0 */
void tr_sgdt(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_ea(t, in);
    tr_call(t, HELPER_sgdt, ir_imm(in->mem.seg), ea);
    tr_chkmode(t);
}

/* 0F 01 /1 */
void tr_sidt(Tr *t, const Insn *in)
{
    IrOpnd ea = tr_ea(t, in);
    tr_call(t, HELPER_sidt, ir_imm(in->mem.seg), ea);
    tr_chkmode(t);
}

/* #UD outside protected mode: true when raised. */
static bool not_protected(Tr *t)
{
    if (tr_protected(t)) return false;
    tr_ud(t);
    return true;
}

static void load_system_selector(Tr *t, const Insn *in, HelperId helper)
{
    if (not_protected(t) || tr_privileged(t)) return;
    IrOpnd v = tr_read_selector(t, in, 0);
    tr_call(t, helper, v);
}

/* 0F 00 /2 */
void tr_lldt(Tr *t, const Insn *in)
{
    load_system_selector(t, in, HELPER_lldt);
}

/* 0F 00 /3 */
void tr_ltr(Tr *t, const Insn *in)
{
    load_system_selector(t, in, HELPER_ltr);
}

static void store_system_selector(Tr *t, const Insn *in, HelperId helper)
{
    if (not_protected(t)) return;
    IrOpnd v = tr_call_ret(t, helper, { 0 });
    write_selector(t, in, 0, v);
}

/* 0F 00 /0 */
void tr_sldt(Tr *t, const Insn *in)
{
    store_system_selector(t, in, HELPER_sldt);
}

/* 0F 00 /1 */
void tr_str(Tr *t, const Insn *in)
{
    store_system_selector(t, in, HELPER_str);
}

static void verify(Tr *t, const Insn *in, HelperId helper)
{
    if (not_protected(t)) return;
    IrOpnd v = tr_read_selector(t, in, 0);
    tr_call(t, helper, v);
}

/* 0F 00 /4 */
void tr_verr(Tr *t, const Insn *in)
{
    verify(t, in, HELPER_verr);
}

/* 0F 00 /5 */
void tr_verw(Tr *t, const Insn *in)
{
    verify(t, in, HELPER_verw);
}

static void inspect(Tr *t, const Insn *in, HelperId helper)
{
    if (not_protected(t)) return;
    IrOpnd dst = ir_reg(in->opnd[0].reg), selector = tr_read_selector(t, in, 1);
    IrOpnd v = tr_call_ret(t, helper, selector, dst);
    tr_move(t, in->opsize, dst, v);
}

/* 0F 02 */
void tr_lar(Tr *t, const Insn *in)
{
    inspect(t, in, HELPER_lar);
}

/* 0F 03 */
void tr_lsl(Tr *t, const Insn *in)
{
    inspect(t, in, HELPER_lsl);
}

/* 63 */
void tr_arpl(Tr *t, const Insn *in)
{
    if (not_protected(t)) return;
    IrOpnd src = tr_read_selector(t, in, 1);
    if (tr_is_mem(in, 0)) {
        IrOpnd ea = tr_ea(t, in);
        tr_call(t, HELPER_arpl_mem, src, ir_imm(in->mem.seg), ea);
        tr_chkmode(t);
        return;
    }
    IrOpnd v = tr_call_ret(t, HELPER_arpl, tr_read_selector(t, in, 0), src);
    tr_move(t, 2, ir_reg(in->opnd[0].reg), v);
}

/* --- identification, counters, MSRs, caches ------------------------------------------------------------- */

/* 0F A2 */
void tr_cpuid(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_cpuid, { 0 });
}

/* 0F 31 */
void tr_rdtsc(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_rdtsc, { 0 });
    tr_reads_time(t);
}

/* 0F 33 */
void tr_rdpmc(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_rdpmc, { 0 });
    tr_reads_time(t);
}

/* 0F 32 */
void tr_rdmsr(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_rdmsr, { 0 });
    tr_reads_time(t);
}

/* 0F 30 */
void tr_wrmsr(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_wrmsr, { 0 });
    tr_exit_next(t);
}

/* 0F 08 0F 09: INVD too, for the caches modelled hold nothing that memory lacks */
void tr_wbinvd(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_wbinvd, { 0 });
}

/* 0F 01 C8: seg:[rAX] by the address size */
void tr_monitor(Tr *t, const Insn *in)
{
    unsigned seg = tr_data_seg(in);
    IrOpnd ea = tr_temp(t);
    tr_address(t, 4, ea, tr_mem_at(t, seg, IR_EAX, in->asize, 0, IR_MEM_ADDR));
    tr_call(t, HELPER_monitor, ir_imm(seg), ea);
}

/* 0F 01 C9 */
void tr_mwait(Tr *t, const Insn *in)
{
    (void)in;
    tr_call(t, HELPER_mwait, ir_eip(t->next));
    tr_exit(t);
}
