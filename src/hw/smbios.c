/* SMBIOS reference specification 2.8 (DSP0134): the entry point of chapter 5.2.1 and the required structures of
 * chapter 6.2.  Firmware adds type 0, which is about itself. */
#include "hw/smbios.h"
#include "util/bytes.h"

#include <string.h>

enum { ANCHOR = 31, TABLES_MAX = 1024 };

typedef struct Tables {
    uint8_t bytes[TABLES_MAX];
    unsigned len, count, largest;
} Tables;

static void seal(uint8_t *p, size_t len, size_t checksum_at)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) sum += p[i];
    p[checksum_at] = (uint8_t)-sum;
}

/* A structure of the given formatted length, with its strings ("first\0second\0", or "" for none) behind it. */
static uint8_t *add(Tables *t, uint8_t type, uint8_t len, const char *strings)
{
    uint8_t *p = t->bytes + t->len;
    p[0] = type;
    p[1] = len;
    put_le16(p + 2, type << 8); /* handle */
    unsigned size = len;
    for (const char *s = strings; *s; s += strlen(s) + 1) {
        memcpy(p + size, s, strlen(s) + 1);
        size += (unsigned)strlen(s) + 1;
    }
    size += *strings ? 1 : 2; /* the set ends with an empty string */
    t->len += size;
    t->count++;
    if (size > t->largest) t->largest = size;
    return p;
}

static void add_system(Tables *t)
{
    uint8_t *p = add(t, 1, 27, "Calque\0Standard PC (i440FX + PIIX, 1996)\0");
    p[4] = 1; /* manufacturer, product */
    p[5] = 2;
    p[24] = 6; /* woken by the power switch */
}

static void add_chassis(Tables *t)
{
    enum { OTHER = 1, SAFE = 3, NO_SECURITY = 2 };
    uint8_t *p = add(t, 3, 21, "Calque\0");
    p[4] = 1;
    p[5] = OTHER;
    p[9] = p[10] = p[11] = SAFE; /* boot-up, power supply and thermal states */
    p[12] = NO_SECURITY;
}

static void add_processor(Tables *t)
{
    enum { CENTRAL = 3, OTHER_FAMILY = 1, OTHER_UPGRADE = 1, ENABLED_POPULATED = 0x41 };
    uint8_t *p = add(t, 4, 42, "CPU 0\0Calque\0");
    p[4] = 1; /* socket */
    p[5] = CENTRAL;
    p[6] = OTHER_FAMILY;
    p[7] = 2; /* manufacturer */
    p[24] = ENABLED_POPULATED;
    p[25] = OTHER_UPGRADE;
    put_le16(p + 26, 0xffff); /* no L1, L2, L3 cache structures */
    put_le16(p + 28, 0xffff);
    put_le16(p + 30, 0xffff);
    p[35] = p[36] = p[37] = 1; /* cores, enabled, threads */
    put_le16(p + 38, 2);       /* characteristics: unknown */
    put_le16(p + 40, OTHER_FAMILY);
}

static void add_memory(Tables *t, uint32_t mem_bytes)
{
    enum { SYSTEM_BOARD = 3, SYSTEM_MEMORY = 3, NO_ECC = 3, DIMM = 9, RAM = 7, OTHER_DETAIL = 2 };
    uint8_t *array = add(t, 16, 23, "");
    array[4] = SYSTEM_BOARD;
    array[5] = SYSTEM_MEMORY;
    array[6] = NO_ECC;
    put_le32(array + 7, mem_bytes >> 10); /* maximum, KiB */
    put_le16(array + 11, 0xfffe);         /* no error handle */
    put_le16(array + 13, 1);
    uint8_t *device = add(t, 17, 40, "DIMM 0\0Calque\0");
    put_le16(device + 4, 16 << 8); /* the array's handle */
    put_le16(device + 6, 0xfffe);
    put_le16(device + 8, 0xffff); /* widths unknown */
    put_le16(device + 10, 0xffff);
    put_le16(device + 12, mem_bytes >> 20);
    device[14] = DIMM;
    device[16] = 1;
    device[18] = RAM;
    put_le16(device + 19, OTHER_DETAIL);
    device[23] = 2; /* manufacturer */
}

static void add_mapping(Tables *t, uint32_t first_kib, uint32_t last_kib)
{
    uint8_t *p = add(t, 19, 31, "");
    put_le32(p + 4, first_kib);
    put_le32(p + 8, last_kib);
    put_le16(p + 12, 16 << 8);
    p[14] = 1;
}

/* Firmware puts in where the tables are and makes the sums right. */
static void build_anchor(uint8_t *a, const Tables *t)
{
    memcpy(a, "_SM_", 4);
    a[5] = ANCHOR;
    a[6] = 2; /* version 2.8 */
    a[7] = 8;
    put_le16(a + 8, t->largest);
    memcpy(a + 16, "_DMI_", 5);
    put_le16(a + 22, t->len);
    put_le16(a + 28, t->count);
    a[30] = 0x28;
    seal(a + 16, 15, 5);
    seal(a, ANCHOR, 4);
}

void smbios_offer(FwCfg *fw, uint32_t mem_bytes, uint32_t low_ram)
{
    Tables t = { .len = 0 };
    uint8_t anchor[ANCHOR] = { 0 };
    add_system(&t);
    add_chassis(&t);
    add_processor(&t);
    add_memory(&t, mem_bytes);
    add_mapping(&t, 0, (low_ram >> 10) - 1);
    if (mem_bytes > low_ram) add_mapping(&t, 4u << 20, (4u << 20) + ((mem_bytes - low_ram) >> 10) - 1);
    add(&t, 32, 11, ""); /* boot status: no errors */
    add(&t, 127, 4, ""); /* end */
    build_anchor(anchor, &t);
    fw_cfg_add_file(fw, "etc/smbios/smbios-anchor", anchor, sizeof anchor);
    fw_cfg_add_file(fw, "etc/smbios/smbios-tables", t.bytes, t.len);
}
