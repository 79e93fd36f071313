/* The host bridge, 82441FX (440FX data sheet, order number 290549): configuration cycles at CF8h/CFCh, the seven PAM
 * registers that choose between RAM and the PCI bus at C0000h-FFFFFh, and SMRAM behind A0000h. */
#ifndef CALQUE_HW_I440FX_H
#define CALQUE_HW_I440FX_H

#include "hw/pci.h"

typedef struct I440fxMemory {
    PhysRegion *ram; /* from address 0 */
    PhysRegion *rom; /* what the bus shows at C0000h-FFFFFh: 256 KiB */
} I440fxMemory;

typedef struct I440fx I440fx;
/* Device 0 of bus. */
I440fx *i440fx_new(Machine *m, PciBus *bus, I440fxMemory memory);
void i440fx_free(I440fx *fx);
/* SMIACT#: the CPU enters or leaves system management mode. */
void i440fx_smm(I440fx *fx, bool active);
/* All of C0000h-FFFFFh as RAM: for starting a kernel without firmware. */
void i440fx_shadow_all(I440fx *fx);

#endif
