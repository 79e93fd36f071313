/* Address folding: the sums that LEA, MOV and ADD leave in temporaries move into the memory operands that
 * use them, and sums that one register collects step by step become one LEA.
 *
 * Guest registers must be exact wherever something may raise, so additions to them are merged only when
 * nothing between can (the second takes over both, the first goes); a temporary's sum may be used as
 * long as the registers in it have not been written since. */
#include "tcg/notes.h"
#include "tcg/pass.h"

/* What a temporary holds: base + index << shift + disp, of registers as they were at those stamps. */
typedef struct Sum {
    uint16_t base, index;
    uint32_t base_stamp, index_stamp;
    uint32_t disp;
    uint8_t shift;
    bool known;
} Sum;

typedef struct Sums {
    Sum of[PASS_MAX_REGS];
    uint32_t written[PASS_MAX_REGS];
    uint32_t now;
    const IrBlock *b; /* and the operation in hand: for notes */
    const IrInsn *in;
} Sums;

static void forget(Sums *s, unsigned reg)
{
    if (reg >= PASS_MAX_REGS) return;
    s->of[reg].known = false;
    s->written[reg] = ++s->now;
}

static bool usable(const Sums *s, unsigned reg)
{
    if (reg < IR_TEMP0 || reg >= PASS_MAX_REGS || !s->of[reg].known) return false;
    const Sum *sum = &s->of[reg];
    return (sum->base == IR_NOREG || s->written[sum->base] == sum->base_stamp) &&
           (sum->index == IR_NOREG || s->written[sum->index] == sum->index_stamp);
}

static void note_fold(const Sums *s, unsigned reg)
{
    const Sum *sum = &s->of[reg];
    IrMem m = { .asize = 4, .base = sum->base, .index = sum->index, .shift = sum->shift, .disp = sum->disp };
    char name[8], text[48];
    if (s->b->notes) ir_note(s->b, s->in, "%s is %s: folded in", ir_reg_text(name, reg), ir_sum_text(text, &m));
}

static void fold_base(const Sums *s, IrMem *m)
{
    if (m->base == IR_NOREG || !usable(s, m->base)) return;
    const Sum *sum = &s->of[m->base];
    if (sum->index != IR_NOREG && m->index != IR_NOREG) return;
    note_fold(s, m->base);
    m->base = sum->base;
    m->disp += sum->disp;
    if (sum->index != IR_NOREG) {
        m->index = sum->index;
        m->shift = sum->shift;
    }
}

/* index << shift, where the index is itself base + disp with no scaled part. */
static void fold_index(const Sums *s, IrMem *m)
{
    if (m->index == IR_NOREG || !usable(s, m->index)) return;
    const Sum *sum = &s->of[m->index];
    if (sum->index != IR_NOREG || sum->base == IR_NOREG || sum->base == IR_ESP) return;
    note_fold(s, m->index);
    m->index = sum->base;
    m->disp += sum->disp << m->shift;
}

static void learn(Sums *s, unsigned reg, uint16_t base, uint16_t index, unsigned shift, uint32_t disp)
{
    bool self = base == reg || index == reg;

    forget(s, reg);
    if (self || reg < IR_TEMP0 || reg >= PASS_MAX_REGS) return;
    if ((base != IR_NOREG && base >= PASS_MAX_REGS) || (index != IR_NOREG && index >= PASS_MAX_REGS)) return;
    s->of[reg] = (Sum){ .base = base,
                        .index = index,
                        .base_stamp = base == IR_NOREG ? 0 : s->written[base],
                        .index_stamp = index == IR_NOREG ? 0 : s->written[index],
                        .disp = disp,
                        .shift = (uint8_t)shift,
                        .known = true };
}

/* reg += constant, no flags: the amount in *d. */
static bool is_step(const IrInsn *in, uint32_t *d)
{
    if (in->width != 4 || in->dst.kind != IR_REG) return false;
    if (in->op == IR_LEA && in->mem.asize == 4 && in->mem.base == in->dst.reg && in->mem.index == IR_NOREG) {
        *d = in->mem.disp;
        return true;
    }
    if ((in->op != IR_ADD && in->op != IR_SUB) || in->fl_live || in->a.kind != IR_IMM) return false;
    *d = in->op == IR_ADD ? in->a.imm : 0u - in->a.imm;
    return true;
}

static IrMem plain_sum(uint16_t base, uint32_t disp)
{
    return (IrMem){ .seg = IR_SEG_DS, .flat = 1, .asize = 4, .base = base, .index = IR_NOREG, .disp = disp };
}

static void make_lea(IrInsn *in, const IrMem *sum)
{
    in->op = IR_LEA;
    in->fl_rd = in->fl_wr = in->fl_live = 0;
    in->a.kind = in->b.kind = IR_NONE;
    in->mem = *sum;
}

/* Tracks reg + constant kept in the temporary itself: t += 4 after t = ebx + 8 is t = ebx + 12. */
static void step_temp(Sums *s, unsigned reg, uint32_t d)
{
    if (usable(s, reg)) {
        Sum sum = s->of[reg];
        sum.disp += d;
        forget(s, reg);
        s->of[reg] = sum;
    } else {
        forget(s, reg);
    }
}

static void learn_from(Sums *s, IrInsn *in)
{
    uint16_t wr[12];
    uint32_t d;

    if (in->dst.kind == IR_REG && in->width == 4 && in->op == IR_LEA && in->mem.asize == 4 &&
        in->mem.base != in->dst.reg) {
        learn(s, in->dst.reg, in->mem.base, in->mem.index, in->mem.shift, in->mem.disp);
        return;
    }
    if (in->op == IR_MOV && in->width == 4 && in->a.kind == IR_REG) {
        /* mov esp, t with t = esp + n: the temporary is not needed for it. */
        if (usable(s, in->a.reg) && s->of[in->a.reg].index == IR_NOREG && s->of[in->a.reg].base == in->dst.reg) {
            note_fold(s, in->a.reg);
            IrMem sum = plain_sum(in->dst.reg, s->of[in->a.reg].disp);
            make_lea(in, &sum);
        } else if (in->dst.reg != in->a.reg) {
            learn(s, in->dst.reg, in->a.reg, IR_NOREG, 0, 0);
            return;
        }
    }
    if (is_step(in, &d)) {
        step_temp(s, in->dst.reg, d);
        return;
    }
    unsigned n = ir_writes(in, wr);
    for (unsigned i = 0; i < n; i++) forget(s, wr[i]);
}

/* dst = base + index << shift + disp, no flags. */
static bool is_sum(const IrInsn *in, IrMem *sum)
{
    uint32_t d;
    if (in->width != 4 || in->dst.kind != IR_REG) return false;
    if (is_step(in, &d))
        *sum = plain_sum(in->dst.reg, d);
    else if (in->op == IR_MOV && in->a.kind == IR_REG)
        *sum = plain_sum(in->a.reg, 0);
    else if (in->op == IR_LEA && in->mem.asize == 4)
        *sum = in->mem;
    else
        return false;
    return true;
}

/* A sum of three terms is two operations' work for the silicon, too: never made of shorter ones. */
static bool add_constant(IrMem *sum, uint32_t d)
{
    if (sum->base != IR_NOREG && sum->index != IR_NOREG && !sum->disp) return false;
    sum->disp += d;
    return true;
}

static bool add_register(IrMem *sum, uint16_t reg)
{
    if (sum->disp) return false;
    if (sum->base == IR_NOREG) {
        sum->base = reg;
    } else if (sum->index == IR_NOREG && reg != IR_ESP) {
        sum->index = reg;
        sum->shift = 0;
    } else if (sum->index == sum->base && !sum->shift) {
        sum->shift = 1;
        sum->base = reg;
    } else {
        return false;
    }
    return true;
}

static bool adds_register(const IrInsn *in)
{
    return in->op == IR_ADD && in->width == 4 && !in->fl_live && in->dst.kind == IR_REG && in->a.kind == IR_REG &&
           in->a.reg != in->dst.reg;
}

static bool is_among(const uint16_t *regs, unsigned n, unsigned reg)
{
    for (unsigned i = 0; i < n; i++)
        if (regs[i] == reg) return true;
    return false;
}

static bool touches(const IrInsn *in, unsigned reg)
{
    uint16_t r[12];
    return is_among(r, ir_reads(in, r), reg) || is_among(r, ir_writes(in, r), reg);
}

static bool is_written(const IrBlock *b, uint32_t from, uint32_t to, unsigned reg)
{
    uint16_t r[12];
    for (uint32_t i = from; i < to && reg != IR_NOREG; i++)
        if (is_among(r, ir_writes(&b->insn[i], r), reg)) return true;
    return false;
}

/* The operation that left a sum where this one adds to it, with nothing in between that can raise, leave or see it.  NULL: none,
 * or the sum would be another by now. */
static IrInsn *sum_before(IrBlock *b, uint32_t i, IrMem *sum)
{
    enum { REACH = 16 };
    unsigned reg = b->insn[i].dst.reg;

    for (uint32_t j = i; j-- > 0 && i - j <= REACH;) {
        IrInsn *in = &b->insn[j];
        if (in->dst.kind == IR_REG && in->dst.reg == reg && is_sum(in, sum))
            return is_written(b, j + 1, i, sum->base) || is_written(b, j + 1, i, sum->index) ? NULL : in;
        if (in->op != IR_MARK && (ir_op_info[in->op].attr || touches(in, reg))) return NULL;
    }
    return NULL;
}

/* The later of two operations does both. */
static void merge_sums(IrBlock *b)
{
    for (uint32_t i = 1; i < b->n; i++) {
        IrInsn *in = &b->insn[i];
        IrMem sum;
        uint32_t d;
        bool step = is_step(in, &d);
        if (!step && !adds_register(in)) continue;
        IrInsn *first = sum_before(b, i, &sum);
        if (!first || !(step ? add_constant(&sum, d) : add_register(&sum, in->a.reg))) continue;
        ir_note(b, first, "removed: the next addition, at %08x, does both", ir_insn_eip(b, in));
        ir_note(b, in, "does the sum of %08x too", ir_insn_eip(b, first));
        make_lea(in, &sum);
        ir_make_nop(first);
    }
}

void pass_addr(IrBlock *b)
{
    Sums s;
    unsigned n_regs = IR_TEMP0 + b->n_temps;

    if (n_regs > PASS_MAX_REGS) n_regs = PASS_MAX_REGS;
    s.now = 0;
    s.b = b;
    for (unsigned r = 0; r < n_regs; r++) {
        s.of[r].known = false;
        s.written[r] = 0;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        IrInsn *in = &b->insn[i];
        if (in->op == IR_MARK || in->op == IR_NOP) continue;
        s.in = in;
        if (ir_op_info[in->op].mem != IR_MEM_NONE || in->op == IR_X87 || in->op == IR_VEC) {
            /* Both halves of a read-modify-write name one address; the frontend made it simple already. */
            if (in->op != IR_LDRMW && in->op != IR_STRMW) fold_base(&s, &in->mem), fold_index(&s, &in->mem);
            if (in->mem.asize == 2) in->mem.disp &= 0xffff;
        }
        learn_from(&s, in);
    }
    merge_sums(b);
}
