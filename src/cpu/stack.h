/* A stack being pushed to or popped from while the instruction that does so may still fault: the
 * registers change only when the whole instruction is known to succeed. */
#ifndef CALQUE_CPU_STACK_H
#define CALQUE_CPU_STACK_H

#include "cpu/mem.h"

typedef struct Stack {
    const SegCache *ss; /* may be a cache not loaded yet (privilege change) */
    uint32_t esp, mask; /* mask: 0xffffffff, or 0xffff for a 16-bit stack */
    unsigned idx;       /* mmu rules */
    uint32_t error;     /* code of the #SS raised when the limit is exceeded */
} Stack;

Stack stack_current(CPUState *cpu);
Stack stack_on(CPUState *cpu, const SegCache *ss, uint32_t esp, unsigned cpl, uint32_t error);
void stack_push(CPUState *cpu, Stack *st, uint32_t value, unsigned size);
uint32_t stack_pop(CPUState *cpu, Stack *st, unsigned size);
/* n bytes above the top, moving nothing. */
uint32_t stack_peek(CPUState *cpu, const Stack *st, uint32_t n, unsigned size);
/* Forgets n bytes; may be used with values that wrap. */
void stack_release(Stack *st, uint32_t n);
/* Raises #SS(st->error) unless n bytes can be pushed. */
void stack_need_room(CPUState *cpu, const Stack *st, uint32_t n);

#endif
