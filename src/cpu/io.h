/* The right to use I/O ports. */
#ifndef CALQUE_CPU_IO_H
#define CALQUE_CPU_IO_H

#include "cpu/cpu.h"

/* Raises #GP(0) unless IOPL or the TSS's I/O permission bitmap allows all ports of the access (#PF while
 * reading it).  size 1, 2 or 4.  Notes I/O breakpoints. */
void cpu_check_io(CPUState *cpu, uint16_t port, unsigned size);

#endif
