/* A line being typed on a terminal that shows nothing by itself: echo, cursor keys, history, completion. */
#ifndef CALQUE_MONITOR_LINE_EDIT_H
#define CALQUE_MONITOR_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_LEN = 1000, LINE_HISTORY = 64 };

typedef struct LineEdit LineEdit;
typedef struct LineEditOps {
    void (*write)(void *opaque, const char *text, size_t n);
    /* The i-th way to go on from the first n characters of a line, NULL: there are no more.  The word that is
     * completed begins at *start. */
    const char *(*complete)(void *opaque, const char *line, size_t n, unsigned i, size_t *start);
    void *opaque;
} LineEditOps;

LineEdit *line_edit_new(const LineEditOps *ops, const char *prompt);
void line_edit_free(LineEdit *le);
void line_edit_prompt(LineEdit *le); /* on a new, empty line */
/* The finished line when byte ends one (valid until the next call), else NULL. */
const char *line_edit_feed(LineEdit *le, uint8_t byte);
/* The i-th line of the history, 0 the oldest; NULL past the end. */
const char *line_edit_history(const LineEdit *le, unsigned i);

#endif
