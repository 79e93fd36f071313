/* The two 8237A DMA controllers of a PC, as the PIIX3 has them (82371SB data sheet, "DMA controller"), with their page
 * registers.  Channels 0-3 move bytes; the second controller's channel 4 is the cascade of the first, and 5-7 move
 * 16-bit words. */
#ifndef CALQUE_HW_I8237_H
#define CALQUE_HW_I8237_H

#include "hw/machine.h"

typedef enum DmaType {
    DMA_VERIFY,      /* addresses only: a device's bytes are dropped, and what it takes is all ones */
    DMA_TO_MEMORY,   /* the mode register's "write" */
    DMA_FROM_MEMORY, /* the mode register's "read" */
} DmaType;

/* DACK: moves up to n bytes (n > 0, even on channels 5-7) between buf and the device, and says how many it did; 0
 * when it has nothing to move.  tc: with the last of these n bytes goes the terminal count.  May lower DREQ,
 * and raise it. */
typedef uint32_t DmaMove(void *opaque, uint8_t *buf, uint32_t n, DmaType type, bool tc);

typedef struct I8237 I8237;
I8237 *i8237_new(Machine *m); /* ports 0-1fh, c0h-dfh, and the page registers among 81h-8fh */
void i8237_free(I8237 *dma);
/* The device on a channel (0-3, 5-7); move NULL: disconnected. */
void i8237_connect(I8237 *dma, unsigned channel, DmaMove *move, void *opaque);
/* While it is high, the device is asked to move() as soon as the guest has made its channel ready: before this
 * returns, if it is. */
void i8237_set_dreq(I8237 *dma, unsigned channel, bool level);

#endif
