/* ELF files for 32-bit x86 in memory (System V ABI, chapters 4 and 5), read with care: they come from users. */
#ifndef CALQUE_UTIL_ELF32_H
#define CALQUE_UTIL_ELF32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_PT_LOAD = 1, ELF_SHT_SYMTAB = 2, ELF_SHF_EXECINSTR = 4 };

typedef struct Elf32 {
    const uint8_t *bytes;
    size_t size;
    uint32_t entry, n_segments, n_sections;
    uint32_t phoff, phentsize, shoff, shentsize;
} Elf32;

/* Bytes of the file: data is NULL when they are not all in it. */
typedef struct ElfPart {
    uint32_t type, flags, addr, link, entsize, size;
    const uint8_t *data;
} ElfPart;

bool elf32_is(const uint8_t *bytes, size_t size); /* starts like any ELF file */
/* False with *why: "is not ...", to be put behind the file's name. */
bool elf32_open(Elf32 *e, const uint8_t *bytes, size_t size, const char **why);
ElfPart elf32_segment(const Elf32 *e, uint32_t i); /* i < n_segments; addr is the virtual address */
ElfPart elf32_section(const Elf32 *e, uint32_t i); /* any i: past the last one it is empty, with data NULL */

#endif
