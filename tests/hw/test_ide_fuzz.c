/* Random port, DMA and configuration traffic at the IDE function: nothing may crash, hang or touch memory that is not the guest's
 * (under the sanitizers); and after a reset the drives must work as ever. */
#include "fake_ide.h"

enum { ROUNDS = 300, STEPS = 2000 };
static FakeIde t;
static uint64_t state = 88172645463325252u;

static uint32_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20);
}

static const uint8_t commands[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x3d, 0x40, 0x42, 0x08,
                                    0x90, 0x91, 0xa0, 0xa0, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xc8, 0xca,
                                    0xca, 0xce, 0xe4, 0xe7, 0xe8, 0xea, 0xec, 0xef, 0xf8, 0x27, 0xe5, 0xe6 };
static const uint8_t packets[] = { 0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x43,
                                   0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xad, 0xb9, 0xbb, 0xbd, 0xbe };

static void random_prds(void)
{
    uint32_t at = rnd() % 0x10000 & ~3u;
    for (unsigned i = 0; i < 1 + rnd() % 20; i++) {
        uint32_t addr = rnd() % 8 ? rnd() % FAKE_RAM : rnd() << 4;
        phys_st(t.f.phys, at + 8 * i, addr, 4);
        phys_st(t.f.phys, at + 8 * i + 4, rnd() % 4 ? rnd() & 0x0000ffff : rnd() & 0x8000fffe, 4);
    }
    ioports_write(t.f.io, FAKE_BM + 4 + (rnd() & 8), at, 4);
}

static void send_packet(uint16_t base)
{
    uint8_t p[12];
    for (int i = 0; i < 12; i++) p[i] = (uint8_t)(rnd() % 3 ? rnd() % 8 : rnd());
    p[0] = rnd() % 16 ? packets[rnd() % sizeof packets] : (uint8_t)rnd();
    out8(&t.f, base + 7, 0xa0);
    for (int i = 0; i < 12; i += 2) ioports_write(t.f.io, base, p[i] | (uint32_t)p[i + 1] << 8, 2);
}

static void change_media(void)
{
    char error[256];
    if (rnd() & 1)
        drive_eject(t.drives, "ide1-cd0", rnd() & 1, error, sizeof error);
    else
        drive_change(t.drives, "ide1-cd0", t.file[1 + (rnd() & 1)], -1, error, sizeof error);
}

static void step(void)
{
    uint16_t base = rnd() & 1 ? 0x170 : 0x1f0;
    switch (rnd() % 16) {
    case 0: out8(&t.f, base + 7, rnd() % 8 ? commands[rnd() % sizeof commands] : (uint8_t)rnd()); break;
    case 1:
    case 2: out8(&t.f, (uint16_t)(base + 1 + rnd() % 6), (uint8_t)(rnd() % 3 ? rnd() % 16 : rnd())); break;
    case 3: out8(&t.f, base + 6, (uint8_t)(0xe0 | (rnd() & 0x10))); break;
    case 4: ioports_read(t.f.io, (uint16_t)(base + rnd() % 8), 1u << rnd() % 3); break;
    case 5:
        for (unsigned n = rnd() % 600; n; n--) ioports_read(t.f.io, base, 1u << rnd() % 3);
        break;
    case 6:
        for (unsigned n = rnd() % 600; n; n--) ioports_write(t.f.io, base, rnd(), 1u << rnd() % 3);
        break;
    case 7: random_prds(); break;
    case 8: out8(&t.f, FAKE_BM + (rnd() & 8), (uint8_t)(rnd() % 4 ? 9 : rnd())); break;
    case 9: ioports_write(t.f.io, (uint16_t)(FAKE_BM + rnd() % 16), rnd(), 1u << rnd() % 3); break;
    case 10: ioports_read(t.f.io, (uint16_t)(FAKE_BM + rnd() % 16), 1u << rnd() % 3); break;
    case 11:
        if (rnd() % 8 == 0) out8(&t.f, base + 0x206, rnd() % 4 ? 0 : (uint8_t)rnd());
        break;
    case 12: send_packet(0x170); break;
    case 13:
        if (rnd() % 64 == 0) change_media();
        break;
    case 14:
        if (rnd() % 16 == 0) pci_config_write(t.bus, FAKE_DEVFN, 4, rnd() % 4 ? 5 : rnd() & 7, 2);
        break;
    default: machine_poll(t.f.m); break;
    }
}

static bool works(void)
{
    machine_reset_now(t.f.m);
    pci_config_write(t.bus, FAKE_DEVFN, 0x20, FAKE_BM, 4);
    pci_config_write(t.bus, FAKE_DEVFN, 0x40, 0x80008000, 4);
    pci_config_write(t.bus, FAKE_DEVFN, 4, 5, 2);
    out8(&t.f, 0x1f7, 0xec);
    uint32_t v = 0;
    if (fake_wait(&t, 0x1f0) != 0x58) return false;
    for (int i = 0; i < 256; i++) v = i == 60 ? ioports_read(t.f.io, 0x1f0, 2) : (ioports_read(t.f.io, 0x1f0, 2), v);
    out8(&t.f, 0x176, 0);
    out8(&t.f, 0x177, 0xa1);
    bool cd = fake_wait(&t, 0x170) == 0x48;
    for (int i = 0; i < 256; i++) ioports_read(t.f.io, 0x170, 2);
    return cd && v == 2000;
}

int main(void)
{
    fake_add_drive(&t, 0, false, 2000);
    fake_add_drive(&t, 2, true, 400);
    fake_add_drive(&t, 1, false, 100);
    t.cfg[2].image.read_only = true; /* so that it can also be put into the CD drive */
    fake_ide_start(&t);
    bool good = true;
    for (int round = 0; round < ROUNDS && good; round++) {
        for (int i = 0; i < STEPS; i++) step();
        good = works();
        if (!good) diag("round %d", round);
    }
    ok(good, "%d steps", ROUNDS * STEPS);
    fake_ide_end(&t);
    return tap_done();
}
