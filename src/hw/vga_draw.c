/* Drawing graphics modes onto the surface, line by line, only lines whose memory has been written since the last time
 * (or all, when mode or colours changed), and of those only the part that differs.
 *
 * Which memory has been written is known by page (phys_dirty_take()): a standing picture costs a look at a few
 * flags, however large it is. */
#include "hw/vga_int.h"

/* --- memory that has changed ------------------------------------------------------------------------------ */

/* Bytes [lo, hi) of display memory are about to be looked at. */
static bool take_pages(Vga *v, uint64_t lo, uint64_t hi)
{
    VgaDraw *d = &v->draw;
    if (hi > v->ram_size) hi = v->ram_size;
    d->page_lo = (uint32_t)(lo >> PAGE_SHIFT);
    d->page_hi = (uint32_t)((hi + PAGE_MASK) >> PAGE_SHIFT);
    return phys_dirty_take(v->ram_region, d->page_lo, d->page_hi - d->page_lo, d->pages);
}

static bool bytes_dirty(const VgaDraw *d, uint64_t lo, uint64_t bytes)
{
    for (uint64_t page = lo >> PAGE_SHIFT; page <= (lo + bytes - 1) >> PAGE_SHIFT; page++)
        if (page >= d->page_lo && page < d->page_hi && d->pages[page - d->page_lo]) return true;
    return false;
}

/* --- one line of each kind ---------------------------------------------------------------------------------- */

/* Pixels from unit `at` on (plane address or byte address), at least p->width + 16 dots. */
typedef void DrawLine(const Vga *v, const Picture *p, uint32_t at, uint32_t *out);

/* bit i -> nibble i */
static inline uint32_t to_nibbles(uint32_t bits)
{
    bits = (bits | bits << 12) & 0x000f000f;
    bits = (bits | bits << 6) & 0x03030303;
    return (bits | bits << 3) & 0x11111111;
}

static inline uint32_t *put_dot(uint32_t *out, uint32_t color, bool twice)
{
    *out++ = color;
    if (twice) *out++ = color;
    return out;
}

static inline const uint8_t *plane_cell(const Vga *v, const Picture *p, uint32_t at)
{
    return v->ram + (size_t)(at & p->wrap) * 4;
}

/* 8 pixels in each plane address. */
static uint32_t groups(const Picture *p)
{
    return (p->width >> p->double_dots) / 8 + 1;
}

static inline void planar_line(const Vga *v, const Picture *p, uint32_t at, uint32_t *out, bool twice)
{
    uint32_t enabled = p->plane_mask * 0x11111111u;
    for (uint32_t n = groups(p); n; n--, at++) {
        const uint8_t *c = plane_cell(v, p, at);
        uint32_t colors = (to_nibbles(c[0]) | to_nibbles(c[1]) << 1 | to_nibbles(c[2]) << 2 | to_nibbles(c[3]) << 3);
        colors &= enabled;
        for (int i = 28; i >= 0; i -= 4) out = put_dot(out, v->draw.color16[colors >> i & 15], twice);
    }
}

static void draw_planar(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    if (p->double_dots)
        planar_line(v, p, at, out, true);
    else
        planar_line(v, p, at, out, false);
}

/* Shift register interleave: planes 0 and 1 hold the low two bits of four pixels each, 2 and 3 the high two. */
static void draw_cga(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    for (uint32_t n = groups(p); n; n--, at++) {
        const uint8_t *c = plane_cell(v, p, at);
        for (unsigned half = 0; half < 2; half++)
            for (int i = 6; i >= 0; i -= 2) {
                uint32_t color = (c[half] >> i & 3u) | (c[half + 2] >> i & 3u) << 2;
                out = put_dot(out, v->draw.color16[color & p->plane_mask], p->double_dots);
            }
    }
}

static void draw_256(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    for (uint32_t n = p->width / 8 + 1; n; n--, at++) {
        const uint8_t *c = plane_cell(v, p, at);
        for (unsigned i = 0; i < 4; i++) out = put_dot(out, v->draw.color256[c[i]], true);
    }
}

static void draw_8(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    const uint8_t *in = v->ram + at;
    for (uint32_t x = 0; x < p->width; x++) out[x] = v->draw.color256[in[x]];
}

static inline uint32_t get16(const Picture *p, const uint8_t *in)
{
    return p->big_endian ? (uint32_t)(in[0] << 8 | in[1]) : (uint32_t)(in[1] << 8 | in[0]);
}
/* Five and six bits to eight: the highest bits are repeated.  Not in 15-bit modes: the peers' pictures are the same
 * that way, bit for bit. */
static inline uint32_t from5(uint32_t level)
{
    return level << 3 | level >> 2;
}
static inline uint32_t from6(uint32_t level)
{
    return level << 2 | level >> 4;
}

static void draw_15(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    const uint8_t *in = v->ram + at;
    for (uint32_t x = 0; x < p->width; x++, in += 2) {
        uint32_t c = get16(p, in);
        out[x] = (c >> 10 & 31) << 19 | (c >> 5 & 31) << 11 | (c & 31) << 3;
    }
}

static void draw_16(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    const uint8_t *in = v->ram + at;
    for (uint32_t x = 0; x < p->width; x++, in += 2) {
        uint32_t c = get16(p, in);
        out[x] = from5(c >> 11 & 31) << 16 | from6(c >> 5 & 63) << 8 | from5(c & 31);
    }
}

static void draw_24(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    const uint8_t *in = v->ram + at;
    unsigned r = p->big_endian ? 0 : 2, b = 2 - r;
    for (uint32_t x = 0; x < p->width; x++, in += 3) out[x] = (uint32_t)(in[r] << 16 | in[1] << 8 | in[b]);
}

static void draw_32(const Vga *v, const Picture *p, uint32_t at, uint32_t *out)
{
    const uint8_t *in = v->ram + at;
    for (uint32_t x = 0; x < p->width; x++, in += 4) {
        uint32_t c = get_le32(in);
        out[x] = (p->big_endian ? __builtin_bswap32(c) : c) & 0xffffff;
    }
}

static const struct {
    DrawLine *draw;
    uint8_t unit;           /* bytes of display memory for each step of an address */
    uint8_t bytes_8_pixels; /* 0: one plane address (4 bytes) shows 8 dots */
} kinds[] = {
    [PICTURE_PLANAR] = { draw_planar, 4, 0 }, [PICTURE_CGA] = { draw_cga, 4, 0 }, [PICTURE_256] = { draw_256, 4, 0 },
    [PICTURE_8] = { draw_8, 1, 8 },           [PICTURE_15] = { draw_15, 1, 16 },  [PICTURE_16] = { draw_16, 1, 16 },
    [PICTURE_24] = { draw_24, 1, 24 },        [PICTURE_32] = { draw_32, 1, 32 },
};

/* --- the picture -------------------------------------------------------------------------------------------- */

void vga_put_line(Vga *v, uint32_t y, const uint32_t *line)
{
    DisplaySurface *s = display_surface(v->display);
    uint32_t *to = s->pixels + (size_t)y * (size_t)s->width;
    int first = 0, end = s->width;
    while (first < end && to[first] == line[first]) first++;
    if (first == end) return;
    while (to[end - 1] == line[end - 1]) end--;
    memcpy(to + first, line + first, (size_t)(end - first) * sizeof *to);
    display_dirty(v->display, first, (int)y, end - first, 1);
}

static bool line_dirty(const Vga *v, const Picture *p, uint32_t at)
{
    if (kinds[p->kind].bytes_8_pixels) return bytes_dirty(&v->draw, at, p->width / 8 * kinds[p->kind].bytes_8_pixels);
    uint32_t n = groups(p), first = at & p->wrap, room = p->wrap + 1 - first;
    if (n <= room) return bytes_dirty(&v->draw, (uint64_t)first * 4, n * 4);
    return bytes_dirty(&v->draw, (uint64_t)first * 4, room * 4) || bytes_dirty(&v->draw, 0, (n - room) * 4);
}

/* Row scan bits stand in for address bits where the mode says so. */
static uint32_t with_row_bits(const Picture *p, uint32_t at, uint32_t row)
{
    for (unsigned i = 0; i < 2; i++)
        if (p->row_bit[i]) at = (at & ~p->row_bit[i]) | (row >> i & 1 ? p->row_bit[i] : 0);
    return at;
}

static void draw_lines(Vga *v, const Picture *p, bool full)
{
    uint32_t at = p->start, row = p->first_row, repeated = 0, pan = p->pan, last_at = 0, last_pan = UINT32_MAX;
    bool dirty = false;
    for (uint32_t y = 0; y < p->height; y++) {
        uint32_t here = with_row_bits(p, at, row);
        if (here != last_at || pan != last_pan) { /* otherwise the line above once more */
            dirty = full || line_dirty(v, p, here);
            if (dirty) kinds[p->kind].draw(v, p, here, v->draw.line);
            last_at = here;
            last_pan = pan;
        }
        if (dirty) vga_put_line(v, y, v->draw.line + pan);
        if (++repeated == p->repeat) {
            repeated = 0;
            if (row == p->rows - 1) at += p->pitch;
            row = row == p->rows - 1 ? 0 : (row + 1) & 31;
        }
        if (y == p->line_compare) {
            at = row = repeated = 0;
            pan = p->pan_split;
        }
    }
}

static void draw_graphics(Vga *v, bool full)
{
    const Picture *p = &v->draw.picture;
    uint64_t lo = 0, hi = PLANE_BYTES * 4;
    if (vbe_on(v)) {
        lo = (uint64_t)p->start * kinds[p->kind].unit;
        hi = lo + ((uint64_t)p->height * p->pitch + 4) * kinds[p->kind].unit;
    }
    if (take_pages(v, lo, hi) || full) draw_lines(v, p, full);
}

static void draw_blank(Vga *v)
{
    DisplaySurface *s = display_surface(v->display);
    memset(s->pixels, 0, (size_t)s->width * (size_t)s->height * sizeof *s->pixels);
    display_dirty(v->display, 0, 0, s->width, s->height);
}

/* What moves by itself in a text picture is looked at cell by cell. */
static bool same_picture(Picture a, Picture b)
{
    a.cursor = b.cursor = a.cursor_first = b.cursor_first = a.cursor_last = b.cursor_last = a.blink = b.blink = 0;
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool take_colors(Vga *v, uint32_t kind)
{
    uint32_t color16[16], color256[256];
    VgaDraw *d = &v->draw;
    vga_colors(v, color16, color256);
    bool changed16 = memcmp(color16, d->color16, sizeof color16) != 0;
    bool changed256 = memcmp(color256, d->color256, sizeof color256) != 0;
    memcpy(d->color16, color16, sizeof color16);
    memcpy(d->color256, color256, sizeof color256);
    return (changed16 && kind <= PICTURE_CGA) || (changed256 && (kind == PICTURE_256 || kind == PICTURE_8));
}

void vga_update(void *opaque, bool full)
{
    Vga *v = opaque;
    DisplaySurface *s = display_surface(v->display);
    Picture p;
    vga_picture(v, &p);
    full |= !same_picture(p, v->draw.picture);
    full |= take_colors(v, p.kind);
    if ((uint32_t)s->width != p.width || (uint32_t)s->height != p.height) {
        display_resize(v->display, (int)p.width, (int)p.height);
        full = true;
    }
    v->draw.picture = p;
    if ((uint32_t)s->width != p.width || (uint32_t)s->height != p.height) return; /* no host memory for it */
    if (p.kind == PICTURE_TEXT) {
        bool fonts = take_pages(v, 0, PLANE_BYTES * 4) || full ? vga_draw_font(v) : false;
        vga_draw_text(v, full || fonts);
    } else if (p.kind != PICTURE_BLANK) {
        draw_graphics(v, full);
    } else if (full) {
        draw_blank(v);
    }
}
