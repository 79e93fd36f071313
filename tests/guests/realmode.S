/* Real-address mode: SDM 3B 20.1: addresses (20.1.1: 10FFEFh and A20), interrupts through the vector table (20.1.4), what
 * faults (table 20-1); switching (SDM 3A 9.9); segments that keep their limits ("unreal mode"), wraparound of 16-bit
 * offsets.  All in 16-bit code below 64 KiB; results go back through low memory. */
#include "guest.h"

#define CODE16 (FREE_SEL + 0x00)
#define DATA16 (FREE_SEL + 0x08)

/* As TRY and EXPECT, in 16-bit code: the vector's number, or -1, goes to a slot of `results`. */
.macro RTRY
    movw $997f, r_resume
    movw %sp, r_sp
    movw $-1, r_vector
.endm
.macro RRESULT slot
997: xorw %bx, %bx
    movw %bx, %ds
    movw %bx, %es
    movw %bx, %ss
    movw r_sp, %sp
    movw r_vector, %bx
    movw %bx, results + 2 * (\slot)
.endm
/* A value of 16 bits for a slot. */
.macro RVALUE slot, reg
    movw \reg, %cs:results + 2 * (\slot)
.endm
.macro RESULT_IS slot, want, name
    movzwl results + 2 * (\slot), %eax
    CHECK_EQ %eax, \want, "\name"
.endm

    .text
    .globl guest_main
guest_main:
    SET_DESC CODE16, 0, 0xffff, 0x9a, 0
    SET_DESC DATA16, 0, 0xffff, 0x92, 0
    sidt saved_idt
    movl %esp, saved_esp
    movl $0x7f00, %esp
    ljmp $CODE16, $low_entry
back:
    movl saved_esp, %esp
    lidt saved_idt
    RESULT_IS 0, 0xffff, "INT n and IRET"
    RESULT_IS 1, 0x1234, "the handler ran"
    RESULT_IS 2, 0x0002, "IF and TF are clear in it"
    RESULT_IS 3, 13, "word at 0xffff: #GP"
    RESULT_IS 4, 12, "word at 0xffff of SS: #SS"
    RESULT_IS 5, 13, "32-bit offset past 64 KiB: #GP"
    RESULT_IS 6, 0, "DIV by 0"
    RESULT_IS 7, 6, "UD2"
    RESULT_IS 8, 6, "LLDT"
    RESULT_IS 9, 6, "ARPL"
    RESULT_IS 10, 0xfffe, "SP wraps"
    RESULT_IS 11, 1, "SI wraps in LODSW"
    RESULT_IS 12, 0x5678, "effective addresses wrap at 64 KiB"
    RESULT_IS 13, 13, "running over the end of the segment"
    RESULT_IS 14, 0xffff, "unreal mode: beyond 64 KiB"
    RESULT_IS 15, 0xabcd, "unreal mode: what is there"
    RESULT_IS 16, 0xffff, "and still after loading a selector"
    RESULT_IS 17, 0x1111, "A20 off: ffff:0010 is address 0"
    RESULT_IS 18, 0x2222, "A20 on: it is 1 MiB"
    RESULT_IS 19, 13, "a vector beyond the limit of the IDT"
    RESULT_IS 20, 0xffff, "privileged instructions"
    RESULT_IS 21, 0x0077, "far call and return"
    RESULT_IS 22, 3, "REP MOVSB wraps DI"
    RESULT_IS 23, 13, "16 bytes"
    RESULT_IS 24, 0x10, "SMSW: PE is clear"
    RESULT_IS 25, 5, "BOUND"
    RESULT_IS 26, 0xffff, "32-bit registers and addresses"
    RESULT_IS 27, 0x7002, "POPF sets IOPL and NT"
    ret

    .section .low, "awx"
    .code16
low_entry:
    movw $DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl %cr0, %eax
    andb $~CR0_PE, %al
    movl %eax, %cr0
    ljmp $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    /* Vectors 0-31 to stubs that know their number. */
    movw $r_stubs, %ax
    xorw %di, %di
    movw $32, %cx
    cld
2:  stosw
    movw $0, (%di)
    addw $2, %di
    addw $8, %ax
    loop 2b
    lidtw r_idt

    RTRY
    movw $r_handler, 0x60 * 4
    movw $0, 0x60 * 4 + 2
    movw $0, results + 2
    int $0x60
    RRESULT 0

    RTRY
    movw 0xffff, %ax
    RRESULT 3
    RTRY
    movw $0xffff, %bp
    movw (%bp), %ax
    RRESULT 4
    RTRY
    movl $0x10000, %ebx
    movb (%ebx), %al
    RRESULT 5
    RTRY
    xorw %cx, %cx
    divw %cx
    RRESULT 6
    RTRY
    ud2
    RRESULT 7
    RTRY
    lldt %ax
    RRESULT 8
    RTRY
    .byte 0x63, 0xc0
    RRESULT 9

    movw %sp, %cx
    xorw %sp, %sp
    pushw $0x1111
    movw %sp, %dx
    movw %cx, %sp
    RVALUE 10, %dx
    movw $0x2000, %ax
    movw %ax, %ds
    movw $0xffff, %si
    decw %si
    lodsw
    incw %si
    RVALUE 11, %si
    movw $0x5678, 0x0004
    movw $0xfff0, %bx
    movw 0x14(%bx), %cx
    RVALUE 12, %cx
    xorw %ax, %ax
    movw %ax, %ds

    /* A NOP at the end of a segment. */
    movw $0x2000, %ax
    movw %ax, %es
    movb $0x90, %es:0xffff
    RTRY
    ljmp $0x2000, $0xffff
    RRESULT 13

    /* Limits of 4 GiB, loaded in protected mode. */
    lgdtl gdt_pointer_low
    movl %cr0, %eax
    orb $CR0_PE, %al
    movl %eax, %cr0
    movw $DATA0, %bx
    movw %bx, %gs
    andb $~CR0_PE, %al
    movl %eax, %cr0
    ljmp $0, $1f
1:  movl $0x200000, %ebx
    movw $-1, %cx
    RTRY
    movw $0xabcd, %gs:(%ebx)
    movw %gs:(%ebx), %cx
    RVALUE 15, %cx
    RRESULT 14
    RTRY
    xorw %ax, %ax
    movw %ax, %gs
    movl $0x200000, %ebx
    movw %gs:(%ebx), %cx
    RRESULT 16

    /* A20: port 92h or the keyboard controller's output port, whichever has it on. */
    movw $0xffff, %ax
    movw %ax, %es
    movw $0x1111, 0x0
    pushw %ds
    inb $0x92, %al
    orb $2, %al
    outb %al, $0x92
    movw $0x2222, %es:0x10
    andb $~3, %al
    outb %al, $0x92
    movb $0xd1, %al
    outb %al, $0x64
1:  inb $0x64, %al
    testb $2, %al
    jnz 1b
    movb $0xdd, %al
    outb %al, $0x60
1:  inb $0x64, %al
    testb $2, %al
    jnz 1b
    movw %es:0x10, %cx
    RVALUE 17, %cx
    inb $0x92, %al
    orb $2, %al
    andb $~1, %al
    outb %al, $0x92
    movw %es:0x10, %cx
    RVALUE 18, %cx
    popw %ds
    movw $r_stubs, 0

    /* Through a table of 16 vectors. */
    lidtw r_short_idt
    movw $r_stubs + 13 * 8, 13 * 4
    RTRY
    int $0x60
    RRESULT 19
    lidtw r_idt

    RTRY
    clts
    movl %cr0, %eax
    movl %cr3, %ebx
    sidtw r_scratch
    cli
    smsw %cx
    andw $0x11, %cx
    RVALUE 24, %cx
    RRESULT 20

    movw $0x77, %cx
    movw $0, %dx
    pushw %cs
    pushw $1f
    pushw $0x0800
    pushw $(r_far_return)
    jmp 2f
1:  RVALUE 21, %cx
    jmp 3f
2:  addw $4, %sp
    lcallw $0x0800, $(r_far_return - 0x8000)
    lretw
3:
    movw $0x2000, %ax
    movw %ax, %es
    movw $0xfffd, %di
    movw $6, %cx
    movw $r_stubs, %si
    rep movsb
    RVALUE 22, %di
    RTRY
    .fill 15, 1, 0x2e
    nop
    RRESULT 23
    RTRY
    movw $5, r_scratch
    movw $9, r_scratch + 2
    movw $4, %ax
    bound %ax, r_scratch
    RRESULT 25
    RTRY
    movl $0x12345678, %eax
    leal 4(%eax, %eax, 2), %ecx
    movl $r_scratch, %ebx
    movl %ecx, (%ebx)
    RRESULT 26
    pushw $0x7002
    popfw
    pushfw
    popw %cx
    RVALUE 27, %cx
    pushw $2
    popfw

    lgdtl gdt_pointer_low
    movl %cr0, %eax
    orb $CR0_PE, %al
    movl %eax, %cr0
    ljmpl $CODE0, $1f
    .code32
1:  movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    ljmp $CODE0, $back
    .code16

r_far_return:
    lretw
r_handler:
    pushfw
    popw %ax
    andw $(FL_IF | FL_TF | FL_1), %ax
    movw $0x1234, results + 2
    movw %ax, results + 4
    iretw
    .balign 8
r_stubs:
    .set vector, 0
    .rept 32
    .balign 8, 0x90
    pushw $vector
    jmp r_record
    .set vector, vector + 1
    .endr
r_record:
    popw %bx
    xorw %ax, %ax
    movw %ax, %ds
    movw %bx, r_vector
    jmp *r_resume
    .balign 4
r_idt: .word 0x3ff
    .long 0
r_short_idt: .word 0x3f
    .long 0
gdt_pointer_low: .word GDT_SLOTS * 8 - 1
    .long gdt
r_resume: .word 0
r_sp: .word 0
r_vector: .word 0
r_scratch: .fill 4, 2, 0
results: .fill 40, 2, 0
    .code32

    .bss
    .balign 4
saved_esp: .skip 4
saved_idt: .skip 8
