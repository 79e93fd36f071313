/* Prototypes of all callouts, from the one table. */
#ifndef CALQUE_CPU_HELPERS_H
#define CALQUE_CPU_HELPERS_H

#include "cpu/cpu.h"

#define HELPER_PARAMS_0
#define HELPER_PARAMS_1               , uint32_t a
#define HELPER_PARAMS_2               , uint32_t a, uint32_t b
#define HELPER_PARAMS_3               , uint32_t a, uint32_t b, uint32_t c
#define HELPER_PARAMS_4               , uint32_t a, uint32_t b, uint32_t c, uint32_t d
#define HELPER_RETURNS_0              void
#define HELPER_RETURNS_1              uint32_t
#define HELPER(name, ret, nargs, ...) HELPER_RETURNS_##ret helper_##name(CPUState *cpu HELPER_PARAMS_##nargs);
#include "cpu/helpers.def"
#undef HELPER

#endif
