/* The devices at the other end of the PS/2 wires: keyboard and mouse.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard" and "Mouse"; Microsoft, "IntelliMouse". */
#ifndef CALQUE_HW_PS2_H
#define CALQUE_HW_PS2_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/input.h"

/* Answers to commands go before whatever else a device has to say, and are kept apart. */
enum { PS2_ANSWERS = 8, PS2_KEYS = 17, PS2_PACKET = 4 };

typedef struct Ps2Queue {
    uint8_t head, count;
    uint8_t byte[PS2_KEYS]; /* the largest */
} Ps2Queue;

/* Where a device tells that it has something to send. */
typedef struct Ps2Wire {
    void (*ready)(void *opaque);
    void (*leds)(void *opaque, unsigned leds); /* keyboard: INPUT_*_LOCK; may be NULL */
    void *opaque;
} Ps2Wire;

typedef struct Ps2Keyboard {
    Machine *machine;
    Timer *typematic;
    Ps2Wire wire;
    uint8_t command;   /* one that waits for its argument byte, or 0 */
    uint8_t last_sent; /* for Resend */
    Ps2Queue answers, keys;
    bool enabled; /* scanning */
    uint8_t leds, scan_set, rate;
    uint8_t type3[KEY_COUNT]; /* KEY3_* */
    bool down[KEY_COUNT];
    uint8_t repeating; /* key + 1 that the typematic timer repeats, 0: none */
    uint64_t repeat_at;
} Ps2Keyboard;

typedef struct Ps2Mouse {
    Machine *machine;
    Timer *sampling;
    Ps2Wire wire;
    uint8_t command, last_sent;
    Ps2Queue answers, packet;
    bool enabled; /* data reporting */
    uint8_t rate; /* samples per second */
    uint8_t resolution;
    uint8_t id;         /* 0; 3: with wheel; 4: with wheel and five buttons */
    uint8_t knocked[3]; /* the last three sample rates set, oldest first */
    bool scaling_2to1, remote, wrap;
    uint8_t buttons, sent_buttons;
    uint32_t dx, dy, dz; /* movement not told yet, two's complement; dy counts upwards */
    uint64_t sample_at;  /* not before this is the next packet sent */
} Ps2Mouse;

/* Power-on state, silent. */
void ps2_keyboard_init(Ps2Keyboard *k, Machine *m, Ps2Wire wire);
void ps2_keyboard_reset(Ps2Keyboard *k);
void ps2_keyboard_free(Ps2Keyboard *k);
void ps2_keyboard_write(Ps2Keyboard *k, uint8_t v);        /* a byte from the host; answers are queued */
bool ps2_keyboard_read(Ps2Keyboard *k, uint8_t *v);        /* false: nothing to send */
bool ps2_keyboard_waiting(const Ps2Keyboard *k);           /* there is */
void ps2_keyboard_key(Ps2Keyboard *k, Key key, bool down); /* pressed or let go */

void ps2_mouse_init(Ps2Mouse *m, Machine *machine, Ps2Wire wire);
void ps2_mouse_reset(Ps2Mouse *m);
void ps2_mouse_free(Ps2Mouse *m);
void ps2_mouse_write(Ps2Mouse *m, uint8_t v);
bool ps2_mouse_read(Ps2Mouse *m, uint8_t *v);
bool ps2_mouse_waiting(const Ps2Mouse *m);
void ps2_mouse_move(Ps2Mouse *m, int dx, int dy, int wheel); /* as input_move() */
void ps2_mouse_buttons(Ps2Mouse *m, unsigned buttons);       /* INPUT_LEFT... */
void ps2_mouse_nudge(Ps2Mouse *m); /* a packet without news: an absolute pointer beside it has some */

/* False: full, the byte is lost. */
static inline bool ps2_put(Ps2Queue *q, unsigned size, uint8_t v)
{
    if (q->count >= size) return false;
    q->byte[(q->head + q->count++) % sizeof q->byte] = v;
    return true;
}
static inline bool ps2_get(Ps2Queue *q, uint8_t *v)
{
    if (!q->count) return false;
    *v = q->byte[q->head % sizeof q->byte];
    q->head = (uint8_t)((q->head + 1) % sizeof q->byte);
    q->count--;
    return true;
}

#define PS2_QUEUE_FIELDS(S, q) FIELD(S, q.head), FIELD(S, q.count), FIELD(S, q.byte)
#define PS2_KEYBOARD_FIELDS(S, k)                                                                                      \
    FIELD(S, k.command), FIELD(S, k.last_sent), PS2_QUEUE_FIELDS(S, k.answers), PS2_QUEUE_FIELDS(S, k.keys),           \
        FIELD(S, k.enabled), FIELD(S, k.leds), FIELD(S, k.scan_set), FIELD(S, k.rate), FIELD(S, k.type3),              \
        FIELD(S, k.down), FIELD(S, k.repeating), FIELD(S, k.repeat_at)
#define PS2_MOUSE_FIELDS(S, m)                                                                                         \
    FIELD(S, m.command), FIELD(S, m.last_sent), PS2_QUEUE_FIELDS(S, m.answers), PS2_QUEUE_FIELDS(S, m.packet),         \
        FIELD(S, m.enabled), FIELD(S, m.rate), FIELD(S, m.resolution), FIELD(S, m.id), FIELD(S, m.knocked),            \
        FIELD(S, m.scaling_2to1), FIELD(S, m.remote), FIELD(S, m.wrap), FIELD(S, m.buttons), FIELD(S, m.sent_buttons), \
        FIELD(S, m.dx), FIELD(S, m.dy), FIELD(S, m.dz), FIELD(S, m.sample_at)

#endif
