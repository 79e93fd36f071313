/* System management mode, SDM 3C 34. */
#ifndef CALQUE_CPU_SMM_H
#define CALQUE_CPU_SMM_H

#include "cpu/cpu.h"

/* Saves the state at SMBASE + 0x8000 and enters the handler. */
void cpu_enter_smm(CPUState *cpu);

#endif
