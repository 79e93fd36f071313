/* Callouts to C helpers, and plain CPUState fields. */
#include "backend/x86_64/emit.h"

static AsmMem call_arg(unsigned i)
{
    return state_at(offsetof(CPUState, call_arg) + 4 * i);
}

static AsmMem state_operand(const IrInsn *in)
{
    return state_at(in->b.imm);
}

void emit_ldstate(Emit *e, const IrInsn *in)
{
    unsigned d = reg_write(e, &in->dst, 4);
    if (in->width == 4)
        asm_load(&e->a, d, state_operand(in));
    else
        asm_rm(&e->a, W32, in->width == 1 ? 0x0fb6 : 0x0fb7, d, state_operand(in));
}

void emit_ldcode(Emit *e, const IrInsn *in)
{
    asm_mov_imm64(&e->a, R8, (uintptr_t)e->info->code + in->b.imm);
    asm_load(&e->a, reg_write(e, &in->dst, 4), asm_mem(R8, 0));
}

void emit_ststate(Emit *e, const IrInsn *in)
{
    if (in->a.kind == IR_IMM) {
        asm_store_imm(&e->a, in->width, state_operand(in), in->a.imm);
        reloc_imm(e, &in->a);
        return;
    }
    unsigned s = reg_read(e, &in->a, in->width);
    asm_rm(&e->a, asm_width(in->width), in->width == 1 ? 0x88 : 0x89, s, state_operand(in));
}

void call_helper(Emit *e, unsigned helper)
{
    const IrHelperInfo *h = ir_helper_info(helper);
    if (e->info->tally) {
        map_purpose(e, "tally");
        asm_mov_imm64(&e->a, R8, (uintptr_t)e->info->tally(e->info->tally_opaque, helper));
        asm_alu_mem_imm(&e->a, 8, 0, asm_mem(R8, 0), 1);
    }
    map_purpose(e, "callout");
    store_eip(e, e->eip);
    asm_mov_imm64(&e->a, R8, (uintptr_t)h->fn);
    emit_call(e, h->effects & IR_HELPER_FPU ? thunks.helper_fpu : thunks.helper);
}

static void cold_load(Emit *e, Cold *c)
{
    map_purpose(e, c->reg ? "load XMM state" : "load x87 state");
    emit_call(e, c->reg ? thunks.load_xmm : thunks.load_x87);
    emit_jmp_to(e, c->back);
}

static void unit_check(Emit *e, unsigned loaded, bool xmm)
{
    Cold *c = cold_new(e, cold_load);
    c->reg = xmm;
    const char *was = map_purpose(e, xmm ? "XMM unit check" : "x87 unit check");
    asm_alu_mem_imm(&e->a, 4, 7, STATE_TMP(loaded), 0);
    cold_site(c, asm_jcc(&e->a, CC_E));
    c->back = e->a.p;
    map_purpose(e, was);
}

void emit_x87_check(Emit *e)
{
    unit_check(e, TMP_X87_LOADED, false);
}

void emit_xmm_check(Emit *e)
{
    unit_check(e, TMP_XMM_LOADED, true);
}

void emit_helper(Emit *e, const IrInsn *in)
{
    if (emit_inline(e, in)) return;
    const IrHelperInfo *h = ir_helper_info(in->helper);
    const IrOpnd *arg[4] = { &in->a, &in->b, &in->c, &in->d };
    flags_clobber(e);
    for (unsigned i = 0; i < h->nargs; i++) {
        if (arg[i]->kind == IR_IMM) {
            asm_store_imm(&e->a, 4, call_arg(i), arg[i]->imm);
            reloc_imm(e, arg[i]);
        } else
            asm_store(&e->a, call_arg(i), reg_read(e, arg[i], 4));
        e->busy = 0;
    }
    runs_drop(e);
    call_helper(e, in->helper);
    if (in->dst.kind == IR_REG) asm_mov(&e->a, reg_write(e, &in->dst, 4), R8);
    if ((h->effects & IR_HELPER_FPU) && e->uses_x87) emit_x87_check(e);
}
