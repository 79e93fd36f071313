/* A processor for tests of single callouts: helpers are called directly, exceptions caught. */
#ifndef CALQUE_TESTS_CPU_PRIV_H
#define CALQUE_TESTS_CPU_PRIV_H

#include <stdlib.h>

#include "cpu/cpuid.h"
#include "cpu/helpers.h"
#include "../tap.h"

static CPUState *cpu;
static PhysMem *priv_phys;
static IoPorts *priv_io;

__attribute__((unused)) static void priv_start(const char *spec)
{
    char error[256];
    if (!priv_phys) {
        priv_phys = phys_new();
        phys_add_ram(priv_phys, "ram", 0, 16u << 20, 0);
        priv_io = ioports_new();
    }
    cpu_free(cpu);
    cpu = cpu_new(priv_phys, priv_io, spec, error, sizeof(error));
    if (!cpu) {
        printf("Bail out! %s\n", error);
        exit(1);
    }
}

__attribute__((unused)) static void priv_end(void)
{
    cpu_free(cpu);
    phys_free(priv_phys);
    ioports_free(priv_io);
}

/* The vector that stmt raises, or -1. */
#define RAISED(stmt)                                                                                                   \
    __extension__({                                                                                                    \
        jmp_buf env_;                                                                                                  \
        cpu->exc_env = &env_;                                                                                          \
        cpu->exc_vector = -1;                                                                                          \
        if (!setjmp(env_)) {                                                                                           \
            stmt;                                                                                                      \
        }                                                                                                              \
        int vector_ = cpu->exc_vector;                                                                                 \
        cpu->exc_vector = -1;                                                                                          \
        cpu->exc_env = NULL;                                                                                           \
        vector_;                                                                                                       \
    })

/* Protected mode at a privilege level; v86 mode as level 4. */
__attribute__((unused)) static void priv_level(unsigned level, unsigned iopl)
{
    cpu->cr0 |= CR0_PE;
    cpu->mmu.cr0 |= CR0_PE;
    cpu->cpl = level > 3 ? 3 : (uint8_t)level;
    cpu->eflags = FL_1 | iopl << 12 | (level > 3 ? FL_VM : 0);
    cpu->seg[SEG_SS].attr = (uint16_t)((cpu->seg[SEG_SS].attr & ~SEG_DPL) | cpu->cpl << 5);
    cpu_update_mode(cpu);
}

#endif
