/* System management mode: SDM 3C chapter 34: entry (34.4, table 34-4), the state save map (34.4.1), RSM (34.3.2), the
 * auto HALT and SMBASE fields (34.10, 34.11).  The SMI comes from port B2h of a PIIX4, which must be told to raise one;
 * boards that have none are skipped. */
#include "guest.h"

#define SMBASE 0x30000
#define NEW_SMBASE 0x40000
#define PCI_DEVACTB 0x80000b58 /* bus 0, device 1, function 3: PIIX4 power management; bit 25: APMC_EN */
#define PCI_PMBASE  0x80000b40
#define GLBCTL      0x28 /* from PMBASE; bit 0: SMI_EN */

#define SMRAM_SMBASE  0xa0000
#define SMRAM_HANDLER 0xa8000
#define SMRAM_WORD    0xa9000

    .macro SMRAM_CONTROL value
    movl $0x80000070, %eax /* host bridge, register 72h */
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfe, %dx
    movb $\value, %al
    outb %al, %dx
    .endm

    .text
    .globl guest_main
guest_main:
    TRY
    rsm
    EXPECT UD, 0, "RSM outside of SMM"
    movl $PCI_DEVACTB, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    orl $(1 << 25), %eax
    outl %eax, %dx
    movl $PCI_PMBASE, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    andl $0xffc0, %eax
    leal GLBCTL(%eax), %edx
    inl %dx, %eax
    orl $1, %eax
    outl %eax, %dx
    movl $handler, %esi
    movl $SMBASE + 0x8000, %edi
    movl $handler_end - handler, %ecx
    rep movsb
    movl $0, seen
    movl $0x12345678, %ebx
    movl $0x87654321, %edi
    movb $0x77, %al
    stc
    outb %al, $0xb2
    nop
    setc %al
    cmpl $0, seen
    jne 1f
    SKIP_ALL "the board raises no SMI at port B2h"
1:  movzbl %al, %eax
    CHECK_EQ %eax, 1, "flags come back"
    CHECK_EQ %ebx, 0x12345678, "EBX comes back"
    CHECK_EQ %edi, 0x11112222, "EDI as the handler has changed it"
    CHECK_EQ seen, 1, "one SMI"
    CHECK_EQ seen_cs, 0x3000, "CS in SMM"
    CHECK_EQ seen_cr0, 0, "CR0: PE, EM, TS, PG"
    CHECK_EQ seen_dr7, 0x400, "DR7 in SMM"
    CHECK_EQ saved_ebx, 0x12345678, "EBX in the map"
    movl saved_cr0, %eax
    andl $1, %eax
    CHECK_EQ %eax, 1, "CR0 in the map"
    movl %cr0, %eax
    andl $1, %eax
    CHECK_EQ %eax, 1, "CR0 after RSM"
    movl %ds, %eax
    CHECK_EQ %eax, DATA0, "DS"
    movl %cs, %eax
    CHECK_EQ %eax, CODE0, "CS"
    /* The handler has moved SMBASE. */
    movl $handler2, %esi
    movl $NEW_SMBASE + 0x8000, %edi
    movl $handler2_end - handler2, %ecx
    rep movsb
    outb %al, $0xb2
    nop
    CHECK_EQ seen, 0x100, "the second handler, at the new SMBASE"
    CHECK_EQ seen_cs, 0x4000, "CS there"

    /* The third handler is in SMRAM, and has the host bridge close that to data (82441FX data sheet, 3.2.24: D_CLS):
     * its code runs on, what it reads is the display's or nobody's, and its stores do not get there. */
    SMRAM_CONTROL 0x4a
    movl $SMRAM_HANDLER, %edi
    movl $0x5a5a5a5a, SMRAM_WORD
    movl $handler3, %esi
    movl $handler3_end - handler3, %ecx
    rep movsb
    SMRAM_CONTROL 0x0a
    /* Enter at a0000h + 8000h: the second handler's successor moves SMBASE once more. */
    movl $handler_move, %esi
    movl $NEW_SMBASE + 0x8000, %edi
    movl $handler_move_end - handler_move, %ecx
    rep movsb
    outb %al, $0xb2
    nop
    movl $0, seen
    outb %al, $0xb2
    nop
    CHECK_EQ seen, 0x1000, "the handler in SMRAM"
    CHECK_EQ open_word, 0x5a5a5a5a, "it reads SMRAM"
    movl closed_word, %eax
    xorl $0x5a5a5a5a, %eax
    negl %eax
    sbbl %eax, %eax
    CHECK_EQ %eax, -1, "D_CLS: its data is another memory's"
    CHECK_EQ again_word, 0x5a5a5a5a, "which a store went to"
    ret

/* Runs at SMBASE + 8000h in 16-bit code with 4 GiB segments. */
    .data
    .code16
handler:
    movl $seen, %esi
    incl (%esi)
    movl $(SMBASE + 0x8000 + 0x7f00), %ebx /* the state save map's upper end */
    movw %cs, %ax
    movzwl %ax, %eax
    movl %eax, (seen_cs - seen)(%esi)
    movl %cr0, %eax
    andl $(CR0_PE | CR0_EM | CR0_TS | CR0_PG), %eax
    movl %eax, (seen_cr0 - seen)(%esi)
    movl %dr7, %eax
    movl %eax, (seen_dr7 - seen)(%esi)
    movl 0xdc(%ebx), %eax /* 7fdch: EBX */
    movl %eax, (saved_ebx - seen)(%esi)
    movl 0xfc(%ebx), %eax /* 7ffch: CR0 */
    movl %eax, (saved_cr0 - seen)(%esi)
    movl $0x11112222, 0xec(%ebx) /* 7fech: EDI */
    movl $NEW_SMBASE, -8(%ebx) /* 7ef8h: SMBASE */
    rsm
handler_end:
handler2:
    movl $seen, %esi
    movl $0x100, (%esi)
    movw %cs, %ax
    movzwl %ax, %eax
    movl %eax, (seen_cs - seen)(%esi)
    rsm
handler2_end:
handler_move:
    movl $(NEW_SMBASE + 0x8000 + 0x7f00), %ebx
    movl $SMRAM_SMBASE, -8(%ebx)
    rsm
handler_move_end:
handler3:
    movl $seen, %esi
    movl $SMRAM_WORD, %ebx
    movl (%ebx), %eax
    movl %eax, (open_word - seen)(%esi)
    SMRAM_CONTROL 0x2a
    movl (%ebx), %eax
    movl %eax, (closed_word - seen)(%esi)
    movl $0x12121212, (%ebx)
    SMRAM_CONTROL 0x0a
    movl (%ebx), %eax
    movl %eax, (again_word - seen)(%esi)
    movl $0x1000, (%esi)
    rsm
handler3_end:
    .code32

    .bss
    .balign 4
seen: .skip 4
seen_cs: .skip 4
seen_cr0: .skip 4
seen_dr7: .skip 4
saved_ebx: .skip 4
saved_cr0: .skip 4
open_word: .skip 4
closed_word: .skip 4
again_word: .skip 4
