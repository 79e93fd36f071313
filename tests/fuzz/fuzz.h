/* What a fuzz target is.  Each file beside this one that defines fuzz_target is one; it is linked twice: with libFuzzer
 * (configure --enable-fuzzers), and with driver.c, which is an ordinary test and needs no clang. */
#ifndef CALQUE_TESTS_FUZZ_H
#define CALQUE_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes one input: an entry of a corpus. */
typedef void FuzzGive(const void *data, size_t size);

typedef struct FuzzTarget {
    const char *name;
    unsigned slice; /* mutated inputs in "make check": about a second's worth */
    size_t max_size;
    void (*seeds)(FuzzGive *give); /* valid inputs, and those that once found something */
    const char *const *words;      /* worth putting into an input; ends with NULL; may be NULL */
} FuzzTarget;
extern const FuzzTarget fuzz_target;

/* libFuzzer's names.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the sanitizers cannot know to be wrong. */
#define FUZZ_CHECK(cond)                                                                                               \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* An input taken as a sequence of numbers: zeros when it is used up. */
typedef struct FuzzBytes {
    const uint8_t *at, *end;
} FuzzBytes;

static inline uint32_t fuzz_take(FuzzBytes *b, unsigned bytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes && b->at < b->end; i++) v |= (uint32_t)*b->at++ << 8 * i;
    return v;
}

#endif
