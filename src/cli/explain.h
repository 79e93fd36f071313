/* "calque explain": a few instructions, translated and shown, and run on a bare machine if wanted. */
#ifndef CALQUE_CLI_EXPLAIN_H
#define CALQUE_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* argv[0] is "explain".  Returns the exit status, or ends the program with one line and status 1. */
int explain_main(int argc, char **argv);

/* --- for explain*.c ----------------------------------------------------------------------------------- */

enum {
    EXPLAIN_CODE_MAX = 1 << 16,
    EXPLAIN_RAM = 16 << 20,
    EXPLAIN_BASE_16 = 0x7c00, /* where the BIOS puts a boot sector, and the stack below it */
    EXPLAIN_BASE_32 = 0x100000,
    EXPLAIN_STACK_16 = 0x7000,
    EXPLAIN_STACK_32 = 0x80000,
    EXPLAIN_SETS_MAX = 16,
    EXPLAIN_SECONDS = 2, /* until code that does not end is stopped */
};

typedef struct ExplainOptions {
    const char *input[64]; /* a file, "-", or bytes in hexadecimal */
    int n_inputs;
    bool code16, base_set, intel, run, window, no_chain;
    uint32_t base;
    const char *backend;
    struct {
        uint8_t reg;
        uint32_t value;
    } set[EXPLAIN_SETS_MAX]; /* registers at the start, by R_EAX ... */
    unsigned n_sets;
} ExplainOptions;

typedef struct ExplainCode {
    uint8_t bytes[EXPLAIN_CODE_MAX];
    uint32_t size, entry; /* linear address where it begins to run */
} ExplainCode;

/* explain_source.c: reads or assembles the input; labels become symbols (util/symbols.h).  Ends the program when it cannot. */
void explain_read(const ExplainOptions *o, ExplainCode *code);

/* explain_machine.c */
void explain_show(const ExplainOptions *o, const ExplainCode *code);

/* explain_state.c: what a run changed.  memory is all of the machine's. */
typedef struct ExplainState {
    uint32_t regs[8], eip, eflags;
    uint64_t mm[8];
    uint16_t st_top[8]; /* sign and exponent */
    uint64_t xmm[8][2];
    uint16_t fpu_sw;
} ExplainState;
void explain_state_take(ExplainState *s, void *cpu);
void explain_state_print(const ExplainState *before, const ExplainState *after);
void explain_memory_print(const uint8_t *memory, const ExplainOptions *o, const ExplainCode *code);

#endif
