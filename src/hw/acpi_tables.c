/* ACPI specification 2.0c for the layouts.  RSDT and not XSDT: all addresses are below 4 GiB. */
#include "hw/acpi_tables.h"

#include <string.h>

#include "hw/acpi_pm.h"
#include "hw/port_cf9.h"

enum { HEADER = 36, FADT_LEN = 244, FACS_LEN = 64, RSDP_LEN = 20 };
enum { RSDP_AT = 0, RSDT_AT = 32, FADT_AT = 128, FACS_AT = 384, DSDT_AT = 448 };

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

static void seal(uint8_t *p, size_t len, size_t checksum_at)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) sum += p[i];
    p[checksum_at] = (uint8_t)-sum;
}

/* Table header, chapter 5.2.5; sealed when the body is there. */
static void header(uint8_t *p, const char *signature, uint32_t len, uint8_t revision)
{
    memcpy(p, signature, 4);
    put32(p + 4, len);
    p[8] = revision;
    memcpy(p + 10, "CALQUE", 6);
    memcpy(p + 16, "CALQUEPC", 8);
    put32(p + 24, 1); /* OEM revision */
    memcpy(p + 28, "CALQ", 4);
    put32(p + 32, 1); /* creator revision */
}

/* Generic address structure, chapter 5.2.3.1. */
static void address(uint8_t *p, uint8_t bits, uint32_t port)
{
    p[0] = 1; /* system I/O */
    p[1] = bits;
    put32(p + 4, port);
}

static void build_fadt(uint8_t *p, uint32_t base)
{
    header(p, "FACP", FADT_LEN, 3);
    put32(p + 36, base + FACS_AT);
    put32(p + 40, base + DSDT_AT);
    p[45] = 1; /* preferred profile: desktop */
    put16(p + 46, ACPI_SCI_IRQ);
    put32(p + 48, ACPI_SMI_CMD);
    p[52] = ACPI_ENABLE_CMD;
    p[53] = ACPI_DISABLE_CMD;
    put32(p + 56, ACPI_PM1_EVT);
    put32(p + 64, ACPI_PM1_CNT);
    put32(p + 76, ACPI_PM_TMR);
    put32(p + 80, ACPI_GPE0);
    p[88] = 4; /* PM1_EVT_LEN */
    p[89] = 2; /* PM1_CNT_LEN */
    p[91] = 4; /* PM_TM_LEN */
    p[92] = ACPI_GPE0_LEN;
    put16(p + 96, 0xfff);            /* P_LVL2_LAT > 100: no C2 */
    put16(p + 98, 0xfff);            /* P_LVL3_LAT > 1000: no C3 */
    p[108] = 0x32;                   /* century byte in CMOS */
    put16(p + 109, 0x0003 | 0x0004); /* legacy devices, 8042; no VGA to probe for */
    /* WBINVD, C1 works, no sleep button, RTC not a fixed wake event, reset register supported. */
    put32(p + 112, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10);
    address(p + 116, 8, PORT_CF9);
    p[128] = CF9_HARD_RESET;
    address(p + 148, 32, ACPI_PM1_EVT);
    address(p + 172, 16, ACPI_PM1_CNT);
    address(p + 208, 32, ACPI_PM_TMR);
    address(p + 220, 32, ACPI_GPE0);
    seal(p, FADT_LEN, 9);
}

/* Name (\_S5, Package () { S5 type for PM1a, for PM1b, 0, 0 }), chapter 16.2 (AML encoding). */
static const uint8_t dsdt_body[] = {
    0x08, '_',  'S',  '5',  '_', /* NameOp, NameSeg */
    0x12, 0x06, 0x04,            /* PackageOp, PkgLength of 6 counting itself, 4 elements */
    0x00, 0x00, 0x00, 0x00,      /* ZeroOp four times: the type is ACPI_S5_TYPE */
};
_Static_assert(ACPI_S5_TYPE == 0, "the S5 package above says so");

size_t acpi_tables_build(uint8_t out[ACPI_TABLES_MAX], uint32_t base)
{
    memset(out, 0, ACPI_TABLES_MAX);
    uint8_t *rsdp = out + RSDP_AT, *rsdt = out + RSDT_AT, *facs = out + FACS_AT, *dsdt = out + DSDT_AT;

    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "CALQUE", 6);
    put32(rsdp + 16, base + RSDT_AT);
    seal(rsdp, RSDP_LEN, 8);

    header(rsdt, "RSDT", HEADER + 4, 1);
    put32(rsdt + HEADER, base + FADT_AT);
    seal(rsdt, HEADER + 4, 9);

    build_fadt(out + FADT_AT, base);

    memcpy(facs, "FACS", 4); /* has no checksum */
    put32(facs + 4, FACS_LEN);

    header(dsdt, "DSDT", HEADER + sizeof dsdt_body, 1);
    memcpy(dsdt + HEADER, dsdt_body, sizeof dsdt_body);
    seal(dsdt, HEADER + sizeof dsdt_body, 9);
    return DSDT_AT + HEADER + sizeof dsdt_body;
}
