/* How the processor reaches display memory through the windows at a0000h..bffffh.
 *
 * Planar access goes through callbacks with the latches, as the chip does it.  Where a write would land in
 * memory as it is, the window is mapped directly so that the processor uses it through the TLB at full speed:
 *   - packed frame buffers (chain-4, VBE) are aliases of display memory, moved about by the VBE bank;
 *   - the text window is a RAM region of its own that stands for planes 0 and 1: they are copied into it
 *     when the mode begins and back when it ends.
 * The attribute of being direct is worked out anew after every write to a register that has a say; programs
 * rewrite the bit mask and map mask all the time, so that is a handful of compares. */
#include "hw/vga_int.h"

enum { WINDOW_BASE = 0xa0000, WINDOW_BYTES = 0x20000, TEXT_PAGES_BYTES = TEXT_CELLS * 4 };

static const struct {
    uint32_t offset, size; /* from a0000h */
} maps[4] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };

/* --- the planar path -------------------------------------------------------------------------------------- */

/* A byte of the window: plane address and the planes it reaches. */
typedef struct Cell {
    uint8_t *at;
    uint32_t planes; /* bit 0..3; 0: outside the mapped part */
} Cell;

/* bits 0..3 -> ff in bytes 0..3 */
static uint32_t spread(uint32_t planes)
{
    return (planes & 1) * 0xffu | (planes & 2) * 0x7f80u | (planes & 4) * 0x3fc000u | (planes & 8) * 0x1fe00000u;
}

static bool odd_even(const Vga *v, bool write)
{
    return write ? !(v->sr[SR_MEMORY] & SR4_SEQUENTIAL) : v->gr[GR_MODE] & GR5_ODD_EVEN;
}

static bool chain4(const Vga *v)
{
    return vbe_packed(v) || (!vbe_on(v) && (v->sr[SR_MEMORY] & SR4_CHAIN4));
}

static Cell find_cell(const Vga *v, uint32_t offset, bool write)
{
    unsigned map = v->gr[GR_MISC] >> 2 & 3;
    uint32_t a = offset - maps[map].offset, planes = 15;
    if (a >= maps[map].size) return (Cell){ 0 };
    if (chain4(v)) {
        a = (a + v->bank) & (v->ram_size - 1);
        planes = 1u << (a & 3);
        a >>= 2;
    } else if (!vbe_on(v) && odd_even(v, write)) {
        planes = a & 1 ? 10 : 5;
        a = a >> 1 & (PLANE_BYTES - 1);
    } else if (vbe_on(v)) {
        a = (a + v->bank) & (v->ram_size / 4 - 1);
    } else {
        a &= PLANE_BYTES - 1;
    }
    return (Cell){ v->ram + (size_t)a * 4, planes };
}

static unsigned read_plane(const Vga *v, uint32_t planes)
{
    unsigned select = v->gr[GR_READ_MAP] & 3;
    switch (planes) {
    case 5: return select & 2;
    case 10: return select | 1;
    case 15: return select;
    default: return (unsigned)__builtin_ctz(planes); /* chain-4 */
    }
}

static uint8_t read_byte(Vga *v, uint32_t offset)
{
    Cell c = find_cell(v, offset, false);
    if (!c.planes) return 0xff;
    v->latch = get_le32(c.at);
    if (!(v->gr[GR_MODE] & GR5_READ_COMPARE)) return c.at[read_plane(v, c.planes)];
    uint32_t differ = (v->latch ^ spread(v->gr[GR_COMPARE])) & spread(v->gr[GR_DONT_CARE]);
    differ |= differ >> 16;
    return (uint8_t) ~(differ | differ >> 8);
}

static uint8_t rotate(const Vga *v, uint8_t value)
{
    unsigned n = v->gr[GR_ROTATE] & 7;
    return (uint8_t)(value >> n | value << (8 - n));
}

static uint32_t combine(const Vga *v, uint32_t value)
{
    switch (v->gr[GR_ROTATE] >> 3) {
    case 1: return value & v->latch;
    case 2: return value | v->latch;
    case 3: return value ^ v->latch;
    default: return value;
    }
}

/* What the four planes would become: the write modes. */
static uint32_t write_data(const Vga *v, uint8_t value)
{
    const uint8_t *gr = v->gr;
    uint32_t data, mask = gr[GR_BIT_MASK], enable;
    switch (gr[GR_MODE] & 3) {
    case 0:
        enable = spread(gr[GR_ENABLE_SR]);
        data = (rotate(v, value) * 0x01010101u & ~enable) | (spread(gr[GR_SET_RESET]) & enable);
        break;
    case 1: return v->latch;
    case 2: data = spread(value); break;
    default:
        mask &= rotate(v, value);
        data = spread(gr[GR_SET_RESET]);
        break;
    }
    mask *= 0x01010101u;
    return (combine(v, data) & mask) | (v->latch & ~mask);
}

static void write_byte(Vga *v, uint32_t offset, uint8_t value)
{
    Cell c = find_cell(v, offset, true);
    /* In VBE modes the sequencer's map mask is VGA's business in planar modes only. */
    uint32_t planes = spread(c.planes & (vbe_packed(v) ? 15u : v->sr[SR_MAP_MASK]));
    if (!planes) return;
    put_le32(c.at, (write_data(v, value) & planes) | (get_le32(c.at) & ~planes));
    phys_dirty_mark(v->ram_region, (uint64_t)(c.at - v->ram), 4);
}

static uint64_t window_read(void *opaque, PhysAddr offset, unsigned size)
{
    Vga *v = opaque;
    uint64_t value = 0;
    if (v->access == ACCESS_OFF) return UINT64_MAX;
    for (unsigned i = 0; i < size; i++) value |= (uint64_t)read_byte(v, (uint32_t)offset + i) << 8 * i;
    return value;
}

static void window_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    Vga *v = opaque;
    if (v->access == ACCESS_OFF) return;
    for (unsigned i = 0; i < size; i++) write_byte(v, (uint32_t)offset + i, (uint8_t)(value >> 8 * i));
}

/* --- the direct windows -------------------------------------------------------------------------------------- */

static bool stores_plainly(const Vga *v)
{
    const uint8_t *gr = v->gr;
    return gr[GR_BIT_MASK] == 0xff && !(gr[GR_MODE] & (3 | GR5_READ_COMPARE)) && !(gr[GR_ROTATE] & 0x1f) &&
           !gr[GR_ENABLE_SR];
}

static VgaAccess access_now(const Vga *v)
{
    const uint8_t *sr = v->sr, *gr = v->gr;
    if (!(v->misc & MISC_RAM)) return ACCESS_OFF;
    if (vbe_packed(v)) return ACCESS_LINEAR;
    if (vbe_on(v) || !stores_plainly(v)) return ACCESS_PLANAR;
    if (sr[SR_MEMORY] & SR4_CHAIN4) return sr[SR_MAP_MASK] == 15 ? ACCESS_LINEAR : ACCESS_PLANAR;
    bool text = odd_even(v, true) && odd_even(v, false) && sr[SR_MAP_MASK] == 3 && !(gr[GR_READ_MAP] & 2) &&
                (gr[GR_MISC] >> 2 & 3) >= 2 && !(gr[GR_MISC] & GR6_GRAPHICS);
    return text ? ACCESS_TEXT : ACCESS_PLANAR;
}

static void planes_to_text(Vga *v)
{
    uint8_t *text = v->window.text_host;
    for (unsigned i = 0; i < TEXT_CELLS; i++) memcpy(text + 2 * i, v->ram + 4 * i, 2);
}

static void text_to_planes(Vga *v)
{
    const uint8_t *text = v->window.text_host;
    for (unsigned i = 0; i < TEXT_CELLS; i++) memcpy(v->ram + 4 * i, text + 2 * i, 2);
    phys_dirty_mark(v->ram_region, 0, TEXT_PAGES_BYTES);
}

static PhysRegion *direct_region(const Vga *v)
{
    if (v->access == ACCESS_LINEAR) return v->window.linear[v->map];
    return v->access == ACCESS_TEXT ? v->window.text : NULL;
}

void vga_memory_update(Vga *v)
{
    VgaAccess access = access_now(v);
    uint8_t map = v->gr[GR_MISC] >> 2 & 3;
    if (access == v->access && map == v->map) return;
    PhysRegion *old = direct_region(v);
    if (v->access == ACCESS_TEXT && access != ACCESS_TEXT) text_to_planes(v);
    if (v->access != ACCESS_TEXT && access == ACCESS_TEXT) planes_to_text(v);
    v->access = (uint8_t)access;
    v->map = map;
    PhysRegion *now = direct_region(v);
    if (old && old != now) phys_region_set(old, WINDOW_BASE, false, false);
    if (now) phys_region_set(now, WINDOW_BASE + maps[map].offset, true, false);
}

void vga_memory_set_bank(Vga *v, uint32_t bank)
{
    v->bank = bank;
    /* The 128 KiB window is not banked, as it would not fit behind the last bank. */
    phys_alias_set_offset(v->window.linear[1], bank);
}

void vga_memory_map(Vga *v)
{
    static const MmioOps ops = { window_read, window_write };
    static const char *const names[4] = { "vga.a0000-128k", "vga.a0000", "vga.b0000", "vga.b8000" };
    PhysMem *pm = machine_phys(v->machine);
    v->window.slow = phys_add_mmio(pm, "vga.planes", WINDOW_BASE, WINDOW_BYTES, VGA_WINDOW_PRIORITY, &ops, v);
    for (unsigned i = 0; i < 4; i++) {
        v->window.linear[i] = phys_add_alias(pm, names[i], WINDOW_BASE + maps[i].offset, maps[i].size,
                                             VGA_WINDOW_PRIORITY, v->ram_region, 0);
        phys_region_set(v->window.linear[i], WINDOW_BASE, false, false);
    }
    v->window.text = phys_add_ram(pm, "vga.text", WINDOW_BASE, TEXT_WINDOW, VGA_WINDOW_PRIORITY);
    phys_region_set(v->window.text, WINDOW_BASE, false, false);
    v->window.text_host = phys_region_host(v->window.text);
    phys_dirty_track(v->ram_region);
}
