/* Power management as a PIIX4 has it: the PM1 registers, the PM timer, general purpose events, and the
 * SMI command port that switches ACPI on and off. */
#ifndef CALQUE_HW_ACPI_PM_H
#define CALQUE_HW_ACPI_PM_H

#include "hw/machine.h"

/* Where firmware puts things; the FADT says the same (acpi_tables.c). */
enum {
    ACPI_PM_BASE = 0x600,
    ACPI_PM_PORTS = 64,
    ACPI_PM1_EVT = ACPI_PM_BASE,
    ACPI_PM1_CNT = ACPI_PM_BASE + 4,
    ACPI_PM_TMR = ACPI_PM_BASE + 8,
    ACPI_GPE0 = 0xafe0,
    ACPI_GPE0_LEN = 4,
    ACPI_SMI_CMD = 0xb2,
    ACPI_ENABLE_CMD = 0xf1,
    ACPI_DISABLE_CMD = 0xf0,
    ACPI_SCI_IRQ = 9,
    ACPI_S5_TYPE = 0,
};

#define ACPI_PM_TIMER_HZ 3579545u

typedef struct AcpiPm AcpiPm;
/* smi: SMI#, pulsed. */
AcpiPm *acpi_pm_new(Machine *m, IrqLine sci, IrqLine smi);
void acpi_pm_free(AcpiPm *pm);
/* The PM register block at base (a multiple of 64), or nowhere. */
void acpi_pm_set_base(AcpiPm *pm, uint16_t base, bool enabled);
/* Writes to the SMI command port raise SMI#, as far as GLBCTL.SMI_EN lets them. */
void acpi_pm_set_apmc_smi(AcpiPm *pm, bool enabled);
void acpi_pm_power_button(AcpiPm *pm); /* pressed and let go */

#endif
