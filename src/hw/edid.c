#include "hw/edid.h"

#include <string.h>

/* Offsets, E-EDID release A, 3.1. */
enum {
    AT_VENDOR = 8,
    AT_PRODUCT = 10,
    AT_YEAR = 17, /* - 1990 */
    AT_VERSION = 18,
    AT_INPUT = 20,
    AT_SIZE = 21,
    AT_GAMMA = 23,
    AT_FEATURES = 24,
    AT_COLORS = 25,
    AT_ESTABLISHED = 35,
    AT_STANDARD = 38,
    AT_DESCRIPTORS = 54,
    DESCRIPTOR_BYTES = 18,
    AT_CHECKSUM = 127,
};

/* 8 standard timings at 60 Hz: width, aspect ratio (0: 16:10, 1: 4:3, 2: 5:4, 3: 16:9). */
static const struct {
    uint16_t width;
    uint8_t aspect;
} standard[8] = {
    { 2048, 3 }, { 1920, 3 }, { 1920, 0 }, { 1600, 1 }, { 1680, 0 }, { 1440, 0 }, { 1280, 2 }, { 1280, 1 }
};

/* The preferred mode: 1280x800 by VESA's CVT 1.2 with reduced blanking. */
typedef struct Timing {
    unsigned clock_10khz;
    unsigned width, h_blank, h_front, h_sync;
    unsigned height, v_blank, v_front, v_sync;
    unsigned mm_wide, mm_high;
} Timing;
static const Timing preferred = { 7100, 1280, 160, 48, 32, 800, 23, 3, 6, 325, 203 };

static void detailed_timing(uint8_t *d, const Timing *t)
{
    d[0] = (uint8_t)t->clock_10khz;
    d[1] = (uint8_t)(t->clock_10khz >> 8);
    d[2] = (uint8_t)t->width;
    d[3] = (uint8_t)t->h_blank;
    d[4] = (uint8_t)(t->width >> 8 << 4 | t->h_blank >> 8);
    d[5] = (uint8_t)t->height;
    d[6] = (uint8_t)t->v_blank;
    d[7] = (uint8_t)(t->height >> 8 << 4 | t->v_blank >> 8);
    d[8] = (uint8_t)t->h_front;
    d[9] = (uint8_t)t->h_sync;
    d[10] = (uint8_t)(t->v_front << 4 | t->v_sync);
    d[12] = (uint8_t)t->mm_wide;
    d[13] = (uint8_t)t->mm_high;
    d[14] = (uint8_t)(t->mm_wide >> 8 << 4 | t->mm_high >> 8);
    d[17] = 0x1a; /* separate syncs, horizontal positive */
}

/* Display descriptors: a tag, then text or limits. */
static void text_descriptor(uint8_t *d, uint8_t tag, const char *text)
{
    d[3] = tag;
    memset(d + 5, ' ', 13);
    size_t n = strlen(text);
    memcpy(d + 5, text, n);
    if (n < 13) d[5 + n] = '\n';
}

static void limits_descriptor(uint8_t *d)
{
    static const uint8_t limits[] = { 50, 125, 30, 160, 255, 1 }; /* Hz, kHz, 10 MHz, no formula */
    d[3] = 0xfd;
    memcpy(d + 5, limits, sizeof limits);
    d[11] = '\n';
    memset(d + 12, ' ', 6);
}

void edid_build(uint8_t e[EDID_BYTES])
{
    static const uint8_t header[8] = { 0, 255, 255, 255, 255, 255, 255, 0 };
    /* sRGB's primaries and white point, table 3.17's packing. */
    static const uint8_t colors[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    unsigned vendor = ('C' - '@') << 10 | ('L' - '@') << 5 | ('Q' - '@'); /* three letters of five bits */
    memset(e, 0, EDID_BYTES);
    memcpy(e, header, sizeof header);
    e[AT_VENDOR] = (uint8_t)(vendor >> 8);
    e[AT_VENDOR + 1] = (uint8_t)vendor;
    e[AT_PRODUCT] = 1;
    e[AT_YEAR] = 2024 - 1990;
    e[AT_VERSION] = 1;
    e[AT_VERSION + 1] = 4;
    e[AT_INPUT] = 0xa5; /* digital, 8 bits, DisplayPort */
    e[AT_SIZE] = (uint8_t)(preferred.mm_wide / 10);
    e[AT_SIZE + 1] = (uint8_t)(preferred.mm_high / 10);
    e[AT_GAMMA] = 220 - 100;
    e[AT_FEATURES] = 0x06; /* sRGB, the first timing is the preferred one */
    memcpy(e + AT_COLORS, colors, sizeof colors);
    e[AT_ESTABLISHED] = 0x21;     /* 640x480, 800x600 at 60 Hz */
    e[AT_ESTABLISHED + 1] = 0x08; /* 1024x768 at 60 Hz */
    for (unsigned i = 0; i < 8; i++) {
        e[AT_STANDARD + 2 * i] = (uint8_t)(standard[i].width / 8 - 31);
        e[AT_STANDARD + 2 * i + 1] = (uint8_t)(standard[i].aspect << 6);
    }
    detailed_timing(e + AT_DESCRIPTORS, &preferred);
    limits_descriptor(e + AT_DESCRIPTORS + DESCRIPTOR_BYTES);
    text_descriptor(e + AT_DESCRIPTORS + 2 * DESCRIPTOR_BYTES, 0xfc, "Calque");
    text_descriptor(e + AT_DESCRIPTORS + 3 * DESCRIPTOR_BYTES, 0xff, "0");
    uint8_t sum = 0;
    for (unsigned i = 0; i < AT_CHECKSUM; i++) sum = (uint8_t)(sum + e[i]);
    e[AT_CHECKSUM] = (uint8_t)-sum;
}
