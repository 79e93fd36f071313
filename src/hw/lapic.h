/* The local APIC of a P6-family processor with the xAPIC's registers: the processor's interrupt pins,
 * its timer and the messages of the I/O APIC come together here.
 *
 * Pin LINT0 carries the 8259s' INTR and LINT1 NMI.  The APIC comes out of reset in the MP specification's
 * virtual wire mode, LINT0 as ExtINT and LINT1 as NMI, where a bare processor would have them masked until
 * its firmware sets them: programs that go through a reset to leave the 286's protected mode come back
 * without any firmware having done so. */
#ifndef CALQUE_HW_LAPIC_H
#define CALQUE_HW_LAPIC_H

#include "hw/apic_bus.h"
#include "hw/machine.h"

/* Timer clock before the divider; CPUID leaf 15h says the same. */
#define LAPIC_TIMER_HZ 1000000000u
/* Periodic ticks that could not be delivered in time are made up for, up to this much (see i8254.h). */
#define LAPIC_CATCH_UP_NS 500000000u

typedef struct Lapic Lapic;

/* The wires around it. */
typedef struct LapicBoard {
    void *opaque;
    int (*extint_ack)(void *opaque);             /* the acknowledge cycle of the 8259s: their vector */
    void (*eoi)(void *opaque, uint8_t vector);   /* EOI of a level-triggered interrupt, to the I/O APIC */
    void (*acked)(void *opaque, uint8_t vector); /* the processor has taken it */
} LapicBoard;

/* intr: the processor's interrupt request.  Makes itself known to machine_cpu(m) as its APIC, as which it
 * also pulses NMI, SMI and INIT. */
Lapic *lapic_new(Machine *m, IrqLine intr, LapicBoard board);
void lapic_free(Lapic *l);
/* n: 0 is LINT0/INTR, 1 is LINT1/NMI. */
IrqLine lapic_lint(Lapic *l, int n);
/* The interrupt acknowledge: the vector, or -1 when there is nothing to take. */
int lapic_ack(Lapic *l);
/* False: not for this processor, or it does not accept it now. */
bool lapic_receive(Lapic *l, const ApicMessage *msg);

#endif
