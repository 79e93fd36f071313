/* Numbers as users write them: 10, 0x1f, 512M.  All of the text must be the number: no sign, no
 * blanks, nothing behind it; false otherwise, and on overflow. */
#ifndef CALQUE_UTIL_NUMBER_H
#define CALQUE_UTIL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, 0x hexadecimal, or octal with a leading 0. */
bool parse_u64(const char *text, uint64_t *value);
/* Decimal or hexadecimal with an optional suffix B, K, M, G, T (powers of 1024, either case); without
 * one, the number counts units of `unit` bytes. */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes);
/* ADDR..ADDR (inclusive), ADDR+LEN, ADDR-LEN (the LEN bytes that end with ADDR), or ADDR alone.
 * 32-bit; *last >= *first; a range that would leave 0..2^32-1 is clipped there. */
bool parse_range(const char *text, uint32_t *first, uint32_t *last);

#endif
