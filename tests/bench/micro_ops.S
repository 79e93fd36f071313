/* The operations that micro.c times: each a loop of EBP turns that ends with RET, and may spoil all other registers.  Run in
 * ring 0 or, where micro.c says so, in ring 3, with interrupts off unless it turns them on. */
#include "guest.h"

#define CODE16 (FREE_SEL + 0x00)
#define DATA16 (FREE_SEL + 0x08)
#define APIC 0xfee00000
#define HPET 0xfed00000
#define SELF_IPI 0x40000 /* shorthand "self", fixed delivery */

.macro OP name
    .globl op_\name
    .balign 64
op_\name:
.endm
.macro TURN
    .balign 16
1:
.endm
/* SUB writes all flags, so that none is kept for the next turn. */
.macro AGAIN
    subl $1, %ebp
    jnz 1b
    ret
.endm

/* Ten instructions that each need the one before, in registers of either size. */
.macro TEN a, b, c, d
    add \b, \a
    xor \a, \c
    sub \c, \d
    and \d, \b
    lea 5(\b), \a
    add \a, \c
    or \c, \d
    xor \d, \a
    adc \a, \b
    inc \c
.endm

/* Fifteen instructions as programs have them, in registers of either size: loads, a store, the stack, a call, jumps. */
.macro ORDINARY a, b, c, d, si, di
    push \a
    mov (\b, \si), \a
    xor 2(\di), \a
    add \a, \d
    call 4f
    cmp \si, \b
    jae 2f
    inc \c
2:  mov \d, 4(\di)
    pop \a
    test \a, \a
    jz 3f
    inc \c
    jmp 3f
4:  lea 4(\b), \b
    and $60, \b
    ret
3:
.endm

    .text
/* void run_op(const void *op, u32 turns) */
    .globl run_op, op_in_user
run_op:
    pushal
    movl 40(%esp), %ebp
    call *36(%esp)
    popal
    ret

/* The same in ring 3, for attempt_user(): user_op, user_turns. */
op_in_user:
    movl user_turns, %ebp
    call *user_op
    int $LEAVE

OP empty
    TURN
    AGAIN

OP dec
    TURN
    decl %ebp
    jnz 1b
    ret

OP alu
    TURN
    TEN %eax, %ebx, %ecx, %edx
    AGAIN

OP ordinary
    movl $SCRATCH, %esi
    movl $SCRATCH + 0x200, %edi
    xorl %eax, %eax
    xorl %ebx, %ebx
    TURN
    ORDINARY %eax, %ebx, %ecx, %edx, %esi, %edi
    AGAIN

/* 16 pages and 16 lines, so that neither falls into one set of a cache. */
OP load
    movl $SCRATCH, %esi
    TURN
    .set i, 0
    .rept 16
    movl i * 4160(%esi), %eax
    .set i, i + 1
    .endr
    AGAIN

OP store
    movl $SCRATCH, %esi
    TURN
    .set i, 0
    .rept 16
    movl %eax, i * 4160(%esi)
    .set i, i + 1
    .endr
    AGAIN

OP walk /* 512 pages after all have been forgotten */
    TURN
    movl %cr3, %eax
    movl %eax, %cr3
    movl $SCRATCH, %esi
    movl $128, %ecx
2:  movl (%esi), %eax
    movl 4096(%esi), %eax
    movl 8192(%esi), %eax
    movl 12288(%esi), %eax
    addl $16384, %esi
    subl $1, %ecx
    jnz 2b
    AGAIN

OP invlpg
    movl $SCRATCH, %esi
    TURN
    invlpg (%esi)
    movl (%esi), %eax
    AGAIN

OP cr3
    TURN
    movl %cr3, %eax
    movl %eax, %cr3
    AGAIN

OP jump
    TURN
    .rept 16
    jmp 2f
    .balign 16
2:
    .endr
    AGAIN

OP jump_pages
    TURN
    .rept 7
    jmp 2f
    .balign 4096
2:
    .endr
    subl $1, %ebp
    jz 3f
    jmp 1b
3:  ret

OP jump_indirect /* each to its own target, always the same */
    TURN
    .rept 8
    jmp *2f
    .pushsection .data
2:  .long 3f
    .popsection
3:
    .endr
    AGAIN

OP jump_switch /* one jump, eight targets in turn */
    TURN
    movl %ebp, %eax
    andl $7, %eax
    jmp *switch_table(, %eax, 4)
    .pushsection .data
switch_table:
    .popsection
    .rept 8
    .pushsection .data
    .long 3f
    .popsection
3:  jmp 2f
    .endr
2:  AGAIN

OP jump_many /* through jump_many_first's chain, which micro.c writes: ADD EAX, 16; JMP EAX */
    TURN
    movl jump_many_first, %eax
    call *%eax
    AGAIN

OP call_ret
    TURN
    .rept 8
    call 2f
    .endr
    AGAIN
2:  ret

OP ret_elsewhere /* RET to where no CALL was */
    TURN
    .rept 8
    pushl $2f
    ret
2:
    .endr
    AGAIN

OP cpuid
    TURN
    xorl %eax, %eax
    cpuid
    AGAIN

OP rdtsc
    TURN
    rdtsc
    AGAIN

OP read_cr0
    TURN
    movl %cr0, %eax
    AGAIN

OP load_ds
    movl $DATA0, %eax
    TURN
    movl %eax, %ds
    AGAIN

OP cli_sti
    TURN
    sti
    cli
    AGAIN

OP pushf_popf
    TURN
    pushfl
    popfl
    AGAIN

OP fldcw /* as the C library rounds: another control word, and back */
    fninit
    TURN
    fldcw round_down
    fldcw round_nearest
    AGAIN
    .pushsection .rodata
round_nearest: .word 0x37f
round_down: .word 0x77f
    .popsection

OP movs_16
    TURN
    movl $SCRATCH, %esi
    movl $SCRATCH + 0x1000, %edi
    movl $16, %ecx
    rep movsb
    AGAIN

OP movs_4096
    TURN
    movl $SCRATCH, %esi
    movl $SCRATCH + 0x1000, %edi
    movl $1024, %ecx
    rep movsl
    AGAIN

OP int
    TURN
    int $0x31
    AGAIN
    .globl gate_iret
gate_iret:
    iret

OP sysenter /* from ring 3 */
    TURN
    movl $2f, %edx
    movl %esp, %ecx
    sysenter
2:  AGAIN
    .globl gate_sysenter
gate_sysenter:
    sysexit

OP interrupt /* from the local APIC to itself */
    TURN
    sti
    movl arrived, %eax
    movl $SELF_IPI + 0x33, APIC + 0x300
2:  cmpl arrived, %eax
    je 2b
    cli
    AGAIN
    .globl gate_apic, gate_timer
gate_timer:
    movl $0, APIC + 0xb0
    iret
gate_apic:
    incl arrived
    movl $0, APIC + 0xb0
    iret

OP ud2
    TURN
    ud2
    AGAIN
    .globl gate_ud
gate_ud:
    addl $2, (%esp)
    iret

OP page_fault
    movl absent, %esi
    TURN
    movl (%esi), %eax /* 2 bytes */
    AGAIN
    .globl gate_pf
gate_pf:
    addl $4, %esp
    addl $2, (%esp)
    iret

OP port_in
    TURN
    inb $0x61, %al
    AGAIN

OP port_out
    TURN
    outb %al, $0x80
    AGAIN

OP mmio_read
    TURN
    movl HPET, %eax
    AGAIN

OP patch /* an instruction's constant, and run it */
    TURN
    movl %ebp, patched + 1
    call patched
    AGAIN

OP store_beside /* in the same page as code that runs, but not to it */
    TURN
    movl %ebp, patched + 2048
    call patched
    AGAIN
    .pushsection .data
    .balign 4096
patched:
    movl $0, %eax
    ret
    .balign 4096
    .popsection

/* --- real mode --------------------------------------------------------------------------------------------------- */

OP real_alu
    movl $real_alu, %edx
    jmp to_real
OP real_load
    movl $real_load, %edx
    jmp to_real
OP real_ordinary
    movl $real_ordinary, %edx

/* To real mode at EDX in the first 64 KiB, and back to the caller. */
to_real:
    movl %cr0, %eax
    movl %eax, saved_cr0
    movl %esp, saved_esp
    andl $~CR0_PG, %eax
    movl %eax, %cr0
    ljmp $CODE16, $low_entry
from_real:
    movl $DATA0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movl saved_cr0, %eax
    movl %eax, %cr0
    movl saved_esp, %esp
    ret

    .section .low, "awx"
    .code16
low_entry:
    movw $DATA16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl %cr0, %eax
    andb $~CR0_PE, %al
    movl %eax, %cr0
    ljmp $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ss
    movw $low_entry, %sp
    movw $LOW_SCRATCH >> 4, %ax
    movw %ax, %ds
    movw %ax, %es
    jmp *%dx
low_exit:
    movl %cr0, %eax
    orb $CR0_PE, %al
    movl %eax, %cr0
    ljmpl $CODE0, $from_real

real_alu:
1:  TEN %ax, %bx, %cx, %dx
    subl $1, %ebp
    jnz 1b
    jmp low_exit

real_load:
1:
    .set i, 0
    .rept 16
    movw i * 4032, %ax
    .set i, i + 1
    .endr
    subl $1, %ebp
    jnz 1b
    jmp low_exit

real_ordinary:
    movw $0x100, %si
    movw $0x200, %di
    xorw %ax, %ax
    xorw %bx, %bx
1:  ORDINARY %ax, %bx, %cx, %dx, %si, %di
    subl $1, %ebp
    jnz 1b
    jmp low_exit
    .code32

    .globl user_op, user_turns, jump_many_first, absent
    .bss
    .balign 4
user_op: .skip 4
user_turns: .skip 4
jump_many_first: .skip 4
absent: .skip 4
arrived: .skip 4
saved_cr0: .skip 4
saved_esp: .skip 4
