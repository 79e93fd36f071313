/* Random blocks, run as they are and after the passes: registers, memory, the flags that are live at the end, and
 * the place and state of a fault, must come out the same. */
#include "rig.h"
#include "tcg/silicon.h"
#include "../tap.h"

#include <string.h>

enum { AREA = 0x4000, AREA_SIZE = 0x1000, T0 = IR_TEMP0, TEMPS = 6, LENGTH = 24 };

static const uint8_t alu[] = { IR_ADD, IR_OR,   IR_ADC, IR_SBB, IR_AND,  IR_SUB,     IR_XOR,
                               IR_CMP, IR_TEST, IR_INC, IR_DEC, IR_NEG,  IR_NOT,     IR_SHL,
                               IR_SHR, IR_SAR,  IR_ROL, IR_ROR, IR_XADD, IR_CMPXCHG, IR_BT };

static IrOpnd any_reg(unsigned width)
{
    uint32_t v = rig_random();
    if (v & 1) return ir_reg(T0 + (v >> 1) % TEMPS);
    if (width == 1) return v & 2 ? ir_reg_high(v >> 2 & 3) : ir_reg(v >> 2 & 3);
    return ir_reg(v >> 2 & 7);
}

static IrMem any_address(void)
{
    uint32_t v = rig_random();
    IrMem m = { .seg = IR_SEG_DS, .flat = 1, .asize = 4, .base = IR_NOREG, .index = IR_NOREG, .disp = v >> 20 };
    if (v & 1) m.base = any_reg(4).reg;
    if (v & 2) m.index = any_reg(4).reg;
    if (m.index == IR_ESP) m.index = IR_NOREG;
    if (m.index != IR_NOREG) m.shift = v >> 2 & 3;
    return m;
}

static void emit_alu(IrBlock *b)
{
    unsigned op = alu[rig_random() % sizeof alu], width = 1u << rig_random() % 3;
    if (op == IR_BT && width == 1) width = 4;
    if ((op == IR_ADD || op == IR_SUB) && rig_random() & 1) width = 4;
    IrInsn *in = ir_emit(b, op, width);

    in->dst = any_reg(width);
    if (op >= IR_ROL && op <= IR_SAR) {
        in->a = rig_random() & 1 ? ir_imm(1 + rig_random() % 31) : ir_reg(IR_ECX);
        if (in->a.kind == IR_REG)
            in->fl_rd |= in->fl_wr;
        else if (op <= IR_ROR && in->a.imm != 1 && in->dst.reg < IR_TEMP0 && silicon()->rotate_keeps_of)
            in->fl_wr = IR_CF; /* OF is kept, see the frontend */
    } else if (ir_op_info[op].a) {
        bool imm = op != IR_XADD && op != IR_CMPXCHG && rig_random() & 1;
        in->a = imm ? ir_imm(rig_random_value() & (uint32_t)((1ull << 8 * width) - 1)) : any_reg(width);
    }
    if (op <= IR_NEG && rig_random() & 1) in->fl_wr = 0;
}

static void emit_move(IrBlock *b)
{
    unsigned width = rig_random() & 3 ? 4 : 1u << rig_random() % 3;
    IrInsn *in;

    switch (rig_random() % 5) {
    case 0:
        in = ir_emit(b, IR_LEA, 4);
        in->mem = any_address();
        break;
    case 1:
        in = ir_emit(b, rig_random() & 1 ? IR_MOVZX : IR_MOVSX, 4);
        in->width2 = rig_random() & 1 ? 1 : 2;
        in->a = any_reg(in->width2);
        break;
    case 2:
        in = ir_emit(b, IR_SETCC, width = 1);
        in->cc = rig_random() & 15;
        break;
    default:
        in = ir_emit(b, IR_MOV, width);
        in->a = rig_random() & 1 ? ir_imm(rig_random_value() & (uint32_t)((1ull << 8 * width) - 1)) : any_reg(width);
        break;
    }
    in->dst = any_reg(in->op == IR_LEA || in->op == IR_MOVZX || in->op == IR_MOVSX ? 4 : width);
}

/* Addresses beyond RAM read all ones; a store by a segment that forbids it faults. */
static void emit_access(IrBlock *b)
{
    unsigned width = 1u << rig_random() % 3;
    bool store = rig_random() & 1;
    IrInsn *in = ir_emit(b, store ? IR_ST : IR_LD, width);

    in->mem = any_address();
    if (rig_random() % 8 == 0) {
        in->mem.flat = 0;
        in->mem.seg = IR_SEG_GS;
    } else {
        in->mem.base = in->mem.index = IR_NOREG;
        in->mem.shift = 0;
        in->mem.disp = AREA + (in->mem.disp & 0xff8);
        if (rig_random() & 1) in->mem.base = T0 + TEMPS; /* a known zero */
    }
    if (store)
        in->a = any_reg(width);
    else
        in->dst = any_reg(width);
}

typedef struct Outcome {
    uint32_t regs[8], temps[TEMPS], eip;
    int raised;
    unsigned fl;
    uint8_t mem[AREA_SIZE];
} Outcome;

static void run(Rig *r, const Outcome *start, Outcome *end)
{
    memcpy(r->cpu->regs, start->regs, sizeof start->regs);
    for (unsigned i = 0; i < TEMPS; i++) *rig_slot(r, i) = start->temps[i];
    r->cpu->cc = cpu_cc_from_flags(ir_flags_to_eflags(start->fl));
    memcpy(r->ram + AREA, start->mem, AREA_SIZE);
    rig_emit(r);
    rig_run(r);
    memcpy(end->regs, r->cpu->regs, sizeof end->regs);
    memcpy(end->mem, r->ram + AREA, AREA_SIZE);
    end->eip = r->cpu->eip;
    end->raised = r->raised;
    for (unsigned i = 0; i < TEMPS; i++) end->temps[i] = r->raised < 0 ? *rig_slot(r, i) : 0;
    end->fl = ir_flags_from_eflags(cpu_arith_flags(r->cpu->cc)) & (r->raised < 0 ? r->b.fl_live_out : 0);
}

static void build(Rig *r)
{
    rig_begin(r);
    r->b.fl_live_out = rig_random() & IR_FL_ALL;
    for (unsigned i = 0; i < TEMPS; i++) rig_load_temp(r, ir_temp(&r->b), i);
    IrInsn *in = ir_emit(&r->b, IR_MOV, 4);
    in->dst = ir_reg(ir_temp(&r->b));
    in->a = ir_imm(0);
    for (unsigned i = 0; i < LENGTH; i++) {
        unsigned what = rig_random() % 8;
        if (what < 4)
            emit_alu(&r->b);
        else if (what < 7)
            emit_move(&r->b);
        else
            emit_access(&r->b);
        in = ir_emit(&r->b, IR_MARK, 0);
        in->target[0] = RIG_EIP + 2 * i;
    }
    for (unsigned i = 0; i < TEMPS; i++) rig_store_reg(r, T0 + i, i);
    rig_end(r, RIG_EIP + 0x100);
}

static bool one_round(Rig *r, const char *pass)
{
    static Outcome start, plain, passed;

    for (unsigned i = 0; i < 8; i++) start.regs[i] = rig_random_value();
    for (unsigned i = 0; i < TEMPS; i++) start.temps[i] = rig_random_value();
    for (unsigned i = 0; i < AREA_SIZE; i++) start.mem[i] = (uint8_t)(rig_random() >> 7);
    start.fl = rig_random() & IR_FL_ALL;
    build(r);
    for (unsigned i = 0; i < ir_pass_count; i++) ir_pass_enable(ir_passes[i].name, false);
    ir_run_passes(&r->b);
    run(r, &start, &plain);
    for (unsigned i = 0; i < ir_pass_count; i++)
        ir_pass_enable(ir_passes[i].name, !pass || !strcmp(pass, ir_passes[i].name) || !i);
    ir_run_passes(&r->b);
    run(r, &start, &passed);
    if (!memcmp(&plain, &passed, sizeof plain)) return true;
    diag("raised %d / %d, eip %x / %x, flags %x / %x of %x", plain.raised, passed.raised, plain.eip, passed.eip,
         plain.fl, passed.fl, r->b.fl_live_out);
    for (unsigned i = 0; i < 8; i++)
        if (plain.regs[i] != passed.regs[i]) diag("register %u: %x / %x", i, plain.regs[i], passed.regs[i]);
    for (unsigned i = 0; i < TEMPS; i++)
        if (plain.temps[i] != passed.temps[i]) diag("temporary %u: %x / %x", i, plain.temps[i], passed.temps[i]);
    return false;
}

static void rounds(Rig *r, const char *pass)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < 1500 && bad < 3; i++) bad += !one_round(r, pass);
    ok(!bad, "%s: blocks do the same after %s", r->backend->name, pass ? pass : "all passes");
}

static void test_backend(const char *name)
{
    Rig r;

    if (!rig_open(&r, name)) {
        ok(true, "%s # SKIP not on this host", name);
        return;
    }
    r.cpu->seg[SEG_GS] = (SegCache){ .base = AREA, .limit = 0xfff, .attr = SEG_P | SEG_S | SEG_W | SEG_A | SEG_DB };
    cpu_seg_update_bounds(&r.cpu->seg[SEG_GS], false, true);
    r.cpu->mode &= ~(uint32_t)MODE_FLAT_GS;
    for (unsigned i = 0; i < ir_pass_count; i++) rounds(&r, ir_passes[i].name);
    rounds(&r, NULL);
    rig_close(&r);
}

int main(void)
{
    cpu_register_helpers();
    test_backend("interp");
    test_backend("x86_64");
    return tap_done();
}
