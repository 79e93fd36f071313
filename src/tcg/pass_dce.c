/* Dead code: operations whose only effect is on registers (and flags) that are overwritten before anybody
 * looks.  Temporaries die at the block's end; guest registers are looked at there, and wherever an
 * exception may be raised.  Also takes out the NOPs that other passes leave. */
#include "tcg/notes.h"
#include "tcg/pass.h"

#include <string.h>

enum { GPR_ALL = 0xff };

typedef struct Live {
    uint8_t gpr;
    uint8_t temp[PASS_MAX_REGS]; /* by temporary number */
} Live;

static bool is_live(const Live *l, unsigned reg)
{
    if (reg < IR_TEMP0) return l->gpr >> reg & 1;
    return reg - IR_TEMP0 >= PASS_MAX_REGS || l->temp[reg - IR_TEMP0];
}

static void set_live(Live *l, unsigned reg, bool live)
{
    if (reg < IR_TEMP0)
        l->gpr = (uint8_t)((l->gpr & ~(1u << reg)) | (unsigned)live << reg);
    else if (reg - IR_TEMP0 < PASS_MAX_REGS)
        l->temp[reg - IR_TEMP0] = live;
}

/* x87, MMX and SSE between registers: nothing can be raised while every exception is masked. */
static bool is_quiet_fp(const IrInsn *in)
{
    return (in->op == IR_X87 || in->op == IR_VEC) && !in->fp.soft && in->fp.rm_kind != IR_FP_MEM;
}

/* Leaves the block or lets C code look at the registers. */
static bool observes(const IrInsn *in)
{
    unsigned attr = ir_op_info[in->op].attr;

    if (in->op == IR_MARK || in->op == IR_STRMW || is_quiet_fp(in)) return false;
    return (attr & (IR_RAISES | IR_ENDS | IR_SIDE)) != 0;
}

static bool dead(const Live *l, const IrInsn *in, const uint16_t *wr, unsigned n_wr)
{
    if (ir_op_info[in->op].attr || in->fl_live) return false;
    for (unsigned i = 0; i < n_wr; i++)
        if (is_live(l, wr[i])) return false;
    return true;
}

/* What is stored to CPUState and stored again before anybody looks: each x87 instruction leaves its address there. */
typedef struct Overwritten {
    uint32_t offset;
    unsigned width; /* 0: nothing known */
} Overwritten;

static bool is_overwritten(Overwritten *later, const IrInsn *in)
{
    if (in->op == IR_STSTATE && in->b.kind == IR_IMM) {
        if (later->width == in->width && later->offset == in->b.imm) return true;
        *later = (Overwritten){ in->b.imm, in->width };
    } else if (in->op == IR_LDSTATE || observes(in)) {
        later->width = 0;
    }
    return false;
}

static void note_removed(const IrBlock *b, const IrInsn *in, const uint16_t *wr, unsigned n_wr)
{
    char name[8];
    if (in->op == IR_STSTATE)
        ir_note(b, in, "removed: the next one stores there, too, and nobody looks before");
    else if (!n_wr)
        ir_note(b, in, "removed: it does nothing");
    else if (wr[0] < IR_TEMP0)
        ir_note(b, in, "removed: %s is written again before anybody looks", ir_reg_text(name, wr[0]));
    else
        ir_note(b, in, "removed: nobody reads %s", ir_reg_text(name, wr[0]));
}

static void sweep(IrBlock *b)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        if (b->insn[i].op == IR_NOP) continue;
        if (n != i) b->insn[n] = b->insn[i];
        ir_notes_moved(b, i, n);
        n++;
    }
    b->n = n;
}

void pass_dce(IrBlock *b)
{
    Live live;
    Overwritten later = { 0 };
    bool nops = false;
    unsigned n_temps = b->n_temps < PASS_MAX_REGS ? b->n_temps : PASS_MAX_REGS;

    live.gpr = GPR_ALL;
    memset(live.temp, 0, n_temps);
    for (uint32_t i = b->n; i-- > 0;) {
        IrInsn *in = &b->insn[i];
        uint16_t rd[12], wr[12];
        unsigned n_wr = ir_writes(in, wr);

        if (in->op != IR_NOP && (dead(&live, in, wr, n_wr) || is_overwritten(&later, in))) {
            if (b->notes) note_removed(b, in, wr, n_wr);
            ir_make_nop(in);
        }
        if (in->op == IR_NOP) {
            nops = true;
            continue;
        }
        unsigned n_rd = ir_reads(in, rd);
        for (unsigned k = 0; k < n_wr; k++) set_live(&live, wr[k], false);
        for (unsigned k = 0; k < n_rd; k++) set_live(&live, rd[k], true);
        if (observes(in)) live.gpr = GPR_ALL;
    }
    if (nops) sweep(b);
}
