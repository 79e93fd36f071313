/* The register file: sequencer, graphics controller, CRTC, attribute controller, DAC, at their ports. */
#include "hw/vga_int.h"

/* --- sequencer, graphics controller --------------------------------------------------------------------- */

/* Bits that exist. */
static const uint8_t sr_mask[VGA_SRS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gr_mask[VGA_GRS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

static void seq_write(Vga *v, uint8_t value)
{
    v->sr[v->seq_index] = value & sr_mask[v->seq_index];
    vga_memory_update(v);
}

static void gfx_write(Vga *v, uint8_t value)
{
    v->gr[v->gfx_index] = value & gr_mask[v->gfx_index];
    vga_memory_update(v);
}

/* --- CRTC ------------------------------------------------------------------------------------------------ */

enum { CR_LATCH = 0x22, CR_ATTR_STATE = 0x24 }; /* undocumented but everywhere: the read latch, the 3C0h flip-flop */

static uint8_t crtc_read(const Vga *v)
{
    if (v->crtc_index < VGA_CRS) return v->cr[v->crtc_index];
    if (v->crtc_index == CR_LATCH) return (uint8_t)(v->latch >> 8 * (v->gr[GR_READ_MAP] & 3));
    if (v->crtc_index == CR_ATTR_STATE) return v->attr_data ? 0x80 : 0;
    return 0;
}

static void crtc_write(Vga *v, uint8_t value)
{
    uint8_t i = v->crtc_index;
    if (i >= VGA_CRS) return;
    if (i <= CR_OVERFLOW && (v->cr[CR_V_RETRACE_END] & CR11_PROTECT)) {
        /* Line compare's bit 8 is not timing and stays open. */
        if (i == CR_OVERFLOW) v->cr[i] = (uint8_t)((v->cr[i] & ~0x10) | (value & 0x10));
        return;
    }
    v->cr[i] = value;
}

/* --- attribute controller --------------------------------------------------------------------------------- */

static uint8_t ar_mask(unsigned i)
{
    static const uint8_t control[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f };
    return i < AR_MODE ? 0x3f : control[i - AR_MODE];
}

static void attr_write(Vga *v, uint8_t value)
{
    unsigned i = v->attr_index & 0x1f;
    if (!v->attr_data)
        v->attr_index = value & 0x3f;
    else if (i < VGA_ARS)
        v->ar[i] = value & ar_mask(i);
    v->attr_data = !v->attr_data;
}

static uint8_t attr_read(const Vga *v)
{
    unsigned i = v->attr_index & 0x1f;
    return i < VGA_ARS ? v->ar[i] : 0;
}

/* --- DAC --------------------------------------------------------------------------------------------------- */

enum { DAC_WRITING = 0, DAC_READING = 3 };

static uint8_t dac_data_read(Vga *v)
{
    uint8_t value = v->dac[v->dac_read * 3 + v->dac_sub];
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? value : value & 0x3f;
}

/* The three parts become visible together. */
static void dac_data_write(Vga *v, uint8_t value)
{
    v->dac_latch[v->dac_sub] = value;
    if (++v->dac_sub < 3) return;
    v->dac_sub = 0;
    memcpy(v->dac + v->dac_write * 3, v->dac_latch, 3);
    v->dac_write++;
}

static void dac_index(Vga *v, uint8_t *index, uint8_t value, uint8_t state)
{
    *index = value;
    v->dac_sub = 0;
    v->dac_state = state;
}

/* --- ports -------------------------------------------------------------------------------------------------- */

/* 3Bxh answers as monochrome adapter, 3Dxh as colour: Miscellaneous Output bit 0. */
static bool other_crtc(const Vga *v, uint16_t port)
{
    return (port >= 0x3b0 && port <= 0x3bf && (v->misc & MISC_COLOR)) ||
           (port >= 0x3d0 && port <= 0x3df && !(v->misc & MISC_COLOR));
}

uint8_t vga_port_read(Vga *v, uint16_t port)
{
    if (other_crtc(v, port)) return 0xff;
    switch (port) {
    case 0x3c0: return v->attr_data ? 0 : v->attr_index;
    case 0x3c1: return attr_read(v);
    case 0x3c2: return 0; /* no sense lines, no retrace interrupt */
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->sr[v->seq_index];
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_state;
    case 0x3c8: return v->dac_write;
    case 0x3c9: return dac_data_read(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gfx_index;
    case 0x3cf: return v->gr[v->gfx_index];
    case 0x3b4:
    case 0x3d4: return v->crtc_index;
    case 0x3b5:
    case 0x3d5: return crtc_read(v);
    case 0x3ba:
    case 0x3da: v->attr_data = false; return vga_input_status_1(v);
    }
    return 0;
}

void vga_port_write(Vga *v, uint16_t port, uint8_t value)
{
    if (other_crtc(v, port)) return;
    switch (port) {
    case 0x3c0:
    case 0x3c1: attr_write(v, value); return;
    case 0x3c2:
        v->misc = value & 0xef;
        vga_memory_update(v);
        return;
    case 0x3c4: v->seq_index = value & 7; return;
    case 0x3c5: seq_write(v, value); return;
    case 0x3c6: v->dac_mask = value; return;
    case 0x3c7: dac_index(v, &v->dac_read, value, DAC_READING); return;
    case 0x3c8: dac_index(v, &v->dac_write, value, DAC_WRITING); return;
    case 0x3c9: dac_data_write(v, value); return;
    case 0x3ce: v->gfx_index = value & 0x0f; return;
    case 0x3cf: gfx_write(v, value); return;
    case 0x3b4:
    case 0x3d4: v->crtc_index = value; return;
    case 0x3b5:
    case 0x3d5: crtc_write(v, value); return;
    case 0x3ba:
    case 0x3da: v->feature = value & 0x10; return;
    }
}

static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return vga_port_read(opaque, port);
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    vga_port_write(opaque, port, (uint8_t)value);
}

void vga_regs_map(Vga *v)
{
    static const IoPortOps ops = { port_read, port_write, 1 };
    static const struct {
        uint16_t base, count;
    } at[] = { { 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 } };
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        ioports_map(machine_io(v->machine), at[i].base, at[i].count, &ops, v);
}
