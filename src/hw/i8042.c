/* IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
 * A byte the guest writes is taken at once (the input buffer is never seen full).  The controller's own
 * answers enter the output buffer as soon as that is empty; a device's next byte takes its time on the wire, so
 * that a chain of interrupt handlers that each read port 60h sees the same byte. */
#include "hw/i8042.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"
#include "hw/ps2.h"

enum { ST_OBF = 1, ST_SYS = 4, ST_COMMAND = 8, ST_UNLOCKED = 0x10, ST_AUX = 0x20 };
enum { CB_IRQ1 = 1, CB_IRQ12 = 2, CB_SYS = 4, CB_KBD_OFF = 0x10, CB_AUX_OFF = 0x20, CB_TRANSLATE = 0x40 };
enum { P2_NOT_RESET = 1, P2_A20 = 2, P2_OBF = 0x10, P2_AUX_OBF = 0x20, P2_DATA = 0xc0 };
enum { SELF_TEST_PASSED = 0x55, CONTROLLER_QUEUE = 4 };
enum { WIRE_NS = 500000 }; /* 11 bits at the upper end of the clock's range, rounded down */

struct I8042 {
    Machine *machine;
    I8042Lines lines;
    uint8_t ram[32];                 /* ram[0] is the command byte */
    uint8_t output_port;             /* P2 without the OBF bits */
    uint8_t pending;                 /* command that waits for a byte at port 60h */
    uint8_t out;                     /* output buffer */
    bool full, from_aux;             /* its status */
    bool last_was_command, breaking; /* breaking: the translation has seen f0h */
    /* Answers of the controller that wait for the buffer: byte, and whether it counts as the mouse's. */
    uint8_t queued, answer[CONTROLLER_QUEUE];
    bool answer_aux[CONTROLLER_QUEUE];
    uint64_t wire_free_at; /* no device's byte comes before */
    Timer *wire;
    Input *input;
    Ps2Keyboard kbd;
    Ps2Mouse aux;
};

/* Scan code set 2 to set 1.  Codes above 84h stand for themselves. */
static const uint8_t set2_to_set1[0x85] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, /* 00 */
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, /* 10 */
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, /* 20 */
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, /* 30 */
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, /* 40 */
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, /* 50 */
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, /* 60 */
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, /* 70 */
    0x80, 0x81, 0x82, 0x41, 0x54,                                                                   /* 80 */
};

static void update_irqs(I8042 *k)
{
    irq_set(&k->lines.irq1, k->full && !k->from_aux && (k->ram[0] & CB_IRQ1));
    irq_set(&k->lines.irq12, k->full && k->from_aux && (k->ram[0] & CB_IRQ12));
}

static void fill(I8042 *k, uint8_t v, bool aux)
{
    k->out = v;
    k->full = true;
    k->from_aux = aux;
}

static bool fill_from_keyboard(I8042 *k)
{
    uint8_t v;
    if ((k->ram[0] & CB_KBD_OFF) || !ps2_keyboard_read(&k->kbd, &v)) return false;
    if (k->ram[0] & CB_TRANSLATE) {
        if (v == 0xf0) {
            k->breaking = true;
            return fill_from_keyboard(k); /* the prefix becomes bit 7 of the next code */
        }
        if (v < sizeof set2_to_set1) v = set2_to_set1[v];
        if (k->breaking) v |= 0x80;
        k->breaking = false;
    }
    fill(k, v, false);
    return true;
}

static bool fill_from_mouse(I8042 *k)
{
    uint8_t v;
    if ((k->ram[0] & CB_AUX_OFF) || !ps2_mouse_read(&k->aux, &v)) return false;
    fill(k, v, true);
    return true;
}

static bool fill_from_controller(I8042 *k)
{
    if (!k->queued) return false;
    fill(k, k->answer[0], k->answer_aux[0]);
    k->queued--;
    for (unsigned i = 0; i < k->queued; i++) {
        k->answer[i] = k->answer[i + 1];
        k->answer_aux[i] = k->answer_aux[i + 1];
    }
    return true;
}

static bool device_waits(const I8042 *k)
{
    return (!(k->ram[0] & CB_KBD_OFF) && ps2_keyboard_waiting(&k->kbd)) ||
           (!(k->ram[0] & CB_AUX_OFF) && ps2_mouse_waiting(&k->aux));
}

static void refill(void *opaque)
{
    I8042 *k = opaque;
    if (!k->full && !fill_from_controller(k) && device_waits(k)) {
        if (clock_now(k->machine) < k->wire_free_at)
            timer_set(k->wire, k->wire_free_at);
        else if (!fill_from_keyboard(k))
            fill_from_mouse(k);
    }
    update_irqs(k);
}

/* The controller's own answers wait behind a byte that has not been read, before the devices'. */
static void answer(I8042 *k, uint8_t v, bool aux)
{
    if (k->queued == CONTROLLER_QUEUE) return;
    k->answer[k->queued] = v;
    k->answer_aux[k->queued++] = aux;
}

static void write_output_port(I8042 *k, uint8_t v)
{
    k->output_port = v & (uint8_t) ~(P2_OBF | P2_AUX_OBF);
    irq_set(&k->lines.a20, v & P2_A20);
    if (!(v & P2_NOT_RESET)) machine_request(k->machine, MACHINE_RESET, 0);
}

static uint8_t read_output_port(const I8042 *k)
{
    return k->output_port | (k->full && !k->from_aux ? P2_OBF : 0) | (k->full && k->from_aux ? P2_AUX_OBF : 0);
}

static uint8_t status(const I8042 *k)
{
    return (uint8_t)((k->full ? ST_OBF : 0) | (k->ram[0] & CB_SYS ? ST_SYS : 0) |
                     (k->last_was_command ? ST_COMMAND : 0) | ST_UNLOCKED | (k->full && k->from_aux ? ST_AUX : 0));
}

/* --- port 64h ------------------------------------------------------------------------------------------ */

static void self_test(I8042 *k)
{
    k->queued = 0;
    k->full = false;
    k->ram[0] = (k->ram[0] | CB_SYS | CB_KBD_OFF | CB_AUX_OFF) & (uint8_t) ~(CB_IRQ1 | CB_IRQ12);
    answer(k, SELF_TEST_PASSED, false);
}

static void command(I8042 *k, uint8_t v)
{
    k->pending = 0;
    if (v >= 0x20 && v <= 0x3f) {
        answer(k, k->ram[v & 0x1f], false);
        return;
    }
    if ((v >= 0x60 && v <= 0x7f) || (v >= 0xd1 && v <= 0xd4)) {
        k->pending = v;
        return;
    }
    if (v >= 0xf0) { /* pulse the P2 lines whose bit is 0: bit 0 is the CPU's reset */
        if (!(v & 1)) machine_request(k->machine, MACHINE_RESET, 0);
        return;
    }
    switch (v) {
    case 0xa7: k->ram[0] |= CB_AUX_OFF; break;
    case 0xa8: k->ram[0] &= (uint8_t)~CB_AUX_OFF; break;
    case 0xa9: /* interface tests: no error */
    case 0xab: answer(k, 0, false); break;
    case 0xaa: self_test(k); break;
    case 0xad: k->ram[0] |= CB_KBD_OFF; break;
    case 0xae: k->ram[0] &= (uint8_t)~CB_KBD_OFF; break;
    case 0xc0: answer(k, 0x80, false); break; /* input port: keyboard not inhibited */
    case 0xd0: answer(k, read_output_port(k), false); break;
    case 0xdd: write_output_port(k, k->output_port & (uint8_t)~P2_A20); break;
    case 0xdf: write_output_port(k, k->output_port | P2_A20); break;
    case 0xe0: answer(k, 0, false); break; /* test inputs: both clocks low */
    default: break;                        /* undefined codes do nothing */
    }
}

/* --- port 60h ------------------------------------------------------------------------------------------ */

static void data(I8042 *k, uint8_t v)
{
    uint8_t pending = k->pending;
    k->pending = 0;
    switch (pending) {
    case 0xd1: write_output_port(k, v); break;
    case 0xd2: answer(k, v, false); break;
    case 0xd3: answer(k, v, true); break;
    case 0xd4:
        k->ram[0] &= (uint8_t)~CB_AUX_OFF; /* sending to a device enables its wire */
        ps2_mouse_write(&k->aux, v);
        break;
    case 0:
        k->ram[0] &= (uint8_t)~CB_KBD_OFF;
        ps2_keyboard_write(&k->kbd, v);
        break;
    default: k->ram[pending & 0x1f] = v;
    }
}

static uint32_t kbc_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    I8042 *k = opaque;
    if (port == 0x64) return status(k);
    uint8_t v = k->out;
    if (k->full) k->wire_free_at = clock_now(k->machine) + WIRE_NS;
    k->full = false;
    update_irqs(k); /* the line falls before the next byte raises it */
    refill(k);
    return v;
}

static void kbc_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)size;
    I8042 *k = opaque;
    k->last_was_command = port == 0x64;
    if (k->last_was_command)
        command(k, (uint8_t)value);
    else
        data(k, (uint8_t)value);
    refill(k);
}

static const Field kbc_fields[] = {
    FIELD(I8042, ram),
    FIELD(I8042, output_port),
    FIELD(I8042, pending),
    FIELD(I8042, out),
    FIELD(I8042, full),
    FIELD(I8042, from_aux),
    FIELD(I8042, last_was_command),
    FIELD(I8042, breaking),
    FIELD(I8042, queued),
    FIELD(I8042, answer),
    FIELD(I8042, answer_aux),
    FIELD(I8042, wire_free_at),
    PS2_KEYBOARD_FIELDS(I8042, kbd),
    PS2_MOUSE_FIELDS(I8042, aux),
    FIELD_END,
};

/* A20 comes up enabled: the machine starts where a BIOS would have enabled it. */
static void kbc_reset(void *dev)
{
    I8042 *k = dev;
    timer_cancel(k->wire);
    memset(k->ram, 0, sizeof k->ram);
    k->ram[0] = CB_IRQ1 | CB_SYS | CB_AUX_OFF | CB_TRANSLATE;
    k->output_port = P2_NOT_RESET | P2_A20 | P2_DATA;
    k->pending = k->out = k->queued = 0;
    k->full = k->from_aux = k->last_was_command = k->breaking = false;
    k->wire_free_at = 0;
    ps2_keyboard_reset(&k->kbd);
    ps2_mouse_reset(&k->aux);
    irq_set(&k->lines.a20, true);
    update_irqs(k);
}

static const DeviceClass kbc_class = { .name = "i8042", .version = 1, .fields = kbc_fields, .reset = kbc_reset };

/* --- the user's side --------------------------------------------------------------------------------------- */

static void on_key(void *opaque, Key key, bool down)
{
    ps2_keyboard_key(&((I8042 *)opaque)->kbd, key, down);
}
static void on_move(void *opaque, int dx, int dy, int wheel)
{
    ps2_mouse_move(&((I8042 *)opaque)->aux, dx, dy, wheel);
}
static void on_buttons(void *opaque, unsigned buttons)
{
    ps2_mouse_buttons(&((I8042 *)opaque)->aux, buttons);
}

static void on_leds(void *opaque, unsigned leds)
{
    I8042 *k = opaque;
    if (k->input) input_set_leds(k->input, leds);
}

void i8042_attach_input(I8042 *k, Input *in)
{
    k->input = in;
    input_set_keyboard(in, &(KeyboardSink){ .key = on_key, .opaque = k });
    input_set_pointer(in, &(PointerSink){ .move = on_move, .buttons = on_buttons, .opaque = k });
}

void i8042_nudge_mouse(I8042 *k)
{
    ps2_mouse_nudge(&k->aux);
}

I8042 *i8042_new(Machine *m, I8042Lines lines)
{
    static const IoPortOps ops = { kbc_read, kbc_write, 1 };
    I8042 *k = hw_alloc(sizeof *k);
    k->machine = m;
    k->lines = lines;
    k->wire = timer_new(m, refill, k);
    ps2_keyboard_init(&k->kbd, m, (Ps2Wire){ .ready = refill, .leds = on_leds, .opaque = k });
    ps2_mouse_init(&k->aux, m, (Ps2Wire){ .ready = refill, .opaque = k });
    ioports_map(machine_io(m), 0x60, 1, &ops, k);
    ioports_map(machine_io(m), 0x64, 1, &ops, k);
    kbc_reset(k);
    machine_add_device(m, &kbc_class, k);
    return k;
}

void i8042_free(I8042 *k)
{
    if (!k) return;
    timer_free(k->wire);
    ps2_keyboard_free(&k->kbd);
    ps2_mouse_free(&k->aux);
    free(k);
}
