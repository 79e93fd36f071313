/* Selector, data and DMA registers as QEMU's docs/specs/fw_cfg describes them.  Numbers are little-endian in items and
 * big-endian in the DMA descriptor and the file directory. */
#include "hw/fw_cfg.h"

#include <stdio.h>
#include <string.h>

#include "hw/alloc.h"
#include "util/bytes.h"

enum { PORT_SELECT = 0x510, PORT_DATA = 0x511, PORT_DMA_HIGH = 0x514, PORT_DMA_LOW = 0x518 };
enum { KEY_MASK = 0x3fff, ITEMS = FW_CFG_FILE_FIRST + FW_CFG_FILE_SLOTS, ID_PORTS = 1, ID_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { DIR_ENTRY = 64, DIR_NAME = 8, DESCRIPTOR = 16 };
#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

typedef struct Item {
    const uint8_t *data;
    uint8_t *owned; /* data, when it is ours to free */
    size_t len;
} Item;

struct FwCfg {
    PhysMem *phys;
    Item item[2][ITEMS]; /* generic, then those of the architecture (bit 15 of the key) */
    char name[FW_CFG_FILE_SLOTS][FW_CFG_NAME_MAX + 1];
    unsigned n_files;
    uint16_t key;
    uint64_t offset; /* in the selected item */
    uint64_t dma_address;
};

static Item *find_item(FwCfg *fw, uint16_t key)
{
    unsigned n = key & KEY_MASK;
    return n < ITEMS ? &fw->item[key >> 15][n] : NULL;
}

static void put_be(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static uint64_t get_be(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

/* --- the guest's side --------------------------------------------------------------------------------------- */

static void select_item(FwCfg *fw, uint16_t key)
{
    fw->key = key;
    fw->offset = 0;
}

/* Past an item's end everything reads as 0. */
static uint8_t next_byte(FwCfg *fw)
{
    const Item *it = find_item(fw, fw->key);
    if (!it || fw->offset >= it->len) return 0;
    return it->data[fw->offset++];
}

static void zero_memory(PhysMem *phys, uint64_t at, uint64_t n)
{
    static const uint8_t zeros[PAGE_SIZE];
    for (uint64_t step; n; n -= step, at += step) {
        step = n < sizeof zeros ? n : sizeof zeros;
        phys_write(phys, at, zeros, step);
    }
}

static void dma_read(FwCfg *fw, uint64_t at, uint32_t n)
{
    const Item *it = find_item(fw, fw->key);
    uint64_t left = it && fw->offset < it->len ? it->len - fw->offset : 0;
    uint32_t here = left < n ? (uint32_t)left : n;
    if (here) phys_write(fw->phys, at, it->data + fw->offset, here);
    fw->offset += here;
    zero_memory(fw->phys, at + here, n - here);
}

/* The whole transfer happens at the write that starts it. */
static void dma_run(FwCfg *fw)
{
    uint8_t d[DESCRIPTOR];
    uint64_t at = fw->dma_address;
    fw->dma_address = 0;
    phys_read(fw->phys, at, d, sizeof d);
    uint32_t control = (uint32_t)get_be(d, 4), length = (uint32_t)get_be(d + 4, 4), result = 0;
    uint64_t address = get_be(d + 8, 8);
    if (control & DMA_SELECT) select_item(fw, (uint16_t)(control >> 16));
    if (control & DMA_READ) {
        dma_read(fw, address, length);
    } else if (control & DMA_SKIP) {
        fw->offset += length;
    } else if (control & DMA_WRITE) {
        result = DMA_ERROR; /* no item may be written */
    }
    put_be(d, result, 4);
    phys_write(fw->phys, at, d, 4);
}

static void select_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port;
    if (size == 2) select_item(opaque, (uint16_t)value);
}

/* One register of 16 bits at 510h and one of 8 at 511h overlap. */
static uint32_t data_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return port == PORT_DATA ? next_byte(opaque) : 0;
}

static uint32_t dma_port_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque;
    uint8_t sig[8];
    put_be(sig, DMA_SIGNATURE, 8);
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++) v |= (uint32_t)sig[(port - PORT_DMA_HIGH + i) & 7] << 8 * i;
    return v;
}

static void dma_port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    FwCfg *fw = opaque;
    if (size != 4) return;
    uint32_t v = __builtin_bswap32(value);
    if (port == PORT_DMA_HIGH) {
        fw->dma_address = (uint64_t)v << 32;
    } else if (port == PORT_DMA_LOW) {
        fw->dma_address |= v;
        dma_run(fw);
    }
}

/* --- the board's side ----------------------------------------------------------------------------------------- */

static void put_item(FwCfg *fw, uint16_t key, const void *data, uint8_t *owned, size_t len)
{
    Item *it = find_item(fw, key);
    if (!it) {
        free(owned);
        return;
    }
    free(it->owned);
    *it = (Item){ .data = data, .owned = owned, .len = len };
}

void fw_cfg_add(FwCfg *fw, uint16_t key, const void *data, size_t len)
{
    uint8_t *copy = hw_alloc(len + 1);
    memcpy(copy, data, len);
    put_item(fw, key, copy, copy, len);
}

void fw_cfg_add_u16(FwCfg *fw, uint16_t key, uint16_t v)
{
    uint8_t b[2];
    put_le16(b, v);
    fw_cfg_add(fw, key, b, sizeof b);
}

void fw_cfg_add_u32(FwCfg *fw, uint16_t key, uint32_t v)
{
    uint8_t b[4];
    put_le32(b, v);
    fw_cfg_add(fw, key, b, sizeof b);
}

void fw_cfg_lend(FwCfg *fw, uint16_t key, const void *data, size_t len)
{
    put_item(fw, key, data, NULL, len);
}

static void build_directory(FwCfg *fw)
{
    uint8_t dir[4 + FW_CFG_FILE_SLOTS * DIR_ENTRY] = { 0 };
    put_be(dir, fw->n_files, 4);
    for (unsigned i = 0; i < fw->n_files; i++) {
        uint8_t *e = dir + 4 + i * DIR_ENTRY;
        put_be(e, fw->item[0][FW_CFG_FILE_FIRST + i].len, 4);
        put_be(e + 4, FW_CFG_FILE_FIRST + i, 2);
        memcpy(e + DIR_NAME, fw->name[i], sizeof fw->name[i]);
    }
    fw_cfg_add(fw, FW_CFG_FILE_DIR, dir, 4 + fw->n_files * DIR_ENTRY);
}

void fw_cfg_add_file(FwCfg *fw, const char *name, const void *data, size_t len)
{
    unsigned i = 0;
    while (i < fw->n_files && strcmp(fw->name[i], name) != 0) i++;
    if (i == FW_CFG_FILE_SLOTS) return; /* the board adds fewer than that */
    if (i == fw->n_files) {
        fw->n_files++;
        snprintf(fw->name[i], sizeof fw->name[i], "%s", name);
    }
    fw_cfg_add(fw, (uint16_t)(FW_CFG_FILE_FIRST + i), data, len);
    build_directory(fw);
}

static const Field fw_fields[] = { FIELD(FwCfg, key), FIELD(FwCfg, offset), FIELD(FwCfg, dma_address), FIELD_END };

static void fw_reset(void *dev)
{
    FwCfg *fw = dev;
    select_item(fw, FW_CFG_SIGNATURE);
    fw->dma_address = 0;
}

static const DeviceClass fw_class = { .name = "fw_cfg", .version = 1, .fields = fw_fields, .reset = fw_reset };

FwCfg *fw_cfg_new(Machine *m)
{
    static const IoPortOps select_ops = { data_read, select_write, 2 }, data_ops = { data_read, NULL, 1 },
                           dma_ops = { dma_port_read, dma_port_write, 4 };
    FwCfg *fw = hw_alloc(sizeof *fw);
    fw->phys = machine_phys(m);
    ioports_map(machine_io(m), PORT_SELECT, 1, &select_ops, fw);
    ioports_map(machine_io(m), PORT_DATA, 1, &data_ops, fw);
    ioports_map(machine_io(m), PORT_DMA_HIGH, 8, &dma_ops, fw);
    fw_cfg_add(fw, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(fw, FW_CFG_ID, ID_PORTS | ID_DMA);
    build_directory(fw);
    machine_add_device(m, &fw_class, fw);
    return fw;
}

void fw_cfg_free(FwCfg *fw)
{
    if (!fw) return;
    for (unsigned a = 0; a < 2; a++)
        for (unsigned i = 0; i < ITEMS; i++) free(fw->item[a][i].owned);
    free(fw);
}
