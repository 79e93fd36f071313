/* For tests/cli/report.sh: a little of all that -trace-jit records, at labels that the test knows. */
#include "guest.h"

#define UNMAPPED 0x3ff000
#define CPUIDS 100
#define LOOKUPS 10
#define INC_EAX 0x40
#define DEC_EAX 0x48
#define VERSIONS 3000 /* enough of them to fill a code cache of 1 MiB */

    .text
    .globl guest_main
guest_main:
    call chain
    call modify
    call identify
    call look_up
    call paging_on
    call fault
    call versions
    ret

/* A block that leads to itself, and on. */
chain:
    movl $1000, %ecx
chained:
    decl %ecx
    jnz chained
    CHECK_EQ %ecx, 0, "loop"
    ret

/* A store by one block to another one's code. */
    .balign 64
victim:
    movl $0x1111, %eax
    ret
    .balign 64
modify:
    movl $10, %esi /* the way there is chained at the first chance that no event takes */
calling:
    call victim
    decl %esi
    jnz calling
    CHECK_EQ %eax, 0x1111, "as it was"
    jmp writer
writer:
    movl $0x2222, victim + 1
    call victim
    CHECK_EQ %eax, 0x2222, "as it was written"
    ret

identify:
    movl $CPUIDS, %esi
    jmp identifying
identifying:
    xorl %eax, %eax
    cpuid
    decl %esi
    jnz identifying
    ret

one:
    ret
two:
    ret
look_up:
    movl $LOOKUPS, %esi
looking:
    movl $one, %ebx
    testl $1, %esi
    jz caller
    movl $two, %ebx
    jmp caller
caller:
    call *%ebx
    decl %esi
    jnz looking
    ret

/* A page fault in the middle of a block. */
fault:
    TRY
    jmp faulting
faulting:
    movl $5, %ecx
    addl $7, %ecx
faults:
    movl UNMAPPED, %edx
    addl $1, %ecx
    EXPECT PF, 0, "load from a page that is not there"
    CHECK_EQ fault_eip, faults, "EIP of the load"
    ret

/* Each round a new one is translated: another instruction, not just another operand. */
versions:
    movl $VERSIONS, %esi
    xorl %eax, %eax
versioning:
    movb $INC_EAX, version
    call version
    movb $DEC_EAX, version
    call version
    decl %esi
    jnz versioning
    CHECK_EQ %eax, 0, "each version ran"
    ret
    .balign 64
version:
    nop
    ret

paging_on:
    MAP_4MIB
    movl $0, PTE(UNMAPPED)
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $CR0_PG, %eax
    movl %eax, %cr0
    ret
