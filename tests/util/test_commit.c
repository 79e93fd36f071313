/* util/commit.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "util/commit.h"

enum { HUGE = 1 << HUGE_SHIFT, PAGE = 4096, AREA = 32 * HUGE };

/* Pages from p on that the host has committed. */
static unsigned resident(const uint8_t *p, size_t bytes)
{
    static unsigned char in[AREA / PAGE];
    unsigned count = 0;
    if (mincore((void *)(uintptr_t)p, bytes, in)) return 0;
    for (size_t i = 0; i < bytes / PAGE; i++) count += in[i] & 1;
    return count;
}

static bool can_populate(void)
{
    uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool can = p != MAP_FAILED && !madvise(p, PAGE, 23 /* MADV_POPULATE_WRITE */);
    if (p != MAP_FAILED) munmap(p, PAGE);
    return can;
}

static uint8_t *map_file(int fd)
{
    uint8_t *p = commit_reserve(AREA, 0);
    if (!p || mmap(p, AREA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) abort();
    return p;
}

/* The thread works by itself; it has ten seconds. */
static bool becomes_resident(const uint8_t *p, size_t bytes)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (resident(p, bytes) == bytes / PAGE) return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return false;
}

static void use(CommitArea *a, size_t from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 1 << COMMIT_SHIFT) commit_use(a, from + i);
}

static void test_reserve(void)
{
    for (size_t lead = 0; lead <= 3 * PAGE; lead += PAGE) {
        uint8_t *p = commit_reserve(3 * HUGE, lead);
        ok(p && ((uintptr_t)(p + lead) & (HUGE - 1)) == 0, "a huge page may start at +%zx", lead);
        ok(p && !munmap(p, 3 * HUGE), "and all of it is there");
    }
    ok(!commit_reserve((size_t)1 << 62, 0), "more than the host has");
}

static void test_ahead(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, AREA)) abort();
    uint8_t *p = map_file(fd), *view = map_file(fd);
    CommitArea a;
    ok(commit_init(&a, p, AREA, view) && !resident(p, AREA), "it costs nothing at first");
    for (unsigned i = 0; i < 8; i++) {
        use(&a, (size_t)i * HUGE, HUGE);
        p[i * HUGE + PAGE * i] = (uint8_t)(i + 1);
    }
    ok(resident(p, 8 * HUGE) == 8 * HUGE / PAGE, "what is used is committed");
    ok(becomes_resident(p + 8 * HUGE, 4 * HUGE), "and then half as much that follows");
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    ok(!resident(p + 12 * HUGE, AREA - 12 * HUGE), "and no more");
    memset(p + 8 * HUGE, 0xa5, 2 * HUGE);
    use(&a, 8 * HUGE, 2 * HUGE);
    ok(becomes_resident(p + 12 * HUGE, HUGE), "what is used of it makes room for more");
    commit_use(&a, AREA - 1);
    bool same = true;
    for (unsigned i = 0; i < 8; i++) same &= view[i * HUGE + PAGE * i] == i + 1;
    for (unsigned i = 0; i < 2 * HUGE; i++) same &= view[8 * HUGE + i] == 0xa5;
    ok(same, "nothing is lost by it, and the other view shows it");
    commit_end(&a);
    munmap(p, AREA);
    munmap(view, AREA);
    close(fd);
}

static void check_small(uint8_t *p, size_t size, const char *which)
{
    CommitArea a;
    ok(commit_init(&a, p, size, NULL), "%s:", which);
    commit_use(&a, HUGE);
    ok(resident(p + HUGE, PAGE), "is committed all the same");
    for (unsigned i = 4; i < 8; i++) commit_use(&a, (size_t)i * HUGE);
    ok(a.small && resident(p + 7 * HUGE, 1 << COMMIT_SHIFT) == (1 << COMMIT_SHIFT) / PAGE, "in small pieces");
    commit_use(&a, size - 1);
    ok(resident(p + size - PAGE, PAGE), "to its end");
    commit_end(&a);
}

/* Memory that does not lie as huge pages must, or not so in its file. */
static void test_small(void)
{
    enum { SIZE = 10 * HUGE };
    int fd = memfd_create("test", MFD_CLOEXEC);
    uint8_t *p = commit_reserve(SIZE + PAGE, 0);
    if (!p || fd < 0 || ftruncate(fd, AREA) || mprotect(p, SIZE + PAGE, PROT_READ | PROT_WRITE)) abort();
    check_small(p + PAGE, SIZE, "an odd address");
    if (mmap(p, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, PAGE) == MAP_FAILED) abort();
    check_small(p, SIZE, "an odd place in the file");
    munmap(p, SIZE + PAGE);
    close(fd);
}

static void test_end(void)
{
    uint8_t *p = commit_reserve(AREA, 0);
    if (mprotect(p, AREA, PROT_READ | PROT_WRITE)) abort();
    bool good = true;
    for (unsigned i = 0; i < 20; i++) {
        CommitArea a;
        good &= commit_init(&a, p, AREA, NULL);
        for (unsigned k = 0; k < i; k++) commit_use(&a, (size_t)k * HUGE);
        commit_end(&a);
    }
    ok(good, "it may end while the thread is at work");
    munmap(p, AREA);
}

int main(void)
{
    if (!can_populate()) {
        puts("1..0 # SKIP the host is too old to commit memory");
        return 0;
    }
    test_reserve();
    test_ahead();
    test_small();
    test_end();
    return tap_done();
}
