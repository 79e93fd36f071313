/* Runs: memory accesses whose addresses differ by known constants and lie close together can share one
 * page check, made by the first of them for the bytes of all.
 *
 * Each register's value is followed as (origin, offset): LEA, MOV, ADD, SUB, INC and DEC with constants keep the
 * origin, everything else starts a new one.  So PUSH after PUSH, or fields of one structure, are seen
 * to be neighbours whatever the registers are called.
 *
 * A run that begins with a load takes only loads: checking for writing would set the dirty bit of a page that is
 * perhaps never written.  A run that begins with a store takes both.  Callouts end runs, since they may
 * change the mapping.  The pass only annotates (IrMem.run ...); a backend may ignore it. */
#include "tcg/notes.h"
#include "tcg/pass.h"

#include <string.h>

enum { MAX_RUNS = 256, OPEN_RUNS = 3, MAX_SPAN = 512 };

typedef struct Value {
    uint32_t origin; /* 0: not followed yet */
    uint32_t offset;
} Value;

/* What accesses of one run have in common. */
typedef struct Key {
    uint32_t base, index; /* origins; 1 = the constant 0 */
    uint32_t index_offset;
    uint8_t shift;
} Key; /* not the segment: all accesses here are flat */

typedef struct Run {
    Key key;
    uint32_t first_offset; /* of the first access; lo and hi are relative to it */
    int32_t lo, hi;
    uint32_t members;
    bool writes;
    const IrInsn *first;
} Run;

typedef struct Runs {
    Value value[PASS_MAX_REGS];
    uint32_t next_origin;
    Run run[MAX_RUNS];
    uint16_t n;
    uint16_t open[OPEN_RUNS]; /* most recent first; 0 none */
} Runs;

enum { ORIGIN_ZERO = 1, ORIGIN_FIRST = 2 };

static Value value_of(Runs *r, unsigned reg)
{
    if (reg == IR_NOREG) return (Value){ ORIGIN_ZERO, 0 };
    if (reg >= PASS_MAX_REGS) return (Value){ r->next_origin++, 0 };
    if (!r->value[reg].origin) r->value[reg] = (Value){ r->next_origin++, 0 };
    return r->value[reg];
}

static bool is_whole(const IrInsn *in)
{
    return in->width == 4 && in->dst.kind == IR_REG && in->dst.reg < PASS_MAX_REGS;
}

/* The new value of in's destination when it is still on a known origin. */
static bool follow(Runs *r, const IrInsn *in, Value *v)
{
    if (!is_whole(in)) return false;
    Value old = value_of(r, in->dst.reg);
    switch (in->op) {
    case IR_LEA:
        if (in->mem.asize != 4 || in->mem.index != IR_NOREG) return false;
        *v = value_of(r, in->mem.base);
        v->offset += in->mem.disp;
        return true;
    case IR_MOV: *v = in->a.kind == IR_IMM ? (Value){ ORIGIN_ZERO, in->a.imm } : value_of(r, in->a.reg); return true;
    case IR_INC: *v = (Value){ old.origin, old.offset + 1 }; return true;
    case IR_DEC: *v = (Value){ old.origin, old.offset - 1 }; return true;
    case IR_ADD:
    case IR_SUB:
        if (in->a.kind != IR_IMM) return false;
        *v = (Value){ old.origin, in->op == IR_ADD ? old.offset + in->a.imm : old.offset - in->a.imm };
        return true;
    default: return false;
    }
}

static void written(Runs *r, const IrInsn *in)
{
    uint16_t reg[12];
    Value v;
    bool known = follow(r, in, &v);
    unsigned n = ir_writes(in, reg);
    for (unsigned i = 0; i < n; i++)
        if (reg[i] < PASS_MAX_REGS) r->value[reg[i]] = (Value){ r->next_origin++, 0 };
    if (known) r->value[in->dst.reg] = v;
}

static unsigned access_size(const IrInsn *in)
{
    if (in->op == IR_X87 || in->op == IR_VEC) return in->fp.mem_size;
    return in->op == IR_LDZX || in->op == IR_LDSX ? in->width2 : in->width;
}

static bool is_store(const IrInsn *in)
{
    if (in->op == IR_X87 || in->op == IR_VEC) return in->fp.mem_use == IR_MEM_W;
    return in->op == IR_ST || in->op == IR_LDRMW;
}

static bool can_join(const Run *run, const Key *key, int32_t lo, int32_t hi, bool store)
{
    if (memcmp(&run->key, key, sizeof *key) || (store && !run->writes)) return false;
    return (hi > run->hi ? hi : run->hi) - (lo < run->lo ? lo : run->lo) <= MAX_SPAN;
}

static void open_run(Runs *r, uint16_t n)
{
    memmove(r->open + 1, r->open, (OPEN_RUNS - 1) * sizeof *r->open);
    r->open[0] = n;
}

/* run_off is relative to the run's first access until finish() knows its lowest byte. */
static void add_access(Runs *r, IrInsn *in)
{
    IrMem *m = &in->mem;
    Value base = value_of(r, m->base), index = value_of(r, m->index);
    Key key;
    memset(&key, 0, sizeof key);
    key.base = base.origin;
    key.index = index.origin;
    key.index_offset = m->index == IR_NOREG ? 0 : index.offset;
    key.shift = m->index == IR_NOREG ? 0 : m->shift;
    uint32_t offset = base.offset + m->disp;
    bool store = is_store(in);
    for (unsigned i = 0; i < OPEN_RUNS && r->open[i]; i++) {
        Run *run = &r->run[r->open[i]];
        int32_t lo = (int32_t)(offset - run->first_offset), hi = (int32_t)((uint32_t)lo + access_size(in));
        if (lo > MAX_SPAN || lo < -MAX_SPAN || !can_join(run, &key, lo, hi, store)) continue;
        if (lo < run->lo) run->lo = lo;
        if (hi > run->hi) run->hi = hi;
        run->members++;
        m->run = r->open[i];
        m->run_off = (uint16_t)lo;
        return;
    }
    if (r->n + 1 >= MAX_RUNS) return;
    uint16_t n = ++r->n;
    r->run[n] = (Run){ key, offset, 0, (int32_t)access_size(in), 1, store, in };
    m->run = n;
    m->run_off = 0;
    m->run_first = 1;
    open_run(r, n);
}

static bool joins_runs(const IrInsn *in)
{
    uint8_t mem = ir_op_info[in->op].mem;
    bool fp = (in->op == IR_X87 || in->op == IR_VEC) && in->fp.rm_kind == IR_FP_MEM && !in->fp.soft;
    if (in->op == IR_STRMW || !(fp || mem == IR_MEM_R || mem == IR_MEM_W || mem == IR_MEM_RW)) return false;
    return in->mem.flat && in->mem.asize == 4 && in->mem.align <= 1;
}

static bool is_callout(const IrInsn *in)
{
    return in->op == IR_HELPER || ((in->op == IR_X87 || in->op == IR_VEC) && in->fp.soft);
}

static void note(const IrBlock *b, const IrInsn *in, const Run *run)
{
    if (in == run->first)
        ir_note(b, in, "one page check, of %d bytes, serves %u accesses", run->hi - run->lo, run->members);
    else
        ir_note(b, in, "shares the page check of %s at %08x", ir_op_info[run->first->op].text,
                ir_insn_eip(b, run->first));
}

static void finish(Runs *r, IrBlock *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        IrMem *m = &b->insn[i].mem;
        if (!m->run) continue;
        const Run *run = &r->run[m->run];
        if (run->members == 1) {
            m->run = m->run_first = 0;
            continue;
        }
        m->run_off = (uint16_t)((int16_t)m->run_off - run->lo);
        m->run_len = (uint16_t)(run->hi - run->lo);
        note(b, &b->insn[i], run);
    }
}

void pass_runs(IrBlock *b)
{
    static Runs r; /* one machine thread */
    uint32_t n_regs = IR_TEMP0 + (uint32_t)b->n_temps;
    memset(r.value, 0, (n_regs < PASS_MAX_REGS ? n_regs : PASS_MAX_REGS) * sizeof *r.value);
    memset(r.open, 0, sizeof r.open);
    r.next_origin = ORIGIN_FIRST;
    r.n = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        IrInsn *in = &b->insn[i];
        in->mem.run = in->mem.run_first = 0;
        if (is_callout(in))
            memset(r.open, 0, sizeof r.open);
        else if (joins_runs(in))
            add_access(&r, in);
        written(&r, in);
    }
    finish(&r, b);
}
