/* One raw file or block device of the host, in bytes. */
#ifndef CALQUE_BLOCK_FILE_H
#define CALQUE_BLOCK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block/block.h"

typedef struct HostFile {
    int fd;
    int direct_fd;  /* the same file past the page cache, or -1 */
    uint64_t bytes; /* size when opened; reads past it give zeros */
    uint16_t
        cd_data_at; /* raw CD sectors: where each one's 2048 bytes of data are; bytes counts those.  0: plain bytes */
    bool read_only;
    bool no_discard;  /* the host cannot take back what the guest gives up */
    bool no_read_now; /* the host cannot say what it has in its page cache */
} HostFile;

bool host_file_open(HostFile *f, const BlockOptions *opt, char *error, size_t error_size);
void host_file_close(HostFile *f);

/* 0 or an errno.  Any thread. */
int host_file_read(const HostFile *f, uint64_t at, void *buf, size_t len);
int host_file_write(const HostFile *f, uint64_t at, const void *buf, size_t len);
int host_file_sync(const HostFile *f);
/* Gives the range back to the host, where it can take it (a hole in the file, a disk's TRIM); 0 as well where it cannot. */
int host_file_discard(HostFile *f, uint64_t at, uint64_t len);
/* True: all of it was in the page cache. */
bool host_file_read_now(HostFile *f, uint64_t at, void *buf, size_t len);

#endif
