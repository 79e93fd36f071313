#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/number.h"
#include "util/symbols.h"

uint32_t log_mask;

static FILE *log_out;   /* NULL: stderr */
static int colour = -1; /* what log_colour() found; -1: not asked yet */

typedef struct AddrRange {
    uint32_t first, last;
} AddrRange;
static AddrRange *filter; /* written once, before the machine runs */
static size_t filter_n;

static const struct {
    const char *name, *help;
} items[] = {
#define X(id, name, help) { name, help },
    LOG_ITEMS(X)
#undef X
};
enum { ITEM_COUNT = sizeof items / sizeof items[0] };

FILE *log_file(void)
{
    return log_out ? log_out : stderr;
}

void log_to(FILE *f)
{
    log_out = f;
    colour = -1;
}

void log_to_stdout(void)
{
    log_to(stdout);
}

bool log_colour(void)
{
    if (colour >= 0) return colour;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    colour = isatty(fileno(log_file())) && !(no && *no) && term && strcmp(term, "dumb") != 0;
    return colour;
}

/* stdio locks the stream for each call, so lines from several threads do not mix. */
void log_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(log_file(), fmt, ap);
    va_end(ap);
}

bool log_in_range(uint32_t addr)
{
    if (!filter_n) return true;
    for (size_t i = 0; i < filter_n; i++) {
        if (addr >= filter[i].first && addr <= filter[i].last) return true;
    }
    return false;
}

static bool set_item(const char *name)
{
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        if (strcmp(items[i].name, name) == 0) {
            log_mask |= UINT32_C(1) << i;
            return true;
        }
    }
    return false;
}

bool log_set(const char *list, const char **bad)
{
    static char word[64]; /* *bad points here */
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), p);
        if (!set_item(word)) {
            *bad = word;
            return false;
        }
        p += n;
        if (!*p) return true;
    }
}

bool log_set_filter(const char *ranges)
{
    char *copy = strdup(ranges), *rest = NULL;
    bool good = copy && *copy;
    filter_n = 0;
    for (char *r = good ? strtok_r(copy, ",", &rest) : NULL; good && r; r = strtok_r(NULL, ",", &rest)) {
        AddrRange range, *more = realloc(filter, (filter_n + 1) * sizeof *filter);
        if (more) filter = more;
        good = more && (parse_range(r, &range.first, &range.last) || symbols_range(r, &range.first, &range.last));
        if (good) filter[filter_n++] = range;
    }
    free(copy);
    return good && filter_n > 0;
}

bool log_open(const char *path)
{
    FILE *f = fopen(path, "we");
    if (!f) return false;
    setvbuf(f, NULL, _IOLBF, 64 * 1024); /* whole lines reach the file even if we crash */
    if (log_out) fclose(log_out);
    log_out = f;
    colour = -1;
    return true;
}

void log_print_help(FILE *f)
{
    fprintf(f, "Items for -d, separated by commas:\n");
    for (size_t i = 0; i < ITEM_COUNT; i++) fprintf(f, "  %-13s %s\n", items[i].name, items[i].help);
}
