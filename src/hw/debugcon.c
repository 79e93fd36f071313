#include "hw/debugcon.h"

static uint32_t con_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0xe9;
}

static void con_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    uint8_t byte = (uint8_t)value;
    chardev_write(opaque, &byte, 1);
}

void debugcon_add(Machine *m, uint16_t port, CharDev *cd)
{
    static const IoPortOps ops = { con_read, con_write, 1 };
    ioports_map(machine_io(m), port, 1, &ops, cd);
}
