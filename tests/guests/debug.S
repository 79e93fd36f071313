/* Debug exceptions: SDM 3B chapter 17: DR6 and DR7 (17.2), instruction breakpoints and RF (17.3.1.1), data and I/O
 * breakpoints (17.3.1.2), general detect (17.3.1.3), single step (17.3.1.4); MOV SS (SDM 3A 6.8.3). */
#include "guest.h"

.macro LOG entry, eip, dr6, name
    CHECK_EQ (log + (\entry) * 8), (\eip), "\name: EIP"
    CHECK_EQ (log + (\entry) * 8 + 4), (\dr6), "\name: DR6"
.endm
.macro COUNT want, name
    CHECK_EQ count, \want, "\name: number of #DB"
.endm
/* 17.3.1.1 lists what is pushed for RF. */
.macro RF_PUSHED bit, name
    movl flags, %eax
    shrl $16, %eax
    andl $1, %eax
    CHECK_EQ %eax, \bit, "RF pushed by \name"
.endm
.macro START
    call clear
    movl $0, count
.endm
.macro SET_DR n, value
    movl $(\value), %eax
    movl %eax, %dr\n
.endm
#define BS 0x4000
#define BD 0x2000
/* DR7: enable n (global), R/W, LEN */
/* as(1) gives << and * the same precedence. */
#define EXEC(n) (2 << ((n) * 2))
#define BREAK(n, rw, len) (EXEC(n) | ((rw) << (16 + (n) * 4)) | ((len) << (18 + (n) * 4)))
#define ON_WRITE 1
#define ON_IO 2
#define ON_ACCESS 3

    .text
    .globl guest_main
guest_main:
    movl $on_debug, hooks + DB * 4
    call registers
    call stepping
    call execution
    call data
    call data_wide
    call strings
    call ports
    call detect
    call mixed
    ret

/* Logs EIP and DR6's bits, clears DR6, and sets RF, without which an instruction breakpoint would strike again. */
on_debug:
    movl count, %ecx
    cmpl $31, %ecx
    ja 1f
    movl 52(%ebp), %eax
    movl %eax, log(, %ecx, 8)
    movl %dr6, %eax
    andl $0xe00f, %eax
    movl %eax, log + 4(, %ecx, 8)
1:  incl count
    movl 60(%ebp), %eax
    movl %eax, flags
    orl $FL_RF, 60(%ebp)
    movl %dr7, %eax
    movl %eax, seen_dr7
    xorl %eax, %eax
    movl %eax, %dr6
    ret
clear:
    pushl %eax
    SET_DR 7, 0x400
    xorl %eax, %eax
    movl %eax, %dr6
    popl %eax
    ret

registers:
    movl %dr6, %eax
    CHECK_EQ %eax, 0xffff0ff0, "DR6 after reset"
    movl %dr7, %eax
    CHECK_EQ %eax, 0x400, "DR7 after reset"
    SET_DR 6, 0x0000e00f
    movl %dr6, %eax
    CHECK_EQ %eax, 0xffffefff, "DR6: fixed bits"
    SET_DR 6, 0
    SET_DR 7, 0x0
    movl %dr7, %eax
    CHECK_EQ %eax, 0x400, "DR7: fixed bits"
    SET_DR 3, 0x12345678
    movl %dr3, %eax
    CHECK_EQ %eax, 0x12345678, "DR3"
    /* Without CR4.DE, DR4 and DR5 are DR6 and DR7. */
    movl %cr4, %ecx
    andl $~CR4_DE, %ecx
    movl %ecx, %cr4
    TRY
    movl %dr5, %eax
    DONE "DR5 without CR4.DE"
    CHECK_EQ %eax, 0x400, "DR5 is DR7"
    orl $CR4_DE, %ecx
    movl %ecx, %cr4
    TRY
    movl %dr5, %eax
    EXPECT UD, 0, "DR5 with CR4.DE"
    TRY
    movl %eax, %dr4
    EXPECT UD, 0, "DR4 with CR4.DE"
    ret

stepping:
    START
    STEP_ON
1:  nop
2:  addl $0, %eax
3:  pushfl
4:  popl %ebx
5:  STEP_OFF
6:  nop
    COUNT 7, "single step"
    LOG 0, 2b, BS, "after the first instruction"
    LOG 1, 3b, BS, "after the second"
    LOG 2, 4b, BS, "after PUSHF"
    LOG 3, 5b, BS, "after POP"
    andl $FL_TF, %ebx
    CHECK_EQ %ebx, FL_TF, "PUSHF shows TF"
    LOG 6, 6b, BS, "after the POPF that clears TF"
    /* A jump and a call. */
    START
    STEP_ON
    jmp 1f
    nop
1:  call 2f
3:  STEP_OFF
4:  jmp 5f
2:  ret
5:  LOG 0, 1b, BS, "JMP"
    LOG 1, 2b, BS, "CALL"
    LOG 2, 3b, BS, "RET"
    /* A repeated string instruction: after every turn. */
    START
    movl $SCRATCH, %edi
    movl $3, %ecx
    STEP_ON
1:  rep stosb
2:  STEP_OFF
    COUNT 6, "REP STOSB"
    LOG 0, 1b, BS, "after the first turn"
    LOG 1, 1b, BS, "after the second"
    LOG 2, 2b, BS, "after the last"
    /* MOV SS: the trap after it is lost; so is that of POP SS. */
    START
    movl %ss, %ebx
    STEP_ON
    movl %ebx, %ss
1:  nop
2:  nop
3:  pushl %ss
4:  popl %ss
5:  nop
6:  STEP_OFF
    COUNT 7, "MOV SS"
    LOG 0, 2b, BS, "MOV SS: after the next instruction"
    LOG 1, 3b, BS, "MOV SS: then as always"
    LOG 2, 4b, BS, "PUSH SS"
    LOG 3, 6b, BS, "POP SS: after the next instruction"
    /* INT n clears TF and leaves no trap behind; the handler's IRET brings TF back, and the trap comes after the
     * instruction it returns to. */
    START
    SET_IDT 0x50, CODE0, bare_iret, 0x8e
    STEP_ON
    int $0x50
1:  nop
2:  STEP_OFF
    COUNT 4, "INT n"
    LOG 0, 2b, BS, "INT n"
    /* An instruction that faults has not completed: no trap, and TF is in the image. */
    START
    TRY
    STEP_ON
    ud2
    EXPECT UD, 0, "UD2 with TF"
    COUNT 0, "a fault"
    testl $FL_TF, fault_eflags
    setnz %al
    movzbl %al, %eax
    CHECK_EQ %eax, 1, "a fault: TF in the image"
    /* STI and HLT are no exceptions to the rule. */
    START
    STEP_ON
    sti
1:  nop
2:  cli
3:  STEP_OFF
    LOG 0, 1b, BS, "STI"
    LOG 1, 2b, BS, "after STI"
    ret
bare_iret:
    iret

execution:
    START
    SET_DR 0, 1f
    SET_DR 7, EXEC(0)
    xorl %ebx, %ebx
    incl %ebx
1:  incl %ebx
    incl %ebx
    COUNT 1, "instruction breakpoint"
    LOG 0, 1b, 1, "before the instruction"
    CHECK_EQ %ebx, 3, "each instruction ran once"
    RF_PUSHED 0, "an instruction breakpoint"
    /* In a loop, each time. */
    START
    SET_DR 2, 1f
    SET_DR 7, EXEC(2)
    movl $5, %ecx
    nop
1:  addl $1, %ebx
    loop 1b
    COUNT 5, "instruction breakpoint in a loop"
    LOG 4, 1b, 4, "the fifth time"
    /* Local enable does as well; not enabled: nothing. */
    START
    SET_DR 1, 1f
    SET_DR 7, 4
1:  nop
    COUNT 1, "local enable"
    START
    SET_DR 1, 1f
    SET_DR 7, 0x30
1:  nop
    COUNT 0, "another one is enabled"
    /* It must be the first byte, prefixes included. */
    START
    SET_DR 0, (1f + 1)
    SET_DR 7, EXEC(0)
1:  .byte 0x66
    nop
    COUNT 0, "in the middle of an instruction"
    /* RF by IRET: skips one, for one instruction. */
    START
    SET_DR 0, 1f
    SET_DR 7, EXEC(0)
    pushl $(FL_RF | FL_1)
    pushl %cs
    pushl $1f
    iret
1:  nop
    pushfl
    popl %ebx
    COUNT 0, "IRET with RF"
    andl $FL_RF, %ebx
    CHECK_EQ %ebx, 0, "RF is gone after one instruction"
    movl $2, %ecx
2:  jmp 1f
    nop
1:  START
    SET_DR 0, 1f
    SET_DR 7, EXEC(0)
    pushl $(FL_RF | FL_1)
    popfl
1:  nop
    COUNT 1, "POPF does not set RF"
    /* MOV SS holds it off. */
    START
    SET_DR 0, 1f
    SET_DR 7, EXEC(0)
    movl %ss, %ebx
    movl %ebx, %ss
1:  nop
    COUNT 0, "right after MOV SS"
    call clear
    ret

data:
    START
    SET_DR 1, SCRATCH
    SET_DR 7, BREAK(1, ON_WRITE, 3)
    movl $1, SCRATCH
1:  movl SCRATCH, %ebx
    COUNT 1, "write breakpoint"
    LOG 0, 1b, 2, "after the write"
    RF_PUSHED 0, "a trap"
    movb $1, SCRATCH + 4
    movb $1, SCRATCH - 1
    COUNT 1, "beside it"
    movb $1, SCRATCH + 3
    COUNT 2, "its last byte"
    movl $1, SCRATCH - 3
    COUNT 3, "a write that overlaps"
    addl $1, SCRATCH
    COUNT 4, "read-modify-write"
    xchgl %ebx, SCRATCH
    COUNT 5, "XCHG"
    pushl SCRATCH
    popl SCRATCH
    COUNT 6, "POP to memory"
    START
    SET_DR 1, (SCRATCH + 1)
    SET_DR 7, BREAK(1, ON_ACCESS, 0)
    movb SCRATCH, %bl
    COUNT 0, "one byte: not its neighbour"
    movb SCRATCH + 1, %bl
1:  nop
    COUNT 1, "access breakpoint: a read"
    LOG 0, 1b, 2, "after the read"
    movl %ebx, SCRATCH
    COUNT 2, "access breakpoint: a write"
    pushl SCRATCH
    popl %ebx
    COUNT 3, "PUSH of memory"
    /* Addresses are aligned to the length. */
    START
    SET_DR 0, (SCRATCH + 3)
    SET_DR 7, BREAK(0, ON_WRITE, 3)
    movb $1, SCRATCH
    COUNT 1, "low address bits are ignored"
    START
    SET_DR 0, (SCRATCH + 2)
    SET_DR 7, BREAK(0, ON_WRITE, 1)
    movb $1, SCRATCH + 1
    movb $1, SCRATCH + 4
    COUNT 0, "two bytes: beside"
    movw $1, SCRATCH + 3
    COUNT 1, "two bytes: overlap"
    /* The stack. */
    START
    movl %esp, %eax
    subl $4, %eax
    movl %eax, %dr3
    SET_DR 7, BREAK(3, ON_WRITE, 3)
    pushl $1
1:  popl %ebx
    COUNT 1, "PUSH"
    LOG 0, 1b, 8, "after PUSH"
    call clear
    ret

data_wide:
    fninit
    movl %cr4, %eax
    orl $CR4_OSFXSR, %eax
    movl %eax, %cr4
    START
    SET_DR 0, (SCRATCH + 8)
    SET_DR 7, BREAK(0, ON_WRITE, 3)
    fldz
    fstpt SCRATCH
1:  nop
    COUNT 1, "FSTP of 10 bytes"
    LOG 0, 1b, 1, "after FSTP"
    movups %xmm0, SCRATCH
    COUNT 2, "MOVUPS"
    fldt SCRATCH
    COUNT 2, "FLD only reads"
    fstp %st(0)
    fnstenv SCRATCH
    COUNT 3, "FNSTENV"
    call clear
    ret

strings:
    START
    SET_DR 0, (SCRATCH + 2)
    SET_DR 7, BREAK(0, ON_WRITE, 0)
    movl $SCRATCH, %edi
    movl $5, %ecx
1:  rep stosb
2:  nop
    COUNT 1, "REP STOSB"
    LOG 0, 1b, 1, "between two turns"
    RF_PUSHED 1, "a trap between two turns"
    CHECK_EQ %ecx, 0, "goes on to its end"
    CHECK_EQ %edi, (SCRATCH + 5), "and writes all"
    START
    SET_DR 0, (SCRATCH + 4)
    SET_DR 7, BREAK(0, ON_ACCESS, 0)
    movl $SCRATCH, %esi
    movl $SCRATCH + 0x100, %edi
    movl $5, %ecx
    rep movsb
2:  nop
    COUNT 1, "REP MOVSB, source, the last turn"
    LOG 0, 2b, 1, "after it"
    RF_PUSHED 0, "a trap after the last turn"
    call clear
    ret

ports:
    movl %cr4, %eax
    orl $CR4_DE, %eax
    movl %eax, %cr4
    START
    SET_DR 2, 0x80
    SET_DR 7, BREAK(2, ON_IO, 0)
    outb %al, $0x80
1:  nop
    COUNT 1, "OUT"
    LOG 0, 1b, 4, "after OUT"
    inb $0x81, %al
    COUNT 1, "another port"
    inb $0x80, %al
    COUNT 2, "IN"
    call clear
    ret

detect:
    START
    movl $0x2400, %eax
    movl %eax, %dr7
1:  movl %dr0, %eax
    COUNT 1, "general detect"
    LOG 0, 1b, BD, "before MOV from DR0"
    movl seen_dr7, %eax
    CHECK_EQ %eax, 0x400, "GD is clear in the handler"
    movl %dr7, %eax
    CHECK_EQ %eax, 0x400, "and after it"
    call clear
    ret

mixed:
    /* Two at once, and single step with a data breakpoint. */
    START
    SET_DR 0, SCRATCH
    SET_DR 3, (SCRATCH + 2)
    SET_DR 7, (BREAK(0, ON_WRITE, 3) | BREAK(3, ON_ACCESS, 1))
    movl $7, SCRATCH
1:  nop
    COUNT 1, "two data breakpoints"
    LOG 0, 1b, 9, "both bits"
    START
    SET_DR 0, SCRATCH
    SET_DR 7, BREAK(0, ON_WRITE, 3)
    STEP_ON
    movl $7, SCRATCH
1:  STEP_OFF
    LOG 0, 1b, (BS + 1), "single step and data breakpoint"
    /* Instruction breakpoint on an instruction that is stepped over: first the trap of the one before, in
     * the same #DB. */
    START
    SET_DR 0, 1f
    SET_DR 7, EXEC(0)
    STEP_ON
    nop
1:  nop
2:  STEP_OFF
    CHECK_EQ log, 1b, "step onto a breakpoint: EIP"
    /* A data breakpoint on the instruction that faults: nothing was written. */
    START
    SET_DR 0, SCRATCH
    SET_DR 7, BREAK(0, ON_ACCESS, 3)
    TRY
    movl SCRATCH, %eax
    ud2
    EXPECT UD, 0, "then #UD"
    COUNT 1, "a read, then #UD"
    /* MOV SS with its operand watched: the trap comes with the next instruction. */
    START
    movl $DATA0, SCRATCH
    SET_DR 0, SCRATCH
    SET_DR 7, BREAK(0, ON_ACCESS, 1)
    movw SCRATCH, %ss
1:  nop
2:  nop
    COUNT 1, "MOV SS from watched memory"
    LOG 0, 2b, 1, "after the next instruction"
    call clear
    ret

    .bss
    .balign 4
log: .skip 32 * 8
count: .skip 4
flags: .skip 4
seen_dr7: .skip 4
