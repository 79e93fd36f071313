/* Tasks within tasks: SDM 3A 7.4 (link and NT, table 7-2), 7.3 (what is checked before and what after the switch, table 7-1),
 * 6.12.2 (interrupt tasks), 6.15 #DF by a task gate, from a stack that cannot be used; 7.6 (16- and 32-bit tasks together);
 * pages that a switch touches. */
#include "guest.h"

#define TSS_A (FREE_SEL + 0x00)
#define TSS_B (FREE_SEL + 0x08)
#define TSS_C (FREE_SEL + 0x10)
#define TSS_16 (FREE_SEL + 0x18)
#define BAD_STACK (FREE_SEL + 0x20) /* limit 15 */
#define GATE3 (FREE_SEL + 0x28)
#define SHORT_CODE (FREE_SEL + 0x30)
#define STACK16 (FREE_SEL + 0x38)
#define INT_N 0x50
#define UNMAPPED 0x3ff000

#define T_EIP 32
#define T_EFLAGS 36
#define T_ESP 56
#define T_CS 76
#define T_SS 80

.macro ENTRY tss, stack, label
    movl $\label, \tss + T_EIP
    movl $\stack, \tss + T_ESP
    movl $FL_1, \tss + T_EFLAGS
.endm
.macro DATA_SEGMENTS tss, sel
    .irp offset, 72, 80, 84, 88, 92
    movw $\sel, \tss + \offset
    .endr
.endm
.macro BUSY sel, want, name
    movzbl gdt + (\sel) + 5, %eax
    shrl $1, %eax
    andl $1, %eax
    CHECK_EQ %eax, \want, "\name"
.endm
.macro LINK tss, want, name
    movzwl \tss, %eax
    CHECK_EQ %eax, \want, "\name"
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC_AT TSS_A, tss_a, 0x67, 0x89, 0
    SET_DESC_AT TSS_B, tss_b, 0x67, 0x89, 0
    SET_DESC_AT TSS_C, tss_c, 0x67, 0x89, 0
    SET_DESC_AT TSS_16, tss_16, 0x2b, 0x81, 0
    SET_DESC BAD_STACK, SCRATCH, 15, 0x92, 4
    SET_DESC STACK16, 0, 0xffff, 0x92, 0
    SET_DESC SHORT_CODE, 0, 0xfff, 0x9a, 4
    call deep
    call recursion
    call by_jump
    call from_user
    call error_codes
    call double_fault
    call limits
    call pages
    ret

/* TR as it was at the start. */
clean:
    FIRST_TASK TSS0, TSS_A, TSS_B, TSS_C, TSS_16
    ret

/* Three deep, each busy with a link to the one before, and back by IRET. */
deep:
    ENTRY tss_a, stack_a, 1f
    ENTRY tss_b, stack_b, 2f
    ENTRY tss_c, stack_c, 3f
    SET_IDT INT_N, TSS_C, 0, 0x85
    movl $0, trace
    TRY
    lcall $TSS_A, $0
    incl trace + 12
    jmp 4f
1:  incl trace
    lcall $TSS_B, $0
    incl trace
    iret
2:  incl trace + 4
    int $INT_N
    incl trace + 4
    iret
3:  incl trace + 8
    movb gdt + TSS0 + 5, %al
    andb gdt + TSS_A + 5, %al
    andb gdt + TSS_B + 5, %al
    andb gdt + TSS_C + 5, %al
    movzbl %al, %eax
    movl %eax, seen
    iret
4:  DONE "three tasks deep"
    CHECK_EQ trace, 2, "the first"
    CHECK_EQ (trace + 4), 2, "the second"
    CHECK_EQ (trace + 8), 1, "the third"
    CHECK_EQ (trace + 12), 1, "and back"
    CHECK_EQ seen, 0x8b, "all four were busy"
    BUSY TSS_A, 0, "the first is available again"
    BUSY TSS_B, 0, "the second is available again"
    BUSY TSS_C, 0, "the third is available again"
    LINK tss_a, TSS0, "the first's link"
    LINK tss_b, TSS_A, "the second's link"
    LINK tss_c, TSS_B, "the third's link"
    call clean
    ret

/* 7.4.1: a busy bit keeps a chain from closing. */
recursion:
    ENTRY tss_a, stack_a, 1f
    ENTRY tss_b, stack_b, 2f
    TRY
    lcall $TSS_A, $0
1:  lcall $TSS_B, $0
2:  lcall $TSS_A, $0
    EXPECT GP, TSS_A, "CALL to a task in the chain"
    call clean
    ENTRY tss_a, stack_a, 1f
    TRY
    lcall $TSS_A, $0
1:  ljmp $TSS0, $0
    EXPECT GP, TSS0, "JMP to the caller"
    call clean
    ret

/* A nested task that leaves by JMP: NT stays in its image, its busy bit goes, and the caller's busy bit stays (7.4.2). */
by_jump:
    ENTRY tss_a, stack_a, 1f
    ENTRY tss_b, stack_b, 2f
    TRY
    lcall $TSS_A, $0
    jmp 3f
1:  ljmp $TSS_B, $0
2:  pushfl
    popl seen
    movzbl gdt + TSS_A + 5, %eax
    movl %eax, trace
    movzbl gdt + TSS0 + 5, %eax
    movl %eax, trace + 4
    pushl $(FL_1 | FL_NT) /* and goes back by a link that it has made itself */
    popfl
    movw $TSS0, tss_b
    iret
3:  DONE "JMP out of a nested task"
    andl $FL_NT, seen
    CHECK_EQ seen, 0, "NT is clear after JMP"
    CHECK_EQ trace, 0x89, "the nested task is available"
    CHECK_EQ (trace + 4), 0x8b, "its caller is busy"
    testl $FL_NT, tss_a + T_EFLAGS
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "NT in the image of the task that left"
    BUSY TSS0, 1, "the first task is busy"
    BUSY TSS_B, 0, "the one that used the link is not"
    call clean
    ret

/* A task gate of ring 3 to a TSS of ring 0; and a task in ring 3, whose IRET with NT goes back to ring 0. */
from_user:
    SET_GATE GATE3, TSS_A, 0, 0xe5
    ENTRY tss_a, stack_a, 1f
    TRY
    USER
    lcall $GATE3 | 3, $0
    movl %cs, %ebx
    END_USER
1:  movl %cs, %eax
    movl %eax, seen
    iret
    DONE "task gate in ring 3"
    CHECK_EQ seen, CODE0, "to ring 0"
    CHECK_EQ fault_ebx, CODE3, "and back"
    call clean
    ENTRY tss_b, user_stack_top, 1f
    DATA_SEGMENTS tss_b, DATA3
    movw $CODE3, tss_b + T_CS
    TRY
    lcall $TSS_B, $0
    jmp 2f
1:  movl %cs, %eax
    movl %eax, seen
    iret
2:  DONE "a task in ring 3"
    CHECK_EQ seen, CODE3, "its CS"
    DATA_SEGMENTS tss_b, DATA0
    movw $CODE0, tss_b + T_CS
    call clean
    ret

/* To 16-bit interrupt tasks the error code is pushed as a word. */
error_codes:
    movw $low_task16, tss_16 + 14
    movw $FL_1, tss_16 + 16
    movw $0x7000, tss_16 + 26
    movw $DATA0, tss_16 + 34
    movw $CODE0, tss_16 + 36
    movw $STACK16, tss_16 + 38
    movw $DATA0, tss_16 + 40
    SET_IDT GP, TSS_16, 0, 0x85
    TRY
    movw $0x1234, %ax
    movw %ax, %ds
behind_load:
    DONE "#GP by a 16-bit task"
    CHECK_EQ seen, 0x1234, "error code"
    CHECK_EQ (seen + 4), 0x6ffe, "pushed as a word"
    SET_IDT GP, CODE0, (stubs + 16 * GP), 0x8e
    call clean
    /* The task's stack has no room for the error code: #SS in the new task, which with #GP makes #DF (by another task). */
    SET_IDT GP, TSS_A, 0, 0x85
    SET_IDT DF, TSS_C, 0, 0x85
    movw $BAD_STACK, tss_a + T_SS
    ENTRY tss_a, 18, 1f
    ENTRY tss_c, stack_c, 2f
    TRY
    movw $0x1234, %ax
    movw %ax, %ds
    jmp 3f
1:  jmp 3f
2:  popl seen
    movzwl tss_c, %eax
    movl %eax, trace
    movl tss_a + T_EIP, %eax
    movl %eax, trace + 4
    movl $3f, tss0 + T_EIP
    andb $~2, gdt + TSS0 + 5
    ljmp $TSS0, $0
3:  DONE "no room for the error code"
    movw $DATA0, tss_a + T_SS
    CHECK_EQ seen, 0, "no room for the error code: #SS after #GP is #DF"
    CHECK_EQ trace, TSS_A, "no room for the error code: found in the new task"
    CHECK_EQ (trace + 4), 1b, "no room for the error code: before its first instruction"
    SET_IDT GP, CODE0, (stubs + 16 * GP), 0x8e
    SET_IDT DF, CODE0, (stubs + 16 * DF), 0x8e
    call clean
    ret

/* The reason why #DF is given a task: the stack pointer leads nowhere. */
double_fault:
    MAP_4MIB
    movl $0, PTE(UNMAPPED)
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %eax, tss0 + 28
    movl %eax, tss_a + 28
    movl %eax, tss_b + 28
    movl %eax, tss_c + 28
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    SET_IDT DF, TSS_C, 0, 0x85
    ENTRY tss_c, stack_c, 2f
    movl %esp, %ebp
    TRY
    movl $UNMAPPED + 0x800, %esp
1:  pushl %eax
    jmp 3f
2:  popl seen
    movl %cr2, %eax
    movl %eax, trace
    movl tss0 + T_EIP, %eax
    movl %eax, trace + 4
    movl tss0 + T_ESP, %eax
    movl %eax, trace + 8
    pushfl
    popl trace + 12
    movl $3f, tss0 + T_EIP
    movl %ebp, %eax
    movl tss0 + 60, %eax /* EBP */
    movl %eax, tss0 + T_ESP
    iret
3:  DONE "double fault on an absent stack"
    CHECK_EQ seen, 0, "error code 0"
    CHECK_EQ trace, (UNMAPPED + 0x7fc), "CR2: of the frame that could not be pushed"
    CHECK_EQ (trace + 4), 1b, "EIP of the PUSH"
    CHECK_EQ (trace + 8), (UNMAPPED + 0x800), "its ESP"
    andl $FL_NT, trace + 12
    CHECK_EQ (trace + 12), FL_NT, "NT: a nested task"
    SET_IDT DF, CODE0, (stubs + 16 * DF), 0x8e
    call clean
    ret

/* EIP beyond the new CS: #GP(0) in the new task; and a TSS link that is not present. */
limits:
    movw $SHORT_CODE, tss_a + T_CS
    ENTRY tss_a, stack_a, 0x1000
    TRY
    lcall $TSS_A, $0
    EXPECT GP, 0, "EIP beyond the new CS"
    str %eax
    CHECK_EQ %eax, TSS_A, "in the new task"
    CHECK_EQ fault_eip, 0x1000, "at the new EIP"
    movw $CODE0, tss_a + T_CS
    call clean
    ENTRY tss_a, stack_a, 1f
    TRY
    lcall $TSS_A, $0
1:  andb $0x7f, gdt + TSS0 + 5
    iret
    EXPECT NP, TSS0, "IRET to a task that is not present"
    orb $0x80, gdt + TSS0 + 5
    call clean
    /* A limit that cuts the old TSS. */
    SET_DESC_AT TSS_B, tss_b, 0x5f, 0x89, 0
    ENTRY tss_a, stack_a, 1f
    TRY
    lcall $TSS_B, $0
1:  EXPECT TS, TSS_B, "a new TSS that is too short"
    SET_DESC_AT TSS_B, tss_b, 0x67, 0x89, 0
    call clean
    ret

/* A TSS in an absent page: #PF in the old task, nothing has changed. */
pages:
    SET_DESC TSS_B, UNMAPPED, 0x67, 0x89, 0
    movw $TSS_A, tss_b
    TRY
1:  lcall $TSS_B, $0
    EXPECT PF, 0, "a TSS in an absent page"
    CHECK_EQ fault_eip, 1b, "EIP of the CALL"
    str %eax
    CHECK_EQ %eax, TSS0, "TR stays"
    BUSY TSS_B, 0, "not marked busy"
    testl $FL_NT, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 0, "NT is clear"
    /* The old task's in a read-only page, with CR0.WP. */
    movl $tss0, %esi
    movl $SCRATCH, %edi
    movl $0x68 / 4, %ecx
    rep movsl
    SET_DESC TSS_C, SCRATCH, 0x67, 0x89, 0
    movw $TSS_C, %ax
    ltr %ax
    movl %cr0, %eax
    orl $CR0_WP, %eax
    movl %eax, %cr0
    andl $~2, TABLES + 0x1000 + (SCRATCH >> 12) * 4
    invlpg SCRATCH
    SET_DESC_AT TSS_B, tss_b, 0x67, 0x89, 0
    ENTRY tss_b, stack_b, 1f
    TRY
1:  lcall $TSS_B, $0
    EXPECT PF, 3, "the old TSS in a read-only page"
    CHECK_EQ fault_eip, 1b, "read-only: EIP of the CALL"
    str %eax
    CHECK_EQ %eax, TSS_C, "read-only: TR stays"
    BUSY TSS_B, 0, "read-only: not marked busy"
    LINK tss_b, TSS_A, "read-only: no link written"
    orl $2, TABLES + 0x1000 + (SCRATCH >> 12) * 4
    invlpg SCRATCH
    call clean
    ret

    .section .low, "awx"
low_task16:
    movw %sp, %bx
    movzwl %bx, %ebx
    movl %ebx, seen + 4
    movl $0, seen
    popw seen
    movl $behind_load, tss0 + T_EIP
    iret

    .data
    .balign 16
.macro TSS_IMAGE name
\name: .long 0, ring0_stack_top, DATA0, 0, 0, 0, 0, 0
    .fill 10, 4, 0
    .long DATA0, CODE0, DATA0, DATA0, DATA0, DATA0, 0
    .word 0, 0x68
.endm
TSS_IMAGE tss_a
TSS_IMAGE tss_b
TSS_IMAGE tss_c
tss_16: .fill 44, 1, 0

    .bss
    .balign 4
trace: .skip 16
seen: .skip 8
    .skip 512
stack_a: .skip 512
stack_b: .skip 512
stack_c: .skip 16
