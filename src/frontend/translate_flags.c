/* Flag look-ahead: which arithmetic flags the code at some place reads before it writes them, so that the block
 * before need not make the others.
 *
 * It looks at a few instructions of one page and follows direct jumps both ways.  Whatever it cannot see (another
 * page, an indirect target, too far away) needs all flags: this is a proof, not a guess by calling convention.
 * What it looked at is noted in Window.lo/hi, because the proof falls when those bytes are written to. */
#include "frontend/translate_flags.h"
#include "tcg/silicon.h"

enum { LOOK_INSNS = 20, LOOK_DEPTH = 3 };

typedef struct Look {
    Window *w;
    const DecodeFeatures *feat;
    unsigned budget; /* instructions left to decode */
} Look;

/* Flags one instruction reads and surely writes. */
static void flag_facts(const Insn *in, unsigned *rd, unsigned *wr)
{
    const TrEntry *e = &tr_table[in->mn];

    *rd = e->fl_rd;
    *wr = e->fl_wr;
    switch (in->mn) {
    case MN_JCC:
    case MN_SETCC:
    case MN_CMOVCC: *rd = ir_cc_flags(in->cc); break;
    case MN_MUL:
    case MN_IMUL:
    case MN_DIV:
    case MN_IDIV: *wr = silicon_flags_written(e->op); break;
    case MN_ROL:
    case MN_ROR:
    case MN_RCL:
    case MN_RCR:
    case MN_SHL:
    case MN_SHR:
    case MN_SAR:
    case MN_SHLD:
    case MN_SHRD:
        if (in->opnd[in->n_opnd - 1].kind != OPND_IMM || !(in->imm & 31))
            *wr = 0;
        else if (in->imm != 1 && in->mn <= MN_RCR)
            *wr &= in->mn <= MN_ROR ? (unsigned)IR_CF : 0; /* may keep OF, or both */
        break;
    case MN_CMPS:
    case MN_SCAS:
        if (in->rep != REP_NONE) *wr = 0;
        break;
    case MN_X87: /* DA/DB C0-DF: FCMOVcc */
        if ((in->opcode == 0xda || in->opcode == 0xdb) && in->modrm >= 0xc0 && in->modrm < 0xe0)
            *rd = IR_CF | IR_ZF | IR_PF;
        break;
    case MN_MOV: /* a new CR0 may change what the following bytes mean */
        if (in->opnd[0].kind == OPND_CR) *rd = IR_FL_ALL;
        break;
    default: break;
    }
}

/* The direct target of a branch as an offset in the window; any value outside it when there is none. */
static uint32_t branch_target(const Window *w, const Insn *in, uint32_t next)
{
    uint32_t eip = w->eip0 + next + in->imm;

    if (in->n_opnd == 0 || in->opnd[0].kind != OPND_REL) return ~0u;
    if (in->opsize == 2) eip &= 0xffff;
    return eip - w->eip0;
}

static unsigned look(Look *l, uint32_t at, unsigned pending, unsigned depth);

static unsigned look_branch(Look *l, const Insn *in, uint32_t next, unsigned pending, unsigned depth)
{
    uint32_t target = branch_target(l->w, in, next);

    if (depth == 0) return pending;
    unsigned needed = look(l, target, pending, depth - 1);
    if (in->mn != MN_JMP && in->mn != MN_CALL) needed |= look(l, next, pending & ~needed, depth - 1);
    return needed;
}

static bool is_branch(const Insn *in)
{
    switch (in->mn) {
    case MN_JCC:
    case MN_JMP:
    case MN_CALL:
    case MN_LOOP:
    case MN_LOOPE:
    case MN_LOOPNE:
    case MN_JCXZ: return true;
    default: return false;
    }
}

/* Those of the flags in pending that the code at offset `at` reads before writing. */
static unsigned look(Look *l, uint32_t at, unsigned pending, unsigned depth)
{
    Window *w = l->w;
    unsigned needed = 0;

    while (pending) {
        Insn in;
        if (l->budget == 0 || at >= w->size) return needed | pending;
        l->budget--;
        int len = decode(w->code + at, w->size - at, w->code32, l->feat, &in);
        if (len <= 0 || !tr_table[in.mn].known) return needed | pending;
        if (at < w->lo) w->lo = at;
        if (at + (unsigned)len > w->hi) w->hi = at + (unsigned)len;

        unsigned rd, wr;
        flag_facts(&in, &rd, &wr);
        needed |= rd & pending;
        pending &= ~(rd | wr);
        at += (unsigned)len;
        if (is_branch(&in)) return needed | look_branch(l, &in, at, pending, depth);
    }
    return needed;
}

uint8_t tr_flags_needed(Window *w, const DecodeFeatures *feat, uint32_t at)
{
    Look l = { w, feat, LOOK_INSNS };
    return (uint8_t)look(&l, at, IR_FL_ALL, LOOK_DEPTH);
}

uint8_t translate_flags_needed(CPUState *cpu, const uint8_t *code, unsigned avail)
{
    Window w = { .code = code, .size = avail, .code32 = (cpu->mode & MODE_CS32) != 0, .lo = avail };
    return tr_flags_needed(&w, tr_features(cpu), 0);
}
