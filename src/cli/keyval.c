#include "cli/keyval.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/nearest.h"
#include "util/number.h"

/* The configuration borrows its strings, so what is cut out of argv lives in this list. */
typedef struct Kept {
    struct Kept *next;
    char text[];
} Kept;
static Kept *kept;

static char *keep_bytes(size_t n)
{
    Kept *k = calloc(1, sizeof *k + n + 1);
    if (!k) die("out of memory");
    k->next = kept;
    kept = k;
    return k->text;
}

const char *keep_text(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = keep_bytes((size_t)(n < 0 ? 0 : n));
    vsnprintf(text, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
    va_end(again);
    return text;
}

const char *next_item(const char **rest)
{
    const char *p = *rest;
    if (!p) return NULL;
    char *item = keep_bytes(strlen(p)), *to = item;
    for (; *p; p++) {
        if (*p == ',' && p[1] == ',')
            p++;
        else if (*p == ',')
            break;
        *to++ = *p;
    }
    *rest = *p ? p + 1 : NULL;
    return item;
}

static const Property *find_property(const char *where, const char *key, const Property *table)
{
    Nearest near = { .word = key };
    for (const Property *p = table; p->key; p++) {
        if (strcmp(p->key, key) == 0) return p;
        nearest_offer(&near, p->key);
    }
    if (!near.best) die("%s: unknown property '%s'; it has none", where, key);
    die("%s: unknown property '%s'; the nearest one is '%s'", where, key, near.best);
}

void forget_texts(void)
{
    while (kept) {
        Kept *next = kept->next;
        free(kept);
        kept = next;
    }
}

void apply_properties(CliOptions *o, const char *where, const char *items, const Property *table)
{
    for (const char *item; (item = next_item(&items));) {
        const char *eq = strchr(item, '=');
        const char *key = eq ? keep_text("%.*s", (int)(eq - item), item) : item;
        const Property *p = find_property(where, key, table);
        const char *full = keep_text("%s,%s", where, key);
        if (eq && !eq[1]) die("%s: a value is missing: %s", full, p->help);
        p->set(o, full, eq ? eq + 1 : "on");
    }
}

void print_properties(const Property *table)
{
    for (const Property *p = table; p->key; p++) printf("  %-10s %s\n", p->key, p->help);
}

void bad_value(const char *where, const char *value, const char *allowed)
{
    die("%s: '%s' is not allowed: %s", where, value, allowed);
}

uint64_t number_in(const char *where, const char *value, uint64_t min, uint64_t max)
{
    uint64_t n;
    if (parse_u64(value, &n) && n >= min && n <= max) return n;
    char allowed[80];
    snprintf(allowed, sizeof allowed, "a number from %" PRIu64 " to %" PRIu64 " is", min, max);
    bad_value(where, value, allowed);
}

bool on_off(const char *where, const char *value)
{
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0) bad_value(where, value, "on or off is");
    return on;
}
