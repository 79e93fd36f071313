/* -accel lockstep: every block runs on two backends from the same state, and what they make of it must be the same.
 * doc/lockstep.txt explains how. */
#ifndef CALQUE_EXEC_LOCKSTEP_H
#define CALQUE_EXEC_LOCKSTEP_H

#include "exec/exec.h"

typedef struct Lockstep Lockstep;

/* NULL: this host has only one backend, or no memory; *error says which. */
Lockstep *lockstep_new(CPUState *cpu, const char **error);
const Backend *lockstep_backend(const Lockstep *ls); /* what stands for the two in Exec.backend */
void lockstep_attach(Lockstep *ls);                  /* once the CPU is wired to its devices and to exec */
void lockstep_free(Lockstep *ls);                    /* the wiring is as before */
void lockstep_print(const Lockstep *ls, void (*emit)(void *opaque, const char *line), void *opaque);

/* Tests choose other pairs; NULL, NULL: the portable backend and the native one. */
void lockstep_choose(const Backend *reference, const Backend *tested);

#endif
