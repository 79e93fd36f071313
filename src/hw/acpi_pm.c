/* ACPI specification 1.0b, chapter 4 (fixed hardware); 82371AB (PIIX4) data sheet for the 24-bit timer
 * and SLP_TYP codes.  Where firmware would switch SCI_EN in its SMI handler, the write to the SMI command
 * port does it here. */
#include "hw/acpi_pm.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"
#include "hw/ticks.h"
#include "util/log.h"

enum { STS_TMR = 1, STS_GBL = 0x20, STS_PWRBTN = 0x100, STS_SLPBTN = 0x200, STS_RTC = 0x400, STS_WAK = 0x8000 };
enum { STS_ALL = STS_TMR | STS_GBL | STS_PWRBTN | STS_SLPBTN | STS_RTC | STS_WAK };
enum { EN_ALL = STS_TMR | STS_GBL | STS_PWRBTN | STS_SLPBTN | STS_RTC };
enum { CNT_SCI_EN = 1, CNT_BM_RLD = 2, CNT_SLP_TYP = 0x1c00, CNT_SLP_EN = 0x2000 };
enum { TMR_BITS = 24 };
/* PM I/O block, 82371AB data sheet 7.2: offsets of what is more than storage, and of GLBCTL. */
enum { PMSTS = 0, PMEN = 2, PMCNTRL = 4, PMTMR = 8, PM_FIRST_PLAIN = 0x0c, GLBCTL = 0x28, GLBCTL_SMI_EN = 1 };

struct AcpiPm {
    Machine *machine;
    IrqLine sci, smi;
    Timer *carry_timer;
    uint16_t pm1_sts, pm1_en, pm1_cnt;
    uint64_t seen_carries; /* changes of the timer's top bit that are in TMR_STS */
    uint16_t gpe_sts, gpe_en;
    uint8_t smi_cmd, smi_data;
    uint8_t plain[ACPI_PM_PORTS]; /* registers of the block that only hold what is written */
    uint16_t base;
    bool mapped, apmc_smi;
};

static uint64_t pm_timer(AcpiPm *pm)
{
    return ticks_from_ns(clock_now(pm->machine), ACPI_PM_TIMER_HZ);
}

/* TMR_STS: "set any time the last bit of the timer (bit 23) goes from high to low or low to high". */
static void sync(AcpiPm *pm)
{
    uint64_t carries = pm_timer(pm) >> (TMR_BITS - 1);
    if (carries != pm->seen_carries) pm->pm1_sts |= STS_TMR;
    pm->seen_carries = carries;
}

static void update(AcpiPm *pm)
{
    bool event = (pm->pm1_sts & pm->pm1_en & EN_ALL) || (pm->gpe_sts & pm->gpe_en);
    irq_set(&pm->sci, event && (pm->pm1_cnt & CNT_SCI_EN));
    if ((pm->pm1_en & STS_TMR) && !(pm->pm1_sts & STS_TMR))
        timer_set(pm->carry_timer, ns_from_ticks((pm->seen_carries + 1) << (TMR_BITS - 1), ACPI_PM_TIMER_HZ));
    else
        timer_cancel(pm->carry_timer);
}

static void on_carry(void *opaque)
{
    sync(opaque);
    update(opaque);
}

void acpi_pm_power_button(AcpiPm *pm)
{
    pm->pm1_sts |= STS_PWRBTN;
    update(pm);
}

static void write_cnt(AcpiPm *pm, uint16_t v)
{
    pm->pm1_cnt = (uint16_t)((v & (CNT_BM_RLD | CNT_SLP_TYP)) | (pm->pm1_cnt & CNT_SCI_EN));
    if (!(v & CNT_SLP_EN)) return;
    if ((v & CNT_SLP_TYP) >> 10 == ACPI_S5_TYPE)
        machine_request(pm->machine, MACHINE_POWEROFF, 0);
    else if (log_on(LOG_GUEST_ERRORS))
        log_printf("acpi_pm: sleep type %d, which the tables do not offer\n", (v & CNT_SLP_TYP) >> 10);
}

/* One byte of the block. */
static uint8_t pm_byte(AcpiPm *pm, unsigned at)
{
    uint32_t timer;
    switch (at & ~1u) {
    case PMSTS: return (uint8_t)(pm->pm1_sts >> 8 * (at & 1));
    case PMEN: return (uint8_t)(pm->pm1_en >> 8 * (at & 1));
    case PMCNTRL: return (uint8_t)(pm->pm1_cnt >> 8 * (at & 1));
    case PMTMR:
    case PMTMR + 2: timer = (uint32_t)pm_timer(pm) & ((1u << TMR_BITS) - 1); return (uint8_t)(timer >> 8 * (at & 3));
    default: return pm->plain[at];
    }
}

static uint32_t pm_read(void *opaque, uint16_t port, unsigned size)
{
    AcpiPm *pm = opaque;
    unsigned at = port & (ACPI_PM_PORTS - 1);
    uint32_t v = 0;
    if (at == PMTMR && size == 4) return (uint32_t)pm_timer(pm) & ((1u << TMR_BITS) - 1);
    sync(pm);
    for (unsigned i = 0; i < size; i++) v |= (uint32_t)(at + i < ACPI_PM_PORTS ? pm_byte(pm, at + i) : 0xff) << 8 * i;
    return v;
}

/* 16-bit registers may be written by byte; written: which bits are. */
static void write_register(AcpiPm *pm, unsigned reg, uint16_t v, uint16_t written)
{
    if (reg == PMSTS)
        pm->pm1_sts &= (uint16_t) ~(v & written & STS_ALL); /* write one to clear */
    else if (reg == PMEN)
        pm->pm1_en = (uint16_t)((pm->pm1_en & ~written) | (v & written)) & EN_ALL;
    else if (reg == PMCNTRL)
        write_cnt(pm, (uint16_t)((pm->pm1_cnt & ~written) | (v & written)));
}

static void pm_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    AcpiPm *pm = opaque;
    sync(pm);
    for (unsigned i = 0, bytes; i < size; i += bytes) {
        unsigned at = (port & (ACPI_PM_PORTS - 1)) + i, odd = at & 1;
        bytes = size - i < 2 || odd ? 1 : 2;
        uint16_t written = (uint16_t)((bytes == 2 ? 0xffff : 0xff) << 8 * odd);
        if (at < PM_FIRST_PLAIN) {
            write_register(pm, at & ~1u, (uint16_t)(value >> 8 * i << 8 * odd), written);
            continue;
        }
        for (unsigned k = 0; k < bytes && at + k < ACPI_PM_PORTS; k++)
            pm->plain[at + k] = (uint8_t)(value >> 8 * (i + k));
    }
    update(pm);
}

static uint32_t gpe_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    AcpiPm *pm = opaque;
    unsigned i = port - ACPI_GPE0;
    return (uint8_t)((i < 2 ? pm->gpe_sts : pm->gpe_en) >> 8 * (i & 1));
}

static void gpe_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    AcpiPm *pm = opaque;
    unsigned i = port - ACPI_GPE0, shift = 8 * (i & 1);
    if (i < 2)
        pm->gpe_sts &= (uint16_t) ~((value & 0xff) << shift);
    else
        pm->gpe_en = (uint16_t)((pm->gpe_en & ~(0xffu << shift)) | (value & 0xff) << shift);
    update(pm);
}

static uint32_t smi_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    AcpiPm *pm = opaque;
    return port == ACPI_SMI_CMD ? pm->smi_cmd : pm->smi_data;
}

static void smi_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    AcpiPm *pm = opaque;
    if (port != ACPI_SMI_CMD) {
        pm->smi_data = (uint8_t)value;
        return;
    }
    pm->smi_cmd = (uint8_t)value;
    if (pm->smi_cmd == ACPI_ENABLE_CMD) pm->pm1_cnt |= CNT_SCI_EN;
    if (pm->smi_cmd == ACPI_DISABLE_CMD) pm->pm1_cnt &= (uint16_t)~CNT_SCI_EN;
    update(pm);
    if (!pm->apmc_smi || !(pm->plain[GLBCTL] & GLBCTL_SMI_EN)) return;
    irq_set(&pm->smi, true);
    irq_set(&pm->smi, false);
}

static const Field pm_fields[] = {
    FIELD(AcpiPm, pm1_sts),
    FIELD(AcpiPm, pm1_en),
    FIELD(AcpiPm, pm1_cnt),
    FIELD(AcpiPm, seen_carries),
    FIELD(AcpiPm, gpe_sts),
    FIELD(AcpiPm, gpe_en),
    FIELD(AcpiPm, smi_cmd),
    FIELD(AcpiPm, smi_data),
    FIELD(AcpiPm, plain),
    FIELD(AcpiPm, base),
    FIELD(AcpiPm, mapped),
    FIELD(AcpiPm, apmc_smi),
    FIELD_END,
};

static void pm_reset(void *dev)
{
    AcpiPm *pm = dev;
    pm->pm1_sts = pm->pm1_en = pm->pm1_cnt = pm->gpe_sts = pm->gpe_en = 0;
    pm->smi_cmd = pm->smi_data = 0;
    memset(pm->plain, 0, sizeof pm->plain);
    pm->seen_carries = pm_timer(pm) >> (TMR_BITS - 1);
    update(pm);
}

static const DeviceClass pm_class = { .name = "acpi_pm", .version = 1, .fields = pm_fields, .reset = pm_reset };

void acpi_pm_set_base(AcpiPm *pm, uint16_t base, bool enabled)
{
    static const IoPortOps pm_ops = { pm_read, pm_write, 4 };
    IoPorts *io = machine_io(pm->machine);
    base &= (uint16_t) ~(ACPI_PM_PORTS - 1);
    if (!base) enabled = false;
    if (enabled == pm->mapped && (!enabled || base == pm->base)) return;
    if (pm->mapped) ioports_overlay(io, pm->base, ACPI_PM_PORTS, NULL, pm);
    if (enabled) ioports_overlay(io, base, ACPI_PM_PORTS, &pm_ops, pm);
    pm->mapped = enabled;
    pm->base = base;
}

void acpi_pm_set_apmc_smi(AcpiPm *pm, bool enabled)
{
    pm->apmc_smi = enabled;
}

AcpiPm *acpi_pm_new(Machine *m, IrqLine sci, IrqLine smi)
{
    static const IoPortOps gpe_ops = { gpe_read, gpe_write, 1 }, smi_ops = { smi_read, smi_write, 1 };
    AcpiPm *pm = hw_alloc(sizeof *pm);
    pm->machine = m;
    pm->sci = sci;
    pm->smi = smi;
    pm->carry_timer = timer_new(m, on_carry, pm);
    ioports_map(machine_io(m), ACPI_GPE0, ACPI_GPE0_LEN, &gpe_ops, pm);
    ioports_map(machine_io(m), ACPI_SMI_CMD, 2, &smi_ops, pm);
    machine_add_device(m, &pm_class, pm);
    return pm;
}

void acpi_pm_free(AcpiPm *pm)
{
    if (!pm) return;
    timer_free(pm->carry_timer);
    free(pm);
}
