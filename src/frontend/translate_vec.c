/* MMX and SSE instructions: identity operations, with what passes and backends must know of their
 * operands; MXCSR and the masked moves are callouts. */
#include "frontend/translate_internal.h"

enum { MAP_0F, MAP_0F38, MAP_0F3A };

/* #UD, then #NM: SDM 3A tables 11-1 and 13-1.  True: raised. */
static bool unusable(Tr *t, bool sse)
{
    if (t->mode & (sse ? MODE_UD_SSE : MODE_UD_MMX)) {
        tr_ud(t);
        return true;
    }
    if (t->mode & MODE_NM_VEC) {
        tr_raise(t, EXC_NM, 0);
        return true;
    }
    return false;
}

static uint8_t kind_of(const Opnd *o)
{
    switch (o->kind) {
    case OPND_XMM: return IR_FP_XMM;
    case OPND_MMX: return IR_FP_MMX;
    case OPND_REG: return IR_FP_GPR;
    case OPND_MEM: return IR_FP_MEM;
    default: return IR_FP_NONE;
    }
}

/* The destination, opnd[0], is ModRM.rm. */
static bool to_rm(const IrFp *fp)
{
    if (fp->map == MAP_0F3A) return fp->opcode >= 0x14 && fp->opcode <= 0x17;
    if (fp->map != MAP_0F) return false;
    switch (fp->opcode) {
    case 0x11:
    case 0x13:
    case 0x17:
    case 0x29:
    case 0x2b:
    case 0x71:
    case 0x72:
    case 0x73:
    case 0x7f:
    case 0xe7: return true;
    case 0x7e: return fp->prefix != 0xf3;
    case 0xd6: return fp->prefix == 0x66;
    default: return false;
    }
}

/* May find SIMD floating-point exceptions: SDM 1 table E-1 and the like. */
static bool finds_exceptions(const IrFp *fp)
{
    unsigned op = fp->opcode;
    if (fp->map == MAP_0F3A) return (op >= 0x08 && op <= 0x0b) || op == 0x40 || op == 0x41;
    if (fp->map != MAP_0F) return false;
    return op == 0x2a || (op >= 0x2c && op <= 0x2f) || op == 0x51 || (op >= 0x58 && op <= 0x5f) || op == 0x7c ||
           op == 0x7d || op == 0xc2 || op == 0xd0 || op == 0xe6;
}

/* UCOMIS COMIS, PTEST, PCMPxSTRx */
static bool writes_flags(const IrFp *fp)
{
    unsigned op = fp->opcode;
    if (fp->map == MAP_0F) return op == 0x2e || op == 0x2f;
    if (fp->map == MAP_0F38) return op == 0x17;
    return op >= 0x60 && op <= 0x63;
}

/* MOVUPS MOVUPD, MOVDQU, LDDQU, PCMPxSTRx take any address. */
static bool may_be_unaligned(const IrFp *fp)
{
    unsigned op = fp->opcode;
    if (fp->map == MAP_0F3A) return op >= 0x60 && op <= 0x63;
    if (fp->map != MAP_0F) return false;
    return op == 0x10 || op == 0x11 || op == 0xf0 || ((op == 0x6f || op == 0x7f) && fp->prefix == 0xf3);
}

/* SSE's conditions, not MMX's: also CVTPS2PI and its like from memory, which name no XMM register (SDM 3B 22.25.3). */
static bool needs_sse(const IrFp *fp)
{
    bool converts = fp->map == MAP_0F && (fp->opcode == 0x2c || fp->opcode == 0x2d);
    return converts || fp->reg_kind == IR_FP_XMM || fp->rm_kind == IR_FP_XMM;
}

static void operands(IrFp *fp, const Insn *in)
{
    bool at_rm = to_rm(fp), shift_group = fp->map == MAP_0F && fp->opcode >= 0x71 && fp->opcode <= 0x73;
    const Opnd *rm = &in->opnd[at_rm ? 0 : 1], *reg = &in->opnd[at_rm ? 1 : 0];
    if (in->n_opnd && in->opnd[in->n_opnd - 1].kind == OPND_IMM) {
        fp->has_imm = 1;
        fp->imm = (uint8_t)in->imm;
    }
    if (in->n_opnd < 2) return; /* EMMS */
    if (!shift_group) {
        fp->reg_kind = kind_of(reg);
        fp->reg_use = reg->use;
    }
    fp->rm_kind = kind_of(rm);
    if (fp->rm_kind == IR_FP_MEM) {
        fp->mem_size = rm->size;
        fp->mem_use = rm->use == IR_USE_W ? IR_MEM_W : IR_MEM_R;
    } else {
        fp->rm_use = rm->use;
    }
}

void tr_vec(Tr *t, const Insn *in)
{
    IrFp fp = { .prefix = in->prefix, .map = (uint8_t)(in->map - 1), .opcode = in->opcode, .modrm = in->modrm };
    operands(&fp, in);
    bool mmx = fp.reg_kind == IR_FP_MMX || fp.rm_kind == IR_FP_MMX || !in->n_opnd;
    if (unusable(t, needs_sse(&fp))) return;
    fp.soft = (mmx && t->mode & MODE_X87_SOFT) || (finds_exceptions(&fp) && t->mode & MODE_SSE_SOFT);
    bool mem = fp.rm_kind == IR_FP_MEM;
    IrMem m = mem ? tr_mem(t, in, fp.mem_use) : (IrMem){ .base = IR_NOREG, .index = IR_NOREG };
    if (mem && mmx && t->mode & MODE_X87_SOFT)
        tr_call(t, HELPER_fwait, { 0 }); /* #MF comes before the operand's faults */
    if (mem && fp.mem_size == 16 && !may_be_unaligned(&fp)) m.align = 16;
    IrInsn *i = ir_emit(t->b, IR_VEC, 4);
    i->fp = fp;
    i->mem = m;
    i->fl_rd = 0;
    i->fl_wr = writes_flags(&fp) ? IR_FL_ALL : 0;
}

/* NP 0F AE /2 */
void tr_ldmxcsr(Tr *t, const Insn *in)
{
    if (unusable(t, true)) return;
    tr_call(t, HELPER_ldmxcsr, tr_load(t, tr_mem(t, in, IR_MEM_R), 4));
    tr_chkmode(t);
}

/* NP 0F AE /3 */
void tr_stmxcsr(Tr *t, const Insn *in)
{
    if (unusable(t, true)) return;
    IrOpnd v = tr_call_ret(t, HELPER_stmxcsr, { 0 });
    tr_store(t, tr_mem(t, in, IR_MEM_W), 4, v);
}

/* NP 0F F7 MASKMOVQ, 66 0F F7 MASKMOVDQU: to seg:[rDI] */
void tr_maskmov(Tr *t, const Insn *in)
{
    bool xmm = in->mn == MN_MASKMOVDQU;
    if (unusable(t, xmm)) return;
    uint32_t desc = (in->asize == 2) << 7 | (uint32_t)xmm << 6 | (in->modrm & 0x3fu);
    tr_call(t, HELPER_maskmov, ir_imm(desc), ir_imm(in->mem.seg), tr_ea(t, in));
    tr_chkmode(t);
}

/* NP 0F C3: a store; there is no cache to spare */
void tr_movnti(Tr *t, const Insn *in)
{
    tr_store(t, tr_mem(t, in, IR_MEM_W), 4, ir_reg(in->modrm >> 3 & 7));
}
