/* "Did you mean": the known name that takes the fewest edits. */
#ifndef CALQUE_UTIL_NEAREST_H
#define CALQUE_UTIL_NEAREST_H

#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b, upper and lower
 * case alike.  Only the first 63 characters count. */
unsigned edit_distance(const char *a, const char *b);

/* Keeps the best of the names offered, the first among equals.  Start from { .word = word }. */
typedef struct Nearest {
    const char *word;
    const char *best; /* NULL: none offered */
    unsigned distance;
} Nearest;
void nearest_offer(Nearest *n, const char *name);

#endif
