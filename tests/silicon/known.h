/* Known differences between silicon and Calque (known.c has the reasons). */
#ifndef CALQUE_TESTS_KNOWN_H
#define CALQUE_TESTS_KNOWN_H

#include "silicon.h"

/* What may differ, where a row of the table holds. */
enum {
    MAY_DIFFER_XMM = 1,     /* each single-precision lane: xmm_nearly() */
    MAY_DIFFER_ST = 2,      /* x87 registers: one_ulp() */
    MAY_DIFFER_C1 = 4,      /* rounded up or not */
    MAY_DIFFER_TOP = 8,     /* of the x87 stack */
    MAY_DIFFER_MEMORY = 16, /* at the operand */
    MAY_DIFFER_FPU = 32,    /* all of the x87 */
    MAY_DIFFER_FAULT = 64,  /* vector, error code and address of the exception */
    MAY_DIFFER_FLAGS = 128, /* arithmetic */
    MAY_DIFFER_ALL = 256
};

unsigned known_differences(const Case *c, const Guest *g, const Outcome *n, const Outcome *q);
void known_print(void);
bool xmm_nearly(const uint8_t *a, const uint8_t *b);
bool one_ulp(const uint8_t *a, const uint8_t *b);

#endif
