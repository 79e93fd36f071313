/* Virtual-8086 mode: SDM 3B chapter 20: entry and exit (20.2.5, 20.2.6), sensitive instructions (20.2.7), interrupts
 * (20.3, table 20-2 for the six methods of INT n), VIF and VIP (20.3.3, 20.4), the redirection bitmap (20.3.3.4), and
 * protected-mode virtual interrupts (CR4.PVI). */
#include "guest.h"

#define IOBASE 0x88 /* of the I/O bitmap; the redirection bitmap is the 32 bytes before it */
#define TSS_LIMIT (IOBASE + 0x40)
#define VECTOR 0x60
#define CODE1 (FREE_SEL + 0)

.macro V86 flags=FL_1
    TRY
    pushl $0x4444
    pushl $0x3333
    pushl $0x2222
    pushl $0x1111
    pushl $0
    pushl $0x7f00
    pushl $(FL_VM | (\flags))
    pushl $0
    pushl $995f
    iret
    .pushsection .low, "awx"
    .code16
995:
.endm
.macro V86_END
    int3
    .popsection
    .code32
.endm
.macro V86_DONE name
    EXPECT BP, 0, "\name"
.endm
.macro V86_FAULT vector, error, flags, insn, name
    V86 \flags
994: \insn
    V86_END
    EXPECT \vector, \error, "\name"
    CHECK_EQ fault_eip, 994b, "\name: EIP"
.endm

    .text
    .globl guest_main
guest_main:
    movw $IOBASE, tss0 + 0x66
    SET_DESC_AT TSS0, tss0_extended, TSS_LIMIT, 0x89, 0
    movl $tss0, %esi
    movl $tss0_extended, %edi
    movl $0x68 / 4, %ecx
    rep movsl
    movw $TSS0, %ax
    ltr %ax
    call frames
    call segments
    call sensitive
    call refused
    call ports
    call int_n
    call vme
    call pvi
    ret

frames:
    V86
    movl $0x12345678, %ecx
    V86_END
    V86_DONE "in and out"
    CHECK_EQ fault_ecx, 0x12345678, "32-bit registers"
    movl fault_frame, %ebx
    CHECK_EQ 4(%ebx), 0, "CS"
    movl 8(%ebx), %eax
    andl $(FL_VM | FL_IOPL), %eax
    CHECK_EQ %eax, FL_VM, "EFLAGS.VM in the frame"
    CHECK_EQ 12(%ebx), 0x7f00, "ESP"
    CHECK_EQ 16(%ebx), 0, "SS"
    CHECK_EQ 20(%ebx), 0x1111, "ES"
    CHECK_EQ 24(%ebx), 0x2222, "DS"
    CHECK_EQ 28(%ebx), 0x3333, "FS"
    CHECK_EQ 32(%ebx), 0x4444, "GS"
    leal 36(%ebx), %eax
    CHECK_EQ %eax, ring0_stack_top, "nothing else"
    CHECK_EQ -52+8(%ebx), 0, "DS is null in the handler"
    CHECK_EQ -56+8(%ebx), 0, "ES is null in the handler"
    movl %fs, %eax
    ret

segments:
    movl $0x55aa1234, LOW_SCRATCH + 0x10
    V86
    movw $0x2001, %ax
    movw %ax, %ds
    movl 0, %ecx
    movw %ds, %dx
    V86_END
    V86_DONE "base is 16 times the selector"
    CHECK_EQ fault_ecx, 0x55aa1234, "what lies there"
    V86_FAULT GP, 0, FL_1, "movw 0xffff, %ax", "word across 64 KiB"
    V86_FAULT GP, 0, FL_1, "movl 0xfffd, %eax", "dword across 64 KiB"
    V86
    movl $0x10000, %ebx
994: movb (%ebx), %al
    V86_END
    EXPECT GP, 0, "32-bit address past 64 KiB"
    CHECK_EQ fault_eip, 994b, "32-bit address: EIP"
    V86
    movw $0xffff, %bp
994: movw (%bp), %ax
    V86_END
    EXPECT SS_, 0, "word across 64 KiB of SS"
    V86
    movl $0x20000, %eax
    jmpl *%eax
    V86_END
    EXPECT GP, 0, "EIP past 64 KiB"
    V86
    xorw %sp, %sp
    pushw $0x1234
    movzwl %sp, %ecx
    movw $0x7f00, %sp
    V86_END
    V86_DONE "SP wraps"
    CHECK_EQ fault_ecx, 0xfffe, "SP after PUSH"
    /* Far transfers load any selector. */
    V86
    movw $0x7e00, %sp
    pushw $0
    pushw $994f
    lretw
994: lcallw $0x0001, $(995f - 0x10)
    jmp 993f
995: movw %cs, %cx
    lretw
993: movzwl %cx, %ecx
    V86_END
    V86_DONE "far transfers"
    CHECK_EQ fault_ecx, 1, "CS"
    ret

sensitive:
    .irp insn, cli, sti, pushfw, popfw, iretw, pushfl, popfl, iretl, "int $0x60"
    V86_FAULT GP, 0, FL_1, "\insn", "IOPL 0: \insn"
    .endr
    V86 (FL_IOPL | FL_1)
    sti
    pushfw
    popw %cx
    cli
    pushfw
    popw %dx
    pushl $0
    popfl
    pushfl
    popl %ebx
    V86_END
    V86_DONE "IOPL 3"
    andl $(FL_IF | FL_IOPL), fault_ecx
    CHECK_EQ fault_ecx, (FL_IF | FL_IOPL), "IOPL 3: STI"
    andl $(FL_IF | FL_IOPL), fault_edx
    CHECK_EQ fault_edx, FL_IOPL, "IOPL 3: CLI"
    andl $(FL_IF | FL_IOPL | FL_VM), fault_ebx
    CHECK_EQ fault_ebx, FL_IOPL, "POPF keeps IOPL, and PUSHF shows no VM"
    testl $FL_VM, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "POPF keeps VM"
    V86 (FL_IOPL | FL_1)
    pushw $(FL_CF | FL_IF)
    pushw $0
    pushw $994f
    iretw
994: pushfw
    popw %cx
    cli
    V86_END
    V86_DONE "IOPL 3: IRET"
    andl $(FL_IF | FL_IOPL | FL_CF), fault_ecx
    CHECK_EQ fault_ecx, (FL_IF | FL_IOPL | FL_CF), "IRET's flags"
    ret

refused:
    .irp insn, hlt, clts, "movl %cr0, %eax", "movl %eax, %cr0", "lgdtw 0", "lidtw 0", "lmsw %ax", "movl %eax, %dr0", \
        wbinvd, "invlpg 0", rdmsr
    V86_FAULT GP, 0, (FL_IOPL | FL_1), "\insn", "IOPL 3: \insn"
    .endr
    .irp insn, "sldt %ax", "str %ax", "lldt %ax", "ltr %ax", "lar %ax, %ax", "lsl %ax, %ax", "verr %ax", "arpl %ax, %ax"
    V86_FAULT UD, 0, (FL_IOPL | FL_1), "\insn", "not in v86 mode: \insn"
    .endr
    V86
    smsw %cx
    V86_END
    V86_DONE "SMSW"
    ret

/* The bitmap decides, whatever IOPL says (20.2.8.1). */
ports:
    movl $tss0_extended + IOBASE, %edi
    movb $0xff, 0x11(%edi)
    V86_FAULT GP, 0, (FL_IOPL | FL_1), "inb $0x88, %al", "port refused"
    V86_FAULT GP, 0, (FL_IOPL | FL_1), "outw %ax, $0x87", "word of which one port is refused"
    V86
    inb $0x80, %al
    V86_END
    V86_DONE "port allowed, IOPL 0"
    V86
    movw $0x1000, %dx
994: inb %dx, %al
    V86_END
    EXPECT GP, 0, "port past the bitmap"
    ret

int_n:
    SET_IDT VECTOR, CODE0, (stubs + 16 * VECTOR), 0x8e
    V86_FAULT GP, (VECTOR * 8 + 2), (FL_IOPL | FL_1), "int $0x60", "IOPL 3: gate's DPL"
    SET_IDT VECTOR, CODE0, (stubs + 16 * VECTOR), 0xee
    V86 (FL_IOPL | FL_1)
    int $0x60
994:
    V86_END
    EXPECT VECTOR, 0, "IOPL 3: INT n through the IDT"
    CHECK_EQ fault_eip, 994b, "INT n: EIP of the next"
    SET_DESC CODE1, 0, 0xfffff, 0xba, 0xc
    SET_IDT VECTOR, CODE1, (stubs + 16 * VECTOR), 0xee
    V86_FAULT GP, CODE1, (FL_IOPL | FL_1), "int $0x60", "the handler must be in ring 0"
    SET_DESC CODE1, 0, 0xfffff, 0x9e, 0xc
    V86_FAULT GP, CODE1, (FL_IOPL | FL_1), "int $0x60", "and not conforming"
    SET_IDT VECTOR, CODE0, (stubs + 16 * VECTOR), 0xee
    V86_FAULT UD, 0, FL_1, "ud2", "#UD"
    V86
    xorw %cx, %cx
994: divw %cx
    V86_END
    EXPECT DE, 0, "#DE"
    CHECK_EQ fault_eip, 994b, "#DE: EIP"
    ret

/* The vector table at linear address 0: VECTOR leads to low_handler. */
vme:
    movl $1, %eax
    cpuid
    testl $2, %edx
    jz 1f
    movl $low_handler, VECTOR * 4
    movl %cr4, %eax
    orl $CR4_VME, %eax
    movl %eax, %cr4
    V86
    sti
    pushfw
    popw %cx
    cli
    pushfw
    popw %dx
    sti
    V86_END
    V86_DONE "VME: STI, CLI, PUSHF"
    andl $(FL_IF | FL_IOPL), fault_ecx
    CHECK_EQ fault_ecx, (FL_IF | FL_IOPL), "VME: PUSHF shows VIF as IF, and IOPL 3"
    andl $(FL_IF | FL_IOPL), fault_edx
    CHECK_EQ fault_edx, FL_IOPL, "VME: after CLI"
    andl $(FL_VIF | FL_IF | FL_IOPL), fault_eflags
    CHECK_EQ fault_eflags, FL_VIF, "VME: STI sets VIF alone"
    V86 (FL_VIP | FL_1)
    sti
    V86_END
    EXPECT GP, 0, "VME: STI with VIP"
    V86 (FL_VIP | FL_1)
    cli
    V86_END
    V86_DONE "VME: CLI with VIP"
    V86 (FL_VIP | FL_1)
    pushw $FL_IF
994: popfw
    V86_END
    EXPECT GP, 0, "VME: POPF of IF with VIP"
    CHECK_EQ fault_eip, 994b, "VME: POPF: EIP"
    V86
    pushw $FL_TF
994: popfw
    V86_END
    EXPECT GP, 0, "VME: POPF of TF"
    V86
    pushw $(FL_IF | FL_CF)
    popfw
    V86_END
    V86_DONE "VME: POPF"
    andl $(FL_VIF | FL_IF | FL_IOPL | FL_CF), fault_eflags
    CHECK_EQ fault_eflags, (FL_VIF | FL_CF), "VME: POPF sets VIF"
    V86_FAULT GP, 0, FL_1, "pushfl", "VME: 32-bit PUSHF"
    V86_FAULT GP, 0, FL_1, "popfl", "VME: 32-bit POPF"
    V86_FAULT GP, 0, FL_1, "iretl", "VME: 32-bit IRET"
    /* Redirection: a clear bit leads to the program's own handler. */
    V86 (FL_VIF | FL_1)
    movw %sp, %bx
    int $0x60
994:
    V86_END
    V86_DONE "VME: INT n by the vector table"
    CHECK_EQ fault_ecx, 994b, "VME: pushed IP"
    andl $(FL_IF | FL_IOPL), fault_edx
    CHECK_EQ fault_edx, (FL_IF | FL_IOPL), "VME: pushed flags: VIF as IF, IOPL 3"
    andl $FL_VIF, fault_esi
    CHECK_EQ fault_esi, 0, "VME: VIF is clear in the handler"
    andl $(FL_VIF | FL_IF | FL_IOPL), fault_eflags
    CHECK_EQ fault_eflags, FL_VIF, "VME: IRET brings VIF back"
    V86 (FL_IOPL | FL_IF | FL_1)
    int $0x60
    V86_END
    V86_DONE "VME, IOPL 3: INT n by the vector table"
    andl $(FL_IF | FL_IOPL), fault_edx
    CHECK_EQ fault_edx, (FL_IF | FL_IOPL), "VME, IOPL 3: pushed flags"
    andl $FL_IF, fault_esi
    CHECK_EQ fault_esi, 0, "VME, IOPL 3: IF is clear in the handler"
    orb $1, tss0_extended + IOBASE - 32 + VECTOR / 8
    V86_FAULT GP, 0, FL_1, "int $0x60", "VME: bit set, IOPL 0"
    V86 (FL_IOPL | FL_1)
    int $0x60
    V86_END
    EXPECT VECTOR, 0, "VME: bit set, IOPL 3: through the IDT"
    andb $~1, tss0_extended + IOBASE - 32 + VECTOR / 8
    V86 (FL_VIP | FL_VIF | FL_1)
    pushw $FL_IF
    pushw $0
    pushw $994f
    iretw
994:
    V86_END
    EXPECT GP, 0, "VME: IRET to IF with VIP"
    /* Exceptions do not look at the bitmap. */
    V86_FAULT UD, 0, FL_1, "ud2", "VME: #UD goes through the IDT"
    movl %cr4, %eax
    andl $~CR4_VME, %eax
    movl %eax, %cr4
1:  ret

pvi:
    movl $1, %eax
    cpuid
    testl $2, %edx
    jz 1f
    movl %cr4, %eax
    orl $CR4_PVI, %eax
    movl %eax, %cr4
    TRY
    USER
    sti
    pushfl
    popl %ecx
    cli
    pushfl
    popl %edx
    END_USER
    DONE "PVI: STI, CLI in ring 3"
    andl $(FL_VIF | FL_IF), fault_ecx
    CHECK_EQ fault_ecx, FL_VIF, "PVI: STI"
    andl $(FL_VIF | FL_IF), fault_edx
    CHECK_EQ fault_edx, 0, "PVI: CLI"
    TRY
    USER (FL_VIP | FL_1)
    sti
    EXPECT GP, 0, "PVI: STI with VIP"
    TRY
    USER
    int $VECTOR
    EXPECT VECTOR, 0, "PVI does not redirect INT n"
    movl %cr4, %eax
    andl $~CR4_PVI, %eax
    movl %eax, %cr4
1:  ret

    .section .low, "awx"
    .code16
/* ECX: return IP; DX: flags image; ESI: flags here. */
low_handler:
    movw %sp, %bp
    movzwl (%bp), %ecx
    movzwl 4(%bp), %edx
    xorl %esi, %esi
    pushfw
    popw %si
    shll $10, %esi /* IF, which stands for VIF when IOPL is below 3, to VIF's place */
    iretw
    .code32

    .bss
    .balign 4
tss0_extended: .skip TSS_LIMIT + 1
