/* Where code ends: SDM 3A 5.3 (limit checks on fetches and targets), SDM 2 JMP, CALL, RET, Jcc (EIP beyond the limit:
 * #GP(0) on the transfer itself), 16-bit operand sizes that cut EIP, addresses that wrap at 4 GiB. */
#include "guest.h"

#define SHORT (FREE_SEL + 0x00) /* limit 0xfff at SCRATCH */
#define HIGH  (FREE_SEL + 0x08) /* base -1 MiB */
#define HIGH_DATA (FREE_SEL + 0x10)
.set WRAP, 0x100000
#define PTE_HIGH (TABLES + 0x3000 + 0xffc)

/* Copies what stands between two labels to the end of the short segment, so that it ends at offset end, and jumps there. */
.macro AT_END from, to, end
    movl $\from, %esi
    movl $(\to - \from), %ecx
    movl $(SCRATCH + \end), %edi
    subl %ecx, %edi
    movl %edi, %ebx
    subl $SCRATCH, %ebx
    rep movsb
    movl %ebx, far_target
    movw $SHORT, far_target + 4
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC SHORT, SCRATCH, 0xfff, 0x9a, 4
    SET_DESC HIGH, 0xfff00000, 0xfffff, 0x9a, 0xc
    SET_DESC HIGH_DATA, 0xfff00000, 0xfffff, 0x92, 0xc
    call at_limit
    call targets
    call cut
    call wrapped_base
    call four_gib
    ret

at_limit:
    AT_END 1f, 2f, 0x1000
    TRY
    ljmp *far_target
1:  incl %eax
    incl %eax
2:  EXPECT GP, 0, "running over the limit"
    CHECK_EQ fault_eip, 0x1000, "EIP is the first byte outside"
    CHECK_EQ fault_cs, SHORT, "CS"
    AT_END 1f, 2f, 0x1001
    TRY
    xorl %eax, %eax
    ljmp *far_target
1:  incl %eax
    movl $1, %ecx
2:  EXPECT GP, 0, "an instruction across the limit"
    CHECK_EQ fault_eax, 1, "what is before it runs"
    subl $0x1001 - 5, fault_eip
    CHECK_EQ fault_eip, 0, "EIP is where it begins"
    AT_END 1f, 2f, 0x1000
    TRY
    ljmp *far_target
1:  ljmp $CODE0, $3f
2:
3:  DONE "a jump that ends at the limit"
    /* An exact end, and a fault of its own first: bytes up to the limit are enough to know it. */
    AT_END 1f, 2f, 0x1000
    TRY
    ljmp *far_target
1:  ud2
2:  EXPECT UD, 0, "UD2 at the limit"
    ret

/* Each is copied to the short segment and leads outside of it. */
.macro LEADS_OUT name, insn:vararg
    movl $1f, %esi
    movl $SCRATCH, %edi
    movl $(2f - 1f), %ecx
    rep movsb
    TRY
    movl $0x1000, %ecx
    xorl %eax, %eax
    ljmp $SHORT, $0
1:  \insn
2:  EXPECT GP, 0, "\name"
    CHECK_EQ fault_eip, 0, "\name: EIP is the instruction's"
    CHECK_EQ fault_ecx, 0x1000, "\name: ECX"
    movl fault_frame, %eax
    addl $12, %eax
    subl try_esp, %eax
    CHECK_EQ %eax, 0, "\name: ESP"
.endm
targets:
    LEADS_OUT "JMP", .byte 0xe9, 0, 0x10, 0, 0
    LEADS_OUT "JZ", .byte 0x0f, 0x84, 0, 0x10, 0, 0
    LEADS_OUT "JMP backwards", .byte 0xeb, 0x80
    LEADS_OUT "indirect JMP", jmp *%ecx
    LEADS_OUT "CALL", .byte 0xe8, 0, 0x10, 0, 0
    LEADS_OUT "indirect CALL", call *%ecx
    LEADS_OUT "LOOP", .byte 0xe2, 0x80
    LEADS_OUT "JCXZ", .byte 0x67, 0x74, 0x80
    LEADS_OUT "far JMP", ljmp $SHORT, $0x1000
    LEADS_OUT "far CALL", lcall $SHORT, $0x1000
    /* RET finds its target on the stack, which it leaves alone. */
    movw $0x9053, SCRATCH /* push %ebx; nop */
    movb $0xc3, SCRATCH + 2
    TRY
    movl $0x1000, %ebx
    ljmp $SHORT, $0
    EXPECT GP, 0, "RET"
    CHECK_EQ fault_eip, 2, "RET: EIP"
    movl fault_frame, %eax
    addl $16, %eax
    subl try_esp, %eax
    CHECK_EQ %eax, 0, "RET: ESP"
    ret

cut:
    /* A 16-bit operand size cuts EIP to 16 bits. */
    movl $low_target, %ecx
    TRY
    orl $0x50000, %ecx
    .byte 0x66
    jmp *%ecx
cut_back:
    DONE "JMP with a 16-bit operand"
    TRY
    pushl $0
    movl $low_target2, %eax
    pushw %ax
    movl %esp, %ebx
    .byte 0x66
    ret
cut_back2:
    DONE "RET with a 16-bit operand"
    ret

wrapped_base:
    /* Base plus offset wraps at 4 GiB. */
    TRY
    movl $HIGH_DATA, %eax
    movl %eax, %fs
    movl $0x12345678, %fs:SCRATCH + WRAP
    DONE "data with a wrapping base"
    CHECK_EQ SCRATCH, 0x12345678, "where it goes"
    TRY
    ljmp $HIGH, $1f + WRAP
1:  movl $0x1357, %ebx
    call 2f
    ljmp $CODE0, $3f
2:  incl %ebx
    ret
3:  DONE "code with a wrapping base"
    CHECK_EQ %ebx, 0x1358, "it ran"
    ret

/* The last page and page 0 are mapped: running off the end goes on at 0. */
four_gib:
    movl $TABLES, %edi
    movl $0x1000, %ecx
    xorl %eax, %eax
    rep stosl
    movl $TABLES + 0x1000 + 3, TABLES
    movl $TABLES + 0x3000 + 3, TABLES + 0xffc
    movl $TABLES + 0x1000, %edi
    movl $3, %eax
    movl $1024, %ecx
1:  stosl
    addl $0x1000, %eax
    loop 1b
    movl $SCRATCH + 3, PTE_HIGH
    movl $SCRATCH + 0x1000 + 3, TABLES + 0x1000
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    movl $0x90909090, SCRATCH + 0xffc
    movl $0x40c3, SCRATCH + 0x1000 /* ret; inc %eax */
    TRY
    movl $0xfffffffd, %ecx
    movl $5, %eax
    call *%ecx
    DONE "code runs from 0xffffffff to 0"
    movb $0x40, SCRATCH + 0x1000
    movb $0xc3, SCRATCH + 0x1001
    movb $0xeb, SCRATCH + 0xffe
    movb $0, SCRATCH + 0xfff
    TRY
    movl $0xfffffffd, %ecx
    movl $5, %eax
    call *%ecx
    DONE "JMP to 4 GiB is JMP to 0"
    CHECK_EQ %eax, 6, "it went there"
    /* Data. */
    movl $0x44332211, SCRATCH + 0xffc
    movl $0x88776655, SCRATCH + 0x1000
    movb 0xffffffff, %al
    movzbl %al, %eax
    CHECK_EQ %eax, 0x44, "the last byte"
    movl $0, SCRATCH + 0x1000
    movl $0, PTE_HIGH
    movl %cr3, %eax
    movl %eax, %cr3
    TRY
    movl $0xfffffffc, %ecx
    call *%ecx
    EXPECT PF, 0, "an absent last page"
    CHECK_EQ fault_cr2, 0xfffffffc, "its address"
    ret

    .section .low, "awx"
low_target:
    ljmp $CODE0, $cut_back
low_target2:
    ljmp $CODE0, $cut_back2

    .data
    .balign 4
far_target: .long 0
    .word 0
