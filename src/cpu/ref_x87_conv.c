/* x87 reference: loads, stores, conversions, register moves and the control instructions that are
 * identity operations. */
#include "cpu/ref_x87.h"

#include <string.h>

/* --- loads --------------------------------------------------------------------------------------- */

/* True when there is room; else the masked response has been given, or nothing may change. */
static bool push_room(X87 *x)
{
    if (x87_empty(x, 7)) return true;
    if (x87_stack_fault(x, true)) {
        x87_move_top(x, -1);
        x87_put(x, 0, sf_default_nan());
    }
    return false;
}

static void push(X87 *x, Fp80 v)
{
    x87_move_top(x, -1);
    x87_put_raw(x, 0, v);
}

static void load_real(X87 *x, SfNum a)
{
    SfNum r;
    if (!push_room(x)) return;
    if (!x87_special1(x, a, &r)) r = a;
    bool pushed = !(x->env.flags & SF_IE & ~x->env.masked); /* an unmasked DE does not stop it */
    x87_commit(x);
    if (pushed) push(x, sf_pack80(r));
}

/* D9 /0 m32, DD /0 m64, DB /5 m80 (no conversion, no exception). */
void x87_fld_mem(X87 *x)
{
    uint32_t d;
    uint64_t q;
    Fp80 v;
    switch (x->opcode) {
    case 0xd9:
        memcpy(&d, x->mem, 4);
        load_real(x, sf_unpack32(d));
        break;
    case 0xdd:
        memcpy(&q, x->mem, 8);
        load_real(x, sf_unpack64(q));
        break;
    default:
        if (!push_room(x)) return;
        memcpy(&v.mant, x->mem, 8);
        memcpy(&v.se, x->mem + 8, 2);
        push(x, v);
        break;
    }
}

/* DF /0 m16, DB /0 m32, DF /5 m64 */
void x87_fild(X87 *x)
{
    int64_t v;
    int32_t d;
    int16_t w;
    if (!push_room(x)) return;
    if (x->opcode == 0xdb) {
        memcpy(&d, x->mem, 4);
        v = d;
    } else if ((x->modrm & 0x38) == 0x28) {
        memcpy(&v, x->mem, 8);
    } else {
        memcpy(&w, x->mem, 2);
        v = w;
    }
    push(x, sf_pack80(sf_from_int(v)));
}

/* DF /4: 18 BCD digits and a sign; digits that are not decimal count as they stand. */
void x87_fbld(X87 *x)
{
    if (!push_room(x)) return;
    uint64_t v = 0;
    for (int i = 8; i >= 0; i--) v = v * 100 + (x->mem[i] >> 4) * 10u + (x->mem[i] & 15);
    SfNum n = sf_from_int((int64_t)v);
    n.sign = x->mem[9] >> 7;
    push(x, sf_pack80(n));
}

void x87_fld_sti(X87 *x)
{
    bool over = !x87_empty(x, 7), under = x87_empty(x, x->rm);
    Fp80 v = x->f->r[x87_phys(x, x->rm)];
    if (over || under) {
        if (!x87_stack_fault(x, !under)) return;
        v = sf_pack80(sf_default_nan());
    }
    push(x, v);
}

/* D9 E8..EE.  Round to nearest is .se/.mant; up[i], down[i]: what the directed modes change. */
void x87_fld_const(X87 *x)
{
    static const struct {
        Fp80 nearest;
        int8_t up, down;
    } constants[7] = {
        { { 0x8000000000000000u, 0x3fff }, 0, 0 },  /* 1 */
        { { 0xd49a784bcd1b8afeu, 0x4000 }, 1, 0 },  /* log2(10) */
        { { 0xb8aa3b295c17f0bcu, 0x3fff }, 0, -1 }, /* log2(e) */
        { { 0xc90fdaa22168c235u, 0x4000 }, 0, -1 }, /* pi */
        { { 0x9a209a84fbcff799u, 0x3ffd }, 0, -1 }, /* log10(2) */
        { { 0xb17217f7d1cf79acu, 0x3ffe }, 0, -1 }, /* ln(2) */
        { { 0, 0 }, 0, 0 },
    };
    unsigned i = x->modrm & 7;
    if (i > 6 || !push_room(x)) return;
    Fp80 v = constants[i].nearest;
    if (x->env.rc == SF_UP) v.mant += (uint64_t)constants[i].up;
    if (x->env.rc == SF_DOWN || x->env.rc == SF_CHOP) v.mant += (uint64_t)(int64_t)constants[i].down;
    push(x, v);
}

/* --- stores -------------------------------------------------------------------------------------- */

/* Empty ST(0): true when the store and the pop go on, with the indefinite value. */
static bool store_missing(X87 *x)
{
    x->no_store = !x87_stack_fault(x, false);
    return !x->no_store;
}

static SfNum narrow(X87 *x, SfNum a, const SfFormat *f)
{
    SfNum r;
    if (x87_special1(x, a, &r)) return r;
    x->env.flags &= (uint8_t)~SF_DE; /* storing raises none: a denormal here is an underflow there */
    return sf_round_num(&x->env, f, a);
}

/* Exceptions of a store; unmasked overflow and underflow leave memory alone too. */
static bool store_commit(X87 *x)
{
    unsigned unmasked = x->env.flags & ~x->env.masked;
    if (unmasked & (SF_OE | SF_UE)) {
        x->env.flags &= (uint8_t)~SF_PE;
        x->env.up = false;
    }
    if (!x87_commit(x) || (unmasked & (SF_OE | SF_UE))) x->no_store = true;
    return !x->no_store;
}

/* D9 /2 /3 m32, DD /2 /3 m64, DB /7 m80; 3 and 7 pop. */
void x87_fst_mem(X87 *x)
{
    bool empty = x87_empty(x, 0);
    SfNum a = empty ? sf_default_nan() : x87_get(x, 0);
    if (empty && !store_missing(x)) return;
    if (x->opcode == 0xdb) {
        Fp80 v = empty ? sf_pack80(a) : x->f->r[x87_phys(x, 0)];
        memcpy(x->mem, &v.mant, 8);
        memcpy(x->mem + 8, &v.se, 2);
    } else {
        bool single = x->opcode == 0xd9;
        SfNum r = narrow(x, a, single ? &sf_f32 : &sf_f64);
        if (!store_commit(x)) return;
        uint32_t d = sf_pack32(r);
        uint64_t q = sf_pack64(r);
        memcpy(x->mem, single ? (void *)&d : (void *)&q, single ? 4 : 8);
    }
    if (x->modrm & 8) x87_pop(x);
}

/* DB DD DF /1 FISTTP, DB DF /2 FIST, /3 and DF /7 FISTP. */
void x87_fist(X87 *x)
{
    unsigned reg = x->modrm >> 3 & 7;
    unsigned size = x->opcode == 0xdb ? 4 : x->opcode == 0xdd || reg == 7 ? 8 : 2;
    bool empty = x87_empty(x, 0);
    uint64_t v;
    if (empty && !store_missing(x)) return;
    if (empty) {
        v = (uint64_t)1 << (size * 8 - 1);
    } else {
        SfNum a = x87_get(x, 0);
        v = (uint64_t)sf_to_int(&x->env, a, reg == 1 ? SF_CHOP : x->env.rc, size * 8);
        if (!store_commit(x)) return;
    }
    uint16_t w = (uint16_t)v;
    uint32_t d = (uint32_t)v;
    memcpy(x->mem, size == 2 ? (void *)&w : size == 4 ? (void *)&d : (void *)&v, size);
    if (reg != 2) x87_pop(x);
}

/* DF /6 */
void x87_fbstp(X87 *x)
{
    static const uint8_t indefinite[10] = { 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff };
    uint8_t image[10];
    bool empty = x87_empty(x, 0);
    if (empty && !store_missing(x)) return;
    memcpy(image, indefinite, sizeof image);
    if (!empty) {
        SfNum a = x87_get(x, 0);
        int64_t v = sf_to_int(&x->env, a, x->env.rc, 64);
        uint64_t mag = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
        if (mag > 999999999999999999u) {
            x->env.flags = (uint8_t)((x->env.flags & ~SF_PE) | SF_IE);
            x->env.up = false;
        }
        if (!store_commit(x)) return;
        if (!(x->env.flags & SF_IE)) {
            for (int i = 0; i < 9; i++, mag /= 100) image[i] = (uint8_t)(mag / 10 % 10 << 4 | mag % 10);
            image[9] = (uint8_t)(a.sign << 7);
        }
    }
    memcpy(x->mem, image, sizeof image);
    x87_pop(x);
}

/* DD D0 FST, DD D8 FSTP and the FSTP aliases. */
void x87_fst_sti(X87 *x)
{
    bool pop = !(x->opcode == 0xdd && !(x->modrm & 8));
    Fp80 v = x->f->r[x87_phys(x, 0)];
    if (x87_empty(x, 0)) {
        if (x->opcode == 0xd9) { /* this alias only pops an empty ST(0), and in silence */
            x87_pop(x);
            return;
        }
        if (!x87_stack_fault(x, false)) return;
        v = sf_pack80(sf_default_nan());
    }
    x87_put_raw(x, x->rm, v);
    if (pop) x87_pop(x);
}

/* --- register moves ------------------------------------------------------------------------------ */

void x87_fxch(X87 *x)
{
    bool e0 = x87_empty(x, 0), ei = x87_empty(x, x->rm);
    Fp80 a = x->f->r[x87_phys(x, 0)], b = x->f->r[x87_phys(x, x->rm)];
    if (e0 || ei) {
        if (!x87_stack_fault(x, false)) return;
        if (e0) a = sf_pack80(sf_default_nan());
        if (ei) b = sf_pack80(sf_default_nan());
    }
    x87_put_raw(x, 0, b);
    x87_put_raw(x, x->rm, a);
}

/* DA: B E BE U; DB: their negations. */
void x87_fcmov(X87 *x)
{
    static const uint8_t tested[4] = { FL_CF, FL_ZF, FL_CF | FL_ZF, FL_PF };
    if (x87_empty(x, 0) || x87_empty(x, x->rm)) {
        if (x87_stack_fault(x, false)) x87_put(x, 0, sf_default_nan());
        return;
    }
    bool cond = (cpu_arith_flags(x->cpu->cc) & tested[x->modrm >> 3 & 3]) != 0;
    if (cond == (x->opcode == 0xda)) x87_put_raw(x, 0, x->f->r[x87_phys(x, x->rm)]);
}

/* DD C0 FFREE; DF C0 FFREEP also pops. */
void x87_ffree(X87 *x)
{
    x87_free(x, x->rm);
    if (x->opcode == 0xdf) x87_pop(x);
}

void x87_fincdec(X87 *x)
{
    x87_move_top(x, x->modrm == 0xf7 ? 1 : -1);
}
void x87_nop(X87 *x)
{
    (void)x;
}

/* --- control (no wait, no exceptions) ------------------------------------------------------------ */

void x87_fnstcw(X87 *x)
{
    memcpy(x->mem, &x->f->cw, 2);
}
void x87_fnstsw_mem(X87 *x)
{
    memcpy(x->mem, &x->f->sw, 2);
}
void x87_fnstsw_ax(X87 *x)
{
    x->cpu->regs[R_EAX] = (x->cpu->regs[R_EAX] & 0xffff0000u) | x->f->sw;
}
