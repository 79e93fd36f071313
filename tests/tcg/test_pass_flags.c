/* Flag liveness: pass_flags. */
#include "block.h"

static const IrHelperInfo helpers[] = {
    { "reads_all", NULL, 0, 0, 0, 0, IR_FL_ALL, 0, IR_RAISES, 0 },
    { "reads_none", NULL, 0, 0, 0, 0, 0, 0, IR_RAISES, 0 },
};

static void overwritten(void)
{
    begin(0);
    op2(IR_ADD, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
    op2(IR_CMP, 4, ir_reg(IR_EAX), ir_imm(3));
    op2(IR_SUB, 4, ir_reg(IR_ECX), ir_imm(1));
    ir_emit(&block, IR_EXIT, 0);
    pass_flags(&block);
    expect("flags overwritten are dead, CMP for nothing goes",
           "add.4 eax, ebx [ wr CPAZSO ]\nsub.4 ecx, 0x1 [ wr CPAZSO live CPAZSO ]\nexit\n");
}

static void conditions(void)
{
    begin(0);
    op2(IR_CMP, 4, ir_reg(IR_EAX), ir_imm(3));
    IrInsn *in = ir_emit(&block, IR_JCC, 0);
    in->cc = 6;
    in->target[0] = 1;
    block.fl_live_out = IR_SF;
    pass_flags(&block);
    expect("what the condition and the successors read is live",
           "cmp.4 eax, 0x3 [ wr CPAZSO live CZS ]\njcc.be 00000001 else 00000000 [ rd CZ ]\n");
}

static void carry_kept(void)
{
    begin(0);
    op2(IR_ADD, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
    op2(IR_INC, 4, ir_reg(IR_ECX), (IrOpnd){ 0 });
    op2(IR_ADC, 4, ir_reg(IR_EDX), ir_imm(0))->fl_live = 0;
    ir_emit(&block, IR_EXIT, 0);
    block.fl_live_out = 0;
    pass_flags(&block);
    expect("INC keeps CF for ADC", "add.4 eax, ebx [ wr CPAZSO live C ]\ninc.4 ecx [ wr PAZSO ]\n"
                                   "adc.4 edx, 0 [ rd C wr CPAZSO ]\nexit\n");
}

static void count_may_be_zero(void)
{
    begin(0);
    op2(IR_ADD, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
    IrInsn *in = op2(IR_SHL, 4, ir_reg(IR_EDX), ir_reg(IR_ECX));
    in->fl_rd |= in->fl_wr;
    ir_emit(&block, IR_EXIT, 0);
    block.fl_live_out = IR_CF;
    pass_flags(&block);
    ok(block.insn[0].fl_live == IR_CF, "a shift by CL passes on the flags that are live after it, and no others");
}

static void callouts(void)
{
    for (unsigned h = 0; h < 2; h++) {
        begin(0);
        op2(IR_ADD, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
        ir_emit(&block, IR_HELPER, 4)->helper = (uint16_t)h;
        op2(IR_SUB, 4, ir_reg(IR_EAX), ir_imm(1));
        ir_emit(&block, IR_EXIT, 0);
        pass_flags(&block);
        ok(block.insn[0].fl_live == helpers[h].fl_rd, "a helper reads what its table entry says: %s", helpers[h].name);
    }
}

static void across_checks(void)
{
    begin(0);
    op2(IR_ADD, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
    mem_op(IR_LD, 4, ir_reg(IR_EDX), at(IR_ESI, 0));
    ir_emit(&block, IR_CHKMODE, 0);
    op2(IR_SUB, 4, ir_reg(IR_EAX), ir_imm(1));
    ir_emit(&block, IR_EXIT, 0);
    pass_flags(&block);
    ok(!block.insn[0].fl_live, "what may raise or leave in between does not read flags");
}

static void switched_off(void)
{
    ir_pass_enable("flags", false);
    begin(0);
    op2(IR_CMP, 4, ir_reg(IR_EAX), ir_imm(3));
    IrInsn *in = ir_emit(&block, IR_JCC, 0);
    in->cc = 4;
    block.fl_live_out = 0;
    ir_run_passes(&block);
    ok(block.insn[0].fl_live == IR_FL_ALL && block.insn[1].fl_rd == IR_ZF, "switched off, every flag is called live");
    ir_pass_enable("flags", true);
    ok(!ir_pass_enable("no-such", true), "an unknown pass is refused");
}

int main(void)
{
    ir_set_helper_info(helpers, 2);
    ir_block_init(&block);
    overwritten();
    conditions();
    carry_kept();
    count_may_be_zero();
    callouts();
    across_checks();
    switched_off();
    ir_block_free(&block);
    return tap_done();
}
