/* The arguments of options: "tcg,tb-size=64,no-pass=dead-code". */
#ifndef CALQUE_CLI_KEYVAL_H
#define CALQUE_CLI_KEYVAL_H

#include <stdint.h>

#include "cli/options.h"

/* One property of an option.  set() gets the whole option's text ("-accel tcg") for its messages. */
typedef struct Property {
    const char *key, *help;
    void (*set)(CliOptions *o, const char *where, const char *value);
} Property;

/* Cuts the first item off *rest (NULL when it was the last) and returns it, valid until the program
 * ends; ",," in it stands for a comma.  NULL: there is none. */
const char *next_item(const char **rest);

/* Applies "key=value,..." by a table that ends with a NULL key; "key" alone means "key=on". */
void apply_properties(CliOptions *o, const char *where, const char *items, const Property *table);
void print_properties(const Property *table);

/* Text kept until forget_texts(), which is when the program ends. */
const char *keep_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Frees all of that. */
void forget_texts(void);

/* "-m: '0' is not allowed: ..." */
_Noreturn void bad_value(const char *where, const char *value, const char *allowed);
/* "on" or "off", or bad_value(). */
bool on_off(const char *where, const char *value);
/* A number in min..max, or bad_value(). */
uint64_t number_in(const char *where, const char *value, uint64_t min, uint64_t max);

#endif
