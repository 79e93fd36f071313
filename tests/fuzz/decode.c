/* The decoder.  Input: one byte of flags, then code.  The code stands at the end of a page with nothing behind it, so
 * that one byte read too many is a segmentation fault. */
#include <string.h>
#include <sys/mman.h>

#include "frontend/decode.h"
#include "fuzz/fuzz.h"

enum { PAGE = 4096, CODE32 = 1, OLD_CPU = 2, NO_SSE = 4 };

static const DecodeFeatures features[] = {
    { .x86_any = true },
    { .fpu = true },
    { .fpu = true, .i486 = true, .tsc = true, .msr = true, .cx8 = true, .cmov = true, .nopl = true, .mmx = true },
};

/* The end of a page that is followed by one without access. */
static uint8_t *page_end(void)
{
    static uint8_t *end;
    if (end) return end;
    uint8_t *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FUZZ_CHECK(at != MAP_FAILED && mprotect(at + PAGE, PAGE, PROT_NONE) == 0);
    return end = at + PAGE;
}

/* decode() of the first n bytes, which end where the memory ends, saying that there are `avail`. */
static int decode_at_end(const uint8_t *code, unsigned n, unsigned avail, const DecodeFeatures *f, bool code32,
                         Insn *in)
{
    uint8_t *at = page_end() - n;
    memcpy(at, code, n);
    memset(in, 0xa5, sizeof *in);
    return decode(at, avail, code32, f, in);
}

static bool same(const Insn *a, const Insn *b)
{
    return a->mn == b->mn && a->len == b->len && a->n_opnd == b->n_opnd && a->opsize == b->opsize &&
           a->asize == b->asize && !memcmp(a->bytes, b->bytes, a->len);
}

static void check_fields(const Insn *in, int len, const uint8_t *code)
{
    FUZZ_CHECK(in->len == len && in->mn < MN_COUNT && in->n_opnd <= 4);
    FUZZ_CHECK(!memcmp(in->bytes, code, (size_t)len));
    FUZZ_CHECK((in->opsize == 2 || in->opsize == 4) && (in->asize == 2 || in->asize == 4));
    FUZZ_CHECK(mnemonic_name(in->mn) != NULL);
}

/* One instruction; its length, at least 1. */
static unsigned check(const uint8_t *code, unsigned left, const DecodeFeatures *f, bool code32)
{
    Insn whole, part;
    unsigned n = left < DECODE_MAX ? left : DECODE_MAX;
    /* With 15 bytes at hand the decoder may believe that there are more: it must not ask for them. */
    int len = decode_at_end(code, n, n == DECODE_MAX ? PAGE : n, f, code32, &whole);
    FUZZ_CHECK(len >= -1 && len <= (int)n && (len != 0 || n < DECODE_MAX));
    if (len <= 0) return 1;
    check_fields(&whole, len, code);
    FUZZ_CHECK(decode_at_end(code, (unsigned)len, (unsigned)len, f, code32, &part) == len);
    FUZZ_CHECK(same(&whole, &part));
    for (unsigned k = 1; k < (unsigned)len; k++) FUZZ_CHECK(decode_at_end(code, k, k, f, code32, &part) == 0);
    if (whole.mn == MN_VEC) decode_vec_aligned(&whole), decode_vec_effects(&whole);
    return (unsigned)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    const DecodeFeatures *f = &features[data[0] & OLD_CPU ? 1 : data[0] & NO_SSE ? 2 : 0];
    for (size_t at = 1; at < size;) at += check(data + at, (unsigned)(size - at), f, data[0] & CODE32);
    return 0;
}

/* Every opcode of the four maps with a memory operand, an immediate and the prefixes that choose among them. */
static void seeds(FuzzGive *give)
{
    static const char *const before[] = { "", "\x66", "\xf3", "\xf2", "\x67", "\xf0", "\x66\x67" };
    static const char *const maps[] = { "", "\x0f", "\x0f\x38", "\x0f\x3a" };
    static const uint8_t tail[] = { 0x84, 0x8d, 1, 2, 3, 4, 0x85, 0x86, 0x87, 0x88 };
    for (unsigned m = 0; m < 4; m++)
        for (unsigned p = 0; p < sizeof before / sizeof *before; p++)
            for (unsigned from = 0; from < 256; from += 32) {
                uint8_t code[1024] = { (uint8_t)(p & CODE32) };
                size_t n = 1;
                for (unsigned op = from; op < from + 32; op++) {
                    for (const char *c = before[p]; *c; c++) code[n++] = (uint8_t)*c;
                    for (const char *c = maps[m]; *c; c++) code[n++] = (uint8_t)*c;
                    code[n++] = (uint8_t)op;
                    memcpy(code + n, tail, sizeof tail);
                    n += sizeof tail;
                }
                give(code, n);
            }
}

const FuzzTarget fuzz_target = { .name = "decode", .slice = 15000, .max_size = 1024, .seeds = seeds };
