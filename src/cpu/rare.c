/* Integer instructions too rare or too long for generated code. */
#include <string.h>

#include "cpu/helpers.h"
#include "cpu/mem.h"

static uint32_t stack_mask(const CPUState *cpu)
{
    return cpu->seg[SEG_SS].attr & SEG_DB ? 0xffffffffu : 0xffffu;
}

static void set_esp(CPUState *cpu, uint32_t esp)
{
    uint32_t mask = stack_mask(cpu);
    cpu->regs[R_ESP] = (cpu->regs[R_ESP] & ~mask) | (esp & mask);
}

static void set_low(uint32_t *reg, uint32_t v, unsigned opsize)
{
    *reg = opsize == 2 ? (*reg & 0xffff0000u) | (v & 0xffff) : v;
}

/* --- PUSHA, POPA, ENTER, BOUND --------------------------------------------------------------------------- */
/* As on silicon, a fault in the middle leaves what has been written below ESP, and the registers that have been
 * popped; ESP itself moves last, so that the instruction can be run again. */
void helper_pusha(CPUState *cpu, uint32_t opsize)
{
    uint32_t mask = stack_mask(cpu), esp = cpu->regs[R_ESP];
    for (unsigned i = 0; i < 8; i++) cpu_st(cpu, SEG_SS, (esp - (i + 1) * opsize) & mask, cpu->regs[i], opsize);
    set_esp(cpu, esp - 8 * opsize);
}

void helper_popa(CPUState *cpu, uint32_t opsize)
{
    uint32_t mask = stack_mask(cpu), esp = cpu->regs[R_ESP];
    for (unsigned i = 0; i < 8; i++) {
        uint32_t v = cpu_ld(cpu, SEG_SS, (esp + i * opsize) & mask, opsize); /* ESP's place is read, too */
        if (7 - i != R_ESP) set_low(&cpu->regs[7 - i], v, opsize);
    }
    set_esp(cpu, esp + 8 * opsize);
}

/* SDM 2A, in the order given there: a fault leaves what has been written below ESP.  The final stack pointer must be
 * writable even if nothing is written there. */
void helper_enter(CPUState *cpu, uint32_t size, uint32_t level, uint32_t opsize)
{
    uint32_t mask = stack_mask(cpu), esp = cpu->regs[R_ESP], ebp = cpu->regs[R_EBP];
    level &= 31;
    esp -= opsize;
    uint32_t frame = esp;
    uint32_t final = esp - level * opsize - size;
    cpu_st(cpu, SEG_SS, esp & mask, ebp, opsize);
    for (unsigned i = 1; i < level; i++) {
        ebp -= opsize;
        esp -= opsize;
        cpu_st(cpu, SEG_SS, esp & mask, cpu_ld(cpu, SEG_SS, ebp & mask, opsize), opsize);
    }
    if (level) cpu_st(cpu, SEG_SS, (esp - opsize) & mask, frame, opsize);
    cpu_probe_write(cpu, SEG_SS, final & mask, opsize);
    /* With a 16-bit stack the frame pointer's upper half is the old ESP's. */
    set_low(&cpu->regs[R_EBP], (cpu->regs[R_ESP] & ~mask) | (frame & mask), opsize);
    set_esp(cpu, final);
}

void helper_bound(CPUState *cpu, uint32_t index, uint32_t lower, uint32_t upper)
{
    if ((int32_t)index < (int32_t)lower || (int32_t)index > (int32_t)upper) cpu_raise(cpu, EXC_BR);
}

/* --- decimal adjustment ------------------------------------------------------------------------------------- */
static uint32_t result_flags(uint8_t al)
{
    return (al == 0 ? FL_ZF : 0) | (al & 0x80 ? FL_SF : 0) | (__builtin_parity(al) ? 0 : FL_PF);
}

static void set_al(CPUState *cpu, uint8_t al)
{
    cpu->regs[R_EAX] = (cpu->regs[R_EAX] & ~0xffu) | al;
}
static void set_ax(CPUState *cpu, uint32_t ax)
{
    cpu->regs[R_EAX] = (cpu->regs[R_EAX] & ~0xffffu) | (ax & 0xffff);
}

static void decimal(CPUState *cpu, int sign)
{
    uint8_t old = (uint8_t)cpu->regs[R_EAX], al = old;
    uint32_t in = cpu_arith_flags(cpu->cc), fl = 0;
    if ((old & 15) > 9 || in & FL_AF) {
        al = (uint8_t)(al + sign * 6);
        fl |= FL_AF;
        /* DAS reports the borrow of this step too. */
        if (sign < 0 && (old < 6 || in & FL_CF)) fl |= FL_CF;
    }
    if (old > 0x99 || in & FL_CF) {
        al = (uint8_t)(al + sign * 0x60);
        fl |= FL_CF;
    }
    set_al(cpu, al);
    cpu->cc = cpu_cc_from_flags(fl | result_flags(al));
}

void helper_daa(CPUState *cpu)
{
    decimal(cpu, 1);
}
void helper_das(CPUState *cpu)
{
    decimal(cpu, -1);
}

/* AX moves as one number by 106h (SDM 2A), not AL and AH apart. */
static void ascii(CPUState *cpu, int sign)
{
    uint32_t ax = cpu->regs[R_EAX] & 0xffff, fl = 0;
    if ((ax & 15) > 9 || cpu_arith_flags(cpu->cc) & FL_AF) {
        ax += sign > 0 ? 0x106u : 0u - 0x106u;
        fl = FL_AF | FL_CF;
    }
    ax &= 0xff0f;
    set_ax(cpu, ax);
    cpu->cc = cpu_cc_from_flags(fl | result_flags((uint8_t)ax));
}

void helper_aaa(CPUState *cpu)
{
    ascii(cpu, 1);
}
void helper_aas(CPUState *cpu)
{
    ascii(cpu, -1);
}

void helper_aam(CPUState *cpu, uint32_t base)
{
    uint8_t al = (uint8_t)cpu->regs[R_EAX];
    base &= 0xff;
    if (base == 0) cpu_raise(cpu, EXC_DE);
    set_ax(cpu, al / base << 8 | al % base);
    cpu->cc = cpu_cc_from_flags(result_flags((uint8_t)(al % base)));
}

/* Silicon sets all flags as the 8-bit addition that ends it does. */
void helper_aad(CPUState *cpu, uint32_t base)
{
    uint32_t ax = cpu->regs[R_EAX], a = ax & 0xff, b = ((ax >> 8 & 0xff) * (base & 0xff)) & 0xff, sum = a + b;
    uint32_t fl = result_flags((uint8_t)sum) | ((a ^ b ^ sum) & FL_AF);
    if (sum > 0xff) fl |= FL_CF;
    if (~(a ^ b) & (a ^ sum) & 0x80) fl |= FL_OF;
    set_ax(cpu, sum & 0xff);
    cpu->cc = cpu_cc_from_flags(fl);
}

/* --- CMPXCHG8B -------------------------------------------------------------------------------------------------- */
void helper_cmpxchg8b(CPUState *cpu, uint32_t seg, uint32_t ea)
{
    uint32_t *r = cpu->regs, lin = cpu->seg[seg].base + ea;
    if (!cpu_seg_allows(&cpu->seg[seg], ea, 8, true, cpu_protected(cpu))) cpu_raise_seg(cpu, seg);
    if (cpu->mode & MODE_SLOW_MEM) cpu_access_extras(cpu, lin, 8, true);
    uint64_t old = cpu_lin_ld_rmw(cpu, lin, 8, cpu_mmu_idx(cpu));
    uint32_t fl = cpu_arith_flags(cpu->cc) & ~(uint32_t)FL_ZF;
    if (old == ((uint64_t)r[R_EDX] << 32 | r[R_EAX])) {
        cpu_lin_st(cpu, lin, (uint64_t)r[R_ECX] << 32 | r[R_EBX], 8, cpu_mmu_idx(cpu));
        fl |= FL_ZF;
    } else {
        r[R_EAX] = (uint32_t)old;
        r[R_EDX] = (uint32_t)(old >> 32);
    }
    cpu->cc = cpu_cc_from_flags(fl);
}

/* --- DIV, IDIV ---------------------------------------------------------------------------------------------------- */
static uint64_t dividend(const CPUState *cpu, unsigned width)
{
    uint32_t a = cpu->regs[R_EAX], d = cpu->regs[R_EDX];
    switch (width) {
    case 1: return a & 0xffff;
    case 2: return (d & 0xffff) << 16 | (a & 0xffff);
    default: return (uint64_t)d << 32 | a;
    }
}

static void set_quotient(CPUState *cpu, unsigned width, uint32_t q, uint32_t r)
{
    if (width == 1) {
        set_ax(cpu, (r & 0xff) << 8 | (q & 0xff));
        return;
    }
    set_low(&cpu->regs[R_EAX], q, width);
    set_low(&cpu->regs[R_EDX], r, width);
}

void helper_div(CPUState *cpu, uint32_t divisor, uint32_t width)
{
    uint64_t n = dividend(cpu, width), max = width == 4 ? 0xffffffffu : (1u << width * 8) - 1;
    uint32_t by = divisor & (uint32_t)max;
    if (by == 0 || n / by > max) cpu_raise(cpu, EXC_DE);
    set_quotient(cpu, width, (uint32_t)(n / by), (uint32_t)(n % by));
}

/* Sign-extends the low bits of v. */
static int64_t extend(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

void helper_idiv(CPUState *cpu, uint32_t divisor, uint32_t width)
{
    int64_t n = extend(dividend(cpu, width), width * 16), by = extend(divisor, width * 8);
    int64_t max = ((int64_t)1 << (width * 8 - 1)) - 1;
    if (by == 0 || (by == -1 && n == INT64_MIN)) cpu_raise(cpu, EXC_DE);
    int64_t q = n / by;
    if (q > max || q < -max - 1) cpu_raise(cpu, EXC_DE);
    set_quotient(cpu, width, (uint32_t)q, (uint32_t)(n % by));
}
