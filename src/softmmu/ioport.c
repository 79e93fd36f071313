/* I/O port dispatch: a byte per port names the handler, so that the table of 64 Ki ports stays small
 * enough for the cache.
 *
 * The handler of the first port takes a whole access if it is as wide as that; else the access is
 * split in halves, each of which finds its own handler.  So a dword to CF8 belongs to the host bridge although a
 * reset register sits at CF9. */
#include "softmmu/ioport.h"

#include <stdlib.h>

#include "util/die.h"

enum { IO_PORTS = 65536, IO_HANDLERS = 1024 };

typedef struct Handler {
    const IoPortOps *ops; /* NULL: free */
    void *opaque;
    unsigned n_ports;
} Handler;

struct IoPorts {
    uint16_t handler[IO_PORTS]; /* in force; 0: none */
    uint16_t under[IO_PORTS];   /* registered with ioports_map() */
    bool covered[IO_PORTS];     /* an overlay is in force */
    Handler handlers[IO_HANDLERS];
};

IoPorts *ioports_new(void)
{
    return calloc(1, sizeof(IoPorts));
}
void ioports_free(IoPorts *io)
{
    free(io);
}

/* A handler for ops and opaque: the one there is, or a free one. */
static unsigned find_handler(IoPorts *io, const IoPortOps *ops, void *opaque)
{
    unsigned unused = 0;
    for (unsigned i = 1; i < IO_HANDLERS; i++) {
        const Handler *h = &io->handlers[i];
        if (h->ops == ops && h->opaque == opaque) return i;
        if (!h->ops && !unused) unused = i;
    }
    if (!unused) {
        die("too many I/O port handlers");
    }
    io->handlers[unused] = (Handler){ ops, opaque, 0 };
    return unused;
}

static void set_slot(IoPorts *io, uint16_t *slot, unsigned handler)
{
    Handler *old = &io->handlers[*slot];
    if (*slot && --old->n_ports == 0) *old = (Handler){ 0 };
    *slot = (uint16_t)handler;
    if (handler) io->handlers[handler].n_ports++;
}

static void map_port(IoPorts *io, unsigned port, unsigned handler)
{
    set_slot(io, &io->under[port], handler);
    if (!io->covered[port]) set_slot(io, &io->handler[port], handler);
}

static void overlay_port(IoPorts *io, unsigned port, unsigned handler)
{
    io->covered[port] = handler != 0;
    set_slot(io, &io->handler[port], handler ? handler : io->under[port]);
}

static void map_ports(IoPorts *io, unsigned base, unsigned count, const IoPortOps *ops, void *opaque,
                      void (*map)(IoPorts *io, unsigned port, unsigned handler))
{
    unsigned end = base + count;
    if (count > IO_PORTS || end > IO_PORTS || count == 0) return;
    unsigned handler = 0;
    if (ops) {
        handler = find_handler(io, ops, opaque);
        io->handlers[handler].n_ports++; /* keeps it while its old ports are replaced */
    }
    for (unsigned port = base; port < end; port++) map(io, port, handler);
    if (ops) io->handlers[handler].n_ports--;
}

void ioports_map(IoPorts *io, uint16_t base, unsigned count, const IoPortOps *ops, void *opaque)
{
    map_ports(io, base, count, ops, opaque, map_port);
}

void ioports_overlay(IoPorts *io, uint16_t base, unsigned count, const IoPortOps *ops, void *opaque)
{
    map_ports(io, base, count, ops, opaque, overlay_port);
}

static uint32_t ones(unsigned size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

/* Port 10000 and up, reached by a wide access at the top, has nothing behind it. */
static uint32_t read_port(IoPorts *io, uint32_t port, unsigned size)
{
    if (port >= IO_PORTS) return ones(size);
    const Handler *h = &io->handlers[io->handler[port]];
    if (h->ops && size <= h->ops->max_size)
        return h->ops->read ? h->ops->read(h->opaque, (uint16_t)port, size) & ones(size) : ones(size);
    if (size == 1) return 0xff;
    unsigned half = size / 2;
    uint32_t low = read_port(io, port, half);
    return low | read_port(io, port + half, half) << 8 * half;
}

static void write_port(IoPorts *io, uint32_t port, uint32_t value, unsigned size)
{
    if (port >= IO_PORTS) return;
    const Handler *h = &io->handlers[io->handler[port]];
    if (h->ops && size <= h->ops->max_size) {
        if (h->ops->write) h->ops->write(h->opaque, (uint16_t)port, value & ones(size), size);
        return;
    }
    if (size == 1) return;
    unsigned half = size / 2;
    write_port(io, port, value, half);
    write_port(io, port + half, value >> 8 * half, half);
}

uint32_t ioports_read(IoPorts *io, uint16_t port, unsigned size)
{
    return read_port(io, port, size);
}
void ioports_write(IoPorts *io, uint16_t port, uint32_t value, unsigned size)
{
    write_port(io, port, value, size);
}
