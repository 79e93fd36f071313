/* What single instructions have been tried: per form (forms.h), in which guises and with which faults. */
#ifndef CALQUE_TESTS_COVERAGE_H
#define CALQUE_TESTS_COVERAGE_H

#include "silicon.h"

/* How many of the forms that user mode can run the host can judge (in 64-bit mode: not all). */
typedef struct FormsJudged {
    unsigned judged, of;
} FormsJudged;
FormsJudged coverage_judged(const DecodeFeatures *feat);

void coverage_count(const Case *c, const Outcome *native);
void coverage_count_sequence(const Outcome *native); /* how it ended */
void coverage_print(void);
/* Whether every form that user mode can run was tried in every guise it has, and every exception raised; prints
 * what was not.  For runs over all forms of a few hundred thousand cases. */
bool coverage_complete(const DecodeFeatures *feat);

#endif
