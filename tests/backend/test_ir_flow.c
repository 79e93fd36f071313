/* Ways out of a block on every backend: conditions fed by each kind of arithmetic, direct exits linked and not,
 * indirect ones, polling, mode and page checks; and callouts of every shape. */
#include "ir_reference.h"
#include "rig.h"
#include "../tap.h"

#include <string.h>

enum { TAKEN = 0x2000, NOT_TAKEN = 0x3000 };

/* --- conditions --- */
static const uint8_t sources[] = { IR_CMP, IR_SUB, IR_TEST, IR_AND, IR_OR, IR_XOR,
                                   IR_ADD, IR_INC, IR_DEC,  IR_NEG, IR_ADC };

static bool condition_round(Rig *r, unsigned user)
{
    unsigned op = sources[rig_random() % sizeof sources], width = 1u << rig_random() % 3, cc = rig_random() & 15;
    unsigned before = rig_random() & IR_FL_ALL;
    uint32_t mask = (uint32_t)((1ull << 8 * width) - 1), d = rig_random_value(), a = rig_random_value();
    IrRef ref = { .width = width, .d = d & mask, .a = a & mask, .fl = before };

    if (rig_random() % 4 == 0) a = d, ref.a = ref.d;
    ir_ref_run(op, 0, &ref);
    r->cpu->regs[IR_EBX] = d;
    r->cpu->regs[IR_ECX] = a;
    r->cpu->regs[IR_EDX] = 5;
    r->cpu->regs[IR_EAX] = 9;
    r->cpu->cc = cpu_cc_from_flags(ir_flags_to_eflags(before));
    rig_begin(r);
    IrInsn *in = ir_emit(&r->b, op, width);
    in->dst = ir_reg(IR_EBX);
    if (ir_op_info[op].a) in->a = ir_reg(IR_ECX);
    in->fl_live = in->fl_wr & ir_cc_flags(cc);
    in = ir_emit(&r->b, user, user == IR_JCC ? 0 : user == IR_SETCC ? 1 : 4);
    in->cc = (uint8_t)cc;
    in->dst = ir_reg(IR_EAX);
    in->a = ir_reg(IR_EDX);
    in->target[0] = TAKEN;
    in->target[1] = NOT_TAKEN;
    if (user != IR_JCC) rig_end(r, RIG_EIP + 2);
    if (!rig_emit(r)) return false;
    rig_run(r);
    bool want = ir_ref_condition(cc, ref.fl);
    bool got = user == IR_JCC ? r->cpu->eip == TAKEN : r->cpu->regs[IR_EAX] == (user == IR_SETCC ? 1 : 5);
    if (user == IR_JCC && r->cpu->exit_slot != &r->code.exit[!got]) return false;
    if (want == got) return true;
    diag("%s.%u %x %x cc %u: %d", ir_op_info[op].text, width, d, a, cc, got);
    return false;
}

static void test_conditions(Rig *r)
{
    static const uint8_t users[] = { IR_JCC, IR_SETCC, IR_CMOV };

    for (unsigned u = 0; u < sizeof users; u++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < 4000 && bad < 3; i++) bad += !condition_round(r, users[u]);
        ok(!bad, "%s: conditions of %s", r->backend->name, ir_op_info[users[u]].text);
    }
}

static void test_jz(Rig *r)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < 300; i++) {
        unsigned width = 2u << rig_random() % 2, op = rig_random() & 1 ? IR_JZ : IR_JNZ;
        uint32_t v = rig_random() & 1 ? 0xffff0000 & rig_random() : rig_random_value();
        bool zero = width == 4 ? !v : !(v & 0xffff);
        r->cpu->regs[IR_ECX] = v;
        rig_begin(r);
        IrInsn *in = ir_emit(&r->b, op, width);
        in->a = ir_reg(IR_ECX);
        in->target[0] = TAKEN;
        in->target[1] = NOT_TAKEN;
        if (!rig_emit(r)) break;
        rig_run(r);
        bad += r->cpu->eip != (zero == (op == IR_JZ) ? TAKEN : NOT_TAKEN);
    }
    ok(!bad, "%s: jz, jnz", r->backend->name);
}

/* --- exits --- */
/* Two blocks: one that counts and goes to itself, made to stop by exit_request or by unlinking. */
static void emit_counter(Rig *r, uint32_t target)
{
    rig_begin(r);
    IrInsn *in = ir_emit(&r->b, IR_SUB, 4);
    in->dst = ir_reg(IR_ECX);
    in->a = ir_imm(1);
    in->fl_live = IR_ZF;
    in = ir_emit(&r->b, IR_JCC, 0);
    in->cc = 5;
    in->target[0] = target;
    in->target[1] = NOT_TAKEN;
}

static void test_exits(Rig *r)
{
    const char *name = r->backend->name;

    emit_counter(r, RIG_EIP);
    ok(rig_emit(r), "%s: emits", name);
    r->cpu->regs[IR_ECX] = 1000;
    rig_run(r);
    ok(r->cpu->regs[IR_ECX] == 999 && r->cpu->eip == RIG_EIP && r->cpu->exit_slot == &r->code.exit[0],
       "%s: an unlinked exit names itself", name);
    r->backend->link(&r->arena, &r->code.exit[0], r->code.entry);
    rig_run(r);
    ok(r->cpu->regs[IR_ECX] == 0 && r->cpu->eip == NOT_TAKEN && r->cpu->exit_slot == &r->code.exit[1],
       "%s: a linked one is followed", name);
    r->cpu->regs[IR_ECX] = 1000;
    r->cpu->exit_request = 1;
    rig_run(r);
    ok(r->cpu->regs[IR_ECX] == 999 && r->cpu->eip == RIG_EIP, "%s: exit_request stops a loop", name);
    r->cpu->exit_request = 0;
    r->backend->unlink(&r->arena, &r->code.exit[0]);
    rig_run(r);
    ok(r->cpu->regs[IR_ECX] == 998 && r->cpu->exit_slot == &r->code.exit[0], "%s: unlinking", name);

    r->cpu->mode |= MODE_TF;
    emit_counter(r, RIG_EIP);
    ok(rig_emit(r), "%s: emits in a single-step mode", name);
    rig_run(r);
    ok(r->cpu->regs[IR_ECX] == 997 && r->cpu->eip == RIG_EIP && !r->cpu->exit_slot, "%s: where exits stay unchained",
       name);
    r->cpu->mode = rig_mode;
}

/* What is seldom run lies apart, and has an end of its own. */
static void test_out_of_line(Rig *r)
{
    const char *name = r->backend->name;
    CodeArena start = r->arena_start;
    emit_counter(r, RIG_EIP);
    ok(rig_emit(r) && code_size(&r->code) == r->code.size + r->code.cold_size, "%s: emits", name);
    bool apart = r->backend->native;
    const uint8_t *run = r->arena.rw + r->arena.exec_delta;
    ok(!apart || ((const uint8_t *)r->code.entry_checked + r->code.size <= run + r->arena.size &&
                  (const uint8_t *)r->code.cold >= run + r->arena.size && r->code.cold_size),
       "%s: code out of line is not among the other", name);
    bool found = true;
    for (uint32_t i = 0; i < code_size(&r->code); i++) found &= code_offset(&r->code, code_at(&r->code, i)) == i;
    ok(found, "%s: each byte has its offset", name);
    r->arena_start.cold_end = r->arena_start.cold_used + 4096 + 16;
    ok(rig_emit(r), "%s: just room enough out of line", name);
    r->arena_start.cold_end -= 32;
    ok(rig_emit(r) != apart && (!apart || !memcmp(&r->arena, &r->arena_start, sizeof r->arena)),
       "%s: not enough: nothing is used", name);
    r->arena_start = start;
}

static void test_indirect(Rig *r)
{
    static const uint8_t ops[] = { IR_JMPR, IR_RET, IR_CALLR };
    struct JumpCacheEntry *e = &r->cpu->jump_cache[cpu_jump_hash(TAKEN)];
    BackendCode landing;

    rig_begin(r);
    IrInsn *in = ir_emit(&r->b, IR_ADD, 4);
    in->dst = ir_reg(IR_EAX);
    in->a = ir_imm(1);
    in->fl_live = 0;
    rig_end(r, NOT_TAKEN);
    ok(rig_emit(r), "%s: emits a landing place", r->backend->name);
    landing = r->code;
    CodeArena start = r->arena_start;
    r->arena_start = r->arena;
    for (unsigned i = 0; i < sizeof ops; i++) {
        rig_begin(r);
        in = ir_emit(&r->b, ops[i], 4);
        in->a = ir_reg(IR_EDX);
        in->target[1] = RIG_EIP + 2;
        rig_emit(r);
        r->cpu->regs[IR_EAX] = 0;
        r->cpu->regs[IR_EDX] = TAKEN;
        *e = (struct JumpCacheEntry){ TAKEN, r->cpu->mode_id + 1, landing.entry };
        rig_run(r);
        ok(r->cpu->eip == TAKEN && !r->cpu->exit_slot && !r->cpu->regs[IR_EAX], "%s: %s, not in the jump cache",
           r->backend->name, ir_op_info[ops[i]].text);
        e->mode_id = r->cpu->mode_id;
        rig_run(r);
        ok(r->cpu->eip == NOT_TAKEN && r->cpu->regs[IR_EAX] == 1, "%s: %s, in the jump cache", r->backend->name,
           ir_op_info[ops[i]].text);
    }
    memset(e, 0, sizeof *e);
    r->arena_start = start;
}

static void test_checks(Rig *r)
{
    const char *name = r->backend->name;
    uint32_t *itlb = &r->cpu->mmu.itlb[1][mmu_itlb_index(RIG_EIP)];

    rig_begin(r);
    r->info.n_pages = 1;
    r->info.page_lin[0] = RIG_EIP;
    r->info.itlb_word[0] = mmu_itlb_word(RIG_EIP, 0x5000);
    IrInsn *in = ir_emit(&r->b, IR_GOTO, 0);
    in->target[0] = TAKEN;
    rig_emit(r);
    *itlb = r->info.itlb_word[0];
    r->backend->run(r->cpu, r->code.entry_checked);
    ok(r->cpu->eip == TAKEN, "%s: the page is as it was", name);
    *itlb = MMU_ITLB_EMPTY;
    r->backend->run(r->cpu, r->code.entry_checked);
    ok(r->cpu->eip == RIG_EIP && !r->cpu->exit_slot, "%s: the page has changed", name);
    r->backend->run(r->cpu, r->code.entry);
    ok(r->cpu->eip == TAKEN, "%s: entered from the same page", name);

    rig_begin(r);
    in = ir_emit(&r->b, IR_CHKMODE, 0);
    in->target[0] = NOT_TAKEN;
    in = ir_emit(&r->b, IR_GOTO, 0);
    in->target[0] = TAKEN;
    rig_emit(r);
    rig_run(r);
    ok(r->cpu->eip == TAKEN, "%s: chkmode goes on", name);
    r->cpu->mode ^= MODE_SMM;
    rig_run(r);
    ok(r->cpu->eip == NOT_TAKEN && !r->cpu->exit_slot, "%s: chkmode leaves when the mode has changed", name);
    r->cpu->mode ^= MODE_SMM;
}

/* --- callouts --- */
static uint32_t seen[6];
static uint32_t note(CPUState *cpu, unsigned n, const uint32_t *args)
{
    seen[0] = n;
    for (unsigned i = 0; i < n; i++) seen[1 + i] = args[i];
    seen[5] = cpu->regs[IR_ESI] ^ cpu->eip ^ cpu_arith_flags(cpu->cc);
    cpu->regs[IR_EDI] += 3;
    cpu->cc = cpu_cc_from_flags(FL_ZF);
    return 0xabcd0000 + n;
}
#define NOTE(N, ...) return note(cpu, N, (const uint32_t[]){ __VA_ARGS__ })
static uint32_t ret0(CPUState *cpu)
{
    NOTE(0, 0);
}
static uint32_t ret1(CPUState *cpu, uint32_t a)
{
    NOTE(1, a);
}
static uint32_t ret2(CPUState *cpu, uint32_t a, uint32_t b)
{
    NOTE(2, a, b);
}
static uint32_t ret3(CPUState *cpu, uint32_t a, uint32_t b, uint32_t c)
{
    NOTE(3, a, b, c);
}
static uint32_t ret4(CPUState *cpu, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    NOTE(4, a, b, c, d);
}
static void void0(CPUState *cpu)
{
    ret0(cpu);
}
static void void1(CPUState *cpu, uint32_t a)
{
    ret1(cpu, a);
}
static void void2(CPUState *cpu, uint32_t a, uint32_t b)
{
    ret2(cpu, a, b);
}
static void void3(CPUState *cpu, uint32_t a, uint32_t b, uint32_t c)
{
    ret3(cpu, a, b, c);
}
static void void4(CPUState *cpu, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    ret4(cpu, a, b, c, d);
}
static void fails(CPUState *cpu)
{
    cpu_raise_err(cpu, EXC_GP, 0x18);
}

#define INFO(FN, N, RET)                                                                                               \
    {                                                                                                                  \
#FN, (void *)(FN), N, RET, 0xff, 0x80, IR_FL_ALL, IR_FL_ALL, IR_RAISES, 0                                      \
    }
static const IrHelperInfo helpers[] = {
    INFO(void0, 0, 0), INFO(void1, 1, 0), INFO(void2, 2, 0), INFO(void3, 3, 0), INFO(void4, 4, 0), INFO(ret0, 0, 1),
    INFO(ret1, 1, 1),  INFO(ret2, 2, 1),  INFO(ret3, 3, 1),  INFO(ret4, 4, 1),  INFO(fails, 0, 0),
};

static bool helper_round(Rig *r, unsigned h)
{
    const IrHelperInfo *info = &helpers[h];
    unsigned live_temps = rig_random() % RIG_TEMPS;
    uint32_t value[4] = { 0x11, rig_random(), 0, rig_random() }, temps[RIG_TEMPS];

    rig_begin(r);
    for (unsigned i = 0; i < live_temps; i++) {
        temps[i] = *rig_slot(r, i) = rig_random();
        rig_load_temp(r, ir_temp(&r->b), i);
    }
    if (live_temps) value[2] = temps[live_temps - 1];
    for (unsigned i = 0; i < 8; i++) r->cpu->regs[i] = rig_random();
    value[0] = r->cpu->regs[IR_EBX];
    r->cpu->regs[IR_ECX] = value[3];
    r->cpu->cc = cpu_cc_from_flags(FL_CF | FL_OF);
    IrInsn *in = ir_emit(&r->b, IR_HELPER, 4);
    in->helper = (uint16_t)h;
    in->fl_rd = in->fl_wr = in->fl_live = IR_FL_ALL;
    if (info->nargs > 0) in->a = ir_reg(IR_EBX);
    if (info->nargs > 1) in->b = ir_imm(value[1]);
    if (info->nargs > 2) in->c = live_temps ? ir_reg(IR_TEMP0 + live_temps - 1) : ir_imm(0);
    if (info->nargs > 3) in->d = ir_reg(IR_ECX);
    if (info->has_ret) in->dst = ir_reg(IR_EDX);
    for (unsigned i = 0; i < live_temps; i++) rig_store_reg(r, IR_TEMP0 + i, i);
    rig_end(r, RIG_EIP + 2);
    uint32_t edx = r->cpu->regs[IR_EDX], edi = r->cpu->regs[IR_EDI];
    memset(seen, 0xff, sizeof seen);
    if (!rig_emit(r)) return false;
    rig_run(r);
    bool good = r->raised < 0 && r->cpu->eip == RIG_EIP + 2 && seen[0] == info->nargs &&
                !memcmp(seen + 1, value, 4 * info->nargs) && r->cpu->regs[IR_EDI] == edi + 3 &&
                cpu_arith_flags(r->cpu->cc) == FL_ZF && seen[5] == (r->cpu->regs[IR_ESI] ^ RIG_EIP ^ (FL_CF | FL_OF));
    good = good && r->cpu->regs[IR_EDX] == (info->has_ret ? 0xabcd0000 + info->nargs : edx);
    for (unsigned i = 0; i < live_temps; i++) good = good && *rig_slot(r, i) == temps[i];
    return good;
}

static void test_helpers(Rig *r)
{
    ir_set_helper_info(helpers, sizeof helpers / sizeof *helpers);
    for (unsigned h = 0; h < 10; h++) {
        unsigned bad = 0;
        for (unsigned i = 0; i < 50; i++) bad += !helper_round(r, h);
        ok(!bad, "%s: helper with %u arguments%s", r->backend->name, helpers[h].nargs,
           helpers[h].has_ret ? ", result" : "");
    }
    rig_begin(r);
    IrInsn *in = ir_emit(&r->b, IR_HELPER, 4);
    in->helper = 10;
    in->fl_rd = IR_FL_ALL;
    rig_end(r, RIG_EIP + 2);
    rig_emit(r);
    uint32_t regs[8];
    memcpy(regs, r->cpu->regs, sizeof regs);
    r->cpu->cc = cpu_cc_from_flags(FL_CF | FL_PF);
    rig_run(r);
    ok(r->raised == EXC_GP && r->cpu->eip == RIG_EIP && !memcmp(regs, r->cpu->regs, sizeof regs) &&
           cpu_arith_flags(r->cpu->cc) == (FL_CF | FL_PF),
       "%s: a helper that raises", r->backend->name);
    cpu_register_helpers();
}

static void test_backend(const char *name)
{
    Rig r;

    if (!rig_open(&r, name)) {
        ok(true, "%s # SKIP not on this host", name);
        return;
    }
    test_conditions(&r);
    test_jz(&r);
    test_exits(&r);
    test_out_of_line(&r);
    test_indirect(&r);
    test_checks(&r);
    test_helpers(&r);
    rig_close(&r);
}

int main(void)
{
    cpu_register_helpers();
    test_backend("interp");
    test_backend("x86_64");
    return tap_done();
}
