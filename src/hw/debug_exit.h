/* isa-debug-exit: a write of v ends the run with exit status (v << 1) | 1. */
#ifndef CALQUE_HW_DEBUG_EXIT_H
#define CALQUE_HW_DEBUG_EXIT_H

#include "hw/machine.h"

/* size: 1..8 ports. */
void debug_exit_add(Machine *m, uint16_t base, uint16_t size);

#endif
