/* The driver: walks a block's IR, keeps track of temporaries, flags and cold code. */
#include "backend/x86_64/emit.h"

#include <assert.h>

const uint8_t host_of_gpr[8] = { RAX, RCX, RDX, RBX, R15, R14, RSI, RDI };
static const uint8_t temp_reg[N_TEMP_REGS] = { R10, R12, R13 };

/* --- temporaries ------------------------------------------------------------------------------- */

static AsmMem spill_slot(unsigned slot)
{
    return state_at(offsetof(CPUState, spill) + 4 * slot);
}

/* A free host register for a temporary; the one used again last makes room when there is none. */
static unsigned temp_take(Emit *e, uint16_t temp)
{
    unsigned best = N_TEMP_REGS, far = 0;
    for (unsigned i = 0; i < N_TEMP_REGS; i++) {
        uint16_t t = e->alloc.reg_temp[i];
        if (!t) {
            best = i;
            break;
        }
        uint32_t use = t & RUN_MARK ? UINT32_MAX : e->last_use[t - IR_TEMP0];
        if (!(e->busy & 1u << i) && use >= far) {
            best = i;
            far = use;
        }
    }
    assert(best < N_TEMP_REGS);
    uint16_t old = e->alloc.reg_temp[best];
    if (old && !(old & RUN_MARK)) {
        unsigned slot = (unsigned)__builtin_ctzll(~e->alloc.spill_used);
        if (slot >= SPILL_SLOTS - 1) {
            e->failed = true;
            slot = SPILL_SLOTS - 1;
        }
        e->alloc.spill_used |= 1ull << slot;
        e->loc[old - IR_TEMP0] = (uint8_t)(0x80 | slot);
        const char *was = map_purpose(e, "spill");
        asm_store(&e->a, spill_slot(slot), temp_reg[best]);
        map_purpose(e, was);
    }
    e->alloc.reg_temp[best] = temp;
    e->loc[temp - IR_TEMP0] = (uint8_t)(best + 1);
    e->busy |= (uint8_t)(1u << best);
    return best;
}

static unsigned temp_host(Emit *e, uint16_t temp, bool value)
{
    uint8_t l = e->loc[temp - IR_TEMP0];
    if (l && !(l & 0x80)) {
        e->busy |= (uint8_t)(1u << (l - 1));
        return temp_reg[l - 1];
    }
    unsigned i = temp_take(e, temp);
    if (l & 0x80) {
        const char *was = map_purpose(e, "spill");
        if (value) asm_load(&e->a, temp_reg[i], spill_slot(l & 0x7f));
        map_purpose(e, was);
        e->alloc.spill_used &= ~(1ull << (l & 0x7f));
    }
    return temp_reg[i];
}

void temp_release(Emit *e)
{
    e->busy = 0;
    for (unsigned i = 0; i < N_TEMP_REGS; i++) {
        uint16_t t = e->alloc.reg_temp[i];
        if (t && (t & RUN_MARK ? e->run_last[t & ~RUN_MARK] : e->last_use[t - IR_TEMP0]) <= e->cur)
            e->alloc.reg_temp[i] = 0;
    }
}

bool run_take(Emit *e, uint16_t run, unsigned *host)
{
    for (unsigned i = N_TEMP_REGS; i-- > 1;) { /* one register always stays for temporaries */
        if (e->alloc.reg_temp[i]) continue;
        e->alloc.reg_temp[i] = (uint16_t)(RUN_MARK | run);
        *host = temp_reg[i];
        return true;
    }
    return false;
}

unsigned run_host(const Emit *e, uint16_t run)
{
    for (unsigned i = 1; i < N_TEMP_REGS; i++)
        if (e->alloc.reg_temp[i] == (RUN_MARK | run)) return temp_reg[i];
    return NOREG;
}

void runs_drop(Emit *e)
{
    for (unsigned i = 1; i < N_TEMP_REGS; i++)
        if (e->alloc.reg_temp[i] & RUN_MARK) e->alloc.reg_temp[i] = 0;
}

unsigned gpr_host(Emit *e, unsigned reg)
{
    return reg < IR_TEMP0 ? host_of_gpr[reg] : temp_host(e, (uint16_t)reg, true);
}

unsigned reg_read(Emit *e, const IrOpnd *o, unsigned width)
{
    if (o->kind == IR_IMM) {
        asm_mov_imm(&e->a, R11, o->imm);
        return R11;
    }
    unsigned h = gpr_host(e, o->reg);
    return o->high && width == 1 ? AH + h : h;
}

void reg_to_r8(Emit *e, const IrOpnd *o)
{
    if (o->kind == IR_IMM)
        asm_mov_imm(&e->a, R8, o->imm);
    else
        asm_mov(&e->a, R8, reg_read(e, o, 4));
}

unsigned reg_write(Emit *e, const IrOpnd *o, unsigned width)
{
    if (o->reg < IR_TEMP0) return o->high && width == 1 ? (unsigned)AH + host_of_gpr[o->reg] : host_of_gpr[o->reg];
    return temp_host(e, o->reg, width < 4);
}

unsigned reg_update(Emit *e, const IrOpnd *o, unsigned width)
{
    if (o->reg >= IR_TEMP0) return temp_host(e, o->reg, true);
    return reg_write(e, o, width);
}

/* --- flags --------------------------------------------------------------------------------------- */

static void effects(const IrInsn *in, uint8_t *rd, uint8_t *wr)
{
    *rd = in->fl_rd;
    *wr = in->fl_wr;
    if (in->op == IR_HELPER) {
        const IrHelperInfo *h = ir_helper_info(in->helper);
        *rd |= h->fl_rd;
        *wr |= h->fl_wr;
    }
}

/* A shift by CL keeps the flags when CL is 0: it reads those that somebody needs after it, no others. */
static bool is_cl_shift(const IrInsn *in)
{
    return (in->op >= IR_ROL && in->op <= IR_SAR && in->a.kind == IR_REG) ||
           ((in->op == IR_SHLD || in->op == IR_SHRD) && in->b.kind == IR_REG);
}

static uint8_t flags_read(const IrInsn *in, uint8_t rd, uint8_t wr, uint8_t live)
{
    if (is_cl_shift(in)) return ir_op_info[in->op].fl_rd | (live & wr);
    return rd;
}

static void compute_liveness(Emit *e)
{
    uint8_t live = e->b->fl_live_out;
    for (uint32_t i = e->b->n; i-- > 0;) {
        uint8_t rd, wr;
        effects(&e->b->insn[i], &rd, &wr);
        e->live[i] = live;
        live = (uint8_t)((live & ~wr) | flags_read(&e->b->insn[i], rd, wr, live));
    }
}

uint8_t flags_live_before(const Emit *e)
{
    uint8_t rd, wr;
    effects(&e->b->insn[e->cur], &rd, &wr);
    uint8_t live = e->live[e->cur];
    return (uint8_t)((live & ~wr) | flags_read(&e->b->insn[e->cur], rd, wr, live));
}

void flags_save(Emit *e)
{
    bool split = e->alloc.flags == FLAGS_SPLIT;
    if (e->alloc.flags != FLAGS_HOST && !split) return;
    Asm *a = &e->a;
    const char *was = map_purpose(e, "flag save");
    asm_mov64(a, R9, RAX);
    asm8(a, 0x9f);                                /* lahf */
    asm_rr(a, W8 | DIGIT, 0x0f90 | CC_O, 0, RAX); /* seto al */
    if (split) {
        enum { CF = 0x100 };
        asm_rm(a, W32, 0x0fb7, R11, STATE(cc)); /* movzx */
        asm_alu_imm(a, 4, 4, R11, CF);
        asm_alu_imm(a, 4, 4, RAX, 0xffff & ~CF);
        asm_rr(a, W32, 0x09, R11, RAX);
    }
    asm_rm(a, W16, 0x89, RAX, STATE(cc));
    asm_mov64(a, RAX, R9);
    map_purpose(e, was);
    e->alloc.flags = split ? FLAGS_STATE : FLAGS_BOTH;
}

void flags_load(Emit *e)
{
    if (e->alloc.flags != FLAGS_STATE) return;
    Asm *a = &e->a;
    const char *was = map_purpose(e, "flag load");
    asm_mov64(a, R9, RAX);
    asm_rm(a, W32, 0x0fb7, RAX, STATE(cc)); /* movzx eax, cc */
    asm8(a, 0x04), asm8(a, 0x7f);           /* add al, 0x7f: OF = bit 0 */
    asm8(a, 0x9e);                          /* sahf */
    asm_mov64(a, RAX, R9);
    map_purpose(e, was);
    e->alloc.flags = FLAGS_BOTH;
}

void flags_need(Emit *e, const IrInsn *in)
{
    uint8_t live = e->live[e->cur];
    if (flags_read(in, in->fl_rd, in->fl_wr, live) | (live & ~in->fl_wr)) flags_load(e);
}

bool flags_split(Emit *e)
{
    if (e->alloc.flags != FLAGS_STATE || !(e->live[e->cur] & IR_CF)) return false;
    const IrInsn *next = &e->b->insn[e->cur + 1];
    while (next->op == IR_MARK || next->op == IR_NOP) next++;
    if (next->op != IR_JCC || ir_cc_flags(next->cc) & IR_CF) return false;
    e->alloc.flags = FLAGS_SPLIT;
    return true;
}

void flags_done(Emit *e, const IrInsn *in)
{
    if (in->fl_wr) e->alloc.flags = FLAGS_HOST;
}

void flags_clobber(Emit *e)
{
    if (flags_live_before(e)) flags_save(e);
    e->alloc.flags = FLAGS_STATE;
}

/* --- cold code ------------------------------------------------------------------------------------ */

Cold *cold_new(Emit *e, void (*fn)(Emit *, Cold *))
{
    if (e->n_cold == MAX_COLD) {
        e->failed = true;
        e->n_cold--;
    }
    Cold *c = &e->cold[e->n_cold++];
    memset(c, 0, sizeof *c);
    c->fn = fn;
    c->eip = e->eip;
    c->first = e->cur;
    c->alloc = e->alloc;
    return c;
}

void cold_site(Cold *c, uint8_t *site)
{
    assert(c->n_sites < MAX_SITES);
    c->site[c->n_sites++] = site;
}

void emit_patch(Emit *e, uint8_t *site, const uint8_t *target)
{
    asm_patch(site, target);
    if (target < e->start)
        reloc_note(e, RELOC_AWAY, site); /* a thunk */
    else if (is_out_of_line(e, site) != is_out_of_line(e, target))
        reloc_note(e, RELOC_ACROSS, site);
}

void emit_call(Emit *e, const uint8_t *thunk)
{
    emit_patch(e, asm_call(&e->a), thunk);
}
void emit_jmp_to(Emit *e, const uint8_t *target)
{
    emit_patch(e, asm_jmp(&e->a), target);
}

static uint32_t offset_here(const Emit *e)
{
    return (uint32_t)(e->cold_start ? e->out->size + (size_t)(e->a.p - e->cold_start) : (size_t)(e->a.p - e->start));
}

const char *map_purpose(Emit *e, const char *purpose)
{
    const char *was = e->purpose;
    e->purpose = purpose;
    if (!e->map) return was;
    uint32_t offset = offset_here(e);
    if (e->map_n && e->map[e->map_n - 1].offset == offset) e->map_n--; /* nothing came of it */
    if (e->map_n < e->map_cap) e->map[e->map_n++] = (EmitMap){ offset, e->cur, purpose, e->cold_start != NULL };
    return was;
}

/* The code in line is complete. */
static void begin_cold(Emit *e)
{
    CodeArena *a = e->arena;
    if (asm_full(&e->a)) e->failed = true;
    e->out->size = (uint32_t)(e->a.p - e->start);
    e->a.p = e->cold_start = a->rw + ((a->cold_used + 15) & ~(size_t)15);
    e->a.end = a->rw + a->cold_end - ASM_SLACK;
    e->out->cold = e->cold_start + a->exec_delta;
}

static void end_cold(Emit *e)
{
    CodeArena *a = e->arena;
    e->out->cold_size = (uint32_t)(e->a.p - e->cold_start);
    a->used = (size_t)(e->start - a->rw) + e->out->size;
    a->cold_used = (size_t)(e->a.p - a->rw);
}

static void emit_cold(Emit *e)
{
    for (uint32_t i = 0; i < e->n_cold && !asm_full(&e->a); i++) { /* n_cold may grow */
        Cold *c = &e->cold[i];
        e->alloc = c->alloc;
        e->cur = c->first;
        e->eip = c->eip;
        e->busy = 0;
        map_purpose(e, "window miss");
        for (unsigned k = 0; k < c->n_sites; k++) emit_patch(e, c->site[k], e->a.p);
        if (c->window.window) {
            ptrdiff_t run = e->arena->exec_delta;
            if (!fault_note(c->fault + run, e->a.p + run)) e->failed = true;
            cold_window_enter(e, c);
        }
        c->fn(e, c);
    }
}

/* --- the walk --------------------------------------------------------------------------------------- */

static void emit_mark(Emit *e, const IrInsn *in)
{
    e->eip = in->target[0];
}
static void emit_nop(Emit *e, const IrInsn *in)
{
    (void)e, (void)in;
}

static void (*const emit_op[IR_OP_COUNT])(Emit *, const IrInsn *) = {
    [IR_MARK] = emit_mark,
    [IR_NOP] = emit_nop,
    [IR_MOV] = emit_mov,
    [IR_MOVZX] = emit_movx,
    [IR_MOVSX] = emit_movx,
    [IR_LEA] = emit_lea,
    [IR_XCHG] = emit_xchg,
    [IR_BSWAP] = emit_bswap,
    [IR_CMOV] = emit_cmov,
    [IR_SETCC] = emit_setcc,
    [IR_CDQ] = emit_cdq,
    [IR_LD] = emit_ld,
    [IR_LDZX] = emit_ldx,
    [IR_LDSX] = emit_ldx,
    [IR_ST] = emit_st,
    [IR_LDRMW] = emit_ldrmw,
    [IR_ADD] = emit_alu,
    [IR_OR] = emit_alu,
    [IR_ADC] = emit_alu,
    [IR_SBB] = emit_alu,
    [IR_AND] = emit_alu,
    [IR_SUB] = emit_alu,
    [IR_XOR] = emit_alu,
    [IR_CMP] = emit_alu,
    [IR_TEST] = emit_alu,
    [IR_INC] = emit_unary,
    [IR_DEC] = emit_unary,
    [IR_NEG] = emit_unary,
    [IR_NOT] = emit_unary,
    [IR_IMUL2] = emit_imul,
    [IR_IMUL3] = emit_imul,
    [IR_MUL] = emit_mul,
    [IR_IMUL] = emit_mul,
    [IR_DIV] = emit_div,
    [IR_IDIV] = emit_div,
    [IR_ROL] = emit_shift,
    [IR_ROR] = emit_shift,
    [IR_RCL] = emit_shift,
    [IR_RCR] = emit_shift,
    [IR_SHL] = emit_shift,
    [IR_SHR] = emit_shift,
    [IR_SAR] = emit_shift,
    [IR_SHLD] = emit_shiftd,
    [IR_SHRD] = emit_shiftd,
    [IR_BT] = emit_bit,
    [IR_BTS] = emit_bit,
    [IR_BTR] = emit_bit,
    [IR_BTC] = emit_bit,
    [IR_BSF] = emit_scan,
    [IR_BSR] = emit_scan,
    [IR_POPCNT] = emit_scan,
    [IR_CRC32] = emit_scan,
    [IR_CMPXCHG] = emit_cmpxchg,
    [IR_XADD] = emit_cmpxchg,
    [IR_CLC] = emit_flagop,
    [IR_STC] = emit_flagop,
    [IR_CMC] = emit_flagop,
    [IR_GETFLAGS] = emit_getflags,
    [IR_SETFLAGS] = emit_setflags,
    [IR_LDSTATE] = emit_ldstate,
    [IR_LDCODE] = emit_ldcode,
    [IR_STSTATE] = emit_ststate,
    [IR_HELPER] = emit_helper,
    [IR_CHKMODE] = emit_chkmode,
    [IR_X87] = emit_x87,
    [IR_VEC] = emit_vec,
    [IR_GOTO] = emit_goto,
    [IR_JCC] = emit_jcc,
    [IR_JZ] = emit_jz,
    [IR_JNZ] = emit_jz,
    [IR_CALL] = emit_guest_call,
    [IR_CALLR] = emit_guest_call,
    [IR_RET] = emit_ret,
    [IR_JMPR] = emit_jmpr,
    [IR_EXIT] = emit_exit,
};

void emit_range(Emit *e, uint32_t first, uint32_t last)
{
    for (e->cur = first; e->cur <= last && !asm_full(&e->a); e->cur++) {
        const IrInsn *in = &e->b->insn[e->cur];
        map_purpose(e, NULL);
        emit_op[in->op](e, in);
        temp_release(e);
    }
}

static void compute_last_use(Emit *e)
{
    memset(e->run_last, 0, sizeof *e->run_last * MAX_RUN);
    memset(e->last_use, 0, sizeof *e->last_use * e->b->n_temps);
    for (uint32_t i = 0; i < e->b->n; i++) {
        if (e->b->insn[i].mem.run) e->run_last[e->b->insn[i].mem.run] = i;
        uint16_t r[12];
        unsigned n = ir_reads(&e->b->insn[i], r);
        for (unsigned k = 0; k < n; k++)
            if (r[k] >= IR_TEMP0) e->last_use[r[k] - IR_TEMP0] = i;
        n = ir_writes(&e->b->insn[i], r);
        for (unsigned k = 0; k < n; k++)
            if (r[k] >= IR_TEMP0) e->last_use[r[k] - IR_TEMP0] = i;
    }
}

/* Work memory, sized for the longest block; one machine thread. */
static struct {
    uint8_t live[1 << 16];
    uint32_t last_use[1 << 14];
    uint32_t run_last[MAX_RUN];
    uint8_t loc[1 << 14];
    Cold cold[MAX_COLD];
    uint8_t bump[1 << 16];
} work;

static void choose_window(Emit *e)
{
    if (e->info->no_window) return;
    if (e->b->mode & MODE_WINDOW)
        e->window = ASM_WINDOW_GS;
    else if (e->info->system_window && thunks.system_window)
        e->window = ASM_WINDOW_PLAIN;
}

static bool emit_block(CodeArena *arena, const IrBlock *b, const EmitInfo *info, BackendCode *out, EmitMap *map,
                       unsigned map_cap, unsigned *map_n)
{
    assert(b->n <= sizeof work.live && b->n_temps <= sizeof work.loc);
    size_t start = (arena->used + 15) & ~(size_t)15;
    if (start + 4096 > arena->size || arena->cold_used + 4096 > arena->cold_end) return false;
    Emit e = { .b = b,
               .info = info,
               .out = out,
               .arena = arena,
               .live = work.live,
               .last_use = work.last_use,
               .run_last = work.run_last,
               .loc = work.loc,
               .cold = work.cold,
               .bump = work.bump,
               .bump_end = work.bump + sizeof work.bump,
               .map = map,
               .map_cap = map_cap,
               .eip = b->eip };
    e.start = e.a.p = arena->rw + start;
    e.a.end = arena->rw + arena->size - ASM_SLACK;
    choose_window(&e);
    fault_forget(e.start + arena->exec_delta);
    memset(work.loc, 0, b->n_temps);
    memset(out, 0, sizeof *out);
    compute_liveness(&e);
    compute_last_use(&e);
    reloc_begin(&e);
    emit_entry(&e);
    emit_range(&e, 0, b->n - 1);
    begin_cold(&e);
    emit_cold(&e);
    reloc_end(&e);
    if (asm_full(&e.a) || e.failed) return false;
    end_cold(&e);
    if (map_n) *map_n = e.map_n;
    return true;
}

static bool init(CPUState *cpu, CodeArena *arena, const char **error)
{
    if (!thunks_setup(cpu, error) || !fault_setup(cpu, error)) return false;
    Asm a = { .p = arena->rw + arena->used, .end = arena->rw + arena->size - ASM_SLACK };
    thunks_emit(&a, cpu);
    arena->used = (size_t)(a.p - arena->rw);
    return !asm_full(&a);
}

static void link_exit(CodeArena *arena, BackendExit *exit, const void *entry)
{
    asm_patch(exit->site, (const uint8_t *)entry - arena->exec_delta);
}

static void unlink_exit(CodeArena *arena, BackendExit *exit)
{
    (void)arena;
    asm_patch(exit->site, exit->stub);
}

static ptrdiff_t delta; /* of the arena in use */

static void run(CPUState *cpu, const void *entry)
{
    void (*enter)(CPUState *, const void *) = (void (*)(CPUState *, const void *))(uintptr_t)(thunks.enter + delta);
    fault_thread(cpu);
    enter(cpu, entry);
}

static void after_jump(CPUState *cpu)
{
    cpu->host_pc = NULL;
    cpu->backend_tmp[TMP_XMM_LOADED] = 0; /* whoever jumped was C code: they are in CPUState */
    if (!cpu->backend_tmp[TMP_MXCSR_LOADED]) return;
    uint32_t host = (uint32_t)cpu->backend_tmp[TMP_MXCSR_HOST];
    __asm__ volatile("stmxcsr %0" : "=m"(cpu->fpu.mxcsr));
    __asm__ volatile("ldmxcsr %0" ::"m"(host));
    cpu->backend_tmp[TMP_MXCSR_LOADED] = 0;
}

static const char *thunk_name(const void *code)
{
    return thunks_name((const uint8_t *)code - delta);
}

static unsigned frame(const void *code, uint8_t program[BACKEND_FRAME_MAX])
{
    return thunks_frame((const uint8_t *)code - delta, program);
}

static bool init_with_delta(CPUState *cpu, CodeArena *arena, const char **error)
{
    delta = arena->exec_delta;
    return init(cpu, arena, error);
}

const Backend backend_x86_64 = {
    .name = "x86_64",
    .registers =
        "eax ecx edx ebx esi edi in their namesakes, esp in r15, ebp in r14; rbp: CPUState; flags: the host's or "
        "CPUState.cc",
    .init = init_with_delta,
    .emit = emit_block,
    .copy = reloc_copy,
    .link = link_exit,
    .unlink = unlink_exit,
    .run = run,
    .after_jump = after_jump,
    .native = true,
    .state_reg = "rbp",
    .shared_name = thunk_name,
    .frame = frame,
    .window = true,
};
