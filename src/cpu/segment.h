/* Segment descriptors: fetching, decoding, and loading registers with the protection checks of SDM 3A 5. */
#ifndef CALQUE_CPU_SEGMENT_H
#define CALQUE_CPU_SEGMENT_H

#include "cpu/mem.h"

typedef struct SegDesc {
    uint32_t lo, hi; /* as in memory */
    uint32_t lin;    /* linear address of lo; 0 with the caller's own images */
} SegDesc;

/* System descriptor types, SDM 3A table 3-2. */
enum {
    SYS_TSS16 = 1,
    SYS_LDT = 2,
    SYS_TSS16_BUSY = 3,
    SYS_CALL16 = 4,
    SYS_TASK_GATE = 5,
    SYS_INT16 = 6,
    SYS_TRAP16 = 7,
    SYS_TSS32 = 9,
    SYS_TSS32_BUSY = 11,
    SYS_CALL32 = 12,
    SYS_INT32 = 14,
    SYS_TRAP32 = 15,
    SYS_BUSY = 2,
    SYS_32BIT = 8,
};

static inline uint32_t desc_base(const SegDesc *d)
{
    return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000u);
}
static inline uint32_t desc_limit(const SegDesc *d)
{
    uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);
    return d->hi & 1u << 23 ? limit << 12 | 0xfff : limit;
}
static inline uint16_t desc_attr(const SegDesc *d)
{
    return d->hi >> 8 & 0xf0ff;
}
static inline unsigned desc_type(const SegDesc *d)
{
    return d->hi >> 8 & 0xf;
}
static inline unsigned desc_dpl(const SegDesc *d)
{
    return d->hi >> 13 & 3;
}
static inline bool desc_present(const SegDesc *d)
{
    return d->hi & 1u << 15;
}
static inline bool desc_is_segment(const SegDesc *d)
{
    return d->hi & 1u << 12;
} /* S bit: code or data */
static inline bool desc_is_code(const SegDesc *d)
{
    return (d->hi & 0x1800) == 0x1800;
}
static inline bool desc_is_conforming(const SegDesc *d)
{
    return d->hi & 1u << 10;
} /* of a code segment */
static inline bool desc_is_writable_data(const SegDesc *d)
{
    return (d->hi & 0x1a00) == 0x1200;
}
/* Gates */
static inline uint16_t gate_selector(const SegDesc *d)
{
    return (uint16_t)(d->lo >> 16);
}
static inline uint32_t gate_offset(const SegDesc *d)
{
    return desc_type(d) & SYS_32BIT ? (d->lo & 0xffff) | (d->hi & 0xffff0000u) : d->lo & 0xffff;
}

static inline bool sel_is_null(uint16_t sel)
{
    return !(sel & ~3);
}
static inline uint32_t sel_error(uint16_t sel)
{
    return sel & 0xfffc;
}

/* False: beyond the table's limit, or in an LDT while there is none. */
bool seg_fetch(CPUState *cpu, uint16_t sel, SegDesc *d);
/* The same, raising vector(sel). */
void seg_fetch_or_raise(CPUState *cpu, uint16_t sel, SegDesc *d, int vector);
/* Sets the accessed bit of a code or data descriptor in memory and in *d. */
void seg_set_accessed(CPUState *cpu, SegDesc *d);
/* Fills *s from a descriptor and changes nothing else.  In place, for a copy of what was written field by field just before
 * stalls the host. */
void seg_image(SegCache *s, uint16_t sel, const SegDesc *d, bool is_cs);
/* Loads ES, DS, FS, GS or SS with all checks; not CS.  In real and v86 mode too. */
void seg_load(CPUState *cpu, unsigned seg, uint16_t sel);
void seg_load_null(CPUState *cpu, unsigned seg, uint16_t sel);
/* Checks sel as the SS for privilege level cpl: *d for the new stack, accessed bit set.  A null selector
 * raises bad_vector(null_error); other mistakes bad_vector(sel), absence #SS(sel). */
void seg_check_ss(CPUState *cpu, uint16_t sel, unsigned cpl, SegDesc *d, int bad_vector);
/* Commits a code segment and the privilege level that comes with it. */
void seg_set_cs(CPUState *cpu, uint16_t sel, const SegDesc *d, unsigned cpl);
/* After a return to an outer level: registers that the new CPL may not use become null (SDM 3A 5.8.6). */
void seg_drop_privileged(CPUState *cpu);
/* The fixed flat segments of SYSENTER and its kin. */
void seg_flat(SegCache *s, uint16_t sel, bool code, unsigned dpl);

#endif
