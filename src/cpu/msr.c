/* Model-specific registers, time stamp and performance counters.
 *
 * One table says which MSRs there are, when, where they live and what may be written; the rest raise #GP(0), as in
 * hardware.  MTRRs and PAT are kept but have no effect: memory here is always coherent. */
#include <stddef.h>

#include "cpu/cpuid.h"
#include "cpu/helpers.h"

uint64_t cpu_tsc(const CPUState *cpu)
{
    uint64_t ns = cpu->clock_ns ? cpu->clock_ns(cpu->clock_opaque) : cpu_insns(cpu);
    return ns * CPU_TSC_PER_NS + cpu->tsc_offset;
}

void cpu_set_tsc(CPUState *cpu, uint64_t value)
{
    cpu->tsc_offset += value - cpu_tsc(cpu);
}

/* --- registers that need code ------------------------------------------------------------------- */

typedef bool MsrRead(CPUState *cpu, uint32_t n, uint64_t *value);
typedef bool MsrWrite(CPUState *cpu, uint32_t n, uint64_t value); /* false: #GP(0) */

static bool read_tsc(CPUState *cpu, uint32_t n, uint64_t *value)
{
    (void)n;
    *value = cpu_tsc(cpu);
    return true;
}

/* A write to either of TSC and TSC_ADJUST moves the other by as much (SDM 3B 18.17.3). */
static bool write_tsc(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    uint64_t before = cpu->tsc_offset;
    cpu_set_tsc(cpu, value);
    cpu->tsc_adjust_offset += cpu->tsc_offset - before;
    if (cpu->apic_ops) cpu->apic_ops->tsc_moved(cpu->apic);
    return true;
}

static bool write_tsc_adjust(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    cpu->tsc_offset += value - cpu->tsc_adjust_offset;
    cpu->tsc_adjust_offset = value;
    if (cpu->apic_ops) cpu->apic_ops->tsc_moved(cpu->apic);
    return true;
}

/* IA32_BIOS_SIGN_ID: the revision in the upper half.  Systems write 0, execute CPUID and read. */
static bool read_microcode(CPUState *cpu, uint32_t n, uint64_t *value)
{
    (void)n;
    *value = (uint64_t)cpu->model->microcode << 32;
    return true;
}

/* Unmodelled and harmless: an update that is not taken, counters and logs without events. */
static bool read_zero(CPUState *cpu, uint32_t n, uint64_t *value)
{
    (void)cpu;
    (void)n;
    *value = 0;
    return true;
}

static bool write_ignored(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)cpu;
    (void)n;
    (void)value;
    return true;
}

static bool write_zero(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)cpu;
    (void)n;
    return value == 0;
}

enum { MTRR_VAR_PAIRS = 8, MTRR_CAP = MTRR_VAR_PAIRS | 1 << 8 | 1 << 10 };

static bool read_mtrr_cap(CPUState *cpu, uint32_t n, uint64_t *value)
{
    (void)cpu;
    (void)n;
    *value = MTRR_CAP;
    return true;
}

/* UC, WC, WT, WP, WB; PAT also has UC-. */
static bool mem_type_ok(unsigned type, bool pat)
{
    return type <= 1 || (type >= 4 && type <= (pat ? 7 : 6));
}

static bool mem_types_ok(uint64_t value, bool pat)
{
    for (unsigned i = 0; i < 64; i += 8)
        if (!mem_type_ok(value >> i & 0xff, pat)) return false;
    return true;
}

static bool write_pat(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    if (!mem_types_ok(value, true)) return false;
    cpu->pat = value;
    return true;
}

/* 250, 258, 259, 268..26F */
static int fixed_slot(uint32_t msr)
{
    if (msr == 0x250) return 0;
    if (msr <= 0x259) return (int)(msr - 0x258) + 1;
    return (int)(msr - 0x268) + 3;
}

static bool read_mtrr_fixed(CPUState *cpu, uint32_t n, uint64_t *value)
{
    *value = cpu->mtrr_fixed[fixed_slot(n)];
    return true;
}

static bool write_mtrr_fixed(CPUState *cpu, uint32_t n, uint64_t value)
{
    if (!mem_types_ok(value, false)) return false;
    cpu->mtrr_fixed[fixed_slot(n)] = value;
    return true;
}

static bool read_mtrr_var(CPUState *cpu, uint32_t n, uint64_t *value)
{
    *value = cpu->mtrr_var[n - 0x200];
    return true;
}

static bool write_mtrr_var(CPUState *cpu, uint32_t n, uint64_t value)
{
    uint64_t address = ((UINT64_C(1) << PHYS_ADDR_BITS) - 1) & ~UINT64_C(0xfff);
    bool is_mask = n & 1;
    if (value & ~(address | (is_mask ? 0x800 : 0xff))) return false;
    if (!is_mask && !mem_type_ok(value & 0xff, false)) return false;
    cpu->mtrr_var[n - 0x200] = value;
    return true;
}

static bool write_mtrr_def(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    if (value & ~UINT64_C(0xcff) || !mem_type_ok(value & 0xff, false)) return false;
    cpu->mtrr_def = value;
    return true;
}

static bool write_efer(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    uint64_t known = (cpu->feat_ext_edx & CPUID_SYSCALL ? EFER_SCE : 0) | (cpu->feat_ext_edx & CPUID_NX ? EFER_NXE : 0);
    if (cpu->misc_enable & MISC_XD_DISABLE) known &= ~(uint64_t)EFER_NXE;
    if (value & ~known) return false;
    if (!mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, (value & EFER_NXE) != 0, false)) return false;
    cpu->efer = value;
    return true;
}

/* IA32_MISC_ENABLE: what systems switch has effect (CPUID shows it), the rest stays as it was. */
static bool write_misc_enable(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    uint64_t settable = MISC_FAST_STRINGS | MISC_LIMIT_CPUID;
    if (cpu->feat_1_ecx & CPUID_MONITOR) settable |= MISC_MONITOR;
    if (cpu->feat_ext_edx & CPUID_NX) settable |= MISC_XD_DISABLE;
    cpu->misc_enable = (cpu->misc_enable & ~settable) | (value & settable);
    return true;
}

/* IA32_APIC_BASE, SDM 3A 11.4.4; no x2APIC mode.  That this is the bootstrap processor cannot be changed. */
static void set_apic_base(CPUState *cpu, uint64_t value)
{
    cpu->apic_base = value;
    if (cpu->apic_ops) cpu->apic_ops->set_base(cpu->apic, value);
}

static bool write_apic_base(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    uint64_t known = (((UINT64_C(1) << PHYS_ADDR_BITS) - 1) & ~UINT64_C(0xfff)) | APIC_BASE_ENABLE | APIC_BASE_BSP;
    if (value & ~known) return false;
    set_apic_base(cpu, (value & ~(uint64_t)APIC_BASE_BSP) | (cpu->apic_base & APIC_BASE_BSP));
    return true;
}

static bool read_tsc_deadline(CPUState *cpu, uint32_t n, uint64_t *value)
{
    (void)n;
    *value = cpu->apic_ops ? cpu->apic_ops->tsc_deadline(cpu->apic) : 0;
    return true;
}

static bool write_tsc_deadline(CPUState *cpu, uint32_t n, uint64_t value)
{
    (void)n;
    if (cpu->apic_ops) cpu->apic_ops->set_tsc_deadline(cpu->apic, value);
    return true;
}

/* --- the table ---------------------------------------------------------------------------------- */

/* When an MSR is there: with a feature bit, from a family on, or with a local APIC. */
enum { WHEN_ALWAYS, WHEN_EDX, WHEN_7_EBX, WHEN_EXT_EDX, WHEN_P6, WHEN_MISC, WHEN_APIC, WHEN_DEADLINE };

typedef struct Msr {
    uint32_t first, last;
    uint8_t when;
    uint8_t size;     /* of the field below: 4 or 8 bytes; 0: by functions only */
    uint32_t feature; /* any of these bits */
    uint16_t offset;  /* in CPUState: what is read, and written when there is no function */
    MsrRead *read;
    MsrWrite *write; /* with size 0 and no function: read-only */
    uint64_t reserved;
} Msr;

#define FIELD64(field) .size = 8, .offset = offsetof(CPUState, field)
#define FIELD32(field) .size = 4, .offset = offsetof(CPUState, field)

static const Msr table[] = {
    { 0x000, 0x001, WHEN_EDX, .feature = CPUID_MCE, .read = read_zero, .write = write_ignored }, /* P5_MC_ADDR, TYPE */
    { 0x010, 0x010, WHEN_EDX, .feature = CPUID_TSC, .read = read_tsc, .write = write_tsc },
    { 0x017, 0x017, WHEN_P6, .read = read_zero }, /* IA32_PLATFORM_ID */
    { 0x01b, 0x01b, WHEN_APIC, FIELD64(apic_base), .write = write_apic_base },
    { 0x02a, 0x02a, WHEN_P6, .read = read_zero, .write = write_ignored }, /* EBL_CR_POWERON */
    { 0x034, 0x034, WHEN_MISC, .read = read_zero },                       /* SMI_COUNT */
    { 0x03b, 0x03b, WHEN_7_EBX, .feature = CPUID_TSC_ADJUST, FIELD64(tsc_adjust_offset), .write = write_tsc_adjust },
    { 0x079, 0x079, WHEN_P6, .write = write_ignored }, /* IA32_BIOS_UPDT_TRIG: write-only */
    { 0x08b, 0x08b, WHEN_P6, .read = read_microcode, .write = write_ignored },
    { 0x0fe, 0x0fe, WHEN_EDX, .feature = CPUID_MTRR, .read = read_mtrr_cap },
    { 0x174, 0x174, WHEN_EDX, .feature = CPUID_SEP, FIELD32(sysenter_cs) },
    { 0x175, 0x175, WHEN_EDX, .feature = CPUID_SEP, FIELD32(sysenter_esp) },
    { 0x176, 0x176, WHEN_EDX, .feature = CPUID_SEP, FIELD32(sysenter_eip) },
    { 0x179, 0x179, WHEN_EDX, .feature = CPUID_MCA, .read = read_zero }, /* IA32_MCG_CAP: no banks */
    { 0x17a, 0x17a, WHEN_EDX, .feature = CPUID_MCA, .read = read_zero, .write = write_zero }, /* IA32_MCG_STATUS */
    { 0x1a0, 0x1a0, WHEN_MISC, FIELD64(misc_enable), .write = write_misc_enable },
    /* LBR and BTF; branches are not recorded, and single steps are not taken by branches only. */
    { 0x1d9, 0x1d9, WHEN_P6, FIELD64(debugctl), .reserved = ~UINT64_C(3) },
    { 0x1db, 0x1de, WHEN_P6, .read = read_zero }, /* LASTBRANCH, LASTINT */
    { 0x200, 0x20f, WHEN_EDX, .feature = CPUID_MTRR, .read = read_mtrr_var, .write = write_mtrr_var },
    { 0x250, 0x250, WHEN_EDX, .feature = CPUID_MTRR, .read = read_mtrr_fixed, .write = write_mtrr_fixed },
    { 0x258, 0x259, WHEN_EDX, .feature = CPUID_MTRR, .read = read_mtrr_fixed, .write = write_mtrr_fixed },
    { 0x268, 0x26f, WHEN_EDX, .feature = CPUID_MTRR, .read = read_mtrr_fixed, .write = write_mtrr_fixed },
    { 0x277, 0x277, WHEN_EDX, .feature = CPUID_PAT, FIELD64(pat), .write = write_pat },
    { 0x2ff, 0x2ff, WHEN_EDX, .feature = CPUID_MTRR, FIELD64(mtrr_def), .write = write_mtrr_def },
    { 0x6e0, 0x6e0, WHEN_DEADLINE, .read = read_tsc_deadline, .write = write_tsc_deadline },
    { 0xc0000080, 0xc0000080, WHEN_EXT_EDX, .feature = CPUID_NX | CPUID_SYSCALL, FIELD64(efer), .write = write_efer },
    { 0xc0000081, 0xc0000081, WHEN_EXT_EDX, .feature = CPUID_SYSCALL, FIELD64(star) },
};

static bool is_there(const CPUState *cpu, const Msr *m)
{
    unsigned family = cpu->model->family, model = cpu->model->model;
    switch (m->when) {
    case WHEN_EDX: return (cpu->feat_1_edx & m->feature) != 0;
    case WHEN_7_EBX: return (cpu->feat_7_ebx & m->feature) != 0;
    case WHEN_EXT_EDX: return (cpu->feat_ext_edx & m->feature) != 0;
    case WHEN_P6: return family >= 6;
    case WHEN_MISC: return family > 6 || (family == 6 && model >= 14);
    case WHEN_APIC: return cpu->has_apic;
    case WHEN_DEADLINE: return cpu->has_apic && (cpu->feat_1_ecx & CPUID_TSC_DEADLINE);
    default: return true;
    }
}

static const Msr *find_msr(const CPUState *cpu, uint32_t n)
{
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const Msr *m = &table[i];
        if (n >= m->first && n <= m->last) return is_there(cpu, m) ? m : NULL;
    }
    return NULL;
}

static bool read_msr(CPUState *cpu, uint32_t n, uint64_t *value)
{
    const Msr *m = find_msr(cpu, n);
    if (!m) return false;
    if (m->read) return m->read(cpu, n, value);
    const uint8_t *field = (const uint8_t *)cpu + m->offset;
    if (m->size == 8)
        *value = *(const uint64_t *)field;
    else if (m->size == 4)
        *value = *(const uint32_t *)field;
    else
        return false;
    return true;
}

static bool write_msr(CPUState *cpu, uint32_t n, uint64_t value)
{
    const Msr *m = find_msr(cpu, n);
    if (!m) return false;
    if (m->write) return m->write(cpu, n, value);
    if (value & m->reserved) return false;
    uint8_t *field = (uint8_t *)cpu + m->offset;
    if (m->size == 8)
        *(uint64_t *)field = value;
    else if (m->size == 4)
        *(uint32_t *)field = (uint32_t)value;
    else
        return false;
    return true;
}

void cpu_reset_msrs(CPUState *cpu)
{
    cpu->efer = 0;
    cpu->pat = UINT64_C(0x0007040600070406);
    set_apic_base(cpu, cpu->has_apic ? APIC_BASE_DEFAULT | APIC_BASE_ENABLE | APIC_BASE_BSP : 0);
    cpu->misc_enable = MISC_FAST_STRINGS | MISC_BTS_UNAVAILABLE | MISC_PEBS_UNAVAILABLE |
                       (cpu->feat_1_ecx & CPUID_MONITOR ? MISC_MONITOR : 0);
    cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
    cpu->mtrr_def = 0;
    for (unsigned i = 0; i < 11; i++) cpu->mtrr_fixed[i] = 0;
    for (unsigned i = 0; i < 16; i++) cpu->mtrr_var[i] = 0;
    cpu->star = 0;
    cpu->debugctl = 0;
    cpu->tsc_adjust_offset = 0;
    cpu_set_tsc(cpu, 0);
}

/* --- instructions ------------------------------------------------------------------------------- */

static void set_edx_eax(CPUState *cpu, uint64_t value)
{
    cpu->regs[R_EAX] = (uint32_t)value;
    cpu->regs[R_EDX] = (uint32_t)(value >> 32);
}

static void check_msr_access(CPUState *cpu)
{
    if (!(cpu->feat_1_edx & CPUID_MSR)) cpu_raise(cpu, EXC_UD);
    if (cpu_cpl(cpu)) cpu_raise_err(cpu, EXC_GP, 0);
}

void helper_rdmsr(CPUState *cpu)
{
    uint64_t value;
    check_msr_access(cpu);
    if (!read_msr(cpu, cpu->regs[R_ECX], &value)) cpu_raise_err(cpu, EXC_GP, 0);
    set_edx_eax(cpu, value);
}

void helper_wrmsr(CPUState *cpu)
{
    check_msr_access(cpu);
    uint64_t value = (uint64_t)cpu->regs[R_EDX] << 32 | cpu->regs[R_EAX];
    if (!write_msr(cpu, cpu->regs[R_ECX], value)) cpu_raise_err(cpu, EXC_GP, 0);
    cpu_update_mode(cpu);
}

void helper_rdtsc(CPUState *cpu)
{
    if (!(cpu->feat_1_edx & CPUID_TSC)) cpu_raise(cpu, EXC_UD);
    if (cpu->cr4 & CR4_TSD && cpu_cpl(cpu)) cpu_raise_err(cpu, EXC_GP, 0);
    set_edx_eax(cpu, cpu_tsc(cpu));
}

/* No model has architectural performance monitoring, so no counter number is valid. */
void helper_rdpmc(CPUState *cpu)
{
    if (cpu->model->family < 6 && !(cpu->feat_1_edx & CPUID_MMX)) cpu_raise(cpu, EXC_UD);
    cpu_raise_err(cpu, EXC_GP, 0);
}
