/* Silicon comparison: the same 32-bit user-mode code with the same registers and memory runs on the host
 * processor itself and in Calque, on each backend; whatever differs afterwards is printed.  A host that runs 64-bit code
 * alone is given the equal of each instruction there, in the flat world only (long_mode.h).
 *
 * Both sides see one address space (the linear addresses below), flat selectors 23/2B as Linux has them,
 * and one LDT.  A case ends with the first exception, at the latest that of the INT3 that fill all room
 * between cases; the state at that moment is what is compared. */
#ifndef CALQUE_TESTS_SILICON_H
#define CALQUE_TESTS_SILICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/decode.h"

/* The address space.  All else is unmapped on both sides. */
enum {
    CODE_BASE = 0x20000000, /* read, execute */
    CODE_SIZE = 0x10000,
    DATA_BASE = 0x50000000, /* two pages read and write, one read only, the next unmapped */
    DATA_RW = 0x2000,
    DATA_SIZE = 0x3000,
    STACK_BASE = 0x50010000, /* read and write; 64 KiB after the data, for offsets that wrap around */
    STACK_SIZE = 0x2000,
    FAR_AWAY = 0x60000000, /* never mapped, from here to 70000000 */
};
enum { SEL_CODE = 0x23, SEL_DATA = 0x2b };

/* Descriptors of the LDT both sides have (selector 8 * i + 7). */
typedef struct LdtEntry {
    uint32_t base, limit;
    uint8_t big;      /* D/B bit */
    uint8_t contents; /* 0 data, 1 expand-down data, 2 code */
    uint8_t protect;  /* data: not writable; code: not readable */
    uint8_t absent;
} LdtEntry;
enum {
    LDT_DATA,
    LDT_SHORT,
    LDT_DOWN16,
    LDT_RO,
    LDT_CODE16,
    LDT_STACK16,
    LDT_DATA32,
    LDT_DOWN32,
    LDT_CODE32,
    LDT_XONLY,
    LDT_ABSENT,
    LDT_STACK_SHORT,
    LDT_STACK_DOWN32,
    LDT_STACK_DOWN16,
    LDT_WRAP,
    LDT_COUNT,
};
extern const LdtEntry ldt_entries[LDT_COUNT];
#define LDT_SEL(i) ((i)*8 + 7)

/* Which selectors a case starts with. */
enum { W_ES, W_CS, W_SS, W_DS, W_FS, W_GS };
typedef struct World {
    const char *name;
    uint16_t sel[6]; /* ES CS SS DS FS GS */
    uint8_t weight;
} World;
extern const World worlds[];
extern const unsigned world_count;
bool world_code32(const World *w);
bool world_stack32(const World *w);
bool world_reaches(const World *w, uint32_t lin); /* within CS: else the jump there would be what faults */
uint32_t sel_base(uint16_t sel);
uint32_t sel_limit(uint16_t sel);
/* The linear address of the first byte outside: behind the limit, or at it if it expands down.  Flat segments: 0. */
uint32_t sel_edge(uint16_t sel);

/* Registers.  fx is an FXSAVE image, SDM 1 table 10-2. */
typedef struct State {
    _Alignas(16) uint8_t fx[512];
    uint32_t regs[8], eip, eflags;
    uint16_t seg[6];
} State;

enum { VECTOR_TIMEOUT = 256, VECTOR_STUCK, VECTOR_UNJUDGED, VECTOR_WIDE };
enum { KNOWS_FIP = 1, KNOWS_OPERAND = 2 }; /* FOP and FDP */
typedef struct Outcome {
    State s;
    uint32_t vector, error, cr2;
    uint8_t pointers; /* the host's: which of x87's last instruction and operand could be read */
} Outcome;

enum { MAX_PATCH = 16 };
typedef struct Patch {
    uint32_t at; /* linear */
    uint8_t len, bytes[16];
} Patch;

enum { MAX_CODE = 512, MAX_COUNTERS = 6, MAX_TABLES = 4 };
typedef struct Case {
    uint64_t number;
    const World *world;
    State in;
    uint32_t code_at; /* linear address of code[0] */
    uint16_t len;
    uint16_t slot_at, slot_size; /* offset in the code area: where its jumps may go */
    uint8_t code[MAX_CODE];
    unsigned n_patch;
    Patch patch[MAX_PATCH];
    Insn insn; /* single instructions */
    bool single;
    uint8_t fp; /* x87, MMX or SSE state matters */
    /* sequences: */
    uint8_t n_counter, n_table;    /* loop counters and jump tables in memory */
    uint16_t table[MAX_TABLES][4]; /* offsets in code */
    uint32_t anchor;               /* data most memory operands are near to */
} Case;

/* --- random numbers: one generator per case, so that a case can be made again from seed and number --- */
typedef struct Rng {
    uint64_t s;
} Rng;
Rng rng_for(uint64_t seed, uint64_t number);
uint64_t rng64(Rng *r);
uint32_t rng_below(Rng *r, uint32_t n);
static inline bool chance(Rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}
uint32_t rng_edge32(Rng *r); /* values near carries and sign limits */
void rng_edge_bytes(Rng *r, uint8_t *p, unsigned n);
void rng_fpu(Rng *r, uint8_t *fx, bool wild);        /* an FXSAVE image */
void rng_fp_operand(Rng *r, uint8_t *p, unsigned n); /* 4, 8, 10 or 16 bytes that mean something to x87 or SSE */

/* --- the host processor: native.c --- */
bool native_init(bool long_mode, const char **why); /* false: this host or kernel cannot */
bool native_long_mode(void);                        /* the host runs the cases as 64-bit code (long_mode.h) */
void native_write_code(const uint8_t *code, const Case *cases, unsigned n);
void native_run(const Case *c, Outcome *o);
uint8_t *native_mem(uint32_t lin); /* of the data or stack area */
void native_print_unjudged(void);
bool native_is_known(void);       /* undefined flags are then what the interpreter makes of them (tcg/silicon.h) */
bool native_has_at(uint32_t lin); /* something of the test program itself is mapped here */

/* --- Calque: guest.c --- */
typedef struct Guest Guest;
Guest *guest_new(const char *backend, char *error, size_t error_size);
void guest_free(Guest *g);
void guest_free_native(void); /* the machine that the native ones share, when they are gone */
const char *guest_backend(const Guest *g);
void guest_write_code(Guest *g, uint32_t offset, const uint8_t *p, uint32_t n);
uint64_t guest_window_faults(const Guest *g); /* accesses that the window did not serve */
void guest_flush(Guest *g);                   /* forget translations */
void guest_run(Guest *g, const Case *c, Outcome *o);
long long guest_case(void); /* what runs now, for reports of a crash; -1: nothing */
const char *guest_case_backend(void);
void guest_interrupt(void);      /* from a signal handler: whatever runs takes too long */
bool guest_has_at(uint32_t lin); /* supervisor pages that the host does not have */
uint8_t *guest_mem(Guest *g, uint32_t lin);
void guest_features(Guest *g, DecodeFeatures *f);

/* Memory as every case finds it, besides its patches. */
void memory_template(uint8_t *data, uint8_t *stack);
void memory_restore(const Case *c, uint8_t *(*at)(void *opaque, uint32_t lin), void *opaque);

/* --- generation --- */
enum { MAX_FORMS = 4096 };
typedef struct Filter {
    uint16_t mn; /* MN_COUNT: any */
    bool fp;     /* x87, MMX, SSE as well */
    bool only_fp;
    const World *world; /* NULL: any */
    uint8_t bytes[15];  /* fixed instruction */
    uint8_t n_bytes;
    uint16_t form[MAX_FORMS]; /* those of the above that can be run (forms.h) */
    unsigned n_form;
} Filter;
/* Sequences' slots are shifted against the pages, so that one in eight has a page border. */
enum { SLOT = 128, SEQ_SLOT = 512, SEQ_SHIFT = 256, SLOT_LEAD = 17 };
/* Random prefixes, opcode, ModRM and operands of what the filter lets through, mostly; returns how many bytes (up to 40). */
unsigned random_form(Rng *r, const Filter *f, uint8_t *b);
/* Finds the forms. */
void filter_prepare(Filter *f, const DecodeFeatures *feat);
/* A single instruction in the slot given. */
void generate_case(Rng *r, const Filter *f, const DecodeFeatures *feat, unsigned slot, Case *c);
/* A random block of 2 to 40 instructions with branches. */
void generate_sequence(Rng *r, const DecodeFeatures *feat, bool fp, unsigned slot, Case *c);
/* Fills c->in again, for the same code. */
void generate_sequence_input(Rng *r, Case *c);
/* May this be run on the host at all, and does it mean the same there? */
bool rules_allow(const Insn *in, bool fp);
const char *rules_exclude(unsigned mn); /* why a mnemonic is not run at all; NULL: it is */
bool insn_is_fp(const Insn *in);

/* --- comparison --- */
uint32_t undefined_flags(const Case *c); /* that the manual leaves undefined after a single instruction */
void undefined_print(void);
bool compare(const Case *c, Guest *g, const Outcome *native, const Outcome *calque, bool print);

#endif
