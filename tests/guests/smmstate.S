/* What system management mode saves, brings back and holds off: SDM 3C 34.3.2 and 34.4.1 (RSM restores everything, hidden
 * parts of segment registers included), 34.5.1 table 34-4 (state on entry), 34.6 to 34.8 (SMIs and NMIs within it), 34.10 (auto
 * HALT).  SMIs are sent by the local APIC or, from the timer, the I/O APIC; elsewhere than in Calque firmware may have
 * locked SMRAM, and the guest skips. */
#include "guest.h"

#define SMBASE 0x30000
#define APIC 0xfee00000
#define APIC_ID (APIC + 0x20)
#define ICR_LOW 0x300
#define ICR_HIGH 0x310
#define ICR_SMI 0x4200
#define ICR_NMI 0x4400
#define IOAPIC_SELECT 0xfec00000
#define IOAPIC_WINDOW 0xfec00010
#define SMALL_SEG FREE_SEL
#define RUNS 0x6000 /* of the handler, where v86 mode can read it */
.set MAP, SMBASE + 0xff00 /* the upper end of the state save map */

/* The handler's code runs in a copy at SMBASE + 8000h, and addresses variables from ESI. */
#define IN_HANDLER(label) (0x8000 + label - handler)
#define V(variable) (variable - seen)(%esi)
/* What the handler does in its next run. */
.macro WORK label
    movw $IN_HANDLER(\label), work
    movl $0, seen
.endm
/* Keeps registers and flags. */
.macro SMI
    movl $ICR_SMI, APIC + ICR_LOW
    call settle
.endm

    .text
    .globl guest_main
guest_main:
    movl $1, %eax
    cpuid
    testl $(1 << 9), %edx
    jnz 1f
    SKIP_ALL "no local APIC to send SMIs with"
1:  movl $handler, %esi
    movl $SMBASE + 0x8000, %edi
    movl $handler_end - handler, %ecx
    rep movsb
    movl $on_nmi, hooks + NMI * 4
    movl $0x1ff, APIC + 0xf0
    movl APIC_ID, %eax
    movl %eax, APIC + ICR_HIGH
    WORK nothing
    SMI
    cmpl $1, seen
    je 1f
    SKIP_ALL "SMIs do not come here"
1:  call state
    call ring3
    call nmis
    call held
    call halted
    call from_v86
    ret

settle:
    pushfl
    pushl %ecx
    movl $20000, %ecx
1:  decl %ecx
    jnz 1b
    popl %ecx
    popfl
    ret

/* Whatever the handler has done to registers, RSM brings back what was. */
state:
    SET_DESC SMALL_SEG, SCRATCH, 0xff, 0x92, 4
    movl $SMALL_SEG, %eax
    movl %eax, %fs
    movl $0, gdt + SMALL_SEG /* only the hidden part knows it now */
    movl $0, gdt + SMALL_SEG + 4
    movl $0x12345678, %eax
    movl %eax, %dr2
    movl $0x00000420, %eax /* an instruction breakpoint, far away */
    movl %eax, %dr7
    movl %cr4, %eax
    orl $(CR4_DE | CR4_PSE), %eax
    movl %eax, %cr4
    movl $0x5a5a5a5a, SCRATCH
    WORK spoils_all
    movl $1, %eax
    movl $2, %ecx
    movl $3, %edx
    movl $4, %ebx
    movl %esp, %ebp
    movl $5, %esi
    movl $6, %edi
    pushl $(FL_1 | FL_CF | FL_DF | FL_NT)
    popfl
    SMI
    pushfl
    popl SCRATCH + 4
    pushl $FL_1
    popfl
    CHECK_EQ seen, 1, "the handler ran"
    CHECK_EQ %eax, 1, "EAX"
    CHECK_EQ %ecx, 2, "ECX"
    CHECK_EQ %edx, 3, "EDX"
    CHECK_EQ %ebx, 4, "EBX"
    CHECK_EQ %esi, 5, "ESI"
    CHECK_EQ %edi, 6, "EDI"
    movl %esp, %eax
    subl %ebp, %eax
    CHECK_EQ %eax, 0, "ESP"
    CHECK_EQ (SCRATCH + 4), (FL_1 | FL_CF | FL_DF | FL_NT), "EFLAGS"
    movl %fs:0, %eax
    CHECK_EQ %eax, 0x5a5a5a5a, "FS: base"
    TRY
    movl %fs:0xfd, %eax
    EXPECT GP, 0, "FS: limit"
    movl %dr7, %eax
    CHECK_EQ %eax, 0x420, "DR7"
    movl %dr2, %eax
    CHECK_EQ %eax, 0x12345678, "DR2"
    movl %cr4, %eax
    andl $(CR4_DE | CR4_PSE | CR4_PAE), %eax
    CHECK_EQ %eax, (CR4_DE | CR4_PSE), "CR4"
    CHECK_EQ seen_cr4, 0, "CR4 in SMM"
    CHECK_EQ seen_flags, FL_1, "EFLAGS in SMM"
    CHECK_EQ seen_dr7, 0x400, "DR7 in SMM"
    TRY
    ud2
    EXPECT UD, 0, "GDTR and IDTR"
    movl $0x400, %eax
    movl %eax, %dr7
    ret

ring3:
    WORK nothing
    TRY
    USER (FL_IOPL | FL_1)
    SMI
    movl %cs, %ebx
    END_USER
    DONE "SMI in ring 3"
    CHECK_EQ seen, 1, "SMI in ring 3: the handler ran"
    CHECK_EQ fault_ebx, CODE3, "back in ring 3"
    CHECK_EQ fault_ss, DATA3, "on its stack"
    ret

/* 34.8: NMIs wait for RSM, or for an IRET within the handler. */
nmis:
    movl $0, nmi_count
    WORK sends_nmi
    SMI
    call settle
    CHECK_EQ seen, 1, "a handler that sends an NMI"
    CHECK_EQ nmis_inside, 0, "it waits"
    CHECK_EQ nmi_count, 1, "till after RSM"
    movl $0, nmi_count
    WORK takes_nmi
    SMI
    call settle
    CHECK_EQ nmis_inside, 1, "IRET in SMM lets NMIs in"
    CHECK_EQ nmi_count, 0, "and then none is left"
    movl $ICR_NMI, APIC + ICR_LOW
    call settle
    CHECK_EQ nmi_count, 1, "NMIs come again after it"
    ret
on_nmi:
    incl nmi_count
    ret

/* An SMI within the handler waits for RSM. */
held:
    WORK raises_again
    movl $0, twice
    SMI
    call settle
    CHECK_EQ seen, 2, "an SMI in SMM comes after RSM"
    CHECK_EQ twice, 0, "not within"
    ret

/* An SMI ends a HLT; the auto HALT field says so, and whether RSM returns to it or behind it.  Twice the same timer, by way
 * of the I/O APIC's input 2. */
.macro REDIRECT low
    movl $0x14, IOAPIC_SELECT
    movl $(\low), IOAPIC_WINDOW
.endm
halted:
    movl $0x15, IOAPIC_SELECT
    movl APIC_ID, %eax
    movl %eax, IOAPIC_WINDOW
    REDIRECT 0x200
    WORK stays_halted
    movl $0, auto_halt
    call arm
    hlt
    CHECK_EQ seen, 2, "the first SMI goes back to the HLT, the second behind it"
    CHECK_EQ auto_halt, 0x00010001, "the auto HALT field, both times"
    WORK notes_auto_halt
    movl $-1, auto_halt
    SMI
    CHECK_EQ auto_halt, 0, "the auto HALT field without a HLT"
    ret
/* It fires after 27 ms: a busy host may keep the processor's thread waiting for some of them between this and the HLT. */
.set TIMER_HIGH, 0x80
arm:
    movb $0x30, %al
    outb %al, $0x43
    movb $200, %al
    outb %al, $0x40
    movb $TIMER_HIGH, %al
    outb %al, $0x40
    ret

/* The timer's SMI finds the processor in v86 mode. */
from_v86:
    WORK nothing
    movb $0, RUNS
    call arm
    TRY
    .rept 3
    pushl $0
    .endr
    pushl $0x1234
    pushl $0
    pushl $0x7f00
    pushl $(FL_VM | FL_1)
    pushl $0
    pushl $low_v86
    iret
    EXPECT BP, 0, "SMI in v86 mode"
    CHECK_EQ seen, 1, "SMI in v86 mode: the handler ran"
    CHECK_EQ fault_ebx, 0x1234, "ES in v86 mode"
    testl $FL_VM, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "back in v86 mode"
    REDIRECT 0x10000
    ret

    .section .low, "awx"
    .code16
low_v86:
    movl $200000000, %ecx /* the timer takes its time */
1:  cmpb $0, RUNS
    jne 2f
    decl %ecx
    jnz 1b
2:  movw %es, %bx
    movzwl %bx, %ebx
    int3
    .code32

/* 16-bit code; DS and SS are flat. */
    .data
    .code16
handler:
    movw $0x7000, %sp
    movl $seen, %esi
    incl (%esi)
    incb RUNS
    call *V(work)
    rsm
nothing:
    ret
spoils_all:
    movl %cr4, %eax
    movl %eax, V(seen_cr4)
    movl %dr7, %eax
    movl %eax, V(seen_dr7)
    pushfl
    popl %eax
    andl $(FL_1 | FL_TF | FL_IF | FL_DF | FL_IOPL | FL_NT | FL_RF | FL_VM), %eax
    movl %eax, V(seen_flags)
    lidtl V(nowhere)
    lgdtl V(nowhere)
    movl $0x77777777, %eax
    movl %eax, %ecx
    movl %eax, %edx
    movl %eax, %ebx
    movl %eax, %ebp
    movl %eax, %esi
    movl %eax, %edi
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %es
    std
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    ret
send16:
    movl $APIC, %ebx
    movl $ICR_NMI, ICR_LOW(%ebx)
settle16:
    movl $20000, %ecx
1:  decl %ecx
    jnz 1b
    ret
sends_nmi:
    call send16
    movl V(nmi_count), %eax
    movl %eax, V(nmis_inside)
    ret
/* The NMI is taken as in real mode. */
takes_nmi:
    movl $0, V(nmis_inside)
    lidtl V(vectors)
    movw $IN_HANDLER(smm_nmi), NMI * 4
    movw %cs, NMI * 4 + 2
    call send16
    cmpl $0, V(nmis_inside)
    jne 1f
    pushfw
    pushw %cs
    pushw $IN_HANDLER(2f)
    iretw
1:  movl $-1000, V(nmis_inside)
2:  call settle16
    ret
smm_nmi:
    incl V(nmis_inside)
    iretw
raises_again:
    cmpl $2, V(seen)
    je 1f
    movl $APIC, %ebx
    movl $ICR_SMI, ICR_LOW(%ebx)
    call settle16
    cmpl $1, V(seen)
    je 1f
    incl V(twice)
1:  ret
notes_auto_halt:
    movl $MAP, %ebx
    movzwl 2(%ebx), %eax /* 7f02h */
    movl %eax, V(auto_halt)
    ret
stays_halted:
    shll $16, V(auto_halt)
    movl $MAP, %ebx
    movw 2(%ebx), %ax
    movw %ax, V(auto_halt)
    cmpl $2, V(seen)
    je 1f
    movb $0x30, %al
    outb %al, $0x43
    movb $200, %al
    outb %al, $0x40
    movb $TIMER_HIGH, %al
    outb %al, $0x40
    ret
1:  movw $0, 2(%ebx)
    ret
handler_end:
    .code32
vectors: .word 0x3ff
    .long 0
nowhere: .word 0
    .long 0
    .balign 4
seen: .long 0
seen_cr4: .long 0
seen_dr7: .long 0
seen_flags: .long 0
work: .long 0
nmi_count: .long 0
nmis_inside: .long 0
twice: .long 0
auto_halt: .long 0
