#include "util/commit.h"

#include <sys/mman.h>

void commit_writable(uint8_t *p, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    (void)madvise(p, bytes, MADV_POPULATE_WRITE);
#else
    (void)p, (void)bytes;
#endif
}

void commit_readable(const uint8_t *p, size_t bytes)
{
#ifdef MADV_POPULATE_READ
    (void)madvise((void *)(uintptr_t)p, bytes, MADV_POPULATE_READ);
#else
    (void)p, (void)bytes;
#endif
}

void commit_ahead(size_t *done, size_t used, size_t size, CommitFn *fn, void *opaque)
{
    const size_t piece = (size_t)1 << COMMIT_SHIFT;
    if (used + piece <= *done || *done >= size) return;
    size_t to = ((used >> COMMIT_SHIFT) + 2) << COMMIT_SHIFT;
    if (to > size) to = size;
    size_t from = *done;
    *done = to;
    fn(opaque, from, to - from);
}
