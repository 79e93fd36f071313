/* Interrupts at the local APIC: SDM 3A chapter 11 (10 in older editions).  One processor: a message either
 * is for this APIC or for nobody. */
#include "hw/lapic.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"
#include "hw/lapic_int.h"
#include "util/log.h"

/* --- which vector is next ------------------------------------------------------------------------------ */

static void set_bit(uint32_t bits[8], uint8_t vector, bool on)
{
    uint32_t bit = 1u << vector % 32;
    bits[vector / 32] = on ? bits[vector / 32] | bit : bits[vector / 32] & ~bit;
}

/* -1: none */
static int highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--)
        if (bits[i]) return i * 32 + 31 - __builtin_clz(bits[i]);
    return -1;
}

/* 11.8.3.1: the class of the task or of the interrupt in service, whichever is higher. */
uint8_t lapic_ppr(const Lapic *l)
{
    int serving = highest(l->isr);
    if (serving < 0 || l->tpr >> 4 >= serving >> 4) return l->tpr;
    return serving & 0xf0;
}

static int deliverable(const Lapic *l)
{
    int v = highest(l->irr);
    return v >= 0 && v >> 4 > lapic_ppr(l) >> 4 ? v : -1;
}

/* A pin that passes INTR through. */
static bool extint_pin(const Lapic *l)
{
    for (int n = 0; n < 2; n++) {
        uint32_t lvt = l->lvt[LVT_LINT0 + n];
        if (l->lint[n] && !(lvt & LVT_MASKED) && (lvt & LVT_MODE) >> 8 == APIC_EXTINT) return true;
    }
    return false;
}

void lapic_update(Lapic *l)
{
    /* Without the APIC the pin is the processor's INTR. */
    irq_set(&l->intr, l->enabled ? l->extint || extint_pin(l) || deliverable(l) >= 0 : l->lint[0]);
}

int lapic_ack(Lapic *l)
{
    int v = l->enabled ? deliverable(l) : -1;
    if (v >= 0) {
        set_bit(l->irr, (uint8_t)v, false);
        set_bit(l->isr, (uint8_t)v, true);
        if (l->backlog && v == (int)(l->lvt[LVT_TIMER] & LVT_VECTOR)) lapic_timer_rearm(l);
        if (l->board.acked) l->board.acked(l->board.opaque, (uint8_t)v);
    } else if (l->enabled ? l->extint || extint_pin(l) : l->lint[0]) {
        l->extint = false;
        v = l->board.extint_ack ? l->board.extint_ack(l->board.opaque) : -1;
    }
    lapic_update(l);
    return v;
}

/* --- interrupts come in ---------------------------------------------------------------------------------- */

void lapic_error(Lapic *l, uint32_t esr_bit)
{
    bool armed = !l->esr_pending; /* a write to ESR arms the interrupt again */
    uint32_t lvt = l->lvt[LVT_ERROR];
    l->esr_pending |= esr_bit;
    /* An illegal vector of its own must not report itself for ever. */
    if (armed && !(lvt & LVT_MASKED) && (lvt & LVT_VECTOR) >= 16) lapic_accept(l, lvt & LVT_VECTOR, false);
}

void lapic_accept(Lapic *l, uint8_t vector, bool level)
{
    if (vector < 16) {
        lapic_error(l, ESR_RECEIVE_VECTOR);
        return;
    }
    set_bit(l->irr, vector, true);
    set_bit(l->tmr, vector, level);
    lapic_update(l);
}

/* One interrupt with a delivery mode.  False: not accepted. */
static bool deliver(Lapic *l, unsigned mode, uint8_t vector, bool level)
{
    switch (mode) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        if (!lapic_software_enabled(l)) return false;
        lapic_accept(l, vector, level);
        return true;
    case APIC_SMI: cpu_pulse_smi(l->cpu); return true;
    case APIC_NMI: cpu_pulse_nmi(l->cpu); return true;
    case APIC_INIT: cpu_pulse_init(l->cpu); return true;
    case APIC_EXTINT:
        l->extint = true;
        lapic_update(l);
        return true;
    default: return false; /* start-up: only a processor that waits for it takes notice */
    }
}

/* 11.6.2: physical, and logical by the flat and the cluster model. */
static bool addressed(const Lapic *l, const ApicMessage *msg)
{
    uint8_t set = (uint8_t)(l->ldr >> 24), to = msg->destination;
    if (to == 0xff) return true;
    if (!msg->logical) return to == l->id;
    if (l->dfr >> 28 == 0xf) return to & set;
    return (to >> 4 == 0xf || to >> 4 == set >> 4) && (to & set & 0xf);
}

bool lapic_receive(Lapic *l, const ApicMessage *msg)
{
    return l->enabled && addressed(l, msg) && deliver(l, msg->mode, msg->vector, msg->level);
}

/* --- pins ------------------------------------------------------------------------------------------------ */

static bool is_level_fixed(uint32_t lvt)
{
    return (lvt & LVT_LEVEL) && (lvt & LVT_MODE) >> 8 == APIC_FIXED;
}

/* A level-triggered pin: again after each EOI for as long as it is active. */
static void service_level(Lapic *l, int n)
{
    uint32_t *lvt = &l->lvt[LVT_LINT0 + n];
    bool active = l->lint[n] != ((*lvt & LVT_ACTIVE_LOW) != 0);
    if (!l->enabled || !active || !is_level_fixed(*lvt) || (*lvt & (LVT_MASKED | LVT_REMOTE_IRR))) return;
    if (deliver(l, APIC_FIXED, *lvt & LVT_VECTOR, true)) *lvt |= LVT_REMOTE_IRR;
}

void lapic_lint_settings_changed(Lapic *l, int n)
{
    if (!is_level_fixed(l->lvt[LVT_LINT0 + n])) l->lvt[LVT_LINT0 + n] &= ~(uint32_t)LVT_REMOTE_IRR;
    service_level(l, n);
    lapic_update(l);
}

static void lint_edge(Lapic *l, int n, bool level)
{
    uint32_t lvt = l->lvt[LVT_LINT0 + n];
    unsigned mode = (lvt & LVT_MODE) >> 8;
    bool becomes_active = level != ((lvt & LVT_ACTIVE_LOW) != 0);
    if (!becomes_active || (lvt & LVT_MASKED) || mode == APIC_EXTINT) return;
    if (is_level_fixed(lvt))
        service_level(l, n);
    else
        deliver(l, mode, lvt & LVT_VECTOR, false);
}

static void lint_set(void *opaque, int n, bool level)
{
    Lapic *l = opaque;
    if (l->lint[n] == level) return;
    l->lint[n] = level;
    if (l->enabled)
        lint_edge(l, n, level);
    else if (n == 1 && level)
        cpu_pulse_nmi(l->cpu);
    lapic_update(l);
}

IrqLine lapic_lint(Lapic *l, int n)
{
    return (IrqLine){ .set = lint_set, .opaque = l, .n = n & 1 };
}

/* --- what the processor asks for ----------------------------------------------------------------------- */

static void lint_eoi(Lapic *l, int n, uint8_t vector)
{
    uint32_t *lvt = &l->lvt[LVT_LINT0 + n];
    if (!(*lvt & LVT_REMOTE_IRR) || (*lvt & LVT_VECTOR) != vector) return;
    *lvt &= ~(uint32_t)LVT_REMOTE_IRR;
    service_level(l, n);
}

void lapic_eoi(Lapic *l)
{
    int v = highest(l->isr);
    if (v < 0) return;
    uint8_t vector = (uint8_t)v;
    set_bit(l->isr, vector, false);
    if (lapic_test(l->tmr, vector)) {
        lint_eoi(l, 0, vector);
        lint_eoi(l, 1, vector);
        if (l->board.eoi) l->board.eoi(l->board.opaque, vector);
    }
    lapic_update(l);
}

/* ICR's destination shorthands, 11.6.1. */
enum { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };
enum { ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };

void lapic_send_ipi(Lapic *l)
{
    uint32_t icr = l->icr_low;
    ApicMessage msg = { .destination = (uint8_t)(l->icr_high >> 24),
                        .logical = icr & ICR_LOGICAL,
                        .mode = icr >> 8 & 7,
                        .vector = (uint8_t)icr };
    unsigned to = icr >> 18 & 3;
    if (msg.mode <= APIC_LOWEST_PRIORITY && msg.vector < 16) {
        lapic_error(l, ESR_SEND_VECTOR);
        return;
    }
    /* INIT de-assert only synchronises arbitration IDs. */
    if (msg.mode == APIC_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT)) return;
    /* ExtINT is not for IPIs; table 11-3: to itself and all by shorthand goes only what is fixed. */
    if (msg.mode == APIC_EXTINT || to == TO_OTHERS) return;
    if (to != TO_DESTINATION && msg.mode != APIC_FIXED) return;
    if (to == TO_DESTINATION ? lapic_receive(l, &msg) : l->enabled && deliver(l, msg.mode, msg.vector, false)) return;
    if (log_on(LOG_GUEST_ERRORS)) log_printf("lapic: IPI %08x %08x reaches nobody\n", l->icr_high, icr);
}

/* 11.4.7.2: disabling masks all of the table. */
void lapic_set_software_state(Lapic *l, uint32_t svr)
{
    bool disabling = lapic_software_enabled(l) && !(svr & SVR_ENABLE);
    l->svr = svr;
    if (disabling) {
        for (int i = 0; i < LVT_COUNT; i++) l->lvt[i] |= LVT_MASKED;
        lapic_timer_rearm(l);
    }
    lapic_update(l);
}

/* --- reset, and the base register -------------------------------------------------------------------------- */

void lapic_reset_state(Lapic *l)
{
    l->extint = false;
    l->tpr = 0;
    l->ldr = l->icr_low = l->icr_high = l->esr = l->esr_pending = 0;
    l->dfr = UINT32_MAX;
    l->svr = 0xff;
    memset(l->irr, 0, sizeof l->irr);
    memset(l->isr, 0, sizeof l->isr);
    memset(l->tmr, 0, sizeof l->tmr);
    for (int i = 0; i < LVT_COUNT; i++) l->lvt[i] = LVT_MASKED;
    l->lvt[LVT_LINT0] = APIC_EXTINT << 8; /* virtual wire mode */
    l->lvt[LVT_LINT1] = APIC_NMI << 8;
    l->initial_count = l->divide = l->backlog = 0;
    l->counting = false;
    l->tsc_deadline = 0;
    lapic_timer_rearm(l);
    lapic_update(l);
}

static void set_base(void *opaque, uint64_t base)
{
    Lapic *l = opaque;
    bool enable = base & APIC_BASE_ENABLE;
    l->base = base & ~(uint64_t)PAGE_MASK;
    phys_region_set(l->window, l->base, enable, false);
    if (enable == l->enabled) return;
    l->enabled = enable;
    lapic_reset_state(l); /* 11.4.3: its state is lost */
}

static void on_init(void *opaque)
{
    lapic_reset_state(opaque);
}
static uint64_t tsc_deadline(void *opaque)
{
    return lapic_timer_deadline(opaque);
}
static void set_tsc_deadline(void *opaque, uint64_t tsc)
{
    lapic_timer_set_deadline(opaque, tsc);
}
static void tsc_moved(void *opaque)
{
    Lapic *l = opaque;
    if (l->tsc_deadline) lapic_timer_rearm(l);
}

static const Field lapic_fields[] = {
    FIELD(Lapic, enabled),     FIELD(Lapic, base),         FIELD(Lapic, lint),
    FIELD(Lapic, extint),      FIELD(Lapic, id),           FIELD(Lapic, tpr),
    FIELD(Lapic, ldr),         FIELD(Lapic, dfr),          FIELD(Lapic, svr),
    FIELD(Lapic, icr_low),     FIELD(Lapic, icr_high),     FIELD(Lapic, esr),
    FIELD(Lapic, esr_pending), FIELD(Lapic, lvt),          FIELD(Lapic, irr),
    FIELD(Lapic, isr),         FIELD(Lapic, tmr),          FIELD(Lapic, divide),
    FIELD(Lapic, counting),    FIELD(Lapic, start),        FIELD(Lapic, initial_count),
    FIELD(Lapic, backlog),     FIELD(Lapic, tsc_deadline), FIELD_END,
};

static void lapic_reset(void *dev)
{
    Lapic *l = dev;
    l->id = 0;
    set_base(l, APIC_BASE_DEFAULT | APIC_BASE_ENABLE | APIC_BASE_BSP);
    lapic_reset_state(l);
}

static const DeviceClass lapic_class = { .name = "lapic", .version = 1, .fields = lapic_fields, .reset = lapic_reset };

Lapic *lapic_new(Machine *m, IrqLine intr, LapicBoard board)
{
    static const CpuApicOps ops = { .set_base = set_base,
                                    .init = on_init,
                                    .tsc_deadline = tsc_deadline,
                                    .set_tsc_deadline = set_tsc_deadline,
                                    .tsc_moved = tsc_moved };
    Lapic *l = hw_alloc(sizeof *l);
    l->machine = m;
    l->cpu = machine_cpu(m);
    l->intr = intr;
    l->board = board;
    l->timer = timer_new(m, lapic_timer_fired, l);
    l->window = phys_add_mmio(machine_phys(m), "lapic", APIC_BASE_DEFAULT, PAGE_SIZE, 3, &lapic_mmio, l);
    if (!l->window) {
        fputs("calque: out of memory\n", stderr);
        exit(1);
    }
    l->cpu->apic_ops = &ops;
    l->cpu->apic = l;
    lapic_reset(l);
    machine_add_device(m, &lapic_class, l);
    return l;
}

void lapic_free(Lapic *l)
{
    if (!l) return;
    l->cpu->apic_ops = NULL;
    timer_free(l->timer);
    free(l);
}
