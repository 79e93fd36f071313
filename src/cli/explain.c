/* The command line of "calque explain". */
#include "cli/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tcg/ir.h"
#include "util/die.h"
#include "util/log.h"
#include "util/nearest.h"
#include "util/number.h"
#include "util/symbols.h"

typedef void SetOption(ExplainOptions *o, const char *where, const char *arg);

static void set_16(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->code16 = true;
}

static void set_32(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->code16 = false;
}

static void set_intel(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->intel = true;
}

static void set_run(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->run = true;
}

static void set_window(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->window = true;
}

static void set_nochain(ExplainOptions *o, const char *where, const char *arg)
{
    (void)where, (void)arg;
    o->no_chain = true;
}

static void set_backend(ExplainOptions *o, const char *where, const char *arg)
{
    if (!backend_find(arg))
        die("explain: %s: there is no backend '%s' here: x86_64 (on such a host) or interp", where, arg);
    o->backend = arg;
}

static void set_no_pass(ExplainOptions *o, const char *where, const char *arg)
{
    (void)o;
    if (ir_pass_enable(arg, false)) return;
    Nearest near = { .word = arg };
    for (unsigned i = 0; i < ir_pass_count; i++) nearest_offer(&near, ir_passes[i].name);
    die("explain: %s: there is no pass '%s'; the nearest one is '%s'", where, arg, near.best);
}

static void set_base(ExplainOptions *o, const char *where, const char *arg)
{
    uint64_t base;
    if (!parse_u64(arg, &base) || base >= EXPLAIN_RAM)
        die("explain: %s: '%s' is not an address below %#x", where, arg, EXPLAIN_RAM);
    o->base = (uint32_t)base;
    o->base_set = true;
}

static void set_items(ExplainOptions *o, const char *where, const char *arg)
{
    const char *bad;
    (void)o;
    log_mask = 0;
    if (!log_set(arg, &bad))
        die("explain: %s: unknown item '%s': in_asm, op, op_opt, out_asm, separated by commas", where, bad);
}

/* "ebx=0x2000" */
static void set_register(ExplainOptions *o, const char *where, const char *arg)
{
    uint64_t value;
    char name[8];
    const char *eq = strchr(arg, '=');
    for (unsigned r = 0; eq && r < IR_TEMP0; r++) {
        ir_reg_text(name, r);
        if (strlen(name) != (size_t)(eq - arg) || strncmp(name, arg, (size_t)(eq - arg))) continue;
        if (!parse_u64(eq + 1, &value) || value > UINT32_MAX) break;
        if (o->n_sets == EXPLAIN_SETS_MAX) die("explain: %s: at most %d of them", where, EXPLAIN_SETS_MAX);
        o->set[o->n_sets].reg = (uint8_t)r;
        o->set[o->n_sets++].value = (uint32_t)value;
        return;
    }
    die("explain: %s: '%s' is not a register and its value, as in ebx=0x2000", where, arg);
}

static const struct {
    const char *name, *arg, *help;
    SetOption *set;
} options[] = {
    { "16", NULL, "16-bit code, in real mode", set_16 },
    { "32", NULL, "32-bit code, in flat protected mode (default)", set_32 },
    { "base", "ADDR", "where the code lies (default 0x7c00 with --16, else 0x100000)", set_base },
    { "intel", NULL, "the assembly source is in Intel's syntax", set_intel },
    { "set", "REG=VALUE", "a register at the start", set_register },
    { "run", NULL, "run it, and show registers, flags and memory before and after", set_run },
    { "backend", "NAME", "x86_64 or interp", set_backend },
    { "no-pass", "NAME", "without this optimisation pass", set_no_pass },
    { "nochain", NULL, "without chaining of blocks", set_nochain },
    { "window", NULL, "as user mode's code with the memory window open", set_window },
    { "d", "ITEM,...", "only these of in_asm, op, op_opt, out_asm", set_items },
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static _Noreturn void usage(void)
{
    puts("Usage: calque explain [OPTION...] FILE.s | FILE.bin | - | HEXBYTES...\n"
         "Shows what becomes of a few instructions.  FILE.s and text from standard input are assembled with GNU as.\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s %s", options[i].name, options[i].arg ? options[i].arg : "");
        printf("  %-20s %s\n", left, options[i].help);
    }
    puts("\nPasses, for --no-pass:");
    for (unsigned i = 0; i < ir_pass_count; i++) printf("  %-20s %s\n", ir_passes[i].name, ir_passes[i].what);
    exit(0);
}

/* The row's number; an unknown word ends the program. */
static int find_option(const char *word)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    Nearest near = { .word = name };
    if (!strcmp(name, "help") || !strcmp(name, "h")) usage();
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!strcmp(options[i].name, name)) return i;
        nearest_offer(&near, options[i].name);
    }
    die("explain: %s: unknown option; the nearest one is --%s (calque explain --help lists all)", word, near.best);
}

static void parse(int argc, char **argv, ExplainOptions *o)
{
    const int most = sizeof o->input / sizeof *o->input;
    *o = (ExplainOptions){ 0 };
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1]) {
            if (o->n_inputs == most) die("explain: more than %d inputs", most);
            o->input[o->n_inputs++] = word;
            continue;
        }
        int n = find_option(word);
        if (options[n].arg && i + 1 == argc)
            die("explain: %s: its argument is missing: %s %s", word, word, options[n].arg);
        options[n].set(o, word, options[n].arg ? argv[++i] : NULL);
    }
    if (!o->n_inputs) die("explain: nothing to explain: name a file, - or bytes as in 01d8 (calque explain --help)");
    if (!o->base_set) o->base = o->code16 ? EXPLAIN_BASE_16 : EXPLAIN_BASE_32;
    if (o->window && o->code16) die("explain: --window: real mode has none; leave out --16");
}

int explain_main(int argc, char **argv)
{
    static ExplainOptions o;
    static ExplainCode code;
    log_to_stdout();
    log_mask = LOG_IN_ASM | LOG_OP | LOG_OP_OPT | LOG_OUT_ASM;
    parse(argc, argv, &o);
    explain_read(&o, &code);
    explain_show(&o, &code);
    symbols_free();
    return 0;
}
