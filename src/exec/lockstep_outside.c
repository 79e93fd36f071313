/* What the processor has to do with the outside while it runs a block: written down in the reference run, answered from
 * the record, and compared with it, in the tested run.  Outside a step all goes through. */
#include "exec/lockstep_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the record ------------------------------------------------------------------------------------------------- */

static Pins pins_of(const CPUState *cpu)
{
    return (Pins){ .exit_request = __atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED),
                   .intr_line = cpu->intr_line,
                   .nmi_pending = cpu->nmi_pending,
                   .smi_pending = cpu->smi_pending,
                   .init_pending = cpu->init_pending,
                   .a20 = cpu->a20 };
}

static void set_pins(CPUState *cpu, const Pins *p)
{
    __atomic_store_n(&cpu->exit_request, p->exit_request, __ATOMIC_RELAXED);
    cpu->intr_line = p->intr_line;
    cpu->nmi_pending = p->nmi_pending;
    cpu->smi_pending = p->smi_pending;
    cpu->init_pending = p->init_pending;
    if (cpu->a20 != p->a20) cpu_set_a20(cpu, p->a20);
}

static bool records(const Lockstep *ls)
{
    return ls->phase == RUN_REFERENCE && !ls->in_device && !ls->again;
}
static bool replays(const Lockstep *ls)
{
    return ls->phase == RUN_TESTED || (ls->phase == RUN_REFERENCE && ls->again);
}

/* A new event; value is what is written, 0 for reads.  The device is at work until record_end(). */
static void record(Lockstep *ls, EventKind kind, const void *where, uint64_t addr, unsigned size, uint64_t value)
{
    ls->event = lockstep_grow(ls->event, ls->n_events, &ls->cap_events, sizeof *ls->event);
    Event *e = &ls->event[ls->n_events++];
    *e = (Event){
        .kind = (uint8_t)kind, .size = (uint8_t)size, .good = true, .where = where, .addr = addr, .value = value
    };
    memcpy(e->regs, ls->cpu->regs, sizeof e->regs);
    ls->in_device = true;
}

static Event *record_end(Lockstep *ls)
{
    Event *e = &ls->event[ls->n_events - 1];
    size_t first = ls->n_events > 1 ? e[-1].dma_end : 0;
    ls->in_device = false;
    e->pins = pins_of(ls->cpu);
    e->new_regs = memcmp(e->regs, ls->cpu->regs, sizeof e->regs) != 0;
    memcpy(e->regs, ls->cpu->regs, sizeof e->regs);
    for (size_t i = first; i < ls->n_dma; i++) memcpy(ls->dma_bytes + ls->dma[i].data, ls->dma[i].host, ls->dma[i].n);
    e->dma_end = ls->n_dma;
    return e;
}

void outside_dma(Lockstep *ls, uint8_t *host, size_t n)
{
    ls->dma = lockstep_grow(ls->dma, ls->n_dma, &ls->cap_dma, sizeof *ls->dma);
    ls->dma_bytes = lockstep_grow(ls->dma_bytes, ls->n_dma_bytes + n, &ls->cap_dma_bytes, 1);
    ls->dma[ls->n_dma++] = (Dma){ host, n, ls->n_dma_bytes };
    ls->n_dma_bytes += n;
}

void outside_forget(Lockstep *ls)
{
    ls->n_events = ls->n_dma = ls->n_dma_bytes = ls->at_event = 0;
}

/* --- the replay --------------------------------------------------------------------------------------------------- */

static const char *const kind_name[] = {
    [EV_PORT_READ] = "port read",
    [EV_PORT_WRITE] = "port write",
    [EV_MMIO_READ] = "device read",
    [EV_MMIO_WRITE] = "device write",
    [EV_CLOCK] = "clock read",
    [EV_RANDOM] = "random number",
    [EV_APIC_BASE] = "APIC base",
    [EV_APIC_INIT] = "APIC INIT",
    [EV_APIC_DEADLINE] = "read of the TSC deadline",
    [EV_APIC_SET_DEADLINE] = "write of the TSC deadline",
    [EV_APIC_TSC_MOVED] = "set TSC",
    [EV_FERR] = "FERR#",
};

static bool is_write(unsigned kind)
{
    return kind == EV_PORT_WRITE || kind == EV_MMIO_WRITE || kind == EV_APIC_BASE || kind == EV_APIC_SET_DEADLINE ||
           kind == EV_FERR;
}

static int describe(char *buf, size_t size, const Event *e)
{
    int n = snprintf(buf, size, "%s %llx size %u", kind_name[e->kind], (unsigned long long)e->addr, e->size);
    if (!is_write(e->kind)) return n;
    return snprintf(buf, size, "%s %llx size %u value %llx", kind_name[e->kind], (unsigned long long)e->addr, e->size,
                    (unsigned long long)e->value);
}

static bool matches(const Event *a, const Event *b)
{
    return a->kind == b->kind && a->where == b->where && a->addr == b->addr && a->size == b->size &&
           (!is_write(a->kind) || a->value == b->value);
}

/* The first difference counts. */
static void went_astray(Lockstep *ls, const Event *wanted, const Event *got)
{
    char w[64] = "nothing", g[64] = "nothing";
    if (ls->astray[0]) return;
    if (wanted) describe(w, sizeof w, wanted);
    if (got) describe(g, sizeof g, got);
    snprintf(ls->astray, sizeof ls->astray, "access %zu to the outside: %s wants %s, %s %s", ls->at_event + 1,
             ls->reference->name, w, ls->tested->name, g);
}

static void replay_dma(Lockstep *ls, size_t event)
{
    size_t i = event ? ls->event[event - 1].dma_end : 0;
    for (; i < ls->event[event].dma_end; i++) {
        phys_before_write(ls->cpu->mmu.phys, ls->dma[i].host, ls->dma[i].n);
        memcpy(ls->dma[i].host, ls->dma_bytes + ls->dma[i].data, ls->dma[i].n);
    }
}

/* NULL: the reference did something else here. */
static const Event *replay(Lockstep *ls, EventKind kind, const void *where, uint64_t addr, unsigned size,
                           uint64_t value)
{
    Event got = { .kind = (uint8_t)kind, .size = (uint8_t)size, .where = where, .addr = addr, .value = value };
    const Event *e = ls->at_event < ls->n_events ? &ls->event[ls->at_event] : NULL;
    if (!e || !matches(e, &got)) {
        went_astray(ls, e, &got);
        return NULL;
    }
    replay_dma(ls, ls->at_event++);
    set_pins(ls->cpu, &e->pins);
    if (e->new_regs) memcpy(ls->cpu->regs, e->regs, sizeof e->regs);
    return e;
}

static uint64_t replay_value(Lockstep *ls, EventKind kind, const void *where, uint64_t addr, unsigned size)
{
    const Event *e = replay(ls, kind, where, addr, size, 0);
    return e ? e->value : ~UINT64_C(0);
}

void outside_end(Lockstep *ls, size_t events)
{
    if (ls->at_event != events) went_astray(ls, ls->at_event < events ? &ls->event[ls->at_event] : NULL, NULL);
}

/* --- ports and device windows ---------------------------------------------------------------------------------------- */

static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    Lockstep *ls = opaque;
    if (replays(ls)) return (uint32_t)replay_value(ls, EV_PORT_READ, NULL, port, size);
    if (!records(ls)) return ioports_read(ls->io, port, size);
    record(ls, EV_PORT_READ, NULL, port, size, 0);
    uint32_t value = ioports_read(ls->io, port, size);
    record_end(ls)->value = value;
    return value;
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    Lockstep *ls = opaque;
    if (replays(ls)) {
        replay(ls, EV_PORT_WRITE, NULL, port, size, value);
        return;
    }
    bool rec = records(ls);
    if (rec) record(ls, EV_PORT_WRITE, NULL, port, size, value);
    ioports_write(ls->io, port, value, size);
    if (rec) record_end(ls);
}

uint64_t outside_mmio_read(Lockstep *ls, const PhysRegion *r, PhysAddr offset, unsigned size)
{
    if (replays(ls)) return replay_value(ls, EV_MMIO_READ, r, offset, size);
    if (!records(ls)) return phys_mmio_read(r, offset, size);
    record(ls, EV_MMIO_READ, r, offset, size, 0);
    uint64_t value = phys_mmio_read(r, offset, size);
    record_end(ls)->value = value;
    return value;
}

void outside_mmio_write(Lockstep *ls, const PhysRegion *r, PhysAddr offset, uint64_t value, unsigned size)
{
    if (replays(ls)) {
        replay(ls, EV_MMIO_WRITE, r, offset, size, value);
        return;
    }
    bool rec = records(ls);
    if (rec) record(ls, EV_MMIO_WRITE, r, offset, size, value);
    phys_mmio_write(r, offset, value, size);
    if (rec) record_end(ls);
}

/* --- the processor's other wires ----------------------------------------------------------------------------------- */

static uint64_t clock_ns(void *opaque)
{
    Lockstep *ls = opaque;
    if (replays(ls)) return replay_value(ls, EV_CLOCK, NULL, 0, 8);
    if (!records(ls)) return ls->clock_ns(ls->clock_opaque);
    record(ls, EV_CLOCK, NULL, 0, 8, 0);
    uint64_t value = ls->clock_ns(ls->clock_opaque);
    record_end(ls)->value = value;
    return value;
}

static bool random_number(void *opaque, uint32_t *value)
{
    Lockstep *ls = opaque;
    if (replays(ls)) {
        const Event *e = replay(ls, EV_RANDOM, NULL, 0, 4, 0);
        *value = e ? (uint32_t)e->value : 0;
        return e && e->good;
    }
    bool rec = records(ls);
    if (rec) record(ls, EV_RANDOM, NULL, 0, 4, 0);
    bool good = ls->random ? ls->random(ls->random_opaque, value) : cpu_host_random(value);
    if (rec) {
        Event *e = record_end(ls);
        e->value = *value;
        e->good = good;
    }
    return good;
}

static void ferr(void *opaque, bool level)
{
    Lockstep *ls = opaque;
    if (replays(ls)) {
        replay(ls, EV_FERR, NULL, 0, 0, level);
        return;
    }
    bool rec = records(ls);
    if (rec) record(ls, EV_FERR, NULL, 0, 0, level);
    ls->ferr(ls->ferr_opaque, level);
    if (rec) record_end(ls);
}

/* An APIC call that returns nothing. */
static bool apic_begin(Lockstep *ls, EventKind kind, uint64_t value, bool *rec)
{
    *rec = records(ls);
    if (replays(ls)) {
        replay(ls, kind, NULL, 0, 8, value);
        return false;
    }
    if (*rec) record(ls, kind, NULL, 0, 8, value);
    return true;
}

static void apic_set_base(void *opaque, uint64_t base)
{
    Lockstep *ls = opaque;
    bool rec;
    if (!apic_begin(ls, EV_APIC_BASE, base, &rec)) return;
    ls->apic_ops->set_base(ls->apic, base);
    if (rec) record_end(ls);
}

static void apic_init(void *opaque)
{
    Lockstep *ls = opaque;
    bool rec;
    if (!apic_begin(ls, EV_APIC_INIT, 0, &rec)) return;
    ls->apic_ops->init(ls->apic);
    if (rec) record_end(ls);
}

static uint64_t apic_tsc_deadline(void *opaque)
{
    Lockstep *ls = opaque;
    if (replays(ls)) return replay_value(ls, EV_APIC_DEADLINE, NULL, 0, 8);
    if (!records(ls)) return ls->apic_ops->tsc_deadline(ls->apic);
    record(ls, EV_APIC_DEADLINE, NULL, 0, 8, 0);
    uint64_t value = ls->apic_ops->tsc_deadline(ls->apic);
    record_end(ls)->value = value;
    return value;
}

static void apic_set_tsc_deadline(void *opaque, uint64_t tsc)
{
    Lockstep *ls = opaque;
    bool rec;
    if (!apic_begin(ls, EV_APIC_SET_DEADLINE, tsc, &rec)) return;
    ls->apic_ops->set_tsc_deadline(ls->apic, tsc);
    if (rec) record_end(ls);
}

static void apic_tsc_moved(void *opaque)
{
    Lockstep *ls = opaque;
    bool rec;
    if (!apic_begin(ls, EV_APIC_TSC_MOVED, 0, &rec)) return;
    ls->apic_ops->tsc_moved(ls->apic);
    if (rec) record_end(ls);
}

/* Exec finds the running block by an address in the tested code. */
static void name_block(const Lockstep *ls)
{
    if (ls->phase != IDLE) ls->cpu->host_pc = ls->code->tested.entry_checked;
}

static void code_write_check(CPUState *cpu, PhysAddr addr, unsigned len)
{
    Lockstep *ls = cpu->exec->lockstep;
    name_block(ls);
    ls->code_write_check(cpu, addr, len);
}

static void on_device(void *opaque)
{
    Lockstep *ls = opaque;
    name_block(ls);
    ls->on_device(ls->on_device_opaque);
}

void outside_attach(Lockstep *ls)
{
    static const IoPortOps port_ops = { port_read, port_write, 4 };
    static const CpuApicOps apic = { apic_set_base, apic_init, apic_tsc_deadline, apic_set_tsc_deadline,
                                     apic_tsc_moved };
    CPUState *cpu = ls->cpu;
    ls->io = cpu->io;
    ls->own_io = ioports_new();
    ioports_map(ls->own_io, 0, 65536, &port_ops, ls);
    cpu->io = ls->own_io;
    ls->apic_ops = cpu->apic_ops;
    ls->apic = cpu->apic;
    if (ls->apic_ops) {
        cpu->apic_ops = &apic;
        cpu->apic = ls;
    }
    ls->clock_ns = cpu->clock_ns;
    ls->clock_opaque = cpu->clock_opaque;
    if (ls->clock_ns) {
        cpu->clock_ns = clock_ns;
        cpu->clock_opaque = ls;
    }
    ls->ferr = cpu->ferr;
    ls->ferr_opaque = cpu->ferr_opaque;
    if (ls->ferr) {
        cpu->ferr = ferr;
        cpu->ferr_opaque = ls;
    }
    ls->random = cpu->random;
    ls->random_opaque = cpu->random_opaque;
    cpu->random = random_number;
    cpu->random_opaque = ls;
    ls->code_write_check = cpu->code_write_check;
    cpu->code_write_check = code_write_check;
    ls->on_device = cpu->mmu.on_device;
    ls->on_device_opaque = cpu->mmu.on_device_opaque;
    if (ls->on_device) {
        cpu->mmu.on_device = on_device;
        cpu->mmu.on_device_opaque = ls;
    }
}

void outside_detach(Lockstep *ls)
{
    CPUState *cpu = ls->cpu;
    cpu->io = ls->io;
    cpu->apic_ops = ls->apic_ops;
    cpu->apic = ls->apic;
    cpu->clock_ns = ls->clock_ns;
    cpu->clock_opaque = ls->clock_opaque;
    cpu->ferr = ls->ferr;
    cpu->ferr_opaque = ls->ferr_opaque;
    cpu->random = ls->random;
    cpu->random_opaque = ls->random_opaque;
    cpu->code_write_check = ls->code_write_check;
    cpu->mmu.on_device = ls->on_device;
    cpu->mmu.on_device_opaque = ls->on_device_opaque;
    ioports_free(ls->own_io);
    free(ls->event);
    free(ls->dma);
    free(ls->dma_bytes);
}
