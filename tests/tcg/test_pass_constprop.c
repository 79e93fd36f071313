/* Constants and copies: pass_constprop. */
#include "block.h"

enum { T0 = IR_TEMP0, T1 };

static IrInsn *quiet(IrInsn *in)
{
    in->fl_live = in->fl_wr = 0;
    return in;
}

static void constants(void)
{
    begin(1);
    op2(IR_MOV, 4, ir_reg(T0), ir_imm(0x1000));
    op2(IR_MOV, 4, ir_reg(IR_EBX), ir_imm(8));
    quiet(op2(IR_ADD, 4, ir_reg(T0), ir_imm(4)));
    mem_op(IR_ST, 4, ir_reg(IR_EBX), at(T0, 4));
    pass_constprop(&block);
    expect("constants reach operands and addresses", "mov.4 t0, 0x1000\nmov.4 ebx, 0x8\nmov.4 t0, 0x1004\n"
                                                     "st.4 ds:[0x1008], 0x8\n");
}

static void live_flags(void)
{
    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(1));
    op2(IR_ADD, 4, ir_reg(IR_EAX), ir_imm(2));
    op2(IR_MOV, 4, ir_reg(IR_ECX), ir_reg(IR_EAX));
    pass_constprop(&block);
    expect("an operation whose flags are read stays, its result is known",
           "mov.4 eax, 0x1\nadd.4 eax, 0x2 [ wr CPAZSO live CPAZSO ]\nmov.4 ecx, 0x3\n");
}

static void partial(void)
{
    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(0x11223344));
    op2(IR_MOV, 1, ir_reg_high(IR_EAX), ir_imm(0x55));
    op2(IR_MOV, 4, ir_reg(IR_ECX), ir_reg(IR_EAX));
    op2(IR_MOV, 1, ir_reg(IR_EAX), ir_reg(IR_EDX));
    op2(IR_MOV, 4, ir_reg(IR_ECX), ir_reg(IR_EAX));
    pass_constprop(&block);
    expect("a part written merges, or ends what is known",
           "mov.4 eax, 0x11223344\nmov.1 ah, 0x55\nmov.4 ecx, 0x11225544\nmov.1 al, dl\nmov.4 ecx, eax\n");
}

static void copies(void)
{
    begin(2);
    op2(IR_MOV, 4, ir_reg(T0), ir_reg(IR_EAX));
    op2(IR_MOV, 4, ir_reg(T1), ir_reg(IR_ESI));
    mem_op(IR_ST, 4, ir_reg(T0), at(T1, 0));
    mem_op(IR_ST, 1, ir_reg(T1), at(T1, 0));
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(1));
    mem_op(IR_ST, 4, ir_reg(T0), at(T1, 0));
    pass_constprop(&block);
    expect("copies are read through until the original changes; SIL is not made up",
           "mov.4 t0, eax\nmov.4 t1, esi\nst.4 ds:[esi], eax\nst.1 ds:[esi], t1\nmov.4 eax, 0x1\nst.4 ds:[esi], t0\n");
}

static void extensions(void)
{
    begin(1);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(0x8081));
    op2(IR_MOVSX, 4, ir_reg(T0), ir_reg_high(IR_EAX))->width2 = 1;
    op2(IR_MOVZX, 4, ir_reg(IR_ECX), ir_reg(IR_EAX))->width2 = 1;
    quiet(op2(IR_SHL, 4, ir_reg(IR_ECX), ir_imm(4)));
    pass_constprop(&block);
    expect("extensions and shifts of constants",
           "mov.4 eax, 0x8081\nmov.4 t0, 0xffffff80\nmov.4 ecx, 0x81\nmov.4 ecx, 0x810\n");
}

static void clobbered(void)
{
    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EDX), ir_imm(7));
    op2(IR_MUL, 4, (IrOpnd){ 0 }, ir_reg(IR_ECX));
    op2(IR_MOV, 4, ir_reg(IR_EBX), ir_reg(IR_EDX));
    pass_constprop(&block);
    ok(block.insn[2].a.kind == IR_REG, "implicit results end what is known");
}

int main(void)
{
    ir_block_init(&block);
    constants();
    live_flags();
    partial();
    copies();
    extensions();
    clobbered();
    ir_block_free(&block);
    return tap_done();
}
