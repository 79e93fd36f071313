/* Port dispatch: widths, splitting, edges, re-registration. */
#include "softmmu/ioport.h"
#include "../tap.h"

static struct {
    uint32_t port, size, value;
} trace[16];
static unsigned n_trace;

static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    (void)size;
    return *(const uint32_t *)opaque + port;
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)opaque;
    if (n_trace < 16) {
        trace[n_trace].port = port;
        trace[n_trace].size = size;
        trace[n_trace].value = value;
    }
    n_trace++;
}

int main(void)
{
    static const IoPortOps byte_ops = { port_read, port_write, 1 }, wide_ops = { port_read, port_write, 4 };
    static const IoPortOps none = { NULL, NULL, 4 };
    uint32_t a = 0x10, b = 0xabcd0000;
    IoPorts *io = ioports_new();
    ok(ioports_read(io, 0x80, 1) == 0xff && ioports_read(io, 0x80, 2) == 0xffff &&
           ioports_read(io, 0x80, 4) == 0xffffffff,
       "unmapped: all ones");
    ioports_map(io, 0x60, 2, &byte_ops, &a);
    ok(ioports_read(io, 0x60, 1) == 0x70, "byte");
    ok(ioports_read(io, 0x60, 2) == 0x7170, "word is two bytes");
    ok(ioports_read(io, 0x61, 4) == 0xffffff71, "a dword beyond the device");
    ioports_write(io, 0x60, 0xbbaa, 2);
    ok(n_trace == 2 && trace[0].port == 0x60 && trace[0].value == 0xaa && trace[1].port == 0x61 &&
           trace[1].value == 0xbb,
       "lowest port first");
    ioports_map(io, 0xcf8, 8, &wide_ops, &b);
    ioports_map(io, 0xcf9, 1, &byte_ops, &a);
    n_trace = 0;
    ioports_write(io, 0xcf8, 0x80001234, 4);
    ok(n_trace == 1 && trace[0].size == 4 && trace[0].value == 0x80001234, "the first port's handler takes it all");
    ok(ioports_read(io, 0xcf9, 1) == ((0x10 + 0xcf9) & 0xff), "later registration wins");
    ioports_map(io, 0xcf9, 1, NULL, NULL);
    ok(ioports_read(io, 0xcf9, 1) == 0xff, "unregistered");
    ioports_map(io, 0xffff, 1, &byte_ops, &a);
    ok(ioports_read(io, 0xffff, 4) == 0xffffff0f, "past the last port there is nothing");
    n_trace = 0;
    ioports_write(io, 0xffff, 0x12345678, 4);
    ok(n_trace == 1 && trace[0].value == 0x78, "nor to write to");
    ioports_map(io, 0xfff0, 100, &byte_ops, &a);
    ok(ioports_read(io, 0xfff0, 1) == 0xff, "a range past the end is refused");
    for (unsigned i = 0; i < 5000; i++) ioports_map(io, (uint16_t)(0x1000 + 16 * (i % 100)), 16, &wide_ops, &b);
    for (unsigned i = 0; i < 5000; i++) ioports_map(io, 0x3000, 4, i & 1 ? &wide_ops : &byte_ops, trace + i % 16);
    ok(ioports_read(io, 0x1000, 4) == 0xabcd1000, "handlers are reused");
    ioports_map(io, 0x400, 4, &none, NULL);
    ok(ioports_read(io, 0x400, 2) == 0xffff, "handler without functions");
    ioports_write(io, 0x400, 0, 4);
    ioports_map(io, 0x500, 4, &byte_ops, &a);
    ioports_overlay(io, 0x502, 4, &wide_ops, &b);
    ok(ioports_read(io, 0x502, 2) == 0x0502 && ioports_read(io, 0x501, 1) == 0x11, "an overlay hides what is there");
    ioports_map(io, 0x500, 4, NULL, NULL);
    ok(ioports_read(io, 0x500, 1) == 0xff && ioports_read(io, 0x502, 2) == 0x0502, "also from later registrations");
    ioports_map(io, 0x500, 4, &byte_ops, &a);
    ioports_overlay(io, 0x502, 4, NULL, NULL);
    ok(ioports_read(io, 0x502, 1) == 0x12 && ioports_read(io, 0x504, 1) == 0xff, "which answer when it is gone");
    for (unsigned i = 0; i < 5000; i++) ioports_overlay(io, 0x3000, 4, i & 1 ? &wide_ops : NULL, trace + i % 16);
    ok(ioports_read(io, 0x502, 1) == 0x12, "handlers of overlays are reused");
    ioports_free(io);
    return tap_done();
}
