/* What goes from an I/O APIC, or another local APIC, to a local APIC: SDM 3A 11.6.1 (ICR), 82093AA data
 * sheet 3.2.4 (redirection table); both have the fields at the same places. */
#ifndef CALQUE_HW_APIC_BUS_H
#define CALQUE_HW_APIC_BUS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    APIC_FIXED,
    APIC_LOWEST_PRIORITY,
    APIC_SMI,
    APIC_NMI = 4,
    APIC_INIT,
    APIC_STARTUP,
    APIC_EXTINT,
};

typedef struct ApicMessage {
    uint8_t destination;
    bool logical; /* destination is a set of processors, not an APIC's ID */
    uint8_t mode; /* APIC_* */
    uint8_t vector;
    bool level; /* the I/O APIC waits for the EOI */
} ApicMessage;

#endif
