/* The parts of the local APIC among themselves: lapic.c has the interrupts, lapic_timer.c the timer and
 * lapic_regs.c the registers as the guest sees them. */
#ifndef CALQUE_HW_LAPIC_INT_H
#define CALQUE_HW_LAPIC_INT_H

#include "hw/lapic.h"

/* Local vector table, SDM 3A 11.5.1, in the order of the registers from 320h. */
enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum {
    LVT_VECTOR = 0xff,
    LVT_MODE = 0x700,
    LVT_ACTIVE_LOW = 1 << 13,
    LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15,
    LVT_MASKED = 1 << 16,
    LVT_TIMER_MODE_SHIFT = 17, /* 2 bits */
};
enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };
enum { SVR_ENABLE = 1 << 8, SVR_NO_FOCUS = 1 << 9 };
enum { ESR_SEND_VECTOR = 1 << 5, ESR_RECEIVE_VECTOR = 1 << 6, ESR_REGISTER = 1 << 7 };

struct Lapic {
    Machine *machine;
    CPUState *cpu;
    IrqLine intr;
    LapicBoard board;
    PhysRegion *window;
    Timer *timer;

    bool enabled; /* IA32_APIC_BASE.EN */
    uint64_t base;
    bool lint[2]; /* levels of the pins */
    bool extint;  /* a message asked for an acknowledge cycle of the 8259s */
    uint8_t id, tpr;
    uint32_t ldr, dfr, svr, icr_low, icr_high;
    uint32_t esr, esr_pending; /* as read; logged since the last write */
    uint32_t lvt[LVT_COUNT];
    uint32_t irr[8], isr[8], tmr[8]; /* bit v % 32 of word v / 32 */

    uint32_t initial_count, divide;
    bool counting;    /* one-shot: has not come to 0 */
    uint64_t start;   /* ns at which the counter held initial_count */
    uint32_t backlog; /* periodic ticks to be made up for */
    uint64_t tsc_deadline;
};

/* lapic.c */
static inline bool lapic_test(const uint32_t bits[8], uint8_t vector)
{
    return bits[vector / 32] >> vector % 32 & 1;
}
static inline bool lapic_software_enabled(const Lapic *l)
{
    return l->svr & SVR_ENABLE;
}
uint8_t lapic_ppr(const Lapic *l);
void lapic_update(Lapic *l); /* INTR, after anything that it depends on */
void lapic_accept(Lapic *l, uint8_t vector, bool level);
void lapic_error(Lapic *l, uint32_t esr_bit);
void lapic_eoi(Lapic *l);
void lapic_send_ipi(Lapic *l); /* as ICR says */
void lapic_lint_settings_changed(Lapic *l, int n);
void lapic_set_software_state(Lapic *l, uint32_t svr);
void lapic_reset_state(Lapic *l); /* RESET# and INIT# alike, and when it is switched off: all but the ID */

/* lapic_regs.c */
extern const MmioOps lapic_mmio;

/* lapic_timer.c */
void lapic_timer_fired(void *opaque);
void lapic_timer_rearm(Lapic *l);
void lapic_timer_set_lvt(Lapic *l, uint32_t lvt);
void lapic_timer_set_initial(Lapic *l, uint32_t count);
void lapic_timer_set_divide(Lapic *l, uint32_t divide);
uint32_t lapic_timer_current(Lapic *l);
uint64_t lapic_timer_deadline(Lapic *l);
void lapic_timer_set_deadline(Lapic *l, uint64_t tsc);
static inline unsigned lapic_timer_mode(const Lapic *l)
{
    return l->lvt[LVT_TIMER] >> LVT_TIMER_MODE_SHIFT & 3;
}

#endif
