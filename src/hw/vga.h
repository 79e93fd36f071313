/* The display adapter: IBM VGA with the Bochs VBE extensions, as PCI device 1234:1111. */
#ifndef CALQUE_HW_VGA_H
#define CALQUE_HW_VGA_H

#include "hw/display.h"
#include "hw/pci.h"

enum { VGA_MEMORY_BYTES = 16 << 20 };
/* The windows at a0000..bffff lie above the board's RAM and holes; SMRAM must have a higher priority. */
enum { VGA_WINDOW_PRIORITY = 2 };

typedef struct Vga Vga;
/* rom: the VGA BIOS (vgabios-stdvga.bin) for the expansion ROM, copied; NULL: none.  The adapter becomes the
 * source of display, which must outlive it. */
Vga *vga_new(Machine *m, PciBus *bus, uint8_t devfn, Display *display, const void *rom, size_t rom_len);
/* The same on memory at a fixed place instead of PCI: for tests. */
Vga *vga_new_isa(Machine *m, Display *display, PhysAddr linear);
void vga_free(Vga *v);

#endif
