/* Transfers between rings: SDM 3A 5.8 (call gates, stack switch, parameters, far returns), 6.12.1 (interrupt
 * and trap gates), 6.13 (error codes); pseudocode of CALL, JMP, RET and IRET in SDM 2. */
#include "guest.h"

#define GATE       (FREE_SEL + 0x00)
#define CONFORMING (FREE_SEL + 0x08) /* code, DPL 0 */
#define CODE16     (FREE_SEL + 0x10) /* code at 64 KiB or less, 16-bit, DPL 0 */
#define CODE1      (FREE_SEL + 0x18)
#define DATA1      (FREE_SEL + 0x20)
#define ABSENT     (FREE_SEL + 0x28)
#define SHORT_CODE (FREE_SEL + 0x30) /* limit 0xfff */
#define SMALL_SS   (FREE_SEL + 0x38) /* data, DPL 0, limit 15 */
#define CODE3_16   (FREE_SEL + 0x40)

.macro CALL_GATE sel
    lcall $\sel, $0x12345678
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC CONFORMING, 0, 0xfffff, 0x9e, 0xc
    SET_DESC CODE16, 0, 0xffff, 0x9a, 0
    SET_DESC CODE1, 0, 0xfffff, 0xba, 0xc
    SET_DESC DATA1, 0, 0xfffff, 0xb2, 0xc
    SET_DESC ABSENT, 0, 0xfffff, 0x1a, 0xc
    SET_DESC SHORT_CODE, 0, 0xfff, 0x9a, 4
    SET_DESC SMALL_SS, SCRATCH, 15, 0x92, 4
    SET_DESC CODE3_16, 0, 0xffff, 0xfa, 0
    call same_ring
    call sixteen_bit
    call inner_ring
    call gate_faults
    call new_stack
    call jumps
    call far_returns
    call interrupt_gates
    call iret_faults
    ret

same_ring:
    SET_GATE GATE, CODE0, target_same, 0x8c, 3
    TRY
    pushl $0x77
    CALL_GATE GATE
    popl %eax
    DONE "call gate, same ring"
    CHECK_EQ %eax, 0x77, "no parameters are copied without a stack switch"
    CHECK_EQ %ecx, CODE0, "same ring: CS"
    SET_GATE GATE, CONFORMING, target_same, 0x8c
    TRY
    CALL_GATE GATE
    DONE "call gate to conforming code"
    CHECK_EQ %ecx, CONFORMING, "conforming: CS"
    ret
target_same:
    movl %cs, %ecx
    lret

/* A 16-bit gate pushes words, and its offset has 16 bits, so this goes on below 64 KiB. */
sixteen_bit:
    SET_GATE GATE, CODE16, low_target16, 0x84
    TRY
    ljmp $CODE16, $low16
low_back:
    DONE "16-bit call gate, same ring"
    subl %ecx, %ebx
    CHECK_EQ %ebx, 4, "16-bit gate pushes two words"
    CHECK_EQ %edx, ((CODE16 << 16) + low16_next), "16-bit gate: CS, IP"
    SET_GATE GATE, CODE16, low_inner16, 0xe4, 2
    TRY
    USER
    movl $0x7ff0, %esp
    ljmp $CODE3_16 | 3, $low_user16
low_user_back:
    END_USER
    DONE "16-bit call gate from ring 3"
    CHECK_EQ fault_ebx, (((CODE3_16 | 3) << 16) + low_user16_next), "16-bit frame: CS, IP"
    CHECK_EQ fault_ecx, 0x11112222, "16-bit parameters"
    CHECK_EQ fault_esi, (DATA3 << 16 | 0x7fec), "16-bit frame: SS, SP"
    CHECK_EQ fault_edx, 0x7ff0, "16-bit far return releases the parameters"
    ret

inner_ring:
    SET_GATE GATE, CODE0, target_inner, 0xec, 2
    TRY
    USER
    pushl $0x1111
    pushl $0x2222
    CALL_GATE GATE | 3
call_next:
    movl %esp, %edx
    END_USER
    DONE "call gate from ring 3"
    CHECK_EQ seen_frame, call_next, "pushed EIP"
    CHECK_EQ (seen_frame + 4), CODE3, "pushed CS"
    CHECK_EQ (seen_frame + 8), 0x2222, "first parameter"
    CHECK_EQ (seen_frame + 12), 0x1111, "second parameter"
    CHECK_EQ (seen_frame + 16), (user_stack_top - 8), "pushed ESP"
    CHECK_EQ (seen_frame + 20), DATA3, "pushed SS"
    CHECK_EQ seen_esp, (ring0_stack_top - 24), "stack from the TSS"
    CHECK_EQ seen_ss, DATA0, "SS from the TSS"
    CHECK_EQ seen_cs, CODE0, "CPL 0 in CS"
    CHECK_EQ fault_edx, user_stack_top, "RET 8 releases the parameters on both stacks"
    SET_GATE GATE, CONFORMING, target_same, 0xec
    TRY
    USER
    CALL_GATE GATE | 3
    END_USER
    DONE "call gate to conforming code from ring 3"
    CHECK_EQ fault_ecx, (CONFORMING | 3), "stays in ring 3"
    ret
target_inner:
    pushl %esi
    pushl %edi
    movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movw %ss, seen_ss
    movl %cs, %eax
    movl %eax, seen_cs
    leal 8(%esp), %esi
    movl %esi, seen_esp
    movl $seen_frame, %edi
    movl $6, %ecx
    rep movsl
    popl %edi
    popl %esi
    lret $8

gate_faults:
    SET_GATE GATE, CODE0, target_inner, 0x8c
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT GP, GATE, "gate's DPL below CPL"
    SET_GATE GATE, CODE0, target_inner, 0xac
    TRY
    CALL_GATE GATE | 3
    EXPECT GP, GATE, "gate's DPL below RPL"
    SET_GATE GATE, CODE0, target_inner, 0x6c
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT NP, GATE, "gate not present"
    SET_GATE GATE, 0, target_inner, 0xec
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT GP, 0, "gate to a null selector"
    SET_GATE GATE, DATA0, target_inner, 0xec
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT GP, DATA0, "gate to a data segment"
    SET_GATE GATE, ABSENT, target_inner, 0xec
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT NP, ABSENT, "gate to an absent segment"
    SET_GATE GATE, CODE3, target_inner, 0x8c
    TRY
    CALL_GATE GATE
    EXPECT GP, (CODE3 & ~3), "gate to an outer ring"
    SET_GATE GATE, SHORT_CODE, target_inner, 0xec
    TRY
    USER
    CALL_GATE GATE | 3
    EXPECT GP, 0, "gate past the limit of its segment"
    CHECK_EQ fault_ss, DATA3, "nothing has changed: SS"
    CHECK_EQ fault_cs, CODE3, "nothing has changed: CS"
    CHECK_EQ fault_esp, user_stack_top, "nothing has changed: ESP"
    ret

/* With a bad stack in the TSS only a handler that stays in ring 3, in conforming code, can run. */
.macro NEW_STACK ss0, vector, error, name
    movl $\ss0, tss0 + 8
    TRY
    USER
    CALL_GATE GATE | 3
    END_USER
    DONE "\name"
    CHECK_EQ user_vector, \vector, "\name: vector"
    CHECK_EQ user_error, \error, "\name: error code"
.endm
new_stack:
    SET_GATE GATE, CODE0, target_inner, 0xec, 2
    SET_IDT TS, CONFORMING, user_ts, 0xee
    SET_IDT SS_, CONFORMING, user_ss, 0xee
    NEW_STACK 0, TS, 0, "SS0 = null"
    NEW_STACK (DATA3 & ~3), TS, (DATA3 & ~3), "SS0 = ring 3 data"
    NEW_STACK (DATA0 | 1), TS, (DATA0), "SS0 with RPL 1"
    NEW_STACK CODE0, TS, CODE0, "SS0 = code"
    NEW_STACK (GDT_SLOTS * 8), TS, (GDT_SLOTS * 8), "SS0 beyond the GDT"
    SET_DESC ABSENT, 0, 0xfffff, 0x12, 0xc
    NEW_STACK ABSENT, SS_, ABSENT, "SS0 = absent"
    movl $12, tss0 + 4
    NEW_STACK SMALL_SS, SS_, SMALL_SS, "no room on the new stack"
    SET_IDT TS, CODE0, (stubs + 16 * TS), 0x8e
    SET_IDT SS_, CODE0, (stubs + 16 * SS_), 0x8e
    ret
user_ts:
    movl $TS, user_vector
    jmp 1f
user_ss:
    movl $SS_, user_vector
1:  popl user_error
    movl $DATA0, tss0 + 8
    movl $ring0_stack_top, tss0 + 4
    int $LEAVE

jumps:
    TRY
    ljmp $DATA0, $0
    EXPECT GP, DATA0, "JMP to data"
    TRY
    ljmp $0, $0
    EXPECT GP, 0, "JMP to null"
    TRY
    ljmp $CODE3, $0
    EXPECT GP, (CODE3 & ~3), "JMP to an outer ring"
    TRY
    USER
    ljmp $CODE0, $0
    EXPECT GP, CODE0, "JMP to an inner ring"
    SET_DESC ABSENT, 0, 0xfffff, 0x1a, 0xc
    TRY
    ljmp $ABSENT, $0
    EXPECT NP, ABSENT, "JMP to an absent segment"
    TRY
    ljmp $SHORT_CODE, $0x1000
    EXPECT GP, 0, "JMP past the limit"
    TRY
    lcall $SHORT_CODE, $0x1000
    EXPECT GP, 0, "CALL past the limit"
    TRY
    ljmp $CONFORMING | 3, $1f
1:  movl %cs, %ecx
    ljmp $CODE0, $1f
1:  DONE "JMP to conforming code, any RPL"
    CHECK_EQ %ecx, CONFORMING, "RPL becomes CPL"
    TRY
    USER
    ljmp $CONFORMING, $1f
1:  movl %cs, %ecx
    END_USER
    DONE "ring 3: JMP to conforming code of ring 0"
    CHECK_EQ fault_ecx, (CONFORMING | 3), "ring 3 stays"
    SET_GATE GATE, CODE0, 1f, 0x8c
    TRY
    ljmp $GATE, $0
1:  DONE "JMP through a call gate"
    SET_GATE GATE, CODE0, 1f, 0xec
    TRY
    USER
    ljmp $GATE, $0
1:  EXPECT GP, CODE0, "JMP through a call gate does not change rings"
    SET_GATE GATE, CODE0, 1f, 0xee
    TRY
    ljmp $GATE, $0
1:  EXPECT GP, GATE, "JMP to an interrupt gate"
    ret

.macro FAR_FRAME ss, esp, cs, eip
    pushl $(\ss)
    pushl $\esp
    pushl $(\cs)
    pushl $\eip
.endm
far_returns:
    movl $DATA3, %eax
    movl %eax, %gs
    movl $CONFORMING, %eax
    movl %eax, %fs
    TRY
    FAR_FRAME DATA1 | 1, user_stack_top, CODE1 | 1, 1f
    lret
1:  movl %cs, %ecx
    movl %ss, %edx
    movl %ds, %ebx
    movl %gs, %esi
    movl %fs, %edi
    movl %esp, %ebp
    clts
    EXPECT GP, 0, "far return to ring 1; CLTS there"
    CHECK_EQ fault_ecx, (CODE1 | 1), "ring 1: CS"
    CHECK_EQ fault_edx, (DATA1 | 1), "ring 1: SS"
    CHECK_EQ fault_ebx, 0, "DS of ring 0 is lost"
    CHECK_EQ fault_esi, DATA3, "GS of ring 3 stays"
    CHECK_EQ fault_edi, CONFORMING, "FS, conforming code, stays"
    CHECK_EQ fault_ebp, user_stack_top, "ring 1: ESP"
    CHECK_EQ fault_ss, (DATA1 | 1), "pushed SS"
    TRY
    FAR_FRAME 0, user_stack_top, CODE1 | 1, 1f
    lret
1:  EXPECT GP, 0, "far return to SS = null"
    TRY
    FAR_FRAME DATA3, user_stack_top, CODE1 | 1, 1f
    lret
1:  EXPECT GP, (DATA3 & ~3), "far return to a stack of another ring"
    TRY
    FAR_FRAME DATA1 | 1, user_stack_top, CODE1 | 3, 1f
    lret
1:  EXPECT GP, CODE1, "far return: RPL above DPL"
    TRY
    FAR_FRAME DATA1 | 1, user_stack_top, 0, 1f
    movl %esp, %ebx
    lret
1:  EXPECT GP, 0, "far return to a null selector"
    movl fault_frame, %eax
    addl $12, %eax
    subl %eax, fault_ebx
    CHECK_EQ fault_ebx, 0, "ESP is as before the far return"
    TRY
    USER
    pushl $CODE0
    pushl $1f
    lret
1:  EXPECT GP, CODE0, "far return to an inner ring"
    ret

#define VECTOR 0x40
.macro INT_FAULT selector, rights, vector, error, name
    SET_IDT VECTOR, \selector, handler32, \rights
    TRY
    USER
    int $VECTOR
    EXPECT \vector, \error, "\name"
.endm
interrupt_gates:
    SET_IDT VECTOR, CODE0, handler32, 0xef
    TRY
    sti
    int $VECTOR
int_next:
    cli
    DONE "trap gate"
    testl $FL_IF, %ecx
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "trap gate keeps IF"
    CHECK_EQ %edx, int_next, "INT pushes the next EIP"
    SET_IDT VECTOR, CODE0, handler32, 0xee
    TRY
    pushl $FL_IF | FL_NT | FL_1
    popfl
    int $VECTOR
    pushfl
    popl %edx
    pushl $FL_1
    popfl
    DONE "interrupt gate"
    andl $(FL_IF | FL_NT | FL_TF), %ecx
    CHECK_EQ %ecx, 0, "interrupt gate clears IF, NT, TF"
    andl $(FL_IF | FL_NT), %edx
    CHECK_EQ %edx, (FL_IF | FL_NT), "IRET restores them"
    SET_IDT VECTOR, CODE16, handler16, 0x86
    TRY
    ljmp $CODE16, $low_int16
low_int_back:
    DONE "16-bit interrupt gate"
    subl %ecx, %ebx
    CHECK_EQ %ebx, 6, "16-bit gate pushes three words"
    SET_IDT VECTOR, CONFORMING, handler32, 0xee
    TRY
    USER
    int $VECTOR
    END_USER
    DONE "interrupt gate to conforming code"
    CHECK_EQ fault_ebx, (CONFORMING | 3), "the handler is in ring 3"
    INT_FAULT CODE0, 0x8e, GP, (VECTOR * 8 + 2), "INT n with DPL below CPL"
    INT_FAULT CODE0, 0x6e, NP, (VECTOR * 8 + 2), "INT n through an absent gate"
    INT_FAULT CODE0, 0xec, GP, (VECTOR * 8 + 2), "INT n through a call gate"
    INT_FAULT 0, 0xee, GP, 0, "INT n to a null selector"
    INT_FAULT DATA0, 0xee, GP, DATA0, "INT n to data"
    SET_DESC ABSENT, 0, 0xfffff, 0x1a, 0xc
    INT_FAULT ABSENT, 0xee, NP, ABSENT, "INT n to absent code"
    INT_FAULT SHORT_CODE, 0xee, GP, 0, "INT n past the limit"
    SET_IDT VECTOR, CODE3, handler32, 0xee
    TRY
    int $VECTOR
    EXPECT GP, (CODE3 & ~3), "INT n to an outer ring"
    /* Beyond the limit of the IDT. */
    movw $VECTOR * 8 + 6, idt_pointer
    lidt idt_pointer
    TRY
    int $VECTOR
    EXPECT GP, (VECTOR * 8 + 2), "INT n beyond the IDT"
    movw $0x7ff, idt_pointer
    lidt idt_pointer
    /* Of an exception: the error code says that the cause was external to the program (bit 0). */
    SET_IDT UD, CODE0, handler32, 0x0e
    TRY
    ud2
    EXPECT NP, (UD * 8 + 3), "#UD through an absent gate"
    SET_IDT UD, 0, handler32, 0x8e
    TRY
    ud2
    EXPECT GP, 1, "#UD to a null selector"
    SET_IDT UD, CODE0, (stubs + 16 * UD), 0x8e
    ret
/* ECX: flags within the handler; EDX: where it goes back to; EBX: CS. */
handler32:
    pushfl
    popl %ecx
    movl (%esp), %edx
    movl %cs, %ebx
    iret

.macro IRET_FRAME ss, esp, flags, cs, eip
    pushl $(\ss)
    pushl $\esp
    pushl $(\flags)
    pushl $(\cs)
    pushl $\eip
.endm
iret_faults:
    TRY
    IRET_FRAME DATA3, user_stack_top, FL_1, 0, 1f
    movl %esp, %ebx
    iret
1:  EXPECT GP, 0, "IRET to a null selector"
    movl fault_frame, %eax
    addl $12, %eax
    subl %eax, fault_ebx
    CHECK_EQ fault_ebx, 0, "ESP is as before IRET"
    TRY
    IRET_FRAME 0, user_stack_top, FL_1, CODE3, 1f
    iret
1:  EXPECT GP, 0, "IRET to SS = null"
    TRY
    IRET_FRAME DATA0, user_stack_top, FL_1, CODE3, 1f
    iret
1:  EXPECT GP, DATA0, "IRET to a stack of another ring"
    TRY
    IRET_FRAME DATA3, user_stack_top, FL_1, DATA3, 1f
    iret
1:  EXPECT GP, (DATA3 & ~3), "IRET to data"
    TRY
    IRET_FRAME DATA3, user_stack_top, FL_1, CODE0 | 3, 1f
    iret
1:  EXPECT GP, CODE0, "IRET: RPL is not DPL"
    SET_DESC ABSENT, 0, 0xfffff, 0x7a, 0xc
    TRY
    IRET_FRAME DATA3, user_stack_top, FL_1, ABSENT | 3, 1f
    iret
1:  EXPECT NP, ABSENT, "IRET to an absent segment"
    TRY
    IRET_FRAME DATA3, user_stack_top, FL_1, SHORT_CODE, 0x1000
    iret
    EXPECT GP, 0, "IRET past the limit"
    TRY
    USER
    IRET_FRAME DATA0, 0, FL_1, CODE0, 1f
    iret
1:  EXPECT GP, CODE0, "ring 3: IRET to ring 0"
    /* IF and IOPL are not ring 3's to change. */
    TRY
    USER
    pushl $FL_IF | FL_IOPL | FL_1
    pushl $CODE3
    pushl $1f
    iret
1:  pushfl
    popl %ecx
    pushl $FL_IF | FL_IOPL | FL_1
    popfl
    pushfl
    popl %edx
    END_USER
    DONE "ring 3: IRET, POPF"
    andl $(FL_IF | FL_IOPL), fault_ecx
    CHECK_EQ fault_ecx, 0, "ring 3: IRET changes neither IF nor IOPL"
    andl $(FL_IF | FL_IOPL), fault_edx
    CHECK_EQ fault_edx, 0, "ring 3: POPF changes neither IF nor IOPL"
    TRY
    USER
    cli
    EXPECT GP, 0, "ring 3, IOPL 0: CLI"
    TRY
    USER (FL_IOPL | FL_1)
    sti
    cli
    pushl $FL_IF | FL_1
    popfl
    pushfl
    popl %ecx
    cli
    END_USER
    DONE "ring 3, IOPL 3: STI, CLI, POPF"
    andl $(FL_IF | FL_IOPL), fault_ecx
    CHECK_EQ fault_ecx, (FL_IF | FL_IOPL), "ring 3, IOPL 3: POPF sets IF, not IOPL"
    .irp insn, hlt, clts, invd, wbinvd, "movl %cr0, %eax", "movl %eax, %cr3", "movl %dr0, %eax", "lgdt gdt_pointer", \
        "lidt idt_pointer", "lmsw %ax", "invlpg 0", "rdmsr", "wrmsr", "lldt %ax", "ltr %ax", "inb $0x80, %al"
    xorl %eax, %eax
    TRY
    USER
    \insn
    EXPECT GP, 0, "ring 3: privileged \insn"
    .endr
    ret

    .section .low, "awx"
    .code16
low16:
    movl %esp, %ebx
    lcallw $GATE, $0
low16_next:
    ljmpl $CODE0, $low_back
low_target16:
    movl %esp, %ecx
    movl (%esp), %edx
    lretw
low_user16:
    pushw $0x1111
    pushw $0x2222
    lcallw $(GATE | 3), $0
low_user16_next:
    movl %esp, %edx
    ljmpl $CODE3, $low_user_back
low_inner16:
    movl (%esp), %ebx
    movl 4(%esp), %ecx
    movl 8(%esp), %esi
    lretw $4
low_int16:
    movl %esp, %ebx
    int $VECTOR
    ljmpl $CODE0, $low_int_back
handler16:
    movl %esp, %ecx
    iretw
    .code32

    .bss
    .balign 4
seen_cs: .skip 4
seen_ss: .skip 4
seen_esp: .skip 4
seen_frame: .skip 24
user_vector: .skip 4
user_error: .skip 4
