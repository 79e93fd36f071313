/* The lesson's guest, the part that tells: the picture and the counters on the screen, and words on the serial port.
 * Included by lesson.S, which has the memory map and the kernel. */

/* --- what the screen shows -------------------------------------------------------------------------------------- */
show_picture:
    mov esi, CANVAS
    mov edi, PICTURE
    mov edx, HEIGHT / 2
1:  xor ecx, ecx
2:  movzx eax, byte ptr [esi + PAGE + ecx]
    shr eax, 3
    mov bl, [gradient + eax]
    shl bl, 4
    movzx eax, byte ptr [esi + ecx]
    shr eax, 3
    mov ah, [gradient + eax]
    or ah, bl
    mov al, UPPER_HALF
    mov [edi + ecx * 2], ax
    inc ecx
    cmp ecx, WIDTH
    jb 2b
    add esi, 2 * PAGE
    add edi, LINE
    dec edx
    jnz 1b
    ret

/* A square for each page, the brighter the later it was mapped. */
show_pages:
    mov edi, SCREEN + 9 * LINE + PANEL * 2
    xor ecx, ecx
1:  movzx edx, byte ptr [age + ecx]
    mov ah, [ages + edx]
    cmp edx, 15
    adc byte ptr [age + ecx], 0         /* older by one, up to 15 */
    mov al, SQUARE
    test byte ptr [CANVAS_TABLE + ecx * 4], PRESENT
    jnz 2f
    mov ax, DIM << 8 | GAP
2:  stosw
    inc ecx
    cmp ecx, HEIGHT
    jb 1b
    ret

show_counters:
    mov eax, [frames]
    mov edi, SCREEN + 4 * LINE + NUMBERS * 2
    call number
    mov eax, [ticks]
    mov edi, SCREEN + 5 * LINE + NUMBERS * 2
    call number
    call percent_asleep
    mov edi, SCREEN + 6 * LINE + NUMBERS * 2
    call number
    mov eax, [faults]
    mov edi, SCREEN + 8 * LINE + NUMBERS * 2
    call number
    mov eax, [rewritten]
    mov edi, SCREEN + 11 * LINE + NUMBERS * 2
    jmp number

percent_asleep:
    mov eax, 100
    mul dword ptr [ticks_asleep]
    mov ecx, [ticks]
    add ecx, 1
    div ecx
    ret

/* EAX in decimal, its last digit at EDI. */
number:
    mov ecx, 10
1:  xor edx, edx
    div ecx
    add edx, STRONG << 8 | '0'
    mov [edi], dx
    sub edi, 2
    test eax, eax
    jnz 1b
    mov word ptr [edi], ' ' | TEXT << 8 /* where there was a longer one */
    ret

show_operation:
    mov al, [operation]
    cmp al, [shown_operation]
    je 2f
    mov [shown_operation], al
    mov ecx, OPERATIONS
    mov edi, offset opcodes
    repne scasb
    mov esi, offset operation_texts
    sub edi, offset opcodes + 1
    shl edi, 4
    add esi, edi
    mov [operation_text], esi
    mov edi, SCREEN + 12 * LINE + PANEL * 2
    mov ah, COMMAND
    call put
    call say_counters
2:  ret

show_topic:
    mov eax, [frames]
    dec eax
    xor edx, edx
    mov ecx, TOPIC_FRAMES
    div ecx
    test edx, edx
    jnz 2f
    xor edx, edx
    mov ecx, TOPICS
    div ecx
    mov esi, [topics + edx * 4]
    mov ebx, SCREEN + 14 * LINE + PANEL * 2
    mov ah, HEAD
    mov ecx, 6
1:  mov edi, ebx
    call put_line
    mov ah, TEXT
    add ebx, LINE
    loop 1b
2:  ret

/* The text at ESI, in colour AH, to EDI; ESI behind its end. */
put:
    lodsb
    test al, al
    jz 1f
    stosw
    jmp put
1:  ret

/* The same, with blanks to the panel's right end. */
put_line:
    push ecx
    push edi
    call put
    mov al, ' '
    pop ecx
    add ecx, (80 - PANEL) * 2
    sub ecx, edi
    shr ecx, 1
    rep stosw
    pop ecx
    ret

/* What stays: the name, in pixels two to a character, and the texts. */
draw_screen:
    mov edi, SCREEN
    mov ecx, 80 * 25
    mov eax, TEXT << 8 | ' '
    rep stosw
    mov esi, offset title
    mov edi, TITLE
    mov ebx, offset title_colours
1:  mov ecx, TITLE_WIDTH
2:  mov ah, 0
    cmp byte ptr [esi + TITLE_WIDTH], '#'
    jne 3f
    mov ah, [ebx + 1]
    shl ah, 4
3:  cmp byte ptr [esi], '#'
    jne 4f
    or ah, [ebx]
4:  mov al, UPPER_HALF
    stosw
    inc esi
    loop 2b
    add esi, TITLE_WIDTH
    add edi, LINE - TITLE_WIDTH * 2
    add ebx, 2
    cmp ebx, offset title_colours + 6
    jb 1b

    mov esi, offset texts
5:  movzx edi, word ptr [esi]
    cmp edi, 0xffff
    je 6f
    add edi, SCREEN
    mov ah, [esi + 2]
    add esi, 3
    call put
    jmp 5b
6:  ret

/* --- the serial port: words for those who have no screen ------------------------------------------------------ */
    .set COM1, 0x3f8

/* 115200 8N1 */
set_serial:
    mov edx, COM1 + 3
    mov al, 0x83
    out dx, al
    mov edx, COM1
    mov al, 1
    out dx, al
    inc edx
    mov al, 0
    out dx, al
    mov edx, COM1 + 3
    mov al, 3
    out dx, al
    ret

say:
    lodsb
    test al, al
    jz 1f
    call say_character
    jmp say
1:  ret

/* AL.  Waits for the transmitter; where there is no port, all bits are 1. */
say_character:
    mov ah, al
    mov edx, COM1 + 5
1:  in al, dx
    test al, 0x20
    jz 1b
    mov al, ah
    mov edx, COM1
    out dx, al
    ret

say_number:
    mov ecx, 10
    xor ebx, ebx
1:  xor edx, edx
    div ecx
    push edx
    inc ebx
    test eax, eax
    jnz 1b
2:  pop eax
    add al, '0'
    call say_character
    dec ebx
    jnz 2b
    ret

say_counters:
    mov ebp, offset counters
1:  mov esi, [ebp]
    call say
    mov eax, [ebp + 4]
    mov eax, [eax]
    call say_number
    add ebp, 8
    cmp ebp, offset counters_end
    jb 1b
    mov esi, offset text_asleep
    call say
    call percent_asleep
    call say_number
    mov esi, offset text_now
    call say
    mov esi, [operation_text]
    call say
    mov esi, offset text_newline
    jmp say

    .balign 4
counters:
    .long text_ticks, ticks, text_frames, frames, text_faults, faults, text_rewritten, rewritten
counters_end:
text_ticks: .asciz "ticks "
text_frames: .asciz ", frames "
text_faults: .asciz ", page faults mended "
text_rewritten: .asciz ", code rewritten "
text_asleep: .asciz ", asleep "
text_now: .asciz "%, now "
text_newline: .asciz "\r\n"
text_unexpected: .asciz "unexpected exception\r\n"
text_hello:
    .ascii "This is the guest that Calque carries in itself: protected mode, paging, timer interrupts,\r\n"
    .ascii "a program in ring 3, drawn on a text screen.  To boot something real:\r\n"
    .ascii "    calque disk.img       calque -cdrom debian.iso       man calque\r\n"
    .asciz "How it is translated: doc/how-it-translates.txt.  On a terminal Ctrl-A x leaves.\r\n"
