/* A processor with the translation cache and nothing else: 4 MiB of RAM, flat 32-bit protected mode without
 * paging.  Runs until HLT. */
#ifndef CALQUE_TESTS_EXEC_RIG_H
#define CALQUE_TESTS_EXEC_RIG_H

#include <stdlib.h>
#include <string.h>

#include "exec/tb.h"
#include "tap.h"

enum { RIG_RAM = 4 << 20, RIG_STACK = 0x8000, RIG_POLLS = 1000 };

typedef struct Rig {
    PhysMem *phys;
    IoPorts *io;
    CPUState *cpu;
    Exec *ex;
    PhysRegion *region;
    uint8_t *ram;
    unsigned polls;
} Rig;

/* A block that never ends is a failure, not a hang: every poll counts. */
static bool rig_poll(void *opaque)
{
    return ++((Rig *)opaque)->polls < RIG_POLLS;
}
static bool rig_stop(void *opaque)
{
    (void)opaque;
    return false;
}

static void rig_flat(CPUState *cpu, unsigned seg, unsigned type, unsigned attr)
{
    SegCache *s = &cpu->seg[seg];
    *s = (SegCache){ .sel = seg == SEG_CS ? 8 : 16, .limit = 0xffffffff };
    s->attr = (uint16_t)(SEG_P | SEG_S | SEG_A | SEG_G | attr | type);
    cpu_seg_update_bounds(s, seg == SEG_CS, true);
}

/* Registers as for a new run. */
static void rig_reset(Rig *r)
{
    CPUState *cpu = r->cpu;
    cpu_reset(cpu);
    cpu->cr0 = CR0_PE | CR0_ET;
    mmu_set_control(&cpu->mmu, cpu->cr0, 0, 0, false, true);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) rig_flat(cpu, i, i == SEG_CS ? SEG_X | SEG_R : SEG_W, SEG_DB);
    memset(cpu->regs, 0, sizeof cpu->regs);
    cpu->regs[R_ESP] = RIG_STACK;
    cpu_set_eflags(cpu, FL_1);
    cpu_update_mode(cpu);
}

__attribute__((unused)) static void rig_init(Rig *r, const ExecOptions *opt)
{
    char error[256];
    *r = (Rig){ .phys = phys_new(), .io = ioports_new() };
    r->region = phys_add_ram(r->phys, "ram", 0, RIG_RAM, 0);
    r->ram = phys_region_host(r->region);
    r->cpu = cpu_new(r->phys, r->io, "max", error, sizeof error);
    ExecHooks hooks = { .poll = rig_poll, .wait = rig_stop, .shutdown = rig_stop, .opaque = r };
    r->ex = exec_new(r->cpu, opt, &hooks, error, sizeof error);
    if (!r->ex) {
        printf("Bail out! %s\n", error);
        exit(1);
    }
    rig_reset(r);
}

__attribute__((unused)) static void rig_free(Rig *r)
{
    exec_free(r->ex);
    cpu_free(r->cpu);
    ioports_free(r->io);
    phys_free(r->phys);
}

/* As a device would: the tracker hears of it. */
__attribute__((unused)) static void rig_write(Rig *r, uint32_t at, const void *bytes, size_t n)
{
    phys_write(r->phys, at, bytes, n);
}

/* True: came to a HLT. */
__attribute__((unused)) static bool rig_run(Rig *r, uint32_t eip)
{
    r->cpu->eip = eip;
    r->cpu->halted = r->cpu->shutdown = false;
    r->cpu->exc_vector = -1;
    r->polls = 0;
    cpu_update_mode(r->cpu);
    exec_run(r->ex);
    return r->cpu->halted;
}

#endif
