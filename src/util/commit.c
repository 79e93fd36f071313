#include "util/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/thread.h"

/* States of a piece beside COMMIT_USED.  The user changes a piece that is UNUSED or AHEAD, the thread one that is UNUSED or its own
 * (BUSY). */
enum { UNUSED = 0, AHEAD = 2, BUSY = 3 };

/* What is never used is wasted: so the thread commits what follows the latest piece, up to here, and not more altogether than one
 * part in so many of what has been used. */
enum { AHEAD_BYTES = 16 << 20, AHEAD_PART = 2 };

struct CommitThread {
    pthread_t id;
    pthread_mutex_t lock; /* for all that follows, and the area's states */
    pthread_cond_t wanted, done;
    bool quit;
    size_t latest;      /* the offset used last */
    size_t used, ahead; /* bytes */
};

/* --- the host --------------------------------------------------------------------------------------- */

static size_t whole_pages(size_t size)
{
    return (size + 4095) & ~(size_t)4095;
}

uint8_t *commit_reserve(size_t size, size_t lead)
{
    const size_t huge = (size_t)1 << HUGE_SHIFT;
    size = whole_pages(size);
    uint8_t *p = mmap(NULL, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t before = -(uintptr_t)(p + lead) & (huge - 1);
    if (before) munmap(p, before);
    munmap(p + before + size, huge - before);
    return p + before;
}

void *commit_zeroed(size_t size)
{
    size = whole_pages(size);
    uint8_t *p = commit_reserve(size, 0);
    if (!p || mprotect(p, size, PROT_READ | PROT_WRITE)) return NULL;
#ifdef MADV_HUGEPAGE
    (void)madvise(p, size, MADV_HUGEPAGE);
#endif
    return p;
}

void commit_zeroed_free(void *p, size_t size)
{
    if (p) munmap(p, whole_pages(size));
}

#ifdef MADV_POPULATE_WRITE
enum { COLLAPSE = 25 }; /* MADV_COLLAPSE, Linux 6.1: makes one huge page, from what is there and what is not yet */

/* False: not to be had.  That some of it is in use (by a disk's transfer, say) is no answer for other pieces. */
static bool make_huge(uint8_t *p)
{
    if (madvise(p, 4096, MADV_POPULATE_WRITE)) return false;
    return !madvise(p, (size_t)1 << HUGE_SHIFT, COLLAPSE) || errno == EAGAIN || errno == EBUSY;
}
static void make_writable(uint8_t *p, size_t bytes)
{
    (void)madvise(p, bytes, MADV_POPULATE_WRITE);
}
static void make_readable(const uint8_t *p, size_t bytes)
{
    (void)madvise((void *)(uintptr_t)p, bytes, MADV_POPULATE_READ);
}
#else
static bool make_huge(uint8_t *p)
{
    (void)p;
    return false;
}
static void make_writable(uint8_t *p, size_t bytes)
{
    (void)p, (void)bytes;
}
static void make_readable(const uint8_t *p, size_t bytes)
{
    (void)p, (void)bytes;
}
#endif

/* --- pieces ----------------------------------------------------------------------------------------- */

typedef struct Piece {
    size_t offset, bytes;
} Piece;

static Piece piece_at(const CommitArea *a, size_t offset)
{
    unsigned shift = a->small ? COMMIT_SHIFT : HUGE_SHIFT;
    size_t first = offset >> shift << shift, bytes = (size_t)1 << shift;
    return (Piece){ first, bytes < a->size - first ? bytes : a->size - first };
}

static uint8_t *state_of(const CommitArea *a, Piece p)
{
    return &a->state[p.offset >> COMMIT_SHIFT];
}

static void set_state(CommitArea *a, Piece p, uint8_t state)
{
    for (size_t i = 0; i < p.bytes; i += (size_t)1 << COMMIT_SHIFT)
        __atomic_store_n(state_of(a, p) + (i >> COMMIT_SHIFT), state, __ATOMIC_RELAXED);
}

/* The last piece of an area may be too short for a huge page.  False: the host refused one that was not. */
static bool commit(const CommitArea *a, Piece p, bool huge)
{
    bool whole = huge && p.bytes == (size_t)1 << HUGE_SHIFT;
    bool as_wanted = !whole || make_huge(a->memory + p.offset);
    if (!whole || !as_wanted) make_writable(a->memory + p.offset, p.bytes);
    if (a->view) make_readable(a->view + p.offset, p.bytes);
    return as_wanted;
}

/* --- ahead ------------------------------------------------------------------------------------------ */

static bool next_piece(const CommitArea *a, Piece *next)
{
    const CommitThread *t = a->thread;
    Piece p = piece_at(a, t->latest);
    for (size_t end = p.offset + AHEAD_BYTES; p.offset < end;) {
        if (p.bytes >= a->size - p.offset) return false;
        p = piece_at(a, p.offset + p.bytes);
        if (*state_of(a, p) != UNUSED) continue;
        *next = p;
        return t->ahead + p.bytes <= t->used / AHEAD_PART;
    }
    return false;
}

static void *commit_ahead(void *arg)
{
    CommitArea *a = arg;
    CommitThread *t = a->thread;
    Piece p;
    pthread_mutex_lock(&t->lock);
    while (!t->quit) {
        if (!next_piece(a, &p)) {
            pthread_cond_wait(&t->wanted, &t->lock);
            continue;
        }
        bool huge = !a->small;
        set_state(a, p, BUSY);
        pthread_mutex_unlock(&t->lock);
        bool as_wanted = commit(a, p, huge);
        pthread_mutex_lock(&t->lock);
        if (!as_wanted) a->small = true;
        set_state(a, p, AHEAD);
        t->ahead += p.bytes;
        pthread_cond_broadcast(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void free_thread(CommitArea *a)
{
    pthread_cond_destroy(&a->thread->wanted);
    pthread_cond_destroy(&a->thread->done);
    pthread_mutex_destroy(&a->thread->lock);
    free(a->thread);
    a->thread = NULL;
}

static void start_thread(CommitArea *a)
{
    a->thread = calloc(1, sizeof *a->thread);
    if (!a->thread) return;
    pthread_mutex_init(&a->thread->lock, NULL);
    pthread_cond_init(&a->thread->wanted, NULL);
    pthread_cond_init(&a->thread->done, NULL);
    if (!thread_start(&a->thread->id, commit_ahead, a)) free_thread(a);
}

static void stop_thread(CommitArea *a)
{
    pthread_mutex_lock(&a->thread->lock);
    a->thread->quit = true;
    pthread_cond_signal(&a->thread->wanted);
    pthread_mutex_unlock(&a->thread->lock);
    pthread_join(a->thread->id, NULL);
    free_thread(a);
}

/* --- for the user ------------------------------------------------------------------------------------ */

bool commit_init(CommitArea *a, uint8_t *memory, size_t size, const uint8_t *view)
{
    *a = (CommitArea){ .memory = memory, .size = size, .view = view };
    a->small = size < COMMIT_LARGE || ((uintptr_t)memory & (((uintptr_t)1 << HUGE_SHIFT) - 1));
    a->state = calloc((size >> COMMIT_SHIFT) + 1, 1);
    return a->state != NULL;
}

void commit_end(CommitArea *a)
{
    if (a->thread) stop_thread(a);
    free(a->state);
    a->state = NULL;
}

static void use_alone(CommitArea *a, size_t offset)
{
    Piece p = piece_at(a, offset);
    set_state(a, p, COMMIT_USED);
    if (!commit(a, p, !a->small)) a->small = true;
}

static void use_together(CommitArea *a, size_t offset)
{
    CommitThread *t = a->thread;
    pthread_mutex_lock(&t->lock);
    while (a->state[offset >> COMMIT_SHIFT] == BUSY) pthread_cond_wait(&t->done, &t->lock);
    Piece p = piece_at(a, offset);
    bool there = *state_of(a, p) == AHEAD, huge = !a->small;
    if (there) t->ahead -= p.bytes;
    t->used += p.bytes;
    t->latest = p.offset;
    set_state(a, p, COMMIT_USED);
    pthread_cond_signal(&t->wanted);
    pthread_mutex_unlock(&t->lock);
    if (there || commit(a, p, huge)) return;
    pthread_mutex_lock(&t->lock);
    a->small = true;
    pthread_mutex_unlock(&t->lock);
}

void commit_piece(CommitArea *a, size_t offset)
{
    if (a->size >= COMMIT_LARGE && !a->thread) start_thread(a);
    if (a->thread)
        use_together(a, offset);
    else
        use_alone(a, offset);
}
