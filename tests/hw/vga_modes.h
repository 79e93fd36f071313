/* An adapter on a machine without a processor, and the standard modes' register values as IBM's reference lists
 * them. */
#ifndef CALQUE_TESTS_HW_VGA_MODES_H
#define CALQUE_TESTS_HW_VGA_MODES_H

#include <string.h>

#include "hw/vga.h"
#include "fake.h"

enum { LINEAR = 0xe0000000u };

static Fake f;
static Display *display;
static Vga *vga;

typedef struct VgaMode {
    uint8_t misc, sr[4], cr[25], ar[21], gr[9];
} VgaMode;

#define CR_TEXT(offset, end, underline, max)                                                                           \
    {                                                                                                                  \
        0x5f, end, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, max, 0x20, 14, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, offset,         \
            underline, 0x96, 0xb9, 0xa3, 0xff                                                                          \
    }
#define CR_GFX(offset, end, max, mode)                                                                                 \
    {                                                                                                                  \
        0x5f, end, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, max, 0, 0, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, offset, 0, 0x96,    \
            0xb9, mode, 0xff                                                                                           \
    }
#define AR_COLORS 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

static const VgaMode mode_3 = { 0x67,
                                { 0, 3, 0, 2 },
                                CR_TEXT(40, 79, 0x1f, 0x4f),
                                { AR_COLORS, 0x0c, 0, 15, 8, 0 },
                                { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff } };
static const VgaMode mode_7 = { 0x66,
                                { 0, 3, 0, 2 },
                                CR_TEXT(40, 79, 0x0d, 0x4f),
                                { AR_COLORS, 0x0e, 0, 15, 8, 0 },
                                { 0, 0, 0, 0, 0, 0x10, 0x0a, 0, 0xff } };
static const VgaMode mode_4 = { 0x63,
                                { 9, 3, 0, 2 },
                                CR_GFX(20, 39, 0xc1, 0xa2),
                                { AR_COLORS, 1, 0, 3, 0, 0 },
                                { 0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff } };
static const VgaMode mode_6 = {
    0x63, { 1, 1, 0, 6 }, CR_GFX(40, 79, 0xc1, 0xc2), { AR_COLORS, 1, 0, 1, 0, 0 }, { 0, 0, 0, 0, 0, 0, 0x0d, 0, 0xff }
};
static const VgaMode mode_0d = {
    0x63, { 9, 15, 0, 6 }, CR_GFX(20, 39, 0xc0, 0xe3), { AR_COLORS, 1, 0, 15, 0, 0 }, { 0, 0, 0, 0, 0, 0, 5, 15, 0xff }
};
static const VgaMode mode_12 = { 0xe3,
                                 { 1, 15, 0, 6 },
                                 { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
                                   0,    0,    0,    0xea, 0x0c, 0xdf, 0x28, 0,    0xe7, 4,    0xe3, 0xff },
                                 { AR_COLORS, 1, 0, 15, 0, 0 },
                                 { 0, 0, 0, 0, 0, 0, 5, 15, 0xff } };
static const VgaMode mode_13 = { 0x63,
                                 { 1, 15, 0, 14 },
                                 CR_GFX(40, 79, 0x41, 0xa3),
                                 { AR_COLORS, 0x41, 0, 15, 0, 0 },
                                 { 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff } };
static const VgaMode mode_x = { 0xe3,
                                { 1, 15, 0, 6 },
                                { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0,    0x41, 0,    0,   0,
                                  0,    0,    0,    0xea, 0x0c, 0xdf, 0x28, 0,    0xe7, 6,    0xe3, 0xff },
                                { AR_COLORS, 0x41, 0, 15, 0, 0 },
                                { 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff } };

static void sr(uint8_t i, uint8_t v)
{
    out8(&f, 0x3c4, i);
    out8(&f, 0x3c5, v);
}
static void gr(uint8_t i, uint8_t v)
{
    out8(&f, 0x3ce, i);
    out8(&f, 0x3cf, v);
}
static uint16_t crtc_base = 0x3d4;
static void cr(uint8_t i, uint8_t v)
{
    out8(&f, crtc_base, i);
    out8(&f, (uint16_t)(crtc_base + 1), v);
}
static void ar(uint8_t i, uint8_t v)
{
    in8(&f, (uint16_t)(crtc_base + 6));
    out8(&f, 0x3c0, i);
    out8(&f, 0x3c0, v);
    out8(&f, 0x3c0, 0x20);
}
static void vbe(uint16_t i, uint16_t v)
{
    ioports_write(f.io, 0x1ce, i, 2);
    ioports_write(f.io, 0x1cf, v, 2);
}
__attribute__((unused)) static uint16_t vbe_get(uint16_t i)
{
    ioports_write(f.io, 0x1ce, i, 2);
    return (uint16_t)ioports_read(f.io, 0x1cf, 2);
}

static void set_mode(const VgaMode *m)
{
    vbe(4, 0);
    out8(&f, 0x3c2, m->misc);
    crtc_base = m->misc & 1 ? 0x3d4 : 0x3b4;
    for (unsigned i = 0; i < 4; i++) sr((uint8_t)(i + 1), m->sr[i]);
    cr(0x11, 0);
    for (unsigned i = 0; i < 25; i++) cr((uint8_t)i, m->cr[i]);
    for (unsigned i = 0; i < 9; i++) gr((uint8_t)i, m->gr[i]);
    for (unsigned i = 0; i < 21; i++) ar((uint8_t)i, m->ar[i]);
}
static void vbe_mode(uint16_t w, uint16_t h, uint16_t bpp)
{
    vbe(4, 0);
    vbe(1, w);
    vbe(2, h);
    vbe(3, bpp);
    vbe(4, 0x41);
    ar(0, 0);
}

static void poke(PhysAddr a, uint8_t v)
{
    phys_st(f.phys, a, v, 1);
}
static uint8_t peek(PhysAddr a)
{
    return (uint8_t)phys_ld(f.phys, a, 1);
}

static uint64_t seed = 0x9e3779b97f4a7c15u;
__attribute__((unused)) static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static void set_up(void)
{
    fake_init(&f);
    phys_add_ram(f.phys, "ram", 0, 1 << 20, 0);
    display = display_new(f.m);
    vga = vga_new_isa(f.m, display, LINEAR);
    crtc_base = 0x3d4;
}
static void take_down(void)
{
    vga_free(vga);
    display_free(display);
    fake_free(&f);
}

#endif
