#include "monitor/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum EscapeState { ESC_NONE, ESC_SEEN, ESC_CSI } EscapeState;

struct LineEdit {
    LineEditOps ops;
    const char *prompt;
    char line[LINE_MAX_LEN + 1];
    size_t len, at; /* at: cursor */
    EscapeState escape;
    unsigned csi_number;
    uint8_t last; /* for CR LF */
    char *history[LINE_HISTORY];
    unsigned history_n, history_at;
    char done[LINE_MAX_LEN + 1];
};

static void out(LineEdit *le, const char *text, size_t n)
{
    if (n) le->ops.write(le->ops.opaque, text, n);
}
static void puts_at(LineEdit *le, const char *text)
{
    out(le, text, strlen(text));
}

static void left(LineEdit *le, size_t n)
{
    while (n--) out(le, "\b", 1);
}

/* The line from the cursor's place on is new. */
static void show_tail(LineEdit *le)
{
    out(le, le->line + le->at, le->len - le->at);
    puts_at(le, "\x1b[K");
    left(le, le->len - le->at);
}

static void show_all(LineEdit *le)
{
    puts_at(le, "\r");
    puts_at(le, le->prompt);
    out(le, le->line, le->len);
    puts_at(le, "\x1b[K");
    left(le, le->len - le->at);
}

void line_edit_prompt(LineEdit *le)
{
    le->len = le->at = 0;
    le->history_at = le->history_n;
    puts_at(le, le->prompt);
}

/* --- editing --------------------------------------------------------------------------------------------------- */

static void insert(LineEdit *le, const char *text, size_t n)
{
    if (le->len + n > LINE_MAX_LEN) return;
    memmove(le->line + le->at + n, le->line + le->at, le->len - le->at);
    memcpy(le->line + le->at, text, n);
    le->len += n;
    le->at += n;
    out(le, text, n);
    if (le->at < le->len) show_tail(le);
}

static void erase(LineEdit *le, size_t from, size_t to)
{
    if (from >= to || to > le->len) return;
    if (le->at > from) left(le, le->at - from);
    memmove(le->line + from, le->line + to, le->len - to);
    le->len -= to - from;
    le->at = from;
    show_tail(le);
}

static void move_to(LineEdit *le, size_t at)
{
    if (at > le->len) return;
    if (at < le->at)
        left(le, le->at - at);
    else
        out(le, le->line + le->at, at - le->at);
    le->at = at;
}

static size_t word_start(const LineEdit *le)
{
    size_t at = le->at;
    while (at && le->line[at - 1] == ' ') at--;
    while (at && le->line[at - 1] != ' ') at--;
    return at;
}

/* --- history --------------------------------------------------------------------------------------------------- */

static void remember(LineEdit *le)
{
    if (!le->len) return;
    if (le->history_n && strcmp(le->history[le->history_n - 1], le->line) == 0) return;
    if (le->history_n == LINE_HISTORY) {
        free(le->history[0]);
        memmove(le->history, le->history + 1, (LINE_HISTORY - 1) * sizeof le->history[0]);
        le->history_n--;
    }
    char *copy = strdup(le->line);
    if (copy) le->history[le->history_n++] = copy;
}

static void recall(LineEdit *le, int step)
{
    unsigned at = le->history_at + (unsigned)step;
    if (at > le->history_n) return; /* before the first, too */
    le->history_at = at;
    const char *text = at < le->history_n ? le->history[at] : "";
    le->len = le->at = strlen(text);
    memcpy(le->line, text, le->len);
    show_all(le);
}

const char *line_edit_history(const LineEdit *le, unsigned i)
{
    return i < le->history_n ? le->history[i] : NULL;
}

/* --- completion ------------------------------------------------------------------------------------------------ */

static size_t common_prefix(const char *a, const char *b, size_t n)
{
    size_t i = 0;
    while (i < n && a[i] && a[i] == b[i]) i++;
    return i;
}

static void complete(LineEdit *le)
{
    size_t start = le->at, common = 0;
    const char *first = le->ops.complete(le->ops.opaque, le->line, le->at, 0, &start), *w;
    if (!first) return;
    unsigned n = 0;
    common = strlen(first);
    while ((w = le->ops.complete(le->ops.opaque, le->line, le->at, n, &start)))
        common = common_prefix(first, w, common), n++;
    size_t have = le->at - start;
    if (common > have) insert(le, first + have, common - have);
    if (n == 1) {
        insert(le, " ", 1);
    } else if (common == have) {
        puts_at(le, "\r\n");
        for (unsigned i = 0; (w = le->ops.complete(le->ops.opaque, le->line, le->at, i, &start)); i++) {
            char column[24];
            snprintf(column, sizeof column, "%-20s", w);
            puts_at(le, column);
            if (i % 4 == 3 || i + 1 == n) puts_at(le, "\r\n");
        }
        show_all(le);
    }
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

static const char *finish(LineEdit *le)
{
    le->line[le->len] = 0;
    puts_at(le, "\r\n");
    remember(le);
    memcpy(le->done, le->line, le->len + 1);
    le->len = le->at = 0;
    le->history_at = le->history_n;
    return le->done;
}

static void csi(LineEdit *le, uint8_t final)
{
    switch (final) {
    case 'A': recall(le, -1); break;
    case 'B': recall(le, 1); break;
    case 'C': move_to(le, le->at + 1); break;
    case 'D':
        if (le->at) move_to(le, le->at - 1);
        break;
    case 'H': move_to(le, 0); break;
    case 'F': move_to(le, le->len); break;
    case '~':
        if (le->csi_number == 1 || le->csi_number == 7) move_to(le, 0);
        if (le->csi_number == 4 || le->csi_number == 8) move_to(le, le->len);
        if (le->csi_number == 3) erase(le, le->at, le->at + 1);
        break;
    }
}

/* True: the byte was part of an escape sequence. */
static bool feed_escape(LineEdit *le, uint8_t byte)
{
    switch (le->escape) {
    case ESC_NONE:
        if (byte != 0x1b) return false;
        le->escape = ESC_SEEN;
        return true;
    case ESC_SEEN:
        le->escape = byte == '[' || byte == 'O' ? ESC_CSI : ESC_NONE;
        le->csi_number = 0;
        return true;
    case ESC_CSI:
        if (byte >= '0' && byte <= '9') {
            le->csi_number = (le->csi_number * 10 + (byte - '0')) % 1000;
        } else if (byte >= 0x40) {
            le->escape = ESC_NONE;
            csi(le, byte);
        }
        return true;
    }
    return false;
}

static void control(LineEdit *le, uint8_t byte)
{
    switch (byte) {
    case 'A' & 0x1f: move_to(le, 0); break;
    case 'B' & 0x1f:
        if (le->at) move_to(le, le->at - 1);
        break;
    case 'D' & 0x1f: erase(le, le->at, le->at + 1); break;
    case 'E' & 0x1f: move_to(le, le->len); break;
    case 'F' & 0x1f: move_to(le, le->at + 1); break;
    case 'H' & 0x1f:
    case 0x7f:
        if (le->at) erase(le, le->at - 1, le->at);
        break;
    case 'I' & 0x1f: complete(le); break;
    case 'K' & 0x1f: erase(le, le->at, le->len); break;
    case 'L' & 0x1f:
        puts_at(le, "\x1b[H\x1b[2J");
        show_all(le);
        break;
    case 'N' & 0x1f: recall(le, 1); break;
    case 'P' & 0x1f: recall(le, -1); break;
    case 'U' & 0x1f: erase(le, 0, le->at); break;
    case 'W' & 0x1f: erase(le, word_start(le), le->at); break;
    }
}

const char *line_edit_feed(LineEdit *le, uint8_t byte)
{
    uint8_t last = le->last;
    le->last = byte;
    if (feed_escape(le, byte)) return NULL;
    if (byte == '\r') return finish(le);
    if (byte == '\n') return last == '\r' ? NULL : finish(le);
    if (byte < 0x20 || byte == 0x7f)
        control(le, byte);
    else
        insert(le, &(char){ (char)byte }, 1);
    return NULL;
}

LineEdit *line_edit_new(const LineEditOps *ops, const char *prompt)
{
    LineEdit *le = calloc(1, sizeof *le);
    if (!le) return NULL;
    le->ops = *ops;
    le->prompt = prompt;
    return le;
}

void line_edit_free(LineEdit *le)
{
    if (!le) return;
    for (unsigned i = 0; i < le->history_n; i++) free(le->history[i]);
    free(le);
}
