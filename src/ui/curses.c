/* -display curses: the text screen in the terminal.  The terminal gives characters, not keys, so each becomes a
 * press and a release of the keys of a US keyboard that make it; Escape and a character is Alt and that character.
 * Ctrl-A is the escape key, as with -nographic (escape.h). */
#include <config.h>

#include "ui/frontend.h"

#ifdef HAVE_CURSES

#define NCURSES_WIDECHAR 1
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <curses.h>

#include "hw/display_mirror.h"
#include "ui/cp437.h"
#include "ui/escape.h"
#include "ui/machine_calls.h"

enum { INTERVAL_MS = 33, ESCAPE_WAIT_MS = 50, PAIRS = 64 };

static struct {
    FrontendConfig cfg;
    MachineCalls *calls;
    DisplayMirror *mirror;
    int wake_fd;
    atomic_bool stopping;
    bool opened, alt, show_help;
    Escape escape;
    DisplayText text;
} ui = { .wake_fd = -1 };

static void wake(void *opaque)
{
    (void)opaque;
    uint64_t one = 1;
    if (write(ui.wake_fd, &one, sizeof one) < 0) return; /* full: it will wake anyway */
}

/* --- output ------------------------------------------------------------------------------------------------------------ */

/* VGA's colour bits are blue, green, red; curses has them the other way round. */
static int curses_color(unsigned vga)
{
    return (int)((vga & 1) << 2 | (vga & 2) | (vga & 4) >> 2);
}

static void start_colors(void)
{
    start_color();
    for (unsigned i = 1; i < PAIRS; i++) init_pair((short)i, (short)curses_color(i & 7), (short)curses_color(i >> 3));
}

/* Pair 0 cannot be changed: black on black is as good as any. */
static void put_cell(int y, int x, uint16_t cell, bool blink)
{
    unsigned attr = cell >> 8;
    attr_t bits = (attr & 8 ? A_BOLD : 0) | (attr & 0x80 && blink ? A_BLINK : 0);
    wchar_t text[2] = { (wchar_t)cp437_unicode[cell & 0xff], 0 };
    cchar_t c;
    setcchar(&c, text, bits, (short)(has_colors() ? (attr & 7) | (attr >> 4 & 7) << 3 : 0), NULL);
    mvadd_wch(y, x, &c);
}

/* A screen larger than the terminal is shown around the cursor. */
static int scroll_to(int cursor, int size, int window)
{
    if (size <= window || cursor < window) return 0;
    return cursor - window + 1;
}

static void draw_text(const DisplayText *t)
{
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    int top = scroll_to(t->cursor_y, t->rows, rows), left = scroll_to(t->cursor_x, t->columns, columns);
    erase();
    for (int y = 0; y < rows && y + top < t->rows; y++)
        for (int x = 0; x < columns && x + left < t->columns; x++)
            put_cell(y, x, t->cells[(y + top) * t->columns + x + left], t->blink);
    int cy = t->cursor_y - top, cx = t->cursor_x - left;
    bool inside = t->cursor && cy >= 0 && cy < rows && cx >= 0 && cx < columns;
    curs_set(inside);
    if (inside) move(cy, cx);
}

static void remember_size(void *opaque, const DisplaySurface *s, DisplayRect changed, bool resized)
{
    (void)changed, (void)resized;
    snprintf(opaque, 64, "%d x %d graphics", s->width, s->height);
}

static void draw(void)
{
    static char graphics[64] = "graphics";
    display_mirror_take(ui.mirror, remember_size, graphics);
    if (ui.show_help) {
        erase();
        mvprintw(0, 0,
                 "Ctrl-A h       this help (any key goes back)\nCtrl-A x       leave Calque\n"
                 "Ctrl-A d       send Ctrl-Alt-Del\nCtrl-A p       press the power button\n"
                 "Ctrl-A Ctrl-A  send Ctrl-A\nEscape KEY     send Alt and KEY");
    } else if (display_mirror_text(ui.mirror, &ui.text)) {
        draw_text(&ui.text);
    } else {
        erase();
        mvprintw(LINES / 2, COLS > (int)strlen(graphics) ? (COLS - (int)strlen(graphics)) / 2 : 0, "%s", graphics);
        curs_set(0);
    }
    refresh();
}

/* --- input --------------------------------------------------------------------------------------------------------------- */

static void press(Key key, bool shift, bool ctrl, bool alt)
{
    Key keys[4];
    unsigned n = 0;
    if (ctrl) keys[n++] = KEY_CTRL;
    if (alt) keys[n++] = KEY_ALT;
    if (shift) keys[n++] = KEY_SHIFT;
    keys[n++] = key;
    calls_chord(ui.calls, keys, n);
}

/* By name: curses and input.h both call keys KEY_*. */
static Key special_key(int c)
{
    static const struct {
        int code;
        const char *name;
    } table[] = {
        { KEY_UP, "up" },     { KEY_DOWN, "down" },  { KEY_LEFT, "left" },      { KEY_RIGHT, "right" },
        { KEY_HOME, "home" }, { KEY_END, "end" },    { KEY_PPAGE, "pgup" },     { KEY_NPAGE, "pgdn" },
        { KEY_IC, "insert" }, { KEY_DC, "delete" },  { KEY_ENTER, "kp_enter" }, { KEY_BACKSPACE, "backspace" },
        { KEY_BTAB, "tab" },  { KEY_SLEFT, "left" }, { KEY_SRIGHT, "right" },   { KEY_SHOME, "home" },
        { KEY_SEND, "end" },  { KEY_SDC, "delete" }, { KEY_SIC, "insert" },     { KEY_SF, "down" },
        { KEY_SR, "up" },     { KEY_B2, "kp_5" },    { KEY_A1, "kp_7" },        { KEY_A3, "kp_9" },
        { KEY_C1, "kp_1" },   { KEY_C3, "kp_3" },    { KEY_PRINT, "print" },
    };
    char name[8];
    if (c >= KEY_F(1) && c <= KEY_F(48)) { /* terminals count Shift as 12 more, Ctrl as 24 more */
        snprintf(name, sizeof name, "f%d", (c - KEY_F(1)) % 12 + 1);
        return key_by_name(name, strlen(name));
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == c) return key_by_name(table[i].name, strlen(table[i].name));
    return KEY_COUNT;
}

static bool special_is_shifted(int c)
{
    static const int shifted[] = { KEY_BTAB, KEY_SLEFT, KEY_SRIGHT, KEY_SHOME, KEY_SEND,
                                   KEY_SDC,  KEY_SIC,   KEY_SF,     KEY_SR };
    for (size_t i = 0; i < sizeof shifted / sizeof shifted[0]; i++)
        if (shifted[i] == c) return true;
    return c >= KEY_F(13) && c <= KEY_F(24);
}

static void send_ctrl_alt_delete(void)
{
    press(key_by_name("delete", 6), false, true, true);
}

static void take_special(int c, bool alt)
{
    Key key = special_key(c);
    if (c == KEY_RESIZE) draw();
    if (key != KEY_COUNT) press(key, special_is_shifted(c), c >= KEY_F(25) && c <= KEY_F(48), alt);
}

static void take_char(unsigned char c, bool alt)
{
    bool shift, ctrl;
    if (ui.escape.armed && (c == 'd' || c == 'p')) {
        ui.escape.armed = false;
        c == 'd' ? send_ctrl_alt_delete() : calls_power_button(ui.calls);
        return;
    }
    switch (escape_feed(&ui.escape, c)) {
    case ESCAPE_QUIT: ui.cfg.quit(ui.cfg.machine); return;
    case ESCAPE_HELP:
        ui.show_help = true;
        draw();
        return;
    case ESCAPE_PASS: break;
    default: return;
    }
    Key key = key_by_char(c, &shift, &ctrl);
    if (key != KEY_COUNT) press(key, shift, ctrl, alt);
}

/* Escape is Alt when a key follows at once, as terminals send it. */
static void take_input(void)
{
    int c;
    while ((c = getch()) != ERR) {
        bool alt = false;
        if (ui.show_help) {
            ui.show_help = false;
            draw();
            continue;
        }
        if (c == 0x1b) {
            timeout(ESCAPE_WAIT_MS);
            int after = getch();
            timeout(0);
            alt = after != ERR;
            c = alt ? after : 0x1b;
        }
        if (c >= KEY_MIN)
            take_special(c, alt);
        else
            take_char((unsigned char)c, alt);
    }
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static void curses_run(pthread_t machine_thread)
{
    (void)machine_thread;
    while (!atomic_load(&ui.stopping)) {
        struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = ui.wake_fd, .events = POLLIN } };
        uint64_t count;
        poll(fds, 2, -1); /* a signal (the terminal's size) ends it too: getch() then says so */
        if (fds[0].revents & (POLLHUP | POLLERR) && !(fds[0].revents & POLLIN)) {
            ui.cfg.quit(ui.cfg.machine);
            while (!atomic_load(&ui.stopping)) poll(&fds[1], 1, -1);
        }
        take_input();
        if (fds[1].revents && read(ui.wake_fd, &count, sizeof count) > 0) draw();
    }
}

static void curses_stop(void)
{
    atomic_store(&ui.stopping, true);
    wake(NULL);
}

static void leave_screen(void)
{
    if (ui.opened) endwin();
    ui.opened = false;
}

static bool fail(char *error, size_t error_size, const char *why)
{
    snprintf(error, error_size, "-display curses: %s", why);
    return false;
}

static bool curses_open(const FrontendConfig *cfg, char *error, size_t error_size)
{
    ui.cfg = *cfg;
    ui.escape = (Escape){ 0 };
    atomic_store(&ui.stopping, false);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return fail(error, error_size, "needs a terminal");
    ui.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ui.calls = calls_new(cfg);
    ui.mirror = display_mirror_new(wake, NULL);
    if (ui.wake_fd < 0 || !ui.calls || !ui.mirror) return fail(error, error_size, "out of memory");
    setlocale(LC_CTYPE, "");
    if (!newterm(NULL, stdout, stdin)) return fail(error, error_size, "the terminal is unknown: is TERM set?");
    ui.opened = true;
    atexit(leave_screen);
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_WAIT_MS);
    timeout(0);
    if (has_colors()) start_colors();
    display_mirror_attach(ui.mirror, cfg->display, true, INTERVAL_MS);
    draw();
    return true;
}

static void curses_close(void)
{
    leave_screen();
    if (ui.mirror) {
        display_mirror_detach(ui.mirror);
        display_mirror_free(ui.mirror);
    }
    calls_free(ui.calls);
    ui.mirror = NULL;
    ui.calls = NULL;
    if (ui.wake_fd >= 0) close(ui.wake_fd);
    ui.wake_fd = -1;
}

#else /* built without ncurses */

#include <stdio.h>

static bool curses_open(const FrontendConfig *cfg, char *error, size_t error_size)
{
    (void)cfg;
    snprintf(error, error_size, "-display curses: this Calque was built without ncurses");
    return false;
}
static void curses_run(pthread_t machine_thread)
{
    (void)machine_thread;
}
static void curses_stop(void) {}
static void curses_close(void) {}

#endif

const Frontend curses_frontend = { "curses",    "the text screen in this terminal",
                                   curses_open, curses_run,
                                   curses_stop, curses_close };
