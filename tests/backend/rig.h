/* Runs hand-built IR blocks on a backend: a processor over 1 MiB of RAM with paging off, and a small code
 * arena. */
#ifndef CALQUE_TESTS_RIG_H
#define CALQUE_TESTS_RIG_H

#include "backend/backend.h"

enum { RIG_EIP = 0x1000, RIG_RAM = 1 << 20, RIG_TEMPS = 22 };

typedef struct Rig {
    const Backend *backend;
    CPUState *cpu;
    PhysMem *phys;
    uint8_t *ram;
    CodeArena arena;
    CodeArena arena_start; /* after the backend's own */
    IrBlock b;
    BackendCode code;
    EmitInfo info;
    int raised; /* exception vector of the last run, or -1 */
} Rig;

extern const uint32_t rig_mode; /* flat, protected, 32-bit, CPL 0 */

bool rig_open(Rig *r, const char *backend); /* false: there is no such backend here */
void rig_close(Rig *r);
void rig_begin(Rig *r); /* an empty block with its MARK */
bool rig_emit(Rig *r);  /* into an empty arena */
void rig_run(Rig *r);
/* Temporaries enter from and leave to a place in CPUState. */
void rig_load_temp(Rig *r, unsigned reg, unsigned slot);
void rig_store_reg(Rig *r, unsigned reg, unsigned slot);
uint32_t *rig_slot(Rig *r, unsigned slot); /* RIG_TEMPS of them */
void rig_end(Rig *r, uint32_t eip);        /* EXIT to eip */
uint32_t rig_random(void);
uint32_t rig_random_value(void); /* edges more often than chance would */

#endif
