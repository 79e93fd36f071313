/* Ports 80h and 84h-86h, 88h, 8ch-8eh: the POST code latch and the unused DMA page registers around it,
 * plain bytes that can be read back.  Guests write them to wait for a microsecond. */
#ifndef CALQUE_HW_PORT80_H
#define CALQUE_HW_PORT80_H

#include "hw/machine.h"

typedef struct Port80 Port80;
Port80 *port80_new(Machine *m);
void port80_free(Port80 *p);
uint8_t port80_code(const Port80 *p); /* the last POST code */

#endif
