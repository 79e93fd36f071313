/* Bytes on their way out of the machine thread to a file descriptor that may be slow.
 *
 * A guest prints byte by byte, and a terminal may be stopped with Ctrl-S for hours.  So a device only
 * ever copies into a ring, and a thread of the queue's own writes.  When the ring is full the device
 * waits, which slows a guest that prints faster than a pipe's reader reads; but when for two seconds
 * nobody reads, the oldest bytes are dropped until somebody does. */
#ifndef CALQUE_UI_OUTQUEUE_H
#define CALQUE_UI_OUTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct OutQueue OutQueue;
OutQueue *outqueue_new(int fd, bool close_fd); /* NULL: no memory */
void outqueue_write(OutQueue *q, const uint8_t *buf, size_t n);
/* Returns when all is written, or when for two seconds nothing could be. */
void outqueue_flush(OutQueue *q);
void outqueue_free(OutQueue *q); /* flushes; no writes may be under way */

#endif
