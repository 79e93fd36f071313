/* See ir_reference.h.  Values are widened to 64 bits, signed and unsigned, and flags read off what does not
 * fit; bit operations go bit by bit. */
#include "ir_reference.h"

static unsigned bits_of(const IrRef *r)
{
    return r->width * 8;
}
static uint32_t mask_of(const IrRef *r)
{
    return (uint32_t)((1ull << bits_of(r)) - 1);
}
static int64_t as_signed(uint64_t v, unsigned bits)
{
    v &= (1ull << bits) - 1;
    return v >> (bits - 1) ? (int64_t)v - (int64_t)(1ull << bits) : (int64_t)v;
}

static void set(IrRef *r, unsigned flag, bool on)
{
    r->fl = on ? r->fl | flag : r->fl & ~flag;
}

static void result_flags(IrRef *r, uint32_t v)
{
    unsigned ones = 0;
    for (unsigned i = 0; i < 8; i++) ones += v >> i & 1;
    set(r, IR_PF, ones % 2 == 0);
    set(r, IR_ZF, (v & mask_of(r)) == 0);
    set(r, IR_SF, v >> (bits_of(r) - 1) & 1);
}

/* x + y + c or x - y - c; sign +1 or -1. */
static uint32_t sum(IrRef *r, uint32_t x, uint32_t y, unsigned c, int sign)
{
    unsigned n = bits_of(r);
    int64_t u = (int64_t)x + sign * ((int64_t)y + c), s = as_signed(x, n) + sign * (as_signed(y, n) + (int64_t)c);
    int nibble = (int)(x & 15) + sign * (int)((y & 15) + c);
    uint32_t v = (uint32_t)u & mask_of(r);

    set(r, IR_CF, u < 0 || u > (int64_t)mask_of(r));
    set(r, IR_OF, s != as_signed(v, n));
    set(r, IR_AF, nibble < 0 || nibble > 15);
    result_flags(r, v);
    return v;
}

static uint32_t logic(IrRef *r, uint32_t v)
{
    set(r, IR_CF, false);
    set(r, IR_OF, false);
    r->undefined |= IR_AF;
    result_flags(r, v);
    return v;
}

static void step(IrRef *r, int sign)
{
    bool cf = r->fl & IR_CF;
    r->d = sum(r, r->d, 1, 0, sign);
    set(r, IR_CF, cf);
}

bool ir_ref_condition(unsigned cc, unsigned fl)
{
    bool c = fl & IR_CF, z = fl & IR_ZF, s = fl & IR_SF, o = fl & IR_OF, p = fl & IR_PF;
    bool base[8] = { o, c, z, c || z, s, p, s != o, z || s != o };
    return base[cc >> 1] != (cc & 1);
}

/* One bit at a time. */
static void shift(IrOp op, IrRef *r)
{
    unsigned count = r->a & 31, n = bits_of(r);
    uint32_t old = r->d;
    bool msb_old = old >> (n - 1) & 1, cf = r->fl & IR_CF;

    if (!count) return;
    for (unsigned i = 0; i < count; i++) {
        bool msb = r->d >> (n - 1) & 1, lsb = r->d & 1, in;
        bool left = op == IR_SHL || op == IR_ROL || op == IR_RCL;
        in = op == IR_ROL ? msb : op == IR_ROR ? lsb : op == IR_RCL || op == IR_RCR ? cf : op == IR_SAR ? msb : false;
        cf = left ? msb : lsb;
        if (left)
            r->d = (r->d << 1 | in) & mask_of(r);
        else
            r->d = r->d >> 1 | (uint32_t)in << (n - 1);
    }
    bool msb = r->d >> (n - 1) & 1;
    set(r, IR_CF, cf);
    if (op == IR_SHL || op == IR_ROL || op == IR_RCL)
        set(r, IR_OF, msb != cf);
    else
        set(r, IR_OF, op == IR_SAR ? false : msb != msb_old);
    if (count != 1) r->undefined |= IR_OF;
    if (op < IR_SHL) return;
    r->undefined |= IR_AF;
    if (count > n && op != IR_SAR) r->undefined |= IR_CF;
    if (count == n && op != IR_SAR) r->undefined |= IR_CF;
    result_flags(r, r->d);
}

static void double_shift(IrOp op, IrRef *r)
{
    unsigned count = r->b & 31, n = bits_of(r);
    uint32_t src = r->a, old = r->d;
    bool cf = false;

    if (!count) return;
    r->skip = count > n;
    for (unsigned i = 0; i < count; i++) {
        if (op == IR_SHLD) {
            cf = r->d >> (n - 1) & 1;
            r->d = (r->d << 1 | src >> (n - 1)) & mask_of(r);
            src = src << 1 & mask_of(r);
        } else {
            cf = r->d & 1;
            r->d = r->d >> 1 | (src & 1) << (n - 1);
            src >>= 1;
        }
    }
    set(r, IR_CF, cf);
    set(r, IR_OF, (old ^ r->d) >> (n - 1) & 1);
    r->undefined |= IR_AF | (count != 1 ? IR_OF : 0);
    result_flags(r, r->d);
}

static uint64_t get_pair(const IrRef *r)
{
    if (r->width == 1) return r->eax & 0xffff;
    return (uint64_t)(r->edx & mask_of(r)) << bits_of(r) | (r->eax & mask_of(r));
}

static void put_pair(IrRef *r, uint32_t low, uint32_t high)
{
    uint32_t m = mask_of(r);
    low &= m;
    high &= m;
    if (r->width == 1) {
        r->eax = (r->eax & ~0xffffu) | high << 8 | low;
    } else {
        r->eax = (r->eax & ~m) | low;
        r->edx = (r->edx & ~m) | high;
    }
}

static void multiply(IrOp op, IrRef *r)
{
    unsigned n = bits_of(r);
    uint32_t x = op == IR_IMUL2 ? r->d : op == IR_IMUL3 ? r->b : r->eax;
    bool over;

    if (op == IR_MUL) {
        uint64_t p = (uint64_t)(x & mask_of(r)) * r->a;
        put_pair(r, (uint32_t)p, (uint32_t)(p >> n));
        over = p > mask_of(r);
    } else {
        int64_t p = as_signed(x, n) * as_signed(r->a, n);
        over = p != as_signed((uint64_t)p, n);
        if (op == IR_IMUL)
            put_pair(r, (uint32_t)p, (uint32_t)((uint64_t)p >> n));
        else
            r->d = (uint32_t)p & mask_of(r);
    }
    set(r, IR_CF, over);
    set(r, IR_OF, over);
    r->undefined |= IR_SF | IR_ZF | IR_AF | IR_PF;
}

static void divide(IrOp op, IrRef *r)
{
    unsigned n = bits_of(r);
    uint64_t pair = get_pair(r);

    r->undefined = IR_FL_ALL;
    if (!r->a) {
        r->divide_error = true;
    } else if (op == IR_DIV) {
        r->divide_error = pair / r->a > mask_of(r);
        if (!r->divide_error) put_pair(r, (uint32_t)(pair / r->a), (uint32_t)(pair % r->a));
    } else {
        __int128 x = n == 32 ? (int64_t)pair : as_signed(pair, 2 * n), y = as_signed(r->a, n), q = x / y;
        r->divide_error = q != as_signed((uint64_t)q, n);
        if (!r->divide_error) put_pair(r, (uint32_t)q, (uint32_t)(x % y));
    }
}

static void bit_test(IrOp op, IrRef *r)
{
    uint32_t bit = 1u << r->a % bits_of(r);

    set(r, IR_CF, r->d & bit);
    if (op == IR_BTS) r->d |= bit;
    if (op == IR_BTR) r->d &= ~bit;
    if (op == IR_BTC) r->d ^= bit;
}

static void scan(IrOp op, IrRef *r)
{
    unsigned found = 0, count = 0;

    for (unsigned i = 0; i < bits_of(r); i++) {
        if (!(r->a >> i & 1)) continue;
        if (op == IR_BSR || !count) found = i;
        count++;
    }
    if (op == IR_POPCNT) {
        r->fl = 0;
        r->d = count;
    } else {
        r->undefined = IR_FL_ALL & ~IR_ZF;
        if (count) r->d = found;
    }
    set(r, IR_ZF, !count);
}

static void crc32(IrRef *r)
{
    /* Polynomial division of the bit-reflected message. */
    uint32_t crc = r->d;
    for (unsigned i = 0; i < bits_of(r); i++) {
        bool bit = (crc ^ r->a >> i) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78u : 0);
    }
    r->d = crc;
}

static void exchange_add(IrRef *r)
{
    uint32_t old = r->d;
    r->d = sum(r, r->d, r->a, 0, 1);
    r->a = old;
}

static void compare_exchange(IrRef *r)
{
    uint32_t m = mask_of(r), d = r->d;
    sum(r, r->eax & m, d, 0, -1);
    if ((r->eax & m) == d)
        r->d = r->a;
    else
        r->eax = (r->eax & ~m) | d;
}

void ir_ref_run(IrOp op, unsigned width2, IrRef *r)
{
    unsigned carry = (r->fl & IR_CF) != 0;

    switch (op) {
    case IR_MOV:
    case IR_MOVZX: r->d = r->a; break;
    case IR_MOVSX: r->d = (uint32_t)as_signed(r->a, width2 * 8); break;
    case IR_XCHG: {
        uint32_t t = r->d;
        r->d = r->a;
        r->a = t;
        break;
    }
    case IR_BSWAP: r->d = __builtin_bswap32(r->d); break;
    case IR_CMOV:
        if (ir_ref_condition(r->cc, r->fl)) r->d = r->a;
        break;
    case IR_SETCC: r->d = ir_ref_condition(r->cc, r->fl); break;
    case IR_CDQ: {
        uint32_t m = mask_of(r), fill = r->eax >> (bits_of(r) - 1) & 1 ? m : 0;
        r->edx = (r->edx & ~m) | fill;
        break;
    }
    case IR_ADD: r->d = sum(r, r->d, r->a, 0, 1); break;
    case IR_ADC: r->d = sum(r, r->d, r->a, carry, 1); break;
    case IR_SUB: r->d = sum(r, r->d, r->a, 0, -1); break;
    case IR_SBB: r->d = sum(r, r->d, r->a, carry, -1); break;
    case IR_CMP: sum(r, r->d, r->a, 0, -1); break;
    case IR_NEG: r->d = sum(r, 0, r->d, 0, -1); break;
    case IR_INC: step(r, 1); break;
    case IR_DEC: step(r, -1); break;
    case IR_AND: r->d = logic(r, r->d & r->a); break;
    case IR_OR: r->d = logic(r, r->d | r->a); break;
    case IR_XOR: r->d = logic(r, r->d ^ r->a); break;
    case IR_TEST: logic(r, r->d & r->a); break;
    case IR_NOT: r->d = ~r->d & mask_of(r); break;
    case IR_IMUL2:
    case IR_IMUL3:
    case IR_MUL:
    case IR_IMUL: multiply(op, r); break;
    case IR_DIV:
    case IR_IDIV: divide(op, r); break;
    case IR_ROL:
    case IR_ROR:
    case IR_RCL:
    case IR_RCR:
    case IR_SHL:
    case IR_SHR:
    case IR_SAR: shift(op, r); break;
    case IR_SHLD:
    case IR_SHRD: double_shift(op, r); break;
    case IR_BT:
    case IR_BTS:
    case IR_BTR:
    case IR_BTC: bit_test(op, r); break;
    case IR_BSF:
    case IR_BSR:
    case IR_POPCNT: scan(op, r); break;
    case IR_CRC32: crc32(r); break;
    case IR_CMPXCHG: compare_exchange(r); break;
    case IR_XADD: exchange_add(r); break;
    case IR_CLC: set(r, IR_CF, false); break;
    case IR_STC: set(r, IR_CF, true); break;
    case IR_CMC: set(r, IR_CF, !carry); break;
    case IR_GETFLAGS: r->d = ir_flags_to_eflags(r->fl); break;
    case IR_SETFLAGS: r->fl = ir_flags_from_eflags(r->a); break;
    default: r->skip = true; break;
    }
}
