#include "hw/display_mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"

struct DisplayMirror {
    void (*wake)(void *opaque);
    void *wake_opaque;
    Display *display; /* machine thread's */
    bool with_text;

    pthread_mutex_t lock; /* for all below */
    DisplaySurface surface;
    size_t room; /* pixels allocated */
    DisplayRect changed;
    bool resized, pending;
    bool is_text;
    DisplayText text;
};

DisplayMirror *display_mirror_new(void (*wake)(void *opaque), void *opaque)
{
    DisplayMirror *dm = hw_alloc(sizeof *dm);
    dm->wake = wake;
    dm->wake_opaque = opaque;
    pthread_mutex_init(&dm->lock, NULL);
    return dm;
}

void display_mirror_free(DisplayMirror *dm)
{
    if (!dm) return;
    pthread_mutex_destroy(&dm->lock);
    free(dm->surface.pixels);
    free(dm);
}

/* --- machine thread --------------------------------------------------------------------------------- */

/* A copy cannot be done in parts: without memory for it the mirror keeps what it has. */
static void mirror_resized(void *opaque, int width, int height)
{
    DisplayMirror *dm = opaque;
    size_t need = (size_t)width * (size_t)height;
    pthread_mutex_lock(&dm->lock);
    uint32_t *pixels = dm->room < need ? realloc(dm->surface.pixels, need * sizeof *pixels) : dm->surface.pixels;
    if (pixels) {
        if (dm->room < need) dm->room = need;
        dm->surface = (DisplaySurface){ width, height, pixels };
        memset(pixels, 0, need * sizeof *pixels);
        dm->changed = (DisplayRect){ 0, 0, width, height };
        dm->resized = true;
    }
    pthread_mutex_unlock(&dm->lock);
}

static DisplayRect unite(DisplayRect a, DisplayRect b)
{
    if (a.w == 0) return b;
    int x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
    int bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (DisplayRect){ x, y, right - x, bottom - y };
}

static void mirror_drawn(void *opaque, const DisplaySurface *s, DisplayRect r)
{
    DisplayMirror *dm = opaque;
    pthread_mutex_lock(&dm->lock);
    bool fits = dm->surface.width == s->width && dm->surface.height == s->height, wake = fits && !dm->pending;
    if (fits) {
        for (int y = r.y; y < r.y + r.h; y++) {
            size_t at = (size_t)y * (size_t)s->width + (size_t)r.x;
            memcpy(dm->surface.pixels + at, s->pixels + at, (size_t)r.w * sizeof *s->pixels);
        }
        dm->changed = unite(dm->changed, r);
        dm->pending = true;
        if (dm->with_text) dm->is_text = display_text(dm->display, &dm->text);
    }
    pthread_mutex_unlock(&dm->lock);
    if (wake && dm->wake) dm->wake(dm->wake_opaque);
}

static const DisplayListener mirror_listener = { mirror_resized, mirror_drawn, NULL };

void display_mirror_attach(DisplayMirror *dm, Display *d, bool with_text, unsigned interval_ms)
{
    dm->display = d;
    dm->with_text = with_text;
    display_listen(d, &mirror_listener, dm, interval_ms);
}

void display_mirror_detach(DisplayMirror *dm)
{
    if (dm->display) display_unlisten(dm->display, &mirror_listener, dm);
    dm->display = NULL;
}

/* --- any thread ------------------------------------------------------------------------------------- */

bool display_mirror_take(DisplayMirror *dm,
                         void (*fn)(void *opaque, const DisplaySurface *surface, DisplayRect changed, bool resized),
                         void *opaque)
{
    pthread_mutex_lock(&dm->lock);
    bool pending = dm->pending;
    if (pending) {
        fn(opaque, &dm->surface, dm->changed, dm->resized);
        dm->changed = (DisplayRect){ 0 };
        dm->pending = dm->resized = false;
    }
    pthread_mutex_unlock(&dm->lock);
    return pending;
}

bool display_mirror_text(DisplayMirror *dm, DisplayText *text)
{
    pthread_mutex_lock(&dm->lock);
    bool is_text = dm->is_text;
    if (is_text) *text = dm->text;
    pthread_mutex_unlock(&dm->lock);
    return is_text;
}
