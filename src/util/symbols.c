#include "util/symbols.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/elf32.h"
#include "util/file.h"
#include "util/nearest.h"

enum { SYMBOL_NAME_MAX = 127, FILE_MAX = 1 << 30, FAR = 1 << 20 /* no function is longer */ };

typedef struct Symbol {
    uint32_t addr, size; /* size 0: not known */
    uint32_t reach;      /* what lies further behind is not of it */
    char *name;
} Symbol;

static Symbol *table; /* by address once sorted */
static size_t table_n, table_cap;

static bool add(uint32_t addr, uint32_t size, uint32_t reach, const char *name, size_t len)
{
    if (!len || len > SYMBOL_NAME_MAX) return true;
    for (size_t i = 0; i < len; i++)
        if (!isgraph((unsigned char)name[i])) return true;
    if (table_n == table_cap) {
        size_t cap = table_cap ? table_cap * 2 : 1024;
        Symbol *more = realloc(table, cap * sizeof *more);
        if (!more) return false;
        table = more;
        table_cap = cap;
    }
    char *copy = strndup(name, len);
    if (!copy) return false;
    table[table_n++] = (Symbol){ addr, size, reach, copy };
    return true;
}

/* Of names for one address the first stays first, so that looking up takes the same one each time. */
static int by_address(const void *a, const void *b)
{
    const Symbol *x = a, *y = b;
    if (x->addr != y->addr) return x->addr < y->addr ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* --- System.map: "c1000000 T startup_32", perhaps with "[module]" behind --------------------------------- */

static bool is_code(char type)
{
    return type && strchr("tTwW", type);
}

/* False: not such a line. */
static bool map_line(const char *p, const char *end, bool *good)
{
    uint64_t addr = 0;
    unsigned digits = 0;
    for (; p < end && isxdigit((unsigned char)*p); p++, digits++)
        addr = addr << 4 | (unsigned)(isdigit((unsigned char)*p) ? *p - '0' : tolower((unsigned char)*p) - 'a' + 10);
    if (!digits || digits > 16 || end - p < 4 || p[0] != ' ' || !isalpha((unsigned char)p[1]) || p[2] != ' ')
        return false;
    const char *name = p + 3;
    size_t len = 0;
    while (name + len < end && isgraph((unsigned char)name[len])) len++;
    if (is_code(p[1]) && addr <= UINT32_MAX) *good = add((uint32_t)addr, 0, FAR, name, len);
    return true;
}

static bool add_map(const uint8_t *bytes, size_t size, const char **why)
{
    const char *p = (const char *)bytes, *end = p + size;
    bool good = true;
    *why = "is neither a System.map nor an ELF file with symbols";
    while (p < end && good) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol) eol = end;
        /* nm prints symbols that are not defined with blanks for the address */
        if (eol > p && *p != ' ' && !map_line(p, eol, &good)) return false;
        p = eol + 1;
    }
    *why = good ? "names no code" : "does not fit in memory";
    return good;
}

/* --- ELF --------------------------------------------------------------------------------------------------- */

enum { SYM = 16, STT_NOTYPE = 0, STT_FUNC = 2 };

/* False: out of memory. */
static bool add_elf_symbol(const Elf32 *e, const ElfPart *strings, const uint8_t *s)
{
    uint32_t name = get_le32(s), type = s[12] & 15;
    ElfPart home = elf32_section(e, get_le16(s + 14));
    if ((type != STT_FUNC && type != STT_NOTYPE) || !(home.flags & ELF_SHF_EXECINSTR) || name >= strings->size)
        return true;
    const char *text = (const char *)strings->data + name;
    uint32_t addr = get_le32(s + 4), left = home.size - (addr - home.addr);
    if (addr - home.addr >= home.size) return true; /* the linker's own, as _end */
    return add(addr, get_le32(s + 8), left < FAR ? left : FAR, text, strnlen(text, strings->size - name));
}

static bool add_elf(const uint8_t *bytes, size_t size, const char **why)
{
    Elf32 e;
    if (!elf32_open(&e, bytes, size, why)) return false;
    *why = "has no symbol table (it is stripped)";
    for (uint32_t i = 0; i < e.n_sections; i++) {
        ElfPart s = elf32_section(&e, i), strings = elf32_section(&e, s.link);
        if (s.type != ELF_SHT_SYMTAB) continue;
        *why = "is truncated: its symbol table is not all in the file";
        if (!s.data || !strings.data) return false;
        *why = "has a symbol table whose entries are too short";
        if (s.entsize < SYM) return false;
        *why = "does not fit in memory";
        for (uint32_t at = 0; at + SYM <= s.size && s.size - at >= s.entsize; at += s.entsize)
            if (!add_elf_symbol(&e, &strings, s.data + at)) return false;
        *why = "names no code";
    }
    return true;
}

/* --- all ----------------------------------------------------------------------------------------------------- */

bool symbols_add(const uint8_t *bytes, size_t size, const char **why)
{
    size_t before = table_n;
    if (!(elf32_is(bytes, size) ? add_elf : add_map)(bytes, size, why)) return false;
    if (table_n) qsort(table, table_n, sizeof *table, by_address);
    return table_n > before;
}

bool symbols_add_ranges(const SymbolRange *range, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!add(range[i].addr, range[i].size, range[i].size, range[i].name, strlen(range[i].name))) return false;
    if (table_n) qsort(table, table_n, sizeof *table, by_address);
    return true;
}

bool symbols_load(const char *what, const char *path, char *error, size_t error_size)
{
    FileData f;
    const char *why;
    if (!file_load(what, path, FILE_MAX, &f, error, error_size)) return false;
    bool good = symbols_add(f.bytes, f.size, &why);
    file_free(&f);
    if (!good) snprintf(error, error_size, "%s '%s': %s", what, path, why);
    return good;
}

/* Index of the last symbol at or below addr, the first of those with its address; table_n: none. */
static size_t find(uint32_t addr)
{
    size_t lo = 0, hi = table_n; /* below lo: <= addr; from hi: above */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (table[mid].addr <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo) return table_n;
    for (lo--; lo && table[lo - 1].addr == table[lo].addr;) lo--;
    return lo;
}

size_t symbols_count(void)
{
    return table_n;
}

size_t symbols_number(uint32_t addr)
{
    size_t i = find(addr);
    return i < table_n && addr - table[i].addr < table[i].reach ? i : table_n;
}

const char *symbols_at(uint32_t addr, uint32_t *offset)
{
    size_t i = symbols_number(addr);
    if (i == table_n) return NULL;
    *offset = addr - table[i].addr;
    return table[i].name;
}

const char *symbols_text(char *buf, size_t size, uint32_t addr)
{
    uint32_t offset;
    const char *name = symbols_at(addr, &offset);
    if (!name)
        *buf = '\0';
    else if (offset)
        snprintf(buf, size, "%s+%#x", name, offset);
    else
        snprintf(buf, size, "%s", name);
    return buf;
}

bool symbols_range(const char *name, uint32_t *first, uint32_t *last)
{
    size_t i = 0;
    while (i < table_n && strcmp(table[i].name, name) != 0) i++;
    if (i == table_n) return false;
    size_t next = i + 1;
    while (next < table_n && table[next].addr == table[i].addr) next++;
    uint32_t size = table[i].size;
    if (!size) size = next < table_n ? table[next].addr - table[i].addr : table[i].reach;
    *first = table[i].addr;
    *last = size - 1 > UINT32_MAX - *first ? UINT32_MAX : *first + (size - 1);
    return true;
}

const char *symbols_nearest(const char *word)
{
    Nearest near = { .word = word };
    for (size_t i = 0; i < table_n; i++) nearest_offer(&near, table[i].name);
    return near.best;
}

void symbols_free(void)
{
    for (size_t i = 0; i < table_n; i++) free(table[i].name);
    free(table);
    table = NULL;
    table_n = table_cap = 0;
}
