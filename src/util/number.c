#include "util/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* strtoull alone would take blanks and a minus sign. */
static bool scan_u64(const char *text, uint64_t *value, const char **end)
{
    if (!isdigit((unsigned char)text[0])) return false;
    char *stop;
    errno = 0;
    *value = strtoull(text, &stop, 0);
    *end = stop;
    return errno == 0;
}

bool parse_u64(const char *text, uint64_t *value)
{
    const char *end;
    return scan_u64(text, value, &end) && *end == '\0';
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
    static const char suffixes[] = "BKMGT";
    const char *end;
    uint64_t count;
    if (!scan_u64(text, &count, &end)) return false;
    if (*end) {
        const char *s = strchr(suffixes, toupper((unsigned char)*end));
        if (!s || end[1]) return false;
        unit = UINT64_C(1) << 10 * (s - suffixes);
    }
    return !__builtin_mul_overflow(count, unit, bytes);
}

static bool scan_addr(const char *text, uint32_t *addr, const char **end)
{
    uint64_t v;
    if (!scan_u64(text, &v, end) || v > UINT32_MAX) return false;
    *addr = (uint32_t)v;
    return true;
}

bool parse_range(const char *text, uint32_t *first, uint32_t *last)
{
    const char *end;
    uint32_t addr, other;
    if (!scan_addr(text, &addr, &end)) return false;
    *first = *last = addr;
    if (*end == '\0') return true;
    if (strncmp(end, "..", 2) == 0) {
        if (!scan_addr(end + 2, &other, &end) || *end || other < addr) return false;
        *last = other;
        return true;
    }
    char sign = *end;
    if ((sign != '+' && sign != '-') || !scan_addr(end + 1, &other, &end) || *end || other == 0) return false;
    uint32_t reach = other - 1;
    if (sign == '+') {
        *last = reach > UINT32_MAX - addr ? UINT32_MAX : addr + reach;
    } else {
        *first = reach > addr ? 0 : addr - reach;
    }
    return true;
}
