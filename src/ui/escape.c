#include "ui/escape.h"

#include <stddef.h>

enum { CTRL_A = 1 };

static const struct {
    uint8_t key;
    EscapeAction action;
} keys[] = {
    { 'x', ESCAPE_QUIT },  { 'h', ESCAPE_HELP },    { '?', ESCAPE_HELP },
    { 'b', ESCAPE_BREAK }, { 'c', ESCAPE_MONITOR }, { CTRL_A, ESCAPE_PASS },
};

const char escape_help[] = "\n"
                           "Ctrl-A h       this help\n"
                           "Ctrl-A x       leave Calque\n"
                           "Ctrl-A c       turn to the monitor, or back\n"
                           "Ctrl-A b       send a break\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A\n";

EscapeAction escape_feed(Escape *e, uint8_t byte)
{
    if (!e->armed) {
        e->armed = byte == CTRL_A;
        return e->armed ? ESCAPE_SWALLOW : ESCAPE_PASS;
    }
    e->armed = false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].key == byte) return keys[i].action;
    }
    return ESCAPE_SWALLOW;
}
