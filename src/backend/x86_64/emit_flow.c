/* Block entry and block ends: page checks, chainable exits, interrupt polls, calls and returns.
 *
 * A block can be entered at two places.  entry is for jumps within one guest page; entry_checked first compares
 * the fetch TLB's word for the block's page with the word of the translation, one CMP with an immediate: so
 * chains, jump-cache entries and return addresses survive CR3 and INVLPG, and a stale one falls out here.
 * CPUState.exit_request is polled on backward jumps, calls and indirect jumps: every guest loop has one. */
#include "backend/x86_64/emit.h"

static bool unchained(const Emit *e)
{
    return e->info->no_chain || (e->b->mode & MODE_SINGLE);
}

static const char *slot(const Emit *e)
{
    return unchained(e) ? "exit" : "chain slot";
}

static void leave(Emit *e, uint32_t eip)
{
    if (!e->purpose) map_purpose(e, "leave");
    store_eip(e, eip);
    emit_jmp_to(e, thunks.exit_null);
}

/* --- entry ---------------------------------------------------------------------------------------- */

static void cold_stale(Emit *e, Cold *c)
{
    (void)c;
    map_purpose(e, "cannot enter");
    leave(e, e->b->eip);
}

static void page_check(Emit *e, unsigned i, Cold *c)
{
    unsigned table = (e->b->mode & MODE_CPL) == 3 ? 0 : 1;
    size_t off =
        offsetof(CPUState, mmu.itlb) + 4 * (table * (size_t)MMU_ITLB_SIZE + mmu_itlb_index(e->info->page_lin[i]));
    const uint8_t *insn = e->a.p;
    asm_alu_mem_imm(&e->a, 4, 7, state_at(off), e->info->itlb_word[i]);
    if (e->a.p - insn == 10)
        reloc_note(e, RELOC_PAGE, e->a.p - 8);
    else
        e->movable = false; /* a short immediate */
    cold_site(c, asm_jcc(&e->a, CC_NE));
}

static void cold_uncount(Emit *e, Cold *c)
{
    map_purpose(e, "count back");
    asm_alu_mem_imm(&e->a, 4, 0, STATE(insns_left), e->b->n_guest);
    cold_stale(e, c);
}

/* Here exit_request is polled, too: an interrupt is taken before the next block wherever the last one ended. */
static void count(Emit *e)
{
    map_purpose(e, "count");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    cold_site(cold_new(e, cold_stale), asm_jcc(&e->a, CC_NE));
    asm_alu_mem_imm(&e->a, 4, 5, STATE(insns_left), e->b->n_guest);
    cold_site(cold_new(e, cold_uncount), asm_jcc(&e->a, CC_S));
}

void emit_entry(Emit *e)
{
    const uint8_t *checked = e->a.p;
    e->cur = EMIT_MAP_ENTRY;
    map_purpose(e, "page check");
    Cold *c = e->info->n_pages ? cold_new(e, cold_stale) : NULL;
    if (c) page_check(e, 0, c);
    const uint8_t *entry = e->a.p;
    if (c && e->info->n_pages == 2) page_check(e, 1, c);
    e->out->entry_checked = checked + e->arena->exec_delta;
    e->out->entry = entry + e->arena->exec_delta;
    e->uses_x87 = emit_scan_x87(e->b);
    e->uses_xmm = emit_scan_xmm(e->b);
    if (e->uses_x87) emit_x87_check(e);
    if (e->uses_xmm) emit_xmm_check(e);
    e->out->entry_again = e->a.p + e->arena->exec_delta;
    if (e->info->count) count(e);
}

/* --- exits ------------------------------------------------------------------------------------------ */

static void cold_exit(Emit *e, Cold *c)
{
    BackendExit *x = &e->out->exit[c->reg];
    map_purpose(e, unchained(e) ? "exit" : "chain slot, unlinked");
    x->stub = e->a.p;
    if (x->site) asm_patch(x->site, x->stub);
    if (unchained(e)) {
        leave(e, x->eip);
        return;
    }
    store_eip(e, x->eip);
    asm_mov_imm64(&e->a, R8, (uintptr_t)x);
    if ((uintptr_t)x > UINT32_MAX)
        reloc_note(e, RELOC_OWNER, e->a.p - 8);
    else
        e->movable = false;
    emit_jmp_to(e, thunks.exit_slot);
}

/* Registers direct exit n, whose jump is at site. */
static void direct_exit(Emit *e, unsigned n, uint32_t target, uint8_t *site)
{
    BackendExit *x = &e->out->exit[n];
    *x = (BackendExit){ .owner = e->info->owner, .eip = target, .used = !unchained(e), .site = site };
    Cold *c = cold_new(e, cold_exit);
    c->reg = (uint8_t)n;
}

static void cold_poll(Emit *e, Cold *c)
{
    map_purpose(e, "interrupt exit");
    leave(e, c->value);
}

static void poll_exit(Emit *e, uint32_t target)
{
    if (unchained(e) || e->info->count) return;
    map_purpose(e, "interrupt poll");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    Cold *c = cold_new(e, cold_poll);
    c->value = target;
    cold_site(c, asm_jcc(&e->a, CC_NE));
}

static bool is_backward(const Emit *e, uint32_t target)
{
    return target <= e->eip;
}

/* At a block's end: what is live goes where the next block expects it. */
static void finish(Emit *e)
{
    if (e->live[e->cur]) flags_save(e);
}

/* A backward jump is taken on condition that nobody asks for attention. */
static void jump_out(Emit *e, unsigned n, uint32_t target)
{
    if (!is_backward(e, target) || unchained(e)) {
        map_purpose(e, slot(e));
        direct_exit(e, n, target, asm_jmp(&e->a));
        return;
    }
    map_purpose(e, "interrupt poll");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    map_purpose(e, slot(e));
    direct_exit(e, n, target, asm_jcc(&e->a, CC_E));
    map_purpose(e, "interrupt exit");
    leave(e, target);
}

void emit_goto(Emit *e, const IrInsn *in)
{
    finish(e);
    jump_out(e, 0, in->target[0]);
}

/* Flags that somebody needs on the way to target[n] and that are not in CPUState.cc yet. */
static bool saves_on(const Emit *e, unsigned n)
{
    unsigned live = e->b->fl_live_out & ~(unsigned)e->b->fl_dead_on[n];
    switch (e->alloc.flags) {
    case FLAGS_HOST: return live;
    case FLAGS_SPLIT: return live & ~(unsigned)IR_CF;
    default: return false;
    }
}

static void cold_edge(Emit *e, Cold *c)
{
    flags_save(e);
    jump_out(e, c->reg, c->value);
}

/* Exit n is taken on cc, with its flags saved on the way when only it needs them. */
static void edge_on(Emit *e, unsigned n, uint32_t target, unsigned cc)
{
    map_purpose(e, slot(e));
    if (!saves_on(e, n)) {
        direct_exit(e, n, target, asm_jcc(&e->a, cc));
        return;
    }
    Cold *c = cold_new(e, cold_edge);
    c->reg = (uint8_t)n;
    c->value = target;
    cold_site(c, asm_jcc(&e->a, cc));
}

static void last_edge(Emit *e, unsigned n, uint32_t target)
{
    uint8_t was = e->alloc.flags;
    if (saves_on(e, n)) flags_save(e);
    jump_out(e, n, target);
    e->alloc.flags = was;
}

/* A conditional jump out: straight when forward.  A loop's jump back is the last thing, with the way out of the loop a jump not
 * taken before it. */
static void branch_out(Emit *e, const IrInsn *in, unsigned cc)
{
    bool loop = is_backward(e, in->target[0]) && !is_backward(e, in->target[1]);
    unsigned first = loop ? 1 : 0;
    if (first == 0 && is_backward(e, in->target[0]) && !unchained(e)) {
        uint8_t *not_taken = asm_jcc(&e->a, cc ^ 1);
        last_edge(e, 0, in->target[0]);
        asm_patch(not_taken, e->a.p);
    } else {
        edge_on(e, first, in->target[first], cc ^ first);
    }
    last_edge(e, first ^ 1, in->target[first ^ 1]);
}

void emit_jcc(Emit *e, const IrInsn *in)
{
    if (e->alloc.flags != FLAGS_SPLIT) flags_need(e, in);
    if (e->alloc.flags == FLAGS_HOST && saves_on(e, 0) && saves_on(e, 1)) finish(e);
    branch_out(e, in, in->cc);
}

void emit_jz(Emit *e, const IrInsn *in)
{
    unsigned r = reg_read(e, &in->a, in->width);
    finish(e);
    asm_rr(&e->a, asm_width(in->width), in->width == 1 ? 0x84 : 0x85, r, r);
    branch_out(e, in, in->op == IR_JZ ? CC_E : CC_NE);
}

void emit_exit(Emit *e, const IrInsn *in)
{
    (void)in;
    finish(e);
    map_purpose(e, "leave");
    emit_jmp_to(e, thunks.exit_null);
}

static void cold_chkmode(Emit *e, Cold *c)
{
    map_purpose(e, "mode changed");
    leave(e, c->value);
}

void emit_chkmode(Emit *e, const IrInsn *in)
{
    flags_clobber(e);
    Cold *c = cold_new(e, cold_chkmode);
    c->value = in->target[0];
    map_purpose(e, "mode check");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(mode), e->b->mode);
    cold_site(c, asm_jcc(&e->a, CC_NE));
    map_purpose(e, "interrupt poll");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    cold_site(c, asm_jcc(&e->a, CC_NE));
}

/* --- indirect jumps ------------------------------------------------------------------------------------ */

static void cold_indirect(Emit *e, Cold *c)
{
    (void)c;
    map_purpose(e, "indirect exit");
    asm_store(&e->a, STATE(eip), R8);
    emit_jmp_to(e, thunks.exit_null);
}

void emit_jump_slot(Asm *a, unsigned slot, unsigned target)
{
    asm_mov(a, slot, target);
    asm_rr(a, DIGIT, 0xc1, 5, slot), asm8(a, JUMP_CACHE_BITS);
    asm_rr(a, W32, 0x33, slot, target);
    asm_alu_imm(a, 4, 4, slot, JUMP_CACHE_SIZE - 1);
    asm_rr(a, DIGIT, 0xc1, 4, slot), asm8(a, 4);
}

static void cold_tell(Emit *e, Cold *c)
{
    map_purpose(e, "lookup told");
    AsmMem left = asm_mem(R9, offsetof(BackendLookup, left));
    asm_alu_mem_imm(&e->a, 4, 7, left, 0);
    emit_patch(e, asm_jcc(&e->a, CC_LE), c->back);
    asm_alu_mem_imm(&e->a, 4, 5, left, 1);
    emit_call(e, thunks.lookup_seen);
    emit_jmp_to(e, c->back);
}

/* EmitInfo.lookup: r8d = target, which is kept. */
static void tell_target(Emit *e)
{
    const BackendLookup *mine = e->info->lookup;
    if (!mine) return;
    map_purpose(e, "lookup told");
    asm_mov_imm64(&e->a, R9, (uintptr_t)mine);
    if ((uintptr_t)mine > UINT32_MAX)
        reloc_note(e, RELOC_OWNER, e->a.p - 8);
    else
        e->movable = false;
    asm_rm(&e->a, W32, 0x3b, R8, asm_mem(R9, offsetof(BackendLookup, last)));
    Cold *c = cold_new(e, cold_tell);
    cold_site(c, asm_jcc(&e->a, CC_NE));
    c->back = e->a.p;
}

/* r8d = target: checks the jump cache; returns the operand that holds the code address. */
static AsmMem lookup_inline(Emit *e, Cold *c)
{
    Asm *a = &e->a;
    map_purpose(e, "jump cache lookup");
    emit_jump_slot(a, R9, R8);
    asm_rm(a, W32, 0x3b, R8, JUMP_CACHE(R9, eip));
    cold_site(c, asm_jcc(a, CC_NE));
    asm_alu_mem_imm(a, 4, 7, JUMP_CACHE(R9, mode_id), e->info->mode_id);
    cold_site(c, asm_jcc(a, CC_NE));
    return JUMP_CACHE(R9, code);
}

/* Unchained: store the target and go. */
static bool leave_indirect(Emit *e)
{
    if (!unchained(e)) return false;
    map_purpose(e, "leave");
    asm_store(&e->a, STATE(eip), R8);
    emit_jmp_to(e, thunks.exit_null);
    return true;
}

static Cold *poll_indirect(Emit *e)
{
    Cold *c = cold_new(e, cold_indirect);
    map_purpose(e, "interrupt poll");
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    cold_site(c, asm_jcc(&e->a, CC_NE));
    return c;
}

void emit_jmpr(Emit *e, const IrInsn *in)
{
    finish(e);
    reg_to_r8(e, &in->a);
    if (leave_indirect(e)) return;
    tell_target(e);
    AsmMem code = lookup_inline(e, poll_indirect(e));
    map_purpose(e, NULL);
    asm_rm(&e->a, DIGIT, 0xff, 4, code);
}

/* --- call and return --------------------------------------------------------------------------------------- */

static void cold_ras_full(Emit *e, Cold *c)
{
    map_purpose(e, "return stack full");
    asm_rm(&e->a, W64, 0x8b, RSP, STATE_TMP(TMP_RAS_BASE));
    emit_jmp_to(e, c->back);
}

static void ras_push(Emit *e, uint32_t ret_eip)
{
    Cold *c = cold_new(e, cold_ras_full);
    map_purpose(e, "return stack push");
    asm_rm(&e->a, W64, 0x3b, RSP, STATE_TMP(TMP_RAS_LIMIT));
    cold_site(c, asm_jcc(&e->a, CC_B));
    c->back = e->a.p;
    asm8(&e->a, 0x68), asm32(&e->a, ret_eip); /* push imm32, sign-extended: RET compares the same way */
    reloc_note(e, RELOC_EIP, e->a.p - 4);
}

void emit_guest_call(Emit *e, const IrInsn *in)
{
    bool direct = in->op == IR_CALL;
    finish(e);
    if (unchained(e)) {
        if (direct) {
            leave(e, in->target[0]);
        } else {
            reg_to_r8(e, &in->a);
            leave_indirect(e);
        }
        return;
    }
    if (direct) {
        poll_exit(e, in->target[0]);
        ras_push(e, in->target[1]);
        map_purpose(e, slot(e));
        direct_exit(e, 0, in->target[0], asm_call(&e->a));
    } else {
        reg_to_r8(e, &in->a);
        tell_target(e);
        AsmMem code = lookup_inline(e, poll_indirect(e));
        ras_push(e, in->target[1]);
        map_purpose(e, NULL);
        asm_rm(&e->a, DIGIT, 0xff, 2, code);
    }
    map_purpose(e, "return stack pop");
    asm_rm(&e->a, W64, 0x8d, RSP, asm_mem(RSP, 8));
    map_purpose(e, slot(e));
    direct_exit(e, 1, in->target[1], asm_jmp(&e->a));
}

static void cold_ret(Emit *e, Cold *c)
{
    map_purpose(e, "return mispredicted");
    asm_rm(&e->a, W64, 0x8b, RSP, STATE_TMP(TMP_RAS_BASE));
    asm_mov(&e->a, R9, R8);
    asm_rr(&e->a, W32, 0x8b, R8, R9);
    asm_alu_mem_imm(&e->a, 4, 7, STATE(exit_request), 0);
    uint8_t *out = asm_jcc(&e->a, CC_NE);
    asm_mov_imm(&e->a, R9, e->info->mode_id);
    emit_jmp_to(e, thunks.lookup);
    asm_patch(out, e->a.p);
    cold_indirect(e, c);
}

void emit_ret(Emit *e, const IrInsn *in)
{
    if (unchained(e)) {
        finish(e);
        reg_to_r8(e, &in->a);
        leave_indirect(e);
        return;
    }
    finish(e);
    if (in->a.kind == IR_IMM || e->info->lookup) {
        reg_to_r8(e, &in->a);
        tell_target(e);
        asm_rr(&e->a, W64, 0x63, R8, R8); /* movsxd */
    } else {
        asm_rr(&e->a, W64, 0x63, R8, reg_read(e, &in->a, 4));
    }
    map_purpose(e, "return stack check");
    asm_rm(&e->a, W64, 0x3b, R8, asm_mem(RSP, 8));
    Cold *c = cold_new(e, cold_ret);
    cold_site(c, asm_jcc(&e->a, CC_NE));
    map_purpose(e, NULL);
    asm8(&e->a, 0xc3);
}
