/* Dead code: pass_dce. */
#include "block.h"

enum { T0 = IR_TEMP0, T1 };

static void temporaries(void)
{
    begin(2);
    op2(IR_MOV, 4, ir_reg(T0), ir_reg(IR_EAX));
    op2(IR_MOV, 4, ir_reg(T1), ir_reg(T0));
    op2(IR_ADD, 4, ir_reg(T1), ir_imm(1))->fl_live = 0;
    ir_emit(&block, IR_EXIT, 0);
    pass_dce(&block);
    expect("a chain of temporaries nobody reads", "exit\n");
    ok(block.n == 1, "and nothing is left in its place");
}

static void kept(void)
{
    begin(2);
    op2(IR_MOV, 4, ir_reg(T0), ir_reg(IR_EAX));
    op2(IR_CMP, 4, ir_reg(T0), ir_imm(1));
    mem_op(IR_LD, 4, ir_reg(T1), at(IR_EBX, 0));
    op2(IR_MOV, 1, ir_reg(IR_ECX), ir_imm(1));
    ir_emit(&block, IR_EXIT, 0);
    pass_dce(&block);
    ok(block.n == 5, "live flags, loads that may fault and guest registers stay");
}

static void registers(void)
{
    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(1));
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(2));
    mem_op(IR_LD, 4, ir_reg(IR_ECX), at(IR_EBX, 0));
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(3));
    ir_emit(&block, IR_EXIT, 0);
    pass_dce(&block);
    expect("a guest register overwritten unseen, but not across what may raise",
           "mov.4 eax, 0x2\nld.4 ecx, ds:[ebx]\nmov.4 eax, 0x3\nexit\n");
}

static void parts(void)
{
    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_imm(1));
    op2(IR_MOV, 2, ir_reg(IR_EAX), ir_imm(2));
    ir_emit(&block, IR_EXIT, 0);
    pass_dce(&block);
    ok(block.n == 3, "writing a part keeps the rest");
}

int main(void)
{
    ir_block_init(&block);
    temporaries();
    kept();
    registers();
    parts();
    ir_block_free(&block);
    return tap_done();
}
