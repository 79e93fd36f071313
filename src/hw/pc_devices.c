#include "hw/pc_devices.h"

#include <string.h>
#include <time.h>

#include "hw/calendar.h"
#include "hw/debug_exit.h"
#include "hw/debugcon.h"

static int64_t rtc_now(const MachineConfig *cfg)
{
    time_t now = time(NULL);
    struct tm tm;
    if (cfg->rtc_base == RTC_BASE_DATE) return cfg->rtc_date;
    if (cfg->rtc_base == RTC_BASE_UTC || !localtime_r(&now, &tm)) return (int64_t)now;
    Calendar c = { .year = tm.tm_year + 1900,
                   .month = (uint8_t)(tm.tm_mon + 1),
                   .day = (uint8_t)tm.tm_mday,
                   .hour = (uint8_t)tm.tm_hour,
                   .minute = (uint8_t)tm.tm_min,
                   .second = (uint8_t)tm.tm_sec };
    return calendar_to_seconds(&c);
}

enum {
    CMOS_EQUIPMENT = 0x06
}; /* coprocessor, PS/2 mouse, a display with its own BIOS; floppies come with their drives */

static void set_cmos16(Mc146818 *rtc, uint8_t at, uint32_t v)
{
    if (v > 0xffff) v = 0xffff;
    mc146818_set_cmos(rtc, at, (uint8_t)v);
    mc146818_set_cmos(rtc, (uint8_t)(at + 1), (uint8_t)(v >> 8));
}

/* Memory sizes where BIOSes put them: conventional KiB, KiB above 1 MiB (twice), 64 KiB units above
 * 16 MiB, 64 KiB units above 4 GiB. */
static void set_cmos_memory(Mc146818 *rtc, const MachineConfig *cfg)
{
    uint32_t low = pc_low_ram(cfg), high = cfg->mem_bytes - low;
    set_cmos16(rtc, 0x15, 640);
    set_cmos16(rtc, 0x17, (low - (1u << 20)) >> 10);
    set_cmos16(rtc, 0x30, (low - (1u << 20)) >> 10);
    set_cmos16(rtc, 0x34, low > 16u << 20 ? (low - (16u << 20)) >> 16 : 0);
    set_cmos16(rtc, 0x5b, high >> 16);
    mc146818_set_cmos(rtc, 0x5d, 0); /* less than 4 GiB in all */
    mc146818_set_cmos(rtc, 0x14, CMOS_EQUIPMENT);
}

static void on_ack(void *opaque, int irq)
{
    PcDevices *d = opaque;
    if (irq == 0) i8254_irq_acked(d->pit);
}

/* IRQ 0 by way of the I/O APIC. */
static void on_apic_ack(void *opaque, uint8_t vector)
{
    PcDevices *d = opaque;
    if (ioapic_pin_vector(d->ioapic, ISA_IRQ0_PIN) == vector) i8254_irq_acked(d->pit);
}

static void on_apic_eoi(void *opaque, uint8_t vector)
{
    ioapic_eoi(((PcDevices *)opaque)->ioapic, vector);
}

static int pic_ack(void *opaque)
{
    return i8259_ack(((PcDevices *)opaque)->pic);
}

int pc_devices_intr_ack(PcDevices *d)
{
    return d->lapic ? lapic_ack(d->lapic) : i8259_ack(d->pic);
}

static bool irq0_masked(void *opaque)
{
    const PcDevices *d = opaque;
    return i8259_masked(d->pic, 0) && ioapic_pin_vector(d->ioapic, ISA_IRQ0_PIN) < 0;
}

static void set_pic_intr(void *opaque, int n, bool level)
{
    (void)n;
    PcDevices *d = opaque;
    irq_set(&d->pic_intr[0], level);
    irq_set(&d->pic_intr[1], level);
}

/* Who may drive one ISA interrupt: its usual device, a second one (COM3 on COM1's, ...), the PIRQs. */
enum { ISA_FROM_DEVICE, ISA_FROM_SECOND, ISA_FROM_PCI };

static IrqLine isa_line(PcDevices *d, int irq)
{
    return irq_or_input(&d->isa[irq], ISA_FROM_DEVICE);
}

static void add_serial_ports(PcDevices *d, Machine *m, const MachineConfig *cfg)
{
    static const uint16_t base[MACHINE_SERIAL_MAX] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    for (int i = 0; i < MACHINE_SERIAL_MAX; i++) {
        IrqLine irq = irq_or_input(&d->isa[i & 1 ? 3 : 4], i < 2 ? ISA_FROM_DEVICE : ISA_FROM_SECOND);
        if (cfg->serial[i]) d->serial[i] = i16550_new(m, base[i], irq, cfg->serial[i]);
    }
}

static void add_interrupts(PcDevices *d, Machine *m, IrqLine intr)
{
    LapicBoard board = { .opaque = d, .extint_ack = pic_ack, .eoi = on_apic_eoi, .acked = on_apic_ack };
    if (machine_cpu(m)->has_apic) d->lapic = lapic_new(m, intr, board);
    d->ioapic = ioapic_new(m, d->lapic);
    d->pic_intr[0] = d->lapic ? lapic_lint(d->lapic, 0) : intr;
    d->pic_intr[1] = ioapic_pin(d->ioapic, 0);
    d->pic = i8259_new(m, (IrqLine){ .set = set_pic_intr, .opaque = d });
    i8259_on_ack(d->pic, on_ack, d);
    isa_irqs_init(&d->irqs, d->pic, d->ioapic);
    for (int i = 0; i < 16; i++) d->isa[i].out = isa_irq(&d->irqs, i);
}

static void add_hpet(PcDevices *d, Machine *m)
{
    HpetLines lines = { .replacement = isa_irq_legacy_replacement(&d->irqs) };
    for (int i = 0; i < 2; i++) lines.legacy[i] = isa_irq_hpet(&d->irqs, i);
    for (int i = 0; i < HPET_PINS; i++) lines.pin[i] = ioapic_pin(d->ioapic, HPET_FIRST_PIN + i);
    d->hpet = hpet_new(m, lines);
}

static void add_chipset(PcDevices *d, Machine *m, const PcWires *wires)
{
    IrqLine from_pci[16];
    for (int i = 0; i < 16; i++) from_pci[i] = irq_or_input(&d->isa[i], ISA_FROM_PCI);
    d->pci = pci_bus_new(m);
    d->host_bridge = i440fx_new(m, d->pci, wires->memory);
    d->isa_bridge = piix3_new(m, d->pci, from_pci);
    d->pm = acpi_pm_new(m, isa_line(d, ACPI_SCI_IRQ), wires->smi);
    d->smbus = smbus_new(m, irq_or_input(&d->isa[ACPI_SCI_IRQ], ISA_FROM_SECOND));
    d->piix4_pm = piix4_pm_new(m, d->pci, d->pm, d->smbus);
    d->cf9 = port_cf9_new(m); /* a byte in the middle of the host bridge's dword */
    d->fw_cfg = fw_cfg_new(m);
}

static void add_display(PcDevices *d, Machine *m, const FileData *rom)
{
    enum { VGA_SLOT = 2 };
    if (!rom->bytes) return;
    d->display = display_new(m);
    d->vga = vga_new(m, d->pci, pci_devfn(VGA_SLOT, 0), d->display, rom->bytes, rom->size);
}

static void add_ide(PcDevices *d, Machine *m, DriveSet *drives)
{
    IrqLine irq[2] = { isa_line(d, 14), isa_line(d, 15) };
    d->drives = drives;
    d->ide = ide_new(m, d->pci, pci_devfn(PIIX3_SLOT, 1), irq, drives);
    ide_set_cmos(d->ide, d->rtc);
}

static void add_floppy(PcDevices *d, Machine *m, DriveSet *drives)
{
    d->dma = i8237_new(m);
    d->fdc = i82077_new(m, isa_line(d, 6), d->dma, drives);
    i82077_set_cmos(d->fdc, d->rtc);
    mc146818_set_cmos(d->rtc, 0x14, CMOS_EQUIPMENT | i82077_equipment(d->fdc));
}

static AcpiTables *describe(const PcDevices *d, const MachineConfig *cfg)
{
    AcpiBoard board = { .apic = d->lapic, .hpet = d->hpet, .floppy = d->fdc, .pci_hole = pc_low_ram(cfg) };
    for (int i = 0; i < MACHINE_SERIAL_MAX; i++) board.serial[i] = d->serial[i];
    return acpi_tables_new(&board);
}

void pc_devices_add(PcDevices *d, Machine *m, const MachineConfig *cfg, const PcWires *wires)
{
    *d = (PcDevices){ .a20.out = wires->a20 };
    add_interrupts(d, m, wires->intr);
    add_chipset(d, m, wires);
    d->pit = i8254_new(m, isa_line(d, 0));
    i8254_set_masked(d->pit, irq0_masked, d);
    d->port61 = port61_new(m, d->pit);
    port61_set_speaker(d->port61, &cfg->speaker);
    d->rtc = mc146818_new(m, isa_line(d, 8), rtc_now(cfg));
    set_cmos_memory(d->rtc, cfg);
    add_hpet(d, m);
    d->kbc =
        i8042_new(m, (I8042Lines){ .irq1 = isa_line(d, 1), .irq12 = isa_line(d, 12), .a20 = irq_or_input(&d->a20, 0) });
    d->input = input_new(m);
    i8042_attach_input(d->kbc, d->input);
    d->vmmouse = vmmouse_new(m, d->input, d->kbc);
    d->port92 = port92_new(m, irq_or_input(&d->a20, 1));
    d->port80 = port80_new(m);
    d->fpu = fpu_irq13_new(m, isa_line(d, 13));
    add_serial_ports(d, m, cfg);
    add_display(d, m, &wires->vga_rom);
    add_ide(d, m, wires->drives);
    add_floppy(d, m, wires->drives); /* after port 80h: the DMA page registers take its neighbours */
    d->acpi = describe(d, cfg);
    if (cfg->debug_exit.present) debug_exit_add(m, cfg->debug_exit.iobase, cfg->debug_exit.iosize);
    if (cfg->debugcon.present) debugcon_add(m, cfg->debugcon.iobase, cfg->debugcon.chardev);
}

void pc_devices_free(PcDevices *d)
{
    acpi_tables_free(d->acpi);
    i82077_free(d->fdc);
    i8237_free(d->dma);
    ide_free(d->ide);
    vga_free(d->vga);
    if (d->display) display_free(d->display);
    for (int i = 0; i < MACHINE_SERIAL_MAX; i++) i16550_free(d->serial[i]);
    fw_cfg_free(d->fw_cfg);
    piix4_pm_free(d->piix4_pm);
    smbus_free(d->smbus);
    acpi_pm_free(d->pm);
    piix3_free(d->isa_bridge);
    i440fx_free(d->host_bridge);
    pci_bus_free(d->pci);
    fpu_irq13_free(d->fpu);
    port_cf9_free(d->cf9);
    port80_free(d->port80);
    port92_free(d->port92);
    vmmouse_free(d->vmmouse);
    i8042_free(d->kbc);
    input_free(d->input);
    mc146818_free(d->rtc);
    port61_free(d->port61);
    i8254_free(d->pit);
    hpet_free(d->hpet);
    i8259_free(d->pic);
    ioapic_free(d->ioapic);
    lapic_free(d->lapic);
}

/* As CMOS bytes 3dh and 38h have it: a nibble for each of the first, second and third choice. */
void pc_devices_set_boot_order(PcDevices *d, const char *order)
{
    static const char letters[] = "acdn";
    unsigned choice[3] = { 0 };
    for (int i = 0; i < 3 && order[i]; i++) {
        const char *at = strchr(letters, order[i]);
        choice[i] = at ? (unsigned)(at - letters) + 1 : 0;
    }
    mc146818_set_cmos(d->rtc, 0x3d, (uint8_t)(choice[1] << 4 | choice[0]));
    mc146818_set_cmos(d->rtc, 0x38, (uint8_t)(choice[2] << 4));
}

void pc_devices_post(PcDevices *d, Machine *m)
{
    static const struct {
        uint8_t port, value;
    } program[] = {
        { 0x20, 0x11 }, { 0x21, 0x08 }, { 0x21, 0x04 }, { 0x21, 0x01 }, { 0x21, 0xb8 }, /* IRQ 0-7: 08h-0fh */
        { 0xa0, 0x11 }, { 0xa1, 0x70 }, { 0xa1, 0x02 }, { 0xa1, 0x01 }, { 0xa1, 0x8f }, /* IRQ 8-15: 70h-77h */
        { 0x43, 0x34 }, { 0x40, 0x00 }, { 0x40, 0x00 },                                 /* 18.2 Hz */
        { 0x43, 0x54 }, { 0x41, 0x12 },                                                 /* refresh */
        { 0xd6, 0xc0 }, { 0xd4, 0x00 }, /* DMA: channel 4 is the cascade */
    };
    for (size_t i = 0; i < sizeof program / sizeof program[0]; i++)
        ioports_write(machine_io(m), program[i].port, program[i].value, 1);
    i440fx_shadow_all(d->host_bridge);
    piix4_pm_post(d->piix4_pm);
    ide_post(d->ide);
    i82077_post(d->fdc);
}
