/* SYSENTER and SYSEXIT: SDM 2B; SYSCALL where 32-bit mode has it (APM 3), UMIP and TSD, RDMSR and WRMSR faults. */
#include "guest.h"

#define SEP_CS 0x174
#define SEP_ESP 0x175
#define SEP_EIP 0x176
#define BASE (FREE_SEL + 0x00) /* CS0 SS0 CS3 SS3 in a row */

.macro WRITE_MSR msr, value
    movl $\msr, %ecx
    movl $(\value), %eax
    xorl %edx, %edx
    wrmsr
.endm

    .text
    .globl guest_main
guest_main:
    movl $1, %eax
    cpuid
    testl $(1 << 11), %edx
    jnz 1f
    SKIP_ALL "no SYSENTER"
1:  call not_set_up
    call enter_and_exit
    call msr_faults
    call time_stamp
    ret

not_set_up:
    WRITE_MSR SEP_CS, 0
    TRY
    USER
    sysenter
    EXPECT GP, 0, "SYSENTER, CS = 0"
    TRY
    sysexit
    EXPECT GP, 0, "SYSEXIT, CS = 0"
    WRITE_MSR SEP_CS, 3
    TRY
    USER
    sysenter
    EXPECT GP, 0, "SYSENTER, CS = null with RPL 3"
    ret

enter_and_exit:
    SET_DESC BASE, 0, 0xfffff, 0x9b, 0xc
    SET_DESC BASE + 8, 0, 0xfffff, 0x93, 0xc
    SET_DESC BASE + 16, 0, 0xfffff, 0xfb, 0xc
    SET_DESC BASE + 24, 0, 0xfffff, 0xf3, 0xc
    WRITE_MSR SEP_CS, BASE
    WRITE_MSR SEP_ESP, sep_stack_top
    WRITE_MSR SEP_EIP, kernel_entry
    movl $SEP_EIP, %ecx
    rdmsr
    CHECK_EQ %eax, kernel_entry, "MSR reads back"
    TRY
    USER (FL_IOPL | FL_IF | FL_DF | FL_CF | FL_1)
    movl %esp, %ecx
    movl $user_next, %edx
    sysenter
user_next:
    movl %cs, %esi
    movl %ss, %edi
    movl %esp, %ebx
    pushfl
    popl %ebp
    END_USER
    DONE "SYSENTER and SYSEXIT"
    CHECK_EQ seen_cs, BASE, "CS in the kernel"
    CHECK_EQ seen_ss, (BASE + 8), "SS in the kernel"
    CHECK_EQ seen_esp, sep_stack_top, "ESP in the kernel"
    CHECK_EQ seen_ds, DATA3, "DS is not touched"
    andl $(FL_IOPL | FL_IF | FL_DF | FL_CF), seen_flags
    CHECK_EQ seen_flags, (FL_IOPL | FL_DF | FL_CF), "only IF is cleared"
    CHECK_EQ fault_esi, (BASE + 16 + 3), "CS in ring 3"
    CHECK_EQ fault_edi, (BASE + 24 + 3), "SS in ring 3"
    CHECK_EQ fault_ebx, user_stack_top, "ESP from ECX"
    andl $FL_IF, fault_ebp
    CHECK_EQ fault_ebp, 0, "SYSEXIT does not set IF"
    cld
    /* The descriptors do not matter, only the selectors: segments are flat. */
    SET_DESC BASE, 0x1000, 0, 0, 0
    SET_DESC BASE + 8, 0x1000, 0, 0, 0
    TRY
    USER
    movl %esp, %ecx
    movl $1f, %edx
    sysenter
1:  END_USER
    DONE "with descriptors that are not there"
    TRY
    USER
    movl %esp, %ecx
    movl $1f, %edx
    sysexit
1:  EXPECT GP, 0, "SYSEXIT in ring 3"
    /* From ring 0, too. */
    TRY
    WRITE_MSR SEP_EIP, kernel_direct
    sysenter
kernel_direct:
    movl %cs, %ebx
    ljmp $CODE0, $1f
1:  DONE "SYSENTER in ring 0"
    CHECK_EQ %ebx, BASE, "CS"
    ret
kernel_entry:
    pushfl
    popl %ebx
    movl %ds, %eax
    movl %ebx, seen_flags
    movl %eax, seen_ds
    movl %cs, %eax
    movl %eax, seen_cs
    movl %ss, %eax
    movl %eax, seen_ss
    movl %esp, seen_esp
    sysexit

msr_faults:
    TRY
    movl $0x12345, %ecx
    rdmsr
    EXPECT GP, 0, "RDMSR of one that is not there"
    TRY
    movl $0x12345, %ecx
    wrmsr
    EXPECT GP, 0, "WRMSR of one that is not there"
    TRY
    USER
    movl $SEP_CS, %ecx
    rdmsr
    EXPECT GP, 0, "RDMSR in ring 3"
    TRY
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x10, %eax
    wrmsr
    EXPECT GP, 0, "reserved bit of EFER"
    ret

time_stamp:
    movl %cr4, %eax
    orl $CR4_TSD, %eax
    movl %eax, %cr4
    TRY
    USER
    rdtsc
    EXPECT GP, 0, "RDTSC in ring 3 with TSD"
    TRY
    rdtsc
    movl %eax, %ebx
    movl %edx, %esi
    rdtsc
    subl %ebx, %eax
    sbbl %esi, %edx
    DONE "RDTSC in ring 0"
    sarl $31, %edx
    CHECK_EQ %edx, 0, "it does not go back"
    movl %cr4, %eax
    andl $~CR4_TSD, %eax
    movl %eax, %cr4
    TRY
    USER
    rdtsc
    END_USER
    DONE "RDTSC in ring 3"
    movl $7, %eax
    xorl %ecx, %ecx
    cpuid
    testl $4, %ecx
    jz 1f
    movl %cr4, %eax
    orl $CR4_UMIP, %eax
    movl %eax, %cr4
    .irp insn, "sgdt user_area", "sidt user_area", "sldt %ax", "str %ax", "smsw %ax"
    TRY
    USER
    \insn
    EXPECT GP, 0, "UMIP: \insn"
    .endr
    movl %cr4, %eax
    andl $~CR4_UMIP, %eax
    movl %eax, %cr4
1:  ret

    .bss
    .balign 4
seen_cs: .skip 4
seen_ss: .skip 4
seen_ds: .skip 4
seen_esp: .skip 4
seen_flags: .skip 4
user_area: .skip 8
    .skip 256
sep_stack_top:
