/* The order of the machine: one thread owns the CPU, memory and devices; everything from outside
 * enters through the input queue; virtual time and timers. */
#ifndef CALQUE_HW_MACHINE_H
#define CALQUE_HW_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"

typedef struct Machine Machine;

/* --- interrupt lines: a level and who listens -------------------------------------------------- */
typedef struct IrqLine {
    void (*set)(void *opaque, int n, bool level);
    void *opaque;
    int n;
} IrqLine;
static inline void irq_set(const IrqLine *l, bool level)
{
    if (l->set) l->set(l->opaque, l->n, level);
}

/* --- virtual time: nanoseconds since power-on, stands still while the machine is stopped ------------- */
uint64_t clock_now(Machine *m);
bool machine_uses_icount(const Machine *m); /* virtual time is the instructions' (-icount), not the host's */
typedef struct Timer Timer;
Timer *timer_new(Machine *m, void (*fn)(void *opaque), void *opaque);
void timer_free(Timer *t);
void timer_set(Timer *t, uint64_t deadline_ns); /* replaces an earlier deadline; in the past: fires at the next poll */
void timer_cancel(Timer *t);
bool timer_pending(const Timer *t);

/* --- the one door ------------------------------------------------------------------------------ */
/* From any thread: fn(opaque) runs on the machine thread at a block boundary, in order of posting. */
void machine_post(Machine *m, void (*fn)(void *opaque), void *opaque);

/* --- device state by table ---------------------------------------------------------------------- */
typedef enum FieldType { FIELD_U8, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_BOOL, FIELD_BYTES } FieldType;
typedef struct Field {
    const char *name;
    uint32_t offset;
    uint32_t count; /* elements; bytes for FIELD_BYTES */
    uint8_t type;   /* FieldType */
    uint8_t since;  /* version */
} Field;
/* clang-format off */
#define FIELD_END { 0 }
/* One entry for member m of struct S, type and count taken from its C type (a scalar or an array; nested
 * members as "ch[0].mode"). */
#define FIELD_SINCE(S, m, v) { #m, offsetof(S, m), sizeof(((S *)0)->m) / FIELD_UNIT(S, m), FIELD_TYPE(S, m), (v) }
#define FIELD(S, m) FIELD_SINCE(S, m, 1)
#define FIELD_TYPE(S, m)                                                                                      \
    _Generic(((S *)0)->m, uint8_t: FIELD_U8, uint8_t *: FIELD_U8, uint16_t: FIELD_U16, uint16_t *: FIELD_U16, \
        uint32_t: FIELD_U32, uint32_t *: FIELD_U32, uint64_t: FIELD_U64, uint64_t *: FIELD_U64,               \
        bool: FIELD_BOOL, bool *: FIELD_BOOL)
#define FIELD_UNIT(S, m)                                                                                      \
    _Generic(((S *)0)->m, uint8_t: 1, uint8_t *: 1, uint16_t: 2, uint16_t *: 2, uint32_t: 4, uint32_t *: 4,   \
        uint64_t: 8, uint64_t *: 8, bool: sizeof(bool), bool *: sizeof(bool))
/* clang-format on */
typedef struct DeviceClass {
    const char *name;
    uint32_t version;
    const Field *fields;      /* guest-visible state, ends with FIELD_END */
    void (*reset)(void *dev); /* RESET# */
} DeviceClass;
/* Registers a device instance for reset, `info` and snapshots.  dev outlives the machine's use. */
void machine_add_device(Machine *m, const DeviceClass *cls, void *dev);

CPUState *machine_cpu(Machine *m);
PhysMem *machine_phys(Machine *m);
IoPorts *machine_io(Machine *m);

/* Events asked for by the guest or by posted work; take effect at the next poll.  Machine thread only (others
 * machine_post() a function that asks).  exit_status counts for QUIT and PANIC, which end the run. */
enum { MACHINE_RESET = 1, MACHINE_POWEROFF, MACHINE_QUIT, MACHINE_PANIC };
void machine_request(Machine *m, int event, int exit_status);

/* Between blocks nothing runs and virtual time stands still until machine_cont(); posted work is still
 * done.  why, for `info status`: NULL when a user asked for it; of two stops the later one's counts.  Machine thread only. */
#define STOP_IO_ERROR  "io-error"  /* the host failed a drive's request */
#define STOP_PRELAUNCH "prelaunch" /* -S */
#define STOP_SHUTDOWN  "shutdown"  /* power-off with -no-shutdown */
void machine_stop(Machine *m, const char *why);
void machine_cont(Machine *m);
bool machine_is_stopped(const Machine *m);
const char *machine_stop_reason(const Machine *m); /* NULL while it runs, too */

#endif
