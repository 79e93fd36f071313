/* The linker sends exit(), open() and fopen() here (--wrap): while a command line or a file is being parsed the first one leads
 * back to the caller, and the others fail, whatever options may want to open. */
#include "fuzz/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "tcg/ir.h"
#include "util/log.h"

static jmp_buf end;
static bool parsing;
static int status;

_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
void __wrap_exit(int code)
{
    if (!parsing) __real_exit(code);
    status = code;
    longjmp(end, 1);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (!parsing) return __real_open(path, flags, mode);
    errno = EACCES;
    return -1;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (!parsing) return __real_fopen(path, mode);
    errno = EACCES;
    return NULL;
}

/* --- what it prints ---------------------------------------------------------------------------------------- */

static FILE *nowhere, *messages, *old_stdout, *old_stderr;
static char message[8192];

static void capture(void)
{
    if (!nowhere) {
        nowhere = fopen("/dev/null", "w");
        messages = fmemopen(message, sizeof message, "w");
        FUZZ_CHECK(nowhere && messages);
    }
    rewind(messages);
    message[0] = 0;
    old_stdout = stdout, old_stderr = stderr;
    stdout = nowhere, stderr = messages;
}

static void release(void)
{
    stdout = old_stdout, stderr = old_stderr;
    fflush(messages);
    message[ftell(messages)] = 0; /* what is behind it is older */
}

static void check_end(void)
{
    FUZZ_CHECK(status == 0 || status == 1);
    if (status == 0) return;
    FUZZ_CHECK(!strncmp(message, "calque: ", 8));
    FUZZ_CHECK(strchr(message, '\n') == message + strlen(message) - 1);
}

bool contained(void (*fn)(void *opaque), void *opaque)
{
    capture();
    parsing = true;
    bool ended = setjmp(end) != 0;
    if (!ended) fn(opaque);
    parsing = false;
    release();
    if (ended) check_end();
    return !ended;
}

/* --- parsing ----------------------------------------------------------------------------------------------- */

typedef struct Line {
    int argc;
    char **argv;
    CliOptions *o;
} Line;

static void parse_line(void *opaque)
{
    const Line *l = opaque;
    cli_parse(l->argc, l->argv, l->o);
}

bool parse(int argc, char **argv, CliOptions *o)
{
    Line l = { argc, argv, o };
    if (contained(parse_line, &l)) return true;
    parse_done(o);
    return false;
}

void parse_done(CliOptions *o)
{
    cli_free(o);
    log_mask = 0;
    for (unsigned i = 0; i < ir_pass_count; i++) ir_pass_enable(ir_passes[i].name, true);
}

static void check_drives(const MachineConfig *m)
{
    static const unsigned places[DRIVE_BUSES] = { [DRIVE_IDE] = 4, [DRIVE_FLOPPY] = 2 };
    bool taken[DRIVE_BUSES][4] = { { false } };
    FUZZ_CHECK(m->n_drives <= DRIVES_MAX);
    for (unsigned i = 0; i < m->n_drives; i++) {
        const DriveConfig *d = &m->drive[i];
        FUZZ_CHECK(d->bus < DRIVE_BUSES && d->index < places[d->bus] && !taken[d->bus][d->index]);
        taken[d->bus][d->index] = true;
        FUZZ_CHECK(d->image.file || d->cdrom || d->bus == DRIVE_FLOPPY);
        FUZZ_CHECK(!d->id || strlen(d->id) < 32);
        FUZZ_CHECK(d->on_read_error != DRIVE_ERROR_ENOSPC);
    }
}

void parse_check(const CliOptions *o)
{
    const MachineConfig *m = &o->machine;
    char error[512] = "";
    CpuModel model;
    FUZZ_CHECK(m->mem_bytes >= 1u << 20 && m->mem_bytes % (1u << 20) == 0 && m->append);
    FUZZ_CHECK(o->serial_n <= MACHINE_SERIAL_MAX && o->chardev_n <= CLI_CHARDEVS_MAX &&
               o->monitor_n <= CLI_MONITORS_MAX);
    FUZZ_CHECK(m->debug_exit.iosize >= 1 && m->debug_exit.iosize <= 8);
    check_drives(m);
    if (!cpu_model_parse(&model, m->cpu, error, sizeof error)) FUZZ_CHECK(error[0] && !strchr(error, '\n'));
}
