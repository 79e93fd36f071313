#include "util/elf32.h"

#include <string.h>

#include "util/bytes.h"

enum { HEADER = 52, PHENT = 32, SHENT = 40, EM_386 = 3, SHT_NOBITS = 8 };

bool elf32_is(const uint8_t *bytes, size_t size)
{
    return size >= 4 && !memcmp(bytes, "\177ELF", 4);
}

static bool table_fits(const Elf32 *e, uint32_t off, uint32_t entsize, uint32_t least, uint32_t n)
{
    return !n || (entsize >= least && off <= e->size && (uint64_t)n * entsize <= e->size - off);
}

bool elf32_open(Elf32 *e, const uint8_t *bytes, size_t size, const char **why)
{
    *e = (Elf32){ .bytes = bytes, .size = size };
    *why = "is not an ELF file";
    if (!elf32_is(bytes, size)) return false;
    *why = "is truncated: it ends within its ELF header";
    if (size < HEADER) return false;
    *why = "is not an ELF file for 32-bit x86";
    if (bytes[4] != 1 || bytes[5] != 1 || get_le16(bytes + 18) != EM_386) return false;
    e->entry = get_le32(bytes + 24);
    e->phoff = get_le32(bytes + 28);
    e->shoff = get_le32(bytes + 32);
    e->phentsize = get_le16(bytes + 42);
    e->n_segments = get_le16(bytes + 44);
    e->shentsize = get_le16(bytes + 46);
    e->n_sections = get_le16(bytes + 48);
    *why = "is truncated: its program headers are not all in the file";
    if (!table_fits(e, e->phoff, e->phentsize, PHENT, e->n_segments)) return false;
    *why = "is truncated: its section headers are not all in the file";
    return table_fits(e, e->shoff, e->shentsize, SHENT, e->n_sections);
}

static const uint8_t *part_data(const Elf32 *e, uint32_t off, uint32_t size)
{
    return off <= e->size && size <= e->size - off ? e->bytes + off : NULL;
}

ElfPart elf32_segment(const Elf32 *e, uint32_t i)
{
    const uint8_t *p = e->bytes + e->phoff + (size_t)i * e->phentsize;
    return (ElfPart){ .type = get_le32(p),
                      .flags = get_le32(p + 24),
                      .addr = get_le32(p + 8),
                      .size = get_le32(p + 16),
                      .data = part_data(e, get_le32(p + 4), get_le32(p + 16)) };
}

ElfPart elf32_section(const Elf32 *e, uint32_t i)
{
    if (i >= e->n_sections) return (ElfPart){ 0 };
    const uint8_t *s = e->bytes + e->shoff + (size_t)i * e->shentsize;
    uint32_t type = get_le32(s + 4), size = get_le32(s + 20);
    return (ElfPart){ .type = type,
                      .flags = get_le32(s + 8),
                      .addr = get_le32(s + 12),
                      .link = get_le32(s + 24),
                      .entsize = get_le32(s + 36),
                      .size = size,
                      .data = type == SHT_NOBITS ? NULL : part_data(e, get_le32(s + 16), size) };
}
