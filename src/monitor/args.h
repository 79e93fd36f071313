/* The arguments of a command line, taken apart as the command's table row says.  spec has one letter per argument:
 *
 *   w  a word, or "text in quotes"          l  an expression (expr.h)
 *   W  the rest of the line                 /  a format: /8xb is count 8, format x, size b
 *   -c a flag, -c
 *
 * and ? after a letter when the argument may be absent. */
#ifndef CALQUE_MONITOR_ARGS_H
#define CALQUE_MONITOR_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"

enum { ARGS_MAX = 4, ARGS_TEXT = 1024 };

typedef struct Args {
    unsigned n; /* words and expressions given, flags and format apart */
    const char *word[ARGS_MAX];
    int64_t value[ARGS_MAX];
    bool given[ARGS_MAX];
    bool flag; /* a command has at most one */
    bool has_format;
    int count;         /* format: -1 without one */
    char format, size; /* 0: not given */
    char text[ARGS_TEXT];
    size_t used;
} Args;

/* False: error says what is wrong. */
bool args_parse(Args *a, const char *spec, const char *line, const CPUState *cpu, char *error, size_t error_size);

#endif
