/* See lines.h. */
#include "util/lines.h"

#include <stdarg.h>
#include <stdio.h>

void lines_put(const Lines *lines, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lines->emit(lines->opaque, text);
}
