/* Drawing text: cells are compared with what was drawn last, with the cursor and blinking resolved into the
 * comparison, and only those that differ are drawn.  A screen has so few that no tracking of writes is needed.  The screen is walked in bands of scan lines that show one row of
 * characters, so that smooth scrolling (preset row scan, panning) and a split screen come out right. */
#include <stdlib.h>

#include "hw/vga_int.h"

/* A cell as drawn: character, attribute, and these. */
enum {
    CELL_CURSOR = 1 << 16,
    CELL_HIDDEN = 1 << 17,
    CELL_BLINKS = 1 << 18,
    CELL_CURSOR_FIRST = 19,
    CELL_CURSOR_LAST = 24
};
#define CELL_UNKNOWN UINT32_MAX

typedef struct Band {
    uint32_t y, lines; /* on the surface */
    uint32_t row;      /* scan line of the characters at the top */
    uint32_t at;       /* plane address of the first character */
    uint32_t pan;
} Band;

bool vga_draw_font(Vga *v)
{
    VgaDraw *d = &v->draw;
    bool changed = false;
    for (unsigned f = 0; f < 2; f++)
        for (uint32_t i = 0; i < sizeof d->font[f]; i++) {
            uint8_t bits = v->ram[((d->picture.font[f] + i) & (PLANE_BYTES - 1)) * 4 + 2];
            changed |= bits != d->font[f][i];
            d->font[f][i] = bits;
        }
    return changed;
}

static uint32_t cell_key(const Vga *v, const Picture *p, uint32_t at)
{
    uint32_t key = vga_text_cell(v, at);
    if (p->blink) key |= CELL_BLINKS;
    if (p->blink == 2 && (key & 0x8000)) key |= CELL_HIDDEN;
    if (p->cursor != UINT32_MAX && (at & p->wrap) == (p->cursor & p->wrap) && p->cursor_first <= p->cursor_last)
        key |= CELL_CURSOR | p->cursor_first << CELL_CURSOR_FIRST | p->cursor_last << CELL_CURSOR_LAST;
    return key;
}

/* Dots of one scan line of a cell, leftmost in bit char_width - 1 (16-dot cells: 8 dots, shown twice). */
static uint32_t cell_dots(const Vga *v, const Picture *p, uint32_t key, uint32_t row)
{
    uint32_t all = p->char_width == 9 ? 0x1ff : 0xff, ch = key & 0xff, attr = key >> 8 & 0xff;
    if ((key & CELL_CURSOR) && row >= (key >> CELL_CURSOR_FIRST & 31) && row <= (key >> CELL_CURSOR_LAST & 31))
        return all;
    if (key & CELL_HIDDEN) return 0;
    if (row == p->underline && (attr & 0x77) == 1) return all;
    uint32_t dots = v->draw.font[attr >> 3 & 1][ch * 32 + row];
    if (p->char_width != 9) return dots;
    /* Line drawing characters reach the next cell: C0h-DFh on IBM's adapter; emulators take in the shaded blocks
     * at B0h, which would show gaps. */
    bool joined = p->line_graphics && ch >= 0xb0 && ch <= 0xdf;
    return dots << 1 | (joined ? dots & 1 : 0);
}

static void draw_cell(Vga *v, const Picture *p, const Band *b, uint32_t column, uint32_t key)
{
    DisplaySurface *s = display_surface(v->display);
    uint32_t attr = key >> 8 & 0xff, doubled = p->char_width == 16 ? 1 : 0, top = (p->char_width >> doubled) - 1;
    uint32_t fg = v->draw.color16[attr & 15], bg = v->draw.color16[attr >> 4 & (key & CELL_BLINKS ? 7 : 15)];
    int x0 = (int)(column * p->char_width) - (int)b->pan, from = x0 < 0 ? 0 : x0, to = x0 + (int)p->char_width;
    if (to > s->width) to = s->width;
    for (uint32_t i = 0; i < b->lines; i++) {
        uint32_t dots = cell_dots(v, p, key, b->row + i / p->repeat);
        uint32_t *out = s->pixels + (size_t)(b->y + i) * (size_t)s->width;
        for (int x = from; x < to; x++) out[x] = dots >> (top - ((uint32_t)(x - x0) >> doubled)) & 1 ? fg : bg;
    }
    display_dirty(v->display, from, (int)b->y, to - from, (int)b->lines);
}

static void draw_band(Vga *v, const Picture *p, const Band *b, uint32_t *cells)
{
    uint32_t columns = p->columns + (b->pan ? 1 : 0);
    for (uint32_t x = 0; x < columns; x++) {
        uint32_t key = cell_key(v, p, b->at + x);
        if (cells[x] == key) continue;
        cells[x] = key;
        draw_cell(v, p, b, x, key);
    }
}

/* Room for what stands in each band's cells; all unknown when fresh. */
static bool make_cells(VgaDraw *d, size_t n, bool fresh)
{
    if (n > d->cell_room) {
        uint32_t *cells = realloc(d->cells, n * sizeof *cells);
        if (!cells) return false;
        d->cells = cells;
        d->cell_room = n;
        fresh = true;
    }
    if (fresh) memset(d->cells, 0xff, d->cell_room * sizeof *d->cells);
    return true;
}

void vga_draw_text(Vga *v, bool full)
{
    const Picture *p = &v->draw.picture;
    uint32_t stride = p->columns + 1, row_lines = p->rows * p->repeat;
    if (!make_cells(&v->draw, (size_t)(p->height / row_lines + 4) * stride, full)) return;
    Band b = { .row = p->first_row % p->rows, .at = p->start, .pan = p->pan };
    for (uint32_t n = 0; b.y < p->height; n++) {
        b.lines = (p->rows - b.row) * p->repeat;
        if (b.lines > p->height - b.y) b.lines = p->height - b.y;
        bool split = p->line_compare >= b.y && p->line_compare < b.y + b.lines;
        if (split) b.lines = p->line_compare + 1 - b.y;
        draw_band(v, p, &b, v->draw.cells + (size_t)n * stride);
        b.y += b.lines;
        b.row = 0;
        b.at = split ? 0 : b.at + p->pitch;
        if (split) b.pan = p->pan_split;
    }
}
