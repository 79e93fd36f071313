/* What the adapter shows: one picture of each class of mode, each compared with pixels worked out here in the
 * most direct way, and what consumers are told of it. */
#include "hw/display_mirror.h"
#include "vga_modes.h"

static uint8_t dac[768];

static uint32_t level(uint8_t v)
{
    return (v & 63u) << 2 | (v & 1u) * 3;
}
static uint32_t color(unsigned i)
{
    return level(dac[3 * i]) << 16 | level(dac[3 * i + 1]) << 8 | level(dac[3 * i + 2]);
}

static void random_colors(void)
{
    out8(&f, 0x3c8, 0);
    for (unsigned i = 0; i < 768; i++) out8(&f, 0x3c9, dac[i] = (uint8_t)(rnd() & 63));
}

/* --- comparing -------------------------------------------------------------------------------------------------- */

typedef uint32_t Expect(int x, int y);

static void picture(int w, int h, Expect *expect, const char *what)
{
    display_refresh(display);
    const DisplaySurface *s = display_surface(display);
    if (!ok(s->width == w && s->height == h, "%s: %dx%d", what, w, h)) diag("got %dx%d", s->width, s->height);
    if (s->width != w || s->height != h) return;
    int wrong = 0, first = -1;
    for (int i = 0; i < w * h; i++)
        if (s->pixels[i] != expect(i % w, i / w) && !wrong++) first = i;
    if (!ok(wrong == 0, "%s: every pixel", what))
        diag("%d wrong, first at %d,%d: got %06x, want %06x", wrong, first % w, first / w, s->pixels[first],
             expect(first % w, first / w));
}

/* --- text --------------------------------------------------------------------------------------------------------- */

static uint8_t font[8][256][32], screen[0x8000];
static struct {
    int cw, rows, columns, start, split, pan, preset, font_a, font_b, cursor, cursor_lo, cursor_hi;
    bool blink, hidden, mono;
} text;

static void load_fonts(void)
{
    static const unsigned at[8] = { 0, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000 };
    sr(2, 4);
    sr(4, 6);
    gr(5, 0);
    gr(6, 4);
    for (unsigned n = 0; n < 8; n++)
        for (unsigned ch = 0; ch < 256; ch++)
            for (unsigned y = 0; y < 32; y++) poke(0xa0000 + at[n] + ch * 32 + y, font[n][ch][y] = (uint8_t)rnd());
    sr(2, 3);
    sr(4, 2);
    gr(5, 0x10);
    gr(6, text.mono ? 0x0a : 0x0e);
}

static uint32_t text_pixel(int x, int y)
{
    int line = y + text.preset, at = text.start;
    x += text.pan;
    if (y > text.split) {
        line = y - text.split - 1;
        at = 0;
    }
    int column = x / text.cw, dot = x % text.cw, row = line % text.rows, cell = (at + line / text.rows * 80 + column);
    uint8_t ch = screen[2 * cell & 0x7fff], attr = screen[(2 * cell + 1) & 0x7fff];
    const uint8_t *bits = font[attr & 8 ? text.font_a : text.font_b][ch];
    bool on = dot < 8 ? bits[row] >> (7 - dot) & 1 : ch >= 0xb0 && ch <= 0xdf && (bits[row] & 1);
    if (text.mono && (attr & 0x77) == 1 && row == 13) on = true;
    if (text.blink && text.hidden && attr & 0x80) on = false;
    if (cell == text.cursor && row >= text.cursor_lo && row <= text.cursor_hi) on = true;
    return color(on ? attr & 15 : attr >> 4 & (text.blink ? 7 : 15));
}

static void fill_text(PhysAddr window)
{
    for (unsigned i = 0; i < sizeof screen; i++) poke(window + i, screen[i] = (uint8_t)rnd());
}

static void test_text(void)
{
    text.cw = 9;
    text.rows = 16;
    text.columns = 80;
    text.split = 100000;
    text.cursor = -1;
    text.blink = true;
    f.now = 1000000; /* cursor and blinking text shown */
    set_mode(&mode_3);
    load_fonts();
    fill_text(0xb8000);
    picture(720, 400, text_pixel, "text, 9 dots");
    f.now += 600000000;
    text.hidden = true;
    picture(720, 400, text_pixel, "blinking text hidden");
    ar(0x10, 4);
    text.blink = false;
    picture(720, 400, text_pixel, "bright backgrounds");
    sr(3, 0x12 | 0x0c); /* A: 3, B: 2 + 4 */
    text.font_a = 3;
    text.font_b = 6;
    picture(720, 400, text_pixel, "two fonts");
    poke(0xb8000 + 2 * 85, screen[2 * 85] ^= 0xff);
    picture(720, 400, text_pixel, "one cell changed");

    f.now = 10000000;
    cr(0x0a, 13);
    cr(0x0b, 14);
    cr(0x0e, 0);
    cr(0x0f, 83);
    text.cursor = 83;
    text.cursor_lo = 13;
    text.cursor_hi = 14;
    picture(720, 400, text_pixel, "cursor");
    f.now += 300000000;
    text.cursor = -1;
    picture(720, 400, text_pixel, "cursor in its dark phase");
    cr(0x0a, 0x20);

    sr(1, 1);
    ar(0x13, 0);
    text.cw = 8;
    picture(640, 400, text_pixel, "8 dots");
    ar(0x13, 3);
    cr(8, 5);
    text.pan = 3;
    text.preset = 5;
    picture(640, 400, text_pixel, "panned, scrolled by lines");
    cr(0x0c, 0x02);
    cr(0x0d, 0x11);
    text.start = 0x211;
    cr(0x18, 203);
    cr(7, 0x0f);
    cr(9, 0x0f);
    text.split = 203;
    picture(640, 400, text_pixel, "split in the middle of a row");

    set_mode(&mode_7);
    memset(&text, 0, sizeof text);
    text.cw = 9;
    text.rows = 16;
    text.split = 100000;
    text.cursor = -1;
    text.mono = text.blink = true;
    load_fonts();
    for (unsigned i = 0; i < sizeof screen; i++)
        poke(0xb0000 + i, screen[i] = i & 1 ? (i & 2 ? 1 : 7) : (uint8_t)rnd());
    picture(720, 400, text_pixel, "monochrome with underline");
    set_mode(&mode_3);
}

static void test_text_cells(void)
{
    static DisplayText t;
    set_mode(&mode_3);
    cr(0x0a, 10);
    cr(0x0b, 12);
    cr(0x0f, 80 * 2 + 7);
    poke(0xb8000, 'A');
    poke(0xb8001, 0x1e);
    ok(display_text(display, &t), "text is told as cells");
    ok(t.columns == 80 && t.rows == 25 && t.cells[0] == 0x1e41, "80 by 25");
    ok(t.cursor && t.cursor_x == 7 && t.cursor_y == 2, "with the cursor");
    IS(t.colors[3], color(3), "and colours");
    set_mode(&mode_13);
    ok(!display_text(display, &t), "graphics are not");
}

/* --- VGA graphics ---------------------------------------------------------------------------------------------------- */

static uint8_t plane[4][0x10000];
static int g_pitch, g_start, g_split, g_pan, g_mask = 15, g_rows = 1, g_dots = 1;

static void fill_planes(void)
{
    for (unsigned p = 0; p < 4; p++) {
        sr(2, (uint8_t)(1 << p));
        for (unsigned i = 0; i < 0x10000; i++) poke(0xa0000 + i, plane[p][i] = (uint8_t)rnd());
    }
    sr(2, 15);
}

/* Plane address and dot of a pixel. */
static int locate(int x, int y, int dots, int *dot)
{
    int at = g_start, line = y;
    x += g_pan;
    if (y > g_split) at = 0, line = y - g_split - 1;
    *dot = x % dots;
    return (at + line / g_rows * g_pitch + x / dots) & 0xffff;
}

static uint32_t planar_pixel(int x, int y)
{
    int dot, at = locate(x / g_dots, y, 8, &dot);
    unsigned c = 0;
    for (unsigned p = 0; p < 4; p++) c |= (unsigned)(plane[p][at] >> (7 - dot) & 1) << p;
    return color(c & (unsigned)g_mask);
}

static uint32_t pixel_256(int x, int y)
{
    int dot, at = locate(x, y, 8, &dot);
    return color(plane[dot / 2][at]);
}

static uint8_t cga[0x4000];
static uint32_t cga_4(int x, int y)
{
    y /= 2;
    uint8_t b = cga[(y & 1) * 0x2000 + y / 2 * 80 + x / 8];
    return color(b >> (6 - x / 2 % 4 * 2) & 3);
}
static uint32_t cga_6(int x, int y)
{
    y /= 2;
    uint8_t b = cga[(y & 1) * 0x2000 + y / 2 * 80 + x / 8];
    return color(b >> (7 - x % 8) & 1);
}

static void test_cga(void)
{
    set_mode(&mode_4);
    for (unsigned i = 0; i < 0x4000; i++) poke(0xb8000 + i, cga[i] = (uint8_t)rnd());
    picture(640, 400, cga_4, "CGA 4 colours");
    set_mode(&mode_6);
    for (unsigned i = 0; i < 0x4000; i++) poke(0xb8000 + i, cga[i] = (uint8_t)rnd());
    picture(640, 400, cga_6, "CGA 2 colours");
}

static void test_planar(void)
{
    set_mode(&mode_12);
    g_split = 100000;
    g_pitch = 80;
    fill_planes();
    picture(640, 480, planar_pixel, "640x480, 16 colours");
    g_mask = 6;
    ar(0x12, 6);
    picture(640, 480, planar_pixel, "planes switched off");
    g_mask = 15;
    ar(0x12, 15);
    ar(0x13, 5);
    cr(0x13, 44);
    cr(0x0c, 0xf0);
    cr(0x0d, 0x01);
    g_pan = 5;
    g_pitch = 88;
    g_start = 0xf001;
    picture(640, 480, planar_pixel, "panned, wider, wrapping at 64 KiB");
    cr(0x18, 0x33);
    cr(7, 0x2e);
    cr(9, 0);
    g_split = 0x33;
    picture(640, 480, planar_pixel, "split screen");
    ar(0x10, 0x21);
    display_refresh(display);
    g_pan = 0;
    g_start = 0;
    const DisplaySurface *s = display_surface(display);
    IS(s->pixels[640 * 60], planar_pixel(0, 60), "the lower part need not pan");
    set_mode(&mode_0d);
    g_split = 100000;
    g_pitch = 40;
    g_start = 0;
    g_rows = 2;
    g_dots = 2;
    picture(640, 400, planar_pixel, "320x200, 16 colours");
    g_rows = g_dots = 1;
}

static void test_256(void)
{
    set_mode(&mode_x);
    g_split = 100000;
    g_pitch = 80;
    g_start = g_pan = 0;
    g_rows = 2;
    fill_planes();
    picture(640, 480, pixel_256, "mode X");
    cr(0x0c, 0x4b);
    g_start = 0x4b00;
    picture(640, 480, pixel_256, "its second page");
    ar(0x13, 4);
    g_pan = 4;
    picture(640, 480, pixel_256, "panned by two pixels");
    set_mode(&mode_13);
    g_start = g_pan = 0;
    for (unsigned i = 0; i < 0x10000; i++) poke(0xa0000 + i, plane[i & 3][i >> 2] = (uint8_t)rnd());
    picture(640, 400, pixel_256, "320x200, 256 colours");
    out8(&f, 0x3c8, 7);
    for (unsigned i = 0; i < 3; i++) out8(&f, 0x3c9, dac[21 + i] ^= 0x15);
    picture(640, 400, pixel_256, "a colour changed");
    out8(&f, 0x3c6, 0);
    display_refresh(display);
    IS(display_surface(display)->pixels[1234], color(0), "pixel mask");
    out8(&f, 0x3c6, 0xff);
    g_rows = 1;
}

static void test_blank(void)
{
    in8(&f, 0x3da);
    out8(&f, 0x3c0, 0);
    display_refresh(display);
    ok(display_surface(display)->pixels[1234] == 0 && display_surface(display)->width == 640, "screen off is black");
    in8(&f, 0x3da);
    out8(&f, 0x3c0, 0x20);
    g_rows = 2;
    picture(640, 400, pixel_256, "and on again");
    g_rows = 1;
}

/* --- VBE ----------------------------------------------------------------------------------------------------------------- */

static int v_pitch, v_x, v_y;
static uint8_t lfb(int x, int y, int bytes, int i)
{
    return peek(LINEAR + (PhysAddr)((y + v_y) * v_pitch + (x + v_x) * bytes + i));
}
static uint32_t vbe_8(int x, int y)
{
    return color(lfb(x, y, 1, 0));
}
static uint32_t vbe_8_wide_dac(int x, int y)
{
    const uint8_t *c = dac + 3 * lfb(x, y, 1, 0);
    return (uint32_t)(c[0] << 16 | c[1] << 8 | c[2]);
}
static uint32_t vbe_15(int x, int y)
{
    uint32_t c = (uint32_t)(lfb(x, y, 2, 0) | lfb(x, y, 2, 1) << 8);
    return (c & 0x7c00) << 9 | (c & 0x3e0) << 6 | (c & 31) << 3;
}
static uint32_t vbe_16(int x, int y)
{
    uint32_t c = (uint32_t)(lfb(x, y, 2, 0) | lfb(x, y, 2, 1) << 8), r = c >> 11, g = c >> 5 & 63, b = c & 31;
    return (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | b << 3 | b >> 2;
}
static uint32_t vbe_24(int x, int y)
{
    return (uint32_t)(lfb(x, y, 3, 2) << 16 | lfb(x, y, 3, 1) << 8 | lfb(x, y, 3, 0));
}
static uint32_t vbe_32(int x, int y)
{
    return (uint32_t)(lfb(x, y, 4, 2) << 16 | lfb(x, y, 4, 1) << 8 | lfb(x, y, 4, 0));
}
static uint32_t vbe_4(int x, int y)
{
    unsigned c = 0;
    x += v_x;
    for (unsigned p = 0; p < 4; p++)
        c |= (unsigned)(peek(LINEAR + (PhysAddr)((y + v_y) * v_pitch + x / 8) * 4 + p) >> (7 - x % 8) & 1) << p;
    return color(c);
}

static void test_vbe(void)
{
    static const struct {
        uint16_t bpp;
        int bits;
        Expect *expect;
        const char *name;
    } depths[] = { { 8, 8, vbe_8, "8 bits" },     { 15, 16, vbe_15, "15 bits" }, { 16, 16, vbe_16, "16 bits" },
                   { 24, 24, vbe_24, "24 bits" }, { 32, 32, vbe_32, "32 bits" }, { 4, 1, vbe_4, "4 bits" } };
    for (unsigned d = 0; d < 6; d++) {
        vbe_mode(320, 200, depths[d].bpp);
        for (uint8_t i = 0; i < 16; i++) ar(i, i);
        for (unsigned i = 0; i < 400000; i += 4) phys_st(f.phys, LINEAR + i, rnd(), 4);
        v_pitch = 320 * depths[d].bits / 8;
        v_x = v_y = 0;
        picture(320, 200, depths[d].expect, depths[d].name);
        phys_st(f.phys, LINEAR + 7777, rnd(), 4);
        picture(320, 200, depths[d].expect, "changed");
        vbe(6, 400);
        vbe(8, 13);
        vbe(9, 21);
        v_pitch = 400 * depths[d].bits / 8;
        v_x = 13;
        v_y = 21;
        picture(320, 200, depths[d].expect, "part of a larger screen");
    }
    vbe_mode(320, 200, 8);
    vbe(4, 0x41 | 0x20 | 0x80);
    v_pitch = 320;
    v_x = v_y = 0;
    out8(&f, 0x3c8, 0);
    for (unsigned i = 0; i < 768; i++) out8(&f, 0x3c9, dac[i] = (uint8_t)rnd());
    picture(320, 200, vbe_8_wide_dac, "8 bits, wide DAC");
    vbe(4, 0);
}

/* --- who is told what ---------------------------------------------------------------------------------------------------- */

static struct {
    int resized, drawn, refreshed, w, h;
    DisplayRect changed;
} seen;

static void on_resized(void *opaque, int w, int h)
{
    (void)opaque;
    seen.resized++;
    seen.w = w;
    seen.h = h;
}
static void on_drawn(void *opaque, const DisplaySurface *s, DisplayRect changed)
{
    (void)opaque, (void)s;
    seen.drawn++;
    seen.changed = changed;
}
static void on_refreshed(void *opaque)
{
    (void)opaque;
    seen.refreshed++;
}

static int taken;
static DisplayRect taken_rect;
static bool taken_resized;
static void on_taken(void *opaque, const DisplaySurface *s, DisplayRect r, bool resized)
{
    taken++;
    taken_rect = r;
    taken_resized = resized;
    *(uint32_t *)opaque = s->pixels[50 * s->width + 100];
}

static void test_listeners(void)
{
    static const DisplayListener listener = { on_resized, on_drawn, on_refreshed };
    DisplayMirror *mirror = display_mirror_new(NULL, NULL);
    uint32_t pixel;
    vbe_mode(640, 480, 32);
    display_listen(display, &listener, NULL, 0);
    display_mirror_attach(mirror, display, true, 0);
    fake_jump(&f, 17000000);
    ok(seen.resized == 1 && seen.w == 640 && seen.h == 480 && seen.drawn == 1, "a new listener is told everything");
    ok(display_mirror_take(mirror, on_taken, &pixel) && taken_resized && taken_rect.w == 640, "so is a mirror");
    ok(!display_mirror_take(mirror, on_taken, &pixel), "once");
    for (int i = 0; i < 60; i++) fake_jump(&f, 17000000);
    ok(seen.drawn == 1 && seen.refreshed > 50, "a standing picture costs refreshes, no drawing");
    phys_st(f.phys, LINEAR + (50 * 640 + 100) * 4, 0x123456, 4);
    fake_jump(&f, 17000000);
    DisplayRect r = seen.changed;
    ok(seen.drawn == 2 && r.x == 100 && r.y == 50 && r.w == 1 && r.h == 1, "one pixel changed is one pixel told");
    ok(display_mirror_take(mirror, on_taken, &pixel) && pixel == 0x123456, "and it is in the mirror");
    set_mode(&mode_3);
    fake_jump(&f, 17000000);
    ok(seen.resized == 2 && seen.w == 720 && seen.h == 400, "another mode");
    static DisplayText t;
    ok(display_mirror_text(mirror, &t) && t.columns == 80, "the mirror has the text, too");
    cr(0x0a, 0x20);
    fake_jump(&f, 17000000);
    poke(0xb8000 + 160 * 3 + 10, 'x');
    poke(0xb8000 + 160 * 3 + 11, 0x35);
    fake_jump(&f, 17000000);
    r = seen.changed;
    ok(r.x == 45 && r.y == 48 && r.w == 9 && r.h == 16, "one cell changed");
    display_unlisten(display, &listener, NULL);
    display_mirror_detach(mirror);
    int before = seen.refreshed;
    fake_jump(&f, 1000000000);
    IS(seen.refreshed, before, "nobody listens, nothing is drawn");
    display_mirror_free(mirror);
}

int main(void)
{
    set_up();
    out8(&f, 0x3c2, 0x67);
    set_mode(&mode_3);
    random_colors();
    test_text();
    test_text_cells();
    test_cga();
    test_planar();
    test_256();
    test_blank();
    test_vbe();
    test_listeners();
    take_down();
    return tap_done();
}
