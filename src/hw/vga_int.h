/* What the files of the display adapter share.
 *
 * Display memory is kept as four interleaved planes: byte 4 * P + p is plane p at plane address P.  So a packed
 * (chain-4, VBE) frame buffer is plain linear memory that the processor can write through the TLB, and a
 * latch load or a planar write is one 32-bit access.  As on all PC emulators the odd/even and chain-4 address
 * shuffles are the inverse of the CRTC's word and doubleword modes, so neither appears here: plane address P
 * is what CRTC address counter P shows. */
#ifndef CALQUE_HW_VGA_INT_H
#define CALQUE_HW_VGA_INT_H

#include <string.h>

#include "hw/vga.h"

/* Registers, as IBM's "PS/2 Hardware Interface Technical Reference: Video Subsystem" names them. */
enum { SR_RESET, SR_CLOCKING, SR_MAP_MASK, SR_CHAR_MAP, SR_MEMORY, VGA_SRS = 8 };
enum {
    GR_SET_RESET,
    GR_ENABLE_SR,
    GR_COMPARE,
    GR_ROTATE,
    GR_READ_MAP,
    GR_MODE,
    GR_MISC,
    GR_DONT_CARE,
    GR_BIT_MASK,
    VGA_GRS = 16
};
enum { AR_MODE = 0x10, AR_OVERSCAN, AR_PLANES, AR_PANNING, AR_COLOR, VGA_ARS };
enum {
    CR_H_TOTAL,
    CR_H_END,
    CR_H_BLANK,
    CR_H_BLANK_END,
    CR_H_RETRACE,
    CR_H_RETRACE_END,
    CR_V_TOTAL,
    CR_OVERFLOW,
    CR_PRESET_ROW,
    CR_MAX_SCAN,
    CR_CURSOR_START,
    CR_CURSOR_END,
    CR_START_HI,
    CR_START_LO,
    CR_CURSOR_HI,
    CR_CURSOR_LO,
    CR_V_RETRACE,
    CR_V_RETRACE_END,
    CR_V_END,
    CR_OFFSET,
    CR_UNDERLINE,
    CR_V_BLANK,
    CR_V_BLANK_END,
    CR_MODE,
    CR_LINE_COMPARE,
    VGA_CRS
};
enum {
    SR1_8_DOTS = 1,
    SR1_HALF_CLOCK = 8,
    SR1_SCREEN_OFF = 0x20,
    SR4_SEQUENTIAL = 4, /* odd/even off */
    SR4_CHAIN4 = 8,
    GR5_READ_COMPARE = 8,
    GR5_ODD_EVEN = 0x10,
    GR5_SHIFT = 0x60,
    GR6_GRAPHICS = 1,
    AR10_MONO = 2,
    AR10_LINE_GRAPHICS = 4,
    AR10_BLINK = 8,
    AR10_PAN_TOP_ONLY = 0x20,
    AR10_P54_SELECT = 0x80,
    AR_SCREEN_ON = 0x20, /* in the attribute index: the palette is the screen's, not the processor's */
    CR11_PROTECT = 0x80,
    MISC_COLOR = 1,
    MISC_RAM = 2,
};

/* Bochs VBE ("dispi") registers. */
enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_MEMORY_64K,
    VBE_REGS
};
enum { VBE_ENABLED = 1, VBE_GET_CAPS = 2, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40, VBE_NO_CLEAR = 0x80 };
enum { VBE_ID0 = 0xb0c0, VBE_ID5 = 0xb0c5, VBE_MAX_XRES = 16000, VBE_MAX_YRES = 12000, VBE_MAX_BPP = 32 };

enum { PLANE_BYTES = 0x10000, TEXT_WINDOW = 0x8000, TEXT_CELLS = TEXT_WINDOW / 2 };

/* How the processor reaches display memory now. */
typedef enum VgaAccess {
    ACCESS_OFF,    /* RAM disabled */
    ACCESS_PLANAR, /* through vga_memory.c's callbacks */
    ACCESS_LINEAR, /* windows are aliases of the frame buffer */
    ACCESS_TEXT,   /* the window is a RAM region of characters and attributes; planes 0 and 1 are in it */
} VgaAccess;

typedef enum PictureKind {
    PICTURE_BLANK,
    PICTURE_TEXT,
    PICTURE_PLANAR, /* 16 colours, 4 planes */
    PICTURE_CGA,    /* 2 bits a pixel from interleaved planes */
    PICTURE_256,    /* VGA 256 colours: each pixel two dots wide */
    PICTURE_8,      /* VBE, from here on */
    PICTURE_15,
    PICTURE_16,
    PICTURE_24,
    PICTURE_32,
} PictureKind;

/* All that the picture depends on besides memory and colours; compared with the last one as bytes. */
typedef struct Picture {
    uint32_t kind;
    uint32_t width, height;
    uint32_t start;          /* plane address; VBE packed: byte address */
    uint32_t pitch;          /* from row to row, same units */
    uint32_t wrap;           /* mask for plane addresses */
    uint32_t line_compare;   /* the last line above the split */
    uint32_t rows;           /* scan lines of a character row, or of a pixel row */
    uint32_t repeat;         /* displayed lines for each scan line: 1, or 2 when double-scanned */
    uint32_t first_row;      /* preset row scan */
    uint32_t row_bit[2];     /* plane address bits replaced by row scan bits 0 and 1; 0: none */
    uint32_t pan, pan_split; /* dots, above and below the split */
    uint32_t double_dots;
    uint32_t plane_mask;
    uint32_t big_endian;
    /* text */
    uint32_t columns, char_width, line_graphics, blink, underline;
    uint32_t font[2]; /* plane address */
    uint32_t cursor;  /* plane address, UINT32_MAX: none */
    uint32_t cursor_first, cursor_last;
} Picture;

typedef struct VgaDraw {
    Picture picture;
    uint32_t color16[16], color256[256];
    uint8_t font[2][256 * 32];
    uint32_t *cells; /* what stands in each cell on the surface */
    size_t cell_room;
    uint32_t *line; /* one line of pixels, with room for panning and whole groups */
    uint8_t *pages; /* taken dirty flags, by page of display memory */
    uint32_t page_lo, page_hi;
} VgaDraw;

struct Vga {
    PciDevice pci; /* first: config_written gets at us through it */
    Machine *machine;
    Display *display;
    uint8_t *ram;
    uint32_t ram_size;
    PhysRegion *ram_region;
    struct {
        PhysRegion *slow, *linear[4], *text; /* linear: by memory map select */
        uint8_t *text_host;
    } window;
    VgaDraw draw;

    /* What the guest sees. */
    uint8_t seq_index, sr[VGA_SRS];
    uint8_t gfx_index, gr[VGA_GRS];
    uint8_t attr_index, ar[VGA_ARS];
    bool attr_data; /* the next write to 3C0h is data */
    uint8_t crtc_index, cr[VGA_CRS];
    uint8_t misc, feature;
    uint8_t dac_state, dac_sub, dac_read, dac_write, dac_mask, dac_latch[3], dac[768];
    uint32_t latch;
    uint16_t vbe_index, vbe[VBE_REGS];
    uint32_t bank;  /* byte offset of the 64 KiB window */
    uint8_t access; /* VgaAccess */
    uint8_t map;    /* memory map select in force for the windows */
    bool big_endian;
};

static inline bool vbe_on(const Vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}
static inline bool vbe_packed(const Vga *v)
{
    return vbe_on(v) && v->vbe[VBE_BPP] != 4;
}

/* vga_regs.c */
void vga_regs_map(Vga *v);
uint8_t vga_port_read(Vga *v, uint16_t port);
void vga_port_write(Vga *v, uint16_t port, uint8_t value);
/* vga_timing.c */
uint8_t vga_input_status_1(Vga *v);
/* vga_memory.c */
void vga_memory_map(Vga *v);
void vga_memory_set_bank(Vga *v, uint32_t bank);
void vga_memory_update(Vga *v); /* a register that decides about access has changed */
/* vga_vbe.c */
void vga_vbe_map(Vga *v);
uint16_t vga_vbe_read(const Vga *v, uint16_t index);
void vga_vbe_write(Vga *v, uint16_t index, uint16_t value);
uint32_t vga_vbe_pitch(const Vga *v); /* bytes; planar: bytes of all four planes */
uint32_t vga_vbe_start(const Vga *v); /* byte offset of the first pixel shown */
/* vga_picture.c */
void vga_picture(const Vga *v, Picture *p);
void vga_colors(const Vga *v, uint32_t color16[16], uint32_t color256[256]);
/* The character and attribute at a plane address. */
uint32_t vga_text_cell(const Vga *v, uint32_t at);
bool vga_text(void *opaque, DisplayText *text);
/* vga_draw.c, vga_draw_text.c */
void vga_update(void *opaque, bool full);
void vga_draw_text(Vga *v, bool full);
bool vga_draw_font(Vga *v); /* takes the fonts from plane 2; false: as before */
/* Copies the part of draw.line that differs onto line y of the surface. */
void vga_put_line(Vga *v, uint32_t y, const uint32_t *line);

#endif
