/* The absolute pointer: VMware's backdoor port with its mouse, as Linux, X.Org and Windows guests know it.  The guest
 * that has switched it on is told positions on the screen, so the user's mouse need not be grabbed. */
#ifndef CALQUE_HW_VMMOUSE_H
#define CALQUE_HW_VMMOUSE_H

#include "hw/i8042.h"

typedef struct VmMouse VmMouse;
/* kbc's mouse gives the interrupt. */
VmMouse *vmmouse_new(Machine *m, Input *in, I8042 *kbc);
void vmmouse_free(VmMouse *v);

#endif
