/* The window.  SDL wants its events on the main thread, so that is where this runs (frontend.h).  The picture is a
 * texture of the guest's size that the renderer scales, keeping its shape; changed rectangles are copied into it
 * out of the DisplayMirror, and the window is drawn anew only when something has changed.
 *
 * While the guest has no absolute pointer, a click grabs the mouse; Ctrl-Alt-G lets it go.  While it has one
 * (input_is_absolute()), positions are passed on and nothing is grabbed. */
#include <stdio.h>
#include <string.h>

#include <SDL.h>

#include "hw/display_mirror.h"
#include "ui/banner.h"
#include "ui/frontend.h"
#include "ui/machine_calls.h"
#include "util/host_time.h"

enum { EVENT_SCREEN, EVENT_STOP, EVENTS };
enum { TITLE_MS = 1000, MESSAGE_MS = 3000, HELP_MS = 10000 };

static struct {
    FrontendConfig cfg;
    MachineCalls *calls;
    DisplayMirror *mirror;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    Uint32 first_event;
    int width, height;  /* of the guest's screen */
    bool sized_by_user; /* do not follow the guest's size */
    bool grabbed, running, closing;
    unsigned buttons;
    char title[256], message[256];
    Uint64 message_until;
    char banner[512]; /* over the picture; empty: none */
    Uint64 banner_until;
    bool helping; /* the banner is the list of hot keys */
    pthread_t machine_thread;
    uint64_t cpu_before;
    Uint64 wall_before;
} ui;

/* --- picture ----------------------------------------------------------------------------------------------------- */

static void push(int code)
{
    SDL_Event e = { .user = { .type = ui.first_event + (Uint32)code } };
    SDL_PushEvent(&e);
}

static void on_mirror(void *opaque)
{
    (void)opaque;
    push(EVENT_SCREEN);
}

/* Sharp when every pixel becomes a square of pixels, smooth else. */
static void choose_filter(void)
{
    int w, h;
    SDL_GetRendererOutputSize(ui.renderer, &w, &h);
    int n = w * ui.height <= h * ui.width ? w : h, of = w * ui.height <= h * ui.width ? ui.width : ui.height;
    if (ui.texture) SDL_SetTextureScaleMode(ui.texture, n % of == 0 ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
}

static void new_size(int width, int height)
{
    if (ui.texture && width == ui.width && height == ui.height) return;
    if (ui.texture) SDL_DestroyTexture(ui.texture);
    ui.width = width;
    ui.height = height;
    ui.texture = SDL_CreateTexture(ui.renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING, width, height);
    SDL_RenderSetLogicalSize(ui.renderer, width, height);
    if (!ui.sized_by_user && !(SDL_GetWindowFlags(ui.window) & SDL_WINDOW_FULLSCREEN_DESKTOP))
        SDL_SetWindowSize(ui.window, width, height);
    choose_filter();
}

static void copy_changed(void *opaque, const DisplaySurface *surface, DisplayRect r, bool resized)
{
    (void)opaque;
    if (resized || !ui.texture) {
        new_size(surface->width, surface->height);
        r = (DisplayRect){ 0, 0, surface->width, surface->height };
    }
    if (!ui.texture || r.w <= 0 || r.h <= 0) return;
    SDL_Rect rect = { r.x, r.y, r.w, r.h };
    SDL_UpdateTexture(ui.texture, &rect, surface->pixels + (size_t)r.y * (size_t)surface->width + r.x,
                      surface->width * (int)sizeof(uint32_t));
}

static void draw(void)
{
    SDL_SetRenderDrawColor(ui.renderer, 0, 0, 0, 255);
    SDL_RenderClear(ui.renderer);
    if (ui.texture) SDL_RenderCopy(ui.renderer, ui.texture, NULL, NULL);
    if (ui.banner[0]) banner_draw(ui.renderer, ui.banner);
    SDL_RenderPresent(ui.renderer);
}

/* Where there is no title to be read, or where it would be overlooked. */
static void show_banner(const char *text, unsigned ms)
{
    snprintf(ui.banner, sizeof ui.banner, "%s", text);
    ui.helping = false;
    ui.banner_until = SDL_GetTicks64() + ms;
    draw();
}

static void end_banner(void)
{
    if (!ui.banner[0]) return;
    ui.banner[0] = 0;
    draw();
}

static void take_screen(void)
{
    if (display_mirror_take(ui.mirror, copy_changed, NULL)) draw();
}

/* --- title -------------------------------------------------------------------------------------------------------- */

static uint64_t machine_cpu_ns(void)
{
    clockid_t clock;
    return pthread_getcpuclockid(ui.machine_thread, &clock) == 0 ? host_clock_ns(clock) : 0;
}

/* Percent of one host processor that the machine has used since the last call. */
static unsigned machine_load(void)
{
    uint64_t cpu = machine_cpu_ns();
    Uint64 wall = SDL_GetTicks64();
    uint64_t percent = wall > ui.wall_before ? (cpu - ui.cpu_before) / 10000 / (wall - ui.wall_before) : 0;
    ui.cpu_before = cpu;
    ui.wall_before = wall;
    return percent > 100 ? 100 : (unsigned)percent;
}

static const char *hint(void)
{
    if (ui.closing) return "shutting down, close again to force";
    if (ui.message[0]) return ui.message;
    if (ui.grabbed) return "Ctrl-Alt-G releases the mouse";
    return "Ctrl-Alt-H for help";
}

static void show_title(unsigned load)
{
    static unsigned last_load;
    char title[sizeof ui.title], state[40];
    if (load <= 100) last_load = load;
    if (ui.message[0] && SDL_GetTicks64() > ui.message_until) ui.message[0] = 0;
    if (calls_is_paused(ui.calls))
        snprintf(state, sizeof state, "paused");
    else
        snprintf(state, sizeof state, "running, speed %u%%, CPU %u%%", calls_speed(ui.calls), last_load);
    snprintf(title, sizeof title, "Calque%s%.64s [%s] - %.160s", ui.cfg.name ? " - " : "",
             ui.cfg.name ? ui.cfg.name : "", state, hint());
    if (strcmp(title, ui.title) == 0) return;
    memcpy(ui.title, title, sizeof title);
    SDL_SetWindowTitle(ui.window, title);
}

static void update_title(void)
{
    enum { AS_BEFORE = 101 };
    show_title(AS_BEFORE);
}

static void tick(void)
{
    if (SDL_GetTicks64() >= ui.banner_until) end_banner();
    if (calls_message(ui.calls, ui.message, sizeof ui.message)) {
        ui.message_until = SDL_GetTicks64() + MESSAGE_MS;
        show_banner(ui.message, MESSAGE_MS);
    }
    calls_refresh(ui.calls);
    show_title(machine_load());
}

/* --- grab, full screen ---------------------------------------------------------------------------------------------- */

static void set_grab(bool on)
{
    ui.grabbed = on;
    bool absolute = input_is_absolute(ui.cfg.input);
    SDL_SetRelativeMouseMode(on && !absolute ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowKeyboardGrab(ui.window, on ? SDL_TRUE : SDL_FALSE);
    SDL_ShowCursor(absolute ? SDL_DISABLE : SDL_ENABLE); /* the guest draws its own */
    if (!on && ui.buttons) input_buttons(ui.cfg.input, ui.buttons = 0);
    if (on)
        show_banner("Ctrl-Alt-G releases the mouse", MESSAGE_MS);
    else
        end_banner();
    update_title();
}

static void set_full_screen(bool on)
{
    SDL_SetWindowFullscreen(ui.window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    if (!input_is_absolute(ui.cfg.input)) set_grab(on);
    if (on) show_banner("Ctrl-Alt-F leaves full screen\nCtrl-Alt-H shows all keys", MESSAGE_MS);
}

/* --- hot keys --------------------------------------------------------------------------------------------------------- */

static void send_ctrl_alt_delete(void)
{
    static const Key keys[] = { KEY_CTRL, KEY_ALT, KEY_DELETE };
    calls_chord(ui.calls, keys, 3);
}
static void toggle_grab(void)
{
    set_grab(!ui.grabbed);
}
static void toggle_full_screen(void)
{
    set_full_screen(!(SDL_GetWindowFlags(ui.window) & SDL_WINDOW_FULLSCREEN_DESKTOP));
}
static void screenshot(void)
{
    calls_screenshot(ui.calls);
}
static void toggle_pause(void)
{
    calls_toggle_pause(ui.calls);
}
static void natural_size(void)
{
    ui.sized_by_user = false;
    SDL_SetWindowSize(ui.window, ui.width, ui.height);
}
static void power_button(void)
{
    calls_power_button(ui.calls);
}
static void reset(void)
{
    calls_reset(ui.calls);
}
static void help(void);

/* With Ctrl-Alt. */
static const struct HotKey {
    SDL_Scancode key;
    const char *help;
    void (*act)(void);
} hot_keys[] = {
    { SDL_SCANCODE_G, "G mouse and keyboard grab", toggle_grab },
    { SDL_SCANCODE_F, "F full screen", toggle_full_screen },
    { SDL_SCANCODE_D, "D Ctrl-Alt-Del", send_ctrl_alt_delete },
    { SDL_SCANCODE_U, "U natural size", natural_size },
    { SDL_SCANCODE_S, "S screenshot", screenshot },
    { SDL_SCANCODE_P, "P pause", toggle_pause },
    { SDL_SCANCODE_B, "B power button", power_button },
    { SDL_SCANCODE_R, "R reset", reset },
    { SDL_SCANCODE_H, "H these keys", help },
};
enum { HOT_KEYS = sizeof hot_keys / sizeof hot_keys[0] };

/* Twice: shows it, takes it away. */
static void help(void)
{
    char text[sizeof ui.banner] = "With Ctrl-Alt:";
    size_t n = strlen(text);
    if (ui.helping && ui.banner[0]) {
        end_banner();
        return;
    }
    for (int i = 0; i < HOT_KEYS; i++) n += (size_t)snprintf(text + n, sizeof text - n, "\n  %s", hot_keys[i].help);
    show_banner(text, HELP_MS);
    ui.helping = true;
}

static bool hot_key(const SDL_KeyboardEvent *k)
{
    if (!(k->keysym.mod & KMOD_CTRL) || !(k->keysym.mod & KMOD_ALT)) return false;
    for (int i = 0; i < HOT_KEYS; i++) {
        if (hot_keys[i].key != k->keysym.scancode) continue;
        input_release_keys(ui.cfg.input); /* the guest has seen Ctrl and Alt go down */
        hot_keys[i].act();
        return true;
    }
    return false;
}

/* --- events ------------------------------------------------------------------------------------------------------------ */

static void on_key(const SDL_KeyboardEvent *k)
{
    bool down = k->type == SDL_KEYDOWN;
    if (k->repeat) return; /* the guest's keyboard repeats by itself */
    if (down && hot_key(k)) return;
    input_key(ui.cfg.input, key_by_sdl(k->keysym.scancode), down);
}

/* Logical coordinates to the whole range of an absolute pointer. */
static void point(int x, int y)
{
    x = x < 0 ? 0 : x >= ui.width ? ui.width - 1 : x;
    y = y < 0 ? 0 : y >= ui.height ? ui.height - 1 : y;
    if (ui.width > 1 && ui.height > 1)
        input_point(ui.cfg.input, (unsigned)((int64_t)x * INPUT_ABS_MAX / (ui.width - 1)),
                    (unsigned)((int64_t)y * INPUT_ABS_MAX / (ui.height - 1)));
}

static void on_motion(const SDL_MouseMotionEvent *m)
{
    if (input_is_absolute(ui.cfg.input)) {
        if (SDL_GetRelativeMouseMode()) SDL_SetRelativeMouseMode(SDL_FALSE); /* the guest has just learnt it */
        SDL_ShowCursor(SDL_DISABLE);
        point(m->x, m->y);
    } else if (ui.grabbed) {
        if (!SDL_GetRelativeMouseMode()) SDL_SetRelativeMouseMode(SDL_TRUE);
        input_move(ui.cfg.input, m->xrel, m->yrel, 0);
    } else {
        SDL_ShowCursor(SDL_ENABLE);
    }
}

static void on_button(const SDL_MouseButtonEvent *b)
{
    static const uint8_t masks[] = { [SDL_BUTTON_LEFT] = INPUT_LEFT,
                                     [SDL_BUTTON_MIDDLE] = INPUT_MIDDLE,
                                     [SDL_BUTTON_RIGHT] = INPUT_RIGHT,
                                     [SDL_BUTTON_X1] = INPUT_SIDE,
                                     [SDL_BUTTON_X2] = INPUT_EXTRA };
    bool absolute = input_is_absolute(ui.cfg.input), down = b->state == SDL_PRESSED;
    if (!absolute && !ui.grabbed) {
        if (down && b->button == SDL_BUTTON_LEFT) set_grab(true);
        return;
    }
    unsigned mask = b->button < sizeof masks ? masks[b->button] : 0;
    ui.buttons = down ? ui.buttons | mask : ui.buttons & ~mask;
    if (absolute) point(b->x, b->y);
    input_buttons(ui.cfg.input, ui.buttons);
}

static void on_wheel(const SDL_MouseWheelEvent *w)
{
    int away = w->direction == SDL_MOUSEWHEEL_FLIPPED ? -w->y : w->y;
    if (away && (ui.grabbed || input_is_absolute(ui.cfg.input))) input_move(ui.cfg.input, 0, 0, -away);
}

static void on_window(const SDL_WindowEvent *w)
{
    switch (w->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        choose_filter();
        draw();
        break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user */
        ui.sized_by_user = w->data1 != ui.width || w->data2 != ui.height;
        break;
    case SDL_WINDOWEVENT_EXPOSED: draw(); break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        input_release_keys(ui.cfg.input);
        if (ui.grabbed) set_grab(false);
        break;
    }
}

/* The first time the guest is asked, the second time it is not. */
static void on_close(void)
{
    if (ui.closing) {
        ui.cfg.quit(ui.cfg.machine);
        return;
    }
    ui.closing = true;
    calls_power_button(ui.calls);
    show_banner("The guest has been asked to shut down.\nClose again to switch off.", MESSAGE_MS);
    update_title();
}

static void on_event(const SDL_Event *e)
{
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: on_key(&e->key); break;
    case SDL_MOUSEMOTION: on_motion(&e->motion); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: on_button(&e->button); break;
    case SDL_MOUSEWHEEL: on_wheel(&e->wheel); break;
    case SDL_WINDOWEVENT: on_window(&e->window); break;
    case SDL_RENDER_TARGETS_RESET: draw(); break;
    case SDL_QUIT: on_close(); break;
    default:
        if (e->type == ui.first_event + EVENT_SCREEN) take_screen();
        if (e->type == ui.first_event + EVENT_STOP) ui.running = false;
    }
}

static void sdl_run(pthread_t machine_thread)
{
    Uint64 next_tick = 0;
    ui.machine_thread = machine_thread;
    ui.running = true;
    while (ui.running) {
        SDL_Event e;
        Uint64 now = SDL_GetTicks64();
        if (now >= next_tick) {
            tick();
            next_tick = now + TITLE_MS;
        }
        if (SDL_WaitEventTimeout(&e, (int)(next_tick - now))) {
            do on_event(&e);
            while (SDL_PollEvent(&e));
        }
    }
}

static void sdl_stop(void)
{
    push(EVENT_STOP);
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

static bool open_window(void)
{
    Uint32 flags = SDL_WINDOW_RESIZABLE | (ui.cfg.full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    DisplaySurface *s = display_surface(ui.cfg.display);
    ui.width = s->width;
    ui.height = s->height;
    ui.window =
        SDL_CreateWindow("Calque", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, s->width, s->height, flags);
    if (!ui.window) return false;
    ui.renderer = SDL_CreateRenderer(ui.window, -1, 0);
    if (!ui.renderer) ui.renderer = SDL_CreateRenderer(ui.window, -1, SDL_RENDERER_SOFTWARE);
    return ui.renderer != NULL;
}

static bool sdl_open(const FrontendConfig *cfg, char *error, size_t error_size)
{
    ui.cfg = *cfg;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    if (SDL_Init(SDL_INIT_VIDEO) != 0 || !open_window()) {
        snprintf(error, error_size, "-display sdl: %s", SDL_GetError());
        return false;
    }
    ui.first_event = SDL_RegisterEvents(EVENTS);
    ui.calls = calls_new(cfg);
    ui.mirror = display_mirror_new(on_mirror, NULL);
    if (!ui.calls || !ui.mirror) {
        snprintf(error, error_size, "-display sdl: out of memory");
        return false;
    }
    SDL_StopTextInput();
    display_mirror_attach(ui.mirror, cfg->display, false, 0);
    show_title(0);
    draw();
    return true;
}

static void sdl_close(void)
{
    if (ui.mirror) {
        display_mirror_detach(ui.mirror);
        display_mirror_free(ui.mirror);
    }
    calls_free(ui.calls);
    if (ui.texture) SDL_DestroyTexture(ui.texture);
    if (ui.renderer) SDL_DestroyRenderer(ui.renderer);
    if (ui.window) SDL_DestroyWindow(ui.window);
    SDL_Quit();
    memset(&ui, 0, sizeof ui);
}

const Frontend sdl_frontend = { "sdl", "a window", sdl_open, sdl_run, sdl_stop, sdl_close };
