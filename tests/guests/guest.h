/* What every bare-metal guest includes: selectors, fixed addresses, and the macros that tests are written
 * with.  AT&T syntax.
 *
 *      TRY                             remember where to go on
 *      ...                             instructions on trial
 *      EXPECT GP, 0x20, "what it is"   they raised this exception with this error code
 *
 * After EXPECT (or DONE: they raised none) segments are flat again, the stack is as it was at TRY, and
 * other registers are undefined unless nothing was raised; fault_* tell more about the exception. */
/* clang-format off */
#ifndef GUEST_H
#define GUEST_H
#define CODE0     0x08
#define DATA0     0x10
#define CODE3     0x1b
#define DATA3     0x23
#define TSS0      0x28
#define FREE_SEL  0x30 /* from here on the guest's own */
#define GDT_SLOTS 64

#define DE 0
#define DB 1
#define NMI 2
#define BP 3
#define OF 4
#define BR 5
#define UD 6
#define NM 7
#define DF 8
#define TS 10
#define NP 11
#define SS_ 12
#define GP 13
#define PF 14
#define MF 16
#define AC 17
#define XM 19
#define LEAVE 0x30 /* INT 0x30: back from ring 3 */

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_AM (1 << 18)
#define CR0_PG (1 << 31)
#define CR4_VME (1 << 0)
#define CR4_PVI (1 << 1)
#define CR4_TSD (1 << 2)
#define CR4_DE (1 << 3)
#define CR4_PSE (1 << 4)
#define CR4_PAE (1 << 5)
#define CR4_PGE (1 << 7)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_UMIP (1 << 11)
#define CR4_SMEP (1 << 20)
#define CR4_SMAP (1 << 21)
#define FL_CF (1 << 0)
#define FL_1 (1 << 1)
#define FL_ZF (1 << 6)
#define FL_TF (1 << 8)
#define FL_IF (1 << 9)
#define FL_DF (1 << 10)
#define FL_OF (1 << 11)
#define FL_IOPL (3 << 12)
#define FL_NT (1 << 14)
#define FL_RF (1 << 16)
#define FL_VM (1 << 17)
#define FL_AC (1 << 18)
#define FL_VIF (1 << 19)
#define FL_VIP (1 << 20)

#ifdef __ASSEMBLER__
/* Memory that nothing else uses.  Symbols, since they also stand in strings that macros assemble. */
.set LOW_SCRATCH, 0x20000 /* 64 KiB, for real and v86 mode */
.set SCRATCH, 0x200000    /* 1 MiB */
.set TABLES, 0x300000     /* page tables */

/* A page directory at TABLES and one table behind it, which maps the first 4 MiB where they are, for all rings.  Spoils EAX,
 * ECX and EDI; paging is for the caller to begin. */
#define PTE(lin) (TABLES + 0x1000 + ((lin) >> 12) * 4)
.macro MAP_4MIB
    movl $TABLES, %edi
    movl $0x400, %ecx
    xorl %eax, %eax
    rep stosl
    movl $TABLES + 0x1000 + 7, TABLES
    movl $TABLES + 0x1000, %edi
    movl $7, %eax
    movl $1024, %ecx
.Lmap\@:
    stosl
    addl $0x1000, %eax
    loop .Lmap\@
.endm

/* A segment descriptor: base and limit are numbers; rights as in bits 40..47, flags (G D 0 AVL). */
.macro DESC base, limit, rights, flags
    .word (\limit) & 0xffff, (\base) & 0xffff
    .byte (\base) >> 16 & 0xff, \rights, (\limit) >> 16 & 15 | (\flags) << 4, (\base) >> 24 & 0xff
.endm

/* Stores a descriptor into the GDT. */
.macro SET_DESC sel, base, limit, rights, flags
    movl $((\limit) & 0xffff | ((\base) & 0xffff) << 16), gdt + ((\sel) & ~7)
    movl $((\base) >> 16 & 0xff | (\rights) << 8 | ((\limit) & 0xf0000) | (\flags) << 20 | ((\base) & 0xff000000)), \
        gdt + ((\sel) & ~7) + 4
.endm
/* The same with a label as its base.  Spoils EAX. */
.macro SET_DESC_AT sel, label, limit, rights, flags
    SET_DESC \sel, 0, \limit, \rights, \flags
    movl $\label, %eax
    movw %ax, gdt + ((\sel) & ~7) + 2
    shrl $16, %eax
    movb %al, gdt + ((\sel) & ~7) + 4
    movb %ah, gdt + ((\sel) & ~7) + 7
.endm
/* A gate in any table: rights as in bits 40..47, params the parameter count.  Spoils EAX. */
.macro SET_GATE_AT where, selector, label, rights, params=0
    movl $\label, %eax
    movw %ax, \where
    movw $(\selector), \where + 2
    movb $(\params), \where + 4
    movb $(\rights), \where + 5
    shrl $16, %eax
    movw %ax, \where + 6
.endm
.macro SET_GATE sel, selector, label, rights, params=0
    SET_GATE_AT gdt+((\sel)&~7), \selector, \label, \rights, \params
.endm
.macro SET_IDT vector, selector, label, rights
    SET_GATE_AT idt+(\vector)*8, \selector, \label, \rights
.endm

.macro NAME text /* pushes its address */
    .pushsection .rodata
888: .asciz "\text"
    .popsection
    pushl $888b
.endm

.macro TRY
    movl $997f, try_eip
    movl %esp, try_esp
    movl $-1, fault_vector
    movl $-1, fault_error
.endm
.macro EXPECT vector, error, name
997: movw %cs:flat_data, %ss
    movl %cs:try_esp, %esp
    NAME "\name"
    pushl $(\error)
    pushl $(\vector)
    call check_fault
.endm
.macro DONE name
    EXPECT -1, -1, "\name"
.endm
/* What follows runs in ring 3 on a stack of its own, with IOPL 0 and DATA3 in all data segments.  Spoils
 * EAX; ends at END_USER or an exception. */
.macro USER flags=FL_1
    movl $DATA3, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    pushl $DATA3
    pushl $user_stack_top
    pushl $(\flags)
    pushl $CODE3
    pushl $996f
    iret
996:
.endm
.macro END_USER
    int $LEAVE
.endm

/* Single stepping, from the instruction after the next on. */
.macro STEP_ON
    pushfl
    orl $FL_TF, (%esp)
    popfl
.endm
.macro STEP_OFF
    pushfl
    andl $~FL_TF, (%esp)
    popfl
.endm
/* TR holds task first again, which alone is busy; NT and CR0.TS are clear.  Registers stay. */
.macro FIRST_TASK first, others:vararg
    pushl %eax
    .irp tss, \first, \others
    andb $~2, gdt + \tss + 5
    .endr
    movw $\first, %ax
    ltr %ax
    clts
    pushfl
    andl $~FL_NT, (%esp)
    popfl
    popl %eax
.endm

/* op: 32-bit register, memory or immediate, not relative to ESP.  Registers and flags stay. */
.macro CHECK_EQ op, value, name
    pushl \op
    pushl $(\value)
    NAME "\name"
    call check_eq
.endm
.macro SKIP_ALL reason
    NAME "\reason"
    jmp skip_all
.endm
#endif
#endif
