#include "block/block.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/file.h"
#include "block/overlay.h"
#include "util/thread.h"

struct BlockImage {
    BlockOptions opt;
    BlockPoster poster;
    HostFile file;
    Overlay *overlay; /* NULL: none */
    uint64_t sectors;

    /* The worker's, and the machine thread's while the worker is idle. */
    bool dirty;       /* written since the last sync */
    bool sync_failed; /* the host may have dropped what it had not written: no promise can be kept any more */

    pthread_t worker;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t work, idle;
    BlockRequest *first, **last;
    bool busy, quit;
};

/* --- execution ----------------------------------------------------------------------------------------- */

static int image_read(BlockImage *img, uint64_t sector, uint32_t count, void *buf)
{
    if (img->overlay) return overlay_read(img->overlay, &img->file, sector, count, buf);
    return host_file_read(&img->file, sector * BLOCK_SECTOR, buf, (size_t)count * BLOCK_SECTOR);
}

/* A failed read is repeated sector by sector: the guest gets what is readable, and the number of the bad one. */
static int read_request(BlockImage *img, BlockRequest *r)
{
    int error = image_read(img, r->sector, r->count, r->buf);
    r->good = error ? 0 : r->count;
    if (!error || r->count == 1) return error;
    for (uint32_t i = 0; i < r->count; i++) {
        error = image_read(img, r->sector + i, 1, (uint8_t *)r->buf + (size_t)i * BLOCK_SECTOR);
        if (error) return error;
        r->good = i + 1;
    }
    return 0;
}

/* After a failed fdatasync the host takes the lost pages for clean, and the next one would succeed. */
static int sync_image(BlockImage *img)
{
    if (img->sync_failed) return EIO;
    if (img->overlay || !img->dirty || img->opt.cache == BLOCK_CACHE_UNSAFE) return 0;
    int error = host_file_sync(&img->file);
    if (error)
        img->sync_failed = true;
    else
        img->dirty = false;
    return error;
}

static int write_request(BlockImage *img, const BlockRequest *r)
{
    if (block_is_read_only(img)) return EROFS;
    if (img->sync_failed) return EIO;
    if (img->overlay) return overlay_write(img->overlay, r->sector, r->count, r->buf);
    img->dirty = true;
    int error = host_file_write(&img->file, r->sector * BLOCK_SECTOR, r->buf, (size_t)r->count * BLOCK_SECTOR);
    if (error) return error;
    uint64_t end = (r->sector + r->count) * BLOCK_SECTOR;
    if (end > img->file.bytes) img->file.bytes = end; /* the filled-up last sector is real now */
    bool through = img->opt.cache == BLOCK_CACHE_WRITETHROUGH || img->opt.cache == BLOCK_CACHE_DIRECTSYNC;
    return r->fua || through ? sync_image(img) : 0;
}

static int discard_request(BlockImage *img, const BlockRequest *r)
{
    if (block_is_read_only(img)) return EROFS;
    if (img->overlay || !img->opt.unmap) return 0;
    if (img->sync_failed) return EIO;
    img->dirty = true;
    return host_file_discard(&img->file, r->sector * BLOCK_SECTOR, (uint64_t)r->count * BLOCK_SECTOR);
}

static void execute(BlockImage *img, BlockRequest *r)
{
    switch (r->op) {
    case BLOCK_READ: r->error = read_request(img, r); break;
    case BLOCK_WRITE: r->error = write_request(img, r); break;
    case BLOCK_DISCARD: r->error = discard_request(img, r); break;
    default: r->error = sync_image(img); break;
    }
}

static void on_done(void *arg)
{
    BlockRequest *r = arg;
    r->done(r);
}

/* The image may be closed already: then everything has been executed. */
static void on_time(void *arg)
{
    BlockRequest *r = arg;
    if (!__atomic_load_n(&r->executed, __ATOMIC_ACQUIRE)) block_drain(r->image);
    r->done(r);
}

/* From here on r is its owner's. */
static void hand_back(BlockImage *img, BlockRequest *r)
{
    if (img->poster.later)
        __atomic_store_n(&r->executed, true, __ATOMIC_RELEASE);
    else
        img->poster.post(img->poster.opaque, on_done, r);
}

static void *work(void *arg)
{
    BlockImage *img = arg;
    pthread_mutex_lock(&img->lock);
    for (;;) {
        while (!img->first && !img->quit) pthread_cond_wait(&img->work, &img->lock);
        BlockRequest *r = img->first;
        if (!r) break;
        img->first = r->next;
        if (!img->first) img->last = &img->first;
        pthread_mutex_unlock(&img->lock);
        execute(img, r);
        hand_back(img, r);
        pthread_mutex_lock(&img->lock);
        img->busy = img->first != NULL;
        if (!img->busy) pthread_cond_broadcast(&img->idle);
    }
    pthread_mutex_unlock(&img->lock);
    return NULL;
}

/* --- requests -------------------------------------------------------------------------------------------- */

static bool in_range(const BlockImage *img, uint64_t sector, uint32_t count)
{
    return sector <= img->sectors && count <= img->sectors - sector;
}

void block_submit(BlockImage *img, BlockRequest *r)
{
    r->image = img;
    r->next = NULL;
    r->error = 0;
    r->good = 0;
    r->executed = false;
    if (img->poster.later) img->poster.later(img->poster.opaque, on_time, r);
    if (r->op != BLOCK_FLUSH && !in_range(img, r->sector, r->count)) {
        r->error = EINVAL;
        hand_back(img, r);
        return;
    }
    pthread_mutex_lock(&img->lock);
    *img->last = r;
    img->last = &r->next;
    img->busy = true;
    pthread_cond_signal(&img->work);
    pthread_mutex_unlock(&img->lock);
}

bool block_read_now(BlockImage *img, uint64_t sector, uint32_t count, void *buf)
{
    if (img->poster.later || !in_range(img, sector, count)) return false;
    pthread_mutex_lock(&img->lock);
    bool busy = img->busy;
    pthread_mutex_unlock(&img->lock);
    if (busy) return false; /* a write to the same place may be among what is under way */
    if (img->overlay) return overlay_read_now(img->overlay, &img->file, sector, count, buf);
    return host_file_read_now(&img->file, sector * BLOCK_SECTOR, buf, (size_t)count * BLOCK_SECTOR);
}

int block_read_sync(BlockImage *img, uint64_t sector, uint32_t count, void *buf)
{
    if (!in_range(img, sector, count)) return EINVAL;
    block_drain(img);
    return image_read(img, sector, count, buf);
}

void block_drain(BlockImage *img)
{
    pthread_mutex_lock(&img->lock);
    while (img->busy) pthread_cond_wait(&img->idle, &img->lock);
    pthread_mutex_unlock(&img->lock);
}

int block_sync(BlockImage *img)
{
    block_drain(img);
    return sync_image(img);
}

/* --- life -------------------------------------------------------------------------------------------------- */

static void free_image(BlockImage *img)
{
    overlay_free(img->overlay);
    host_file_close(&img->file);
    pthread_cond_destroy(&img->work);
    pthread_cond_destroy(&img->idle);
    pthread_mutex_destroy(&img->lock);
    free(img);
}

BlockImage *block_open(const BlockOptions *opt, const BlockPoster *poster, char *error, size_t error_size)
{
    BlockImage *img = calloc(1, sizeof *img);
    if (!img) {
        snprintf(error, error_size, "'%s': out of memory", opt->file);
        return NULL;
    }
    if (!host_file_open(&img->file, opt, error, error_size)) {
        free(img);
        return NULL;
    }
    img->opt = *opt;
    img->poster = *poster;
    img->sectors = (img->file.bytes + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    img->last = &img->first;
    pthread_mutex_init(&img->lock, NULL);
    pthread_cond_init(&img->work, NULL);
    pthread_cond_init(&img->idle, NULL);
    if (!opt->snapshot || opt->read_only || (img->overlay = overlay_new(img->sectors, error, error_size))) {
        if (thread_start(&img->worker, work, img)) return img;
        snprintf(error, error_size, "'%s': cannot start a thread", opt->file);
    }
    free_image(img);
    return NULL;
}

void block_close(BlockImage *img)
{
    if (!img) return;
    pthread_mutex_lock(&img->lock);
    img->quit = true;
    pthread_cond_signal(&img->work);
    pthread_mutex_unlock(&img->lock);
    pthread_join(img->worker, NULL);
    sync_image(img); /* as when a real machine is switched off a while later */
    free_image(img);
}

uint64_t block_sectors(const BlockImage *img)
{
    return img->sectors;
}
bool block_is_read_only(const BlockImage *img)
{
    return img->file.read_only && !img->overlay;
}
const char *block_file(const BlockImage *img)
{
    return img->opt.file;
}
const BlockOptions *block_options(const BlockImage *img)
{
    return &img->opt;
}

const char *block_cache_name(BlockCache cache)
{
    static const char *const names[] = { "writeback", "none", "writethrough", "directsync", "unsafe" };
    return names[cache];
}
