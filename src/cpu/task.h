/* Task state segments: hardware task switches (SDM 3A 7) and the inner stacks. */
#ifndef CALQUE_CPU_TASK_H
#define CALQUE_CPU_TASK_H

#include "cpu/segment.h"

typedef enum TaskSwitch { TASK_JMP, TASK_CALL, TASK_IRET, TASK_EVENT } TaskSwitch;

/* Switches to the task of TSS selector sel.  next: EIP saved for the old task.  Raises #TS, #NP, #GP,
 * #SS, #PF: before the commit point in the old task, after it in the new one.  With the new TSS's T bit,
 * ends by raising #DB. */
void task_switch(CPUState *cpu, uint16_t sel, TaskSwitch kind, uint32_t next);
/* For an exception with error code through a task gate: the code is pushed on the new task's stack. */
void task_switch_error(CPUState *cpu, uint16_t sel, uint32_t next, bool has_error, uint32_t error);
/* SS:ESP for privilege level cpl (0..2) from the current TSS; raises #TS(TR). */
void tss_inner_stack(CPUState *cpu, unsigned cpl, uint16_t *ss, uint32_t *esp);

#endif
