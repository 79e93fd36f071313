/* The channels as the host sees them (ATA/ATAPI-6, chapters 7 and 9), and the PCI function around them. */
#include "hw/ide_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"
#include "util/log.h"

enum { REG_DATA, REG_ERROR, REG_NSECTOR, REG_LBA0, REG_LBA1, REG_LBA2, REG_SELECT, REG_STATUS };
enum { ERROR_PASSED = 1, SELECT_ONES = 0xa0 };
enum { PCI_IDETIM = 0x40, IDETIM_DECODE = 0x80 }; /* one word for each channel; decode is bit 15 */
enum { INTEL = 0x8086, PIIX3_IDE = 0x7010, CLASS_IDE_MASTER = 0x010180, BM_BAR = 4, BM_SIZE = 16 };

/* --- interrupts --------------------------------------------------------------------------------------------------- */

/* Only the selected drive drives INTRQ, and nIEN takes it off the line. */
void ide_update_irq(IdeChannel *ch)
{
    const IdeDrive *d = ide_selected(ch);
    bool level = d->drive && d->irq && !(ch->control & CTL_NIEN);
    if (level && !ch->line) ch->bm_status |= 4; /* the bus master notes the edge */
    ch->line = level;
    irq_set(&ch->irq_line, level);
}

void ide_raise(IdeDrive *d)
{
    d->irq = true;
    ide_update_irq(d->ch);
}

static void clear_irq(IdeDrive *d)
{
    d->irq = false;
    ide_update_irq(d->ch);
}

/* --- resets --------------------------------------------------------------------------------------------------------- */

/* 9.12: the signature. */
void ide_signature(IdeDrive *d)
{
    d->tf = (TaskFile){ .nsector = 1, .lba = { 1, d->cd ? 0x14 : 0, d->cd ? 0xeb : 0 } };
    d->ch->select &= (uint8_t)~SEL_HEAD;
}

void ide_drive_reset(IdeDrive *d)
{
    ide_forget(d);
    d->asleep = false;
    d->irq = false;
    d->power = 0xff;
    d->command = 0;
    d->error = ERROR_PASSED;
    d->status = d->cd ? 0 : ST_DRDY | ST_DSC;
    ide_signature(d);
    if (d->cd) atapi_reset(d);
}

void ide_diagnostic(IdeChannel *ch)
{
    for (int i = 0; i < 2; i++)
        if (ch->drive[i].drive) ide_drive_reset(&ch->drive[i]);
    ch->select &= (uint8_t)~SEL_DRIVE;
    /* Device 0 speaks for both; without one device 1 answers nobody. */
    if (ch->drive[0].drive) ide_raise(&ch->drive[0]);
}

static void write_control(IdeChannel *ch, uint8_t v)
{
    uint8_t old = ch->control;
    ch->control = v & (CTL_HOB | CTL_SRST | CTL_NIEN);
    for (int i = 0; i < 2; i++) {
        IdeDrive *d = &ch->drive[i];
        if (!d->drive) continue;
        if (v & ~old & CTL_SRST) {
            ide_drive_reset(d);
            d->status = ST_BSY | (d->cd ? 0 : ST_DSC);
        } else if (old & ~v & CTL_SRST) {
            ide_drive_reset(d);
            ch->select &= (uint8_t)~SEL_DRIVE;
        }
    }
    ide_update_irq(ch);
}

/* --- registers -------------------------------------------------------------------------------------------------------- */

static bool decodes(const IdeChannel *ch)
{
    const PciDevice *pci = &ch->ide->pci;
    unsigned n = ch == &ch->ide->ch[1];
    return pci->config[PCI_COMMAND] & PCI_COMMAND_IO && pci->config[PCI_IDETIM + 2 * n + 1] & IDETIM_DECODE;
}

static uint8_t read_register(IdeChannel *ch, unsigned reg)
{
    IdeDrive *d = ide_selected(ch);
    if (!d->drive) {
        /* Device 0 answers for an absent device 1, with its own registers but no status. */
        if (reg == REG_SELECT) return ch->select | SELECT_ONES;
        if (reg == REG_STATUS || !ch->drive[0].drive) return 0;
        d = &ch->drive[0];
    }
    bool hob = ch->control & CTL_HOB;
    switch (reg) {
    case REG_ERROR: return hob ? d->tf.hob_feature : d->error;
    case REG_NSECTOR: return hob ? d->tf.hob_nsector : d->tf.nsector;
    case REG_LBA0:
    case REG_LBA1:
    case REG_LBA2: return hob ? d->tf.hob_lba[reg - REG_LBA0] : d->tf.lba[reg - REG_LBA0];
    case REG_SELECT: return ch->select | SELECT_ONES;
    default: clear_irq(d); return d->status;
    }
}

/* Both drives listen. */
static void write_task_file(IdeChannel *ch, unsigned reg, uint8_t v)
{
    if (ide_selected(ch)->status & (ST_BSY | ST_DRQ)) return;
    for (int i = 0; i < 2; i++) {
        TaskFile *tf = &ch->drive[i].tf;
        switch (reg) {
        case REG_ERROR:
            tf->hob_feature = tf->feature;
            tf->feature = v;
            break;
        case REG_NSECTOR:
            tf->hob_nsector = tf->nsector;
            tf->nsector = v;
            break;
        default:
            tf->hob_lba[reg - REG_LBA0] = tf->lba[reg - REG_LBA0];
            tf->lba[reg - REG_LBA0] = v;
            break;
        }
    }
}

static void write_register(IdeChannel *ch, unsigned reg, uint8_t v)
{
    IdeDrive *d = ide_selected(ch);
    ch->control &= (uint8_t)~CTL_HOB;
    switch (reg) {
    case REG_SELECT:
        ch->select = v;
        ide_update_irq(ch);
        break;
    case REG_STATUS:
        if (v == 0x90 && !(ide_selected(ch)->status & (ST_BSY | ST_DRQ))) {
            ide_diagnostic(ch); /* to both, whichever is selected */
        } else if (d->drive) {
            d->irq = false;
            ide_update_irq(ch);
            ide_command(d, v);
        }
        break;
    default: write_task_file(ch, reg, v); break;
    }
}

static uint32_t data_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port;
    IdeChannel *ch = opaque;
    IdeDrive *d = ide_selected(ch);
    if (!decodes(ch)) return 0xffffffff;
    return d->drive ? ide_data_read(d, size) : 0;
}

static void data_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)port;
    IdeChannel *ch = opaque;
    IdeDrive *d = ide_selected(ch);
    if (decodes(ch) && d->drive) ide_data_write(d, v, size);
}

static uint32_t command_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    IdeChannel *ch = opaque;
    return decodes(ch) ? read_register(ch, port & 7) : 0xff;
}

static void command_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)size;
    IdeChannel *ch = opaque;
    if (decodes(ch)) write_register(ch, port & 7, (uint8_t)v);
}

/* Alternate status: as status, but the interrupt stays. */
static uint32_t control_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    IdeChannel *ch = opaque;
    if (!decodes(ch)) return 0xff;
    return ide_selected(ch)->drive ? ide_selected(ch)->status : 0;
}

static void control_write(void *opaque, uint16_t port, uint32_t v, unsigned size)
{
    (void)port, (void)size;
    IdeChannel *ch = opaque;
    if (decodes(ch)) write_control(ch, (uint8_t)v);
}

/* --- state -------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const Field drive_fields[] = {
    FIELD(IdeDrive, tf.feature), FIELD(IdeDrive, tf.nsector), FIELD(IdeDrive, tf.lba),
    FIELD(IdeDrive, tf.hob_feature), FIELD(IdeDrive, tf.hob_nsector), FIELD(IdeDrive, tf.hob_lba),
    FIELD(IdeDrive, status), FIELD(IdeDrive, error), FIELD(IdeDrive, irq), FIELD(IdeDrive, asleep),
    FIELD(IdeDrive, cur_cylinders), FIELD(IdeDrive, cur_heads), FIELD(IdeDrive, cur_spt),
    FIELD(IdeDrive, mult), FIELD(IdeDrive, power), FIELD(IdeDrive, dma_mode),
    FIELD(IdeDrive, write_cache), FIELD(IdeDrive, look_ahead), FIELD(IdeDrive, smart_enabled),
    FIELD(IdeDrive, smart_autosave), FIELD(IdeDrive, smart_test), FIELD(IdeDrive, smart_tests),
    FIELD(IdeDrive, smart_hours), FIELD(IdeDrive, sector_buf),
    FIELD(IdeDrive, command), FIELD(IdeDrive, phase), FIELD(IdeDrive, resume),
    FIELD(IdeDrive, dma), FIELD(IdeDrive, write), FIELD(IdeDrive, fua), FIELD(IdeDrive, verify),
    FIELD(IdeDrive, disk), FIELD(IdeDrive, bad), FIELD(IdeDrive, lba), FIELD(IdeDrive, left),
    FIELD(IdeDrive, unit), FIELD(IdeDrive, pos), FIELD(IdeDrive, block_end), FIELD(IdeDrive, filled),
    FIELD(IdeDrive, block), FIELD(IdeDrive, awaits_packet), FIELD(IdeDrive, packet),
    FIELD(IdeDrive, sense_key), FIELD(IdeDrive, asc), FIELD(IdeDrive, ascq), FIELD(IdeDrive, changed),
    FIELD(IdeDrive, locked), FIELD(IdeDrive, tray_open), FIELD(IdeDrive, new_media),
    FIELD(IdeDrive, eject_wanted), FIELD(IdeDrive, raw_parts), FIELD(IdeDrive, buf),
    FIELD_END,
};
static const Field channel_fields[] = {
    FIELD(IdeChannel, line), FIELD(IdeChannel, select), FIELD(IdeChannel, control),
    FIELD(IdeChannel, bm_command), FIELD(IdeChannel, bm_status), FIELD(IdeChannel, bm_table),
    FIELD(IdeChannel, prd_at), FIELD(IdeChannel, prd_addr), FIELD(IdeChannel, prd_left),
    FIELD(IdeChannel, prd_last),
    FIELD_END,
};
static const Field ide_fields[] = { FIELD(Ide, pci.config), FIELD_END };
/* clang-format on */

/* RESET#: as SRST, and the settings go back to what they were when shipped. */
static void drive_hard_reset(void *dev)
{
    IdeDrive *d = dev;
    d->mult = IDE_MULT_MAX;
    d->dma_mode = 0x22;
    d->write_cache = d->look_ahead = d->smart_enabled = true;
    d->cur_cylinders = d->cylinders;
    d->cur_heads = d->heads;
    d->cur_spt = d->spt;
    d->locked = false;
    ide_drive_reset(d);
}

static void channel_reset(void *dev)
{
    IdeChannel *ch = dev;
    ch->select = ch->control = 0;
    ide_bm_reset(ch);
    ide_update_irq(ch);
}

static void function_reset(void *dev)
{
    Ide *ide = dev;
    pci_put16(&ide->pci, PCI_COMMAND, 0);
    pci_put32(&ide->pci, PCI_IDETIM, 0);
    pci_put32(&ide->pci, PCI_IDETIM + 4, 0);
}

static const DeviceClass drive_class = { "ide-drive", 1, drive_fields, drive_hard_reset };
static const DeviceClass channel_class = { "ide-channel", 1, channel_fields, channel_reset };
static const DeviceClass ide_class = { "piix3-ide", 1, ide_fields, function_reset };

/* --- life ---------------------------------------------------------------------------------------------------------------- */

/* A transfer that waited for bus mastering goes on. */
static void config_written(PciDevice *pci, unsigned at, unsigned size)
{
    Ide *ide = (Ide *)pci; /* its first member */
    (void)size;
    if (at > PCI_COMMAND || !pci_is_master(pci)) return;
    for (int i = 0; i < 4; i++) {
        IdeDrive *d = &ide->ch[i / 2].drive[i % 2];
        if (d->dma) ide_run(d);
    }
}

static void add_drive(IdeDrive *d, Drive *drive)
{
    d->drive = drive;
    if (!drive) return;
    snprintf(d->name, sizeof d->name, "%s", drive_name(drive));
    d->cd = drive_is_cdrom(drive);
    d->retry = timer_new(d->machine, ide_retry, d);
    if (d->cd)
        drive_attach(drive, &atapi_client, d);
    else
        ide_guess_geometry(d);
    machine_add_device(d->machine, &drive_class, d);
}

static void add_channel(Ide *ide, unsigned n, IrqLine irq, DriveSet *drives)
{
    static const IoPortOps data = { data_read, data_write, 4 }, command = { command_read, command_write, 1 },
                           control = { control_read, control_write, 1 };
    IdeChannel *ch = &ide->ch[n];
    uint16_t base = n ? 0x170 : 0x1f0;
    ch->ide = ide;
    ch->machine = ide->machine;
    ch->irq_line = irq;
    for (unsigned i = 0; i < 2; i++) {
        ch->drive[i].ch = ch;
        ch->drive[i].machine = ide->machine;
        add_drive(&ch->drive[i], drives ? drives_at(drives, DRIVE_IDE, 2 * n + i) : NULL);
    }
    ioports_map(machine_io(ide->machine), base, 1, &data, ch);
    ioports_map(machine_io(ide->machine), base + 1, 7, &command, ch);
    ioports_map(machine_io(ide->machine), base + 0x206, 1, &control, ch);
    machine_add_device(ide->machine, &channel_class, ch);
}

/* hw_alloc() knows no alignment. */
static Ide *alloc_aligned(void)
{
    enum { ALIGN = _Alignof(Ide) };
    uint8_t *memory = hw_alloc(sizeof(Ide) + ALIGN);
    Ide *ide = (Ide *)(((uintptr_t)memory + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
    ide->memory = memory;
    return ide;
}

Ide *ide_new(Machine *m, PciBus *bus, uint8_t devfn, const IrqLine irq[2], DriveSet *drives)
{
    static const PciIdentity identity = { .vendor = INTEL, .device = PIIX3_IDE, .class_code = CLASS_IDE_MASTER };
    Ide *ide = alloc_aligned();
    ide->machine = m;
    pci_add(bus, &ide->pci, "ide", devfn, &identity);
    ide->pci.config_written = config_written;
    for (unsigned i = 0; i < 4; i++) ide->pci.writable[PCI_IDETIM + i] = 0xff;
    ide->pci.writable[PCI_IDETIM + 4] = 0xff; /* SIDETIM: the second drives' timing */
    pci_add_ports(&ide->pci, BM_BAR, BM_SIZE, &ide_bm_ops, ide);
    for (unsigned n = 0; n < 2; n++) add_channel(ide, n, irq[n], drives);
    machine_add_device(m, &ide_class, ide);
    for (int i = 0; i < 4; i++) drive_hard_reset(&ide->ch[i / 2].drive[i % 2]);
    return ide;
}

void ide_free(Ide *ide)
{
    if (!ide) return;
    for (int i = 0; i < 4; i++) {
        IdeDrive *d = &ide->ch[i / 2].drive[i % 2];
        if (!d->drive) continue;
        ide_forget(d);
        timer_free(d->retry);
        drive_attach(d->drive, NULL, NULL);
    }
    free(ide->memory);
}

void ide_post(Ide *ide)
{
    pci_put16(&ide->pci, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    pci_put32(&ide->pci, PCI_IDETIM, 0x80008000);
}

/* Types at 12h (0fh: see 19h, 1ah), there 47 for "the geometry is in my bytes", which are at 1bh and 24h. */
void ide_set_cmos(Ide *ide, Mc146818 *rtc)
{
    uint8_t types = 0, translations = 0;
    for (unsigned i = 0; i < 4; i++) {
        const IdeDrive *d = &ide->ch[i / 2].drive[i % 2];
        if (!d->drive || d->cd) continue;
        translations |= (uint8_t)(ide_translation(d) << 2 * i);
        if (i >= 2) continue;
        types |= i ? 0x0f : 0xf0;
        const uint8_t geometry[9] = { (uint8_t)d->cylinders,
                                      (uint8_t)(d->cylinders >> 8),
                                      (uint8_t)d->heads,
                                      0xff,
                                      0xff,
                                      (uint8_t)(0xc0 | (d->heads > 8) << 3),
                                      (uint8_t)d->cylinders,
                                      (uint8_t)(d->cylinders >> 8),
                                      (uint8_t)d->spt };
        mc146818_set_cmos(rtc, (uint8_t)(0x19 + i), 47);
        for (uint8_t k = 0; k < 9; k++) mc146818_set_cmos(rtc, (uint8_t)((i ? 0x24 : 0x1b) + k), geometry[k]);
    }
    mc146818_set_cmos(rtc, 0x12, types);
    mc146818_set_cmos(rtc, 0x39, translations);
}
