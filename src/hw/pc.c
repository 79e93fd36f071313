#include "hw/pc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "block/drive.h"
#include "hw/alloc.h"
#include "hw/digest.h"
#include "hw/firmware.h"
#include "hw/load.h"
#include "hw/machine_board.h"
#include "hw/pc_devices.h"
#include "hw/pc_firmware.h"
#include "util/die.h"
#include "util/log.h"

enum { HOLE_AT = 0xa0000, ACPI_AT = 0xe0000 };
#define ABOVE_4G     0x100000000ull
#define BOOT_DEFAULT "cad"

typedef struct Pc {
    Machine *machine;
    const MachineConfig *cfg;
    CPUState *cpu;
    PhysMem *phys;
    IoPorts *io;
    PhysRegion *ram, *rom;
    Exec *exec;
    DriveSet *drives;
    bool direct; /* the kernel is put into memory and entered without firmware */
    PcFirmware firmware;
    PcDevices dev;
} Pc;

/* --- pins ----------------------------------------------------------------------------------------------- */

static void set_intr(void *opaque, int n, bool level)
{
    (void)n;
    cpu_set_intr(((Pc *)opaque)->cpu, level);
}

static void set_smi(void *opaque, int n, bool level)
{
    (void)n;
    if (level) cpu_pulse_smi(((Pc *)opaque)->cpu);
}

static void set_a20(void *opaque, int n, bool level)
{
    (void)n;
    Pc *pc = opaque;
    if (pc->cpu->a20 != level) cpu_set_a20(pc->cpu, level);
}

static int intr_ack(void *opaque)
{
    return pc_devices_intr_ack(&((Pc *)opaque)->dev);
}
static void ferr(void *opaque, bool level)
{
    fpu_irq13_ferr(((Pc *)opaque)->dev.fpu, level);
}
static uint64_t clock_ns(void *opaque)
{
    return clock_now(opaque);
}

static void set_smm(void *opaque, bool active)
{
    i440fx_smm(((Pc *)opaque)->dev.host_bridge, active);
}

static void connect_cpu(Pc *pc)
{
    pc->cpu->smm_change = set_smm;
    pc->cpu->smm_opaque = pc;
    pc->cpu->has_apic = cpu_offers_apic(pc->cpu); /* the board then has one wired */
    pc->cpu->intr_ack = intr_ack;
    pc->cpu->intr_opaque = pc;
    pc->cpu->ferr = ferr;
    pc->cpu->ferr_opaque = pc;
    pc->cpu->clock_ns = clock_ns;
    pc->cpu->clock_opaque = pc->machine;
}

/* --- memory --------------------------------------------------------------------------------------------- */

static uint64_t hole_read(void *opaque, PhysAddr offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return UINT64_MAX;
}

static void hole_write(void *opaque, PhysAddr offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

static bool add_memory(Pc *pc)
{
    static const MmioOps hole = { hole_read, hole_write };
    uint32_t low = pc_low_ram(pc->cfg), high = pc->cfg->mem_bytes - low;
    pc->ram = phys_add_ram(pc->phys, "ram", 0, low, 0);
    pc->rom = phys_add_rom(pc->phys, "rom", BIOS_ROM_AT, BIOS_ROM_SIZE, 1);
    if (pc->rom) memset(phys_region_host(pc->rom), 0xff, BIOS_ROM_SIZE);
    return pc->ram && pc->rom &&
           phys_add_mmio(pc->phys, "display-hole", HOLE_AT, BIOS_ROM_AT - HOLE_AT, 1, &hole, NULL) &&
           (!high || phys_add_ram(pc->phys, "ram-above-4g", ABOVE_4G, high, 0));
}

static LoadRequest load_request(const Pc *pc)
{
    uint32_t low = pc_low_ram(pc->cfg), high = pc->cfg->mem_bytes - low;
    LoadRequest rq = {
        .phys = pc->phys,
        .kernel = pc->cfg->kernel,
        .initrd = pc->cfg->initrd,
        .append = pc->cfg->append,
        .low_ram_end = low,
        .rsdp = ACPI_AT,
        .map = { { 0, CONVENTIONAL_END, MEMORY_USABLE },
                 { CONVENTIONAL_END, HOLE_AT - CONVENTIONAL_END, MEMORY_RESERVED },
                 { ACPI_AT, HIGH_MEMORY - ACPI_AT, MEMORY_RESERVED },
                 { HIGH_MEMORY, low - HIGH_MEMORY, MEMORY_USABLE },
                 { ABOVE_4G, high, MEMORY_USABLE } },
        .map_count = high ? 5 : 4,
    };
    return rq;
}

/* What firmware is told: all RAM, of which it takes for itself what it wants. */
static LoadRequest firmware_request(const Pc *pc)
{
    LoadRequest rq = load_request(pc);
    uint32_t high = pc->cfg->mem_bytes - rq.low_ram_end;
    rq.map[0] = (MemoryRange){ 0, rq.low_ram_end, MEMORY_USABLE };
    rq.map[1] = (MemoryRange){ ABOVE_4G, high, MEMORY_USABLE };
    rq.map_count = high ? 2 : 1;
    return rq;
}

/* --- reset ---------------------------------------------------------------------------------------------- */

static void reset_cpu(Pc *pc)
{
    cpu_reset(pc->cpu);
    cpu_set_a20(pc->cpu, pc->dev.a20.levels != 0);
}

/* The kernel put where it was at the start: its files are read again. */
static bool start_kernel(Pc *pc, char *error, size_t error_size)
{
    LoadRequest rq = load_request(pc);
    BootState boot;
    reset_cpu(pc);
    pc_devices_post(&pc->dev, pc->machine);
    acpi_tables_place(pc->dev.acpi, pc->phys, ACPI_AT);
    if (!load_kernel(&rq, &boot, error, error_size)) return false;
    load_set_cpu(pc->cpu, &boot);
    return true;
}

static void set_boot_order(Pc *pc, const char *order)
{
    pc_devices_set_boot_order(&pc->dev, order ? order : BOOT_DEFAULT);
}

static void print_line(void *opaque, const char *line)
{
    fprintf(opaque, "%s\n", line);
}

static void pc_reset(void *board)
{
    Pc *pc = board;
    char error[512];
    if (log_on(LOG_CPU_RESET)) cpu_print(pc->cpu, print_line, log_file());
    exec_flush(pc->exec);
    if (!pc->direct) {
        set_boot_order(pc, pc->cfg->boot.order); /* -boot once= has been used up */
        reset_cpu(pc);
        return;
    }
    if (start_kernel(pc, error, sizeof error)) return;
    warn_line("%s", error);
    machine_request(pc->machine, MACHINE_QUIT, 1);
}

static void pc_shut_down(void *board, bool last)
{
    Pc *pc = board;
    if (!last) return; /* pc_reset() shows it when it is to be seen */
    fputs("calque: triple fault\n", stderr);
    cpu_print(pc->cpu, print_line, stderr);
}

static void pc_free(void *board)
{
    Pc *pc = board;
    pc_devices_free(&pc->dev);
    pc_firmware_free(&pc->firmware);
    drives_close(pc->drives);
    if (pc->exec) exec_free(pc->exec);
    if (pc->cpu) cpu_free(pc->cpu);
    if (pc->io) ioports_free(pc->io);
    if (pc->phys) phys_free(pc->phys);
    free(pc);
}

/* --- life ------------------------------------------------------------------------------------------------- */

static void post_block(void *machine, void (*fn)(void *arg), void *arg)
{
    machine_post(machine, fn, arg);
}

static void post_block_later(void *machine, void (*fn)(void *arg), void *arg)
{
    machine_later(machine, fn, arg);
}

static bool open_drives(Pc *pc, char *error, size_t error_size)
{
    BlockPoster poster = { .post = post_block, .opaque = pc->machine };
    if (pc->cfg->icount.on) poster.later = post_block_later;
    pc->drives = drives_open(pc->cfg->drive, pc->cfg->n_drives, &poster, error, error_size);
    return pc->drives != NULL;
}

static bool add_devices(Pc *pc, char *error, size_t error_size)
{
    PcWires wires = { .intr = { .set = set_intr, .opaque = pc },
                      .smi = { .set = set_smi, .opaque = pc },
                      .a20 = { .set = set_a20, .opaque = pc },
                      .memory = { pc->ram, pc->rom },
                      .drives = pc->drives };
    FileData vga = { 0 };
    bool has_vga = !pc->direct && pc->cfg->vga != VGA_NONE;
    if (has_vga && !firmware_load(pc->cfg, "VGA BIOS", FIRMWARE_VGABIOS, &vga, error, error_size)) return false;
    wires.vga_rom = vga;
    pc_devices_add(&pc->dev, pc->machine, pc->cfg, &wires);
    file_free(&vga);
    return true;
}

/* The image, and what it will ask for. */
static bool add_firmware(Pc *pc, FileData *kernel, char *error, size_t error_size)
{
    FileData bios;
    const char *name = pc->cfg->bios ? pc->cfg->bios : FIRMWARE_BIOS;
    if (!firmware_load(pc->cfg, "-bios", name, &bios, error, error_size)) return false;
    bool good = firmware_map_bios(pc->phys, pc->rom, &bios, error, error_size);
    file_free(&bios);
    if (!good) return false;
    LoadRequest rq = firmware_request(pc);
    pc_firmware_describe(&pc->dev, pc->cfg, &rq);
    if (kernel->bytes && !pc_firmware_add_kernel(&pc->firmware, &pc->dev, &rq, kernel, error, error_size)) return false;
    set_boot_order(pc, pc->cfg->boot.once ? pc->cfg->boot.once : pc->cfg->boot.order);
    return true;
}

/* Reads the kernel, if there is one that firmware can start.  Else the machine starts without firmware. */
static bool choose_start(Pc *pc, FileData *kernel, char *error, size_t error_size)
{
    const MachineConfig *cfg = pc->cfg;
    pc->direct = cfg->bios && strcmp(cfg->bios, "none") == 0;
    if (pc->direct && !cfg->kernel) {
        snprintf(error, error_size, "-bios none: needs -kernel, there is nothing else to start");
        return false;
    }
    if (pc->direct || !cfg->kernel) return true;
    if (!file_load("-kernel", cfg->kernel, pc_low_ram(cfg), kernel, error, error_size)) return false;
    if (load_is_linux(kernel)) return true;
    file_free(kernel);
    pc->direct = true; /* Multiboot, or the loader says what is wrong with it */
    return true;
}

static bool build(Pc *pc, char *error, size_t error_size)
{
    static const BoardOps ops = { .reset = pc_reset, .shut_down = pc_shut_down, .free = pc_free };
    pc->machine = machine_create(pc->cpu, pc->phys, pc->io, NULL);
    if (pc->cfg->icount.on) machine_use_icount(pc->machine, &pc->cfg->icount);
    machine_set_board(pc->machine, &ops, pc);
    machine_set_policy(pc->machine, pc->cfg->no_reboot, pc->cfg->no_shutdown);
    connect_cpu(pc);
    FileData kernel = { 0 };
    ExecHooks hooks = machine_hooks(pc->machine);
    bool good = choose_start(pc, &kernel, error, error_size) && open_drives(pc, error, error_size) &&
                add_devices(pc, error, error_size) && (pc->direct || add_firmware(pc, &kernel, error, error_size));
    file_free(&kernel);
    if (!good) return false;
    ExecOptions options = pc->cfg->exec;
    options.icount = pc->cfg->icount.on;
    pc->exec = exec_new(pc->cpu, &options, &hooks, error, error_size);
    if (!pc->exec) return false;
    if (pc->direct) return start_kernel(pc, error, error_size);
    reset_cpu(pc);
    return true;
}

static Pc *new_board(const MachineConfig *cfg, char *error, size_t error_size)
{
    Pc *pc = hw_alloc(sizeof *pc);
    pc->cfg = cfg;
    pc->phys = phys_new();
    pc->io = ioports_new();
    if (!pc->phys || !pc->io || !add_memory(pc))
        snprintf(error, error_size, "-m: cannot get %u MiB of memory from the host", cfg->mem_bytes >> 20);
    else if ((pc->cpu = cpu_new(pc->phys, pc->io, cfg->cpu, error, error_size)))
        return pc;
    pc_free(pc);
    return NULL;
}

Machine *pc_new(const MachineConfig *cfg, char *error, size_t error_size)
{
    Pc *pc = new_board(cfg, error, error_size);
    if (!pc) return NULL;
    if (build(pc, error, error_size)) return pc->machine;
    machine_destroy(pc->machine);
    return NULL;
}

int machine_run(Machine *m)
{
    Pc *pc = machine_board(m);
    if (!machine_start_alarm(m)) {
        warn_line("cannot start a thread: %s", strerror(errno));
        return 1;
    }
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1000ul, 0, 0, 0); /* an idle guest's timers come on time */
#endif
    if (pc->cfg->start_stopped) machine_stop(m, STOP_PRELAUNCH);
    exec_run(pc->exec);
    if (log_on(LOG_DIGEST)) machine_digest(m, print_line, log_file());
    machine_stop_alarm(m);
    return machine_exit_status(m);
}

void machine_free(Machine *m)
{
    machine_destroy(m);
}

void pc_power_button(Machine *m)
{
    acpi_pm_power_button(((Pc *)machine_board(m))->dev.pm);
}

Exec *pc_exec(Machine *m)
{
    return ((Pc *)machine_board(m))->exec;
}

PcDevices *pc_parts(Machine *m)
{
    return &((Pc *)machine_board(m))->dev;
}

DriveSet *pc_drives(Machine *m)
{
    return ((Pc *)machine_board(m))->drives;
}
