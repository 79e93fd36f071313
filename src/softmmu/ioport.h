/* The 64 Ki I/O ports.  Machine thread only. */
#ifndef CALQUE_SOFTMMU_IOPORT_H
#define CALQUE_SOFTMMU_IOPORT_H

#include <stdbool.h>
#include <stdint.h>

/* size 1, 2 or 4.  A device that registers only byte access gets wider accesses split, lowest
 * port first, as an 8-bit ISA device would. */
typedef struct IoPortOps {
    uint32_t (*read)(void *opaque, uint16_t port, unsigned size);
    void (*write)(void *opaque, uint16_t port, uint32_t value, unsigned size);
    unsigned max_size;
} IoPortOps;

typedef struct IoPorts IoPorts;
IoPorts *ioports_new(void);
void ioports_free(IoPorts *io);
/* Later registrations of a port replace earlier ones; ops NULL unregisters.  base+count <= 65536. */
void ioports_map(IoPorts *io, uint16_t base, unsigned count, const IoPortOps *ops, void *opaque);
/* A window that lies over what is registered there (a PCI device before the ISA bus); ops NULL takes it away, and
 * what it hid answers again. */
void ioports_overlay(IoPorts *io, uint16_t base, unsigned count, const IoPortOps *ops, void *opaque);
uint32_t ioports_read(IoPorts *io, uint16_t port, unsigned size); /* unmapped: all ones */
void ioports_write(IoPorts *io, uint16_t port, uint32_t value, unsigned size);

#endif
