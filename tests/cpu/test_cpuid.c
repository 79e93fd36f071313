/* Models, features by name, leaves. */
#include <string.h>

#include "priv.h"

static void leaf(uint32_t n, uint32_t sub)
{
    cpu->regs[R_EAX] = n;
    cpu->regs[R_ECX] = sub;
    helper_cpuid(cpu);
}

static bool parse_fails(const char *spec, const char *names)
{
    char error[512] = "";
    CpuModel m;
    return !cpu_model_parse(&m, spec, error, sizeof(error)) && strstr(error, names) && !strchr(error, '\n');
}

static uint32_t word(const char *spec, unsigned n)
{
    CpuModel m;
    char error[256];
    return cpu_model_parse(&m, spec, error, sizeof(error)) ? m.features[n] : 0;
}

static void test_models(void)
{
    static const struct {
        const char *name;
        uint32_t signature;
    } known[] = {
        { "486", 0x480 },   { "pentium", 0x543 }, { "pentium3", 0x683 }, { "pentium4", 0xf29 },
        { "core2", 0x6fb }, { "n270", 0x106c2 },  { "max", 0x106ca },
    };
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        priv_start(known[i].name);
        ok(cpu->regs[R_EDX] == known[i].signature, "%s: EDX after reset", known[i].name);
        leaf(1, 0);
        ok(cpu->regs[R_EAX] == known[i].signature && !(cpu->regs[R_EDX] & CPUID_APIC), "%s: leaf 1", known[i].name);
        ok(!(cpu->regs[R_ECX] >> 31), "%s: no hypervisor bit", known[i].name);
        leaf(0, 0);
        uint32_t max = cpu->regs[R_EAX];
        ok(max == cpu->model->max_leaf && cpu->regs[R_EBX] == 0x756e6547, "%s: leaf 0", known[i].name);
        leaf(7, 0);
        if (max >= 7) ok((cpu->regs[R_EBX] & 0x2040) == 0x2040, "%s: FDP and FCS bits of leaf 7", known[i].name);
        leaf(max, 0);
        uint32_t eax = cpu->regs[R_EAX], edx = cpu->regs[R_EDX];
        leaf(0x40000000, 0);
        ok(cpu->regs[R_EAX] == eax && cpu->regs[R_EDX] == edx, "%s: out of range: highest leaf", known[i].name);
        for (uint32_t n = 0; n < 0x30; n++)
            for (uint32_t sub = 0; sub < 300; sub += 23) leaf(n, sub);
        for (uint32_t n = 0x80000000; n < 0x80000020; n++) leaf(n, UINT32_MAX);
    }
}

static void test_default(void)
{
    const uint32_t need = CPUID_PAE | CPUID_CX8 | CPUID_CMOV | CPUID_SSE2 | CPUID_SEP | CPUID_FXSR;
    priv_start(NULL);
    leaf(1, 0);
    ok((cpu->regs[R_EDX] & need) == need, "default: what 686-pae systems need");
    leaf(0x80000001, 0);
    ok(cpu->regs[R_EDX] & CPUID_NX, "default: NX");
    cpu->has_apic = true;
    cpu_reset(cpu);
    leaf(1, 0);
    ok(cpu->regs[R_EDX] & CPUID_APIC, "APIC bit once there is one");
    leaf(6, 0);
    ok(cpu->regs[R_EAX] & 4, "its timer always runs");
    cpu->apic_base &= ~(uint64_t)APIC_BASE_ENABLE;
    leaf(1, 0);
    ok(!(cpu->regs[R_EDX] & CPUID_APIC), "but not while it is switched off");
    cpu_reset(cpu);
    char brand[49] = "";
    for (uint32_t i = 0; i < 3; i++) {
        leaf(0x80000002 + i, 0);
        memcpy(brand + 16 * i, &cpu->regs[R_EAX], 4);
        memcpy(brand + 16 * i + 4, &cpu->regs[R_EBX], 4);
        memcpy(brand + 16 * i + 8, &cpu->regs[R_ECX], 4);
        memcpy(brand + 16 * i + 12, &cpu->regs[R_EDX], 4);
    }
    ok(strcmp(brand, cpu->model->brand) == 0, "brand string");
    unsigned kib = 0;
    for (uint32_t i = 0; i < 8; i++) {
        leaf(4, i);
        if (!(cpu->regs[R_EAX] & 31)) break;
        kib += ((cpu->regs[R_EBX] >> 22) + 1) * ((cpu->regs[R_EBX] & 0xfff) + 1) * (cpu->regs[R_ECX] + 1) / 1024;
    }
    ok(kib == 24 + 32 + 512, "leaf 4: caches");
    cpu->misc_enable |= MISC_LIMIT_CPUID;
    leaf(0, 0);
    ok(cpu->regs[R_EAX] == 3, "IA32_MISC_ENABLE can limit the leaves");
    priv_start("max");
    leaf(0x15, 0);
    ok((uint64_t)cpu->regs[R_ECX] * cpu->regs[R_EBX] / cpu->regs[R_EAX] == 2000000000, "leaf 15: 2 GHz");
    uint32_t a = helper_rdrand(cpu, 4), b = helper_rdrand(cpu, 4), c = helper_rdrand(cpu, 4);
    ok(cpu_arith_flags(cpu->cc) == FL_CF && !(a == b && b == c), "RDRAND");
    for (unsigned i = 0; i < 200; i++) a |= helper_rdrand(cpu, 2);
    ok(helper_rdrand(cpu, 2) <= 0xffff, "RDRAND, 16 bits");
}

int main(void)
{
    test_models();
    test_default();
    ok(word("pentium3,+sse2", FEAT_1_EDX) & CPUID_SSE2, "+feature");
    ok(!(word("pentium4,-sse2", FEAT_1_EDX) & CPUID_SSE2), "-feature");
    ok(word("pentium,+ssse3", FEAT_1_EDX) & CPUID_FXSR, "a feature brings what it needs");
    ok(!(word("core2,-sse", FEAT_1_ECX) & (CPUID_SSE3 | CPUID_SSSE3)), "and takes its dependents along");
    ok(word("max,sse4.2=off", FEAT_1_ECX) & CPUID_SSE4_1 && !(word("max,SSE4-2=off", FEAT_1_ECX) & CPUID_SSE4_2),
       "other spellings, on and off");
    ok(!(word("-nx", FEAT_EXT_EDX) & CPUID_NX), "features alone change the default model");
    ok(parse_fails("z80", "known: 486 pentium"), "unknown model");
    ok(parse_fails("max,+avx", "unknown CPU feature 'avx'"), "unknown feature");
    ok(parse_fails("max,sse=maybe", "on or off"), "bad value");
    ok(parse_fails("max,,", "unknown CPU feature ''"), "empty feature");
    FILE *f = tmpfile();
    if (f) {
        cpu_models_print(f);
        ok(ftell(f) > 200, "list of models");
        fclose(f);
    }
    priv_end();
    return tap_done();
}
