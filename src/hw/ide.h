/* PIIX3's IDE function (Intel 82371SB data sheet, function 1): two channels at their legacy ports, each with up to two ATA
 * disks or ATAPI CD-ROM drives, and a bus master for each channel. */
#ifndef CALQUE_HW_IDE_H
#define CALQUE_HW_IDE_H

#include "block/drive.h"
#include "hw/mc146818.h"
#include "hw/pci.h"

typedef struct Ide Ide;
/* Takes the drives of DRIVE_IDE 0..3 from the set; irq[channel] are IRQ 14 and 15. */
Ide *ide_new(Machine *m, PciBus *bus, uint8_t devfn, const IrqLine irq[2], DriveSet *drives);
void ide_free(Ide *ide); /* before the DriveSet is closed */

/* For boards that start a kernel without firmware: decoding and bus mastering on, as a BIOS leaves them. */
void ide_post(Ide *ide);
/* What a BIOS reads about the first two disks from CMOS: types and geometry, and in 39h the translation it is to use. */
void ide_set_cmos(Ide *ide, Mc146818 *rtc);

#endif
