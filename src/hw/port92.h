/* Port 92h, system control port A: fast A20 gate and fast reset. */
#ifndef CALQUE_HW_PORT92_H
#define CALQUE_HW_PORT92_H

#include "hw/machine.h"

typedef struct Port92 Port92;
Port92 *port92_new(Machine *m, IrqLine a20);
void port92_free(Port92 *p);

#endif
