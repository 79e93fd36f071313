/* The decoder against Capstone on random byte strings: valid or not, length, name, and (on a sample, Capstone's detail
 * mode being slow) the memory operand.  Where the two differ for a known reason, the reason stands in accepted[];
 * any other difference fails.  Arguments: number of strings, seed. */
#include <capstone/capstone.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frontend/decode.h"
#include "tap.h"

enum { N_BYTES = 16, DETAIL_EVERY = 4 };

static const DecodeFeatures everything = { .x86_any = true };

/* --- random strings: splitmix64 -------------------------------------------------------------------- */

static uint64_t rng_state;
static uint64_t rng(void)
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Purely random; or prefixes before something random, with the maps behind 0F as likely as the first one; or the last string
 * with one byte changed. */
static void next_string(uint8_t *s)
{
    static const uint8_t prefixes[11] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 };
    uint64_t r = rng(), bytes[2] = { rng(), rng() };
    if ((r & 7) == 0) {
        s[r >> 8 & 7] = (uint8_t)(r >> 16);
        return;
    }
    memcpy(s, bytes, N_BYTES);
    if ((r & 7) == 1) return;
    unsigned n = (r >> 3 & 3) == 3 ? r >> 5 & 7 : r >> 5 & 1, at = 0;
    for (unsigned i = 0; i < n; i++) s[at++] = prefixes[(r >> (8 + 4 * i) & 15) % 11];
    unsigned map = r >> 40 & 7;
    if (map >= 4) s[at++] = 0x0f;
    if (map == 6) s[at++] = 0x38;
    if (map == 7) s[at++] = 0x3a;
}

/* --- Capstone's names in our terms ------------------------------------------------------------------- */

typedef struct Name {
    uint8_t mn, cc, other; /* cc: 0xff when there is none; other: a second possible name */
} Name;
static Name name_of[X86_INS_ENDING];

/* Names spelled differently. */
static const struct {
    const char *capstone;
    uint8_t mn;
} spelled[] = {
    { "lcall", MN_CALLF },      { "ljmp", MN_JMPF },      { "retf", MN_RETF },      { "iretd", MN_IRET },
    { "cwde", MN_CBW },         { "cdq", MN_CWD },        { "xlatb", MN_XLAT },     { "sal", MN_SHL },
    { "pushaw", MN_PUSHA },     { "pushal", MN_PUSHA },   { "popaw", MN_POPA },     { "popal", MN_POPA },
    { "pushfd", MN_PUSHF },     { "popfd", MN_POPF },     { "jecxz", MN_JCXZ },     { "wait", MN_FWAIT },
    { "lfence", MN_FENCE },     { "mfence", MN_FENCE },   { "sfence", MN_FENCE },   { "ud2", MN_INVALID },
    { "ud2b", MN_INVALID },     { "ud0", MN_INVALID },    { "prefetch", MN_NOP },   { "prefetchw", MN_NOP },
    { "prefetchnta", MN_NOP },  { "prefetcht0", MN_NOP }, { "prefetcht1", MN_NOP }, { "prefetcht2", MN_NOP },
    { "movsb", MN_MOVS },       { "movsw", MN_MOVS },     { "movsd", MN_MOVS },     { "cmpsb", MN_CMPS },
    { "cmpsw", MN_CMPS },       { "cmpsd", MN_CMPS },     { "stosb", MN_STOS },     { "stosw", MN_STOS },
    { "stosd", MN_STOS },       { "lodsb", MN_LODS },     { "lodsw", MN_LODS },     { "lodsd", MN_LODS },
    { "scasb", MN_SCAS },       { "scasw", MN_SCAS },     { "scasd", MN_SCAS },     { "insb", MN_INS },
    { "insw", MN_INS },         { "insd", MN_INS },       { "outsb", MN_OUTS },     { "outsw", MN_OUTS },
    { "outsd", MN_OUTS },       { "endbr32", MN_NOP },    { "endbr64", MN_NOP },    { "fdisi8087_nop", MN_X87 },
    { "feni8087_nop", MN_X87 }, { "femms", MN_INVALID },  { "movabs", MN_MOV },
};

static const char *const cc_names[16] = { "o", "no", "b", "ae", "e", "ne", "be", "a",
                                          "s", "ns", "p", "np", "l", "ge", "le", "g" };

static bool conditional(const char *name, const char *stem, uint8_t mn, Name *out)
{
    size_t n = strlen(stem);
    if (strncmp(name, stem, n)) return false;
    for (uint8_t cc = 0; cc < 16; cc++)
        if (!strcmp(name + n, cc_names[cc])) return *out = (Name){ mn, cc, mn }, true;
    return false;
}

static Name find_name(const char *name)
{
    Name r;
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        if (!strcmp(name, spelled[i].capstone)) {
            bool sse_too = !strcmp(name, "movsd") || !strcmp(name, "cmpsd");
            return (Name){ spelled[i].mn, 0xff, sse_too ? MN_VEC : spelled[i].mn };
        }
    if (conditional(name, "j", MN_JCC, &r) || conditional(name, "set", MN_SETCC, &r) ||
        conditional(name, "cmov", MN_CMOVCC, &r))
        return r;
    for (uint8_t mn = MN_INVALID + 1; mn < MN_COUNT; mn++)
        if (mn != MN_VEC && mn != MN_X87 && !strcmp(name, mnemonic_name(mn))) return (Name){ mn, 0xff, mn };
    uint8_t family = name[0] == 'f' ? MN_X87 : MN_VEC;
    return (Name){ family, 0xff, family };
}

/* --- comparison -------------------------------------------------------------------------------------- */

typedef struct Disassembler {
    csh plain, detailed;
    cs_insn *insn, *insn_detailed, *scratch;
} Disassembler;

typedef struct Case {
    const uint8_t *s;
    bool code32;
    int len; /* ours: 0 when we call it undefined or too long */
    const Insn *in;
    const cs_insn *cs; /* NULL: Capstone refuses */
    const Disassembler *d;
    const char *what;
} Case;

/* What we and Capstone call the string with some prefix bytes replaced by a DS override: true when both find it valid
 * and Capstone sees no difference. */
static bool same_without(const Case *c, const char *prefixes)
{
    uint8_t s[N_BYTES];
    const uint8_t *p = s;
    size_t left = N_BYTES;
    uint64_t address = 0;
    Insn in;
    memcpy(s, c->s, N_BYTES);
    for (int i = 0; i < N_BYTES && s[i] && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", s[i]); i++)
        if (strchr(prefixes, s[i])) s[i] = 0x3e;
    if (decode(s, N_BYTES, c->code32, &everything, &in) != c->cs->size || in.mn == MN_INVALID) return false;
    if (!cs_disasm_iter(c->d->plain, &p, &left, &address, c->d->scratch)) return false;
    return c->d->scratch->id == c->cs->id && c->d->scratch->size == c->cs->size;
}

/* SDM 2A, LOCK: these, with a memory destination. */
static bool may_lock(const Insn *in, unsigned id)
{
    static const uint16_t lockable[] = {
        X86_INS_ADD,     X86_INS_ADC,       X86_INS_AND, X86_INS_BTC, X86_INS_BTR,  X86_INS_BTS,
        X86_INS_CMPXCHG, X86_INS_CMPXCHG8B, X86_INS_DEC, X86_INS_INC, X86_INS_NEG,  X86_INS_NOT,
        X86_INS_OR,      X86_INS_SBB,       X86_INS_SUB, X86_INS_XOR, X86_INS_XADD, X86_INS_XCHG,
    };
    bool to_register = in->map == 0 && in->opcode < 0x40 && in->opcode & 2;
    if (!in->has_modrm || in->modrm >= 0xc0 || to_register) return false;
    for (size_t i = 0; i < sizeof lockable / sizeof *lockable; i++)
        if (lockable[i] == id) return true;
    return false;
}

static bool we_refuse(const Case *c)
{
    return c->cs && !c->len;
}
static bool it_refuses(const Case *c)
{
    return !c->cs && c->len;
}
static bool is(const Case *c, unsigned map, unsigned opcode)
{
    return c->in->map == map && c->in->opcode == opcode;
}

static bool is_vex(const Case *c)
{
    bool vex = is(c, 0, 0xc4) || is(c, 0, 0xc5) || is(c, 0, 0x62) || is(c, 0, 0x8f);
    return we_refuse(c) && vex && c->cs->mnemonic[0] != 'l';
}

static const char *const absent[] = {
    "getsec",   "vm*",        "inve*",   "invvpid", "invpcid", "invlpga", "skinit",  "clgi",
    "stgi",                                                                                   /* SMX, VMX, SVM */
    "xsave*",   "xrstor*",    "xgetbv",  "xsetbv",  "xabort",  "xbegin",  "xend",    "xtest", /* XSAVE, TSX */
    "sha*",     "aes*",       "pclmul*", "adcx",    "adox",    "rdtscp",  "rdseed",  "rd?sbase",
    "wr?sbase", /* later */
    "clwb",     "clflushopt", "pcommit", "encls",   "enclu",   "extrq",   "insertq", "movntss",
    "movntsd",                                                          /* SSE4a */
    "pf*",      "pi2f?",      "pavgusb", "pmulhrw", "pswapd",  "femms", /* 3DNow! */
    "xstore*",  "xcrypt*",    "xsha*",   "montmul", "swapgs",           /* PadLock, 64-bit */
};
static bool is_absent(const Case *c)
{
    if (!we_refuse(c)) return false;
    const char *name = c->cs->mnemonic;
    if (!strncmp(name, "rep", 3) || !strncmp(name, "lock", 4)) name = c->cs->op_str;
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (!fnmatch(absent[i], name, 0)) return true;
    return false;
}

static bool is_lock(const Case *c)
{
    return we_refuse(c) && c->in->lock && !may_lock(c->in, c->cs->id) && same_without(c, "\xf0");
}

static bool is_reserved_prefix(const Case *c)
{
    return we_refuse(c) && c->in->prefix && (same_without(c, "\xf0\xf2\xf3") || same_without(c, "\xf0\xf2\xf3\x66"));
}

static bool is_control_register(const Case *c)
{
    return we_refuse(c) && (is(c, 1, 0x20) || is(c, 1, 0x22)) && !(0x1d >> (c->in->modrm >> 3 & 7) & 1);
}
static bool is_mov_to_cs(const Case *c)
{
    return we_refuse(c) && is(c, 0, 0x8e) && (c->in->modrm >> 3 & 7) == 1;
}
static bool is_pause(const Case *c)
{
    return c->len && is(c, 0, 0x90) && c->in->mn == MN_PAUSE;
}
static bool is_hint_nop(const Case *c)
{
    return it_refuses(c) && c->in->mn == MN_NOP && c->in->map == 1;
}
static bool is_fence(const Case *c)
{
    return it_refuses(c) && c->in->mn == MN_FENCE && (c->in->modrm & 7);
}
static bool is_bit_scan(const Case *c)
{
    return c->len && (c->in->mn == MN_BSF || c->in->mn == MN_BSR) && c->in->rep == REP_REP;
}

/* Length must be the same all the same. */
static bool is_far_prefix(const Case *c)
{
    if (!c->len || !c->in->prefix || (c->cs && c->cs->size != c->len)) return false;
    const uint8_t *escape = memchr(c->s, 0x0f, (size_t)c->len);
    return escape && (!c->code32 || escape[-1] != c->in->prefix);
}

/* 66 together with F2 or F3: CALL of the 32-bit kind, MOV to and from an absolute offset refused. */
static bool is_call_16(const Case *c)
{
    return is(c, 0, 0xe8) && c->cs && c->code32 && c->in->opsize == 2 && (c->in->rep || c->in->lock);
}
static bool is_moffs_16(const Case *c)
{
    return it_refuses(c) && c->in->map == 0 && (c->in->opcode & 0xfc) == 0xa0 && c->in->opsize == 2 && c->in->rep;
}

static bool registers_differ(const Case *c)
{
    return c->what && !strcmp(c->what, "register operand");
}
static bool is_outs(const Case *c)
{
    return registers_differ(c) && c->in->mn == MN_OUTS;
}
static bool is_word_source(const Case *c)
{
    return registers_differ(c) && c->in->opsize == 4 && (is(c, 0, 0x8e) || is(c, 1, 0x02) || is(c, 1, 0x03));
}
static bool is_accumulator_16(const Case *c)
{
    return registers_differ(c) && c->in->map == 0 && !c->in->has_modrm && c->in->opsize == 2 && c->in->rep;
}

static struct {
    const char *reason;
    bool (*applies)(const Case *);
    unsigned long count;
} accepted[] = {
    { "VEX, EVEX, XOP: no AVX here, so the register forms of LES, LDS, BOUND and POP /1-7 are undefined", is_vex, 0 },
    { "instructions of extensions that Calque does not offer", is_absent, 0 },
    { "Capstone allows LOCK everywhere", is_lock, 0 },
    { "Capstone ignores mandatory prefixes that are reserved (silicon: #UD)", is_reserved_prefix, 0 },
    { "Capstone has CR1, CR5, CR6, CR7", is_control_register, 0 },
    { "Capstone has MOV to CS", is_mov_to_cs, 0 },
    { "Capstone says NOP for PAUSE with more prefixes", is_pause, 0 },
    { "Capstone lacks some hint NOPs (0F 0D, 0F 18..1F)", is_hint_nop, 0 },
    { "Capstone wants ModRM.rm 0 in fences (SDM: any)", is_fence, 0 },
    { "Capstone sees a mandatory prefix only right before 0F, and not in 16-bit code", is_far_prefix, 0 },
    { "Capstone ignores 66 before CALL when there is F2 or F3 too (silicon: heeds it)", is_call_16, 0 },
    { "Capstone refuses MOV AL, moffs and kin with 66 and F2 or F3", is_moffs_16, 0 },
    { "OUTS: we list the memory operand first, for its size", is_outs, 0 },
    { "Capstone names the 32-bit register where MOV Sreg, LAR, LSL read 16 bits of it", is_word_source, 0 },
    { "Capstone says EAX for AX when 66 meets F2 or F3", is_accumulator_16, 0 },
    { "TZCNT, LZCNT: BSF and BSR, F3 ignored, without BMI1", is_bit_scan, 0 },
};

static bool explained(const Case *c)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        if (accepted[i].applies(c)) return accepted[i].count++, true;
    return false;
}

static int gpr_of(x86_reg r)
{
    static const uint16_t reg32[8] = { X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX,
                                       X86_REG_ESP, X86_REG_EBP, X86_REG_ESI, X86_REG_EDI };
    static const uint16_t reg16[8] = { X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX,
                                       X86_REG_SP, X86_REG_BP, X86_REG_SI, X86_REG_DI };
    for (int i = 0; i < 8; i++)
        if (r == reg32[i] || r == reg16[i]) return i;
    return -1;
}

static int gpr8_of(x86_reg r)
{
    static const uint16_t reg[8] = { X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL,
                                     X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH };
    for (int i = 0; i < 8; i++)
        if (r == reg[i]) return i;
    return -1;
}

static int seg_of(x86_reg r)
{
    static const uint16_t reg[6] = { X86_REG_ES, X86_REG_CS, X86_REG_SS, X86_REG_DS, X86_REG_FS, X86_REG_GS };
    for (int i = 0; i < 6; i++)
        if (r == reg[i]) return i;
    return -1;
}

/* The memory operand named by ModRM, as each sees it. */
static bool same_memory(const Case *c)
{
    const cs_x86 *x = &c->cs->detail->x86;
    const Insn *in = c->in;
    if (!in->has_modrm || in->modrm >= 0xc0) return true;
    for (unsigned i = 0; i < x->op_count; i++) {
        if (x->operands[i].type != X86_OP_MEM) continue;
        const x86_op_mem *m = &x->operands[i].mem;
        int base = gpr_of(m->base), index = gpr_of(m->index), seg = seg_of(m->segment);
        uint32_t mask = in->asize == 2 ? 0xffff : 0xffffffff;
        if (seg < 0) seg = base == 4 || base == 5 ? 2 : 3;
        return base == in->mem.base && index == in->mem.index && (index < 0 || m->scale == 1 << in->mem.shift) &&
               (((uint32_t)m->disp ^ in->mem.disp) & mask) == 0 && seg == in->mem.seg;
    }
    return true;
}

/* Register operands, where both list the same number of operands and Capstone has a register. */
static bool same_registers(const Case *c)
{
    const cs_x86 *x = &c->cs->detail->x86;
    if (x->op_count != c->in->n_opnd) return true;
    for (unsigned i = 0; i < x->op_count; i++) {
        const Opnd *o = &c->in->opnd[i];
        unsigned r = x->operands[i].reg;
        if (x->operands[i].type != X86_OP_REG) continue;
        if (gpr8_of(r) >= 0) {
            if (o->kind != OPND_REG || o->size != 1 || o->reg != gpr8_of(r)) return false;
        } else if (gpr_of(r) >= 0) {
            if (o->kind != OPND_REG || o->size != x->operands[i].size || o->reg != gpr_of(r)) return false;
        } else if (seg_of(r) >= 0) {
            if (o->kind != OPND_SEG || o->reg != seg_of(r)) return false;
        } else if (r >= X86_REG_XMM0 && r <= X86_REG_XMM7) {
            if (o->kind != OPND_XMM || o->reg != r - X86_REG_XMM0) return false;
        } else if (r >= X86_REG_MM0 && r <= X86_REG_MM7) {
            if (o->kind != OPND_MMX || o->reg != r - X86_REG_MM0) return false;
        } else if (r >= X86_REG_CR0 && r <= X86_REG_CR7) {
            if (o->kind != OPND_CR || o->reg != r - X86_REG_CR0) return false;
        } else if (r >= X86_REG_DR0 && r <= X86_REG_DR7) {
            if (o->kind != OPND_DR || o->reg != r - X86_REG_DR0) return false;
        } else {
            return false;
        }
    }
    return true;
}

static const char *difference(const Case *c, bool detail)
{
    if (!c->cs) return c->len ? "Capstone refuses it" : NULL;
    Name n = name_of[c->cs->id];
    if (!c->len) return n.mn == MN_INVALID ? NULL : "we refuse it";
    if (c->cs->size != c->len) return "length";
    if (c->in->mn != n.mn && c->in->mn != n.other) return "name";
    if (n.cc != 0xff && n.cc != c->in->cc) return "condition";
    if (c->in->lock && !may_lock(c->in, c->cs->id)) return "LOCK";
    if (!detail) return NULL;
    return !same_memory(c) ? "memory operand" : !same_registers(c) ? "register operand" : NULL;
}

static void show(const Case *c)
{
    char hex[3 * N_BYTES + 1];
    for (int i = 0; i < N_BYTES; i++) snprintf(hex + 3 * i, 4, "%02x ", c->s[i]);
    diag("%s: %d-bit %s: we %d %s (map %u opcode %02x prefix %02x modrm %02x), Capstone %d %s %s", c->what,
         c->code32 ? 32 : 16, hex, c->len, mnemonic_name(c->in->mn), c->in->map, c->in->opcode, c->in->prefix,
         c->in->modrm, c->cs ? c->cs->size : 0, c->cs ? c->cs->mnemonic : "", c->cs ? c->cs->op_str : "");
}

static bool open_disassembler(Disassembler *d, cs_mode mode)
{
    if (cs_open(CS_ARCH_X86, mode, &d->plain) || cs_open(CS_ARCH_X86, mode, &d->detailed)) return false;
    cs_option(d->detailed, CS_OPT_DETAIL, CS_OPT_ON);
    d->insn = cs_malloc(d->plain);
    d->insn_detailed = cs_malloc(d->detailed);
    d->scratch = cs_malloc(d->plain);
    return d->insn && d->insn_detailed && d->scratch;
}

static void close_disassembler(Disassembler *d)
{
    cs_free(d->insn, 1);
    cs_free(d->insn_detailed, 1);
    cs_free(d->scratch, 1);
    cs_close(&d->plain);
    cs_close(&d->detailed);
}

/* True when they agree or the difference is accepted. */
static bool compare(Disassembler *d, const uint8_t *s, bool code32, bool detail)
{
    Insn in;
    const uint8_t *p = s;
    size_t left = N_BYTES;
    uint64_t address = 0;
    cs_insn *insn = detail ? d->insn_detailed : d->insn;
    int len = decode(s, N_BYTES, code32, &everything, &in);
    if (len < 0) in.mn = MN_INVALID;
    Case c = { s, code32, in.mn == MN_INVALID ? 0 : len, &in, NULL, d, NULL };
    if (cs_disasm_iter(detail ? d->detailed : d->plain, &p, &left, &address, insn)) c.cs = insn;
    c.what = difference(&c, detail);
    if (!c.what || explained(&c)) return true;
    show(&c);
    return false;
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    unsigned long bad = 0;
    uint8_t s[N_BYTES] = { 0 };
    Disassembler d[2];
    if (!open_disassembler(&d[0], CS_MODE_16) || !open_disassembler(&d[1], CS_MODE_32)) return 1;
    for (unsigned id = 1; id < X86_INS_ENDING; id++) name_of[id] = find_name(cs_insn_name(d[0].plain, id));
    rng_state = seed;
    diag("%lu strings, seed %llu", n, (unsigned long long)seed);
    for (unsigned long i = 0; i < n && bad < 50; i++) {
        next_string(s);
        bad += !compare(&d[i & 1], s, i & 1, (i >> 1) % DETAIL_EVERY == 0);
    }
    close_disassembler(&d[0]);
    close_disassembler(&d[1]);
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        diag("accepted %lu times: %s", accepted[i].count, accepted[i].reason);
    ok(bad == 0, "decoder and Capstone agree on %lu strings but for the accepted differences", n);
    return tap_done();
}
