/* Symbol files: what is found in good ones, and that no broken one does harm. */
#include "util/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "util/bytes.h"

static const char *why;

static bool add_text(const char *text)
{
    return symbols_add((const uint8_t *)text, strlen(text), &why);
}

static bool named(uint32_t addr, const char *expected)
{
    char text[160];
    return !strcmp(symbols_text(text, sizeof text, addr), expected);
}

static void check_map(void)
{
    uint32_t first, last;
    ok(add_text("c1000000 T startup_32\nc1000040 t helper\nc1000040 T alias\nc1000100 D data\nc1000080 W weak [mod]\n"
                "         U undefined\nc10000a0 T last"),
       "a System.map");
    ok(named(0xc1000000, "startup_32") && named(0xc100003f, "startup_32+0x3f"), "a name and what is behind it");
    ok(named(0xc1000040, "alias"), "of two names for one address always the same one");
    ok(named(0xc1000100, "last+0x60"), "data has no name here");
    ok(named(0xc0ffffff, ""), "nothing before the first");
    ok(named(0xd0000000, ""), "nothing far behind the last");
    ok(symbols_range("startup_32", &first, &last) && first == 0xc1000000 && last == 0xc100003f, "a function's range");
    ok(symbols_range("helper", &first, &last) && last == 0xc100007f, "... with another name for the same address");
    ok(symbols_range("last", &first, &last) && first == 0xc10000a0 && last > first, "... the last one's");
    ok(!symbols_range("nothing", &first, &last) && !strcmp(symbols_nearest("startup"), "startup_32"),
       "one that is not there");
    symbols_free();
    ok(named(0xc1000000, "") && !symbols_nearest("x"), "none after symbols_free()");
    ok(add_text("ffffffff T top\n") && symbols_range("top", &first, &last) && last == 0xffffffff,
       "at the top of memory");
    symbols_free();
    static const char *const bad[] = {
        "hello\n", "c1000000\n", "c1000000 T\n", "c1000000Tx\n", "12345678901234567 T x\n", ""
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) ok(!add_text(bad[i]), "no map, number %u", i);
    ok(!add_text("c1000000 D only_data\n") && !strcmp(why, "names no code"), "a map without code");
    symbols_free();
}

/* An object with .text, .symtab, .strtab and sections in this order; SYMBOLS symbols. */
enum { STRINGS = 52, SYMTAB = 80, SECTIONS = 160, ELF_SIZE = SECTIONS + 4 * 40 };

static void section(uint8_t *elf, unsigned i, uint32_t type, uint32_t flags, uint32_t off, uint32_t size, uint32_t link,
                    uint32_t entsize)
{
    uint8_t *s = elf + SECTIONS + i * 40;
    put_le32(s + 4, type);
    put_le32(s + 8, flags);
    put_le32(s + 16, off);
    put_le32(s + 20, size);
    put_le32(s + 24, link);
    put_le32(s + 36, entsize);
}

static void symbol(uint8_t *elf, unsigned i, uint32_t name, uint32_t addr, uint32_t size, unsigned info, unsigned home)
{
    uint8_t *s = elf + SYMTAB + i * 16;
    put_le32(s, name);
    put_le32(s + 4, addr);
    put_le32(s + 8, size);
    s[12] = (uint8_t)info;
    put_le16(s + 14, home);
}

static void make_elf(uint8_t elf[ELF_SIZE])
{
    memset(elf, 0, ELF_SIZE);
    memcpy(elf, "\177ELF\1\1\1", 7);
    put_le16(elf + 16, 1);
    put_le16(elf + 18, 3);
    put_le32(elf + 32, SECTIONS);
    put_le16(elf + 46, 40);
    put_le16(elf + 48, 4);
    memcpy(elf + STRINGS, "\0main\0label\0object\0file", 23);
    symbol(elf, 1, 1, 0x1000, 0x20, 0x12, 1); /* function, global */
    symbol(elf, 2, 6, 0x1040, 0, 0x00, 1);    /* label */
    symbol(elf, 3, 12, 0x1030, 4, 0x11, 1);   /* object */
    symbol(elf, 4, 19, 0, 0, 0x04, 0xfff1);   /* source file */
    section(elf, 1, 1, 6, 0, 0x60, 0, 0);     /* .text: allocated, executable */
    put_le32(elf + SECTIONS + 40 + 12, 0x1000);
    section(elf, 2, 2, 0, SYMTAB, 5 * 16, 3, 16);
    section(elf, 3, 3, 0, STRINGS, 24, 0, 0);
}

static void check_elf(void)
{
    uint8_t elf[ELF_SIZE];
    uint32_t first, last;
    make_elf(elf);
    ok(symbols_add(elf, sizeof elf, &why), "an ELF file");
    ok(named(0x1004, "main+0x4") && named(0x1040, "label") && named(0x1030, "main+0x30"),
       "functions and labels, no objects");
    ok(named(0x105f, "label+0x1f") && named(0x1060, ""), "... up to the end of their section");
    ok(symbols_range("main", &first, &last) && last == 0x101f, "the size that the file gives");
    symbols_free();
    elf[4] = 2;
    ok(!symbols_add(elf, sizeof elf, &why) && strstr(why, "32-bit x86"), "one of another machine");
    make_elf(elf);
    put_le32(elf + SECTIONS + 2 * 40 + 4, 1);
    ok(!symbols_add(elf, sizeof elf, &why) && strstr(why, "no symbol table"), "one that is stripped");
}

/* In memory of exactly that size, so that a sanitizer sees each byte too far. */
static void try_copy(const uint8_t *elf, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, elf, size);
    symbols_add(copy, size, &why);
    free(copy);
    uint32_t first, last;
    char text[160];
    symbols_text(text, sizeof text, 0x1010);
    symbols_range("main", &first, &last);
    symbols_free();
}

static void check_broken(void)
{
    uint8_t elf[ELF_SIZE], good[ELF_SIZE];
    uint32_t seed = 1;
    unsigned cut = 0;
    make_elf(good);
    for (size_t n = 0; n < sizeof good; n++) {
        cut += !symbols_add(good, n, &why) && *why;
        symbols_free();
        try_copy(good, n);
    }
    ok(cut == sizeof good, "each truncated file is refused, with a reason (%u)", cut);
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(elf, good, sizeof elf);
        for (unsigned k = 0; k < 1 + round % 4; k++) {
            seed = seed * 1664525 + 1013904223;
            elf[(seed >> 8) % sizeof elf] = (uint8_t)(seed >> 24) | (seed & 4 ? 0xff : 0);
        }
        try_copy(elf, sizeof elf);
    }
    ok(true, "20000 files with wrong bytes");
}

int main(void)
{
    check_map();
    check_elf();
    check_broken();
    return tap_done();
}
