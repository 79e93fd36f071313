/* Debug registers and single stepping, SDM 3B 17. */
#ifndef CALQUE_CPU_DEBUG_H
#define CALQUE_CPU_DEBUG_H

#include "cpu/cpu.h"

enum { DR6_FIXED = 0xffff0ff0, DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_BT = 1 << 15, DR6_HITS = 15 };
enum { DR7_FIXED = 0x400, DR7_ENABLES = 0xff, DR7_GD = 1 << 13, DR7_LOCAL = 0x155 };

/* A data access of len bytes at lin: breakpoints it hits are remembered for the trap after the
 * instruction. */
void cpu_debug_data(CPUState *cpu, uint32_t lin, unsigned len, bool write);
/* The same for a port access; for IN, OUT, INS, OUTS in MODE_DEBUG. */
void cpu_debug_io(CPUState *cpu, uint16_t port, unsigned size);

/* The instruction running exempts itself from what cpu_single_done() would do. */
static inline void cpu_keep(CPUState *cpu, unsigned kept)
{
    if (cpu->mode & MODE_SINGLE) cpu->event_kept |= (uint8_t)kept;
}

#endif
