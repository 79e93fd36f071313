/* When the floating-point unit may be used and how it reports: SDM 3A 2.5 (EM, MP, TS, NE), 6.15 (#NM, #MF, #XM, #UD), SDM
 * 1 8.7 (x87 exceptions come with the next waiting instruction), 8.1.8 (pointers), 11.5 (SSE exceptions), 9.6 (MMX). */
#include "guest.h"

.macro SET_CR0 set, clear
    movl %cr0, %eax
    orl $(\set), %eax
    andl $~(\clear), %eax
    movl %eax, %cr0
.endm
.macro SET_CR4 set, clear
    movl %cr4, %eax
    orl $(\set), %eax
    andl $~(\clear), %eax
    movl %eax, %cr4
.endm
.macro GIVES vector, insn
    TRY
1:  \insn
    .if \vector < 0
    DONE "\insn"
    .else
    EXPECT \vector, 0, "\insn"
    CHECK_EQ fault_eip, 1b, "\insn: EIP"
    .endif
.endm

    .text
    .globl guest_main
guest_main:
    SET_CR4 (CR4_OSFXSR | CR4_OSXMMEXCPT), 0
    SET_CR0 CR0_NE, (CR0_EM | CR0_TS | CR0_MP)
    fninit
    call not_available
    call deferred
    call sse
    call stack_faults
    call images
    call irq13
    ret

not_available:
    SET_CR0 CR0_TS, 0
    GIVES NM, "fnop"
    GIVES NM, "fninit"
    GIVES NM, "fnstsw %ax"
    GIVES NM, "emms"
    GIVES NM, "movq %mm0, %mm1"
    GIVES NM, "xorps %xmm0, %xmm0"
    GIVES NM, "fxsave SCRATCH"
    GIVES NM, "ldmxcsr mxcsr_default"
    GIVES -1, "fwait"
    GIVES -1, "sfence"
    SET_CR0 CR0_MP, 0
    GIVES NM, "fwait"
    SET_CR0 CR0_EM, (CR0_TS | CR0_MP)
    GIVES NM, "fnop"
    GIVES -1, "fwait"
    GIVES UD, "emms"
    GIVES UD, "movq %mm0, %mm1"
    GIVES UD, "xorps %xmm0, %xmm0"
    SET_CR0 CR0_TS, 0
    GIVES UD, "paddb %mm0, %mm1"
    GIVES UD, "addps %xmm0, %xmm1"
    SET_CR0 0, (CR0_EM | CR0_TS)
    SET_CR4 0, CR4_OSFXSR
    GIVES UD, "xorps %xmm0, %xmm0"
    GIVES UD, "addpd %xmm0, %xmm0"
    GIVES UD, "ldmxcsr mxcsr_default"
    GIVES -1, "movq %mm0, %mm1"
    GIVES -1, "emms"
    SET_CR4 CR4_OSFXSR, 0
    /* Memory is not touched before the unit is there. */
    SET_CR0 CR0_TS, 0
    TRY
    flds %cs:0xfffffff0
    EXPECT NM, 0, "#NM before the operand"
    clts
    ret

/* Division by zero, unmasked. */
.macro PENDING
    fninit
    fldcw cw_divide
    fld1
    fldz
    fdivrp %st, %st(1)
    nop
.endm
deferred:
    TRY
    PENDING
    movl $1, %ebx
1:  fnop
    EXPECT MF, 0, "#MF comes with the next instruction"
    CHECK_EQ fault_eip, 1b, "which has not run"
    CHECK_EQ fault_ebx, 1, "what lies between has"
    TRY
    PENDING
    fnstsw %ax
    fnstcw SCRATCH
    fnstenv SCRATCH
    fnclex
    fnop
    DONE "instructions that do not wait"
    andl $0x8084, %eax
    CHECK_EQ %eax, 0x8084, "ES, B and ZE"
    TRY
    PENDING
1:  fwait
    EXPECT MF, 0, "FWAIT"
    CHECK_EQ fault_eip, 1b, "FWAIT: EIP"
    TRY
    PENDING
1:  movq %mm0, %mm1
    EXPECT MF, 0, "MMX waits"
    TRY
    PENDING
    xorps %xmm0, %xmm0
    DONE "SSE does not"
    TRY
    PENDING
    fnsave SCRATCH
    fnop
    DONE "FNSAVE takes it along"
    TRY
    frstor SCRATCH
1:  fnop
    EXPECT MF, 0, "FRSTOR brings it back"
    TRY
    PENDING
    fninit
    fnop
    DONE "FNINIT forgets it"
    /* Unmasking what has happened already. */
    TRY
    fninit
    fld1
    fldz
    fdivrp %st, %st(1)
    fldcw cw_divide
1:  fnop
    EXPECT MF, 0, "unmasked afterwards"
    fninit
    /* In ring 3, and with an operand that would fault: #MF is first. */
    TRY
    PENDING
    flds %cs:0x0ffffff0
    EXPECT MF, 0, "#MF before the operand"
    fninit
    ret

sse:
    TRY
    ldmxcsr mxcsr_divide
    movss one, %xmm0
    xorps %xmm1, %xmm1
1:  divss %xmm1, %xmm0
    EXPECT XM, 0, "DIVSS by 0: #XM at once"
    CHECK_EQ fault_eip, 1b, "#XM: EIP"
    movd %xmm0, %eax
    CHECK_EQ %eax, 0x3f800000, "the destination stays"
    stmxcsr SCRATCH
    andl $0x3f, SCRATCH
    CHECK_EQ SCRATCH, 4, "MXCSR.ZE"
    SET_CR4 0, CR4_OSXMMEXCPT
    GIVES UD, "divss %xmm1, %xmm0"
    SET_CR4 CR4_OSXMMEXCPT, 0
    ldmxcsr mxcsr_default
    TRY
    divss %xmm1, %xmm0
    DONE "masked"
    movd %xmm0, %eax
    CHECK_EQ %eax, 0x7f800000, "infinity"
    TRY
    ldmxcsr mxcsr_bad
    EXPECT GP, 0, "reserved bit of MXCSR"
    TRY
    movaps SCRATCH + 8, %xmm0
    EXPECT GP, 0, "MOVAPS, unaligned"
    TRY
    addps SCRATCH + 4, %xmm0
    EXPECT GP, 0, "ADDPS, unaligned"
    ldmxcsr mxcsr_default
    ret

stack_faults:
    fninit
    fstp %st(0)
    fnstsw %ax
    andl $0x0241, %eax
    CHECK_EQ %eax, 0x41, "underflow: IE, SF, C1 clear"
    fninit
    .rept 9
    fld1
    .endr
    fnstsw %ax
    andl $0x0241, %eax
    CHECK_EQ %eax, 0x241, "overflow: IE, SF, C1 set"
    fninit
    movq value, %mm0
    fxsave SCRATCH
    movzbl SCRATCH + 4, %eax
    CHECK_EQ %eax, 0xff, "MMX: no tag is empty"
    emms
    fnstenv SCRATCH
    movl SCRATCH + 8, %eax
    andl $0xffff, %eax
    CHECK_EQ %eax, 0xffff, "EMMS: all tags empty"
    fninit
    ret

images:
    fninit
    fld1
    fldpi
    movups value, %xmm5
    fxsave SCRATCH
    movzwl SCRATCH, %eax
    CHECK_EQ %eax, 0x37f, "FXSAVE: control word"
    movzwl SCRATCH + 2, %eax
    CHECK_EQ %eax, 0x3000, "FXSAVE: status word"
    movzbl SCRATCH + 4, %eax
    CHECK_EQ %eax, 0xc0, "FXSAVE: tags"
    CHECK_EQ (SCRATCH + 36), 0xc90fdaa2, "FXSAVE: ST0"
    CHECK_EQ (SCRATCH + 160 + 80), 0x55667788, "FXSAVE: XMM5"
    fninit
    xorps %xmm5, %xmm5
    fxrstor SCRATCH
    movd %xmm5, %eax
    CHECK_EQ %eax, 0x55667788, "FXRSTOR: XMM5"
    fistpl SCRATCH + 512
    CHECK_EQ (SCRATCH + 512), 3, "FXRSTOR: ST0"
    fistpl SCRATCH + 512
    CHECK_EQ (SCRATCH + 512), 1, "FXRSTOR: ST1"
    movl $0xffffffff, SCRATCH + 24
    TRY
    fxrstor SCRATCH
    EXPECT GP, 0, "FXRSTOR with a bad MXCSR"
    fninit
    fld1
    fnsave SCRATCH + 1024
    CHECK_EQ (SCRATCH + 1024 + 32), 0x80000000, "FNSAVE: ST0"
    frstor SCRATCH + 1024
    fistpl SCRATCH + 512
    CHECK_EQ (SCRATCH + 512), 1, "FRSTOR: ST0"
    fninit
    ret

/* NE = 0: the error goes out and comes back as interrupt 13. */
irq13:
    movl $on_irq13, hooks + 0x2d * 4
    movb $0x11, %al
    outb %al, $0x20
    outb %al, $0xa0
    movb $0x20, %al
    outb %al, $0x21
    movb $0x28, %al
    outb %al, $0xa1
    movb $4, %al
    outb %al, $0x21
    movb $2, %al
    outb %al, $0xa1
    movb $1, %al
    outb %al, $0x21
    outb %al, $0xa1
    movb $0xfb, %al
    outb %al, $0x21
    movb $0xdf, %al
    outb %al, $0xa1
    SET_CR0 0, CR0_NE
    PENDING
    sti
    fwait
    nop
    cli
    CHECK_EQ count, 1, "IRQ 13"
    movl seen_status, %eax
    andl $0x84, %eax
    CHECK_EQ %eax, 0x84, "status in the handler"
    SET_CR0 CR0_NE, 0
    fninit
    ret
on_irq13:
    incl count
    fnstsw %ax
    movzwl %ax, %eax
    movl %eax, seen_status
    fnclex
    xorl %eax, %eax
    outb %al, $0xf0
    movb $0x20, %al
    outb %al, $0xa0
    outb %al, $0x20
    ret

    .data
    .balign 16
value: .quad 0x1122334455667788, 0x99aabbccddeeff00
mxcsr_default: .long 0x1f80
mxcsr_divide: .long 0x1f80 & ~0x200
mxcsr_bad: .long 0x80001f80
one: .float 1.0
cw_divide: .word 0x37f & ~4
    .balign 4
count: .long 0
seen_status: .long 0
