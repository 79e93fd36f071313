/* Exceptions and what they push: SDM 3A 6.15 (each exception), 6.13 (error codes), 6.8.3; SDM 2A 2.1 (LOCK,
 * the 15-byte limit), 2B UD2; and exceptions while delivering others, table 6-5. */
#include "guest.h"

#define CONFORMING (FREE_SEL + 0)
#define UNMAPPED 0x3ff000

.macro FAULTS vector, name, insn, insn2
    TRY
1:  \insn
    \insn2
    EXPECT \vector, 0, "\name"
    CHECK_EQ fault_eip, 1b, "\name: EIP of the instruction"
.endm
.macro TRAPS vector, name, insn
    TRY
    \insn
1:  EXPECT \vector, 0, "\name"
    CHECK_EQ fault_eip, 1b, "\name: EIP of the next"
.endm
.macro UNDEFINED bytes:vararg
    TRY
1:  .byte \bytes
    EXPECT UD, 0, "undefined: \bytes"
    CHECK_EQ fault_eip, 1b, "undefined: \bytes: EIP"
.endm

    .text
    .globl guest_main
guest_main:
    call divide
    call traps
    call undefined
    call lock_prefix
    call long_ones
    call alignment
    call rf_flag
    call paging_on
    call nested
    ret

divide:
    xorl %ecx, %ecx
    FAULTS DE, "DIV by 0", "divl %ecx"
    movl $1, %edx
    movl $1, %ecx
    FAULTS DE, "DIV overflow", "divl %ecx"
    CHECK_EQ fault_edx, 1, "EDX stays"
    movl $0x80000000, %eax
    movl $-1, %edx
    movl $-1, %ecx
    FAULTS DE, "IDIV of the least number by -1", "idivl %ecx"
    movw $0x100, %ax
    movb $1, %cl
    FAULTS DE, "8-bit DIV overflow", "divb %cl"
    movw $-128, %ax
    movb $-1, %cl
    FAULTS DE, "8-bit IDIV overflow", "idivb %cl"
    movw $0xff80, %ax
    movb $1, %cl
    TRY
    idivb %cl
    movzwl %ax, %edx
    DONE "8-bit IDIV with the least quotient"
    CHECK_EQ %edx, 0x80, "8-bit IDIV result"
    FAULTS DE, "AAM 0", ".byte 0xd4, 0"
    ret

traps:
    TRAPS BP, "INT3", "int3"
    TRAPS BP, "INT 3", ".byte 0xcd, 3"
    TRY
    movb $0x7f, %al
    incb %al
    into
1:  EXPECT OF, 0, "INTO"
    CHECK_EQ fault_eip, 1b, "INTO: EIP of the next"
    TRY
    xorl %eax, %eax
    into
    DONE "INTO without overflow"
    TRAPS DB, "INT1", ".byte 0xf1"
    movl %dr6, %eax
    andl $0xe00f, %eax
    CHECK_EQ %eax, 0, "INT1 does not touch DR6"
    movl $5, SCRATCH
    movl $9, SCRATCH + 4
    movl $4, %eax
    FAULTS BR, "BOUND, below", "bound %eax, SCRATCH"
    movl $10, %eax
    FAULTS BR, "BOUND, above", "bound %eax, SCRATCH"
    TRY
    movl $9, %eax
    bound %eax, SCRATCH
    movl $5, %eax
    bound %eax, SCRATCH
    DONE "BOUND, at the bounds"
    TRY
    USER
    int $0x20
    EXPECT GP, (0x20 * 8 + 2), "INT n from ring 3 through a gate of ring 0"
    TRY
    USER
    .byte 0xf1
1:  EXPECT DB, 0, "INT1 in ring 3 does not look at the gate's DPL"
    CHECK_EQ fault_eip, 1b, "INT1 in ring 3: EIP"
    TRY
    USER
    int3
1:  EXPECT BP, 0, "INT3 in ring 3"
    CHECK_EQ fault_cs, CODE3, "INT3 in ring 3: CS"
    CHECK_EQ fault_ss, DATA3, "INT3 in ring 3: SS"
    CHECK_EQ fault_esp, user_stack_top, "INT3 in ring 3: ESP"
    ret

undefined:
    UNDEFINED 0x0f, 0x0b
    UNDEFINED 0x0f, 0xb9, 0xc0
    UNDEFINED 0x0f, 0xff, 0xc0
    UNDEFINED 0x0f, 0x04
    UNDEFINED 0x0f, 0x0a
    UNDEFINED 0x0f, 0x24, 0xc0
    UNDEFINED 0x0f, 0x36
    UNDEFINED 0xff, 0xf8
    UNDEFINED 0xfe, 0xd0
    UNDEFINED 0xc6, 0xc8, 0
    UNDEFINED 0x8f, 0xc8
    UNDEFINED 0x8d, 0xc0
    UNDEFINED 0x62, 0xc0
    UNDEFINED 0xc4, 0xc0, 0
    UNDEFINED 0x0f, 0xb2, 0xc0
    UNDEFINED 0xff, 0xd8
    UNDEFINED 0xff, 0xe8
    UNDEFINED 0x0f, 0x01, 0xff
    UNDEFINED 0x0f, 0x20, 0xc8
    UNDEFINED 0x0f, 0x22, 0xc8
    UNDEFINED 0x0f, 0x20, 0xe8
    UNDEFINED 0x0f, 0x00, 0xf0
    UNDEFINED 0x0f, 0xc7, 0xc8
    UNDEFINED 0x0f, 0xba, 0xc0, 0
    UNDEFINED 0xd9, 0xd1
    UNDEFINED 0xdb, 0xe5
    UNDEFINED 0xd9, 0xe2
    UNDEFINED 0x0f, 0xaa
    UNDEFINED 0x0f, 0x78, 0xc0
    UNDEFINED 0x0f, 0xa6, 0xc0
    ret

/* LOCK: only read-modify-write instructions with a memory destination. */
lock_prefix:
    UNDEFINED 0xf0, 0x90
    UNDEFINED 0xf0, 0x01, 0xc0
    UNDEFINED 0xf0, 0x03, 0x00
    UNDEFINED 0xf0, 0x39, 0x00
    UNDEFINED 0xf0, 0x8b, 0x00
    UNDEFINED 0xf0, 0x89, 0x00
    UNDEFINED 0xf0, 0x85, 0x00
    UNDEFINED 0xf0, 0xd1, 0x20
    UNDEFINED 0xf0, 0x0f, 0xa3, 0x00
    UNDEFINED 0xf0, 0x50
    UNDEFINED 0xf0, 0xff, 0x30
    UNDEFINED 0xf0, 0xf7, 0x00, 0, 0, 0, 0
    UNDEFINED 0xf0, 0xa4
    UNDEFINED 0xf0, 0x0f, 0xba, 0x20, 0
    movl $SCRATCH, %eax
    movl $0, SCRATCH
    TRY
    lock addl $1, (%eax)
    lock incl (%eax)
    lock btsl $4, (%eax)
    lock notl (%eax)
    lock xchgl %ecx, (%eax)
    lock xaddl %ecx, (%eax)
    lock cmpxchgl %ecx, (%eax)
    lock cmpxchg8b (%eax)
    DONE "LOCK where it is legal"
    ret

long_ones:
    TRY
    .fill 14, 1, 0x2e
    nop
    DONE "15 bytes"
    FAULTS GP, "16 bytes", ".fill 15, 1, 0x2e", "nop"
    FAULTS GP, "16 bytes with an operand", ".fill 10, 1, 0x66", ".byte 0xc7, 0x05, 0, 0, 0x20, 0, 0, 0"
    TRY
    .fill 10, 1, 0xf3
    movw $0, %ax
    nop
    EXPECT -1, -1, "many REP prefixes"
    ret

/* #AC: ring 3 only, CR0.AM and EFLAGS.AC; SDM 3A 6.15, table 6-7. */
.macro ALIGN_CASE good, insn
    TRY
    USER (FL_AC | FL_1)
    \insn
    END_USER
    .if \good
    DONE "#AC: \insn"
    .else
    EXPECT AC, 0, "#AC: \insn"
    .endif
.endm
alignment:
    movl %cr0, %eax
    orl $CR0_AM, %eax
    movl %eax, %cr0
    movl %cr4, %eax
    orl $CR4_OSFXSR, %eax
    movl %eax, %cr4
    fninit
    ALIGN_CASE 1, "movl SCRATCH, %eax"
    ALIGN_CASE 0, "movl SCRATCH + 2, %eax"
    ALIGN_CASE 0, "movl %eax, SCRATCH + 1"
    ALIGN_CASE 0, "movw SCRATCH + 1, %ax"
    ALIGN_CASE 1, "movw SCRATCH + 2, %ax"
    ALIGN_CASE 1, "movb SCRATCH + 1, %al"
    ALIGN_CASE 0, "incl SCRATCH + 3"
    ALIGN_CASE 0, "pushl SCRATCH + 1"
    ALIGN_CASE 0, "flds SCRATCH + 2"
    ALIGN_CASE 0, "fldl SCRATCH + 4"
    ALIGN_CASE 1, "fldl SCRATCH + 8"
    ALIGN_CASE 0, "fldt SCRATCH + 4"
    ALIGN_CASE 1, "fldt SCRATCH + 8"
    ALIGN_CASE 0, "movq SCRATCH + 4, %mm0"
    ALIGN_CASE 1, "movups SCRATCH + 9, %xmm0"
    ALIGN_CASE 1, "movups SCRATCH + 16, %xmm0"
    ALIGN_CASE 0, "movl $SCRATCH + 1, %esi; lodsl"
    ALIGN_CASE 0, "movl $SCRATCH + 1, %esp; popl %eax"
    TRY
    movl $SCRATCH + 1, %ebx
    pushfl
    orl $FL_AC, (%esp)
    popfl
    movl (%ebx), %eax
    pushfl
    andl $~FL_AC, (%esp)
    popfl
    DONE "no #AC in ring 0"
    movl %cr0, %eax
    andl $~CR0_AM, %eax
    movl %eax, %cr0
    ALIGN_CASE 1, "movl SCRATCH + 1, %eax"
    emms
    ret

/* SDM 3B 17.3.1.1: RF in the pushed image: set for faults, clear for traps. */
.macro RF_IS bit, name
    movl fault_eflags, %eax
    shrl $16, %eax
    andl $1, %eax
    CHECK_EQ %eax, \bit, "RF pushed by \name"
.endm
rf_flag:
    FAULTS UD, "UD2", "ud2"
    RF_IS 1, "#UD"
    TRY
    movw $0xffff, %ax
    movw %ax, %ds
    EXPECT GP, 0xfffc, "a bad selector"
    RF_IS 1, "#GP"
    TRAPS BP, "INT3", "int3"
    RF_IS 0, "INT3"
    TRAPS DB, "INT1", ".byte 0xf1"
    RF_IS 0, "INT1"
    ret

paging_on:
    MAP_4MIB
    movl $0, PTE(UNMAPPED)
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    ret

/* First exception, the second by a gate in the IDT that cannot be used. */
#define ABSENT_GATE 0x0e
.macro BREAK_GATE vector
    movb $ABSENT_GATE, idt + \vector * 8 + 5
.endm
.macro MEND_GATE vector
    movb $0x8e, idt + \vector * 8 + 5
.endm
/* An IDT whose entry for one vector lies in an absent page. */
.macro IDT_UNMAPPED_FROM vector
    movl $UNMAPPED - (\vector) * 8, far_idt + 2
    movl far_idt + 2, %edi
    movl $idt, %esi
    movl $(\vector) * 2, %ecx
    rep movsl
    lidt far_idt
.endm
nested:
    BREAK_GATE UD
    TRY
    ud2
    EXPECT NP, (UD * 8 + 3), "benign, then contributory: the second"
    MEND_GATE UD
    BREAK_GATE DE
    xorl %ecx, %ecx
    TRY
1:  divl %ecx
    EXPECT DF, 0, "contributory twice"
    MEND_GATE DE
    BREAK_GATE GP
    TRY
    movw $0xffff, %ax
    movw %ax, %ds
    EXPECT DF, 0, "#GP, then #NP"
    BREAK_GATE NP
    TRY
    ud2
    EXPECT UD, 0, "the broken gates do not matter to others"
    MEND_GATE GP
    MEND_GATE NP
    /* #PF, then contributory. */
    BREAK_GATE PF
    TRY
    movl UNMAPPED, %eax
    EXPECT DF, 0, "#PF, then #NP"
    CHECK_EQ fault_cr2, UNMAPPED, "CR2 of the #PF"
    MEND_GATE PF
    /* Contributory, then #PF: the #PF.  The IDT is read in an absent page. */
    IDT_UNMAPPED_FROM 0x20
    TRY
    int $0x20
    EXPECT PF, 0, "INT n, its gate in an absent page"
    CHECK_EQ fault_cr2, UNMAPPED, "address of the gate"
    lidt idt_pointer
    IDT_UNMAPPED_FROM AC
    movl %cr0, %eax
    orl $CR0_AM, %eax
    movl %eax, %cr0
    TRY
    USER (FL_AC | FL_1)
    movl SCRATCH + 1, %eax
    EXPECT PF, 0, "#AC, then #PF: the second"
    lidt idt_pointer
    /* #PF, then #PF: a handler's stack in an absent page. */
    movl $UNMAPPED + 0x100, tss0 + 4
    SET_DESC CONFORMING, 0, 0xfffff, 0x9e, 0xc
    SET_IDT DF, CONFORMING, user_double_fault, 0x8e
    movl $0, seen
    TRY
    USER
    movl UNMAPPED, %eax
    END_USER
    DONE "#PF on the stack of #PF"
    CHECK_EQ seen, 0xdf, "is a double fault"
    movl $0, seen
    SET_IDT PF, CONFORMING, user_page_fault, 0x8e
    movl $UNMAPPED + 0x100, tss0 + 4
    TRY
    USER
    hlt
    END_USER
    DONE "#PF on the stack of #GP"
    CHECK_EQ seen, 0xe, "is a page fault"
    CHECK_EQ seen_error, 2, "a supervisor's write"
    movl $ring0_stack_top, tss0 + 4
    ret
/* Both in ring 3. */
user_double_fault:
    movl $0xdf, seen
    movl $ring0_stack_top, tss0 + 4
    int $LEAVE
user_page_fault:
    popl seen_error
    movl $0xe, seen
    movl $ring0_stack_top, tss0 + 4
    int $LEAVE

    .data
far_idt: .word 0x7ff
    .long 0
seen: .long 0
seen_error: .long 0
