#include "hw/cd_sector.h"

#include <stdbool.h>
#include <string.h>

/* ECMA-130, figure 11: a mode 1 sector. */
enum {
    SYNC_SIZE = 12,
    HEADER_AT = 12,
    DATA_AT = 16,
    DATA_SIZE = 2048,
    EDC_AT = 2064,
    P_AT = 2076,
    Q_AT = 2248,
    RAW_SIZE = 2352,
};
enum { FRAMES = 75, LEAD_IN = 2 * FRAMES };

void cd_lba_to_msf(uint32_t lba, uint8_t msf[3])
{
    uint64_t f = (uint64_t)lba + LEAD_IN;
    msf[0] = (uint8_t)(f / FRAMES / 60);
    msf[1] = (uint8_t)(f / FRAMES % 60);
    msf[2] = (uint8_t)(f % FRAMES);
}

uint32_t cd_msf_to_lba(uint8_t m, uint8_t s, uint8_t f)
{
    return (m * 60u + s) * FRAMES + f - LEAD_IN; /* the lead-in wraps, and is out of any range */
}

/* 14.3: the remainder by (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), least significant bit first. */
static uint32_t edc(const uint8_t *p, unsigned n)
{
    static uint32_t table[256];
    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;
            for (int k = 0; k < 8; k++) v = v >> 1 ^ (v & 1 ? 0xd8018001u : 0);
            table[i] = v;
        }
    }
    uint32_t crc = 0;
    while (n--) crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
    return crc;
}

/* Multiplication by alpha in GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t times_alpha(uint8_t v)
{
    return (uint8_t)(v << 1 ^ (v & 0x80 ? 0x1d : 0));
}

/* Division by 1 + alpha. */
static uint8_t over_1_plus_alpha(uint8_t v)
{
    static uint8_t table[256];
    static bool ready;
    if (!ready) {
        for (unsigned i = 0; i < 256; i++) table[i ^ times_alpha((uint8_t)i)] = (uint8_t)i;
        ready = true;
    }
    return table[v];
}

/* Annex A: two parity bytes for each of `lines` code words of `length` bytes; a word starts at line's place and goes on in
 * strides, wrapping round.  Even and odd bytes are words of their own. */
static void ecc(const uint8_t *from, unsigned lines, unsigned length, unsigned line_step, unsigned stride,
                uint8_t *parity)
{
    unsigned size = lines * length;
    for (unsigned line = 0; line < lines; line++) {
        unsigned at = (line >> 1) * line_step + (line & 1);
        uint8_t sum = 0, weighted = 0;
        for (unsigned i = 0; i < length; i++) {
            uint8_t v = from[at];
            at += stride;
            if (at >= size) at -= size;
            weighted = times_alpha(weighted ^ v);
            sum ^= v;
        }
        /* p0 * alpha + p1 + weighted * alpha... = 0 and p0 + p1 + sum = 0 */
        uint8_t p0 = over_1_plus_alpha(times_alpha(weighted) ^ sum);
        parity[line] = p0;
        parity[line + lines] = p0 ^ sum;
    }
}

void cd_make_sector(uint8_t raw[2352], uint32_t lba, const uint8_t data[2048])
{
    uint8_t msf[3];
    memmove(raw + DATA_AT, data, DATA_SIZE);
    memset(raw, 0xff, SYNC_SIZE);
    raw[0] = raw[SYNC_SIZE - 1] = 0;
    cd_lba_to_msf(lba, msf);
    for (int i = 0; i < 3; i++) raw[HEADER_AT + i] = (uint8_t)(msf[i] / 10 % 10 << 4 | msf[i] % 10);
    raw[HEADER_AT + 3] = 1;
    uint32_t sum = edc(raw, EDC_AT);
    for (int i = 0; i < 4; i++) raw[EDC_AT + i] = (uint8_t)(sum >> 8 * i);
    memset(raw + EDC_AT + 4, 0, 8);
    ecc(raw + HEADER_AT, 86, 24, 2, 86, raw + P_AT);
    ecc(raw + HEADER_AT, 52, 43, 86, 88, raw + Q_AT);
}

typedef struct Part {
    uint8_t mask, value;
    uint16_t at, size;
} Part;
/* Of the headers only the first exists in mode 1; the second is mode 2's. */
static const Part part_table[] = {
    { 0x80, 0x80, 0, SYNC_SIZE },
    { 0x20, 0x20, HEADER_AT, 4 },
    { 0x10, 0x10, DATA_AT, DATA_SIZE },
    { 0x08, 0x08, EDC_AT, RAW_SIZE - EDC_AT },
};

uint32_t cd_parts_size(uint8_t parts)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < sizeof part_table / sizeof part_table[0]; i++)
        if ((parts & part_table[i].mask) == part_table[i].value) n += part_table[i].size;
    return n;
}

void cd_take_parts(uint8_t *out, const uint8_t raw[2352], uint8_t parts)
{
    for (unsigned i = 0; i < sizeof part_table / sizeof part_table[0]; i++) {
        const Part *p = &part_table[i];
        if ((parts & p->mask) != p->value) continue;
        memcpy(out, raw + p->at, p->size);
        out += p->size;
    }
}
