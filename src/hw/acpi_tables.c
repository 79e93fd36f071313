/* ACPI specification 2.0c for the layouts (RSDT and not XSDT: all addresses are below 4 GiB), the IA-PC HPET
 * specification 1.0a for its table; QEMU's fw_cfg table loader for how firmware is told what to patch. */
#include "hw/acpi_tables.h"

#include <stdio.h>
#include <string.h>

#include "hw/acpi_pm.h"
#include "hw/alloc.h"
#include "hw/hpet.h"
#include "hw/ioapic.h"
#include "hw/port_cf9.h"
#include "roms/dsdt_aml.h"
#include "util/bytes.h"

enum { HEADER = 36, FADT_LEN = 244, FACS_LEN = 64, HPET_LEN = 56, RSDP_LEN = 20, BLOB_MAX = 16384 };
enum { CHECKSUM_AT = 9, RSDP_CHECKSUM_AT = 8, RSDP_RSDT_AT = 16 };
enum { MAX_TABLES = 8, MAX_POINTERS = 24, FACS_ALIGN = 64 };
#define LAPIC_BASE 0xfee00000u

typedef struct Extent {
    uint32_t at, len;
} Extent;

struct AcpiTables {
    uint8_t blob[BLOB_MAX];
    uint32_t len;
    Extent table[MAX_TABLES]; /* with checksums to make */
    unsigned n_tables;
    uint32_t pointer[MAX_POINTERS]; /* where 32-bit offsets into the blob stand that become addresses */
    unsigned n_pointers;
    uint8_t rsdp[RSDP_LEN];
};

static void seal(uint8_t *p, size_t len, size_t checksum_at)
{
    uint8_t sum = 0;
    p[checksum_at] = 0;
    for (size_t i = 0; i < len; i++) sum += p[i];
    p[checksum_at] = (uint8_t)-sum;
}

/* --- putting tables into the blob ------------------------------------------------------------------------------ */

static uint8_t *append(AcpiTables *t, uint32_t len)
{
    uint8_t *p = t->blob + t->len;
    t->len += len;
    return p;
}

/* Table header, chapter 5.2.5. */
static uint8_t *start_table(AcpiTables *t, const char *signature, uint8_t revision, uint32_t len)
{
    t->table[t->n_tables++] = (Extent){ t->len, len };
    uint8_t *p = append(t, len);
    memcpy(p, signature, 4);
    put_le32(p + 4, len);
    p[8] = revision;
    memcpy(p + 10, "CALQUECALQUEPC", 14);
    put_le32(p + 24, 1); /* OEM revision */
    memcpy(p + 28, "CALQ", 4);
    put_le32(p + 32, 1); /* creator revision */
    return p;
}

static void point(AcpiTables *t, uint8_t *field, uint32_t to)
{
    put_le32(field, to);
    t->pointer[t->n_pointers++] = (uint32_t)(field - t->blob);
}

/* Generic address structure, chapter 5.2.3.1. */
static void port_address(uint8_t *p, uint8_t bits, uint32_t port)
{
    p[0] = 1; /* system I/O */
    p[1] = bits;
    put_le32(p + 4, port);
}

static void add_facs(AcpiTables *t)
{
    uint8_t *p = append(t, FACS_LEN);
    memcpy(p, "FACS", 4); /* has no checksum */
    put_le32(p + 4, FACS_LEN);
}

/* Gives Name (name, 32-bit integer) its value (chapter 17.2, AML encoding). */
static void set_name(uint8_t *aml, const char *name, uint32_t value)
{
    enum { NAME_OP = 0x08, DWORD_PREFIX = 0x0c };
    const uint8_t pattern[] = { NAME_OP,          (uint8_t)name[0], (uint8_t)name[1],
                                (uint8_t)name[2], (uint8_t)name[3], DWORD_PREFIX };
    uint8_t *at = memmem(aml, sizeof dsdt_aml, pattern, sizeof pattern);
    put_le32(at + sizeof pattern, value);
}

static void add_dsdt(AcpiTables *t, const AcpiBoard *b)
{
    enum { PRESENT = 0x0f };
    t->table[t->n_tables++] = (Extent){ t->len, sizeof dsdt_aml };
    uint8_t *aml = append(t, sizeof dsdt_aml);
    memcpy(aml, dsdt_aml, sizeof dsdt_aml);
    for (unsigned i = 0; i < 4; i++)
        set_name(aml, (const char[]){ 'C', 'Q', 'C', (char)('1' + i) }, b->serial[i] ? PRESENT : 0);
    set_name(aml, "CQFD", b->floppy ? PRESENT : 0);
    set_name(aml, "CQHP", b->hpet ? PRESENT : 0);
    set_name(aml, "CQPM", b->pci_hole);
}

static void add_fadt(AcpiTables *t, uint32_t facs, uint32_t dsdt)
{
    uint8_t *p = start_table(t, "FACP", 3, FADT_LEN);
    point(t, p + 36, facs);
    point(t, p + 40, dsdt);
    p[45] = 1; /* preferred profile: desktop */
    put_le16(p + 46, ACPI_SCI_IRQ);
    put_le32(p + 48, ACPI_SMI_CMD);
    p[52] = ACPI_ENABLE_CMD;
    p[53] = ACPI_DISABLE_CMD;
    put_le32(p + 56, ACPI_PM1_EVT);
    put_le32(p + 64, ACPI_PM1_CNT);
    put_le32(p + 76, ACPI_PM_TMR);
    put_le32(p + 80, ACPI_GPE0);
    p[88] = 4; /* PM1_EVT_LEN */
    p[89] = 2; /* PM1_CNT_LEN */
    p[91] = 4; /* PM_TM_LEN */
    p[92] = ACPI_GPE0_LEN;
    put_le16(p + 96, 0xfff);   /* P_LVL2_LAT > 100: no C2 */
    put_le16(p + 98, 0xfff);   /* P_LVL3_LAT > 1000: no C3 */
    p[108] = 0x32;             /* century byte in CMOS */
    put_le16(p + 109, 0x0003); /* legacy devices, 8042 */
    /* WBINVD, C1 works, no sleep button, RTC not a fixed wake event, reset register supported. */
    put_le32(p + 112, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10);
    port_address(p + 116, 8, PORT_CF9);
    p[128] = CF9_HARD_RESET;
    port_address(p + 148, 32, ACPI_PM1_EVT);
    port_address(p + 172, 16, ACPI_PM1_CNT);
    port_address(p + 208, 32, ACPI_PM_TMR);
    port_address(p + 220, 32, ACPI_GPE0);
}

/* Chapter 5.2.10.4.  IRQ 0 is on pin 2; what PIRQs may be routed to, and SCI, are active-high levels. */
static void add_madt(AcpiTables *t)
{
    enum { LOCAL_APIC = 8, IO_APIC = 12, OVERRIDE = 10, NMI = 6, LEVEL_HIGH = 0x0d };
    static const struct {
        uint8_t irq, pin, flags;
    } overrides[] = {
        { 0, 2, 0 }, { 5, 5, LEVEL_HIGH }, { 9, 9, LEVEL_HIGH }, { 10, 10, LEVEL_HIGH }, { 11, 11, LEVEL_HIGH },
    };
    enum { N_OVERRIDES = sizeof overrides / sizeof overrides[0] };
    uint8_t *p = start_table(t, "APIC", 1, HEADER + 8 + LOCAL_APIC + IO_APIC + N_OVERRIDES * OVERRIDE + NMI);
    put_le32(p + HEADER, LAPIC_BASE);
    put_le32(p + HEADER + 4, 1); /* there are 8259s, too */
    p += HEADER + 8;
    memcpy(p, (const uint8_t[LOCAL_APIC]){ 0, LOCAL_APIC, 0, 0, 1 }, LOCAL_APIC);
    p += LOCAL_APIC;
    memcpy(p, (const uint8_t[]){ 1, IO_APIC, IOAPIC_ID, 0 }, 4);
    put_le32(p + 4, IOAPIC_BASE);
    p += IO_APIC;
    for (unsigned i = 0; i < N_OVERRIDES; i++, p += OVERRIDE) {
        memcpy(p, (const uint8_t[]){ 2, OVERRIDE, 0, overrides[i].irq }, 4);
        put_le32(p + 4, overrides[i].pin);
        put_le16(p + 8, overrides[i].flags);
    }
    memcpy(p, (const uint8_t[NMI]){ 4, NMI, 0xff, 0, 0, 1 }, NMI); /* LINT1 of all */
}

static void add_hpet(AcpiTables *t)
{
    uint8_t *p = start_table(t, "HPET", 1, HPET_LEN);
    put_le32(p + 36, HPET_ID);
    put_le32(p + 44, HPET_BASE); /* generic address: system memory */
    put_le16(p + 53, HPET_MIN_TICK);
}

/* Points to all tables from first on that are not the DSDT. */
static void add_rsdt(AcpiTables *t)
{
    unsigned n = t->n_tables - 1;
    uint32_t at = t->len;
    uint8_t *p = start_table(t, "RSDT", 1, HEADER + 4 * n) + HEADER;
    for (unsigned i = 0; i < n; i++) point(t, p + 4 * i, t->table[i + 1].at);
    memcpy(t->rsdp, "RSD PTR ", 8);
    memcpy(t->rsdp + 9, "CALQUE", 6);
    put_le32(t->rsdp + RSDP_RSDT_AT, at);
}

AcpiTables *acpi_tables_new(const AcpiBoard *board)
{
    _Static_assert(sizeof dsdt_aml < BLOB_MAX - 2048, "room for the other tables");
    AcpiTables *t = hw_alloc(sizeof *t);
    add_facs(t); /* first: it must be aligned */
    uint32_t dsdt = t->len;
    add_dsdt(t, board);
    add_fadt(t, 0, dsdt);
    if (board->apic) add_madt(t);
    if (board->hpet) add_hpet(t);
    add_rsdt(t);
    return t;
}

void acpi_tables_free(AcpiTables *t)
{
    free(t);
}

/* --- for firmware ------------------------------------------------------------------------------------------------ */

enum { ENTRY = 128, FILE_NAME = 56 };
enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3, ZONE_HIGH = 1, ZONE_FSEG = 2 };
#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"

typedef struct Script {
    uint8_t entry[2 + MAX_POINTERS + 1 + MAX_TABLES + 1][ENTRY];
    unsigned n;
} Script;

static uint8_t *command(Script *s, uint32_t what, const char *file)
{
    uint8_t *e = s->entry[s->n++];
    put_le32(e, what);
    snprintf((char *)e + 4, FILE_NAME, "%s", file);
    return e + 4 + FILE_NAME;
}

static void allocate(Script *s, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t *e = command(s, ALLOCATE, file);
    put_le32(e, align);
    e[4] = zone;
}

static void add_pointer(Script *s, const char *in, uint32_t at)
{
    uint8_t *e = command(s, ADD_POINTER, in);
    snprintf((char *)e, FILE_NAME, "%s", TABLES_FILE);
    put_le32(e + FILE_NAME, at);
    e[FILE_NAME + 4] = 4;
}

static void add_checksum(Script *s, const char *in, uint32_t checksum_at, Extent over)
{
    uint8_t *e = command(s, ADD_CHECKSUM, in);
    put_le32(e, checksum_at);
    put_le32(e + 4, over.at);
    put_le32(e + 8, over.len);
}

void acpi_tables_offer(const AcpiTables *t, FwCfg *fw)
{
    Script s = { .n = 0 };
    allocate(&s, TABLES_FILE, FACS_ALIGN, ZONE_HIGH);
    allocate(&s, RSDP_FILE, 16, ZONE_FSEG);
    for (unsigned i = 0; i < t->n_pointers; i++) add_pointer(&s, TABLES_FILE, t->pointer[i]);
    add_pointer(&s, RSDP_FILE, RSDP_RSDT_AT);
    for (unsigned i = 0; i < t->n_tables; i++) add_checksum(&s, TABLES_FILE, t->table[i].at + CHECKSUM_AT, t->table[i]);
    add_checksum(&s, RSDP_FILE, RSDP_CHECKSUM_AT, (Extent){ 0, RSDP_LEN });

    uint8_t tables[BLOB_MAX]; /* firmware adds up what is there, so checksums start as zero */
    memcpy(tables, t->blob, t->len);
    for (unsigned i = 0; i < t->n_tables; i++) tables[t->table[i].at + CHECKSUM_AT] = 0;
    fw_cfg_add_file(fw, TABLES_FILE, tables, t->len);
    fw_cfg_add_file(fw, RSDP_FILE, t->rsdp, RSDP_LEN);
    fw_cfg_add_file(fw, "etc/table-loader", s.entry, s.n * ENTRY);
}

/* --- without firmware --------------------------------------------------------------------------------------------- */

size_t acpi_tables_place(const AcpiTables *t, PhysMem *phys, uint32_t base)
{
    uint32_t tables_at = base + FACS_ALIGN; /* behind the RSDP */
    uint8_t blob[BLOB_MAX], rsdp[RSDP_LEN];
    memcpy(blob, t->blob, t->len);
    memcpy(rsdp, t->rsdp, RSDP_LEN);
    for (unsigned i = 0; i < t->n_pointers; i++) {
        uint8_t *p = blob + t->pointer[i];
        put_le32(p, get_le32(p) + tables_at);
    }
    for (unsigned i = 0; i < t->n_tables; i++) seal(blob + t->table[i].at, t->table[i].len, CHECKSUM_AT);
    put_le32(rsdp + RSDP_RSDT_AT, get_le32(rsdp + RSDP_RSDT_AT) + tables_at);
    seal(rsdp, RSDP_LEN, RSDP_CHECKSUM_AT);
    phys_load(phys, base, rsdp, RSDP_LEN);
    phys_load(phys, tables_at, blob, t->len);
    return FACS_ALIGN + t->len;
}
