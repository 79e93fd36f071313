/* x87 and SSE state apart from arithmetic: reset, status and control words, which modes they ask for. */
#ifndef CALQUE_CPU_FPU_H
#define CALQUE_CPU_FPU_H

#include "cpu/cpu.h"

enum { /* status word, SDM 1 8.1.3; the low six bits are the exceptions IE DE ZE OE UE PE */
       SW_EXC = 0x3f,
       SW_SF = 0x40,
       SW_ES = 0x80,
       SW_C0 = 0x100,
       SW_C1 = 0x200,
       SW_C2 = 0x400,
       SW_TOP = 0x3800,
       SW_C3 = 0x4000,
       SW_B = 0x8000,
       SW_TOP_SHIFT = 11,
       SW_CC = SW_C0 | SW_C2 | SW_C3,
};
enum { CW_EXC = 0x3f, CW_PC_SHIFT = 8, CW_RC_SHIFT = 10, CW_ALWAYS = 0x40, CW_WRITABLE = 0x1f3f };
enum {
    MXCSR_EXC = 0x3f,
    MXCSR_DAZ = 0x40,
    MXCSR_MASK_SHIFT = 7,
    MXCSR_RC_SHIFT = 13,
    MXCSR_FTZ = 0x8000,
    MXCSR_MASK = 0xffff,
    MXCSR_RESET = 0x1f80,
};

void fpu_init(CPUState *cpu);  /* what FNINIT does */
void fpu_reset(CPUState *cpu); /* power-on: x87 registers +0, CW 0040, SSE zero, SDM 3A table 9-1 */

/* MODE_X87_SOFT | MODE_SSE_SOFT as the control words, status word and MXCSR ask. */
uint32_t fpu_mode_bits(const CPUState *cpu);

/* Recomputes ES and B from the exceptions and their masks and drives FERR# (CR0.NE = 0). */
void fpu_update_summary(CPUState *cpu);
/* A waiting instruction starts: raises #MF when an unmasked exception is pending and CR0.NE is set.
 * With CR0.NE clear FERR# is asserted, and the instruction goes on as it would under IGNNE#. */
void fpu_check_pending(CPUState *cpu);

/* As cpu_ref_x87(), by opcode (D8..DF) and ModRM; false when an unmasked exception forbids storing the
 * memory operand. */
bool fpu_run_x87(CPUState *cpu, uint8_t opcode, uint8_t modrm);

#endif
