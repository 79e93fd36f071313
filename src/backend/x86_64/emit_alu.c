/* Moves, arithmetic, shifts and bits: each IR operation becomes the host instruction of the same name.
 *
 * The one thing that is not one for one is AH CH DH BH beside a register that needs REX: the byte is
 * then brought into reach by XCHG or a copy, both of which keep the flags. */
#include "backend/x86_64/emit.h"
#include "tcg/silicon.h"

static bool needs_rex(unsigned r)
{
    return r >= RSP && r <= R15;
}
static bool is_high(unsigned r)
{
    return r >= AH;
}

/* r11 = the byte in AH..BH. */
static void copy_high(Emit *e, unsigned high)
{
    swap_high(e, high);
    asm_rr(&e->a, W32, 0x0fb6, R11, high - AH);
    swap_high(e, high);
}

/* The byte in AH..BH = r11. */
static void write_high(Emit *e, unsigned high)
{
    swap_high(e, high);
    asm_rr(&e->a, W8, 0x8a, high - AH, R11);
    swap_high(e, high);
}

/* op rm, reg with opcode in its byte form; the other widths are opcode + 1. */
static void op_rr(Emit *e, unsigned width, unsigned opcode, unsigned rm, unsigned reg)
{
    if (width != 1) {
        asm_rr(&e->a, asm_width(width), opcode + 1, reg, rm);
    } else if (is_high(rm) && needs_rex(reg)) {
        swap_high(e, rm);
        asm_rr(&e->a, W8, opcode, reg, rm - AH);
        swap_high(e, rm);
    } else if (is_high(reg) && needs_rex(rm)) {
        copy_high(e, reg);
        asm_rr(&e->a, W8, opcode, R11, rm);
    } else {
        asm_rr(&e->a, W8, opcode, reg, rm);
    }
}

/* Before native code that destroys the host flags. */
static void begin(Emit *e, const IrInsn *in)
{
    if (in->fl_wr) {
        flags_need(e, in);
        return;
    }
    flags_clobber(e);
    if (in->fl_rd) flags_load(e);
    e->alloc.flags = FLAGS_STATE;
}

void emit_mov(Emit *e, const IrInsn *in)
{
    Asm *a = &e->a;
    unsigned w = in->width;
    if (in->a.kind == IR_IMM) {
        unsigned d = reg_write(e, &in->dst, w);
        if (w == 4) {
            asm_mov_imm(a, d, in->a.imm);
        } else if (w == 2) {
            asm_rr(a, W16 | DIGIT, 0xc7, 0, d), asm8(a, in->a.imm & 0xff), asm8(a, in->a.imm >> 8 & 0xff);
        } else {
            asm_rr(a, W8 | DIGIT, 0xc6, 0, d), asm8(a, in->a.imm & 0xff);
        }
        return;
    }
    unsigned s = reg_read(e, &in->a, w), d = reg_write(e, &in->dst, w);
    if (w == 4)
        asm_mov(a, d, s);
    else
        op_rr(e, w, 0x88, d, s);
}

void emit_movx(Emit *e, const IrInsn *in)
{
    unsigned opcode = (in->op == IR_MOVZX ? 0x0fb6u : 0x0fbeu) | (in->width2 == 2);
    unsigned s = reg_read(e, &in->a, in->width2), d = reg_write(e, &in->dst, in->width);
    if (in->width2 == 1 && is_high(s) && needs_rex(d)) {
        copy_high(e, s);
        s = R11;
    }
    asm_rr(&e->a, asm_width(in->width) | (in->width2 == 1 ? W8 | DIGIT : 0), opcode, d, s);
}

void emit_xchg(Emit *e, const IrInsn *in)
{
    unsigned x = reg_update(e, &in->dst, in->width), y = reg_update(e, &in->a, in->width);
    unsigned w = in->width;
    if (w != 1) {
        asm_rr(&e->a, asm_width(w), 0x87, x, y);
    } else if ((is_high(x) && needs_rex(y)) || (is_high(y) && needs_rex(x))) {
        unsigned high = is_high(x) ? x : y;
        swap_high(e, high);
        asm_rr(&e->a, W8, 0x86, high - AH, is_high(x) ? y : x);
        swap_high(e, high);
    } else {
        asm_rr(&e->a, W8, 0x86, x, y);
    }
}

void emit_bswap(Emit *e, const IrInsn *in)
{
    unsigned d = reg_update(e, &in->dst, 4);
    if (in->width == 2) asm8(&e->a, 0x66);
    if (d >= R8) asm8(&e->a, 0x41);
    asm8(&e->a, 0x0f), asm8(&e->a, 0xc8 | (d & 7));
}

void emit_cmov(Emit *e, const IrInsn *in)
{
    unsigned s = reg_read(e, &in->a, in->width), d = reg_update(e, &in->dst, 4);
    flags_need(e, in);
    asm_rr(&e->a, asm_width(in->width), 0x0f40 | in->cc, d, s);
}

void emit_setcc(Emit *e, const IrInsn *in)
{
    unsigned d = reg_write(e, &in->dst, 1);
    flags_need(e, in);
    asm_rr(&e->a, W8 | DIGIT, 0x0f90 | in->cc, 0, d);
}

void emit_cdq(Emit *e, const IrInsn *in)
{
    if (in->width == 2) asm8(&e->a, 0x66);
    asm8(&e->a, 0x99);
}

/* --- two-operand arithmetic --------------------------------------------------------------------------- */

void emit_alu(Emit *e, const IrInsn *in)
{
    Asm *a = &e->a;
    unsigned w = in->width, n = in->op - IR_ADD;
    unsigned s = in->a.kind == IR_REG ? reg_read(e, &in->a, w) : (unsigned)NOREG;
    unsigned d = in->dst.kind == IR_IMM ? reg_read(e, &in->dst, w) : reg_update(e, &in->dst, w);
    begin(e, in);
    if (in->op == IR_TEST) {
        if (s != NOREG) {
            op_rr(e, w, 0x84, d, s);
        } else {
            asm_rr(a, asm_width(w) | DIGIT, w == 1 ? 0xf6 : 0xf7, 0, d);
            for (unsigned i = 0; i < w; i++) asm8(a, in->a.imm >> 8 * i & 0xff);
        }
    } else if (s != NOREG) {
        op_rr(e, w, n << 3, d, s);
    } else {
        asm_alu_imm(a, w, n, d, in->a.imm);
    }
    flags_done(e, in);
}

/* INC DEC NOT NEG: opcode extension and byte opcode. */
static const struct {
    uint8_t opcode, digit;
} unary[] = {
    [IR_INC - IR_INC] = { 0xfe, 0 },
    [IR_DEC - IR_INC] = { 0xfe, 1 },
    [IR_NEG - IR_INC] = { 0xf6, 3 },
    [IR_NOT - IR_INC] = { 0xf6, 2 },
};

void emit_unary(Emit *e, const IrInsn *in)
{
    unsigned d = reg_update(e, &in->dst, in->width);
    bool split = (in->op == IR_INC || in->op == IR_DEC) && in->fl_wr && flags_split(e);
    if (in->op != IR_NOT && !split) begin(e, in);
    asm_rr(&e->a, asm_width(in->width) | DIGIT, unary[in->op - IR_INC].opcode | (in->width != 1),
           unary[in->op - IR_INC].digit, d);
    if (!split) flags_done(e, in);
}

void emit_imul(Emit *e, const IrInsn *in)
{
    Asm *a = &e->a;
    unsigned s = reg_read(e, &in->a, in->width), d = reg_update(e, &in->dst, in->width);
    begin(e, in);
    if (in->op == IR_IMUL2) {
        asm_rr(a, asm_width(in->width), 0x0faf, d, s);
    } else {
        asm_rr(a, asm_width(in->width), 0x69, d, s);
        for (unsigned i = 0; i < in->width; i++) asm8(a, in->b.imm >> 8 * i & 0xff);
    }
    flags_done(e, in);
}

void emit_mul(Emit *e, const IrInsn *in)
{
    unsigned s = reg_read(e, &in->a, in->width);
    begin(e, in);
    asm_rr(&e->a, asm_width(in->width) | DIGIT, 0xf6 | (in->width != 1), in->op == IR_MUL ? 4 : 5, s);
    flags_done(e, in);
}

/* The host must never take #DE: what could overflow goes to the helper, which raises the guest's. */
static void cold_div(Emit *e, Cold *c)
{
    const IrInsn *in = &e->b->insn[c->first];
    unsigned s = c->reg;
    map_purpose(e, "slow division");
    if (s >= AH) {
        copy_high(e, s);
        s = R11;
    }
    asm_store(&e->a, state_at(offsetof(CPUState, call_arg)), s);
    asm_store_imm(&e->a, 4, state_at(offsetof(CPUState, call_arg) + 4), in->width);
    call_helper(e, in->op == IR_DIV ? HELPER_div : HELPER_idiv);
    emit_jmp_to(e, c->back);
}

static void div_guard(Emit *e, unsigned w, unsigned s, Cold *c)
{
    Asm *a = &e->a;
    if (w == 1) { /* quotient fits iff AH < divisor */
        asm_mov(a, R9, RAX);
        asm_rr(a, W32, 0xc1, 5, R9), asm8(a, 8);
        if (is_high(s)) copy_high(e, s), s = R11;
        asm_rr(a, W8, 0x3a, R9, s);
    } else {
        asm_rr(a, asm_width(w), 0x3b, RDX, s);
    }
    cold_site(c, asm_jcc(a, CC_AE));
}

/* 32-bit IDIV after CDQ, divisor neither 0 nor -1: cannot overflow. */
static void idiv_guard(Emit *e, unsigned s, Cold *c)
{
    Asm *a = &e->a;
    asm_mov(a, R9, RAX);
    asm_rr(a, W32, 0xc1, 7, R9), asm8(a, 31);
    asm_rr(a, W32, 0x3b, R9, RDX);
    cold_site(c, asm_jcc(a, CC_NE));
    asm_rm(a, W32, 0x8d, R9, asm_mem(s, 1));
    asm_alu_imm(a, 4, 7, R9, 1);
    cold_site(c, asm_jcc(a, CC_BE));
}

/* What DIV leaves in flags, here in CPUState.cc. */
static void div_flags(Emit *e, const IrInsn *in)
{
    enum { CF = 0x01, AF = 0x10 };
    if (!(e->live[e->cur] & in->fl_wr)) return;
    AsmMem cc = state_at(offsetof(CPUState, cc) + 1);
    asm_alu_mem_imm(&e->a, 1, 4, cc, CF);
    asm_alu_mem_imm(&e->a, 1, 1, cc, AF);
}

void emit_div(Emit *e, const IrInsn *in)
{
    unsigned w = in->width, s = reg_read(e, &in->a, w);
    if (in->a.kind == IR_IMM) asm_mov(&e->a, R8, s), s = R8;
    flags_clobber(e);
    Cold *c = cold_new(e, cold_div);
    c->reg = (uint8_t)s;
    map_purpose(e, "divide error check");
    if (in->op == IR_DIV) {
        div_guard(e, w, s, c);
    } else if (w == 4) {
        idiv_guard(e, s, c);
    } else {
        cold_site(c, asm_jmp(&e->a));
        c->back = e->a.p;
        div_flags(e, in);
        return;
    }
    map_purpose(e, NULL);
    asm_rr(&e->a, asm_width(w) | DIGIT, 0xf6 | (w != 1), in->op == IR_DIV ? 6 : 7, s);
    c->back = e->a.p;
    div_flags(e, in);
}

/* --- shifts and bits ----------------------------------------------------------------------------------- */

/* ROL ROR RCL RCR SHL SHR SAR in IR order -> group 2 extension. */
static const uint8_t shift_digit[] = { 0, 1, 2, 3, 4, 5, 7 };

static void shift_imm(Emit *e, const IrInsn *in, unsigned d, unsigned op, uint32_t n)
{
    bool one = n == 1;
    asm_rr(&e->a, asm_width(in->width) | DIGIT, (one ? 0xd0 : 0xc0) | (in->width != 1), shift_digit[op - IR_ROL], d);
    if (!one) asm8(&e->a, n & 31);
}

/* ROL or ROR of memory (the value is in a temporary) by more than 1.  OF is undefined then: Intel's processors leave it
 * alone in the register form, but in the memory form set it as a rotation of the old value by 1 would.  So rotate by 1
 * first, the rest after it; a rest of 1, which would set OF again, in two steps. */
static void rotate_memory(Emit *e, const IrInsn *in, unsigned d)
{
    unsigned back = in->op == IR_ROL ? IR_ROR : IR_ROL;
    uint32_t n = in->a.imm & 31;
    shift_imm(e, in, d, in->op, 1);
    if (n == 2) shift_imm(e, in, d, back, 2);
    shift_imm(e, in, d, in->op, n == 2 ? 3 : n - 1);
}

/* SHRX/SHLX/SARX would do for fl_wr == 0; address arithmetic is too rare to need BMI2. */
void emit_shift(Emit *e, const IrInsn *in)
{
    unsigned d = reg_update(e, &in->dst, in->width), byte = in->width == 1 ? 0 : 1;
    begin(e, in);
    if (in->a.kind == IR_IMM) {
        if (is_temp(&in->dst) && in->op <= IR_ROR && in->a.imm > 1 && silicon()->rotate_keeps_of)
            rotate_memory(e, in, d);
        else
            shift_imm(e, in, d, in->op, in->a.imm);
    } else {
        asm_rr(&e->a, asm_width(in->width) | DIGIT, 0xd2 | byte, shift_digit[in->op - IR_ROL], d);
    }
    flags_done(e, in);
}

void emit_shiftd(Emit *e, const IrInsn *in)
{
    unsigned s = reg_read(e, &in->a, in->width), d = reg_update(e, &in->dst, in->width);
    unsigned opcode = in->op == IR_SHLD ? 0x0fa4 : 0x0fac;
    begin(e, in);
    asm_rr(&e->a, asm_width(in->width), opcode | (in->b.kind != IR_IMM), s, d);
    if (in->b.kind == IR_IMM) asm8(&e->a, in->b.imm & 31);
    flags_done(e, in);
}

void emit_bit(Emit *e, const IrInsn *in)
{
    unsigned n = in->op - IR_BT; /* BT BTS BTR BTC */
    unsigned s = in->a.kind == IR_REG ? reg_read(e, &in->a, in->width) : (unsigned)NOREG;
    unsigned d = reg_update(e, &in->dst, in->width);
    begin(e, in);
    if (s == NOREG) {
        asm_rr(&e->a, asm_width(in->width) | DIGIT, 0x0fba, 4 + n, d);
        asm8(&e->a, in->a.imm & (in->width == 2 ? 15 : 31));
    } else {
        asm_rr(&e->a, asm_width(in->width), 0x0fa3 | n << 3, s, d);
    }
    flags_done(e, in);
}

void emit_scan(Emit *e, const IrInsn *in)
{
    unsigned s = reg_read(e, &in->a, in->width), d = reg_update(e, &in->dst, 4);
    Asm *a = &e->a;
    if (in->op != IR_CRC32) begin(e, in);
    switch (in->op) {
    case IR_BSF: asm_rr(a, asm_width(in->width), 0x0fbc, d, s); break;
    case IR_BSR: asm_rr(a, asm_width(in->width), 0x0fbd, d, s); break;
    case IR_POPCNT: asm_rr(a, asm_width(in->width) | PF3, 0x0fb8, d, s); break;
    default: /* CRC32: flags untouched */
        if (in->width == 1 && is_high(s) && needs_rex(d)) copy_high(e, s), s = R11;
        asm_rr(a, asm_width(in->width) | PF2 | DIGIT * (in->width == 1), in->width == 1 ? 0x0f38f0 : 0x0f38f1, d, s);
    }
    flags_done(e, in);
}

void emit_cmpxchg(Emit *e, const IrInsn *in)
{
    unsigned w = in->width, opcode = (in->op == IR_CMPXCHG ? 0x0fb0 : 0x0fc0) | (w != 1);
    unsigned s = in->op == IR_XADD ? reg_update(e, &in->a, w) : reg_read(e, &in->a, w);
    unsigned d = reg_update(e, &in->dst, w), high = NOREG;
    begin(e, in);
    if (w == 1 && is_high(d) && needs_rex(s)) {
        copy_high(e, d);
        asm_rr(&e->a, W8, opcode, s, R11);
        write_high(e, d);
        flags_done(e, in);
        return;
    }
    if (w == 1 && is_high(s) && needs_rex(d)) { /* not by swapping: CMPXCHG uses AL as well */
        high = s;
        copy_high(e, s);
        s = R11;
    }
    asm_rr(&e->a, asm_width(w), opcode, s, d);
    if (high != NOREG && in->op == IR_XADD) write_high(e, high);
    flags_done(e, in);
}

/* --- flags ---------------------------------------------------------------------------------------------- */

void emit_flagop(Emit *e, const IrInsn *in)
{
    flags_need(e, in);
    asm8(&e->a, in->op == IR_CLC ? 0xf8 : in->op == IR_STC ? 0xf9 : 0xf5);
    flags_done(e, in);
}

void emit_getflags(Emit *e, const IrInsn *in)
{
    Asm *a = &e->a;
    unsigned d = reg_write(e, &in->dst, 4);
    flags_save(e);
    e->alloc.flags = FLAGS_STATE;
    asm_rm(a, W32, 0x0fb6, R9, state_at(offsetof(CPUState, cc) + 1));
    asm_rm(a, W32, 0x0fb6, R11, STATE(cc));
    asm_alu_imm(a, 4, 4, R9, 0xd5);
    asm_alu_imm(a, 4, 4, R11, 1);
    asm_rr(a, W32, 0xc1, 4, R11), asm8(a, 11);
    asm_rr(a, W32, 0x0b, R9, R11);
    asm_mov(a, d, R9);
}

static unsigned byte_in_r11(Emit *e, const IrOpnd *o)
{
    unsigned s = reg_read(e, o, 1);
    if (is_high(s))
        copy_high(e, s);
    else
        asm_rr(&e->a, W8 | DIGIT, 0x0fb6, R11, s);
    return R11;
}

static bool is_sahf(const IrInsn *in)
{
    return in->a.kind == IR_REG && in->a.high && in->a.reg == IR_EAX && in->fl_wr == (IR_FL_ALL & ~IR_OF);
}

void emit_setflags(Emit *e, const IrInsn *in)
{
    Asm *a = &e->a;
    if (is_sahf(in)) {
        flags_need(e, in);
        asm8(a, 0x9e);
        flags_done(e, in);
        return;
    }
    if (e->live[e->cur] & ~in->fl_wr) flags_save(e);
    e->alloc.flags = FLAGS_STATE;
    unsigned s = in->width == 1 ? byte_in_r11(e, &in->a) : reg_read(e, &in->a, 4);
    if (in->fl_wr == IR_FL_ALL || in->fl_wr == (IR_FL_ALL & ~IR_OF)) {
        if (in->fl_wr & IR_OF) {
            asm_mov(a, R9, s);
            asm_rr(a, W32, 0xc1, 5, R9), asm8(a, 11);
            asm_alu_imm(a, 4, 4, R9, 1);
            asm_rm(a, W8, 0x88, R9, STATE(cc));
        }
        asm_mov(a, R9, s);
        asm_rm(a, W8, 0x88, R9, state_at(offsetof(CPUState, cc) + 1));
        return;
    }
    /* Some flags only: merge under a mask in the saved format. */
    uint32_t mask = ir_flags_to_eflags(in->fl_wr), cc_mask = (mask & 0xd5) << 8 | (mask >> 11 & 1);
    asm_mov(a, R9, s);
    asm_rr(a, W32, 0xc1, 5, R9), asm8(a, 11);
    asm_alu_imm(a, 4, 4, R9, 1);
    asm_mov(a, R11, s);
    asm_rr(a, W32, 0xc1, 4, R11), asm8(a, 8);
    asm_rr(a, W32, 0x0b, R9, R11);
    asm_alu_imm(a, 4, 4, R9, cc_mask);
    asm_rm(a, W32, 0x0fb7, R11, STATE(cc));
    asm_alu_imm(a, 4, 4, R11, ~cc_mask & 0xffff);
    asm_rr(a, W32, 0x0b, R9, R11);
    asm_rm(a, W16, 0x89, R9, STATE(cc));
}

/* --- fusion with memory operands ------------------------------------------------------------------------ */

static bool plain_gpr(const IrOpnd *o)
{
    return o->kind == IR_REG && o->reg < IR_TEMP0 && !o->high;
}
static bool same_reg(const IrOpnd *a, const IrOpnd *b)
{
    return a->kind == IR_REG && a->reg == b->reg && !a->high;
}

static bool dies_at(const Emit *e, const IrOpnd *t, uint32_t index)
{
    return e->last_use[t->reg - IR_TEMP0] == index;
}

bool alu_can_fuse_load(Emit *e, const IrInsn *in, const IrInsn *ld)
{
    bool two = in->op >= IR_ADD && in->op <= IR_TEST;
    uint32_t index = e->cur + 1;
    if (!two || !is_temp(&ld->dst) || in->width != ld->width || !in->fl_wr) return false;
    if (in->fl_rd | (e->live[index] & ~in->fl_wr)) return false;
    if (!dies_at(e, &ld->dst, index)) return false;
    if (plain_gpr(&in->dst) && same_reg(&in->a, &ld->dst)) return true;
    return (in->op == IR_CMP || in->op == IR_TEST) && same_reg(&in->dst, &ld->dst) &&
           (in->a.kind == IR_IMM || plain_gpr(&in->a));
}

void alu_fuse_load(Emit *e, const IrInsn *in, uint16_t t, AsmMem m, unsigned cold_reg)
{
    Asm *a = &e->a;
    unsigned w = in->width, n = in->op - IR_ADD, byte = w != 1, f = asm_width(w);
    bool cold = cold_reg != NOREG;
    if (in->dst.reg != t) { /* reg op= memory */
        unsigned d = host_of_gpr[in->dst.reg], opcode = in->op == IR_TEST ? 0x84 | byte : (n << 3 | 2) | byte;
        if (cold)
            asm_rr(a, f, opcode, d, cold_reg);
        else
            asm_rm(a, f, opcode, d, m);
    } else if (in->a.kind == IR_REG) { /* CMP/TEST memory, reg */
        unsigned s = host_of_gpr[in->a.reg], opcode = in->op == IR_TEST ? 0x84 | byte : n << 3 | byte;
        if (cold)
            asm_rr(a, f, opcode, s, cold_reg);
        else
            asm_rm(a, f, opcode, s, m);
    } else if (in->op == IR_TEST) {
        if (cold)
            asm_rr(a, f | DIGIT, 0xf6 | byte, 0, cold_reg);
        else
            asm_rm(a, f & ~(unsigned)W8, 0xf6 | byte, 0, m);
        for (unsigned i = 0; i < w; i++) asm8(a, in->a.imm >> 8 * i & 0xff);
    } else if (cold) {
        asm_alu_imm(a, w, n, cold_reg, in->a.imm);
    } else {
        asm_alu_mem_imm(a, w, n, m, in->a.imm);
    }
    flags_done(e, in);
}

bool alu_can_fuse_rmw(Emit *e, const IrInsn *in, const IrInsn *ld, const IrInsn *st)
{
    bool two = in->op >= IR_ADD && in->op <= IR_XOR;
    bool one = in->op >= IR_INC && in->op <= IR_NOT;
    if (!(two || one) || in->width != ld->width || st->width != ld->width || !is_temp(&ld->dst)) return false;
    if (!in->fl_wr && in->op != IR_NOT) return false;
    if (!same_reg(&in->dst, &ld->dst) || !same_reg(&st->a, &ld->dst)) return false;
    if (two && in->a.kind == IR_REG && !plain_gpr(&in->a)) return false;
    return dies_at(e, &ld->dst, e->cur + 2);
}

void alu_fuse_rmw(Emit *e, const IrInsn *in, AsmMem m)
{
    unsigned w = in->width, byte = w != 1, f = asm_width(w);
    if (in->op >= IR_INC) {
        asm_rm(&e->a, f & ~(unsigned)W8, unary[in->op - IR_INC].opcode | byte, unary[in->op - IR_INC].digit, m);
    } else if (in->a.kind == IR_REG) {
        asm_rm(&e->a, f, (unsigned)(in->op - IR_ADD) << 3 | byte, host_of_gpr[in->a.reg], m);
    } else {
        asm_alu_mem_imm(&e->a, w, in->op - IR_ADD, m, in->a.imm);
    }
}
