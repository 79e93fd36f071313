/* A host thread that sets a flag when a host time has come: how a running guest learns that a timer is
 * due.  Setting the flag is all it does, so the guest's code is left at its next poll and nothing is
 * interrupted halfway (a signal would make every system call of the machine thread return EINTR). */
#ifndef CALQUE_HW_ALARM_H
#define CALQUE_HW_ALARM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Alarm Alarm;
/* **flag becomes 1 (atomically); where that is may change until the first is due.  NULL: no thread could be made, errno says
 * why. */
Alarm *alarm_new(uint32_t *const *flag);
void alarm_free(Alarm *a);
/* Host CLOCK_MONOTONIC nanoseconds; UINT64_MAX: never.  Replaces the earlier time. */
void alarm_arm(Alarm *a, uint64_t when);
bool alarm_armed(Alarm *a); /* false: has gone off since */

#endif
