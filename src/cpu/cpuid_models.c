/* The CPU models, the features by name, and -cpu's argument.
 *
 * No model promises an instruction that this program does not carry out.  The default is an Atom: all that 32-bit
 * systems ask for (PAE, NX, SSE3), and, being an in-order design, one that operating systems know needs none of
 * their costly guards against speculation; nothing speculates here either. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"

#define F_486     (CPUID_FPU | CPUID_VME | CPUID_PSE)
#define F_PENTIUM (F_486 | CPUID_DE | CPUID_TSC | CPUID_MSR | CPUID_MCE | CPUID_CX8 | CPUID_APIC | CPUID_MMX)
#define F_P3                                                                                                           \
    (F_PENTIUM | CPUID_PAE | CPUID_SEP | CPUID_MTRR | CPUID_PGE | CPUID_MCA | CPUID_CMOV | CPUID_PAT | CPUID_PSE36 |   \
     CPUID_FXSR | CPUID_SSE)
#define F_P4    (F_P3 | CPUID_CLFSH | CPUID_SSE2)
#define F_CORE2 (CPUID_SSE3 | CPUID_SSSE3 | CPUID_MONITOR)

#define DEFAULT_MODEL "n270"

const CpuModel cpu_models[] = {
    {
        .name = "486",
        .about = "Intel 486 DX4 with CPUID",
        .max_leaf = 1,
        .family = 4,
        .model = 8,
        .features = { F_486 },
    },
    {
        .name = "pentium",
        .about = "Intel Pentium with MMX",
        .max_leaf = 1,
        .family = 5,
        .model = 4,
        .stepping = 3,
        .features = { F_PENTIUM },
    },
    {
        .name = "pentium3",
        .about = "Intel Pentium III: PAE, SSE",
        .max_leaf = 2,
        .family = 6,
        .model = 8,
        .stepping = 3,
        .microcode = 0x14,
        .features = { F_P3 },
        .leaf2 = { 0x03020101, 0, 0, 0x0c040882 },
    },
    {
        .name = "pentium4",
        .brand = "Intel(R) Pentium(R) 4 CPU",
        .about = "Intel Pentium 4: SSE2",
        .max_leaf = 2,
        .max_ext_leaf = 0x80000004,
        .family = 15,
        .model = 2,
        .stepping = 9,
        .microcode = 0x2e,
        .features = { F_P4 },
        .leaf2 = { 0x665b5001, 0, 0, 0x007b7040 },
    },
    {
        .name = "core2",
        .brand = "Intel(R) Core(TM)2 CPU",
        .about = "Intel Core 2: NX, SSSE3, MONITOR",
        .max_leaf = 10,
        .max_ext_leaf = 0x80000008,
        .family = 6,
        .model = 15,
        .stepping = 11,
        .microcode = 0xba,
        .features = { F_P4, F_CORE2, 0, 0, CPUID_NX },
        .leaf2 = { 0x05b0b101, 0x005657f0, 0, 0x2cb43049 },
        .cache = { { 1, 1, 8, 64 }, { 1, 2, 8, 64 }, { 2, 3, 16, 4096 } },
    },
    {
        .name = DEFAULT_MODEL,
        .brand = "Intel(R) Atom(TM) CPU N270",
        .about = "Intel Atom N270: NX, SSSE3",
        .max_leaf = 10,
        .max_ext_leaf = 0x80000008,
        .family = 6,
        .model = 28,
        .stepping = 2,
        .microcode = 0x218, /* below 20E systems give up 4 MiB pages (erratum AAE44) */
        .features = { F_P4, CPUID_SSE3 | CPUID_SSSE3, 0, 0, CPUID_NX },
        .leaf2 = { 0x4fba5901, 0x0e3080c0, 0, 0 },
        .cache = { { 1, 1, 6, 64 }, { 1, 2, 8, 64 }, { 2, 3, 8, 1024 } },
    },
    {
        .name = "max",
        .brand = "Calque virtual CPU, all features",
        .about = "everything that Calque implements",
        .max_leaf = 0x16,
        .max_ext_leaf = 0x80000008,
        .family = 6,
        .model = 28,
        .stepping = 10,
        .microcode = 0x218,
        .features = { F_P4, F_CORE2 | CPUID_SSE4_1 | CPUID_SSE4_2 | CPUID_POPCNT | CPUID_RDRAND | CPUID_TSC_DEADLINE,
                      CPUID_TSC_ADJUST | CPUID_SMEP | CPUID_SMAP, CPUID_UMIP, CPUID_SYSCALL | CPUID_NX },
        .leaf2 = { 0x4fba5901, 0x0e3080c0, 0, 0 },
        .cache = { { 1, 1, 8, 64 }, { 1, 2, 8, 64 }, { 2, 3, 8, 1024 } },
    },
};
const unsigned cpu_models_count = sizeof(cpu_models) / sizeof(cpu_models[0]);

const CpuFeature cpu_features[] = {
    { "fpu", NULL, FEAT_1_EDX, CPUID_FPU, NULL },
    { "vme", NULL, FEAT_1_EDX, CPUID_VME, NULL },
    { "de", NULL, FEAT_1_EDX, CPUID_DE, NULL },
    { "pse", NULL, FEAT_1_EDX, CPUID_PSE, NULL },
    { "tsc", NULL, FEAT_1_EDX, CPUID_TSC, NULL },
    { "msr", NULL, FEAT_1_EDX, CPUID_MSR, NULL },
    { "pae", NULL, FEAT_1_EDX, CPUID_PAE, NULL },
    { "mce", NULL, FEAT_1_EDX, CPUID_MCE, NULL },
    { "cx8", "cmpxchg8b", FEAT_1_EDX, CPUID_CX8, NULL },
    { "apic", NULL, FEAT_1_EDX, CPUID_APIC, NULL },
    { "sep", NULL, FEAT_1_EDX, CPUID_SEP, "msr" },
    { "mtrr", NULL, FEAT_1_EDX, CPUID_MTRR, "msr" },
    { "pge", NULL, FEAT_1_EDX, CPUID_PGE, NULL },
    { "mca", NULL, FEAT_1_EDX, CPUID_MCA, "mce" },
    { "cmov", NULL, FEAT_1_EDX, CPUID_CMOV, NULL },
    { "pat", NULL, FEAT_1_EDX, CPUID_PAT, "msr" },
    { "pse36", "pse-36", FEAT_1_EDX, CPUID_PSE36, "pse" },
    { "clflush", "clfsh", FEAT_1_EDX, CPUID_CLFSH, NULL },
    { "mmx", NULL, FEAT_1_EDX, CPUID_MMX, "fpu" },
    { "fxsr", NULL, FEAT_1_EDX, CPUID_FXSR, "fpu" },
    { "sse", NULL, FEAT_1_EDX, CPUID_SSE, "fxsr" },
    { "sse2", NULL, FEAT_1_EDX, CPUID_SSE2, "sse" },
    { "pni", "sse3", FEAT_1_ECX, CPUID_SSE3, "sse2" },
    { "monitor", NULL, FEAT_1_ECX, CPUID_MONITOR, NULL },
    { "ssse3", NULL, FEAT_1_ECX, CPUID_SSSE3, "pni" },
    { "sse4_1", "sse4.1", FEAT_1_ECX, CPUID_SSE4_1, "ssse3" },
    { "sse4_2", "sse4.2", FEAT_1_ECX, CPUID_SSE4_2, "sse4_1" },
    { "popcnt", NULL, FEAT_1_ECX, CPUID_POPCNT, NULL },
    { "tsc_deadline_timer", "tsc-deadline", FEAT_1_ECX, CPUID_TSC_DEADLINE, "apic" },
    { "rdrand", NULL, FEAT_1_ECX, CPUID_RDRAND, NULL },
    { "tsc_adjust", NULL, FEAT_7_EBX, CPUID_TSC_ADJUST, "tsc" },
    { "smep", NULL, FEAT_7_EBX, CPUID_SMEP, NULL },
    { "smap", NULL, FEAT_7_EBX, CPUID_SMAP, NULL },
    { "umip", NULL, FEAT_7_ECX, CPUID_UMIP, NULL },
    { "syscall", NULL, FEAT_EXT_EDX, CPUID_SYSCALL, "msr" },
    { "nx", "xd", FEAT_EXT_EDX, CPUID_NX, "pae" },
};
const unsigned cpu_features_count = sizeof(cpu_features) / sizeof(cpu_features[0]);

/* --- parsing ------------------------------------------------------------------------------------ */

/* Case and - or _ do not matter. */
static bool same_name(const char *a, const char *b, size_t len)
{
    if (strlen(b) != len) return false;
    for (size_t i = 0; i < len; i++) {
        char x = (char)tolower((unsigned char)a[i]), y = b[i];
        if (x != y && !(strchr("-_.", x) && strchr("-_.", y) && x && y)) return false;
    }
    return true;
}

static const CpuFeature *find_feature(const char *name, size_t len)
{
    for (unsigned i = 0; i < cpu_features_count; i++) {
        const CpuFeature *f = &cpu_features[i];
        if (same_name(name, f->name, len) || (f->alias && same_name(name, f->alias, len))) return f;
    }
    return NULL;
}

static bool has(const CpuModel *m, const CpuFeature *f)
{
    return (m->features[f->word] & f->bit) != 0;
}

static void add_feature(CpuModel *m, const CpuFeature *f)
{
    for (; f; f = f->needs ? find_feature(f->needs, strlen(f->needs)) : NULL) m->features[f->word] |= f->bit;
}

/* The table lists a feature after what it needs, so one pass drops all dependents. */
static void remove_feature(CpuModel *m, const CpuFeature *gone)
{
    m->features[gone->word] &= ~gone->bit;
    for (unsigned i = 0; i < cpu_features_count; i++) {
        const CpuFeature *f = &cpu_features[i];
        if (f->needs && !has(m, find_feature(f->needs, strlen(f->needs)))) m->features[f->word] &= ~f->bit;
    }
}

/* Room in CPUID for what was added, and what always goes with leaf 7: FOP, FDP and FDS kept only for
 * unmasked exceptions, FCS and FDS zero. */
static void settle(CpuModel *m)
{
    if ((m->features[FEAT_7_EBX] || m->features[FEAT_7_ECX]) && m->max_leaf < 7) m->max_leaf = 7;
    if (m->max_leaf >= 7) m->features[FEAT_7_EBX] |= CPUID_FDP_EXCPTN_ONLY | CPUID_ZERO_FCS_FDS;
    if (m->max_leaf < 5 && (m->features[FEAT_1_ECX] & CPUID_MONITOR)) m->max_leaf = 5;
    if ((m->features[FEAT_EXT_EDX] || m->features[FEAT_EXT_ECX]) && m->max_ext_leaf < 0x80000001)
        m->max_ext_leaf = 0x80000001;
}

static bool parse_model(CpuModel *out, const char *name, size_t len, char *error, size_t error_size)
{
    for (unsigned i = 0; i < cpu_models_count; i++) {
        if (!same_name(name, cpu_models[i].name, len)) continue;
        *out = cpu_models[i];
        return true;
    }
    size_t n = (size_t)snprintf(error, error_size, "unknown CPU model '%.*s'; known:", (int)len, name);
    for (unsigned i = 0; i < cpu_models_count && n < error_size; i++)
        n += (size_t)snprintf(error + n, error_size - n, " %s", cpu_models[i].name);
    return false;
}

/* "+name", "-name", "name", "name=on", "name=off" */
static bool parse_feature(CpuModel *m, const char *item, size_t len, char *error, size_t error_size)
{
    bool on = true;
    const char *name = item;
    size_t name_len = len;
    if (len && (*item == '+' || *item == '-')) {
        on = *item == '+';
        name++;
        name_len--;
    } else {
        const char *eq = memchr(item, '=', len);
        if (eq) {
            name_len = (size_t)(eq - item);
            size_t value_len = len - name_len - 1;
            on = same_name(eq + 1, "on", value_len);
            if (!on && !same_name(eq + 1, "off", value_len)) {
                snprintf(error, error_size, "CPU feature '%.*s': on or off?", (int)len, item);
                return false;
            }
        }
    }
    const CpuFeature *f = find_feature(name, name_len);
    if (!f) {
        size_t n = (size_t)snprintf(error, error_size, "unknown CPU feature '%.*s'; known:", (int)name_len, name);
        for (unsigned i = 0; i < cpu_features_count && n < error_size; i++)
            n += (size_t)snprintf(error + n, error_size - n, " %s", cpu_features[i].name);
        return false;
    }
    if (on)
        add_feature(m, f);
    else
        remove_feature(m, f);
    return true;
}

bool cpu_model_parse(CpuModel *out, const char *spec, char *error, size_t error_size)
{
    bool first = true;
    parse_model(out, DEFAULT_MODEL, strlen(DEFAULT_MODEL), error, error_size);
    while (spec && *spec) {
        size_t len = strcspn(spec, ",");
        bool is_feature = !first || *spec == '+' || *spec == '-';
        if (is_feature ? !parse_feature(out, spec, len, error, error_size)
                       : !parse_model(out, spec, len, error, error_size))
            return false;
        first = false;
        spec += len;
        if (*spec == ',') spec++;
    }
    settle(out);
    return true;
}

void cpu_models_print(FILE *f)
{
    fputs("Available CPUs:\n", f);
    for (unsigned i = 0; i < cpu_models_count; i++)
        fprintf(f, "  %-10s %s%s\n", cpu_models[i].name, cpu_models[i].about,
                strcmp(cpu_models[i].name, DEFAULT_MODEL) == 0 ? " (default)" : "");
    fputs("\nRecognized features (+name or -name after the model):\n ", f);
    for (unsigned i = 0, column = 1; i < cpu_features_count; i++) {
        column += (unsigned)strlen(cpu_features[i].name) + 1;
        if (column > 78) {
            fputs("\n ", f);
            column = 2 + (unsigned)strlen(cpu_features[i].name);
        }
        fprintf(f, " %s", cpu_features[i].name);
    }
    fputc('\n', f);
}
