/* IR -> Ops.  What costs time at run time is decided here: which variant for the flags that are live, where the
 * operands are, whether a memory access can take the fast form. */
#include "backend/interp/interp.h"
#include "tcg/silicon.h"

#include <string.h>

typedef struct Emit {
    InterpArena *arena;
    const IrBlock *b;
    const EmitInfo *info;
    BackendCode *out;
    Op *start, *op, *end; /* op: the next free place */
    uint32_t *temps;      /* of this block, when it has more than the arena's */
    uint32_t eip;         /* current guest instruction */
    uint32_t ir_index;
    unsigned compare; /* flags that are in InterpTmp.x and .y rather than in CPUState.cc */
    EmitMap *map;
    unsigned map_cap, map_n;
    bool failed;
} Emit;

static uint32_t no_register; /* never written: reads as 0 */

static const char interp_data[] = ""; /* an Op's place that belongs to the Op before it */

static Op *new_op(Emit *e, Handler *fn, const char *purpose)
{
    if (!fn || e->op == e->end) {
        static Op scratch; /* the block is given up: somewhere to write meanwhile */
        e->failed = true;
        return &scratch;
    }
    if (e->map && e->map_n < e->map_cap && purpose != interp_data)
        e->map[e->map_n++] = (EmitMap){ (uint32_t)((char *)e->op - (char *)e->start), e->ir_index, purpose, false };
    Op *op = e->op++;
    memset(op, 0, sizeof *op);
    op->fn = fn;
    op->eip = e->eip;
    return op;
}

static void *reg_word(Emit *e, unsigned reg)
{
    if (reg < IR_TEMP0) return &e->arena->cpu->regs[reg];
    return &e->temps[reg - IR_TEMP0];
}

/* Where an operand is; an immediate is put into *imm. */
static void *operand(Emit *e, const IrOpnd *o, unsigned width, uint32_t *imm)
{
    if (o->kind == IR_REG) return word_part(reg_word(e, o->reg), width, o->high);
    *imm = o->kind == IR_IMM ? o->imm : 0;
    return word_part(imm, width, false);
}

static void set_operands(Emit *e, Op *op, const IrInsn *in, unsigned dst_width, unsigned src_width)
{
    op->ir_op = in->op;
    op->width = (uint8_t)(in->width ? in->width : 4);
    op->cc = in->cc;
    if (in->dst.kind == IR_REG) op->d = operand(e, &in->dst, dst_width, &op->imm);
    if (in->dst.kind == IR_IMM) op->d = operand(e, &in->dst, dst_width, &op->imm2); /* CMP, TEST of constants */
    op->a = operand(e, &in->a, src_width, &op->imm);
}

static const void *address_reg(Emit *e, unsigned reg)
{
    return reg == IR_NOREG ? &no_register : reg_word(e, reg);
}

/* True: flat, 32-bit, and nothing to check but the TLB. */
static bool set_memory(Emit *e, Op *op, const IrInsn *in, unsigned size)
{
    const IrMem *m = &in->mem;
    bool slow = (e->b->mode & MODE_SLOW_MEM) != 0;

    op->b = address_reg(e, m->base);
    op->p = address_reg(e, m->index);
    op->shift = m->shift;
    op->imm2 = m->disp;
    op->seg = m->seg;
    op->mmu_idx = e->b->mmu_idx;
    op->how = (uint8_t)((m->asize == 2 ? HOW_ADDR16 : 0) | (m->flat ? HOW_FLAT : 0) |
                        (slow || (m->align > 1 && in->op != IR_X87 && in->op != IR_VEC) ? HOW_SLOW : 0));
    op->desc = size | (uint32_t)m->seg << MEMD_SEG_SHIFT | (m->flat ? MEMD_FLAT : 0) | (m->align > 1 ? MEMD_ALIGN : 0) |
               (uint32_t)e->b->mmu_idx << MEMD_IDX_SHIFT;
    if (in->op == IR_LDRMW) op->desc |= MEMD_RMW;
    return op->how == HOW_FLAT;
}

/* --- flags ------------------------------------------------------------------------------------ */
static bool tests_cc(const IrInsn *in)
{
    return in->op == IR_JCC || in->op == IR_SETCC || in->op == IR_CMOV;
}

/* Conditions that an operation's VAR_COMPARE can tell: bit cc. */
static unsigned comparable(unsigned ir_op)
{
    enum { NO_PARITY = 0xffff & ~(1 << 10 | 1 << 11), ZERO_AND_SIGN = 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 };

    switch (ir_op) {
    case IR_CMP:
    case IR_SUB:
    case IR_NEG:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_TEST: return NO_PARITY;
    case IR_ADD:
    case IR_INC:
    case IR_DEC: return ZERO_AND_SIGN;
    default: return 0;
    }
}

static unsigned flags_read(const IrInsn *in)
{
    unsigned rd = in->fl_rd & IR_FL_ALL;
    if (tests_cc(in)) rd |= ir_cc_flags(in->cc);
    return rd;
}

/* Can the flags of operation i, of which `live` are read later, be left as a comparison?  Only if all their readers are
 * conditions in this block, before anything that may look into CPUState. */
static bool compare_will_do(const Emit *e, uint32_t i, unsigned live)
{
    unsigned can = comparable(e->b->insn[i].op);

    if (!can) return false;
    for (uint32_t j = i + 1; j < e->b->n; j++) {
        const IrInsn *in = &e->b->insn[j];
        unsigned attr = ir_op_info[in->op].attr;

        if (in->op == IR_MARK || in->op == IR_NOP) continue;
        if (flags_read(in) & live && (!tests_cc(in) || !(can >> in->cc & 1))) return false;
        if (attr & IR_ENDS) return !(live & e->b->fl_live_out);
        if (attr & (IR_RAISES | IR_SIDE)) return false;
        if (in->fl_wr & live) {
            /* Partly overwritten: the rest would be in another place than those. */
            return !(live & ~(unsigned)in->fl_wr);
        }
        if (in->fl_wr) return false;
    }
    return false;
}

static unsigned choose_variant(Emit *e, uint32_t i)
{
    const IrInsn *in = &e->b->insn[i];
    unsigned live = in->fl_live & in->fl_wr;

    if (!live) return VAR_NONE;
    if (in->fl_wr == silicon_flags_written(in->op) && compare_will_do(e, i, live)) {
        e->compare = live;
        return VAR_COMPARE;
    }
    e->compare &= ~(unsigned)in->fl_wr;
    return VAR_FLAGS;
}

/* --- one operation each --------------------------------------------------------------------------- */
/* Those that compute flags, with care for the ones that this instruction is not to write. */
static void emit_alu(Emit *e, const IrInsn *in, Handler *find(unsigned, unsigned, unsigned), bool always_writes)
{
    unsigned natural = silicon_flags_written(in->op), variant = choose_variant(e, e->ir_index);
    bool keep = (natural & ~(unsigned)in->fl_wr) && (variant == VAR_FLAGS || always_writes);

    if (keep) new_op(e, interp_cc_save, "flag save");
    Op *op = new_op(e, find(in->op, in->width, variant), NULL);
    set_operands(e, op, in, in->op == IR_CRC32 ? 4 : in->width, in->width);
    op->variant = (uint8_t)variant;
    if (in->op == IR_SHLD || in->op == IR_SHRD)
        op->b = operand(e, &in->b, 1, &op->imm2);
    else if (in->op >= IR_ROL && in->op <= IR_SAR)
        op->a = operand(e, &in->a, 1, &op->imm);
    else if (in->op == IR_IMUL3)
        op->b = operand(e, &in->b, in->width, &op->imm2);
    if (keep) new_op(e, interp_cc_merge, "flag merge")->imm = cc_from_ir(in->fl_wr);
}

static void emit_move(Emit *e, const IrInsn *in)
{
    unsigned src = in->op == IR_MOVZX || in->op == IR_MOVSX ? in->width2 : in->width;
    unsigned width2 = in->op == IR_LEA ? in->mem.asize : in->width2;
    Op *op = new_op(e, interp_move(in->op, in->width, width2), NULL);

    set_operands(e, op, in, in->op == IR_LDSTATE ? 4 : in->width, src);
    if (in->op == IR_LEA) set_memory(e, op, in, 0);
    if (in->op == IR_LDSTATE || in->op == IR_STSTATE) op->imm2 = in->b.imm;
    if (in->op == IR_LDCODE) op->p = e->info->code + in->b.imm;
}

static void emit_mem(Emit *e, const IrInsn *in)
{
    unsigned size = in->op == IR_LDZX || in->op == IR_LDSX ? in->width2 : in->width;
    Op probe, *op;

    bool fast = set_memory(e, &probe, in, size);
    op = new_op(e, interp_mem(in->op, in->width, in->width2, fast), NULL);
    set_operands(e, op, in, in->width, in->width);
    set_memory(e, op, in, size);
}

static void emit_cond(Emit *e, const IrInsn *in)
{
    bool compare = ir_cc_flags(in->cc) & e->compare;
    unsigned variant = compare ? VAR_COMPARE : VAR_FLAGS, width = in->op == IR_SETCC ? 1 : in->width;
    Op *op = new_op(e, interp_cond(in->op, width, in->cc, variant), NULL);

    set_operands(e, op, in, width, width);
    op->variant = (uint8_t)variant;
}

static void emit_flags(Emit *e, const IrInsn *in)
{
    static const uint8_t carry[3][2] = { { 0, 0 }, { 0, 1 }, { 1, 1 } }; /* CLC, STC, CMC */
    Op *op;

    if (in->op == IR_GETFLAGS || in->op == IR_SETFLAGS) {
        op = new_op(e, in->op == IR_GETFLAGS ? interp_getflags : interp_setflags, NULL);
        set_operands(e, op, in, in->width, in->width);
        if (in->op == IR_SETFLAGS) op->imm2 = cc_from_ir(in->fl_wr);
    } else {
        op = new_op(e, interp_carry, NULL);
        op->ir_op = in->op;
        op->imm = carry[in->op - IR_CLC][0];
        op->imm2 = carry[in->op - IR_CLC][1];
    }
    e->compare &= ~(unsigned)in->fl_wr;
}

static void emit_helper(Emit *e, const IrInsn *in)
{
    const IrHelperInfo *h = ir_helper_info(in->helper);
    const IrOpnd *args[4] = { &in->a, &in->b, &in->c, &in->d };
    static uint32_t nowhere;

    if (!h) {
        e->failed = true;
        return;
    }
    if (e->info->tally) new_op(e, interp_tally, "tally")->p = e->info->tally(e->info->tally_opaque, in->helper);
    Op *op = new_op(e, interp_helper(h), NULL), *place = new_op(e, interp_exit, interp_data);
    HelperArgs a;
    memset(&a, 0, sizeof a);
    op->ir_op = in->op;
    op->width = in->width ? in->width : 4;
    op->variant = h->has_ret;
    op->p = h->fn;
    op->imm = in->helper;
    op->d = in->dst.kind == IR_REG ? operand(e, &in->dst, op->width, &op->imm2) : &nowhere;
    HelperArgs *there = (HelperArgs *)(void *)place;
    for (unsigned i = 0; i < 4; i++) {
        a.arg[i] = operand(e, args[i], 4, &there->imm[i]);
        a.imm[i] = args[i]->kind == IR_IMM ? args[i]->imm : 0;
    }
    memcpy(place, &a, sizeof a);
    e->compare &= ~(unsigned)h->fl_wr;
}

static void emit_fp(Emit *e, const IrInsn *in)
{
    Op *op = new_op(e, interp_fp(in), NULL), *place = new_op(e, interp_exit, interp_data);

    op->ir_op = in->op;
    if (in->fp.rm_kind == IR_FP_MEM) set_memory(e, op, in, in->fp.mem_size);
    memcpy(place, &in->fp, sizeof in->fp);
    e->compare &= ~(unsigned)in->fl_wr;
}

static void emit_chkmode(Emit *e, const IrInsn *in)
{
    Op *op = new_op(e, interp_chkmode, NULL);

    op->ir_op = in->op;
    op->imm = e->b->mode;
    op->imm2 = in->target[0];
}

/* --- ways out --------------------------------------------------------------------------------------- */
static bool chained(const Emit *e)
{
    return !e->info->no_chain && !(e->b->mode & MODE_SINGLE);
}

/* The stub for exit i, to guest address eip; *site follows it until linked. */
static void add_exit(Emit *e, unsigned i, uint32_t eip, const void **site)
{
    BackendExit *exit = &e->out->exit[i];
    Op *stub = new_op(e, interp_stub, chained(e) ? "chain slot" : "exit");

    stub->imm = eip;
    stub->p = chained(e) ? exit : NULL;
    *site = stub;
    *exit =
        (BackendExit){ .owner = e->info->owner, .eip = eip, .used = chained(e), .site = (void *)site, .stub = stub };
}

static void emit_end(Emit *e, const IrInsn *in)
{
    Op *op;

    switch (in->op) {
    case IR_GOTO:
    case IR_CALL:
        op = new_op(e, interp_goto, NULL);
        op->ir_op = in->op;
        op->imm = in->target[0];
        add_exit(e, 0, in->target[0], &op->p);
        return;
    case IR_JCC:
    case IR_JZ:
    case IR_JNZ:
        if (in->op == IR_JCC) {
            emit_cond(e, in);
            op = e->op - 1;
        } else {
            op = new_op(e, interp_jz(in->op, in->width), NULL);
            set_operands(e, op, in, in->width, in->width);
        }
        if (e->failed) return;
        op->imm = in->target[0];
        op->imm2 = in->target[1];
        add_exit(e, 0, in->target[0], &op->p);
        add_exit(e, 1, in->target[1], &op->b);
        return;
    case IR_EXIT: new_op(e, interp_exit, NULL)->ir_op = in->op; return;
    default: /* RET, JMPR, CALLR */
        if (e->info->lookup && chained(e)) {
            op = new_op(e, interp_tell, "lookup told");
            set_operands(e, op, in, 4, in->width == 2 ? 2 : 4);
            if (e->failed) return;
            op->p = e->info->lookup;
        }
        op = new_op(e, interp_indirect, NULL);
        set_operands(e, op, in, 4, in->width == 2 ? 2 : 4);
        op->imm2 = e->info->mode_id;
        op->variant = !chained(e);
        return;
    }
}

static void emit_one(Emit *e, const IrInsn *in)
{
    unsigned op = in->op;

    if (op == IR_MARK)
        e->eip = in->target[0];
    else if (op == IR_NOP)
        return;
    else if (ir_op_info[op].attr & IR_ENDS)
        emit_end(e, in);
    else if (op >= IR_LD && op <= IR_STRMW)
        emit_mem(e, in);
    else if (op >= IR_ADD && op <= IR_NOT)
        emit_alu(e, in, interp_alu, false);
    else if (op >= IR_ROL && op <= IR_SHRD)
        emit_alu(e, in, interp_shift, false);
    else if ((op >= IR_IMUL2 && op <= IR_IDIV) || (op >= IR_BT && op <= IR_XADD) || op == IR_CDQ)
        emit_alu(e, in, interp_arith, true);
    else if (op == IR_CMOV || op == IR_SETCC)
        emit_cond(e, in);
    else if (op >= IR_CLC && op <= IR_SETFLAGS)
        emit_flags(e, in);
    else if (op == IR_HELPER)
        emit_helper(e, in);
    else if (op == IR_X87 || op == IR_VEC)
        emit_fp(e, in);
    else if (op == IR_CHKMODE)
        emit_chkmode(e, in);
    else
        emit_move(e, in);
}

/* The page checks before the block: the first page only when entered from another page. */
static void emit_entry(Emit *e)
{
    unsigned user = (e->b->mode & MODE_CPL) == 3;

    e->ir_index = EMIT_MAP_ENTRY;
    e->eip = e->b->eip;
    e->out->entry_checked = e->out->entry_again = e->op;
    e->out->entry = e->op + (e->info->n_pages > 0);
    for (unsigned i = 0; i < e->info->n_pages && i < 2; i++) {
        Op *op = new_op(e, interp_check_page, "page check");
        op->p = &e->arena->cpu->mmu.itlb[!user][mmu_itlb_index(e->info->page_lin[i])];
        op->imm = e->info->itlb_word[i];
    }
    if (e->info->count) new_op(e, interp_count, "count")->imm = e->b->n_guest;
}

/* More temporaries than the arena has room for: the block brings its own. */
static void place_temps(Emit *e)
{
    size_t bytes = e->b->n_temps * sizeof *e->temps;
    Op *at = e->op;

    e->temps = e->arena->temp;
    if (e->b->n_temps <= INTERP_TEMPS) return;
    e->temps = (uint32_t *)(void *)at;
    size_t ops = (bytes + sizeof *at - 1) / sizeof *at;
    if ((size_t)(e->end - at) < ops)
        e->failed = true;
    else
        e->op += ops;
}

bool interp_emit(CodeArena *arena, const IrBlock *b, const EmitInfo *info, BackendCode *out, EmitMap *map,
                 unsigned map_cap, unsigned *map_n)
{
    Op *at = (Op *)(void *)(arena->rw + arena->used);
    size_t room = (arena->size - arena->used) / sizeof *at;
    Emit e = {
        .arena = (InterpArena *)(void *)arena->rw,
        .b = b,
        .info = info,
        .out = out,
        .start = at,
        .op = at,
        .end = at + room,
        .map = map,
        .map_cap = map_cap,
    };

    memset(out, 0, sizeof *out);
    place_temps(&e);
    e.start = e.op;
    if (!e.failed) emit_entry(&e);
    for (uint32_t i = 0; i < b->n && !e.failed; i++) {
        e.ir_index = i;
        emit_one(&e, &b->insn[i]);
    }
    if (e.failed) return false;
    out->size = (uint32_t)((char *)e.op - (char *)e.start);
    arena->used += (size_t)((char *)e.op - (char *)at);
    if (map_n) *map_n = e.map_n;
    return true;
}
