/* Text for people that is made line by line, for whoever takes the lines: the monitor, the log, a test. */
#ifndef CALQUE_UTIL_LINES_H
#define CALQUE_UTIL_LINES_H

typedef struct Lines {
    void (*emit)(void *opaque, const char *line);
    void *opaque;
} Lines;

/* One line, without its end; at most 255 characters, the rest is cut off. */
__attribute__((format(printf, 2, 3))) void lines_put(const Lines *lines, const char *fmt, ...);

#endif
