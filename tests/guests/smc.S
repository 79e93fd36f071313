/* Self-modifying code: SDM 3A 11.6 (stores to code reach the processor at the latest with the next jump; P6
 * and later see them at once, which is what is tested) and 8.1.3. */
#include "guest.h"

#define CODE  SCRATCH            /* code is assembled here, with room for a page before it */
#define ALIAS (SCRATCH + 0x80000) /* the same memory at another linear address, once paging is on */
#define RET_  0xc3
#define MOV_EAX 0xb8
#define INC_EAX 0x40
#define NOP_  0x90

    .text
    .globl guest_main
guest_main:
    call next_instruction
    call same_block
    call earlier_in_block
    call between_calls
    call loop_rewrites_itself
    call across_pages
    call by_string
    call by_push
    call by_fpu
    call by_read_modify_write
    call neighbours
    call many_versions
    call by_alias
    call alias_remapped
    ret

/* The store's target is the very next instruction. */
next_instruction:
    movl $0x11111111, patched + 1
    call 1f
    CHECK_EQ %eax, 0x22222222, "next instruction"
    movl $0x33333333, %ebx
    movl $0x11111111, patched + 1
    movl $0x22222222, 2f + 6
    call 1f
    CHECK_EQ %eax, 0x22222222, "next instruction, again"
    ret
    .balign 64
    .text
1:  xorl %eax, %eax
2:  movl $0x22222222, patched + 1
patched:
    movl $0x11111111, %eax
    ret

/* A few instructions ahead, in one straight line; the instructions between must have run once only. */
same_block:
    movl $0, counter
    movb $INC_EAX, later
    xorl %eax, %eax
    call 1f
    CHECK_EQ %eax, 0, "instruction ahead in the same block"
    CHECK_EQ counter, 2, "what lies between ran once"
    ret
1:  incl counter
    movb $NOP_, later
    incl counter
later:
    incl %eax
    ret

/* Behind: the change shows on the next turn, and this turn goes on undisturbed. */
earlier_in_block:
    movl $0, %eax
    movb $INC_EAX, earlier
    movl $2, %ecx
    call 1f
    CHECK_EQ %eax, 0x101, "instruction behind in the same block"
    ret
1:
earlier:
    incl %eax
    movb $NOP_, earlier
    addl $0x80, %eax
    loop 1b
    ret

between_calls:
    movb $MOV_EAX, CODE
    movb $RET_, CODE + 5
    movl $1000, %ecx
    movl $0, %ebx
1:  movl %ecx, CODE + 1
    movl $CODE, %edx
    call *%edx
    subl %ecx, %eax
    orl %eax, %ebx
    loop 1b
    CHECK_EQ %ebx, 0, "rewritten between calls"
    ret

/* A loop whose own displacement and immediate change on the way. */
loop_rewrites_itself:
    movl $10, %ecx
    xorl %ebx, %ebx
1:
    addl $1, %ebx
    .byte 0x90
    incl 2f
    addl $0, %ebx
    loop 1b
    CHECK_EQ 2f, 10, "counter beside the code"
    movl $10, %ecx
    xorl %ebx, %ebx
1:
wide_addend:
    .byte 0x81, 0xc3 /* addl $imm32, %ebx */
3:  .long 1
    addl $1, 3b
    loop 1b
    CHECK_EQ %ebx, 55, "immediate changes in its own loop"
    movl $1, 3b
    ret
    .balign 4
2:  .long 0

/* An instruction that lies in two pages: each half is written in turn. */
across_pages:
    movb $MOV_EAX, CODE + 0xffd
    movl $0x01020304, CODE + 0xffe
    movb $RET_, CODE + 0x1002
    movl $CODE + 0xffd, %edx
    call *%edx
    CHECK_EQ %eax, 0x01020304, "across pages"
    movw $0x1122, CODE + 0x1000
    call *%edx
    CHECK_EQ %eax, 0x11220304, "second half changed"
    movw $0x3344, CODE + 0xffe
    call *%edx
    CHECK_EQ %eax, 0x11223344, "first half changed"
    movl $0x55667788, CODE + 0xffe
    call *%edx
    CHECK_EQ %eax, 0x55667788, "both changed by one store across the pages"
    movl $0x99999999, CODE + 0xffe
    movw $0xc390, CODE + 0x1001
    call *%edx
    andl $0xffffff, %eax
    CHECK_EQ %eax, 0x999999, "an unaligned store in the second page"
    /* Code in one page writes the page that follows it, where it goes on. */
    movl $across_template, %esi
    movl $CODE + 0x1000 - (across_border - across_template), %edi
    movl %edi, %edx
    movl $across_end - across_template, %ecx
    rep movsb
    movl $0, %eax
    call *%edx
    CHECK_EQ %eax, 0x30, "the next page, written just before it is entered"
    call *%edx
    CHECK_EQ %eax, 0x60, "the next page, once more"
    ret
across_template:
    movb $0x30, CODE + 0x1002
across_border:
    addl $0x10, %eax
    ret
across_end:

.macro PUT_MOV_RET value
    movb $MOV_EAX, CODE
    movl $\value, CODE + 1
    movb $RET_, CODE + 5
    movl $CODE, %edx
    call *%edx
    CHECK_EQ %eax, \value, "before"
.endm
by_string:
    PUT_MOV_RET 1
    movl $new_code, %esi
    movl $CODE, %edi
    movl $6, %ecx
    rep movsb
    call *%edx
    CHECK_EQ %eax, 0xabcdef01, "REP MOVSB"
    PUT_MOV_RET 2
    movl $new_code, %esi
    movl $CODE, %edi
    movl $2, %ecx
    rep movsl
    call *%edx
    CHECK_EQ %eax, 0xabcdef01, "REP MOVSD"
    PUT_MOV_RET 3
    movl $CODE + 1, %edi
    movl $0x5a5a5a5a, %eax
    stosl
    call *%edx
    CHECK_EQ %eax, 0x5a5a5a5a, "STOSD"
    PUT_MOV_RET 4
    std
    movl $CODE + 4, %edi
    movl $4, %ecx
    movb $0x77, %al
    rep stosb
    cld
    call *%edx
    CHECK_EQ %eax, 0x77777777, "REP STOSB downwards"
    /* REP STOSB over a big area with code in the middle of it. */
    PUT_MOV_RET 5
    movl $CODE - 0x1800, %edi
    movl $0x3000, %ecx
    movb $RET_, %al
    rep stosb
    movl $0x42, %eax
    call *%edx
    CHECK_EQ %eax, 0x42, "REP STOSB across several pages"
    /* REP MOVSB that overwrites itself: what is already running finishes (SDM 3A 11.6 leaves it open), the
     * instructions behind are the new ones. */
    movl $over_template, %esi
    movl $CODE, %edi
    movl $over_end - over_template, %ecx
    rep movsb
    movl $over_new, %esi
    movl $CODE + (over_behind - over_template), %edi
    movl $over_new_end - over_new, %ecx
    movl $CODE, %edx
    call *%edx
    CHECK_EQ %eax, 2, "REP MOVSB rewrites what follows it"
    ret
new_code:
    movl $0xabcdef01, %eax
    ret
    nop
    nop
over_template:
    movl $1, %eax
    rep movsb
over_behind:
    ret
    nop
    nop
over_end:
over_new:
    incl %eax
    ret
over_new_end:

/* The stack runs into code. */
by_push:
    PUT_MOV_RET 6
    movl %esp, %ebx
    movl $CODE + 5, %esp
    pushl $0x0badcafe
    movl %ebx, %esp
    call *%edx
    CHECK_EQ %eax, 0x0badcafe, "PUSH"
    movl %esp, %ebx
    movl $CODE + 5, %esp
    call 1f
1:  movl %ebx, %esp
    call *%edx
    CHECK_EQ %eax, 1b, "CALL"
    movl %esp, %ebx
    movl $CODE + 5 + 28, %esp
    movl $0x00c0ffee, %edi
    pushal
    movl %ebx, %esp
    movb $MOV_EAX, CODE
    movl CODE + 1, %ecx
    movb $RET_, CODE + 5
    call *%edx
    subl %ecx, %eax
    CHECK_EQ %eax, 0, "PUSHA"
    /* It pushes over the instruction that comes next. */
    movl $push_template, %esi
    movl $CODE, %edi
    movl $push_end - push_template, %ecx
    rep movsb
    movl $CODE, %edx
    movl %esp, %ebp
    movl $0, %eax
    call *%edx
    CHECK_EQ %eax, 0x55, "PUSH over the next instruction"
    ret
push_template:
    movl $CODE + (push_next - push_template) + 4, %esp
    pushl $0xeb9055b0 /* mov $0x55, %al; nop; jmp ... */
push_next:
    incl %eax
    incl %eax
    incl %eax
    incl %eax
    .byte 0
    leal -4(%ebp), %esp
    ret
push_end:

by_fpu:
    PUT_MOV_RET 7
    fninit
    fildl value
    fistpl CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x12345678, "FISTP"
    movl %cr4, %eax
    orl $CR4_OSFXSR, %eax
    movl %eax, %cr4
    PUT_MOV_RET 8
    movd value, %xmm0
    movd %xmm0, CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x12345678, "MOVD"
    PUT_MOV_RET 9
    movups new_code, %xmm1
    movups %xmm1, CODE
    call *%edx
    CHECK_EQ %eax, 0xabcdef01, "MOVUPS"
    movl $sse_template, %esi
    movl $CODE, %edi
    movl $sse_end - sse_template, %ecx
    rep movsb
    movl $CODE, %edx
    movups new_code, %xmm1
    call *%edx
    CHECK_EQ %eax, 0xabcdef01, "MOVUPS over the next instruction"
    ret
sse_template:
    movups %xmm1, CODE + (sse_next - sse_template)
sse_next:
    movl $1, %eax
    ret
    .skip 16
sse_end:

by_read_modify_write:
    PUT_MOV_RET 0x100
    incl CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x101, "INC"
    lock addl $0x10, CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x111, "LOCK ADD"
    movl $0x222, %eax
    xchgl %eax, CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x222, "XCHG"
    movl $0x222, %eax
    movl $0x333, %ecx
    cmpxchgl %ecx, CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x333, "CMPXCHG"
    btsl $20, CODE + 1
    call *%edx
    CHECK_EQ %eax, 0x100333, "BTS"
    setz CODE + 4
    call *%edx
    movl %eax, %ebx
    movzbl CODE + 4, %eax
    shll $24, %eax
    orl $0x100333, %eax
    subl %eax, %ebx
    CHECK_EQ %ebx, 0, "SETcc"
    /* The next instruction, by an instruction that reads and writes: it must not be done twice. */
    movl $1, rmw_patched + 1
    call 1f
    CHECK_EQ %eax, 2, "INC of the next instruction's immediate"
    movl $1, rmw_patched2 + 1
    movl $5, %ecx
    call 2f
    CHECK_EQ %eax, 6, "XADD into the next instruction"
    CHECK_EQ %ecx, 1, "XADD's register"
    ret
1:  incl rmw_patched + 1
rmw_patched:
    movl $1, %eax
    ret
2:  xaddl %ecx, rmw_patched2 + 1
rmw_patched2:
    movl $1, %eax
    ret

/* Stores that do not touch code in a page that has some. */
neighbours:
    PUT_MOV_RET 10
    movl $0x1000, %ecx
    movl $0, CODE + 8
1:  incl CODE + 8
    call *%edx
    loop 1b
    CHECK_EQ (CODE + 8), 0x1000, "data beside code"
    CHECK_EQ %eax, 10, "code beside data"
    ret

/* More versions of one place than any cache of translations would keep apart by luck. */
many_versions:
    movl $3000, %ecx
    xorl %ebx, %ebx
    movl $CODE, %edx
1:  movl $0x00c3c340, CODE /* inc %eax; ret */
    xorl %eax, %eax
    call *%edx
    addl %eax, %ebx
    movl $0x00c3c348, CODE /* dec %eax; ret */
    xorl %eax, %eax
    call *%edx
    subl %eax, %ebx
    loop 1b
    CHECK_EQ %ebx, 6000, "two versions in turn"
    ret

/* The same page under two linear addresses: code runs at one, stores go to the other. */
by_alias:
    movl $TABLES, %edi
    movl $0x1000 / 4, %ecx
    xorl %eax, %eax
    rep stosl
    movl $TABLES + 0x1000 + 3, TABLES
    movl $TABLES + 0x1000, %edi
    movl $3, %eax
    movl $1024, %ecx
1:  stosl
    addl $0x1000, %eax
    loop 1b
    movl $CODE + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    PUT_MOV_RET 11
    movl $0x1234, ALIAS + 1
    call *%edx
    CHECK_EQ %eax, 0x1234, "through another linear address"
    movl $ALIAS, %ecx
    call *%ecx
    CHECK_EQ %eax, 0x1234, "run at the other address"
    movl $0x5678, CODE + 1
    call *%ecx
    CHECK_EQ %eax, 0x5678, "written at the first, run at the other"
    call *%edx
    CHECK_EQ %eax, 0x5678, "and run at the first"
    /* The next instruction through the alias. */
    movl $alias_template, %esi
    movl $CODE, %edi
    movl $alias_end - alias_template, %ecx
    rep movsb
    call *%edx
    CHECK_EQ %eax, 0x99, "next instruction through an alias"
    ret
alias_template:
    movb $0x99, ALIAS + (alias_next - alias_template) + 1
alias_next:
    movl $0x11, %eax
    ret
alias_end:

/* The linear address gets other memory: other code, without any store to it. */
alias_remapped:
    PUT_MOV_RET 12
    movb $MOV_EAX, CODE + 0x1000
    movl $13, CODE + 0x1001
    movb $RET_, CODE + 0x1005
    movl $ALIAS, %edx
    call *%edx
    CHECK_EQ %eax, 12, "before the change of the page table"
    movl $CODE + 0x1000 + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4
    invlpg ALIAS
    call *%edx
    CHECK_EQ %eax, 13, "after INVLPG"
    movl $CODE + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4
    movl %cr3, %eax
    movl %eax, %cr3
    call *%edx
    CHECK_EQ %eax, 12, "after a load of CR3"
    /* An instruction in two pages, of which the second changes. */
    movl $CODE + 0x3000 + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4
    movl $CODE + 0x4000 + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4 + 4
    movl %cr3, %eax
    movl %eax, %cr3
    movb $MOV_EAX, CODE + 0x3ffd
    movw $0x5678, CODE + 0x3ffe
    movw $0x1234, CODE + 0x4000
    movb $RET_, CODE + 0x4002
    movw $0xabcd, CODE + 0x5000
    movb $RET_, CODE + 0x5002
    movl $ALIAS + 0xffd, %edx
    call *%edx
    CHECK_EQ %eax, 0x12345678, "across two mapped pages"
    movl $CODE + 0x5000 + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4 + 4
    invlpg ALIAS + 0x1000
    call *%edx
    CHECK_EQ %eax, 0xabcd5678, "the second page is another one"
    movl $CODE + 0x4000 + 3, TABLES + 0x1000 + (ALIAS >> 12) * 4 + 4
    invlpg ALIAS + 0x1000
    call *%edx
    CHECK_EQ %eax, 0x12345678, "and back"
    movl $0, TABLES + 0x1000 + (ALIAS >> 12) * 4 + 4
    invlpg ALIAS + 0x1000
    TRY
    call *%edx
    EXPECT PF, 0, "the second page is absent"
    CHECK_EQ fault_cr2, (ALIAS + 0x1000), "the fault is on the second page"
    CHECK_EQ fault_eip, (ALIAS + 0xffd), "EIP is in the first"
    ret

    .data
    .balign 4
value: .long 0x12345678
counter: .long 0
