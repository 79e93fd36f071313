/* A triple fault: SDM 3A 6.15, #DF: an exception while delivering #DF shuts the processor down.  The emulator must say
 * so and end with -no-reboot; getting to the end is failure. */
#include "guest.h"
    .text
    .globl guest_main
guest_main:
    movb $0, idt + DF * 8 + 5
    movb $0, idt + GP * 8 + 5
    movb $0, idt + NP * 8 + 5
    nop
    xorl %eax, %eax
    movl %eax, %ds
    movl %ds:0, %eax
    CHECK_EQ %eax, 1, "still running"
    ret
