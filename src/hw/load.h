/* Starting a kernel, mostly without firmware: puts a user's files into guest memory and says in what state the
 * CPU must be to run them.  The files are not trusted: everything in them is checked against their length
 * and against the machine's memory. */
#ifndef CALQUE_HW_LOAD_H
#define CALQUE_HW_LOAD_H

#include "cpu/state.h"
#include "util/file.h"

/* Physical memory as the guest is told of it. */
enum { MEMORY_USABLE = 1, MEMORY_RESERVED = 2 };
typedef struct MemoryRange {
    uint64_t base, size;
    uint32_t type; /* MEMORY_*; the numbers of INT 15h E820 */
} MemoryRange;
enum { LOAD_MAX_RANGES = 8 };

typedef struct LoadRequest {
    PhysMem *phys;
    const char *kernel, *initrd, *append; /* as in MachineConfig */
    uint32_t low_ram_end;                 /* end of RAM below 4 GiB */
    uint32_t rsdp;                        /* address of the ACPI tables, or 0 */
    MemoryRange map[LOAD_MAX_RANGES];
    unsigned map_count;
} LoadRequest;

/* Flat 32-bit protected mode without paging. */
typedef struct BootState {
    uint32_t eip, esp, eax, ebx, esi;
    uint32_t gdt_base;
    uint16_t gdt_limit, cs, ds;
} BootState;

/* Any kernel we know.  False: error says what is wrong with which file, in one line. */
bool load_kernel(const LoadRequest *rq, BootState *boot, char *error, size_t error_size);

/* A Linux kernel that firmware will start: its file, with the header filled in, is setup code and then the kernel. */
typedef struct LinuxParts {
    uint32_t setup_at, setup_size, kernel_at, kernel_size, cmdline_at, initrd_at;
    FileData initrd; /* bytes NULL: none */
} LinuxParts;
bool load_linux_parts(const LoadRequest *rq, FileData *kernel, LinuxParts *out, char *error, size_t error_size);

/* --- between the loaders ------------------------------------------------------------------------------ */
bool load_is_linux(const FileData *kernel);
bool load_linux(const LoadRequest *rq, const FileData *kernel, BootState *boot, char *error, size_t error_size);
bool load_is_multiboot(const FileData *kernel);
bool load_multiboot(const LoadRequest *rq, const FileData *kernel, BootState *boot, char *error, size_t error_size);

/* False, with error = "what 'file': why". */
bool load_fail(char *error, size_t error_size, const char *what, const char *file, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Puts a GDT with the flat segments boot->cs and ->ds at addr (room for 32 bytes) and notes it in *boot. */
void load_put_gdt(PhysMem *phys, BootState *boot, uint32_t addr);
/* The area [base, base + size) is RAM, either conventional or from 1 MiB on. */
bool load_is_ram(const LoadRequest *rq, uint64_t base, uint64_t size);

enum { CONVENTIONAL_END = 0x9fc00, HIGH_MEMORY = 0x100000 };

/* --- load_cpu.c ----------------------------------------------------------------------------------------- */
/* After cpu_reset(): the state that a loader asked for. */
void load_set_cpu(CPUState *cpu, const BootState *boot);

#endif
