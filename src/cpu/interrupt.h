/* Events on their way into the guest: raise.c notes exceptions, deliver.c takes them through the IVT or
 * IDT, iret.c comes back. */
#ifndef CALQUE_CPU_INTERRUPT_H
#define CALQUE_CPU_INTERRUPT_H

#include "cpu/cpu.h"

typedef enum EventKind { EVENT_EXCEPTION, EVENT_EXTERNAL, EVENT_SOFT, EVENT_INT1 } EventKind;

typedef struct Event {
    uint8_t vector;
    EventKind kind;
    bool has_error;
    uint32_t error;
    uint32_t ret; /* EIP to push */
} Event;

/* CPUState.nest: what is being delivered, for the EXT bit and double faults: 0, vector + 1, or */
enum { NEST_EXTERNAL = 0xfe, NEST_SOFT = 0xff };

/* Delivers now; changes nothing unless it succeeds (task gates: unless the switch has committed).  May
 * raise. */
void cpu_deliver_event(CPUState *cpu, const Event *ev);
/* Triple fault: stops the processor and leaves for the execution loop. */
_Noreturn void cpu_enter_shutdown(CPUState *cpu);

#endif
