/* The command line of "calque explain". */
#include "cli/explain.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "cli/subcommand.h"
#include "tcg/ir.h"
#include "util/die.h"
#include "util/log.h"
#include "util/nearest.h"
#include "util/number.h"
#include "util/symbols.h"

static void set_32(void *options, const char *where, const char *arg)
{
    ExplainOptions *o = options;
    (void)where, (void)arg;
    o->code16 = false;
}

static void set_backend(void *options, const char *where, const char *arg)
{
    ExplainOptions *o = options;
    if (!backend_find(arg))
        die("explain: %s: there is no backend '%s' here: x86_64 (on such a host) or interp", where, arg);
    o->backend = arg;
}

static void set_no_pass(void *options, const char *where, const char *arg)
{
    (void)options;
    if (ir_pass_enable(arg, false)) return;
    Nearest near = { .word = arg };
    for (unsigned i = 0; i < ir_pass_count; i++) nearest_offer(&near, ir_passes[i].name);
    die("explain: %s: there is no pass '%s'; the nearest one is '%s'", where, arg, near.best);
}

static void set_base(void *options, const char *where, const char *arg)
{
    ExplainOptions *o = options;
    uint64_t base;
    if (!parse_u64(arg, &base) || base >= EXPLAIN_RAM)
        die("explain: %s: '%s' is not an address below %#x", where, arg, EXPLAIN_RAM);
    o->base = (uint32_t)base;
    o->base_set = true;
}

static void set_items(void *options, const char *where, const char *arg)
{
    const char *bad;
    (void)options;
    log_mask = 0;
    if (!log_set(arg, &bad))
        die("explain: %s: unknown item '%s': in_asm, op, op_opt, out_asm, separated by commas", where, bad);
}

/* "ebx=0x2000" */
static void set_register(void *options, const char *where, const char *arg)
{
    ExplainOptions *o = options;
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

#define FLAG(FIELD) NULL, offsetof(ExplainOptions, FIELD)
static const SubOption options[] = {
    { "16", NULL, "16-bit code, in real mode", FLAG(code16) },
    { "32", NULL, "32-bit code, in flat protected mode (default)", set_32, 0 },
    { "base", "ADDR", "where the code lies (default 0x7c00 with --16, else 0x100000)", set_base, 0 },
    { "intel", NULL, "the assembly source is in Intel's syntax", FLAG(intel) },
    { "set", "REG=VALUE", "a register at the start", set_register, 0 },
    { "run", NULL, "run it, and show registers, flags and memory before and after", FLAG(run) },
    { "backend", "NAME", "x86_64 or interp", set_backend, 0 },
    { "no-pass", "NAME", "without this optimisation pass", set_no_pass, 0 },
    { "nochain", NULL, "without chaining of blocks", FLAG(no_chain) },
    { "window", NULL, "with the memory window open: as user mode's code, or real mode's", FLAG(window) },
    { "d", "ITEM,...", "only these of in_asm, op, op_opt, out_asm", set_items, 0 },
};

static void list_passes(void)
{
    puts("\nPasses, for --no-pass:");
    for (unsigned i = 0; i < ir_pass_count; i++) printf("  %-20s %s\n", ir_passes[i].name, ir_passes[i].what);
}

static void add_input(void *to, const char *word)
{
    ExplainOptions *o = to;
    const int most = sizeof o->input / sizeof *o->input;
    if (o->n_inputs == most) die("explain: more than %d inputs", most);
    o->input[o->n_inputs++] = word;
}

static const SubCommand explain = {
    .name = "explain",
    .usage = "Usage: calque explain [OPTION...] FILE.s | FILE.bin | - | HEXBYTES...\n"
             "Shows what becomes of a few instructions.  FILE.s and text from standard input are assembled with GNU "
             "as.\n",
    .option = options,
    .n = sizeof options / sizeof *options,
    .help_end = list_passes,
    .input = add_input,
};

static void parse(int argc, char **argv, ExplainOptions *o)
{
    *o = (ExplainOptions){ 0 };
    subcommand_parse(&explain, argc, argv, o);
    if (!o->n_inputs) die("explain: nothing to explain: name a file, - or bytes as in 01d8 (calque explain --help)");
    if (!o->base_set) o->base = o->code16 ? EXPLAIN_BASE_16 : EXPLAIN_BASE_32;
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
