#include "cpu/stack.h"

static uint32_t stack_mask(const SegCache *ss)
{
    return ss->attr & SEG_DB ? 0xffffffffu : 0xffffu;
}

Stack stack_on(CPUState *cpu, const SegCache *ss, uint32_t esp, unsigned cpl, uint32_t error)
{
    return (Stack){ .ss = ss, .esp = esp, .mask = stack_mask(ss), .idx = cpu_idx_for_cpl(cpu, cpl), .error = error };
}

Stack stack_current(CPUState *cpu)
{
    const SegCache *ss = &cpu->seg[SEG_SS];
    return (Stack){ .ss = ss, .esp = cpu->regs[R_ESP], .mask = stack_mask(ss), .idx = cpu_mmu_idx(cpu) };
}

static uint32_t check(CPUState *cpu, const Stack *st, uint32_t offset, unsigned size, bool write)
{
    if (!cpu_seg_allows(st->ss, offset, size, write, cpu_protected(cpu))) cpu_raise_err(cpu, EXC_SS, st->error);
    uint32_t lin = st->ss->base + offset;
    if (cpu->mode & MODE_SLOW_MEM) cpu_access_extras(cpu, lin, size, write);
    return lin;
}

void stack_push(CPUState *cpu, Stack *st, uint32_t value, unsigned size)
{
    uint32_t offset = (st->esp - size) & st->mask;
    cpu_lin_st(cpu, check(cpu, st, offset, size, true), value, size, st->idx);
    st->esp = (st->esp & ~st->mask) | offset;
}

uint32_t stack_peek(CPUState *cpu, const Stack *st, uint32_t n, unsigned size)
{
    return (uint32_t)cpu_lin_ld(cpu, check(cpu, st, (st->esp + n) & st->mask, size, false), size, st->idx);
}

void stack_release(Stack *st, uint32_t n)
{
    st->esp = (st->esp & ~st->mask) | ((st->esp + n) & st->mask);
}

uint32_t stack_pop(CPUState *cpu, Stack *st, unsigned size)
{
    uint32_t v = stack_peek(cpu, st, 0, size);
    stack_release(st, size);
    return v;
}

void stack_need_room(CPUState *cpu, const Stack *st, uint32_t n)
{
    uint32_t top = (st->esp - 1) & st->mask, bottom = (st->esp - n) & st->mask;
    bool ok = top >= bottom
                  ? cpu_seg_allows(st->ss, bottom, n, true, true)
                  : cpu_seg_allows(st->ss, bottom, 1, true, true) && cpu_seg_allows(st->ss, top, 1, true, true);
    if (!ok) cpu_raise_err(cpu, EXC_SS, st->error);
}
