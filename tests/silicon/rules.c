/* Which instructions can be compared at all, and what of the result is undefined.
 *
 * Left out is what would reach the host's kernel, what reads machine state that differs from processor to processor,
 * and bytes that are undefined to Calque but an instruction to a newer processor. */
#include "silicon.h"

#include <stdio.h>

#include "cpu/state.h"

/* Undefined opcodes that Intel has left undefined to this day: [map][opcode]. */
static bool still_undefined(const Insn *in)
{
    unsigned mod = in->modrm >> 6, reg = in->modrm >> 3 & 7;
    if (in->lock) return true; /* LOCK where it must not be; extensions refuse it too */
    if (in->map == 0) {
        switch (in->opcode) {
        case 0x8c: return reg >= 6;
        case 0x8d: return mod == 3;
        case 0x8e: return reg == 1 || reg >= 6;
        case 0x8f: return reg != 0;
        case 0xc6:
        case 0xc7: return reg != 0 && reg != 7; /* /7: XABORT, XBEGIN */
        case 0xfe: return reg >= 2;
        case 0xff: return reg == 7 || (mod == 3 && (reg == 3 || reg == 5));
        default: return false;
        }
    }
    if (in->map != 1) return false;
    switch (in->opcode) {
    case 0x04:
    case 0x0a:
    case 0x0b:
    case 0x0c:
    case 0x24:
    case 0x25:
    case 0x26:
    case 0x27:
    case 0x36:
    case 0x39:
    case 0x3b:
    case 0x3c:
    case 0x3d:
    case 0x3e:
    case 0x3f:
    case 0xa6:
    case 0xa7:
    case 0xb9:
    case 0xff: return true;
    case 0x20:
    case 0x22: return reg == 1 || reg >= 5;
    case 0xb2:
    case 0xb4:
    case 0xb5: return mod == 3;
    case 0xba: return reg < 4;
    default: return false;
    }
}

bool insn_is_fp(const Insn *in)
{
    return (in->mn >= MN_X87 && in->mn <= MN_FNSAVE) || in->mn >= MN_VEC;
}

typedef struct Excluded {
    uint16_t mn;
    const char *why;
} Excluded;

static const Excluded excluded[] = {
    { MN_CPUID, "tells the processor's model" },
    { MN_RDTSC, "tells the time" },
    { MN_RDPMC, "tells the processor's model, if the kernel allows it at all" },
    { MN_RDRAND, "tells nothing twice" },
    { MN_SYSENTER, "enters the host's kernel" },
    { MN_SYSCALL, "enters the host's kernel, or is undefined outside 64-bit mode (Intel)" },
    { MN_SYSRET, "is undefined outside 64-bit mode on Intel processors" },
    { MN_SGDT, "the kernel's tables, or its emulation of them under UMIP" },
    { MN_SIDT, "the kernel's tables, or its emulation of them under UMIP" },
    { MN_SLDT, "the kernel's tables, or its emulation of them under UMIP" },
    { MN_STR, "the kernel's tables, or its emulation of them under UMIP" },
    { MN_SMSW, "the kernel's CR0, or its emulation of it under UMIP" },
    { MN_MONITOR, "in user mode as a model-specific register says" },
    { MN_MWAIT, "in user mode as a model-specific register says" },
};

const char *rules_exclude(unsigned mn)
{
    for (unsigned i = 0; i < sizeof excluded / sizeof *excluded; i++)
        if (excluded[i].mn == mn) return excluded[i].why;
    return NULL;
}

bool rules_allow(const Insn *in, bool fp)
{
    if (insn_is_fp(in) && !fp) return false;
    switch (in->mn) {
    case MN_INVALID: return still_undefined(in);
    case MN_INT: return (in->imm & 0xff) != 0x80 && (in->imm & 0xff) != 2; /* Linux' system calls; NMI's gate */
    case MN_BSF:
    case MN_BSR: return in->rep != REP_REP; /* TZCNT, LZCNT */
    default: return !rules_exclude(in->mn);
    }
}

/* --- undefined flags ---------------------------------------------------------------------------------- */

enum {
    SZAP = FL_SF | FL_ZF | FL_AF | FL_PF,

};

/* When a row holds: always, or by the shift count (masked to 5 bits) against the operand's width. */
enum { ALWAYS, COUNT_NOT_0, COUNT_ABOVE_1, COUNT_FROM_SIZE, COUNT_ABOVE_SIZE };

typedef struct UndefRow {
    uint16_t mn;
    uint8_t when;
    uint16_t flags;
    const char *where; /* SDM volume 2, the instruction's "Flags Affected" */
} UndefRow;

static const UndefRow undef[] = {
    { MN_AAA, ALWAYS, FL_OF | FL_SF | FL_ZF | FL_PF, "AAA" },
    { MN_AAS, ALWAYS, FL_OF | FL_SF | FL_ZF | FL_PF, "AAS" },
    { MN_AAD, ALWAYS, FL_OF | FL_AF | FL_CF, "AAD" },
    { MN_AAM, ALWAYS, FL_OF | FL_AF | FL_CF, "AAM" },
    { MN_DAA, ALWAYS, FL_OF, "DAA" },
    { MN_DAS, ALWAYS, FL_OF, "DAS" },
    { MN_AND, ALWAYS, FL_AF, "AND" },
    { MN_OR, ALWAYS, FL_AF, "OR" },
    { MN_XOR, ALWAYS, FL_AF, "XOR" },
    { MN_TEST, ALWAYS, FL_AF, "TEST" },
    { MN_MUL, ALWAYS, SZAP, "MUL" },
    { MN_IMUL, ALWAYS, SZAP, "IMUL" },
    { MN_DIV, ALWAYS, FL_ARITH, "DIV" },
    { MN_IDIV, ALWAYS, FL_ARITH, "IDIV" },
    { MN_BSF, ALWAYS, FL_ARITH & ~FL_ZF, "BSF" },
    { MN_BSR, ALWAYS, FL_ARITH & ~FL_ZF, "BSR" },
    { MN_BT, ALWAYS, FL_OF | FL_SF | FL_AF | FL_PF, "BT" },
    { MN_BTS, ALWAYS, FL_OF | FL_SF | FL_AF | FL_PF, "BTS" },
    { MN_BTR, ALWAYS, FL_OF | FL_SF | FL_AF | FL_PF, "BTR" },
    { MN_BTC, ALWAYS, FL_OF | FL_SF | FL_AF | FL_PF, "BTC" },
    { MN_ROL, COUNT_ABOVE_1, FL_OF, "RCL/RCR/ROL/ROR" },
    { MN_ROR, COUNT_ABOVE_1, FL_OF, "RCL/RCR/ROL/ROR" },
    { MN_RCL, COUNT_ABOVE_1, FL_OF, "RCL/RCR/ROL/ROR" },
    { MN_RCR, COUNT_ABOVE_1, FL_OF, "RCL/RCR/ROL/ROR" },
    { MN_SHL, COUNT_NOT_0, FL_AF, "SAL/SAR/SHL/SHR" },
    { MN_SHL, COUNT_ABOVE_1, FL_OF, "SAL/SAR/SHL/SHR" },
    { MN_SHL, COUNT_FROM_SIZE, FL_CF, "SAL/SAR/SHL/SHR" },
    { MN_SHR, COUNT_NOT_0, FL_AF, "SAL/SAR/SHL/SHR" },
    { MN_SHR, COUNT_ABOVE_1, FL_OF, "SAL/SAR/SHL/SHR" },
    { MN_SHR, COUNT_FROM_SIZE, FL_CF, "SAL/SAR/SHL/SHR" },
    { MN_SAR, COUNT_NOT_0, FL_AF, "SAL/SAR/SHL/SHR" },
    { MN_SAR, COUNT_ABOVE_1, FL_OF, "SAL/SAR/SHL/SHR" },
    { MN_SHLD, COUNT_NOT_0, FL_AF, "SHLD" },
    { MN_SHLD, COUNT_ABOVE_1, FL_OF, "SHLD" },
    { MN_SHLD, COUNT_ABOVE_SIZE, FL_ARITH, "SHLD" },
    { MN_SHRD, COUNT_NOT_0, FL_AF, "SHRD" },
    { MN_SHRD, COUNT_ABOVE_1, FL_OF, "SHRD" },
    { MN_SHRD, COUNT_ABOVE_SIZE, FL_ARITH, "SHRD" },
};

static bool row_holds(const UndefRow *row, const Case *c)
{
    const Insn *in = &c->insn;
    if (row->mn != in->mn) return false;
    if (row->when == ALWAYS) return true;
    unsigned last = in->n_opnd - 1u, size = in->opnd[0].size * 8u;
    unsigned count = (in->opnd[last].kind == OPND_IMM ? in->imm : c->in.regs[R_ECX]) & 31;
    switch (row->when) {
    case COUNT_NOT_0: return count > 0;
    case COUNT_ABOVE_1: return count > 1;
    case COUNT_FROM_SIZE: return count >= size;
    default: return count > size;
    }
}

uint32_t undefined_flags(const Case *c)
{
    uint32_t flags = 0;
    for (unsigned i = 0; c->single && i < sizeof undef / sizeof *undef; i++)
        if (row_holds(&undef[i], c)) flags |= undef[i].flags;
    return flags;
}

void undefined_print(void)
{
    static const char *const when[] = { "", ", count above 0", ", count above 1", ", count from the width on",
                                        ", count above the width" };
    for (unsigned i = 0; i < sizeof undef / sizeof *undef; i++) {
        const UndefRow *u = &undef[i];
        printf("# %s leaves%s%s%s%s%s%s undefined%s (SDM 2, %s)\n", mnemonic_name(u->mn), u->flags & FL_CF ? " CF" : "",
               u->flags & FL_PF ? " PF" : "", u->flags & FL_AF ? " AF" : "", u->flags & FL_ZF ? " ZF" : "",
               u->flags & FL_SF ? " SF" : "", u->flags & FL_OF ? " OF" : "", when[u->when], u->where);
    }
}
