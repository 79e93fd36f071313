/* isa-debugcon: each byte written goes to a character device; reading gives e9h, by which a guest
 * finds it. */
#ifndef CALQUE_HW_DEBUGCON_H
#define CALQUE_HW_DEBUGCON_H

#include "hw/chardev.h"
#include "hw/machine.h"

void debugcon_add(Machine *m, uint16_t port, CharDev *cd);

#endif
