/* Random port traffic to the whole board: nothing but the sanitizers and the clock judge it. */
#include "hw/pc_devices.h"
#include "fake.h"
#include "fake_chardev.h"

static Fake f;
static PcDevices dev;
static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* Ports by which the guest ends or restarts everything: rarely, or no state would ever get deep. */
static bool is_drastic(uint16_t port)
{
    return port == 0x64 || port == 0x92 || port == 0xcf9 || (port >= 0x4fe && port <= 0x502) ||
           (port >= 0x601 && port <= 0x605);
}

static uint16_t any_port(void)
{
    static const uint16_t base[] = { 0x20,  0x40,  0x60,  0x64,  0x70,  0x80,  0x90,  0xa0,  0xb0,   0xe8,
                                     0xf0,  0x2f8, 0x3f8, 0x4d0, 0x500, 0x600, 0x608, 0xcf8, 0xafe0, 0x00,
                                     0x510, 0x514, 0x1f0, 0x3f0, 0x3c0, 0x3d0, 0x170, 0x1ce, 0xcfc };
    if (rnd() % 16 == 0) return (uint16_t)rnd();
    return (uint16_t)(base[rnd() % (sizeof base / sizeof base[0])] + rnd() % 8);
}

static uint16_t some_port(void)
{
    uint16_t port = any_port();
    return is_drastic(port) && rnd() % 64 ? some_port() : port;
}

static int runs, resets;
static DriveSet *drives;
static const uint8_t vga_rom[512] = { 0x55, 0xaa, 1 };

static void post(void *machine, void (*fn)(void *arg), void *arg)
{
    machine_post(machine, fn, arg);
}

static void build(const MachineConfig *cfg)
{
    char error[256];
    fake_init(&f);
    f.cpu->has_apic = true;
    BlockPoster poster = { .post = post, .opaque = f.m };
    drives = drives_open(NULL, 0, &poster, error, sizeof error);
    PcWires wires = { .intr = fake_line(&f, 0), .a20 = fake_line(&f, 1), .smi = fake_line(&f, 2), .drives = drives };
    wires.memory.ram = phys_add_ram(f.phys, "ram", 0, cfg->mem_bytes, 0);
    wires.memory.rom = phys_add_rom(f.phys, "rom", 0xc0000, 0x40000, 1);
    wires.vga_rom = (FileData){ (uint8_t *)vga_rom, sizeof vga_rom };
    pc_devices_add(&dev, f.m, cfg, &wires);
    pc_devices_post(&dev, f.m);
    runs++;
}

static void take_down(void)
{
    resets += f.resets;
    pc_devices_free(&dev);
    drives_close(drives);
    fake_free(&f);
}

/* False: the machine has been switched off. */
static bool one_step(FakeChardev *line)
{
    static const uint8_t text[] = "some input that comes from outside";
    static const unsigned sizes[] = { 1, 1, 1, 2, 4 };
    uint32_t kind = rnd() % 64;
    if (kind < 40)
        ioports_write(f.io, some_port(), rnd(), sizes[rnd() % 5]);
    else if (kind < 58)
        ioports_read(f.io, some_port(), sizes[rnd() % 5]);
    else if (kind < 60)
        pc_devices_intr_ack(&dev);
    else if (kind < 61)
        fcd_send(line, text, sizeof text);
    else if (kind < 62)
        fpu_irq13_ferr(dev.fpu, rnd() & 1);
    else
        f.now += rnd() % 4 ? rnd() % 5000 : rnd();
    return machine_poll(f.m);
}

int main(void)
{
    enum { STEPS = 1000000 };
    FakeChardev line = { .cd = { &fcd_ops } };
    MachineConfig cfg = { .mem_bytes = 64u << 20,
                          .append = "",
                          .serial = { &line.cd, &line.cd },
                          .debug_exit = { true, 0x501, 2 },
                          .debugcon = { true, 0xe9, &line.cd } };
    build(&cfg);
    for (int i = 0; i < STEPS; i++) {
        if (one_step(&line)) continue;
        take_down();
        build(&cfg);
    }
    take_down();
    ok(resets > 0 && runs > 1, "%d random accesses, %d resets, %d times switched off", STEPS, resets, runs - 1);
    return tap_done();
}
