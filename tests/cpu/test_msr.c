/* MSRs, time stamp counter. */
#include "priv.h"

static uint64_t now_ns;
static uint64_t clock_ns(void *opaque)
{
    (void)opaque;
    return now_ns;
}

static int rd(uint32_t n, uint64_t *value)
{
    cpu->regs[R_ECX] = n;
    int vector = RAISED(helper_rdmsr(cpu));
    *value = (uint64_t)cpu->regs[R_EDX] << 32 | cpu->regs[R_EAX];
    return vector;
}

static int wr(uint32_t n, uint64_t value)
{
    cpu->regs[R_ECX] = n;
    cpu->regs[R_EAX] = (uint32_t)value;
    cpu->regs[R_EDX] = (uint32_t)(value >> 32);
    return RAISED(helper_wrmsr(cpu));
}

static bool keeps(uint32_t n, uint64_t value)
{
    uint64_t v;
    return wr(n, value) < 0 && rd(n, &v) < 0 && v == value;
}

static bool refuses(uint32_t n, uint64_t value)
{
    uint64_t before = 0, after = 0;
    rd(n, &before);
    bool raised = wr(n, value) == EXC_GP && cpu->exc_error == 0;
    rd(n, &after);
    return raised && before == after;
}

static void test_tsc(void)
{
    uint64_t v;
    now_ns = 1000;
    cpu->clock_ns = clock_ns;
    cpu_reset(cpu);
    ok(rd(0x10, &v) < 0 && v == 0, "TSC is 0 after reset");
    now_ns += 500;
    ok(rd(0x10, &v) < 0 && v == 1000, "two ticks a nanosecond");
    helper_rdtsc(cpu);
    ok(cpu->regs[R_EAX] == 1000 && cpu->regs[R_EDX] == 0, "RDTSC");
    ok(wr(0x10, UINT64_C(1) << 40) < 0 && rd(0x3b, &v) < 0 && v == (UINT64_C(1) << 40) - 1000,
       "TSC write shows in TSC_ADJUST");
    ok(wr(0x3b, 0) < 0 && rd(0x10, &v) < 0 && v == 1000, "TSC_ADJUST moves the TSC");
    priv_level(3, 0);
    ok(RAISED(helper_rdtsc(cpu)) < 0, "RDTSC at CPL 3");
    cpu->cr4 |= CR4_TSD;
    ok(RAISED(helper_rdtsc(cpu)) == EXC_GP, "CR4.TSD");
    ok(rd(0x10, &v) == EXC_GP && wr(0x10, 0) == EXC_GP, "RDMSR and WRMSR need CPL 0");
    ok(RAISED(helper_rdpmc(cpu)) == EXC_GP, "RDPMC");
}

static uint64_t apic_base, apic_deadline;
static int apic_inits, apic_tsc_moves;
static void set_base(void *apic, uint64_t base)
{
    (void)apic;
    apic_base = base;
}
static void apic_init(void *apic)
{
    (void)apic;
    apic_inits++;
}
static uint64_t deadline(void *apic)
{
    (void)apic;
    return apic_deadline;
}
static void set_deadline(void *apic, uint64_t tsc)
{
    (void)apic;
    apic_deadline = tsc;
}
static void tsc_moved(void *apic)
{
    (void)apic;
    apic_tsc_moves++;
}

static void test_apic(void)
{
    static const CpuApicOps ops = { set_base, apic_init, deadline, set_deadline, tsc_moved };
    uint64_t v;
    cpu->apic_ops = &ops;
    ok(wr(0x1b, 0xfed80800) < 0 && apic_base == 0xfed80900, "the board is told of the APIC's base");
    ok(wr(0x1b, 0xfee00c00) == EXC_GP, "no x2APIC mode");
    ok(keeps(0x6e0, 0x123456789ab) && apic_deadline == 0x123456789ab, "TSC deadline");
    ok(wr(0x10, 0) < 0 && wr(0x3b, 5) < 0 && apic_tsc_moves == 2, "and of the TSC's moves");
    cpu_init_signal(cpu);
    cpu_reset(cpu);
    ok(apic_inits == 1 && apic_base == 0xfee00900 && rd(0x1b, &v) < 0, "INIT# and RESET#");
    cpu->apic_ops = NULL;
}

static void test_registers(void)
{
    uint64_t v;
    ok(rd(0x12345678, &v) == EXC_GP && wr(0x12345678, 0) == EXC_GP, "unknown MSR");
    ok(rd(0xfe, &v) < 0 && v == 0x508 && refuses(0xfe, 0), "MTRRcap is read-only");
    ok(keeps(0x2ff, 0xc06) && refuses(0x2ff, 0x1000) && refuses(0x2ff, 2), "MTRRdefType");
    for (uint32_t n = 0x200; n <= 0x20f; n++)
        if (!keeps(n, n & 1 ? UINT64_C(0xffff00800) : UINT64_C(0x123456006))) ok(false, "MTRR %x", n);
    ok(refuses(0x200, 2) && refuses(0x200, 0x100) && refuses(0x201, 1) && refuses(0x201, UINT64_C(1) << 36),
       "variable MTRRs check types and reserved bits");
    static const uint16_t fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
    unsigned bad = 0;
    for (unsigned i = 0; i < 11; i++) bad += !keeps(fixed[i], UINT64_C(0x0605040100060500) + i % 2);
    for (unsigned i = 0; i < 11; i++) bad += rd(fixed[i], &v) >= 0 || v != UINT64_C(0x0605040100060500) + i % 2;
    ok(bad == 0 && refuses(0x26f, 7), "fixed MTRRs");
    ok(rd(0x277, &v) < 0 && v == UINT64_C(0x0007040600070406), "PAT after reset");
    ok(keeps(0x277, UINT64_C(0x0007010600070106)) && refuses(0x277, 2), "PAT");
    ok(keeps(0x174, 0x60) && keeps(0x175, 0xfffff000) && keeps(0x176, 0xc0100000), "SYSENTER");
    ok(keeps(0xc0000080, EFER_NXE | EFER_SCE) && cpu->mmu.nx && refuses(0xc0000080, 0x100), "EFER");
    ok(keeps(0xc0000080, 0) && !cpu->mmu.nx, "NXE off");
    ok(keeps(0xc0000081, UINT64_C(0x0023001bc0100000)), "STAR");
    ok(rd(0x8b, &v) < 0 && v >> 32 == cpu->model->microcode && wr(0x8b, 0) < 0, "microcode revision");
    ok(rd(0x17, &v) < 0 && wr(0x17, 0) == EXC_GP, "platform id is read-only");
    ok(rd(0x79, &v) == EXC_GP && wr(0x79, 0) < 0, "update trigger is write-only");
    ok(rd(0x179, &v) < 0 && v == 0 && wr(0x17a, 0) < 0 && wr(0x17a, 1) == EXC_GP, "no machine check banks");
    ok(rd(0x1b, &v) == EXC_GP && rd(0x6e0, &v) == EXC_GP, "no APIC, no APIC base and no TSC deadline");
    cpu->has_apic = true;
    cpu_reset(cpu);
    ok(rd(0x1b, &v) < 0 && v == 0xfee00900 && refuses(0x1b, UINT64_C(1) << 36), "APIC base");
    ok(wr(0x1b, 0xfee00000) < 0 && rd(0x1b, &v) < 0 && v == 0xfee00100, "the BSP bit stays");
    test_apic();
    ok(wr(0x1a0, MISC_XD_DISABLE) < 0 && rd(0x1a0, &v) < 0 && v & MISC_XD_DISABLE && v & 0x1800, "MISC_ENABLE");
    ok(wr(0xc0000080, EFER_NXE) == EXC_GP, "XD disabled: no NXE");
}

int main(void)
{
    uint64_t v;
    priv_start("max");
    test_registers();
    test_tsc();
    priv_start("pentium");
    ok(rd(0x10, &v) < 0 && rd(0x174, &v) == EXC_GP && rd(0xfe, &v) == EXC_GP && rd(0xc0000080, &v) == EXC_GP,
       "pentium has few");
    priv_start("486");
    ok(rd(0x10, &v) == EXC_UD && RAISED(helper_rdtsc(cpu)) == EXC_UD, "486 has none");
    priv_end();
    return tap_done();
}
