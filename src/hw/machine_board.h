/* What a board (pc.c), and a test in place of one, needs of the machine beyond machine.h. */
#ifndef CALQUE_HW_MACHINE_BOARD_H
#define CALQUE_HW_MACHINE_BOARD_H

#include "exec/exec.h"
#include "hw/config.h"
#include "hw/machine.h"

/* Where virtual time comes from: nanoseconds that never go back.  Tests bring their own. */
typedef struct ClockSource {
    uint64_t (*now)(void *opaque);
    void *opaque;
} ClockSource;

typedef struct BoardOps {
    void (*reset)(void *board);                /* after all devices have been reset: the CPU, the kernel's image */
    void (*shut_down)(void *board, bool last); /* triple fault; last: the run ends with it */
    void (*free)(void *board);
} BoardOps;

/* cpu, phys, io are the board's.  clock NULL: the host's monotonic clock. */
Machine *machine_create(CPUState *cpu, PhysMem *phys, IoPorts *io, const ClockSource *clock);
/* Time by instruction count from here on; before there are devices. */
void machine_use_icount(Machine *m, const IcountConfig *cfg);
/* With time by instruction count: fn(opaque) runs on the machine thread a fixed virtual time from now. */
void machine_later(Machine *m, void (*fn)(void *opaque), void *opaque);
void machine_set_board(Machine *m, const BoardOps *ops, void *board);
void machine_set_policy(Machine *m, bool no_reboot, bool no_shutdown);
void *machine_board(Machine *m);
/* Frees the board first, so that its devices can give back their timers. */
void machine_destroy(Machine *m);

/* From here on the alarm thread interrupts the CPU when a timer is due.  False: errno says why. */
bool machine_start_alarm(Machine *m);
void machine_stop_alarm(Machine *m);

/* All devices, then the board, at once. */
void machine_reset_now(Machine *m);
/* The hooks for the execution loop. */
ExecHooks machine_hooks(Machine *m);
/* One poll, as the execution loop does it: false when the run has ended. */
bool machine_poll(Machine *m);
int machine_exit_status(const Machine *m);

/* The registered devices in order, for `info` and snapshots; NULL past the end. */
const DeviceClass *machine_device(Machine *m, size_t i, void **dev);

#endif
