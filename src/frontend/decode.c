/* The decoder: prefixes, a walk from row to row through the tables, ModRM, operands.
 *
 * It runs once for every guest instruction translated and once more in look-ahead, so there are no strings and no allocation;
 * and since the bytes beyond those given may belong to a page that cannot be fetched, nothing is read before it is
 * known to be part of the instruction.  Undefined instructions are still consumed as far as their row says, so that an
 * undefined one longer than 15 bytes is #GP, as on silicon. */
#include "frontend/decode.h"

#include <string.h>

#include "frontend/decode_tables.h"

enum { NO_SEG = 0xff, SP = 4, BP = 5, SEG_SS = 2, SEG_DS = 3, RBX = 3, RSI = 6, RDI = 7 };

typedef struct Cursor {
    const uint8_t *code;
    unsigned pos, limit;
    Insn *in;
    bool code32;
    bool short_of_bytes;
    bool bad;         /* undefined, whatever else follows */
    bool is_reg;      /* ModRM.rm names a register */
    uint8_t last_rep; /* F2, F3 or 0 */
    bool opsize_prefix;
} Cursor;

/* --- bytes ---------------------------------------------------------------------------------------- */

static inline uint8_t fetch8(Cursor *c)
{
    if (c->pos < c->limit) return c->code[c->pos++];
    c->short_of_bytes = true;
    return 0;
}

static inline uint32_t fetch(Cursor *c, unsigned size)
{
    uint32_t v = 0;
    if (c->limit - c->pos < size) {
        c->short_of_bytes = true;
        return 0;
    }
    for (unsigned i = 0; i < size; i++) v |= (uint32_t)c->code[c->pos + i] << 8 * i;
    c->pos += size;
    return v;
}

static inline uint32_t sign_extend(uint32_t v, unsigned size)
{
    uint32_t sign = 1u << (8 * size - 1);
    return (v ^ sign) - sign;
}

static inline uint32_t fetch_signed(Cursor *c, unsigned size)
{
    return sign_extend(fetch(c, size), size);
}

/* --- prefixes: SDM 2A 2.1.1 ------------------------------------------------------------------------ */

enum { PREFIX_NONE, PREFIX_SEG, PREFIX_OPSIZE, PREFIX_ASIZE, PREFIX_LOCK, PREFIX_REP };
static const uint8_t prefix_of[256] = {
    [0x26] = PREFIX_SEG,  [0x2e] = PREFIX_SEG, [0x36] = PREFIX_SEG,    [0x3e] = PREFIX_SEG,
    [0x64] = PREFIX_SEG,  [0x65] = PREFIX_SEG, [0x66] = PREFIX_OPSIZE, [0x67] = PREFIX_ASIZE,
    [0xf0] = PREFIX_LOCK, [0xf2] = PREFIX_REP, [0xf3] = PREFIX_REP,
};

/* 26 2E 36 3E hold the segment in bits 3, 4; 64 and 65 in bits 0..2 (FS 4, GS 5). */
static inline uint8_t prefix_seg(uint8_t b)
{
    return b < 0x64 ? b >> 3 & 3 : b & 7;
}

/* Takes the prefixes and returns the first opcode byte. */
static uint8_t take_prefixes(Cursor *c)
{
    Insn *in = c->in;
    bool asize_prefix = false;
    uint8_t b;
    while (prefix_of[b = fetch8(c)] != PREFIX_NONE) {
        switch (prefix_of[b]) {
        case PREFIX_SEG: in->seg_override = prefix_seg(b); break;
        case PREFIX_OPSIZE: c->opsize_prefix = true; break;
        case PREFIX_ASIZE: asize_prefix = true; break;
        case PREFIX_LOCK: in->lock = 1; break;
        case PREFIX_REP: c->last_rep = b; break;
        }
    }
    in->opsize = c->code32 != c->opsize_prefix ? 4 : 2;
    in->asize = c->code32 != asize_prefix ? 4 : 2;
    in->rep = c->last_rep == 0xf3 ? REP_REP : c->last_rep ? REP_REPNE : REP_NONE;
    return b;
}

/* --- ModRM, SIB, displacement: SDM 2A tables 2-1 to 2-3 ----------------------------------------------- */

static inline void take_modrm(Cursor *c)
{
    if (c->in->has_modrm) return;
    c->in->modrm = fetch8(c);
    c->in->has_modrm = 1;
    c->is_reg = c->in->modrm >= 0xc0;
}

static inline unsigned modrm_reg(const Insn *in)
{
    return in->modrm >> 3 & 7;
}
static inline unsigned modrm_rm(const Insn *in)
{
    return in->modrm & 7;
}

static const int8_t base16[8] = { 3, 3, 5, 5, 6, 7, 5, 3 }, index16[8] = { 6, 7, 6, 7, -1, -1, -1, -1 };

static void take_memory16(Cursor *c)
{
    Insn *in = c->in;
    unsigned mod = in->modrm >> 6, rm = modrm_rm(in);
    if (mod == 0 && rm == 6) {
        in->mem.disp = fetch(c, 2);
        return;
    }
    in->mem.base = base16[rm];
    in->mem.index = index16[rm];
    if (mod == 1) in->mem.disp = fetch_signed(c, 1);
    if (mod == 2) in->mem.disp = fetch(c, 2);
}

static void take_memory32(Cursor *c)
{
    Insn *in = c->in;
    unsigned mod = in->modrm >> 6, base = modrm_rm(in);
    if (base == 4) {
        uint8_t sib = fetch8(c);
        base = sib & 7;
        if ((sib >> 3 & 7) != 4) {
            in->mem.index = sib >> 3 & 7;
            in->mem.shift = sib >> 6;
        }
    }
    if (mod != 0 || base != BP) in->mem.base = (int8_t)base;
    if (mod == 1)
        in->mem.disp = fetch_signed(c, 1);
    else if (mod == 2 || in->mem.base < 0)
        in->mem.disp = fetch(c, 4);
}

static inline uint8_t data_seg(const Insn *in, uint8_t usual)
{
    return in->seg_override == NO_SEG ? usual : in->seg_override;
}

static void take_memory(Cursor *c)
{
    Insn *in = c->in;
    if (in->asize == 2)
        take_memory16(c);
    else
        take_memory32(c);
    in->mem.seg = data_seg(in, in->mem.base == BP || in->mem.base == SP ? SEG_SS : SEG_DS);
}

/* --- operands --------------------------------------------------------------------------------------- */

/* Sizes that depend on the operand size. */
enum { SZ_V = 0x80, SZ_FAR, SZ_PAIR };
static const uint8_t size_by_opsize[][2] = { [SZ_V & 0x7f] = { 2, 4 },
                                             [SZ_FAR & 0x7f] = { 4, 6 },
                                             [SZ_PAIR & 0x7f] = { 4, 8 } };

typedef struct OperandDesc OperandDesc;
struct OperandDesc {
    void (*take)(Cursor *c, const OperandDesc *d, Opnd *o);
    uint8_t kind; /* of a register operand */
    uint8_t size; /* of the register or immediate */
    uint8_t mem;  /* size of the memory operand */
    uint8_t arg;  /* fixed register; or mask of valid register numbers */
};

static inline uint8_t actual_size(const Insn *in, uint8_t size)
{
    return size & 0x80 ? size_by_opsize[size & 0x7f][in->opsize == 4] : size;
}

static inline void set_reg(Cursor *c, const OperandDesc *d, Opnd *o, unsigned reg)
{
    o->kind = d->kind;
    o->reg = (uint8_t)reg;
    o->size = actual_size(c->in, d->size);
}

static void op_rm(Cursor *c, const OperandDesc *d, Opnd *o)
{
    if (c->is_reg) {
        set_reg(c, d, o, modrm_rm(c->in));
        if (d->kind == OPND_NONE) c->bad = true;
        return;
    }
    o->kind = OPND_MEM;
    o->size = actual_size(c->in, d->mem);
}

static void op_rm_reg(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, modrm_rm(c->in));
    if (!c->is_reg) c->bad = true;
}

static void op_reg(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, modrm_reg(c->in));
    if (!(d->arg >> modrm_reg(c->in) & 1)) c->bad = true;
}

static void op_fixed(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, d->arg);
}
static void op_opcode_reg(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, c->in->opcode & 7);
}
static void op_opcode_seg(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, c->in->opcode >> 3 & 7);
}

static void op_imm(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->imm = fetch(c, o->size);
    c->in->imm_len = o->size;
}

static void op_imm_signed(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->imm = fetch_signed(c, o->size);
}

static void op_imm2(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->imm2 = fetch(c, o->size);
}

static void op_one(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->imm = 1;
}

static void op_far(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->imm = fetch(c, c->in->opsize);
    c->in->imm2 = fetch(c, 2);
}

static void op_moffs(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->mem.seg = data_seg(c->in, SEG_DS);
    c->in->mem.disp = fetch(c, c->in->asize);
}

/* Implied memory: at a register, segment DS unless overridden. */
static void op_at_reg(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->mem.seg = data_seg(c->in, SEG_DS);
    c->in->mem.base = (int8_t)d->arg;
}

/* The string destination: ES, not to be overridden. */
static void op_at_es(Cursor *c, const OperandDesc *d, Opnd *o)
{
    set_reg(c, d, o, 0);
    c->in->mem.seg = 0;
    c->in->mem.base = (int8_t)d->arg;
}

#define GPR_OR_MEM(size, mem)                                                                                          \
    {                                                                                                                  \
        op_rm, OPND_REG, size, mem, 0                                                                                  \
    }
#define MEM_ONLY(size)                                                                                                 \
    {                                                                                                                  \
        op_rm, OPND_NONE, 0, size, 0                                                                                   \
    }
#define XMM_OR_MEM(mem)                                                                                                \
    {                                                                                                                  \
        op_rm, OPND_XMM, 16, mem, 0                                                                                    \
    }
#define REG_FIELD(k, s, mask)                                                                                          \
    {                                                                                                                  \
        op_reg, OPND_##k, s, 0, mask                                                                                   \
    }
#define IMMEDIATE(fn, size)                                                                                            \
    {                                                                                                                  \
        fn, OPND_IMM, size, 0, 0                                                                                       \
    }
#define FIXED(k, size, reg)                                                                                            \
    {                                                                                                                  \
        op_fixed, OPND_##k, size, 0, reg                                                                               \
    }

static const OperandDesc operand_desc[S_COUNT] = {
    [Zb] = { op_opcode_reg, OPND_REG, 1, 0, 0 },
    [Zv] = { op_opcode_reg, OPND_REG, SZ_V, 0, 0 },
    [Sop] = { op_opcode_seg, OPND_SEG, 2, 0, 0 },
    [rAL] = FIXED(REG, 1, 0),
    [rAX] = FIXED(REG, SZ_V, 0),
    [rAXw] = FIXED(REG, 2, 0),
    [rCL] = FIXED(REG, 1, 1),
    [rDX] = FIXED(REG, 2, 2),
    [X0] = FIXED(XMM, 16, 0),
    [One] = IMMEDIATE(op_one, 1),
    [Ib] = IMMEDIATE(op_imm, 1),
    [sIb] = IMMEDIATE(op_imm_signed, 1),
    [Iw] = IMMEDIATE(op_imm, 2),
    [Iz] = IMMEDIATE(op_imm, SZ_V),
    [Ib2] = IMMEDIATE(op_imm2, 1),
    [Jb] = { op_imm_signed, OPND_REL, 1, 0, 0 },
    [Jz] = { op_imm_signed, OPND_REL, SZ_V, 0, 0 },
    [Ap] = { op_far, OPND_FAR, SZ_FAR, 0, 0 },
    [Ob] = { op_moffs, OPND_MOFFS, 1, 0, 0 },
    [Ov] = { op_moffs, OPND_MOFFS, SZ_V, 0, 0 },
    [Xb] = { op_at_reg, OPND_MEM, 1, 0, RSI },
    [Xv] = { op_at_reg, OPND_MEM, SZ_V, 0, RSI },
    [Yb] = { op_at_es, OPND_MEM, 1, 0, RDI },
    [Yv] = { op_at_es, OPND_MEM, SZ_V, 0, RDI },
    [XLb] = { op_at_reg, OPND_MEM, 1, 0, RBX },
    [Dq] = { op_at_reg, OPND_MEM, 8, 0, RDI },
    [Ddq] = { op_at_reg, OPND_MEM, 16, 0, RDI },
    [Eb] = GPR_OR_MEM(1, 1),
    [Ew] = GPR_OR_MEM(2, 2),
    [Ev] = GPR_OR_MEM(SZ_V, SZ_V),
    [Ed] = GPR_OR_MEM(4, 4),
    [EvMw] = GPR_OR_MEM(SZ_V, 2),
    [EdMb] = GPR_OR_MEM(4, 1),
    [EdMw] = GPR_OR_MEM(4, 2),
    [Gb] = REG_FIELD(REG, 1, 0xff),
    [Gw] = REG_FIELD(REG, 2, 0xff),
    [Gv] = REG_FIELD(REG, SZ_V, 0xff),
    [Gd] = REG_FIELD(REG, 4, 0xff),
    [Rd] = { op_rm_reg, OPND_REG, 4, 0, 0 },
    [Rv] = { op_rm_reg, OPND_REG, SZ_V, 0, 0 },
    [Mnone] = MEM_ONLY(0),
    [Mb] = MEM_ONLY(1),
    [Mw] = MEM_ONLY(2),
    [Mv] = MEM_ONLY(SZ_V),
    [Md] = MEM_ONLY(4),
    [Mq] = MEM_ONLY(8),
    [Mt] = MEM_ONLY(10),
    [Mdq] = MEM_ONLY(16),
    [Mbig] = MEM_ONLY(0),
    [Mp] = MEM_ONLY(SZ_FAR),
    [Ma] = MEM_ONLY(SZ_PAIR),
    [Ms] = MEM_ONLY(6),
    [Sw] = REG_FIELD(SEG, 2, 0x3f),
    [SwLoad] = REG_FIELD(SEG, 2, 0x3d),
    [Cd] = REG_FIELD(CR, 4, 0x1d), /* CR0, CR2, CR3, CR4 */
    [Dd] = REG_FIELD(DR, 4, 0xff), /* DR4 and DR5 are #UD or DR6 and DR7 as CR4.DE says: when executed */
    [Pq] = REG_FIELD(MMX, 8, 0xff),
    [Qq] = { op_rm, OPND_MMX, 8, 8, 0 },
    [Qd] = { op_rm, OPND_MMX, 8, 4, 0 },
    [Nq] = { op_rm_reg, OPND_MMX, 8, 0, 0 },
    [Vdq] = REG_FIELD(XMM, 16, 0xff),
    [Wdq] = XMM_OR_MEM(16),
    [Wq] = XMM_OR_MEM(8),
    [Wd] = XMM_OR_MEM(4),
    [Ww] = XMM_OR_MEM(2),
    [Udq] = { op_rm_reg, OPND_XMM, 16, 0, 0 },
};

static void take_operands(Cursor *c, const OpRow *row)
{
    Insn *in = c->in;
    unsigned use = row->use;
    for (unsigned i = 0; i < 3 && row->spec[i] != S_NONE; i++, use >>= 2) {
        const OperandDesc *d = &operand_desc[row->spec[i]];
        d->take(c, d, &in->opnd[i]);
        in->opnd[i].use = use & 3;
        in->n_opnd = (uint8_t)(i + 1);
    }
}

/* --- rows --------------------------------------------------------------------------------------------- */

static const OpRow *row_by_prefix(Cursor *c, const OpRow *sub)
{
    static const uint8_t byte_of[4] = { [P66] = 0x66, [PF3] = 0xf3, [PF2] = 0xf2 };
    unsigned which = c->last_rep == 0xf3 ? PF3 : c->last_rep ? PF2 : c->opsize_prefix ? P66 : NP;
    c->in->prefix = byte_of[which];
    if (c->last_rep) c->in->rep = REP_NONE;
    return &sub[which];
}

static const OpRow *row_by_next_byte(Cursor *c, const OpRow *map)
{
    Insn *in = c->in;
    in->map = map == decode_map_0f ? 1 : map == decode_map_0f38 ? 2 : 3;
    in->opcode = fetch8(c);
    return &map[in->opcode];
}

static const OpRow *find_row(Cursor *c, uint8_t opcode)
{
    Insn *in = c->in;
    const OpRow *row = &decode_map_1[opcode];
    in->opcode = opcode;
    while (row->kind != K_INSN) {
        const OpRow *sub = row->sub;
        if (row->kind == K_MAP) {
            row = row_by_next_byte(c, sub);
            continue;
        }
        if (row->kind == K_PFX) {
            row = row_by_prefix(c, sub);
            continue;
        }
        take_modrm(c);
        row = row->kind == K_MOD ? &sub[c->is_reg] : &sub[row->kind == K_REG ? modrm_reg(in) : modrm_rm(in)];
    }
    return row;
}

/* The bytes of an undefined instruction, as silicon consumes them before it raises #UD (it matters for #GP at 15 bytes and #PF
 * at a page's end; found by placing each one at the end of a page). */
enum { UD_MODRM, UD_MODRM_IB, UD_BARE };
static const uint8_t undefined_0f[256] = {
    [0x04] = UD_BARE,     [0x0a] = UD_BARE,     [0x0b] = UD_BARE,     [0x0c] = UD_BARE,     [0x0e] = UD_BARE,
    [0x0f] = UD_BARE,     [0x24] = UD_BARE,     [0x25] = UD_BARE,     [0x26] = UD_BARE,     [0x27] = UD_BARE,
    [0x36] = UD_BARE,     [0x37] = UD_BARE,     [0x77] = UD_BARE,     [0x3b] = UD_MODRM_IB, [0x3e] = UD_MODRM_IB,
    [0x3f] = UD_MODRM_IB, [0x70] = UD_MODRM_IB, [0x71] = UD_MODRM_IB, [0x72] = UD_MODRM_IB, [0x73] = UD_MODRM_IB,
    [0xba] = UD_MODRM_IB, [0xc2] = UD_MODRM_IB, [0xc4] = UD_MODRM_IB, [0xc5] = UD_MODRM_IB, [0xc6] = UD_MODRM_IB,
};

static void take_undefined(Cursor *c)
{
    Insn *in = c->in;
    unsigned imm = in->map == 3 || (in->map == 1 && undefined_0f[in->opcode] == UD_MODRM_IB);
    if (in->map == 1 && undefined_0f[in->opcode] == UD_BARE) return;
    if (in->map == 0 && in->opcode >= 0xc6) imm = in->opcode == 0xc6 ? 1 : in->opcode == 0xc7 ? in->opsize : 0;
    take_modrm(c); /* the one-byte map has nothing undefined without it */
    if (!c->is_reg) take_memory(c);
    fetch(c, imm);
}

static inline bool have_feature(const DecodeFeatures *feat, const OpRow *row)
{
    return row->feat == 0 || ((const bool *)feat)[row->feat - 1] || feat->x86_any;
}

static inline bool lock_legal(const Insn *in, const OpRow *row)
{
    return !in->lock || (row->flags & F_LOCK && in->opnd[0].kind == OPND_MEM);
}

_Static_assert(MN_COUNT <= 256, "OpRow.mn is a byte");
_Static_assert(sizeof(DecodeFeatures) < 256, "OpRow.feat is a byte");

int decode(const uint8_t *code, unsigned avail, bool code32, const DecodeFeatures *feat, Insn *in)
{
    Cursor c = { .code = code, .limit = avail < DECODE_MAX ? avail : DECODE_MAX, .in = in, .code32 = code32 };
    memset(in, 0, sizeof *in);
    in->seg_override = NO_SEG;
    in->mem.base = in->mem.index = -1;
    in->mem.seg = SEG_DS;

    const OpRow *row = find_row(&c, take_prefixes(&c));
    if (row->mn == MN_INVALID) {
        take_undefined(&c);
    } else {
        if (row->flags & F_MODRM) take_modrm(&c);
        if (row->flags & F_REGONLY) c.is_reg = true;
        if (in->has_modrm && !c.is_reg) take_memory(&c);
        take_operands(&c, row);
    }
    if (c.short_of_bytes) return avail < DECODE_MAX ? 0 : -1;

    in->len = (uint8_t)c.pos;
    in->cc = in->opcode & 15; /* meaningful for conditions only */
    in->mn = c.bad || !lock_legal(in, row) || !have_feature(feat, row) ? MN_INVALID : row->mn;
    memcpy(in->bytes, code, c.limit);
    return in->len;
}

/* --- what translators ask about MMX and SSE instructions ------------------------------------------------- */

bool decode_vec_aligned(const Insn *in)
{
    bool mem16 = false;
    for (unsigned i = 0; i < in->n_opnd; i++) mem16 |= in->opnd[i].kind == OPND_MEM && in->opnd[i].size == 16;
    if (!mem16 || in->mn != MN_VEC) return false;
    if (in->map == 3) return in->opcode < 0x60 || in->opcode > 0x63; /* PCMPxSTRx */
    if (in->map != 1) return true;
    bool movups = in->opcode == 0x10 || in->opcode == 0x11;
    bool movdqu = (in->opcode == 0x6f || in->opcode == 0x7f) && in->prefix == 0xf3;
    return !movups && !movdqu && in->opcode != 0xf0; /* F0: LDDQU */
}

unsigned decode_vec_effects(const Insn *in)
{
    if (in->mn != MN_VEC) return 0;
    if (in->map == 1) return in->opcode == 0x2e || in->opcode == 0x2f ? VEC_WRITES_FLAGS : 0; /* (U)COMISx */
    if (in->map == 2) return in->opcode == 0x17 ? VEC_WRITES_FLAGS : 0;                       /* PTEST */
    if (in->opcode < 0x60 || in->opcode > 0x63) return 0;
    return VEC_WRITES_FLAGS | (in->opcode & 2 ? 0 : VEC_READS_EAX_EDX) |
           (in->opcode & 1 ? VEC_WRITES_ECX : VEC_WRITES_XMM0);
}

const char *mnemonic_name(unsigned mn)
{
    static const char *const name[MN_COUNT] = {
#define MNEMONIC(NAME, text) text,
#include "frontend/decode_mnemonics.def"
#undef MNEMONIC
    };
    return mn < MN_COUNT ? name[mn] : name[MN_INVALID];
}
