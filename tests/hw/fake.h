/* A machine without a processor, on a clock that the test sets. */
#ifndef CALQUE_TESTS_HW_FAKE_H
#define CALQUE_TESTS_HW_FAKE_H

#include <stdlib.h>

#include "hw/machine_board.h"
#include "../tap.h"

typedef struct Fake {
    uint64_t now;
    CPUState *cpu;
    PhysMem *phys;
    IoPorts *io;
    Machine *m;
    int resets;
    bool line[32];
    int rises[32];
} Fake;

static uint64_t fake_clock(void *opaque)
{
    return ((Fake *)opaque)->now;
}
static void fake_reset(void *opaque)
{
    ((Fake *)opaque)->resets++;
}

__attribute__((unused)) static void fake_line_set(void *opaque, int n, bool level)
{
    Fake *f = opaque;
    if (level && !f->line[n]) f->rises[n]++;
    f->line[n] = level;
}
__attribute__((unused)) static IrqLine fake_line(Fake *f, int n)
{
    return (IrqLine){ fake_line_set, f, n };
}

__attribute__((unused)) static void fake_init(Fake *f)
{
    static const BoardOps ops = { .reset = fake_reset };
    *f = (Fake){ .now = 1000 };
    f->cpu = calloc(1, sizeof *f->cpu);
    f->cpu->outside_request = &f->cpu->exit_request;
    f->phys = phys_new();
    f->io = ioports_new();
    f->m = machine_create(f->cpu, f->phys, f->io, &(ClockSource){ fake_clock, f });
    machine_set_board(f->m, &ops, f);
}

__attribute__((unused)) static void fake_free(Fake *f)
{
    machine_destroy(f->m);
    ioports_free(f->io);
    phys_free(f->phys);
    free(f->cpu);
}

/* Time passes; timers fire at the end of it, as after a long block. */
__attribute__((unused)) static void fake_jump(Fake *f, uint64_t ns)
{
    f->now += ns;
    machine_poll(f->m);
}
/* Time passes in small steps. */
__attribute__((unused)) static void fake_run(Fake *f, uint64_t ns, uint64_t step)
{
    for (uint64_t end = f->now + ns; f->now < end;) fake_jump(f, step);
}

__attribute__((unused)) static uint8_t in8(Fake *f, uint16_t port)
{
    return (uint8_t)ioports_read(f->io, port, 1);
}
__attribute__((unused)) static void out8(Fake *f, uint16_t port, uint8_t v)
{
    ioports_write(f->io, port, v, 1);
}

#define IS(got, want, ...)                                                                                             \
    do {                                                                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                  \
        if (!ok(got_ == want_, __VA_ARGS__)) diag("got %#llx, want %#llx", got_, want_);                               \
    } while (0)

#endif
