/* The keyboard: command language, scan code sets 1 to 3, typematic repeat.  IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard (101- and 102-key)". */
#include "hw/ps2.h"

#include <string.h>

enum { ACK = 0xfa, RESEND = 0xfe, ECHO = 0xee, TEST_PASSED = 0xaa, DEFAULT_RATE = 0x2b, BREAK = 0xf0 };
enum { KEY_BUFFER = PS2_KEYS - 1 }; /* one place more for the overrun code */
enum { SEQUENCE_MAX = 8 };

static void answer(Ps2Keyboard *k, uint8_t v)
{
    ps2_put(&k->answers, PS2_ANSWERS, v);
}

static void stop_repeat(Ps2Keyboard *k)
{
    k->repeating = 0;
    timer_cancel(k->typematic);
}

static void set_defaults(Ps2Keyboard *k)
{
    stop_repeat(k);
    k->scan_set = 2;
    k->rate = DEFAULT_RATE;
    for (int i = 0; i < KEY_COUNT; i++) k->type3[i] = key_info[i].default3;
}

static void set_leds(Ps2Keyboard *k, uint8_t leds)
{
    k->leds = leds;
    if (k->wire.leds) k->wire.leds(k->wire.opaque, leds);
}

/* --- scan codes -------------------------------------------------------------------------------------------- */

typedef struct Sequence {
    unsigned n;
    uint8_t byte[SEQUENCE_MAX];
} Sequence;

static void add_code(Sequence *s, unsigned set, uint16_t code, bool down)
{
    if (code >> 8) s->byte[s->n++] = (uint8_t)(code >> 8);
    if (!down && set != 1) s->byte[s->n++] = BREAK;
    s->byte[s->n++] = (uint8_t)(!down && set == 1 ? code | 0x80 : code);
}

static bool held(const Ps2Keyboard *k, Key left, Key right)
{
    return k->down[left] || k->down[right];
}

/* Told at once, and never released; with Ctrl it is Break. */
static void pause_sequence(const Ps2Keyboard *k, Sequence *s)
{
    static const uint8_t set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
    static const uint8_t set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
    uint16_t with_ctrl = k->scan_set == 1 ? key_info[KEY_PAUSE].set1 : key_info[KEY_PAUSE].set2;
    if (held(k, KEY_CTRL, KEY_CTRL_R)) {
        add_code(s, k->scan_set, with_ctrl, true);
        add_code(s, k->scan_set, with_ctrl, false);
        return;
    }
    s->n = k->scan_set == 1 ? sizeof set1 : sizeof set2;
    memcpy(s->byte, k->scan_set == 1 ? set1 : set2, s->n);
}

/* Wrapped in a shift that is not there, so that an 84-key keyboard's driver sees Shift and *; with Alt it is SysRq. */
static void print_sequence(const Ps2Keyboard *k, Sequence *s, bool down)
{
    bool set1 = k->scan_set == 1;
    uint16_t star = set1 ? 0xe037 : 0xe07c, shift = set1 ? 0xe02a : 0xe012;
    bool bare = !held(k, KEY_CTRL, KEY_CTRL_R) && !held(k, KEY_SHIFT, KEY_SHIFT_R);
    if (held(k, KEY_ALT, KEY_ALT_R)) {
        add_code(s, k->scan_set, set1 ? key_info[KEY_PRINT].set1 : key_info[KEY_PRINT].set2, down);
        return;
    }
    if (bare && down) add_code(s, k->scan_set, shift, true);
    add_code(s, k->scan_set, star, down);
    if (bare && !down) add_code(s, k->scan_set, shift, false);
}

static void sequence_of(const Ps2Keyboard *k, Sequence *s, Key key, bool down)
{
    const KeyInfo *info = &key_info[key];
    uint16_t code = k->scan_set == 1 ? info->set1 : k->scan_set == 2 ? info->set2 : info->set3;
    if (k->scan_set == 3) {
        if (code && (down || k->type3[key] & KEY3_MAKE_BREAK)) add_code(s, 3, code, down);
    } else if (key == KEY_PAUSE) {
        if (down) pause_sequence(k, s);
    } else if (key == KEY_PRINT) {
        print_sequence(k, s, down);
    } else if (code) {
        add_code(s, k->scan_set, code, down);
    }
}

/* All of a sequence or the overrun code. */
static void send_key(Ps2Keyboard *k, Key key, bool down)
{
    Sequence s = { 0 };
    sequence_of(k, &s, key, down);
    if (!s.n) return;
    if (k->keys.count + s.n <= KEY_BUFFER) {
        for (unsigned i = 0; i < s.n; i++) ps2_put(&k->keys, KEY_BUFFER, s.byte[i]);
    } else if (k->keys.count <= KEY_BUFFER) {
        uint8_t overrun = k->scan_set == 1 ? 0xff : 0x00;
        uint8_t last = k->keys.byte[(k->keys.head + k->keys.count - 1u) % sizeof k->keys.byte];
        if (last != overrun) ps2_put(&k->keys, PS2_KEYS, overrun);
    }
    k->wire.ready(k->wire.opaque);
}

/* --- typematic --------------------------------------------------------------------------------------------- */

/* Set Typematic Rate: bits 6-5 the delay in steps of 250 ms, period (8 + bits 2-0) * 2^(bits 4-3) / 240 s. */
static uint64_t repeat_delay(const Ps2Keyboard *k)
{
    return ((k->rate >> 5 & 3) + 1) * UINT64_C(250000000);
}
static uint64_t repeat_period(const Ps2Keyboard *k)
{
    return ((8 + (k->rate & 7u)) << (k->rate >> 3 & 3)) * UINT64_C(1000000000) / 240;
}

static void repeat_in(Ps2Keyboard *k, uint64_t ns)
{
    k->repeat_at = clock_now(k->machine) + ns;
    timer_set(k->typematic, k->repeat_at);
}

static void on_typematic(void *opaque)
{
    Ps2Keyboard *k = opaque;
    if (!k->repeating) return;
    /* What is not read yet is not made longer: a guest that was busy does not get a hundred keys at once. */
    if (!k->keys.count) send_key(k, (Key)(k->repeating - 1), true);
    repeat_in(k, repeat_period(k));
}

static bool repeats(const Ps2Keyboard *k, Key key)
{
    return k->scan_set == 3 ? k->type3[key] & KEY3_TYPEMATIC : key != KEY_PAUSE;
}

void ps2_keyboard_key(Ps2Keyboard *k, Key key, bool down)
{
    if (key >= KEY_COUNT || k->down[key] == down) return;
    k->down[key] = down;
    if (!k->enabled) return;
    if (k->repeating && (down || k->repeating == key + 1)) stop_repeat(k);
    send_key(k, key, down);
    if (!down || !repeats(k, key)) return;
    k->repeating = (uint8_t)(key + 1);
    repeat_in(k, repeat_delay(k));
}

/* --- commands ---------------------------------------------------------------------------------------------- */

static void drop_keys(Ps2Keyboard *k)
{
    k->keys.count = 0;
    stop_repeat(k);
}

static void set_all_types(Ps2Keyboard *k, uint8_t type)
{
    memset(k->type3, type, sizeof k->type3);
}

static uint8_t type_of_command(uint8_t command)
{
    static const uint8_t types[] = { KEY3_TYPEMATIC, KEY3_MAKE_BREAK, KEY3_MAKE_ONLY,
                                     KEY3_TYPEMATIC | KEY3_MAKE_BREAK };
    return types[(command - 0xf7) & 3];
}

/* FBh-FDh: keys by their set 3 code, until a command comes. */
static void set_one_type(Ps2Keyboard *k, uint8_t command, uint8_t code)
{
    for (int i = 0; i < KEY_COUNT; i++)
        if (code && key_info[i].set3 == code) k->type3[i] = type_of_command((uint8_t)(command - 4));
    k->command = command;
}

static void argument(Ps2Keyboard *k, uint8_t command, uint8_t v)
{
    answer(k, ACK);
    switch (command) {
    case 0xed: set_leds(k, v & 7); break;
    case 0xf3: k->rate = v & 0x7f; break;
    case 0xf0:
        if (v == 0) answer(k, k->scan_set);
        if (v >= 1 && v <= 3) {
            drop_keys(k);
            k->scan_set = v;
        }
        break;
    default: set_one_type(k, command, v);
    }
}

static void reset_command(Ps2Keyboard *k)
{
    k->answers.count = 0;
    drop_keys(k);
    set_leds(k, 0);
    set_defaults(k);
    k->enabled = true;
    answer(k, ACK);
    answer(k, TEST_PASSED);
}

static void command(Ps2Keyboard *k, uint8_t v)
{
    switch (v) {
    case 0xed: /* set LEDs */
    case 0xf0: /* scan code set */
    case 0xf3: /* typematic rate */
    case 0xfb: /* key types of set 3, key by key */
    case 0xfc:
    case 0xfd:
        k->command = v;
        answer(k, ACK);
        break;
    case 0xee: answer(k, ECHO); break;
    case 0xf2: /* identify */
        answer(k, ACK);
        answer(k, 0xab);
        answer(k, 0x83);
        break;
    case 0xf4: /* enable */
    case 0xf5: /* default and disable */
    case 0xf6: /* default */
        drop_keys(k);
        if (v != 0xf4) set_defaults(k);
        if (v != 0xf6) k->enabled = v == 0xf4;
        answer(k, ACK);
        break;
    case 0xf7: /* key types of set 3, all keys */
    case 0xf8:
    case 0xf9:
    case 0xfa:
        set_all_types(k, type_of_command(v));
        answer(k, ACK);
        break;
    case 0xfe: answer(k, k->last_sent); break;
    case 0xff: reset_command(k); break;
    default: answer(k, RESEND);
    }
}

void ps2_keyboard_write(Ps2Keyboard *k, uint8_t v)
{
    uint8_t waiting = k->command;
    k->command = 0;
    /* A command where an argument is expected ends the wait. */
    if (waiting && v < 0xed)
        argument(k, waiting, v);
    else
        command(k, v);
}

bool ps2_keyboard_waiting(const Ps2Keyboard *k)
{
    return k->answers.count || k->keys.count;
}

bool ps2_keyboard_read(Ps2Keyboard *k, uint8_t *v)
{
    if (!ps2_get(&k->answers, v) && !ps2_get(&k->keys, v)) return false;
    k->last_sent = *v;
    return true;
}

/* --- life -------------------------------------------------------------------------------------------------- */

void ps2_keyboard_reset(Ps2Keyboard *k)
{
    Ps2Keyboard fresh = { .machine = k->machine, .typematic = k->typematic, .wire = k->wire, .enabled = true };
    /* Fingers stay where they are; a key let go later is told, as by a real keyboard. */
    memcpy(fresh.down, k->down, sizeof fresh.down);
    *k = fresh;
    set_defaults(k);
    set_leds(k, 0);
}

void ps2_keyboard_init(Ps2Keyboard *k, Machine *m, Ps2Wire wire)
{
    *k = (Ps2Keyboard){ .machine = m, .wire = wire };
    k->typematic = timer_new(m, on_typematic, k);
    ps2_keyboard_reset(k);
}

void ps2_keyboard_free(Ps2Keyboard *k)
{
    timer_free(k->typematic);
}
