/* PCI configuration cycles, PAM and SMRAM, by the 82441FX data sheet; PIRQ routing by the 82371SB's. */
#include <string.h>

#include "hw/i440fx.h"
#include "hw/piix3.h"
#include "fake.h"

static Fake f;
static PciBus *bus;
static I440fx *fx;
static PhysRegion *ram, *rom;

static void select_config(unsigned devfn, unsigned at)
{
    ioports_write(f.io, 0xcf8, 0x80000000u | devfn << 8 | (at & 0xfc), 4);
}
static uint32_t config_in(unsigned devfn, unsigned at, unsigned size)
{
    select_config(devfn, at);
    return ioports_read(f.io, (uint16_t)(0xcfc + (at & 3)), size);
}
static void config_out(unsigned devfn, unsigned at, uint32_t v, unsigned size)
{
    select_config(devfn, at);
    ioports_write(f.io, (uint16_t)(0xcfc + (at & 3)), v, size);
}

static uint8_t peek(uint32_t at)
{
    return (uint8_t)phys_ld(f.phys, at, 1);
}
static void poke(uint32_t at, uint8_t v)
{
    phys_st(f.phys, at, v, 1);
}

static uint64_t screen_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0x5353535353535353u;
}
static void screen_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)offset, (void)value, (void)size;
    ++*(int *)opaque;
}
static int screen_writes;

static void build(void)
{
    static const MmioOps screen = { screen_read, screen_write };
    fake_init(&f);
    ram = phys_add_ram(f.phys, "ram", 0, 16 << 20, 0);
    rom = phys_add_rom(f.phys, "rom", 0xc0000, 0x40000, 1);
    phys_add_mmio(f.phys, "screen", 0xa0000, 0x20000, 2, &screen, &screen_writes);
    memset(phys_region_host(rom), 0xee, 0x40000);
    bus = pci_bus_new(f.m);
    fx = i440fx_new(f.m, bus, (I440fxMemory){ ram, rom });
}

static void take_down(void)
{
    i440fx_free(fx);
    pci_bus_free(bus);
    fake_free(&f);
}

static void test_config_cycles(void)
{
    build();
    IS(config_in(0, 0, 4), 0x12378086, "device and vendor");
    IS(config_in(0, 0x0a, 2), 0x0600, "class: host bridge");
    IS(config_in(0, 0x0b, 1), 0x06, "by byte");
    IS(config_in(8, 0, 4), 0xffffffff, "an empty slot answers with ones");
    select_config(0, 0);
    ioports_write(f.io, 0xcf8, 0x12, 1);
    IS(ioports_read(f.io, 0xcf8, 4), 0x80000000u, "a byte at CF8h is not for CONFADD");
    ioports_write(f.io, 0xcf8, 0, 4);
    IS(ioports_read(f.io, 0xcfc, 4), 0xffffffff, "disabled: nothing answers");
    ioports_write(f.io, 0xcf8, 0x80010000u, 4);
    IS(ioports_read(f.io, 0xcfc, 4), 0xffffffff, "there is no bus 1");
    config_out(0, 0, 0, 4);
    IS(config_in(0, 0, 4), 0x12378086, "identification is read-only");
    take_down();
}

static void test_pam(void)
{
    build();
    IS(peek(0xf0000), 0xee, "after reset F0000h is the bus's");
    poke(0xf0000, 1);
    IS(peek(0xf0000), 0xee, "and takes no writes");
    config_out(0, 0x59, 0x20, 1);
    poke(0xf0000, 0x11);
    poke(0xfffff, 0x12);
    IS(peek(0xf0000), 0xee, "write only: reads still come from the bus");
    IS(phys_region_host(ram)[0xf0000], 0x11, "writes go to RAM");
    IS(phys_region_host(ram)[0xfffff], 0x12, "to the last byte");
    phys_write(f.phys, 0xf0ffe, "abcd", 4);
    ok(!memcmp(phys_region_host(ram) + 0xf0ffe, "abcd", 4), "also across pages");
    config_out(0, 0x59, 0x10, 1);
    IS(peek(0xf0000), 0x11, "read only: reads from RAM");
    poke(0xf0000, 0x22);
    IS(peek(0xf0000), 0x11, "writes do not get there");
    config_out(0, 0x59, 0x30, 1);
    poke(0xf0000, 0x33);
    IS(peek(0xf0000), 0x33, "both");
    IS(peek(0xec000), 0xee, "other areas are as before");
    for (unsigned n = 0; n < 12; n++) {
        config_out(0, 0x5a + n / 2, n % 2 ? 0x30 : 0x03, 1);
        uint32_t at = 0xc0000 + n * 0x4000;
        poke(at, (uint8_t)n);
        poke(at + 0x3fff, (uint8_t)n);
        ok(peek(at) == n && peek(at + 0x3fff) == n && peek((at + 0x4000) & 0xfffff) != n, "area %05x", at);
        config_out(0, 0x5a + n / 2, 0, 1);
        IS(peek(at), 0xee, "off again");
    }
    bool writable;
    config_out(0, 0x5a, 0x02, 1);
    uint8_t *host = phys_page_host(f.phys, 0xc0000, &writable);
    ok(host == phys_region_host(rom) && !writable, "write only: a page of ROM for the TLB");
    take_down();
}

static void test_smram(void)
{
    build();
    IS(peek(0xa8000), 0x53, "closed: the display's");
    config_out(0, 0x72, 0x4a, 1);
    poke(0xa8000, 0x77);
    IS(peek(0xa8000), 0x77, "open: RAM");
    config_out(0, 0x72, 0x0a, 1);
    IS(peek(0xa8000), 0x53, "closed again");
    i440fx_smm(fx, true);
    IS(peek(0xa8000), 0x77, "RAM in system management mode");
    ok(!phys_code_only_page(f.phys, 0xa8000), "for code as for data");
    config_out(0, 0x72, 0x2a, 1);
    IS(peek(0xa8000), 0x53, "D_CLS: data is the display's");
    const uint8_t *code = phys_code_only_page(f.phys, 0xa8000);
    ok(code && code[0] == 0x77, "code is fetched from RAM");
    config_out(0, 0x72, 0x0a, 1);
    i440fx_smm(fx, false);
    IS(peek(0xa8000), 0x53, "and not outside");
    config_out(0, 0x72, 0x2a, 1);
    ok(!phys_code_only_page(f.phys, 0xa8000), "D_CLS or not");
    config_out(0, 0x72, 0x0a, 1);
    config_out(0, 0x72, 0x5a, 1);
    IS(config_in(0, 0x72, 1), 0x1a, "locked: closed");
    config_out(0, 0x72, 0x4a, 1);
    IS(config_in(0, 0x72, 1), 0x1a, "for good");
    config_out(0, 0x72, 0x00, 1);
    config_out(0, 0x72, 0x20, 1);
    IS(config_in(0, 0x72, 1), 0x3a, "but for D_CLS");
    machine_reset_now(f.m);
    IS(config_in(0, 0x72, 1), 0x02, "until reset");
    i440fx_smm(fx, true);
    IS(peek(0xa8000), 0x53, "disabled: not even in system management mode");
    take_down();
}

/* --- windows and interrupts ---------------------------------------------------------------------------- */

typedef struct Card {
    PciDevice pci;
    uint32_t last;
} Card;

static uint64_t card_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)size;
    return 0x1000 + offset;
}
static void card_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)offset, (void)size;
    ((Card *)opaque)->last = (uint32_t)value;
}
static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)size;
    return port & 0x1f;
}
static uint32_t isa_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0x77;
}

static void test_windows(void)
{
    static const PciIdentity id = { .vendor = 0x1234, .device = 0x5678, .class_code = 0x020000, .pin = 1 };
    static const MmioOps mmio = { card_read, card_write };
    static const IoPortOps ports = { port_read, NULL, 4 }, isa = { isa_read, NULL, 1 };
    static const char image[5000] = "rom";
    build();
    Card card = { .last = 0 };
    pci_add(bus, &card.pci, "card", pci_devfn(3, 0), &id);
    pci_add_mmio(&card.pci, 0, 0x1000, &mmio, &card);
    pci_add_ports(&card.pci, 1, 0x20, &ports, &card);
    uint8_t *memory = pci_add_ram(&card.pci, 2, 0x10000, true);
    pci_add_rom(&card.pci, image, sizeof image);
    ioports_map(f.io, 0x300, 1, &isa, NULL);
    unsigned at = pci_devfn(3, 0);

    config_out(at, 0x10, 0xffffffff, 4);
    config_out(at, 0x14, 0xffffffff, 4);
    config_out(at, 0x18, 0xffffffff, 4);
    config_out(at, 0x30, 0xffffffff, 4);
    IS(config_in(at, 0x10, 4), 0xfffff000, "size of a memory window");
    IS(config_in(at, 0x14, 4), 0xffffffe1, "of a port window");
    IS(config_in(at, 0x18, 4), 0xffff0008, "of a prefetchable one");
    IS(config_in(at, 0x30, 4), 0xffffe001, "of the ROM");
    config_out(at, 4, 3, 2);
    IS(peek(0xfffff000), 0xff, "all ones is no address");
    config_out(at, 0x10, 0x80000000, 4);
    config_out(at, 0x14, 0x300, 4);
    config_out(at, 0x18, 0x90000000, 4);
    config_out(at, 0x30, 0xa0000001, 4);
    IS(phys_ld(f.phys, 0x80000010, 4), 0x1010, "memory is where it was put");
    phys_st(f.phys, 0x80000000, 42, 4);
    IS(card.last, 42, "and takes writes");
    phys_st(f.phys, 0x90000004, 7, 4);
    IS(memory[4], 7, "so does RAM");
    IS(peek(0xa0000000), 'r', "the ROM");
    poke(0xa0000000, 0);
    IS(peek(0xa0000000), 'r', "does not");
    IS(ioports_read(f.io, 0x304, 1), 4, "ports");
    IS(ioports_read(f.io, 0x300, 1), 0, "win over the ISA bus");
    config_out(at, 0x14, 0x400, 4);
    IS(ioports_read(f.io, 0x300, 1), 0x77, "which answers when they have moved");
    IS(ioports_read(f.io, 0x41f, 1), 0x1f, "to elsewhere");
    config_out(at, 4, 0, 2);
    IS(peek(0x80000000), 0xff, "decoding off: memory");
    IS(ioports_read(f.io, 0x400, 1), 0xff, "ports");
    config_out(at, 4, 3, 2);
    config_out(at, 0x10, 0x00100000, 4);
    poke(0x100010, 5);
    IS(peek(0x100010), 5, "a window under RAM stays under it");
    machine_reset_now(f.m);
    IS(config_in(at, 0x10, 4), 0, "reset: no address");
    IS(config_in(at, 0x18, 4), 8, "flags stay");
    take_down();
}

static void test_routing(void)
{
    static const PciIdentity id = { .vendor = 0x1234, .device = 0x5678, .class_code = 0x020000, .pin = 2 };
    build();
    IrqLine isa[16];
    for (int i = 0; i < 16; i++) isa[i] = fake_line(&f, i);
    Piix3 *p = piix3_new(f.m, bus, isa);
    Card card = { .last = 0 }, other = { .last = 0 };
    pci_add(bus, &card.pci, "card", pci_devfn(3, 0), &id);
    pci_add(bus, &other.pci, "other", pci_devfn(7, 0), &id);
    unsigned bridge = pci_devfn(1, 0);
    IS(config_in(bridge, 0x60, 4), 0x80808080u, "routes are off after reset");
    pci_set_irq(&card.pci, true); /* slot 3, INTB: PIRQD */
    ok(!f.line[11], "no route, no interrupt");
    IS(config_in(pci_devfn(3, 0), 6, 2) & 8, 8, "the status register knows");
    config_out(bridge, 0x63, 11, 1);
    ok(f.line[11], "routed to IRQ 11");
    pci_set_irq(&other.pci, true);
    pci_set_irq(&card.pci, false);
    ok(f.line[11], "shared: high as long as one pulls");
    config_out(pci_devfn(7, 0), 4, 0x400, 2);
    ok(!f.line[11], "interrupt disable");
    config_out(pci_devfn(7, 0), 4, 0, 2);
    ok(f.line[11], "and enable");
    config_out(bridge, 0x63, 5, 1);
    ok(!f.line[11] && f.line[5], "moved");
    config_out(bridge, 0x63, 8, 1);
    ok(!f.line[5] && !f.line[8], "IRQ 8 cannot be had");
    config_out(bridge, 0x63, 5, 1);
    machine_reset_now(f.m);
    ok(!f.line[5], "reset lets go");
    piix3_free(p);
    take_down();
}

/* Random configuration traffic, with devices that have windows of all kinds. */
static void test_fuzz(void)
{
    static const PciIdentity id = { .vendor = 0x1234, .device = 0x5678, .class_code = 0x020000, .pin = 3 };
    static const MmioOps mmio = { card_read, card_write };
    static const IoPortOps ports = { port_read, NULL, 4 };
    build();
    Card card[2] = { { .last = 0 } };
    uint32_t seed = 1;
    for (int i = 0; i < 2; i++) {
        pci_add(bus, &card[i].pci, "card", pci_devfn(3 + i, 0), &id);
        pci_add_mmio(&card[i].pci, 0, 0x1000, &mmio, &card[i]);
        pci_add_ports(&card[i].pci, 1, 0x20, &ports, &card[i]);
        pci_add_ram(&card[i].pci, 2, 0x10000, true);
    }
    for (int i = 0; i < 20000; i++) {
        static const uint8_t devfns[] = { 0, 24, 32, 8 };
        seed = seed * 1103515245 + 12345;
        uint32_t r = seed >> 8, size = 1u << (r & 3) % 3;
        seed = seed * 1103515245 + 12345;
        config_out(devfns[r >> 2 & 3], r >> 4 & (r & 1 ? 0xff : 0x3f), seed ^ seed >> 16, size);
        seed = seed * 1103515245 + 12345;
        uint32_t at = seed;
        if (i % 3 == 0) at = 0xa0000 + (at & 0x5ffff);
        phys_st(f.phys, at, seed, 1u << (r >> 20 & 3));
        phys_ld(f.phys, at ^ r, 1u << (r >> 22 & 3));
        ioports_read(f.io, (uint16_t)(seed >> 16), size);
        if (i % 1000 == 0) machine_reset_now(f.m);
        i440fx_smm(fx, r >> 12 & 1);
    }
    ok(true, "20000 random configuration writes and accesses");
    take_down();
}

int main(void)
{
    test_config_cycles();
    test_pam();
    test_smram();
    test_windows();
    test_routing();
    test_fuzz();
    return tap_done();
}
