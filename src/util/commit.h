/* Host memory that is committed ahead of its first use.
 *
 * Large memory is mapped as address space only, and the host would commit it page by page as it is touched: a page fault for each
 * 4 KiB (0.5 us at best, 10 us where the host is a virtual machine itself).  Memory that is about to be used is cheaper
 * committed in pieces, of 256 KiB, or as huge pages where the host has them, which also saves the host's TLB misses.
 * Clearing huge pages takes the host as long as a guest needs to fill them, or longer: so a thread commits those that come next. */
#ifndef CALQUE_UTIL_COMMIT_H
#define CALQUE_UTIL_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMIT_SHIFT = 18 };             /* a piece: larger ones gain nothing, they only waste */
enum { HUGE_SHIFT = 21 };               /* the host's huge page */
enum { COMMIT_USED = 1 };               /* a state of a piece; the others are commit.c's own */
#define COMMIT_LARGE ((size_t)16 << 20) /* memory of this size has huge pages, and the thread */

/* Address space, inaccessible, for something to be mapped there: size bytes, and a huge page may start at the one at lead.
 * NULL: the host has no room.  It goes by munmap(). */
uint8_t *commit_reserve(size_t size, size_t lead);

/* Zeroed memory for tables that are looked up all over, in huge pages where the host has them.  It is committed as it is touched.
 * NULL: the host has no room. */
void *commit_zeroed(size_t size);
void commit_zeroed_free(void *p, size_t size); /* p may be NULL */

typedef struct CommitThread CommitThread;
typedef struct CommitArea {
    uint8_t *state; /* by piece */
    size_t size;
    CommitThread *thread; /* NULL: not yet, or none */
    uint8_t *memory;
    const uint8_t *view;
    bool small; /* pieces cannot be huge pages */
} CommitArea;

/* size bytes of writable memory, on a page border; for huge pages on the border of one, also in the file behind it.  view: where
 * else the memory is mapped and will be read, or NULL.  False: out of memory. */
bool commit_init(CommitArea *a, uint8_t *memory, size_t size, const uint8_t *view);
/* To be called before the memory goes. */
void commit_end(CommitArea *a);

/* The byte at offset is about to be used (by the one thread that calls this), and what is around it as likely.  What the host cannot
 * do (Linux before 5.14, no memory left) is left to each page's own first touch. */
void commit_piece(CommitArea *a, size_t offset);
static inline void commit_use(CommitArea *a, size_t offset)
{
    if (a->state && __atomic_load_n(&a->state[offset >> COMMIT_SHIFT], __ATOMIC_RELAXED) != COMMIT_USED)
        commit_piece(a, offset);
}

#endif
