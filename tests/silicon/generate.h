/* What generate.c and operands.c share: a case in the making. */
#ifndef CALQUE_TESTS_GENERATE_H
#define CALQUE_TESTS_GENERATE_H

#include "forms.h"
#include "silicon.h"

typedef struct Gen {
    Rng *r;
    const Filter *f;
    const DecodeFeatures *feat;
    Case *c;
    unsigned n_prefix, op_len; /* layout of the bytes: prefixes, opcode, ModRM ... */
    bool fixed_esp;
} Gen;

void decode_again(Gen *g); /* after the bytes have changed */
uint32_t seg_base(const Case *c, unsigned seg);
/* For the registers and the memory of c: places for its operands, jump targets, selectors. */
void set_stack(Gen *g);
void set_operands(Gen *g);

#endif
