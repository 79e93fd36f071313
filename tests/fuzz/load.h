/* What the two loaders' targets have in common: memory, a request, and what must be true of the result. */
#ifndef CALQUE_TESTS_FUZZ_LOAD_H
#define CALQUE_TESTS_FUZZ_LOAD_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "hw/load.h"
#include "util/bytes.h"

enum { LOAD_RAM_MIB = 16, LOAD_ERROR = 512 };

/* RAM as the machine has it, with the low end of it behind which nothing may be written. */
static inline PhysMem *load_memory(void)
{
    static PhysMem *phys;
    if (!phys) {
        phys = phys_new();
        FUZZ_CHECK(phys_add_ram(phys, "ram", 0, (uint64_t)LOAD_RAM_MIB << 20, 0));
    }
    return phys;
}

/* A file without a name on any disk, of n bytes. */
static inline const char *load_make_file(char path[32], const void *bytes, size_t n)
{
    int fd = memfd_create("calque-fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return path;
}

static inline LoadRequest load_request(unsigned mib)
{
    uint32_t end = (uint32_t)mib << 20;
    return (LoadRequest){ .phys = load_memory(),
                          .kernel = "kernel",
                          .append = "",
                          .low_ram_end = end,
                          .rsdp = 0xe0000,
                          .map = { { 0, CONVENTIONAL_END, MEMORY_USABLE },
                                   { HIGH_MEMORY, end - HIGH_MEMORY, MEMORY_USABLE } },
                          .map_count = 2 };
}

/* Bytes of the input as a text of at most n characters, in out[n + 1]. */
static inline const char *load_take_text(FuzzBytes *b, char *out, size_t n)
{
    size_t i = 0;
    while (i < n && b->at < b->end && *b->at) out[i++] = (char)*b->at++;
    out[i] = 0;
    if (b->at < b->end) b->at++;
    return out;
}

/* The rest of the input in memory of its own, which the loaders may change. */
static inline FileData load_take_file(FuzzBytes *b)
{
    size_t n = (size_t)(b->end - b->at);
    FileData f = { malloc(n + 1), n };
    FUZZ_CHECK(f.bytes);
    memcpy(f.bytes, b->at, n);
    f.bytes[n] = 0;
    b->at = b->end;
    return f;
}

static inline void load_check_error(const char *error)
{
    FUZZ_CHECK(error[0] && !strchr(error, '\n') && strlen(error) < LOAD_ERROR);
}

static inline void load_check_boot(const LoadRequest *rq, const BootState *boot)
{
    FUZZ_CHECK(load_is_ram(rq, boot->eip, 1) && load_is_ram(rq, boot->gdt_base, 32));
    FUZZ_CHECK(boot->esp <= CONVENTIONAL_END && boot->cs && boot->ds && boot->gdt_limit >= 31);
}

#endif
