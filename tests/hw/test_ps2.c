/* Keyboard, mouse and absolute pointer, from the user's side to the ports.  IBM PS/2 Hardware Interface Technical
 * Reference; Microsoft's IntelliMouse; VMware's backdoor. */
#include "hw/i8042.h"
#include "hw/vmmouse.h"
#include <string.h>

#include "fake.h"

static Fake f;
static Input *in;
static I8042 *kbc;

static const uint64_t MS = 1000000;

static void wait_ms(unsigned ms)
{
    fake_run(&f, ms * MS, MS / 4);
}

static int get(void)
{
    for (int i = 0; i < 8 && !(in8(&f, 0x64) & 1); i++) fake_jump(&f, MS / 4);
    return in8(&f, 0x64) & 1 ? in8(&f, 0x60) : -1;
}

static void drain(void)
{
    while (get() >= 0) {
    }
}

/* The bytes that come now are these, and no more. */
static void expect(const char *what, int n, const uint8_t *want)
{
    bool same = true;
    for (int i = 0; i < n; i++) {
        int got = get();
        if (got == want[i]) continue;
        diag("byte %d: got %#x, want %#x", i, (unsigned)got, want[i]);
        same = false;
    }
    int more = get();
    if (more >= 0) diag("%#x follows", (unsigned)more);
    ok(same && more < 0, "%s", what);
}
#define EXPECT(what, ...)                                                                                              \
    do {                                                                                                               \
        static const uint8_t want_[] = { __VA_ARGS__ };                                                                \
        expect(what, (int)sizeof want_, want_);                                                                        \
    } while (0)

static void command_byte(uint8_t v)
{
    out8(&f, 0x64, 0x60);
    out8(&f, 0x60, v);
}
static void to_keyboard(uint8_t v)
{
    out8(&f, 0x60, v);
}
static void to_mouse(uint8_t v)
{
    out8(&f, 0x64, 0xd4);
    out8(&f, 0x60, v);
}

static void key(Key k, bool down)
{
    input_key(in, k, down);
    machine_poll(f.m);
}
static void tap(Key k)
{
    key(k, true);
    key(k, false);
}
static void set(uint8_t n)
{
    to_keyboard(0xf0);
    to_keyboard(n);
    drain();
}

/* --- keyboard -------------------------------------------------------------------------------------------------- */

static void test_sets(void)
{
    command_byte(0x45); /* translation, as PCs have it */
    tap(KEY_A);
    EXPECT("A, translated", 0x1e, 0x9e);
    tap(KEY_RIGHT);
    EXPECT("cursor right, translated", 0xe0, 0x4d, 0xe0, 0xcd);
    tap(KEY_F7);
    EXPECT("F7 (83h), translated", 0x41, 0xc1);
    tap(KEY_PAUSE);
    EXPECT("Pause, translated", 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
    tap(KEY_PRINT);
    EXPECT("Print, translated", 0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa);
    key(KEY_ALT, true);
    tap(KEY_PRINT);
    key(KEY_ALT, false);
    EXPECT("Alt-Print is SysRq", 0x38, 0x54, 0xd4, 0xb8);
    key(KEY_CTRL, true);
    tap(KEY_PAUSE);
    key(KEY_CTRL, false);
    EXPECT("Ctrl-Pause is Break", 0x1d, 0xe0, 0x46, 0xe0, 0xc6, 0x9d);
    command_byte(0x05);
    tap(KEY_A);
    EXPECT("A in set 2", 0x1c, 0xf0, 0x1c);
    tap(KEY_KP_ENTER);
    EXPECT("keypad Enter in set 2", 0xe0, 0x5a, 0xe0, 0xf0, 0x5a);
    tap(KEY_PAUSE);
    EXPECT("Pause in set 2", 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
    set(1);
    tap(KEY_A);
    EXPECT("A in set 1", 0x1e, 0x9e);
    tap(KEY_DELETE);
    EXPECT("Delete in set 1", 0xe0, 0x53, 0xe0, 0xd3);
    to_keyboard(0xf0);
    to_keyboard(0);
    EXPECT("the set is told", 0xfa, 0xfa, 0x01);
    set(2);
}

static void test_set3(void)
{
    set(3);
    tap(KEY_A);
    EXPECT("set 3: A is typematic, its release is silent", 0x1c);
    tap(KEY_SHIFT);
    EXPECT("Shift tells both", 0x12, 0xf0, 0x12);
    tap(KEY_F1);
    EXPECT("F1 only make", 0x07);
    to_keyboard(0xfa);
    EXPECT("FA: all keys typematic and make/break", 0xfa);
    tap(KEY_F1);
    EXPECT("F1 now tells both", 0x07, 0xf0, 0x07);
    to_keyboard(0xfd);
    to_keyboard(0x1c);
    to_keyboard(0x1b);
    to_keyboard(0xf4);
    EXPECT("FD A S, ended by a command", 0xfa, 0xfa, 0xfa, 0xfa);
    tap(KEY_A);
    EXPECT("A make only", 0x1c);
    tap(KEY_D);
    EXPECT("D as before", 0x23, 0xf0, 0x23);
    to_keyboard(0xf6);
    EXPECT("F6: defaults", 0xfa);
    tap(KEY_A);
    EXPECT("set 2 again", 0x1c, 0xf0, 0x1c);
}

static int count_bytes(void)
{
    int n = 0;
    while (get() >= 0) n++;
    return n;
}

static void test_typematic(void)
{
    to_keyboard(0xf3);
    to_keyboard(0x20); /* 500 ms, 30 a second */
    drain();
    int n = 0;
    key(KEY_X, true);
    for (int ms = 0; ms < 490; ms++) {
        wait_ms(1);
        if (in8(&f, 0x64) & 1) in8(&f, 0x60), n++;
    }
    IS(n, 1, "one code before the delay is over");
    for (n = 0; n < 200; n++) { /* until the first repeat */
        wait_ms(1);
        if (in8(&f, 0x64) & 1) break;
    }
    ok(n < 30, "then it repeats");
    n = 0;
    for (int ms = 0; ms < 1000; ms++) {
        if (in8(&f, 0x64) & 1) in8(&f, 0x60), n++;
        wait_ms(1);
    }
    ok(n >= 29 && n <= 31, "30 times a second (%d)", n);
    key(KEY_Y, true);
    drain();
    wait_ms(400);
    IS(count_bytes(), 0, "another key stops it");
    key(KEY_X, false);
    key(KEY_Y, false);
    drain();
    wait_ms(2000);
    IS(count_bytes(), 0, "no key, no code");
    input_key(in, KEY_Z, true);
    input_key(in, KEY_Z, true);
    machine_poll(f.m);
    EXPECT("a host's own repeat is not passed on", 0x1a);
    input_release_keys(in);
    machine_poll(f.m);
    EXPECT("all keys let go", 0xf0, 0x1a);
}

static void test_overrun(void)
{
    for (int i = 0; i < 20; i++) tap(KEY_A);
    IS(in8(&f, 0x60), 0x1c, "the first key");
    int last = -1, n = 0;
    for (int v; (v = get()) >= 0; n++) last = v;
    IS(last, 0, "an overrun ends in code 00");
    ok(n <= 18, "sixteen bytes are kept (%d more came)", n);
    tap(KEY_B);
    EXPECT("and then it goes on", 0x32, 0xf0, 0x32);
}

static void test_off(void)
{
    to_keyboard(0xf5);
    EXPECT("F5: disabled", 0xfa);
    tap(KEY_A);
    IS(get(), -1, "no codes");
    to_keyboard(0xf4);
    EXPECT("F4: enabled", 0xfa);
    command_byte(0x15);
    tap(KEY_A);
    IS(get(), -1, "held back by the controller's clock line");
    command_byte(0x05);
    EXPECT("and let go", 0x1c, 0xf0, 0x1c);
    to_keyboard(0xed);
    to_keyboard(0x06);
    EXPECT("LEDs", 0xfa, 0xfa);
    IS(input_leds(in), INPUT_NUM_LOCK | INPUT_CAPS_LOCK, "are shown");
    tap(KEY_A);
    wait_ms(1);
    to_keyboard(0xee);
    IS(get(), 0x1c, "a byte on its way comes first");
    IS(get(), 0xee, "but an answer before the rest");
    EXPECT("of the keys", 0xf0, 0x1c);
}

/* --- mouse ------------------------------------------------------------------------------------------------------ */

static void moved(int dx, int dy, int dz)
{
    input_move(in, dx, dy, dz);
    machine_poll(f.m);
}
static void buttons(unsigned b)
{
    input_buttons(in, b);
    machine_poll(f.m);
}

static void test_mouse(void)
{
    command_byte(0x07);
    moved(5, 5, 0);
    IS(get(), -1, "silent before it is enabled");
    to_mouse(0xf4);
    EXPECT("enabled", 0xfa);
    moved(3, 4, 0);
    ok(f.line[12], "IRQ 12");
    EXPECT("right 3, down 4", 0x28, 3, 0xfc);
    wait_ms(20);
    moved(-2, -1, 0);
    EXPECT("left 2, up 1", 0x18, 0xfe, 1);
    wait_ms(20);
    buttons(INPUT_LEFT | INPUT_MIDDLE);
    EXPECT("left and middle button", 0x0d, 0, 0);
    wait_ms(20);
    buttons(0);
    EXPECT("let go", 0x08, 0, 0);
    wait_ms(20);
    moved(600, 0, 0);
    IS(get(), 0x08, "far to the right");
    IS(get(), 255, "as far as a packet goes");
    get();
    IS(get(), -1, "the rest waits for the next sample");
    wait_ms(10);
    EXPECT("and comes", 0x08, 255, 0);
    wait_ms(10);
    EXPECT("in parts", 0x08, 90, 0);
    moved(0, 0, 1);
    IS(get(), -1, "a plain mouse has no wheel");
}

static void rate(uint8_t v)
{
    to_mouse(0xf3);
    to_mouse(v);
    drain();
}

static void test_intellimouse(void)
{
    rate(200), rate(100), rate(80);
    to_mouse(0xf2);
    EXPECT("knocked: a wheel", 0xfa, 3);
    wait_ms(20);
    moved(1, 0, 1);
    EXPECT("four bytes, towards the user", 0x08, 1, 0, 1);
    wait_ms(20);
    moved(0, 0, -2);
    EXPECT("away", 0x08, 0, 0, 0xfe);
    rate(200), rate(200), rate(80);
    to_mouse(0xf2);
    EXPECT("knocked again: five buttons", 0xfa, 4);
    wait_ms(20);
    buttons(INPUT_EXTRA);
    EXPECT("the fifth", 0x08, 0, 0, 0x20);
    wait_ms(20);
    buttons(INPUT_SIDE);
    EXPECT("the fourth", 0x08, 0, 0, 0x10);
    wait_ms(20);
    buttons(0);
    drain();
}

static void test_mouse_modes(void)
{
    rate(40);
    wait_ms(100);
    int packets = 0, bytes = 0;
    for (int ms = 0; ms < 1000; ms++) {
        moved(1, 0, 0);
        wait_ms(1);
        if (in8(&f, 0x64) & 1) in8(&f, 0x60), bytes++;
    }
    packets = bytes / 4;
    ok(packets >= 39 && packets <= 41, "40 samples a second (%d)", packets);
    to_mouse(0xf0);
    drain();
    moved(7, 0, 0);
    IS(get(), -1, "remote mode: not by itself");
    to_mouse(0xeb);
    EXPECT("but when read", 0xfa, 0x08, 7, 0, 0);
    to_mouse(0xea);
    to_mouse(0xe7);
    drain();
    wait_ms(50);
    moved(4, -5, 0);
    EXPECT("scaling 2:1", 0x08, 6, 9, 0);
    to_mouse(0xe6);
    drain();
    wait_ms(50);
    buttons(INPUT_LEFT);
    drain();
    to_mouse(0xe9);
    EXPECT("status: enabled, left button, resolution, rate", 0xfa, 0x24, 2, 40);
    buttons(0);
    drain();
    to_mouse(0xee);
    EXPECT("wrap mode", 0xfa);
    to_mouse(0x55);
    EXPECT("echoes", 0x55);
    to_mouse(0xec);
    EXPECT("until told not to", 0xfa);
    to_mouse(0xff);
    EXPECT("reset: a plain mouse, silent", 0xfa, 0xaa, 0x00);
    moved(1, 1, 0);
    IS(get(), -1, "off");
}

/* --- absolute pointer ---------------------------------------------------------------------------------------------- */

static uint32_t backdoor(uint32_t command, uint32_t ebx)
{
    f.cpu->regs[R_EAX] = 0x564d5868;
    f.cpu->regs[R_EBX] = ebx;
    f.cpu->regs[R_ECX] = command;
    f.cpu->regs[R_EDX] = 0x5658;
    return ioports_read(f.io, 0x5658, 4);
}

static void test_vmmouse(void)
{
    f.cpu->regs[R_EAX] = 0;
    IS(ioports_read(f.io, 0x5658, 4), 0xffffffffu, "without the magic nothing is there");
    ok(backdoor(10, 0) != 0xffffffffu && f.cpu->regs[R_EBX] == 0x564d5868, "version");
    ok((backdoor(40, 0) & 0xffff0000u) == 0xffff0000u, "off at first");
    backdoor(41, 0x45414552);
    IS(backdoor(40, 0), 1, "enabled: one word");
    IS(backdoor(39, 1), 0x3442554a, "its version");
    ok(!input_is_absolute(in), "not absolute yet");
    backdoor(41, 0x53424152);
    ok(input_is_absolute(in), "absolute");
    to_mouse(0xf4);
    drain();
    input_point(in, 0x1234, 0xffff);
    machine_poll(f.m);
    ok(f.line[12], "the PS/2 mouse interrupts");
    drain();
    IS(backdoor(40, 0), 4, "four words");
    IS(backdoor(39, 4), 0, "no buttons");
    IS(f.cpu->regs[R_EBX], 0x1234, "x");
    IS(f.cpu->regs[R_ECX], 0xffff, "y");
    buttons(INPUT_RIGHT);
    moved(0, 0, -1);
    IS(backdoor(39, 4), 0x10, "right button");
    backdoor(39, 4);
    IS((int8_t)f.cpu->regs[R_EDX], -1, "wheel");
    backdoor(39, 3);
    ok((backdoor(40, 0) & 0xffff0000u) == 0xffff0000u, "reading what is not there is an error");
    for (int i = 0; i < 1000; i++) input_point(in, 1, 1);
    machine_poll(f.m);
    backdoor(41, 0x45414552);
    for (int i = 0; i < 1000; i++) input_point(in, 1, 1);
    machine_poll(f.m);
    ok((backdoor(40, 0) & 0xffff) <= 1024, "a guest that does not read loses the rest");
    backdoor(41, 0xf5);
    ok(!input_is_absolute(in), "off again");
}

/* --- the table of keys ------------------------------------------------------------------------------------------------ */

static void test_names(void)
{
    bool names = true, codes = true;
    for (int i = 0; i < KEY_COUNT; i++) {
        const KeyInfo *k = &key_info[i];
        names &= key_by_name(k->name, strlen(k->name)) == (Key)i;
        codes &= !k->sdl || key_by_sdl(k->sdl) == (Key)i;
    }
    ok(names, "every key is found by its name, so no name is there twice");
    ok(codes, "and by its SDL scancode");
    bool sets = true;
    for (int i = 0; i < KEY_COUNT; i++)
        for (int j = 0; j < i; j++) {
            const KeyInfo *a = &key_info[i], *b = &key_info[j];
            bool twins = (i == KEY_NUMBER_SIGN && j == KEY_BACKSLASH) || (j == KEY_NUMBER_SIGN && i == KEY_BACKSLASH);
            if (!twins && (a->set1 == b->set1 || a->set2 == b->set2 || (a->set3 && a->set3 == b->set3))) {
                diag("%s and %s", a->name, b->name);
                sets = false;
            }
        }
    ok(sets, "no two keys have one code");
    ok(key_by_name("0x1c", 4) == KEY_RET && key_by_name("0x9d", 4) == KEY_CTRL_R, "by number");
    ok(key_by_name("nothing", 7) == KEY_COUNT && key_by_name("", 0) == KEY_COUNT && key_by_name("0xzz", 4) == KEY_COUNT,
       "unknown ones");
    bool shift, ctrl;
    ok(key_by_char('A', &shift, &ctrl) == KEY_A && shift && !ctrl, "A is Shift-a");
    ok(key_by_char(':', &shift, &ctrl) == KEY_SEMICOLON && shift, ": is Shift-;");
    ok(key_by_char(3, &shift, &ctrl) == KEY_C && ctrl && !shift, "03h is Ctrl-C");
    ok(key_by_char('\r', &shift, &ctrl) == KEY_RET && !ctrl, "CR is Return");
    int missing = 0;
    for (int c = 32; c < 127; c++) missing += key_by_char((unsigned char)c, &shift, &ctrl) == KEY_COUNT;
    IS(missing, 0, "every printable character has a key");
}

/* --- whatever a guest may do --------------------------------------------------------------------------------------------- */

static void test_fuzz(void)
{
    uint32_t r = 12345;
    for (int i = 0; i < 300000; i++) {
        r = r * 1664525 + 1013904223;
        uint32_t a = r >> 8;
        switch (r >> 29) {
        case 0: out8(&f, 0x60, (uint8_t)a); break;
        case 1: out8(&f, 0x64, (uint8_t)((a & 0xff) < 0xf0 ? a : 0xd4)); break;
        case 2: in8(&f, 0x60); break;
        case 3: input_key(in, (Key)(a % KEY_COUNT), a >> 12 & 1); break;
        case 4: input_move(in, (int)(a & 0xfff) - 2048, (int)(a >> 12 & 0xfff) - 2048, (int)(a & 3) - 1); break;
        case 5: input_point(in, a & 0xffff, a >> 4 & 0xffff); break;
        case 6: backdoor(a % 50, a & 64 ? a & 7 : a & 32 ? 0x53424152 : 0x45414552); break;
        case 7: input_buttons(in, a); break;
        }
        if (i % 3 == 0) fake_jump(&f, a & 0xfffff);
    }
    ok(true, "300000 random steps");
}

int main(void)
{
    fake_init(&f);
    in = input_new(f.m);
    kbc = i8042_new(f.m, (I8042Lines){ fake_line(&f, 1), fake_line(&f, 12), fake_line(&f, 20) });
    i8042_attach_input(kbc, in);
    VmMouse *vm = vmmouse_new(f.m, in, kbc);
    test_names();
    test_sets();
    test_set3();
    test_typematic();
    test_overrun();
    test_off();
    test_mouse();
    test_intellimouse();
    test_mouse_modes();
    test_vmmouse();
    test_fuzz();
    vmmouse_free(vm);
    i8042_free(kbc);
    input_free(in);
    fake_free(&f);
    return tap_done();
}
