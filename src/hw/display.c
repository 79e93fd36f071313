#include "hw/display.h"

#include <stdlib.h>
#include <string.h>

#include "hw/alloc.h"

enum { MAX_LISTENERS = 8, USUAL_INTERVAL_MS = 16 };
#define NS_PER_MS UINT64_C(1000000)

typedef struct Attached {
    const DisplayListener *listener;
    void *opaque;
    unsigned interval_ms;
    bool seen_size, seen_all;
} Attached;

struct Display {
    Machine *machine;
    Timer *timer;
    const DisplaySource *source;
    void *source_opaque;
    DisplaySurface surface;
    DisplayRect changed;
    bool lost; /* the surface holds nothing of the source's */
    Attached attached[MAX_LISTENERS];
    unsigned n_attached;
};

static void on_timer(void *opaque);

Display *display_new(Machine *m)
{
    Display *d = hw_alloc(sizeof *d);
    d->machine = m;
    d->timer = timer_new(m, on_timer, d);
    d->surface = (DisplaySurface){ 640, 480, hw_alloc(640 * 480 * sizeof(uint32_t)) };
    return d;
}

void display_free(Display *d)
{
    if (!d) return;
    timer_free(d->timer);
    free(d->surface.pixels);
    free(d);
}

/* --- the adapter's side ----------------------------------------------------------------------------- */

void display_set_source(Display *d, const DisplaySource *source, void *opaque)
{
    d->source = source;
    d->source_opaque = opaque;
    d->lost = true;
}

DisplaySurface *display_surface(Display *d)
{
    return &d->surface;
}

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void display_resize(Display *d, int width, int height)
{
    width = clamp(width, 1, DISPLAY_MAX_WIDTH);
    height = clamp(height, 1, DISPLAY_MAX_HEIGHT);
    uint32_t *pixels = calloc((size_t)width * (size_t)height, sizeof *pixels);
    if (!pixels) return; /* the guest chose the size: no reason to end */
    free(d->surface.pixels);
    d->surface = (DisplaySurface){ width, height, pixels };
    d->changed = (DisplayRect){ 0, 0, width, height };
    for (unsigned i = 0; i < d->n_attached; i++) d->attached[i].seen_size = false;
}

static DisplayRect unite(DisplayRect a, DisplayRect b)
{
    if (a.w == 0 || a.h == 0) return b;
    int x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
    int bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (DisplayRect){ x, y, right - x, bottom - y };
}

void display_dirty(Display *d, int x, int y, int w, int h)
{
    int left = clamp(x, 0, d->surface.width), top = clamp(y, 0, d->surface.height);
    int right = clamp(x + w, left, d->surface.width), bottom = clamp(y + h, top, d->surface.height);
    if (right > left && bottom > top)
        d->changed = unite(d->changed, (DisplayRect){ left, top, right - left, bottom - top });
}

/* --- the consumers' side ------------------------------------------------------------------------------ */

static void tell(Display *d, Attached *a)
{
    DisplayRect all = { 0, 0, d->surface.width, d->surface.height };
    DisplayRect changed = a->seen_all && a->seen_size ? d->changed : all;
    if (!a->seen_size) a->listener->resized(a->opaque, all.w, all.h);
    a->seen_size = a->seen_all = true;
    if (changed.w) a->listener->drawn(a->opaque, &d->surface, changed);
    if (a->listener->refreshed) a->listener->refreshed(a->opaque);
}

void display_refresh(Display *d)
{
    if (d->source) d->source->update(d->source_opaque, d->lost);
    d->lost = false;
    for (unsigned i = 0; i < d->n_attached; i++) tell(d, &d->attached[i]);
    d->changed = (DisplayRect){ 0 };
}

static void arm(Display *d)
{
    unsigned least = 0;
    for (unsigned i = 0; i < d->n_attached; i++)
        if (!least || d->attached[i].interval_ms < least) least = d->attached[i].interval_ms;
    if (least)
        timer_set(d->timer, clock_now(d->machine) + least * NS_PER_MS);
    else
        timer_cancel(d->timer);
}

static void on_timer(void *opaque)
{
    Display *d = opaque;
    display_refresh(d);
    arm(d);
}

void display_listen(Display *d, const DisplayListener *listener, void *opaque, unsigned interval_ms)
{
    if (d->n_attached == MAX_LISTENERS) return;
    d->attached[d->n_attached++] = (Attached){ .listener = listener,
                                               .opaque = opaque,
                                               .interval_ms = interval_ms ? interval_ms : USUAL_INTERVAL_MS };
    arm(d);
}

void display_unlisten(Display *d, const DisplayListener *listener, void *opaque)
{
    for (unsigned i = 0; i < d->n_attached; i++) {
        if (d->attached[i].listener != listener || d->attached[i].opaque != opaque) continue;
        d->attached[i] = d->attached[--d->n_attached];
        break;
    }
    arm(d);
}

bool display_text(Display *d, DisplayText *text)
{
    return d->source && d->source->text && d->source->text(d->source_opaque, text);
}
