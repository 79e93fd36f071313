#include "hw/load.h"

#include <stdarg.h>
#include <stdio.h>

bool load_fail(char *error, size_t error_size, const char *what, const char *file, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(error, error_size, "%s '%s': ", what, file);
    if (n < 0 || (size_t)n >= error_size) return false;
    va_start(ap, fmt);
    vsnprintf(error + n, error_size - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

/* Linux wants its flat segments at 10h and 18h; a Multiboot kernel does not mind. */
void load_put_gdt(PhysMem *phys, BootState *boot, uint32_t addr)
{
    static const uint8_t gdt[32] = {
        [16] = 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, /* code: base 0, limit 4 GiB, execute/read, accessed */
        [24] = 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0, /* data: read/write, accessed */
    };
    phys_load(phys, addr, gdt, sizeof gdt);
    boot->gdt_base = addr;
    boot->gdt_limit = sizeof gdt - 1;
    boot->cs = 0x10;
    boot->ds = 0x18;
}

bool load_is_ram(const LoadRequest *rq, uint64_t base, uint64_t size)
{
    if (size > UINT32_MAX) return false;
    uint64_t end = base + size;
    return end <= CONVENTIONAL_END || (base >= HIGH_MEMORY && end <= rq->low_ram_end);
}

bool load_kernel(const LoadRequest *rq, BootState *boot, char *error, size_t error_size)
{
    FileData kernel;
    if (!file_load("-kernel", rq->kernel, rq->low_ram_end, &kernel, error, error_size)) return false;
    *boot = (BootState){ 0 };
    bool good;
    if (load_is_linux(&kernel))
        good = load_linux(rq, &kernel, boot, error, error_size);
    else if (load_is_multiboot(&kernel))
        good = load_multiboot(rq, &kernel, boot, error, error_size);
    else
        good = load_fail(error, error_size, "-kernel", rq->kernel, "is neither a Linux bzImage nor a Multiboot image");
    file_free(&kernel);
    return good;
}
