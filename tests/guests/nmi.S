/* Non-maskable interrupts: SDM 3A 6.7 (vector 2, IF does not matter), 6.7.1 (one at a time: blocked until the next IRET, even
 * one that faults; one more is remembered), 10.6 (NMIs by way of the local APIC's ICR and of the I/O APIC), SDM 2A HLT.  An
 * NMI takes its time to arrive, so where it must be seen first it is made to wait for an IRET, which says exactly where. */
#include "guest.h"

#define APIC 0xfee00000
#define APIC_ID (APIC + 0x20)
#define APIC_SPURIOUS (APIC + 0xf0)
#define ICR_LOW (APIC + 0x300)
#define ICR_HIGH (APIC + 0x310)
#define ICR_NMI 0x4400 /* physical destination, delivery mode NMI, assert */
#define IOAPIC_SELECT 0xfec00000
#define IOAPIC_WINDOW 0xfec00010
#define TSS_A (FREE_SEL + 0)

/* Goes on when count has reached want, or too much time has passed. */
.macro AWAIT want
    movl $1000000, %ecx
1:  cmpl $(\want), count
    je 2f
    decl %ecx
    jnz 1b
2:
.endm
.macro COUNT want, name
    CHECK_EQ count, \want, "\name: number of NMIs"
.endm
.macro START first_work=nothing
    movl $0, count
    movl $\first_work, work
.endm
.macro SEEN_AT n, label, name
    CHECK_EQ (seen + (\n) * 4), \label, "\name: where"
.endm

    .text
    .globl guest_main
guest_main:
    movl $1, %eax
    cpuid
    testl $(1 << 9), %edx
    jnz 1f
    SKIP_ALL "no local APIC to send NMIs with"
1:  movl $on_nmi, hooks + NMI * 4
    movl $0x1ff, APIC_SPURIOUS
    movl APIC_ID, %eax
    movl %eax, ICR_HIGH
    cli
    call delivery
    call blocking
    call unblocking
    call faulting_return
    call other_rings
    call by_a_task
    call bad_gate
    call halted
    ret

/* EBP: the saved state.  Remembers EIP and EFLAGS, does this time's work, the first time only. */
on_nmi:
    movl count, %ecx
    andl $7, %ecx
    movl 52(%ebp), %eax
    movl %eax, seen(, %ecx, 4)
    movl 60(%ebp), %eax
    movl %eax, seen_flags
    pushfl
    popl inner_flags
    incl count
    movl work, %eax
    movl $nothing, work
    call *%eax
    ret
nothing:
    ret
send:
    movl $ICR_NMI, ICR_LOW
1:  testl $0x1000, ICR_LOW /* delivery status: pending */
    jnz 1b
    ret
/* Long enough for any NMI to arrive. */
pause:
    pushl %ecx
    movl $20000, %ecx
1:  decl %ecx
    jnz 1b
    popl %ecx
    ret

delivery:
    START
    call send
    AWAIT 1
    COUNT 1, "with IF clear"
    andl $FL_IF, inner_flags
    CHECK_EQ inner_flags, 0, "through an interrupt gate"
    START
    sti
    call send
    AWAIT 1
    cli
    COUNT 1, "with IF set"
    andl $FL_IF, seen_flags
    CHECK_EQ seen_flags, FL_IF, "IF in the image"
    andl $FL_IF, inner_flags
    CHECK_EQ inner_flags, 0, "IF is clear in the handler"
    /* INT 2 is not an NMI. */
    START sends_one
    int $NMI
    AWAIT 2
    COUNT 2, "INT 2 blocks nothing"
    ret

sends_one:
    call send
    call pause
    movl count, %eax
    movl %eax, count_inside
    ret
sends_three:
    call send
    call send
    call send
    call pause
    movl count, %eax
    movl %eax, count_inside
    ret
blocking:
    START sends_one
    call send
    AWAIT 2
    COUNT 2, "one sent by the handler"
    CHECK_EQ count_inside, 1, "it waits"
    movl seen, %eax
    subl seen + 4, %eax
    CHECK_EQ %eax, 0, "and comes before the next instruction of the program"
    START sends_three
    call send
    AWAIT 3
    COUNT 2, "three sent by the handler: one is remembered"
    CHECK_EQ count_inside, 1, "three: they wait"
    ret

.macro FLAT_IRET label, flags=FL_1
    pushl $(\flags)
    pushl %cs
    pushl $\label
    iret
.endm
returns_early:
    call sends_one
    FLAT_IRET after_early
after_early:
    ret
raises_and_goes_on:
    call send
    TRY
    ud2
    EXPECT UD, 0, "an exception in the handler"
    call pause
    movl count, %eax
    movl %eax, count_inside
    ret
/* A far return is no IRET. */
returns_far:
    call send
    pushl %cs
    pushl $1f
    lret
1:  call pause
    movl count, %eax
    movl %eax, count_inside
    ret
/* The handler of INT n ends with an IRET like any other. */
calls_bios:
    SET_IDT 0x50, CODE0, bare_iret, 0x8e
    call send
    int $0x50
after_bios:
    ret
bare_iret:
    iret
unblocking:
    START returns_early
    call send
    AWAIT 2
    COUNT 2, "IRET within the handler"
    CHECK_EQ count_inside, 1, "IRET within the handler: waits before it"
    SEEN_AT 1, after_early, "IRET within the handler"
    START raises_and_goes_on
    call send
    AWAIT 2
    CHECK_EQ count_inside, 1, "exceptions do not unblock"
    START returns_far
    call send
    AWAIT 2
    CHECK_EQ count_inside, 1, "a far return does not unblock"
    START calls_bios
    call send
    AWAIT 2
    SEEN_AT 1, after_bios, "the IRET of a software interrupt unblocks"
    ret

/* 6.7.1: unblocked even if the IRET causes a fault, so that the NMI meets the first instruction of the fault's handler. */
iret_to_null:
    call send
    call pause
    TRY
    pushl $FL_1
    pushl $0
    pushl $bare_iret
    iret
    EXPECT GP, 0, "IRET to a null selector"
    movl count, %eax
    movl %eax, count_inside
    ret
faulting_return:
    START iret_to_null
    call send
    AWAIT 2
    COUNT 2, "an IRET that faults"
    CHECK_EQ count_inside, 2, "an IRET that faults: at once"
    SEEN_AT 1, (stubs + 16 * GP), "an IRET that faults"
    ret

/* NMIs come from ring 3 and v86 mode whatever the gate's DPL and IOPL; an IRET in v86 mode unblocks, too. */
iret_to_ring3:
    call send
    call pause
    pushl $DATA3
    pushl $user_stack_top
    pushl $FL_1
    pushl $CODE3
    pushl $in_ring3
    iret
iret_to_v86:
    call send
    call pause
    .rept 4
    pushl $0
    .endr
    pushl $0
    pushl $0x7f00
    pushl $(FL_VM | FL_IOPL | FL_1)
    pushl $0
    pushl $low_v86
    iret
other_rings:
    START iret_to_ring3
    TRY
    call send
    call pause
in_ring3:
    movl $0x1234, %ebx
    int $LEAVE
    DONE "NMI in ring 3"
    COUNT 2, "NMI in ring 3"
    SEEN_AT 1, in_ring3, "NMI in ring 3"
    CHECK_EQ fault_ebx, 0x1234, "ring 3 goes on"
    CHECK_EQ fault_cs, CODE3, "in ring 3"
    START iret_to_v86
    TRY
    call send
    call pause
    EXPECT BP, 0, "NMI in v86 mode"
    COUNT 2, "NMI in v86 mode"
    SEEN_AT 1, low_v86, "NMI in v86 mode"
    andl $FL_VM, seen_flags
    CHECK_EQ seen_flags, FL_VM, "NMI in v86 mode: VM in the image"
    ret

/* A task gate: the task's IRET, by its back link, unblocks. */
by_a_task:
    SET_DESC_AT TSS_A, tss_a, 0x67, 0x89, 0
    SET_IDT NMI, TSS_A, 0, 0x85
    movl $nmi_task, tss_a + 32
    START
    TRY
    call send
    AWAIT 2
    DONE "NMI by a task gate"
    COUNT 2, "NMI by a task gate"
    CHECK_EQ count_inside, 1, "NMI by a task gate: another one waits"
    andl $FL_NT, seen_flags
    CHECK_EQ seen_flags, FL_NT, "NMI by a task gate: NT"
    str %eax
    CHECK_EQ %eax, TSS0, "back in the first task"
    SET_IDT NMI, CODE0, (stubs + 16 * NMI), 0x8e
    clts
    ret
nmi_task:
    pushfl
    popl seen_flags
    incl count
    call sends_one
    iret
    incl count
    iret
    jmp nmi_task

bad_gate:
    START
    movb $0x0e, idt + NMI * 8 + 5
    TRY
    call send
    AWAIT 1
    EXPECT NP, (NMI * 8 + 3), "NMI by an absent gate"
    movb $0x8e, idt + NMI * 8 + 5
    FLAT_IRET 1f
1:  ret

/* The PIT's interrupt as an NMI, by way of the I/O APIC's input 2, ends a HLT with IF clear. */
.macro REDIRECT pin, low
    movl $(0x10 + (\pin) * 2), IOAPIC_SELECT
    movl $(\low), IOAPIC_WINDOW
.endm
halted:
    movl $0x15, IOAPIC_SELECT
    movl APIC_ID, %eax
    movl %eax, IOAPIC_WINDOW
    START
    movb $0x30, %al /* channel 0, mode 0: the output rises once */
    outb %al, $0x43
    REDIRECT 2, 0x400
    movb $200, %al
    outb %al, $0x40
    movb $1, %al
    outb %al, $0x40
    hlt
1:  COUNT 1, "HLT with IF clear"
    SEEN_AT 0, 1b, "HLT with IF clear"
    REDIRECT 2, 0x10000
    ret

    .section .low, "awx"
    .code16
low_v86:
    nop
    int3
    .code32

    .data
    .balign 16
tss_a: .long 0, ring0_stack_top, DATA0, 0, 0, 0, 0, 0, 0, FL_1
    .fill 4, 4, 0
    .long task_stack_top, 0, 0, 0
    .long DATA0, CODE0, DATA0, DATA0, DATA0, DATA0, 0
    .word 0, 0x68

    .bss
    .balign 4
count: .skip 4
count_inside: .skip 4
work: .skip 4
seen: .skip 8 * 4
seen_flags: .skip 4
inner_flags: .skip 4
    .skip 1024
task_stack_top:
    .skip 16
