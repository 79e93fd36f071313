/* Power management (82371AB data sheet, ACPI specification), the SMBus controller, the ACPI tables as firmware would put
 * them together from fw_cfg's files, and the SMBIOS ones. */
#include <stdio.h>
#include <string.h>

#include "hw/acpi_tables.h"
#include "hw/load.h"
#include "util/bytes.h"
#include "hw/piix4_pm.h"
#include "hw/smbios.h"
#include "fake.h"

static Fake f;

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
    AcpiPm *pm = acpi_pm_new(f.m, fake_line(&f, 9), fake_line(&f, 10));
    IS(ioports_read(f.io, ACPI_PM_TMR, 4), 0xffffffff, "nowhere before its base is set");
    acpi_pm_set_base(pm, ACPI_PM_BASE, true);
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

static void test_pci_function(void)
{
    enum { PM = 0x0b }; /* slot 1, function 3 */
    fake_init(&f);
    PciBus *bus = pci_bus_new(f.m);
    AcpiPm *pm = acpi_pm_new(f.m, fake_line(&f, 9), fake_line(&f, 10));
    Smbus *smbus = smbus_new(f.m, fake_line(&f, 11));
    Piix4Pm *p = piix4_pm_new(f.m, bus, pm, smbus);
    IS(pci_config_read(bus, PM, 0, 4), 0x71138086, "identification");
    IS(pci_config_read(bus, PM, 0x40, 4), 1, "PMBA after reset");
    pci_config_write(bus, PM, 0x40, 0xffffffff, 4);
    IS(pci_config_read(bus, PM, 0x40, 4), 0xffc1, "64 ports");
    pci_config_write(bus, PM, 0x40, 0xb001, 4);
    IS(ioports_read(f.io, 0xb008, 4), 0xffffffff, "not decoded yet");
    pci_config_write(bus, PM, 0x80, 1, 1);
    ok(ioports_read(f.io, 0xb008, 4) != 0xffffffff, "the timer");
    ioports_write(f.io, 0xb03f, 0x5a, 1);
    IS(ioports_read(f.io, 0xb03c, 4), 0x5a000000, "registers up to the last byte");
    ioports_write(f.io, 0xb02e, 0x11223344, 4);
    IS(ioports_read(f.io, 0xb02e, 4), 0x11223344, "odd places");

    ioports_write(f.io, 0xb2, 0x77, 1);
    IS(f.rises[10], 0, "no SMI without APMC_EN");
    pci_config_write(bus, PM, 0x58, 1 << 25, 4);
    ioports_write(f.io, 0xb2, 0x77, 1);
    IS(f.rises[10], 0, "nor without SMI_EN");
    ioports_write(f.io, 0xb028, 1, 4);
    ioports_write(f.io, 0xb3, 0x12, 1);
    IS(f.rises[10], 0, "the status port makes none");
    ioports_write(f.io, 0xb2, 0x77, 1);
    ok(f.rises[10] == 1 && ioports_read(f.io, 0xb2, 1) == 0x77 && ioports_read(f.io, 0xb3, 1) == 0x12, "SMI");

    pci_config_write(bus, PM, 0x90, 0x701, 4);
    pci_config_write(bus, PM, 0xd2, 1, 1);
    pci_config_write(bus, PM, PCI_COMMAND, 1, 2);
    IS(in8(&f, 0x700), 0, "SMBus is idle");
    out8(&f, 0x704, 0xa1);
    out8(&f, 0x702, 0x41);
    IS(in8(&f, 0x700), 4, "nobody answers");
    ok(f.line[11], "interrupt");
    out8(&f, 0x700, 4);
    ok(!f.line[11] && !in8(&f, 0x700), "cleared by writing one");
    machine_reset_now(f.m);
    IS(ioports_read(f.io, 0xb008, 4), 0xffffffff, "reset: decoded no more");
    uint32_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245 + 12345;
        uint32_t r = seed >> 8;
        seed = seed * 1103515245 + 12345;
        if (r & 1)
            pci_config_write(bus, PM, r >> 4 & 0xff, seed, 1u << (r >> 1 & 3) % 3);
        else
            ioports_write(f.io, (uint16_t)((r & 2 ? 0x600 : pci_config_read(bus, PM, 0x40, 4)) + (r >> 4 & 0x3f)), seed,
                          1u << (r >> 2 & 3) % 3);
        ioports_read(f.io, (uint16_t)(seed >> 16), 1u << (r >> 2 & 3) % 3);
        f.now += r & 0xffff;
        machine_poll(f.m);
    }
    ok(true, "random traffic");
    piix4_pm_free(p);
    smbus_free(smbus);
    acpi_pm_free(pm);
    pci_bus_free(bus);
    fake_free(&f);
}

/* --- tables ---------------------------------------------------------------------------------------------- */

static bool sums_to_zero(const uint8_t *p, size_t n)
{
    uint8_t s = 0;
    while (n--) s += *p++;
    return s == 0;
}

static const uint8_t *find_table(const uint8_t *base, uint32_t at, const uint8_t *rsdt, const char *signature)
{
    for (uint32_t i = 36; i < get_le32(rsdt + 4); i += 4) {
        const uint8_t *t = base + (get_le32(rsdt + i) - at);
        if (!memcmp(t, signature, 4)) return t;
    }
    return NULL;
}

/* Of Name (name, DWord). */
static uint32_t aml_value(const uint8_t *dsdt, const char *name)
{
    char op[7];
    snprintf(op, sizeof op, "\x08%s\x0c", name);
    const uint8_t *at = memmem(dsdt, get_le32(dsdt + 4), op, 6);
    return at ? get_le32(at + 6) : 0xdeadbeef;
}

/* base: memory from physical address at on. */
static void check_tables(const uint8_t *base, uint32_t at, const uint8_t *rsdp)
{
    ok(!memcmp(rsdp, "RSD PTR ", 8) && sums_to_zero(rsdp, 20), "RSDP");
    const uint8_t *rsdt = base + (get_le32(rsdp + 16) - at);
    ok(!memcmp(rsdt, "RSDT", 4) && sums_to_zero(rsdt, get_le32(rsdt + 4)), "RSDT");
    for (uint32_t i = 36; i < get_le32(rsdt + 4); i += 4) {
        const uint8_t *t = base + (get_le32(rsdt + i) - at);
        ok(sums_to_zero(t, get_le32(t + 4)), "%.4s", (const char *)t);
    }
    const uint8_t *fadt = find_table(base, at, rsdt, "FACP");
    const uint8_t *facs = base + (get_le32(fadt + 36) - at), *dsdt = base + (get_le32(fadt + 40) - at);
    ok(!memcmp(facs, "FACS", 4) && get_le32(fadt + 36) % 64 == 0, "FACS is aligned");
    ok(!memcmp(dsdt, "DSDT", 4) && sums_to_zero(dsdt, get_le32(dsdt + 4)), "DSDT");
    const uint8_t *madt = find_table(base, at, rsdt, "APIC");
    uint32_t i = 44;
    while (i + 2 <= get_le32(madt + 4) && madt[i + 1]) i += madt[i + 1];
    IS(i, get_le32(madt + 4), "the MADT's entries fill it");
    ok(find_table(base, at, rsdt, "HPET"), "HPET");
    IS(aml_value(dsdt, "CQC1"), 0x0f, "what differs between boards: COM1 is there");
    IS(aml_value(dsdt, "CQC2"), 0, "COM2 is not");
    IS(aml_value(dsdt, "CQC4"), 0x0f, "COM4 is");
    IS(aml_value(dsdt, "CQFD"), 0, "no floppy controller");
    IS(aml_value(dsdt, "CQHP"), 0x0f, "HPET");
    IS(aml_value(dsdt, "CQPM"), 64 << 20, "the hole for PCI");
}

static const AcpiBoard board = { .apic = true, .hpet = true, .serial = { true, [3] = true }, .pci_hole = 64 << 20 };

static void test_tables_in_place(void)
{
    enum { AT = 0xe0000, SIZE = 0x10000 };
    fake_init(&f);
    uint8_t *ram = phys_region_host(phys_add_ram(f.phys, "ram", AT, SIZE, 0));
    AcpiTables *t = acpi_tables_new(&board);
    ok(acpi_tables_place(t, f.phys, AT) < SIZE, "without firmware");
    check_tables(ram, AT, ram);
    acpi_tables_free(t);
    fake_free(&f);
}

/* Through the ports, as firmware does. */
static size_t read_file(const char *name, uint8_t *buf, size_t max)
{
    uint8_t count[4], entry[64];
    ioports_write(f.io, 0x510, FW_CFG_FILE_DIR, 2);
    for (int i = 0; i < 4; i++) count[i] = in8(&f, 0x511);
    for (unsigned n = 0; n < count[3]; n++) {
        for (int i = 0; i < 64; i++) entry[i] = in8(&f, 0x511);
        if (strcmp((char *)entry + 8, name)) continue;
        size_t size = (size_t)entry[1] << 16 | (size_t)entry[2] << 8 | entry[3];
        ioports_write(f.io, 0x510, (uint32_t)entry[4] << 8 | entry[5], 2);
        for (size_t i = 0; i < size && i < max; i++) buf[i] = in8(&f, 0x511);
        return size;
    }
    return 0;
}

/* A loader like SeaBIOS's: tables at 1000h, RSDP at 0. */
static uint8_t memory[0x8000];
enum { TABLES_AT = 0x1000 };

static uint8_t *file_memory(const uint8_t *name)
{
    return memory + (strcmp((const char *)name, "etc/acpi/rsdp") ? TABLES_AT : 0);
}

static void run_command(const uint8_t *e)
{
    uint8_t *file = file_memory(e + 4);
    uint32_t sum_at = get_le32(e + 60), start = get_le32(e + 64), len = get_le32(e + 68);
    switch (get_le32(e)) {
    case 1: read_file((const char *)e + 4, file, sizeof memory - TABLES_AT); break;
    case 2: {
        uint8_t *p = file + get_le32(e + 116);
        uint32_t v = get_le32(p) + (uint32_t)(file_memory(e + 60) - memory);
        ok(e[120] == 4, "a pointer of 4 bytes");
        memcpy(p, &v, 4);
        break;
    }
    case 3:
        for (uint8_t s = 0; len--; start++) {
            s += file[start];
            if (!len) file[sum_at] -= s;
        }
    }
}

static void test_tables_by_firmware(void)
{
    static uint8_t script[128 * 64];
    fake_init(&f);
    FwCfg *fw = fw_cfg_new(f.m);
    AcpiTables *t = acpi_tables_new(&board);
    acpi_tables_offer(t, fw);
    size_t n = read_file("etc/table-loader", script, sizeof script);
    ok(n && n % 128 == 0 && n <= sizeof script, "script");
    for (size_t i = 0; i < n; i += 128) run_command(script + i);
    check_tables(memory, 0, memory);
    acpi_tables_free(t);
    fw_cfg_free(fw);
    fake_free(&f);
}

static void test_smbios(void)
{
    static uint8_t tables[4096];
    uint8_t a[64] = { 0 };
    fake_init(&f);
    FwCfg *fw = fw_cfg_new(f.m);
    smbios_offer(fw, 3584u << 20, 3584u << 20);
    size_t n = read_file("etc/smbios/smbios-tables", tables, sizeof tables);
    IS(read_file("etc/smbios/smbios-anchor", a, sizeof a), 31, "entry point");
    ok(!memcmp(a, "_SM_", 4) && sums_to_zero(a, 31) && sums_to_zero(a + 16, 15), "its sums");
    IS(get_le16(a + 22), n, "length of the tables");
    unsigned count = 0, largest = 0, last = 0;
    for (size_t i = 0; i < n; count++) {
        size_t end = i + tables[i + 1];
        while (tables[end] || tables[end + 1]) end++;
        if (end + 2 - i > largest) largest = (unsigned)(end + 2 - i);
        last = tables[i];
        i = end + 2;
    }
    ok(count == get_le16(a + 28) && largest == get_le16(a + 8) && last == 127, "%u structures", count);
    fw_cfg_free(fw);
    fake_free(&f);
}

int main(void)
{
    test_pm();
    test_pci_function();
    test_tables_in_place();
    test_tables_by_firmware();
    test_smbios();
    return tap_done();
}
