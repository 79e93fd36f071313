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

static void to_state(uint32_t offset, uint32_t v)
{
    IrInsn *in = ir_emit(&block, IR_STSTATE, 4);
    in->a = ir_imm(v);
    in->b = ir_imm(offset);
}

static IrInsn *x87(uint8_t modrm)
{
    IrInsn *in = ir_emit(&block, IR_X87, 4);
    in->fp = (IrFp){ .opcode = 0xd8, .modrm = modrm };
    return in;
}

static unsigned stores(void)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < block.n; i++) n += block.insn[i].op == IR_STSTATE;
    return n;
}

/* The address of the last x87 instruction. */
static void state(void)
{
    enum { FIP = 0x40 };
    begin(1);
    for (unsigned i = 0; i < 4; i++) x87(0xc1), to_state(FIP, i);
    ir_emit(&block, IR_EXIT, 0);
    pass_dce(&block);
    ok(stores() == 1 && block.insn[block.n - 2].a.imm == 3, "of stores to one field the last stays");

    begin(1);
    to_state(FIP, 1);
    x87(0x00)->fp.rm_kind = IR_FP_MEM;
    to_state(FIP, 2);
    x87(0xc1)->fp.soft = 1;
    to_state(FIP, 3);
    mem_op(IR_LD, 4, ir_reg(IR_EAX), at(IR_EBX, 0));
    to_state(FIP, 4);
    ir_emit(&block, IR_LDSTATE, 4)->dst = ir_reg(IR_ECX);
    to_state(FIP, 5);
    to_state(FIP + 4, 6);
    pass_dce(&block);
    ok(stores() == 6, "unless something may raise or read in between, or it is another field");
}

int main(void)
{
    ir_block_init(&block);
    temporaries();
    kept();
    registers();
    parts();
    state();
    ir_block_free(&block);
    return tap_done();
}
