/* The IR's memory operations on every backend: sizes and extensions, address forms, 16-bit addresses, non-flat
 * segments and their limits, page crossing, read-modify-write, the slow path alone; and that a fault leaves
 * everything as it was. */
#include "rig.h"
#include "../tap.h"

#include <string.h>

enum { BASE = 0x8000, LIMIT = 0x2fff, AREA = 0x4000 };

typedef struct Access {
    unsigned op, width, width2;
    bool flat;
    unsigned asize, shift;
    int base, index; /* registers or -1 */
    bool fault;
    uint32_t lin;
    unsigned size;
} Access;

static void random_access(Access *a)
{
    static const uint8_t ops[] = { IR_LD, IR_LDZX, IR_LDSX, IR_ST, IR_LDRMW };

    memset(a, 0, sizeof *a);
    a->op = ops[rig_random() % 5];
    a->width = 1u << rig_random() % 3;
    if (a->op == IR_LDZX || a->op == IR_LDSX) {
        a->width = rig_random() & 1 ? 2 : 4;
        a->width2 = a->width == 4 && rig_random() & 1 ? 2 : 1;
    }
    a->size = a->width2 ? a->width2 : a->width;
    a->flat = rig_random() % 3 != 0;
    a->asize = rig_random() % 4 ? 4 : 2;
    a->base = (int)(rig_random() % 10) - 1;
    a->index = (int)(rig_random() % 10) - 1;
    a->shift = rig_random() & 3;
    if (a->base == 8) a->base = IR_TEMP0;
    if (a->index == 8) a->index = IR_TEMP0 + 1;
    if (a->index == IR_ESP) a->index = -1;
}

/* An offset that makes the sum hit the area, at its edges more often than not. */
static uint32_t wanted_offset(const Access *a)
{
    uint32_t v = rig_random();

    if (!a->flat && v & 1) return LIMIT + 1 - (v >> 1) % 8; /* about the limit */
    if (v & 2) return 0x1000 - (v >> 2) % 8;                /* page crossing */
    return (v >> 2) % 0x2800;
}

static uint32_t value_of(Rig *r, int reg)
{
    return reg < 0 ? 0 : reg < IR_TEMP0 ? r->cpu->regs[reg] : *rig_slot(r, (unsigned)reg - IR_TEMP0);
}

static void build(Rig *r, Access *a)
{
    bool rmw = a->op == IR_LDRMW;
    uint32_t want = wanted_offset(a);

    rig_begin(r);
    unsigned t0 = ir_temp(&r->b), t1 = ir_temp(&r->b), t2 = ir_temp(&r->b);
    rig_load_temp(r, t0, 0);
    rig_load_temp(r, t1, 1);
    rig_load_temp(r, t2, 2);
    if (a->flat) want += BASE;
    uint32_t sum = value_of(r, a->base) + (value_of(r, a->index) << a->shift), disp = want - sum;
    if (a->asize == 2) disp &= 0xffff, want &= 0xffff;
    a->lin = a->flat ? want : BASE + want;
    a->fault = !a->flat && want + a->size - 1 > LIMIT;
    IrMem mem = { .seg = IR_SEG_ES,
                  .flat = a->flat,
                  .asize = (uint8_t)a->asize,
                  .shift = (uint8_t)a->shift,
                  .base = a->base < 0 ? IR_NOREG : (uint16_t)a->base,
                  .index = a->index < 0 ? IR_NOREG : (uint16_t)a->index,
                  .disp = disp };
    IrInsn *in = ir_emit(&r->b, a->op, a->width);
    in->width2 = (uint8_t)a->width2;
    in->mem = mem;
    if (a->op == IR_ST)
        in->a = rig_random() & 1 ? ir_imm(0x12345678u >> (32 - 8 * a->width)) : ir_reg(IR_EAX);
    else
        in->dst = ir_reg(t2);
    if (rmw) {
        in = ir_emit(&r->b, IR_ADD, a->width);
        in->dst = ir_reg(t2);
        in->a = ir_reg(IR_EBX);
        in->fl_live = 0;
        in = ir_emit(&r->b, IR_STRMW, a->width);
        in->mem = mem;
        in->a = ir_reg(t2);
    }
    rig_store_reg(r, t2, 2);
    rig_end(r, RIG_EIP + 2);
}

static uint32_t get(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < n; i++) v |= (uint32_t)p[i] << 8 * i;
    return v;
}

static void put(uint8_t *p, uint32_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* What t2 and the memory should be afterwards. */
static uint32_t predict(Rig *r, const Access *a, uint8_t *mem, uint32_t t2)
{
    uint8_t *p = mem + a->lin - BASE;
    uint32_t mask = (uint32_t)((1ull << 8 * a->width) - 1), v = get(p, a->size);

    if (a->op == IR_ST) {
        const IrOpnd *o = &r->b.insn[4].a;
        put(p, o->kind == IR_IMM ? o->imm : r->cpu->regs[IR_EAX], a->size);
        return t2;
    }
    if (a->op == IR_LDSX && v >> (8 * a->size - 1) & 1) v -= 1u << 8 * a->size;
    if (a->op == IR_LDRMW) {
        v = (v + r->cpu->regs[IR_EBX]) & mask;
        put(p, v, a->size);
    }
    return (t2 & ~mask) | (v & mask);
}

static bool one_round(Rig *r)
{
    static uint8_t expect[AREA + 0x10000];
    Access a;
    uint32_t regs[8], t2;

    for (unsigned i = 0; i < 8; i++) regs[i] = rig_random_value();
    for (unsigned i = 0; i < 3; i++) *rig_slot(r, i) = rig_random_value();
    memcpy(r->cpu->regs, regs, sizeof regs);
    random_access(&a);
    build(r, &a);
    if (a.lin - BASE > AREA) return true;
    for (unsigned i = 0; i < AREA; i++) r->ram[BASE + i] = (uint8_t)(rig_random() >> 9);
    memcpy(expect, r->ram + BASE, AREA);
    t2 = *rig_slot(r, 2);
    if (!a.fault) t2 = predict(r, &a, expect, t2);
    if (!rig_emit(r)) return false;
    rig_run(r);
    bool good = r->raised == (a.fault ? EXC_GP : -1) && r->cpu->eip == RIG_EIP + (a.fault ? 0 : 2) &&
                (a.fault || *rig_slot(r, 2) == t2) && !memcmp(r->ram + BASE, expect, AREA) &&
                !memcmp(r->cpu->regs, regs, sizeof regs);
    if (!good) {
        char text[200];
        ir_print_insn(text, sizeof text, &r->b.insn[4]);
        diag("%s lin %x: raised %d eip %x result %x want %x", text, a.lin, r->raised, r->cpu->eip, *rig_slot(r, 2), t2);
    }
    return good;
}

static void rounds(Rig *r, const char *what)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < 3000 && bad < 3; i++) bad += !one_round(r);
    ok(!bad, "%s: %s", r->backend->name, what);
}

static void test_backend(const char *name)
{
    Rig r;

    if (!rig_open(&r, name)) {
        ok(true, "%s # SKIP not on this host", name);
        return;
    }
    r.cpu->seg[SEG_ES] = (SegCache){ .base = BASE, .limit = LIMIT, .attr = SEG_P | SEG_S | SEG_W | SEG_A | SEG_DB };
    cpu_seg_update_bounds(&r.cpu->seg[SEG_ES], false, true);
    r.cpu->mode = rig_mode & ~(uint32_t)MODE_FLAT_ES;
    rounds(&r, "loads and stores");
    r.cpu->mode |= MODE_DEBUG; /* every access by the slow path */
    rounds(&r, "the same by the slow path");
    rig_close(&r);
}

int main(void)
{
    cpu_register_helpers();
    test_backend("interp");
    test_backend("x86_64");
    return tap_done();
}
