/* Keys and pointer on their way from the user to the machine.  A user interface (the window, the terminal,
 * the monitor) says what happened, from any thread; it reaches the device that takes it through the machine's
 * one door.  A device (PS/2 keyboard and mouse, absolute pointer) registers what it takes. */
#ifndef CALQUE_HW_INPUT_H
#define CALQUE_HW_INPUT_H

#include "hw/machine.h"

typedef enum Key {
#define KEY(id, name, sdl, set1, set2, set3, default3) KEY_##id,
#include "hw/keys.def"
#undef KEY
    KEY_COUNT
} Key;

/* What a key does in scan code set 3, as bits. */
enum { KEY3_MAKE_ONLY = 0, KEY3_TYPEMATIC = 1, KEY3_MAKE_BREAK = 2 };
typedef struct KeyInfo {
    const char *name;
    uint16_t sdl, set1, set2, set3;
    uint8_t default3; /* KEY3_* */
} KeyInfo;
extern const KeyInfo key_info[KEY_COUNT];

/* KEY_COUNT: there is no such key.  Names are those of keys.def, a few older ones, or "0x2a", "0x9d": a code of
 * scan code set 1, with the high bit for an extended key. */
Key key_by_name(const char *name, size_t len);
Key key_by_sdl(unsigned scancode);
/* The key of a US keyboard that gives an ASCII character; *shift, *ctrl: held with it. */
Key key_by_char(unsigned char c, bool *shift, bool *ctrl);

enum { INPUT_LEFT = 1, INPUT_RIGHT = 2, INPUT_MIDDLE = 4, INPUT_SIDE = 8, INPUT_EXTRA = 16 }; /* buttons */
enum { INPUT_SCROLL_LOCK = 1, INPUT_NUM_LOCK = 2, INPUT_CAPS_LOCK = 4 };                      /* LEDs */
enum { INPUT_ABS_MAX = 0xffff };

typedef struct Input Input;
Input *input_new(Machine *m);
void input_free(Input *in);

/* --- user interfaces, any thread ------------------------------------------------------------------- */
void input_key(Input *in, Key key, bool down);
/* Counts of motion, positive right and down; wheel detents, positive towards the user. */
void input_move(Input *in, int dx, int dy, int wheel);
void input_point(Input *in, unsigned x, unsigned y); /* on the screen, 0..INPUT_ABS_MAX each */
void input_buttons(Input *in, unsigned buttons);     /* those that are down now */
void input_release_keys(Input *in);                  /* all that are down: the window lost the focus */
bool input_is_absolute(Input *in);                   /* the guest takes input_point(): no grab is needed */
unsigned input_leds(Input *in);

/* --- devices, machine thread ------------------------------------------------------------------------- */
typedef struct KeyboardSink {
    void (*key)(void *opaque, Key key, bool down);
    void *opaque;
} KeyboardSink;
typedef struct PointerSink {
    void (*move)(void *opaque, int dx, int dy,
                 int wheel);                             /* wheel alone too; NULL for an absolute device without one */
    void (*point)(void *opaque, unsigned x, unsigned y); /* NULL: relative only */
    void (*buttons)(void *opaque, unsigned buttons);
    void *opaque;
} PointerSink;
void input_set_keyboard(Input *in, const KeyboardSink *sink);
void input_set_pointer(Input *in, const PointerSink *sink); /* the relative one */
/* The absolute one; takes precedence while it is set, NULL takes it away. */
void input_set_absolute(Input *in, const PointerSink *sink);
void input_set_leds(Input *in, unsigned leds);

#endif
