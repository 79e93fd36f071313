/* util/number.h and util/nearest.h. */
#include <string.h>

#include "../tap.h"
#include "util/bytes.h"
#include "util/nearest.h"
#include "util/number.h"

#define MIB (UINT64_C(1) << 20)

static const struct {
    const char *text;
    bool good;
    uint64_t value;
} sizes[] = {
    { "512", true, 512 * MIB },
    { "512M", true, 512 * MIB },
    { "2g", true, 2048 * MIB },
    { "1024K", true, MIB },
    { "0x10", true, 16 * MIB },
    { "7B", true, 7 },
    { "1T", true, MIB *MIB },
    { "", false, 0 },
    { "M", false, 0 },
    { "-1", false, 0 },
    { "+1", false, 0 },
    { " 1", false, 0 },
    { "1 ", false, 0 },
    { "12MB", false, 0 },
    { "12X", false, 0 },
    { "18446744073709551616", false, 0 },
    { "17592186044416", false, 0 }, /* 2^44 MiB */
};

static const struct {
    const char *text;
    bool good;
    uint32_t first, last;
} ranges[] = {
    { "0x1000..0x1fff", true, 0x1000, 0x1fff },
    { "0x1000+0x200", true, 0x1000, 0x11ff },
    { "0x1fff-0x200", true, 0x1e00, 0x1fff },
    { "4096", true, 4096, 4096 },
    { "5..5", true, 5, 5 },
    { "0xffffffff+2", true, 0xffffffff, 0xffffffff },
    { "1-100", true, 0, 1 },
    { "0..0xffffffff", true, 0, 0xffffffff },
    { "2..1", false, 0, 0 },
    { "1+0", false, 0, 0 },
    { "1-0", false, 0, 0 },
    { "1..", false, 0, 0 },
    { "1.2", false, 0, 0 },
    { "..2", false, 0, 0 },
    { "0x100000000", false, 0, 0 },
    { "1+0x100000000", false, 0, 0 },
    { "1..2x", false, 0, 0 },
};

static void test_nearest(void)
{
    static const char *const names[] = { "kernel", "initrd", "append", "serial" };
    Nearest n = { .word = "kernal" };
    for (int i = 0; i < 4; i++) nearest_offer(&n, names[i]);
    ok(n.best && strcmp(n.best, "kernel") == 0 && n.distance == 1, "kernal is near kernel");
    ok(edit_distance("", "") == 0 && edit_distance("", "abc") == 3, "distance to the empty word");
    ok(edit_distance("ab", "ba") == 1, "a swap is one edit");
    ok(edit_distance("DFilter", "dfilter") == 0, "case does not count");
    ok(edit_distance("sitting", "kitten") == 3, "sitting, kitten");
    char big[300];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    ok(edit_distance(big, big) == 0 && edit_distance(big, "") == 63, "long words are cut");
}

static void test_bytes(void)
{
    static const uint8_t in[] = { 0xff, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };
    uint8_t out[14] = { 0 };
    ok(get_le16(in + 1) == 0x9281 && get_le32(in + 1) == 0xb4a39281 && get_le64(in + 1) == 0xf8e7d6c5b4a39281,
       "little-endian, read");
    ok(get_be16(in + 1) == 0x8192 && get_be32(in + 1) == 0x8192a3b4, "big-endian, read");
    put_le16(out + 1, 0x12349281);
    put_le32(out + 3, 0xb4a39281);
    put_be16(out + 7, 0x12348192);
    put_be32(out + 9, 0x8192a3b4);
    ok(memcmp(out, "\0\x81\x92\x81\x92\xa3\xb4\x81\x92\x81\x92\xa3\xb4\0", 14) == 0, "written, and no more");
}

int main(void)
{
    test_bytes();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t v = 0;
        bool good = parse_size(sizes[i].text, MIB, &v);
        ok(good == sizes[i].good && (!good || v == sizes[i].value), "size '%s'", sizes[i].text);
    }
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint32_t a = 0, b = 0;
        bool good = parse_range(ranges[i].text, &a, &b);
        ok(good == ranges[i].good && (!good || (a == ranges[i].first && b == ranges[i].last)), "range '%s'",
           ranges[i].text);
    }
    uint64_t v;
    ok(parse_u64("18446744073709551615", &v) && v == UINT64_MAX, "the largest number");
    ok(!parse_u64("0x", &v) && !parse_u64("09", &v), "0x and 09 are no numbers");
    test_nearest();
    return tap_done();
}
