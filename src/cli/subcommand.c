#include "cli/subcommand.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/die.h"
#include "util/nearest.h"

static const char *dashes(const char *name)
{
    return name[1] ? "--" : "-";
}

static _Noreturn void help(const SubCommand *sub)
{
    puts(sub->usage);
    for (size_t i = 0; i < sub->n; i++) {
        const SubOption *opt = &sub->option[i];
        char left[40];
        snprintf(left, sizeof left, "%s%s %s", dashes(opt->name), opt->name, opt->arg ? opt->arg : "");
        printf("  %-22s %s\n", left, opt->help);
    }
    if (sub->help_end) sub->help_end();
    exit(0);
}

static const SubOption *find_option(const SubCommand *sub, const char *word)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    Nearest near = { .word = name };
    if (!strcmp(name, "help") || !strcmp(name, "h")) help(sub);
    for (size_t i = 0; i < sub->n; i++) {
        if (!strcmp(sub->option[i].name, name)) return &sub->option[i];
        nearest_offer(&near, sub->option[i].name);
    }
    die("%s: %s: unknown option; the nearest one is %s%s (calque %s --help lists all)", sub->name, word,
        dashes(near.best), near.best, sub->name);
}

void subcommand_parse(const SubCommand *sub, int argc, char **argv, void *options)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1]) {
            sub->input(options, word);
            continue;
        }
        const SubOption *opt = find_option(sub, word);
        if (opt->arg && i + 1 == argc) die("%s: %s: its argument is missing: %s %s", sub->name, word, word, opt->arg);
        if (opt->set)
            opt->set(options, word, opt->arg ? argv[++i] : NULL);
        else
            *(bool *)((char *)options + opt->flag) = true;
    }
}
