/* External interrupts through the 8259 and what holds them off: SDM 3A 6.8.1 (IF), 6.8.3 (MOV SS), SDM 2B STI (one
 * instruction), HLT; string instructions are interrupted between turns (SDM 2B REP, 3B 17.3.1.1).  A request
 * is first brought to stand with IF clear, so that where it is taken is known to the instruction. */
#include "guest.h"

#define IRQ0 0x20

    .text
    .globl guest_main
guest_main:
    movl $on_timer, hooks + IRQ0 * 4
    call set_up
    call shadows
    call ring3
    call halt
    call gate_types
    call in_strings
    ret

/* IRQ 0-7 at IRQ0, all but the timer masked. */
set_up:
    movb $0x11, %al
    outb %al, $0x20
    movb $IRQ0, %al
    outb %al, $0x21
    movb $0x04, %al
    outb %al, $0x21
    movb $0x01, %al
    outb %al, $0x21
    movb $0xfe, %al
    outb %al, $0x21
    ret

/* EBP: the saved state.  Remembers EIP and EFLAGS, ends the interrupt. */
on_timer:
    incl count
    movl 52(%ebp), %eax
    movl %eax, seen_eip
    movl 60(%ebp), %eax
    movl %eax, seen_flags
    movl 36(%ebp), %eax
    movl %eax, seen_ecx
    movl 12(%ebp), %eax
    movl %eax, seen_edi
    pushfl
    popl inner_flags
    movb $0x20, %al
    outb %al, $0x20
    ret

/* Mode 0: one interrupt after so many ticks of 838 ns. */
arm:
    movb $0x30, %al
    outb %al, $0x43
    movb $20, %al
    outb %al, $0x40
    xorl %eax, %eax
    outb %al, $0x40
    ret
/* Returns with a request standing. */
pending:
    pushl %eax
    pushl %ecx
    movl $0, count
    movl $0, seen_eip
    call arm
    movl $10000000, %ecx
1:  movb $0x0a, %al /* OCW3: read the request register */
    outb %al, $0x20
    inb $0x20, %al
    testb $1, %al
    loopz 1b
    popl %ecx
    popl %eax
    ret

.macro TAKEN_AT label, name
    CHECK_EQ count, 1, "\name: taken"
    CHECK_EQ seen_eip, \label, "\name: where"
.endm
shadows:
    call pending
    sti
    nop
1:  nop
    cli
    TAKEN_AT 1b, "STI holds off for one instruction"
    call pending
    sti
    cli
    nop
    CHECK_EQ count, 0, "STI, CLI: not taken"
    sti
    nop
    cli
    CHECK_EQ count, 1, "but it still stands"
    call pending
    sti
    sti
1:  nop
    cli
    TAKEN_AT 1b, "a second STI casts no shadow"
    call pending
    pushl $(FL_IF | FL_1)
    popfl
1:  nop
    cli
    TAKEN_AT 1b, "POPF casts none"
    call pending
    pushl $(FL_IF | FL_1)
    pushl %cs
    pushl $1f
    iret
1:  nop
    cli
    TAKEN_AT 1b, "IRET casts none"
    call pending
    sti
    jmp 1f
    nop
1:  nop
    cli
    TAKEN_AT 1b, "STI, JMP: at its target"
    call pending
    sti
    call 1f
    jmp 2f
1:  ret
2:  cli
    TAKEN_AT 1b, "STI, CALL: at its target"
    /* STI; HLT never misses an interrupt. */
    call pending
    sti
    hlt
1:  cli
    TAKEN_AT 1b, "STI, HLT"
    /* A fault in the shadow ends it. */
    call pending
    TRY
    sti
    ud2
    EXPECT UD, 0, "a fault in the shadow"
    testl $FL_IF, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "IF is set there"
    CHECK_EQ count, 0, "the fault comes first"
    sti
    nop
    cli
    CHECK_EQ count, 1, "then the interrupt"
    ret

ring3:
    call pending
    TRY
    USER (FL_IF | FL_1)
1:  nop
    END_USER
    DONE "ring 3"
    TAKEN_AT 1b, "before ring 3's first instruction"
    ret

halt:
    movl $0, count
    call arm
    sti
    hlt
1:  cli
    TAKEN_AT 1b, "HLT wakes"
    ret

gate_types:
    call pending
    sti
    nop
    nop
    cli
    andl $FL_IF, inner_flags
    CHECK_EQ inner_flags, 0, "interrupt gate: IF is clear"
    movb $0x8f, idt + IRQ0 * 8 + 5
    call pending
    sti
    nop
    nop
    cli
    andl $FL_IF, inner_flags
    CHECK_EQ inner_flags, FL_IF, "trap gate: IF stays"
    movb $0x8e, idt + IRQ0 * 8 + 5
    ret

/* Until one is seen in the middle: timing is not ours. */
in_strings:
    movl $100, %edx
1:  movl $0, count
    call arm
    movl $SCRATCH, %edi
    movl $0x80000, %ecx
    movb $0x5a, %al
    sti
2:  rep stosb
    cli
    CHECK_EQ %ecx, 0, "REP STOSB: complete"
    CHECK_EQ %edi, (SCRATCH + 0x80000), "REP STOSB: EDI"
    CHECK_EQ (SCRATCH + 0x7fffc), 0x5a5a5a5a, "REP STOSB: memory"
    cmpl $2b, seen_eip
    jne 3f
    cmpl $0x80000, seen_ecx
    je 3f
    movl seen_ecx, %eax
    addl seen_edi, %eax
    CHECK_EQ %eax, (SCRATCH + 0x80000), "interrupted: ECX and EDI belong together"
    andl $FL_RF, seen_flags
    CHECK_EQ seen_flags, FL_RF, "interrupted: RF is pushed"
    jmp 4f
3:  decl %edx
    jnz 1b
4:  sti
    nop
    nop
    cli
    ret

    .bss
    .balign 4
count: .skip 4
seen_eip: .skip 4
seen_flags: .skip 4
seen_ecx: .skip 4
seen_edi: .skip 4
inner_flags: .skip 4
