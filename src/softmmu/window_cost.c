/* What a window's page costs on this host. */
#include "softmmu/window_cost.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/phys.h"
#include "util/host_time.h"

enum {
    PAGES = 16,
    ROUNDS = 6,   /* the best one counts: others may have had the processor in between */
    APART = 128,  /* pages: four share one of the host's page tables, which costs something, too */
    GUESS = 5000, /* ns */
    LEAST = 500,
    MOST = 100000,
};
static const size_t round_size = (size_t)PAGES * APART * PAGE_SIZE;

static bool take_away(uint8_t *at)
{
    return mmap(at, round_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

/* As window_pages.c does it. */
static bool map_and_touch(uint8_t *at, int fd)
{
    for (unsigned i = 0; i < PAGES; i++) {
        uint8_t *page = at + (size_t)i * APART * PAGE_SIZE;
        off_t offset = (off_t)(PAGES - 1 - i) * PAGE_SIZE;
        int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
        if (mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE, flags, fd, offset) == MAP_FAILED) return false;
        *(volatile uint8_t *)page;
    }
    return true;
}

/* Each round at addresses of its own: a host that is a virtual machine may know those of the one before.  0: it would not. */
static uint64_t best_round(uint8_t *at, int fd)
{
    uint64_t best = UINT64_MAX;
    for (unsigned round = 0; round < ROUNDS; round++, at += round_size) {
        uint64_t start = host_ns();
        if (!map_and_touch(at, fd) || !take_away(at)) return 0;
        uint64_t took = host_ns() - start;
        if (took < best) best = took;
    }
    return best;
}

unsigned window_page_ns(void)
{
    uint64_t took = 0;
    int fd = memfd_create("calque-cost", MFD_CLOEXEC);
    const size_t size = ROUNDS * round_size;
    void *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fd >= 0 && at != MAP_FAILED && !ftruncate(fd, (off_t)PAGES * PAGE_SIZE)) took = best_round(at, fd);
    if (at != MAP_FAILED) munmap(at, size);
    if (fd >= 0) close(fd);
    if (!took) return GUESS;
    uint64_t ns = took / PAGES;
    return ns < LEAST ? LEAST : ns > MOST ? MOST : (unsigned)ns;
}
