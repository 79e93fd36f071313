/* Who may open one image at the same time: any number of readers, or one writer. */
#ifndef CALQUE_BLOCK_LOCK_H
#define CALQUE_BLOCK_LOCK_H

#include <stdbool.h>

typedef enum ImageLock {
    IMAGE_LOCKED,
    IMAGE_BUSY,
    IMAGE_UNLOCKABLE, /* this file system has no locks */
} ImageLock;
/* Holds as long as fd's open file description is open. */
ImageLock image_lock(int fd, bool write);

#endif
