/* snapshot=on: a temporary layer over an image that takes all writes and vanishes with the process.
 * It is a sparse file without a name, as large as the image, and one bit for each sector that has been written. */
#ifndef CALQUE_BLOCK_OVERLAY_H
#define CALQUE_BLOCK_OVERLAY_H

#include "block/file.h"

typedef struct Overlay Overlay;
/* NULL: error says why (TMPDIR, or /var/tmp, holds the file). */
Overlay *overlay_new(uint64_t sectors, char *error, size_t error_size);
void overlay_free(Overlay *o);

/* 0 or an errno; sectors that have not been written come from base. */
int overlay_read(Overlay *o, HostFile *base, uint64_t sector, uint32_t count, void *buf);
bool overlay_read_now(Overlay *o, HostFile *base, uint64_t sector, uint32_t count, void *buf);
int overlay_write(Overlay *o, uint64_t sector, uint32_t count, const void *buf);

#endif
