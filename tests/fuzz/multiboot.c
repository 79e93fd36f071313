/* The Multiboot loader.  Input: RAM in MiB, length of the one file that modules can name (times 64), the command line
 * and its zero, -initrd's text and its zero ('@' stands for that file's name), the image. */
#include "fuzz/load.h"

static char path[32], error[LOAD_ERROR];

static void make_module(unsigned bytes)
{
    static const uint8_t zero;
    if (!path[0]) load_make_file(path, &zero, 1);
    FUZZ_CHECK(truncate(path, bytes) == 0);
}

/* Only the module may be opened: a '/' that is not ours is not one.  Nor are newlines newlines: it is die() that keeps a
 * message with an odd name in one line. */
static void put_name(const char *text, char *out, size_t room)
{
    size_t n = 0;
    for (; *text && n + sizeof path < room; text++) {
        if (*text == '@')
            n += (size_t)snprintf(out + n, room - n, "%s", path);
        else
            out[n++] = *text == '/' || *text == '\n' ? '|' : *text;
    }
    out[n] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char append[256], text[256], initrd[8192];
    FuzzBytes b = { data, data + size };
    LoadRequest rq = load_request(1 + fuzz_take(&b, 1) % LOAD_RAM_MIB);
    make_module(fuzz_take(&b, 1) * 64);
    rq.append = load_take_text(&b, append, sizeof append - 1);
    put_name(load_take_text(&b, text, sizeof text - 1), initrd, sizeof initrd);
    if (initrd[0]) rq.initrd = initrd;
    FileData kernel = load_take_file(&b);
    BootState boot = { 0 };
    error[0] = 0;
    if (kernel.size && load_is_multiboot(&kernel)) {
        if (load_multiboot(&rq, &kernel, &boot, error, sizeof error)) {
            load_check_boot(&rq, &boot);
            FUZZ_CHECK(load_is_ram(&rq, boot.ebx, 120));
        } else {
            load_check_error(error);
        }
    }
    file_free(&kernel);
    return 0;
}

/* --- seeds ------------------------------------------------------------------------------------------------- */

enum { MAGIC = 0x1badb002, HAS_ADDRESSES = 0x10000, BASE = 0x100000 };

static size_t start(uint8_t *in, unsigned mib, unsigned module, const char *append, const char *initrd)
{
    in[0] = (uint8_t)(mib - 1);
    in[1] = (uint8_t)module;
    size_t n = 2;
    n += (size_t)sprintf((char *)in + n, "%s", append) + 1;
    return n + (size_t)sprintf((char *)in + n, "%s", initrd) + 1;
}

static void put_header(uint8_t *h, uint32_t flags)
{
    put_le32(h, MAGIC);
    put_le32(h + 4, flags);
    put_le32(h + 8, 0u - MAGIC - flags);
}

/* The header says where everything goes. */
static void give_addresses(FuzzGive *give, uint32_t load_end, uint32_t bss_end, const char *initrd)
{
    static uint8_t in[2048];
    memset(in, 0, sizeof in);
    size_t at = start(in, 16, 3, "root=here", initrd);
    uint8_t *k = in + at;
    put_header(k + 64, HAS_ADDRESSES | 3);
    put_le32(k + 64 + 12, BASE + 64);
    put_le32(k + 64 + 16, BASE);
    put_le32(k + 64 + 20, load_end);
    put_le32(k + 64 + 24, bss_end);
    put_le32(k + 64 + 28, BASE + 96);
    give(in, at + 1024);
}

static void give_elf(FuzzGive *give, const char *initrd)
{
    static uint8_t in[4096];
    memset(in, 0, sizeof in);
    size_t at = start(in, 8, 200, "", initrd);
    uint8_t *e = in + at;
    memcpy(e, "\177ELF\1\1\1", 7);
    put_le16(e + 16, 2);
    put_le16(e + 18, 3);
    put_le32(e + 24, 0xc0100010);
    put_le32(e + 28, 52);
    put_le16(e + 42, 32);
    put_le16(e + 44, 3);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *p = e + 52 + 32 * i;
        put_le32(p, i == 1 ? 4 : 1);
        put_le32(p + 4, i * 512);
        put_le32(p + 8, 0xc0000000 + BASE + i * 0x10000);
        put_le32(p + 12, BASE + i * 0x10000);
        put_le32(p + 16, 512);
        put_le32(p + 20, 512 + i * 0x3000);
    }
    put_header(e + 160, 3);
    give(in, at + 2048);
}

static void seeds(FuzzGive *give)
{
    give_addresses(give, 0, 0, "");
    give_addresses(give, BASE + 1024, BASE + 0x10000, "@ one arg,@ two");
    give_addresses(give, 0, BASE + 0x2000, "@,,x,@");
    give_elf(give, "");
    give_elf(give, "@ module with arguments,@,@,@,@");
}

static const char *const words[] = { "\x02\xb0\xad\x1b", "\177ELF\1\1\1", "@,@,@,@,@,@,@,@,", "@ ", ",,", NULL };
const FuzzTarget fuzz_target = {
    .name = "multiboot", .slice = 60000, .max_size = 16384, .seeds = seeds, .words = words
};
