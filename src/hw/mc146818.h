/* The real-time clock and CMOS RAM, ports 70h and 71h. */
#ifndef CALQUE_HW_MC146818_H
#define CALQUE_HW_MC146818_H

#include "hw/machine.h"

/* As for the 8254: periodic interrupts that came too fast for the guest are made up for, up to this much. */
#define MC146818_CATCH_UP_NS 500000000u

enum { CMOS_CENTURY = 0x32 };

typedef struct Mc146818 Mc146818;
/* seconds: what the clock shows now, as seconds since 1970-01-01 00:00 on its own face. */
Mc146818 *mc146818_new(Machine *m, IrqLine irq8, int64_t seconds);
void mc146818_free(Mc146818 *rtc);
/* CMOS RAM bytes 0eh..7fh, as the BIOS's POST leaves them. */
void mc146818_set_cmos(Mc146818 *rtc, uint8_t index, uint8_t value);
bool mc146818_nmi_masked(const Mc146818 *rtc); /* bit 7 of port 70h */

#endif
