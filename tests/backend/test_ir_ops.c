/* Every register operation of the IR, on every backend there is here, against ir_reference.c: all widths, random and
 * edge operands, registers, high bytes, temporaries (enough to overflow a host's registers) and immediates, with all,
 * none or some of the flags live. */
#include "ir_reference.h"
#include "rig.h"
#include "../tap.h"

#include <string.h>

enum { ROUNDS = 400 };

/* What an operation's operands may be. */
enum { IMM_A = 1, COUNT_A = 2, COUNT_B = 4, NO_HIGH = 8, FULL_DST = 16, IMM_B = 32, SOURCE2 = 64 };
static const struct OpTest {
    uint8_t op, widths; /* widths: sum of 1, 2, 4 */
    uint8_t rules;
} tests[] = {
    { IR_MOV, 7, IMM_A },   { IR_MOVZX, 6, SOURCE2 }, { IR_MOVSX, 6, SOURCE2 },  { IR_XCHG, 7, 0 },
    { IR_BSWAP, 4, 0 },     { IR_CMOV, 6, 0 },        { IR_SETCC, 1, 0 },        { IR_CDQ, 6, 0 },
    { IR_ADD, 7, IMM_A },   { IR_OR, 7, IMM_A },      { IR_ADC, 7, IMM_A },      { IR_SBB, 7, IMM_A },
    { IR_AND, 7, IMM_A },   { IR_SUB, 7, IMM_A },     { IR_XOR, 7, IMM_A },      { IR_CMP, 7, IMM_A },
    { IR_TEST, 7, IMM_A },  { IR_INC, 7, 0 },         { IR_DEC, 7, 0 },          { IR_NEG, 7, 0 },
    { IR_NOT, 7, 0 },       { IR_IMUL2, 6, 0 },       { IR_IMUL3, 6, IMM_B },    { IR_MUL, 7, 0 },
    { IR_IMUL, 7, 0 },      { IR_DIV, 7, 0 },         { IR_IDIV, 7, 0 },         { IR_ROL, 7, COUNT_A },
    { IR_ROR, 7, COUNT_A }, { IR_RCL, 7, COUNT_A },   { IR_RCR, 7, COUNT_A },    { IR_SHL, 7, COUNT_A },
    { IR_SHR, 7, COUNT_A }, { IR_SAR, 7, COUNT_A },   { IR_SHLD, 6, COUNT_B },   { IR_SHRD, 6, COUNT_B },
    { IR_BT, 6, IMM_A },    { IR_BTS, 6, IMM_A },     { IR_BTR, 6, IMM_A },      { IR_BTC, 6, IMM_A },
    { IR_BSF, 6, 0 },       { IR_BSR, 6, 0 },         { IR_POPCNT, 6, 0 },       { IR_CRC32, 7, FULL_DST },
    { IR_CMPXCHG, 7, 0 },   { IR_XADD, 7, 0 },        { IR_CLC, 4, 0 },          { IR_STC, 4, 0 },
    { IR_CMC, 4, 0 },       { IR_GETFLAGS, 4, 0 },    { IR_SETFLAGS, 5, IMM_A },
};

/* The registers as the reference sees them: 8 GPRs, then temporaries. */
typedef struct Model {
    uint32_t reg[IR_TEMP0 + RIG_TEMPS];
    unsigned n_temps;
    unsigned fl;
} Model;

static uint32_t width_mask(unsigned width)
{
    return (uint32_t)((1ull << width * 8) - 1);
}

static IrOpnd random_reg(const Model *m, unsigned width, bool allow_high)
{
    uint32_t v = rig_random();
    unsigned reg = v % 4 == 0 ? v / 4 % 8 : v / 4 % (IR_TEMP0 + m->n_temps);

    if (width == 1 && reg < IR_TEMP0) {
        reg &= 3;
        if (allow_high && v >> 30 & 1) return ir_reg_high(reg);
    }
    return ir_reg(reg);
}

static uint32_t read_opnd(const Model *m, const IrOpnd *o, unsigned width)
{
    if (o->kind == IR_NONE) return 0;
    uint32_t v = o->kind == IR_IMM ? o->imm : m->reg[o->reg];
    return (o->high ? v >> 8 : v) & width_mask(width);
}

static void write_opnd(Model *m, const IrOpnd *o, unsigned width, uint32_t v)
{
    unsigned shift = o->high ? 8 : 0;
    uint32_t mask = width_mask(width) << shift;
    m->reg[o->reg] = (m->reg[o->reg] & ~mask) | (v << shift & mask);
}

static IrOpnd count_operand(IrInsn *in)
{
    uint32_t v = rig_random();
    if (v & 1) return ir_imm(1 + (v >> 1) % 31);
    in->fl_rd |= in->fl_wr; /* the count may be 0 */
    return ir_reg(IR_ECX);
}

static void build(Rig *r, const struct OpTest *t, unsigned width, const Model *m, IrInsn *copy)
{
    const IrOpInfo *info = &ir_op_info[t->op];
    IrInsn *in = ir_emit(&r->b, t->op, width);
    unsigned src = width;

    in->cc = rig_random() & 15;
    if (t->rules & SOURCE2) src = in->width2 = width == 4 && rig_random() & 1 ? 2 : 1;
    if (info->dst) in->dst = random_reg(m, t->rules & FULL_DST ? 4 : width, true);
    if (t->rules & COUNT_A)
        in->a = count_operand(in);
    else if (info->a)
        in->a = t->rules & IMM_A && rig_random() & 1 ? ir_imm(rig_random_value() & width_mask(src))
                                                     : random_reg(m, src, true);
    if (t->rules & COUNT_B) in->b = count_operand(in);
    if (t->rules & IMM_B) in->b = ir_imm(rig_random_value() & width_mask(width));
    /* The other operations may leave the guest's flags alone altogether. */
    if (t->op >= IR_ADD && t->op <= IR_NEG && rig_random() % 8 == 0) in->fl_wr = in->fl_live = 0;
    if (t->op == IR_SETFLAGS) {
        const uint8_t some[4] = { IR_FL_ALL, IR_FL_ALL & ~IR_OF, rig_random() & IR_FL_ALL, rig_random() & IR_FL_ALL };
        in->fl_wr = in->fl_live = some[rig_random() & 3];
        if (width == 1 && rig_random() & 1) in->a = ir_reg_high(IR_EAX);
    }
    *copy = *in;
}

static bool predict(const IrInsn *in, Model *m, IrRef *ref)
{
    const IrOpInfo *info = &ir_op_info[in->op];
    unsigned dst_width = in->op == IR_CRC32 ? 4 : in->width, src = in->width2 ? in->width2 : in->width;
    unsigned fl = m->fl;

    *ref = (IrRef){ .width = in->width, .cc = in->cc, .fl = fl, .eax = m->reg[IR_EAX], .edx = m->reg[IR_EDX] };
    ref->d = read_opnd(m, &in->dst, dst_width);
    ref->a = in->op >= IR_ROL && in->op <= IR_SAR ? read_opnd(m, &in->a, 1) : read_opnd(m, &in->a, src);
    ref->b = in->op == IR_SHLD || in->op == IR_SHRD ? read_opnd(m, &in->b, 1) : read_opnd(m, &in->b, in->width);
    ir_ref_run(in->op, in->width2, ref);
    if (ref->skip) return false;
    if (ref->divide_error) return true;
    if (info->gpr_wr & 1) m->reg[IR_EAX] = ref->eax;
    if (info->gpr_wr & 4) m->reg[IR_EDX] = ref->edx;
    if (info->a & IR_USE_W) write_opnd(m, &in->a, in->width, ref->a);
    if (info->dst & IR_USE_W) {
        /* CMPXCHG that fails leaves its destination, which may be part of EAX. */
        bool failed = in->op == IR_CMPXCHG && !(ref->fl & IR_ZF);
        if (!failed) write_opnd(m, &in->dst, dst_width, ref->d);
    }
    m->fl = (fl & ~(unsigned)in->fl_wr) | (ref->fl & in->fl_wr);
    ref->undefined &= in->fl_wr;
    return true;
}

static void load_state(Rig *r, const Model *m)
{
    memcpy(r->cpu->regs, m->reg, sizeof r->cpu->regs);
    for (unsigned i = 0; i < m->n_temps; i++) *rig_slot(r, i) = m->reg[IR_TEMP0 + i];
    r->cpu->cc = cpu_cc_from_flags(ir_flags_to_eflags(m->fl));
}

static bool same_state(Rig *r, const Model *m, unsigned live)
{
    unsigned fl = ir_flags_from_eflags(cpu_arith_flags(r->cpu->cc));

    for (unsigned i = 0; i < 8; i++)
        if (r->cpu->regs[i] != m->reg[i]) {
            diag("register %u is %08x, should be %08x", i, r->cpu->regs[i], m->reg[i]);
            return false;
        }
    for (unsigned i = 0; i < m->n_temps; i++)
        if (*rig_slot(r, i) != m->reg[IR_TEMP0 + i]) {
            diag("temporary %u is %08x, should be %08x", i, *rig_slot(r, i), m->reg[IR_TEMP0 + i]);
            return false;
        }
    if ((fl ^ m->fl) & live) {
        diag("flags are %02x, should be %02x (of %02x)", fl, m->fl, live);
        return false;
    }
    return true;
}

static bool one_round(Rig *r, const struct OpTest *t, unsigned width)
{
    static const uint8_t some[4] = { IR_FL_ALL, 0, IR_CF, IR_ZF | IR_SF };
    Model before = { .n_temps = rig_random() % 3 ? rig_random() % 4 : 1 + rig_random() % RIG_TEMPS }, m;
    uint32_t v = rig_random();
    unsigned live = v & 4 ? v >> 8 & IR_FL_ALL : some[v & 3];
    IrInsn in;
    IrRef ref;
    char text[200];

    for (unsigned i = 0; i < IR_TEMP0 + before.n_temps; i++) before.reg[i] = rig_random_value();
    before.fl = rig_random() & IR_FL_ALL;
    m = before;
    rig_begin(r);
    r->b.fl_live_out = (uint8_t)live;
    for (unsigned i = 0; i < before.n_temps; i++) rig_load_temp(r, ir_temp(&r->b), i);
    uint32_t at = r->b.n;
    build(r, t, width, &before, &in);
    for (unsigned i = 0; i < before.n_temps; i++) rig_store_reg(r, IR_TEMP0 + i, i);
    rig_end(r, RIG_EIP + 2);
    r->b.insn[at].fl_live = (uint8_t)(in.fl_wr & live);
    if (!predict(&in, &m, &ref)) return true;
    load_state(r, &before);
    if (!rig_emit(r)) return false;
    rig_run(r);
    bool good =
        ref.divide_error
            ? r->raised == EXC_DE && r->cpu->eip == RIG_EIP && !memcmp(r->cpu->regs, before.reg, sizeof r->cpu->regs)
            : r->raised < 0 && r->cpu->eip == RIG_EIP + 2 && same_state(r, &m, live & ~ref.undefined);
    if (!good) {
        ir_print_insn(text, sizeof text, &r->b.insn[at]);
        diag("%s: raised %d eip %x, flags before %02x", text, r->raised, r->cpu->eip, before.fl);
        diag("d %x a %x b %x eax %x edx %x", read_opnd(&before, &in.dst, 4), read_opnd(&before, &in.a, 4),
             read_opnd(&before, &in.b, 4), before.reg[IR_EAX], before.reg[IR_EDX]);
    }
    return good;
}

static void test_backend(const char *name)
{
    Rig r;

    if (!rig_open(&r, name)) {
        ok(true, "%s # SKIP not on this host", name);
        return;
    }
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
        for (unsigned width = 1; width <= 4; width *= 2) {
            unsigned bad = 0;
            if (!(tests[i].widths & width)) continue;
            for (unsigned n = 0; n < ROUNDS && bad < 3; n++) bad += !one_round(&r, &tests[i], width);
            ok(!bad, "%s: %s.%u", name, ir_op_info[tests[i].op].text, width);
        }
    }
    rig_close(&r);
}

int main(void)
{
    cpu_register_helpers();
    test_backend("interp");
    test_backend("x86_64");
    return tap_done();
}
