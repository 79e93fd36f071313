/* The display adapter's registers, memory paths and timing; what they look like is test_vga_picture's. */
#include "hw/edid.h"
#include "vga_modes.h"

/* --- registers ------------------------------------------------------------------------------------------------ */

static void test_registers(void)
{
    out8(&f, 0x3c2, 0x67);
    IS(in8(&f, 0x3cc), 0x67, "Miscellaneous Output reads back at 3CCh");
    sr(2, 0xff);
    IS(in8(&f, 0x3c5), 0x0f, "map mask has four bits");
    gr(5, 0xff);
    IS(in8(&f, 0x3cf), 0x7b, "graphics mode: bits 2 and 7 do not exist");
    IS(in8(&f, 0x3b5), 0xff, "as a colour adapter nothing answers at 3Bxh");
    cr(0x11, 0);
    cr(0, 0x5f);
    cr(7, 0x00);
    cr(0x11, 0x8e);
    cr(0, 0x12);
    cr(7, 0xff);
    out8(&f, 0x3d4, 0);
    IS(in8(&f, 0x3d5), 0x5f, "protected CRTC registers keep their value");
    out8(&f, 0x3d4, 7);
    IS(in8(&f, 0x3d5), 0x10, "but for line compare's bit 8");
    cr(0x0c, 0xab);
    IS(in8(&f, 0x3d5), 0xab, "the others are open");
    out8(&f, 0x3c2, 0x66);
    IS(in8(&f, 0x3d5), 0xff, "monochrome: nothing at 3Dxh");
    IS(in8(&f, 0x3b5), 0xab, "but at 3Bxh");
    out8(&f, 0x3c2, 0x67);
}

static void test_attribute(void)
{
    ar(3, 0x2a);
    in8(&f, 0x3da);
    out8(&f, 0x3c0, 3);
    IS(in8(&f, 0x3c1), 0x2a, "attribute register reads back");
    out8(&f, 0x3c0, 0x15); /* data */
    IS(in8(&f, 0x3c1), 0x15, "the flip-flop goes from index to data");
    IS(in8(&f, 0x3c0), 3, "index");
    out8(&f, 0x3c0, 0x24);
    in8(&f, 0x3da);
    out8(&f, 0x3c0, 0x2a);
    IS(in8(&f, 0x3c1), 0, "and reading 3DAh takes it back (an empty register is shown)");
    in8(&f, 0x3da);
}

static void test_dac(void)
{
    out8(&f, 0x3c8, 10);
    for (uint8_t i = 0; i < 6; i++) out8(&f, 0x3c9, (uint8_t)(0xc0 + i));
    IS(in8(&f, 0x3c8), 12, "the write index goes on after three parts");
    IS(in8(&f, 0x3c7), 0, "state: writing");
    out8(&f, 0x3c7, 10);
    IS(in8(&f, 0x3c7), 3, "state: reading");
    bool good = true;
    for (uint8_t i = 0; i < 6; i++) good &= in8(&f, 0x3c9) == i;
    ok(good, "six bits of each part come back");
    out8(&f, 0x3c8, 10);
    out8(&f, 0x3c9, 1);
    out8(&f, 0x3c7, 10);
    IS(in8(&f, 0x3c9), 0, "an unfinished colour has no effect");
    out8(&f, 0x3c8, 255);
    for (uint8_t i = 0; i < 3; i++) out8(&f, 0x3c9, i);
    IS(in8(&f, 0x3c8), 0, "the index wraps");
}

/* --- planar memory against a model that works bit by bit ---------------------------------------------------------- */

typedef struct Model {
    uint8_t plane[4][16], latch[4], gr[9], map_mask;
} Model;

static uint8_t bit(uint8_t v, unsigned n)
{
    return v >> n & 1;
}

static void model_write(Model *m, unsigned at, uint8_t value)
{
    unsigned mode = m->gr[5] & 3, turn = m->gr[3] & 7;
    for (unsigned p = 0; p < 4; p++) {
        uint8_t result = 0;
        for (unsigned b = 0; b < 8; b++) {
            uint8_t latch = bit(m->latch[p], b), turned = bit(value, (b + turn) % 8), data = turned,
                    masked = bit(m->gr[8], b);
            if (mode == 0 && bit(m->gr[1], p)) data = bit(m->gr[0], p);
            if (mode == 2) data = bit(value, p);
            if (mode == 3) {
                data = bit(m->gr[0], p);
                masked &= turned;
            }
            switch (m->gr[3] >> 3) {
            case 1: data &= latch; break;
            case 2: data |= latch; break;
            case 3: data ^= latch; break;
            }
            if (mode == 1 || !masked) data = latch;
            result |= (uint8_t)(data << b);
        }
        if (bit(m->map_mask, p)) m->plane[p][at] = result;
    }
}

static uint8_t model_read(Model *m, unsigned at)
{
    for (unsigned p = 0; p < 4; p++) m->latch[p] = m->plane[p][at];
    if (!(m->gr[5] & 8)) return m->latch[m->gr[4] & 3];
    uint8_t result = 0;
    for (unsigned b = 0; b < 8; b++) {
        bool same = true;
        for (unsigned p = 0; p < 4; p++)
            if (bit(m->gr[7], p)) same &= bit(m->latch[p], b) == bit(m->gr[2], p);
        result |= (uint8_t)(same << b);
    }
    return result;
}

static void model_register(Model *m)
{
    static const uint8_t mask[9] = { 15, 15, 15, 31, 3, 0x0b, 0, 15, 255 };
    uint8_t i = (uint8_t)(rnd() % 9), v = (uint8_t)rnd() & mask[i];
    if (i == 6) return;
    if (i == 8 && rnd() % 2) v = 0xff;
    m->gr[i] = v;
    gr(i, v);
}

static void test_planar(void)
{
    Model m = { .gr = { [7] = 15, [8] = 0xff } };
    unsigned wrong = 0;
    set_mode(&mode_12);
    for (unsigned p = 0; p < 4; p++)
        for (unsigned i = 0; i < 16; i++) {
            sr(2, (uint8_t)(1 << p));
            poke(0xa0000 + i, m.plane[p][i] = (uint8_t)rnd());
        }
    sr(2, m.map_mask = 15);
    peek(0xa0000);
    model_read(&m, 0);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned at = rnd() % 16, kind = rnd() % 16;
        uint8_t v = (uint8_t)rnd();
        if (kind < 4)
            model_register(&m);
        else if (kind < 5)
            sr(2, m.map_mask = v & 15);
        else if (kind < 10)
            poke(0xa0000 + at, v), model_write(&m, at, v);
        else
            wrong += peek(0xa0000 + at) != model_read(&m, at);
    }
    ok(wrong == 0, "write modes, read modes, latches, set/reset, rotation, masks as the model has them (%u wrong)",
       wrong);
    gr(5, 0);
    gr(4, 2);
    peek(0xa0003);
    out8(&f, 0x3d4, 0x22);
    IS(in8(&f, 0x3d5), m.plane[2][3], "the latch shows in CRTC register 22h");
}

static void test_wide_access(void)
{
    set_mode(&mode_12);
    phys_st(f.phys, 0xa0101, 0x44332211, 4);
    IS(phys_ld(f.phys, 0xa0101, 4), 0x44332211, "wide accesses are bytes one after another");
    gr(6, 0x0d);
    IS(peek(0xa0101), 0xff, "window moved to b8000h: nothing at a0000h");
    IS(peek(0xb8101), 0x11, "but there");
    gr(6, 0x01);
    poke(0xb0000, 0x5a);
    IS(peek(0xb0000), 0x5a, "128 KiB window reaches above 64 KiB");
    out8(&f, 0x3c2, 0xe1);
    IS(peek(0xa0101), 0xff, "display RAM disabled");
    poke(0xa0101, 0);
    out8(&f, 0x3c2, 0xe3);
    IS(peek(0xa0101), 0x11, "a write did not reach it");
}

/* --- the direct windows -------------------------------------------------------------------------------------------- */

static bool is_direct(PhysAddr page)
{
    bool writable;
    return phys_page_host(f.phys, page, &writable) && writable;
}

static void test_text_window(void)
{
    set_mode(&mode_3);
    ok(is_direct(0xb8000) && is_direct(0xbf000), "text window is RAM to the processor");
    ok(!is_direct(0xb0000) && !is_direct(0xa0000), "the rest is not");
    for (unsigned i = 0; i < 0x8000; i++) poke(0xb8000 + i, (uint8_t)(i * 7 ^ i >> 8));
    sr(4, 6);
    gr(5, 0);
    gr(6, 5);
    ok(!is_direct(0xb8000), "a program that loads fonts sees planes");
    bool good = true;
    for (unsigned p = 0; p < 2; p++) {
        gr(4, (uint8_t)p);
        for (unsigned i = 0; i < 0x4000; i++) {
            unsigned at = 2 * i + p;
            good &= peek(0xa0000 + i) == (uint8_t)(at * 7 ^ at >> 8);
        }
    }
    ok(good, "characters in plane 0, attributes in plane 1");
    sr(2, 1);
    poke(0xa0005, 0x99);
    sr(2, 4);
    poke(0xa0005, 0x77);
    sr(2, 3);
    sr(4, 2);
    gr(4, 0);
    gr(5, 0x10);
    gr(6, 0x0e);
    ok(is_direct(0xb8000), "back to text");
    IS(peek(0xb800a), 0x99, "what was written to the plane is in the window");
    IS(peek(0xb800b), (uint8_t)(11 * 7), "and the attribute is as before");
    IS(peek(LINEAR + 4 * 5 + 2), 0x77, "plane 2 apart");
}

static void test_linear_windows(void)
{
    set_mode(&mode_13);
    ok(is_direct(0xa0000) && !is_direct(0xb0000), "chain-4 window is RAM to the processor");
    poke(0xa1234, 0x42);
    IS(peek(LINEAR + 0x1234), 0x42, "and the frame buffer itself");
    poke(0xa1235, 0x21);
    sr(2, 0x0d); /* not plane 1 */
    ok(!is_direct(0xa0000), "not with planes masked");
    poke(0xa1235, 0x43);
    poke(0xa1236, 0x44);
    IS(peek(LINEAR + 0x1235), 0x21, "a masked plane keeps its byte");
    IS(peek(LINEAR + 0x1236), 0x44, "the next is another plane");
    IS(peek(0xa1234), 0x42, "the slow way reads the same");
    sr(2, 15);
    gr(8, 0xf0);
    peek(0xa1234);
    poke(0xa1234, 0x99);
    IS(peek(0xa1234), 0x92, "the bit mask holds in chain-4, too");
    gr(8, 0xff);
    sr(4, 6);
    gr(4, 1);
    poke(0xa0000, 0x17);
    IS(peek(0xa048d), 0x21, "unchained: plane address 48Dh, plane 1");
    gr(4, 2);
    IS(peek(0xa048d), 0x44, "plane 2");
}

static void test_vbe_registers(void)
{
    IS(vbe_get(0), 0xb0c5, "identity");
    IS(vbe_get(10), 256, "16 MiB");
    vbe(4, 2);
    IS(vbe_get(1), 16000, "capabilities");
    vbe_mode(803, 600, 33);
    IS(vbe_get(1), 800, "width is a multiple of 8");
    IS(vbe_get(3), 8, "unknown depth becomes 8");
    IS(vbe_get(6), 800, "virtual width at least the width");
    IS(vbe_get(7), (16 << 20) / 800, "virtual height is what fits");
    vbe_mode(16000, 12000, 32);
    IS(vbe_get(2), (16 << 20) / 64000, "height is cut to the memory");
    vbe_mode(640, 480, 32);
    vbe(9, 6500);
    IS(vbe_get(9), 0, "an offset that would leave the memory is refused");
    vbe(9, 480);
    IS(vbe_get(9), 480, "one that fits is not");
    vbe(5, 0x7f);
    poke(0xa0010, 0x31);
    IS(peek(LINEAR + 0x7f0010), 0x31, "banked window");
    ok(is_direct(0xa0000), "is RAM to the processor");
    vbe(5, 0xfff);
    IS(vbe_get(5), 0xff, "a bank that does not exist");
    poke(0xaffff, 0x32);
    IS(peek(LINEAR + 0xffffff), 0x32, "the last byte");
    vbe(4, 0x41);
    poke(0xa0000, 0x33);
    IS(peek(LINEAR), 0x33, "enabling goes to bank 0");
    vbe(4, 0);
    vbe(4, 0xc1);
    IS(peek(LINEAR), 0x33, "mode set without clearing");
    vbe(4, 0);
    vbe(4, 0x41);
    IS(peek(LINEAR), 0, "and with");
    vbe_mode(800, 600, 4);
    sr(2, 2);
    poke(0xa0007, 0x81);
    IS(peek(LINEAR + 4 * 7 + 1), 0x81, "16 colours are planes");
    sr(2, 15);
    vbe(4, 0);
}

/* --- timing ------------------------------------------------------------------------------------------------------------ */

static unsigned rises_in(uint64_t ns, uint64_t step, uint8_t mask)
{
    unsigned n = 0;
    bool last = true;
    for (uint64_t end = f.now + ns; f.now < end; f.now += step) {
        bool now = in8(&f, (uint16_t)(crtc_base + 6)) & mask;
        n += now && !last;
        last = now;
    }
    return n;
}

static void test_timing(void)
{
    set_mode(&mode_3);
    unsigned n = rises_in(1000000000, 10000, 8);
    ok(n >= 69 && n <= 71, "text: 70 Hz (%u)", n);
    n = rises_in(100000000, 500, 1);
    ok(n > 2700 && n < 2900, "display enable follows 400 lines a frame (%u in 100 ms)", n);
    set_mode(&mode_12);
    n = rises_in(1000000000, 10000, 8);
    ok(n >= 59 && n <= 61, "640x480: 60 Hz (%u)", n);
    vbe_mode(1024, 768, 32);
    n = rises_in(1000000000, 10000, 8);
    ok(n >= 59 && n <= 61, "VBE: 60 Hz (%u)", n);
    vbe(4, 0);
    unsigned stuck = 0;
    for (unsigned i = 0; i < 200; i++) {
        cr(0x11, 0);
        for (uint8_t r = 0; r < 25; r++) cr(r, (uint8_t)rnd());
        sr(1, (uint8_t)rnd());
        stuck += rises_in(200000000, 20000, 8) == 0 && rises_in(4000000000u, 3000, 8) == 0;
    }
    IS(stuck, 0, "retrace comes with any register values");
}

/* --- any traffic --------------------------------------------------------------------------------------------------------- */

static void fuzz_step(void)
{
    static const uint16_t ports[] = { 0x3c0, 0x3c4, 0x3c8, 0x3cc, 0x3ce, 0x3d4, 0x3b4, 0x3da, 0x1ce, 0x1ce };
    static const unsigned sizes[] = { 1, 1, 2, 4 };
    uint32_t kind = rnd() % 64;
    if (kind < 24)
        ioports_write(f.io, (uint16_t)(ports[rnd() % 10] + rnd() % 2), rnd(), sizes[rnd() % 4]);
    else if (kind < 32)
        vbe((uint16_t)(rnd() % 12), (uint16_t)(rnd() % 3 ? rnd() % 2048 : rnd()));
    else if (kind < 36)
        ioports_read(f.io, (uint16_t)(ports[rnd() % 10] + rnd() % 2), sizes[rnd() % 4]);
    else if (kind < 46)
        phys_st(f.phys, 0xa0000 + rnd() % 0x20000, rnd(), sizes[rnd() % 4]);
    else if (kind < 54)
        phys_ld(f.phys, 0xa0000 + rnd() % 0x20000, sizes[rnd() % 4]);
    else if (kind < 60)
        phys_st(f.phys, LINEAR + rnd() % (16 << 20), rnd(), 4);
    else if (kind < 62)
        in8(&f, 0x3da), out8(&f, 0x3c0, 0x20); /* the screen on, or nothing is ever drawn */
    else
        f.now += rnd();
}

static void test_fuzz(unsigned steps)
{
    static DisplayText text;
    for (unsigned i = 0; i < steps; i++) {
        fuzz_step();
        if (rnd() % 1024 == 0) display_refresh(display), display_text(display, &text);
        if (rnd() % 20000 == 0) machine_reset_now(f.m);
        if (rnd() % 5000 == 0) set_mode(rnd() % 2 ? &mode_3 : &mode_x);
    }
    ok(true, "%u random accesses", steps);
}

static void test_edid(void)
{
    uint8_t e[EDID_BYTES], sum = 0;
    edid_build(e);
    for (unsigned i = 0; i < EDID_BYTES; i++) sum = (uint8_t)(sum + e[i]);
    ok(sum == 0 && e[0] == 0 && e[1] == 255, "EDID: header and checksum");
    ok(e[54 + 2] == (1280 & 255) && e[54 + 4] >> 4 == 1280 >> 8 && e[54 + 5] == (800 & 255), "prefers 1280x800");
}

/* --- the PCI function ---------------------------------------------------------------------------------------------- */

enum { BAR0 = 0xe0000000u, BAR2 = 0xfebf0000u, ROM_AT = 0xfebe0000u, DEVFN = 0x10 };

static uint32_t mmio(uint32_t offset, unsigned size)
{
    return (uint32_t)phys_ld(f.phys, BAR2 + offset, size);
}

static void test_register_page(void)
{
    uint8_t e[EDID_BYTES];
    edid_build(e);
    IS(mmio(8, 1), e[8], "EDID");
    phys_st(f.phys, BAR2 + 0x402, 0x67, 1);
    IS(in8(&f, 0x3cc), 0x67, "ports in the page");
    IS(mmio(0x40c, 1), 0x67, "both ways");
    phys_st(f.phys, BAR2 + 0x502, 1024, 2);
    IS(vbe_get(1), 1024, "VBE registers in the page");
    phys_st(f.phys, BAR2 + 0x504, 768 | 32u << 16, 4);
    IS(mmio(0x506, 2), 32, "two at a time");
    IS(mmio(0x604, 4), 0x1e1e1e1e, "little-endian");
    phys_st(f.phys, BAR2 + 0x604, 0xbebebebe, 4);
    IS(mmio(0x604, 4), 0xbebebebe, "or big");
    IS(mmio(0x600, 4), 8, "of that size");
}

static void test_pci(void)
{
    uint8_t rom[2048] = { 0x55, 0xaa, 4 };
    fake_init(&f);
    crtc_base = 0x3d4;
    PciBus *bus = pci_bus_new(f.m);
    display = display_new(f.m);
    vga = vga_new(f.m, bus, DEVFN, display, rom, sizeof rom);
    IS(pci_config_read(bus, DEVFN, 0, 4), 0x11111234, "PCI 1234:1111");
    IS(pci_config_read(bus, DEVFN, 8, 4) >> 8, 0x030000, "a VGA controller");
    pci_config_write(bus, DEVFN, 0x10, 0xffffffff, 4);
    IS(pci_config_read(bus, DEVFN, 0x10, 4), 0xff000008, "16 MiB of prefetchable memory");
    pci_config_write(bus, DEVFN, 0x10, BAR0, 4);
    pci_config_write(bus, DEVFN, 0x18, BAR2, 4);
    pci_config_write(bus, DEVFN, 0x30, ROM_AT | 1, 4);
    pci_config_write(bus, DEVFN, 4, 2, 2);
    IS(phys_ld(f.phys, ROM_AT, 2), 0xaa55, "the expansion ROM");
    poke(BAR0 + 5, 0x77);
    IS(peek(BAR0 + 5), 0x77, "the frame buffer");
    test_register_page();
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t at = rnd() % 4 ? 0x400 + rnd() % 0x210 : rnd() % 0x1000;
        if (rnd() % 2)
            phys_st(f.phys, BAR2 + at, rnd(), 1u << rnd() % 3);
        else
            mmio(at, 1u << rnd() % 3);
        if (rnd() % 512 == 0) display_refresh(display);
    }
    ok(true, "random accesses to the register page");
    vga_free(vga);
    display_free(display);
    pci_bus_free(bus);
    fake_free(&f);
}

int main(void)
{
    test_pci();
    set_up();
    test_registers();
    test_attribute();
    test_dac();
    test_planar();
    test_wide_access();
    test_text_window();
    test_linear_windows();
    test_vbe_registers();
    test_timing();
    test_edid();
    machine_reset_now(f.m);
    test_fuzz(100000);
    take_down();
    return tap_done();
}
