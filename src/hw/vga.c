/* The adapter as a device: its state, reset, and the PCI function around it.
 *
 * PCI 1234:1111: BAR 0 is the frame buffer, BAR 2 a page of registers:
 *   000h..3ffh  the monitor's EDID
 *   400h..41fh  ports 3C0h..3DFh, a byte each
 *   500h..515h  the VBE registers, 16 bits each
 *   600h..607h  size of this block (8); byte order of the frame buffer: be.. big, 1e.. little endian */
#include "hw/vga.h"

#include <stdlib.h>

#include "hw/alloc.h"
#include "hw/edid.h"
#include "hw/vga_int.h"

enum { REGS_BYTES = 0x1000, EDID_AT = 0, PORTS_AT = 0x400, PORTS_END = 0x420, VBE_AT = 0x500, VBE_END = 0x516 };
enum { QEXT_SIZE = 0x600, QEXT_ENDIAN = 0x604 };
#define ENDIAN_BIG    0xbebebebeu
#define ENDIAN_LITTLE 0x1e1e1e1eu

/* --- the register page ------------------------------------------------------------------------------------ */

static uint8_t edid_byte(PhysAddr offset)
{
    uint8_t edid[EDID_BYTES];
    if (offset >= EDID_BYTES) return 0;
    edid_build(edid);
    return edid[offset];
}

static uint32_t qext_register(const Vga *v, PhysAddr offset)
{
    return offset < QEXT_ENDIAN ? 8 : v->big_endian ? ENDIAN_BIG : ENDIAN_LITTLE;
}

static uint8_t regs_read_byte(Vga *v, PhysAddr at)
{
    if (at < PORTS_AT) return edid_byte(at - EDID_AT);
    if (at < PORTS_END) return vga_port_read(v, (uint16_t)(0x3c0 + at - PORTS_AT));
    if (at >= VBE_AT && at < VBE_END) return (uint8_t)(vga_vbe_read(v, (uint16_t)((at - VBE_AT) >> 1)) >> 8 * (at & 1));
    if (at >= QEXT_SIZE && at < QEXT_SIZE + 8) return (uint8_t)(qext_register(v, at) >> 8 * (at & 3));
    return 0xff;
}

static uint64_t regs_read(void *opaque, PhysAddr offset, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) value |= (uint64_t)regs_read_byte(opaque, offset + i) << 8 * i;
    return value;
}

static void regs_write(void *opaque, PhysAddr at, uint64_t value, unsigned size)
{
    Vga *v = opaque;
    if (at >= PORTS_AT && at < PORTS_END) {
        for (unsigned i = 0; i < size && at + i < PORTS_END; i++)
            vga_port_write(v, (uint16_t)(0x3c0 + at + i - PORTS_AT), (uint8_t)(value >> 8 * i));
    } else if (at >= VBE_AT && at < VBE_END && size >= 2) {
        for (unsigned i = 0; i < size && at + i < VBE_END; i += 2)
            vga_vbe_write(v, (uint16_t)((at + i - VBE_AT) >> 1), (uint16_t)(value >> 8 * i));
    } else if (at == QEXT_ENDIAN && size == 4 && ((uint32_t)value == ENDIAN_BIG || (uint32_t)value == ENDIAN_LITTLE)) {
        v->big_endian = (uint32_t)value == ENDIAN_BIG;
    }
}

/* --- the device ------------------------------------------------------------------------------------------- */

static const Field vga_fields[] = {
    FIELD(Vga, pci.config), FIELD(Vga, seq_index),  FIELD(Vga, sr),
    FIELD(Vga, gfx_index),  FIELD(Vga, gr),         FIELD(Vga, attr_index),
    FIELD(Vga, ar),         FIELD(Vga, attr_data),  FIELD(Vga, crtc_index),
    FIELD(Vga, cr),         FIELD(Vga, misc),       FIELD(Vga, feature),
    FIELD(Vga, dac_state),  FIELD(Vga, dac_sub),    FIELD(Vga, dac_read),
    FIELD(Vga, dac_write),  FIELD(Vga, dac_mask),   FIELD(Vga, dac_latch),
    FIELD(Vga, dac),        FIELD(Vga, latch),      FIELD(Vga, vbe_index),
    FIELD(Vga, vbe),        FIELD(Vga, bank),       FIELD(Vga, access),
    FIELD(Vga, map),        FIELD(Vga, big_endian), FIELD_END,
};

/* Memory keeps its contents; the screen is dark until a BIOS has set a mode. */
static void vga_reset(void *dev)
{
    Vga *v = dev;
    v->misc = 0;
    vga_memory_set_bank(v, 0);
    vga_memory_update(v); /* while the registers still say what the text window stands for */
    memset(v->sr, 0, sizeof v->sr);
    memset(v->gr, 0, sizeof v->gr);
    memset(v->ar, 0, sizeof v->ar);
    memset(v->cr, 0, sizeof v->cr);
    memset(v->dac, 0, sizeof v->dac);
    memset(v->dac_latch, 0, sizeof v->dac_latch);
    memset(v->vbe, 0, sizeof v->vbe);
    v->seq_index = v->gfx_index = v->attr_index = v->crtc_index = v->feature = 0;
    v->dac_state = v->dac_sub = v->dac_read = v->dac_write = 0;
    v->dac_mask = 0xff;
    v->attr_data = v->big_endian = false;
    v->latch = 0;
    v->vbe_index = 0;
    v->vbe[VBE_ID] = VBE_ID5;
    v->vbe[VBE_MEMORY_64K] = (uint16_t)(v->ram_size >> 16);
    vga_memory_update(v);
}

static const DeviceClass vga_class = { .name = "vga", .version = 1, .fields = vga_fields, .reset = vga_reset };

static void attach(Vga *v)
{
    static const DisplaySource source = { vga_update, vga_text };
    v->draw.line = hw_alloc((DISPLAY_MAX_WIDTH + 64) * sizeof *v->draw.line);
    v->draw.pages = hw_alloc(v->ram_size >> PAGE_SHIFT);
    vga_regs_map(v);
    vga_vbe_map(v);
    vga_memory_map(v);
    machine_add_device(v->machine, &vga_class, v);
    vga_reset(v);
    display_set_source(v->display, &source, v);
}

Vga *vga_new(Machine *m, PciBus *bus, uint8_t devfn, Display *display, const void *rom, size_t rom_len)
{
    static const PciIdentity identity = { .vendor = 0x1234, .device = 0x1111, .class_code = 0x030000, .revision = 2 };
    static const MmioOps ops = { regs_read, regs_write };
    Vga *v = hw_alloc(sizeof *v);
    v->machine = m;
    v->display = display;
    v->ram_size = VGA_MEMORY_BYTES;
    pci_add(bus, &v->pci, "VGA", devfn, &identity);
    v->ram = pci_add_ram(&v->pci, 0, v->ram_size, true);
    v->ram_region = pci_window_region(&v->pci, 0);
    pci_add_mmio(&v->pci, 2, REGS_BYTES, &ops, v);
    if (rom) pci_add_rom(&v->pci, rom, rom_len);
    attach(v);
    return v;
}

Vga *vga_new_isa(Machine *m, Display *display, PhysAddr linear)
{
    Vga *v = hw_alloc(sizeof *v);
    v->machine = m;
    v->display = display;
    v->ram_size = VGA_MEMORY_BYTES;
    v->ram_region = phys_add_ram(machine_phys(m), "vga.ram", linear, v->ram_size, 1);
    if (!v->ram_region) {
        free(v);
        return NULL;
    }
    v->ram = phys_region_host(v->ram_region);
    attach(v);
    return v;
}

void vga_free(Vga *v)
{
    if (!v) return;
    free(v->draw.cells);
    free(v->draw.line);
    free(v->draw.pages);
    free(v);
}
