/* What the command line asks of the machine: filled by cli, read by pc_new() and machine_run().
 * Strings are borrowed: they outlive the machine. */
#ifndef CALQUE_HW_CONFIG_H
#define CALQUE_HW_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "block/drive.h"
#include "exec/exec.h"
#include "hw/chardev.h"
#include "hw/speaker.h"

/* -vga */
typedef enum VgaKind { VGA_STD, VGA_NONE } VgaKind;

typedef enum RtcBase { RTC_BASE_UTC, RTC_BASE_LOCALTIME, RTC_BASE_DATE } RtcBase;

/* isa-debug-exit: a write of v ends the run with status (v << 1) | 1. */
typedef struct DebugExitConfig {
    bool present;
    uint16_t iobase; /* default 0x501 */
    uint16_t iosize; /* 1..8, default 2 */
} DebugExitConfig;

/* isa-debugcon: written bytes go to a character device; reads give 0xe9. */
typedef struct DebugConConfig {
    bool present;
    uint16_t iobase;  /* default 0xe9 */
    CharDev *chardev; /* never NULL when present */
} DebugConConfig;

/* -icount */
typedef struct IcountConfig {
    bool on;
    bool sleep;    /* while the guest idles, wait as long on the host */
    uint8_t shift; /* an instruction takes 2^shift ns: 0 .. ICOUNT_SHIFT_MAX */
} IcountConfig;
enum { ICOUNT_SHIFT_MAX = 10 };

/* -boot.  Devices: a floppy, c disk, d CD-ROM, n network; NULL: the default order. */
typedef struct BootConfig {
    const char *order, *once; /* once: until the first reset */
    bool menu, strict;
    uint16_t menu_wait_ms;  /* 0: the firmware's default */
    int32_t reboot_wait_ms; /* after nothing could be booted; -1: stay */
} BootConfig;

enum {
    MACHINE_SERIAL_MAX = 4,     /* COM1..COM4 */
    MACHINE_MEM_MAX_MIB = 3584, /* all RAM lies below the device windows at 0xe0000000 */
};

typedef struct MachineConfig {
    const char *name;   /* -name, or NULL */
    uint32_t mem_bytes; /* 1 .. MACHINE_MEM_MAX_MIB MiB, whole MiB */

    const char *bios;         /* -bios: image, or "none": a kernel is started without firmware; NULL: the usual */
    const char *firmware_dir; /* -L, or NULL */
    BootConfig boot;

    const char *kernel; /* path, or NULL: no kernel was given */
    const char *initrd; /* bzImage: path.  Multiboot: "file args,file args".  Or NULL */
    const char *append; /* never NULL */

    CharDev *serial[MACHINE_SERIAL_MAX]; /* COM1.., NULL: no such port */
    DebugExitConfig debug_exit;
    DebugConConfig debugcon;

    DriveConfig drive[DRIVES_MAX]; /* each place at most once */
    unsigned n_drives;

    SpeakerSink speaker; /* its functions NULL: nobody hears it */

    VgaKind vga;
    bool no_graphics; /* -nographic: firmware shows its text on COM1, too */

    RtcBase rtc_base;
    int64_t rtc_date; /* RTC_BASE_DATE: seconds since 1970, as the guest's clock shall show at power-on */

    IcountConfig icount;
    const char *cpu; /* cpu_new()'s spec; NULL: default */
    ExecOptions exec;

    bool no_reboot;     /* a reset ends the run */
    bool no_shutdown;   /* a power-off stops the machine but not the program */
    bool start_stopped; /* -S: do not run until told */
} MachineConfig;

#endif
