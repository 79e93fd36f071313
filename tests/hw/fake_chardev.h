/* A line whose far end the test holds. */
#ifndef CALQUE_TESTS_HW_FAKE_CHARDEV_H
#define CALQUE_TESTS_HW_FAKE_CHARDEV_H

#include <string.h>

#include "hw/chardev.h"

typedef struct FakeChardev {
    CharDev cd; /* first */
    CharDevReceiver r;
    char out[4096];
    size_t n_out;
    const uint8_t *in; /* still to be received */
    size_t n_in;
} FakeChardev;

static void fcd_write(CharDev *cd, const uint8_t *buf, size_t n)
{
    FakeChardev *f = (FakeChardev *)cd;
    for (size_t i = 0; i < n; i++) f->out[f->n_out++ % sizeof f->out] = (char)buf[i];
}
static void fcd_receiver(CharDev *cd, const CharDevReceiver *r)
{
    ((FakeChardev *)cd)->r = *r;
}
static void fcd_accept(CharDev *cd)
{
    FakeChardev *f = (FakeChardev *)cd;
    size_t n = f->n_in && f->r.receive ? f->r.receive(f->r.opaque, f->in, f->n_in) : 0;
    f->in += n;
    f->n_in -= n;
}
static const CharDevOps fcd_ops = { fcd_write, fcd_receiver, fcd_accept, NULL };

__attribute__((unused)) static void fcd_send(FakeChardev *f, const void *buf, size_t n)
{
    f->in = buf;
    f->n_in = n;
    fcd_accept(&f->cd);
}

#endif
