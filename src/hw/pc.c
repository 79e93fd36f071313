#include "hw/pc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "hw/acpi_tables.h"
#include "hw/alloc.h"
#include "hw/load.h"
#include "hw/machine_board.h"
#include "hw/pc_devices.h"
#include "util/die.h"
#include "util/log.h"

enum { HOLE_AT = 0xa0000, ROM_AT = 0xc0000, ACPI_AT = 0xe0000 };
#define ABOVE_4G 0x100000000ull

typedef struct Pc {
    Machine *machine;
    const MachineConfig *cfg;
    CPUState *cpu;
    PhysMem *phys;
    IoPorts *io;
    Exec *exec;
    PcDevices dev;
} Pc;

/* --- pins ----------------------------------------------------------------------------------------------- */

static void set_intr(void *opaque, int n, bool level)
{
    (void)n;
    cpu_set_intr(((Pc *)opaque)->cpu, level);
}

static void set_a20(void *opaque, int n, bool level)
{
    (void)n;
    Pc *pc = opaque;
    if (pc->cpu->a20 != level) cpu_set_a20(pc->cpu, level);
}

static int intr_ack(void *opaque)
{
    return i8259_ack(((Pc *)opaque)->dev.pic);
}
static void ferr(void *opaque, bool level)
{
    fpu_irq13_ferr(((Pc *)opaque)->dev.fpu, level);
}
static uint64_t clock_ns(void *opaque)
{
    return clock_now(opaque);
}

static void connect_cpu(Pc *pc)
{
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
    return phys_add_ram(pc->phys, "ram", 0, low, 0) &&
           phys_add_mmio(pc->phys, "display-hole", HOLE_AT, ROM_AT - HOLE_AT, 1, &hole, NULL) &&
           phys_add_rom(pc->phys, "rom", ROM_AT, HIGH_MEMORY - ROM_AT, 1) &&
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

/* --- reset ---------------------------------------------------------------------------------------------- */

/* The CPU's part of a reset, and the kernel put where it was at the start: its files are read again. */
static bool start_kernel(Pc *pc, char *error, size_t error_size)
{
    uint8_t tables[ACPI_TABLES_MAX];
    LoadRequest rq = load_request(pc);
    BootState boot;
    cpu_reset(pc->cpu);
    cpu_set_a20(pc->cpu, pc->dev.a20.levels != 0);
    pc_devices_post(pc->machine);
    phys_load(pc->phys, ACPI_AT, tables, acpi_tables_build(tables, ACPI_AT));
    if (!load_kernel(&rq, &boot, error, error_size)) return false;
    load_set_cpu(pc->cpu, &boot);
    return true;
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
    if (pc->exec) exec_free(pc->exec);
    if (pc->cpu) cpu_free(pc->cpu);
    if (pc->io) ioports_free(pc->io);
    if (pc->phys) phys_free(pc->phys);
    free(pc);
}

/* --- life ------------------------------------------------------------------------------------------------- */

static bool build(Pc *pc, char *error, size_t error_size)
{
    static const BoardOps ops = { .reset = pc_reset, .shut_down = pc_shut_down, .free = pc_free };
    pc->machine = machine_create(pc->cpu, pc->phys, pc->io, NULL);
    machine_set_board(pc->machine, &ops, pc);
    machine_set_policy(pc->machine, pc->cfg->no_reboot, pc->cfg->no_shutdown);
    connect_cpu(pc);
    pc_devices_add(&pc->dev, pc->machine, pc->cfg, (IrqLine){ .set = set_intr, .opaque = pc },
                   (IrqLine){ .set = set_a20, .opaque = pc });
    ExecHooks hooks = machine_hooks(pc->machine);
    pc->exec = exec_new(pc->cpu, &pc->cfg->exec, &hooks, error, error_size);
    return pc->exec && start_kernel(pc, error, error_size);
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
    if (!cfg->kernel) {
        snprintf(error, error_size, "there is nothing to start: name a kernel with -kernel FILE");
        return NULL;
    }
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
    if (pc->cfg->start_stopped) machine_stop(m);
    exec_run(pc->exec);
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

Input *pc_input(Machine *m)
{
    return ((Pc *)machine_board(m))->dev.input;
}
