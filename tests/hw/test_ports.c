/* The small devices: ports 80h, 92h, cf9h, f0h, debug exit and console, power management, ACPI tables. */
#include <string.h>

#include "hw/acpi_pm.h"
#include "hw/acpi_tables.h"
#include "hw/debug_exit.h"
#include "hw/debugcon.h"
#include "hw/fpu_irq13.h"
#include "hw/load.h"
#include "hw/port80.h"
#include "hw/port92.h"
#include "hw/port_cf9.h"
#include "hw/ticks.h"
#include "fake.h"
#include "fake_chardev.h"

static Fake f;

static void test_reset_ports(void)
{
    fake_init(&f);
    Port92 *p92 = port92_new(f.m, fake_line(&f, 20));
    PortCf9 *cf9 = port_cf9_new(f.m);
    Port80 *p80 = port80_new(f.m);
    out8(&f, 0x92, 2);
    ok(f.line[20] && in8(&f, 0x92) == 2, "port 92h: A20");
    out8(&f, 0x92, 3);
    machine_poll(f.m);
    ok(f.resets == 1 && in8(&f, 0x92) == 0 && !f.line[20], "port 92h: reset");
    out8(&f, 0xcf9, 2);
    machine_poll(f.m);
    IS(f.resets, 1, "port cf9h: bit 1 alone does nothing");
    out8(&f, 0xcf9, 6);
    machine_poll(f.m);
    IS(f.resets, 2, "port cf9h: reset");
    out8(&f, 0x80, 0x42);
    ok(in8(&f, 0x80) == 0x42 && port80_code(p80) == 0x42, "POST code");
    port92_free(p92);
    port_cf9_free(cf9);
    port80_free(p80);
    fake_free(&f);
}

static void test_debug_ports(void)
{
    FakeChardev line = { .cd = { &fcd_ops } };
    fake_init(&f);
    debugcon_add(f.m, 0xe9, &line.cd);
    debug_exit_add(f.m, 0x501, 2);
    IS(in8(&f, 0xe9), 0xe9, "debug console is found");
    out8(&f, 0xe9, 'k');
    ok(line.n_out == 1 && line.out[0] == 'k', "and prints");
    out8(&f, 0x501, 0x10);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 0x21, "debug exit: (v << 1) | 1");
    fake_free(&f);
}

static void test_fpu(void)
{
    fake_init(&f);
    FpuIrq13 *fpu = fpu_irq13_new(f.m, fake_line(&f, 13));
    fpu_irq13_ferr(fpu, true);
    ok(f.line[13], "FERR# raises IRQ 13");
    fpu_irq13_ferr(fpu, false);
    ok(f.line[13], "which is latched");
    out8(&f, 0xf0, 0);
    ok(!f.line[13], "until port f0h is written");
    fpu_irq13_free(fpu);
    fake_free(&f);
}

static unsigned in16(uint16_t port)
{
    return ioports_read(f.io, port, 2);
}
static void out16(uint16_t port, uint16_t v)
{
    ioports_write(f.io, port, v, 2);
}

static void test_pm(void)
{
    fake_init(&f);
    AcpiPm *pm = acpi_pm_new(f.m, fake_line(&f, 9));
    uint32_t a = ioports_read(f.io, ACPI_PM_TMR, 4);
    f.now += 1000000000;
    IS((ioports_read(f.io, ACPI_PM_TMR, 4) - a) & 0xffffff, 3579545, "PM timer's rate");
    ok(!(ioports_read(f.io, ACPI_PM_TMR, 4) >> 24), "24 bits");
    out8(&f, ACPI_SMI_CMD, ACPI_ENABLE_CMD);
    IS(in16(ACPI_PM1_CNT) & 1, 1, "ACPI enabled");
    acpi_pm_power_button(pm);
    ok(!f.line[9], "button not enabled");
    out16(ACPI_PM1_EVT + 2, 0x100);
    ok(f.line[9], "SCI");
    IS(in16(ACPI_PM1_EVT) & 0x100, 0x100, "PWRBTN_STS");
    out16(ACPI_PM1_EVT, 0x100);
    ok(!f.line[9], "cleared by writing one");
    out16(ACPI_PM1_EVT, 0xffff);
    out16(ACPI_PM1_EVT + 2, 1);
    fake_run(&f, 3000000000u, 100000000);
    ok(f.line[9], "timer carry");
    out16(ACPI_PM1_EVT, 1);
    ok(!f.line[9], "cleared");
    fake_run(&f, 2400000000u, 100000000);
    ok(f.line[9], "and the next");
    out8(&f, ACPI_SMI_CMD, ACPI_DISABLE_CMD);
    ok(!f.line[9] && !(in16(ACPI_PM1_CNT) & 1), "ACPI disabled");
    out16(ACPI_PM1_CNT, 0x0400 | 0x2000);
    ok(machine_poll(f.m), "another sleep type does nothing");
    out16(ACPI_PM1_CNT, 0);
    out8(&f, ACPI_PM1_CNT + 1, 0x20);
    ok(!machine_poll(f.m) && machine_exit_status(f.m) == 0, "S5 powers off, also by byte");
    acpi_pm_free(pm);
    fake_free(&f);
}

static bool sums_to_zero(const uint8_t *p, size_t n)
{
    uint8_t s = 0;
    while (n--) s += *p++;
    return s == 0;
}

static void test_tables(void)
{
    enum { AT = 0xe0000 };
    uint8_t t[ACPI_TABLES_MAX];
    size_t n = acpi_tables_build(t, AT);
    ok(n <= sizeof t && !memcmp(t, "RSD PTR ", 8) && sums_to_zero(t, 20), "RSDP");
    const uint8_t *rsdt = t + load_le32(t + 16) - AT;
    ok(!memcmp(rsdt, "RSDT", 4) && sums_to_zero(rsdt, load_le32(rsdt + 4)), "RSDT");
    const uint8_t *fadt = t + load_le32(rsdt + 36) - AT;
    ok(!memcmp(fadt, "FACP", 4) && load_le32(fadt + 4) == 244 && sums_to_zero(fadt, 244), "FADT");
    const uint8_t *facs = t + load_le32(fadt + 36) - AT, *dsdt = t + load_le32(fadt + 40) - AT;
    ok(!memcmp(facs, "FACS", 4) && (facs - t) % ACPI_FACS_ALIGN == 0, "FACS");
    ok(!memcmp(dsdt, "DSDT", 4) && sums_to_zero(dsdt, load_le32(dsdt + 4)) && dsdt + load_le32(dsdt + 4) == t + n,
       "DSDT");
}

int main(void)
{
    test_reset_ports();
    test_debug_ports();
    test_fpu();
    test_pm();
    test_tables();
    return tap_done();
}
