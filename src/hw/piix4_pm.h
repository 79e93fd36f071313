/* Function 3 of the south bridge: the 82371AB's (PIIX4) power management and SMBus host controller.  It decides
 * where the registers of acpi_pm.h lie and whether they raise SMI#. */
#ifndef CALQUE_HW_PIIX4_PM_H
#define CALQUE_HW_PIIX4_PM_H

#include "hw/acpi_pm.h"
#include "hw/pci.h"
#include "hw/smbus.h"

typedef struct Piix4Pm Piix4Pm;
/* pm and smbus stay the board's. */
Piix4Pm *piix4_pm_new(Machine *m, PciBus *bus, AcpiPm *pm, Smbus *smbus);
void piix4_pm_free(Piix4Pm *p);
/* As firmware leaves it: PM registers at ACPI_PM_BASE. */
void piix4_pm_post(Piix4Pm *p);

#endif
