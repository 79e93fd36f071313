#include "hw/calendar.h"

/* Years that begin in March put the leap day at the end: day numbers then follow from the month by one
 * linear formula (153 days in each five months). */
enum { DAYS_PER_ERA = 146097, EPOCH = 719468 }; /* 400 years; 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t calendar_to_seconds(const Calendar *c)
{
    int64_t months = (int64_t)c->year * 12 + c->month - 3; /* since March of year 0 */
    int64_t year = floor_div(months, 12), month = months - year * 12;
    int64_t era = floor_div(year, 400), y = year - era * 400;
    int64_t days = era * DAYS_PER_ERA + y * 365 + y / 4 - y / 100 + (153 * month + 2) / 5 + c->day - 1 - EPOCH;
    return days * SECONDS_PER_DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

Calendar calendar_from_seconds(int64_t seconds)
{
    int64_t days = floor_div(seconds, SECONDS_PER_DAY), s = seconds - days * SECONDS_PER_DAY;
    int64_t weekday = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    days += EPOCH;
    int64_t era = floor_div(days, DAYS_PER_ERA), d = days - era * DAYS_PER_ERA;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t yday = d - (365 * y + y / 4 - y / 100), m = (5 * yday + 2) / 153;
    return (Calendar){
        .year = (int32_t)(era * 400 + y + (m >= 10)),
        .month = (uint8_t)(m < 10 ? m + 3 : m - 9),
        .day = (uint8_t)(yday - (153 * m + 2) / 5 + 1),
        .hour = (uint8_t)(s / 3600),
        .minute = (uint8_t)(s / 60 % 60),
        .second = (uint8_t)(s % 60),
        .weekday = (uint8_t)weekday,
    };
}
