/* x87, MMX and SSE: the guest's instruction is re-encoded for the host's own unit.
 *
 * x87/MMX state lives in the host's x87 from the first block that uses it until C code wants it in
 * CPUState.fpu (TMP_X87_LOADED); C code compiled for x86-64 leaves the x87 alone.  XMM registers too are in their namesakes
 * from the first block that uses them (TMP_XMM_LOADED); C code does not leave those alone, so the thunks that call it save
 * and load all eight.  Guest MXCSR is in force in generated code.
 * All that holds while every exception is masked; with one unmasked (IrFp.soft) the reference
 * helpers do the work, so the host never takes SIGFPE. */
#include "backend/x86_64/emit.h"

static bool uses_mmx(const IrFp *fp)
{
    return fp->reg_kind == IR_FP_MMX || fp->rm_kind == IR_FP_MMX || (!fp->map && fp->opcode == 0x77);
}

bool emit_scan_x87(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *in = &b->insn[i];
        if (in->op == IR_HELPER && inline_uses_x87(b, in)) return true;
        if (in->op != IR_X87 && in->op != IR_VEC) continue;
        if (!in->fp.soft && (in->op == IR_X87 || uses_mmx(&in->fp))) return true;
    }
    return false;
}

bool emit_scan_xmm(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        const IrInsn *in = &b->insn[i];
        if (in->op == IR_VEC && !in->fp.soft && (in->fp.reg_kind == IR_FP_XMM || in->fp.rm_kind == IR_FP_XMM))
            return true;
    }
    return false;
}

/* --- the native instruction ------------------------------------------------------------------------------- */

static unsigned fp_reg(unsigned kind, unsigned n)
{
    return kind == IR_FP_GPR ? host_of_gpr[n] : n;
}

static void native(Emit *e, const IrInsn *in, AsmMem m)
{
    static const uint32_t map_bytes[] = { 0x0f00, 0x0f3800, 0x0f3a00 };
    const IrFp *fp = &in->fp;
    unsigned digit = fp->modrm >> 3 & 7;
    Asm *a = &e->a;
    if (in->op == IR_X87) {
        if (fp->rm_kind == IR_FP_MEM)
            asm_rm(a, DIGIT, fp->opcode, digit, m);
        else
            asm8(a, fp->opcode), asm8(a, fp->modrm);
        return;
    }
    unsigned flags = fp->prefix == 0x66 ? P66 : fp->prefix == 0xf3 ? PF3 : fp->prefix == 0xf2 ? PF2 : 0;
    uint32_t opcode = map_bytes[fp->map] | fp->opcode;
    if (fp->map == 0 && fp->opcode == 0x77) { /* EMMS has no ModRM */
        asm8(a, 0x0f), asm8(a, 0x77);
        return;
    }
    unsigned reg = fp->reg_kind == IR_FP_NONE ? digit : fp_reg(fp->reg_kind, digit);
    if (fp->rm_kind == IR_FP_MEM)
        asm_rm(a, flags, opcode, reg, m);
    else
        asm_rr(a, flags, opcode, reg, fp_reg(fp->rm_kind, fp->modrm & 7));
    if (fp->has_imm) asm8(a, fp->imm);
}

static void cold_fp_load(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow load");
    cold_mem_enter(e, c);
    cold_mem_call(e, c, thunks.ld_fp, 0);
    native(e, &e->b->insn[c->first], STATE(bounce));
    flags_done(e, &e->b->insn[c->first]);
    cold_back(e, c);
    cold_seg_entry(e, c, start);
}

static void cold_fp_store(Emit *e, Cold *c)
{
    const uint8_t *start = e->a.p;
    map_purpose(e, "slow store");
    asm_store(&e->a, STATE(scratch32), R8);
    cold_mem_enter(e, c);
    cold_mem_call(e, c, thunks.probe_fp, 0);
    native(e, &e->b->insn[c->first], STATE(bounce));
    asm_load(&e->a, R8, STATE(scratch32));
    cold_mem_call(e, c, thunks.st_fp, 0);
    cold_back(e, c);
    cold_seg_entry(e, c, start);
}

/* --- the reference helper instead --------------------------------------------------------------------------- */

static void call_ref(Emit *e, const IrInsn *in)
{
    uint8_t *over = asm_jmp(&e->a);
    const uint8_t *data = e->a.p + e->arena->exec_delta;
    const char *was = map_purpose(e, EMIT_MAP_DATA);
    for (size_t i = 0; i < sizeof in->fp; i++) asm8(&e->a, ((const uint8_t *)&in->fp)[i]);
    asm_patch(over, e->a.p);
    map_purpose(e, was);
    asm_mov_imm64(&e->a, R8, in->op == IR_X87 ? (uintptr_t)cpu_ref_x87 : (uintptr_t)cpu_ref_vec);
    asm_mov_imm64(&e->a, R9, (uintptr_t)data);
    emit_call(e, thunks.ref);
}

static void emit_soft(Emit *e, const IrInsn *in)
{
    const IrFp *fp = &in->fp;
    bool load = fp->rm_kind == IR_FP_MEM && fp->mem_use == IR_MEM_R;
    bool store = fp->rm_kind == IR_FP_MEM && fp->mem_use == IR_MEM_W;
    flags_clobber(e);
    runs_drop(e);
    map_purpose(e, "callout");
    store_eip(e, e->eip);
    if (load || store) {
        mem_linear(e, &in->mem);
        if (store) asm_store(&e->a, STATE(scratch32), R8);
        asm_mov_imm(&e->a, R9, mem_desc(e, &in->mem, fp->mem_size, fp->mem_use));
        emit_call(e, load ? thunks.ld_fp : thunks.probe_fp);
    }
    call_ref(e, in);
    if (store) {
        asm_load(&e->a, R8, STATE(scratch32));
        asm_mov_imm(&e->a, R9, mem_desc(e, &in->mem, fp->mem_size, fp->mem_use));
        emit_call(e, thunks.st_fp);
    }
    if (e->uses_x87) emit_x87_check(e);
}

static void emit_fp(Emit *e, const IrInsn *in)
{
    const IrFp *fp = &in->fp;
    if (fp->soft) {
        emit_soft(e, in);
        return;
    }
    if (fp->rm_kind == IR_FP_MEM) {
        Cold *c;
        AsmMem m = mem_operand(e, &in->mem, fp->mem_size, fp->mem_use,
                               fp->mem_use == IR_MEM_W ? cold_fp_store : cold_fp_load, &c);
        native(e, in, m);
        mem_done(e, c);
    } else {
        if (in->fl_rd || in->fl_wr) flags_need(e, in);
        native(e, in, (AsmMem){ 0 });
    }
    flags_done(e, in);
}

void emit_x87(Emit *e, const IrInsn *in)
{
    emit_fp(e, in);
}
void emit_vec(Emit *e, const IrInsn *in)
{
    emit_fp(e, in);
}

/* --- state in and out (FXSAVE image, SDM 1 10.5.1) ----------------------------------------------------------- */

typedef struct FxImage {
    uint16_t cw, sw;
    uint8_t tags, pad0;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    struct {
        uint64_t mant;
        uint16_t se;
        uint8_t pad[6];
    } st[8];
    uint8_t xmm[16][16];
    uint8_t pad1[96];
} __attribute__((aligned(16))) FxImage;
_Static_assert(sizeof(FxImage) == 512, "FXSAVE image");

static void image_in(FxImage *fx, const FpuState *f)
{
    unsigned top = f->sw >> 11 & 7;
    fx->cw = f->cw;
    fx->sw = f->sw;
    fx->tags = f->tag_valid;
    fx->fop = 0;
    fx->fip = fx->fdp = 0;
    for (unsigned i = 0; i < 8; i++) {
        fx->st[i].mant = f->r[(top + i) & 7].mant;
        fx->st[i].se = f->r[(top + i) & 7].se;
    }
}
static void image_out(const FxImage *fx, FpuState *f)
{
    unsigned top = fx->sw >> 11 & 7;
    f->cw = fx->cw;
    f->sw = fx->sw;
    f->tag_valid = fx->tags;
    for (unsigned i = 0; i < 8; i++) f->r[(top + i) & 7] = (Fp80){ fx->st[i].mant, fx->st[i].se };
}

void x87_out(CPUState *cpu)
{
    if (!cpu->backend_tmp[TMP_X87_LOADED]) return;
    FxImage fx;
    __asm__ volatile("fxsave64 %0" : "=m"(fx));
    image_out(&fx, &cpu->fpu);
    cpu->backend_tmp[TMP_X87_LOADED] = 0;
}

void x87_in(CPUState *cpu)
{
    FxImage fx;
    __asm__ volatile("fxsave64 %0" : "=m"(fx)); /* XMM and MXCSR stay as they are */
    image_in(&fx, &cpu->fpu);
    __asm__ volatile("fxrstor64 %0" ::"m"(fx));
    cpu->backend_tmp[TMP_X87_LOADED] = 1;
}

/* D9 F0..FF for the reference helper; whatever the host's x87 holds is put back.  An exception may be unmasked: it stays pending
 * until the next waiting instruction (SDM 1 8.7), which FXSAVE and FXRSTOR are not. */
#define D9(modrm)                                                                                                      \
    case modrm: __asm__ volatile(".byte 0xd9, " #modrm); break

void x87_transcendental(FpuState *f, uint8_t modrm)
{
    FxImage kept, fx;
    __asm__ volatile("fxsave64 %0" : "=m"(kept));
    fx = kept;
    image_in(&fx, f);
    __asm__ volatile("fxrstor64 %0" ::"m"(fx));
    switch (modrm) {
        D9(0xf0); /* F2XM1 */
        D9(0xf1); /* FYL2X */
        D9(0xf2); /* FPTAN */
        D9(0xf3); /* FPATAN */
        D9(0xf9); /* FYL2XP1 */
        D9(0xfb); /* FSINCOS */
        D9(0xfe); /* FSIN */
        D9(0xff); /* FCOS */
    }
    __asm__ volatile("fxsave64 %0" : "=m"(fx));
    image_out(&fx, f);
    __asm__ volatile("fxrstor64 %0" ::"m"(kept));
}
