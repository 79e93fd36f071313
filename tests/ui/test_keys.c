/* The key table against SDL's own numbers and names, and code page 437. */
#include <string.h>

#include <SDL.h>

#include "../tap.h"
#include "hw/input.h"
#include "ui/cp437.h"

static void is(Key key, SDL_Scancode code)
{
    ok(key_by_sdl(code) == key && key_info[key].sdl == code, "%s", key_info[key].name);
}

int main(void)
{
    is(KEY_A, SDL_SCANCODE_A);
    is(KEY_Z, SDL_SCANCODE_Z);
    is(KEY_1, SDL_SCANCODE_1);
    is(KEY_0, SDL_SCANCODE_0);
    is(KEY_RET, SDL_SCANCODE_RETURN);
    is(KEY_GRAVE_ACCENT, SDL_SCANCODE_GRAVE);
    is(KEY_LESS, SDL_SCANCODE_NONUSBACKSLASH);
    is(KEY_NUMBER_SIGN, SDL_SCANCODE_NONUSHASH);
    is(KEY_F12, SDL_SCANCODE_F12);
    is(KEY_PRINT, SDL_SCANCODE_PRINTSCREEN);
    is(KEY_PAUSE, SDL_SCANCODE_PAUSE);
    is(KEY_NUM_LOCK, SDL_SCANCODE_NUMLOCKCLEAR);
    is(KEY_KP_0, SDL_SCANCODE_KP_0);
    is(KEY_KP_DECIMAL, SDL_SCANCODE_KP_PERIOD);
    is(KEY_KP_COMMA, SDL_SCANCODE_KP_COMMA);
    is(KEY_RO, SDL_SCANCODE_INTERNATIONAL1);
    is(KEY_YEN, SDL_SCANCODE_INTERNATIONAL3);
    is(KEY_CTRL, SDL_SCANCODE_LCTRL);
    is(KEY_ALT_R, SDL_SCANCODE_RALT);
    is(KEY_META_R, SDL_SCANCODE_RGUI);
    is(KEY_MENU, SDL_SCANCODE_APPLICATION);
    is(KEY_AUDIONEXT, SDL_SCANCODE_AUDIONEXT);
    is(KEY_AC_BOOKMARKS, SDL_SCANCODE_AC_BOOKMARKS);
    is(KEY_SLEEP, SDL_SCANCODE_SLEEP);
    int letters = 0;
    for (int i = 0; i < KEY_COUNT; i++) {
        const char *sdl = SDL_GetScancodeName((SDL_Scancode)key_info[i].sdl), *own = key_info[i].name;
        if (strlen(own) == 1 && SDL_strcasecmp(own, sdl) == 0) letters++;
    }
    ok(letters == 36, "letters and digits are called alike (%d)", letters);
    bool distinct = true;
    for (int i = 1; i < 256; i++)
        for (int j = 1; j < i; j++)
            distinct &= cp437_unicode[i] != cp437_unicode[j] || cp437_unicode[i] == ' ' || i == 255;
    ok(distinct && cp437_unicode['A'] == 'A' && cp437_unicode[0xdb] == 0x2588 && cp437_unicode[0xe1] == 0xdf, "CP437");
    return tap_done();
}
