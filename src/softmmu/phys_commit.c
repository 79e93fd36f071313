/* RAM is committed in pieces, each when the first page of it is to be used: a machine of 4 GiB costs the host what its guest
 * uses, and a guest that touches one page will touch its neighbours (util/commit.h). */
#include <stdlib.h>

#include "softmmu/phys_int.h"

/* Regions of a piece or less are left alone. */
void phys_commit_track(PhysRegion *r)
{
    if (r->size >> COMMIT_SHIFT > 1) r->committed = calloc((r->size >> COMMIT_SHIFT) + 1, 1);
}

void phys_commit_piece(PhysRegion *r, uint64_t offset)
{
    uint64_t first = offset >> COMMIT_SHIFT << COMMIT_SHIFT, bytes = (uint64_t)1 << COMMIT_SHIFT;
    if (bytes > r->size - first) bytes = r->size - first;
    r->committed[offset >> COMMIT_SHIFT] = 1;
    commit_writable(r->host + first, (size_t)bytes);
}

void phys_commit(PhysMem *pm, PhysAddr page)
{
    PhysPage p = phys_find(pm, page);
    if (p.kind == PHYS_RAM) phys_commit_at(p.region, p.offset);
}
