/* Address folding: pass_addr. */
#include "block.h"

enum { T0 = IR_TEMP0, T1 };

static IrInsn *lea(unsigned dst, unsigned base, uint32_t disp)
{
    return mem_op(IR_LEA, 4, ir_reg(dst), at(base, disp));
}

static void chain(void)
{
    begin(2);
    lea(T0, IR_EBX, 8)->mem.index = IR_ECX;
    block.insn[0].mem.shift = 2;
    lea(T1, T0, 0x10);
    mem_op(IR_LD, 4, ir_reg(IR_EAX), at(T1, 4));
    pass_addr(&block);
    expect("a chain of sums ends in one address",
           "lea.4 t0, ds:[ebx+ecx*4+0x8]\nlea.4 t1, ds:[ebx+ecx*4+0x18]\nld.4 eax, ds:[ebx+ecx*4+0x1c]\n");
}

static void changed(void)
{
    begin(1);
    lea(T0, IR_EBX, 8);
    op2(IR_MOV, 4, ir_reg(IR_EBX), ir_imm(0));
    mem_op(IR_LD, 4, ir_reg(IR_EAX), at(T0, 4));
    pass_addr(&block);
    expect("not when a register in it has changed", "lea.4 t0, ds:[ebx+0x8]\nmov.4 ebx, 0\nld.4 eax, ds:[t0+0x4]\n");
}

static void push(void)
{
    begin(1);
    lea(T0, IR_ESP, 0xfffffffc);
    mem_op(IR_ST, 4, ir_reg(IR_EAX), at(T0, 0));
    op2(IR_MOV, 4, ir_reg(IR_ESP), ir_reg(T0));
    ir_emit(&block, IR_EXIT, 0);
    pass_addr(&block);
    pass_dce(&block);
    expect("a push needs no temporary", "st.4 ds:[esp-0x4], eax\nlea.4 esp, ds:[esp-0x4]\nexit\n");
}

static void steps(void)
{
    begin(0);
    lea(IR_ESP, IR_ESP, 4);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_EBX));
    op2(IR_ADD, 4, ir_reg(IR_ESP), ir_imm(8))->fl_live = 0;
    lea(IR_ESP, IR_ESP, 4);
    mem_op(IR_LD, 4, ir_reg(IR_EAX), at(IR_EBX, 0));
    lea(IR_ESP, IR_ESP, 4);
    pass_addr(&block);
    expect("steps of a register are merged, but not across what may raise",
           "mov.4 eax, ebx\nlea.4 esp, ds:[esp+0x10]\nld.4 eax, ds:[ebx]\nlea.4 esp, ds:[esp+0x4]\n");
}

static void used(void)
{
    begin(0);
    lea(IR_ESI, IR_ESI, 4);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_ESI));
    lea(IR_ESI, IR_ESI, 4);
    pass_addr(&block);
    ok(block.insn[0].op == IR_LEA && block.insn[2].mem.disp == 4, "nor across a use");
}

static void add(unsigned dst, unsigned a, unsigned fl_live)
{
    op2(IR_ADD, 4, ir_reg(dst), ir_reg(a))->fl_live = (uint8_t)fl_live;
}

static void sums(void)
{
    begin(0);
    lea(IR_EBX, IR_EDX, 0)->mem.index = IR_EDX;
    ir_emit(&block, IR_MARK, 0);
    op2(IR_XOR, 4, ir_reg(IR_ESI), ir_reg(IR_EDI));
    add(IR_EBX, IR_EDX, 0);
    pass_addr(&block);
    expect("twice something and once more are three times",
           "---- 00000000 (0 bytes)\nxor.4 esi, edi [ wr CPAZSO live CPAZSO ]\nlea.4 ebx, ds:[edx+edx*2]\n");

    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_ECX));
    add(IR_EAX, IR_EDX, 0);
    lea(IR_EAX, IR_EAX, 8);
    op2(IR_MOV, 4, ir_reg(IR_EBX), ir_reg(IR_EAX));
    op2(IR_SUB, 4, ir_reg(IR_EBX), ir_imm(1))->fl_live = 0;
    pass_addr(&block);
    expect("a copy is a sum, too, but one of three terms is not made",
           "lea.4 eax, ds:[ecx+edx]\nlea.4 eax, ds:[eax+0x8]\nlea.4 ebx, ds:[eax-0x1]\n");

    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_ECX));
    add(IR_EAX, IR_EDX, IR_CF);
    pass_addr(&block);
    expect("nor one whose flags are asked for", "mov.4 eax, ecx\nadd.4 eax, edx [ wr CPAZSO live C ]\n");

    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_ECX));
    op2(IR_MOV, 1, ir_reg(IR_ECX), ir_imm(0));
    add(IR_EAX, IR_EDX, 0);
    add(IR_EAX, IR_EAX, 0);
    pass_addr(&block);
    expect("nor from a register that has changed since, nor of itself",
           "mov.4 eax, ecx\nmov.1 cl, 0\nadd.4 eax, edx [ wr CPAZSO ]\nadd.4 eax, eax [ wr CPAZSO ]\n");

    begin(0);
    op2(IR_MOV, 4, ir_reg(IR_EAX), ir_reg(IR_ECX));
    mem_op(IR_LD, 4, ir_reg(IR_ESI), at(IR_EBX, 0));
    add(IR_EAX, IR_EDX, 0);
    pass_addr(&block);
    expect("nor across what may raise", "mov.4 eax, ecx\nld.4 esi, ds:[ebx]\nadd.4 eax, edx [ wr CPAZSO ]\n");
}

int main(void)
{
    ir_block_init(&block);
    chain();
    changed();
    push();
    steps();
    used();
    sums();
    ir_block_free(&block);
    return tap_done();
}
