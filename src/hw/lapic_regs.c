/* The local APIC's registers, SDM 3A table 11-1: 32 bits each at multiples of 16. */
#include "hw/lapic_int.h"
#include "util/log.h"

enum {
    REG_ID = 0x02,
    REG_VERSION,
    REG_TPR = 0x08,
    REG_APR,
    REG_PPR,
    REG_EOI,
    REG_RRD,
    REG_LDR,
    REG_DFR,
    REG_SVR,
    REG_ISR = 0x10, /* 8 of each */
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH,
    REG_LVT = 0x32, /* LVT_COUNT of them */
    REG_INITIAL_COUNT = 0x38,
    REG_CURRENT_COUNT,
    REG_DIVIDE = 0x3e,
};
enum { VERSION = 0x14 | (LVT_COUNT - 1) << 16 };
enum { ICR_LOW_WRITABLE = 0xccfff, DIVIDE_WRITABLE = 0xb };

/* Guest-writable bits.  Polarity and trigger mode are the pins' alone, and so is no delivery mode of the
 * timer and of errors, which are always fixed. */
static const uint32_t lvt_writable[LVT_COUNT] = {
    [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | 3 << LVT_TIMER_MODE_SHIFT,
    [LVT_THERMAL] = LVT_VECTOR | LVT_MASKED | LVT_MODE,
    [LVT_PERF] = LVT_VECTOR | LVT_MASKED | LVT_MODE,
    [LVT_LINT0] = LVT_VECTOR | LVT_MASKED | LVT_MODE | LVT_ACTIVE_LOW | LVT_LEVEL,
    [LVT_LINT1] = LVT_VECTOR | LVT_MASKED | LVT_MODE | LVT_ACTIVE_LOW | LVT_LEVEL,
    [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

/* Arbitration priority, 11.6.2.4: by class of task, request and service. */
static uint32_t arbitration_priority(const Lapic *l)
{
    int irr = -1, isr = -1;
    for (int i = 0; i < 256; i++) {
        if (lapic_test(l->irr, (uint8_t)i)) irr = i;
        if (lapic_test(l->isr, (uint8_t)i)) isr = i;
    }
    int request = irr < 0 ? 0 : irr >> 4, service = isr < 0 ? 0 : isr >> 4, task = l->tpr >> 4;
    if (task >= request && task > service) return l->tpr;
    int most = task > service ? task : service;
    return (uint32_t)(request > most ? request : most) << 4;
}

static uint32_t illegal(Lapic *l, unsigned reg)
{
    if (log_on(LOG_GUEST_ERRORS)) log_printf("lapic: no register %03x0h\n", reg);
    lapic_error(l, ESR_REGISTER);
    return 0;
}

static uint32_t read_register(Lapic *l, unsigned reg)
{
    if (reg >= REG_ISR && reg < REG_TMR) return l->isr[reg - REG_ISR];
    if (reg >= REG_TMR && reg < REG_IRR) return l->tmr[reg - REG_TMR];
    if (reg >= REG_IRR && reg < REG_ESR) return l->irr[reg - REG_IRR];
    if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT) return l->lvt[reg - REG_LVT];
    switch (reg) {
    case REG_ID: return (uint32_t)l->id << 24;
    case REG_VERSION: return VERSION;
    case REG_TPR: return l->tpr;
    case REG_APR: return arbitration_priority(l);
    case REG_PPR: return lapic_ppr(l);
    case REG_EOI:
    case REG_RRD: return 0;
    case REG_LDR: return l->ldr;
    case REG_DFR: return l->dfr;
    case REG_SVR: return l->svr;
    case REG_ESR: return l->esr;
    case REG_ICR_LOW: return l->icr_low;
    case REG_ICR_HIGH: return l->icr_high;
    case REG_INITIAL_COUNT: return l->initial_count;
    case REG_CURRENT_COUNT: return lapic_timer_current(l);
    case REG_DIVIDE: return l->divide;
    default: return illegal(l, reg);
    }
}

static void write_lvt(Lapic *l, int i, uint32_t v)
{
    v &= lvt_writable[i];
    if (!lapic_software_enabled(l)) v |= LVT_MASKED;
    if (i == LVT_TIMER) {
        lapic_timer_set_lvt(l, v);
        return;
    }
    l->lvt[i] = v | (l->lvt[i] & LVT_REMOTE_IRR);
    if (i == LVT_LINT0 || i == LVT_LINT1) lapic_lint_settings_changed(l, i - LVT_LINT0);
}

static void write_esr(Lapic *l)
{
    l->esr = l->esr_pending;
    l->esr_pending = 0;
}

static void write_register(Lapic *l, unsigned reg, uint32_t v)
{
    if (reg >= REG_LVT && reg < REG_LVT + LVT_COUNT) {
        write_lvt(l, (int)(reg - REG_LVT), v);
        return;
    }
    switch (reg) {
    case REG_ID: l->id = (uint8_t)(v >> 24); break;
    case REG_TPR:
        l->tpr = (uint8_t)v;
        lapic_update(l);
        break;
    case REG_EOI: lapic_eoi(l); break;
    case REG_LDR: l->ldr = v & 0xff000000; break;
    case REG_DFR: l->dfr = v | 0x0fffffff; break;
    case REG_SVR: lapic_set_software_state(l, v & (0xff | SVR_ENABLE | SVR_NO_FOCUS)); break;
    case REG_ESR: write_esr(l); break;
    case REG_ICR_LOW:
        l->icr_low = v & ICR_LOW_WRITABLE; /* delivery status: never pending */
        lapic_send_ipi(l);
        break;
    case REG_ICR_HIGH: l->icr_high = v & 0xff000000; break;
    case REG_INITIAL_COUNT: lapic_timer_set_initial(l, v); break;
    case REG_DIVIDE: lapic_timer_set_divide(l, v & DIVIDE_WRITABLE); break;
    case REG_VERSION:
    case REG_APR:
    case REG_PPR:
    case REG_RRD:
    case REG_CURRENT_COUNT: break; /* read-only */
    default:
        if (reg < REG_ISR || reg >= REG_ESR) illegal(l, reg); /* ISR, TMR and IRR are read-only */
    }
}

/* Only aligned 32-bit accesses are defined; the other twelve bytes of a register's sixteen read as 0. */
static uint64_t lapic_mmio_read(void *opaque, PhysAddr offset, unsigned size)
{
    unsigned at = offset & 15;
    uint32_t v = at < 4 ? read_register(opaque, (unsigned)(offset >> 4)) >> 8 * at : 0;
    return size < 4 ? v & ((1u << 8 * size) - 1) : v;
}

static void lapic_mmio_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    if (size >= 4 && (offset & 15) == 0)
        write_register(opaque, (unsigned)(offset >> 4), (uint32_t)value);
    else if (log_on(LOG_GUEST_ERRORS))
        log_printf("lapic: %u-byte write at %03x is lost\n", size, (unsigned)offset);
}

const MmioOps lapic_mmio = { lapic_mmio_read, lapic_mmio_write };
