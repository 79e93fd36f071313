/* Which instructions can be compared at all, and what of the result is undefined.
 *
 * Left out is what would reach the host's kernel, what reads machine state that differs from processor to processor,
 * and bytes that are undefined to Calque but an instruction to a newer processor. */
#include "silicon.h"

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

bool rules_allow(const Insn *in, const World *w, bool fp)
{
    if (insn_is_fp(in) && !fp) return false;
    switch (in->mn) {
    case MN_INVALID: return still_undefined(in);
    case MN_CPUID: /* another model */
    case MN_RDTSC: /* another time */
    case MN_RDPMC:
    case MN_RDRAND:
    case MN_SYSENTER: /* into the kernel */
    case MN_SYSCALL:
    case MN_SYSRET:
    case MN_SYSEXIT:
    case MN_SGDT: /* the kernel's, or its emulation of them under UMIP */
    case MN_SIDT:
    case MN_SLDT:
    case MN_STR:
    case MN_SMSW:
    case MN_MONITOR: /* with MWAIT: user mode as a model-specific register says */
    case MN_MWAIT: return false;
    case MN_INT: return (in->imm & 0xff) != 0x80 && (in->imm & 0xff) != 2;
    case MN_BSF:
    case MN_BSR: return in->rep != REP_REP; /* TZCNT, LZCNT */
    case MN_JMPF:
    case MN_CALLF:
    case MN_RETF:
    case MN_IRET: (void)w; return true;
    default: return true;
    }
}

/* --- undefined flags ---------------------------------------------------------------------------------- */

enum {
    SZAP = FL_SF | FL_ZF | FL_AF | FL_PF,

};

typedef struct UndefRow {
    uint16_t mn;
    uint16_t flags;
    const char *where; /* SDM volume 2, "Flags Affected" */
} UndefRow;

static const UndefRow undef[] = {
    { MN_AAA, FL_OF | FL_SF | FL_ZF | FL_PF, "AAA" },
    { MN_AAS, FL_OF | FL_SF | FL_ZF | FL_PF, "AAS" },
    { MN_AAD, FL_OF | FL_AF | FL_CF, "AAD" },
    { MN_AAM, FL_OF | FL_AF | FL_CF, "AAM" },
    { MN_DAA, FL_OF, "DAA" },
    { MN_DAS, FL_OF, "DAS" },
    { MN_AND, FL_AF, "AND" },
    { MN_OR, FL_AF, "OR" },
    { MN_XOR, FL_AF, "XOR" },
    { MN_TEST, FL_AF, "TEST" },
    { MN_MUL, SZAP, "MUL" },
    { MN_IMUL, SZAP, "IMUL" },
    { MN_DIV, FL_ARITH, "DIV" },
    { MN_IDIV, FL_ARITH, "IDIV" },
    { MN_BSF, FL_ARITH & ~FL_ZF, "BSF" },
    { MN_BSR, FL_ARITH & ~FL_ZF, "BSR" },
    { MN_BT, FL_OF | FL_SF | FL_AF | FL_PF, "BT" },
    { MN_BTS, FL_OF | FL_SF | FL_AF | FL_PF, "BTS" },
    { MN_BTR, FL_OF | FL_SF | FL_AF | FL_PF, "BTR" },
    { MN_BTC, FL_OF | FL_SF | FL_AF | FL_PF, "BTC" },
};

/* SDM 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD */
static uint32_t undefined_shift(const Case *c)
{
    const Insn *in = &c->insn;
    unsigned last = in->n_opnd - 1u, size = in->opnd[0].size * 8u;
    unsigned count = (in->opnd[last].kind == OPND_IMM ? in->imm : c->in.regs[R_ECX]) & 31;
    uint32_t mask = count > 1 ? FL_OF : 0;
    switch (in->mn) {
    case MN_SHLD:
    case MN_SHRD: return count > size ? FL_ARITH : count ? mask | FL_AF : 0;
    case MN_SHL:
    case MN_SHR: mask |= count >= size ? FL_CF : 0; /* fall through */
    case MN_SAR: return count ? mask | FL_AF : 0;
    default: return mask;
    }
}

uint32_t undefined_flags(const Case *c)
{
    if (!c->single) return 0;
    switch (c->insn.mn) {
    case MN_ROL:
    case MN_ROR:
    case MN_RCL:
    case MN_RCR:
    case MN_SHL:
    case MN_SHR:
    case MN_SAR:
    case MN_SHLD:
    case MN_SHRD: return undefined_shift(c);
    default: break;
    }
    for (unsigned i = 0; i < sizeof undef / sizeof *undef; i++)
        if (undef[i].mn == c->insn.mn) return undef[i].flags;
    return 0;
}
