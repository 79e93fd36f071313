/* The mouse, with the wheel and the two more buttons of Microsoft's IntelliMouse and IntelliMouse Explorer, which a driver
 * wakes by setting the sample rates 200, 100, 80 or 200, 200, 80.  IBM PS/2 Hardware Interface Technical
 * Reference, "Mouse". */
#include "hw/ps2.h"

enum { ACK = 0xfa, RESEND = 0xfe, TEST_PASSED = 0xaa };
enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_FIVE_BUTTONS = 4 };
enum { DEFAULT_RATE = 100, MOVE_MAX = 255, WHEEL_MAX = 7 };
enum { PACKET_ALWAYS_1 = 8, PACKET_X_SIGN = 0x10, PACKET_Y_SIGN = 0x20 };

static void answer(Ps2Mouse *m, uint8_t v)
{
    ps2_put(&m->answers, PS2_ANSWERS, v);
}

static void set_defaults(Ps2Mouse *m)
{
    m->rate = DEFAULT_RATE;
    m->resolution = 2;
    m->scaling_2to1 = m->remote = m->wrap = m->enabled = false;
}

static void forget_movement(Ps2Mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->packet.count = 0;
    timer_cancel(m->sampling);
}

/* --- packets ----------------------------------------------------------------------------------------------- */

/* Takes what fits into a packet out of a counter. */
static int take(uint32_t *counter, int max)
{
    int all = (int)*counter, part = all > max ? max : all < -max ? -max : all;
    *counter -= (uint32_t)part;
    return part;
}

/* Scaling 2:1, as the reference's table has it. */
static int scale(const Ps2Mouse *m, int v)
{
    static const uint8_t small[] = { 0, 1, 1, 3, 6, 9 };
    int n = v < 0 ? -v : v;
    if (!m->scaling_2to1 || m->remote) return v;
    n = n < (int)sizeof small ? small[n] : 2 * n;
    if (n > MOVE_MAX) n = MOVE_MAX;
    return v < 0 ? -n : n;
}

static void put_wheel(Ps2Mouse *m, Ps2Queue *q, unsigned size)
{
    if (m->id == ID_PLAIN) {
        m->dz = 0;
        return;
    }
    int z = take(&m->dz, WHEEL_MAX);
    /* A wheel alone has a byte; with five buttons their two bits stand above four of the wheel. */
    if (m->id == ID_WHEEL)
        ps2_put(q, size, (uint8_t)z);
    else
        ps2_put(q, size, (uint8_t)((z & 0xf) | (m->buttons & (INPUT_SIDE | INPUT_EXTRA)) << 1));
}

static void put_packet(Ps2Mouse *m, Ps2Queue *q, unsigned size)
{
    int x = scale(m, take(&m->dx, MOVE_MAX)), y = scale(m, take(&m->dy, MOVE_MAX));
    m->sent_buttons = m->buttons;
    ps2_put(q, size,
            (uint8_t)(PACKET_ALWAYS_1 | (m->buttons & 7) | (x < 0 ? PACKET_X_SIGN : 0) | (y < 0 ? PACKET_Y_SIGN : 0)));
    ps2_put(q, size, (uint8_t)x);
    ps2_put(q, size, (uint8_t)y);
    put_wheel(m, q, size);
}

static bool has_news(const Ps2Mouse *m)
{
    return m->dx || m->dy || m->dz || m->buttons != m->sent_buttons;
}

static bool streaming(const Ps2Mouse *m)
{
    return m->enabled && !m->remote && !m->wrap;
}

/* At most `rate` packets a second, and never a second one before the first has been read. */
static void sample(Ps2Mouse *m)
{
    if (!streaming(m) || m->packet.count || !has_news(m)) return;
    uint64_t now = clock_now(m->machine);
    if (now < m->sample_at) {
        timer_set(m->sampling, m->sample_at);
        return;
    }
    put_packet(m, &m->packet, PS2_PACKET);
    m->sample_at = now + UINT64_C(1000000000) / (m->rate ? m->rate : DEFAULT_RATE);
    m->wire.ready(m->wire.opaque);
}

static void on_sampling(void *opaque)
{
    sample(opaque);
}

void ps2_mouse_move(Ps2Mouse *m, int dx, int dy, int wheel)
{
    if (!m->enabled && !m->remote) return; /* a mouse that is off does not count */
    m->dx += (uint32_t)dx;
    m->dy -= (uint32_t)dy;
    if (m->id != ID_PLAIN) m->dz += (uint32_t)wheel;
    sample(m);
}

void ps2_mouse_buttons(Ps2Mouse *m, unsigned buttons)
{
    unsigned known = m->id == ID_FIVE_BUTTONS ? 0x1f : 7;
    m->buttons = (uint8_t)(buttons & known);
    sample(m);
}

void ps2_mouse_nudge(Ps2Mouse *m)
{
    if (!streaming(m) || m->packet.count) return;
    put_packet(m, &m->packet, PS2_PACKET);
    m->wire.ready(m->wire.opaque);
}

/* --- commands ---------------------------------------------------------------------------------------------- */

static void set_rate(Ps2Mouse *m, uint8_t rate)
{
    static const struct {
        uint8_t knock[3], id;
    } knocks[] = { { { 200, 100, 80 }, ID_WHEEL }, { { 200, 200, 80 }, ID_FIVE_BUTTONS } };
    m->rate = rate;
    m->knocked[0] = m->knocked[1];
    m->knocked[1] = m->knocked[2];
    m->knocked[2] = rate;
    for (unsigned i = 0; i < sizeof knocks / sizeof knocks[0]; i++) {
        const uint8_t *k = knocks[i].knock;
        if (k[0] == m->knocked[0] && k[1] == m->knocked[1] && k[2] == m->knocked[2]) m->id = knocks[i].id;
    }
}

static void argument(Ps2Mouse *m, uint8_t command, uint8_t v)
{
    answer(m, ACK);
    if (command == 0xe8)
        m->resolution = v & 3;
    else
        set_rate(m, v);
}

static void status(Ps2Mouse *m)
{
    unsigned left = m->buttons & INPUT_LEFT, right = m->buttons & INPUT_RIGHT, middle = m->buttons & INPUT_MIDDLE;
    answer(m, ACK);
    answer(m, (uint8_t)(m->remote << 6 | m->enabled << 5 | m->scaling_2to1 << 4 | (left ? 4 : 0) | (middle ? 2 : 0) |
                        (right ? 1 : 0)));
    answer(m, m->resolution);
    answer(m, m->rate);
}

static void reset_command(Ps2Mouse *m)
{
    m->answers.count = 0;
    forget_movement(m);
    set_defaults(m);
    m->id = ID_PLAIN;
    answer(m, ACK);
    answer(m, TEST_PASSED);
    answer(m, m->id);
}

static void command(Ps2Mouse *m, uint8_t v)
{
    switch (v) {
    case 0xe6: /* scaling 1:1 */
    case 0xe7: /* 2:1 */
        m->scaling_2to1 = v == 0xe7;
        answer(m, ACK);
        break;
    case 0xe8: /* resolution */
    case 0xf3: /* sample rate */
        m->command = v;
        answer(m, ACK);
        break;
    case 0xe9: status(m); break;
    case 0xea: /* stream mode */
    case 0xf0: /* remote mode */
        m->remote = v == 0xf0;
        forget_movement(m);
        answer(m, ACK);
        break;
    case 0xeb: /* read data */
        answer(m, ACK);
        put_packet(m, &m->answers, PS2_ANSWERS);
        break;
    case 0xec: /* leave wrap mode */
    case 0xee: /* wrap mode */
        m->wrap = v == 0xee;
        forget_movement(m);
        answer(m, ACK);
        break;
    case 0xf2:
        answer(m, ACK);
        answer(m, m->id);
        break;
    case 0xf4:
    case 0xf5:
        m->enabled = v == 0xf4;
        forget_movement(m);
        answer(m, ACK);
        break;
    case 0xf6:
        forget_movement(m);
        set_defaults(m);
        answer(m, ACK);
        break;
    case 0xfe: answer(m, m->last_sent); break;
    case 0xff: reset_command(m); break;
    default: answer(m, RESEND);
    }
}

void ps2_mouse_write(Ps2Mouse *m, uint8_t v)
{
    uint8_t waiting = m->command;
    m->command = 0;
    if (m->wrap && v != 0xec && v != 0xff) /* echo everything but "leave" and "reset" */
        answer(m, v);
    else if (waiting && v < 0xe6) /* a command where an argument is expected ends the wait */
        argument(m, waiting, v);
    else
        command(m, v);
}

bool ps2_mouse_waiting(const Ps2Mouse *m)
{
    return m->answers.count || m->packet.count;
}

bool ps2_mouse_read(Ps2Mouse *m, uint8_t *v)
{
    if (!ps2_get(&m->answers, v)) {
        if (!ps2_get(&m->packet, v)) return false;
        if (!m->packet.count) sample(m);
    }
    m->last_sent = *v;
    return true;
}

/* --- life -------------------------------------------------------------------------------------------------- */

void ps2_mouse_reset(Ps2Mouse *m)
{
    timer_cancel(m->sampling);
    *m = (Ps2Mouse){ .machine = m->machine, .sampling = m->sampling, .wire = m->wire, .buttons = m->buttons & 7 };
    m->sent_buttons = m->buttons;
    set_defaults(m);
}

void ps2_mouse_init(Ps2Mouse *m, Machine *machine, Ps2Wire wire)
{
    *m = (Ps2Mouse){ .machine = machine, .wire = wire };
    m->sampling = timer_new(machine, on_sampling, m);
    ps2_mouse_reset(m);
}

void ps2_mouse_free(Ps2Mouse *m)
{
    timer_free(m->sampling);
}
