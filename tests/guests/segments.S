/* Segment limits, rights and loading: SDM 3A 3.4.5 (descriptors), 5.3 (limits), 5.4.1 (null selectors),
 * 5.5-5.6 (privilege of data), 5.7 (SS). */
#include "guest.h"

#define BYTE_SEG   (FREE_SEL + 0x00) /* limit 0xfff, bytes */
#define DOWN16     (FREE_SEL + 0x08) /* expand-down, 64 KiB */
#define DOWN32     (FREE_SEL + 0x10) /* expand-down, 4 GiB */
#define READ_ONLY  (FREE_SEL + 0x18)
#define EXEC_ONLY  (FREE_SEL + 0x20)
#define EXEC_READ  (FREE_SEL + 0x28)
#define CONFORMING (FREE_SEL + 0x30)
#define ABSENT     (FREE_SEL + 0x38)
#define SYSTEM     (FREE_SEL + 0x40)
#define STACK16    (FREE_SEL + 0x48)
#define DOWN_STACK (FREE_SEL + 0x50)
#define PAGE_SEG   (FREE_SEL + 0x58) /* limit in pages: 0..0x1fff */
#define LDT_SEG    (FREE_SEL + 0x60)
#define OUTSIDE    (GDT_SLOTS * 8)
#define IN_LDT     0x0c /* entry 1 of the LDT */

.macro LOAD seg, sel
    movl $(\sel), %eax
    movl %eax, %\seg
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC BYTE_SEG, SCRATCH, 0xfff, 0x92, 4
    SET_DESC DOWN16, SCRATCH, 0xfff, 0x96, 0
    SET_DESC DOWN32, SCRATCH, 0xfff, 0x96, 4
    SET_DESC READ_ONLY, SCRATCH, 0xfff, 0x90, 4
    SET_DESC EXEC_ONLY, SCRATCH, 0xfff, 0x98, 4
    SET_DESC EXEC_READ, SCRATCH, 0xfff, 0x9a, 4
    SET_DESC CONFORMING, SCRATCH, 0xfff, 0x9e, 4
    SET_DESC ABSENT, SCRATCH, 0xfff, 0x12, 4
    SET_DESC_AT LDT_SEG, ldt, 15, 0x82, 0
    SET_DESC STACK16, 0, 0xffff, 0x92, 0
    SET_DESC DOWN_STACK, 0, 0x7fff, 0x96, 4
    SET_DESC PAGE_SEG, SCRATCH, 1, 0x92, 0xc
    call limits
    call rights
    call loading
    call stacks
    call queries
    ret

limits:
    TRY
    LOAD fs, BYTE_SEG
    movl $0x12345678, %fs:0xffc
    DONE "last dword of a byte-granular segment"
    CHECK_EQ SCRATCH + 0xffc, 0x12345678, "base is added"
    TRY
    LOAD fs, BYTE_SEG
    movb %fs:0x1000, %al
    EXPECT GP, 0, "one byte past the limit"
    TRY
    LOAD fs, BYTE_SEG
    movl %fs:0xffd, %eax
    EXPECT GP, 0, "dword across the limit"
    TRY
    LOAD fs, BYTE_SEG
    movw %ax, %fs:0xfff
    EXPECT GP, 0, "word across the limit, write"
    TRY
    LOAD fs, BYTE_SEG
    movl %fs:-1, %eax
    EXPECT GP, 0, "offset near 4 GiB does not wrap into a small segment"
    TRY
    LOAD fs, PAGE_SEG
    movl %fs:0x1ffc, %eax
    DONE "page-granular limit: low 12 bits are ones"
    TRY
    LOAD fs, PAGE_SEG
    movl %fs:0x1ffd, %eax
    EXPECT GP, 0, "page-granular limit"
    movl $0xa5a5a5a5, SCRATCH + 0x2000
    TRY
    LOAD fs, PAGE_SEG
    addl $1, %fs:0x1ffe
    EXPECT GP, 0, "read-modify-write across the limit"
    CHECK_EQ SCRATCH + 0x2000, 0xa5a5a5a5, "nothing written"
    TRY
    LOAD fs, DOWN32
    movb %fs:0x1000, %al
    movl %fs:0x1000, %eax
    DONE "expand-down: first byte above the limit"
    TRY
    LOAD fs, DOWN32
    movb %fs:0xfff, %al
    EXPECT GP, 0, "expand-down: the limit itself"
    TRY
    LOAD fs, DOWN32
    movl %fs:0xffd, %eax
    EXPECT GP, 0, "expand-down: across the limit"
    TRY
    LOAD fs, DOWN16
    movl %fs:0xfffc, %eax
    DONE "expand-down, B = 0: up to 64 KiB"
    TRY
    LOAD fs, DOWN16
    movl %fs:0xfffd, %eax
    EXPECT GP, 0, "expand-down, B = 0: across 64 KiB"
    TRY
    LOAD fs, DOWN16
    movb %fs:0x10000, %al
    EXPECT GP, 0, "expand-down, B = 0: past 64 KiB"
    TRY
    LOAD fs, BYTE_SEG
    fnstenv %fs:0xff0
    EXPECT GP, 0, "28-byte operand across the limit"
    TRY
    LOAD fs, BYTE_SEG
    cmpxchg8b %fs:0xffc
    EXPECT GP, 0, "8-byte operand across the limit"
    TRY
    LOAD fs, BYTE_SEG
    fldt %fs:0xff7
    EXPECT GP, 0, "10-byte operand across the limit"
    ret

rights:
    TRY
    LOAD fs, READ_ONLY
    movl %fs:0, %eax
    DONE "reading read-only data"
    TRY
    LOAD fs, READ_ONLY
    movl %eax, %fs:0
    EXPECT GP, 0, "writing read-only data"
    TRY
    LOAD fs, READ_ONLY
    orl $0, %fs:0
    EXPECT GP, 0, "OR with 0 writes"
    TRY
    LOAD fs, READ_ONLY
    cmpl $0, %fs:0
    testl $0, %fs:0
    btl $0, %fs:0
    DONE "CMP, TEST, BT only read"
    TRY
    LOAD fs, EXEC_READ
    movl %fs:0, %eax
    DONE "reading readable code"
    TRY
    LOAD fs, EXEC_READ
    movl %eax, %fs:0
    EXPECT GP, 0, "writing code"
    TRY
    movl $0, %cs:SCRATCH
    EXPECT GP, 0, "writing through CS"
    TRY
    LOAD fs, 0
    DONE "loading a null selector"
    TRY
    LOAD fs, 3
    movl %fs:0, %eax
    EXPECT GP, 0, "reading through a null selector"
    TRY
    LOAD es, 0
    movl $SCRATCH, %edi
    stosb
    EXPECT GP, 0, "STOS through a null ES"
    TRY
    LOAD fs, 0
    .byte 0x64, 0x8d, 0x05, 0, 0, 0, 0 /* lea %fs:0, %eax, which as(1) warns about */
    nopl %fs:0
    prefetcht0 %fs:0
    invlpg %fs:0
    DONE "LEA, NOP, PREFETCH and INVLPG access nothing"
    ret

loading:
    TRY
    LOAD fs, EXEC_ONLY
    EXPECT GP, EXEC_ONLY, "FS = execute-only code"
    TRY
    LOAD fs, CONFORMING | 3
    movb %fs:0, %al
    DONE "FS = readable conforming code, any RPL"
    TRY
    LOAD fs, ABSENT
    EXPECT NP, ABSENT, "FS = absent"
    TRY
    LOAD fs, TSS0
    EXPECT GP, TSS0, "FS = a system descriptor"
    TRY
    LOAD fs, DATA0 | 3
    EXPECT GP, DATA0, "FS = RPL above DPL"
    TRY
    LOAD fs, OUTSIDE
    EXPECT GP, OUTSIDE, "FS = beyond the GDT"
    TRY
    xorl %eax, %eax
    lldt %ax /* after reset there is one, at 0 (table 9-1) */
    LOAD fs, IN_LDT
    EXPECT GP, IN_LDT, "FS = in an LDT that is not there"
    movw $LDT_SEG, %ax
    lldt %ax
    TRY
    LOAD fs, IN_LDT
    movb %fs:0, %al
    DONE "FS = in the LDT"
    TRY
    LOAD fs, IN_LDT + 8
    EXPECT GP, (IN_LDT + 8), "FS = beyond the LDT"
    TRY
    movw $IN_LDT, %ax
    lldt %ax
    EXPECT GP, IN_LDT, "LLDT of an LDT selector"
    TRY
    movw $DATA0, %ax
    lldt %ax
    EXPECT GP, DATA0, "LLDT of a data segment"
    TRY
    movw $TSS0, %ax
    ltr %ax
    EXPECT GP, TSS0, "LTR of a busy TSS"
    TRY
    xorl %eax, %eax
    ltr %ax
    EXPECT GP, 0, "LTR of a null selector"
    TRY
    .byte 0x8e, 0xc8 /* mov %eax, %cs */
    EXPECT UD, 0, "MOV to CS"
    TRY
    .byte 0x8e, 0xf0 /* mov %eax, segment 6 */
    EXPECT UD, 0, "MOV to a seventh segment register"
    TRY
    USER
    LOAD fs, DATA0
    EXPECT GP, DATA0, "ring 3: FS = ring 0 data"
    TRY
    USER
    LOAD fs, CONFORMING
    movb %fs:0, %al
    END_USER
    DONE "ring 3: FS = conforming code of ring 0"
    TRY
    movl $0x11111111, %eax
    lfs %cs:far_pointer, %eax
    EXPECT GP, OUTSIDE, "LFS"
    CHECK_EQ fault_eax, 0x11111111, "LFS faults before its register changes"
    /* The accessed bit: set by loading, and by that alone. */
    andb $~1, gdt + READ_ONLY + 5
    movzbl gdt + READ_ONLY + 5, %eax
    CHECK_EQ %eax, 0x90, "accessed bit clear"
    TRY
    LOAD fs, READ_ONLY
    DONE "FS = read-only"
    movzbl gdt + READ_ONLY + 5, %eax
    CHECK_EQ %eax, 0x91, "loading sets the accessed bit"
    /* The hidden part is what counts until the next load. */
    LOAD fs, BYTE_SEG
    movb $0x12, gdt + BYTE_SEG + 5
    TRY
    movb %fs:0, %al
    DONE "a descriptor changed behind the register"
    movb $0x92, gdt + BYTE_SEG + 5
    ret

stacks:
    TRY
    LOAD ss, 0
    EXPECT GP, 0, "SS = null"
    TRY
    LOAD ss, DATA3
    EXPECT GP, (DATA3 & ~3), "SS = DPL 3 in ring 0"
    TRY
    LOAD ss, DATA0 | 1
    EXPECT GP, DATA0, "SS = RPL 1 in ring 0"
    TRY
    LOAD ss, READ_ONLY
    EXPECT GP, READ_ONLY, "SS = read-only"
    TRY
    LOAD ss, CODE0
    EXPECT GP, CODE0, "SS = code"
    TRY
    LOAD ss, ABSENT
    EXPECT SS_, ABSENT, "SS = absent"
    /* 16-bit stack: SP wraps, the upper half of ESP stays. */
    movl $0xdead, LOW_SCRATCH
    TRY
    movl $STACK16, %eax
    movl %eax, %ss
    movl $0x10004, %esp
    popl %eax
    popl %ecx
    movl %esp, %edx
    movl $0x5000, %esp
    pushl $0x77
    movl %esp, %ebx
    movl $0, %esi
    movl $2, %esp
    pushw $1
    pushw $2
    movl %esp, %esi
    DONE "16-bit stack"
    CHECK_EQ %edx, 0x1000c, "16-bit stack: ESP's upper half stays"
    CHECK_EQ %ebx, 0x4ffc, "16-bit stack: PUSH"
    CHECK_EQ %esi, 0xfffe, "16-bit stack: SP wraps"
    TRY
    movl $STACK16, %eax
    movl %eax, %ss
    movl $0x6000, %esp
    movl 0xfffe(%esp), %eax
    EXPECT SS_, 0, "beyond the limit of SS"
    TRY
    movl $STACK16, %eax
    movl %eax, %ss
    movl $0x6000, %esp
    movl $0xfffe, %ebp
    movl (%ebp), %eax
    EXPECT SS_, 0, "EBP addresses through SS"
    TRY
    movl $STACK16, %eax
    movl %eax, %ss
    movl $0x6000, %esp
    movl $0xfffe, %ebp
    movb %ds:(%ebp), %al
    DONE "EBP with a DS override"
    TRY
    movl $DOWN_STACK, %eax
    movl %eax, %ss
    movl $0x9000, %esp
    movl $0x8004, %esp
    pushl $1
    movl $0x9000, %esp
    DONE "expand-down stack"
    /* ENTER and LEAVE on a 16-bit stack use SP and BP (SDM 2A ENTER). */
    TRY
    movl $STACK16, %eax
    movl %eax, %ss
    movl $0x35000, %esp
    movl $0x7fff8000, %ebp
    enter $16, $0
    movl %ebp, %ecx
    movl %esp, %edx
    leave
    movl %esp, %ebx
    movl $0x6000, %esp
    DONE "ENTER and LEAVE on a 16-bit stack"
    CHECK_EQ %ebp, 0x7fff8000, "LEAVE restores EBP"
    andl $0xffff, %ecx
    CHECK_EQ %ecx, 0x4ffc, "ENTER: frame"
    CHECK_EQ %edx, 0x34fec, "ENTER: room"
    CHECK_EQ %ebx, 0x35000, "LEAVE: ESP"
    ret

/* LAR, LSL, VERR, VERW: SDM 2. */
.macro QUERY insn, sel, zf, name
    movl $(\sel), %ecx
    movl $0x55555555, %eax
    \insn %ecx, %eax
    setz %bl
    movzbl %bl, %ebx
    CHECK_EQ %ebx, \zf, "\name"
.endm
.macro VERIFY insn, sel, zf, name
    movl $(\sel), %ecx
    \insn %cx
    setz %bl
    movzbl %bl, %ebx
    CHECK_EQ %ebx, \zf, "\name"
.endm
queries:
    movb $0x93, gdt + BYTE_SEG + 5
    QUERY lar, BYTE_SEG, 1, "LAR of data"
    andl $0x00f0ff00, %eax
    CHECK_EQ %eax, 0x00409300, "LAR's result"
    QUERY lsl, PAGE_SEG, 1, "LSL"
    CHECK_EQ %eax, 0x1fff, "LSL in bytes"
    QUERY lsl, OUTSIDE, 0, "LSL outside"
    CHECK_EQ %eax, 0x55555555, "LSL that fails changes nothing"
    QUERY lar, 0, 0, "LAR of null"
    QUERY lar, DATA0 | 3, 0, "LAR with RPL above DPL"
    QUERY lar, CONFORMING | 3, 1, "LAR of conforming code"
    QUERY lar, TSS0, 1, "LAR of a TSS"
    QUERY lsl, TSS0, 1, "LSL of a TSS"
    QUERY lar, ABSENT, 1, "LAR of an absent segment"
    SET_GATE SYSTEM, CODE0, guest_main, 0x8c
    QUERY lar, SYSTEM, 1, "LAR of a call gate"
    QUERY lsl, SYSTEM, 0, "LSL of a call gate"
    SET_GATE SYSTEM, CODE0, guest_main, 0x8e
    QUERY lar, SYSTEM, 0, "LAR of an interrupt gate"
    VERIFY verr, EXEC_ONLY, 0, "VERR of execute-only"
    VERIFY verr, EXEC_READ, 1, "VERR of readable code"
    VERIFY verw, EXEC_READ, 0, "VERW of code"
    VERIFY verw, READ_ONLY, 0, "VERW of read-only"
    VERIFY verw, BYTE_SEG, 1, "VERW of data"
    VERIFY verr, 0, 0, "VERR of null"
    VERIFY verr, TSS0, 0, "VERR of a TSS"
    VERIFY verr, DATA0 | 3, 0, "VERR with RPL above DPL"
    movl $0x10, %eax
    movl $0x13, %ecx
    arpl %cx, %ax
    setz %bl
    movzbl %bl, %ebx
    CHECK_EQ %ebx, 1, "ARPL raises"
    CHECK_EQ %eax, 0x13, "ARPL's result"
    ret

    .data
far_pointer: .long 0x22222222
    .word OUTSIDE
    .balign 8
ldt: .quad 0
    DESC SCRATCH, 0xfff, 0x92, 4
