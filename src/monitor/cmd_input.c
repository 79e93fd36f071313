/* Keyboard and mouse. */
#include <stdlib.h>
#include <string.h>

#include "monitor/monitor_int.h"
#include "monitor/sendkey.h"

enum { HOLD_MAX_MS = 60000 };

static bool has_input(Monitor *mon)
{
    if (mon_board(mon)->input) return true;
    mon_printf(mon, "Error: the machine has no keyboard and mouse\n");
    return false;
}

/* "ctrl-alt-delete" */
void cmd_sendkey(Monitor *mon, const Args *args)
{
    Key keys[SENDKEY_CHORD_MAX];
    unsigned n = 0;
    int64_t hold = args->given[1] ? args->value[1] : SENDKEY_HOLD_MS;
    if (!has_input(mon)) return;
    if (hold < 0 || hold > HOLD_MAX_MS) hold = SENDKEY_HOLD_MS;
    for (const char *p = args->word[0];; p++) {
        size_t len = strcspn(p, "-");
        Key key = key_by_name(p, len);
        if (key == KEY_COUNT && len == 1 && *p == '<') key = KEY_LESS;
        if (key == KEY_COUNT) {
            mon_printf(mon, "invalid parameter: %.*s\n", (int)len, p);
            return;
        }
        if (n == SENDKEY_CHORD_MAX) {
            mon_printf(mon, "too many keys\n");
            return;
        }
        keys[n++] = key;
        p += len;
        if (!*p) break;
    }
    if (!sendkey_chord(mon_state(mon)->sendkey, keys, n, (unsigned)hold))
        mon_printf(mon, "too many keys are waiting\n");
}

/* Plain numbers, since "3 -2" as expressions would be 1. */
static int distance(const char *word, long limit)
{
    long v = word ? strtol(word, NULL, 0) : 0;
    return (int)(v > limit ? limit : v < -limit ? -limit : v);
}

static unsigned moved(unsigned at, int pixels, int size)
{
    int64_t to = (int64_t)at + (int64_t)pixels * (INPUT_ABS_MAX + 1) / (size > 0 ? size : 640);
    return to < 0 ? 0 : to > INPUT_ABS_MAX ? INPUT_ABS_MAX : (unsigned)to;
}

/* An absolute pointer is moved by so many pixels from where the last command left it. */
static void move_absolute(Monitor *mon, int dx, int dy)
{
    MonitorState *st = mon_state(mon);
    const MonitorBoard *b = mon_board(mon);
    const DisplaySurface *s = b->display ? display_surface(b->display) : NULL;
    st->mouse_x = moved(st->mouse_x, dx, s ? s->width : 640);
    st->mouse_y = moved(st->mouse_y, dy, s ? s->height : 480);
    input_point(b->input, st->mouse_x, st->mouse_y);
}

void cmd_mouse_move(Monitor *mon, const Args *args)
{
    if (!has_input(mon)) return;
    Input *in = mon_board(mon)->input;
    int dx = distance(args->word[0], 100000), dy = distance(args->word[1], 100000), dz = distance(args->word[2], 1000);
    if (!input_is_absolute(in)) {
        input_move(in, dx, dy, dz);
        return;
    }
    if (dx || dy) move_absolute(mon, dx, dy);
    if (dz) input_move(in, 0, 0, dz);
}

void cmd_mouse_button(Monitor *mon, const Args *args)
{
    if (has_input(mon)) input_buttons(mon_board(mon)->input, (unsigned)args->value[0] & 0x1f);
}
