/* All devices of the board, wired as in the machine, with disks, a CD and a floppy: port, memory-window, DMA and configuration
 * traffic, with the user's doings and time between (devices.h).  The sanitizers judge, and the clock: no step
 * may take long. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu/cpuid.h"
#include "fuzz/devices.h"
#include "hw/fake.h"
#include "hw/fake_chardev.h"
#include "hw/pc_devices.h"

enum { RAM = 16 << 20, IMAGES = 6, MAX_STEPS = 2000, MAX_RESETS = 16 };

typedef struct Board {
    Fake f;
    PcDevices dev;
    DriveSet *drives;
    FakeChardev line;
    MachineConfig cfg;
} Board;

/* --- the board --------------------------------------------------------------------------------------------- */

static char image[IMAGES][32]; /* files without a name: disk, disk, CD, another CD, floppy, another */

static void make_images(void)
{
    static const unsigned kib[IMAGES] = { 1024, 512, 2048, 640, 1440, 720 };
    for (int i = 0; i < IMAGES; i++) {
        int fd = memfd_create("calque-fuzz", MFD_CLOEXEC);
        FUZZ_CHECK(fd >= 0 && ftruncate(fd, kib[i] * 1024) == 0);
        snprintf(image[i], sizeof image[i], "/proc/self/fd/%d", fd);
    }
}

static void post(void *machine, void (*fn)(void *arg), void *arg)
{
    machine_post(machine, fn, arg);
}

static void open_drives(Board *b)
{
    static const struct {
        DriveBus bus;
        uint8_t index;
        bool cdrom;
    } place[] = {
        { DRIVE_IDE, 0, false }, { DRIVE_IDE, 1, false }, { DRIVE_IDE, 2, true }, { DRIVE_FLOPPY, 0, false }
    };
    enum { DRIVES = sizeof place / sizeof *place };
    static const uint8_t file[DRIVES] = { 0, 1, 2, 4 };
    DriveConfig cfg[DRIVES];
    char error[256];
    for (int i = 0; i < DRIVES; i++)
        cfg[i] = (DriveConfig){ .bus = place[i].bus,
                                .index = place[i].index,
                                .cdrom = place[i].cdrom,
                                .image = { .file = image[file[i]], .raw_format = true },
                                .on_write_error = DRIVE_ERROR_REPORT };
    BlockPoster poster = { .post = post, .opaque = b->f.m };
    b->drives = drives_open(cfg, DRIVES, &poster, error, sizeof error);
    if (!b->drives) fprintf(stderr, "%s\n", error);
    FUZZ_CHECK(b->drives);
}

/* What SeaBIOS would do to PCI. */
static void place_windows(Board *b)
{
    PciBus *bus = b->dev.pci;
    uint8_t vga = pci_devfn(2, 0), ide = pci_devfn(1, 1), pm = pci_devfn(1, 3);
    pci_config_write(bus, vga, PCI_BAR0, FB_AT, 4);
    pci_config_write(bus, vga, PCI_BAR0 + 8, VGA_REGS_AT, 4);
    pci_config_write(bus, vga, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    pci_config_write(bus, ide, PCI_BAR0 + 16, BM_AT, 4);
    pci_config_write(bus, ide, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
    pci_config_write(bus, pm, PCI_COMMAND, PCI_COMMAND_IO, 2);
    pci_config_write(bus, pm, 0x90, SMBUS_AT | 1, 4);
    pci_config_write(bus, pm, 0xd2, 1, 1);
}

static void ignore_drawn(void *opaque, const DisplaySurface *surface, DisplayRect changed)
{
    (void)opaque;
    FUZZ_CHECK(changed.x >= 0 && changed.y >= 0 && changed.x + changed.w <= surface->width &&
               changed.y + changed.h <= surface->height);
}
static void ignore_size(void *opaque, int width, int height)
{
    (void)opaque, (void)width, (void)height;
}
static const DisplayListener listener = { .resized = ignore_size, .drawn = ignore_drawn };

static void build(Board *b)
{
    static const uint8_t vga_rom[512] = { 0x55, 0xaa, 1 };
    memset(b, 0, sizeof *b);
    fake_init(&b->f);
    b->f.cpu->has_apic = true;
    b->f.cpu->feat_1_ecx = CPUID_TSC_DEADLINE;
    b->f.cpu->mmu.phys = b->f.phys;
    open_drives(b);
    b->line.cd.ops = &fcd_ops;
    b->cfg = (MachineConfig){ .mem_bytes = RAM,
                              .append = "",
                              .rtc_base = RTC_BASE_DATE,
                              .serial = { &b->line.cd, &b->line.cd },
                              .debug_exit = { true, 0x501, 2 },
                              .debugcon = { true, 0xe9, &b->line.cd } };
    PcWires wires = {
        .intr = fake_line(&b->f, 0), .a20 = fake_line(&b->f, 1), .smi = fake_line(&b->f, 2), .drives = b->drives
    };
    wires.memory.ram = phys_add_ram(b->f.phys, "ram", 0, RAM, 0);
    wires.memory.rom = phys_add_rom(b->f.phys, "rom", 0xc0000, 0x40000, 1);
    FUZZ_CHECK(wires.memory.ram && wires.memory.rom);
    wires.vga_rom = (FileData){ (uint8_t *)vga_rom, sizeof vga_rom };
    pc_devices_add(&b->dev, b->f.m, &b->cfg, &wires);
    fw_cfg_add_file(b->dev.fw_cfg, "etc/some", vga_rom, sizeof vga_rom);
    machine_reset_now(b->f.m);
    pc_devices_post(&b->dev, b->f.m);
    place_windows(b);
    display_listen(b->dev.display, &listener, b, 0);
}

static void take_down(Board *b)
{
    display_unlisten(b->dev.display, &listener, b);
    pc_devices_free(&b->dev);
    drives_close(b->drives);
    fake_free(&b->f);
}

/* --- steps ------------------------------------------------------------------------------------------------- */

typedef struct Range {
    uint32_t first, count;
} Range;

static const Range ports[] = {
    { 0x00, 16 },  { 0x20, 2 },  { 0x40, 4 },  { 0x60, 5 },      { 0x70, 2 },   { 0x80, 16 },   { 0x92, 1 },
    { 0xa0, 2 },   { 0xb2, 2 },  { 0xc0, 32 }, { 0xe9, 1 },      { 0xf0, 2 },   { 0x170, 8 },   { 0x1ce, 3 },
    { 0x1f0, 8 },  { 0x2f8, 8 }, { 0x376, 1 }, { 0x3b4, 8 },     { 0x3c0, 16 }, { 0x3d4, 8 },   { 0x3f0, 8 },
    { 0x3f8, 8 },  { 0x4d0, 2 }, { 0x510, 2 }, { 0x514, 8 },     { PM_AT, 64 }, { 0xaf00, 64 }, { 0xafe0, 16 },
    { BM_AT, 16 }, { 0xcf8, 8 }, { 0x501, 2 }, { SMBUS_AT, 16 }, { 0x5658, 1 }, { 0x402, 1 },
};
static const Range windows[] = {
    { 0xfee00000, 0x400 },       { 0xfec00000, 0x50 },        { 0xfed00000, 0x400 }, { 0xa0000, 0x20000 },
    { 0xc0000, 0x40000 },        { FB_AT, 1 << 24 },          { FB_AT, 0x10000 },    { VGA_REGS_AT, 0x608 },
    { VGA_REGS_AT + 0x400, 32 }, { VGA_REGS_AT + 0x500, 32 }, { 0xfffffff0, 16 },    { 0xfed00100, 0x60 },
};
#define ANY(table, n) (&(table)[(n) % (sizeof(table) / sizeof *(table))])

static uint16_t known_port(FuzzBytes *in)
{
    const Range *r = ANY(ports, fuzz_take(in, 1));
    return (uint16_t)(r->first + fuzz_take(in, 1) % r->count);
}

static unsigned size_of(uint8_t step)
{
    return 1u << (step >> 4) % 3;
}

static void access_window(Board *b, uint8_t step, FuzzBytes *in)
{
    const Range *r = ANY(windows, fuzz_take(in, 1));
    uint64_t at = r->first + fuzz_take(in, 2) * (r->count >> 16 ? r->count >> 16 : 1u) % r->count;
    unsigned size = 1u << (step >> 4) % 4;
    if (size > 1 && !(step & 0x80)) at &= ~(uint64_t)(size - 1);
    phys_st(b->f.phys, at, fuzz_take(in, 4), size);
    phys_ld(b->f.phys, at, size);
}

static void bulk(Board *b, uint8_t step, FuzzBytes *in)
{
    uint16_t port = (uint16_t)fuzz_take(in, 2);
    for (unsigned n = fuzz_take(in, 1) + 1; n--;) {
        if (step & 0x10)
            ioports_write(b->f.io, port, n * 0x1234567u, 1u << (step >> 5) % 3);
        else
            ioports_read(b->f.io, port, 1u << (step >> 5) % 3);
    }
}

static void fill(Board *b, FuzzBytes *in)
{
    uint8_t bytes[256];
    uint32_t at = fuzz_take(in, 4), n = fuzz_take(in, 1);
    for (uint32_t i = 0; i < n; i++) bytes[i] = (uint8_t)fuzz_take(in, 1);
    phys_write(b->f.phys, at, bytes, n);
}

static void processor(Board *b, FuzzBytes *in)
{
    CPUState *cpu = b->f.cpu;
    unsigned action = fuzz_take(in, 1) % CPU_ACTIONS;
    uint32_t v = fuzz_take(in, 4);
    switch (action) {
    case CPU_ACKNOWLEDGE: pc_devices_intr_ack(&b->dev); break;
    case CPU_FERR: fpu_irq13_ferr(b->dev.fpu, v & 1); break;
    case CPU_SMM: i440fx_smm(b->dev.host_bridge, v & 1); break;
    case CPU_APIC_BASE: cpu->apic_ops->set_base(cpu->apic, v); break;
    case CPU_DEADLINE:
        cpu->apic_ops->set_tsc_deadline(cpu->apic, v);
        cpu->apic_ops->tsc_moved(cpu->apic);
        cpu->apic_ops->tsc_deadline(cpu->apic);
        break;
    case CPU_INIT: cpu->apic_ops->init(cpu->apic); break;
    case CPU_REGISTERS: /* the VMware port looks at them */
        cpu->regs[R_EAX] = 0x564d5868;
        cpu->regs[R_ECX] = v & 0xffff;
        cpu->regs[R_EBX] = v & 0x10000 ? (uint32_t[]){ 0x45414552, 0xf5, 0x4c455252, 0x53424152 }[v >> 17 & 3] : v;
        break;
    }
}

static void change_medium(Board *b, unsigned v)
{
    char error[256];
    bool floppy = !(v & 1);
    const char *name = floppy ? "floppy0" : "ide1-cd0", *file = image[floppy ? 4 + (v >> 2 & 1) : v >> 2 & 3];
    if (v & 2)
        drive_eject(b->drives, name, v & 4, error, sizeof error);
    else
        drive_change(b->drives, name, file, v & 0x80 ? 1 : -1, error, sizeof error);
}

static void look(Board *b)
{
    static DisplayText text;
    display_refresh(b->dev.display);
    if (!display_text(b->dev.display, &text)) return;
    FUZZ_CHECK(text.columns >= 0 && text.rows >= 0 && text.columns * text.rows <= DISPLAY_TEXT_CELLS_MAX);
}

static void user(Board *b, FuzzBytes *in)
{
    static const uint8_t typed[] = "some input that comes from outside";
    unsigned action = fuzz_take(in, 1) % USER_ACTIONS;
    uint32_t v = fuzz_take(in, 2);
    switch (action) {
    case USER_SERIAL: fcd_send(&b->line, typed, v % sizeof typed); break;
    case USER_KEY: input_key(b->dev.input, v % KEY_COUNT, v >> 15); break;
    case USER_MOVE: input_move(b->dev.input, (int8_t)v, (int8_t)(v >> 8), (int)(v >> 7) % 3 - 1); break;
    case USER_POINT: input_point(b->dev.input, v, v ^ 0xffff); break;
    case USER_BUTTONS: input_buttons(b->dev.input, v & 31); break;
    case USER_MEDIUM: change_medium(b, v); break;
    case USER_POWER_BUTTON: acpi_pm_power_button(b->dev.pm); break;
    case USER_LOOK: look(b); break;
    }
}

static void configure(Board *b, uint8_t step, FuzzBytes *in)
{
    static const uint8_t slots[] = { 0, 1 << 3, 1 << 3 | 1, 1 << 3 | 3, 2 << 3, 0xff };
    uint32_t devfn = *ANY(slots, fuzz_take(in, 1)), at = fuzz_take(in, 1) & ~(size_of(step) - 1);
    ioports_write(b->f.io, 0xcf8, 0x80000000 | devfn << 8 | (at & 0xfc), 4);
    ioports_write(b->f.io, (uint16_t)(0xcfc + (at & 3)), fuzz_take(in, 4), size_of(step));
    ioports_read(b->f.io, (uint16_t)(0xcfc + (at & 3)), size_of(step));
}

/* Steps of 1 us to 68 s, by powers of two. */
static void pass_time(Board *b, unsigned v)
{
    b->f.now += UINT64_C(1000) << v % 27;
}

/* False: the machine has been switched off. */
static bool take_step(Board *b, FuzzBytes *in)
{
    uint8_t step = (uint8_t)fuzz_take(in, 1);
    uint32_t port;
    switch (step & 15) {
    case STEP_OUT8:
    case STEP_OUT16:
    case STEP_OUT32:
        port = fuzz_take(in, 2);
        ioports_write(b->f.io, (uint16_t)port, fuzz_take(in, 1u << (step & 15)), 1u << (step & 15));
        break;
    case STEP_IN: ioports_read(b->f.io, (uint16_t)fuzz_take(in, 2), size_of(step)); break;
    case STEP_OUT_KNOWN:
        port = known_port(in);
        ioports_write(b->f.io, (uint16_t)port, fuzz_take(in, 1), 1);
        break;
    case STEP_IN_KNOWN: ioports_read(b->f.io, known_port(in), size_of(step)); break;
    case STEP_BULK: bulk(b, step, in); break;
    case STEP_MEM_WRITE:
        port = fuzz_take(in, 4);
        phys_st(b->f.phys, port, fuzz_take(in, 4), size_of(step));
        break;
    case STEP_MEM_READ: phys_ld(b->f.phys, fuzz_take(in, 4), size_of(step)); break;
    case STEP_WINDOW: access_window(b, step, in); break;
    case STEP_FILL: fill(b, in); break;
    case STEP_TIME: pass_time(b, fuzz_take(in, 1)); break;
    case STEP_CPU: processor(b, in); break;
    case STEP_CONFIG: configure(b, step, in); break;
    case STEP_OUTSIDE: user(b, in); break;
    case STEP_SETTLE: drives_drain(b->drives); break;
    }
    return machine_poll(b->f.m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Board board;
    if (!image[0][0]) make_images();
    FuzzBytes in = { data, data + size };
    build(&board);
    for (int i = 0; i < MAX_STEPS && in.at < in.end && board.f.resets < MAX_RESETS; i++)
        if (!take_step(&board, &in)) break;
    drives_drain(board.drives);
    look(&board);
    take_down(&board);
    return 0;
}

const FuzzTarget fuzz_target = { .name = "devices", .slice = 1000, .max_size = 8192, .seeds = device_seeds };
