/* How a user learns of an error: one line on stderr, exit status 1. */
#ifndef CALQUE_UTIL_DIE_H
#define CALQUE_UTIL_DIE_H

/* "calque: " and the message, which needs no newline.  Control characters in it (a file name may
 * hold any byte) are shown as '?', so that it stays one line. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
