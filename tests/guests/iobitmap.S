/* I/O protection: SDM 1 19.5.1 (IOPL), 19.5.2 (permission bitmap: one bit for each port, two bytes are read, the base and
 * the TSS limit), SDM 2 IN, OUT, INS, OUTS. */
#include "guest.h"

#define TSS16 (FREE_SEL + 0)
#define BITMAP 0x70
#define TSS_LIMIT (BITMAP + 0x20) /* ports 0..0xff, and the byte after them */

.macro PORT_OK flags, insn, name
    TRY
    USER \flags
    \insn
    END_USER
    DONE "\name"
.endm
.macro PORT_GP flags, insn, name
    TRY
    USER \flags
    \insn
    EXPECT GP, 0, "\name"
.endm

    .text
    .globl guest_main
guest_main:
    movl $tss0, %esi
    movl $tss, %edi
    movl $0x1a, %ecx
    rep movsl
    movw $BITMAP, tss + 0x66
    movl $tss + BITMAP, %edi
    movl $0x20, %ecx
    movb $0xff, %al
    rep stosb
    movb $0xff, (%edi)
    SET_DESC_AT TSS0, tss, TSS_LIMIT, 0x89, 0
    movw $TSS0, %ax
    ltr %ax
    andb $~0x0f, tss + BITMAP + 0x80 / 8 /* 80h..83h */
    andb $~0x80, tss + BITMAP + 0xff / 8 /* ffh */
    PORT_OK FL_1, "inb $0x80, %al", "a port whose bit is clear"
    PORT_OK FL_1, "inw $0x82, %ax", "two of them"
    PORT_OK FL_1, "inl $0x80, %eax", "four of them"
    PORT_OK FL_1, "outb %al, $0x80", "OUT"
    PORT_OK FL_1, "movw $0x80, %dx; inb %dx, %al", "the port in DX"
    PORT_GP FL_1, "inb $0x84, %al", "a port whose bit is set"
    PORT_GP FL_1, "inw $0x83, %ax", "a word of which one is"
    PORT_GP FL_1, "inl $0x81, %eax", "a dword of which one is"
    PORT_GP FL_1, "outl %eax, $0x82", "OUT of which two are"
    PORT_OK FL_1, "inb $0xff, %al", "the last in the bitmap"
    PORT_GP FL_1, "inw $0xff, %ax", "across its end"
    PORT_GP FL_1, "movw $0x100, %dx; inb %dx, %al", "past its end: in the last byte"
    PORT_GP FL_1, "movw $0x108, %dx; inb %dx, %al", "past the TSS"
    PORT_GP FL_1, "movw $0xffff, %dx; inb %dx, %al", "the last of all"
    PORT_OK (FL_IOPL | FL_1), "inb $0x84, %al", "IOPL 3: the bitmap does not matter"
    TRY
    inb $0x84, %al
    DONE "ring 0: nor there"
    /* INS and OUTS, which check before they touch memory. */
    PORT_GP FL_1, "movw $0x84, %dx; movl $0, %edi; insb", "INSB"
    PORT_GP FL_1, "movw $0x84, %dx; movl $1, %ecx; rep outsb", "REP OUTSB"
    PORT_OK FL_1, "movw $0x80, %dx; movl $SCRATCH, %esi; movl $3, %ecx; rep outsb", "REP OUTSB that is allowed"
    CHECK_EQ fault_ecx, 0, "REP OUTSB: ECX"
    CHECK_EQ fault_esi, (SCRATCH + 3), "REP OUTSB: ESI"
    /* Two bytes are read for every port: the second must be within the limit, too. */
    SET_DESC_AT TSS0, tss, (TSS_LIMIT-1), 0x89, 0
    movw $TSS0, %ax
    ltr %ax
    PORT_GP FL_1, "inb $0xff, %al", "no byte after the bitmap's last"
    PORT_OK FL_1, "inb $0x80, %al", "others are not concerned"
    /* A base past the limit: no bitmap. */
    movw $0x1000, tss + 0x66
    PORT_GP FL_1, "inb $0x80, %al", "base past the limit"
    movw $0xffff, tss + 0x66
    PORT_GP FL_1, "inb $0x80, %al", "base ffffh"
    /* A 16-bit TSS has none. */
    movw $ring0_stack_low, tss16 + 2
    movw $DATA0, tss16 + 4
    SET_DESC_AT TSS16, tss16, 0x200, 0x81, 0
    movw $TSS16, %ax
    ltr %ax
    PORT_GP FL_1, "inb $0x80, %al", "16-bit TSS"
    ret

    .section .low, "awx"
    .skip 512
ring0_stack_low:

    .bss
    .balign 16
tss: .skip TSS_LIMIT + 1
    .balign 16
tss16: .skip 0x201
