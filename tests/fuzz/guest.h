/* Random guests: code, descriptor and page tables, and the processor's state, all from one number.  Below 512 KiB. */
#ifndef CALQUE_TESTS_FUZZ_GUEST_H
#define CALQUE_TESTS_FUZZ_GUEST_H

#include "cpu/cpu.h"

enum {
    GUEST_RAM = 512 << 10, /* needed at least; addresses in tables and registers may be higher */
    GUEST_IDT_AT = 0x8000,
    GUEST_GDT_AT = 0x9000,
    GUEST_CODE_AT = 0x10000,
    GUEST_CODE_MAX = 0x10000
};

void guest_seed(uint64_t seed);
uint32_t guest_random(void);
uint32_t guest_below(uint32_t n);
bool guest_one_in(uint32_t n);

/* Fills size bytes with code. */
void guest_make_code(uint8_t *code, size_t size);
/* Puts code[0..size) and tables into memory of ram bytes and resets the processor to a random state, somewhere in the
 * code: anywhere, or at its start. */
void guest_start(CPUState *cpu, const uint8_t *code, uint32_t size, uint32_t ram, bool anywhere);

#endif
