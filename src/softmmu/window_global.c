/* The system's window: what the operating system's own code reaches by global pages (PTE.G), which stay as they are
 * when CR3 changes.  doc/window.txt. */
#include "softmmu/window_global.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "softmmu/window_pages.h"

/* Leak checkers look for pointers in memory of malloc(); this has some, too. */
#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define LEAK_CHECKER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECKER
#endif
#ifdef LEAK_CHECKER
#include <sanitizer/lsan_interface.h>
#define HOLDS_POINTERS(p, size)    __lsan_register_root_region(p, size)
#define HOLDS_NO_POINTERS(p, size) __lsan_unregister_root_region(p, size)
#else
#define HOLDS_POINTERS(p, size)    (void)0
#define HOLDS_NO_POINTERS(p, size) (void)0
#endif

enum {
    MAX_PAGES = 1 << 18, /* most lie in rows, and so are few mappings */
    MAX_CHANGES = 12288,
    AROUND = 2 << 20, /* bytes */
};

struct WindowGlobal {
    WinPages pages;
    /* By linear page: taken out by INVLPG, and so one of those places where a system maps what it needs for a moment (Linux's kmap
     * slots): mapping it here each time would cost more than all checks. */
    uint8_t fleeting[1 << (32 - PAGE_SHIFT - 3)];
    bool any_fleeting;
    uint64_t faults, in_vain, dropped;
};

/* The layout of one reservation: memory, a guard, the window, a guard. */
static size_t front_size(size_t size)
{
    return (size + PAGE_MASK) & ~(size_t)PAGE_MASK;
}

void *window_global_reserve(size_t size)
{
    if (!WINDOW_SIZE) return NULL;
    uint8_t *p = win_space_reserve(front_size(size));
    if (!p) return NULL;
    if (!mprotect(p, front_size(size), PROT_READ | PROT_WRITE)) {
        HOLDS_POINTERS(p, front_size(size));
        return p;
    }
    munmap(p, win_space_size(front_size(size)));
    return NULL;
}

void window_global_release(void *reserved, size_t size)
{
    HOLDS_NO_POINTERS(reserved, front_size(size));
    munmap(reserved, win_space_size(front_size(size)));
}

bool window_global_enable(Mmu *m, void *reserved, size_t size)
{
    if (m->global) return true;
    WindowGlobal *g = calloc(1, sizeof *g);
    if (!g) return false;
    if (!win_pages_init(&g->pages, m->phys, (uint8_t *)reserved + front_size(size) + WINDOW_GUARD, MAX_PAGES,
                        MAX_CHANGES)) {
        free(g);
        return false;
    }
    m->global = g;
    return true;
}

void window_global_free(Mmu *m)
{
    if (!m->global) return;
    win_pages_drop(&m->global->pages);
    win_pages_free(&m->global->pages);
    free(m->global);
    m->global = NULL;
}

uint8_t *window_global_base(const Mmu *m)
{
    return m->global ? m->global->pages.base : NULL;
}

WindowStats window_global_stats(const Mmu *m)
{
    const WindowGlobal *g = m->global;
    if (!g) return (WindowStats){ 0 };
    return (
        WindowStats){ .closed = g->dropped, .faults = g->faults, .hopeless = g->in_vain, .mapped = g->pages.mapped };
}

bool window_global_faulted(Mmu *m, uintptr_t host)
{
    WindowGlobal *g = m->global;
    if (!g || host - (uintptr_t)(g->pages.base - WINDOW_GUARD) >= WINDOW_SIZE + 2 * WINDOW_GUARD) return false;
    g->faults++;
    m->window_pending |= MMU_PENDING_GLOBAL;
    return true;
}

static bool is_fleeting(const WindowGlobal *g, uint32_t page)
{
    return g->fleeting[page >> (PAGE_SHIFT + 3)] >> (page >> PAGE_SHIFT & 7) & 1;
}

static void set_fleeting(WindowGlobal *g, uint32_t page)
{
    g->fleeting[page >> (PAGE_SHIFT + 3)] |= (uint8_t)(1u << (page >> PAGE_SHIFT & 7));
    g->any_fleeting = true;
}

static WinKnown known_at(Mmu *m, uint32_t page)
{
    WinKnown k = { 0 };
    if (!is_fleeting(m->global, page)) k = win_known_at(m, page, MMU_SUPER);
    return k.global ? k : (WinKnown){ 0 };
}

void window_global_serve(Mmu *m, const TlbEntry *e, bool global, uint32_t page, bool write)
{
    WinPages *pages = &m->global->pages;
    bool readable = e->tag_rd == page, writable = e->tag_wr == page;
    if (global && mmu_paging(m) && !is_fleeting(m->global, page) && readable && (writable || !write)) {
        WinKnown at = { .host = page + e->addend, .writable = writable };
        if (!win_pages_has(pages, page, at.host, writable)) win_pages_map_around(pages, m, page, at, AROUND, known_at);
        return;
    }
    m->global->in_vain++;
    m->window_hopeless = true;
}

void window_global_drop(Mmu *m)
{
    m->global->dropped += m->global->pages.n != 0;
    win_pages_drop(&m->global->pages);
    if (m->global->any_fleeting) memset(m->global->fleeting, 0, sizeof m->global->fleeting);
    m->global->any_fleeting = false;
}

void window_global_forget(Mmu *m, uint32_t first, uint32_t bytes)
{
    if (win_pages_forget(&m->global->pages, first, bytes) && bytes == PAGE_SIZE) set_fleeting(m->global, first);
}

void window_global_protect(Mmu *m, uintptr_t host, uintptr_t bytes)
{
    win_pages_protect(&m->global->pages, host, bytes);
}
