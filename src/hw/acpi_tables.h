/* The ACPI tables: for firmware, as files and a script that says where their pointers and checksums are; or put into
 * memory complete, for a machine that starts without firmware. */
#ifndef CALQUE_HW_ACPI_TABLES_H
#define CALQUE_HW_ACPI_TABLES_H

#include "hw/fw_cfg.h"

/* What the tables say of this machine. */
typedef struct AcpiBoard {
    bool apic, hpet, floppy, serial[4];
    uint32_t pci_hole; /* first address below 4 GiB that is for PCI */
} AcpiBoard;

typedef struct AcpiTables AcpiTables;
AcpiTables *acpi_tables_new(const AcpiBoard *board);
void acpi_tables_free(AcpiTables *t);
void acpi_tables_offer(const AcpiTables *t, FwCfg *fw);
/* The RSDP at base (a multiple of 64, e0000h-fffffh, where systems look for it) and the rest behind it.  Returns the
 * length of it all. */
size_t acpi_tables_place(const AcpiTables *t, PhysMem *phys, uint32_t base);

#endif
