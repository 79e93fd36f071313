/* Mode flags: everything in the CPU's state, besides EIP, CS base and limit, that a translation
 * depends on.  A block is found by these; cpu_mode() computes them. */
#ifndef CALQUE_CPU_MODE_H
#define CALQUE_CPU_MODE_H

#include <stdint.h>

enum {
    MODE_CPL = 3,        /* mask: current privilege level (3 in virtual-8086, 0 in real mode) */
    MODE_CS32 = 1 << 2,  /* default operand and address size 32 */
    MODE_SS32 = 1 << 3,  /* stack pointer is ESP, not SP */
    MODE_PE = 1 << 4,    /* CR0.PE */
    MODE_VM86 = 1 << 5,  /* EFLAGS.VM */
    MODE_TF = 1 << 6,    /* single step: blocks of one instruction, then #DB */
    MODE_FLAT_SHIFT = 7, /* bits 7..12: ES CS SS DS FS GS are base 0, limit 4 GiB; for data
                                * segments also present and writable.  CS: readable; never flat for writes */
    MODE_FLAT_ES = 1 << 7,
    MODE_FLAT_CS = 1 << 8,
    MODE_FLAT_SS = 1 << 9,
    MODE_FLAT_DS = 1 << 10,
    MODE_FLAT_FS = 1 << 11,
    MODE_FLAT_GS = 1 << 12,
    MODE_NM_FPU = 1 << 13,   /* x87 raises #NM (CR0.EM or TS) */
    MODE_NM_WAIT = 1 << 14,  /* WAIT raises #NM (CR0.MP and TS) */
    MODE_UD_MMX = 1 << 15,   /* MMX raises #UD (CR0.EM) */
    MODE_UD_SSE = 1 << 16,   /* SSE raises #UD (CR0.EM or not CR4.OSFXSR) */
    MODE_NM_VEC = 1 << 17,   /* MMX/SSE raise #NM (CR0.TS) */
    MODE_X87_SOFT = 1 << 18, /* an x87 exception is unmasked or pending: use the reference helpers */
    MODE_SSE_SOFT = 1 << 19, /* an SSE exception is unmasked: same */
    MODE_SMAP = 1 << 20,     /* CPL < 3, CR4.SMAP, EFLAGS.AC clear */
    MODE_AC = 1 << 21,       /* alignment checks: CR0.AM, EFLAGS.AC, CPL 3 */
    MODE_SHADOW = 1 << 22,   /* interrupts inhibited for one instruction (STI, MOV SS): block of one */
    MODE_DEBUG = 1 << 23,    /* DR7 enables a breakpoint: data accesses take the slow path,
                                * blocks of one instruction */
    MODE_RF = 1 << 24,       /* EFLAGS.RF set: block of one, no execution breakpoint, then RF clears */
    MODE_SMM = 1 << 25,
    MODE_WINDOW = 1 << 26, /* softmmu/window.h is open for this CPL: accesses go through it */
};

/* In these modes a block is one guest instruction and every exit goes back to the execution loop,
 * unchained; the loop then calls cpu_single_done(). */
#define MODE_SINGLE (MODE_TF | MODE_SHADOW | MODE_DEBUG | MODE_RF)
/* In these the backend makes every memory access through the slow path, which checks more. */
#define MODE_SLOW_MEM (MODE_AC | MODE_DEBUG)

#endif
