/* Known differences between silicon and Calque (known.c has the reasons). */
#ifndef CALQUE_TESTS_KNOWN_H
#define CALQUE_TESTS_KNOWN_H

#include "silicon.h"

bool is_approximation(const Case *c, const Guest *g); /* SSE lanes need only be near */
bool xmm_nearly(const uint8_t *a, const uint8_t *b);
bool is_transcendental(const Case *c, const Guest *g); /* x87 results need only be within one unit in the last place */
bool one_ulp(const uint8_t *a, const uint8_t *b);
bool is_faulting_mmx_store(const Case *c, const Outcome *n); /* TOP may differ */
bool is_faulting_m80_store(const Case *c, const Outcome *n); /* memory may differ */

#endif
