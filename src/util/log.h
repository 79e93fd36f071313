/* -d items and -D FILE.  A disabled item costs one load and branch. */
#ifndef CALQUE_UTIL_LOG_H
#define CALQUE_UTIL_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LOG_ITEMS(X)                                                                                                   \
    X(IN_ASM, "in_asm", "guest code of each translated block")                                                         \
    X(OP, "op", "intermediate code before the passes")                                                                 \
    X(OP_OPT, "op_opt", "intermediate code after the passes")                                                          \
    X(OUT_ASM, "out_asm", "host code, beside the guest instruction it serves")                                         \
    X(INT, "int", "interrupts and exceptions, one line each")                                                          \
    X(EXEC, "exec", "each block entered from the execution loop")                                                      \
    X(CPU, "cpu", "CPU state before each block (implies no chaining)")                                                 \
    X(CPU_RESET, "cpu_reset", "CPU state at resets and triple faults")                                                 \
    X(DIGEST, "digest", "a digest of the machine's state when the run ends")                                           \
    X(GUEST_ERRORS, "guest_errors", "what the guest does that hardware would not define")                              \
    X(MMU, "mmu", "TLB fills and flushes")                                                                             \
    X(PAGE, "page", "pages that gain or lose translated code")                                                         \
    X(STATS, "stats", "at the end: what translation did, and callouts by name")                                        \
    X(NOCHAIN, "nochain", "do not chain blocks (an option, not a log)")

enum {
#define X(id, name, help) LOG_BIT_##id,
    LOG_ITEMS(X)
#undef X
};
enum {
#define X(id, name, help) LOG_##id = 1 << LOG_BIT_##id,
    LOG_ITEMS(X)
#undef X
};
extern uint32_t log_mask;
static inline bool log_on(uint32_t item)
{
    return (log_mask & item) != 0;
}
bool log_in_range(uint32_t addr); /* -dfilter: true when no filter is set */
void log_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
FILE *log_file(void);
/* Whether what goes to the log now may have colours: it is a terminal, and NO_COLOR (no-color.org) is not set. */
bool log_colour(void);
void log_to_stdout(void); /* in place of stderr */
void log_to(FILE *f);     /* the same; NULL: stderr */
/* "a,b,c"; false with *bad naming the unknown item. "help" is the caller's. */
bool log_set(const char *items, const char **bad);
bool log_set_filter(
    const char *
        ranges); /* ADDR..ADDR, ADDR+LEN, ADDR-LEN, or a function's name (util/symbols.h), comma-separated; in place of the last ones */
bool log_open(const char *path); /* false: errno says */
void log_print_help(FILE *f);

#endif
