/* IBM PS/2 Hardware Interface Technical Reference, "Keyboard" and "Mouse". */
#include "hw/ps2.h"

#include <stddef.h>

enum { ACK = 0xfa, RESEND = 0xfe, ECHO = 0xee, TEST_PASSED = 0xaa, MOUSE_ID = 0, DEFAULT_RATE = 0x2b };

static void queue(Ps2Device *d, uint8_t v)
{
    if (d->count == PS2_QUEUE) return;
    d->queue[(d->head + d->count++) % PS2_QUEUE] = v;
}

static void set_defaults(Ps2Device *d)
{
    d->scan_set = 2;
    d->rate = d->mouse ? 100 : DEFAULT_RATE;
    d->resolution = 2;
    d->scaling_2to1 = d->remote = d->wrap = false;
}

void ps2_init(Ps2Device *d, bool mouse)
{
    *d = (Ps2Device){ .mouse = mouse, .enabled = !mouse };
    set_defaults(d);
}

bool ps2_read(Ps2Device *d, uint8_t *v)
{
    if (!d->count) return false;
    *v = d->last_sent = d->queue[d->head];
    d->head = (d->head + 1) % PS2_QUEUE;
    d->count--;
    return true;
}

static void reset_device(Ps2Device *d)
{
    d->count = 0;
    queue(d, ACK);
    queue(d, TEST_PASSED);
    if (d->mouse) queue(d, MOUSE_ID);
    d->leds = 0;
    d->enabled = !d->mouse;
    set_defaults(d);
}

/* --- keyboard ------------------------------------------------------------------------------------------ */

static void kbd_argument(Ps2Device *d, uint8_t command, uint8_t v)
{
    queue(d, ACK);
    if (command == 0xed)
        d->leds = v & 7;
    else if (command == 0xf3)
        d->rate = v & 0x7f;
    else if (command == 0xf0 && v == 0)
        queue(d, d->scan_set);
    else if (command == 0xf0 && v <= 3)
        d->scan_set = v;
}

static void kbd_command(Ps2Device *d, uint8_t v)
{
    switch (v) {
    case 0xed: /* set LEDs */
    case 0xf0: /* scan code set */
    case 0xf3: /* typematic rate */
    case 0xfb: /* key types of set 3: one key follows */
    case 0xfc:
    case 0xfd:
        d->command = v;
        queue(d, ACK);
        break;
    case 0xee: queue(d, ECHO); break;
    case 0xf2: /* identify */
        queue(d, ACK);
        queue(d, 0xab);
        queue(d, 0x83);
        break;
    case 0xf4: /* enable */
    case 0xf5: /* default and disable */
    case 0xf6: /* default */
        if (v != 0xf4) set_defaults(d);
        if (v != 0xf6) d->enabled = v == 0xf4;
        queue(d, ACK);
        break;
    case 0xf7: /* key types of set 3: all keys */
    case 0xf8:
    case 0xf9:
    case 0xfa: queue(d, ACK); break;
    case 0xfe: queue(d, d->last_sent); break;
    case 0xff: reset_device(d); break;
    default: queue(d, RESEND);
    }
}

/* --- mouse --------------------------------------------------------------------------------------------- */

static void mouse_argument(Ps2Device *d, uint8_t command, uint8_t v)
{
    queue(d, ACK);
    if (command == 0xe8)
        d->resolution = v & 3;
    else
        d->rate = v;
}

static void mouse_status(Ps2Device *d)
{
    queue(d, ACK);
    queue(d, (uint8_t)(d->remote << 6 | d->enabled << 5 | d->scaling_2to1 << 4));
    queue(d, d->resolution);
    queue(d, d->rate);
}

static void mouse_packet(Ps2Device *d)
{
    queue(d, ACK);
    queue(d, 8); /* no buttons, not moved */
    queue(d, 0);
    queue(d, 0);
}

static void mouse_command(Ps2Device *d, uint8_t v)
{
    if (d->wrap && v != 0xec && v != 0xff) { /* echo everything but "leave" and "reset" */
        queue(d, v);
        return;
    }
    switch (v) {
    case 0xe6:
    case 0xe7:
        d->scaling_2to1 = v == 0xe7;
        queue(d, ACK);
        break;
    case 0xe8: /* resolution */
    case 0xf3: /* sample rate */
        d->command = v;
        queue(d, ACK);
        break;
    case 0xe9: mouse_status(d); break;
    case 0xea:
    case 0xf0:
        d->remote = v == 0xf0;
        queue(d, ACK);
        break;
    case 0xeb: mouse_packet(d); break;
    case 0xec:
    case 0xee:
        d->wrap = v == 0xee;
        queue(d, ACK);
        break;
    case 0xf2:
        queue(d, ACK);
        queue(d, MOUSE_ID);
        break;
    case 0xf4:
    case 0xf5:
        d->enabled = v == 0xf4;
        queue(d, ACK);
        break;
    case 0xf6:
        set_defaults(d);
        d->enabled = false;
        queue(d, ACK);
        break;
    case 0xfe: queue(d, d->last_sent); break;
    case 0xff: reset_device(d); break;
    default: queue(d, RESEND);
    }
}

void ps2_write(Ps2Device *d, uint8_t v)
{
    uint8_t command = d->command;
    d->command = 0;
    /* A command where an argument is expected ends the wait (mouse arguments are all below e6h). */
    bool argument = command && v < (d->mouse ? 0xe6 : 0xed);
    if (!d->mouse) {
        argument ? kbd_argument(d, command, v) : kbd_command(d, v);
    } else {
        argument ? mouse_argument(d, command, v) : mouse_command(d, v);
    }
}
