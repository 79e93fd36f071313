/* The pages of a window: 4 GiB of host address space, what of guest RAM is mapped there, and taking it away again.
 * For window*.c. */
#ifndef CALQUE_SOFTMMU_WINDOW_PAGES_H
#define CALQUE_SOFTMMU_WINDOW_PAGES_H

#include "softmmu/mmu_book.h"

#define WINDOW_SIZE  ((size_t)(UINT64_C(1) << 32)) /* 0: not on this host */
#define WINDOW_GUARD ((size_t)64 << 10)            /* an access at the very end must not leave the window */

typedef struct WinPage {
    uint32_t page;      /* linear page address; writable in bit 0 */
    uint32_t next;      /* in its hash chain, index + 1 */
    uint32_t next_host; /* in its chain by host memory */
    uintptr_t host;
} WinPage;

enum { WIN_HASH_BITS = 13, WIN_HASH = 1 << WIN_HASH_BITS };

typedef struct WinPages {
    PhysMem *phys;
    uint8_t *base; /* host address of linear address 0 */
    WinPage *entry;
    uint32_t n, max;
    uint32_t changes, max_changes; /* each may split one of the host's mappings, of which it allows some 65,000 */
    uint32_t hash[WIN_HASH], hash_host[WIN_HASH];
    uint64_t mapped, runs; /* since the start: pages, and calls to the host for them */
} WinPages;

/* base: of WINDOW_SIZE inaccessible bytes.  max: pages that may be mapped at a time; max_changes: mappings made, protected and
 * taken away until all go.  False: no memory. */
bool win_pages_init(WinPages *w, PhysMem *phys, uint8_t *base, uint32_t max, uint32_t max_changes);
void win_pages_free(WinPages *w);

/* Address space for a window with its guards and, right before those, front bytes (in whole pages): all of it inaccessible.
 * The window starts where a huge page may start.  NULL: the host has no room.  win_space_size(): what munmap() wants. */
uint8_t *win_space_reserve(size_t front);
size_t win_space_size(size_t front);

/* n pages, one behind the other in both.  When the window has no room for them all others go first. */
void win_pages_map(WinPages *w, uint32_t page, uintptr_t host, unsigned n, bool writable);
bool win_pages_has(const WinPages *w, uint32_t page, uintptr_t host, bool writable);

/* What the page tables say of a page that silicon's TLBs might know as well, since the A bits are set. */
typedef struct WinKnown {
    uintptr_t host; /* 0: not to be had */
    bool writable, global, large;
} WinKnown;
WinKnown win_known_at(Mmu *m, uint32_t page, unsigned idx);
WinKnown win_memory_at(Mmu *m, PhysAddr phys, bool may_write); /* the same of physical memory; about to be used */

/* A page, and what lies on either side of it in one piece of host memory, too, with the same rights: as likely wanted, and it costs
 * little more.  around: how far, in bytes (a power of two; aligned).  known_at: what may be had. */
void win_pages_map_around(WinPages *w, Mmu *m, uint32_t page, WinKnown at, uint32_t around,
                          WinKnown (*known_at)(Mmu *m, uint32_t page));

bool win_pages_forget(WinPages *w, uint32_t first, uint32_t bytes);   /* false: had none of them */
void win_pages_protect(WinPages *w, uintptr_t host, uintptr_t bytes); /* stores there fault from here on */
void win_pages_drop(WinPages *w);

#endif
