#include "util/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

/* Optimal string alignment, three rows at a time. */
unsigned edit_distance(const char *a, const char *b)
{
    size_t la = strnlen(a, LONGEST), lb = strnlen(b, LONGEST);
    unsigned rows[3][LONGEST + 1];
    unsigned *prev2 = rows[0], *prev = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= lb; j++) prev[j] = j;
    for (unsigned i = 1; i <= la; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = min3(prev[j] + 1, row[j - 1] + 1, prev[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = min3(row[j], row[j], prev2[j - 2] + 1);
            }
        }
        unsigned *t = prev2;
        prev2 = prev;
        prev = row;
        row = t;
    }
    return prev[lb];
}

void nearest_offer(Nearest *n, const char *name)
{
    unsigned d = edit_distance(n->word, name);
    if (n->best && d >= n->distance) return;
    n->best = name;
    n->distance = d;
}
