#include "hw/pc_devices.h"

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
    mc146818_set_cmos(rtc, 0x5d, 0);    /* less than 4 GiB in all */
    mc146818_set_cmos(rtc, 0x14, 0x06); /* equipment: coprocessor, PS/2 mouse; no floppy, no display */
}

static void on_ack(void *opaque, int irq)
{
    PcDevices *d = opaque;
    if (irq == 0) i8254_irq_acked(d->pit);
}

static bool irq0_masked(void *opaque)
{
    return i8259_masked(((PcDevices *)opaque)->pic, 0);
}

static void add_serial_ports(PcDevices *d, Machine *m, const MachineConfig *cfg)
{
    static const uint16_t base[MACHINE_SERIAL_MAX] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    d->com_irq[0].out = i8259_irq(d->pic, 4);
    d->com_irq[1].out = i8259_irq(d->pic, 3);
    for (int i = 0; i < MACHINE_SERIAL_MAX; i++)
        if (cfg->serial[i]) d->serial[i] = i16550_new(m, base[i], irq_or_input(&d->com_irq[i & 1], i), cfg->serial[i]);
}

void pc_devices_add(PcDevices *d, Machine *m, const MachineConfig *cfg, IrqLine intr, IrqLine a20)
{
    *d = (PcDevices){ .a20.out = a20 };
    d->pic = i8259_new(m, intr);
    d->pit = i8254_new(m, i8259_irq(d->pic, 0));
    i8259_on_ack(d->pic, on_ack, d);
    i8254_set_masked(d->pit, irq0_masked, d);
    d->port61 = port61_new(m, d->pit);
    d->rtc = mc146818_new(m, i8259_irq(d->pic, 8), rtc_now(cfg));
    set_cmos_memory(d->rtc, cfg);
    d->kbc = i8042_new(
        m,
        (I8042Lines){ .irq1 = i8259_irq(d->pic, 1), .irq12 = i8259_irq(d->pic, 12), .a20 = irq_or_input(&d->a20, 0) });
    d->input = input_new(m);
    i8042_attach_input(d->kbc, d->input);
    d->vmmouse = vmmouse_new(m, d->input, d->kbc);
    d->port92 = port92_new(m, irq_or_input(&d->a20, 1));
    d->port80 = port80_new(m);
    d->cf9 = port_cf9_new(m);
    d->fpu = fpu_irq13_new(m, i8259_irq(d->pic, 13));
    d->pm = acpi_pm_new(m, i8259_irq(d->pic, ACPI_SCI_IRQ));
    add_serial_ports(d, m, cfg);
    if (cfg->debug_exit.present) debug_exit_add(m, cfg->debug_exit.iobase, cfg->debug_exit.iosize);
    if (cfg->debugcon.present) debugcon_add(m, cfg->debugcon.iobase, cfg->debugcon.chardev);
}

void pc_devices_free(PcDevices *d)
{
    for (int i = 0; i < MACHINE_SERIAL_MAX; i++) i16550_free(d->serial[i]);
    acpi_pm_free(d->pm);
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
    i8259_free(d->pic);
}

void pc_devices_post(Machine *m)
{
    static const struct {
        uint8_t port, value;
    } program[] = {
        { 0x20, 0x11 }, { 0x21, 0x08 }, { 0x21, 0x04 }, { 0x21, 0x01 }, { 0x21, 0xb8 }, /* IRQ 0-7: 08h-0fh */
        { 0xa0, 0x11 }, { 0xa1, 0x70 }, { 0xa1, 0x02 }, { 0xa1, 0x01 }, { 0xa1, 0x8f }, /* IRQ 8-15: 70h-77h */
        { 0x43, 0x34 }, { 0x40, 0x00 }, { 0x40, 0x00 },                                 /* 18.2 Hz */
        { 0x43, 0x54 }, { 0x41, 0x12 },                                                 /* refresh */
    };
    for (size_t i = 0; i < sizeof program / sizeof program[0]; i++)
        ioports_write(machine_io(m), program[i].port, program[i].value, 1);
}
