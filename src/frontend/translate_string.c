/* String instructions.  One step without REP is plain loads and stores; with REP, and INS/OUTS always, one
 * callout does as many steps as it can and says whether the instruction is complete. */
#include "cpu/string.h"
#include "frontend/translate_internal.h"

/* All string opcodes: bit 0 clear for bytes. */
static unsigned element_size(const Insn *in)
{
    return in->opcode & 1 ? in->opsize : 1;
}

static unsigned log2_size(const Insn *in)
{
    return element_size(in) >> 1; /* 1 2 4 -> 0 1 2 */
}

/* Returns true when the callout has been emitted, which ends the block: complete -> next instruction, else
 * this one again. */
static bool repeated(Tr *t, const Insn *in, unsigned str_op, bool always)
{
    if (in->rep == REP_NONE && !always) return false;
    uint32_t desc = STR_DESC(str_op, log2_size(in), in->asize == 4, in->rep, tr_data_seg(in));
    IrOpnd done = tr_call_ret(t, HELPER_string, ir_imm(desc));
    IrInsn *i = tr_op(t, IR_JNZ, 4, (IrOpnd){ 0 }, done);
    i->target[0] = t->next;
    i->target[1] = t->eip;
    t->ended = true;
    return true;
}

static IrMem source(Tr *t, const Insn *in)
{
    return tr_mem_at(t, tr_data_seg(in), IR_ESI, in->asize, 0, IR_MEM_R);
}

static IrMem destination(Tr *t, const Insn *in, unsigned use)
{
    return tr_mem_at(t, SEG_ES, IR_EDI, in->asize, 0, use);
}

/* Steps (E)SI and/or (E)DI by df * size. */
static void advance(Tr *t, const Insn *in, bool si, bool di)
{
    IrOpnd df = tr_ldstate(t, offsetof(CPUState, df), 4);

    for (unsigned reg = IR_ESI; reg <= IR_EDI; reg++) {
        if (!(reg == IR_ESI ? si : di)) continue;
        IrMem m = tr_mem_at(t, SEG_DS, reg, 4, 0, IR_MEM_ADDR);
        m.index = df.reg;
        m.shift = (uint8_t)log2_size(in);
        tr_address(t, in->asize, ir_reg(reg), m);
    }
}

/* A4 A5 */
void tr_movs(Tr *t, const Insn *in)
{
    if (repeated(t, in, STR_MOVS, false)) return;
    IrOpnd v = tr_load(t, source(t, in), element_size(in));
    tr_store(t, destination(t, in, IR_MEM_W), element_size(in), v);
    advance(t, in, true, true);
}

/* AA AB */
void tr_stos(Tr *t, const Insn *in)
{
    if (repeated(t, in, STR_STOS, false)) return;
    tr_store(t, destination(t, in, IR_MEM_W), element_size(in), ir_reg(IR_EAX));
    advance(t, in, false, true);
}

/* AC AD */
void tr_lods(Tr *t, const Insn *in)
{
    if (repeated(t, in, STR_LODS, false)) return;
    tr_load_to(t, source(t, in), element_size(in), ir_reg(IR_EAX));
    advance(t, in, true, false);
}

/* A6 A7 */
void tr_cmps(Tr *t, const Insn *in)
{
    if (repeated(t, in, STR_CMPS, false)) return;
    IrOpnd b = tr_load(t, destination(t, in, IR_MEM_R), element_size(in)); /* first, as silicon does */
    IrOpnd a = tr_load(t, source(t, in), element_size(in));
    tr_op(t, IR_CMP, element_size(in), a, b);
    advance(t, in, true, true);
}

/* AE AF */
void tr_scas(Tr *t, const Insn *in)
{
    if (repeated(t, in, STR_SCAS, false)) return;
    IrOpnd v = tr_load(t, destination(t, in, IR_MEM_R), element_size(in));
    tr_op(t, IR_CMP, element_size(in), ir_reg(IR_EAX), v);
    advance(t, in, false, true);
}

/* 6C 6D */
void tr_ins(Tr *t, const Insn *in)
{
    repeated(t, in, STR_INS, true);
}

/* 6E 6F */
void tr_outs(Tr *t, const Insn *in)
{
    repeated(t, in, STR_OUTS, true);
}
