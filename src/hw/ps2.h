/* The devices at the other end of the PS/2 wires: keyboard and mouse, as far as their command languages go.
 * Host input is not connected to them yet. */
#ifndef CALQUE_HW_PS2_H
#define CALQUE_HW_PS2_H

#include <stdbool.h>
#include <stdint.h>

enum { PS2_QUEUE = 16 };

typedef struct Ps2Device {
    bool mouse;
    uint8_t command;   /* one that waits for its argument byte, or 0 */
    uint8_t last_sent; /* for Resend */
    uint8_t head, count;
    uint8_t queue[PS2_QUEUE];
    bool enabled;                 /* keyboard: scanning; mouse: data reporting */
    uint8_t leds, scan_set, rate; /* rate: typematic, or mouse samples per second */
    uint8_t resolution;
    bool scaling_2to1, remote, wrap;
} Ps2Device;

void ps2_init(Ps2Device *d, bool mouse); /* power-on state, silent */
/* A byte from the host; answers are queued. */
void ps2_write(Ps2Device *d, uint8_t v);
/* False: nothing to send. */
bool ps2_read(Ps2Device *d, uint8_t *v);

#endif
