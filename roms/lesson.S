/* The lesson's guest: what "calque" starts when it is told of nothing to boot, and what doc/how-it-translates.txt looks at.
 *
 * A floppy.  The boot sector reads the rest, sets an 80x25 text screen with colours of its own, and goes to protected mode and
 * paging.  The kernel takes timer (PIT by PIC) and keyboard interrupts, maps pages when they are missed, and draws counters.
 * A program in ring 3 draws a picture, each line of it in a page of its own, with a loop in which it rewrites one
 * instruction now and then.  Between two frames the processor halts.
 *
 * In Intel's syntax, as Calque prints it.  All labels here are functions or places that the lesson speaks of by name; they are
 * built into Calque too (-symbols).  Nothing of it asks for more than 1 MiB of memory, a display or a serial port. */
    .intel_syntax noprefix

/* --- memory, below 640 KiB, and what is mapped elsewhere ----------------------------------------------------- */
    .set BASE, 0x7c00                   /* where the firmware puts the boot sector */
    .set IDT, 0x6000
    .set IDT_ENTRIES, 0x31
    .set TSS, 0x6800
    .set KERNEL_STACK, BASE
    .set DIRECTORY, 0x10000
    .set LOW_TABLE, 0x11000             /* linear = physical, the first 4 MiB */
    .set CANVAS_TABLE, 0x12000
    .set FRAMES, 0x20000                /* HEIGHT pages for the canvas */
    .set USER_DATA, 0x40000
    .set CANVAS, 0x400000               /* linear: a page for each line of the picture */

    .set PAGE, 4096
    .set PRESENT, 1
    .set WRITABLE, 2
    .set USER, 4

/* --- the program's data ---------------------------------------------------------------------------------------- */
    .set WIDTH, 36
    .set HEIGHT, 32
    .set WAVE_LENGTH, 128
    .set wave, USER_DATA
    .set columns, USER_DATA + 0x100
    .set rows, USER_DATA + 0x140
    .set diagonals, USER_DATA + 0x180
    .set time, USER_DATA + 0x200
    .set which, USER_DATA + 0x204       /* of the operations */
    .set rewritten, USER_DATA + 0x208
    .set countdown, USER_DATA + 0x20c   /* frames to the next rewriting */
    .set USER_STACK, USER_DATA + PAGE

    .set CODE0, 0x08
    .set DATA0, 0x10
    .set CODE3, 0x1b
    .set DATA3, 0x23
    .set TSS0, 0x28
    .set FRAME, 0x30                    /* the system call: this frame is ready; EAX: a key was pressed since */

    .set TICKS_PER_FRAME, 4             /* of 100 a second */
    .set REWRITE_FRAMES, 75
    .set TOPIC_FRAMES, 150
    .set OPERATIONS, 5
    .set TOPICS, 6

/* --- the screen --------------------------------------------------------------------------------------------------- */
    .set SCREEN, 0xb8000
    .set LINE, 160
    .set UPPER_HALF, 0xdf               /* foreground above, background below: two square pixels */
    .set SQUARE, 0xfe
    .set GAP, 0xfa
    .set PICTURE, SCREEN + 4 * LINE + 2 * 2
    .set PANEL, 42
    .set NUMBERS, PANEL + 35            /* their last digits */
    .set TITLE, SCREEN + 2 * 2
    .set TITLE_WIDTH, 36
    .set DIM, 8
    .set TEXT, 7
    .set STRONG, 15
    .set HEAD, 14
    .set COMMAND, 11

    .code16
    .text
    .globl _start
_start:
    .byte 0xea                          /* jmp 0:boot; some firmware comes here as 7c0:0 */
    .word boot, 0
boot:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, KERNEL_STACK
    cld
    sti
    mov boot_drive, dl
    mov bx, offset _start + 512
    mov cx, 2                           /* cylinder 0, sector 2 */
    xor dh, dh
load:
    mov si, 3                           /* tries: a real drive may have to start up first */
1:  mov dl, boot_drive
    mov ax, 0x0201
    int 0x13
    jnc 2f
    xor ah, ah
    int 0x13
    dec si
    jnz 1b
    mov si, offset text_unreadable
    jmp complain
2:  add bx, 512
    inc cx
    cmp cl, 18
    jbe 3f
    mov cl, 1
    inc dh
3:  cmp bx, offset image_end
    jb load

/* Colours 0 to 15 by way of DAC registers 0 to 15, which are ours; no blinking, no cursor. */
    mov ax, 3
    int 0x10
    mov ax, 0x1003
    xor bx, bx
    int 0x10
    mov ax, 0x1002
    mov dx, offset palette
    int 0x10
    mov ax, 0x1012
    xor bx, bx
    mov cx, 16
    mov dx, offset colours
    int 0x10
    mov ah, 1
    mov cx, 0x2000
    int 0x10

    cli
    lgdt gdt_pointer
    mov eax, cr0
    or al, 1
    mov cr0, eax
    .byte 0xea
    .word protected, CODE0

complain:
    lodsb
    test al, al
    jz 1f
    mov ah, 0x0e
    xor bx, bx
    int 0x10
    jmp complain
1:  cli
    hlt
    jmp 1b

text_unreadable: .asciz "The lesson's floppy cannot be read.\r\n"
boot_drive: .byte 0

    .balign 4
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff            /* CODE0: flat, as the others */
    .quad 0x00cf92000000ffff
    .quad 0x00cffa000000ffff
    .quad 0x00cff2000000ffff
    .quad 0x0000890000000067 | TSS << 16
gdt_end:

    .org 510
    .word 0xaa55

/* --- ring 3: the picture ------------------------------------------------------------------------------------------- */
/* A page that the program may execute, read, and write. */
    .code32
    .org 0x8000 - BASE
program:
    call make_wave
    mov dword ptr [countdown], REWRITE_FRAMES
    mov dword ptr [which], 0
    mov dword ptr [rewritten], 0
    mov dword ptr [time], 0
forever:
    call draw
    int FRAME
    test eax, eax
    jnz 1f
    dec dword ptr [countdown]
    jnz forever
1:  call rewrite
    jmp forever

/* A sine, nearly: two parabolas, between 0 and 64. */
make_wave:
    xor ecx, ecx
1:  mov eax, 64
    sub eax, ecx
    imul eax, ecx
    shr eax, 5
    mov edx, 32
    sub edx, eax
    add eax, 32
    mov [wave + ecx], al
    mov [wave + 64 + ecx], dl
    inc ecx
    cmp ecx, 64
    jb 1b
    ret

draw:
    mov edx, [time]
    inc dword ptr [time]
    lea eax, [edx + edx]
    mov ebx, 4
    mov edi, offset columns
    mov ecx, WIDTH
    call fill
    mov eax, edx
    neg eax
    mov ebx, 5
    mov edi, offset rows
    mov ecx, HEIGHT
    call fill
    lea eax, [edx + edx * 2]
    mov ebx, 3
    mov edi, offset diagonals
    mov ecx, WIDTH + HEIGHT
    call fill

    mov edi, CANVAS
    xor edx, edx
1:  movzx ebx, byte ptr [rows + edx]
    lea esi, [diagonals + edx]
    call line
    add edi, PAGE
    inc edx
    cmp edx, HEIGHT
    jb 1b
    ret

/* ECX bytes at EDI: the wave from EAX on, in steps of EBX. */
fill:
    and eax, WAVE_LENGTH - 1
    push eax
    mov al, [wave + eax]
    stosb
    pop eax
    add eax, ebx
    loop fill
    ret

/* A line of the picture at EDI; EBX: its wave; ESI: its part of the diagonals. */
line:
    xor ecx, ecx
pixel:
    movzx eax, byte ptr [columns + ecx]
operation:
    add eax, ebx                        /* this instruction is rewritten */
    add al, [esi + ecx]
store:
    mov [edi + ecx], al                 /* and this one may fault */
    inc ecx
    cmp ecx, WIDTH
    jb pixel
    ret

rewrite:
    mov eax, [which]
    inc eax
    cmp eax, OPERATIONS
    jb 1f
    xor eax, eax
1:  mov [which], eax
    mov al, [opcodes + eax]
    mov [operation], al
    inc dword ptr [rewritten]
    mov dword ptr [countdown], REWRITE_FRAMES
    ret

opcodes: .byte 0x01, 0x29, 0x31, 0x21, 0x09     /* add, sub, xor, and, or: eax, ebx */

/* --- ring 0: the kernel ------------------------------------------------------------------------------------------ */
    .org 0x9000 - BASE
protected:
    mov eax, DATA0
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov esp, KERNEL_STACK
    call set_paging
    call set_interrupts
    call set_serial
    call draw_screen
    mov esi, offset text_hello
    call say
    push DATA3
    push USER_STACK
    push 0x202                          /* EFLAGS: IF */
    push CODE3
    mov eax, offset program
    push eax
    mov eax, DATA3
    mov ds, eax
    mov es, eax
    iretd

set_paging:
    mov edi, DIRECTORY
    mov ecx, 3 * PAGE / 4
    xor eax, eax
    rep stosd
    mov dword ptr [DIRECTORY], LOW_TABLE + PRESENT + WRITABLE + USER
    mov dword ptr [DIRECTORY + CANVAS / (1024 * PAGE) * 4], CANVAS_TABLE + PRESENT + WRITABLE + USER
    mov edi, LOW_TABLE
    mov eax, PRESENT + WRITABLE
1:  stosd
    add eax, PAGE
    cmp eax, 1024 * PAGE
    jb 1b
    or dword ptr [LOW_TABLE + USER_DATA / PAGE * 4], USER
    mov eax, offset program
    shr eax, 12
    or dword ptr [LOW_TABLE + eax * 4], USER
    mov eax, DIRECTORY
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000                  /* PG, WP */
    mov cr0, eax
    ret

set_interrupts:
    mov edi, IDT
    mov ecx, IDT_ENTRIES
    mov eax, offset unexpected
1:  call set_gate
    loop 1b
    mov edi, IDT + 14 * 8
    mov eax, offset page_fault
    call set_gate
    mov edi, IDT + 0x20 * 8
    mov eax, offset timer
    call set_gate
    mov eax, offset keyboard
    call set_gate
    mov edi, IDT + 0x27 * 8
    mov eax, offset spurious
    call set_gate
    mov edi, IDT + FRAME * 8
    mov eax, offset frame
    call set_gate
    mov byte ptr [IDT + FRAME * 8 + 5], 0xee    /* for ring 3, too */
    lidt idt_pointer

    mov edi, TSS
    mov ecx, 26
    xor eax, eax
    rep stosd
    mov dword ptr [TSS + 4], KERNEL_STACK
    mov dword ptr [TSS + 8], DATA0
    mov word ptr [TSS + 102], 104       /* no I/O bitmap */
    mov ax, TSS0
    ltr ax

/* 8259: the first at vectors 20h, the second at 28h; timer and keyboard only.  8254: mode 2, 1193182 Hz / 11932. */
    mov esi, offset port_values
1:  movzx edx, word ptr [esi]
    mov al, [esi + 2]
    out dx, al
    add esi, 3
    cmp esi, offset .Lport_values_end
    jb 1b
    ret

.macro PORT port, value
    .word \port
    .byte \value
.endm
port_values:
    PORT 0x20, 0x11
    PORT 0x21, 0x20
    PORT 0x21, 0x04
    PORT 0x21, 0x01
    PORT 0x21, 0xfc
    PORT 0xa0, 0x11
    PORT 0xa1, 0x28
    PORT 0xa1, 0x02
    PORT 0xa1, 0x01
    PORT 0xa1, 0xff
    PORT 0x43, 0x34
    PORT 0x40, 11932 & 0xff
    PORT 0x40, 11932 >> 8
.Lport_values_end:

/* An interrupt gate at EDI to EAX; EDI to the next one. */
set_gate:
    mov [edi], ax
    mov word ptr [edi + 2], CODE0
    mov word ptr [edi + 4], 0x8e00
    ror eax, 16
    mov [edi + 6], ax
    ror eax, 16
    add edi, 8
    ret

idt_pointer:
    .word IDT_ENTRIES * 8 - 1
    .long IDT

/* --- interrupts and exceptions ---------------------------------------------------------------------------------- */
timer:
    push eax
    inc dword ptr [ticks]
    movzx eax, byte ptr [asleep]
    add [ticks_asleep], eax
    mov al, 0x20
    out 0x20, al
    pop eax
spurious:
    iretd

keyboard:
    push eax
    in al, 0x60
    shr al, 7                           /* released? */
    xor al, 1
    or [key], al
    mov al, 0x20
    out 0x20, al
    pop eax
    iretd

/* A line of the picture that is not there gets a page. */
page_fault:
    push eax
    push edx
    mov eax, cr2
    sub eax, CANVAS
    shr eax, 12
    cmp eax, HEIGHT
    jae unexpected
    mov edx, eax
    shl edx, 12
    add edx, FRAMES + PRESENT + WRITABLE + USER
    mov [CANVAS_TABLE + eax * 4], edx
    mov byte ptr [age + eax], 0
    inc dword ptr [faults]
    pop edx
    pop eax
    add esp, 4                          /* the error code */
    iretd

unexpected:
    mov esi, offset text_unexpected
    call say
1:  cli
    hlt
    jmp 1b

/* The system call. */
frame:
    sti
    pushad
    inc dword ptr [frames]
    call show_picture
    call take_page
    call show_pages
    call show_counters
    call show_topic
    call show_operation
    mov byte ptr [asleep], 1
1:  cli
    mov eax, [ticks]
    cmp eax, [next_frame]
    jae 2f
    sti
    hlt
    jmp 1b
2:  mov byte ptr [asleep], 0
    add eax, TICKS_PER_FRAME
    mov [next_frame], eax
    movzx eax, byte ptr [key]
    mov [esp + 28], eax                 /* EAX of popad */
    mov byte ptr [key], 0
    popad
    iretd

/* Every second frame one line loses its page, in turn. */
take_page:
    mov eax, [frames]
    shr eax, 1
    jc 1f
    and eax, HEIGHT - 1
    mov dword ptr [CANVAS_TABLE + eax * 4], 0
    shl eax, 12
    invlpg [CANVAS + eax]
1:  ret

#include "lesson_shows.S"

/* --- data --------------------------------------------------------------------------------------------------------- */
    .balign 4
ticks: .long 0
ticks_asleep: .long 0
next_frame: .long 0
frames: .long 0
faults: .long 0
operation_text: .long operation_texts
asleep: .byte 0
key: .byte 0
shown_operation: .byte 0
age: .fill HEIGHT, 1, 15
ages: .byte 15, 15, 14, 14, 6, 6, 12, 12, 4, 4, 13, 13, 5, 5, 9, 9

palette: .byte 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0
/* Red, green, blue, 0 to 63.  From 1 by 9, 5, 13, 4, 12, 6, 14 to 15 they rise from night to noon, and so, more coarsely, do
 * a terminal's own. */
colours:
    .byte 2, 3, 8,      9, 9, 27,       16, 50, 36,     12, 34, 44      /* ground, 1, 2, 3 */
    .byte 51, 15, 37,   27, 12, 43,     62, 35, 19,     45, 48, 55      /* 4, 5, 6, text */
    .byte 22, 25, 34,   16, 12, 38,     22, 56, 40,     24, 53, 60      /* dim, 9, 10, command */
    .byte 60, 23, 27,   41, 12, 44,     63, 50, 22,     63, 61, 52      /* 12, 13, head, strong */
gradient:
    .byte 1, 1, 1, 9, 9, 5, 5, 13, 13, 4, 4, 12, 12, 6, 6, 14
    .byte 15, 14, 6, 6, 12, 12, 4, 4, 13, 13, 5, 5, 9, 9, 1, 1

title_colours: .byte 15, 14, 6, 12, 4, 13
title:
    .ascii "                                    "
    .ascii " #### ###  #      ###  #   # #####  "
    .ascii "#     #  # #     #   # #   # #      "
    .ascii "#     #### #     #   # #   # ####   "
    .ascii "#     #  # #     #  ## #   # #      "
    .ascii " #### #  # #####  ####  ###  #####  "

    .balign 16
operation_texts: /* 16 bytes each, in the order of opcodes */
    .asciz "add eax, ebx"
    .balign 16
    .asciz "sub eax, ebx"
    .balign 16
    .asciz "xor eax, ebx"
    .balign 16
    .asciz "and eax, ebx"
    .balign 16
    .asciz "or  eax, ebx"

.macro AT row, column, colour, text
    .word (\row) * LINE + (\column) * 2
    .byte \colour
    .asciz "\text"
.endm
texts:
    AT 1, PANEL, STRONG, "A PC in software"
    AT 2, PANEL, DIM, "and the guest it carries in itself"
    AT 4, PANEL, TEXT, "Frames, drawn in ring 3"
    AT 5, PANEL, TEXT, "Timer interrupts"
    AT 6, PANEL, TEXT, "Time asleep, in percent"
    AT 8, PANEL, TEXT, "Page faults mended"
    AT 11, PANEL, TEXT, "Code rewritten"
    AT 21, 2, HEAD, "Boot something real"
    AT 21, 22, COMMAND, "calque disk.img"
    AT 21, PANEL, COMMAND, "calque -cdrom debian.iso"
    AT 22, 2, HEAD, "See it translate"
    AT 22, 22, COMMAND, "calque explain 01d8"
    AT 22, PANEL, COMMAND, "calque -lesson -d out_asm -D log"
    AT 23, 2, HEAD, "Learn how"
    AT 23, 22, COMMAND, "man calque"
    AT 23, PANEL, COMMAND, "less doc/how-it-translates.txt"
    .word 0xffff

    .balign 4
topics: .long topic_picture, topic_fault, topic_code, topic_timer, topic_asleep, topic_keys
topic_picture:
    .asciz "The picture"
    .asciz "A program in ring 3 draws it, over"
    .asciz "and over.  The loop is seven"
    .asciz "instructions; each became itself,"
    .asciz "with checks of its pages before it."
    .asciz ""
topic_fault:
    .asciz "A page fault in the middle"
    .asciz "Each line of the picture is a page."
    .asciz "One after the other is taken away:"
    .asciz "the store in the loop faults, the"
    .asciz "handler maps the page, and the loop"
    .asciz "goes on where it was."
topic_code:
    .asciz "Code that changes"
    .asciz "The second instruction of the loop"
    .asciz "is written anew as it runs.  The"
    .asciz "store finds that it has hit code;"
    .asciz "the block goes, and the next turn"
    .asciz "makes another one."
topic_timer:
    .asciz "Timer interrupts"
    .asciz "A hundred times a second the timer"
    .asciz "interrupts.  Blocks ask for that"
    .asciz "where they jump backwards, and so"
    .asciz "each interrupt finds the processor"
    .asciz "between two instructions."
topic_asleep:
    .asciz "Asleep"
    .asciz "When a frame is ready the processor"
    .asciz "executes HLT until the next one is"
    .asciz "due, and Calque sleeps as well:"
    .asciz "look how little of your machine's"
    .asciz "time it takes."
topic_keys:
    .asciz "Keys"
    .asciz "Any key rewrites the picture's code."
    .asciz "In the window, Ctrl-Alt-H shows"
    .asciz "Calque's own keys; on a terminal,"
    .asciz "Ctrl-A h does, and Ctrl-A x leaves."
    .asciz ""
    .balign 512
image_end:
