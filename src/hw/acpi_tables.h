/* ACPI tables for a machine that starts without firmware: enough for an operating system to find the PM
 * registers of acpi_pm.h, to power off and to reset. */
#ifndef CALQUE_HW_ACPI_TABLES_H
#define CALQUE_HW_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

enum { ACPI_TABLES_MAX = 1024, ACPI_FACS_ALIGN = 64 };
/* Builds the tables for physical address base (a multiple of 64); the RSDP is at base itself, which must be
 * where systems look for it (e0000h-fffffh).  Returns the length, at most ACPI_TABLES_MAX. */
size_t acpi_tables_build(uint8_t out[ACPI_TABLES_MAX], uint32_t base);

#endif
