/* Multiboot entry, tables, exception recording and reporting for the bare-metal guests.  Text goes to port
 * 0xe9, the verdict to isa-debug-exit at 0xf4: 0x10 pass, 0x11 fail, 0x12 skip (the emulator's exit
 * status is twice that plus 1). */
#include "guest.h"

#define VERDICT_PASS 0x10
#define VERDICT_FAIL 0x11
#define VERDICT_SKIP 0x12

    .section .multiboot, "a"
    .balign 4
    .long 0x1badb002, 0, -0x1badb002

    .text
    .globl _start
_start:
    cld
    movl $stack_top, %esp
    lgdt gdt_pointer
    ljmp $CODE0, $1f
1:  movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl $low_load, %esi
    movl $low_start, %edi
    movl $low_end, %ecx
    subl %edi, %ecx
    rep movsb
    call fill_idt
    lidt idt_pointer
    SET_DESC_AT TSS0, tss0, 0x67, 0x89, 0
    movw $TSS0, %ax
    ltr %ax
    movb $0xff, %al /* all interrupt lines masked until a guest wants one */
    outb %al, $0x21
    outb %al, $0xa1
    call guest_main
    jmp finish

/* Interrupt gates to all stubs; BP, OF and LEAVE may be raised in ring 3. */
fill_idt:
    movl $stubs, %eax
    movl $idt, %edi
1:  movw %ax, (%edi)
    movw $CODE0, 2(%edi)
    movw $0x8e00, 4(%edi)
    movl %eax, %edx
    shrl $16, %edx
    movw %dx, 6(%edi)
    addl $16, %eax
    addl $8, %edi
    cmpl $idt_end, %edi
    jb 1b
    movb $0xee, idt + BP * 8 + 5
    movb $0xee, idt + OF * 8 + 5
    movb $0xee, idt + LEAVE * 8 + 5
    ret

    .balign 16
stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == DF || (vector >= TS && vector <= PF) || vector == AC || vector == 21)
    pushl $0
    .endif
    pushl $vector
    jmp record
    .set vector, vector + 1
    .endr

/* On the stack: vector, error, EIP, CS, EFLAGS, and from an outer ring ESP, SS.  Whatever SS was, its base is 0. */
    .set F_VECTOR, 44
record:
    pushal
    pushl %ds
    pushl %es
    pushl %ss
    movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    cld
    movl %esp, %ebp
    movl F_VECTOR(%ebp), %eax
    incl fault_count
    movl hooks(, %eax, 4), %ecx
    testl %ecx, %ecx
    jnz hooked
    movl %eax, fault_vector
    movl %cr2, %eax
    movl %eax, fault_cr2
    leal F_VECTOR + 4(%ebp), %esi
    movl $fault_error, %edi
    movl $6, %ecx
    rep movsl
    leal 12(%ebp), %esi
    movl $fault_regs, %edi
    movl $8, %ecx
    rep movsl
    movl (%ebp), %eax
    movl %eax, fault_old_ss
    leal F_VECTOR + 8(%ebp), %eax
    movl %eax, fault_frame
    cmpl $0, try_eip
    je unexpected
    movl try_esp, %esp
    jmp *try_eip

/* The handler of a guest's own: EBP points to the saved state; it returns to what was interrupted. */
hooked:
    call *%ecx
    popl %ss
    popl %es
    popl %ds
    popal
    addl $8, %esp
    iret

unexpected:
    movl $text_unexpected, %esi
    call print
    movl fault_vector, %eax
    call print_hex
    movl fault_error, %eax
    call print_hex
    movl fault_eip, %eax
    call print_hex
    movl fault_cr2, %eax
    call print_hex
    call newline
    movl $VERDICT_FAIL, %eax
    jmp exit_with

/* Arguments: vector, error, name.  Vector -1 stands for none, or LEAVE; error -1 for any. */
    .globl check_fault
check_fault:
    pushl $DATA0
    popl %ds
    pushl $DATA0
    popl %es
    pushl $DATA0
    popl %fs
    pushl $DATA0
    popl %gs
    cld
    pushfl
    pushal
    movl $0, try_eip
    incl checks
    movl 40(%esp), %ebx
    movl 44(%esp), %ecx
    movl fault_vector, %eax
    cmpl $LEAVE, %eax
    jne 1f
    movl $-1, %eax
1:  cmpl %ebx, %eax
    jne 2f
    cmpl $-1, %ecx
    je 3f
    cmpl %ecx, fault_error
    je 3f
2:  incl failures
    movl 48(%esp), %esi
    call print
    movl $text_got, %esi
    call print
    movl fault_vector, %eax
    call print_hex
    movl fault_error, %eax
    call print_hex
    movl $text_at, %esi
    call print
    movl fault_eip, %eax
    call print_hex
    movl $text_want, %esi
    call print
    movl %ebx, %eax
    call print_hex
    movl %ecx, %eax
    call print_hex
    call newline
3:  popal
    popfl
    ret $12

/* Arguments: name, wanted, got. */
    .globl check_eq
check_eq:
    pushfl
    pushal
    incl checks
    movl 44(%esp), %ebx
    movl 48(%esp), %ecx
    cmpl %ebx, %ecx
    je 1f
    incl failures
    movl 40(%esp), %esi
    call print
    movl $text_got, %esi
    call print
    movl %ecx, %eax
    call print_hex
    movl $text_want, %esi
    call print
    movl %ebx, %eax
    call print_hex
    call newline
1:  popal
    popfl
    ret $12

/* u32 attempt(const void *code), u32 attempt_user(const void *code): guest_c.h. */
    .globl attempt, attempt_user
attempt_user:
    pushl $1
    jmp 1f
attempt:
    pushl $0
1:  pushal
    pushfl
    movl 44(%esp), %ebx
    movl $3f, try_eip
    movl %esp, try_esp
    movl $-1, fault_vector
    movl $-1, fault_error
    cmpl $0, 36(%esp)
    jne 2f
    call *%ebx
    jmp 3f
2:  pushl $DATA3
    pushl $user_stack_top
    pushl user_flags
    pushl $CODE3
    pushl %ebx
    movl $DATA3, %eax
    movl %eax, %ds
    movl %eax, %es
    iret
3:  movw %cs:flat_data, %ss
    movl %cs:try_esp, %esp
    movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $0, try_eip
    popfl
    popal
    addl $4, %esp
    movl fault_vector, %eax
    cmpl $LEAVE, %eax
    jne 4f
    movl $-1, %eax
4:  ret

/* Argument: reason. */
    .globl skip_all
skip_all:
    movl $text_skip, %esi
    call print
    popl %esi
    call print
    call newline
    movl $VERDICT_SKIP, %eax
    jmp exit_with

    .globl finish
finish:
    movl checks, %eax
    call print_hex
    movl $text_checks, %esi
    call print
    movl failures, %eax
    call print_hex
    movl $text_failed, %esi
    call print
    movl $VERDICT_PASS, %eax
    cmpl $0, failures
    je exit_with
    incl %eax
exit_with:
    movl $0xf4, %edx
    outl %eax, %dx
    movl $text_shutdown, %esi /* Bochs has no isa-debug-exit, but ends at this word at port 8900h */
    movl $0x8900, %edx
    movl $8, %ecx
    rep outsb
1:  cli
    hlt
    jmp 1b

/* ESI: text.  Keeps EBX, ECX. */
    .globl print
print:
    lodsb
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    jmp print
1:  ret

newline:
    movb $'\n', %al
    outb %al, $0xe9
    ret

/* EAX, with a blank before it.  Keeps EBX, ECX. */
    .globl print_hex
print_hex:
    pushl %ecx
    movl %eax, %edx
    movl $8, %ecx
    movb $' ', %al
    outb %al, $0xe9
1:  roll $4, %edx
    movb %dl, %al
    andb $15, %al
    cmpb $10, %al
    sbbb $0x69, %al
    das
    outb %al, $0xe9
    loop 1b
    popl %ecx
    ret

    .section .rodata
text_unexpected: .asciz "unexpected exception: vector, error, EIP, CR2"
text_got: .asciz ": got"
text_at: .asciz " at"
text_want: .asciz ", want"
text_skip: .asciz "SKIP "
text_checks: .asciz " checks,"
text_failed: .asciz " failed\n"
text_shutdown: .ascii "Shutdown"

    .data
    .balign 8
    .globl gdt, gdt_pointer, idt, idt_pointer, tss0, flat_data, stubs, user_flags
gdt:
    .quad 0
    DESC 0, 0xfffff, 0x9a, 0xc
    DESC 0, 0xfffff, 0x92, 0xc
    DESC 0, 0xfffff, 0xfa, 0xc
    DESC 0, 0xfffff, 0xf2, 0xc
    .fill GDT_SLOTS - 5, 8, 0
gdt_end:
gdt_pointer: .word gdt_end - gdt - 1
    .long gdt
idt_pointer: .word idt_end - idt - 1
    .long idt
flat_data: .word DATA0
    .balign 4
user_flags: .long FL_1
/* ESP0 and SS0 are all that most guests need of it; no I/O bitmap. */
tss0:
    .long 0, ring0_stack_top, DATA0
    .fill 22, 4, 0
    .word 0, 0x68

    .globl hooks, fault_count, fault_vector, fault_error, fault_eip, fault_cs, fault_eflags, fault_esp, fault_ss
    .globl fault_cr2, fault_regs, fault_old_ss, fault_frame, try_eip, try_esp
    .globl fault_edi, fault_esi, fault_ebp, fault_ebx, fault_edx, fault_ecx, fault_eax
    .bss
    .balign 8
idt: .skip 256 * 8
idt_end:
hooks: .skip 256 * 4
fault_count: .skip 4
fault_vector: .skip 4
/* As on the stack: */
fault_error: .skip 4
fault_eip: .skip 4
fault_cs: .skip 4
fault_eflags: .skip 4
fault_esp: .skip 4 /* from an outer ring only */
fault_ss: .skip 4
fault_regs: /* as PUSHA leaves them */
fault_edi: .skip 4
fault_esi: .skip 4
fault_ebp: .skip 8
fault_ebx: .skip 4
fault_edx: .skip 4
fault_ecx: .skip 4
fault_eax: .skip 4
fault_cr2: .skip 4
fault_old_ss: .skip 4 /* SS within the handler */
fault_frame: .skip 4  /* where EIP was pushed */
try_eip: .skip 4
try_esp: .skip 4
checks: .skip 4
failures: .skip 4

    .globl low_start
    .globl stack_top, user_stack_top, ring0_stack_top
    .balign 4096
    .skip 8192
stack_top:
    .skip 4096
ring0_stack_top: /* for exceptions in ring 3 */
    .skip 4096
user_stack_top:
