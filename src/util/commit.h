/* Committing host memory ahead of its first use.
 *
 * Large memory is mapped as address space only, and the host would commit it page by page as it is touched: a page fault for each
 * 4 KiB (0.5 us at best, 10 us where the host is a virtual machine itself).  Memory that is about to be used in a row is
 * cheaper committed in pieces.  (Huge pages would do it, too, but hosts mostly keep them from shared memory.) */
#ifndef CALQUE_UTIL_COMMIT_H
#define CALQUE_UTIL_COMMIT_H

#include <stddef.h>
#include <stdint.h>

enum { COMMIT_SHIFT = 18 }; /* a piece is 256 KiB: larger ones gain nothing, they only waste */

/* Commits memory that is mapped readable and writable (or only readable), p on a page border.  What the host cannot do
 * (Linux before 5.14, no memory left) is left to each page's own first touch. */
void commit_writable(uint8_t *p, size_t bytes);
void commit_readable(const uint8_t *p, size_t bytes);

/* Memory that is used from its start on.  *done of its size bytes are committed; afterwards there is at least a piece beyond
 * used. */
typedef void CommitFn(void *opaque, size_t from, size_t bytes);
void commit_ahead(size_t *done, size_t used, size_t size, CommitFn *fn, void *opaque);

#endif
