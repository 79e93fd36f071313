/* The command line of "calque explain", "calque report": words that are options, by a table, and words that are inputs. */
#ifndef CALQUE_CLI_SUBCOMMAND_H
#define CALQUE_CLI_SUBCOMMAND_H

#include <stddef.h>

typedef struct SubOption {
    const char *name, *arg, *help; /* arg: NULL: none */
    /* What it does to the subcommand's own options; where is the option as the user wrote it, for messages.  NULL: it sets the
     * bool at offset flag. */
    void (*set)(void *options, const char *where, const char *arg);
    size_t flag;
} SubOption;

typedef struct SubCommand {
    const char *name, *usage; /* usage: what --help says above the list of options */
    const SubOption *option;  /* n of them */
    size_t n;
    void (*help_end)(void);                         /* what it says below; may be NULL */
    void (*input)(void *options, const char *word); /* a word that is no option, "-" included */
} SubCommand;

/* argv[0] is the subcommand's name.  A word that is wrong ends the program with a line on stderr; --help, after telling. */
void subcommand_parse(const SubCommand *sub, int argc, char **argv, void *options);

#endif
