/* The I/O APIC: 24 inputs, each with a redirection entry that says what message its interrupt becomes.
 * Registers at fec00000h. */
#ifndef CALQUE_HW_IOAPIC_H
#define CALQUE_HW_IOAPIC_H

#include "hw/lapic.h"

#define IOAPIC_BASE 0xfec00000u
enum { IOAPIC_PINS = 24, IOAPIC_ID = 0 };

typedef struct Ioapic Ioapic;
/* lapic NULL: the processor has none, messages are lost. */
Ioapic *ioapic_new(Machine *m, Lapic *lapic);
void ioapic_free(Ioapic *io);
/* pin: 0..23.  The level is the wire's: an entry with active-low polarity asks for service while it is low. */
IrqLine ioapic_pin(Ioapic *io, int pin);
void ioapic_eoi(Ioapic *io, uint8_t vector);
/* The vector that a pin's interrupts have, -1 while it is masked. */
int ioapic_pin_vector(const Ioapic *io, int pin);

#endif
