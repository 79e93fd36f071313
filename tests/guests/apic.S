/* The local APIC as its processor sees it: SDM 3A 10.4.7 (state after reset and software disable), 10.5.4 (the timer: one-shot,
 * periodic, divider), 10.6.1 (ICR: self), 10.8.3 (priorities: IRR, ISR, TPR, PPR), 10.8.5 (EOI), 10.5.3 (errors), 10.9.  Times
 * are only compared with each other, since no frequency is promised. */
#include "guest.h"

#define APIC 0xfee00000
#define ID (APIC + 0x20)
#define VERSION (APIC + 0x30)
#define TPR (APIC + 0x80)
#define PPR (APIC + 0xa0)
#define EOI (APIC + 0xb0)
#define SPURIOUS (APIC + 0xf0)
#define ISR (APIC + 0x100)
#define IRR (APIC + 0x200)
#define ESR (APIC + 0x280)
#define ICR_LOW (APIC + 0x300)
#define TIMER (APIC + 0x320)
#define LINT0 (APIC + 0x350)
#define INITIAL (APIC + 0x380)
#define CURRENT (APIC + 0x390)
#define DIVIDE (APIC + 0x3e0)
#define SELF 0x40000
#define MASKED 0x10000
#define PERIODIC 0x20000
.set VECTOR, 0x61
.set LOWER, 0x52
.set HIGHER, 0x73

/* Waits until a memory operand has at least this value.  The limit is for what never comes: on a busy host a timer's own
 * thread may be many of the guest's milliseconds late. */
.macro AWAIT op, want
    movl $1000000000, %ecx
1:  cmpl $(\want), \op
    jae 2f
    decl %ecx
    jnz 1b
2:
.endm
.macro SEND vector
    movl $(SELF + (\vector)), ICR_LOW
.endm
/* The bit of a vector in IRR or ISR. */
.macro BIT_IS base, vector, want, name
    movl (\base) + ((\vector) >> 5) * 16, %eax
    shrl $((\vector) & 31), %eax
    andl $1, %eax
    CHECK_EQ %eax, \want, "\name"
.endm
.macro OPEN_WINDOW
    sti
    nop
    nop
    cli
.endm

    .text
    .globl guest_main
guest_main:
    movl $1, %eax
    cpuid
    testl $(1 << 9), %edx
    jnz 1f
    SKIP_ALL "no local APIC"
1:  movl $on_vector, hooks + VECTOR * 4
    movl $on_vector, hooks + LOWER * 4
    movl $on_vector, hooks + HIGHER * 4
    call disabled
    movl $0x1ff, SPURIOUS
    movl $0, TPR
    call self
    call priorities
    call nesting
    call task_priority
    call one_shot
    call dividers
    call periodic
    call masked
    call wakes
    call errors
    ret

/* Notes the vector; with nest set, lets others in before EOI. */
on_vector:
    movl 44(%ebp), %eax
    movl count, %ecx
    andl $15, %ecx
    movl %eax, order(, %ecx, 4)
    incl count
    movl PPR, %eax
    movl %eax, seen_ppr
    cmpl $0, nest
    je 1f
    pushl %eax
    SEND HIGHER
    SEND LOWER
    movl $0, nest
    sti
    nop
    nop
    cli
    movl count, %eax
    movl %eax, count_inside
    popl %eax
1:  movl $0, EOI
    ret
clear:
    movl $0, count
    movl $0, nest
    ret

disabled:
    movl SPURIOUS, %eax
    andl $0x100, %eax
    cmpl $0, %eax
    jne 1f /* firmware has been here */
    movl $VECTOR, TIMER
    movl TIMER, %eax
    andl $MASKED, %eax
    CHECK_EQ %eax, MASKED, "disabled by software: the mask cannot be cleared"
1:  movl VERSION, %eax
    andl $0xf0, %eax
    CHECK_EQ %eax, 0x10, "version: integrated"
    ret

self:
    call clear
    SEND VECTOR
    BIT_IS IRR, VECTOR, 1, "requested"
    BIT_IS ISR, VECTOR, 0, "not in service"
    CHECK_EQ count, 0, "IF is clear"
    OPEN_WINDOW
    CHECK_EQ count, 1, "taken"
    CHECK_EQ order, VECTOR, "its vector"
    BIT_IS IRR, VECTOR, 0, "no request left"
    BIT_IS ISR, VECTOR, 0, "EOI ends the service"
    andl $0xf0, seen_ppr
    CHECK_EQ seen_ppr, (VECTOR & 0xf0), "PPR in the handler"
    /* Twice the same is once. */
    call clear
    SEND VECTOR
    SEND VECTOR
    OPEN_WINDOW
    CHECK_EQ count, 1, "one bit, one interrupt"
    ret

priorities:
    call clear
    SEND LOWER
    SEND HIGHER
    SEND VECTOR
    OPEN_WINDOW
    CHECK_EQ count, 3, "three requests"
    CHECK_EQ order, HIGHER, "highest first"
    CHECK_EQ (order + 4), VECTOR, "then the middle one"
    CHECK_EQ (order + 8), LOWER, "then the lowest"
    ret

/* In service: only a higher class comes through. */
nesting:
    call clear
    movl $1, nest
    SEND VECTOR
    OPEN_WINDOW
    CHECK_EQ count_inside, 2, "within the handler: one"
    CHECK_EQ (order + 4), HIGHER, "the higher one"
    CHECK_EQ count, 3, "after it: the other"
    CHECK_EQ (order + 8), LOWER, "the lower one"
    ret

task_priority:
    call clear
    movl $(VECTOR & 0xf0), TPR
    movl PPR, %eax
    CHECK_EQ %eax, (VECTOR & 0xf0), "PPR follows TPR"
    SEND VECTOR
    OPEN_WINDOW
    CHECK_EQ count, 0, "TPR holds its own class"
    SEND HIGHER
    OPEN_WINDOW
    CHECK_EQ count, 1, "a higher class passes"
    movl $((VECTOR & 0xf0) - 1), TPR
    OPEN_WINDOW
    CHECK_EQ count, 2, "a lower TPR lets it in"
    movl $0, TPR
    ret

one_shot:
    call clear
    movl $0x0b, DIVIDE /* by 1 */
    movl $VECTOR, TIMER
    movl $1000, INITIAL
    sti
    AWAIT count, 1
    cli
    CHECK_EQ count, 1, "one-shot"
    movl CURRENT, %eax
    CHECK_EQ %eax, 0, "then the count is 0"
    sti
    movl $20000, %ecx
1:  decl %ecx
    jnz 1b
    cli
    CHECK_EQ count, 1, "once"
    /* The count goes down, and writing 0 stops it. */
    movl $0x7fffffff, INITIAL
    movl CURRENT, %ebx
    movl $1000, %ecx
1:  decl %ecx
    jnz 1b
    movl CURRENT, %eax
    cmpl %ebx, %eax
    setb %cl
    movzbl %cl, %ecx
    CHECK_EQ %ecx, 1, "the count goes down"
    movl INITIAL, %eax
    CHECK_EQ %eax, 0x7fffffff, "the initial count stays"
    movl $0, INITIAL
    movl CURRENT, %eax
    CHECK_EQ %eax, 0, "0 stops it"
    ret

/* The same count takes 16 times as long with 16 as with 1, more or less.  A busy host may take the processor away between two
 * readings: once in ten tries must do. */
dividers:
    call clear
    movl $10, tries
retry:
    movl $VECTOR + MASKED, TIMER
    .irp code, 0x0b, 3
    movl $\code, DIVIDE
    movl DIVIDE, %eax
    CHECK_EQ %eax, \code, "the divider reads back"
    movl $-1, INITIAL
    rdtsc
    movl %eax, %ebx
1:  rdtsc
    subl %ebx, %eax
    cmpl $1000000, %eax
    jb 1b
    movl $-1, %edi
    subl CURRENT, %edi
    .if \code == 3
    shll $4, %edi
    .endif
    pushl %edi
    .endr
    popl %eax
    popl %ecx
    movl %ecx, %edx
    shrl $1, %edx
    cmpl %edx, %eax
    setae %dl
    shll $1, %ecx
    cmpl %ecx, %eax
    setbe %dh
    andb %dh, %dl
    movzbl %dl, %edx
    testl %edx, %edx
    jnz 2f
    decl tries
    jnz retry
2:
    CHECK_EQ %edx, 1, "divide by 16: a 16th of the ticks"
    movl $0, INITIAL
    ret

periodic:
    call clear
    movl $0x0b, DIVIDE
    movl $VECTOR + PERIODIC, TIMER
    movl $20000, INITIAL
    sti
    AWAIT count, 4
    cli
    xorl %eax, %eax
    cmpl $4, count
    setae %al
    CHECK_EQ %eax, 1, "periodic: again and again"
    movl $0, INITIAL
    OPEN_WINDOW
    call clear
    sti
    movl $100000, %ecx
1:  decl %ecx
    jnz 1b
    cli
    CHECK_EQ count, 0, "till it is stopped"
    ret

masked:
    call clear
    movl $VECTOR + MASKED, TIMER
    movl $100, INITIAL
    movl $20000000, %ecx
1:  cmpl $0, CURRENT
    je 2f
    decl %ecx
    jnz 1b
2:  OPEN_WINDOW
    CHECK_EQ count, 0, "masked"
    BIT_IS IRR, VECTOR, 0, "masked: not remembered"
    movl $VECTOR, TIMER
    OPEN_WINDOW
    CHECK_EQ count, 0, "nor after unmasking"
    ret

wakes:
    call clear
    movl $VECTOR, TIMER
    movl $1000, INITIAL
    sti
    hlt
    cli
    CHECK_EQ count, 1, "HLT wakes"
    ret

/* Vectors below 16 are errors: sent (bit 5) or received (bit 6). */
errors:
    movl $0, ESR
    movl $0, ESR
    SEND 5
    movl $0, ESR
    movl ESR, %eax
    andl $0x60, %eax
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "an illegal vector shows in ESR"
    movl $0, ESR
    movl ESR, %eax
    CHECK_EQ %eax, 0, "a write clears what was read"
    ret

    .bss
tries: .long 0
    .balign 4
count: .skip 4
count_inside: .skip 4
nest: .skip 4
order: .skip 64
seen_ppr: .skip 4
