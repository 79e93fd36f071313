/* VMware's backdoor: IN EAX, DX with DX = 5658h, EAX = 564d5868h and a command in CX passes the general registers.  Described
 * in VMware's open-source "vmmouse" driver and in Linux, drivers/input/mouse/vmmouse.c. */
#include "hw/vmmouse.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"

enum { PORT = 0x5658, MAGIC = 0x564d5868 };
enum { GET_VERSION = 0x0a, POINTER_DATA = 0x27, POINTER_STATUS = 0x28, POINTER_COMMAND = 0x29 };
enum { VERSION = 6, PRODUCT_TYPE = 2 };
/* Words to the pointer. */
enum { READ_ID = 0x45414552, DISABLE = 0x000000f5, REQUEST_RELATIVE = 0x4c455252, REQUEST_ABSOLUTE = 0x53424152 };
#define MOUSE_VERSION 0x3442554au
#define STATUS_ERROR  0xffff0000u
enum { BUTTON_MIDDLE = 0x08, BUTTON_RIGHT = 0x10, BUTTON_LEFT = 0x20 };
enum { PACKET = 4, QUEUE = 256 * PACKET };

struct VmMouse {
    Machine *machine;
    Input *input;
    I8042 *kbc;
    bool enabled, absolute, failed; /* failed: read too much; until it is enabled again */
    uint32_t x, y, buttons;
    uint32_t count;        /* words that wait */
    uint32_t queue[QUEUE]; /* the oldest first */
};

static uint32_t button_word(unsigned buttons)
{
    return (buttons & INPUT_LEFT ? BUTTON_LEFT : 0u) | (buttons & INPUT_RIGHT ? BUTTON_RIGHT : 0u) |
           (buttons & INPUT_MIDDLE ? BUTTON_MIDDLE : 0u);
}

static void put_packet(VmMouse *v, int wheel)
{
    if (!v->enabled || v->failed) return;
    if (v->count + PACKET <= QUEUE) {
        uint32_t *q = v->queue + v->count;
        q[0] = button_word(v->buttons);
        q[1] = v->x;
        q[2] = v->y;
        q[3] = (uint32_t)wheel;
        v->count += PACKET;
    }
    i8042_nudge_mouse(v->kbc);
}

/* --- the user's side ------------------------------------------------------------------------------------------ */

static void on_move(void *opaque, int dx, int dy, int wheel)
{
    (void)dx, (void)dy;
    if (wheel) put_packet(opaque, wheel);
}

static void on_point(void *opaque, unsigned x, unsigned y)
{
    VmMouse *v = opaque;
    v->x = x;
    v->y = y;
    put_packet(v, 0);
}

static void on_buttons(void *opaque, unsigned buttons)
{
    VmMouse *v = opaque;
    v->buttons = buttons;
    put_packet(v, 0);
}

static void update_sink(VmMouse *v)
{
    PointerSink sink = { .move = on_move, .point = on_point, .buttons = on_buttons, .opaque = v };
    input_set_absolute(v->input, v->enabled && v->absolute ? &sink : NULL);
}

/* --- the guest's side ----------------------------------------------------------------------------------------- */

static void enable(VmMouse *v)
{
    v->enabled = true;
    v->failed = false;
    v->count = 0;
    v->queue[v->count++] = MOUSE_VERSION;
}

static void pointer_command(VmMouse *v, uint32_t word)
{
    switch (word) {
    case READ_ID: enable(v); break;
    case DISABLE: v->enabled = v->absolute = false; break;
    case REQUEST_RELATIVE: v->absolute = false; break;
    case REQUEST_ABSOLUTE: v->absolute = true; break;
    }
    update_sink(v);
}

static uint32_t pointer_status(const VmMouse *v)
{
    return (v->enabled && !v->failed ? 0 : STATUS_ERROR) | v->count;
}

/* Up to four words into EAX, EBX, ECX, EDX; more than there are is an error that lasts. */
static uint32_t pointer_data(VmMouse *v, uint32_t *regs, uint32_t words)
{
    static const uint8_t order[] = { R_EAX, R_EBX, R_ECX, R_EDX };
    if (words < 1 || words > 4 || words > v->count) {
        v->failed = true;
        return STATUS_ERROR;
    }
    for (uint32_t i = 0; i < words; i++) regs[order[i]] = v->queue[i];
    v->count -= words;
    memmove(v->queue, v->queue + words, v->count * sizeof v->queue[0]);
    return regs[R_EAX];
}

static uint32_t backdoor(void *opaque, uint16_t port, unsigned size)
{
    (void)port;
    VmMouse *v = opaque;
    uint32_t *regs = machine_cpu(v->machine)->regs;
    if (size != 4 || regs[R_EAX] != MAGIC) return UINT32_MAX;
    switch (regs[R_ECX] & 0xffff) {
    case GET_VERSION:
        regs[R_EBX] = MAGIC;
        regs[R_ECX] = PRODUCT_TYPE;
        return VERSION;
    case POINTER_COMMAND: pointer_command(v, regs[R_EBX]); return 0;
    case POINTER_STATUS: return pointer_status(v);
    case POINTER_DATA: return pointer_data(v, regs, regs[R_EBX]);
    default: return UINT32_MAX;
    }
}

static void backdoor_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)opaque, (void)port, (void)value, (void)size;
}

static const Field vmmouse_fields[] = {
    FIELD(VmMouse, enabled), FIELD(VmMouse, absolute), FIELD(VmMouse, failed), FIELD(VmMouse, x), FIELD(VmMouse, y),
    FIELD(VmMouse, buttons), FIELD(VmMouse, count),    FIELD(VmMouse, queue),  FIELD_END,
};

static void vmmouse_reset(void *dev)
{
    VmMouse *v = dev;
    v->enabled = v->absolute = v->failed = false;
    v->count = 0;
    update_sink(v);
}

static const DeviceClass vmmouse_class = {
    .name = "vmmouse", .version = 1, .fields = vmmouse_fields, .reset = vmmouse_reset
};

VmMouse *vmmouse_new(Machine *m, Input *in, I8042 *kbc)
{
    static const IoPortOps ops = { backdoor, backdoor_write, 4 };
    VmMouse *v = hw_alloc(sizeof *v);
    v->machine = m;
    v->input = in;
    v->kbc = kbc;
    ioports_map(machine_io(m), PORT, 4, &ops, v);
    machine_add_device(m, &vmmouse_class, v);
    return v;
}

void vmmouse_free(VmMouse *v)
{
    free(v);
}
