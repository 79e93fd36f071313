#include "cpu/debug.h"
#include "cpu/helpers.h"

/* DR7 R/W field */
enum { BP_EXEC, BP_WRITE, BP_IO, BP_ACCESS };

typedef struct Breakpoint {
    uint32_t start, len;
    unsigned kind; /* BP_* */
} Breakpoint;

/* False: not enabled.  DR7 LEN: 1, 2, 8 (undefined for 32-bit; taken as 8) or 4 bytes, aligned by masking. */
static bool breakpoint(const CPUState *cpu, unsigned i, Breakpoint *bp)
{
    static const uint8_t lengths[4] = { 1, 2, 8, 4 };
    uint32_t dr7 = cpu->dr[7];
    if (!(dr7 >> (i * 2) & 3)) return false;
    bp->kind = dr7 >> (16 + i * 4) & 3;
    bp->len = lengths[dr7 >> (18 + i * 4) & 3];
    bp->start = cpu->dr[i] & ~(bp->len - 1);
    return true;
}

static bool overlaps(const Breakpoint *bp, uint32_t at, uint32_t len)
{
    return at - bp->start < bp->len || bp->start - at < len;
}

void cpu_debug_data(CPUState *cpu, uint32_t lin, unsigned len, bool write)
{
    Breakpoint bp;
    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(cpu, i, &bp) && (bp.kind == BP_ACCESS || (bp.kind == BP_WRITE && write)) &&
            overlaps(&bp, lin, len))
            cpu->dr6_pending |= 1u << i;
}

void cpu_debug_io(CPUState *cpu, uint16_t port, unsigned size)
{
    Breakpoint bp;
    if (!(cpu->cr4 & CR4_DE)) return;
    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(cpu, i, &bp) && bp.kind == BP_IO && overlaps(&bp, port, size)) cpu->dr6_pending |= 1u << i;
}

/* A MOV SS just before holds off code breakpoints (SDM 3A 6.8.3). */
void cpu_check_exec_breakpoint(CPUState *cpu)
{
    Breakpoint bp;
    uint32_t hits = 0, lin = cpu->seg[SEG_CS].base + cpu->eip;
    if (cpu->eflags & FL_RF || cpu->shadow & SHADOW_MOVSS) return;
    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(cpu, i, &bp) && bp.kind == BP_EXEC && cpu->dr[i] == lin) hits |= 1u << i;
    if (!hits) return;
    cpu->dr[6] = (cpu->dr[6] & ~(uint32_t)DR6_HITS) | hits;
    cpu_raise(cpu, EXC_DB);
}

void cpu_single_done(CPUState *cpu, uint32_t mode_before)
{
    unsigned kept = cpu->event_kept;
    cpu->event_kept = 0;
    if (mode_before & MODE_RF && !(kept & KEPT_RF)) cpu->eflags &= ~(uint32_t)FL_RF;
    if (mode_before & MODE_SHADOW) cpu->shadow = 0;
    cpu_update_mode(cpu);
    if (cpu_has_work(cpu)) cpu_request_exit(cpu);
    /* Debug traps of a MOV SS wait for the next instruction's end; its own single step is lost. */
    if (cpu->shadow & SHADOW_MOVSS) return;

    uint32_t hits = cpu->dr6_pending;
    cpu->dr6_pending = 0;
    if (mode_before & MODE_TF && !(kept & KEPT_STEP)) hits |= DR6_BS;
    if (!hits) return;
    cpu->dr[6] = (cpu->dr[6] & ~(uint32_t)DR6_HITS) | hits;
    cpu_raise(cpu, EXC_DB);
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE makes them undefined. */
static unsigned check_access(CPUState *cpu, uint32_t n)
{
    if (n > 7) cpu_raise(cpu, EXC_UD);
    if (n == 4 || n == 5) {
        if (cpu->cr4 & CR4_DE) cpu_raise(cpu, EXC_UD);
        n += 2;
    }
    if (cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
    if (cpu->dr[7] & DR7_GD) {
        cpu->dr[6] |= DR6_BD;
        cpu_raise(cpu, EXC_DB);
    }
    return n;
}

uint32_t helper_read_dr(CPUState *cpu, uint32_t n)
{
    return cpu->dr[check_access(cpu, n)];
}

void helper_write_dr(CPUState *cpu, uint32_t n, uint32_t value)
{
    enum { DR6_WRITABLE = DR6_HITS | DR6_BD | DR6_BS | DR6_BT };
    const uint32_t dr7_writable = 0xffff23ffu;
    n = check_access(cpu, n);
    if (n == 6)
        value = (value & DR6_WRITABLE) | DR6_FIXED;
    else if (n == 7)
        value = (value & dr7_writable) | DR7_FIXED;
    cpu->dr[n] = value;
    cpu_update_mode(cpu);
}
