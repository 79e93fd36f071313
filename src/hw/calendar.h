/* Seconds since 1970 and the Gregorian calendar, for any 64-bit input (the guest may set any date). */
#ifndef CALQUE_HW_CALENDAR_H
#define CALQUE_HW_CALENDAR_H

#include <stdint.h>

typedef struct Calendar {
    int32_t year;       /* 1970 */
    uint8_t month, day; /* 1..12, 1..31 */
    uint8_t hour, minute, second;
    uint8_t weekday; /* 0 = Sunday */
} Calendar;

#define SECONDS_PER_DAY 86400

/* Fields out of range carry over (month 13 is the next January). */
int64_t calendar_to_seconds(const Calendar *c);
Calendar calendar_from_seconds(int64_t seconds);

#endif
