/* The least machine that callouts run on: 1 MiB of RAM, a processor in real mode or in flat protected
 * mode with a GDT of all sorts.  CALLS(x) is the vector that x raised, -1 when it returned. */
#ifndef CALQUE_TESTS_CPU_MACHINE_H
#define CALQUE_TESTS_CPU_MACHINE_H

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/helpers.h"
#include "tests/tap.h"

enum {
    RAM_SIZE = 1 << 20,
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,
    TSS2 = 0x3800,
    LDT = 0x4000,
    STACK0 = 0x8000,
    STACK3 = 0x9000,
    DATA = 0x20000
};
/* Selectors */
enum {
    S_CODE0 = 0x08,
    S_DATA0 = 0x10,
    S_CODE3 = 0x1b,
    S_DATA3 = 0x23,
    S_TSS = 0x28,
    S_LDT = 0x30,
    S_TSS2 = 0x38,
    S_GATE = 0x40,
    S_CONF = 0x48,
    S_ABSENT = 0x50,
    S_RO = 0x58,
    S_XO = 0x60,
    S_DOWN = 0x68,
    S_TASK_GATE = 0x70,
    S_CODE16 = 0x78,
    S_STACK16 = 0x80,
    S_SMALL = 0x88
};

static CPUState *cpu;
static uint8_t *ram;
static PhysMem *phys;
static jmp_buf env;

#define CALLS(x) (cpu->exc_vector = -1, setjmp(env) ? cpu->exc_vector : ((x), -1))

/* Delivers what CALLS() found, as the execution loop would; -1, or the next exception. */
#define DELIVERS() (setjmp(env) ? cpu->exc_vector : (cpu_deliver(cpu), -1))

__attribute__((unused)) static uint32_t rd32(uint32_t at)
{
    uint32_t v;
    memcpy(&v, ram + at, 4);
    return v;
}
__attribute__((unused)) static uint16_t rd16(uint32_t at)
{
    uint16_t v;
    memcpy(&v, ram + at, 2);
    return v;
}
__attribute__((unused)) static void wr32(uint32_t at, uint32_t v)
{
    memcpy(ram + at, &v, 4);
}
__attribute__((unused)) static void wr16(uint32_t at, uint16_t v)
{
    memcpy(ram + at, &v, 2);
}

/* flags: bits 52..55 (G, D/B) as the high nibble of a byte; access: bits 40..47. */
static void descriptor(uint32_t at, uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    wr32(at, (limit & 0xffff) | base << 16);
    wr32(at + 4, (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000u));
}

static void gate(uint32_t at, uint16_t sel, uint32_t offset, unsigned access, unsigned params)
{
    wr32(at, (offset & 0xffff) | (uint32_t)sel << 16);
    wr32(at + 4, (offset & 0xffff0000u) | access << 8 | params);
}

static void machine_new(void)
{
    phys = phys_new();
    ram = phys_region_host(phys_add_ram(phys, "ram", 0, RAM_SIZE, 0));
    cpu = aligned_alloc(64, (sizeof *cpu + 63) & ~(size_t)63);
    memset(cpu, 0, sizeof *cpu);
    mmu_init(&cpu->mmu, phys);
    cpu->io = ioports_new();
    cpu->exc_env = &env;
    cpu->a20 = true;
}

static void machine_common(void)
{
    memset(ram, 0, RAM_SIZE);
    memset(cpu->regs, 0, sizeof cpu->regs);
    memset(cpu->dr, 0, sizeof cpu->dr);
    cpu->dr[6] = 0xffff0ff0;
    cpu->dr[7] = 0x400;
    cpu->shadow = cpu->nest = cpu->event_kept = 0;
    cpu->dr6_pending = cpu->exit_request = 0;
    cpu->halted = cpu->shutdown = cpu->in_smm = cpu->intr_line = cpu->nmi_blocked = cpu->nmi_pending = false;
    cpu->cr4 = 0;
    cpu->fpu.cw = 0x37f;
    cpu->fpu.mxcsr = 0x1f80;
    cpu->exc_vector = -1;
}

__attribute__((unused)) static void real_mode(void)
{
    machine_common();
    cpu->cr0 = CR0_ET;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
    cpu->eflags = FL_1;
    for (unsigned i = 0; i < 6; i++) {
        cpu->seg[i] = (SegCache){ .limit = 0xffff };
        cpu_seg_load_real(cpu, i, 0);
    }
    cpu_seg_load_real(cpu, SEG_SS, 0x800);
    cpu->regs[R_ESP] = 0x1000;
    cpu->idt.base = 0;
    cpu->idt.limit = 0x3ff;
    cpu_set_eflags(cpu, FL_1);
}

/* Puts CS and SS at a privilege level without going through an instruction. */
static void set_level(unsigned cpl)
{
    static const struct {
        uint16_t cs, ss;
    } sel[2] = { { S_CODE0, S_DATA0 }, { S_CODE3, S_DATA3 } };
    unsigned n = cpl == 3;
    cpu->cpl = 0;
    for (unsigned i = 0; i < 6; i++) {
        unsigned code = i == SEG_CS;
        SegCache *s = &cpu->seg[i];
        *s = (SegCache){ .limit = 0xffffffff, .sel = code ? sel[n].cs : sel[n].ss };
        s->attr = (uint16_t)(SEG_G | SEG_DB | SEG_P | cpl << 5 | SEG_S | SEG_W | SEG_A | (code ? SEG_X : 0));
        cpu_seg_update_bounds(s, code, true);
    }
    cpu->cpl = (uint8_t)cpl;
    cpu->regs[R_ESP] = cpl == 3 ? STACK3 : STACK0 - 0x800;
    cpu_update_mode(cpu);
}

__attribute__((unused)) static void protected_mode(unsigned cpl)
{
    machine_common();
    cpu->cr0 = CR0_PE | CR0_ET;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
    cpu->eflags = FL_1;
    cpu->gdt.base = GDT;
    cpu->gdt.limit = 0xff;
    cpu->idt.base = IDT;
    cpu->idt.limit = 0x7ff;
    descriptor(GDT + S_CODE0, 0, 0xfffff, 0x9a, 0xc);
    descriptor(GDT + S_DATA0, 0, 0xfffff, 0x92, 0xc);
    descriptor(GDT + (S_CODE3 & ~7), 0, 0xfffff, 0xfa, 0xc);
    descriptor(GDT + (S_DATA3 & ~7), 0, 0xfffff, 0xf2, 0xc);
    descriptor(GDT + S_TSS, TSS, 0x67, 0x8b, 0);
    descriptor(GDT + S_LDT, LDT, 0x1f, 0x82, 0);
    descriptor(GDT + S_TSS2, TSS2, 0x67, 0x89, 0);
    gate(GDT + S_GATE, S_CODE0, 0x12345, 0xec, 2);
    descriptor(GDT + S_CONF, 0, 0xfffff, 0x9e, 0xc);
    descriptor(GDT + S_ABSENT, 0, 0xfffff, 0x72, 0xc);
    descriptor(GDT + S_RO, DATA, 0xfff, 0xf0, 0x4);
    descriptor(GDT + S_XO, 0, 0xfffff, 0xf8, 0xc);
    descriptor(GDT + S_DOWN, 0, 0xfff, 0xf6, 0x4);
    gate(GDT + S_TASK_GATE, S_TSS2, 0, 0xe5, 0);
    descriptor(GDT + S_CODE16, 0x10000, 0xffff, 0x9a, 0);
    descriptor(GDT + S_STACK16, 0x10000, 0xffff, 0x92, 0);
    descriptor(GDT + S_SMALL, DATA, 0xff, 0x92, 0x4);
    wr32(TSS + 4, STACK0);
    wr16(TSS + 8, S_DATA0);
    wr16(TSS + 0x66, 0x68);
    cpu->seg[SEG_TR] = (SegCache){ .base = TSS, .limit = 0x67, .sel = S_TSS, .attr = 0x8b };
    cpu->seg[SEG_LDTR] = (SegCache){ 0 };
    set_level(cpl);
    cpu_set_eflags(cpu, FL_1);
}

#endif
