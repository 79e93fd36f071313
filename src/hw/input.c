#include "hw/input.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"

const KeyInfo key_info[KEY_COUNT] = {
#define KEY(id, name, sdl, set1, set2, set3, default3) { name, sdl, set1, set2, set3, KEY3_##default3 },
#include "hw/keys.def"
#undef KEY
};

struct Input {
    Machine *machine;
    KeyboardSink keyboard;
    PointerSink pointer, absolute;
    bool down[KEY_COUNT];
    unsigned buttons;
    atomic_bool is_absolute;
    atomic_uint leds;
};

/* --- names -------------------------------------------------------------------------------------------------- */

static bool same(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && memcmp(name, text, len) == 0;
}

static Key key_by_set1(unsigned code)
{
    unsigned set1 = code & 0x80 ? 0xe000 | (code & 0x7f) : code;
    for (int i = 0; i < KEY_COUNT; i++)
        if (key_info[i].set1 == set1) return (Key)i;
    return KEY_COUNT;
}

static Key key_by_number(const char *text, size_t len)
{
    char digits[8], *end;
    if (len < 3 || len >= sizeof digits || text[0] != '0' || (text[1] | 0x20) != 'x') return KEY_COUNT;
    memcpy(digits, text, len);
    digits[len] = 0;
    unsigned long v = strtoul(digits, &end, 16);
    return *end || v > 0xff ? KEY_COUNT : key_by_set1((unsigned)v);
}

Key key_by_name(const char *text, size_t len)
{
    static const struct {
        const char *name;
        Key key;
    } also[] = {
        { "sysrq", KEY_PRINT },        { "asterisk", KEY_KP_MULTIPLY },
        { "kp_return", KEY_KP_ENTER }, { "win", KEY_META_L },
        { "altgr", KEY_ALT_R },        { "compose", KEY_MENU },
        { "space", KEY_SPC },          { "enter", KEY_RET },
        { "escape", KEY_ESC },         { "hiragana", KEY_KATAKANAHIRAGANA },
    };
    for (int i = 0; i < KEY_COUNT; i++)
        if (same(key_info[i].name, text, len)) return (Key)i;
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++)
        if (same(also[i].name, text, len)) return also[i].key;
    return key_by_number(text, len);
}

Key key_by_sdl(unsigned scancode)
{
    for (int i = 0; scancode && i < KEY_COUNT; i++)
        if (key_info[i].sdl == scancode) return (Key)i;
    return KEY_COUNT;
}

Key key_by_char(unsigned char c, bool *shift, bool *ctrl)
{
    static const char plain[] = "`1234567890-=[]\\;',./ \t\r\n\b\x7f\x1b";
    static const char shifted[] = "~!@#$%^&*()_+{}|:\"<>?";
    static const Key keys[] = {
        KEY_GRAVE_ACCENT,
        KEY_1,
        KEY_2,
        KEY_3,
        KEY_4,
        KEY_5,
        KEY_6,
        KEY_7,
        KEY_8,
        KEY_9,
        KEY_0,
        KEY_MINUS,
        KEY_EQUAL,
        KEY_BRACKET_LEFT,
        KEY_BRACKET_RIGHT,
        KEY_BACKSLASH,
        KEY_SEMICOLON,
        KEY_APOSTROPHE,
        KEY_COMMA,
        KEY_DOT,
        KEY_SLASH,
        KEY_SPC,
        KEY_TAB,
        KEY_RET,
        KEY_RET,
        KEY_BACKSPACE,
        KEY_BACKSPACE,
        KEY_ESC,
    };
    *shift = *ctrl = false;
    if (!c || c >= 0x80) return KEY_COUNT;
    const char *at = strchr(plain, c);
    if (at) return keys[at - plain];
    if ((at = strchr(shifted, c))) {
        *shift = true;
        return keys[at - shifted];
    }
    if (c < 0x20) { /* Ctrl and a letter */
        *ctrl = true;
        c |= 0x60;
    }
    *shift = c >= 'A' && c <= 'Z';
    char letter = (char)(c | 0x20);
    return key_by_name(&letter, 1);
}

/* --- what happened, from any thread, through the one door --------------------------------------------------- */

typedef enum Kind { KIND_KEY, KIND_MOVE, KIND_POINT, KIND_BUTTONS, KIND_RELEASE } Kind;
typedef struct InputEvent {
    Input *in;
    Kind kind;
    int a, b, c;
} InputEvent;

static void take_key(Input *in, Key key, bool down)
{
    in->down[key] = down;
    if (in->keyboard.key) in->keyboard.key(in->keyboard.opaque, key, down);
}

static void release_keys(Input *in)
{
    for (int i = 0; i < KEY_COUNT; i++)
        if (in->down[i]) take_key(in, (Key)i, false);
}

static PointerSink *active_pointer(Input *in)
{
    return in->absolute.point ? &in->absolute : &in->pointer;
}

static void on_event(void *opaque)
{
    InputEvent *e = opaque;
    Input *in = e->in;
    PointerSink *p = active_pointer(in);
    switch (e->kind) {
    case KIND_KEY: take_key(in, (Key)e->a, e->b != 0); break;
    case KIND_MOVE:
        if (p->move) p->move(p->opaque, e->a, e->b, e->c);
        break;
    case KIND_POINT:
        if (p->point) p->point(p->opaque, (unsigned)e->a, (unsigned)e->b);
        break;
    case KIND_BUTTONS:
        in->buttons = (unsigned)e->a;
        if (p->buttons) p->buttons(p->opaque, in->buttons);
        break;
    case KIND_RELEASE: release_keys(in); break;
    }
    free(e);
}

static void post(Input *in, Kind kind, int a, int b, int c)
{
    InputEvent *e = hw_alloc(sizeof *e);
    *e = (InputEvent){ .in = in, .kind = kind, .a = a, .b = b, .c = c };
    machine_post(in->machine, on_event, e);
}

void input_key(Input *in, Key key, bool down)
{
    if (key < KEY_COUNT) post(in, KIND_KEY, (int)key, down, 0);
}
void input_move(Input *in, int dx, int dy, int wheel)
{
    post(in, KIND_MOVE, dx, dy, wheel);
}
void input_point(Input *in, unsigned x, unsigned y)
{
    if (x > INPUT_ABS_MAX) x = INPUT_ABS_MAX;
    if (y > INPUT_ABS_MAX) y = INPUT_ABS_MAX;
    post(in, KIND_POINT, (int)x, (int)y, 0);
}
void input_buttons(Input *in, unsigned buttons)
{
    post(in, KIND_BUTTONS, (int)(buttons & 0x1f), 0, 0);
}
void input_release_keys(Input *in)
{
    post(in, KIND_RELEASE, 0, 0, 0);
}

bool input_is_absolute(Input *in)
{
    return atomic_load(&in->is_absolute);
}
unsigned input_leds(Input *in)
{
    return atomic_load(&in->leds);
}

/* --- devices ------------------------------------------------------------------------------------------------- */

void input_set_keyboard(Input *in, const KeyboardSink *sink)
{
    in->keyboard = sink ? *sink : (KeyboardSink){ 0 };
}
void input_set_pointer(Input *in, const PointerSink *sink)
{
    in->pointer = sink ? *sink : (PointerSink){ 0 };
}

void input_set_absolute(Input *in, const PointerSink *sink)
{
    in->absolute = sink ? *sink : (PointerSink){ 0 };
    atomic_store(&in->is_absolute, in->absolute.point != NULL);
}

void input_set_leds(Input *in, unsigned leds)
{
    atomic_store(&in->leds, leds);
}

Input *input_new(Machine *m)
{
    Input *in = hw_alloc(sizeof *in);
    in->machine = m;
    return in;
}

void input_free(Input *in)
{
    free(in);
}
