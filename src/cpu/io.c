/* IN and OUT, and the checks they share with INS and OUTS (SDM 1 18.5). */
#include "cpu/io.h"

#include "cpu/debug.h"
#include "cpu/helpers.h"

enum { TSS_TYPE_MASK = 0xf, TSS32_AVAILABLE = 9, TSS32_BUSY = 11, TSS32_IO_BASE = 102, TSS32_MIN_LIMIT = 103 };

/* Two bytes are read even when one would do, so the bitmap needs a byte of ones at its end. */
static bool bitmap_allows(CPUState *cpu, uint16_t port, unsigned size)
{
    const SegCache *tr = &cpu->seg[SEG_TR];
    unsigned type = tr->attr & TSS_TYPE_MASK;
    if (!(tr->attr & SEG_P) || (type != TSS32_AVAILABLE && type != TSS32_BUSY)) return false;
    if (tr->limit < TSS32_MIN_LIMIT) return false;
    uint32_t offset = (uint32_t)cpu_sys_ld(cpu, tr->base + TSS32_IO_BASE, 2) + port / 8;
    if (offset + 1 > tr->limit) return false;
    uint32_t bits = (uint32_t)cpu_sys_ld(cpu, tr->base + offset, 2) >> (port & 7);
    return (bits & ((1u << size) - 1)) == 0;
}

void cpu_check_io(CPUState *cpu, uint16_t port, unsigned size)
{
    uint32_t mode = cpu->mode;
    if (mode & MODE_PE && (mode & MODE_VM86 || cpu_cpl(cpu) > (cpu->eflags >> 12 & 3)) &&
        !bitmap_allows(cpu, port, size))
        cpu_raise_err(cpu, EXC_GP, 0);
    if (mode & MODE_DEBUG) cpu_debug_io(cpu, port, size);
}

uint32_t helper_in(CPUState *cpu, uint32_t port, uint32_t size)
{
    cpu_check_io(cpu, (uint16_t)port, size);
    return ioports_read(cpu->io, (uint16_t)port, size);
}

void helper_out(CPUState *cpu, uint32_t port, uint32_t value, uint32_t size)
{
    cpu_check_io(cpu, (uint16_t)port, size);
    ioports_write(cpu->io, (uint16_t)port, value, size);
}
