/* The Bochs VBE registers: a mode is a width, a height and a depth; index at port 1CEh, data at 1CFh, and the same
 * registers in the PCI device's memory window (vga.c). */
#include "hw/vga_int.h"

static uint32_t bits_per_pixel(const Vga *v)
{
    return v->vbe[VBE_BPP] == 15 ? 16 : v->vbe[VBE_BPP];
}

uint32_t vga_vbe_pitch(const Vga *v)
{
    return v->vbe[VBE_VIRT_WIDTH] * bits_per_pixel(v) / 8;
}

uint32_t vga_vbe_start(const Vga *v)
{
    return v->vbe[VBE_X_OFFSET] * bits_per_pixel(v) / 8 + v->vbe[VBE_Y_OFFSET] * vga_vbe_pitch(v);
}

/* --- what the registers may hold ------------------------------------------------------------------------ */

static bool depth_exists(uint16_t bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static void limit(uint16_t *reg, uint32_t max)
{
    if (*reg > max) *reg = (uint16_t)max;
}

/* Makes the mode one that fits into display memory, whatever the guest asked for.  After this every shown
 * byte lies inside. */
static void fit(Vga *v)
{
    uint16_t *r = v->vbe;
    if (!depth_exists(r[VBE_BPP])) r[VBE_BPP] = 8;
    r[VBE_XRES] &= 0xfff8;
    if (!r[VBE_XRES]) r[VBE_XRES] = 8;
    limit(&r[VBE_XRES], VBE_MAX_XRES);
    r[VBE_VIRT_WIDTH] &= 0xfff8;
    limit(&r[VBE_VIRT_WIDTH], VBE_MAX_XRES);
    if (r[VBE_VIRT_WIDTH] < r[VBE_XRES]) r[VBE_VIRT_WIDTH] = r[VBE_XRES];

    uint32_t lines = v->ram_size / vga_vbe_pitch(v);
    if (!r[VBE_YRES]) r[VBE_YRES] = 1;
    limit(&r[VBE_YRES], VBE_MAX_YRES);
    limit(&r[VBE_YRES], lines);
    limit(&r[VBE_X_OFFSET], VBE_MAX_XRES);
    limit(&r[VBE_Y_OFFSET], VBE_MAX_YRES);
    uint32_t shown = r[VBE_YRES] * vga_vbe_pitch(v);
    if (vga_vbe_start(v) + shown > v->ram_size) r[VBE_Y_OFFSET] = 0;
    if (vga_vbe_start(v) + shown > v->ram_size) r[VBE_X_OFFSET] = 0;
    r[VBE_VIRT_HEIGHT] = (uint16_t)(lines > 0xffff ? 0xffff : lines);
}

/* Programs that go on with VGA registers after setting a mode (bank switching, line compare, panning) find what a
 * VGA BIOS would have put there. */
static void set_vga_registers(Vga *v)
{
    uint32_t last = v->vbe[VBE_YRES] - 1u;
    v->gr[GR_MISC] = (uint8_t)((v->gr[GR_MISC] & ~0x0c) | GR6_GRAPHICS | 4); /* 64 KiB at a0000h */
    v->gr[GR_MODE] = (uint8_t)((v->gr[GR_MODE] & ~GR5_SHIFT) | (v->vbe[VBE_BPP] == 4 ? 0 : 0x40));
    v->cr[CR_MODE] |= 3;
    v->cr[CR_OFFSET] = (uint8_t)(vga_vbe_pitch(v) >> 3);
    v->cr[CR_H_END] = (uint8_t)((v->vbe[VBE_XRES] >> 3) - 1);
    v->cr[CR_V_END] = (uint8_t)last;
    v->cr[CR_OVERFLOW] = (uint8_t)((v->cr[CR_OVERFLOW] & ~0x42) | (last >> 7 & 2) | (last >> 3 & 0x40) | 0x10);
    v->cr[CR_LINE_COMPARE] = 0xff;
    v->cr[CR_MAX_SCAN] = (uint8_t)((v->cr[CR_MAX_SCAN] & 0x60) | 0x40);
}

static void mode_changed(Vga *v)
{
    if (!vbe_on(v)) return;
    fit(v);
    set_vga_registers(v);
    vga_memory_update(v);
}

static void enable(Vga *v, uint16_t value)
{
    bool begins = (value & VBE_ENABLED) && !vbe_on(v);
    v->vbe[VBE_ENABLE] = value;
    if (!begins) {
        vga_memory_set_bank(v, 0);
        vga_memory_update(v);
        return;
    }
    v->vbe[VBE_VIRT_WIDTH] = v->vbe[VBE_X_OFFSET] = v->vbe[VBE_Y_OFFSET] = 0;
    mode_changed(v);
    if (value & VBE_NO_CLEAR) return;
    uint32_t shown = v->vbe[VBE_YRES] * vga_vbe_pitch(v);
    memset(v->ram, 0, shown);
    phys_dirty_mark(v->ram_region, 0, shown);
}

static void set_bank(Vga *v, uint16_t value)
{
    v->vbe[VBE_BANK] = (uint16_t)(value & ((v->ram_size >> 16) - 1));
    vga_memory_set_bank(v, (uint32_t)v->vbe[VBE_BANK] << 16);
}

uint16_t vga_vbe_read(const Vga *v, uint16_t index)
{
    bool caps = v->vbe[VBE_ENABLE] & VBE_GET_CAPS;
    switch (index) {
    case VBE_XRES: return caps ? VBE_MAX_XRES : v->vbe[index];
    case VBE_YRES: return caps ? VBE_MAX_YRES : v->vbe[index];
    case VBE_BPP: return caps ? VBE_MAX_BPP : v->vbe[index];
    case VBE_MEMORY_64K: return (uint16_t)(v->ram_size >> 16);
    default: return index < VBE_REGS ? v->vbe[index] : 0;
    }
}

void vga_vbe_write(Vga *v, uint16_t index, uint16_t value)
{
    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID0 && value <= VBE_ID5) v->vbe[VBE_ID] = value;
        return;
    case VBE_ENABLE: enable(v, value); return;
    case VBE_BANK: set_bank(v, value); return;
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        v->vbe[index] = value;
        mode_changed(v);
        return;
    }
}

/* --- ports ---------------------------------------------------------------------------------------------- */

static uint32_t index_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    return ((Vga *)opaque)->vbe_index;
}
static void index_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    ((Vga *)opaque)->vbe_index = (uint16_t)value;
}
static uint32_t data_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port, (void)size;
    Vga *v = opaque;
    return vga_vbe_read(v, v->vbe_index);
}
static void data_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    Vga *v = opaque;
    vga_vbe_write(v, v->vbe_index, (uint16_t)value);
}

void vga_vbe_map(Vga *v)
{
    static const IoPortOps index_ops = { index_read, index_write, 2 }, data_ops = { data_read, data_write, 2 };
    ioports_map(machine_io(v->machine), 0x1ce, 1, &index_ops, v);
    ioports_map(machine_io(v->machine), 0x1cf, 2, &data_ops, v); /* 1D0h: where it would be aligned */
}
