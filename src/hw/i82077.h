/* The floppy disk controller (Intel 82077AA data sheet) in its PC/AT mode, and its two drives: ports 3f0h-3f5h and 3f7h,
 * IRQ 6, DMA channel 2. */
#ifndef CALQUE_HW_I82077_H
#define CALQUE_HW_I82077_H

#include "block/drive.h"
#include "hw/i8237.h"
#include "hw/mc146818.h"

typedef struct I82077 I82077;
/* Takes the drives of DRIVE_FLOPPY 0 and 1 from the set (NULL: none).  A drive's kind is that of the medium that is in it
 * now; an empty one takes all 3.5" media. */
I82077 *i82077_new(Machine *m, IrqLine irq6, I8237 *dma, DriveSet *drives);
void i82077_free(I82077 *fdc); /* before the DriveSet is closed */

/* For boards that start a kernel without firmware: out of reset, as a BIOS leaves it. */
void i82077_post(I82077 *fdc);
/* The kinds of the drives, as BIOSes read them from CMOS 10h. */
void i82077_set_cmos(const I82077 *fdc, Mc146818 *rtc);
/* The number of drives, as bits 0, 6 and 7 of the equipment byte (CMOS 14h) tell it. */
uint8_t i82077_equipment(const I82077 *fdc);

#endif
