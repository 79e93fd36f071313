/* The command line's parser, kept from ending the process and from the host's files. */
#ifndef CALQUE_TESTS_FUZZ_PARSE_H
#define CALQUE_TESTS_FUZZ_PARSE_H

#include "cli/options.h"
#include "fuzz/fuzz.h"

enum { PARSE_ARGS = 64 };

/* Calls fn, whose files cannot be opened and whose output is not seen.  True: it returned.  False: it ended the program, as it
 * should: with status 0, or with status 1 and one line on stderr. */
bool contained(void (*fn)(void *opaque), void *opaque);
/* cli_parse() of argv[1..argc).  True: *o is what was asked for, until parse_done().  False: the parser ended the
 * program, as it should: with status 0, or with status 1 and one line on stderr. */
bool parse(int argc, char **argv, CliOptions *o);
void parse_done(CliOptions *o);
/* What must be true of all that has been taken. */
void parse_check(const CliOptions *o);

#endif
