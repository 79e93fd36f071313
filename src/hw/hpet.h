/* IA-PC high precision event timers: a 100 MHz counter with three comparators, at fed00000h. */
#ifndef CALQUE_HW_HPET_H
#define CALQUE_HW_HPET_H

#include "hw/machine.h"

#define HPET_BASE 0xfed00000u
#define HPET_HZ   100000000u
enum {
    HPET_TIMERS = 3,
    HPET_SIZE = 0x400,
    HPET_FIRST_PIN = 20, /* I/O APIC pins that any timer can be routed to */
    HPET_PINS = 4,
    HPET_MIN_TICK = 100, /* for the ACPI table: counts, the shortest period that loses nothing */
};
#define HPET_ID 0x8086a201u /* low half of the capabilities register; the ACPI table's Event Timer Block ID */

typedef struct HpetLines {
    IrqLine pin[HPET_PINS]; /* I/O APIC pins 20..23; idle high, as PCI's lines are */
    IrqLine legacy[2];      /* IRQ 0 and IRQ 8 */
    IrqLine replacement;    /* high: the legacy lines are in force */
} HpetLines;

typedef struct Hpet Hpet;
Hpet *hpet_new(Machine *m, HpetLines lines);
void hpet_free(Hpet *h);

#endif
