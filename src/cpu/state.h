/* CPUState: the guest processor.  Generated code addresses it through one host register; the fields
 * it uses most come first. */
#ifndef CALQUE_CPU_STATE_H
#define CALQUE_CPU_STATE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/mode.h"
#include "softmmu/ioport.h"
#include "softmmu/mmu.h"

enum { R_EAX, R_ECX, R_EDX, R_EBX, R_ESP, R_EBP, R_ESI, R_EDI };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

/* EFLAGS, SDM 1 3.4.3 */
enum {
    FL_CF = 1,
    FL_1 = 2,
    FL_PF = 4,
    FL_AF = 0x10,
    FL_ZF = 0x40,
    FL_SF = 0x80,
    FL_TF = 0x100,
    FL_IF = 0x200,
    FL_DF = 0x400,
    FL_OF = 0x800,
    FL_IOPL = 0x3000,
    FL_NT = 0x4000,
    FL_RF = 0x10000,
    FL_VM = 0x20000,
    FL_AC = 0x40000,
    FL_VIF = 0x80000,
    FL_VIP = 0x100000,
    FL_ID = 0x200000,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
};
enum {
    CR0_PE = 1,
    CR0_MP = 2,
    CR0_EM = 4,
    CR0_TS = 8,
    CR0_ET = 0x10,
    CR0_NE = 0x20,
    CR0_WP = 0x10000,
    CR0_AM = 0x40000,
    CR0_NW = 0x20000000,
    CR0_CD = 0x40000000,
};
#define CR0_PG 0x80000000u
enum {
    CR4_VME = 1,
    CR4_PVI = 2,
    CR4_TSD = 4,
    CR4_DE = 8,
    CR4_PSE = 0x10,
    CR4_PAE = 0x20,
    CR4_MCE = 0x40,
    CR4_PGE = 0x80,
    CR4_PCE = 0x100,
    CR4_OSFXSR = 0x200,
    CR4_OSXMMEXCPT = 0x400,
    CR4_UMIP = 0x800,
    CR4_SMEP = 0x100000,
    CR4_SMAP = 0x200000,
};
enum {
    EXC_DE,
    EXC_DB,
    EXC_NMI,
    EXC_BP,
    EXC_OF,
    EXC_BR,
    EXC_UD,
    EXC_NM,
    EXC_DF,
    EXC_COSEG,
    EXC_TS,
    EXC_NP,
    EXC_SS,
    EXC_GP,
    EXC_PF,
    EXC_MF = 16,
    EXC_AC,
    EXC_MC,
    EXC_XM,
};

/* Segment register with its hidden part. */
typedef struct SegCache {
    uint32_t base, limit; /* limit in bytes, inclusive */
    /* Fast bound checks in generated code: an access of up to 16 bytes at offset o needs no further check
     * when o < rd_bound (reads) or o < wr_bound (writes).  0 when not readable / writable, unusable, or
     * expand-down.  Kept by cpu_seg_update_bounds(). */
    uint32_t rd_bound, wr_bound;
    uint16_t sel;
    uint16_t attr; /* descriptor bits 40..55: type 0-3, S 4, DPL 5-6, P 7, (limit 8-11 = 0), AVL 12, D/B 14, G 15 */
} SegCache;
enum {
    SEG_A = 1,
    SEG_W = 2,
    SEG_R = 2,
    SEG_E = 4,
    SEG_C = 4,
    SEG_X = 8,
    SEG_S = 0x10,
    SEG_DPL = 0x60,
    SEG_P = 0x80,
    SEG_AVL = 0x1000,
    SEG_DB = 0x4000,
    SEG_G = 0x8000,
};
static inline unsigned seg_dpl(const SegCache *s)
{
    return s->attr >> 5 & 3;
}

/* x87 and SSE state, as FXSAVE describes it. */
typedef struct Fp80 {
    uint64_t mant;
    uint16_t se; /* sign and exponent */
} Fp80;
typedef union XmmReg {
    uint8_t b[16];
    uint16_t w[8];
    uint32_t d[4];
    uint64_t q[2];
    float f[4];
    double lf[2];
} XmmReg;
typedef struct FpuState {
    _Alignas(16) XmmReg xmm[8];
    Fp80 r[8];         /* physical registers R0..R7; ST(i) = r[(top + i) & 7]; MMi = r[i].mant */
    uint16_t cw, sw;   /* sw holds TOP in bits 11-13 */
    uint8_t tag_valid; /* bit i: physical register i is not empty (abridged tag word) */
    uint16_t fop, fcs, fds;
    uint32_t fip, fdp;
    uint32_t mxcsr;
    uint32_t operand_ea; /* soft mode: offset of the memory operand in progress, becomes fdp on an unmasked exception */
} FpuState;

typedef uint32_t CpuExitReason;

/* The local APIC as the processor's MSRs and INIT# see it. */
typedef struct CpuApicOps {
    void (*set_base)(void *apic, uint64_t base); /* IA32_APIC_BASE has a new value */
    void (*init)(void *apic);                    /* INIT# */
    uint64_t (*tsc_deadline)(void *apic);        /* IA32_TSC_DEADLINE; 0: not armed */
    void (*set_tsc_deadline)(void *apic, uint64_t tsc);
    void (*tsc_moved)(void *apic); /* the TSC has been set */
} CpuApicOps;

/* As many as a compiler has functions and switches at work; 4096 sent GCC out of generated code a million times a second. */
enum { JUMP_CACHE_BITS = 15, JUMP_CACHE_SIZE = 1 << JUMP_CACHE_BITS };

typedef struct CPUState {
    /* Hot: within reach of an 8-bit displacement. */
    uint32_t regs[8];
    uint32_t eip;          /* valid outside generated code, and wherever something may raise */
    uint32_t exit_request; /* nonzero: leave generated code at the next poll (atomic) */
    int32_t insns_left;    /* counting: instructions until the execution loop wants to be asked; blocks take theirs */
    uint16_t cc;           /* saved arithmetic flags, LAHF/SETO format: low byte = OF (0/1), high byte = SF ZF AF PF CF
                            * at their EFLAGS positions.  cpu_get_eflags() puts it together */
    uint16_t pad0;
    uint32_t eflags; /* the other flags: TF IF IOPL NT RF VM AC VIF VIP ID (bit 1 set; arithmetic and DF bits 0) */
    int32_t
        df; /* direction: +1 or -1.  Here, between two that are changed one after the other: compilers make one of them
                       * when they are neighbours, for which the host waits if it finds one of them in its store buffer */
    uint32_t mode;    /* mode flags in force, see cpu_mode(); refreshed by the execution loop */
    uint32_t mode_id; /* unique for (mode, CS base, CS limit); exec's */
    uint32_t scratch32;
    uint32_t call_arg[4];      /* the backend's: arguments of a callout on their way */
    uint64_t backend_tmp[12];  /* for the backend's thunks */
    uint32_t spill[64];        /* the backend's: temporaries that found no register */
    bool reserved;             /* lies in front of address space for the system's window */
    bool run_failed;           /* with cpu_retry_single(): the block is not to merge page checks again */
    const void *window_bad_pc; /* in the code cache: an access that the window does not help (softmmu/window.h); NULL */
    const void *host_pc;       /* where in the code cache the last callout or slow path came from; NULL outside */
    void *host_sp;             /* the backend's: host stack on entry */
    void *exit_slot;           /* exec's: the unchained direct exit just taken, or NULL */
    SegCache seg[SEG_COUNT];
    _Alignas(64) uint8_t bounce[64]; /* backends' bounce buffer for FP memory operands */
    FpuState fpu;

    uint32_t cr0, cr2, cr3, cr4;
    uint32_t dr[8];
    struct {
        uint32_t base;
        uint16_t limit;
    } gdt, idt;
    bool a20;
    uint8_t shadow;       /* interrupt shadow: SHADOW_* */
    uint8_t cpl;          /* current privilege level: set with every CS load; 3 in v86, 0 in real mode */
    uint8_t event_kept;   /* KEPT_*: what the instruction just run exempts from cpu_single_done() */
    uint32_t dr6_pending; /* data and I/O breakpoints hit by the current instruction (DR6 bits) */
    bool halted;          /* HLT executed */
    bool in_smm;
    bool smi_pending, nmi_pending, nmi_blocked, init_pending;
    bool shutdown; /* triple fault */
    uint8_t nest;  /* exception being delivered, for double faults (cpu/interrupt.c) */
    uint32_t smbase;

    /* Pending exception, between cpu_raise() and its delivery. */
    int exc_vector; /* -1: none */
    uint32_t exc_error;
    bool exc_has_error, exc_is_soft; /* soft: INT n, INT3, INTO (EIP is that of the next instruction) */
    jmp_buf *exc_env;                /* where cpu_raise() jumps to: the execution loop */

    /* MSRs */
    uint64_t efer, pat, apic_base, misc_enable, tsc_adjust_offset;
    uint32_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t mtrr_def, mtrr_fixed[11], mtrr_var[16];
    uint64_t star; /* SYSCALL */

    /* CPUID model, cpu/cpuid.c */
    struct CpuModel *model;
    uint32_t feat_1_edx, feat_1_ecx, feat_7_ebx, feat_ext_edx, feat_ext_ecx; /* features in force */
    uint32_t feat_7_ecx;
    bool has_apic; /* the board has wired a local APIC: CPUID and IA32_APIC_BASE show it */
    /* MONITOR: the line as it was when armed (cpu/control.c) */
    bool monitor_armed;
    PhysAddr monitor_addr;
    uint8_t monitor_line[64];
    uint64_t debugctl;

    /* The outside, set by the board. */
    IoPorts *io;
    int (*intr_ack)(void *opaque); /* interrupt acknowledge cycle: vector from PIC or APIC */
    void *intr_opaque;
    bool intr_line;             /* INTR pin */
    uint8_t intr_vector;        /* of the interrupt taken last */
    const CpuApicOps *apic_ops; /* with has_apic; else NULL */
    void *apic;
    void (*smm_change)(void *opaque, bool in_smm); /* SMIACT#: SMRAM appears or goes; may be NULL */
    void *smm_opaque;
    bool smm_nmi_blocked;                   /* NMI blocking as it was before SMM */
    void (*ferr)(void *opaque, bool level); /* FERR# (CR0.NE = 0) -> IRQ 13; may be NULL */
    void *ferr_opaque;
    /* exec's: called before a guest store of len bytes to RAM at addr that holds translated code; may
     * cpu_retry_single() when the running block would be hit. */
    void (*code_write_check)(struct CPUState *, PhysAddr addr, unsigned len);
    /* exec's: EmitInfo.lookup, an indirect jump or return has another target than the last time. */
    void (*lookup_seen)(struct CPUState *, uint32_t eip);
    uint64_t (*clock_ns)(void *opaque); /* virtual time, for TSC */
    void *clock_opaque;
    uint64_t tsc_offset;
    /* Reference state owner: a backend that keeps x87 state in host registers installs these. */
    void (*fpu_sync_out)(struct CPUState *); /* host -> CPUState.fpu, NULL when CPUState.fpu is the truth */
    void (*fpu_sync_in)(struct CPUState *);  /* CPUState.fpu -> host */
    /* The backend's: carries out the transcendental instruction D9 modrm on *f, where no exception is pending, on the host's
     * own x87; NULL: it has none. */
    void (*x87_transcendental)(FpuState *f, uint8_t modrm);

    /* RDRAND's source of random bits; false: none to be had now.  NULL: the host's. */
    bool (*random)(void *opaque, uint32_t *value);
    void *random_opaque;
    /* Where other threads ask for what exit_request asks for: just that, or, when guest code must not notice before the
     * block's end (-accel lockstep), outside_held. */
    uint32_t *outside_request;

    struct Exec *exec; /* exec's own */
    /* Instructions run: cpu_insns().  counting: exactly, and insns_left is kept; else a few for each turn of the loop.
     * granted: run when insns_left is used up. */
    bool counting;
    uint64_t insns_granted;

    Mmu mmu;
    /* Indirect-branch lookup, read by generated code (exec/lookup.c fills it): entry matches when eip and mode_id do. */
    struct JumpCacheEntry {
        uint32_t eip, mode_id;
        const void *code;
    } jump_cache[JUMP_CACHE_SIZE];
    uint32_t outside_held;
} CPUState;

/* IA32_APIC_BASE */
enum { APIC_BASE_BSP = 1 << 8, APIC_BASE_ENABLE = 1 << 11 };
#define APIC_BASE_DEFAULT 0xfee00000u

enum { SHADOW_STI = 1, SHADOW_MOVSS = 2 };
/* KEPT_RF: IRET or a task switch loaded RF afresh.  KEPT_STEP: no single-step trap (INT n, task switch). */
enum { KEPT_RF = 1, KEPT_STEP = 2 };
static inline unsigned cpu_jump_hash(uint32_t eip)
{
    return (eip ^ eip >> JUMP_CACHE_BITS) & (JUMP_CACHE_SIZE - 1);
}

#endif
