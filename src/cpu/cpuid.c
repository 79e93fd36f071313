/* CPUID, one function per leaf (SDM 2A, CPUID). */
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/helpers.h"

typedef struct Leaf {
    uint32_t eax, ebx, ecx, edx;
} Leaf;

enum { LINE = 64, PHYS_BITS = PHYS_ADDR_BITS, LIN_BITS = 32 };
enum { LEAF_6_ARAT = 1 << 2 };

uint32_t cpu_signature(const CpuModel *m)
{
    uint32_t family = m->family < 15 ? m->family : 15;
    return (m->stepping & 15u) | (m->model & 15u) << 4 | family << 8 | (uint32_t)(m->model >> 4) << 16 |
           (m->family - family) << 20;
}

/* feat_* are what instructions go by; the APIC bit depends on the board and is added by leaf 1. */
void cpu_apply_model(CPUState *cpu)
{
    const CpuModel *m = cpu->model;
    cpu->feat_1_edx = m->features[FEAT_1_EDX] & ~(uint32_t)CPUID_APIC;
    cpu->feat_1_ecx = m->features[FEAT_1_ECX];
    cpu->feat_7_ebx = m->features[FEAT_7_EBX];
    cpu->feat_7_ecx = m->features[FEAT_7_ECX];
    cpu->feat_ext_edx = m->features[FEAT_EXT_EDX];
    cpu->feat_ext_ecx = m->features[FEAT_EXT_ECX];
}

bool cpu_offers_apic(const CPUState *cpu)
{
    return cpu->model->features[FEAT_1_EDX] & CPUID_APIC;
}

static uint32_t max_leaf(const CPUState *cpu)
{
    uint32_t max = cpu->model->max_leaf;
    return cpu->misc_enable & MISC_LIMIT_CPUID && max > 3 ? 3 : max;
}

static void leaf_0(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->eax = max_leaf(cpu);
    memcpy(&l->ebx, "Genu", 4);
    memcpy(&l->edx, "ineI", 4);
    memcpy(&l->ecx, "ntel", 4);
}

static void leaf_1(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->eax = cpu_signature(cpu->model);
    l->ebx = cpu->feat_1_edx & CPUID_CLFSH ? LINE / 8 << 8 : 0;
    l->ecx = cpu->feat_1_ecx;
    l->edx = cpu->feat_1_edx;
    if (!(cpu->misc_enable & MISC_MONITOR)) l->ecx &= ~(uint32_t)CPUID_MONITOR;
    /* EBX 31-24, the initial APIC ID, is 0. */
    if (!cpu->has_apic) l->ecx &= ~(uint32_t)CPUID_TSC_DEADLINE;
    if (cpu->has_apic && cpu->apic_base & APIC_BASE_ENABLE) l->edx |= cpu->model->features[FEAT_1_EDX] & CPUID_APIC;
}

static void leaf_2(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    const uint32_t *d = cpu->model->leaf2;
    *l = (Leaf){ d[0], d[1], d[2], d[3] };
}

static void leaf_4(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    if (sub >= sizeof(cpu->model->cache) / sizeof(cpu->model->cache[0])) return;
    const CpuCache *c = &cpu->model->cache[sub];
    if (!c->ways) return;
    l->eax = c->type | (uint32_t)c->level << 5 | 1 << 8; /* self-initialising; one thread, one core */
    l->ebx = (LINE - 1) | (c->ways - 1u) << 22;
    l->ecx = c->sets - 1u;
}

static void leaf_5(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    if (!(cpu->feat_1_ecx & CPUID_MONITOR)) return;
    l->eax = l->ebx = LINE;
}

/* The local APIC's timer runs at one rate in all power states, so systems need no other to wake them. */
static void leaf_6(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->eax = cpu->has_apic ? LEAF_6_ARAT : 0;
}

static void leaf_7(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    if (sub) return;
    l->ebx = cpu->feat_7_ebx;
    l->ecx = cpu->feat_7_ecx;
}

/* Topology: one thread in one core; APIC id 0. */
static void leaf_b(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)cpu;
    l->ecx = (sub & 0xff) | (sub < 2 ? (sub + 1) << 8 : 0);
    l->ebx = sub < 2;
}

/* TSC = crystal * EBX / EAX; the crystal of 1 GHz is also the clock of the local APIC's timer. */
static void leaf_15(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)cpu;
    (void)sub;
    *l = (Leaf){ 1, CPU_TSC_PER_NS, 1000000000, 0 };
}

static void leaf_16(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)cpu;
    (void)sub;
    *l = (Leaf){ CPU_TSC_MHZ, CPU_TSC_MHZ, 100, 0 };
}

static void leaf_none(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)cpu;
    (void)sub;
    (void)l;
}

static void leaf_ext_0(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->eax = cpu->model->max_ext_leaf;
}

static void leaf_ext_1(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->ecx = cpu->feat_ext_ecx;
    l->edx = cpu->feat_ext_edx;
    if (cpu->misc_enable & MISC_XD_DISABLE) l->edx &= ~(uint32_t)CPUID_NX;
}

static void brand_part(const CPUState *cpu, unsigned part, Leaf *l)
{
    char text[48] = { 0 };
    const char *brand = cpu->model->brand ? cpu->model->brand : "";
    size_t n = strlen(brand);
    memcpy(text, brand, n < sizeof(text) ? n : sizeof(text) - 1);
    memcpy(l, text + 16 * part, 16);
}
static void leaf_ext_2(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    brand_part(cpu, 0, l);
}

static void leaf_ext_3(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    brand_part(cpu, 1, l);
}

static void leaf_ext_4(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    brand_part(cpu, 2, l);
}

static void leaf_ext_6(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    const CpuCache *c = &cpu->model->cache[2];
    uint32_t ways_code = c->ways == 16 ? 8 : c->ways == 8 ? 6 : 0;
    l->ecx = (uint32_t)(c->ways * c->sets * LINE / 1024) << 16 | ways_code << 12 | LINE;
}

/* The TSC runs at one rate in all power states. */
static void leaf_ext_7(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)sub;
    l->edx = cpu->feat_1_edx & CPUID_TSC ? 1 << 8 : 0;
}

static void leaf_ext_8(const CPUState *cpu, uint32_t sub, Leaf *l)
{
    (void)cpu;
    (void)sub;
    l->eax = LIN_BITS << 8 | PHYS_BITS;
}

typedef void LeafFn(const CPUState *cpu, uint32_t sub, Leaf *l);
static LeafFn *const basic[0x17] = {
    [0] = leaf_0, [1] = leaf_1, [2] = leaf_2,  [4] = leaf_4,     [5] = leaf_5,
    [6] = leaf_6, [7] = leaf_7, [11] = leaf_b, [0x15] = leaf_15, [0x16] = leaf_16,
};
static LeafFn *const extended[9] = {
    leaf_ext_0, leaf_ext_1, leaf_ext_2, leaf_ext_3, leaf_ext_4, leaf_none, leaf_ext_6, leaf_ext_7, leaf_ext_8,
};

/* Beyond the highest leaf of either range Intel's processors answer as for the highest basic leaf. */
void helper_cpuid(CPUState *cpu)
{
    uint32_t leaf = cpu->regs[R_EAX], sub = cpu->regs[R_ECX];
    Leaf l = { 0 };
    if (leaf >= 0x80000000 && leaf <= cpu->model->max_ext_leaf && leaf - 0x80000000 < 9) {
        extended[leaf - 0x80000000](cpu, sub, &l);
    } else {
        uint32_t max = max_leaf(cpu);
        if (leaf > max) leaf = max;
        LeafFn *fn = leaf < 0x17 ? basic[leaf] : NULL;
        if (fn) fn(cpu, sub, &l);
    }
    cpu->regs[R_EAX] = l.eax;
    cpu->regs[R_EBX] = l.ebx;
    cpu->regs[R_ECX] = l.ecx;
    cpu->regs[R_EDX] = l.edx;
}
