#include "ui/machine_calls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/host_time.h"

enum { SCREENSHOTS_MAX = 10000 };

struct MachineCalls {
    FrontendConfig cfg;
    atomic_bool paused, refreshing;
    atomic_uint speed;
    uint64_t guest_before, host_before; /* the machine thread's */
    pthread_mutex_t lock;
    char message[256]; /* empty: none */
};

/* --- on the machine thread ------------------------------------------------------------------------------------- */

static void do_power_button(void *opaque)
{
    MachineCalls *c = opaque;
    machine_cont(c->cfg.machine); /* a machine that stands still would not hear */
    if (c->cfg.power_button) c->cfg.power_button(c->cfg.machine);
}

static void do_reset(void *opaque)
{
    machine_request(((MachineCalls *)opaque)->cfg.machine, MACHINE_RESET, 0);
}

/* How far the guest's time has come while the host's went on since the last call. */
static void note_speed(MachineCalls *c)
{
    uint64_t host = host_ns(), guest = clock_now(c->cfg.machine);
    uint64_t host_ms = (host - c->host_before) / 1000000, guest_ms = (guest - c->guest_before) / 1000000;
    if (c->host_before && host_ms) atomic_store(&c->speed, (unsigned)((guest_ms * 100 + host_ms / 2) / host_ms));
    c->host_before = host;
    c->guest_before = guest;
}

static void do_refresh(void *opaque)
{
    MachineCalls *c = opaque;
    note_speed(c);
    atomic_store(&c->paused, machine_is_stopped(c->cfg.machine));
    atomic_store(&c->refreshing, false);
}

static void do_toggle_pause(void *opaque)
{
    MachineCalls *c = opaque;
    if (machine_is_stopped(c->cfg.machine))
        machine_cont(c->cfg.machine);
    else
        machine_stop(c->cfg.machine, NULL);
    atomic_store(&c->paused, machine_is_stopped(c->cfg.machine));
}

static void say(MachineCalls *c, const char *what, const char *detail)
{
    pthread_mutex_lock(&c->lock);
    snprintf(c->message, sizeof c->message, "%s%s", what, detail);
    pthread_mutex_unlock(&c->lock);
}

static void do_screenshot(void *opaque)
{
    MachineCalls *c = opaque;
    char path[32], error[200];
    for (int i = 1; i <= SCREENSHOTS_MAX; i++) {
        snprintf(path, sizeof path, "calque-%d.png", i);
        if (access(path, F_OK) == 0) continue;
        display_refresh(c->cfg.display);
        if (c->cfg.screendump(c->cfg.display, path, error, sizeof error))
            say(c, "saved ", path);
        else
            say(c, "no screenshot: ", error);
        return;
    }
    say(c, "no screenshot: ", "there are ten thousand");
}

/* --- from the front end ------------------------------------------------------------------------------------------ */

static void post(MachineCalls *c, void (*fn)(void *opaque))
{
    machine_post(c->cfg.machine, fn, c);
}

void calls_power_button(MachineCalls *c)
{
    post(c, do_power_button);
}
void calls_reset(MachineCalls *c)
{
    post(c, do_reset);
}
void calls_toggle_pause(MachineCalls *c)
{
    post(c, do_toggle_pause);
}
void calls_screenshot(MachineCalls *c)
{
    if (c->cfg.screendump) post(c, do_screenshot);
}

void calls_refresh(MachineCalls *c)
{
    if (!atomic_exchange(&c->refreshing, true)) post(c, do_refresh);
}
bool calls_is_paused(MachineCalls *c)
{
    return atomic_load(&c->paused);
}
unsigned calls_speed(MachineCalls *c)
{
    return atomic_load(&c->speed);
}

void calls_chord(MachineCalls *c, const Key *keys, unsigned n)
{
    for (unsigned i = 0; i < n; i++) input_key(c->cfg.input, keys[i], true);
    for (unsigned i = n; i--;) input_key(c->cfg.input, keys[i], false);
}

bool calls_message(MachineCalls *c, char *text, size_t size)
{
    pthread_mutex_lock(&c->lock);
    bool any = c->message[0] != 0;
    if (any) snprintf(text, size, "%s", c->message);
    c->message[0] = 0;
    pthread_mutex_unlock(&c->lock);
    return any;
}

MachineCalls *calls_new(const FrontendConfig *cfg)
{
    MachineCalls *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->cfg = *cfg;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void calls_free(MachineCalls *c)
{
    if (!c) return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}
