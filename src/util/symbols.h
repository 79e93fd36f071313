/* Names of guest code: -symbols, and the labels of "calque explain".  By linear address; functions and labels of code
 * only.  Read before the machine runs, by one thread; looked at by any. */
#ifndef CALQUE_UTIL_SYMBOLS_H
#define CALQUE_UTIL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds those of a file: a Linux System.map, what nm prints, or an ELF file for 32-bit x86 with a symbol table.  False with
 * error set, naming `what` ("-symbols") and the path. */
bool symbols_load(const char *what, const char *path, char *error, size_t error_size);
/* The same from memory; false with *why, "has no ...". */
bool symbols_add(const uint8_t *bytes, size_t size, const char **why);
/* Adds n that are known otherwise; false: out of memory. */
typedef struct SymbolRange {
    uint32_t addr, size;
    const char *name;
} SymbolRange;
bool symbols_add_ranges(const SymbolRange *range, size_t n);

/* The nearest symbol at or below addr and how far below; NULL: none that near. */
const char *symbols_at(uint32_t addr, uint32_t *offset);
/* They have numbers from 0 to symbols_count(), which symbols_number() says when there is none that near.  More symbols, other
 * numbers. */
size_t symbols_count(void);
size_t symbols_number(uint32_t addr);
/* "name+0x1f", "name", or "" */
const char *symbols_text(char *buf, size_t size, uint32_t addr);
/* From the symbol to its end, or to the next one when its size is not known.  False: no such symbol. */
bool symbols_range(const char *name, uint32_t *first, uint32_t *last);
const char *symbols_nearest(const char *word); /* NULL: there are none at all */
void symbols_free(void);

#endif
