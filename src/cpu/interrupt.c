/* Raising exceptions, interrupt pins, and what is taken when: SDM 3A 6.9 (priorities), 6.15 (double fault
 * table), 6.8 (masking). */
#include "cpu/helpers.h"
#include "cpu/interrupt.h"
#include "cpu/smm.h"
#include "util/log.h"
#include "util/symbols.h"

/* --- raising ------------------------------------------------------------------------------------------ */
static _Noreturn void leave(CPUState *cpu)
{
    cpu->nest = 0;
    cpu->event_kept = 0;
    longjmp(*cpu->exc_env, 1);
}

void cpu_enter_shutdown(CPUState *cpu)
{
    if (log_on(LOG_INT | LOG_CPU_RESET)) log_printf("triple fault at %08x\n", cpu->eip);
    cpu->shutdown = true;
    cpu->exc_vector = -1;
    cpu_request_exit(cpu);
    leave(cpu);
}

enum { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static int fault_class(int vector)
{
    switch (vector) {
    case EXC_DE:
    case EXC_TS:
    case EXC_NP:
    case EXC_SS:
    case EXC_GP: return CONTRIBUTORY;
    case EXC_PF: return PAGE_FAULT;
    case EXC_DF: return DOUBLE_FAULT;
    default: return BENIGN;
    }
}

/* A second exception while delivering a first, SDM 3A table 6-5: what is to be delivered. */
static int combine(CPUState *cpu, int second)
{
    if (cpu->nest == 0 || cpu->nest >= NEST_EXTERNAL) return second;
    int a = fault_class(cpu->nest - 1), b = fault_class(second);
    if (b == BENIGN) return second;
    if (a == DOUBLE_FAULT) cpu_enter_shutdown(cpu);
    if ((a == CONTRIBUTORY && b == CONTRIBUTORY) || a == PAGE_FAULT) return EXC_DF;
    return second;
}

static bool pushes_error(int vector)
{
    const uint32_t with_error =
        1u << EXC_DF | 1u << EXC_TS | 1u << EXC_NP | 1u << EXC_SS | 1u << EXC_GP | 1u << EXC_PF | 1u << EXC_AC;
    return with_error >> vector & 1;
}

static _Noreturn void raise_event(CPUState *cpu, int vector, uint32_t error)
{
    enum { EXT = 1 };
    if (cpu->nest && cpu->nest != NEST_SOFT && vector >= EXC_TS && vector <= EXC_GP) error |= EXT;
    int actual = combine(cpu, vector);
    if (actual != vector) error = 0;
    cpu->exc_vector = actual;
    cpu->exc_has_error = pushes_error(actual);
    cpu->exc_error = cpu->exc_has_error ? error : 0;
    cpu->exc_is_soft = false;
    cpu->dr6_pending = 0; /* the instruction did not complete */
    leave(cpu);
}

void cpu_raise(CPUState *cpu, int vector)
{
    raise_event(cpu, vector, 0);
}
void cpu_raise_err(CPUState *cpu, int vector, uint32_t error)
{
    raise_event(cpu, vector, error);
}

void cpu_raise_pf(CPUState *cpu, const MmuFault *f)
{
    cpu->cr2 = f->cr2;
    raise_event(cpu, EXC_PF, f->error);
}

void cpu_retry_single(CPUState *cpu)
{
    cpu->exc_vector = EXC_RETRY_SINGLE;
    cpu->dr6_pending = 0;
    leave(cpu);
}

void helper_raise(CPUState *cpu, uint32_t vector, uint32_t error)
{
    raise_event(cpu, (int)(vector & 31), error);
}

/* --- delivery, called by the execution loop -------------------------------------------------------------- */
static void log_event(const CPUState *cpu, const Event *ev)
{
    static const char *const kinds[] = { "exception", "external", "soft", "int1" };
    char name[160];
    symbols_text(name, sizeof name, cpu->seg[SEG_CS].base + cpu->eip);
    log_printf("int v=%02x e=%04x %s cpl=%u IP=%04x:%08x SP=%04x:%08x EAX=%08x CR2=%08x%s%s\n", ev->vector, ev->error,
               kinds[ev->kind], cpu_cpl(cpu), cpu->seg[SEG_CS].sel, cpu->eip, cpu->seg[SEG_SS].sel, cpu->regs[R_ESP],
               cpu->regs[R_EAX], cpu->cr2, *name ? " " : "", name);
}

static uint8_t nest_of(const Event *ev)
{
    switch (ev->kind) {
    case EVENT_EXTERNAL: return NEST_EXTERNAL;
    case EVENT_SOFT: return NEST_SOFT;
    default: return (uint8_t)(ev->vector + 1);
    }
}

static void take(CPUState *cpu, const Event *ev)
{
    if (log_on(LOG_INT)) log_event(cpu, ev);
    cpu->nest = nest_of(ev);
    cpu_deliver_event(cpu, ev);
    cpu->nest = 0;
}

/* At an instruction boundary, not in the middle of one. */
static void take_at_boundary(CPUState *cpu, const Event *ev)
{
    cpu->shadow = 0;
    cpu->halted = false; /* the single-step trap of a HLT ends it */
    cpu_update_mode(cpu);
    take(cpu, ev);
    cpu->event_kept = 0;
}

void cpu_deliver(CPUState *cpu)
{
    int vector = cpu->exc_vector;
    if (vector < 0 || vector > 31) return;
    Event ev = { .vector = (uint8_t)vector,
                 .kind = EVENT_EXCEPTION,
                 .has_error = cpu->exc_has_error,
                 .error = cpu->exc_error,
                 .ret = cpu->eip };
    cpu->exc_vector = -1;
    take_at_boundary(cpu, &ev);
}

void helper_int_soft(CPUState *cpu, uint32_t vector, uint32_t next)
{
    Event ev = { .vector = (uint8_t)vector, .kind = EVENT_SOFT, .ret = next };
    take(cpu, &ev);
}

void helper_int1(CPUState *cpu, uint32_t next)
{
    Event ev = { .vector = EXC_DB, .kind = EVENT_INT1, .ret = next };
    take(cpu, &ev);
}

/* --- pins ---------------------------------------------------------------------------------------------------- */
static bool smi_ready(const CPUState *cpu)
{
    return cpu->smi_pending && !cpu->in_smm;
}
static bool init_ready(const CPUState *cpu)
{
    return cpu->init_pending && !cpu->in_smm;
}
static bool nmi_ready(const CPUState *cpu)
{
    return cpu->nmi_pending && !cpu->nmi_blocked && !(cpu->shadow & SHADOW_MOVSS);
}
static bool intr_ready(const CPUState *cpu)
{
    return cpu->intr_line && cpu->eflags & FL_IF && !cpu->shadow;
}

/* A shadow is gone by the time a halted processor waits. */
bool cpu_has_work(const CPUState *cpu)
{
    return smi_ready(cpu) || init_ready(cpu) || (cpu->nmi_pending && !cpu->nmi_blocked) ||
           (cpu->intr_line && cpu->eflags & FL_IF);
}

static bool take_intr(CPUState *cpu)
{
    int vector = cpu->intr_ack ? cpu->intr_ack(cpu->intr_opaque) : -1;
    if (vector < 0) return false;
    cpu->intr_vector = (uint8_t)vector;
    Event ev = { .vector = (uint8_t)vector, .kind = EVENT_EXTERNAL, .ret = cpu->eip };
    take_at_boundary(cpu, &ev);
    return true;
}

bool cpu_take_interrupt(CPUState *cpu)
{
    if (smi_ready(cpu)) {
        cpu->smi_pending = false;
        cpu_enter_smm(cpu);
        return true;
    }
    if (init_ready(cpu)) {
        cpu->init_pending = false;
        cpu_init_signal(cpu);
        return true;
    }
    if (nmi_ready(cpu)) {
        cpu->nmi_pending = false;
        cpu->nmi_blocked = true;
        cpu->intr_vector = EXC_NMI;
        Event ev = { .vector = EXC_NMI, .kind = EVENT_EXTERNAL, .ret = cpu->eip };
        take_at_boundary(cpu, &ev);
        return true;
    }
    if (!intr_ready(cpu)) return false;
    if (cpu_cpl(cpu) == 3 || !(cpu->cr0 & CR0_PE)) cpu_sample_window(cpu, true);
    return take_intr(cpu);
}

void helper_hlt(CPUState *cpu, uint32_t next)
{
    if (cpu_cpl(cpu) != 0) cpu_raise_err(cpu, EXC_GP, 0);
    cpu->eip = next;
    cpu->halted = true;
    cpu_request_exit(cpu);
}
