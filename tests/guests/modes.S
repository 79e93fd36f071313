/* A boot sector that shows what the video BIOS can do, a mode at each key: a pattern of pixels (in graphics modes),
 * then all characters in all colours.  When a picture is complete its mode is at SHOWN, for screens.py. */
        .set SHOWN, 0x600
        .set PATTERN_WIDTH, 320
        .set PATTERN_HEIGHT, 32
        .code16
        .globl _start
_start: ljmp    $0, $begin
begin:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        cld
first:  movw    $modes, %si
next:   lodsw
        testw   %ax, %ax
        js      first
        pushw   %ax
        movw    %ax, %bx
        cmpw    $0x100, %ax
        jb      set
        movw    $0x4f02, %ax
set:    int     $0x10
        movw    $0x1003, %ax            /* attribute bit 7 is bright, not blinking */
        xorw    %bx, %bx
        int     $0x10
        call    pixels
        call    characters
        popw    SHOWN
        xorw    %ax, %ax
        int     $0x16
        jmp     next

/* Colour: column exclusive-or line. */
pixels: movw    $PATTERN_HEIGHT - 1, %dx
1:      movw    $PATTERN_WIDTH - 1, %cx
2:      movw    %cx, %ax
        xorw    %dx, %ax
        movb    $0x0c, %ah
        xorw    %bx, %bx
        int     $0x10
        decw    %cx
        jns     2b
        decw    %dx
        jns     1b
        ret

/* From the 14th row on.  Function 9 writes the attribute, 0eh moves on. */
characters:
        movb    $2, %ah
        xorw    %bx, %bx
        movw    $0x0d00, %dx
        int     $0x10
        movw    $0x20, %dx
1:      movb    %dl, %al
        movb    %dl, %bl
        movb    $9, %ah
        movw    $1, %cx
        int     $0x10
        movb    %dl, %al
        movb    $0x0e, %ah
        int     $0x10
        incb    %dl
        jnz     1b
        ret

/* IBM's, then VESA's: 8, 15, 16, 24 and 32 bits.  Not 7: SeaVGABIOS writes the CRTC at 3B4h before Miscellaneous Output
 * puts it there.  Not 102h, of 4 planes: for the peer its pixels are work for minutes. */
modes:  .word   0x00, 0x02, 0x03, 0x04, 0x06, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13
        .word   0x100, 0x103, 0x110, 0x111, 0x112, 0x142, 0x11b
        .word   -1
        .org    510
        .word   0xaa55
