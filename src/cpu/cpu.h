/* The processor's behaviour apart from translation: what other folders call. */
#ifndef CALQUE_CPU_CPU_H
#define CALQUE_CPU_CPU_H

#include <stdio.h>

#include "cpu/state.h"

/* NULL: unknown model or feature; *error then names it and what is known.  spec is -cpu's argument
 * ("max", "pentium3,+sse2,-pae"); NULL for the default. */
CPUState *cpu_new(PhysMem *phys, IoPorts *io, const char *spec, char *error, size_t error_size);
void cpu_models_print(FILE *f); /* -cpu help: models and features */
void cpu_free(CPUState *cpu);
/* Room for the windows (softmmu/window.h, window_global.h), of which generated code makes use.  False: not for both; that is no
 * error. */
bool cpu_enable_windows(CPUState *cpu);
void cpu_reset(CPUState *cpu);             /* power-on / RESET# state, SDM 3A 9.1: CS:EIP = F000:FFF0, base FFFF0000 */
bool cpu_offers_apic(const CPUState *cpu); /* the model has a local APIC; the board decides (has_apic) */
void cpu_init_signal(CPUState *cpu);       /* INIT#: like reset but x87/SSE, MSRs and caches kept */

uint32_t cpu_mode(const CPUState *cpu);                     /* mode flags from the state */
void cpu_update_mode(CPUState *cpu);                        /* cpu->mode = cpu_mode(cpu) */
void cpu_sample_window(CPUState *cpu, bool fair);           /* at an interrupt (fair) or poll, see softmmu/window.h */
void cpu_update_mode_data_seg(CPUState *cpu, unsigned seg); /* when only ES, DS, FS or GS changed: cheaper */
uint32_t cpu_get_eflags(const CPUState *cpu);               /* all of it: arithmetic, DF and system */
/* All of it; requests exit when IF lets a pending interrupt in.  The mode follows the flags only: whoever changes CPL or segments
 * as well calls cpu_update_mode(). */
void cpu_set_eflags(CPUState *cpu, uint32_t value);
static inline uint32_t cpu_arith_flags(uint16_t cc)
{
    return (cc >> 8 & 0xd5) | (uint32_t)(cc & 1) << 11;
}
static inline uint16_t cpu_cc_from_flags(uint32_t fl)
{
    return (uint16_t)((fl & 0xd5) << 8 | (fl >> 11 & 1));
}
static inline unsigned cpu_cpl(const CPUState *cpu)
{
    return cpu->mode & MODE_CPL;
}

/* --- exceptions ------------------------------------------------------------------------------- */
/* Leave whatever is running: jump to *exc_env with the exception recorded; nothing is delivered yet.
 * EIP must be the faulting instruction's, registers and cc in CPUState. */
_Noreturn void cpu_raise(CPUState *cpu, int vector);
_Noreturn void cpu_raise_err(CPUState *cpu, int vector, uint32_t error);
_Noreturn void cpu_raise_pf(CPUState *cpu, const MmuFault *f); /* sets CR2 */
/* Not an exception: run the current instruction again, alone in its block (exec). */
_Noreturn void cpu_retry_single(CPUState *cpu);
enum { EXC_RETRY_SINGLE = 0x100, EXC_SOFT_INT = 0x200 };
/* For the execution loop, after the jump: delivers the recorded exception through the IVT/IDT
 * (double and triple faults handled inside; may itself cpu_raise()). */
void cpu_deliver(CPUState *cpu);
/* At a block boundary: takes the highest-priority pending event (SMI, NMI, INTR when IF and no shadow).
 * True: state changed.  Wakes from HLT. */
bool cpu_take_interrupt(CPUState *cpu);
bool cpu_has_work(const CPUState *cpu); /* would leave HLT now */
/* After a block in MODE_SINGLE completed normally; mode_before as when it was run: shadow and RF
 * clear, data breakpoints and TF raise #DB (through cpu_raise). */
void cpu_single_done(CPUState *cpu, uint32_t mode_before);
/* Before a block in MODE_DEBUG: execution breakpoints (raises #DB). */
void cpu_check_exec_breakpoint(CPUState *cpu);

/* Pins, called by devices on the machine thread. */
static inline void cpu_request_exit(CPUState *cpu)
{
    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_RELEASE);
}
/* From any thread. */
static inline void cpu_request_exit_from_outside(CPUState *cpu)
{
    __atomic_store_n(cpu->outside_request, 1, __ATOMIC_RELEASE);
}
/* Guest instructions run so far.  Inside one: it included. */
static inline uint64_t cpu_insns(const CPUState *cpu)
{
    return cpu->insns_granted - (uint64_t)(int64_t)cpu->insns_left;
}
static inline void cpu_set_intr(CPUState *cpu, bool level)
{
    cpu->intr_line = level;
    if (level && cpu->eflags & FL_IF) cpu_request_exit(cpu);
}
static inline void cpu_pulse_nmi(CPUState *cpu)
{
    cpu->nmi_pending = true;
    cpu_request_exit(cpu);
}
static inline void cpu_pulse_smi(CPUState *cpu)
{
    cpu->smi_pending = true;
    cpu_request_exit(cpu);
}
static inline void cpu_pulse_init(CPUState *cpu)
{
    cpu->init_pending = true;
    cpu_request_exit(cpu);
}
void cpu_set_a20(CPUState *cpu, bool enabled);

bool cpu_host_random(uint32_t *value); /* 32 bits from the host's cryptographic generator; false: none now */

/* --- memory with segmentation: cpu/mem.c -------------------------------------------------------- */
/* All checks; raise #GP, #SS, #PF, #AC.  size 1, 2, 4 (value zero-extended). */
uint32_t cpu_ld(CPUState *cpu, unsigned seg, uint32_t ea, unsigned size);
void cpu_st(CPUState *cpu, unsigned seg, uint32_t ea, uint32_t value, unsigned size);
void cpu_ld_bytes(CPUState *cpu, unsigned seg, uint32_t ea, void *buf, unsigned len);
void cpu_st_bytes(CPUState *cpu, unsigned seg, uint32_t ea, const void *buf, unsigned len);
/* Checks only (limit, rights, paging for writing): raise or return. */
void cpu_probe_write(CPUState *cpu, unsigned seg, uint32_t ea, unsigned len);
/* Implicit supervisor accesses by linear address (descriptor tables, TSS); raise #PF. */
uint64_t cpu_sys_ld(CPUState *cpu, uint32_t lin, unsigned size);
void cpu_sys_st(CPUState *cpu, uint32_t lin, uint64_t value, unsigned size);
static inline unsigned mode_mmu_idx(uint32_t mode)
{
    return (mode & MODE_CPL) == 3 ? MMU_USER : mode & MODE_SMAP ? MMU_SUPER_SMAP : MMU_SUPER;
}
static inline unsigned cpu_mmu_idx(const CPUState *cpu)
{
    return mode_mmu_idx(cpu->mode);
}

/* Slow paths of generated code.  lin = segment base + offset (mod 2^32), not yet checked; desc: */
enum {
    MEMD_SIZE = 0x1f,     /* bytes */
    MEMD_SEG_SHIFT = 5,   /* 3 bits */
    MEMD_FLAT = 1 << 8,   /* no segment check needed */
    MEMD_RMW = 1 << 9,    /* load that must be writable */
    MEMD_ALIGN = 1 << 10, /* #GP(0) unless a multiple of the size */
    MEMD_STORE = 1 << 13, /* a backend's own: this is a store */
    MEMD_IDX_SHIFT = 11,  /* 2 bits: mmu index */
};
uint32_t cpu_mem_ld(CPUState *cpu, uint32_t lin, uint32_t desc);
void cpu_mem_st(CPUState *cpu, uint32_t lin, uint32_t value, uint32_t desc);
void cpu_mem_st_checked(CPUState *cpu, uint32_t lin, uint32_t value, uint32_t desc); /* STRMW: cannot fault any more */
void cpu_mem_ld_fp(CPUState *cpu, uint32_t lin, uint32_t desc);       /* up to 16 bytes into cpu->bounce */
void cpu_mem_st_fp(CPUState *cpu, uint32_t lin, uint32_t desc);       /* from cpu->bounce */
void cpu_mem_probe_st_fp(CPUState *cpu, uint32_t lin, uint32_t desc); /* raises what cpu_mem_st_fp would */

/* --- segments --------------------------------------------------------------------------------- */
void cpu_seg_update_bounds(SegCache *s, bool is_cs, bool protected_mode);
void cpu_seg_load_real(CPUState *cpu, unsigned seg, uint16_t sel); /* real and v86 */

/* --- reference FP: cpu/ref_x87_*.c, cpu/ref_vec_*.c ------------------------------------------------ */
struct IrFp;
/* Executes one x87 / MMX / SSE operation on CPUState.fpu exactly as the instruction would, memory operand (if any)
 * in cpu->bounce (read from or written to there; the caller moves it).  May raise #MF, #XM.  GPR operands in cpu->regs,
 * EFLAGS results in cpu->cc. */
void cpu_ref_x87(CPUState *cpu, const struct IrFp *fp);
void cpu_ref_vec(CPUState *cpu, const struct IrFp *fp);

/* --- text, as QEMU's `info registers` and -d cpu show it ---------------------------------------- */
void cpu_print(const CPUState *cpu, void (*emit)(void *opaque, const char *line), void *opaque);

/* Helper prototypes and numbers. */
#define HELPER(name, ret, nargs, ...) HELPER_##name,
typedef enum HelperId {
#include "cpu/helpers.def"
    HELPER_COUNT
} HelperId;
#undef HELPER
void cpu_register_helpers(void); /* ir_set_helper_info() from the table */

#endif
