#include "hw/debug_exit.h"

static uint32_t exit_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0;
}

static void exit_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    machine_request(opaque, MACHINE_QUIT, (int)((value << 1 | 1) & 0xff)); /* a host's exit status has 8 bits */
}

void debug_exit_add(Machine *m, uint16_t base, uint16_t size)
{
    static const IoPortOps ops = { exit_read, exit_write, 4 };
    ioports_map(machine_io(m), base, size, &ops, m);
}
