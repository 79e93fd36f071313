/* Registers and memory such that an instruction has something to work on: its operand mostly in mapped memory (aligned,
 * unaligned, across pages, and sometimes where it must fault), its jump target among the INT3s around it, its
 * selector one that both sides know. */
#include "generate.h"

#include <string.h>

#include "cpu/state.h"

void decode_again(Gen *g)
{
    decode(g->c->code, g->c->len, world_code32(g->c->world), g->feat, &g->c->insn);
}

/* --- places ------------------------------------------------------------------------------------------------- */

uint32_t seg_base(const Case *c, unsigned seg)
{
    return sel_base(c->world->sel[seg]);
}

/* A linear address for an operand of n bytes in a segment. */
static uint32_t pick_target(Gen *g, unsigned n, unsigned seg)
{
    Rng *r = g->r;
    uint32_t any = rng_below(r, DATA_RW - 600) & ~15u;
    uint32_t back = n > 1 && n <= 16 ? 1 + rng_below(r, n - 1) : 1 + rng_below(r, 15);
    uint32_t edge = sel_edge(g->c->world->sel[seg]);
    if (edge && chance(r, 10)) return edge - rng_below(r, n + 2);   /* about the segment's end */
    if (chance(r, 1)) return 0 - rng_below(r, n + 2);               /* about the end of all */
    if (native_long_mode() && chance(r, 12)) return FAR_AWAY + any; /* no segment has an end to fault at */
    switch (rng_below(r, 20)) {
    case 0:
    case 1: return DATA_BASE + any + rng_below(r, 16);
    case 2:
    case 3: return DATA_BASE + 0x1000 - back;           /* across two pages */
    case 4: return DATA_BASE + DATA_RW + (any & 0x7f0); /* read only */
    case 5: return DATA_BASE + DATA_RW - back;          /* into the read-only page */
    case 6: return DATA_BASE + DATA_SIZE - back;        /* into nothing */
    case 7: return chance(r, 50) ? DATA_BASE - back : FAR_AWAY + any;
    case 8: return DATA_BASE + DATA_RW - n;
    default: return DATA_BASE + any;
    }
}

static Patch *patch(Case *c, uint32_t at, const void *bytes, unsigned n)
{
    if (c->n_patch == MAX_PATCH) return NULL;
    Patch *p = &c->patch[c->n_patch++];
    p->at = at;
    p->len = (uint8_t)n;
    memcpy(p->bytes, bytes, n);
    return p;
}
static void patch32(Case *c, uint32_t at, uint32_t v)
{
    patch(c, at, &v, 4);
}

/* EIP of somewhere in the slot's INT3s, outside the instruction. */
static uint32_t landing(Gen *g)
{
    Case *c = g->c;
    uint32_t at = c->code_at - CODE_BASE, t;
    do t = c->slot_at + SLOT_LEAD + rng_below(g->r, c->slot_size - 20u);
    while (t + 1 >= at && t <= at + c->len);
    return CODE_BASE + t - seg_base(c, W_CS);
}
/* Or of nowhere, which 16 bits of it must not turn into other code. */
static uint32_t jump_target(Gen *g)
{
    bool all_code = g->c->insn.opsize == 2 && seg_base(g->c, W_CS) == CODE_BASE;
    return all_code || chance(g->r, 92) ? landing(g) : FAR_AWAY + (rng64(g->r) & 0xffffff);
}

/* Selectors that mean the same on both sides. */
static uint16_t pick_selector(Gen *g, bool code)
{
    static const uint16_t other[] = { 0, 3, SEL_DATA, SEL_CODE, SEL_CODE & ~3, LDT_SEL(LDT_COUNT + 5) };
    Rng *r = g->r;
    if (code && chance(r, 60)) {
        static const uint16_t good[] = { SEL_CODE, SEL_CODE, LDT_SEL(LDT_CODE16), LDT_SEL(LDT_CODE32),
                                         LDT_SEL(LDT_XONLY) };
        return good[rng_below(r, 5)];
    }
    if (chance(r, 40)) return other[rng_below(r, sizeof other / sizeof *other)];
    return (uint16_t)((LDT_SEL(rng_below(r, LDT_COUNT)) & ~3u) | (chance(r, 80) ? 3 : rng_below(r, 4)));
}

/* --- memory operand ------------------------------------------------------------------------------------------- */

static uint32_t scaled_index(const Case *c)
{
    const InsnMem *m = &c->insn.mem;
    return m->index < 0 ? 0 : c->in.regs[m->index] << m->shift;
}

static void set_reg(Case *c, unsigned reg, uint32_t v, unsigned size)
{
    uint32_t keep = size == 2 ? 0xffff0000u : 0;
    c->in.regs[reg] = (c->in.regs[reg] & keep) | (v & ~keep);
}

/* The displacement's place in the bytes; 0 when it is not a full one. */
static unsigned disp_at(const Gen *g)
{
    const Insn *in = &g->c->insn;
    unsigned at = g->n_prefix + g->op_len, mod = in->modrm >> 6, rm = in->modrm & 7;
    if (!in->has_modrm) return at; /* moffs */
    if (in->asize == 2) return mod == 2 || (mod == 0 && rm == 6) ? at + 1 : 0;
    bool sib = rm == 4;
    bool bare = mod == 0 && (sib ? (g->c->code[at + 1] & 7) == 5 : rm == 5);
    return mod == 2 || bare ? at + 1 + sib : 0;
}

static void place_memory(Gen *g, uint32_t target)
{
    Case *c = g->c;
    const InsnMem *m = &c->insn.mem;
    unsigned asize = c->insn.asize;
    uint32_t want = target - seg_base(c, m->seg), at = disp_at(g);
    bool usable_base = m->base >= 0 && m->base != m->index && !(m->base == R_ESP && g->fixed_esp);
    if (usable_base) {
        set_reg(c, (unsigned)m->base, want - scaled_index(c) - m->disp, asize);
    } else if (at && !g->f->n_bytes) {
        uint32_t disp = want - scaled_index(c) - (m->base < 0 ? 0 : c->in.regs[m->base]);
        memcpy(c->code + at, &disp, asize);
        decode_again(g);
    } else if (m->base >= 0 && m->base == m->index) {
        set_reg(c, (unsigned)m->base, (want - m->disp) / (1u + (1u << m->shift)), asize);
    } else if (m->index >= 0) {
        set_reg(c, (unsigned)m->index, (want - m->disp) >> m->shift, asize);
    }
}

static uint32_t effective(const Case *c)
{
    const InsnMem *m = &c->insn.mem;
    uint32_t ea = m->disp + (m->base < 0 ? 0 : c->in.regs[m->base]) + scaled_index(c);
    if (c->insn.asize == 2) ea &= 0xffff;
    return ea + seg_base(c, m->seg);
}

static const Opnd *memory_operand(const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS) return &in->opnd[i];
    return NULL;
}

static void set_memory(Gen *g)
{
    Case *c = g->c;
    const Opnd *o = memory_operand(&c->insn);
    uint8_t bytes[16];
    if (!o) return;
    unsigned n = o->size ? o->size : 16;
    uint32_t target = pick_target(g, n, c->insn.mem.seg);
    bool locked = c->insn.lock || c->insn.mn == MN_XCHG;
    if (locked && (target & 63) + n > 64) target &= ~15u; /* kernels may punish split locks */
    bool far_away = native_long_mode() && target - FAR_AWAY < 0x10000000;
    if (o->size == 0 && !far_away && chance(g->r, 80)) target = DATA_BASE + (target & 0xff0);
    place_memory(g, target);
    if (insn_is_fp(&c->insn))
        rng_fp_operand(g->r, bytes, n <= 16 ? n : 16);
    else
        rng_edge_bytes(g->r, bytes, 16);
    patch(c, target, bytes, n <= 16 && insn_is_fp(&c->insn) ? n : 16);
}

/* --- what some instructions want besides ------------------------------------------------------------------------ */

/* ESP in the stack, mostly in the middle. */
void set_stack(Gen *g)
{
    Case *c = g->c;
    Rng *r = g->r;
    uint32_t at = 0x800 + (rng_below(r, 0xf00) & ~3u);
    if (chance(r, 6)) at = (rng_below(r, 3) << 12) + rng_below(r, 40) - 20;
    if (chance(r, 6) && sel_edge(c->world->sel[W_SS]))
        at = sel_edge(c->world->sel[W_SS]) - STACK_BASE + rng_below(r, 40) - 20;
    if (chance(r, 6)) at += rng_below(r, 4);
    set_reg(c, R_ESP, STACK_BASE + at - seg_base(c, W_SS), world_stack32(c->world) ? 4 : 2);
    if (chance(r, 40))
        set_reg(c, R_EBP, STACK_BASE + (rng_below(r, STACK_SIZE) & ~3u) - seg_base(c, W_SS),
                world_stack32(c->world) ? 4 : 2);
}
static uint32_t stack_top(const Case *c)
{
    uint32_t esp = c->in.regs[R_ESP];
    return seg_base(c, W_SS) + (world_stack32(c->world) ? esp : esp & 0xffff);
}

static void set_string(Gen *g)
{
    Case *c = g->c;
    Rng *r = g->r;
    const Insn *in = &c->insn;
    unsigned size = in->opnd[0].size;
    unsigned seg = in->seg_override != 0xff ? in->seg_override : (unsigned)W_DS;
    uint32_t src = pick_target(g, size, seg), dst = src + rng_below(r, 32) - 16;
    uint8_t same[16];
    if (chance(r, 80)) dst = pick_target(g, size, W_ES);
    set_reg(c, R_ESI, src - seg_base(c, seg), in->asize);
    set_reg(c, R_EDI, dst - seg_base(c, W_ES), in->asize);
    if (in->rep != REP_NONE) {
        uint32_t n = chance(r, 80) ? rng_below(r, 24) : chance(r, 50) ? rng_below(r, 0x1800) : 0x7000;
        set_reg(c, R_ECX, n, in->asize);
    }
    rng_edge_bytes(r, same, 16); /* something for CMPS and SCAS to find equal */
    if (chance(r, 60)) {
        memset(same, (int)(c->in.regs[R_EAX] & 0xff), 16);
        c->in.regs[R_EAX] = same[0] * 0x01010101u;
    }
    patch(c, src, same, 16);
    patch(c, dst, same, 16);
}

static void set_division(Gen *g)
{
    Case *c = g->c;
    uint32_t *eax = &c->in.regs[R_EAX], *edx = &c->in.regs[R_EDX];
    if (c->insn.opnd[0].size == 1) {
        if (chance(g->r, 70)) *eax &= 0xffff00ff | rng_below(g->r, 256) << 8 >> rng_below(g->r, 9);
        return;
    }
    if (chance(g->r, 30))
        *edx = 0;
    else if (chance(g->r, 40))
        *edx = (uint32_t)((int32_t)*eax >> 31);
    else if (chance(g->r, 60))
        *edx = rng_below(g->r, 16);
}

static void set_compare_exchange(Gen *g)
{
    Case *c = g->c;
    const Opnd *o = memory_operand(&c->insn);
    if (c->insn.mn == MN_CMPXCHG8B) {
        uint32_t v[2] = { c->in.regs[R_EAX], c->in.regs[R_EDX] };
        if (o && chance(g->r, 50)) patch(c, effective(c), v, 8);
    } else if (o && chance(g->r, 50)) {
        patch32(c, effective(c), c->in.regs[R_EAX]);
    } else if (!o && chance(g->r, 40)) {
        c->in.regs[c->insn.opnd[0].reg & (c->insn.opnd[0].size == 1 ? 3 : 7)] = c->in.regs[R_EAX];
    }
}

static void set_bit_test(Gen *g)
{
    Case *c = g->c;
    if (!memory_operand(&c->insn) || c->insn.opnd[1].kind != OPND_REG) return;
    unsigned reg = c->insn.opnd[1].reg;
    uint32_t at = effective(c);
    if (chance(g->r, 80)) set_reg(c, reg, rng_below(g->r, 2048) - 1024, c->insn.opsize);
    if ((int)reg == c->insn.mem.base || (int)reg == c->insn.mem.index) place_memory(g, at);
}

static void set_relative(Gen *g)
{
    Case *c = g->c;
    const Insn *in = &c->insn;
    unsigned at = g->n_prefix + g->op_len;
    unsigned n = c->len - at;
    uint32_t next = c->code_at + c->len - seg_base(c, W_CS);
    uint32_t rel = (n == 1 ? landing(g) : jump_target(g)) - next;
    memcpy(c->code + at, &rel, n);
    if (in->mn >= MN_LOOP && in->mn <= MN_JCXZ && chance(g->r, 60)) set_reg(c, R_ECX, rng_below(g->r, 3), in->asize);
    decode_again(g);
}

static void set_near_target(Gen *g)
{
    Case *c = g->c;
    const Opnd *o = &c->insn.opnd[0];
    uint32_t target = jump_target(g);
    if (c->insn.mn == MN_RET)
        patch32(c, stack_top(c), target);
    else if (o->kind == OPND_REL)
        set_relative(g);
    else if (o->kind == OPND_REG)
        c->in.regs[o->reg] = target;
    else
        patch32(c, effective(c), target);
}

static void set_far_target(Gen *g)
{
    Case *c = g->c;
    const Insn *in = &c->insn;
    uint16_t sel = pick_selector(g, true);
    uint32_t at = c->code_at - CODE_BASE, to;
    do to = c->slot_at + SLOT_LEAD + rng_below(g->r, c->slot_size - 20u);
    while (to + 1 >= at && to <= at + c->len);
    to += CODE_BASE - sel_base(sel);
    uint8_t image[16] = { 0 };
    unsigned n = in->opsize;
    if (chance(g->r, 5)) to = FAR_AWAY;
    memcpy(image, &to, n);
    memcpy(image + n, &sel, 2);
    if (in->mn == MN_IRET) {
        uint32_t fl = ((uint32_t)rng64(g->r) & (FL_ARITH | FL_DF | FL_ID)) | FL_IF | FL_1;
        memcpy(image + 2 * n, &fl, n);
    }
    if (in->opnd[0].kind == OPND_FAR && in->mn != MN_RETF)
        memcpy(c->code + g->n_prefix + g->op_len, image, n + 2), decode_again(g);
    else if (memory_operand(in))
        patch(c, effective(c), image, n + 2);
    else
        patch(c, stack_top(c), image, 3 * n);
}

static void set_flags_image(Gen *g)
{
    uint32_t fl = ((uint32_t)rng64(g->r) & (FL_ARITH | FL_DF | FL_ID | FL_NT | FL_IOPL | FL_IF)) | FL_1;
    if (chance(g->r, 20)) fl |= FL_TF;
    if (chance(g->r, 10)) fl |= FL_AC;
    if (chance(g->r, 30)) fl ^= FL_VM | FL_VIF | FL_VIP | FL_RF;
    patch32(g->c, stack_top(g->c), fl);
    if (!g->f->n_bytes && chance(g->r, 50)) { /* for TF to have something to stop behind */
        g->c->code[g->c->len++] = 0x90;
        g->c->code[g->c->len++] = 0x90;
    }
}

/* ENTER: mostly with room for the frame. */
static void set_frame(Gen *g)
{
    Case *c = g->c;
    unsigned at = g->n_prefix + g->op_len;
    if (g->f->n_bytes || chance(g->r, 20)) return;
    c->code[at + 1] = 0;
    if (chance(g->r, 70)) c->code[at + 2] = (uint8_t)rng_below(g->r, 5);
    decode_again(g);
    set_reg(c, R_EBP, STACK_BASE + 0x600 + (rng_below(g->r, 0xa00) & ~3u) - seg_base(c, W_SS),
            world_stack32(c->world) ? 4 : 2);
}

static void set_selector(Gen *g)
{
    Case *c = g->c;
    const Insn *in = &c->insn;
    unsigned i = in->mn == MN_MOV || in->mn == MN_LAR || in->mn == MN_LSL ? 1 : 0;
    uint16_t sel = pick_selector(g, false);
    if (in->mn == MN_POP) {
        patch(c, stack_top(c), &sel, 2);
    } else if (memory_operand(in)) {
        unsigned at = in->mn >= MN_LES && in->mn <= MN_LGS ? in->opsize : 0;
        patch(c, effective(c) + at, &sel, 2);
    } else if (in->opnd[i].kind == OPND_REG) {
        set_reg(c, in->opnd[i].reg, sel, 2);
    }
}

static void set_bounds(Gen *g)
{
    Case *c = g->c;
    uint32_t v = c->in.regs[c->insn.opnd[0].reg], lo = v - rng_below(g->r, 4), hi = v + rng_below(g->r, 4);
    uint8_t image[8];
    if (chance(g->r, 50)) lo = rng_edge32(g->r);
    memcpy(image, &lo, c->insn.opsize);
    memcpy(image + c->insn.opsize, &hi, c->insn.opsize);
    patch(c, effective(c), image, c->insn.opsize * 2u);
}

/* Images for FXRSTOR, FRSTOR and FLDENV begin with believable control words. */
static void set_fpu_image(Gen *g)
{
    uint8_t fx[512], env[16];
    uint32_t at = effective(g->c);
    rng_fpu(g->r, fx, true);
    if (g->c->insn.mn == MN_FXRSTOR) {
        if (chance(g->r, 90)) patch(g->c, at, fx, 16), patch(g->c, at + 16, fx + 16, 16);
        return;
    }
    unsigned n = g->c->insn.opsize;
    memset(env, 0xff, sizeof env);
    memcpy(env, fx, 2);
    memcpy(env + n, fx + 2, 2);
    memcpy(env + 2 * n, fx + 32, 2);
    patch(g->c, at, env, 3 * n);
}

static void set_special(Gen *g)
{
    Case *c = g->c;
    const Insn *in = &c->insn;
    switch (in->mn) {
    case MN_DIV:
    case MN_IDIV: set_division(g); break;
    case MN_MOVS:
    case MN_CMPS:
    case MN_STOS:
    case MN_LODS:
    case MN_SCAS:
    case MN_INS:
    case MN_OUTS: set_string(g); break;
    case MN_CMPXCHG:
    case MN_CMPXCHG8B: set_compare_exchange(g); break;
    case MN_BT:
    case MN_BTS:
    case MN_BTR:
    case MN_BTC: set_bit_test(g); break;
    case MN_JMP:
    case MN_CALL:
    case MN_RET: set_near_target(g); break;
    case MN_JCC:
    case MN_LOOP:
    case MN_LOOPE:
    case MN_LOOPNE:
    case MN_JCXZ: set_relative(g); break;
    case MN_JMPF:
    case MN_CALLF:
    case MN_RETF:
    case MN_IRET: set_far_target(g); break;
    case MN_POPF: set_flags_image(g); break;
    case MN_ENTER: set_frame(g); break;
    case MN_BOUND: set_bounds(g); break;
    case MN_FXRSTOR:
    case MN_FRSTOR:
    case MN_FLDENV: set_fpu_image(g); break;
    case MN_POP:
        if (in->opnd[0].kind == OPND_SEG) set_selector(g);
        break;
    case MN_MOV:
        if (in->opnd[0].kind == OPND_SEG) set_selector(g);
        break;
    case MN_LES:
    case MN_LDS:
    case MN_LSS:
    case MN_LFS:
    case MN_LGS:
    case MN_LAR:
    case MN_LSL:
    case MN_VERR:
    case MN_VERW: set_selector(g); break;
    default: break;
    }
}

static bool uses_stack(const Insn *in)
{
    switch (in->mn) {
    case MN_PUSH:
    case MN_POP:
    case MN_CALL:
    case MN_CALLF: return true;
    default: return false;
    }
}

void set_operands(Gen *g)
{
    g->fixed_esp = uses_stack(&g->c->insn);
    set_memory(g);
    set_special(g);
}
