/* The language of the devices' target: an input is a program of these steps, each a byte and what it needs, little-endian.
 * A byte's upper half is free, so that any byte is a step. */
#ifndef CALQUE_TESTS_FUZZ_DEVICES_H
#define CALQUE_TESTS_FUZZ_DEVICES_H

#include "fuzz/fuzz.h"

enum DeviceStep {
    STEP_OUT8,      /* port of 2 bytes, value of 1 */
    STEP_OUT16,     /* port, value of 2 */
    STEP_OUT32,     /* port, value of 4 */
    STEP_IN,        /* port; size from the upper half */
    STEP_OUT_KNOWN, /* a byte for the device, one for the port there, value of 1 */
    STEP_IN_KNOWN,  /* the same two bytes; size from the upper half */
    STEP_BULK,      /* port, count of 1: so many words out (upper half odd) or in */
    STEP_MEM_WRITE, /* address of 4, value of 4; size from the upper half */
    STEP_MEM_READ,  /* address of 4; size from the upper half */
    STEP_WINDOW,    /* a byte for the device's memory window, offset of 2, value of 4: written and read back */
    STEP_FILL,      /* address of 4, length of 1, bytes: as a guest puts what it is going to have fetched */
    STEP_TIME,      /* 1: it passes; timers, disks and the screen do their work */
    STEP_CPU,       /* a byte: what the processor does (CPU_*), value of 4 */
    STEP_CONFIG,    /* a byte for the PCI function, register of 1, value of 4; size from the upper half */
    STEP_OUTSIDE,   /* a byte: what the user does, value of 2 */
    STEP_SETTLE,    /* disks finish, all that is due happens */
    STEPS
};
enum { CPU_ACKNOWLEDGE, CPU_FERR, CPU_SMM, CPU_APIC_BASE, CPU_DEADLINE, CPU_INIT, CPU_REGISTERS, CPU_ACTIONS };
enum {
    USER_SERIAL,
    USER_KEY,
    USER_MOVE,
    USER_POINT,
    USER_BUTTONS,
    USER_MEDIUM,
    USER_POWER_BUTTON,
    USER_LOOK,
    USER_ACTIONS
};

/* Where the board's windows are when a program starts, as a BIOS would have put them. */
enum { BM_AT = 0xc000, FB_AT = 0xe0000000u, VGA_REGS_AT = 0xe2000000u, SMBUS_AT = 0xb100, PM_AT = 0x600 };

void device_seeds(FuzzGive *give);

#endif
