/* MMX and SSE reference: one instruction on CPUState.fpu.  Here: dispatch, operands, exceptions.
 *
 * Every operation works on copies of its operands, so that an unmasked exception, found at the end,
 * leaves the destination as it was without any operation having to care. */
#include "cpu/ref_vec.h"

#include <string.h>

#define VEC(map, prefix, opcode, fn, flags) [map][VEC_##prefix][opcode] = { vec_##fn, flags },
static const VecOp vec_table[3][4][256] = {
#include "cpu/ref_vec_ops.def"
};
#undef VEC

static unsigned prefix_index(uint8_t prefix)
{
    return prefix == 0 ? VEC_NP : prefix == 0x66 ? VEC_66 : prefix == 0xf3 ? VEC_F3 : VEC_F2;
}

static void fetch(CPUState *cpu, XmmReg *out, unsigned kind, unsigned reg, unsigned mem_size)
{
    switch (kind) {
    case IR_FP_XMM: *out = cpu->fpu.xmm[reg]; break;
    case IR_FP_MMX: out->q[0] = cpu->fpu.r[reg].mant; break;
    case IR_FP_GPR: out->q[0] = cpu->regs[reg]; break;
    case IR_FP_MEM: memcpy(out, cpu->bounce, mem_size <= 16 ? mem_size : 16); break;
    default: break;
    }
}

static void deliver(CPUState *cpu, const XmmReg *v, unsigned kind, unsigned reg, unsigned mem_size)
{
    switch (kind) {
    case IR_FP_XMM: cpu->fpu.xmm[reg] = *v; break;
    case IR_FP_MMX:
        cpu->fpu.r[reg].mant = v->q[0];
        cpu->fpu.r[reg].se = 0xffff; /* SDM 1 9.2.2 */
        break;
    case IR_FP_GPR: cpu->regs[reg] = v->d[0]; break;
    case IR_FP_MEM: memcpy(cpu->bounce, v, mem_size <= 16 ? mem_size : 16); break;
    default: break;
    }
}

/* Flags into MXCSR, or #XM.  An unmasked IE DE ZE in any element keeps the later kinds from being
 * found at all: SDM 1 11.5.3, E.4.3. */
static void commit_exceptions(Vec *v)
{
    CPUState *cpu = v->cpu;
    unsigned flags = v->env.flags, unmasked = flags & (unsigned)~v->env.masked;
    if (!v->by_stages && flags & SF_PRE & (unsigned)~v->env.masked) flags &= SF_PRE;
    cpu->fpu.mxcsr |= flags;
    if (unmasked) cpu_raise(cpu, cpu->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
}

void cpu_ref_vec(CPUState *cpu, const struct IrFp *fp)
{
    const VecOp *op = &vec_table[fp->map <= 2 ? fp->map : 0][prefix_index(fp->prefix)][fp->opcode];
    if (!op->fn) return; /* the frontend lets no such opcode through */
    unsigned reg = fp->modrm >> 3 & 7, rm = fp->modrm & 7;
    bool to_rm = op->flags & VEC_TO_RM, mmx = fp->reg_kind == IR_FP_MMX || fp->rm_kind == IR_FP_MMX;
    Vec v = { .cpu = cpu,
              .prefix = (uint8_t)prefix_index(fp->prefix),
              .opcode = fp->opcode,
              .modrm = fp->modrm,
              .imm = fp->imm,
              .mem = fp->rm_kind == IR_FP_MEM };
    v.n = fp->reg_kind == IR_FP_XMM || fp->rm_kind == IR_FP_XMM ? 16 : 8;
    if (mmx) fpu_check_pending(cpu);
    fetch(cpu, to_rm ? &v.s : &v.d, fp->reg_kind, reg, 0);
    fetch(cpu, to_rm ? &v.d : &v.s, fp->rm_kind, rm, fp->mem_size);
    if (op->flags & VEC_FP) {
        uint32_t mxcsr = cpu->fpu.mxcsr;
        v.env.rc = mxcsr >> MXCSR_RC_SHIFT & 3;
        v.env.masked = mxcsr >> MXCSR_MASK_SHIFT & MXCSR_EXC;
        v.env.ftz = mxcsr & MXCSR_FTZ;
        v.env.daz = mxcsr & MXCSR_DAZ;
    }
    op->fn(&v);
    if (mmx) { /* also when an exception follows */
        cpu->fpu.sw &= (uint16_t)~SW_TOP;
        cpu->fpu.tag_valid = 0xff;
    }
    if (v.env.flags) commit_exceptions(&v);
    if (v.sets_flags) cpu->cc = cpu_cc_from_flags(v.eflags);
    if (!(op->flags & VEC_NO_DST))
        deliver(cpu, &v.d, to_rm ? fp->rm_kind : fp->reg_kind, to_rm ? rm : reg, fp->mem_size);
}
