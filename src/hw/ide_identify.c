/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA/ATAPI-6, 8.15 and 8.16), and the geometry that goes in there.  Names are
 * those that QEMU's machines show, so that a guest installed there finds its disk here. */
#include "hw/ide_int.h"

#include <stdio.h>
#include <string.h>

enum { HEADS_MAX = 16, SPT_MAX = 63, CYLINDERS_MAX = 16383, CHS_MAX = CYLINDERS_MAX * HEADS_MAX * SPT_MAX };
enum { TRANSLATE_NONE, TRANSLATE_LBA, TRANSLATE_LARGE };

/* --- geometry --------------------------------------------------------------------------------------------------------- */

typedef struct Chs {
    uint32_t cylinders, heads, spt;
} Chs;

/* What the system that made the partitions took the disk for: a partition ends with a cylinder. */
static bool from_partitions(BlockImage *img, Chs *g)
{
    uint8_t mbr[BLOCK_SECTOR];
    if (block_read_sync(img, 0, 1, mbr) || mbr[510] != 0x55 || mbr[511] != 0xaa) return false;
    for (int i = 0; i < 4; i++) {
        const uint8_t *p = mbr + 0x1be + 16 * i;
        uint32_t sectors = get_le32(p + 12);
        uint32_t heads = p[5] + 1u, spt = p[6] & 63u;
        if (!sectors || heads == 1 || !spt) continue;
        uint64_t cylinders = block_sectors(img) / (heads * spt);
        if (cylinders < 1 || cylinders > CYLINDERS_MAX) continue;
        *g = (Chs){ (uint32_t)cylinders, heads, spt };
        return true;
    }
    return false;
}

static Chs from_size(uint64_t sectors)
{
    uint64_t cylinders = sectors / (HEADS_MAX * SPT_MAX);
    if (cylinders > CYLINDERS_MAX) cylinders = CYLINDERS_MAX;
    if (cylinders < 1) {
        /* Smaller than one cylinder of the usual shape: all of it must still be in reach. */
        uint32_t n = sectors < SPT_MAX ? (uint32_t)sectors : SPT_MAX;
        return (Chs){ 1, (uint32_t)(sectors / n ? sectors / n : 1), n };
    }
    return (Chs){ (uint32_t)cylinders, HEADS_MAX, SPT_MAX };
}

void ide_guess_geometry(IdeDrive *d)
{
    Chs g;
    bool shaped = from_partitions(drive_image(d->drive), &g);
    if (!shaped || g.heads > HEADS_MAX) g = from_size(block_sectors(drive_image(d->drive)));
    d->cylinders = (uint16_t)g.cylinders;
    d->heads = (uint16_t)g.heads;
    d->spt = (uint16_t)g.spt;
}

uint8_t ide_translation(const IdeDrive *d)
{
    Chs g;
    if (from_partitions(drive_image(d->drive), &g)) {
        if (g.heads > HEADS_MAX) return d->cylinders * d->heads <= 131072 ? TRANSLATE_LARGE : TRANSLATE_LBA;
        return TRANSLATE_NONE;
    }
    return d->cylinders <= 1024 ? TRANSLATE_NONE : TRANSLATE_LBA;
}

/* --- words ---------------------------------------------------------------------------------------------------------------- */

static void word(uint8_t *out, unsigned n, uint32_t v)
{
    put_le16(out + 2 * n, v);
}

static void dword(uint8_t *out, unsigned n, uint32_t v)
{
    put_le32(out + 2 * n, v);
}

/* The first character is in a word's high byte; padded with spaces. */
static void text(uint8_t *out, unsigned n, unsigned words, const char *s)
{
    for (unsigned i = 0; i < 2 * words; i++) out[2 * n + (i ^ 1)] = *s ? (uint8_t)*s++ : ' ';
}

static void names(const IdeDrive *d, uint8_t *out)
{
    const Ide *ide = d->ch->ide;
    unsigned place = 2u * (d->ch == &ide->ch[1]) + (d == &d->ch->drive[1]);
    const DriveConfig *cfg = drive_config(d->drive);
    char serial[21];
    snprintf(serial, sizeof serial, "QM%05u", place + 1);
    text(out, 10, 10, cfg->serial ? cfg->serial : serial);
    text(out, 23, 4, "2.5+");
    text(out, 27, 20, cfg->model ? cfg->model : d->cd ? "QEMU DVD-ROM" : "QEMU HARDDISK");
}

/* Words 49-53, 62-70, 88: what it can do, and the DMA mode that is set. */
static void transfers(const IdeDrive *d, uint8_t *out)
{
    uint8_t mode = d->dma_mode;
    word(out, 49, 1 << 11 | 1 << 9 | 1 << 8); /* IORDY, LBA, DMA */
    word(out, 53, 7);                         /* words 54-58, 64-70, 88 are valid */
    word(out, 62, 7 | (mode >> 3 == 2 ? 0x100u << (mode & 7) : 0));
    word(out, 63, 7 | (mode >> 3 == 4 ? 0x100u << (mode & 7) : 0));
    word(out, 64, 3);                                      /* PIO 3 and 4 */
    for (unsigned n = 65; n <= 68; n++) word(out, n, 120); /* ns a cycle */
    word(out, 88, 0x3f | (mode >> 3 == 8 ? 0x100u << (mode & 7) : 0));
    word(out, 80, d->cd ? 0x1e : 0xf0); /* ATA-1 to -4; ATA-4 to -7 */
}

void ata_identify(const IdeDrive *d, uint8_t out[512])
{
    uint64_t sectors = ide_sectors(d);
    uint32_t chs = (uint32_t)d->cur_cylinders * d->cur_heads * d->cur_spt;
    if (chs > CHS_MAX) chs = CHS_MAX;
    memset(out, 0, 512);
    word(out, 0, 0x0040); /* fixed disk */
    word(out, 1, d->cylinders);
    word(out, 3, d->heads);
    word(out, 6, d->spt);
    names(d, out);
    transfers(d, out);
    word(out, 47, 0x8000 | IDE_MULT_MAX);
    word(out, 48, 1);      /* 32-bit accesses to the data port */
    word(out, 50, 0x4000); /* capabilities: none of them */
    word(out, 54, d->cur_cylinders);
    word(out, 55, d->cur_heads);
    word(out, 56, d->cur_spt);
    dword(out, 57, chs);
    word(out, 59, d->mult ? 0x100u | d->mult : 0);
    dword(out, 60, sectors < 0x0fffffff ? (uint32_t)sectors : 0x0fffffff);
    /* SMART, write cache, look-ahead, power management, NOP and buffer commands; flush, LBA48; FUA, SMART's log and
     * self-test.  85-87: of these, on. */
    word(out, 82, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 6 | 1 << 5 | 1 << 3 | 1);
    word(out, 83, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10);
    word(out, 84, 1 << 14 | 1 << 6 | 1 << 1 | 1);
    word(out, 85,
         1u << 14 | 1 << 13 | 1 << 12 | (unsigned)d->look_ahead << 6 | (unsigned)d->write_cache << 5 | 1 << 3 |
             (unsigned)d->smart_enabled);
    word(out, 86, 1 << 13 | 1 << 12 | 1 << 10);
    word(out, 87, 1 << 14 | 1 << 6 | 1 << 1 | 1);
    word(out, 93, 0x4000 | 0x2000 | 1 | (d == &d->ch->drive[1] ? 0x0100 : 0)); /* 80-conductor cable, jumper */
    dword(out, 100, (uint32_t)sectors);
    dword(out, 102, (uint32_t)(sectors >> 32));
    word(out, 105, IDE_TRIM_BLOCKS);
    word(out, 169, 1); /* TRIM */
}

void atapi_identify(const IdeDrive *d, uint8_t out[512])
{
    memset(out, 0, 512);
    word(out, 0, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, 12-byte packets */
    names(d, out);
    transfers(d, out);
    word(out, 71, 30); /* us to release the bus, to clear BSY after SERVICE: neither is used */
    word(out, 72, 30);
    word(out, 82, 1 << 14 | 1 << 9 | 1 << 4 | 1 << 3); /* NOP, DEVICE RESET, PACKET, power management */
    word(out, 83, 1 << 14);
    word(out, 84, 1 << 14);
    word(out, 85, 1 << 14 | 1 << 9 | 1 << 4 | 1 << 3);
    word(out, 87, 1 << 14);
    word(out, 93, 0x4000 | 0x2000 | 1);
}
