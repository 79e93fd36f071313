/* CPU models and their CPUID leaves. */
#ifndef CALQUE_CPU_CPUID_H
#define CALQUE_CPU_CPUID_H

#include "cpu/cpu.h"

/* CPUID 1 EDX */
enum {
    CPUID_FPU = 1 << 0,
    CPUID_VME = 1 << 1,
    CPUID_DE = 1 << 2,
    CPUID_PSE = 1 << 3,
    CPUID_TSC = 1 << 4,
    CPUID_MSR = 1 << 5,
    CPUID_PAE = 1 << 6,
    CPUID_MCE = 1 << 7,
    CPUID_CX8 = 1 << 8,
    CPUID_APIC = 1 << 9,
    CPUID_SEP = 1 << 11,
    CPUID_MTRR = 1 << 12,
    CPUID_PGE = 1 << 13,
    CPUID_MCA = 1 << 14,
    CPUID_CMOV = 1 << 15,
    CPUID_PAT = 1 << 16,
    CPUID_PSE36 = 1 << 17,
    CPUID_CLFSH = 1 << 19,
    CPUID_MMX = 1 << 23,
    CPUID_FXSR = 1 << 24,
    CPUID_SSE = 1 << 25,
    CPUID_SSE2 = 1 << 26,
};
/* CPUID 1 ECX */
enum {
    CPUID_SSE3 = 1 << 0,
    CPUID_MONITOR = 1 << 3,
    CPUID_SSSE3 = 1 << 9,
    CPUID_SSE4_1 = 1 << 19,
    CPUID_SSE4_2 = 1 << 20,
    CPUID_POPCNT = 1 << 23,
    CPUID_TSC_DEADLINE = 1 << 24,
    CPUID_RDRAND = 1 << 30,
};
/* CPUID 7 EBX, ECX */
enum {
    CPUID_TSC_ADJUST = 1 << 1,
    CPUID_FDP_EXCPTN_ONLY = 1 << 6,
    CPUID_SMEP = 1 << 7,
    CPUID_ZERO_FCS_FDS = 1 << 13,
    CPUID_SMAP = 1 << 20,
    CPUID_UMIP = 1 << 2,
};
/* CPUID 80000001 EDX */
enum { CPUID_SYSCALL = 1 << 11, CPUID_NX = 1 << 20 };

enum { FEAT_1_EDX, FEAT_1_ECX, FEAT_7_EBX, FEAT_7_ECX, FEAT_EXT_EDX, FEAT_EXT_ECX, FEAT_WORDS };

/* One cache of leaf 4; ways 0 ends the list. */
typedef struct CpuCache {
    uint8_t level, type; /* type: 1 data, 2 code, 3 both */
    uint8_t ways;
    uint16_t sets; /* lines of 64 bytes */
} CpuCache;

typedef struct CpuModel {
    const char *name, *brand, *about;
    uint32_t max_leaf, max_ext_leaf;
    uint8_t family, model, stepping;
    uint32_t microcode; /* IA32_BIOS_SIGN_ID */
    uint32_t features[FEAT_WORDS];
    uint32_t leaf2[4];
    CpuCache cache[4];
} CpuModel;

extern const CpuModel cpu_models[];
extern const unsigned cpu_models_count;

/* One feature by name. */
typedef struct CpuFeature {
    const char *name, *alias; /* as in /proc/cpuinfo; as elsewhere, or NULL */
    uint8_t word;
    uint32_t bit;
    const char *needs; /* what makes no sense without it, or NULL */
} CpuFeature;
extern const CpuFeature cpu_features[];
extern const unsigned cpu_features_count;

/* Makes *out of "model,+feature,-feature,feature=on|off"; spec NULL or without a model: the default. */
bool cpu_model_parse(CpuModel *out, const char *spec, char *error, size_t error_size);
/* Puts the model's features in force (cpu->feat_*). */
void cpu_apply_model(CPUState *cpu);
uint32_t cpu_signature(const CpuModel *m); /* CPUID 1 EAX, and EDX after reset */

/* 2 GHz: two ticks of TSC per nanosecond of virtual time. */
enum { CPU_TSC_PER_NS = 2, CPU_TSC_MHZ = 2000 };
uint64_t cpu_tsc(const CPUState *cpu);
void cpu_set_tsc(CPUState *cpu, uint64_t value);

/* Power-on values of the MSRs. */
void cpu_reset_msrs(CPUState *cpu);
enum {
    MISC_FAST_STRINGS = 1,
    MISC_BTS_UNAVAILABLE = 1 << 11,
    MISC_PEBS_UNAVAILABLE = 1 << 12,
    MISC_MONITOR = 1 << 18,
    MISC_LIMIT_CPUID = 1 << 22
};
#define MISC_XD_DISABLE (UINT64_C(1) << 34)
enum { EFER_SCE = 1, EFER_NXE = 1 << 11 };

#endif
