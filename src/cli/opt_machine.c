/* Options about the machine itself: memory, processor, clock, what it boots. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/handlers.h"
#include "cli/keyval.h"
#include "cpu/cpu.h"
#include "util/die.h"
#include "util/number.h"

#define MIB (UINT64_C(1) << 20)

void opt_mem(CliOptions *o, const char *where, const char *arg)
{
    const char *text = strncmp(arg, "size=", 5) == 0 ? arg + 5 : arg;
    uint64_t bytes;
    if (!parse_size(text, MIB, &bytes) || bytes % MIB || bytes < MIB || bytes > MACHINE_MEM_MAX_MIB * MIB) {
        char allowed[80];
        snprintf(allowed, sizeof allowed, "whole MiB from 1 to %d are, as in 512, 512M, 2G", MACHINE_MEM_MAX_MIB);
        bad_value(where, arg, allowed);
    }
    o->machine.mem_bytes = (uint32_t)bytes;
}

void opt_cpu(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    if (strcmp(arg, "help") == 0) {
        cpu_models_print(stdout);
        exit(0);
    }
    o->machine.cpu = arg;
}

static void set_machine_accel(CliOptions *o, const char *where, const char *value)
{
    opt_accel(o, where, value);
}
static void set_machine_type(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "pc") != 0) bad_value(where, value, "the only machine is 'pc'");
}

static void set_machine_graphics(CliOptions *o, const char *where, const char *value)
{
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) bad_value(where, value, "on or off is");
    o->graphics_set = true;
    o->machine.no_graphics = strcmp(value, "off") == 0;
}

static const Property machine_properties[] = {
    { "type", "pc", set_machine_type },
    { "accel", "as -accel", set_machine_accel },
    { "pcspk-audiodev", "id of the -audiodev for the PC speaker", opt_speaker_audio },
    { "graphics", "off: firmware uses the first serial port too, as with -nographic", set_machine_graphics },
    { 0 },
};

void opt_machine(CliOptions *o, const char *where, const char *arg)
{
    if (strcmp(arg, "help") == 0) {
        puts("pc         PC with an i440FX-style board (default)");
        exit(0);
    }
    const char *rest = arg, *first = next_item(&rest);
    if (strchr(first, '=')) {
        rest = arg;
    } else {
        set_machine_type(o, where, first);
    }
    apply_properties(o, where, rest, machine_properties);
}

/* YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, taken as the guest's clock shows it. */
static bool parse_date(const char *text, int64_t *seconds)
{
    static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d" };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct tm tm = { 0 };
        const char *end = strptime(text, formats[i], &tm);
        if (!end || *end) continue;
        /* timegm() takes February 31st for March 3rd. */
        struct tm normal = tm;
        *seconds = timegm(&normal);
        if (normal.tm_mday != tm.tm_mday || normal.tm_mon != tm.tm_mon) return false;
        return tm.tm_year >= 0 && tm.tm_year < 8100; /* two BCD digits of century */
    }
    return false;
}

static void set_rtc_base(CliOptions *o, const char *where, const char *value)
{
    MachineConfig *m = &o->machine;
    if (strcmp(value, "utc") == 0) {
        m->rtc_base = RTC_BASE_UTC;
    } else if (strcmp(value, "localtime") == 0) {
        m->rtc_base = RTC_BASE_LOCALTIME;
    } else if (parse_date(value, &m->rtc_date)) {
        m->rtc_base = RTC_BASE_DATE;
    } else {
        bad_value(where, value, "utc, localtime, or a date like 2006-06-17T16:01:21 or 2006-06-17 is");
    }
}

static void set_rtc_clock(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "host") != 0 && strcmp(value, "vm") != 0) bad_value(where, value, "host or vm is");
}

static const Property rtc_properties[] = {
    { "base", "utc, localtime or a date: what the clock shows at power-on", set_rtc_base },
    { "clock", "host or vm; the clock always runs with the machine", set_rtc_clock },
    { 0 },
};

void opt_rtc(CliOptions *o, const char *where, const char *arg)
{
    apply_properties(o, where, arg, rtc_properties);
}

/* --- -icount ---------------------------------------------------------------------------------------- */

static void set_icount_shift(CliOptions *o, const char *where, const char *value)
{
    if (strcmp(value, "auto") == 0)
        bad_value(where, value,
                  "a speed that follows the host's would not be the same twice; a number from 0 to 10 is");
    o->machine.icount.shift = (uint8_t)number_in(where, value, 0, ICOUNT_SHIFT_MAX);
}

static void set_icount_sleep(CliOptions *o, const char *where, const char *value)
{
    o->machine.icount.sleep = on_off(where, value);
}

static void set_icount_align(CliOptions *o, const char *where, const char *value)
{
    (void)o;
    if (strcmp(value, "off") != 0) bad_value(where, value, "virtual time is not held back to the host's; only off is");
}

static void refuse_icount(CliOptions *o, const char *where, const char *value)
{
    (void)o, (void)value;
    die("%s: recording and replaying are not supported; a run without input repeats itself anyway", where);
}

static const Property icount_properties[] = {
    { "shift", "an instruction takes 2^shift ns, 0 to 10 (default 3)", set_icount_shift },
    { "sleep", "on (default): an idle guest waits in the host's time; off: time leaps", set_icount_sleep },
    { "align", "off", set_icount_align },
    { "rr", "not supported", refuse_icount },
    { "rrfile", "not supported", refuse_icount },
    { "rrsnapshot", "not supported", refuse_icount },
    { 0 },
};

void opt_icount(CliOptions *o, const char *where, const char *arg)
{
    enum { DEFAULT_SHIFT = 3 }; /* 125 million instructions a second */
    const char *rest = arg, *first = next_item(&rest);
    o->machine.icount = (IcountConfig){ .on = true, .sleep = true, .shift = DEFAULT_SHIFT };
    if (strchr(first, '='))
        rest = arg;
    else /* "-icount 7" */
        set_icount_shift(o, where, first);
    apply_properties(o, where, rest, icount_properties);
}

static const char *some_text(const char *where, const char *arg)
{
    if (!*arg) bad_value(where, arg, "a file name is");
    return arg;
}

void opt_kernel(CliOptions *o, const char *where, const char *arg)
{
    o->machine.kernel = some_text(where, arg);
}
void opt_initrd(CliOptions *o, const char *where, const char *arg)
{
    o->machine.initrd = some_text(where, arg);
}

void opt_append(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->machine.append = arg;
}

void opt_name(CliOptions *o, const char *where, const char *arg)
{
    (void)where;
    o->machine.name = arg;
}

void opt_no_reboot(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->machine.no_reboot = true;
}

void opt_no_shutdown(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->machine.no_shutdown = true;
}

void opt_start_stopped(CliOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->machine.start_stopped = true;
}
