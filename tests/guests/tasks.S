/* Hardware tasks: SDM 3A chapter 7: TSS of both sizes (7.2), task gates (7.2.5), switching (7.3, tables 7-1 and 7-2),
 * nested tasks (7.4), and the T flag (17.3.1.4). */
#include "guest.h"

#define TSS_A     (FREE_SEL + 0x00)
#define TSS_B     (FREE_SEL + 0x08) /* 16-bit */
#define GATE      (FREE_SEL + 0x10)
#define SMALL     (FREE_SEL + 0x18)
#define LDT_SEG   (FREE_SEL + 0x20)
#define DATA_RO   (FREE_SEL + 0x28)
#define TSS_C     (FREE_SEL + 0x30) /* for exceptions */
#define IN_LDT    0x04

/* Offsets in a 32-bit TSS. */
#define T_LINK 0
#define T_CR3 28
#define T_EIP 32
#define T_EFLAGS 36
#define T_EAX 40
#define T_ECX 44
#define T_EDX 48
#define T_EBX 52
#define T_ESP 56
#define T_EBP 60
#define T_ESI 64
#define T_EDI 68
#define T_ES 72
#define T_CS 76
#define T_SS 80
#define T_DS 84
#define T_FS 88
#define T_GS 92
#define T_LDT 96
#define T_TRAP 100

.macro BUSY sel, want, name
    movzbl gdt + ((\sel) & ~7) + 5, %eax
    shrl $1, %eax
    andl $1, %eax
    CHECK_EQ %eax, \want, "\name"
.endm
.macro ENTRY tss, label
    movl $\label, \tss + T_EIP
    movl $task_stack_top, \tss + T_ESP
    movl $FL_1, \tss + T_EFLAGS
    movw $CODE0, \tss + T_CS
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC_AT TSS_A, tss_a, 0x67, 0x89, 0
    SET_DESC_AT TSS_B, tss_b, 0x2b, 0x81, 0
    SET_DESC_AT TSS_C, tss_c, 0x67, 0x89, 0
    SET_DESC_AT SMALL, tss_a, 0x66, 0x89, 0
    SET_DESC_AT LDT_SEG, ldt, 7, 0x82, 0
    SET_DESC DATA_RO, 0, 0xfffff, 0x90, 0xc
    SET_GATE GATE, TSS_A, 0, 0x85
    call call_and_return
    call jump
    call through_gates
    call registers
    call sixteen_bits
    call faults
    call idt_gate
    call trap_bit
    call debug_registers
    call from_ring3
    call v86_task
    call page_directory
    ret

/* TR as it was at the start. */
clean:
    FIRST_TASK TSS0, TSS_A, TSS_B, TSS_C
    ret

call_and_return:
    ENTRY tss_a, 1f
    movw $0x7777, tss_a + T_LINK
    clts
    TRY
    movl $0x13579bdf, %edi
    stc
    lcall $TSS_A, $0xdeadbeef
call_next:
    pushfl
    popl %esi
    jmp 2f
1:  pushfl
    popl %ebx
    movl %cr0, %ecx
    str %eax
    movl %eax, seen_tr
    movzbl gdt + TSS0 + 5, %eax
    movl %eax, seen_old
    movzbl gdt + TSS_A + 5, %eax
    movl %eax, seen_new
    movl %ebx, seen_flags
    movl %ecx, seen_cr0
    iret
task_next:
    ud2
2:  DONE "CALL to a TSS and IRET"
    CHECK_EQ seen_tr, TSS_A, "TR"
    CHECK_EQ seen_old, 0x8b, "the caller stays busy"
    CHECK_EQ seen_new, 0x8b, "the new task is busy"
    andl $FL_NT, seen_flags
    CHECK_EQ seen_flags, FL_NT, "NT is set"
    andl $CR0_TS, seen_cr0
    CHECK_EQ seen_cr0, CR0_TS, "CR0.TS is set"
    movzwl tss_a + T_LINK, %eax
    CHECK_EQ %eax, TSS0, "link to the caller"
    CHECK_EQ (tss0 + T_EIP), call_next, "the caller's EIP is that of the next"
    CHECK_EQ (tss0 + T_EDI), 0x13579bdf, "the caller's EDI is saved"
    CHECK_EQ %edi, 0x13579bdf, "and comes back"
    andl $(FL_CF | FL_NT), %esi
    CHECK_EQ %esi, FL_CF, "the caller's flags come back"
    BUSY TSS_A, 0, "IRET makes the callee available"
    BUSY TSS0, 1, "and leaves the caller busy"
    CHECK_EQ (tss_a + T_EIP), task_next, "the callee goes on behind its IRET"
    movl tss_a + T_EFLAGS, %eax
    andl $FL_NT, %eax
    CHECK_EQ %eax, 0, "NT is clear in the image that IRET saves"
    str %eax
    CHECK_EQ %eax, TSS0, "TR is back"
    call clean
    ret

jump:
    ENTRY tss_a, 1f
    movw $0x7777, tss_a + T_LINK
    TRY
    ljmp $TSS_A, $0
    jmp 2f
1:  movzbl gdt + TSS0 + 5, %eax
    movl %eax, seen_old
    pushfl
    popl seen_flags
    movzwl tss_a + T_LINK, %eax
    movl %eax, seen_new
    ljmp $TSS0, $0
2:  DONE "JMP to a TSS and back"
    CHECK_EQ seen_old, 0x89, "JMP makes the old task available"
    andl $FL_NT, seen_flags
    CHECK_EQ seen_flags, 0, "JMP does not nest"
    CHECK_EQ seen_new, 0x7777, "JMP writes no link"
    BUSY TSS_A, 0, "available again"
    BUSY TSS0, 1, "busy again"
    call clean
    ret

through_gates:
    ENTRY tss_a, 1f
    TRY
    lcall $GATE, $0
    jmp 2f
1:  iret
2:  DONE "CALL through a task gate"
    TRY
    lcall $GATE | 3, $0
    EXPECT GP, GATE, "task gate: DPL below RPL"
    SET_GATE GATE, TSS_A, 0, 0x05
    TRY
    lcall $GATE, $0
    EXPECT NP, GATE, "task gate not present"
    SET_GATE GATE, DATA0, 0, 0x85
    TRY
    lcall $GATE, $0
    EXPECT GP, DATA0, "task gate to data"
    SET_GATE GATE, IN_LDT, 0, 0x85
    TRY
    lcall $GATE, $0
    EXPECT GP, IN_LDT, "task gate to an LDT selector"
    SET_GATE GATE, TSS_A, 0, 0x85
    call clean
    ret

/* All registers are loaded, and saved where they belong. */
registers:
    ENTRY tss_a, 1f
    movl $0x11, tss_a + T_EAX
    movl $0x22, tss_a + T_ECX
    movl $0x33, tss_a + T_EDX
    movl $0x44, tss_a + T_EBX
    movl $0x55, tss_a + T_EBP
    movl $0x66, tss_a + T_ESI
    movl $0x77, tss_a + T_EDI
    movw $DATA3, tss_a + T_FS
    movw $DATA_RO, tss_a + T_GS
    movw $LDT_SEG, tss_a + T_LDT
    movl $(FL_1 | FL_CF | FL_DF | FL_IOPL), tss_a + T_EFLAGS
    movl $0x01234567, tss0 + T_CR3
    TRY
    lcall $TSS_A, $0
    jmp 2f
1:  pushl %ds
    popl %fs
    pushfl
    pushal
    sldt %eax
    movl %eax, seen_tr
    movl %gs, %eax
    movl %eax, seen_new
    movl %ds, %eax
    popal
    incl %eax
    incl %ecx
    incl %edx
    incl %ebx
    incl %ebp
    incl %esi
    incl %edi
    addl $4, %esp
    iret
2:  DONE "all registers"
    CHECK_EQ (task_stack_top - 4), (FL_1 | FL_CF | FL_DF | FL_IOPL | FL_NT), "EFLAGS loaded"
    CHECK_EQ (task_stack_top - 8), 0x11, "EAX loaded"
    CHECK_EQ (task_stack_top - 36), 0x77, "EDI loaded"
    CHECK_EQ (tss_a + T_EAX), 0x12, "EAX saved"
    CHECK_EQ (tss_a + T_ECX), 0x23, "ECX saved"
    CHECK_EQ (tss_a + T_EDX), 0x34, "EDX saved"
    CHECK_EQ (tss_a + T_EBX), 0x45, "EBX saved"
    CHECK_EQ (tss_a + T_EBP), 0x56, "EBP saved"
    CHECK_EQ (tss_a + T_ESI), 0x67, "ESI saved"
    CHECK_EQ (tss_a + T_EDI), 0x78, "EDI saved"
    CHECK_EQ (tss_a + T_ESP), task_stack_top, "ESP saved"
    CHECK_EQ seen_tr, LDT_SEG, "LDTR loaded"
    CHECK_EQ seen_new, DATA_RO, "GS loaded"
    movzwl tss_a + T_FS, %eax
    CHECK_EQ %eax, DATA0, "FS saved"
    movzwl tss_a + T_LDT, %eax
    CHECK_EQ %eax, LDT_SEG, "LDTR is not saved but stays"
    CHECK_EQ (tss0 + T_CR3), 0x01234567, "CR3 is not saved"
    sldt %eax
    CHECK_EQ %eax, 0, "the caller's LDTR comes back"
    movw $DATA0, tss_a + T_FS
    movw $DATA0, tss_a + T_GS
    movw $0, tss_a + T_LDT
    movl $0, tss0 + T_CR3
    cld
    call clean
    ret

sixteen_bits:
    movw $low_task, tss_b + 14
    movw $FL_1, tss_b + 16
    movw $0x1111, tss_b + 18
    movw $0x7000, tss_b + 26
    movw $DATA0, tss_b + 34
    movw $CODE0, tss_b + 36
    movw $DATA0, tss_b + 38
    movw $DATA0, tss_b + 40
    movw $0, tss_b + 42
    movl $-1, %eax
    movl %eax, %esi
    TRY
    movl $DATA0, %eax
    movl %eax, %gs
    lcall $TSS_B, $0
    movl %gs, %ecx
    DONE "CALL to a 16-bit TSS"
    movzwl seen_new, %eax
    CHECK_EQ %eax, 0x1111, "AX loaded"
    CHECK_EQ %ecx, DATA0, "GS comes back from the 32-bit TSS"
    BUSY TSS_B, 0, "16-bit TSS available again"
    movzwl tss_b + 18, %eax
    CHECK_EQ %eax, 0x2222, "AX saved"
    movzwl tss_b + 26, %eax
    CHECK_EQ %eax, 0x7000, "SP saved"
    movzwl tss_b, %eax
    CHECK_EQ %eax, TSS0, "16-bit link"
    call clean
    ret

faults:
    TRY
    lcall $TSS0, $0
    EXPECT GP, TSS0, "CALL to itself: busy"
    TRY
    ljmp $TSS0, $0
    EXPECT GP, TSS0, "JMP to itself: busy"
    TRY
    ljmp $TSS_A | 1, $0
    EXPECT GP, TSS_A, "RPL above the TSS's DPL"
    andb $0x7f, gdt + TSS_A + 5
    TRY
    lcall $TSS_A, $0
    EXPECT NP, TSS_A, "TSS not present"
    orb $0x80, gdt + TSS_A + 5
    TRY
    lcall $SMALL, $0
    EXPECT TS, SMALL, "TSS too small"
    str %eax
    CHECK_EQ %eax, TSS0, "no switch has begun"
    BUSY SMALL, 0, "nor is it marked busy"
    /* IRET with NT: the link must name a busy TSS. */
    movw $TSS_A, tss0 + T_LINK
    TRY
    pushl $(FL_1 | FL_NT)
    popfl
    iret
    EXPECT TS, TSS_A, "nested IRET to a task that is not busy"
    movw $DATA0, tss0 + T_LINK
    TRY
    pushl $(FL_1 | FL_NT)
    popfl
    iret
    EXPECT TS, DATA0, "nested IRET to data"
    movw $0, tss0 + T_LINK
    TRY
    pushl $(FL_1 | FL_NT)
    popfl
    iret
    EXPECT TS, 0, "nested IRET to null"
    call clean
    /* Found in the new task, after the switch (7.3, step 15 on). */
    ENTRY tss_a, 1f
1:  movw $GDT_SLOTS * 8, tss_a + T_DS
    TRY
    lcall $TSS_A, $0
    EXPECT TS, (GDT_SLOTS * 8), "DS beyond the GDT"
    str %eax
    CHECK_EQ %eax, TSS_A, "the new task has it"
    CHECK_EQ fault_eip, 1b, "EIP of the new task"
    call clean
    movw $CODE0, tss_a + T_DS
    movw $TSS0, tss_a + T_ES
    TRY
    lcall $TSS_A, $0
    EXPECT TS, TSS0, "ES = system descriptor"
    call clean
    movw $DATA0, tss_a + T_ES
    movw $DATA0, tss_a + T_DS
    andb $0x7f, gdt + DATA_RO + 5
    movw $DATA_RO, tss_a + T_GS
    TRY
    lcall $TSS_A, $0
    EXPECT NP, DATA_RO, "GS not present"
    call clean
    orb $0x80, gdt + DATA_RO + 5
    movw $DATA0, tss_a + T_GS
    movw $DATA0, tss_a + T_LDT
    TRY
    SET_IDT TS, TSS_C, 0, 0x85 /* segment registers are not usable then: only a task can handle it */
    ENTRY tss_c, 1f
    TRY
    lcall $TSS_A, $0
    jmp 2f
1:  popl seen_error
    movzwl tss_c + T_LINK, %eax
    movl %eax, seen_tr
    andb $~2, gdt + TSS0 + 5
    ljmp $TSS0, $0
2:  DONE "LDTR = data"
    CHECK_EQ seen_error, DATA0, "LDTR = data: error code"
    CHECK_EQ seen_tr, TSS_A, "in the new task"
    SET_IDT TS, CODE0, (stubs + 16 * TS), 0x8e
    call clean
    movw $0, tss_a + T_LDT
    ret

/* An exception whose handler is a task: the error code is on its stack. */
idt_gate:
    ENTRY tss_c, 1f
    SET_IDT GP, TSS_C, 0, 0x85
    TRY
    movw $0x1234, %ax
faulting:
    movw %ax, %ds
after_faulting:
    jmp 2f
1:  popl seen_error
    movl tss0 + T_EIP, %eax
    movl %eax, seen_eip
    movl $after_faulting, tss0 + T_EIP
    movl tss0 + T_EFLAGS, %eax
    movl %eax, seen_flags
    iret
2:  DONE "task gate for #GP"
    CHECK_EQ seen_error, 0x1234, "error code"
    CHECK_EQ seen_eip, faulting, "the interrupted task's EIP"
    SET_IDT GP, CODE0, (stubs + 16 * GP), 0x8e
    /* A software interrupt pushes none. */
    ENTRY tss_c, 1f
    SET_IDT 0x50, TSS_C, 0, 0x85
    TRY
    int $0x50
int_next:
    jmp 2f
1:  movl %esp, seen_error
    movl tss0 + T_EIP, %eax
    movl %eax, seen_eip
    iret
2:  DONE "task gate for INT n"
    CHECK_EQ seen_error, task_stack_top, "no error code"
    CHECK_EQ seen_eip, int_next, "EIP of the next"
    /* The handler is a task that can be entered again where it left. */
    movl $0, %ecx
    ENTRY tss_c, 1f
    TRY
    int $0x50
    int $0x50
    int $0x50
    jmp 2f
1:  incl seen_error
    iret
    jmp 1b
2:  DONE "three times"
    CHECK_EQ seen_error, (task_stack_top + 3), "the task goes on where it left"
    TRY
    USER
    int $0x50
    EXPECT GP, (0x50 * 8 + 2), "task gate's DPL below CPL"
    SET_IDT 0x50, DATA0, 0, 0x85
    TRY
    int $0x50
    EXPECT GP, DATA0, "task gate of the IDT to data"
    SET_IDT 0x50, TSS0, 0, 0x85
    TRY
    int $0x50
    EXPECT GP, TSS0, "task gate of the IDT to a busy task"
    call clean
    ret

trap_bit:
    ENTRY tss_a, 1f
    movw $1, tss_a + T_TRAP
    TRY
    lcall $TSS_A, $0
1:  EXPECT DB, 0, "T flag of the new TSS"
    CHECK_EQ fault_eip, 1b, "before its first instruction"
    movl %dr6, %eax
    andl $0xe00f, %eax
    CHECK_EQ %eax, 0x8000, "DR6.BT"
    movl $0, %eax
    movl %eax, %dr6
    movw $0, tss_a + T_TRAP
    call clean
    ret

/* L0..L3 (and LE) are the task's own: 17.2.4. */
debug_registers:
    ENTRY tss_a, 1f
    movl $SCRATCH, %eax
    movl %eax, %dr0
    movl %eax, %dr1
    movl $0x00000409, %eax /* L0, G1: execution */
    movl %eax, %dr7
    TRY
    lcall $TSS_A, $0
    movl %dr7, %ecx
    jmp 2f
1:  iret
2:  movl $0x400, %eax
    movl %eax, %dr7
    DONE "debug registers"
    CHECK_EQ %ecx, 0x408, "a task switch clears local breakpoints"
    call clean
    ret

from_ring3:
    ENTRY tss_a, 1f
    orb $0x60, gdt + TSS_A + 5
    TRY
    USER
    lcall $TSS_A, $0
    movl %cs, %ecx
    END_USER
1:  movl %cs, %eax
    movl %eax, seen_tr
    iret
    DONE "CALL from ring 3"
    CHECK_EQ seen_tr, CODE0, "the task runs in ring 0"
    CHECK_EQ fault_ecx, CODE3, "back in ring 3"
    movzwl tss0 + T_CS, %eax
    CHECK_EQ %eax, CODE3, "CS saved"
    andb $~0x60, gdt + TSS_A + 5
    TRY
    USER
    lcall $TSS_A, $0
    EXPECT GP, TSS_A, "from ring 3: DPL"
    call clean
    ret

/* EFLAGS.VM in the TSS: a task in v86 mode (7.2.1, 20.2.5), whose selectors are not looked up. */
v86_task:
    ENTRY tss_a, low_v86
    movl $(FL_VM | FL_1), tss_a + T_EFLAGS
    movl $0x7f00, tss_a + T_ESP
    movw $0, tss_a + T_CS
    movw $0, tss_a + T_SS
    movw $0x1235, tss_a + T_DS
    movl $0, %ecx
    TRY
    ljmp $TSS_A, $0
    EXPECT BP, 0, "a task in v86 mode"
    CHECK_EQ fault_ecx, 0x1235, "DS is a real-mode selector"
    CHECK_EQ fault_cs, 0, "CS"
    testl $FL_VM, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "EFLAGS.VM"
    str %eax
    CHECK_EQ %eax, TSS_A, "its stack for ring 0 is that of its own TSS"
    movw $CODE0, tss_a + T_CS
    movw $DATA0, tss_a + T_SS
    movw $DATA0, tss_a + T_DS
    call clean
    ret

/* CR3 comes from the TSS. */
#define OTHER_TABLES (TABLES + 0x10000)
page_directory:
    movl $TABLES, %edi
    call identity
    movl $OTHER_TABLES, %edi
    call identity
    movl $SCRATCH + 0x1000 + 7, OTHER_TABLES + 0x1000 + (SCRATCH >> 12) * 4
    movl $0xaaaa, SCRATCH
    movl $0xbbbb, SCRATCH + 0x1000
    ENTRY tss_a, 1f
    movl $OTHER_TABLES, tss_a + T_CR3
    movl $TABLES, tss0 + T_CR3
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    movl SCRATCH, %ebx
    TRY
    lcall $TSS_A, $0
    movl SCRATCH, %ecx
    jmp 2f
1:  movl SCRATCH, %eax
    movl %eax, seen_new
    movl %cr3, %eax
    movl %eax, seen_tr
    iret
2:  DONE "address space of a task"
    CHECK_EQ seen_tr, OTHER_TABLES, "CR3 from the TSS"
    CHECK_EQ seen_new, 0xbbbb, "memory of the task"
    CHECK_EQ %ecx, 0xaaaa, "memory of the caller"
    call clean
    ret
identity:
    pushl %edi
    leal 0x1000(%edi), %eax
    orl $7, %eax
    stosl
    movl $1023, %ecx
    xorl %eax, %eax
    rep stosl
    movl $7, %eax
    movl $1024, %ecx
1:  stosl
    addl $0x1000, %eax
    loop 1b
    popl %edi
    ret

    .section .low, "awx"
low_task:
    movl %eax, seen_new
    movw $0x2222, %ax
    iret

    .code16
low_v86:
    movw %ds, %cx
    movzwl %cx, %ecx
    int3
    .code32

    .data
    .balign 16
tss_a: .long 0, task_stack_top, DATA0, 0, 0, 0, 0, 0
    .fill 10, 4, 0
    .long DATA0, CODE0, DATA0, DATA0, DATA0, DATA0, 0
    .word 0, 0x68
tss_c: .long 0, task_stack_top, DATA0, 0, 0, 0, 0, 0
    .fill 10, 4, 0
    .long DATA0, CODE0, DATA0, DATA0, DATA0, DATA0, 0
    .word 0, 0x68
tss_b: .fill 44, 1, 0
    .balign 8
ldt: DESC 0, 0xfffff, 0x92, 0xc

    .bss
    .balign 4
seen_tr: .skip 4
seen_old: .skip 4
seen_new: .skip 4
seen_flags: .skip 4
seen_cr0: .skip 4
seen_error: .skip 4
seen_eip: .skip 4
    .skip 1024
task_stack_top:
    .skip 16
