/* Option ROM: starts the Linux kernel that was given with -kernel.
 *
 * It offers the firmware a boot entry (a PnP expansion header with a boot entry vector, BIOS Boot Specification
 * 3.3).  When that is chosen it has the fw_cfg device copy the kernel's parts to where the host has decided,
 * and enters the kernel's real-mode setup code, which still has a BIOS to ask (boot.rst, 16-bit protocol).
 *
 * The checksums are put in by the host, which knows the final size. */
    .code16
    .section .text
    .globl _start

    .set FW_CFG_SELECT, 0x510
    .set FW_CFG_DATA, 0x511
    .set FW_CFG_DMA, 0x514
    .set DMA_READ_SELECTED, 0x0a
    .set DMA_ERROR, 0x01

    .set DESCRIPTOR_SEG, 0x0700     /* descriptor at 07000h; the stack ends at 07c00h */
    .set STACK_TOP, 0x7c00
    .set SETUP_SEG, 0x1000          /* load_linux.c puts the setup code there */
    .set SETUP_STACK, 0xeff0

_start:
    .short 0xaa55
    .byte (rom_end - _start + 511) / 512
    lret                            /* initialisation: nothing to do */
    .org 0x18
    .short 0                        /* no PCI data */
    .short pnp_header

    .balign 16
pnp_header:
    .ascii "$PnP"
    .byte 1                         /* revision */
    .byte 2                         /* length / 16 */
    .short 0                        /* next header */
    .byte 0
    .byte 0                         /* checksum */
    .long 0                         /* device identifier */
    .short manufacturer
    .short product
    .byte 0, 0, 0                   /* device type */
    .byte 0                         /* indicators */
    .short 0                        /* boot connection vector */
    .short 0                        /* disconnect vector */
    .short boot                     /* boot entry vector */
    .short 0
    .short 0                        /* static resource information */

manufacturer:
    .asciz "Calque"
product:
    .asciz "Linux loader"
failed:
    .asciz "The kernel could not be read from fw_cfg.\r\n"

/* Keys of the parts: address, size, data. */
    .balign 2
parts:
    .short 0x16, 0x17, 0x18         /* setup */
    .short 0x13, 0x14, 0x15         /* command line */
    .short 0x07, 0x08, 0x11         /* kernel */
    .short 0x0a, 0x0b, 0x12         /* initial RAM disk */
parts_end:

boot:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ss
    movl $STACK_TOP, %esp
    movw $DESCRIPTOR_SEG, %ax
    movw %ax, %es
    sti
    movw $parts, %si
1:  call load_part
    cmpw $parts_end, %si
    jb 1b

    cli
    movw $SETUP_SEG, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $SETUP_STACK, %esp
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    ljmp $SETUP_SEG + 0x20, $0

/* The part whose keys are at cs:si; si moves on. */
load_part:
    lodsw %cs:(%si), %ax
    call read_long
    movl %ebx, %edi
    lodsw %cs:(%si), %ax
    call read_long
    movl %ebx, %ebp
    lodsw %cs:(%si), %ax
    testl %ebp, %ebp
    jz 2f

    /* Descriptor, big-endian: control, length, address. */
    shll $16, %eax
    movw $DMA_READ_SELECTED, %ax
    bswapl %eax
    movl %eax, %es:0
    bswapl %ebp
    movl %ebp, %es:4
    movl $0, %es:8
    bswapl %edi
    movl %edi, %es:12
    movw $FW_CFG_DMA, %dx
    xorl %eax, %eax
    outl %eax, %dx
    addw $4, %dx
    movl $DESCRIPTOR_SEG << 4, %eax
    bswapl %eax
    outl %eax, %dx
1:  movl %es:0, %eax
    bswapl %eax
    testl $DMA_ERROR, %eax
    jnz give_up
    testl %eax, %eax
    jnz 1b
2:  ret

/* ebx = the little-endian item ax. */
read_long:
    movw $FW_CFG_SELECT, %dx
    outw %ax, %dx
    movw $FW_CFG_DATA, %dx
    movw $4, %cx
1:  inb %dx, %al
    shrdl $8, %eax, %ebx
    loop 1b
    ret

give_up:
    movw $failed, %si
1:  lodsb %cs:(%si), %al
    testb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  int $0x18                       /* the firmware goes on to the next device */

    .balign 512, 0
rom_end:
