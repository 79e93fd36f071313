/* The decoder on known bytes: every family in both code sizes, prefixes, what must be undefined, the 15-byte limit, and
 * that nothing beyond the bytes given is read (they end where an inaccessible page begins). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frontend/decode.h"
#include "tap.h"

static const DecodeFeatures everything = { .x86_any = true };

/* --- an instruction as text --------------------------------------------------------------------- */

typedef struct Text {
    char s[160];
    size_t n;
} Text;

__attribute__((format(printf, 2, 3))) static void add(Text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->s + t->n, sizeof t->s - t->n, fmt, ap);
    va_end(ap);
    if (n > 0) t->n += (size_t)n;
    if (t->n >= sizeof t->s) t->n = sizeof t->s - 1;
}

static const char *const gpr[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const gpr8[8] = { "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" };
static const char *const seg[8] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };

static void add_memory(Text *t, const Insn *in)
{
    const char *e = in->asize == 4 ? "e" : "";
    add(t, "[%s:", seg[in->mem.seg & 7]);
    if (in->mem.base >= 0) add(t, "%s%s", e, gpr[in->mem.base]);
    if (in->mem.index >= 0) add(t, "+%s%s*%d", e, gpr[in->mem.index], 1 << in->mem.shift);
    if (in->mem.disp || in->mem.base < 0) add(t, "+%x", in->mem.disp);
    add(t, "]");
}

static void add_operand(Text *t, const Insn *in, unsigned i)
{
    const Opnd *o = &in->opnd[i];
    add(t, "%s%c%u:", i ? ", " : " ", "xrwm"[o->use & 3], o -> size);
    switch (o->kind) {
    case OPND_REG:
        if (o->size == 1)
            add(t, "%s", gpr8[o->reg]);
        else
            add(t, "%s%s", o->size == 4 ? "e" : "", gpr[o->reg]);
        break;
    case OPND_MEM:
    case OPND_MOFFS: add_memory(t, in); break;
    case OPND_IMM: add(t, "$%x", in->mn == MN_ENTER && i == 1 ? in->imm2 : in->imm); break;
    case OPND_SEG: add(t, "%s", seg[o->reg]); break;
    case OPND_CR: add(t, "cr%u", o->reg); break;
    case OPND_DR: add(t, "dr%u", o->reg); break;
    case OPND_XMM: add(t, "xmm%u", o->reg); break;
    case OPND_MMX: add(t, "mm%u", o->reg); break;
    case OPND_FAR: add(t, "%x:%x", in->imm2, in->imm); break;
    case OPND_REL: add(t, "+%x", in->imm); break;
    default: add(t, "?");
    }
}

static void to_text(Text *t, int result, const Insn *in)
{
    static const char *const rep[] = { "", "rep ", "repne " };
    t->n = 0;
    add(t, "%d", result);
    if (result <= 0) return;
    add(t, " %s%s%s", in->lock ? "lock " : "", rep[in->rep], mnemonic_name(in->mn));
    if (in->mn == MN_INVALID) return;
    if (in->mn == MN_JCC || in->mn == MN_SETCC || in->mn == MN_CMOVCC) add(t, "%x", in->cc);
    if (in->mn == MN_VEC) add(t, ".%02x.%u.%02x", in->prefix, in->map, in->opcode);
    if (in->mn == MN_X87) add(t, ".%02x.%02x", in->opcode, in->modrm);
    for (unsigned i = 0; i < in->n_opnd; i++) add_operand(t, in, i);
}

/* --- vectors ------------------------------------------------------------------------------------- */

typedef struct Vector {
    int bits;
    const char *hex, *want;
} Vector;

static const Vector vectors[] = {
#include "decode_vectors.def"
};

static unsigned from_hex(const char *hex, uint8_t *out, unsigned max)
{
    unsigned n = 0;
    while (*hex && n < max) {
        while (isspace((unsigned char)*hex)) hex++;
        if (!*hex) break;
        out[n++] = (uint8_t)strtoul((char[3]){ hex[0], hex[1], 0 }, NULL, 16);
        hex += 2;
    }
    return n;
}

/* Bytes that end exactly at an inaccessible page. */
static uint8_t *page_end;

static int decode_guarded(const uint8_t *code, unsigned n, int bits, const DecodeFeatures *feat, Insn *in)
{
    memcpy(page_end - n, code, n);
    return decode(page_end - n, n, bits == 32, feat, in);
}

/* Whole, followed by other bytes, and cut at every length. */
static bool check_vector(const Vector *v)
{
    uint8_t code[48];
    Insn in;
    Text t;
    unsigned n = from_hex(v->hex, code, 16);
    int whole = decode_guarded(code, n, v->bits, &everything, &in);
    to_text(&t, whole, &in);
    if (strcmp(t.s, v->want)) return diag("%d-bit %s: got '%s'", v->bits, v->hex, t.s), false;
    memset(code + n, 0x66, sizeof code - n);
    Insn longer;
    if (decode(code, sizeof code, v->bits == 32, &everything, &longer) != whole || longer.mn != in.mn)
        return diag("%s: other bytes after it change it", v->hex), false;
    for (unsigned cut = 0; whole > 0 && cut < (unsigned)whole; cut++) {
        Insn part;
        if (decode_guarded(code, cut, v->bits, &everything, &part) != 0)
            return diag("%s: accepted with %u bytes", v->hex, cut), false;
    }
    return true;
}

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        ok(check_vector(&vectors[i]), "%d-bit %s: %s", vectors[i].bits, vectors[i].hex, vectors[i].want);
}

/* --- features -------------------------------------------------------------------------------------- */

static void test_features(void)
{
    static const struct {
        const char *hex;
        DecodeFeatures has;
    } gated[] = {
        { "0f c8", { .i486 = true } },
        { "0f 31", { .tsc = true } },
        { "0f 32", { .msr = true } },
        { "0f 34", { .sep = true } },
        { "0f 44 c1", { .cmov = true } },
        { "da c1", { .cmov = true } },
        { "0f c7 08", { .cx8 = true } },
        { "0f 6f c1", { .mmx = true } },
        { "0f 58 c1", { .sse = true } },
        { "0f e0 c1", { .sse = true } },
        { "66 0f 58 c1", { .sse2 = true } },
        { "0f d4 c1", { .sse2 = true } },
        { "f2 0f 7c c1", { .sse3 = true } },
        { "dd 08", { .sse3 = true } },
        { "0f 38 00 c1", { .ssse3 = true } },
        { "66 0f 38 17 c1", { .sse41 = true } },
        { "f2 0f 38 f1 c1", { .sse42 = true } },
        { "f3 0f b8 c1", { .popcnt = true } },
        { "0f ae 00", { .fxsr = true } },
        { "0f ae 38", { .clfsh = true } },
        { "0f 01 c8", { .monitor = true } },
        { "0f c7 f0", { .rdrand = true } },
        { "0f 05", { .syscall = true } },
        { "0f 1f 00", { .nopl = true } },
        { "0f 01 ca", { .smap = true } },
        { "0f 38 f0 00", { .movbe = true } },
    };
    for (size_t i = 0; i < sizeof gated / sizeof *gated; i++) {
        uint8_t code[16];
        Insn with, without;
        unsigned n = from_hex(gated[i].hex, code, sizeof code);
        int r = decode_guarded(code, n, 32, &gated[i].has, &with);
        int r0 = decode_guarded(code, n, 32, &(DecodeFeatures){ .x86_any = false }, &without);
        ok(r == (int)n && r0 == r && with.mn != MN_INVALID && without.mn == MN_INVALID, "%s needs its feature",
           gated[i].hex);
    }
}

/* --- limits ------------------------------------------------------------------------------------------ */

static void test_limits(void)
{
    uint8_t code[32];
    Insn in;
    memset(code, 0x66, sizeof code);
    code[14] = 0x90;
    ok(decode(code, 15, true, &everything, &in) == 15 && in.mn == MN_NOP, "15 bytes are an instruction");
    memset(code, 0x3e, sizeof code);
    ok(decode(code, 32, true, &everything, &in) == -1, "prefixes without end are not");
    ok(decode(code, 14, true, &everything, &in) == 0, "14 prefixes may still become one");
    code[14] = 0x05;
    ok(decode(code, 32, true, &everything, &in) == -1, "16 bytes or more are not");
    memset(code, 0xf0, sizeof code);
    code[13] = 0xb0;
    ok(decode(code, 15, true, &everything, &in) == 15 && in.mn == MN_INVALID, "undefined within 15 bytes");
    ok(decode(code, 0, true, &everything, &in) == 0, "no bytes");
    ok(mnemonic_name(MN_COUNT) == mnemonic_name(MN_INVALID) && !strcmp(mnemonic_name(MN_VEC), "vec"), "names");
}

static void test_alignment(void)
{
    static const struct {
        const char *hex;
        bool aligned;
        unsigned effects;
    } t[] = {
        { "0f 58 00", true, 0 },
        { "0f 10 00", false, 0 },
        { "66 0f 11 00", false, 0 },
        { "f3 0f 6f 00", false, 0 },
        { "66 0f 6f 00", true, 0 },
        { "f2 0f f0 00", false, 0 },
        { "f3 0f 58 00", false, 0 },
        { "0f 58 c0", false, 0 },
        { "0f fc 00", false, 0 },
        { "f3 0f 16 00", true, 0 },
        { "66 0f 38 2a 00", true, 0 },
        { "66 0f 38 17 00", true, VEC_WRITES_FLAGS },
        { "0f 2f 00", false, VEC_WRITES_FLAGS },
        { "66 0f 3a 0f 00 01", true, 0 },
        { "66 0f 3a 60 00 01", false, VEC_WRITES_FLAGS | VEC_READS_EAX_EDX | VEC_WRITES_XMM0 },
        { "66 0f 3a 61 00 01", false, VEC_WRITES_FLAGS | VEC_READS_EAX_EDX | VEC_WRITES_ECX },
        { "66 0f 3a 62 00 01", false, VEC_WRITES_FLAGS | VEC_WRITES_XMM0 },
        { "66 0f 3a 63 00 01", false, VEC_WRITES_FLAGS | VEC_WRITES_ECX },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint8_t code[16];
        Insn in;
        unsigned n = from_hex(t[i].hex, code, sizeof code);
        decode_guarded(code, n, 32, &everything, &in);
        ok(in.mn == MN_VEC && decode_vec_aligned(&in) == t[i].aligned && decode_vec_effects(&in) == t[i].effects,
           "%s: alignment and effects", t[i].hex);
    }
}

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (two == MAP_FAILED || mprotect(two + page, page, PROT_NONE)) return perror("mmap"), 1;
    page_end = two + page;
    test_vectors();
    test_features();
    test_limits();
    test_alignment();
    return tap_done();
}
