/* The loader of Linux kernels, by both of its ways.  Input: RAM in MiB, length of the initrd (times 256), the command
 * line and its zero, the image. */
#include "fuzz/load.h"

static char path[32], error[LOAD_ERROR];

static const char *make_initrd(unsigned bytes)
{
    static unsigned have;
    static uint8_t zeros[1 << 16];
    if (!path[0]) load_make_file(path, zeros, 1);
    if (!bytes) return NULL;
    if (have != bytes) FUZZ_CHECK(truncate(path, bytes) == 0);
    have = bytes;
    return path;
}

static void boot_directly(const LoadRequest *rq, const FileData *kernel)
{
    BootState boot = { 0 };
    error[0] = 0;
    if (load_linux(rq, kernel, &boot, error, sizeof error))
        load_check_boot(rq, &boot);
    else
        load_check_error(error);
}

static void boot_by_firmware(const LoadRequest *rq, FileData *kernel)
{
    LinuxParts p = { 0 };
    error[0] = 0;
    if (!load_linux_parts(rq, kernel, &p, error, sizeof error)) {
        load_check_error(error);
        FUZZ_CHECK(!p.initrd.bytes);
        return;
    }
    FUZZ_CHECK((size_t)p.setup_size + p.kernel_size == kernel->size);
    FUZZ_CHECK(p.setup_at + p.setup_size <= CONVENTIONAL_END && load_is_ram(rq, p.kernel_at, p.kernel_size));
    FUZZ_CHECK(p.cmdline_at + strlen(rq->append) < CONVENTIONAL_END);
    if (p.initrd.bytes)
        FUZZ_CHECK(load_is_ram(rq, p.initrd_at, p.initrd.size) && p.initrd_at >= p.kernel_at + p.kernel_size);
    file_free(&p.initrd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char append[256];
    FuzzBytes b = { data, data + size };
    LoadRequest rq = load_request(1 + fuzz_take(&b, 1) % LOAD_RAM_MIB);
    rq.initrd = make_initrd(fuzz_take(&b, 1) * 256);
    rq.append = load_take_text(&b, append, sizeof append - 1);
    FileData kernel = load_take_file(&b);
    if (kernel.size && load_is_linux(&kernel)) {
        boot_directly(&rq, &kernel);
        boot_by_firmware(&rq, &kernel);
    }
    file_free(&kernel);
    return 0;
}

/* A kernel of 4 KiB with the header of this protocol version. */
static void give_kernel(FuzzGive *give, unsigned version, const char *append, unsigned mib, unsigned initrd)
{
    enum { SETUP = 5 * 512, PAYLOAD = 4096 };
    static uint8_t in[300 + SETUP + PAYLOAD];
    memset(in, 0, sizeof in);
    in[0] = (uint8_t)(mib - 1);
    in[1] = (uint8_t)initrd;
    strcpy((char *)in + 2, append);
    uint8_t *k = in + 2 + strlen(append) + 1;
    for (int i = 0; i < PAYLOAD; i++) k[SETUP + i] = (uint8_t)(i * 13);
    k[0x1f1] = 4;
    put_le32(k + 0x1f4, PAYLOAD / 16);
    put_le16(k + 0x1fe, 0xaa55);
    put_le16(k + 0x200, 0x68eb);
    memcpy(k + 0x202, "HdrS", 4);
    put_le16(k + 0x206, version);
    k[0x211] = 1;
    put_le32(k + 0x214, 0x100000);
    put_le32(k + 0x22c, 0x7fffffff);
    put_le32(k + 0x230, 0x200000);
    k[0x234] = version & 1;
    put_le32(k + 0x238, 100);
    put_le32(k + 0x258, 0x400000);
    put_le32(k + 0x260, 0x100000);
    give(in, (size_t)(k - in) + SETUP + PAYLOAD);
}

static void seeds(FuzzGive *give)
{
    for (unsigned version = 0x200; version <= 0x20f; version++)
        give_kernel(give, version, "console=ttyS0 quiet", 16, version & 2 ? 0 : 8);
    give_kernel(give, 0x20f, "", 1, 0);
    give_kernel(give, 0x20a, "", 6, 255);
}

static const char *const words[] = { "HdrS", "\x55\xaa", "\x01\xff", "\xff\xff\xff\x7f", "\xff\xff\xff\xff", NULL };
const FuzzTarget fuzz_target = { .name = "linux", .slice = 60000, .max_size = 16384, .seeds = seeds, .words = words };
