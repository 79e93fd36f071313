#include "ui/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static struct termios original, raw;
static volatile sig_atomic_t is_raw;

static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT };
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof crash_signals[0] };
static struct sigaction before_us[CRASH_SIGNALS];

/* Hands over to whoever handled the signal before us (a sanitizer, or the kernel's default): a
 * faulting instruction (si_code > 0) runs again by itself, a signal sent is sent again. */
static void on_crash(int sig, siginfo_t *info, void *context)
{
    (void)context;
    terminal_restore();
    for (int i = 0; i < CRASH_SIGNALS; i++) {
        if (crash_signals[i] == sig) sigaction(sig, &before_us[i], NULL);
    }
    if (info->si_code <= 0) raise(sig);
}

/* Generated code runs with the stack pointer in a place of its own, too small for a handler. */
void terminal_handler_stack(void)
{
    static _Thread_local char stack[64 * 1024];
    stack_t have, ours = { .ss_sp = stack, .ss_size = sizeof stack };
    if (sigaltstack(NULL, &have) == 0 && have.ss_flags & SS_DISABLE) sigaltstack(&ours, NULL);
}

void terminal_raw(bool keep_signals)
{
    if (is_raw || tcgetattr(STDIN_FILENO, &original) != 0) return;
    raw = original;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag |= OPOST; /* our own messages end in a bare newline */
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!keep_signals) raw.c_lflag &= ~(tcflag_t)ISIG;
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = raw.c_cc[VQUIT] = _POSIX_VDISABLE;

    atexit(terminal_restore);
    terminal_handler_stack();
    struct sigaction sa = { .sa_sigaction = on_crash, .sa_flags = SA_ONSTACK | SA_SIGINFO };
    for (int i = 0; i < CRASH_SIGNALS; i++) sigaction(crash_signals[i], &sa, &before_us[i]);
    is_raw = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void terminal_raw_again(void)
{
    if (is_raw) tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* The guest writes to the user's terminal what it likes.  Firmware's serial console, for one, turns line wrap off and
 * never on again: wrap, a visible cursor and plain text are what a shell expects. */
static void restore_modes(void)
{
    static const char sane[] = "\033[?7h\033[?25h\033[0m";
    if (isatty(STDOUT_FILENO) && write(STDOUT_FILENO, sane, sizeof sane - 1) < 0) return; /* it is gone */
}

void terminal_restore(void)
{
    if (!is_raw) return;
    is_raw = 0;
    restore_modes();
    tcsetattr(STDIN_FILENO, TCSANOW, &original);
}
