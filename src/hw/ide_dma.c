/* The bus master (PIIX3 data sheet, section "Bus Master IDE"; SFF-8038i): per channel a command and a status register and the address
 * of a table of physical region descriptors, each an address and a byte count.  The guest owns the table, so
 * that every entry is taken as it is found when the transfer gets to it. */
#include "hw/ide_int.h"

#include <string.h>

enum { BMC_START = 1, BMC_TO_MEMORY = 8 };
enum { BMS_ACTIVE = 1, BMS_ERROR = 2, BMS_INTERRUPT = 4, BMS_CAPABLE = 0x60 };
enum { PRD_SIZE = 8 };
#define PRD_LAST 0x80000000u

void ide_bm_reset(IdeChannel *ch)
{
    ch->bm_command = ch->bm_status = 0;
    ch->bm_table = 0;
    ch->prd_at = ch->prd_addr = ch->prd_left = 0;
    ch->prd_last = false;
}

/* --- the transfer ---------------------------------------------------------------------------------------- */

static void next_prd(IdeChannel *ch)
{
    uint8_t raw[PRD_SIZE];
    phys_read(machine_phys(ch->machine), ch->prd_at, raw, sizeof raw);
    uint32_t addr, count;
    memcpy(&addr, raw, 4);
    memcpy(&count, raw + 4, 4);
    ch->prd_at += PRD_SIZE;
    ch->prd_addr = addr & ~1u;
    ch->prd_left = count & 0xfffe ? count & 0xfffe : 0x10000; /* 0 stands for 64 KiB */
    ch->prd_last = count & PRD_LAST;
}

static bool is_running(const IdeChannel *ch)
{
    return ch->bm_status & BMS_ACTIVE && pci_is_master(&ch->ide->pci);
}

bool ide_dma_move(IdeDrive *d, bool to_memory)
{
    IdeChannel *ch = d->ch;
    while (d->pos < d->filled) {
        if (!is_running(ch)) return false;
        if (!ch->prd_left) {
            if (ch->prd_last) {
                /* The table is shorter than the transfer: the master stops without an interrupt, the drive waits on. */
                ch->bm_status &= (uint8_t)~BMS_ACTIVE;
                return false;
            }
            next_prd(ch);
        }
        uint32_t n = d->filled - d->pos;
        if (n > ch->prd_left) n = ch->prd_left;
        uint32_t to_top = 0u - ch->prd_addr; /* the address has 32 bits */
        if (to_top && n > to_top) n = to_top;
        if (to_memory)
            phys_write(machine_phys(ch->machine), ch->prd_addr, d->buf + d->pos, n);
        else
            phys_read(machine_phys(ch->machine), ch->prd_addr, d->buf + d->pos, n);
        ch->prd_addr += n;
        ch->prd_left -= n;
        d->pos += n;
    }
    return true;
}

/* The master stays active if the table has room left. */
void ide_dma_done(IdeDrive *d)
{
    IdeChannel *ch = d->ch;
    if (!ch->prd_left && ch->prd_last) ch->bm_status &= (uint8_t)~BMS_ACTIVE;
}

/* --- registers --------------------------------------------------------------------------------------------- */

static void write_command(IdeChannel *ch, uint8_t v)
{
    bool was = ch->bm_command & BMC_START, is = v & BMC_START;
    ch->bm_command = v & (BMC_START | BMC_TO_MEMORY);
    if (!is) ch->bm_status &= (uint8_t)~BMS_ACTIVE;
    if (was || !is) return;
    ch->bm_status |= BMS_ACTIVE;
    ch->prd_at = ch->bm_table;
    ch->prd_left = 0;
    ch->prd_last = false;
    for (int i = 0; i < 2; i++)
        if (ch->drive[i].dma) ide_run(&ch->drive[i]);
}

static uint8_t bm_read_byte(const IdeChannel *ch, unsigned reg)
{
    switch (reg) {
    case 0: return ch->bm_command;
    case 2: return ch->bm_status;
    case 4:
    case 5:
    case 6:
    case 7: return (uint8_t)(ch->bm_table >> 8 * (reg - 4));
    default: return 0;
    }
}

static void bm_write_byte(IdeChannel *ch, unsigned reg, uint8_t v)
{
    switch (reg) {
    case 0: write_command(ch, v); break;
    case 2: /* the interrupt and error bits are cleared by writing 1 */
        ch->bm_status =
            (uint8_t)((ch->bm_status & ~BMS_CAPABLE & ~(v & (BMS_ERROR | BMS_INTERRUPT))) | (v & BMS_CAPABLE));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        ch->bm_table = (ch->bm_table & ~(0xffu << 8 * (reg - 4))) | (uint32_t)v << 8 * (reg - 4);
        ch->bm_table &= ~3u;
        break;
    }
}

static uint32_t bm_read(void *opaque, uint16_t port, unsigned size)
{
    Ide *ide = opaque;
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        unsigned reg = (port + i) & 15;
        v |= (uint32_t)bm_read_byte(&ide->ch[reg >> 3], reg & 7) << 8 * i;
    }
    return v;
}

static void bm_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    Ide *ide = opaque;
    for (unsigned i = 0; i < size; i++) {
        unsigned reg = (port + i) & 15;
        bm_write_byte(&ide->ch[reg >> 3], reg & 7, (uint8_t)(v >> 8 * i));
    }
}

const IoPortOps ide_bm_ops = { bm_read, bm_write, 4 };
