/* RDRAND, from the host's cryptographic generator, a few hundred bytes at a time. */
#include <string.h>
#include <sys/random.h>

#include "cpu/helpers.h"

bool cpu_host_random(uint32_t *value)
{
    static uint8_t pool[256];
    static size_t left;
    if (left < sizeof(*value)) {
        if (getrandom(pool, sizeof(pool), 0) != (ssize_t)sizeof(pool)) return false;
        left = sizeof(pool);
    }
    left -= sizeof(*value);
    memcpy(value, pool + left, sizeof(*value));
    memset(pool + left, 0, sizeof(*value));
    return true;
}

/* CF tells success; the other flags are cleared. */
uint32_t helper_rdrand(CPUState *cpu, uint32_t opsize)
{
    uint32_t value = 0;
    bool good = cpu->random ? cpu->random(cpu->random_opaque, &value) : cpu_host_random(&value);
    cpu->cc = cpu_cc_from_flags(good ? FL_CF : 0);
    return opsize == 2 ? value & 0xffff : value;
}
