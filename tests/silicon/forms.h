/* Instruction forms: every row of the decoder's tables that holds an instruction, once with a register and once with a
 * memory operand where it takes either.  What the generator draws from and what coverage is counted by. */
#ifndef CALQUE_TESTS_FORMS_H
#define CALQUE_TESTS_FORMS_H

#include "frontend/decode_tables.h"

enum { FORM_ANY = 0xff, FORM_NONE = -1 };

/* The choices that lead to the row; FORM_ANY: made no difference. */
typedef struct Form {
    const OpRow *row;
    uint8_t map, opcode;
    uint8_t pfx;          /* NP P66 PF3 PF2 */
    uint8_t mod, reg, rm; /* mod: 0 memory, 1 register */
} Form;

unsigned form_count(void);
const Form *form_at(unsigned i);
/* Of a defined instruction; FORM_NONE otherwise. */
int form_of(const Insn *in);
/* Puts opcode and ModRM, where the form fixes it, preceded by the mandatory prefix; returns the number of bytes (up to 5).
 * The bits of ModRM that are free come from `free_bits'. */
unsigned form_put(const Form *f, uint8_t free_bits, uint8_t *b);
/* For people: "66 0f 38 1c reg vec". */
void form_name(const Form *f, char *out, size_t size);

#endif
