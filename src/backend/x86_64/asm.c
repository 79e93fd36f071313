/* Encodings: prefixes, REX, opcode maps, ModRM and SIB (SDM 2, 2.1 and 2.2). */
#include "backend/x86_64/asm.h"

static inline bool is_high(unsigned r)
{
    return r >= AH && r <= BH;
}
static inline unsigned low3(unsigned r)
{
    return is_high(r) ? r - AH + 4 : r & 7;
}
static inline unsigned hi1(unsigned r)
{
    return r <= R15 ? r >> 3 : 0;
}

static void prefixes(Asm *a, unsigned flags)
{
    if (flags & (W16 | P66)) asm8(a, 0x66);
    if (flags & PF3) asm8(a, 0xf3);
    if (flags & PF2) asm8(a, 0xf2);
}

static void opcode_bytes(Asm *a, unsigned opcode)
{
    if (opcode > 0xffff) asm8(a, opcode >> 16);
    if (opcode > 0xff) asm8(a, opcode >> 8 & 0xff);
    asm8(a, opcode & 0xff);
}

static inline bool byte_needs_rex(unsigned flags, unsigned r)
{
    return (flags & W8) && r >= RSP && r <= RDI;
}
static inline bool reg_needs_rex(unsigned flags, unsigned r)
{
    return !(flags & DIGIT) && byte_needs_rex(flags, r);
}

void asm_rr(Asm *a, unsigned flags, unsigned opcode, unsigned reg, unsigned rm)
{
    unsigned rex = (flags & W64 ? 8 : 0) | hi1(reg) << 2 | hi1(rm);
    prefixes(a, flags);
    if (rex || reg_needs_rex(flags, reg) || byte_needs_rex(flags, rm)) asm8(a, 0x40 | rex);
    opcode_bytes(a, opcode);
    asm8(a, 0xc0 | low3(reg) << 3 | low3(rm));
}

void asm_rm(Asm *a, unsigned flags, unsigned opcode, unsigned reg, AsmMem m)
{
    unsigned rex = (flags & W64 ? 8 : 0) | hi1(reg) << 2;
    if (m.index != NOREG) rex |= hi1(m.index) << 1;
    if (m.base != NOREG) rex |= hi1(m.base);
    if (m.window) a->window_insn = a->p;
    if (m.window == ASM_WINDOW_GS) asm8(a, 0x65), asm8(a, 0x67);
    prefixes(a, flags);
    if (rex || reg_needs_rex(flags, reg)) asm8(a, 0x40 | rex);
    opcode_bytes(a, opcode);

    unsigned r = low3(reg) << 3;
    if (m.base == NOREG) { /* SIB without base: disp32 follows */
        asm8(a, 0x04 | r);
        asm8(a, (unsigned)m.shift << 6 | (m.index == NOREG ? 4u : low3(m.index)) << 3 | 5);
        asm32(a, (uint32_t)m.disp);
        return;
    }
    unsigned b = low3(m.base);
    unsigned mod = m.disp == 0 && b != 5 ? 0 : m.disp >= -128 && m.disp <= 127 ? 1 : 2;
    if (m.index != NOREG || b == 4) {
        asm8(a, mod << 6 | r | 4);
        asm8(a, (unsigned)m.shift << 6 | (m.index == NOREG ? 4u : low3(m.index)) << 3 | b);
    } else {
        asm8(a, mod << 6 | r | b);
    }
    if (mod == 1) asm8(a, (unsigned)m.disp & 0xff);
    if (mod == 2) asm32(a, (uint32_t)m.disp);
}

void asm_mov_imm(Asm *a, unsigned dst, uint32_t v)
{
    if (dst >= R8) asm8(a, 0x41);
    asm8(a, 0xb8 | (dst & 7));
    asm32(a, v);
}

void asm_mov_imm64(Asm *a, unsigned dst, uint64_t v)
{
    if (v <= 0xffffffffu) {
        asm_mov_imm(a, dst, (uint32_t)v);
        return;
    }
    asm8(a, 0x48 | (dst >= R8));
    asm8(a, 0xb8 | (dst & 7));
    asm64(a, v);
}

static void imm(Asm *a, unsigned bytes, uint32_t v)
{
    if (bytes == 1) {
        asm8(a, v & 0xff);
    } else if (bytes == 2) {
        asm8(a, v & 0xff);
        asm8(a, v >> 8 & 0xff);
    } else {
        asm32(a, v);
    }
}

void asm_store_imm(Asm *a, unsigned bytes, AsmMem m, uint32_t v)
{
    asm_rm(a, asm_width(bytes) & ~(unsigned)W8, bytes == 1 ? 0xc6 : 0xc7, 0, m);
    imm(a, bytes, v);
}

/* VEX.LZ.F2.0F3A.W0 F0 /r ib */
void asm_rorx(Asm *a, unsigned dst, unsigned src, unsigned count)
{
    asm8(a, 0xc4);
    asm8(a, (dst >= R8 ? 0 : 0x80) | 0x40 | (src >= R8 ? 0 : 0x20) | 3);
    asm8(a, 0x7b);
    asm8(a, 0xf0);
    asm8(a, 0xc0 | (dst & 7) << 3 | (src & 7));
    asm8(a, count);
}

static bool fits_imm8(unsigned bytes, uint32_t v)
{
    return bytes == 2 ? (int16_t)v >= -128 && (int16_t)v <= 127 : (int32_t)v >= -128 && (int32_t)v <= 127;
}

void asm_alu_imm(Asm *a, unsigned bytes, unsigned n, unsigned rm, uint32_t v)
{
    if (bytes == 1) {
        asm_rr(a, W8 | DIGIT, 0x80, n, rm);
        asm8(a, v & 0xff);
    } else if (fits_imm8(bytes, v)) {
        asm_rr(a, asm_width(bytes), 0x83, n, rm);
        asm8(a, v & 0xff);
    } else {
        asm_rr(a, asm_width(bytes), 0x81, n, rm);
        imm(a, bytes, v);
    }
}

void asm_alu_mem_imm(Asm *a, unsigned bytes, unsigned n, AsmMem m, uint32_t v)
{
    if (bytes == 1) {
        asm_rm(a, 0, 0x80, n, m);
        asm8(a, v & 0xff);
    } else if (fits_imm8(bytes, v)) {
        asm_rm(a, asm_width(bytes), 0x83, n, m);
        asm8(a, v & 0xff);
    } else {
        asm_rm(a, asm_width(bytes), 0x81, n, m);
        imm(a, bytes, v);
    }
}

uint8_t *asm_jcc(Asm *a, unsigned cc)
{
    asm8(a, 0x0f);
    asm8(a, 0x80 | cc);
    asm32(a, 0);
    return a->p - 4;
}

uint8_t *asm_jmp(Asm *a)
{
    asm8(a, 0xe9);
    asm32(a, 0);
    return a->p - 4;
}

uint8_t *asm_call(Asm *a)
{
    asm8(a, 0xe8);
    asm32(a, 0);
    return a->p - 4;
}
