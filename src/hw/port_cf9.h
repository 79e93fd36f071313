/* Port cf9h, the PIIX's reset control register. */
#ifndef CALQUE_HW_PORT_CF9_H
#define CALQUE_HW_PORT_CF9_H

#include "hw/machine.h"

enum { PORT_CF9 = 0xcf9, CF9_HARD_RESET = 6 };

typedef struct PortCf9 PortCf9;
PortCf9 *port_cf9_new(Machine *m);
void port_cf9_free(PortCf9 *p);

#endif
