/* Birth and reset of the processor (SDM 3A 9.1, table 9-1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/debug.h"
#include "cpu/fpu.h"
#include "softmmu/window_cost.h"
#include "softmmu/window_global.h"

/* The window closed, and with it a mode flag is out of date. */
static void remapped(void *opaque)
{
    cpu_request_exit(opaque);
}

/* In front of address space for the system's window, where the host has that. */
static CPUState *allocate(void)
{
    CPUState *cpu = window_global_reserve(sizeof *cpu);
    bool reserved = cpu;
    size_t align = _Alignof(CPUState);
    if (!cpu) cpu = aligned_alloc(align, (sizeof *cpu + align - 1) / align * align);
    if (!cpu) return NULL;
    memset(cpu, 0, sizeof *cpu);
    cpu->reserved = reserved;
    return cpu;
}

static void release(CPUState *cpu)
{
    if (cpu && cpu->reserved)
        window_global_release(cpu, sizeof *cpu);
    else
        free(cpu);
}

CPUState *cpu_new(PhysMem *phys, IoPorts *io, const char *spec, char *error, size_t error_size)
{
    CpuModel model;
    if (!cpu_model_parse(&model, spec, error, error_size)) return NULL;
    CPUState *cpu = allocate();
    CpuModel *own = malloc(sizeof(*own));
    if (!cpu || !own) {
        snprintf(error, error_size, "out of memory for the CPU");
        release(cpu);
        free(own);
        return NULL;
    }
    *own = model;
    cpu->model = own;
    cpu->io = io;
    cpu->a20 = true;
    cpu->outside_request = &cpu->exit_request;
    mmu_init(&cpu->mmu, phys);
    phys_on_remap(phys, remapped, cpu);
    cpu_reset(cpu);
    return cpu;
}

void cpu_free(CPUState *cpu)
{
    if (!cpu) return;
    phys_off_remap(cpu->mmu.phys, remapped, cpu);
    mmu_free(&cpu->mmu);
    free(cpu->model);
    release(cpu);
}

bool cpu_enable_windows(CPUState *cpu)
{
    bool user = window_enable(&cpu->mmu, window_page_ns());
    return cpu->reserved && window_global_enable(&cpu->mmu, cpu, sizeof *cpu) && user;
}

static void reset_segments(CPUState *cpu)
{
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        uint16_t attr = SEG_P | SEG_S | SEG_W | SEG_A;
        if (i == SEG_LDTR) attr = SEG_P | 2;
        if (i == SEG_TR) attr = SEG_P | 11;
        cpu->seg[i] = (SegCache){ .limit = 0xffff, .attr = attr };
        if (i <= SEG_GS) cpu_seg_update_bounds(&cpu->seg[i], i == SEG_CS, false);
    }
    cpu->seg[SEG_CS].sel = 0xf000;
    cpu->seg[SEG_CS].base = 0xffff0000;
    cpu->gdt.base = cpu->idt.base = 0;
    cpu->gdt.limit = cpu->idt.limit = 0xffff;
}

/* What was going on is forgotten. */
static void reset_events(CPUState *cpu)
{
    cpu->shadow = 0;
    cpu->event_kept = 0;
    cpu->dr6_pending = 0;
    cpu->halted = cpu->shutdown = false;
    cpu->smi_pending = cpu->nmi_pending = cpu->nmi_blocked = cpu->init_pending = false;
    cpu->nest = 0;
    cpu->exc_vector = -1;
    cpu->monitor_armed = false;
    cpu_request_exit(cpu);
}

/* Common to RESET# and INIT#.  kept: bits of CR0 that stay. */
static void reset_common(CPUState *cpu, uint32_t kept)
{
    memset(cpu->regs, 0, sizeof(cpu->regs));
    cpu->regs[R_EDX] = cpu_signature(cpu->model);
    cpu->eip = 0xfff0;
    cpu->cc = 0;
    cpu->df = 1;
    cpu->eflags = FL_1;
    cpu->cpl = 0;
    cpu->cr0 = (cpu->cr0 & kept) | (~kept & (CR0_CD | CR0_NW)) | CR0_ET;
    cpu->cr2 = cpu->cr3 = cpu->cr4 = 0;
    memset(cpu->dr, 0, sizeof(cpu->dr));
    cpu->dr[6] = DR6_FIXED;
    cpu->dr[7] = DR7_FIXED;
    reset_segments(cpu);
    reset_events(cpu);
    mmu_set_control(&cpu->mmu, cpu->cr0, cpu->cr3, cpu->cr4, (cpu->efer & EFER_NXE) != 0, true);
    mmu_flush_all(&cpu->mmu);
    cpu_update_mode(cpu);
}

void cpu_reset(CPUState *cpu)
{
    cpu_apply_model(cpu);
    cpu_reset_msrs(cpu);
    cpu->smbase = 0x30000;
    if (cpu->in_smm) {
        cpu->in_smm = false;
        if (cpu->smm_change) cpu->smm_change(cpu->smm_opaque, false);
    }
    cpu->smm_nmi_blocked = false;
    if (cpu->fpu_sync_out) cpu->fpu_sync_out(cpu);
    fpu_reset(cpu);
    if (cpu->fpu_sync_in) cpu->fpu_sync_in(cpu);
    reset_common(cpu, 0);
}

void cpu_init_signal(CPUState *cpu)
{
    if (cpu->apic_ops) cpu->apic_ops->init(cpu->apic);
    reset_common(cpu, CR0_CD | CR0_NW);
}
