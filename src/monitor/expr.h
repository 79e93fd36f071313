/* Expressions of the monitor: 64-bit integers with + - * / % & | ^ ~ ( ), numbers as in C, 'c' for a character,
 * $eax and the other registers. */
#ifndef CALQUE_MONITOR_EXPR_H
#define CALQUE_MONITOR_EXPR_H

#include "cpu/cpu.h"

/* Reads one expression at *text and moves on behind it.  False: error says what is wrong. */
bool expr_eval(const char **text, const CPUState *cpu, int64_t *value, char *error, size_t error_size);

#endif
