/* Single step across what changes control, stack or flags: SDM 3B 17.3.1.4 (TF, and who clears it), 17.3.1.1 (RF), 17.3.1.5 (task
 * switches), SDM 3A 6.8.3 (MOV SS holds off debug traps), 6.9 table 6-2 (what comes first), SDM 2 (IRET, POPF, SYSENTER, INT n).
 * Each #DB is logged with the ring it came from; a step is over when TF is clear again. */
#include "guest.h"

#define GATE (FREE_SEL + 0x00)
#define TSS_A (FREE_SEL + 0x08)
#define SEP_CS0 (FREE_SEL + 0x10) /* CS0 SS0 CS3 SS3 in a row */
#define INT_N 0x50
#define BS 0x4000
#define BT 0x8000
#define UNMAPPED 0x3ff000

.macro START
    movl $0, count
    xorl %eax, %eax
    movl %eax, %dr6
.endm
.macro COUNT want, name
    CHECK_EQ count, (\want), "\name: number of #DB"
.endm
.macro LOG entry, eip, dr6, cpl, name
    CHECK_EQ (log + (\entry) * 12), (\eip), "\name: EIP"
    CHECK_EQ (log + (\entry) * 12 + 4), (\dr6), "\name: DR6"
    CHECK_EQ (log + (\entry) * 12 + 8), (\cpl), "\name: CPL"
.endm

    .text
    .globl guest_main
guest_main:
    movl $on_debug, hooks + DB * 4
    SET_IDT INT_N, CODE0, int_handler, 0xee
    SET_DESC_AT TSS_A, tss_a, 0x67, 0x89, 0
    SET_DESC SEP_CS0, 0, 0xfffff, 0x9b, 0xc
    SET_DESC SEP_CS0 + 8, 0, 0xfffff, 0x93, 0xc
    SET_DESC SEP_CS0 + 16, 0, 0xfffff, 0xfb, 0xc
    SET_DESC SEP_CS0 + 24, 0, 0xfffff, 0xf3, 0xc
    call flags
    call returns
    call interrupts
    call gates
    call fast_calls
    call tasks
    call stack_segment
    call faults
    call watched_stack
    call v86
    call priorities
    call halt /* last: Bochs does not come back from it */
    ret

/* EBP: the saved state. */
on_debug:
    movl count, %ecx
    andl $15, %ecx
    leal (%ecx, %ecx, 2), %ecx
    movl 52(%ebp), %eax
    movl %eax, log(, %ecx, 4)
    movl %dr6, %eax
    andl $0xe00f, %eax
    movl %eax, log + 4(, %ecx, 4)
    movl 56(%ebp), %eax
    andl $3, %eax
    movl %eax, log + 8(, %ecx, 4)
    movl 60(%ebp), %eax
    movl %eax, flags_image
    incl count
    xorl %eax, %eax
    movl %eax, %dr6
    movl drop_tf, %eax
    notl %eax
    andl %eax, 60(%ebp)
    movl set_rf, %eax
    orl %eax, 60(%ebp)
    ret
int_handler:
    nop
    iret

flags:
    /* POPF that sets TF: the trap comes after the next instruction; one that clears it is still stepped. */
    START
    pushl $(FL_TF | FL_1)
    popfl
1:  nop
2:  pushl $FL_1
3:  popfl
4:  nop
    COUNT 3, "POPF"
    LOG 0, 2b, BS, 0, "POPF: after the next instruction"
    LOG 1, 3b, BS, 0, "PUSH"
    LOG 2, 4b, BS, 0, "POPF that clears TF"
    /* A 16-bit POPF reaches TF, too. */
    START
    pushw $(FL_TF | FL_1)
    popfw
1:  nop
2:  pushw $FL_1
    popfw
    LOG 0, 2b, BS, 0, "POPFW"
    /* The handler drops TF in its image. */
    START
    movl $FL_TF, drop_tf
    STEP_ON
    nop
1:  nop
    nop
    COUNT 1, "TF dropped by the handler"
    movl $0, drop_tf
    ret

.macro FLAT_IRET flags, label
    pushl $(\flags)
    pushl $CODE0
    pushl $\label
    iret
.endm
returns:
    START
    FLAT_IRET (FL_TF | FL_1), 1f
1:  nop
2:  STEP_OFF
    LOG 0, 2b, BS, 0, "IRET that sets TF: after the next instruction"
    START
    pushl $FL_1
    pushl $CODE0
    pushl $1f
    STEP_ON
    iret
    nop
1:  nop
    nop
    COUNT 1, "IRET that clears TF"
    LOG 0, 1b, BS, 0, "IRET that clears TF is stepped"
    /* To ring 3 with TF set: the first instruction there is stepped; LEAVE's gate clears TF. */
    START
    TRY
    USER (FL_TF | FL_1)
1:  nop
2:  nop
3:  END_USER
    DONE "IRET to ring 3"
    COUNT 2, "IRET to ring 3"
    LOG 0, 2b, BS, 3, "IRET to ring 3: after the first instruction"
    LOG 1, 3b, BS, 3, "IRET to ring 3: after the second"
    andl $FL_TF, fault_eflags
    CHECK_EQ fault_eflags, FL_TF, "INT n from ring 3: TF in the image"
    /* Out of stepped code by IRET to ring 3, whose image has TF clear. */
    START
    TRY
    movl $DATA3, %eax
    movl %eax, %ds
    pushl $DATA3
    pushl $user_stack_top
    pushl $FL_1
    pushl $CODE3
    pushl $1f
    STEP_ON
    iret
1:  nop
    END_USER
    DONE "stepped IRET to ring 3"
    COUNT 1, "stepped IRET to ring 3"
    LOG 0, 1b, BS, 3, "stepped IRET to ring 3"
    ret

interrupts:
    START
    STEP_ON
    int $INT_N
1:  nop
2:  STEP_OFF
    LOG 0, 2b, BS, 0, "INT n, IRET: after the instruction behind"
    START
    STEP_ON
    xorl %eax, %eax
1:  into
2:  STEP_OFF
    LOG 0, 1b, BS, 0, "XOR"
    LOG 1, 2b, BS, 0, "INTO not taken is stepped"
    START
    TRY
    STEP_ON
    int3
1:  EXPECT BP, 0, "INT3 with TF"
    COUNT 0, "INT3"
    CHECK_EQ fault_eip, 1b, "INT3: EIP"
    /* BOUND and the like that raise nothing. */
    START
    STEP_ON
    cpuid
1:  rdtsc
2:  lgdt gdt_pointer
3:  movl %cr0, %eax
4:  movl %eax, %cr0
5:  inb $0x80, %al
6:  outb %al, $0x80
7:  STEP_OFF
    COUNT 10, "system instructions"
    LOG 0, 1b, BS, 0, "CPUID"
    LOG 1, 2b, BS, 0, "RDTSC"
    LOG 2, 3b, BS, 0, "LGDT"
    LOG 3, 4b, BS, 0, "MOV from CR0"
    LOG 4, 5b, BS, 0, "MOV to CR0"
    LOG 5, 6b, BS, 0, "IN"
    LOG 6, 7b, BS, 0, "OUT"
    ret

/* A call gate does not touch TF: the trap comes in the inner ring. */
gates:
    SET_GATE GATE, CODE0, 2f, 0xec
    START
    TRY
    USER
    STEP_ON
1:  lcall $GATE | 3, $0
4:  STEP_OFF
    END_USER
2:  nop
3:  lret
    DONE "call gate"
    LOG 0, 2b, BS, 0, "call gate: at its target in ring 0"
    LOG 1, 3b, BS, 0, "there"
    LOG 2, 4b, BS, 3, "far return to ring 3"
    START
    STEP_ON
    ljmp $CODE0, $1f
    nop
1:  lcall $CODE0, $2f
3:  STEP_OFF
    jmp 4f
2:  lret
4:
    LOG 0, 1b, BS, 0, "far JMP"
    LOG 1, 2b, BS, 0, "far CALL"
    LOG 2, 3b, BS, 0, "far RET"
    ret

.macro WRITE_MSR msr, value
    movl $\msr, %ecx
    movl $(\value), %eax
    xorl %edx, %edx
    wrmsr
.endm
/* SYSENTER and SYSEXIT leave TF alone. */
fast_calls:
    WRITE_MSR 0x174, SEP_CS0
    WRITE_MSR 0x175, ring0_stack_top
    WRITE_MSR 0x176, 2f
    START
    TRY
    USER
    movl %esp, %ecx
    movl $4f, %edx
    STEP_ON
1:  sysenter
2:  nop
3:  sysexit
4:  STEP_OFF
    END_USER
    DONE "SYSENTER"
    LOG 0, 2b, BS, 0, "SYSENTER: at its target in ring 0"
    LOG 1, 3b, BS, 0, "there"
    LOG 2, 4b, BS, 3, "SYSEXIT"
    ret

/* TF of the old task ends with the switch, TF of the new one begins after its first instruction; the T bit of the TSS traps
 * before it. */
.macro ENTRY label, flags
    movl $\label, tss_a + 32
    movl $task_stack_top, tss_a + 56
    movl $(\flags), tss_a + 36
.endm
tasks:
    START
    ENTRY 1f, FL_1
    STEP_ON
    lcall $TSS_A, $0
3:  STEP_OFF
    jmp 2f
1:  nop
    iret
2:  clts
    CHECK_EQ log, (3b + 1), "CALL to a task, and back: after the instruction behind"
    START
    ENTRY 1f, (FL_TF | FL_1)
    lcall $TSS_A, $0
    jmp 4f
1:  nop
2:  nop
3:  iret
4:  clts
    COUNT 2, "a task with TF"
    LOG 0, 2b, BS, 0, "a task with TF: after the first instruction"
    LOG 1, 3b, BS, 0, "a task with TF: after the second"
    START
    ENTRY 1f, FL_1
    movw $1, tss_a + 100
    lcall $TSS_A, $0
    jmp 2f
1:  iret
2:  clts
    COUNT 1, "T bit, CALL"
    LOG 0, 1b, BT, 0, "T bit, CALL"
    /* By the back link, too. */
    START
    orw $1, tss0 + 100
    movw $0, tss_a + 100
    ENTRY 1f, FL_1
    lcall $TSS_A, $0
3:  jmp 2f
1:  iret
2:  clts
    andw $~1, tss0 + 100
    COUNT 1, "T bit, IRET"
    LOG 0, 3b, BT, 0, "T bit, IRET"
    ret

stack_segment:
    /* MOV SS from watched memory, then INT n: the data trap waits until it is in the handler. */
    START
    movl $DATA0, SCRATCH
    movl $SCRATCH, %eax
    movl %eax, %dr0
    movl $0x000f0402, %eax
    movl %eax, %dr7
    movw SCRATCH, %ss
    int $INT_N
    movl $0x400, %eax
    movl %eax, %dr7
    COUNT 1, "MOV SS from watched memory, INT n"
    LOG 0, int_handler, 1, 0, "MOV SS from watched memory, INT n"
    /* A fault in the shadow: the trap is lost with it, or comes at the handler's first instruction; never at the fault. */
    START
    movl %ss, %ebx
    STEP_ON
    movl %ebx, %ss
    pushfl
1:  popl %ecx
    STEP_OFF
    LOG 0, 1b, BS, 0, "MOV SS, PUSHF"
    andl $FL_TF, %ecx
    CHECK_EQ %ecx, FL_TF, "MOV SS, PUSHF: TF"
    /* LSS is no MOV SS: it needs no shadow and casts none. */
    START
    movl %esp, far_stack
    movw %ss, far_stack + 4
    STEP_ON
    lss far_stack, %esp
1:  nop
    STEP_OFF
    LOG 0, 1b, BS, 0, "LSS"
    ret

/* A fault has not completed, and its handler is not stepped; RF in its image keeps an instruction breakpoint silent. */
faults:
    START
    TRY
    STEP_ON
    xorl %ecx, %ecx
1:  divl %ecx
    EXPECT DE, 0, "DIV with TF"
    COUNT 1, "DIV with TF: only the XOR"
    LOG 0, 1b, BS, 0, "DIV with TF"
    movl fault_eflags, %eax
    andl $(FL_TF | FL_RF), %eax
    CHECK_EQ %eax, (FL_TF | FL_RF), "DIV with TF: TF and RF in the image"
    pushfl
    popl %eax
    andl $FL_TF, %eax
    CHECK_EQ %eax, 0, "TF is clear in the handler"
    /* The breakpoint's own fault has RF clear (SDM 17.3.1.1: debug exceptions push it as it is); IRET with RF set goes on. */
    START
    movl $FL_RF, set_rf
    movl $1f, %eax
    movl %eax, %dr1
    movl $0x408, %eax
    movl %eax, %dr7
    STEP_ON
    nop
1:  nop
2:  STEP_OFF
    movl $0x400, %eax
    movl %eax, %dr7
    movl $0, set_rf
    CHECK_EQ log, 1b, "a step onto a breakpoint"
    movl log + 4, %eax
    andl $BS, %eax
    CHECK_EQ %eax, BS, "a step onto a breakpoint: BS"
    ret

/* Implicit stores, as those of CALL and INT n, are watched, too: the trap is at the target. */
watched_stack:
    START
    TRY
    leal -4(%esp), %eax
    movl %eax, %dr0
    movl $0x000d0402, %eax
    movl %eax, %dr7
    call 1f
    jmp 2f
1:  ret
2:  movl $0x400, %eax
    movl %eax, %dr7
    DONE "CALL with a watched stack"
    COUNT 1, "CALL with a watched stack"
    LOG 0, 1b, 1, 0, "CALL with a watched stack"
    START
    leal -12(%esp), %eax
    movl %eax, %dr0
    movl $0x000d0402, %eax
    movl %eax, %dr7
    int $INT_N
    movl $0x400, %eax
    movl %eax, %dr7
    COUNT 1, "INT n with a watched stack"
    LOG 0, int_handler, 1, 0, "INT n with a watched stack"
    ret

v86:
    START
    TRY
    .rept 4
    pushl $0
    .endr
    pushl $0
    pushl $0x7f00
    pushl $(FL_VM | FL_IOPL | FL_TF | FL_1)
    pushl $0
    pushl $low_v86
    iret
    EXPECT BP, 0, "v86 mode"
    COUNT 3, "v86 mode"
    LOG 0, low_v86_1, BS, 0, "v86 mode: after the first instruction"
    LOG 1, low_v86_2, BS, 0, "v86 mode: a far jump"
    LOG 2, low_v86_3, BS, 0, "v86 mode: POPF that clears TF"
    andl $FL_VM, flags_image
    CHECK_EQ flags_image, FL_VM, "v86 mode: VM in the image"
    ret

/* A stepped HLT ends at once. */
halt:
    START
    STEP_ON
    hlt
1:  STEP_OFF
    LOG 0, 1b, BS, 0, "HLT"
    ret

/* An instruction breakpoint comes before the fault of fetching what it is on; an interrupt that waits, before both. */
priorities:
    MAP_4MIB
    movl $0, PTE(UNMAPPED)
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    START
    movl $FL_RF, set_rf
    movl $UNMAPPED + 8, %eax
    movl %eax, %dr2
    movl $0x420, %eax
    movl %eax, %dr7
    TRY
    movl $UNMAPPED + 8, %ecx
    jmp *%ecx
    EXPECT PF, 0, "a breakpoint in an absent page, then the page"
    movl $0x400, %eax
    movl %eax, %dr7
    COUNT 1, "a breakpoint in an absent page"
    LOG 0, (UNMAPPED+8), 4, 0, "a breakpoint in an absent page"
    ret

    .section .low, "awx"
    .code16
low_v86:
    nop
low_v86_1:
    ljmp $0, $low_v86_2
low_v86_2:
    popfw /* FLAGS = 0 by the zeros on top of the stack */
low_v86_3:
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
log: .skip 16 * 12
count: .skip 4
flags_image: .skip 4
drop_tf: .skip 4
set_rf: .skip 4
far_stack: .skip 8
    .skip 1024
task_stack_top:
    .skip 16
