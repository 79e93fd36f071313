/* What both sides share: descriptors, selectors, the contents of memory. */
#include "silicon.h"

#include <string.h>

#include "cpu/state.h"

const LdtEntry ldt_entries[LDT_COUNT] = {
    [LDT_DATA] = { DATA_BASE, 0xffff, 0, 0, 0, 0 },
    [LDT_SHORT] = { DATA_BASE, 0x1777, 0, 0, 0, 0 },
    [LDT_DOWN16] = { DATA_BASE, 0x07ff, 0, 1, 0, 0 },
    [LDT_RO] = { DATA_BASE, 0xffff, 0, 0, 1, 0 },
    [LDT_CODE16] = { CODE_BASE, 0xffff, 0, 2, 0, 0 },
    [LDT_STACK16] = { STACK_BASE, 0xffff, 0, 0, 0, 0 },
    [LDT_DATA32] = { DATA_BASE, 0x1ffc, 1, 0, 0, 0 },
    [LDT_DOWN32] = { DATA_BASE, 0x0fff, 1, 1, 0, 0 },
    [LDT_CODE32] = { CODE_BASE, CODE_SIZE - 0x812, 1, 2, 0, 0 },
    [LDT_XONLY] = { CODE_BASE, 0xffff, 1, 2, 1, 0 },
    [LDT_STACK_SHORT] = { STACK_BASE, 0x17fb, 1, 0, 0, 0 },
    [LDT_STACK_DOWN32] = { STACK_BASE, 0x07ff, 1, 1, 0, 0 },
    [LDT_STACK_DOWN16] = { STACK_BASE, 0x0801, 0, 1, 0, 0 },
    [LDT_WRAP] = { DATA_BASE + 0x1000, 0xffff, 0, 0, 0, 0 },
    [LDT_ABSENT] = { DATA_BASE, 0xffff, 0, 0, 0, 1 },
};

#define L(name) LDT_SEL(LDT_##name)
const World worlds[] = {
    /* ES CS SS DS FS GS */
    { "flat", { SEL_DATA, SEL_CODE, SEL_DATA, SEL_DATA, SEL_DATA, SEL_DATA }, 50 },
    { "ldt", { L(DATA), SEL_CODE, SEL_DATA, L(DATA), L(SHORT), L(DOWN16) }, 13 },
    { "16bit", { L(DATA), L(CODE16), L(STACK16), L(DATA), L(SHORT), L(RO) }, 10 },
    { "limits", { L(DOWN32), SEL_CODE, SEL_DATA, L(DATA32), 0, L(DOWN16) }, 5 },
    { "mixed", { SEL_DATA, L(CODE32), L(STACK16), SEL_DATA, L(SHORT), L(DOWN32) }, 6 },
    { "shortstack", { SEL_DATA, SEL_CODE, L(STACK_SHORT), L(SHORT), L(DATA), L(DATA32) }, 4 },
    { "downstack", { SEL_DATA, SEL_CODE, L(STACK_DOWN32), SEL_DATA, L(RO), 0 }, 3 },
    { "16bit32", { SEL_DATA, L(CODE16), SEL_DATA, SEL_DATA, L(DATA), L(DATA32) }, 2 },
    { "16bitdown", { L(DOWN16), L(CODE16), L(STACK_DOWN16), L(DOWN16), L(DATA), 0 }, 2 },
    { "wrap", { L(WRAP), L(CODE16), L(STACK16), L(WRAP), L(DATA), L(RO) }, 3 },
    { "null", { 0, L(XONLY), SEL_DATA, 0, L(DATA), SEL_DATA }, 2 },
};
const unsigned world_count = sizeof worlds / sizeof *worlds;

static const LdtEntry *entry_of(uint16_t sel)
{
    return sel & 4 && sel >> 3 < LDT_COUNT ? &ldt_entries[sel >> 3] : NULL;
}
uint32_t sel_base(uint16_t sel)
{
    const LdtEntry *e = entry_of(sel);
    return e ? e->base : 0;
}
uint32_t sel_limit(uint16_t sel)
{
    const LdtEntry *e = entry_of(sel);
    return e ? e->limit : ~0u;
}
uint32_t sel_edge(uint16_t sel)
{
    const LdtEntry *e = entry_of(sel);
    return e ? e->base + e->limit + 1 : 0;
}
bool world_code32(const World *w)
{
    const LdtEntry *e = entry_of(w->sel[W_CS]);
    return !e || e->big;
}
bool world_stack32(const World *w)
{
    const LdtEntry *e = entry_of(w->sel[W_SS]);
    return !e || e->big;
}

bool world_reaches(const World *w, uint32_t lin)
{
    const LdtEntry *e = entry_of(w->sel[W_CS]);
    return !e || lin - e->base <= e->limit;
}

void memory_template(uint8_t *data, uint8_t *stack)
{
    uint32_t x = 0x12345678;
    for (unsigned i = 0; i < DATA_SIZE + STACK_SIZE; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        *(i < DATA_SIZE ? data + i : stack + i - DATA_SIZE) = (uint8_t)(x >> 11);
    }
}

static bool writable(uint32_t lin)
{
    return (lin >= DATA_BASE && lin < DATA_BASE + DATA_RW) || (lin >= STACK_BASE && lin < STACK_BASE + STACK_SIZE);
}

void memory_restore(const Case *c, uint8_t *(*at)(void *opaque, uint32_t lin), void *opaque)
{
    static uint8_t data[DATA_SIZE], stack[STACK_SIZE];
    static bool made;
    if (!made) memory_template(data, stack), made = true;
    memcpy(at(opaque, DATA_BASE), data, DATA_RW);
    memcpy(at(opaque, STACK_BASE), stack, STACK_SIZE);
    for (unsigned i = 0; i < c->n_patch; i++) {
        const Patch *p = &c->patch[i];
        for (unsigned k = 0; k < p->len; k++)
            if (writable(p->at + k)) *at(opaque, p->at + k) = p->bytes[k];
    }
}
