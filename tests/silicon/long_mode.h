/* 32-bit guest code as 64-bit code that does the same, for hosts that run no 32-bit code (long_mode.c). */
#ifndef CALQUE_TESTS_LONG_MODE_H
#define CALQUE_TESTS_LONG_MODE_H

#include "silicon.h"

/* Where the 64-bit code is, and a stack and a place that it uses; the guest has nothing there. */
enum {
    LONG_BASE = 0x28000000,
    LONG_SIZE = 0x200000,
    LONG_STACK = 0x28400000,
    LONG_STACK_SIZE = 0x1000,
    LONG_X87 = LONG_STACK + 0x800, /* FNSTENV's image, from before each INT3 */
};

/* Why an instruction cannot be judged in 64-bit mode; NULL: it can.  Flat segments and 32-bit code. */
const char *long_mode_refuses(const Insn *in);

/* The whole batch, into LONG_SIZE bytes at out. */
void long_mode_lay_out(const Case *cases, unsigned n, uint8_t *out);
/* By guest EIP within the case's code; 0: no instruction begins there. */
uint32_t long_mode_entry(const Case *c, uint32_t eip);
/* Back: the guest's instruction that an address lies in; any other address is itself. */
uint32_t long_mode_eip(const Case *c, uint32_t at);
/* x87's last opcode, of the guest's instruction at that EIP. */
uint16_t long_mode_fop(const Case *c, uint32_t eip, uint16_t fop);

#endif
