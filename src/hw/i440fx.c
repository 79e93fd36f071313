/* 82441FX data sheet: chapter 3.2 (CONFADD, CONFDATA), 3.2.18 (PAM), 3.2.24 (SMRAM). */
#include "hw/i440fx.h"

#include "hw/alloc.h"

enum { PORT_CONFADD = 0xcf8, PORT_CONFDATA = 0xcfc };
enum { PAM0 = 0x59, PAM_READ = 1, PAM_WRITE = 2, PAM_AREAS = 13, PAM_AT = 0xc0000 };
enum {
    SMRAM = 0x72,
    SMRAM_BASE_SEG = 2,
    SMRAM_ENABLE = 8,
    SMRAM_LOCK = 0x10,
    SMRAM_CLOSED = 0x20, /* D_CLS: to data; code is still fetched from it */
    SMRAM_OPEN = 0x40,
    SMRAM_WRITABLE = 0x78
};
enum { SMRAM_AT = 0xa0000, SMRAM_SIZE = 0x20000 };
enum { SHADOW_PRIORITY = 2, SMRAM_PRIORITY = 3 }; /* ROM and the display's window have 1 */
#define CONFADD_ENABLE 0x80000000u

/* PAM area n: where, and which nibble of which register says. */
typedef struct PamArea {
    uint32_t base, size;
    uint8_t reg, shift;
} PamArea;

struct I440fx {
    PciDevice pci;
    PhysRegion *rom;
    PhysRegion *shadow[PAM_AREAS], *smram;
    uint32_t confadd;
    bool smm;
};

/* 16 KiB areas from C0000h to EFFFFh in PAM1..PAM6, two a register, then F0000h-FFFFFh in PAM0. */
static PamArea pam_area(unsigned n)
{
    if (n == PAM_AREAS - 1) return (PamArea){ 0xf0000, 0x10000, PAM0, 4 };
    return (PamArea){ PAM_AT + n * 0x4000, 0x4000, (uint8_t)(PAM0 + 1 + n / 2), (uint8_t)(n % 2 * 4) };
}

static void update_pam(I440fx *fx)
{
    for (unsigned n = 0; n < PAM_AREAS; n++) {
        PamArea a = pam_area(n);
        unsigned mode = fx->pci.config[a.reg] >> a.shift & (PAM_READ | PAM_WRITE);
        bool write_only = mode == PAM_WRITE;
        phys_region_set_source(fx->shadow[n], write_only ? fx->rom : NULL, write_only ? a.base - PAM_AT : 0);
        phys_region_set(fx->shadow[n], a.base, mode != 0, mode == PAM_READ);
    }
}

static void update_smram(I440fx *fx)
{
    uint8_t r = fx->pci.config[SMRAM];
    bool visible = (r & SMRAM_ENABLE) && ((r & SMRAM_OPEN) || fx->smm);
    phys_region_set_code_only(fx->smram, r & SMRAM_CLOSED);
    phys_region_set(fx->smram, SMRAM_AT, visible, false);
}

void i440fx_smm(I440fx *fx, bool active)
{
    fx->smm = active;
    update_smram(fx);
}

static bool touches(unsigned at, unsigned size, unsigned first, unsigned last)
{
    return at <= last && first < at + size;
}

static void config_written(PciDevice *d, unsigned at, unsigned size)
{
    I440fx *fx = (I440fx *)d;
    if (touches(at, size, PAM0, PAM0 + 6)) update_pam(fx);
    if (!touches(at, size, SMRAM, SMRAM)) return;
    if (d->config[SMRAM] & SMRAM_LOCK) { /* until the next reset */
        d->config[SMRAM] &= (uint8_t)~SMRAM_OPEN;
        d->writable[SMRAM] = SMRAM_CLOSED; /* by which a handler gets at the display memory behind its own */
    }
    update_smram(fx);
}

void i440fx_shadow_all(I440fx *fx)
{
    for (unsigned i = 0; i < 7; i++) pci_config_write(fx->pci.bus, fx->pci.devfn, PAM0 + i, 0x33, 1);
}

/* --- configuration cycles, mechanism 1 --------------------------------------------------------------------- */

/* CONFADD is a dword register; anything narrower is an ordinary ISA cycle. */
static uint32_t confadd_read(void *opaque, uint16_t port, unsigned size)
{
    (void)port;
    return size == 4 ? ((I440fx *)opaque)->confadd : UINT32_MAX;
}

static void confadd_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port;
    if (size == 4) ((I440fx *)opaque)->confadd = value & 0x80fffffc;
}

/* Bus 0 is the only one. */
static bool selected(const I440fx *fx)
{
    return (fx->confadd & CONFADD_ENABLE) && !(fx->confadd & 0xff0000);
}

static uint32_t confdata_read(void *opaque, uint16_t port, unsigned size)
{
    I440fx *fx = opaque;
    if (!selected(fx)) return UINT32_MAX;
    return pci_config_read(fx->pci.bus, (uint8_t)(fx->confadd >> 8), (fx->confadd & 0xfc) | (port & 3), size);
}

static void confdata_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    I440fx *fx = opaque;
    if (!selected(fx)) return;
    pci_config_write(fx->pci.bus, (uint8_t)(fx->confadd >> 8), (fx->confadd & 0xfc) | (port & 3), value, size);
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void fx_reset(void *dev)
{
    I440fx *fx = dev;
    fx->confadd = 0;
    for (unsigned i = 0; i < 7; i++) fx->pci.config[PAM0 + i] = 0;
    fx->pci.config[SMRAM] = SMRAM_BASE_SEG;
    fx->pci.writable[SMRAM] = SMRAM_WRITABLE;
    update_pam(fx);
    update_smram(fx);
}

static const Field fx_fields[] = {
    FIELD(I440fx, pci.config), FIELD(I440fx, pci.writable), FIELD(I440fx, confadd), FIELD(I440fx, smm), FIELD_END,
};
static const DeviceClass fx_class = { .name = "i440fx", .version = 1, .fields = fx_fields, .reset = fx_reset };

static void add_shadows(I440fx *fx, PhysMem *phys, PhysRegion *ram)
{
    for (unsigned n = 0; n < PAM_AREAS; n++) {
        PamArea a = pam_area(n);
        fx->shadow[n] = phys_add_alias(phys, "shadow", PHYS_SPARE, a.size, SHADOW_PRIORITY, ram, a.base);
    }
    fx->smram = phys_add_alias(phys, "smram", PHYS_SPARE, SMRAM_SIZE, SMRAM_PRIORITY, ram, SMRAM_AT);
}

I440fx *i440fx_new(Machine *m, PciBus *bus, I440fxMemory memory)
{
    static const IoPortOps add_ops = { confadd_read, confadd_write, 4 },
                           data_ops = { confdata_read, confdata_write, 4 };
    static const PciIdentity id = { .vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2 };
    I440fx *fx = hw_alloc(sizeof *fx);
    pci_add(bus, &fx->pci, "i440fx", pci_devfn(0, 0), &id);
    fx->pci.config_written = config_written;
    for (unsigned i = 0; i < 7; i++) fx->pci.writable[PAM0 + i] = i ? 0x33 : 0x30;
    fx->rom = memory.rom;
    add_shadows(fx, machine_phys(m), memory.ram);
    ioports_map(machine_io(m), PORT_CONFADD, 1, &add_ops, fx);
    ioports_map(machine_io(m), PORT_CONFDATA, 4, &data_ops, fx);
    machine_add_device(m, &fx_class, fx);
    fx_reset(fx);
    return fx;
}

void i440fx_free(I440fx *fx)
{
    free(fx);
}
