/* Accesses that cross pages, faults in the middle of an instruction, and what must not have changed then: SDM
 * 3A 6.5 (faults restart the instruction), 6.15 (#PF: CR2, error code), 4.7; for string instructions SDM 2B REP:
 * registers tell how far it came. */
#include "guest.h"

#define PHYS0  SCRATCH
#define PHYS2  (SCRATCH + 0x2000)
#define PHYS3  (SCRATCH + 0x8000)
#define W 2 /* error code bits */

/* Symbols, since they stand in strings that macros assemble. */
.set PAGE0, 0x500000 /* present, writable */
.set PAGE1, 0x501000 /* absent */
.set PAGE2, 0x502000 /* present, read-only, with CR0.WP */
.set PAGE3, 0x503000 /* present, writable, elsewhere in memory */

.macro AT address
    CHECK_EQ fault_cr2, (\address), "address of the last fault"
.endm

    .text
    .globl guest_main
guest_main:
    movl $TABLES, %edi
    movl $0x400, %ecx
    xorl %eax, %eax
    rep stosl
    movl $TABLES + 0x1000 + 7, TABLES
    movl $TABLES + 0x2000 + 7, TABLES + 4
    movl $TABLES + 0x1000, %edi
    movl $7, %eax
    movl $2048, %ecx
1:  stosl
    addl $0x1000, %eax
    loop 1b
    movl $PHYS0 + 7, PTE(PAGE0)
    movl $0, PTE(PAGE1)
    movl $PHYS2 + 5, PTE(PAGE2)
    movl $PHYS3 + 7, PTE(PAGE3)
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $(CR0_PG | CR0_WP), %eax
    movl %eax, %cr0
    movl %cr4, %eax
    orl $CR4_OSFXSR, %eax
    movl %eax, %cr4
    call loads_and_stores
    call read_modify_write
    call stack
    call strings
    call wide
    call odd_ones
    call user_strings
    ret

loads_and_stores:
    movl $0x11223344, PHYS2 + 0xffc
    movl $0x55667788, PHYS3
    movl PAGE2 + 0xffe, %eax
    CHECK_EQ %eax, 0x77881122, "load across two pages that are apart in memory"
    TRY
    movl PAGE0 + 0xffe, %eax
    EXPECT PF, 0, "load across into an absent page"
    AT PAGE1
    TRY
    movl PAGE1 + 0xffe, %eax
    EXPECT PF, 0, "load across from an absent page"
    AT (PAGE1 + 0xffe)
    movl $0xaaaaaaaa, PHYS0 + 0xffc
    TRY
    movl $0x12345678, PAGE0 + 0xffe
    EXPECT PF, W, "store across into an absent page"
    AT PAGE1
    CHECK_EQ (PHYS0 + 0xffc), 0xaaaaaaaa, "nothing was stored"
    TRY
    movl $0x12345678, PAGE2 + 0xffe
    EXPECT PF, (W + 1), "store across from a read-only page"
    AT (PAGE2 + 0xffe)
    CHECK_EQ PHYS3, 0x55667788, "nothing was stored in the second page"
    movl $PHYS2 + 7, PTE(PAGE2)
    invlpg PAGE2
    movl $0x12345678, PAGE2 + 0xffd
    CHECK_EQ (PHYS2 + 0xffc), 0x34567844, "store across, low part"
    CHECK_EQ PHYS3, 0x55667712, "store across, high part"
    movl $PHYS2 + 5, PTE(PAGE2)
    invlpg PAGE2
    movw $0x1234, %ax
    TRY
    movw %ax, PAGE0 + 0xfff
    EXPECT PF, W, "word store across"
    AT PAGE1
    ret

/* The destination and all registers are as before; the flags are those that are not overwritten anyway. */
.macro RMW insn, error, where, name, flags=0
    movl $0xaaaaaaaa, PHYS0 + 0xffc
    movl $0x00000005, %eax
    movl $0x01010101, %ecx
    movl $0x02020202, %edx
    movl $0x03030303, %ebx
    TRY
    stc
    \insn
    EXPECT PF, \error, "\name"
    AT \where
    CHECK_EQ fault_eax, 5, "\name: EAX"
    CHECK_EQ fault_ecx, 0x01010101, "\name: ECX"
    CHECK_EQ fault_edx, 0x02020202, "\name: EDX"
    CHECK_EQ fault_ebx, 0x03030303, "\name: EBX"
    .if \flags
    andl $(\flags), fault_eflags
    CHECK_EQ fault_eflags, (0x45 & (\flags)), "\name: flags"
    .endif
    CHECK_EQ (PHYS0 + 0xffc), 0xaaaaaaaa, "\name: memory"
.endm
read_modify_write:
    .macro BOTH insn, name, at=PAGE0+0xffd, flags=0
    RMW "xorl %esi, %esi; stc; \insn \at", W, PAGE1, "\name into an absent page", \flags
    RMW "xorl %esi, %esi; stc; \insn PAGE2", (W + 1), PAGE2, "\name of a read-only page", \flags
    .endm
    BOTH "addl %ecx,", "ADD"
    BOTH "adcl %ecx,", "ADC", flags=FL_CF
    BOTH "lock subl %ecx,", "LOCK SUB"
    BOTH "incl", "INC", flags=FL_CF
    BOTH "negl", "NEG"
    BOTH "notl", "NOT", flags=0xcd5
    BOTH "shll $3,", "SHL"
    BOTH "shll $0,", "SHL by 0", flags=0xcd5
    BOTH "rcrl $5,", "RCR", flags=FL_CF
    BOTH "shldl $5, %ecx,", "SHLD"
    BOTH "btsl $3,", "BTS"
    BOTH "xchgl %ecx,", "XCHG", flags=0xcd5
    BOTH "xaddl %ecx,", "XADD"
    BOTH "cmpxchgl %ecx,", "CMPXCHG"
    BOTH "cmpxchg8b", "CMPXCHG8B"
    BOTH "setc", "SETcc", PAGE1, 0xcd5
    BOTH "andl $0,", "AND"
    BOTH "orw %cx,", "OR word", PAGE0+0xfff
    ret

/* In ring 3, so that the exception has a stack. */
.macro USER_STACK_FAULT name, error, insns
    TRY
    USER
    movl $PAGE1, %ebx
    \insns
    EXPECT PF, (4 + \error), "\name"
.endm
stack:
    USER_STACK_FAULT "PUSH", W, "movl $PAGE2, %esp; pushl $1"
    AT (PAGE2 - 4)
    CHECK_EQ fault_esp, PAGE2, "PUSH: ESP"
    movl $0xaaaaaaaa, PHYS3
    USER_STACK_FAULT "PUSH across", (W + 1), "movl $PAGE3 + 2, %esp; pushl $1"
    AT (PAGE2 + 0xffe)
    CHECK_EQ PHYS3, 0xaaaaaaaa, "PUSH across: nothing was stored"
    USER_STACK_FAULT "PUSHA", (W + 1), "movl $PAGE3 + 8, %esp; pushal"
    CHECK_EQ fault_esp, (PAGE3 + 8), "PUSHA: ESP"
    USER_STACK_FAULT "POPA", 0, "movl $PAGE0 + 0xff8, %esp; popal"
    AT PAGE1
    CHECK_EQ fault_ebx, PAGE1, "POPA changes no register"
    CHECK_EQ fault_esp, (PAGE0 + 0xff8), "POPA: ESP"
    USER_STACK_FAULT "ENTER", (W + 1), "movl $PAGE2 + 8, %esp; movl $PAGE0 + 16, %ebp; enter $8, $1"
    CHECK_EQ fault_ebp, (PAGE0 + 16), "ENTER: EBP"
    CHECK_EQ fault_esp, (PAGE2 + 8), "ENTER: ESP"
    USER_STACK_FAULT "LEAVE", 0, "movl $PAGE1, %ebp; leave"
    CHECK_EQ fault_ebp, PAGE1, "LEAVE: EBP"
    CHECK_EQ fault_esp, user_stack_top, "LEAVE: ESP"
    USER_STACK_FAULT "CALL", W, "movl $PAGE2, %esp; call *%ebx"
    CHECK_EQ fault_esp, PAGE2, "CALL: ESP"
    USER_STACK_FAULT "RET", 0, "movl %ebx, %esp; ret"
    CHECK_EQ fault_esp, PAGE1, "RET: ESP"
    USER_STACK_FAULT "far CALL", (W + 1), "movl $PAGE3 + 4, %esp; lcall $0x1b, $0"
    CHECK_EQ fault_esp, (PAGE3 + 4), "far CALL: ESP"
    USER_STACK_FAULT "far RET", 0, "movl $PAGE0 + 0xffc, %esp; lret"
    CHECK_EQ fault_esp, (PAGE0 + 0xffc), "far RET: ESP"
    USER_STACK_FAULT "IRET", 0, "movl $PAGE0 + 0xff8, %esp; iret"
    CHECK_EQ fault_esp, (PAGE0 + 0xff8), "IRET: ESP"
    USER_STACK_FAULT "PUSH of memory", 0, "pushl (%ebx)"
    CHECK_EQ fault_esp, user_stack_top, "PUSH of memory: ESP"
    USER_STACK_FAULT "POP to memory", (W + 1), "pushl $1; popl PAGE2"
    CHECK_EQ fault_esp, (user_stack_top - 4), "POP to memory: ESP"
    USER_STACK_FAULT "PUSHF", W, "movl $PAGE2, %esp; pushfl"
    CHECK_EQ fault_esp, PAGE2, "PUSHF: ESP"
    USER_STACK_FAULT "POP of a segment register", 0, "movl %ebx, %esp; popl %gs"
    CHECK_EQ fault_esp, PAGE1, "POP of a segment register: ESP"
    /* A run of pushes of which the third fails: the first two have been done. */
    USER_STACK_FAULT "the third PUSH", (W + 1), "movl $PAGE3 + 8, %esp; pushl $0x71; pushl $0x72; pushl $0x73"
    CHECK_EQ fault_esp, PAGE3, "the third PUSH: ESP"
    CHECK_EQ (PHYS3 + 4), 0x71, "the first PUSH"
    CHECK_EQ PHYS3, 0x72, "the second PUSH"
    USER_STACK_FAULT "the third POP", 0, "movl $PAGE0 + 0xff8, %esp; popl %eax; popl %ecx; popl %edx"
    CHECK_EQ fault_esp, PAGE1, "the third POP: ESP"
    ret

strings:
    /* Forward, the destination runs out after 6 of 20 bytes. */
    movl $pattern, %esi
    movl $PHYS0 + 0xff0, %edi
    movl $0, PHYS0 + 0xffc
    movl $pattern, %esi
    movl $PAGE0 + 0xffa, %edi
    movl $20, %ecx
    TRY
    rep movsb
    EXPECT PF, W, "REP MOVSB into an absent page"
    AT PAGE1
    CHECK_EQ fault_ecx, 14, "REP MOVSB: ECX"
    CHECK_EQ fault_esi, (pattern + 6), "REP MOVSB: ESI"
    CHECK_EQ fault_edi, PAGE1, "REP MOVSB: EDI"
    CHECK_EQ (PHYS0 + 0xffc), 0x05040302, "REP MOVSB: what it had done"
    movl $pattern, %esi
    movl $PAGE0 + 0xff6, %edi
    movl $5, %ecx
    TRY
    rep movsl
    EXPECT PF, W, "REP MOVSD into an absent page"
    AT PAGE1
    CHECK_EQ fault_ecx, 3, "REP MOVSD: ECX"
    CHECK_EQ fault_edi, (PAGE0 + 0xffe), "REP MOVSD: EDI"
    CHECK_EQ fault_esi, (pattern + 8), "REP MOVSD: ESI"
    movl $PAGE0 + 0xffc, %esi
    movl $SCRATCH + 0x20000, %edi
    movl $5, %ecx
    TRY
    rep movsl
    EXPECT PF, 0, "REP MOVSD from an absent page"
    AT PAGE1
    CHECK_EQ fault_ecx, 4, "source: ECX"
    CHECK_EQ fault_esi, PAGE1, "source: ESI"
    CHECK_EQ fault_edi, (SCRATCH + 0x20004), "source: EDI"
    movl $PAGE0 + 0xff8, %edi
    movl $9, %ecx
    movl $0x77777777, %eax
    TRY
    rep stosl
    EXPECT PF, W, "REP STOSD"
    AT PAGE1
    CHECK_EQ fault_ecx, 7, "REP STOSD: ECX"
    CHECK_EQ fault_edi, PAGE1, "REP STOSD: EDI"
    CHECK_EQ (PHYS0 + 0xffc), 0x77777777, "REP STOSD: what it had done"
    movl $PAGE2 + 3, %edi
    movl $9, %ecx
    TRY
    std
    rep stosb
    EXPECT PF, (W + 1), "REP STOSB downwards in a read-only page"
    AT (PAGE2 + 3)
    CHECK_EQ fault_ecx, 9, "downwards: ECX"
    movl $PAGE3 + 3, %edi
    movl $9, %ecx
    TRY
    std
    rep stosb
    EXPECT PF, (W + 1), "REP STOSB downwards into a read-only page"
    AT (PAGE2 + 0xfff)
    CHECK_EQ fault_ecx, 5, "downwards into: ECX"
    CHECK_EQ fault_edi, (PAGE2 + 0xfff), "downwards into: EDI"
    movl $PAGE0 + 0xff0, %edi
    movl $100, %ecx
    movl $0x12, %eax
    TRY
    repne scasb
    EXPECT PF, 0, "REPNE SCASB"
    AT PAGE1
    CHECK_EQ fault_ecx, 84, "SCASB: ECX"
    CHECK_EQ fault_edi, PAGE1, "SCASB: EDI"
    movl $PAGE0 + 0xffe, %edi
    movl $PAGE0 + 0xffe, %esi
    movl $100, %ecx
    TRY
    repe cmpsb
    EXPECT PF, 0, "REPE CMPSB"
    CHECK_EQ fault_ecx, 98, "CMPSB: ECX"
    CHECK_EQ fault_esi, PAGE1, "CMPSB: ESI"
    movl $PAGE1, %edi
    xorl %ecx, %ecx
    TRY
    rep stosl
    repe cmpsb
    rep movsb
    DONE "count 0 accesses nothing"
    /* Overlap: MOVSB repeats a pattern, one byte at a time. */
    movl $0x04030201, PHYS0
    movl $PAGE0, %esi
    movl $PAGE0 + 1, %edi
    movl $15, %ecx
    rep movsb
    CHECK_EQ (PHYS0 + 12), 0x01010101, "overlapping MOVSB"
    movl $0x04030201, PHYS0
    movl $PAGE0, %esi
    movl $PAGE0 + 4, %edi
    movl $3, %ecx
    rep movsl
    CHECK_EQ (PHYS0 + 12), 0x04030201, "overlapping MOVSD"
    movl $0x04030201, PHYS0
    movl $PAGE0, %esi
    movl $PAGE0 + 2, %edi
    movl $3, %ecx
    rep movsl
    CHECK_EQ (PHYS0 + 8), 0x04030403, "MOVSD that overlaps itself"
    ret

wide:
    fninit
    movl $0xaaaaaaaa, PHYS0 + 0xffc
    fldpi
    TRY
    fstpt PAGE0 + 0xff8
    EXPECT PF, W, "FSTP of 10 bytes"
    AT PAGE1
    CHECK_EQ (PHYS0 + 0xffc), 0xaaaaaaaa, "FSTP: nothing was stored"
    fnstsw %ax
    andl $0x3800, %eax
    CHECK_EQ %eax, 0x3800, "FSTP has not popped"
    TRY
    fldt PAGE0 + 0xff8
    EXPECT PF, 0, "FLD of 10 bytes"
    AT PAGE1
    fnstsw %ax
    andl $0x3800, %eax
    CHECK_EQ %eax, 0x3800, "FLD has not pushed"
    TRY
    fistpll PAGE2 + 0xffc
    EXPECT PF, (W + 1), "FISTP across from a read-only page"
    AT (PAGE2 + 0xffc)
    TRY
    fnsave PAGE0 + 0xfc0
    EXPECT PF, W, "FNSAVE"
    andl $~0xfff, fault_cr2 /* which byte is touched first differs between processors */
    AT PAGE1
    fnstsw %ax
    andl $0x3800, %eax
    CHECK_EQ %eax, 0x3800, "FNSAVE has not initialised"
    TRY
    fxsave PAGE0 + 0xf00
    EXPECT PF, W, "FXSAVE"
    andl $~0xfff, fault_cr2 /* which byte is touched first differs between processors */
    AT PAGE1
    TRY
    fxsave PAGE0 + 0xf08
    EXPECT GP, 0, "FXSAVE, unaligned"
    TRY
    movups %xmm0, PAGE0 + 0xff8
    EXPECT PF, W, "MOVUPS"
    AT PAGE1
    CHECK_EQ (PHYS0 + 0xffc), 0xaaaaaaaa, "MOVUPS: nothing was stored"
    TRY
    movaps %xmm0, PAGE0 + 0xff8
    EXPECT GP, 0, "MOVAPS, unaligned: before the page"
    TRY
    movq %mm0, PAGE0 + 0xffc
    EXPECT PF, W, "MOVQ"
    AT PAGE1
    emms
    TRY
    movl $0x12345678, PAGE1
    EXPECT PF, W, "MOV"
    ret

odd_ones:
    movl $PAGE1, %ebx
    movl $PAGE0 + 0xffe, %ecx
    TRY
    lfs (%ecx), %eax
    EXPECT PF, 0, "LFS across"
    TRY
    bound %eax, PAGE0 + 0xffc
    EXPECT PF, 0, "BOUND across"
    AT PAGE1
    TRY
    lgdt PAGE0 + 0xffc
    EXPECT PF, 0, "LGDT across"
    TRY
    sgdt PAGE0 + 0xffc
    EXPECT PF, W, "SGDT across"
    TRY
    movl $64, %ecx
    btsl %ecx, PAGE1 - 8
    EXPECT PF, W, "BTS: the bit string reaches the absent page"
    AT PAGE1
    TRY
    movl $-1, %ecx
    btl %ecx, PAGE2
    EXPECT PF, 0, "BT: the bit string starts before"
    AT (PAGE2 - 4)
    TRY
    xlat
    EXPECT PF, 0, "XLAT"
    /* POP (ESP) addresses with ESP after the pop. */
    TRY
    movl $PAGE0, %esp
    movl $0x1234, (%esp)
    movl $0, 4(%esp)
    popl (%esp)
    movl %esp, %ecx
    DONE "POP (ESP)"
    CHECK_EQ (PHYS0 + 4), 0x1234, "POP (ESP): where"
    CHECK_EQ %ecx, (PAGE0 + 4), "POP (ESP): ESP"
    TRY
    movl $PAGE1, %eax
    call *(%eax)
    EXPECT PF, 0, "CALL through memory"
    TRY
    movl $PAGE1, %eax
    jmp *%eax
    EXPECT PF, 0, "JMP to an absent page"
    CHECK_EQ fault_eip, PAGE1, "JMP: EIP is the target"
    CHECK_EQ fault_cr2, PAGE1, "JMP: CR2"
    ret

/* The same with the user bit: MMU checks by ring. */
user_strings:
    andl $~4, PTE(PAGE3)
    invlpg PAGE3
    TRY
    USER
    movl PAGE3, %eax
    EXPECT PF, 5, "ring 3 reads a supervisor page"
    TRY
    USER
    movl %eax, PAGE3
    EXPECT PF, 7, "ring 3 writes a supervisor page"
    TRY
    USER
    movl $PAGE2 + 0xff0, %esi
    movl $PAGE0, %edi
    movl $0x20, %ecx
    rep movsb
    EXPECT PF, 5, "ring 3: MOVSB runs into a supervisor page"
    AT PAGE3
    CHECK_EQ fault_ecx, 0x10, "ring 3: ECX"
    movl PAGE3, %eax
    ret

    .data
pattern: .byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
