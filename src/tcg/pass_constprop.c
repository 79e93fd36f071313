/* Constants and copies, forwards: what a register is known to hold takes the register's place where the
 * operation accepts it, and operations on constants alone become moves when their flags are dead.
 *
 * A fact about a register covers all of its 32 bits.  Writing a part of a register with a known value
 * merges it into the fact; writing a part with an unknown one ends it. */
#include "tcg/notes.h"
#include "tcg/pass.h"

enum { UNKNOWN, CONSTANT, COPY };

typedef struct Fact {
    uint32_t value; /* CONSTANT */
    uint16_t reg;   /* COPY: of this register, */
    uint32_t stamp; /* as long as it was last written at that stamp */
    uint8_t kind;
} Fact;

typedef struct Facts {
    Fact of[PASS_MAX_REGS];
    uint32_t written[PASS_MAX_REGS]; /* stamp of the last write */
    uint32_t now;
    const IrBlock *b; /* and the operation in hand: for notes */
    const IrInsn *in;
} Facts;

static void note_value(const Facts *f, unsigned reg, uint32_t v)
{
    char name[8];
    ir_note(f->b, f->in, "%s is known to be %#x", ir_reg_text(name, reg), v);
}

static void note_copy(const Facts *f, unsigned reg, unsigned src)
{
    char name[8], other[8];
    ir_note(f->b, f->in, "%s is a copy of %s", ir_reg_text(name, reg), ir_reg_text(other, src));
}

static uint32_t width_mask(unsigned width)
{
    return width >= 4 ? 0xffffffffu : (1u << width * 8) - 1;
}

static uint32_t sign_extend(uint32_t v, unsigned width)
{
    uint32_t sign = 1u << (width * 8 - 1);
    return ((v & width_mask(width)) ^ sign) - sign;
}

static bool known_reg(const Facts *f, unsigned reg, uint32_t *v)
{
    if (reg >= PASS_MAX_REGS || f->of[reg].kind != CONSTANT) return false;
    *v = f->of[reg].value;
    return true;
}

/* The operand's value at this width, when known. */
static bool known(const Facts *f, const IrOpnd *o, unsigned width, uint32_t *v)
{
    if (o->kind == IR_IMM) {
        *v = o->imm & width_mask(width);
        return true;
    }
    if (o->kind != IR_REG || !known_reg(f, o->reg, v)) return false;
    if (o->high) *v >>= 8;
    *v &= width_mask(width);
    return true;
}

static void forget(Facts *f, unsigned reg)
{
    if (reg >= PASS_MAX_REGS) return;
    f->of[reg].kind = UNKNOWN;
    f->written[reg] = ++f->now;
}

/* The register that o may be replaced by, or IR_NOREG. */
static unsigned copy_source(const Facts *f, unsigned reg)
{
    if (reg < IR_TEMP0 || reg >= PASS_MAX_REGS || f->of[reg].kind != COPY) return IR_NOREG;
    unsigned src = f->of[reg].reg;
    return f->written[src] == f->of[reg].stamp ? src : IR_NOREG;
}

static void replace_copy(const Facts *f, IrOpnd *o, unsigned width)
{
    if (o->kind != IR_REG || o->high) return;
    unsigned src = copy_source(f, o->reg);
    /* SPL, BPL, SIL and DIL are not x86 operands: do not make them up. */
    if (src == IR_NOREG || (width == 1 && src >= 4 && src < IR_TEMP0)) return;
    note_copy(f, o->reg, src);
    o->reg = (uint16_t)src;
}

/* Operations whose operand a may be an immediate in place of a register it only reads. */
static bool takes_immediate(const IrInsn *in)
{
    switch (in->op) {
    case IR_MOV:
    case IR_MOVZX:
    case IR_MOVSX:
    case IR_ST:
    case IR_STRMW:
    case IR_STSTATE:
    case IR_HELPER:
    case IR_ADD:
    case IR_OR:
    case IR_ADC:
    case IR_SBB:
    case IR_AND:
    case IR_SUB:
    case IR_XOR:
    case IR_CMP:
    case IR_TEST: return true;
    default: return false;
    }
}

static void replace_operand(const Facts *f, IrOpnd *o, unsigned width, bool immediate)
{
    uint32_t v;

    if (o->kind != IR_REG) return;
    if (immediate && known(f, o, width, &v)) {
        note_value(f, o->reg, v);
        *o = ir_imm(v);
    } else {
        replace_copy(f, o, width);
    }
}

static bool is_shift(unsigned op)
{
    return op >= IR_ROL && op <= IR_SAR;
}

static unsigned source_width(const IrInsn *in)
{
    if (in->op == IR_MOVZX || in->op == IR_MOVSX) return in->width2;
    if (in->op == IR_HELPER || in->op == IR_RET || in->op == IR_JMPR || in->op == IR_CALLR) return 4;
    return in->width;
}

static void replace_sources(const Facts *f, IrInsn *in)
{
    const IrOpInfo *info = &ir_op_info[in->op];
    unsigned width = source_width(in);

    /* A count must be ECX or an immediate; and CL of unknown value keeps its place. */
    if (info->a == IR_USE_R && !is_shift(in->op)) replace_operand(f, &in->a, width, takes_immediate(in));
    if (in->op != IR_HELPER) return;
    replace_operand(f, &in->b, 4, true);
    replace_operand(f, &in->c, 4, true);
    replace_operand(f, &in->d, 4, true);
}

static void replace_address(const Facts *f, IrMem *m)
{
    uint32_t v;

    if (m->index != IR_NOREG && known_reg(f, m->index, &v)) {
        note_value(f, m->index, v);
        m->disp += v << m->shift;
        m->index = IR_NOREG;
        m->shift = 0;
    } else if (m->index != IR_NOREG && copy_source(f, m->index) != IR_NOREG) {
        unsigned src = copy_source(f, m->index);
        if (src != IR_ESP) {
            note_copy(f, m->index, src);
            m->index = (uint16_t)src;
        }
    }
    if (m->base != IR_NOREG && known_reg(f, m->base, &v)) {
        note_value(f, m->base, v);
        m->disp += v;
        m->base = IR_NOREG;
    } else if (m->base != IR_NOREG && copy_source(f, m->base) != IR_NOREG) {
        note_copy(f, m->base, copy_source(f, m->base));
        m->base = (uint16_t)copy_source(f, m->base);
    }
    if (m->asize == 2) m->disp &= 0xffff;
}

static uint32_t shift_value(unsigned op, uint32_t d, unsigned count, unsigned width)
{
    unsigned bits = width * 8, r = count % bits;

    switch (op) {
    case IR_SHL: return count < bits ? d << count : 0;
    case IR_SHR: return count < bits ? d >> count : 0;
    case IR_SAR: {
        uint32_t s = sign_extend(d, width), sign = 0u - (s >> 31);
        return count < 32 ? s >> count | (count ? sign << (32 - count) : 0) : sign;
    }
    case IR_ROL: return r ? d << r | d >> (bits - r) : d;
    default: /* ROR */ return r ? d >> r | d << (bits - r) : d;
    }
}

static uint32_t bswap(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

/* The result of an operation on one known value d in its destination. */
static bool fold_unary(const IrInsn *in, uint32_t d, uint32_t *v)
{
    switch (in->op) {
    case IR_INC: *v = d + 1; return true;
    case IR_DEC: *v = d - 1; return true;
    case IR_NEG: *v = 0u - d; return true;
    case IR_NOT: *v = ~d; return true;
    case IR_BSWAP: *v = bswap(d); return in->width == 4;
    default: return false;
    }
}

static bool fold_binary(const IrInsn *in, uint32_t d, uint32_t a, uint32_t *v)
{
    switch (in->op) {
    case IR_ADD: *v = d + a; return true;
    case IR_SUB: *v = d - a; return true;
    case IR_AND: *v = d & a; return true;
    case IR_OR: *v = d | a; return true;
    case IR_XOR: *v = d ^ a; return true;
    case IR_IMUL2: *v = d * a; return true;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROL:
    case IR_ROR: *v = shift_value(in->op, d, a & 31, in->width); return true;
    default: return false;
    }
}

/* Zero whatever the register holds. */
static bool zero_idiom(const IrInsn *in)
{
    return (in->op == IR_XOR || in->op == IR_SUB) && in->a.kind == IR_REG && in->a.reg == in->dst.reg &&
           in->a.high == in->dst.high;
}

/* True with *v when the operation's written value (its width's bits of dst) is known. */
static bool fold(const Facts *f, const IrInsn *in, uint32_t *v)
{
    uint32_t d, a;

    switch (in->op) {
    case IR_MOV:
    case IR_MOVZX: return known(f, &in->a, source_width(in), v);
    case IR_MOVSX:
        if (!known(f, &in->a, in->width2, v)) return false;
        *v = sign_extend(*v, in->width2);
        return true;
    case IR_LEA:
        *v = in->mem.disp & width_mask(in->mem.asize);
        return in->mem.base == IR_NOREG && in->mem.index == IR_NOREG;
    default: break;
    }
    if (in->dst.kind != IR_REG || ir_op_info[in->op].dst != IR_USE_RW) return false;
    if (zero_idiom(in)) {
        *v = 0;
        return true;
    }
    if (!known(f, &in->dst, in->width, &d)) return false;
    if (fold_unary(in, d, v)) return true;
    return known(f, &in->a, in->width, &a) && fold_binary(in, d, a, v);
}

static void make_move(IrInsn *in, uint32_t v)
{
    in->op = IR_MOV;
    in->width2 = 0;
    in->fl_rd = in->fl_wr = in->fl_live = 0;
    in->a = ir_imm(v);
    in->b.kind = IR_NONE;
    in->mem.base = in->mem.index = IR_NOREG;
}

/* The register holds v in the bits written, and what it held in the others. */
static void learn_constant(Facts *f, const IrInsn *in, uint32_t v)
{
    unsigned reg = in->dst.reg, shift = in->dst.high ? 8 : 0;
    uint32_t mask = width_mask(in->width) << shift, old = 0;
    bool whole = in->width == 4 || known_reg(f, reg, &old);

    forget(f, reg);
    if (!whole || reg >= PASS_MAX_REGS) return;
    f->of[reg].kind = CONSTANT;
    f->of[reg].value = (old & ~mask) | (v << shift & mask);
}

static void learn_copy(Facts *f, const IrInsn *in)
{
    unsigned dst = in->dst.reg, src = in->a.reg;

    if (dst == src) return;
    forget(f, dst);
    if (dst >= PASS_MAX_REGS || src >= PASS_MAX_REGS) return;
    f->of[dst] = (Fact){ .kind = COPY, .reg = (uint16_t)src, .stamp = f->written[src] };
}

static void learn(Facts *f, IrInsn *in)
{
    uint16_t wr[12];
    uint32_t v;

    if (in->dst.kind == IR_REG && fold(f, in, &v)) {
        v &= width_mask(in->width);
        if (!in->fl_live && !zero_idiom(in)) {
            if (in->op != IR_MOV) ir_note(f->b, in, "computed: %#x", v);
            make_move(in, v);
        }
        learn_constant(f, in, v);
        return;
    }
    if (in->op == IR_MOV && in->width == 4 && in->a.kind == IR_REG) {
        learn_copy(f, in);
        return;
    }
    unsigned n = ir_writes(in, wr);
    for (unsigned i = 0; i < n; i++) forget(f, wr[i]);
}

void pass_constprop(IrBlock *b)
{
    Facts f;
    unsigned n_regs = IR_TEMP0 + b->n_temps;

    if (n_regs > PASS_MAX_REGS) n_regs = PASS_MAX_REGS;
    f.now = 0;
    f.b = b;
    for (unsigned r = 0; r < n_regs; r++) {
        f.of[r].kind = UNKNOWN;
        f.written[r] = 0;
    }
    for (uint32_t i = 0; i < b->n; i++) {
        IrInsn *in = &b->insn[i];
        if (in->op == IR_MARK || in->op == IR_NOP) continue;
        f.in = in;
        replace_sources(&f, in);
        /* STRMW must keep naming the address of its LDRMW: rewriting both alike would need both in view. */
        if (ir_op_info[in->op].mem != IR_MEM_NONE && in->op != IR_STRMW && in->op != IR_LDRMW)
            replace_address(&f, &in->mem);
        learn(&f, in);
    }
}
