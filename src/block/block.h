/* Disk images: what stands behind a drive's medium.  An image is a raw file or a block device of the host; its requests
 * are executed, in the order of their submission, by a worker thread of its own, so that a slow host disk never
 * keeps the guest's processor waiting.
 *
 * Everything here is called on the machine thread.  block knows no machine: the poster is how a finished
 * request finds its way back to that thread (machine_post). */
#ifndef CALQUE_BLOCK_BLOCK_H
#define CALQUE_BLOCK_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOCK_SECTOR = 512 };

/* cache= : what a write's completion promises.  In all but UNSAFE a flush is an fdatasync. */
typedef enum BlockCache {
    BLOCK_CACHE_WRITEBACK,    /* the host's page cache has it (default) */
    BLOCK_CACHE_NONE,         /* past the page cache (O_DIRECT); the disk's own cache may have it */
    BLOCK_CACHE_WRITETHROUGH, /* it is on the disk */
    BLOCK_CACHE_DIRECTSYNC,   /* past the page cache, and on the disk */
    BLOCK_CACHE_UNSAFE,       /* flushes are ignored */
} BlockCache;

/* An image that the program carries in itself: bytes, then zeros up to total. */
typedef struct BlockBuiltIn {
    const uint8_t *bytes;
    size_t size, total;
} BlockBuiltIn;

typedef struct BlockOptions {
    const char *file;             /* with built_in, only what it is called */
    const BlockBuiltIn *built_in; /* NULL: a file; else it is read-only, and borrowed */
    BlockCache cache;
    bool read_only;
    bool snapshot;   /* writes go to a temporary overlay that vanishes with the image; file is only read */
    bool raw_format; /* the user said format=raw: no look at what the file might be */
    bool unmap;      /* discard=unmap: what the guest gives up goes back to the host */
    bool cd;         /* a CD or DVD: raw sectors of 2352 bytes are taken as the 2048 bytes of data in them */
    bool removable;  /* a file that cannot be written is taken read-only (CD, floppy) instead of refused */
} BlockOptions;

typedef struct BlockPoster {
    void (*post)(void *opaque, void (*fn)(void *arg), void *arg); /* from any thread */
    /* May be NULL.  Else called when a request is submitted instead of post() when it is finished: fn(arg), on the machine
     * thread, waits for it.  So the guest sees it done at a time that does not depend on the host. */
    void (*later)(void *opaque, void (*fn)(void *arg), void *arg);
    void *opaque;
} BlockPoster;

typedef struct BlockImage BlockImage;
/* NULL: error says why in one line that names the file.  Options are copied, but the file's name is borrowed.
 * Two images of one file, in this or another process, are refused if one of them writes. */
BlockImage *block_open(const BlockOptions *opt, const BlockPoster *poster, char *error, size_t error_size);
/* Waits for the requests under way.  Their done() may still be in the poster's queue: they stay the caller's. */
void block_close(BlockImage *img);

/* In sectors; an odd size is rounded up, and the missing bytes read as zeros. */
uint64_t block_sectors(const BlockImage *img);
bool block_is_read_only(const BlockImage *img);
const char *block_file(const BlockImage *img);
const BlockOptions *block_options(const BlockImage *img);
const char *block_cache_name(BlockCache cache);

/* DISCARD: the sectors may read as anything from now on; without unmap, and in an overlay, nothing happens. */
typedef enum BlockOp { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD } BlockOp;
/* Filled by the caller, who leaves it and the buffer alone until done() runs, through the poster. */
typedef struct BlockRequest BlockRequest;
struct BlockRequest {
    uint8_t op; /* BlockOp */
    bool fua;   /* a write that is on the disk when it is done */
    uint64_t sector;
    uint32_t count; /* sectors; all of them must exist */
    void *buf;
    void (*done)(BlockRequest *r);
    void *opaque;
    int error;          /* an errno, or 0 */
    uint32_t good;      /* with an error: sectors before the one that failed (reads; a lower bound for writes) */
    BlockRequest *next; /* block's own */
    bool executed;      /* with later(): set by the worker, atomic */
    BlockImage *image;
};
void block_submit(BlockImage *img, BlockRequest *r);
/* A read that the host's page cache can answer is answered at once: true, and done() will not be called.
 * False: nothing has happened (always with a poster that has later()). */
bool block_read_now(BlockImage *img, uint64_t sector, uint32_t count, void *buf);
/* On the calling thread, after what has been submitted: an errno or 0.  For boot time (partition tables). */
int block_read_sync(BlockImage *img, uint64_t sector, uint32_t count, void *buf);
/* All submitted requests are executed (their done() may still be queued). */
void block_drain(BlockImage *img);
/* And on the disk: 0 or an errno. */
int block_sync(BlockImage *img);

#endif
