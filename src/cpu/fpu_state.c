/* x87 and SSE state: reset, control and status words, environments and images in memory.
 *
 * FCS and FDS read as zero, FOP and the operand pointer change on unmasked exceptions only, as on
 * current processors (CPUID.7.EBX[13] and [6]). */
#include "cpu/fpu.h"
#include "tcg/ir.h"

#include <string.h>

#include "cpu/helpers.h"
#include "cpu/mem.h"
#include "util/bytes.h"

/* --- reset and status ---------------------------------------------------------------------------- */

void fpu_init(CPUState *cpu)
{
    FpuState *f = &cpu->fpu;
    f->cw = 0x37f;
    f->sw = 0;
    f->tag_valid = 0;
    f->fop = f->fcs = f->fds = 0;
    f->fip = f->fdp = 0;
    fpu_update_summary(cpu);
}

void fpu_reset(CPUState *cpu)
{
    memset(&cpu->fpu, 0, sizeof cpu->fpu);
    cpu->fpu.cw = 0x40;
    cpu->fpu.tag_valid = 0xff; /* tag word 5555h: eight zeros */
    cpu->fpu.mxcsr = MXCSR_RESET;
}

uint32_t fpu_mode_bits(const CPUState *cpu)
{
    const FpuState *f = &cpu->fpu;
    uint32_t mode = 0;
    if ((f->cw & CW_EXC) != CW_EXC || f->sw & SW_ES) mode |= MODE_X87_SOFT;
    if ((f->mxcsr >> MXCSR_MASK_SHIFT & MXCSR_EXC) != MXCSR_EXC) mode |= MODE_SSE_SOFT;
    return mode;
}

static void set_ferr(CPUState *cpu, bool level)
{
    if (cpu->ferr) cpu->ferr(cpu->ferr_opaque, level);
}

void fpu_update_summary(CPUState *cpu)
{
    FpuState *f = &cpu->fpu;
    bool was = f->sw & SW_ES, pending = f->sw & SW_EXC & ~f->cw;
    f->sw &= (uint16_t) ~(SW_ES | SW_B);
    if (pending) f->sw |= SW_ES | SW_B;
    if (was != pending && !(pending && cpu->cr0 & CR0_NE)) set_ferr(cpu, pending);
}

void fpu_check_pending(CPUState *cpu)
{
    if (!(cpu->fpu.sw & SW_ES)) return;
    if (cpu->cr0 & CR0_NE) cpu_raise(cpu, EXC_MF);
    set_ferr(cpu, true);
}

/* --- control instructions ------------------------------------------------------------------------ */

void helper_fninit(CPUState *cpu)
{
    fpu_init(cpu);
    cpu_update_mode(cpu);
}

void helper_fnclex(CPUState *cpu)
{
    cpu->fpu.sw &= (uint16_t) ~(SW_EXC | SW_SF | SW_ES | SW_B);
    set_ferr(cpu, false);
    cpu_update_mode(cpu);
}

static void set_cw(CPUState *cpu, uint32_t value)
{
    cpu->fpu.cw = (uint16_t)((value & CW_WRITABLE) | CW_ALWAYS);
    fpu_update_summary(cpu);
}

void helper_fldcw(CPUState *cpu, uint32_t value)
{
    fpu_check_pending(cpu);
    set_cw(cpu, value);
    cpu_update_mode(cpu);
}

void helper_fwait(CPUState *cpu)
{
    fpu_check_pending(cpu);
}

/* --- environments: SDM 1 figures 8-9 to 8-12 ------------------------------------------------------- */

/* Full tag word: 0 valid, 1 zero, 2 special, 3 empty. */
static uint32_t tag_word(const FpuState *f)
{
    uint32_t tags = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t tag = 3, exp = f->r[i].se & 0x7fff;
        if (f->tag_valid >> i & 1) {
            if (exp == 0)
                tag = f->r[i].mant ? 2 : 1;
            else
                tag = exp == 0x7fff || !(f->r[i].mant >> 63) ? 2 : 0;
        }
        tags |= tag << (2 * i);
    }
    return tags;
}

static uint8_t abridged_tags(uint32_t tags)
{
    uint8_t valid = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((tags >> (2 * i) & 3) != 3) valid |= (uint8_t)(1u << i);
    return valid;
}

static bool real_format(const CPUState *cpu)
{
    return !(cpu->mode & MODE_PE) || cpu->mode & MODE_VM86;
}

static void env_image(const CPUState *cpu, uint8_t *p, unsigned opsize)
{
    const FpuState *f = &cpu->fpu;
    bool real = real_format(cpu);
    uint32_t fop = f->fop & 0x7ff;
    if (opsize == 4) {
        put_le32(p, 0xffff0000u | f->cw);
        put_le32(p + 4, 0xffff0000u | f->sw);
        put_le32(p + 8, 0xffff0000u | tag_word(f));
        put_le32(p + 12, real ? f->fip & 0xffff : f->fip);
        put_le32(p + 16, real ? (f->fip >> 16) << 12 | fop : f->fcs | fop << 16);
        put_le32(p + 20, real ? f->fdp & 0xffff : f->fdp);
        put_le32(p + 24, real ? (f->fdp >> 16) << 12 : 0xffff0000u | f->fds);
        if (real) {
            put_le16(p + 14, 0xffff);
            put_le16(p + 22, 0xffff);
        }
        return;
    }
    put_le16(p, f->cw);
    put_le16(p + 2, f->sw);
    put_le16(p + 4, tag_word(f));
    put_le16(p + 6, f->fip);
    put_le16(p + 8, real ? (f->fip >> 16 & 15) << 12 | fop : f->fcs);
    put_le16(p + 10, f->fdp);
    put_le16(p + 12, real ? (f->fdp >> 16 & 15) << 12 : f->fds);
}

static void load_env(CPUState *cpu, const uint8_t *p, unsigned opsize)
{
    FpuState *f = &cpu->fpu;
    bool real = real_format(cpu);
    unsigned step = opsize;
    uint32_t ip = get_le16(p + 3 * step), ip_high = get_le16(p + 4 * step);
    uint32_t dp = get_le16(p + 5 * step), dp_high = get_le16(p + 6 * step);
    if (real) {
        uint32_t high = opsize == 4 ? get_le32(p + 16) : ip_high;
        f->fop = (uint16_t)(high & 0x7ff);
        f->fip = ip | (high >> 12 & (opsize == 4 ? 0xffff : 15)) << 16;
        high = opsize == 4 ? get_le32(p + 24) : dp_high;
        f->fdp = dp | (high >> 12 & (opsize == 4 ? 0xffff : 15)) << 16;
    } else if (opsize == 4) {
        f->fip = get_le32(p + 12);
        f->fop = (uint16_t)(get_le16(p + 18) & 0x7ff);
        f->fdp = get_le32(p + 20);
    } else {
        f->fip = ip;
        f->fdp = dp;
        f->fop = 0; /* not in this format */
    }
    f->fcs = f->fds = 0;
    f->sw = (uint16_t)get_le16(p + step);
    f->tag_valid = abridged_tags(get_le16(p + 2 * step));
    set_cw(cpu, get_le16(p));
}

/* Where an image lies, and of which pieces it is made: words up to the end of the environment, then registers of a quadword
 * and a word each.  With a 16-bit address every piece's offset wraps around at 64 KiB by itself, and one that does not fit
 * faults when those before it have been stored. */
typedef struct Place {
    uint32_t seg, ea, wrap; /* wrap: mask of offsets */
    unsigned len, word, env;
} Place;

enum { OPSIZE = 15, ADDRESS16 = 0x10 }; /* in the helpers' size */

static Place place_of(uint32_t seg, uint32_t ea, unsigned len, uint32_t size)
{
    unsigned opsize = size & OPSIZE;
    return (Place){ seg, ea, size & ADDRESS16 ? 0xffff : 0xffffffffu, len, opsize, 7 * opsize };
}

static unsigned piece(const Place *p, unsigned at)
{
    if (at < p->env) return p->word;
    return (at - p->env) % 10 == 0 ? 8 : 2;
}

static bool in_one(const Place *p)
{
    return p->wrap != 0xffff || p->ea + p->len <= 0x10000;
}
static uint32_t offset_of(const Place *p, unsigned at)
{
    return (p->ea + at) & p->wrap;
}

/* A piece must fit as a whole; its alignment is nobody's business, so bytes go one by one. */
static void check_piece(CPUState *cpu, const Place *p, unsigned at, bool write)
{
    const SegCache *s = &cpu->seg[p->seg];
    if (!cpu_seg_allows(s, offset_of(p, at), piece(p, at), write, cpu_protected(cpu))) cpu_raise_seg(cpu, p->seg);
}

static void store_pieces(CPUState *cpu, const Place *p, const uint8_t *image, unsigned len)
{
    if (in_one(p)) {
        cpu_st_bytes(cpu, p->seg, p->ea, image, len);
        return;
    }
    for (unsigned at = 0; at < len; at += piece(p, at)) {
        check_piece(cpu, p, at, true);
        for (unsigned i = at; i < at + piece(p, at); i++) cpu_st_bytes(cpu, p->seg, offset_of(p, i), image + i, 1);
    }
}

static void load_pieces(CPUState *cpu, const Place *p, uint8_t *image)
{
    if (in_one(p)) {
        cpu_ld_bytes(cpu, p->seg, p->ea, image, p->len);
        return;
    }
    for (unsigned at = 0; at < p->len; at += piece(p, at)) {
        check_piece(cpu, p, at, false);
        for (unsigned i = at; i < at + piece(p, at); i++) cpu_ld_bytes(cpu, p->seg, offset_of(p, i), image + i, 1);
    }
}

/* Silicon touches the first unit of an image, then its last byte, which shows in the address of a fault. */
static void store_image(CPUState *cpu, const Place *p, const uint8_t *image)
{
    cpu_probe_write(cpu, p->seg, p->ea, p->word);
    cpu_probe_write(cpu, p->seg, offset_of(p, p->len - 1), 1);
    store_pieces(cpu, p, image, p->len);
}

static void load_image(CPUState *cpu, const Place *p, uint8_t *image)
{
    cpu_ld(cpu, p->seg, p->ea, p->word);
    cpu_ld(cpu, p->seg, offset_of(p, p->len - 1), 1);
    load_pieces(cpu, p, image);
}

void helper_fnstenv(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    unsigned opsize = size & OPSIZE;
    uint8_t image[28];
    Place p = place_of(seg, ea, 7 * opsize, size);
    env_image(cpu, image, opsize);
    store_image(cpu, &p, image);
    cpu->fpu.cw |= CW_EXC;
    fpu_update_summary(cpu);
    cpu_update_mode(cpu);
}

void helper_fldenv(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    unsigned opsize = size & OPSIZE;
    uint8_t image[28];
    Place p = place_of(seg, ea, 7 * opsize, size);
    fpu_check_pending(cpu);
    load_image(cpu, &p, image);
    load_env(cpu, image, opsize);
    cpu_update_mode(cpu);
}

static Fp80 *stack_reg(FpuState *f, unsigned i)
{
    return &f->r[((f->sw >> SW_TOP_SHIFT) + i) & 7];
}

static void put_fp80(uint8_t *p, const Fp80 *v)
{
    put_le32(p, (uint32_t)v->mant);
    put_le32(p + 4, (uint32_t)(v->mant >> 32));
    put_le16(p + 8, v->se);
}

static void get_fp80(const uint8_t *p, Fp80 *v)
{
    v->mant = get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
    v->se = (uint16_t)get_le16(p + 8);
}

void helper_fnsave(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    unsigned opsize = size & OPSIZE;
    uint8_t image[108];
    Place p = place_of(seg, ea, 7 * opsize + 80, size);
    env_image(cpu, image, opsize);
    for (unsigned i = 0; i < 8; i++) put_fp80(image + 7 * opsize + 10 * i, stack_reg(&cpu->fpu, i));
    store_image(cpu, &p, image);
    fpu_init(cpu);
    cpu_update_mode(cpu);
}

void helper_frstor(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    unsigned opsize = size & OPSIZE;
    uint8_t image[108];
    Place p = place_of(seg, ea, 7 * opsize + 80, size);
    fpu_check_pending(cpu);
    load_image(cpu, &p, image);
    load_env(cpu, image, opsize);
    for (unsigned i = 0; i < 8; i++) get_fp80(image + 7 * opsize + 10 * i, stack_reg(&cpu->fpu, i));
    cpu_update_mode(cpu);
}

/* --- FXSAVE, FXRSTOR: SDM 1 table 10-2 ------------------------------------------------------------- */

enum { FX_SIZE = 512, FX_STORED = 288, FX_ST = 32, FX_XMM = 160 };

/* As on silicon: whether the image's start can be read, then alignment (#AC where that is enabled, which SDM 2A leaves
 * open, else #GP(0)); all other checks come later. */
static void check_fx_place(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    uint32_t lin = cpu->seg[seg].base + ea;
    if (!cpu_seg_allows(&cpu->seg[seg], ea, 4, false, cpu_protected(cpu))) cpu_raise_seg(cpu, seg);
    if (!(lin & 15)) return;
    if (cpu->mode & MODE_AC && lin & 3) cpu_raise_err(cpu, EXC_AC, 0);
    cpu_raise_err(cpu, EXC_GP, 0);
}

static Place fx_place(uint32_t seg, uint32_t ea, uint32_t size)
{
    return (Place){ seg, ea, size & ADDRESS16 ? 0xffff : 0xffffffffu, FX_SIZE, 16, FX_SIZE };
}

/* Without CR4.OSFXSR the SSE part need not be saved; like current processors, it is all the same. */
void helper_fxsave(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    FpuState *f = &cpu->fpu;
    uint8_t image[FX_STORED] = { 0 };
    check_fx_place(cpu, seg, ea);
    put_le16(image, f->cw);
    put_le16(image + 2, f->sw);
    image[4] = f->tag_valid;
    put_le16(image + 6, f->fop);
    put_le32(image + 8, f->fip);
    put_le16(image + 12, f->fcs);
    put_le32(image + 16, f->fdp);
    put_le16(image + 20, f->fds);
    put_le32(image + 24, f->mxcsr);
    put_le32(image + 28, MXCSR_MASK);
    for (unsigned i = 0; i < 8; i++) {
        put_fp80(image + FX_ST + 16 * i, stack_reg(f, i));
        memcpy(image + FX_XMM + 16 * i, &f->xmm[i], 16);
    }
    Place p = fx_place(seg, ea, size);
    cpu_probe_write(cpu, seg, offset_of(&p, FX_SIZE - 1), 1); /* the end first: it shows in the address of a fault */
    if (in_one(&p)) cpu_probe_write(cpu, seg, ea, FX_SIZE);
    store_pieces(cpu, &p, image, FX_STORED);
}

void helper_fxrstor(CPUState *cpu, uint32_t seg, uint32_t ea, uint32_t size)
{
    FpuState *f = &cpu->fpu;
    uint8_t image[FX_SIZE];
    check_fx_place(cpu, seg, ea);
    Place p = fx_place(seg, ea, size);
    cpu_ld(cpu, seg, offset_of(&p, FX_SIZE - 1), 1); /* the end first, as in FXSAVE */
    load_pieces(cpu, &p, image);
    uint32_t mxcsr = get_le32(image + 24);
    if (mxcsr & ~(uint32_t)MXCSR_MASK) cpu_raise_err(cpu, EXC_GP, 0);
    f->mxcsr = mxcsr;
    f->sw = (uint16_t)get_le16(image + 2);
    f->tag_valid = image[4];
    f->fop = (uint16_t)(get_le16(image + 6) & 0x7ff);
    f->fip = get_le32(image + 8);
    f->fdp = get_le32(image + 16);
    f->fcs = f->fds = 0;
    for (unsigned i = 0; i < 8; i++) {
        get_fp80(image + FX_ST + 16 * i, stack_reg(f, i));
        memcpy(&f->xmm[i], image + FX_XMM + 16 * i, 16);
    }
    set_cw(cpu, get_le16(image));
    cpu_update_mode(cpu);
}

void helper_ldmxcsr(CPUState *cpu, uint32_t value)
{
    if (value & ~(uint32_t)MXCSR_MASK) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->fpu.mxcsr = value;
    cpu_update_mode(cpu);
}

uint32_t helper_stmxcsr(CPUState *cpu)
{
    return cpu->fpu.mxcsr;
}

/* --- instructions whose store depends on the outcome ----------------------------------------------- */

enum { X87_ADDRESS16 = 0x10000 }; /* in the helpers' code */

/* An x87 store while exceptions are unmasked, or of 80 bits with a 16-bit address: memory is touched only if none of those
 * occurs, and if the store faults the unit is as before. */
void helper_x87_store(CPUState *cpu, uint32_t code, uint32_t seg, uint32_t ea)
{
    static const uint8_t sizes[4][8] = {
        /* D9 DB DD DF by ModRM.reg */
        { 0, 0, 4, 4, 0, 0, 0, 2 },
        { 0, 4, 4, 4, 0, 0, 0, 10 },
        { 0, 8, 8, 8, 0, 0, 0, 2 },
        { 0, 2, 2, 2, 0, 0, 10, 8 },
    };
    uint8_t opcode = (uint8_t)(code >> 8), modrm = (uint8_t)code;
    uint32_t wrap = code & X87_ADDRESS16 ? 0xffff : 0xffffffffu;
    unsigned size = sizes[opcode >> 1 & 3][modrm >> 3 & 7];
    if (size == 0) return;
    cpu->fpu.operand_ea = ea;
    FpuState before = cpu->fpu;
    if (!fpu_run_x87(cpu, opcode, modrm)) return;
    FpuState after = cpu->fpu;
    cpu->fpu = before;
    if (size == 10) { /* a quadword and a word: the faults of the former come first */
        cpu_probe_write(cpu, seg, ea, 8);
        cpu_probe_write(cpu, seg, (ea + 8) & wrap, 2);
        cpu_st_bytes(cpu, seg, (ea + 8) & wrap, cpu->bounce + 8, 2);
        size = 8;
    }
    cpu_st_bytes(cpu, seg, ea, cpu->bounce, size);
    cpu->fpu = after;
}

/* FLD m80 and FBLD with a 16-bit address: the word's offset wraps around at 64 KiB. */
void helper_x87_load80(CPUState *cpu, uint32_t code, uint32_t seg, uint32_t ea)
{
    cpu->fpu.operand_ea = ea;
    cpu_ld_bytes(cpu, seg, ea, cpu->bounce, 8);
    cpu_ld_bytes(cpu, seg, (ea + 8) & 0xffff, cpu->bounce + 8, 2);
    fpu_run_x87(cpu, (uint8_t)(code >> 8), (uint8_t)code);
}

/* MASKMOVQ, MASKMOVDQU: bytes whose mask has its top bit set.  desc: 16-bit address 0x80, XMM 0x40, ModRM.reg 3-5,
 * ModRM.rm 0-2.  As on silicon (SDM 2B leaves it open), each eight bytes fault as a whole, whatever the mask selects,
 * the upper ones first, and MASKMOVQ has taken the x87 registers over even if it faults. */
void helper_maskmov(CPUState *cpu, uint32_t desc, uint32_t seg, uint32_t ea)
{
    bool xmm = desc & 0x40;
    unsigned src = desc >> 3 & 7, mask = desc & 7, n = xmm ? 16 : 8;
    uint32_t wrap = desc & 0x80 ? 0xffff : 0xffffffffu;
    uint8_t data[16], sel[16];
    FpuState *f = &cpu->fpu;
    if (!xmm) {
        fpu_check_pending(cpu);
        memcpy(data, &f->r[src].mant, 8);
        memcpy(sel, &f->r[mask].mant, 8);
        f->sw &= (uint16_t)~SW_TOP;
        f->tag_valid = 0xff;
    } else {
        memcpy(data, &f->xmm[src], 16);
        memcpy(sel, &f->xmm[mask], 16);
    }
    for (unsigned at = n; at; at -= 8) cpu_probe_write(cpu, seg, (ea + at - 8) & wrap, 8);
    for (unsigned i = 0; i < n; i++) {
        uint32_t half = (ea + (i & 8)) & wrap;
        if (sel[i] & 0x80) cpu_st_bytes(cpu, seg, half + (i & 7), data + i, 1);
    }
}
