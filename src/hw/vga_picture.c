/* From registers to what is to be seen: the geometry of the picture and its colours.  The drawing itself knows no
 * registers. */
#include "hw/ticks.h"
#include "hw/vga_int.h"

/* Cursor and blinking text change every 16 and 32 frames of 60 Hz. */
#define CURSOR_PHASE_NS (NS_PER_S / 60 * 16)
#define BLINK_PHASE_NS  (NS_PER_S / 60 * 32)

static uint32_t displayed_lines(const Vga *v)
{
    return (v->cr[CR_V_END] | (v->cr[CR_OVERFLOW] & 2u) << 7 | (v->cr[CR_OVERFLOW] & 0x40u) << 3) + 1;
}

static uint32_t line_compare(const Vga *v)
{
    return v->cr[CR_LINE_COMPARE] | (v->cr[CR_OVERFLOW] & 0x10u) << 4 | (v->cr[CR_MAX_SCAN] & 0x40u) << 3;
}

/* What text and VGA graphics have in common. */
static void common(const Vga *v, Picture *p)
{
    p->start = (uint32_t)(v->cr[CR_START_HI] << 8 | v->cr[CR_START_LO]) + (v->cr[CR_PRESET_ROW] >> 5 & 3u);
    p->pitch = v->cr[CR_OFFSET] * 2u;
    p->wrap = PLANE_BYTES - 1;
    p->line_compare = line_compare(v);
    p->rows = (v->cr[CR_MAX_SCAN] & 0x1fu) + 1;
    p->repeat = v->cr[CR_MAX_SCAN] & 0x80 ? 2 : 1;
    p->first_row = v->cr[CR_PRESET_ROW] & 0x1f;
    p->double_dots = v->sr[SR_CLOCKING] & SR1_HALF_CLOCK ? 1 : 0;
    p->plane_mask = v->ar[AR_PLANES] & 15;
}

static void text_cursor(const Vga *v, Picture *p)
{
    uint64_t phase = clock_now(v->machine) / CURSOR_PHASE_NS;
    p->cursor = UINT32_MAX;
    if ((v->cr[CR_CURSOR_START] & 0x20) || (phase & 1)) return;
    p->cursor = (uint32_t)(v->cr[CR_CURSOR_HI] << 8 | v->cr[CR_CURSOR_LO]);
    p->cursor_first = v->cr[CR_CURSOR_START] & 0x1f;
    p->cursor_last = v->cr[CR_CURSOR_END] & 0x1f;
}

static void text(const Vga *v, Picture *p)
{
    uint8_t map = v->sr[SR_CHAR_MAP];
    bool nine = !(v->sr[SR_CLOCKING] & SR1_8_DOTS);
    p->kind = PICTURE_TEXT;
    common(v, p);
    p->plane_mask = 15;
    p->columns = v->cr[CR_H_END] + 1u;
    /* The half clock doubles dots; nine of them would not divide, adapters give sixteen then. */
    p->char_width = p->double_dots ? 16 : nine ? 9 : 8;
    p->width = p->columns * p->char_width;
    /* Programs for the CGA's 160x100 reach this register when they mean the displayed rows. */
    uint32_t row = p->rows * p->repeat, lines = v->cr[CR_V_TOTAL] == 100 ? 100 * row : displayed_lines(v);
    p->height = lines >= row ? lines / row * row : lines;
    unsigned pan = v->ar[AR_PANNING];
    p->pan = nine && !p->double_dots ? (pan >= 8 ? 0 : pan + 1) : pan & 7;
    p->pan_split = v->ar[AR_MODE] & AR10_PAN_TOP_ONLY ? 0 : p->pan;
    p->line_graphics = v->ar[AR_MODE] & AR10_LINE_GRAPHICS ? 1 : 0;
    p->underline = v->ar[AR_MODE] & AR10_MONO ? v->cr[CR_UNDERLINE] & 0x1f : 32;
    p->blink = v->ar[AR_MODE] & AR10_BLINK ? 1 + (clock_now(v->machine) / BLINK_PHASE_NS & 1) : 0;
    /* Three bits each, the high one apart; 8 KiB a font.  Attribute bit 3 chooses: map A when set. */
    p->font[0] = ((map >> 4 & 1u) | (map << 1 & 6u)) * 0x2000;
    p->font[1] = ((map >> 5 & 1u) | (map >> 1 & 6u)) * 0x2000;
    text_cursor(v, p);
}

/* Row scan bits in place of address bits 13 and 14 (CRTC mode control bits 0 and 1, off for the CGA's and
 * Hercules' banks).  Word mode shifts the counter by one, so there they are plane address bits 12 and 13. */
static void row_address_bits(const Vga *v, Picture *p)
{
    uint8_t mode = v->cr[CR_MODE];
    unsigned bit = mode & 0x40 ? 13 : 12;
    if (!(mode & 1)) p->row_bit[0] = 1u << bit;
    if (!(mode & 2)) p->row_bit[1] = 2u << bit;
}

static void graphics(const Vga *v, Picture *p)
{
    unsigned shift = v->gr[GR_MODE] >> 5 & 3, pan = v->ar[AR_PANNING] & 7;
    p->kind = shift >= 2 ? PICTURE_256 : shift ? PICTURE_CGA : PICTURE_PLANAR;
    common(v, p);
    row_address_bits(v, p);
    if (p->kind == PICTURE_256) p->double_dots = 0;
    p->width = (v->cr[CR_H_END] + 1u) * 8 << p->double_dots;
    p->height = displayed_lines(v);
    p->pan = p->kind == PICTURE_256 ? pan & 6 : pan << p->double_dots;
    p->pan_split = v->ar[AR_MODE] & AR10_PAN_TOP_ONLY ? 0 : p->pan;
}

static void vbe(const Vga *v, Picture *p)
{
    uint16_t bpp = v->vbe[VBE_BPP];
    p->width = v->vbe[VBE_XRES];
    p->height = v->vbe[VBE_YRES];
    p->pitch = vga_vbe_pitch(v);
    p->start = vga_vbe_start(v);
    p->line_compare = UINT32_MAX;
    p->rows = p->repeat = 1;
    p->wrap = v->ram_size - 1;
    p->big_endian = v->big_endian;
    if (bpp != 4) {
        p->kind = bpp == 8    ? PICTURE_8
                  : bpp == 15 ? PICTURE_15
                  : bpp == 16 ? PICTURE_16
                  : bpp == 24 ? PICTURE_24
                              : PICTURE_32;
        return;
    }
    p->kind = PICTURE_PLANAR;
    p->start /= 4;
    p->pitch /= 4;
    p->wrap /= 4;
    p->pan = p->pan_split = v->vbe[VBE_X_OFFSET] & 7;
    p->plane_mask = v->ar[AR_PLANES] & 15;
}

void vga_picture(const Vga *v, Picture *p)
{
    memset(p, 0, sizeof *p);
    bool off = !(v->attr_index & AR_SCREEN_ON) || (!vbe_on(v) && (v->sr[SR_CLOCKING] & SR1_SCREEN_OFF));
    if (off) {
        p->kind = PICTURE_BLANK;
        p->width = (uint32_t)display_surface(v->display)->width;
        p->height = (uint32_t)display_surface(v->display)->height;
    } else if (vbe_on(v)) {
        vbe(v, p);
    } else if (v->gr[GR_MISC] & GR6_GRAPHICS) {
        graphics(v, p);
    } else {
        text(v, p);
    }
}

/* --- colours ----------------------------------------------------------------------------------------------- */

/* Six bits to eight: the lowest is repeated, so that 0 and 63 become 0 and 255. */
static uint32_t dac_level(const Vga *v, uint8_t level)
{
    if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC) return level;
    return (level & 0x3fu) << 2 | (level & 1u) * 3;
}

static uint32_t dac_color(const Vga *v, uint32_t index)
{
    const uint8_t *c = v->dac + (index & v->dac_mask) * 3;
    return dac_level(v, c[0]) << 16 | dac_level(v, c[1]) << 8 | dac_level(v, c[2]);
}

void vga_colors(const Vga *v, uint32_t color16[16], uint32_t color256[256])
{
    uint32_t page = v->ar[AR_COLOR];
    bool p54 = v->ar[AR_MODE] & AR10_P54_SELECT;
    for (unsigned i = 0; i < 256; i++) color256[i] = dac_color(v, i);
    for (unsigned i = 0; i < 16; i++) {
        uint32_t index = p54 ? page << 4 | (v->ar[i] & 0x0fu) : (page & 0x0c) << 4 | (v->ar[i] & 0x3fu);
        color16[i] = color256[index & 0xff];
    }
}

/* --- text --------------------------------------------------------------------------------------------------- */

uint32_t vga_text_cell(const Vga *v, uint32_t at)
{
    at &= PLANE_BYTES - 1;
    const uint8_t *cell = v->access == ACCESS_TEXT && at < TEXT_CELLS ? v->window.text_host + 2 * at : v->ram + 4 * at;
    return (uint32_t)(cell[0] | cell[1] << 8);
}

bool vga_text(void *opaque, DisplayText *t)
{
    Vga *v = opaque;
    Picture p;
    uint32_t color256[256];
    vga_picture(v, &p);
    if (p.kind != PICTURE_TEXT) return false;
    uint32_t row_lines = p.rows * p.repeat, rows = (p.height + row_lines - 1) / row_lines;
    if (rows > DISPLAY_TEXT_CELLS_MAX / p.columns) rows = DISPLAY_TEXT_CELLS_MAX / p.columns;
    t->columns = (int)p.columns;
    t->rows = (int)rows;
    t->cursor = false;
    t->blink = p.blink != 0;
    vga_colors(v, t->colors, color256);
    uint32_t cursor = (uint32_t)(v->cr[CR_CURSOR_HI] << 8 | v->cr[CR_CURSOR_LO]), at = p.start;
    bool shown = !(v->cr[CR_CURSOR_START] & 0x20) && (v->cr[CR_CURSOR_START] & 0x1f) <= (v->cr[CR_CURSOR_END] & 0x1f);
    for (uint32_t y = 0; y < rows; y++, at += p.pitch) {
        if (y && (y - 1) * row_lines <= p.line_compare && y * row_lines > p.line_compare) at = 0;
        for (uint32_t x = 0; x < p.columns; x++) {
            t->cells[y * p.columns + x] = (uint16_t)vga_text_cell(v, at + x);
            if (!shown || ((at + x) & p.wrap) != (cursor & p.wrap)) continue;
            t->cursor = true;
            t->cursor_x = (int)x;
            t->cursor_y = (int)y;
        }
    }
    return true;
}
