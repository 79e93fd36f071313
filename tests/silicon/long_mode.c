/* Most 32-bit instructions are the same bytes in 64-bit mode (SDM 1 3.6, 2A 2.2; APM 3 appendix B): registers are 32 bits
 * wide there too unless a REX prefix says otherwise, and a result clears the upper half.  What differs:
 *
 *   addresses       are 64 bits wide; a 67 prefix makes them 32.  16 bits cannot be had
 *   [disp32]        in ModRM is relative to RIP; a SIB byte without base and index says what it said
 *   40 to 4F        are REX; INC and DEC are FF /0 and /1
 *   the stack       moves by eight bytes, or by two; what moved by four is done by MOV and LEA, which touch no flags
 *   some opcodes    are undefined, or another instruction
 *
 * The table below has what is not the same, instruction by instruction; R8 and R9 hold what is on its way.  Lengths differ,
 * so each case's code is laid out elsewhere, with a map between the two; the guest's own can be read, but not run. */
#include "long_mode.h"

#include <string.h>

#include "cpu/state.h"

/* --- bytes ---------------------------------------------------------------------------------------------------- */

typedef struct LongCode {
    uint8_t bytes[64];
    uint8_t n, rel_at; /* rel_at: place of a jump's displacement, 0: none */
    uint32_t target;
} LongCode;

static void put(LongCode *o, const void *bytes, unsigned n)
{
    memcpy(o->bytes + o->n, bytes, n);
    o->n = (uint8_t)(o->n + n);
}
static void put8(LongCode *o, unsigned b)
{
    o->bytes[o->n++] = (uint8_t)b;
}
static void put32(LongCode *o, uint32_t v)
{
    put(o, &v, 4);
}
static void put_target(LongCode *o, uint32_t target)
{
    o->rel_at = o->n;
    o->target = target;
    put32(o, 0);
}

static unsigned count_prefixes(const Insn *in)
{
    unsigned n = 0;
    while (n < in->len && in->bytes[n] && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", in->bytes[n])) n++;
    return n;
}

static bool has_memory(const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++)
        if (in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS) return true;
    return false;
}
/* Does the address size matter?  Strings' registers count as memory operands (decode.h); LOOP and JCXZ count in ECX. */
static bool has_address(const Insn *in)
{
    return has_memory(in) || (in->mn >= MN_LOOP && in->mn <= MN_JCXZ);
}

static void put_prefixes(LongCode *o, const Insn *in)
{
    unsigned n = count_prefixes(in);
    for (unsigned i = 0; i < n; i++)
        if (in->bytes[i] != 0x67) put8(o, in->bytes[i]);
    if (has_address(in)) put8(o, 0x67);
}

static unsigned opcode_at(const Insn *in)
{
    return count_prefixes(in);
}
static unsigned opcode_len(const Insn *in)
{
    return in->map == 0 ? 1 : in->map == 1 ? 2 : 3;
}

/* ModRM (with another register field), SIB and displacement of a memory operand; returns what comes after it. */
static unsigned put_operand(LongCode *o, const Insn *in, unsigned reg)
{
    unsigned at = opcode_at(in) + opcode_len(in), mod = in->modrm >> 6, rm = in->modrm & 7;
    const uint8_t *b = in->bytes + at + 1;
    if (mod == 0 && rm == 5) { /* SDM 2A 2.2.1.6 */
        put8(o, reg << 3 | 4);
        put8(o, 0x25);
        put(o, b, 4);
        return at + 5;
    }
    unsigned sib = rm == 4, disp = mod == 2 || (mod == 0 && sib && (*b & 7) == 5) ? 4 : mod;
    put8(o, mod << 6 | reg << 3 | rm);
    put(o, b, sib + disp);
    return at + 1 + sib + disp;
}

/* --- equals ---------------------------------------------------------------------------------------------------- */

static void same(LongCode *o, const Insn *in, uint32_t next)
{
    unsigned at = opcode_at(in);
    (void)next;
    if (in->mn == MN_INVALID) {
        put(o, in->bytes, in->len);
        return;
    }
    put_prefixes(o, in);
    put(o, in->bytes + at, opcode_len(in));
    at += opcode_len(in);
    if (in->has_modrm && has_memory(in) && in->modrm < 0xc0) at = put_operand(o, in, in->modrm >> 3 & 7);
    put(o, in->bytes + at, in->len - at);
}

static void group_80(LongCode *o, const Insn *in, uint32_t next)
{
    Insn again = *in;
    again.bytes[opcode_at(in)] = 0x80;
    same(o, &again, next);
}

static void step(LongCode *o, const Insn *in, uint32_t next)
{
    (void)next;
    put_prefixes(o, in);
    put8(o, 0xff);
    put8(o, 0xc0 | (in->mn == MN_DEC) << 3 | in->opnd[0].reg);
}

/* R8 = the operand */
static void fetch(LongCode *o, const Insn *in)
{
    const Opnd *from = &in->opnd[0];
    if (from->kind == OPND_IMM) {
        put(o, "\x41\xb8", 2);
        put32(o, in->imm);
    } else if (from->kind == OPND_REG) {
        put(o, "\x44\x8b", 2);
        put8(o, 0xc0 | from->reg);
    } else {
        put_prefixes(o, in);
        put(o, "\x44\x8b", 2);
        put_operand(o, in, 0);
    }
}

static void esp_plus(LongCode *o, uint32_t n)
{
    put(o, "\x8d\xa4\x24", 3); /* lea esp, [rsp + n] */
    put32(o, n);
}

static void push(LongCode *o, const Insn *in, uint32_t next)
{
    (void)next;
    fetch(o, in);
    put(o, "\x44\x89\x44\x24\xfc", 5); /* mov [rsp - 4], r8d */
    esp_plus(o, 0u - 4);
}

static void pop(LongCode *o, const Insn *in, uint32_t next)
{
    (void)next;
    put(o, "\x44\x8b\x04\x24", 4); /* mov r8d, [rsp] */
    if (in->opnd[0].kind == OPND_REG) {
        esp_plus(o, 4);
        put(o, "\x41\x8b", 2);
        put8(o, 0xc0 | in->opnd[0].reg << 3);
        return;
    }
    put_prefixes(o, in);
    put(o, "\x44\x89", 2);
    put_operand(o, in, 0);
    esp_plus(o, 4);
}

static void pushf(LongCode *o, const Insn *in, uint32_t next)
{
    (void)in, (void)next;
    put(o, "\x49\x89\xe0\xbc", 4); /* mov r8, rsp; mov esp, ... */
    put32(o, LONG_STACK + 64);
    put(o, "\x9c\x41\x59\x4c\x89\xc4", 6); /* pushfq; pop r9; mov rsp, r8 */
    put(o, "\x44\x89\x4c\x24\xfc", 5);     /* mov [rsp - 4], r9d */
    esp_plus(o, 0u - 4);
}

static void leave(LongCode *o, const Insn *in, uint32_t next)
{
    (void)in, (void)next;
    put(o, "\x44\x8b\x45\x00\x8d\x65\x04\x41\x8b\xe8", 10); /* mov r8d, [rbp]; lea esp, [rbp + 4]; mov ebp, r8d */
}

static void go(LongCode *o, const Insn *in, uint32_t next)
{
    if (in->opnd[0].kind == OPND_REL) {
        put8(o, 0xe9);
        put_target(o, next + in->imm);
    } else {
        put(o, "\x41\xff\xe0", 3); /* jmp r8 */
    }
}

static void jmp(LongCode *o, const Insn *in, uint32_t next)
{
    if (in->opnd[0].kind == OPND_REG) {
        same(o, in, next);
        return;
    }
    if (in->opnd[0].kind != OPND_REL) fetch(o, in);
    go(o, in, next);
}

static void call(LongCode *o, const Insn *in, uint32_t next)
{
    if (in->opnd[0].kind != OPND_REL) fetch(o, in);
    put(o, "\xc7\x44\x24\xfc", 4); /* mov dword [rsp - 4], ... */
    put32(o, next);
    esp_plus(o, 0u - 4);
    go(o, in, next);
}

static void ret(LongCode *o, const Insn *in, uint32_t next)
{
    (void)next;
    put(o, "\x44\x8b\x04\x24", 4); /* mov r8d, [rsp] */
    esp_plus(o, 4 + (in->n_opnd ? in->imm : 0));
    put(o, "\x41\xff\xe0", 3);
}

static void jcc(LongCode *o, const Insn *in, uint32_t next)
{
    put8(o, 0x0f);
    put8(o, 0x80 | in->cc);
    put_target(o, next + in->imm);
}

/* These have short displacements only: over a short jump to a long one. */
static void loop(LongCode *o, const Insn *in, uint32_t next)
{
    put8(o, 0x67);
    put8(o, in->opcode);
    put(o, "\x02\xeb\x05\xe9", 4);
    put_target(o, next + in->imm);
}

/* A signal's frame need not hold x87's instruction pointer (native.c), so that is stored first. */
static void end(LongCode *o, const Insn *in, uint32_t next)
{
    static const uint32_t at = LONG_X87;
    put(o, "\xd9\x34\x25", 3); /* fnstenv [LONG_X87] */
    put32(o, at);
    put(o, "\xd9\x24\x25", 3); /* fldenv */
    put32(o, at);
    same(o, in, next);
}

/* --- the table --------------------------------------------------------------------------------------------------- */

static bool any(const Insn *in)
{
    (void)in;
    return true;
}
static bool word(const Insn *in)
{
    return in->opsize == 2;
}
static bool dword(const Insn *in)
{
    return in->opsize == 4;
}
static bool of_cs(const Insn *in)
{
    return in->opnd[1].kind == OPND_SEG && in->opnd[1].reg == W_CS;
}
static bool to_segment(const Insn *in)
{
    return in->opnd[0].kind == OPND_SEG;
}
static bool one_byte_segment(const Insn *in)
{
    return in->opnd[0].kind == OPND_SEG && in->map == 0;
}
static bool dword_segment(const Insn *in)
{
    return in->opnd[0].kind == OPND_SEG && in->opsize == 4;
}
static bool to_stack_memory(const Insn *in)
{
    return in->opsize == 4 && in->opnd[0].kind == OPND_MEM && in->mem.base == R_ESP;
}
static bool one_byte(const Insn *in)
{
    return in->map == 0 && (in->opcode & 0xf0) == 0x40;
}
static bool opcode_82(const Insn *in)
{
    return in->map == 0 && in->opcode == 0x82;
}
static bool locked_verr(const Insn *in)
{
    return in->map == 1 && in->opcode == 0x00;
}
static bool reserved_vector(const Insn *in)
{
    return in->imm >= 0x16 && in->imm < 0x20;
}
static bool prefetch_register(const Insn *in)
{
    return in->map == 1 && in->opcode == 0x0d && in->modrm >= 0xc0;
}
static bool control_register(const Insn *in)
{
    return in->map == 1 && (in->opcode & 0xfc) == 0x20;
}

#define UNDEFINED "undefined, or another instruction, in 64-bit mode"
#define TABLES    "reads a descriptor, and beneath a kernel that runs 64-bit code alone may be another's"
#define FAR       "takes or leaves a frame of another width, or leads to 32-bit code"
#define SHORT_IP  "a target of 16 bits: Intel's ignore 66 there in 64-bit mode, AMD's do not"
#define EIGHT     "moves eight bytes on the stack, and has no equal"
#define BY_PARTS  "moves four bytes by MOV, and ESP by LEA"

typedef void Encode(LongCode *o, const Insn *in, uint32_t next);
typedef struct LongRow {
    uint16_t mn;
    bool (*when)(const Insn *in);
    Encode *encode; /* NULL: cannot be judged */
    const char *why;
} LongRow;

/* The first row that fits holds; what fits none is the same. */
static const LongRow rows[] = {
    { MN_AAA, any, NULL, UNDEFINED },
    { MN_AAS, any, NULL, UNDEFINED },
    { MN_AAM, any, NULL, UNDEFINED },
    { MN_AAD, any, NULL, UNDEFINED },
    { MN_DAA, any, NULL, UNDEFINED },
    { MN_DAS, any, NULL, UNDEFINED },
    { MN_SALC, any, NULL, UNDEFINED },
    { MN_BOUND, any, NULL, UNDEFINED },
    { MN_ARPL, any, NULL, UNDEFINED },
    { MN_LES, any, NULL, UNDEFINED },
    { MN_LDS, any, NULL, UNDEFINED },
    { MN_INTO, any, NULL, UNDEFINED },
    { MN_PUSHA, any, NULL, UNDEFINED },
    { MN_POPA, any, NULL, UNDEFINED },
    { MN_PUSH, one_byte_segment, NULL, UNDEFINED },
    { MN_POP, one_byte_segment, NULL, UNDEFINED },
    { MN_POP, to_segment, NULL, TABLES },
    { MN_MOV, to_segment, NULL, TABLES },
    { MN_LSS, any, NULL, TABLES },
    { MN_LFS, any, NULL, TABLES },
    { MN_LGS, any, NULL, TABLES },
    { MN_LAR, any, NULL, TABLES },
    { MN_LSL, any, NULL, TABLES },
    { MN_VERR, any, NULL, TABLES },
    { MN_VERW, any, NULL, TABLES },
    { MN_NOP, prefetch_register, NULL, "undefined on AMD's processors (APM 3, PREFETCH)" },
    { MN_INVALID, one_byte, NULL, UNDEFINED },
    { MN_INVALID, locked_verr, NULL, "LOCK does not make them undefined on a Zen 5" },
    { MN_INT, reserved_vector, NULL, "vectors that the manual reserves, and hypervisors use" },
    { MN_SYSEXIT, any, NULL, "undefined in long mode (APM 3, SYSEXIT)" },
    { MN_INVALID, control_register, NULL, "LOCK makes CR0 CR8 (APM 3, MOV CRn)" },
    { MN_JMPF, any, NULL, FAR },
    { MN_CALLF, any, NULL, FAR },
    { MN_RETF, any, NULL, FAR },
    { MN_IRET, any, NULL, FAR },
    { MN_MOV, of_cs, NULL, "64-bit code has a selector of its own" },
    { MN_FXSAVE, any, NULL, "stores XMM8 to XMM15 too" },
    { MN_PUSH, dword_segment, NULL, EIGHT },
    { MN_POPF, dword, NULL, EIGHT },
    { MN_ENTER, dword, NULL, EIGHT },
    { MN_POP, to_stack_memory, NULL,
      "the address is ESP's after the pop, but that must not have happened if it faults" },
    { MN_JCC, word, NULL, SHORT_IP },
    { MN_JMP, word, NULL, SHORT_IP },
    { MN_CALL, word, NULL, SHORT_IP },
    { MN_RET, word, NULL, SHORT_IP },
    { MN_LOOP, word, NULL, SHORT_IP },
    { MN_LOOPE, word, NULL, SHORT_IP },
    { MN_LOOPNE, word, NULL, SHORT_IP },
    { MN_JCXZ, word, NULL, SHORT_IP },
    { MN_PUSH, dword, push, BY_PARTS },
    { MN_POP, dword, pop, BY_PARTS },
    { MN_PUSHF, dword, pushf, "pushes eight bytes elsewhere, and moves four of them" },
    { MN_LEAVE, dword, leave, BY_PARTS },
    { MN_CALL, any, call, "pushes the guest's EIP by parts" },
    { MN_RET, any, ret, "pops into R8, and jumps there" },
    { MN_JMP, any, jmp, "a target in memory has eight bytes: by R8" },
    { MN_JCC, any, jcc, "with a long displacement" },
    { MN_LOOP, any, loop, "over a jump with a long displacement" },
    { MN_LOOPE, any, loop, "over a jump with a long displacement" },
    { MN_LOOPNE, any, loop, "over a jump with a long displacement" },
    { MN_JCXZ, any, loop, "over a jump with a long displacement" },
    { MN_INT3, any, end, "after a look at x87's instruction pointer" },
    { MN_INC, one_byte, step, "FF /0: 40 to 47 are REX" },
    { MN_DEC, one_byte, step, "FF /1: 48 to 4F are REX" },
    { MN_ADD, opcode_82, group_80, "80: 82 is undefined" },
    { MN_OR, opcode_82, group_80, "80: 82 is undefined" },
    { MN_ADC, opcode_82, group_80, "80: 82 is undefined" },
    { MN_SBB, opcode_82, group_80, "80: 82 is undefined" },
    { MN_AND, opcode_82, group_80, "80: 82 is undefined" },
    { MN_SUB, opcode_82, group_80, "80: 82 is undefined" },
    { MN_XOR, opcode_82, group_80, "80: 82 is undefined" },
    { MN_CMP, opcode_82, group_80, "80: 82 is undefined" },
};
static const LongRow as_it_is = { MN_COUNT, any, same, "the same" };

static const LongRow *row_of(const Insn *in)
{
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].mn == in->mn && rows[i].when(in)) return &rows[i];
    return &as_it_is;
}

static bool stores_to_code(const Insn *in)
{
    for (unsigned i = 0; i < in->n_opnd; i++)
        if ((in->opnd[i].kind == OPND_MEM || in->opnd[i].kind == OPND_MOFFS) && in->opnd[i].use & 2)
            return in->mem.seg == W_CS;
    return false;
}

/* All of them may be one instruction, or several of which one has the operand.  What is undefined may have a displacement of
 * another length with a 67 prefix. */
static unsigned longest(const Insn *in, Encode *encode)
{
    bool single = encode == same || encode == group_80 || encode == step;
    if (in->mn == MN_INVALID && in->asize == 2) return DECODE_MAX - 5;
    if (single) return DECODE_MAX;
    return has_memory(in) && in->len > DECODE_MAX - 4 ? 0 : sizeof(LongCode);
}

const char *long_mode_refuses(const Insn *in)
{
    const LongRow *row = row_of(in);
    LongCode o = { .n = 0 };
    if (!row->encode) return row->why;
    if (in->mn != MN_INVALID && in->asize == 2 && has_address(in)) return "addresses of 16 bits";
    if (stores_to_code(in)) return "a CS prefix does not keep from writing";
    row->encode(&o, in, 0);
    return o.n > longest(in, row->encode) ? "longer than 15 bytes with a prefix, or a SIB byte, more" : NULL;
}

/* --- cases ---------------------------------------------------------------------------------------------------- */

/* Offsets of the instructions, the last that of an INT3 which the guest has after its code. */
enum { BATCH = CODE_SIZE / 128, NOWHERE = 0xffff };
typedef struct Layout {
    uint32_t at; /* of all the case's code */
    uint16_t n, end, guest[MAX_CODE + 2], native[MAX_CODE + 2];
} Layout;
static Layout layouts[BATCH];
static const Case *laid_out;

static Layout *layout_of(const Case *c)
{
    return &layouts[c - laid_out];
}

uint32_t long_mode_entry(const Case *c, uint32_t eip)
{
    const Layout *l = layout_of(c);
    for (unsigned i = 0; i < l->n; i++)
        if (c->code_at + l->guest[i] == eip) return l->at + l->native[i];
    return 0;
}

uint32_t long_mode_eip(const Case *c, uint32_t at)
{
    const Layout *l = layout_of(c);
    uint32_t offset = at - l->at;
    unsigned last = l->n - 1u;
    if (offset > l->end) return at;
    if (offset == l->end) return c->code_at + l->guest[last] + 1;
    while (l->native[last] > offset) last--;
    return c->code_at + l->guest[last];
}

uint16_t long_mode_fop(const Case *c, uint32_t eip, uint16_t fop)
{
    static const DecodeFeatures all = { .x86_any = true };
    uint32_t at = eip - c->code_at;
    Insn in;
    if (at >= c->len || decode(c->code + at, c->len - at, true, &all, &in) <= 0) return fop;
    bool moved = in.map == 0 && (in.opcode & 0xf8) == 0xd8 && (in.modrm & 0xc7) == 5 && (fop & 0xc7) == 4;
    return moved ? fop | 1 : fop;
}

static void resolve(const Case *c, uint32_t from, uint32_t target, uint8_t *at)
{
    uint32_t to = long_mode_entry(c, target), rel;
    if (!to) to = target;
    rel = to - from;
    memcpy(at, &rel, 4);
}

/* Where x87 does not matter INT3 is INT3: a single POPF before it may have set TF. */
static Encode *encode_of(const Case *c, const Insn *in)
{
    return in->mn == MN_INT3 && !c->fp ? same : row_of(in)->encode;
}

static unsigned put_end(const Case *c, uint8_t *out)
{
    static const Insn int3 = { .mn = MN_INT3, .len = 1, .bytes = { 0xcc } };
    LongCode o = { .n = 0 };
    encode_of(c, &int3)(&o, &int3, 0);
    memcpy(out, o.bytes, o.n);
    return o.n;
}

static unsigned lay_out(const Case *c, uint32_t at, uint8_t *out)
{
    static const DecodeFeatures all = { .x86_any = true };
    static LongCode code[MAX_CODE + 1];
    Layout *l = layout_of(c);
    unsigned guest = 0, n = 0;
    *l = (Layout){ .at = at };
    while (guest < c->len) {
        Insn in = c->insn;
        LongCode *o = &code[l->n];
        *o = (LongCode){ .n = 0 };
        if (guest || !c->single) decode(c->code + guest, c->len - guest, true, &all, &in);
        l->guest[l->n] = (uint16_t)guest;
        l->native[l->n++] = (uint16_t)n;
        encode_of(c, &in)(o, &in, c->code_at + guest + in.len);
        guest += in.len;
        memcpy(out + n, o->bytes, o->n);
        n += o->n;
    }
    l->guest[l->n] = (uint16_t)guest;
    l->native[l->n++] = (uint16_t)n;
    n += put_end(c, out + n);
    l->end = (uint16_t)n;
    for (unsigned i = 0; i + 1 < l->n; i++) {
        uint32_t rel = l->native[i] + code[i].rel_at;
        if (code[i].rel_at) resolve(c, at + rel + 4, code[i].target, out + rel);
    }
    return n;
}

void long_mode_lay_out(const Case *cases, unsigned n, uint8_t *out)
{
    uint32_t at = 0;
    laid_out = cases;
    memset(out, 0xcc, LONG_SIZE);
    for (unsigned i = 0; i < n; i++) at = (at + lay_out(&cases[i], LONG_BASE + at, out + at) + 64) & ~15u;
}
