/* The firmware configuration device, by QEMU's docs/specs/fw_cfg. */
#include <string.h>

#include "hw/fw_cfg.h"
#include "fake.h"

static Fake f;
static FwCfg *fw;
enum { RAM = 1 << 20, AT = 0x1000 };
static uint8_t *ram;

static void build(void)
{
    fake_init(&f);
    ram = phys_region_host(phys_add_ram(f.phys, "ram", 0, RAM, 0));
    fw = fw_cfg_new(f.m);
}
static void take_down(void)
{
    fw_cfg_free(fw);
    fake_free(&f);
}

static void select_key(unsigned key)
{
    ioports_write(f.io, 0x510, key, 2);
}
static uint32_t next(void)
{
    return in8(&f, 0x511);
}
static void put_be(uint32_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++) ram[at + i] = (uint8_t)(v >> (24 - 8 * i));
}
static uint32_t dma(uint32_t control, uint32_t len, uint32_t address)
{
    put_be(AT, control);
    put_be(AT + 4, len);
    put_be(AT + 8, 0);
    put_be(AT + 12, address);
    ioports_write(f.io, 0x514, 0, 4);
    ioports_write(f.io, 0x518, __builtin_bswap32(AT), 4);
    return (uint32_t)ram[AT] << 24 | ram[AT + 1] << 16 | ram[AT + 2] << 8 | ram[AT + 3];
}

static void test_ports(void)
{
    build();
    select_key(FW_CFG_SIGNATURE);
    ok(next() == 'Q' && next() == 'E' && next() == 'M' && next() == 'U', "signature");
    IS(next(), 0, "nothing behind an item's end");
    select_key(FW_CFG_ID);
    IS(next(), 3, "traditional and DMA interface");
    fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 0x1234);
    select_key(FW_CFG_NB_CPUS);
    ok(next() == 0x34 && next() == 0x12, "items are little-endian");
    fw_cfg_add_u32(fw, FW_CFG_IRQ0_OVERRIDE, 7);
    select_key(FW_CFG_IRQ0_OVERRIDE);
    IS(next(), 7, "keys of the architecture");
    select_key(0x7fff);
    IS(next(), 0, "an unknown key is empty");
    select_key(0xffff);
    IS(next(), 0, "also there");
    IS(ioports_read(f.io, 0x514, 4), 0x554d4551u - 0, "DMA signature: QEMU, as bytes");
    ok(ioports_read(f.io, 0x518, 1) == ' ' && ioports_read(f.io, 0x51b, 1) == 'G', "CFG");
    take_down();
}

static void test_files(void)
{
    build();
    fw_cfg_add_file(fw, "etc/one", "first", 5);
    fw_cfg_add_file(fw, "etc/two", "second", 6);
    fw_cfg_add_file(fw, "etc/one", "1", 1);
    select_key(FW_CFG_FILE_DIR);
    uint8_t dir[4 + 2 * 64];
    for (size_t i = 0; i < sizeof dir; i++) dir[i] = (uint8_t)next();
    IS(dir[3], 2, "two files");
    ok(dir[7] == 1 && !strcmp((char *)dir + 12, "etc/one"), "replaced by name");
    ok(dir[4 + 64 + 3] == 6 && !strcmp((char *)dir + 12 + 64, "etc/two"), "size and name");
    select_key((unsigned)dir[4 + 64 + 4] << 8 | dir[4 + 64 + 5]);
    ok(next() == 's' && next() == 'e', "contents");
    take_down();
}

static void test_dma(void)
{
    build();
    fw_cfg_lend(fw, FW_CFG_KERNEL_DATA, "0123456789", 10);
    memset(ram + 0x2000, 0xaa, 16);
    IS(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 4, 0x2000), 0, "select and read");
    ok(!memcmp(ram + 0x2000, "0123\xaa", 5), "as many bytes as asked for");
    IS(dma(4, 3, 0), 0, "skip");
    IS(dma(2, 8, 0x2000), 0, "read on");
    ok(!memcmp(ram + 0x2000, "789\0\0\0\0\0\xaa", 9), "zeros behind the end");
    IS(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 16, 4, 0x2000), 1, "writing is an error");
    IS(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 2, 10, RAM - 5), 0, "past the end of RAM");
    ok(!memcmp(ram + RAM - 5, "01234", 5), "what fits arrives");
    IS(dma(FW_CFG_KERNEL_DATA << 16 | 8 | 4, 0xffffffff, 0), 0, "skip too far");
    IS(dma(2, 1, 0x2000), 0, "nothing there");
    IS(ram[0x2000], 0, "zero");
    take_down();
}

static void test_fuzz(void)
{
    uint32_t seed = 1;
    build();
    fw_cfg_add_file(fw, "etc/one", "first", 5);
    for (int i = 0; i < 50000; i++) {
        seed = seed * 1103515245 + 12345;
        uint32_t r = seed >> 8;
        uint16_t port = (uint16_t)(0x510 + r % 12);
        unsigned size = 1u << (r >> 4 & 3) % 3;
        seed = seed * 1103515245 + 12345;
        if (r >> 6 & 1)
            ioports_read(f.io, port, size);
        else
            ioports_write(f.io, port, r >> 7 & 1 ? seed : __builtin_bswap32(seed & 0xffff0), size);
        if (i % 64 == 0)
            for (uint32_t k = 0; k < RAM; k += 16) { /* descriptors everywhere, of moderate length */
                seed = seed * 1103515245 + 12345;
                put_be(k, seed);
                put_be(k + 4, seed >> 16);
            }
    }
    ok(true, "random traffic");
    take_down();
}

int main(void)
{
    test_ports();
    test_files();
    test_dma();
    test_fuzz();
    return tap_done();
}
