/* The tap: one listener who hears of every write to memory before it happens, and through whom every device window
 * is reached.  Two runs of the same guest code can be compared with it, the memory put back between them. */
#include "softmmu/phys_int.h"

void phys_set_tap(PhysMem *pm, const PhysTap *tap, void *opaque)
{
    pm->tap = tap;
    pm->tap_opaque = opaque;
}

void phys_before_write(PhysMem *pm, uint8_t *host, size_t n)
{
    if (pm->tap) pm->tap->before_write(pm->tap_opaque, host, n);
}

bool phys_page_is_open(PhysMem *pm, const uint8_t *host)
{
    return !pm->tap || pm->tap->page_open(pm->tap_opaque, host);
}

const char *phys_host_name(PhysMem *pm, const uint8_t *host, uint64_t *offset)
{
    for (const PhysRegion *r = pm->regions; r; r = r->next) {
        if (!r->host || host < r->host || host >= r->host + r->size) continue;
        *offset = (uint64_t)(host - r->host);
        return r->name;
    }
    return NULL;
}

const char *phys_region_name(const PhysRegion *r)
{
    return r->name;
}
